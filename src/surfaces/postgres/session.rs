//! One connection: who it is, what it has set and opened, and how its queries are stopped.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pgwire::api::{ClientInfo, ErrorHandler, METADATA_USER};
use pgwire::error::{PgWireError, PgWireResult};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::cancel::Entry;
use super::cursor::Cursor;
use super::error::{INVALID_AUTHORIZATION, cancelled, fatal, wire};
use super::settings::Settings;
use super::startup::Sasl;
use crate::access::Caller;
use crate::engine::{Dialect, QueryOptions, Reserved};

pub struct Session {
    pub shared: Arc<Shared>,
    pub entry: Arc<Entry>,
    pub settings: Settings,
    pub sasl: OnceLock<Sasl>,
    /// One of those that log in, until it is logged in.
    starting: Mutex<Option<OwnedSemaphorePermit>>,
    /// One of the connections that there may be, from then on.
    slot: OnceLock<OwnedSemaphorePermit>,
    /// Who it is, once that is known. Nothing is answered before.
    pub principal: OnceLock<String>,
    /// The name that the client has given itself: `current_user`.
    pub user: OnceLock<String>,
    cursors: Mutex<HashMap<String, Cursor>>,
    /// The names of the statements that pgwire keeps: it does not tell them.
    statements: Mutex<BTreeSet<String>>,
    /// Whether a statement is being worked on.
    busy: watch::Sender<bool>,
    /// The client was told that this is the end.
    ended: CancellationToken,
}

impl Session {
    pub fn new(shared: &Arc<Shared>, starting: OwnedSemaphorePermit) -> Session {
        Session {
            shared: Arc::clone(shared),
            entry: Arc::new(Entry::new(&shared.registry)),
            settings: Settings::default(),
            sasl: OnceLock::new(),
            starting: Mutex::new(Some(starting)),
            slot: OnceLock::new(),
            principal: OnceLock::new(),
            user: OnceLock::new(),
            cursors: Mutex::default(),
            statements: Mutex::default(),
            busy: watch::Sender::new(false),
            ended: CancellationToken::new(),
        }
    }

    /// It is logged in, and one of the connections.
    pub fn enter(&self, slot: OwnedSemaphorePermit) {
        let _ = self.slot.set(slot);
        self.starting.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Who asks, with the time that the client gives its statements.
    pub fn caller(&self) -> PgWireResult<Caller> {
        let principal = self.principal.get().ok_or_else(|| {
            fatal(INVALID_AUTHORIZATION, "the connection has not been authenticated", "connect again")
        })?;
        Ok(Caller { timeout: self.settings.timeout(), ..Caller::bi(principal) })
    }

    /// What every query of this surface asks.
    pub fn options(&self) -> QueryOptions {
        let (user, schema) = (self.user.get().cloned(), self.settings.schema());
        QueryOptions { dialect: Dialect::Postgres, label: "sql".into(), user, schema, ..QueryOptions::default() }
    }

    /// Takes `bytes` of the queries' memory for what the connection keeps.
    pub fn reserve(&self, bytes: usize) -> PgWireResult<Reserved> {
        self.shared.engine.reserve(bytes, "what PostgreSQL clients sent").map_err(|e| wire(&e))
    }

    /// Runs `work` until it is done or the query is cancelled from another connection; then `work` is dropped.
    pub async fn stoppable<T>(&self, work: impl Future<Output = PgWireResult<T>>) -> PgWireResult<T> {
        let stop = self.entry.current.begin();
        let _busy = Busy::now(&self.busy);
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(cancelled()),
            done = work => done,
        }
    }

    pub fn cursors(&self) -> MutexGuard<'_, HashMap<String, Cursor>> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn statements(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ready when nothing is being worked on.
    pub async fn idle(&self) {
        let mut busy = self.busy.subscribe();
        // The sender is ours: it does not go away.
        let _ = busy.wait_for(|busy| !busy).await;
    }

    /// Ready when the client has been told that the connection is at its end.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

/// The connection works while this lives.
struct Busy<'a>(&'a watch::Sender<bool>);

impl Busy<'_> {
    fn now(busy: &watch::Sender<bool>) -> Busy<'_> {
        busy.send_replace(true);
        Busy(busy)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

/// The session as the extended protocol has it: its parser shares the session.
pub struct Extended(pub Arc<Session>);

impl ErrorHandler for Session {
    /// pgwire would listen on after a fatal error, even to somebody who was not let in.
    fn on_error<C: ClientInfo>(&self, client: &C, error: &mut PgWireError) {
        if let PgWireError::InvalidPassword(user) = error {
            // pgwire knows the name within SCRAM's messages only, which clients leave empty.
            *user = client.metadata().get(METADATA_USER).cloned().unwrap_or_default();
            tracing::warn!(user = user.as_str(), from = %client.socket_addr(), "a PostgreSQL client's password is wrong");
        }
        let fatal = match error {
            PgWireError::UserError(info) => info.is_fatal(),
            _ => false,
        };
        if fatal || self.principal.get().is_none() {
            self.ended.cancel();
        }
    }
}
