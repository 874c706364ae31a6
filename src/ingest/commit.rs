//! The commit loop: an edit is computed on one version of a table and lands on exactly that version, or is computed anew.
//! It must not know what is committed, nor try an edit on a version that it was not computed on.

use std::sync::Arc;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::lake::{Change, Commit, DataFile, Kept, Lake, Prepared, TableState};
use crate::model::Table;

/// How often an edit is computed anew because others committed in between, before landing gives up.
const ATTEMPTS: u32 = 40;
const LONGEST_PAUSE_MS: u64 = 2_000;

/// On whose behalf a batch commits.
#[derive(Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub lake: &'a Lake,
    /// The source definition: the application id of the commits.
    pub source: &'a str,
    pub batch_id: &'a str,
    pub clock: Clock,
}

/// Replace these files by those rows, in one commit.
#[derive(Default)]
pub(crate) struct Edit {
    pub add: Vec<RecordBatch>,
    pub remove: Vec<Arc<DataFile>>,
    /// Of the removed files, the rows that stay: see [`Kept`].
    pub keep: Vec<Kept>,
    pub info: Map<String, Value>,
}

impl Edit {
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.add.iter().all(|b| b.num_rows() == 0)
    }
}

/// An edit whose files are written.
pub(crate) enum Ready {
    /// There is nothing to do.
    Nothing,
    Files(Box<Prepared>),
    /// Another writer was faster.
    Moved,
}

/// The attempts to commit one edit. Use: read the newest state, compute the edit on it, [`commit`](Attempts::commit) (or
/// [`prepare`](Attempts::prepare) and later [`put`](Attempts::put)); on `None` begin anew.
pub(crate) struct Attempts<'a> {
    writer: Writer<'a>,
    table: &'static Table,
    failed: u32,
}

impl<'a> Attempts<'a> {
    pub fn new(writer: Writer<'a>, table: &'static Table) -> Self {
        Attempts { writer, table, failed: 0 }
    }

    /// Commits `edit` on `state`, and returns the new version, or that of `state` when there is nothing to do.
    /// `None`: another writer was faster and nothing of ours landed.
    pub async fn commit(&mut self, state: &TableState, edit: Edit) -> Result<Option<i64>> {
        let ready = self.prepare(state, edit).await?;
        self.put(state, ready).await
    }

    /// Writes what `edit` adds to `state`, without committing it.
    pub async fn prepare(&self, state: &TableState, edit: Edit) -> Result<Ready> {
        if edit.is_empty() {
            return Ok(Ready::Nothing);
        }
        let Writer { lake, source, batch_id, .. } = self.writer;
        let change =
            Change { batch_id, app: source, add: edit.add, remove: edit.remove, keep: edit.keep, info: edit.info };
        Ok(lake.prepare(state, change).await?.map_or(Ready::Moved, |p| Ready::Files(Box::new(p))))
    }

    /// Commits what was prepared on `state`; see [`commit`](Attempts::commit).
    pub async fn put(&mut self, state: &TableState, ready: Ready) -> Result<Option<i64>> {
        let Writer { lake, batch_id, .. } = self.writer;
        let committed = match ready {
            Ready::Nothing => return Ok(Some(state.version)),
            Ready::Files(prepared) => lake.commit_prepared(state, *prepared).await?,
            Ready::Moved => Commit::Moved,
        };
        if let Commit::Done { version } = committed {
            return Ok(Some(version));
        }
        // An acknowledgement may have been lost: then the commit that was "faster" is ours.
        let seen = lake.commits_since(self.table, state.version).await?;
        if let Some(ours) = seen.iter().find(|c| c.batch_id.as_deref() == Some(batch_id)) {
            return Ok(Some(ours.version));
        }
        self.pause().await?;
        Ok(None)
    }

    /// Removes the files of what will not be committed after all.
    pub async fn discard(&self, state: &TableState, ready: Ready) {
        if let Ready::Files(prepared) = ready
            && let Err(error) = self.writer.lake.discard(state, *prepared).await
        {
            tracing::debug!(table = self.table.name, %error, "unused data files stay");
        }
    }

    async fn pause(&mut self) -> Result<()> {
        self.failed += 1;
        if self.failed >= ATTEMPTS {
            return Err(Error::conflict(format!(
                "table {}: other writers committed {ATTEMPTS} times while batch {} was landing",
                self.table.name, self.writer.batch_id
            ))
            .hint("nothing is lost: land the same files again when fewer writers are at work"));
        }
        let most = (20_u64 << self.failed.min(7)).min(LONGEST_PAUSE_MS);
        // Random, so that writers that met once do not meet again.
        let jitter = (uuid::Uuid::new_v4().as_u128() % u128::from(most)) as u64;
        tracing::debug!(table = self.table.name, failed = self.failed, pause_ms = jitter, "commit lost a race");
        tokio::time::sleep(Duration::from_millis(jitter)).await;
        Ok(())
    }
}
