//! The quarantine: records that did not land, each with the place it came from and the rule that stopped it.
//! It must not decide what lands.
//!
//! What is there once is not written again: a record stopped by one rule is known by (file, table, line, rule), a row
//! that lost a conflict (V19) also by its key, version and content hash. A row that a greater hash displaced from its
//! table has line 0, for only its file is known, and the row as it was stored in place of the raw record; it is not
//! written when that very row is there already. So the *set* of losing rows (table, key, version, hash) does not
//! depend on arrival. A conflict below a greater version is moot: its rows are resolved when that version is seen.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch, SortColumn};

use super::columns::{instant_column, instants, longs, replace_column, text_at, texts};
use super::commit::{Attempts, Edit, Writer};
use super::decide::Rank;
use super::land::{BatchFile, Displaced};
use super::mapped::Rejected;
use crate::error::Result;
use crate::lake::Lake;
use crate::model::{QUARANTINE, Severity, Table};

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
    pub fn conflict(source: &str, file: &BatchFile, table: &Table, line: i64, key: u128, rank: Rank, raw: String) -> Entry {
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
    let state = lake.state(&QUARANTINE).await?;
    let mut found = Vec::new();
    for file in &state.files {
        for batch in lake.read(&state, file, None).await? {
            found.push(filter_record_batch(&batch, &matching(&batch, filter)?)?);
        }
    }
    let all = concat_batches(&QUARANTINE.schema(), &found)?;
    let by = |name: &str| all.column_by_name(name).map(|c| SortColumn { values: c.clone(), options: None });
    let by: Vec<SortColumn> = ["source", "file", "line", "table_name", "rule", "value"].into_iter().filter_map(by).collect();
    Ok(take_record_batch(&all, &lexsort_to_indices(&by, filter.limit)?)?)
}

fn matching(batch: &RecordBatch, filter: &Filter) -> Result<BooleanArray> {
    let exact = [("source", &filter.source), ("table_name", &filter.table), ("rule", &filter.rule), ("batch_id", &filter.batch)];
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

/// Puts displaced rows into the quarantine. Their files are looked up in the audit, else among the batch's own.
pub(crate) async fn keep_displaced(writer: Writer<'_>, table: &Table, rows: Vec<Displaced>, files: &[BatchFile]) -> Result<()> {
    let known = super::audit::files_by_id(writer.lake).await?;
    let entry = |row: Displaced| {
        let own = files.iter().find(|f| f.id == row.source_file_id).map(|f| (writer.source, f.uri.as_str()));
        let audited = known.get(&row.source_file_id).map(|f| (f.source.as_str(), f.uri.as_str()));
        // A file whose landing was interrupted has no audit row; its id is all that is left of it.
        let (source, uri) = own.or(audited).unwrap_or((writer.source, ""));
        let file = BatchFile { id: row.source_file_id, uri: uri.into() };
        Entry::conflict(source, &file, table, 0, row.key, row.rank, row.json)
    };
    append(writer, rows.into_iter().map(entry).collect()).await
}

/// Adds what is not there yet.
pub(crate) async fn append(writer: Writer<'_>, entries: Vec<Entry>) -> Result<()> {
    resolve(writer, entries, |_| false).await
}

/// A row of the quarantine, as far as it says which one it is.
pub(crate) struct Known<'a> {
    pub source_file_id: &'a str,
    pub table: &'a str,
    pub line: i64,
    pub rule: &'a str,
    pub value: Option<&'a str>,
}

/// Adds the entries that are not there yet, and in the same commit marks those open rows as resolved that `resolved` names.
pub(crate) async fn resolve(writer: Writer<'_>, entries: Vec<Entry>, resolved: impl Fn(&Known) -> bool) -> Result<()> {
    let at = writer.clock.now_micros();
    let mut attempts = Attempts::new(writer, &QUARANTINE);
    loop {
        let state = writer.lake.state(&QUARANTINE).await?;
        let mut edit = Edit::default();
        let mut seen = Seen::new(&entries);
        for file in &state.files {
            let mut hits = Vec::new();
            for batch in writer.lake.read(&state, file, Some(IDENTITY)).await? {
                scan(&batch, &resolved, &mut seen, &mut hits)?;
            }
            if hits.iter().any(|h| *h) {
                let whole = concat_batches(&QUARANTINE.schema(), &writer.lake.read(&state, file, None).await?)?;
                let old = instants(&whole, "resolved_at")?;
                let new = (0..whole.num_rows()).map(|row| if hits[row] { Some(at) } else { old.is_valid(row).then(|| old.value(row)) });
                edit.add.push(replace_column(&whole, "resolved_at", instant_column(new))?);
                edit.remove.push(file.clone());
            }
        }
        let fresh = seen.fresh(&entries);
        if !fresh.is_empty() {
            edit.add.push(rows(writer.batch_id, at, &fresh)?);
        }
        if attempts.commit(&state, edit).await?.is_some() {
            return Ok(());
        }
    }
}

/// The columns that say which record a row is about.
const IDENTITY: &[&str] = &["source_file_id", "table_name", "line", "value", "rule", "resolved_at"];

fn scan(batch: &RecordBatch, resolved: &impl Fn(&Known) -> bool, seen: &mut Seen, hits: &mut Vec<bool>) -> Result<()> {
    let (files, tables, rules) = (texts(batch, "source_file_id")?, texts(batch, "table_name")?, texts(batch, "rule")?);
    let (lines, values, done) = (longs(batch, "line")?, texts(batch, "value")?, instants(batch, "resolved_at")?);
    for row in 0..batch.num_rows() {
        let known = Known {
            source_file_id: files.value(row),
            table: tables.value(row),
            line: lines.value(row),
            rule: rules.value(row),
            value: text_at(values, row),
        };
        seen.note(&known);
        hits.push(done.is_null(row) && resolved(&known));
    }
    Ok(())
}

/// Which of the entries to add are there already.
struct Seen {
    /// By file, then the identities found in it.
    places: HashMap<String, HashSet<(String, i64, String, String)>>,
    /// (table, value) of the conflicting rows that are there.
    conflicts: HashSet<(String, String)>,
    any_displaced: bool,
}

impl Seen {
    fn new(entries: &[Entry]) -> Seen {
        let places = entries.iter().map(|e| (e.source_file_id.clone(), HashSet::new())).collect();
        Seen { places, conflicts: HashSet::new(), any_displaced: entries.iter().any(Entry::is_displaced) }
    }
    fn note(&mut self, known: &Known<'_>) {
        let value = if known.rule == CONFLICT { known.value.unwrap_or_default() } else { "" };
        if self.any_displaced && known.rule == CONFLICT {
            self.conflicts.insert((known.table.into(), value.into()));
        }
        if let Some(places) = self.places.get_mut(known.source_file_id) {
            places.insert((known.table.into(), known.line, known.rule.into(), value.into()));
        }
    }
    /// The entries that are not there, each once, those of incoming records before displaced rows.
    fn fresh<'e>(&mut self, entries: &'e [Entry]) -> Vec<&'e Entry> {
        let mut fresh = Vec::new();
        for displaced in [false, true] {
            for entry in entries.iter().filter(|e| e.is_displaced() == displaced) {
                let Rejected { table, line, rule, value, .. } = &entry.rejected;
                let known = Known { source_file_id: &entry.source_file_id, table, line: *line, rule, value: value.as_deref() };
                let row = (table.clone(), value.clone().unwrap_or_default());
                let place = (table.clone(), *line, rule.to_string(), if *rule == CONFLICT { row.1.clone() } else { String::new() });
                let there = self.places.get(&entry.source_file_id).is_some_and(|p| p.contains(&place));
                if !there && !(displaced && self.conflicts.contains(&row)) {
                    self.note(&known);
                    fresh.push(entry);
                }
            }
        }
        fresh
    }
}

/// The conflicts that wait: (table, key, version).
pub(crate) async fn open_conflicts(lake: &Lake) -> Result<Vec<(String, u128, i64)>> {
    let state = lake.state(&QUARANTINE).await?;
    let mut open = Vec::new();
    for file in &state.files {
        for batch in lake.read(&state, file, Some(&["table_name", "value", "rule", "resolved_at"])).await? {
            let (tables, rules) = (texts(&batch, "table_name")?, texts(&batch, "rule")?);
            let (values, done) = (texts(&batch, "value")?, instants(&batch, "resolved_at")?);
            for row in (0..batch.num_rows()).filter(|row| rules.value(*row) == CONFLICT && done.is_null(*row)) {
                open.extend(text_at(values, row).and_then(parse_conflict).map(|(key, version)| (tables.value(row).to_string(), key, version)));
            }
        }
    }
    Ok(open)
}

/// Resolves the open conflicts on `superseded` (table, key, version): a greater version has made them moot.
pub(crate) async fn supersede(writer: Writer<'_>, superseded: &HashSet<(String, u128, i64)>) -> Result<()> {
    if superseded.is_empty() {
        return Ok(());
    }
    let moot = |known: &Known| {
        let parsed = known.value.filter(|_| known.rule == CONFLICT).and_then(parse_conflict);
        parsed.is_some_and(|(key, version)| superseded.contains(&(known.table.to_string(), key, version)))
    };
    resolve(writer, Vec::new(), moot).await
}

/// Entries as rows of the quarantine's contract.
fn rows(batch_id: &str, at: i64, entries: &[&Entry]) -> Result<RecordBatch> {
    let text = |get: fn(&Entry) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(entries.iter().map(|e| get(e)))) };
    let maybe = |get: fn(&Entry) -> Option<&str>| -> ArrayRef { Arc::new(StringArray::from_iter(entries.iter().map(|e| get(e)))) };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(batch_id, entries.len()))),
        text(|e| &e.source_file_id),
        text(|e| &e.source),
        text(|e| &e.rejected.table),
        text(|e| &e.file),
        Arc::new(Int64Array::from_iter_values(entries.iter().map(|e| e.rejected.line))),
        maybe(|e| e.rejected.field.as_deref()),
        maybe(|e| e.rejected.value.as_deref()),
        text(|e| &e.rejected.raw),
        maybe(|e| e.rejected.record.as_deref()),
        text(|e| e.rejected.rule),
        text(|e| e.rejected.severity.as_str()),
        text(|e| &e.rejected.message),
        instant_column(entries.iter().map(|_| Some(at))),
        instant_column(entries.iter().map(|_| None)),
    ];
    Ok(RecordBatch::try_new(QUARANTINE.schema(), columns)?)
}
