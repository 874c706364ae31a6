//! Writing the quarantine: what is new is added and what is over is resolved, in one commit. What waits, or was
//! discarded, is not added again; what was resolved otherwise and is stopped once more waits once more.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use futures::TryStreamExt;
use serde_json::{Map, Value};

use super::{CONFLICT, Entry, parse_conflict};
use crate::error::Result;
use crate::ingest::audit;
use crate::ingest::columns::{instant_column, instants, longs, replace_column, text_at, texts};
use crate::ingest::commit::{Attempts, Edit, Writer};
use crate::ingest::land::{BatchFile, Displaced};
use crate::ingest::mapped::Rejected;
use crate::lake::Kept;
use crate::model::{QUARANTINE, Table};

/// Puts displaced rows into the quarantine. Their files are looked up in the audit, else among the batch's own.
pub(crate) async fn keep_displaced(
    writer: Writer<'_>,
    table: &Table,
    rows: Vec<Displaced>,
    files: &[BatchFile],
) -> Result<()> {
    let ids: HashSet<&str> = rows.iter().map(|r| r.source_file_id.as_str()).collect();
    let known = audit::landed_files(writer.lake, |_, id| ids.contains(id)).await?;
    let entry = |row: Displaced| {
        let own = files.iter().find(|f| f.id == row.source_file_id).map(|f| (writer.source, f.uri.as_str()));
        let audited = known.get(&row.source_file_id).map(|f| (f.file.source.as_str(), f.file.uri.as_str()));
        // A file whose landing was interrupted has no audit row; its id is all that is left of it.
        let (source, uri) = own.or(audited).unwrap_or((writer.source, ""));
        let file = BatchFile { id: row.source_file_id, uri: uri.into() };
        Entry::conflict(source, &file, table, 0, row.key, row.rank, row.json)
    };
    append(writer, rows.into_iter().map(entry).collect()).await
}

/// Adds what is not there yet.
pub(crate) async fn append(writer: Writer<'_>, entries: Vec<Entry>) -> Result<()> {
    resolve(writer, entries, |_| None).await.map(drop)
}

/// A row of the quarantine, as far as it says which one it is.
pub(crate) struct Place<'a> {
    pub source_file_id: &'a str,
    pub table: &'a str,
    pub line: i64,
    pub rule: &'a str,
    pub value: Option<&'a str>,
}

/// What became of a record that waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolution<'n> {
    /// It is in the lake now, or something newer under its key.
    Landed,
    /// Someone decided that it will not land: who and why.
    Discarded(&'n str),
    /// A newer version made its conflict moot, or it is stopped by another rule or skipped now.
    Superseded,
}

impl Resolution<'_> {
    fn word(self) -> &'static str {
        match self {
            Resolution::Landed => LANDED,
            Resolution::Discarded(_) => DISCARDED,
            Resolution::Superseded => SUPERSEDED,
        }
    }
    fn note(&self) -> Option<&str> {
        match self {
            Resolution::Discarded(note) => Some(note),
            Resolution::Landed | Resolution::Superseded => None,
        }
    }
}

const LANDED: &str = "landed";
const DISCARDED: &str = "discarded";
const SUPERSEDED: &str = "superseded";

/// What writing the quarantine came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub added: u64,
    /// Resolved in whatever way.
    pub resolved: u64,
    pub landed: u64,
}

/// Adds the entries that are not there yet, and in the same commit resolves those waiting rows of which `verdict` says how.
pub(crate) async fn resolve<'n>(
    writer: Writer<'_>,
    entries: Vec<Entry>,
    verdict: impl Fn(&Place) -> Option<Resolution<'n>>,
) -> Result<Written> {
    Ok(write(writer, &entries, false, nothing, verdict).await?.0)
}

/// Records, by the id of their file: their lines.
pub(crate) type Records = BTreeMap<String, BTreeSet<i64>>;

/// Resolves those waiting rows of which `verdict` says how, and returns the records that this did resolve: others may have
/// resolved some in the meantime. The commit says of itself what `say` makes of them.
pub(crate) async fn resolve_saying<'n>(
    writer: Writer<'_>,
    say: impl Fn(&Records) -> Result<Map<String, Value>>,
    verdict: impl Fn(&Place) -> Option<Resolution<'n>>,
) -> Result<Records> {
    Ok(write(writer, &[], false, say, verdict).await?.1)
}

fn nothing(_: &Records) -> Result<Map<String, Value>> {
    Ok(Map::new())
}

/// As [`resolve`], for files that are replayed: a row that loses a conflict and waits already, wherever it was met, is not
/// added again.
pub(crate) async fn replay<'n>(
    writer: Writer<'_>,
    entries: Vec<Entry>,
    verdict: impl Fn(&Place) -> Option<Resolution<'n>>,
) -> Result<Written> {
    Ok(write(writer, &entries, true, nothing, verdict).await?.0)
}

async fn write<'n>(
    writer: Writer<'_>,
    entries: &[Entry],
    conflicts_once: bool,
    say: impl Fn(&Records) -> Result<Map<String, Value>>,
    verdict: impl Fn(&Place) -> Option<Resolution<'n>>,
) -> Result<(Written, Records)> {
    let at = writer.clock.now_micros();
    let mut attempts = Attempts::new(writer, &QUARANTINE);
    loop {
        let state = writer.lake.state(&QUARANTINE).await?;
        let mut edit = Edit::default();
        let mut records = Records::new();
        let mut seen = Seen::new(entries, conflicts_once);
        let mut written = Written::default();
        for file in &state.files {
            let mut hits = Vec::new();
            for batch in writer.lake.read(&state, file, Some(IDENTITY)).await? {
                scan(&batch, &verdict, &mut seen, &mut hits, &mut records)?;
            }
            written.resolved += hits.iter().flatten().count() as u64;
            written.landed += hits.iter().filter(|h| **h == Some(Resolution::Landed)).count() as u64;
            if hits.iter().any(Option::is_some) {
                let mut batches = writer.lake.batches(&state, file, None).await?;
                let mut left = hits.as_slice();
                while let Some(batch) = batches.try_next().await? {
                    let here = left.split_off(..batch.num_rows()).unwrap_or_default();
                    edit.add.push(resolved(&batch, here, at)?);
                }
                let rows = BooleanBuffer::collect_bool(hits.len(), |row| hits[row].is_none());
                edit.keep.push(Kept { file: file.clone(), rows });
                edit.remove.push(file.clone());
            }
        }
        let fresh = seen.fresh(entries);
        written.added = fresh.len() as u64;
        if !fresh.is_empty() {
            edit.add.push(rows(writer.batch_id, at, &fresh)?);
        }
        edit.info = say(&records)?;
        if attempts.commit(&state, edit).await?.is_some() {
            return Ok((written, records));
        }
    }
}

/// Those of the rows that are hit, as resolved.
fn resolved(rows: &RecordBatch, hits: &[Option<Resolution<'_>>], at: i64) -> Result<RecordBatch> {
    let hit = BooleanArray::from(hits.iter().map(Option::is_some).collect::<Vec<_>>());
    let rows = filter_record_batch(rows, &hit)?;
    let hits = || hits.iter().flatten();
    let new = replace_column(&rows, "resolved_at", instant_column(hits().map(|_| Some(at))))?;
    let words: ArrayRef = Arc::new(hits().map(|hit| Some(hit.word())).collect::<StringArray>());
    let new = replace_column(&new, "resolution", words)?;
    let notes: ArrayRef = Arc::new(hits().map(Resolution::note).collect::<StringArray>());
    replace_column(&new, "resolution_note", notes)
}

/// The columns that say which record a row is about, and whether it waits.
const IDENTITY: &[&str] = &["source_file_id", "table_name", "line", "value", "rule", "resolved_at", "resolution"];

fn scan<'n>(
    batch: &RecordBatch,
    verdict: &impl Fn(&Place) -> Option<Resolution<'n>>,
    seen: &mut Seen,
    hits: &mut Vec<Option<Resolution<'n>>>,
    records: &mut Records,
) -> Result<()> {
    let (files, tables, rules) = (texts(batch, "source_file_id")?, texts(batch, "table_name")?, texts(batch, "rule")?);
    let (lines, values, done) = (longs(batch, "line")?, texts(batch, "value")?, instants(batch, "resolved_at")?);
    let resolutions = texts(batch, "resolution")?;
    for row in 0..batch.num_rows() {
        let known = Place {
            source_file_id: files.value(row),
            table: tables.value(row),
            line: lines.value(row),
            rule: rules.value(row),
            value: text_at(values, row),
        };
        let waits = done.is_null(row);
        if waits || text_at(resolutions, row) == Some(DISCARDED) {
            seen.note(&known);
        }
        let hit = if waits { verdict(&known) } else { None };
        if hit.is_some() {
            records.entry(known.source_file_id.into()).or_default().insert(known.line);
        }
        hits.push(hit);
    }
    Ok(())
}

/// Which of the entries to add are there already.
struct Seen {
    /// By file, then the identities found in it.
    places: HashMap<String, HashSet<(String, i64, String, String)>>,
    /// (table, value) of the conflicting rows that are there.
    conflicts: HashSet<(String, String)>,
    /// Conflicts count as there wherever they were met, not only those of displaced rows.
    conflicts_once: bool,
    any_displaced: bool,
}

impl Seen {
    fn new(entries: &[Entry], conflicts_once: bool) -> Seen {
        let places = entries.iter().map(|e| (e.source_file_id.clone(), HashSet::new())).collect();
        let any_displaced = conflicts_once || entries.iter().any(Entry::is_displaced);
        Seen { places, conflicts: HashSet::new(), conflicts_once, any_displaced }
    }
    fn note(&mut self, known: &Place<'_>) {
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
                let known =
                    Place { source_file_id: &entry.source_file_id, table, line: *line, rule, value: value.as_deref() };
                let row = (table.clone(), value.clone().unwrap_or_default());
                let place = (
                    table.clone(),
                    *line,
                    rule.to_string(),
                    if *rule == CONFLICT { row.1.clone() } else { String::new() },
                );
                let anywhere = displaced || (self.conflicts_once && *rule == CONFLICT);
                let there = self.places.get(&entry.source_file_id).is_some_and(|p| p.contains(&place))
                    || (anywhere && self.conflicts.contains(&row));
                if !there {
                    self.note(&known);
                    fresh.push(entry);
                }
            }
        }
        fresh
    }
}

/// Resolves the open conflicts on `superseded` (table, key, version): a greater version has made them moot.
pub(crate) async fn supersede(writer: Writer<'_>, superseded: &HashSet<(String, u128, i64)>) -> Result<()> {
    if superseded.is_empty() {
        return Ok(());
    }
    let moot = |known: &Place| {
        let parsed = known.value.filter(|_| known.rule == CONFLICT).and_then(parse_conflict);
        let moot = parsed.is_some_and(|(key, version)| superseded.contains(&(known.table.to_string(), key, version)));
        moot.then_some(Resolution::Superseded)
    };
    resolve(writer, Vec::new(), moot).await.map(drop)
}

/// Entries as rows of the quarantine's contract.
fn rows(batch_id: &str, at: i64, entries: &[&Entry]) -> Result<RecordBatch> {
    let text = |get: fn(&Entry) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(entries.iter().map(|e| get(e))))
    };
    let maybe = |get: fn(&Entry) -> Option<&str>| -> ArrayRef {
        Arc::new(StringArray::from_iter(entries.iter().map(|e| get(e))))
    };
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
        Arc::new(StringArray::new_null(entries.len())),
        Arc::new(StringArray::new_null(entries.len())),
    ];
    Ok(RecordBatch::try_new(QUARANTINE.schema(), columns)?)
}
