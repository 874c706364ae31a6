//! The PostgreSQL wire protocol: psql, Metabase, Grafana and every language's driver, read-only. A thin translation of
//! messages into calls of the engine, and of rows into messages; it must not collect results or know the other surfaces.
//!
//! ```text
//! socket ─── talk ──┬─ startup (who, TLS, room)
//!                  ├─ simple ────┐
//!                  └─ extended ──┴─ command ─ run ─ engine ─ rows | copy | cursor
//! ```
//!
//! What its catalogue can and cannot do is in `docs/postgres.md`.

mod alive;
mod cancel;
mod command;
mod copy;
mod copy_options;
mod csv;
mod cursor;
mod error;
mod extended;
mod lexer;
mod numeric;
mod parameters;
mod reach;
mod rows;
mod run;
mod session;
mod settings;
mod simple;
mod startup;
mod statement;
mod talk;
#[cfg(test)]
mod tests;
mod tls;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::access::{Entrance, START_UP, Tokens, listen, may_bind};
use crate::config::{AccessConfig, PostgresConfig};
use crate::engine::Engine;
use crate::error::Result;
use cancel::Registry;
use session::Session;
use startup::Accounts;
use talk::talk;
use tls::Tls;

/// How long a message may take from its first byte to its last.
const MESSAGE: Duration = Duration::from_secs(60);
/// How often a connection is looked at while its query runs: a client that went away is noticed after this.
const LOOK: Duration = Duration::from_millis(200);
/// How long a client has to read why its connection ends.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What every connection can reach.
struct Shared {
    engine: Engine,
    accounts: Arc<Accounts>,
    registry: Arc<Registry>,
    tls: Option<Tls>,
    /// Bytes of the longest message.
    longest: usize,
    /// Connections that there may be, once they are logged in.
    slots: Arc<Semaphore>,
    /// Shutdown began: connections end with their statement.
    stopping: CancellationToken,
}

/// A server that is bound, so that its address is known, but does not answer yet.
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    times: Times,
    shared: Arc<Shared>,
}

/// How long clients may take.
#[derive(Clone, Copy)]
struct Times {
    start_up: Duration,
    message: Duration,
}

impl Server {
    /// Binds `config.bind`.
    ///
    /// # Errors
    /// `Invalid`: an address beyond loopback without tokens, an empty token, a certificate that cannot be read.
    /// `Unavailable`: the address is taken.
    pub async fn bind(config: &PostgresConfig, access: &AccessConfig, engine: Engine) -> Result<Server> {
        let wanted = may_bind("postgres.bind", &config.bind, &Tokens::new(&access.tokens)?)?;
        let tls = tls::read(&config.tls)?;
        let listener = listen("postgres.bind", wanted).await?;
        let addr = listener.local_addr()?;
        let connections = config.connections.clamp(1, Semaphore::MAX_PERMITS);
        let shared = Shared {
            engine,
            accounts: Arc::new(Accounts::new(&access.tokens)),
            registry: Arc::default(),
            tls,
            longest: usize::try_from(config.max_message_mb << 20).unwrap_or(usize::MAX),
            slots: Arc::new(Semaphore::new(connections)),
            stopping: CancellationToken::new(),
        };
        let times = Times { start_up: START_UP, message: MESSAGE };
        Ok(Server { listener, addr, times, shared: Arc::new(shared) })
    }

    /// The address it is bound to, with the real port.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until `shutdown` is ready; then takes no more connections, lets statements in flight finish for `grace`, and
    /// cuts off the rest.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send, grace: Duration) -> Result<()> {
        let Server { listener, addr, times, shared } = self;
        tracing::info!(%addr, encrypted = shared.tls.is_some(), "postgres server listens");
        let (entrance, mut tasks) = (Entrance::new(listener), JoinSet::new());
        tokio::select! {
            () = accept(&entrance, &shared, times, &mut tasks) => {}
            () = shutdown => {}
        }
        drop(entrance);
        shared.stopping.cancel();
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, ended).await.is_err() {
            tracing::warn!(grace_seconds = grace.as_secs(), "statements in flight were cut off at shutdown");
            tasks.shutdown().await;
        }
        Ok(())
    }
}

/// Those at the entrance log in, or only cancel a query, or are being told that there is no room.
async fn accept(entrance: &Entrance, shared: &Arc<Shared>, times: Times, tasks: &mut JoinSet<()>) {
    loop {
        // Those that have ended need no place any more.
        while tasks.try_join_next().is_some() {}
        let (socket, place) = entrance.next().await;
        let shared = Arc::clone(shared);
        tasks.spawn(async move {
            if let Err(error) = serve(socket, &shared, place, times).await {
                tracing::debug!(%error, "a PostgreSQL connection broke");
            }
        });
    }
}

/// Serves one connection, which has `place` until it is logged in. Whatever ends it drops what it was doing, and that stops
/// its query.
async fn serve(socket: TcpStream, shared: &Arc<Shared>, place: OwnedSemaphorePermit, times: Times) -> io::Result<()> {
    // The conversation does not read the socket while a query runs: a second handle notices when the client goes.
    let socket = socket.into_std()?;
    alive::watch(&socket, shared.engine.longest())?;
    let watched = TcpStream::from_std(socket.try_clone()?)?;
    let socket = TcpStream::from_std(socket)?;
    let session = Arc::new(Session::new(shared, place));
    let stopped = async {
        shared.stopping.cancelled().await;
        session.idle().await;
    };
    let told = async {
        session.ended().await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    let late = async {
        tokio::time::sleep(times.start_up).await;
        if session.principal.get().is_some() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = talk(socket, &session, times.message) => served,
        gone = gone(&watched) => gone,
        () = stopped => Ok(()),
        () = told => Ok(()),
        () = late => {
            tracing::info!(from = ?watched.peer_addr().ok(), "a PostgreSQL client did not log in in time");
            Ok(())
        }
    }
}

/// Ready when the other side has closed the connection. What it sent before is left for whoever reads.
async fn gone(socket: &TcpStream) -> io::Result<()> {
    loop {
        if socket.ready(Interest::READABLE).await?.is_read_closed() {
            return Ok(());
        }
        // Unread bytes keep the socket ready.
        tokio::time::sleep(LOOK).await;
    }
}
