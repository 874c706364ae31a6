//! Finished results, for whoever asks the same of the same tables again. Nothing is ever invalidated: the versions of the tables
//! that were read are in the key ([`key`]), so an old answer is not found any more and ages out.
//!
//! Two things are kept under one bound, `engine.result_cache_mb`, the least recently used of them going first: which tables a
//! question reads (so that a hit needs no planning), and the rows. What is kept is memory beside the pool of
//! `engine.memory_mb`. In doubt a result is not kept ([`steady`]).
//!
//! Who asks what somebody of the same class runs already waits for that answer ([`look`]). It must not run queries.

mod filling;
mod key;
pub mod lru;
mod steady;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::calls::Calls;
use super::options::QueryOptions;
use super::rows::Read;
use super::snapshot::Snapshot;
use super::{Inner, pins};
use crate::access::{Class, Scope};
use key::Key;
use lru::Lru;

pub use filling::Filling;
pub use steady::{is_steady, steady};

/// So much of the cache one result may take.
const PART: usize = 8;

/// What the cache has done since the engine was opened, and what it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheFigures {
    /// Queries that were answered from the cache.
    pub hits: u64,
    /// Queries that could have been, and had to run.
    pub misses: u64,
    /// Bytes of what is kept.
    pub bytes: usize,
}

/// The results of one engine.
pub struct Cache {
    /// Bytes; 0 = nothing is kept.
    most: usize,
    state: Mutex<State>,
    hits: AtomicU64,
    misses: AtomicU64,
}

struct State {
    kept: Lru<Kept>,
    /// Who runs now, and what tells that others need not wait any more.
    flights: HashMap<FlightKey, CancellationToken>,
}

#[derive(Clone)]
enum Kept {
    /// The tables that a question reads. They stay the same while the views do. None: its answer is never kept.
    Reads(Arc<[String]>),
    Answer(Arc<Answer>),
    /// An answer that is more than its part of the cache.
    TooLarge,
}

/// A question, the state it is asked of, and the class: people do not wait for a batch job's turn.
type FlightKey = (Key, String, Class);

/// A whole result.
#[derive(Debug)]
pub struct Answer {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    versions: BTreeMap<String, i64>,
}

impl Answer {
    /// What it was read from: the same versions as in `snapshot`, which has another id if other tables have moved.
    pub fn read(&self, snapshot: &Snapshot) -> Read {
        let (schema, versions) = (Arc::clone(&self.schema), self.versions.clone());
        Read { schema, snapshot: snapshot.id.clone(), versions, answers: Vec::new(), cached: true }
    }

    pub fn stream(&self) -> SendableRecordBatchStream {
        let batches = self.batches.clone().into_iter().map(Ok::<_, DataFusionError>);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(batches)))
    }
}

/// One who runs while others wait; dropping it ends their waiting, whatever became of it.
struct Flight {
    cache: Arc<Cache>,
    key: FlightKey,
    ended: CancellationToken,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.cache.state().flights.remove(&self.key);
        self.ended.cancel();
    }
}

/// A query that runs, and whose answer is kept if it can be.
pub struct Lead {
    cache: Arc<Cache>,
    asked: Key,
    flight: Option<Flight>,
}

impl Lead {
    /// Collects the answer; `None` if it is not to be kept. `versions`: of what it reads in `snapshot`; `steady`: that, and
    /// nothing else, decides it.
    pub fn fill(self, snapshot: &Snapshot, versions: &BTreeMap<String, i64>, steady: bool) -> Option<Filling> {
        let question = key::under(&self.asked, snapshot.meaning());
        let all_known = versions.iter().all(|(table, version)| snapshot.versions.get(table) == Some(version));
        let keeps = steady && all_known && !versions.is_empty();
        let tables: Arc<[String]> = versions.keys().filter(|_| keeps).cloned().collect();
        let bytes = tables.iter().map(|table| size_of::<String>() + table.len()).sum();
        self.cache.state().kept.insert(question, Kept::Reads(tables), bytes);
        if !keeps {
            return None;
        }
        self.cache.misses.fetch_add(1, Ordering::Relaxed);
        let key = key::answer(&question, versions);
        Some(Filling::new(self, key, versions.clone()))
    }
}

/// What becomes of a query.
pub enum Found {
    /// It is answered, in this state.
    Answer(Arc<Answer>, Arc<Snapshot>),
    /// It runs, and may have to lead.
    Run(Option<Lead>),
}

enum Known {
    Answer(Arc<Answer>),
    /// It is never kept.
    NotKept,
    /// It would be, if there were less of it.
    TooLarge,
    /// Nobody runs it: the asker does.
    Lead(Flight),
    /// Somebody runs it.
    Led(CancellationToken),
}

impl Cache {
    /// `megabytes`: MiB; 0 = off.
    pub fn new(megabytes: u64) -> Cache {
        let most = usize::try_from(megabytes).unwrap_or(usize::MAX >> 20).saturating_mul(1 << 20);
        Cache::of(most)
    }

    fn of(most: usize) -> Cache {
        let state = State { kept: Lru::new(most), flights: HashMap::new() };
        Cache { most, state: Mutex::new(state), hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    pub fn figures(&self) -> CacheFigures {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheFigures { hits: count(&self.hits), misses: count(&self.misses), bytes: self.state().kept.bytes() }
    }

    /// What is asked; `None` where no answer can be kept.
    pub fn question(&self, sql: &str, options: &QueryOptions, calls: &Calls, scope: &Scope) -> Option<Key> {
        if self.most == 0 {
            return None;
        }
        key::question(sql, options, calls, scope)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, key: Key, kept: Kept, bytes: usize) {
        self.state().kept.insert(key, kept, bytes);
    }

    /// One step: an answer is kept before its flight ends, so nobody finds neither.
    fn find(self: &Arc<Cache>, question: Key, snapshot: &Snapshot, class: Class) -> Known {
        let mut state = self.state();
        if let Some(Kept::Reads(tables)) = state.kept.get(&question).cloned() {
            if tables.is_empty() {
                return Known::NotKept;
            }
            let versions = tables.iter().filter_map(|table| snapshot.versions.get_key_value(table));
            match state.kept.get(&key::answer(&question, versions)) {
                Some(Kept::Answer(answer)) => return Known::Answer(Arc::clone(answer)),
                Some(Kept::TooLarge) => return Known::TooLarge,
                Some(Kept::Reads(_)) | None => {}
            }
        }
        let key = (question, snapshot.id.clone(), class);
        if let Some(ended) = state.flights.get(&key) {
            return Known::Led(ended.clone());
        }
        let ended = CancellationToken::new();
        state.flights.insert(key.clone(), ended.clone());
        Known::Lead(Flight { cache: Arc::clone(self), key, ended })
    }
}

/// The answer to `asked`, or leave to run. Equal queries at once run once: one leads, the others wait without taking a turn and
/// then find the answer. When the leader fails or is dropped, one of them leads. They wait
///
/// - while the leader works. As soon as it waits for its reader, its result turns out to be too large, or planning shows that
///   the answer is not kept, they go on without it: none depends on how another client reads;
/// - until `until`, which leaves them the time to run it themselves: a leader that hangs costs them half of theirs.
pub(super) async fn look(
    inner: &Inner,
    asked: Option<Key>,
    options: &QueryOptions,
    class: Class,
    until: Instant,
) -> Found {
    let Some(asked) = asked else { return Found::Run(None) };
    let cache = &inner.cache;
    let run = |flight| Found::Run(Some(Lead { cache: Arc::clone(cache), asked, flight }));
    if options.fresh {
        return run(None);
    }
    loop {
        // Anew each time: while somebody else ran, the lake may have gone on.
        let Some(snapshot) = pins::at_hand(inner, options.at.as_ref()) else { return run(None) };
        match cache.find(key::under(&asked, snapshot.meaning()), &snapshot, class) {
            Known::Answer(answer) => {
                cache.hits.fetch_add(1, Ordering::Relaxed);
                return Found::Answer(answer, snapshot);
            }
            Known::NotKept => return Found::Run(None),
            Known::TooLarge => {
                cache.misses.fetch_add(1, Ordering::Relaxed);
                return Found::Run(None);
            }
            Known::Lead(flight) => return run(Some(flight)),
            Known::Led(ended) => {
                if timeout_at(until, ended.cancelled()).await.is_err() {
                    return run(None);
                }
            }
        }
    }
}
