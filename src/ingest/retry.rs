//! Records that wait in the quarantine are tried again, by today's definitions and rates: those that lack a rate (V18) by
//! themselves when rates have landed, any others when someone asks. It must not read files: the quarantine keeps the
//! records' fields.
//!
//! A record that lands now, or that another rule stops, is resolved in the quarantine; the accounts of its file get a
//! correction row of status `retried` (see [`audit`]). Several processes may try the same record: whichever resolves it
//! accounts for it. One that the same rule stops stays as it is. Of a record only the fields are kept that the definition
//! looked at then, and the counts that keys were made from: where a later definition may look at more (`fits`), only a
//! replay is sound.

mod told;
mod waiting;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::account::{FileAccount, Retried};
use super::audit::{self, Audited, CORRECTIONS, FileRow, LandedFile, Status};
use super::batch::Batch;
use super::commit::Writer;
use super::land::BatchFile;
use super::map::ReplayRecord;
use super::mapped::Mapped;
use super::progress::Progress;
use super::quarantine::{self, Filter, NO_RATE, Records, Resolution};
use super::source::{Format, Source};
use super::{Ingest, definition};
use crate::error::{ErrorKind, Result};
use crate::lake::UnfinishedFile;
use crate::model::QUARANTINE;
use told::Told;
use waiting::{Parts, Waiting, WaitingFile};

/// The application id of commits that complete what several sources began.
const RETRY: &str = "retry";

/// Rows take a few times as much memory as the fields that they are mapped from.
const GROWTH: u64 = 4;

/// Tries all records again that lack a rate, source by source. `current`: files being landed, which the audit does not
/// know yet.
pub(super) async fn retry(
    ingest: &Ingest,
    current: HashMap<String, Audited>,
    progress: &dyn Progress,
) -> Result<Vec<Retried>> {
    let filter = Filter { rule: Some(NO_RATE.into()), ..Filter::default() };
    retry_all(ingest, &filter, current, false, progress).await
}

/// Tries the waiting records that match `filter` again.
pub(super) async fn retry_matching(
    ingest: &Ingest,
    filter: &Filter,
    dry_run: bool,
    progress: &dyn Progress,
) -> Result<Vec<Retried>> {
    retry_all(ingest, filter, HashMap::new(), dry_run, progress).await
}

async fn retry_all(
    ingest: &Ingest,
    filter: &Filter,
    current: HashMap<String, Audited>,
    dry_run: bool,
    progress: &dyn Progress,
) -> Result<Vec<Retried>> {
    if !dry_run {
        complete(ingest).await?;
    }
    let mut retried = Vec::new();
    for name in waiting::sources(&ingest.lake, filter).await? {
        match ingest.sources.get(&name) {
            Ok(source) => {
                let attempt = Attempt { ingest, source, current: &current, dry_run, progress };
                retried.push(attempt.run(filter).await?);
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {
                tracing::warn!(source = name, "records wait, but their source is gone")
            }
            Err(e) => return Err(e),
        }
    }
    Ok(retried)
}

/// Completes attempts before that were cut off between the quarantine and the accounts.
async fn complete(ingest: &Ingest) -> Result<()> {
    if !ingest.lake.state(&QUARANTINE).await?.exists() {
        return Ok(());
    }
    ingest.lake.look_for_cut_off().await?;
    let batch_id = ingest.new_batch_id();
    let writer = Writer { lake: &ingest.lake, source: RETRY, batch_id: &batch_id, clock: ingest.clock };
    if audit::complete(writer).await? {
        ingest.lake.catch_up().await?;
    }
    Ok(())
}

/// One source's records, tried again.
struct Attempt<'a> {
    ingest: &'a Ingest,
    source: Arc<Source>,
    /// Files being landed, which the audit does not know yet.
    current: &'a HashMap<String, Audited>,
    dry_run: bool,
    progress: &'a dyn Progress,
}

/// The files of a part that have landed, by their ids.
type Files = BTreeMap<String, LandedFile>;

impl Attempt<'_> {
    /// A part at a time, so that however many wait, no more are in memory than may be.
    async fn run(self, filter: &Filter) -> Result<Retried> {
        let mut sum = Retried { source: self.source.name.clone(), dry_run: self.dry_run, ..Retried::default() };
        let most = self.ingest.batch_bytes / GROWTH;
        let mut parts = Parts::of(&self.ingest.lake, filter, &self.source.name, most);
        while let Some(waiting) = parts.next().await? {
            self.part(waiting, &mut sum).await?;
        }
        Ok(sum)
    }

    async fn part(&self, waiting: Waiting, sum: &mut Retried) -> Result<()> {
        let Attempt { ingest, source, .. } = self;
        let (batch_id, started) = (ingest.new_batch_id(), ingest.clock.now_micros());
        if sum.batch_id.is_empty() {
            sum.batch_id.clone_from(&batch_id);
        }
        let writer = Writer { lake: &ingest.lake, source: &source.name, batch_id: &batch_id, clock: ingest.clock };
        let rates = ingest.rates().await?;
        let landed = audit::landed_files(&ingest.lake, |_, id| waiting.contains_key(id)).await?;
        let mut batch = Batch::new(writer, self.progress).knowing(ingest).waited();
        let mut done: HashMap<(String, i64), Resolution<'static>> = HashMap::new();
        for (id, mut file) in waiting {
            let before = file.records.len();
            let today = made_today(source, landed.get(&id));
            file.records.retain(|_, (json, rules)| fits(source, today, json, rules));
            sum.stale += (before - file.records.len()) as u64;
            sum.tried += file.records.len() as u64;
            if file.records.is_empty() {
                continue;
            }
            let mut mapper = ingest.mapper(source, &rates, id.clone(), &file.uri, file.read);
            let records = file.records.iter().map(|(line, (json, _))| ReplayRecord { line: *line, json: json.clone() });
            let mut mapped = mapper.map_records(records.collect()).await?;
            let still = still(&mut mapped, &file);
            sum.waiting += still.len() as u64;
            let verdicts = file.records.keys().filter(|line| !still.contains(line));
            let landing = landing(&mapped);
            done.extend(verdicts.map(|line| {
                let lands = landing.contains(line);
                ((id.clone(), *line), if lands { Resolution::Landed } else { Resolution::Superseded })
            }));
            if self.dry_run {
                sum.landed += landing.len() as u64;
                sum.quarantined += mapped.rejected.len() as u64;
                sum.skipped += mapped.skipped.values().sum::<u64>();
                continue;
            }
            let number = batch.file(BatchFile { id, uri: file.uri });
            batch.push(number, mapped)?;
        }
        if !done.is_empty() && !self.dry_run {
            let file = |f: &BatchFile| UnfinishedFile {
                file_id: f.id.clone(),
                source: source.name.clone(),
                uri: f.uri.clone(),
                waited: true,
                replayed: false,
            };
            let files = batch.files.iter().map(file).collect();
            let unit = ingest.lake.begin_landing(&batch_id, files).await?;
            self.land(writer, batch, done, (&landed, started), sum).await?;
            unit.publish().await?;
        }
        Ok(())
    }

    async fn land(
        &self,
        writer: Writer<'_>,
        mut batch: Batch<'_>,
        done: HashMap<(String, i64), Resolution<'static>>,
        (landed, started): (&Files, i64),
        sum: &mut Retried,
    ) -> Result<()> {
        // What another rule stops now has its new entry before the old one is resolved.
        let stopped: HashSet<(String, i64, &'static str)> =
            batch.rejected.iter().map(|(file, r)| (batch.files[*file].id.clone(), r.line, r.rule)).collect();
        let flushed = batch.flush().await?;
        let verdict = |k: &quarantine::Place| {
            let resolution = done.get(&(k.source_file_id.to_string(), k.line))?;
            let fresh = stopped.contains(&(k.source_file_id.to_string(), k.line, k.rule));
            (k.rule != quarantine::CONFLICT && !fresh).then_some(*resolution)
        };
        let now = writer.clock.now_micros();
        let told = Told { files: &batch.files, flushed: &flushed, now };
        // The records leave the quarantine together with what is to be said of them: of those that this commit resolves,
        // for another process may have resolved the others since we looked.
        let say = |records: &Records| -> Result<Map<String, Value>> {
            if records.is_empty() {
                return Ok(Map::new());
            }
            let said =
                audit::corrections(&self.rows(landed, &told.accounts(records), started), &told.tables(records)?)?;
            Ok(Map::from_iter([(CORRECTIONS.to_string(), said)]))
        };
        let records = quarantine::resolve_saying(writer, say, verdict).await?;
        let resolved = records.values().map(BTreeSet::len).sum::<usize>();
        // What others resolved did not wait any more.
        sum.tried = sum.tried.saturating_sub(done.len().saturating_sub(resolved) as u64);
        if records.is_empty() {
            return Ok(());
        }
        let accounts = told.accounts(&records);
        for account in &accounts {
            sum.landed += account.landed;
            sum.duplicate += account.duplicate;
            sum.late_ignored += account.late_ignored;
            sum.skipped += account.skipped;
            sum.quarantined += account.quarantined;
        }
        audit::write(writer, &self.rows(landed, &accounts, started), &told.tables(&records)?).await
    }

    /// Corrections to the accounts of these files.
    fn rows(&self, landed: &Files, accounts: &[FileAccount], started: i64) -> Vec<FileRow> {
        let row = |account: &FileAccount| {
            let id = account.source_file_id.clone();
            let file = self.current.get(&id).or_else(|| landed.get(&id).map(|known| &known.file))?.clone();
            // Those that another rule stops were quarantined before and still are.
            let account = FileAccount { quarantined: 0, ..account.clone() };
            Some(FileRow { id, file, account, started, status: Status::Retried, definition: None })
        };
        accounts.iter().filter_map(row).collect()
    }
}

/// The lines of records that a rule stops which stopped them before; they are taken out of `mapped`.
fn still(mapped: &mut Mapped, file: &WaitingFile) -> HashSet<i64> {
    let same = |line: i64, rule: &str| file.records.get(&line).is_some_and(|(_, rules)| rules.contains(rule));
    let still: HashSet<i64> = mapped.rejected.iter().filter(|r| same(r.line, r.rule)).map(|r| r.line).collect();
    mapped.rejected.retain(|r| !still.contains(&r.line));
    mapped.records -= still.len() as u64;
    still
}

/// The lines of records that have rows.
fn landing(mapped: &Mapped) -> HashSet<i64> {
    mapped.tables.iter().flat_map(|t| t.record.iter().copied()).collect()
}

/// Whether today's definition is that by which the file was read; `None`: not known.
fn made_today(source: &Source, file: Option<&LandedFile>) -> Option<bool> {
    let then = file?.definition.as_ref()?;
    Some(*then == definition::hash(source))
}

/// Whether what is kept of a record is enough for today's definition.
fn fits(source: &Source, made_today: Option<bool>, json: &str, rules: &BTreeSet<String>) -> bool {
    if made_today == Some(true) || (made_today.is_none() && rules.contains(NO_RATE)) {
        return true;
    }
    // Keys made from content need all records of a file: equal ones are counted.
    if source.header.key.is_some() {
        return false;
    }
    // Of a JSON record everything is kept.
    if source.header.read.format == Format::Ndjson {
        return true;
    }
    let Ok(kept) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(json) else { return false };
    source.columns.iter().all(|wanted| kept.keys().any(|c| c.eq_ignore_ascii_case(wanted)))
}
