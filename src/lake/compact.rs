//! Compaction: many small files of a month become one of a good size, its rows sorted as landing sorts them. It must not
//! change, lose or double a row, whatever others commit meanwhile.
//!
//! ```text
//! small files of a month → groups of about one file → read, sort, write → commit on the newest version → next group
//! ```
//!
//! The new file is written once; only its commit is tried again when others were faster. That is sound while every file
//! that it replaces is still in the table: the rows are the same, so no other commit can have a quarrel with it, and
//! writers look for their keys in every file of the version that they commit on. If somebody removed one of the files,
//! the group is given up.

mod groups;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use deltalake_core::kernel::Add;
use tokio_util::sync::CancellationToken;

use super::commit::{Commit, Rewrite, rewrite};
use super::state::{DataFile, TableState};
use super::{Lake, write};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Table;
use groups::{Files, planned};

pub(super) use groups::is_small;

/// In commitInfo, and Delta's `txn` app id.
const APP: &str = "optimize";
/// How often a commit is tried while others commit, until the group is given up.
const ATTEMPTS: u32 = 60;

/// What to compact, and how.
#[derive(Debug, Clone)]
pub struct Compaction {
    /// Bytes that a file should have.
    pub file_bytes: u64,
    /// Bytes of memory for one group, about: half for its rows, half for sorting and encoding them.
    pub memory_bytes: u64,
    /// Only this one, 'YYYY-MM'.
    pub month: Option<String>,
    /// A month with fewer small files is left alone.
    pub least: usize,
    /// Join files of any size. Without it a file waits for others at least half as large together, so that a row is
    /// written anew only a few times on its way into a large file.
    pub thorough: bool,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

/// What became of a group of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A dry run.
    Planned,
    /// One commit, as this version.
    Done { version: i64 },
    /// Somebody rewrote one of the files, or committed so often that ours found no place; the table is as they left it.
    GivenUp,
}

/// One group of files of a month.
#[derive(Debug, Clone)]
pub struct Compacted {
    pub table: &'static str,
    /// `None` in unpartitioned tables.
    pub month: Option<String>,
    pub files: u64,
    pub rows: u64,
    pub bytes: u64,
    /// Files and bytes that took their place; in a dry run, about.
    pub new_files: u64,
    pub new_bytes: u64,
    pub outcome: Outcome,
}

/// See [`Lake::optimize`].
pub(super) async fn compact(
    lake: &Lake,
    table: &'static Table,
    how: &Compaction,
    stop: &CancellationToken,
) -> Result<Vec<Compacted>> {
    let state = lake.state(table).await?;
    let mut done = Vec::new();
    let groups = planned(&state, how);
    if groups.is_empty() {
        return Ok(done);
    }
    only_our_columns(&state)?;
    for group in groups {
        if how.dry_run {
            done.push(described(table, &group, &[], Outcome::Planned));
            continue;
        }
        let mut waiting: VecDeque<Arc<DataFile>> = group.into();
        while waiting.len() > 1 && !stop.is_cancelled() {
            match one(lake, table, &mut waiting, how, stop).await? {
                Some(compacted) => done.push(compacted),
                None => break,
            }
        }
    }
    Ok(done)
}

/// Our rewrite would drop columns that another program added.
fn only_our_columns(state: &TableState) -> Result<()> {
    let Some(delta) = &state.delta else { return Ok(()) };
    let ours = state.table.schema();
    match delta.schema().fields().find(|f| ours.index_of(f.name()).is_err()) {
        None => Ok(()),
        Some(field) => Err(Error::invalid(format!(
            "{}: another program added the column {}, which a rewrite here would lose",
            state.table.name,
            field.name()
        ))
        .hint("compact this table with that program")),
    }
}

fn described(table: &Table, files: &[Arc<DataFile>], adds: &[Add], outcome: Outcome) -> Compacted {
    let bytes = files.iter().map(|f| f.size).sum();
    let made: u64 = adds.iter().map(|a| u64::try_from(a.size).unwrap_or(0)).sum();
    let planned = outcome == Outcome::Planned;
    Compacted {
        table: table.name,
        month: files.first().and_then(|f| f.month.clone()),
        files: files.len() as u64,
        rows: files.iter().map(|f| f.rows).sum(),
        bytes,
        new_files: if planned { 1 } else { adds.len() as u64 },
        new_bytes: if planned { bytes } else { made },
        outcome,
    }
}

/// Rewrites as many of the `waiting` files as fit into memory. `None`: not even two do, or it was told to stop.
async fn one(
    lake: &Lake,
    table: &'static Table,
    waiting: &mut VecDeque<Arc<DataFile>>,
    how: &Compaction,
    stop: &CancellationToken,
) -> Result<Option<Compacted>> {
    let slot = lake.slot(table)?;
    let base = lake.state(table).await?;
    let there: HashSet<&str> = base.files.iter().map(|f| f.path.as_str()).collect();
    if waiting.iter().any(|f| !there.contains(f.path.as_str())) {
        let given_up = described(table, waiting.make_contiguous(), &[], Outcome::GivenUp);
        waiting.clear();
        return Ok(Some(given_up));
    }
    let work = async {
        let (files, rows) = gather(lake, &base, waiting, how.memory_bytes / 2).await?;
        if files.len() < 2 {
            return Ok((files, Vec::new()));
        }
        let adds = write::write_files(&slot, &lake.inner.root.store, rows, usize::MAX).await?;
        Ok::<_, Error>((files, adds))
    };
    // Reading and writing may be cut off anywhere: what is left is an orphan. The commit below may not.
    let Some(written) = stop.run_until_cancelled(work).await else { return Ok(None) };
    let (files, adds) = written?;
    if files.len() < 2 {
        return Ok(None);
    }
    let outcome = land(lake, base, &files, &adds, how.file_bytes).await?;
    if outcome == Outcome::GivenUp {
        write::discard(&slot, &lake.inner.root.store, &adds).await;
        return Ok(Some(described(table, &files, &[], outcome)));
    }
    Ok(Some(described(table, &files, &adds, outcome)))
}

/// Reads files off the front of `waiting` while their rows fit into `memory`; one is always read.
async fn gather(
    lake: &Lake,
    state: &TableState,
    waiting: &mut VecDeque<Arc<DataFile>>,
    memory: u64,
) -> Result<(Files, Vec<RecordBatch>)> {
    let (mut files, mut rows, mut held, mut count) = (Files::new(), Vec::new(), 0u64, 0u64);
    while let Some(file) = waiting.front() {
        // Its rows will be as wide as those before it.
        let guess = u128::from(held) * u128::from(file.rows) / u128::from(count.max(1));
        if !files.is_empty() && u128::from(held) + guess > u128::from(memory) {
            break;
        }
        let batches = lake.read(state, file, None).await?;
        let found: u64 = batches.iter().map(|b| b.num_rows() as u64).sum();
        if found != file.rows {
            return Err(Error::unavailable(format!(
                "{}: the log says {} rows, the file has {found}",
                file.location, file.rows
            ))
            .hint("`saleslake lake doctor --deep` looks at every file"));
        }
        held += batches.iter().map(|b| b.get_array_memory_size() as u64).sum::<u64>();
        count += found;
        rows.extend(batches);
        files.extend(waiting.pop_front());
    }
    Ok((files, rows))
}

/// Commits the written files in place of `files`, on whatever version is the newest, as long as it has them all.
pub(super) async fn land(
    lake: &Lake,
    written_on: Arc<TableState>,
    files: &[Arc<DataFile>],
    adds: &[Add],
    target: u64,
) -> Result<Outcome> {
    let batch_id = format!("{APP}-{}", uuid::Uuid::now_v7());
    let unit = lake.begin(&batch_id).await?;
    let change = Rewrite { batch_id: &batch_id, app: APP, adds, remove: files, target };
    let outcome = commit(lake, written_on, &change).await?;
    // Also when nothing landed: it takes the marker away.
    unit.publish().await?;
    Ok(outcome)
}

async fn commit(lake: &Lake, written_on: Arc<TableState>, change: &Rewrite<'_>) -> Result<Outcome> {
    let slot = lake.slot(written_on.table)?;
    let inputs: HashSet<&str> = change.remove.iter().map(|f| f.path.as_str()).collect();
    let mut base = written_on;
    for attempt in 0..ATTEMPTS {
        let newest = slot.newest().await?;
        match slot.commits(base.version, newest.version).await {
            Ok(seen) => {
                // An acknowledgement was lost.
                if let Some(ours) = seen.iter().find(|c| c.batch_id.as_deref() == Some(change.batch_id)) {
                    return Ok(Outcome::Done { version: ours.version });
                }
                let took = |removed: &[String]| removed.iter().any(|path| inputs.contains(path.as_str()));
                if seen.iter().any(|c| c.other || took(&c.removed)) {
                    return Ok(Outcome::GivenUp);
                }
            }
            // The log was cleaned up that far: nobody can say what happened.
            Err(e) if e.kind() == ErrorKind::Conflict => return Ok(Outcome::GivenUp),
            Err(e) => return Err(e),
        }
        base = newest;
        if let Commit::Done { version } = rewrite(&slot, &base, change).await? {
            return Ok(Outcome::Done { version });
        }
        // Short: whoever comes back first wins, and our files are written already.
        let most = 5_u64 << attempt.min(5);
        tokio::time::sleep(Duration::from_millis(uuid::Uuid::new_v4().as_u128() as u64 % most)).await;
    }
    Ok(Outcome::GivenUp)
}
