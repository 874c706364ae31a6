//! The quarantine: records that did not land, each with the place it came from and the rule that stopped it.
//! It must not decide what lands.
//!
//! What waits is not written again: a record stopped by one rule is known by (file, table, line, rule), a row
//! that lost a conflict (V19) also by its key, version and content hash. A row that a greater hash displaced from its
//! table has line 0, for only its file is known, and the row as it was stored in place of the raw record; it is not
//! written when that very row is there already. So the *set* of losing rows (table, key, version, hash) does not
//! depend on arrival. A conflict below a greater version is moot: its rows are resolved when that version is seen.

mod conflicts;
mod discard;
mod write;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::compute::{SortColumn, concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch};
use futures::TryStreamExt;

use super::columns::{instants, longs, texts};
use super::decide::Rank;
use super::land::BatchFile;
use super::mapped::Rejected;
use crate::error::Result;
use crate::lake::Lake;
use crate::model::{QUARANTINE, Severity, Table};

pub(crate) use conflicts::Conflicts;
pub(crate) use discard::discard;
pub(crate) use write::{
    Place, Records, Resolution, Written, append, keep_displaced, replay, resolve, resolve_saying, supersede,
};

/// The rule of conflicting rows.
pub(crate) const CONFLICT: &str = "V19";
/// The rule of records that wait for a rate.
pub(crate) const NO_RATE: &str = "V18";

/// Which quarantined records to show; every field that is set must match.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub source: Option<String>,
    pub table: Option<String>,
    pub rule: Option<String>,
    /// A part of the file's name.
    pub file: Option<String>,
    pub line: Option<i64>,
    pub batch: Option<String>,
    /// `Some(true)`: only those that were resolved, `Some(false)`: only those that still wait.
    pub resolved: Option<bool>,
    /// At most so many, the first by source, file and line.
    pub limit: Option<usize>,
}

/// One row of the quarantine.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub source_file_id: String,
    pub source: String,
    pub file: String,
    pub rejected: Rejected,
}

impl Entry {
    /// A row that lost a conflict, on its way in (`line` of its file) or out of the table (line 0).
    pub fn conflict(
        source: &str,
        file: &BatchFile,
        table: &Table,
        line: i64,
        key: u128,
        rank: Rank,
        raw: String,
    ) -> Entry {
        let rejected = Rejected {
            table: table.name.into(),
            line,
            field: Some("row_key".into()),
            value: Some(conflict_value(key, rank)),
            rule: CONFLICT,
            severity: Severity::Quarantine,
            message: format!(
                "another row has this key ({}) and source_version {} with other content, and the greater content hash stays",
                table.key.join(", "),
                rank.version
            ),
            raw,
            record: None,
        };
        Entry { source_file_id: file.id.clone(), source: source.into(), file: file.uri.clone(), rejected }
    }
    fn is_displaced(&self) -> bool {
        self.rejected.rule == CONFLICT && self.rejected.line == 0
    }
}

/// How a conflict's row is named in `value`: key, version, content hash.
fn conflict_value(key: u128, rank: Rank) -> String {
    format!("{key:032x} version {} content {:016x}", rank.version, rank.hash)
}

/// The key and version in a conflict's `value`.
fn parse_conflict(value: &str) -> Option<(u128, i64)> {
    let mut words = value.split(' ');
    let key = u128::from_str_radix(words.next()?, 16).ok()?;
    Some((key, words.nth(1)?.parse().ok()?))
}

/// The quarantined records that match, all columns; those that landed after all have `resolved_at`.
pub(crate) async fn list(lake: &Lake, filter: &Filter) -> Result<RecordBatch> {
    let mut found = Vec::new();
    each(lake, filter, |rows| {
        found.push(rows);
        Ok(())
    })
    .await?;
    let all = concat_batches(&QUARANTINE.schema(), &found)?;
    let by = |name: &str| all.column_by_name(name).map(|c| SortColumn { values: c.clone(), options: None });
    let by: Vec<SortColumn> =
        ["source", "file", "line", "table_name", "rule", "value"].into_iter().filter_map(by).collect();
    Ok(take_record_batch(&all, &lexsort_to_indices(&by, filter.limit)?)?)
}

/// Calls `visit` with the quarantined records that match, a part of a file at a time.
pub(crate) async fn each(lake: &Lake, filter: &Filter, mut visit: impl FnMut(RecordBatch) -> Result<()>) -> Result<()> {
    let state = lake.state(&QUARANTINE).await?;
    for file in &state.files {
        let mut batches = lake.batches(&state, file, None).await?;
        while let Some(batch) = batches.try_next().await? {
            let found = filter_record_batch(&batch, &matching(&batch, filter)?)?;
            if found.num_rows() > 0 {
                visit(found)?;
            }
        }
    }
    Ok(())
}

fn matching(batch: &RecordBatch, filter: &Filter) -> Result<BooleanArray> {
    let exact = [
        ("source", &filter.source),
        ("table_name", &filter.table),
        ("rule", &filter.rule),
        ("batch_id", &filter.batch),
    ];
    let mut keep = vec![true; batch.num_rows()];
    for (column, wanted) in exact.into_iter().filter_map(|(c, w)| w.as_deref().map(|w| (c, w))) {
        let values = texts(batch, column)?;
        keep.iter_mut().enumerate().for_each(|(row, k)| *k &= values.value(row) == wanted);
    }
    if let Some(part) = &filter.file {
        let values = texts(batch, "file")?;
        keep.iter_mut().enumerate().for_each(|(row, k)| *k &= values.value(row).contains(part.as_str()));
    }
    if let Some(line) = filter.line {
        let values = longs(batch, "line")?;
        keep.iter_mut().enumerate().for_each(|(row, k)| *k &= values.value(row) == line);
    }
    if let Some(resolved) = filter.resolved {
        let values = instants(batch, "resolved_at")?;
        keep.iter_mut().enumerate().for_each(|(row, k)| *k &= values.is_valid(row) == resolved);
    }
    Ok(BooleanArray::from(keep))
}
