//! Accounts as rows of the audit tables. It must not count anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::{FileRow, LANDED, REPLAYED, RETRIED, SEEN, Status, TableRows, UNPACKED};
use crate::error::{Error, Result};
use crate::ingest::account::{FileAccount, TableAccount};
use crate::ingest::columns::instant_column;
use crate::model::{INGEST_FILE, INGEST_TABLE};

/// Rows for `ingest_file`.
pub(super) fn file_rows(batch_id: &str, finished: i64, files: &[FileRow]) -> Result<RecordBatch> {
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

/// Rows for `ingest_table`.
pub(super) fn table_rows(batch_id: &str, tables: &TableRows) -> Result<RecordBatch> {
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
