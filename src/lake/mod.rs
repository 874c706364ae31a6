//! The lake: Delta tables on object storage, one per contract of [`crate::model`], in folders of one root; and derived ones,
//! whose contracts the engine makes ([`Lake::derived`]).
//!
//! This is the only module that names `deltalake_core`. It knows tables, files, statistics and commits; it must know
//! nothing of SQL, reports or HTTP. Three rules hold everywhere:
//!
//! - a commit lands on exactly the version that it was computed from, or not at all ([`Commit::Moved`]);
//! - data files are written by us with exact statistics, and are never changed, only replaced;
//! - what our scan cannot read (deletion vectors, column mapping, unknown reader features) is refused by name.

mod azure;
mod bloom;
mod commit;
mod compact;
mod derived;
mod doctor;
mod errors;
mod folder;
mod heads;
mod history;
mod keep;
mod keys;
mod properties;
mod read;
mod remote;
mod slot;
mod staged;
mod state;
mod stats;
mod store;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod unit;
mod upkeep;
mod vacuum;
mod write;

use futures::FutureExt;
use futures::stream::BoxStream;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use arrow::record_batch::RecordBatch;
use chrono::{DateTime, Utc};
use object_store::ObjectStore;
use url::Url;

use crate::config::LakeConfig;
use crate::error::{Error, Result};
use crate::model::{TABLES, Table, TableKind};

pub use commit::{Change, Commit, Prepared};
pub use compact::{Compacted, Compaction, Outcome};
pub use doctor::{Checkup, Examination, Examined, Finding, Partition, Status};
pub use folder::{Entry, Folder, Place};
pub use heads::{CutOff, Head, UnfinishedFile};
pub use history::{CommitSeen, HistoryEntry};
pub use keys::Perhaps;
pub use properties::{Properties, Today};
pub use state::{DataFile, TableState};
pub use stats::{ColumnStats, Stat};
pub use unit::Unit;
pub use vacuum::{Leftover, Vacuumed};
pub use write::Kept;

use bloom::Blooms;
use derived::Derived;
use heads::Heads;
use slot::Slot;
use store::Root;

/// Where the libraries below log, as errors and warnings, what the lake handles or returns itself: commits that came second,
/// tables that do not open.
pub const TOLD: &[&str] = &[
    "deltalake_core::kernel::transaction",
    "buoyant_kernel::snapshot",
    "buoyant_kernel::log_segment",
    "buoyant_kernel::last_checkpoint_hint",
];

/// A lake. Clones share one set of table states and caches.
#[derive(Clone)]
pub struct Lake {
    inner: Arc<Inner>,
}

struct Inner {
    root: Root,
    properties: Properties,
    slots: BTreeMap<&'static str, Arc<Slot>>,
    derived: Derived,
    heads: Heads,
    blooms: Blooms,
    /// Batches of this process that have noted what they commit: see [`Lake::intend`].
    noted: Mutex<HashSet<String>>,
}

impl std::fmt::Debug for Lake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lake({})", self.url())
    }
}

impl Lake {
    /// Opens the lake at `cfg.url`: a path (relative ones start at the working directory; the folder is created),
    /// `file://…`, `memory://` (a new, empty lake, shared by clones), or an object store's (`s3://`, `az://`, `gs://`).
    ///
    /// Its properties and tables are written by the first commit, and the properties never change after; where `cfg` says
    /// something else, the stored ones hold (compare with [`Properties::from_config`]).
    ///
    /// # Errors
    /// `Invalid`: an unknown URL scheme, currency, zone or `today`. `Unavailable`: the storage does not answer.
    pub async fn open(cfg: &LakeConfig) -> Result<Lake> {
        let configured = Properties::from_config(cfg)?;
        Lake::with_root(store::open(&cfg.url, &cfg.storage)?, configured).boxed().await
    }

    /// Whether the lake of `cfg` is a local folder that is not there: [`Lake::open`] would create it.
    pub fn is_missing(cfg: &LakeConfig) -> Result<bool> {
        store::is_missing(&cfg.url)
    }

    async fn with_root(root: Root, configured: Properties) -> Result<Lake> {
        let properties = properties::load(&root).await?.unwrap_or(configured);
        let mut slots = BTreeMap::new();
        for table in TABLES {
            slots.insert(table.name, Arc::new(Slot::new(&root, table)?));
        }
        let heads = Heads::new(root.store.clone(), &root.prefix);
        let (derived, blooms, noted) = (Derived::default(), Blooms::default(), Mutex::default());
        Ok(Lake { inner: Arc::new(Inner { root, properties, slots, derived, heads, blooms, noted }) })
    }

    /// What was fixed when the lake was created.
    pub fn properties(&self) -> &Properties {
        &self.inner.properties
    }

    /// Landing converts amounts and dates by the lake's properties: where `cfg` asks for others, someone is about to fill
    /// the wrong lake.
    ///
    /// # Errors
    /// `Conflict`: `cfg` names properties, and not those of this lake.
    pub fn keeps_its_properties(&self, cfg: &LakeConfig) -> Result<()> {
        let (has, wants) = (self.properties(), Properties::from_config(cfg)?);
        if *has == wants || wants == Properties::from_config(&LakeConfig::default())? {
            return Ok(());
        }
        Err(Error::conflict(format!("the lake at {} has {has}; the configuration asks for {wants}", self.url())).hint(
            "properties are fixed when a lake is created: change [lake] in the configuration, or use another lake.url",
        ))
    }

    /// Where the lake is, for messages.
    pub fn url(&self) -> &str {
        self.inner.root.lake.as_str()
    }

    /// The store below [`Lake::store_url`]; [`DataFile::location`] is a path in it.
    pub fn object_store(&self) -> Arc<dyn ObjectStore> {
        self.inner.root.store.clone()
    }

    /// The root of the store: `file:///`, or an own host for every `memory://` lake, so that caches keyed by URL and
    /// path never mix two lakes.
    pub fn store_url(&self) -> &Url {
        &self.inner.root.store_url
    }

    /// Where `table` is; any Delta reader can open this URL (not that of a `memory://` lake).
    pub fn table_url(&self, table: &'static Table) -> Result<Url> {
        Ok(self.slot(table)?.url().clone())
    }

    /// The newest state of `table`: one small request when nothing changed, an incremental update otherwise. Callers
    /// that wait for one another share a look that began after they asked. A table never written has version -1.
    ///
    /// # Errors
    /// `Invalid`: the table needs what this engine does not do, or does not fit its contract.
    pub async fn state(&self, table: &'static Table) -> Result<Arc<TableState>> {
        self.slot(table)?.newest().boxed().await
    }

    /// What readers see: every table as the newest head has it, in the order of [`TABLES`]. One small request when
    /// nothing changed. (In a lake without heads, which others have written, the newest state of each table.)
    pub async fn states(&self) -> Result<Vec<Arc<TableState>>> {
        match self.head().await? {
            Some(head) => self.states_at(&head.tables).await,
            // All end before an error is returned: reads that nobody waits for any more may outlive the runtime, and panic.
            None => {
                let states = futures::future::join_all(TABLES.iter().map(|t| self.state(t))).await;
                states.into_iter().collect()
            }
        }
    }

    /// Every table at its version in `versions`; one that is not named was never written. For versions that lately
    /// were the newest: older ones may have lost their log or their files.
    pub async fn states_at(&self, versions: &BTreeMap<String, i64>) -> Result<Vec<Arc<TableState>>> {
        let at = |table: &&'static Table| {
            let slot = self.slot(table);
            let version = versions.get(table.name).copied().unwrap_or(-1);
            async move {
                let slot = slot?;
                slot.at(version).boxed().await
            }
        };
        let states = futures::future::join_all(TABLES.iter().map(at)).await;
        states.into_iter().collect()
    }

    /// What was the newest head at `at`, by the store's clock.
    ///
    /// # Errors
    /// `Unavailable`: that is not kept any more, or the lake was not there yet.
    pub async fn head_at(&self, at: DateTime<Utc>) -> Result<Head> {
        self.inner.heads.at(at).boxed().await?.ok_or_else(|| {
            Error::unavailable(format!("what the lake held at {at} cannot be told any more, or it held nothing yet"))
                .hint("its states are kept for as long as vacuum leaves them: `saleslake lake history order_line` lists commits")
        })
    }

    /// The newest head; `None` where no batch has begun, or tables were there before.
    pub async fn head(&self) -> Result<Option<Arc<Head>>> {
        self.inner.heads.newest().boxed().await
    }

    /// Puts a head for commits that no head shows yet: those of a writer that died after its last commit, or of another
    /// program. What is still at work stays out.
    pub async fn catch_up(&self) -> Result<()> {
        unit::catch_up(self).boxed().await
    }

    /// Announces a batch before its first commit: none of its commits shows before [`Unit::publish`].
    pub async fn begin(&self, batch_id: &str) -> Result<Unit> {
        Unit::begin(self, batch_id, Vec::new()).boxed().await
    }

    /// As [`Lake::begin`], for a batch that lands these files: should it be cut off, [`Lake::cut_off`] names them.
    pub async fn begin_landing(&self, batch_id: &str, files: Vec<UnfinishedFile>) -> Result<Unit> {
        Unit::begin(self, batch_id, files).boxed().await
    }

    /// The batches that were cut off while they landed files, as far as this process has seen; it looks when it begins to
    /// land, once a minute at most.
    pub fn cut_off(&self) -> Vec<CutOff> {
        self.inner.heads.cut_off()
    }

    /// The batches that are at work now, of whatever process, with the files that they land.
    pub async fn at_work(&self) -> Result<Vec<CutOff>> {
        self.inner.heads.at_work().boxed().await
    }

    /// Looks for them, unless that was done lately.
    pub async fn look_for_cut_off(&self) -> Result<()> {
        unit::look_for_cut_off(self, None).boxed().await
    }

    /// The files with these ids (`source_file_id`) have their accounts: batches that were cut off need not name them.
    pub async fn settle(&self, ids: &HashSet<&str>) -> Result<()> {
        self.inner.heads.settle(ids, false).boxed().await
    }

    /// As [`Lake::settle`], of replays that were cut off.
    pub async fn settle_replay(&self, ids: &HashSet<&str>) -> Result<()> {
        self.inner.heads.settle(ids, true).boxed().await
    }

    /// Puts `change` on `base` in one atomic commit: its rows are sorted, split by month and written as data files, and
    /// the files in `change.remove` leave the table. The first commit of a table creates it.
    ///
    /// [`Commit::Moved`]: somebody committed after `base`; nothing of ours is in the table. Read
    /// [`Lake::commits_since`] (a commit of the same batch whose acknowledgement got lost shows there), compute anew.
    ///
    /// # Errors
    /// `Unavailable`: the storage failed. It may have failed *after* the commit was durable and even the look for it
    /// may have failed: only [`Lake::commits_since`] tells. Other kinds: nothing landed.
    pub async fn commit(&self, base: &TableState, change: Change<'_>) -> Result<Commit> {
        match self.prepare(base, change).await? {
            Some(prepared) => self.commit_prepared(base, prepared).await,
            None => Ok(Commit::Moved),
        }
    }

    /// Does what is large and may fail of a commit on `base`: writes its data files. `None`: somebody committed after
    /// `base`. So a batch can have all that it needs in place before it commits to the first of its tables.
    pub async fn prepare(&self, base: &TableState, change: Change<'_>) -> Result<Option<Prepared>> {
        if !base.exists() {
            properties::establish(&self.inner.root, &self.inner.properties).boxed().await?;
        }
        commit::prepare(self.slot(base.table)?.as_ref(), &self.inner.root, base, change).boxed().await
    }

    /// The rest of [`Lake::commit`], on the same `base`.
    pub async fn commit_prepared(&self, base: &TableState, prepared: Prepared) -> Result<Commit> {
        commit::commit(self.slot(base.table)?.as_ref(), &self.inner.root, base, prepared).boxed().await
    }

    /// Removes the files of a change that will not be committed, as far as that is possible.
    pub async fn discard(&self, base: &TableState, prepared: Prepared) -> Result<()> {
        commit::discard(self.slot(base.table)?.as_ref(), &self.inner.root, prepared).boxed().await;
        Ok(())
    }

    /// Notes what `batch_id` is about to commit to several tables, each on its base: should this process die between two of
    /// the commits, whoever ends a batch next makes the others. A single commit needs no note, unless an attempt before has
    /// left one. After the last one: [`Lake::intended`].
    pub async fn intend(&self, batch_id: &str, commits: &[(&TableState, &Prepared)]) -> Result<()> {
        unit::intent::note(self, batch_id, commits).boxed().await
    }

    /// All that `batch_id` intended is committed: takes its note away, if there is one.
    pub async fn intended(&self, batch_id: &str) -> Result<()> {
        unit::intent::done(self, batch_id).boxed().await
    }

    /// The rows of one data file: the given columns (all if `None`) in the contract's order, `business_month` last.
    /// Columns that the file does not have are NULL.
    pub async fn read(
        &self,
        state: &TableState,
        file: &DataFile,
        columns: Option<&[&str]>,
    ) -> Result<Vec<RecordBatch>> {
        read::read(&self.inner.root.store, state.table, file, columns).boxed().await
    }

    /// As [`Lake::read`], batch by batch: one of a large file is in memory.
    pub async fn batches(
        &self,
        state: &TableState,
        file: &DataFile,
        columns: Option<&[&str]>,
    ) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        let opened = read::open(&self.inner.root.store, state.table, file, columns).boxed().await?;
        Ok(opened.batches)
    }

    /// Which of `keys` (values of `row_key`) the files of `state` may hold, for many keys at a time: one filter over all files
    /// is asked, for which each file's keys are read once. It is wrong about an absent key once in a hundred; a key that is
    /// left out is in no file but the `uncovered` ones.
    pub async fn perhaps_in(&self, state: &TableState, keys: Vec<[u8; 16]>) -> Result<Perhaps> {
        self.slot(state.table)?.keys.perhaps_in(&self.inner.root, state, keys).boxed().await
    }

    /// Whether `file` may hold one of `keys` (values of `row_key`), by its bloom filters; `true` when it has none. A
    /// filter is wrong about an absent key once in a million. Filters are cached; `false` is always right.
    pub async fn may_hold(&self, file: &DataFile, keys: &[[u8; 16]]) -> Result<bool> {
        self.inner.blooms.may_hold(&self.inner.root.store, file, keys).await
    }

    /// The newest `limit` commits of `table`, newest first, as far back as its log goes.
    pub async fn history(&self, table: &'static Table, limit: usize) -> Result<Vec<HistoryEntry>> {
        let newest = self.state(table).await?;
        self.slot(table)?.history(newest.version, limit).boxed().await
    }

    /// The commits after `version` (-1 = all), oldest first.
    ///
    /// # Errors
    /// `Conflict`: the log no longer holds them all (it was cleaned up): compute anew from the newest state.
    pub async fn commits_since(&self, table: &'static Table, version: i64) -> Result<Vec<CommitSeen>> {
        let newest = self.state(table).await?;
        self.slot(table)?.commits(version, newest.version).await
    }

    fn slot(&self, table: &'static Table) -> Result<Arc<Slot>> {
        if table.kind == TableKind::Derived {
            return self.inner.derived.slot(&self.inner.root, table);
        }
        self.inner
            .slots
            .get(table.name)
            .cloned()
            .ok_or_else(|| Error::internal(format!("table {} is not one of the lake's", table.name)))
    }
}
