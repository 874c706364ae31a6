//! The audit tables: which files have landed, and what became of their records and rows. It must not decide anything.
//!
//! `ingest_file` is committed last of all: its row says that the file is complete, so a file without one is read again,
//! and its keys decide what is missing. What its first attempt landed counts as landed then ([`Interrupted`]), and what
//! that attempt left in `ingest_table` makes way: so the sums are those of a landing that nothing happened to. A row of
//! status `retried` is a correction to a file's
//! account: its `read` is 0 and its `quarantined` negative, by as many records as its other counts sum up to, so that
//! the sums over a file's rows add up as each row does. A row of status `replayed` is a correction, too: what the file's
//! account is now, all files of its source taken together, less what its rows said before.

mod corrections;
mod interrupted;
mod landed;
mod ledger;
mod rows;

use std::collections::{BTreeMap, HashSet};

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use serde::{Deserialize, Serialize};

use super::account::{FileAccount, TableAccount};
use super::columns::texts;
use super::commit::{Attempts, Edit, Writer};
use crate::error::Result;
use crate::lake::Lake;
use crate::model::{INGEST_FILE, INGEST_TABLE};

pub(crate) use corrections::{CORRECTIONS, complete, corrections};
pub(crate) use interrupted::{Interrupted, REPLACED_BY_FILE};
pub(crate) use landed::{LandedFile, landed_files};
pub(crate) use ledger::{Ledger, PushFact};

/// The status of a file that landed.
pub(crate) const LANDED: &str = "landed";
/// The status of an archive whose members have all landed. It has no records of its own.
const UNPACKED: &str = "unpacked";
/// The status of a name or version of a file on an object store whose bytes had landed before.
const SEEN: &str = "seen";
/// The status of a correction: records of the file that had waited.
const RETRIED: &str = "retried";
/// The status of a correction: the file was mapped anew.
const REPLAYED: &str = "replayed";

/// What the audit says of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Audited {
    pub source: String,
    pub source_system: String,
    pub uri: String,
    pub sha256: String,
    /// Of a file on an object store: see [`crate::lake::Entry::version_tag`].
    pub version_tag: Option<String>,
}

/// A row for `ingest_file`.
#[derive(Debug, Clone)]
pub(crate) struct FileRow {
    pub id: String,
    pub file: Audited,
    pub account: FileAccount,
    /// µs since 1970.
    pub started: i64,
    pub status: Status,
    /// Of the definition by which all of the file's records were mapped; `None` on a correction for some of them.
    pub definition: Option<String>,
}

/// What a row of `ingest_file` says.
#[derive(Debug, Clone)]
pub(crate) enum Status {
    Landed,
    /// An archive: its members have rows of their own.
    Unpacked,
    /// Bytes that have landed before, by another name or version: to be known without being fetched.
    Seen,
    /// A correction for records that had waited.
    Retried,
    /// The file was mapped anew; what its rows said before.
    Replayed(FileAccount),
}

/// What became of one file's rows in one table.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct TableRow {
    pub account: TableAccount,
    /// Earliest and latest event among the rows that landed, µs since 1970.
    pub events: Option<(i64, i64)>,
    /// The table's version after the last commit of the batch.
    pub version: i64,
}

impl TableRow {
    pub fn add(&mut self, other: &TableRow) {
        self.account.add(&other.account);
        self.events = match (self.events, other.events) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
        self.version = self.version.max(other.version);
    }
}

/// Rows for `ingest_table`: by file id and table name.
pub(crate) type TableRows = BTreeMap<(String, &'static str), TableRow>;

/// These columns of `ingest_file`. It may be many small files, so several are read at once: on an object store the time is
/// that of the requests.
async fn scan(lake: &Lake, columns: &[&str]) -> Result<Vec<RecordBatch>> {
    const AT_ONCE: usize = 16;
    let state = lake.state(&INGEST_FILE).await?;
    let mut batches = Vec::new();
    for files in state.files.chunks(AT_ONCE) {
        let read = files.iter().map(|file| lake.read(&state, file, Some(columns)));
        batches.extend(futures::future::try_join_all(read).await?.into_iter().flatten());
    }
    Ok(batches)
}

/// Writes the accounts of a batch: the rows first, the files last.
pub(crate) async fn write(writer: Writer<'_>, files: &[FileRow], tables: &TableRows) -> Result<()> {
    let ids: HashSet<&str> =
        files.iter().map(|f| f.id.as_str()).chain(tables.keys().map(|(f, _)| f.as_str())).collect();
    let landed: HashSet<&str> = files.iter().map(|f| f.id.as_str()).collect();
    let before = Interrupted::load(writer.lake, &ids).await?;
    // Another attempt of this very batch may have come so far that only its acknowledgement was lost.
    let (files, tables): (Vec<FileRow>, TableRows) = (
        files.iter().filter(|f| !before.accounted(&f.id, writer.batch_id)).cloned().collect(),
        tables
            .iter()
            .filter(|((f, _), _)| !before.accounted(f, writer.batch_id))
            .map(|(k, v)| (k.clone(), *v))
            .collect(),
    );
    if !tables.is_empty() {
        put_tables(writer, rows::table_rows(writer.batch_id, &tables)?, &before).await?;
    }
    if !files.is_empty() {
        append(writer, rows::file_rows(writer.batch_id, writer.clock.now_micros(), &files)?).await?;
    }
    writer.lake.settle(&landed).await
}

/// Adds rows to `ingest_table` in the place of those that attempts `before` left.
async fn put_tables(writer: Writer<'_>, rows: RecordBatch, before: &Interrupted) -> Result<()> {
    let mut attempts = Attempts::new(writer, &INGEST_TABLE);
    loop {
        let state = writer.lake.state(&INGEST_TABLE).await?;
        let mut edit = Edit { add: vec![rows.clone()], ..Edit::default() };
        for file in state.files.iter().filter(|_| !before.is_empty()) {
            let (mut kept, mut stale) = (Vec::new(), false);
            for batch in writer.lake.read(&state, file, None).await? {
                let (batches, files) = (texts(&batch, "batch_id")?, texts(&batch, "source_file_id")?);
                let stays: BooleanArray =
                    (0..batch.num_rows()).map(|row| Some(!before.has(files.value(row), batches.value(row)))).collect();
                stale |= stays.false_count() > 0;
                kept.push(filter_record_batch(&batch, &stays)?);
            }
            if stale {
                edit.remove.push(file.clone());
                edit.add.extend(kept);
            }
        }
        if attempts.commit(&state, edit).await?.is_some() {
            return Ok(());
        }
    }
}

async fn append(writer: Writer<'_>, rows: RecordBatch) -> Result<()> {
    let mut attempts = Attempts::new(writer, &INGEST_FILE);
    loop {
        let state = writer.lake.state(&INGEST_FILE).await?;
        let edit = Edit { add: vec![rows.clone()], ..Edit::default() };
        if attempts.commit(&state, edit).await?.is_some() {
            return Ok(());
        }
    }
}
