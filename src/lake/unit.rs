//! A batch at work: what it commits to several tables becomes visible at once. It must not commit rows itself.

pub(super) mod intent;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::FutureExt;

use super::Lake;
use super::heads::{Head, Lease, Marker, Open, Since, UnfinishedFile, cut};
use crate::error::{Error, ErrorKind, Result};
use crate::model::TABLES;

/// Heads that other writers may put before ours, one after the other, until we give up.
const ATTEMPTS: u32 = 100;

/// A batch that may commit to several tables, announced to other writers. See [`Lake::begin`].
pub struct Unit {
    lake: Lake,
    batch_id: String,
    lease: Lease,
    files: Vec<UnfinishedFile>,
    whole: bool,
}

impl Drop for Unit {
    fn drop(&mut self) {
        if !self.whole && !self.files.is_empty() {
            self.cut_off();
        }
    }
}

impl Unit {
    pub(super) async fn begin(lake: &Lake, batch_id: &str, files: Vec<UnfinishedFile>) -> Result<Unit> {
        first_head(lake, batch_id).await?;
        let lease = lake.inner.heads.begin(batch_id, files.clone()).await?;
        if !files.is_empty() {
            look_for_cut_off(lake, Some(lease.renewed())).await?;
        }
        Ok(Unit { lake: lake.clone(), batch_id: batch_id.into(), lease, files, whole: false })
    }

    /// Says that what was tried so far was cut off, and is tried again or given up: rows that it landed are those of
    /// whoever lands the files next.
    pub fn cut_off(&self) {
        self.lake.inner.heads.remember(&self.batch_id, self.files.clone());
    }

    /// Makes the commits that were noted ([`Lake::intend`]) and did not come through, for a batch that was given up.
    ///
    /// # Errors
    /// `Unavailable`: the storage.
    pub async fn finish(&self) -> Result<()> {
        finish(&self.lake, &self.batch_id).boxed().await.map(drop)
    }

    /// Says which files have rows in the tables and will have no account when this batch ends; before
    /// [`Unit::publish`], which takes away the marker that named them until now.
    pub async fn unfinished(&self, files: Vec<UnfinishedFile>) -> Result<()> {
        self.lake.inner.heads.note(&self.batch_id, files).boxed().await
    }

    /// Ends the batch: puts a head with everything that is whole now. Without it the batch stays invisible until its
    /// marker's lease is over and another batch ends.
    ///
    /// # Errors
    /// `Unavailable`: the storage. The rows have landed; they show with the next head.
    pub async fn publish(mut self) -> Result<()> {
        // The marker goes first: of two batches that end together, each standing on the other's commits, the one whose
        // marker goes last sees no marker and shows both. (Were it taken away last, each could leave the other out.)
        self.lease.renew().await?;
        self.lease.end().await?;
        self.whole = true;
        for attempt in 0..ATTEMPTS {
            let heads = &self.lake.inner.heads;
            let last = heads.newest().await?;
            let newest = newest(&self.lake).await?;
            let Some(tables) = self.whole(last.as_deref(), newest).await? else { continue };
            if last.as_ref().is_some_and(|last| last.tables == tables) {
                return Ok(());
            }
            let number = last.map_or(0, |l| l.number) + 1;
            if heads.put(Head { number, batch_id: self.batch_id.clone(), tables }).await? {
                return Ok(());
            }
            let most = 5 << attempt.min(6);
            tokio::time::sleep(Duration::from_millis(uuid::Uuid::new_v4().as_u128() as u64 % most)).await;
        }
        Err(Error::unavailable(format!("batch {}: other writers put {ATTEMPTS} heads meanwhile", self.batch_id)).hint(
            "its rows have landed and show with the next batch that ends, or after `saleslake lake doctor --mend`",
        ))
    }

    /// As much of the versions `seen` as holds no batch in part; `None`: there are newer ones that must be seen first.
    async fn whole(
        &self,
        last: Option<&Head>,
        seen: BTreeMap<&'static str, i64>,
    ) -> Result<Option<BTreeMap<String, i64>>> {
        let Open { batches: mut open, dead } = self.lake.inner.heads.open(&self.lease).await?;
        let mut finished = false;
        for marker in dead {
            match bury(&self.lake, &marker).await {
                Ok(rest) => finished |= rest,
                Err(error) => {
                    // It stays out of sight, and whoever ends a batch next tries again.
                    tracing::warn!(batch_id = marker.batch_id, %error, "a dead batch could not be finished");
                    open.insert(marker.batch_id);
                }
            }
        }
        if finished {
            return Ok(None);
        }
        // The versions are not of one moment: a batch that was at work while they were read may have ended since, and has
        // no marker. It has committed since, then.
        for (table, version) in newest(&self.lake).await? {
            open.extend(
                self.batches(table, seen.get(table).copied().unwrap_or(-1), version).await?.into_iter().flatten(),
            );
        }
        if open.is_empty() {
            return Ok(Some(seen.into_iter().filter(|(_, v)| *v >= 0).map(|(t, v)| (t.to_string(), v)).collect()));
        }
        let mut tables = BTreeMap::new();
        for (table, version) in seen {
            let shown = last.map_or(-1, |l| l.version(table));
            let batches = self.batches(table, shown, version).await?;
            tables.insert(table, Since { shown, batches });
        }
        Ok(Some(cut(&tables, &open)))
    }

    /// Whose commits of `table` come after `shown`, up to `version`.
    async fn batches(&self, table: &'static str, shown: i64, version: i64) -> Result<Vec<Option<String>>> {
        if version <= shown {
            return Ok(Vec::new());
        }
        let table = TABLES.iter().find(|t| t.name == table).ok_or_else(|| Error::internal(format!("table {table}")))?;
        Ok(self.lake.slot(table)?.commits(shown, version).await?.into_iter().map(|c| c.batch_id).collect())
    }
}

/// A lake that holds nothing gets a head that shows nothing: without one, readers would see its first batch table by table.
async fn first_head(lake: &Lake, batch_id: &str) -> Result<()> {
    let heads = &lake.inner.heads;
    if heads.is_known().await || heads.newest().await?.is_some() {
        return Ok(());
    }
    if newest(lake).await?.into_values().any(|version| version >= 0) {
        return Ok(());
    }
    heads.put(Head { number: 0, batch_id: batch_id.into(), tables: BTreeMap::new() }).await.map(drop)
}

/// Ends the batch of a writer that is gone: commits what it had noted and not come to, and takes its marker away. Whether
/// there was anything to commit.
pub(super) async fn bury(lake: &Lake, marker: &Marker) -> Result<bool> {
    let finished = finish(lake, &marker.batch_id).await?;
    lake.inner.heads.sweep(marker).await?;
    Ok(finished)
}

/// Commits what the batch had noted and not come to; whether there was anything.
async fn finish(lake: &Lake, batch_id: &str) -> Result<bool> {
    match intent::finish(lake, batch_id).await {
        Err(error) if error.kind() == ErrorKind::Unavailable => Err(error),
        // It would not work later, either, and must not keep what comes after it out of sight.
        Err(error) => {
            tracing::warn!(batch_id, %error, "a batch stays as it is until its files land again");
            Ok(false)
        }
        Ok(finished) => Ok(finished),
    }
}

/// See [`Lake::look_for_cut_off`]. `now` is the store's; asked for if it is not given.
pub(super) async fn look_for_cut_off(lake: &Lake, now: Option<DateTime<Utc>>) -> Result<()> {
    let heads = &lake.inner.heads;
    if !heads.is_due() {
        return Ok(());
    }
    let now = match now {
        Some(now) => now,
        None => heads.now().await?,
    };
    for marker in heads.markers(now).await?.iter().filter(|m| !m.live) {
        bury(lake, marker).await?;
    }
    heads.look_at_notes().await
}

async fn newest(lake: &Lake) -> Result<BTreeMap<&'static str, i64>> {
    // All are awaited: what is left behind of a look may panic when the program ends.
    let states = futures::future::join_all(TABLES.iter().map(|t| lake.state(t))).await;
    states.into_iter().map(|state| state.map(|s| (s.table.name, s.version))).collect()
}

/// See [`Lake::catch_up`].
pub(super) async fn catch_up(lake: &Lake) -> Result<()> {
    let Some(head) = lake.head().await? else { return Ok(()) };
    if newest(lake).await?.into_iter().all(|(table, version)| head.version(table) == version) {
        return Ok(());
    }
    let name = format!("catch-up-{}", uuid::Uuid::now_v7());
    Unit::begin(lake, &name, Vec::new()).await?.publish().await
}
