//! What landing asks the audit again and again: has this file landed, which columns had the files before it, has the
//! definition changed since? The files of `ingest_file` never change, so each is read once in a process, for all sources
//! and all questions; of its rows only what answers them is kept (of a push, about 70 bytes for a month, then 20).
//! It must not write, nor know of files that have not landed.

mod facts;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex as SyncMutex, MutexGuard, PoisonError};

use futures::{FutureExt, StreamExt, stream};
use tokio::sync::Mutex;

use crate::error::{Error, Result};
use crate::lake::{DataFile, Lake, TableState};
use crate::model::INGEST_FILE;
pub(crate) use facts::PushFact;
use facts::{Facts, FileFact, SourceFacts, content, hash};

/// Files that are read at once: on an object store the time is that of the requests.
const READS: usize = 16;
/// How long the keys of pushes are remembered. One that comes again later lands as duplicates, which changes nothing.
const REMEMBERED: i64 = 31 * DAY;
const DAY: i64 = 86_400 * 1_000_000;

const COLUMNS: &[&str] = &[
    "source_file_id",
    "source",
    "file_uri",
    "content_sha256",
    "started_at",
    "finished_at",
    "status",
    "definition_hash",
    "version_tag",
    "columns",
];

/// Shared by all that land into one lake in this process.
#[derive(Default)]
pub(crate) struct Ledger {
    /// What has been read; whoever looks holds it.
    read: Mutex<Read>,
    facts: SyncMutex<Facts>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ledger")
    }
}

#[derive(Default)]
struct Read {
    /// Path → the number of the file.
    files: HashMap<String, u32>,
    next: u32,
    state: Option<Arc<TableState>>,
}

impl Ledger {
    /// Takes in what has landed since the last look, also by other processes. `now`: µs since 1970.
    pub async fn look(&self, lake: &Lake, now: i64) -> Result<()> {
        let mut read = self.read.lock().await;
        let state = lake.state(&INGEST_FILE).await?;
        if read.state.as_ref().is_some_and(|s| s.version == state.version) {
            return Ok(());
        }
        // Rewritten files are gone, and their rows are in others, which are new to us.
        let there: HashSet<&str> = state.files.iter().map(|f| f.path.as_str()).collect();
        read.files.retain(|path, _| there.contains(path.as_str()));
        let new: Vec<Arc<DataFile>> =
            state.files.iter().filter(|f| !read.files.contains_key(&f.path)).cloned().collect();
        let one = |file: Arc<DataFile>| {
            let (lake, state) = (lake.clone(), state.clone());
            async move { Ok::<_, Error>((file.path.clone(), lake.read(&state, &file, Some(COLUMNS)).await?)) }.boxed()
        };
        let reads: Vec<_> = new.into_iter().map(one).collect();
        let mut reads = stream::iter(reads).buffered(READS);
        while let Some(file) = reads.next().await {
            let (path, batches) = file?;
            let number = read.next;
            let mut facts = self.facts();
            batches.iter().try_for_each(|batch| facts.take(batch, number, now - REMEMBERED))?;
            read.next += 1;
            read.files.insert(path, number);
        }
        self.facts().drop_pushes(now);
        read.state = Some(state);
        Ok(())
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of<T: Default>(&self, source: &str, ask: impl FnOnce(&SourceFacts) -> T) -> T {
        self.facts().sources.get(source).map(ask).unwrap_or_default()
    }

    /// Whether a file of `source` with these bytes, an archive among them, has landed. What was pushed and comes as a file
    /// lands as duplicates, which changes nothing.
    pub fn has_landed(&self, source: &str, sha256: &str) -> bool {
        self.of(source, |s| s.landed.contains(&content(sha256)))
    }

    /// The id of a file on an object store that has landed in this version.
    pub fn version(&self, source: &str, uri: &str, tag: &str) -> Option<String> {
        self.of(source, |s| s.versions.get(&(uri.to_string(), tag.to_string())).cloned())
    }

    /// What the files of `source` said of their columns, each once, in the order in which they said it last.
    pub fn columns(&self, source: &str) -> Vec<String> {
        let mut said = self.of(source, |s| s.columns.iter().map(|(text, at)| (*at, text.clone())).collect::<Vec<_>>());
        said.sort();
        said.into_iter().map(|(_, text)| text).collect()
    }

    /// How many files of `source` were mapped last by another definition than `today`.
    pub fn outdated(&self, source: &str, today: &str) -> u64 {
        let other = |f: &&FileFact| f.landed && f.definition.as_ref().is_some_and(|d| d.as_ref() != today);
        self.of(source, |s| s.files.values().filter(other).count() as u64)
    }

    /// The push called `uri`, if it has landed lately.
    pub fn push(&self, uri: &str) -> Option<PushFact> {
        self.facts().pushes.get(&hash(uri)).copied()
    }

    /// The files of the audit that have the rows of `pushes`, as of the last look.
    pub async fn files_of(&self, pushes: &[PushFact]) -> Option<(Arc<TableState>, Vec<Arc<DataFile>>)> {
        let read = self.read.lock().await;
        let state = read.state.clone()?;
        let wanted: HashSet<u32> = pushes.iter().map(|p| p.file).collect();
        let has = |file: &&Arc<DataFile>| read.files.get(&file.path).is_some_and(|n| wanted.contains(n));
        let files = state.files.iter().filter(has).cloned().collect();
        Some((state, files))
    }
}
