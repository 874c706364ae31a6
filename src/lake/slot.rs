//! One table's place in the lake: its log, and the newest state that this process has seen. It must not write.
//!
//! Looks for new commits are shared: whoever waits for a look that began after they asked takes its result.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use deltalake_core::kernel::Action;
use deltalake_core::logstore::{LogStoreRef, StorageConfig, commit_uri_from_version, default_logstore, get_actions};
use deltalake_core::table::state::DeltaTableState;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::errors;
use super::keys::Keys;
use super::state::TableState;
use super::store::Root;
use crate::error::{Error, Result};
use crate::model::{Table, TableKind};

/// How long we trust that our version's own commit file is still there. Log clean-up by others could otherwise hide all
/// newer commits from the cheap look at "our version + 1".
const TRUST: Duration = Duration::from_secs(600);
/// Incremental updates before the state is loaded afresh: each adds a small batch to delta-rs' list of files.
const MAX_UPDATES: u32 = 200;

pub(super) struct Slot {
    pub table: &'static Table,
    pub log: LogStoreRef,
    /// The table's folder as a path in the root store.
    pub prefix: Path,
    held: Mutex<Option<Held>>,
    /// The state that readers were given last, where it is not the newest.
    shown: Mutex<Option<Arc<TableState>>>,
    /// Every state that was handed out: the files of those that somebody still holds must stay.
    given: SyncMutex<Vec<Weak<TableState>>>,
    /// Looks begun so far.
    begun: AtomicU64,
    pub keys: Keys,
}

struct Held {
    state: Arc<TableState>,
    /// The number of the look that found it to be the newest.
    look: u64,
    /// When our version's own commit file was last seen.
    seen: Instant,
    updates: u32,
}

impl Slot {
    pub fn new(root: &Root, table: &'static Table) -> Result<Slot> {
        let url = root
            .lake
            .join(&format!("{}/", table.name))
            .map_err(|e| Error::invalid(format!("{}{}: {e}", root.lake, table.name)))?;
        let prefix = root.prefix.clone().join(table.name);
        let own: Arc<dyn ObjectStore> = Arc::new(PrefixStore::new(root.store.clone(), prefix.clone()));
        let log = default_logstore(own, root.store.clone(), &url, &StorageConfig::default());
        Ok(Slot {
            table,
            log,
            prefix,
            held: Mutex::new(None),
            shown: Mutex::new(None),
            given: SyncMutex::new(Vec::new()),
            begun: AtomicU64::new(0),
            keys: Keys::default(),
        })
    }

    pub fn url(&self) -> &Url {
        self.log.root_url()
    }

    /// The newest state; see [`super::Lake::state`].
    pub async fn newest(&self) -> Result<Arc<TableState>> {
        let asked = self.begun.load(Ordering::SeqCst);
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref().filter(|h| h.look > asked) {
            return Ok(held.state.clone());
        }
        let look = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let next = self.look(held.as_ref(), look).await?;
        let state = next.state.clone();
        *held = Some(next);
        Ok(state)
    }

    /// The state at `version`, which is the newest or lately was.
    pub async fn at(&self, version: i64) -> Result<Arc<TableState>> {
        if version < 0 {
            return Ok(Arc::new(TableState::absent(self.table)));
        }
        let held = self.held.lock().await.as_ref().map(|h| h.state.clone());
        if let Some(state) = held.filter(|s| s.version == version) {
            return Ok(state);
        }
        let mut shown = self.shown.lock().await;
        if let Some(state) = shown.as_ref().filter(|s| s.version == version) {
            return Ok(state.clone());
        }
        let newest = self.newest().await?;
        let state = match newest.version == version {
            true => newest,
            false => self.give(self.travel(version, shown.as_deref()).await?),
        };
        *shown = Some(state.clone());
        Ok(state)
    }

    /// Goes on from `before` where that is older, else starts from the log's checkpoint.
    async fn travel(&self, version: i64, before: Option<&TableState>) -> Result<TableState> {
        let number = u64::try_from(version).map_err(|_| Error::internal(format!("version {version}")))?;
        if let Some((before, delta)) = before.filter(|b| b.version < version).and_then(|b| Some((b, b.delta.clone()?)))
        {
            let mut delta = delta;
            if delta.update(self.log.as_ref(), Some(number)).await.is_ok() {
                return TableState::new(self, delta, Some(before)).map_err(|e| e.context(self.url()));
            }
        }
        let fail = |e| errors::delta(e, format!("opening version {version} of {}", self.url()));
        let delta = DeltaTableState::try_new(self.log.as_ref(), Some(number)).await.map_err(fail)?;
        TableState::new(self, delta, before).map_err(|e| e.context(self.url()))
    }

    /// Takes over the state after our own commit, so that the next look is cheap.
    pub async fn publish(&self, delta: DeltaTableState) {
        let mut held = self.held.lock().await;
        let before = held.as_ref().map(|h| (h.state.clone(), h.look, h.updates));
        let (state, look, updates) = before.unwrap_or_else(|| (Arc::new(TableState::absent(self.table)), 0, 0));
        // A state that we cannot describe is left to the next look, which will say why.
        if let Ok(next) = TableState::new(self, delta, Some(&state))
            && next.version > state.version
        {
            *held = Some(Held { state: self.give(next), look, seen: Instant::now(), updates: updates + 1 });
        }
    }

    async fn look(&self, held: Option<&Held>, look: u64) -> Result<Held> {
        let Some((held, delta)) = held.and_then(|h| Some((h, h.state.delta.as_ref()?))) else {
            return self.load(look).await;
        };
        if !self.has_commit(held.state.version + 1).await? {
            let trusted = held.seen.elapsed() < TRUST;
            if trusted || self.has_commit(held.state.version).await? {
                let seen = if trusted { held.seen } else { Instant::now() };
                return Ok(Held { state: held.state.clone(), look, seen, updates: held.updates });
            }
            return self.load(look).await;
        }
        let mut delta = delta.clone();
        if held.updates >= MAX_UPDATES || delta.update(self.log.as_ref(), None).await.is_err() {
            // An update also fails when the log below us was cleaned up: a load either works or says what is wrong.
            return self.load(look).await;
        }
        let state = TableState::new(self, delta, Some(&held.state)).map_err(|e| e.context(self.url()))?;
        Ok(Held { state: self.give(state), look, seen: Instant::now(), updates: held.updates + 1 })
    }

    async fn load(&self, look: u64) -> Result<Held> {
        let fail = |e| errors::delta(e, format!("opening {}", self.url()));
        let state = if self.log.is_delta_table_location().await.map_err(fail)? {
            let delta = DeltaTableState::try_new(self.log.as_ref(), None).await.map_err(fail)?;
            TableState::new(self, delta, None).map_err(|e| e.context(self.url()))?
        } else {
            TableState::absent(self.table)
        };
        Ok(Held { state: self.give(state), look, seen: Instant::now(), updates: 0 })
    }

    /// Notes who is handed `state`.
    fn give(&self, state: TableState) -> Arc<TableState> {
        let state = Arc::new(state);
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|other| other.strong_count() > 0);
        given.push(Arc::downgrade(&state));
        state
    }

    /// The states that somebody in this process still holds, a running query for example.
    pub fn in_use(&self) -> Vec<Arc<TableState>> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.iter().filter_map(Weak::upgrade).collect()
    }

    /// Whether the log has the commit of `version`.
    pub async fn has_commit(&self, version: i64) -> Result<bool> {
        Ok(self.committed_at(version).await?.is_some())
    }

    /// Whether `base` is of a derived table whose folder somebody has deleted since. A commit on it would begin a log in
    /// its middle; the next look finds that the table is not there.
    pub async fn has_vanished(&self, base: &TableState) -> Result<bool> {
        if self.table.kind != TableKind::Derived || !base.exists() || self.has_commit(base.version).await? {
            return Ok(false);
        }
        *self.held.lock().await = None;
        Ok(true)
    }

    /// When `version` was committed, by the store's clock; `None` if the log does not have it.
    pub async fn committed_at(&self, version: i64) -> Result<Option<DateTime<Utc>>> {
        let Ok(version) = u64::try_from(version) else { return Ok(None) };
        match self.log.object_store(None).head(&commit_uri_from_version(Some(version))).await {
            Ok(found) => Ok(Some(found.last_modified)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(errors::store(e, format!("looking for version {version} of {}", self.url()))),
        }
    }

    /// The actions of one commit; `None` if the log does not have it.
    pub async fn actions(&self, version: i64) -> Result<Option<Vec<Action>>> {
        let Ok(number) = u64::try_from(version) else { return Ok(None) };
        let fail = |e| errors::delta(e, format!("version {version} of {}", self.url()));
        let Some(bytes) = self.log.read_commit_entry(number).await.map_err(fail)? else { return Ok(None) };
        get_actions(number, &bytes).map(Some).map_err(fail)
    }
}
