//! The audit tables: which files have landed, and what became of their records and rows. It must not decide anything.
//!
//! `ingest_file` is committed last of all: its row says that the file is complete, so a file without one is read again,
//! and its keys decide what is missing. (An interrupted batch may so leave `ingest_table` rows whose batch has no
//! `ingest_file` row; they are true, the rows did land then.) A row of status `retried` is a correction to a file's
//! account: its `read` is 0 and its `quarantined` negative, by as many records as its other counts sum up to, so that
//! the sums over a file's rows add up as each row does. A row of status `replayed` is a correction, too: what the file's
//! account is now, all files of its source taken together, less what its rows said before.

mod known;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::account::{FileAccount, TableAccount};
use super::columns::{instant_column, instants, text_at, texts};
use super::commit::{Attempts, Edit, Writer};
use crate::error::{Error, Result};
use crate::lake::Lake;
use crate::model::{INGEST_FILE, INGEST_TABLE, Table};

pub(crate) use known::{Known, known};

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
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone, Copy)]
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

/// The content hashes of the files of `source` that have landed, archives among them.
pub(crate) async fn landed(lake: &Lake, source: &str) -> Result<HashSet<String>> {
    let columns = ["source", "content_sha256", "status"];
    let mut known = HashSet::new();
    for batch in ledger(lake, &columns).await? {
        let [sources, hashes, status] = columns.map(|c| texts(&batch, c));
        let (sources, hashes, status) = (sources?, hashes?, status?);
        let complete = |row: &usize| matches!(status.value(*row), LANDED | UNPACKED);
        let rows = (0..batch.num_rows()).filter(complete).filter(|row| sources.value(*row) == source);
        known.extend(rows.map(|row| hashes.value(row).to_string()));
    }
    Ok(known)
}

/// The files on object stores of `source` that have landed: name and version tag → the file's id.
pub(crate) async fn versions(lake: &Lake, source: &str) -> Result<HashMap<(String, String), String>> {
    let columns = ["source_file_id", "source", "file_uri", "status", "version_tag"];
    let mut known = HashMap::new();
    for batch in ledger(lake, &columns).await? {
        let [ids, sources, uris, status, tags] = columns.map(|c| texts(&batch, c));
        let (ids, sources, uris, status, tags) = (ids?, sources?, uris?, status?, tags?);
        let complete = |row: &usize| matches!(status.value(*row), LANDED | UNPACKED | SEEN);
        for row in (0..batch.num_rows()).filter(complete).filter(|row| sources.value(*row) == source) {
            if let Some(tag) = text_at(tags, row) {
                known.insert((uris.value(row).to_string(), tag.to_string()), ids.value(row).to_string());
            }
        }
    }
    Ok(known)
}

/// These columns of `ingest_file`. It is many small files, so several are read at once: on an object store the time is
/// that of the requests.
async fn ledger(lake: &Lake, columns: &[&str]) -> Result<Vec<RecordBatch>> {
    const AT_ONCE: usize = 16;
    let state = lake.state(&INGEST_FILE).await?;
    let mut batches = Vec::new();
    for files in state.files.chunks(AT_ONCE) {
        let read = files.iter().map(|file| lake.read(&state, file, Some(columns)));
        batches.extend(futures::future::try_join_all(read).await?.into_iter().flatten());
    }
    Ok(batches)
}

/// The columns of each file of `source` as the audit keeps them, and when it was begun.
pub(crate) async fn columns(lake: &Lake, source: &str) -> Result<Vec<(i64, String)>> {
    let mut known = Vec::new();
    for batch in ledger(lake, &["source", "started_at", "columns"]).await? {
        let (sources, started, columns) =
            (texts(&batch, "source")?, instants(&batch, "started_at")?, texts(&batch, "columns")?);
        for row in (0..batch.num_rows()).filter(|row| sources.value(*row) == source) {
            known.extend(text_at(columns, row).map(|text| (started.value(row), text.to_string())));
        }
    }
    Ok(known)
}

/// The files that the audit knows, by their ids.
pub(crate) async fn files_by_id(lake: &Lake) -> Result<HashMap<String, Audited>> {
    let mut known = HashMap::new();
    let columns = ["source_file_id", "source", "source_system", "file_uri", "content_sha256"];
    for batch in ledger(lake, &columns).await? {
        let [ids, sources, systems, uris, hashes] = columns.map(|c| texts(&batch, c));
        let (ids, sources, systems, uris, hashes) = (ids?, sources?, systems?, uris?, hashes?);
        for row in 0..batch.num_rows() {
            let file = Audited {
                source: sources.value(row).into(),
                source_system: systems.value(row).into(),
                uri: uris.value(row).into(),
                sha256: hashes.value(row).into(),
                version_tag: None,
            };
            known.entry(ids.value(row).to_string()).or_insert(file);
        }
    }
    Ok(known)
}

/// Writes the accounts of a batch: the rows first, the files last.
pub(crate) async fn write(writer: Writer<'_>, files: &[FileRow], tables: &TableRows) -> Result<()> {
    if !tables.is_empty() {
        append(writer, &INGEST_TABLE, table_rows(writer.batch_id, tables)?).await?;
    }
    if files.is_empty() {
        return Ok(());
    }
    append(writer, &INGEST_FILE, file_rows(writer.batch_id, writer.clock.now_micros(), files)?).await
}

async fn append(writer: Writer<'_>, table: &'static Table, rows: RecordBatch) -> Result<()> {
    let mut attempts = Attempts::new(writer, table);
    loop {
        let state = writer.lake.state(table).await?;
        let edit = Edit { add: vec![rows.clone()], ..Edit::default() };
        if attempts.commit(&state, edit).await?.is_some() {
            return Ok(());
        }
    }
}

fn file_rows(batch_id: &str, finished: i64, files: &[FileRow]) -> Result<RecordBatch> {
    let text =
        |get: fn(&FileRow) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(files.iter().map(get))) };
    let count = |get: fn(&FileAccount) -> u64| -> Result<ArrayRef> {
        let values = files.iter().map(|f| f.change(get)).collect::<Result<Vec<i64>>>()?;
        Ok(Arc::new(Int64Array::from(values)))
    };
    let waited = |f: &FileRow| -> Result<i64> {
        // What a correction moves out of the quarantine is what its records became.
        if let Status::Retried = f.status { Ok(-signed(f.account.accounted())?) } else { f.change(|a| a.quarantined) }
    };
    let skipped_by: Vec<String> = files.iter().map(FileRow::skipped_by).collect::<Result<_>>()?;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(batch_id, files.len()))),
        text(|f| &f.id),
        text(|f| &f.file.source),
        text(|f| &f.file.source_system),
        text(|f| &f.file.uri),
        text(|f| &f.file.sha256),
        count(|a| a.read)?,
        count(|a| a.landed)?,
        count(|a| a.duplicate)?,
        count(|a| a.late_ignored)?,
        count(|a| a.skipped)?,
        Arc::new(StringArray::from(skipped_by)),
        Arc::new(Int64Array::from(files.iter().map(waited).collect::<Result<Vec<i64>>>()?)),
        instant_column(files.iter().map(|f| Some(f.started))),
        instant_column(files.iter().map(|_| Some(finished))),
        text(|f| match f.status {
            Status::Landed => LANDED,
            Status::Unpacked => UNPACKED,
            Status::Seen => SEEN,
            Status::Retried => RETRIED,
            Status::Replayed(_) => REPLAYED,
        }),
        Arc::new(StringArray::from_iter(files.iter().map(|f| f.definition.as_deref()))),
        Arc::new(StringArray::from_iter(files.iter().map(|f| f.file.version_tag.as_deref()))),
        Arc::new(StringArray::from_iter(files.iter().map(|f| f.account.columns.as_deref()))),
    ];
    Ok(RecordBatch::try_new(INGEST_FILE.schema(), columns)?)
}

impl FileRow {
    /// What a count adds to those of the file's other rows.
    fn change(&self, get: fn(&FileAccount) -> u64) -> Result<i64> {
        match &self.status {
            Status::Replayed(before) => Ok(signed(get(&self.account))? - get(before).cast_signed()),
            Status::Landed | Status::Unpacked | Status::Seen | Status::Retried => signed(get(&self.account)),
        }
    }
    fn skipped_by(&self) -> Result<String> {
        let mut reasons = BTreeMap::new();
        for (reason, records) in &self.account.skipped_by {
            reasons.insert(reason.as_str(), signed(*records)?);
        }
        if let Status::Replayed(before) = &self.status {
            for (reason, records) in &before.skipped_by {
                *reasons.entry(reason.as_str()).or_default() -= records.cast_signed();
            }
        }
        reasons.retain(|_, records| *records != 0);
        serde_json::to_string(&reasons).map_err(|e| Error::internal("reasons are not JSON").caused_by(e))
    }
}

fn table_rows(batch_id: &str, tables: &TableRows) -> Result<RecordBatch> {
    let count = |get: fn(&TableAccount) -> u64| long(tables.values().map(|t| get(&t.account)));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(batch_id, tables.len()))),
        Arc::new(StringArray::from_iter_values(tables.keys().map(|(file, _)| file))),
        Arc::new(StringArray::from_iter_values(tables.keys().map(|(_, table)| table))),
        Arc::new(Int64Array::from(
            tables
                .values()
                .map(|t| Ok(signed(t.account.new)? - signed(t.account.removed)?))
                .collect::<Result<Vec<_>>>()?,
        )),
        count(|t| t.replaced)?,
        count(|t| t.duplicate)?,
        count(|t| t.late_ignored)?,
        count(|t| t.beyond_sla)?,
        count(|t| t.warned)?,
        instant_column(tables.values().map(|t| t.events.map(|e| e.0))),
        instant_column(tables.values().map(|t| t.events.map(|e| e.1))),
        Arc::new(Int64Array::from_iter_values(tables.values().map(|t| t.version))),
    ];
    Ok(RecordBatch::try_new(INGEST_TABLE.schema(), columns)?)
}

fn long(values: impl Iterator<Item = u64>) -> Result<ArrayRef> {
    Ok(Arc::new(Int64Array::from(values.map(signed).collect::<Result<Vec<i64>>>()?)))
}

fn signed(n: u64) -> Result<i64> {
    i64::try_from(n).map_err(|e| Error::internal(format!("a count of {n} does not fit")).caused_by(e))
}
