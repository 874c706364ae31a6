//! Which pushes of a source have landed: read from the audit, each of its files once, since files never change. Kept
//! small (48 bytes a push): what a push came to is read from its file when it is asked for again.
//! It must not know of pushes that have not landed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use xxhash_rust::xxh3::xxh3_128;

use super::PushAccount;
use super::stopped;
use crate::error::{Error, Result};
use crate::ingest::account::FileAccount;
use crate::ingest::audit::LANDED;
use crate::ingest::columns::{instants, longs, texts};
use crate::lake::{DataFile, Lake, TableState};
use crate::model::INGEST_FILE;

/// How long keys are remembered. A push that comes again later than this lands as duplicates, which changes nothing.
const REMEMBERED: i64 = 31 * DAY;
const DAY: i64 = 86_400 * 1_000_000;
/// Files of the audit that are read at once.
const READS: usize = 16;

#[derive(Clone, Copy)]
struct Entry {
    /// The first half of the body's sha256.
    sha256: u128,
    /// When it landed, µs since 1970.
    finished: i64,
    /// The audit's file that has its row.
    file: u32,
}

pub(super) struct Known {
    source: String,
    prefix: String,
    /// By the hash of the uri.
    pushes: HashMap<u128, Entry>,
    /// Files that have been read, and their numbers.
    files: HashMap<String, u32>,
    next: u32,
    state: Option<Arc<TableState>>,
    /// When old entries were last dropped.
    dropped: i64,
}

impl Known {
    pub fn new(source: &str) -> Known {
        Known {
            source: source.into(),
            prefix: format!("push/{source}/"),
            pushes: HashMap::new(),
            files: HashMap::new(),
            next: 0,
            state: None,
            dropped: i64::MIN,
        }
    }

    /// Looks what has landed since the last look, also by other processes.
    pub async fn look(&mut self, lake: &Lake, now: i64) -> Result<()> {
        let state = lake.state(&INGEST_FILE).await?;
        if self.state.as_ref().is_some_and(|s| s.version == state.version) {
            return Ok(());
        }
        // Rewritten files are gone, and their rows are in others, which are new to us.
        let there: HashSet<&str> = state.files.iter().map(|f| f.path.as_str()).collect();
        self.files.retain(|path, _| there.contains(path.as_str()));
        let new: Vec<&Arc<DataFile>> = state.files.iter().filter(|f| !self.files.contains_key(&f.path)).collect();
        const COLUMNS: &[&str] = &["source", "file_uri", "content_sha256", "finished_at", "status"];
        let one = |file: &Arc<DataFile>| {
            let (lake, state, file) = (lake.clone(), state.clone(), file.clone());
            async move { Ok::<_, Error>((file.path.clone(), lake.read(&state, &file, Some(COLUMNS)).await?)) }.boxed()
        };
        let reads: Vec<_> = new.into_iter().map(one).collect();
        let read: Vec<(String, Vec<RecordBatch>)> = stream::iter(reads).buffered(READS).try_collect().await?;
        let oldest = now - REMEMBERED;
        for (path, batches) in read {
            let number = self.next;
            for batch in &batches {
                self.note(batch, number, oldest)?;
            }
            self.next += 1;
            self.files.insert(path, number);
        }
        if now.saturating_sub(self.dropped) > DAY {
            self.pushes.retain(|_, entry| entry.finished >= oldest);
            self.dropped = now;
        }
        self.state = Some(state);
        Ok(())
    }

    fn note(&mut self, batch: &RecordBatch, file: u32, oldest: i64) -> Result<()> {
        let (sources, uris, status) = (texts(batch, "source")?, texts(batch, "file_uri")?, texts(batch, "status")?);
        let (hashes, finished) = (texts(batch, "content_sha256")?, instants(batch, "finished_at")?);
        for row in 0..batch.num_rows() {
            let ours = sources.value(row) == self.source && uris.value(row).starts_with(&self.prefix);
            if !ours || status.value(row) != LANDED || finished.value(row) < oldest {
                continue;
            }
            let entry = Entry { sha256: half(hashes.value(row)), finished: finished.value(row), file };
            // Two processes may have taken one push at once: the first answer counts. An equal time is the same row in
            // a rewritten file.
            let known = self.pushes.entry(hash(uris.value(row))).or_insert(entry);
            if entry.finished <= known.finished {
                *known = entry;
            }
        }
        Ok(())
    }

    /// Whether the push called `uri` has landed: with these bytes, or (`Some(false)`) with others.
    pub fn has(&self, uri: &str, sha256: &str) -> Option<bool> {
        self.pushes.get(&hash(uri)).map(|entry| entry.sha256 == half(sha256))
    }

    /// What the sender of each of `uris` was told when it landed.
    pub async fn answers(&self, lake: &Lake, uris: &HashSet<&str>) -> Result<HashMap<String, PushAccount>> {
        let Some(state) = &self.state else { return Ok(HashMap::new()) };
        let wanted: HashSet<u32> = uris.iter().filter_map(|u| self.pushes.get(&hash(u))).map(|e| e.file).collect();
        let mut found = HashMap::new();
        for file in state.files.iter().filter(|f| self.files.get(&f.path).is_some_and(|n| wanted.contains(n))) {
            for batch in lake.read(state, file, None).await? {
                self.told(&batch, uris, &mut found)?;
            }
        }
        let quarantined = found.values().filter(|a| a.file.quarantined > 0);
        let ids: Vec<String> = quarantined.map(|a| a.file.source_file_id.clone()).collect();
        if !ids.is_empty() {
            let ids = ids.iter().map(String::as_str).collect();
            let lists = stopped::of(lake, &self.source, &ids).await?;
            for account in found.values_mut() {
                account.quarantined_records = lists.get(&account.file.source_file_id).cloned().unwrap_or_default();
            }
        }
        Ok(found)
    }

    fn told(&self, batch: &RecordBatch, uris: &HashSet<&str>, found: &mut HashMap<String, PushAccount>) -> Result<()> {
        let (sources, files, status) = (texts(batch, "source")?, texts(batch, "file_uri")?, texts(batch, "status")?);
        let (batches, ids, reasons) =
            (texts(batch, "batch_id")?, texts(batch, "source_file_id")?, texts(batch, "skipped_by")?);
        let counts = ["read", "landed", "duplicate", "late_ignored", "skipped", "quarantined"];
        let [read, landed, duplicate, late_ignored, skipped, quarantined] = counts.map(|c| longs(batch, c));
        let (read, landed, duplicate) = (read?, landed?, duplicate?);
        let (late_ignored, skipped, quarantined) = (late_ignored?, skipped?, quarantined?);
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        for row in 0..batch.num_rows() {
            let uri = files.value(row);
            if sources.value(row) != self.source || status.value(row) != LANDED || !uris.contains(uri) {
                continue;
            }
            let file = FileAccount {
                file: uri.into(),
                source_file_id: ids.value(row).into(),
                read: count(read.value(row)),
                landed: count(landed.value(row)),
                duplicate: count(duplicate.value(row)),
                late_ignored: count(late_ignored.value(row)),
                skipped: count(skipped.value(row)),
                skipped_by: serde_json::from_str(reasons.value(row)).unwrap_or_default(),
                quarantined: count(quarantined.value(row)),
                already: true,
                ..FileAccount::default()
            };
            let (source, batch_id) = (self.source.clone(), batches.value(row).to_string());
            let account = PushAccount { source, batch_id, file, quarantined_records: Vec::new() };
            found.entry(uri.to_string()).or_insert(account);
        }
        Ok(())
    }
}

fn hash(uri: &str) -> u128 {
    xxh3_128(uri.as_bytes())
}

/// The first 32 hex digits as a number.
fn half(sha256: &str) -> u128 {
    sha256.get(..32).and_then(|h| u128::from_str_radix(h, 16).ok()).unwrap_or_default()
}
