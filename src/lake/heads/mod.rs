//! Heads: what makes a batch over several tables visible at once. `_heads/{n}.json` names one version of every table;
//! what readers see is the newest head. Delta readers of single tables need not know.
//!
//! ```text
//! begin: marker ─ commits to tables ─ publish: drop marker ─ newest versions ─ whose markers are there? ─ cut ─ put head n+1
//! ```
//!
//! A head never shows a part of a batch: while a batch has its marker, versions from its first commit on stay out, and
//! with them whatever else those versions hold parts of ([`cut`]). A writer that died leaves its marker behind; it counts
//! until its lease is over ([`lease`]), then its rows are shown as far as they came, and landing the same file again
//! completes them. Whoever ends a batch takes such markers away; what they were landing stays noted ([`unfinished`]). It
//! must not know what a table holds.

mod cut;
mod lease;
mod old;
mod unfinished;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex as SyncMutex};
use std::time::Duration;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::errors;
use crate::error::{Error, Result};

pub(super) use cut::{Since, cut};
pub(super) use lease::Lease;
pub(super) use old::Marker;
pub use unfinished::{CutOff, UnfinishedFile};

/// Heads that stay for readers that are behind; older ones are removed as new ones are put.
const KEEP: u64 = 1000;
/// How long asking for the next head is trusted. [`KEEP`] heads must not be put in that time.
const LIST: Duration = Duration::from_secs(10);
/// More heads than this behind, and listing is cheaper than asking for one after the other.
const STEPS: u64 = 16;

/// One state of all tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// 1, 2, 3 …; 0 is that of a lake before its first batch.
    #[serde(skip)]
    pub number: u64,
    /// The batch that put it.
    pub batch_id: String,
    /// Delta version by table; a table that is not named was never written.
    pub tables: BTreeMap<String, i64>,
}

impl Head {
    /// The version of `table`; -1 = never written.
    pub fn version(&self, table: &str) -> i64 {
        self.tables.get(table).copied().unwrap_or(-1)
    }
}

/// The heads of one lake.
pub(super) struct Heads {
    store: Arc<dyn ObjectStore>,
    folder: Path,
    newest: Mutex<Newest>,
    unfinished: SyncMutex<unfinished::CutOffs>,
}

#[derive(Default)]
struct Newest {
    head: Option<Arc<Head>>,
    /// When all heads were listed last.
    listed: Option<Instant>,
}

impl Heads {
    pub fn new(store: Arc<dyn ObjectStore>, lake: &Path) -> Heads {
        Heads { store, folder: lake.clone().join("_heads"), newest: Mutex::default(), unfinished: SyncMutex::default() }
    }

    fn path(&self, number: u64) -> Path {
        self.folder.clone().join(format!("{number:020}.json"))
    }

    /// Whether a head has been seen before; asks nobody.
    pub async fn is_known(&self) -> bool {
        self.newest.lock().await.head.is_some()
    }

    /// The newest head: one small request when there is no newer one. `None`: the tables were written without any.
    pub async fn newest(&self) -> Result<Option<Arc<Head>>> {
        let mut newest = self.newest.lock().await;
        let mut found = newest.head.clone();
        // The next one after ours may have been removed already: then only a list shows that there are newer ones.
        if found.is_none() || newest.listed.is_none_or(|at| at.elapsed() > LIST) {
            found = self.listed().await?;
            newest.listed = Some(Instant::now());
        }
        for step in 0.. {
            let Some(head) = &found else { break };
            if step == STEPS {
                found = self.listed().await?;
                continue;
            }
            match self.read(head.number + 1).await? {
                Some(next) => found = Some(Arc::new(next)),
                None => break,
            }
        }
        newest.head.clone_from(&found);
        Ok(found)
    }

    async fn listed(&self) -> Result<Option<Arc<Head>>> {
        let fail = |e| errors::store(e, format!("listing {}", self.folder));
        let listed = self.store.list_with_delimiter(Some(&self.folder)).await.map_err(fail)?;
        match listed.objects.iter().filter_map(|o| number(&o.location)).max() {
            None => Ok(None),
            Some(number) => Ok(self.read(number).await?.map(Arc::new)),
        }
    }

    async fn read(&self, number: u64) -> Result<Option<Head>> {
        let path = self.path(number);
        let bytes = match self.store.get(&path).await {
            Ok(found) => found.bytes().await.map_err(|e| errors::store(e, &path))?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(e) => return Err(errors::store(e, &path)),
        };
        let head: Head = serde_json::from_slice(&bytes).map_err(|e| {
            Error::unavailable(format!("{path} is no head: {e}")).hint("`saleslake lake doctor` says more")
        })?;
        Ok(Some(Head { number, ..head }))
    }

    /// Puts `head` behind the newest one that is known; false where there are newer ones: its number is taken, or the head
    /// before it is gone. Vacuum removes heads long after they have had successors, so whoever slept that long finds the
    /// numbers behind the one it knows free again.
    pub async fn put(&self, head: Head) -> Result<bool> {
        let path = self.path(head.number);
        let json = serde_json::to_vec(&head).map_err(|e| Error::internal(format!("{path}: {e}")))?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.store.put_opts(&path, json.into(), options).await {
            Ok(_) => {}
            // Also after a put of ours that was retried: then what is there is ours.
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                return Ok(self.read(head.number).await?.as_ref() == Some(&head));
            }
            Err(e) => return Err(errors::store(e, &path)),
        }
        if head.number > 1 && !self.is_there(head.number - 1).await? {
            *self.newest.lock().await = Newest::default();
            self.store.delete(&path).await.map_err(|e| errors::store(e, &path))?;
            return Ok(false);
        }
        if let Some(old) = head.number.checked_sub(KEEP) {
            // Best effort: one more small object does no harm.
            let _ = self.store.delete(&self.path(old)).await;
        }
        self.newest.lock().await.head = Some(Arc::new(head));
        Ok(true)
    }

    async fn is_there(&self, number: u64) -> Result<bool> {
        let path = self.path(number);
        match self.store.head(&path).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(e) => Err(errors::store(e, &path)),
        }
    }

    /// Announces that `batch_id` is about to commit rows of `files`.
    pub async fn begin(&self, batch_id: &str, files: Vec<UnfinishedFile>) -> Result<Lease> {
        let marker = self.folder.clone().join("open").join(format!("{batch_id}.json"));
        Lease::take(self.store.clone(), marker, files).await
    }

    /// The batches of other writers that have begun and not ended, as of `own`'s last renewal.
    pub async fn open(&self, own: &Lease) -> Result<Open> {
        let mut open = Open::default();
        for marker in self.markers(own.renewed()).await? {
            if marker.object.location == *own.path() {
                continue;
            }
            if marker.live {
                open.batches.insert(marker.batch_id);
            } else {
                open.dead.push(marker);
            }
        }
        Ok(open)
    }
}

/// Batches that have begun and not ended.
#[derive(Default)]
pub(super) struct Open {
    /// Those at work.
    pub batches: HashSet<String>,
    /// The markers of those whose writers are gone.
    pub dead: Vec<Marker>,
}

/// The number of the head at `path`.
fn number(path: &Path) -> Option<u64> {
    path.filename()?.strip_suffix(".json")?.parse().ok()
}
