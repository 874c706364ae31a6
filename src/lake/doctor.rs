//! Doctor: looks at every table, its files and its log, says what is wrong and what would mend it, and mends what can be
//! mended without losing anything. It must not change rows: a file that is gone cannot be mended, only named.

mod files;
mod shown;
mod unfinished;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::compact::is_small;
use super::slot::Slot;
use super::state::TableState;
use super::upkeep::Checkpoint;
use super::vacuum::Shown;
use super::{Lake, upkeep};
use crate::error::Result;
use crate::model::{TABLES, Table};
use files::{look_at_files, look_at_leftovers};
use shown::{look_at_head, look_at_intents, look_at_markers};
use unfinished::look_at_unfinished;

/// Of so many files that are wrong in the same way, the first are named.
const NAMED: usize = 5;

/// How to look.
#[derive(Debug, Clone, Copy)]
pub struct Examination {
    /// Mend what can be mended.
    pub mend: bool,
    /// Read every file's footer and compare its rows with the log.
    pub deep: bool,
    /// Bytes that a file should have.
    pub file_bytes: u64,
    /// Files that nothing needed since then are leftovers.
    pub before: DateTime<Utc>,
    /// The store's clock.
    pub now: DateTime<Utc>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Worth knowing.
    Note,
    /// Was wrong, and is not any more.
    Mended,
    /// Wrong: answers fail, or lack rows that have landed.
    Broken,
}

/// Something that a person should know.
#[derive(Debug, Clone)]
pub struct Finding {
    /// `None`: of the whole lake.
    pub table: Option<&'static str>,
    /// What was looked at: `open`, `head`, `batch`, `unfinished`, `file`, `leftovers`, `checkpoint`, `size`.
    pub check: &'static str,
    pub status: Status,
    pub detail: String,
    /// What would help.
    pub action: Option<String>,
}

/// The files of one month (`None`: of an unpartitioned table).
#[derive(Debug, Clone, Default)]
pub struct Partition {
    pub month: Option<String>,
    pub files: u64,
    pub rows: u64,
    pub bytes: u64,
    /// Files that compaction would join with others.
    pub small: u64,
}

/// A table that can be opened.
#[derive(Debug, Clone)]
pub struct Examined {
    pub table: &'static str,
    pub version: i64,
    /// What readers see; `None`: there are no heads, they see the newest version.
    pub shown: Option<i64>,
    /// Commits after the newest checkpoint.
    pub since_checkpoint: i64,
    /// What a reader must know to read it: "reader 1", then features by name.
    pub needs: Vec<String>,
    pub partitions: Vec<Partition>,
}

/// What the doctor found.
#[derive(Debug, Clone, Default)]
pub struct Checkup {
    pub tables: Vec<Examined>,
    pub findings: Vec<Finding>,
}

impl Checkup {
    /// What is wrong and was not mended.
    pub fn broken(&self) -> usize {
        self.findings.iter().filter(|f| f.status == Status::Broken).count()
    }

    fn add(&mut self, table: Option<&'static Table>, check: &'static str, status: Status, detail: impl Into<String>) {
        let table = table.map(|t| t.name);
        self.findings.push(Finding { table, check, status, detail: detail.into(), action: None });
    }

    /// Says what would help with the finding added last.
    fn action(&mut self, action: impl Into<String>) {
        if let Some(last) = self.findings.last_mut() {
            last.action = Some(action.into());
        }
    }
}

const MEND: &str = "saleslake lake doctor --mend";

/// See [`Lake::examine`].
pub(super) async fn examine(lake: &Lake, how: &Examination) -> Result<Checkup> {
    let mut checkup = Checkup::default();
    let head = match lake.head().await {
        Ok(head) => head,
        Err(error) => {
            checkup.add(None, "head", Status::Broken, error.to_string());
            checkup.action("delete this object if it is the newest in _heads: the next batch puts it anew");
            None
        }
    };
    let markers = lake.inner.heads.markers(how.now).await?;
    look_at_markers(lake, &markers, how, &mut checkup).await?;
    look_at_intents(lake, how, &mut checkup).await?;
    let shown = Shown::since(lake, how.before);
    let mut states = Vec::new();
    for table in TABLES {
        match open(lake, table, how, &mut checkup).await {
            Some(state) if state.exists() => states.push(state),
            Some(_) => look_at_leftovers(lake, table, &shown, &mut checkup).await,
            None => {}
        }
    }
    look_at_unfinished(lake, &markers, &states, how, &mut checkup).await?;
    if let Some(head) = &head {
        look_at_head(lake, head, &states, &markers, how, &mut checkup).await?;
    }
    for state in &states {
        let slot = lake.slot(state.table)?;
        let since_checkpoint = look_at_log(lake, &slot, state, how, &mut checkup).await;
        look_at_files(lake, &slot, state, how, &mut checkup).await?;
        look_at_leftovers(lake, state.table, &shown, &mut checkup).await;
        let partitions = partitions(state, how.file_bytes);
        look_at_sizes(state, &partitions, &mut checkup);
        checkup.tables.push(Examined {
            table: state.table.name,
            version: state.version,
            shown: head.as_ref().map(|h| h.version(state.table.name)),
            since_checkpoint,
            needs: needs(state),
            partitions,
        });
    }
    Ok(checkup)
}

/// The newest state of `table`. Whoever has not read it before starts from its newest checkpoint, and fails where that is
/// lost.
async fn open(lake: &Lake, table: &'static Table, how: &Examination, checkup: &mut Checkup) -> Option<Arc<TableState>> {
    let error = match lake.state(table).await {
        Ok(state) => return Some(state),
        Err(error) => error,
    };
    let last = match lake.slot(table) {
        Ok(slot) => slot.checkpoint().await.ok().flatten().filter(|last| !last.there),
        Err(_) => None,
    };
    let error = match last {
        Some(last) if how.mend => match upkeep::checkpoint(lake, table).await {
            Ok(_) => {
                checkup.add(Some(table), "checkpoint", Status::Mended, lost(last));
                match lake.state(table).await {
                    Ok(state) => return Some(state),
                    Err(error) => error,
                }
            }
            Err(error) => error.context(lost(last)),
        },
        Some(last) => error.context(lost(last)).hint(MEND),
        None => error,
    };
    checkup.add(Some(table), "open", Status::Broken, error.to_string());
    if let Some(hint) = error.hint_text() {
        checkup.action(hint);
    }
    None
}

fn lost(last: Checkpoint) -> String {
    format!("the checkpoint of version {} is not where the log says", last.version)
}

/// The commits since the newest checkpoint; makes one where it is stale or lost.
async fn look_at_log(lake: &Lake, slot: &Slot, state: &TableState, how: &Examination, checkup: &mut Checkup) -> i64 {
    let last = match slot.checkpoint().await {
        Ok(last) => last,
        Err(error) => {
            checkup.add(Some(state.table), "checkpoint", Status::Broken, error.to_string());
            checkup.action("delete this file: readers find the checkpoint by listing");
            return state.version + 1;
        }
    };
    let since = state.version - last.map_or(-1, |l| l.version);
    let gone = last.filter(|l| !l.there);
    if gone.is_none() && since < upkeep::STALE {
        return since;
    }
    let (status, detail) = match gone {
        Some(gone) => (Status::Broken, lost(gone)),
        None => (Status::Note, format!("{since} commits since the last checkpoint: the table opens slowly")),
    };
    if !how.mend {
        checkup.add(Some(state.table), "checkpoint", status, detail);
        checkup.action(MEND);
        return since;
    }
    match upkeep::checkpoint(lake, state.table).await {
        Ok(_) => {
            checkup.add(Some(state.table), "checkpoint", Status::Mended, detail);
            0
        }
        Err(error) => {
            checkup.add(Some(state.table), "checkpoint", status, format!("{detail}; making one failed: {error}"));
            since
        }
    }
}

fn look_at_sizes(state: &TableState, partitions: &[Partition], checkup: &mut Checkup) {
    let small: u64 = partitions.iter().map(|p| p.small).filter(|small| *small >= upkeep::WORTH as u64).sum();
    if small > 0 {
        let (all, are) = (counted(state.files.len(), "file"), if small == 1 { "is" } else { "are" });
        let detail = format!("{small} of {all} {are} small");
        checkup.add(Some(state.table), "size", Status::Note, detail);
        checkup.action(format!("saleslake lake optimize {}", state.table.name));
    }
}

fn partitions(state: &TableState, file_bytes: u64) -> Vec<Partition> {
    let mut months: BTreeMap<Option<&str>, Partition> = BTreeMap::new();
    for file in &state.files {
        let partition = months.entry(file.month.as_deref()).or_default();
        partition.month.clone_from(&file.month);
        partition.files += 1;
        partition.rows += file.rows;
        partition.bytes += file.size;
        partition.small += u64::from(is_small(file.size, file_bytes));
    }
    months.into_values().collect()
}

/// `1 file`, `2 files`.
fn counted(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// The reader version and the reader features of the table's protocol.
fn needs(state: &TableState) -> Vec<String> {
    let protocol = state.delta.as_ref().and_then(|d| serde_json::to_value(d.protocol()).ok()).unwrap_or_default();
    let version = protocol.get("minReaderVersion").and_then(serde_json::Value::as_i64).unwrap_or(1);
    let features = protocol.get("readerFeatures").and_then(|f| f.as_array()).into_iter().flatten();
    let names = features.filter_map(|f| f.as_str().map(str::to_string));
    std::iter::once(format!("reader {version}")).chain(names).collect()
}
