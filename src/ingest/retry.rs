//! Records that wait for an exchange rate (V18) are tried again when rates have landed. It must not read files: the
//! quarantine keeps the records' fields.
//!
//! A record that lands now, or that another rule stops, is resolved in the quarantine; the accounts of its file get a
//! correction row of status `retried` (see [`audit`]). One that still lacks a rate stays as it is.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::Array;

use super::Ingest;
use super::account::{FileAccount, Retried};
use super::audit::{self, Audited, FileRow};
use super::batch::Batch;
use super::columns::{instants, longs, texts};
use super::commit::Writer;
use super::land::BatchFile;
use super::map::ReplayRecord;
use super::progress::Progress;
use super::quarantine::{self, Filter, NO_RATE};
use super::source::Source;
use crate::error::{ErrorKind, Result};

/// The records of one file that wait.
#[derive(Debug, Default)]
struct WaitingFile {
    uri: String,
    records: Vec<ReplayRecord>,
    /// When they were read, µs since 1970: it stands for the time of the file, which is not kept.
    read: i64,
}

/// Tries all waiting records again, source by source. `current`: files being landed, which the audit does not know yet.
pub(super) async fn retry(
    ingest: &Ingest,
    current: HashMap<String, Audited>,
    progress: &dyn Progress,
) -> Result<Vec<Retried>> {
    let waiting = waiting(ingest).await?;
    let mut files = if waiting.is_empty() { HashMap::new() } else { audit::files_by_id(&ingest.lake).await? };
    files.extend(current);
    let mut retried = Vec::new();
    for (name, waiting) in waiting {
        match ingest.sources.get(&name) {
            Ok(source) => retried.push(retry_source(ingest, &source, waiting, &files, progress).await?),
            Err(e) if e.kind() == ErrorKind::NotFound => {
                tracing::warn!(source = name, "records wait for a rate, but their source is gone")
            }
            Err(e) => return Err(e),
        }
    }
    Ok(retried)
}

/// The waiting records by source and file.
async fn waiting(ingest: &Ingest) -> Result<BTreeMap<String, BTreeMap<String, WaitingFile>>> {
    let filter = Filter { rule: Some(NO_RATE.into()), resolved: Some(false), ..Filter::default() };
    let rows = quarantine::list(&ingest.lake, &filter).await?;
    let (sources, ids, uris) = (texts(&rows, "source")?, texts(&rows, "source_file_id")?, texts(&rows, "file")?);
    let (lines, records, seen) = (longs(&rows, "line")?, texts(&rows, "record")?, instants(&rows, "detected_at")?);
    let mut waiting: BTreeMap<String, BTreeMap<String, WaitingFile>> = BTreeMap::new();
    for row in (0..rows.num_rows()).filter(|row| records.is_valid(*row)) {
        let file = waiting.entry(sources.value(row).into()).or_default().entry(ids.value(row).into()).or_default();
        file.uri = uris.value(row).into();
        file.read = file.read.max(seen.value(row));
        file.records.push(ReplayRecord { line: lines.value(row), json: records.value(row).into() });
    }
    Ok(waiting)
}

async fn retry_source(
    ingest: &Ingest,
    source: &Arc<Source>,
    waiting: BTreeMap<String, WaitingFile>,
    files: &HashMap<String, Audited>,
    progress: &dyn Progress,
) -> Result<Retried> {
    let (batch_id, started) = (ingest.new_batch_id(), ingest.clock.now_micros());
    let writer = Writer { lake: &ingest.lake, source: &source.name, batch_id: &batch_id, clock: ingest.clock };
    let rates = ingest.rates().await?;
    let mut batch = Batch::new(writer, progress);
    let mut done: HashSet<(String, i64)> = HashSet::new();
    let mut sum = Retried { source: source.name.clone(), batch_id: batch_id.clone(), ..Retried::default() };
    for (id, file) in &waiting {
        let number = batch.file(BatchFile { id: id.clone(), uri: file.uri.clone() });
        let mut mapper = ingest.mapper(source, &rates, id.clone(), &file.uri, file.read);
        let mut mapped = mapper.map_records(file.records.clone()).await?;
        let still: HashSet<i64> = mapped.rejected.iter().filter(|r| r.rule == NO_RATE).map(|r| r.line).collect();
        mapped.rejected.retain(|r| r.rule != NO_RATE);
        mapped.records -= still.len() as u64;
        sum.tried += file.records.len() as u64;
        sum.waiting += still.len() as u64;
        done.extend(file.records.iter().filter(|r| !still.contains(&r.line)).map(|r| (id.clone(), r.line)));
        batch.push(number, mapped)?;
    }
    if done.is_empty() {
        return Ok(sum);
    }
    let unit = ingest.lake.begin(&batch_id).await?;
    let flushed = batch.flush().await?;
    quarantine::resolve(writer, Vec::new(), |k| {
        k.rule == NO_RATE && done.contains(&(k.source_file_id.to_string(), k.line))
    })
    .await?;
    let mut rows = Vec::new();
    for account in flushed.files.into_iter().filter(|f| f.read > 0) {
        sum.landed += account.landed;
        sum.duplicate += account.duplicate;
        sum.late_ignored += account.late_ignored;
        sum.skipped += account.skipped;
        sum.quarantined += account.quarantined;
        if let Some(file) = files.get(&account.source_file_id) {
            // Those that another rule stops were quarantined before and still are.
            let account = FileAccount { read: 0, quarantined: 0, ..account };
            rows.push(FileRow {
                id: account.source_file_id.clone(),
                file: file.clone(),
                account,
                started,
                retried: true,
            });
        }
    }
    audit::write(writer, &rows, &flushed.tables).await?;
    unit.publish().await?;
    Ok(sum)
}
