//! Landing files of one source: which are new, read and map them, batch by batch, and account for them.
//! It must not decide what becomes of a row, nor know layouts.
//!
//! Files are grouped up to a number of records or bytes into one commit per table; a larger file takes several. A file is marked
//! as landed when all of it is in the tables, last of all, so an interrupted landing is completed by the next one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::account::{Account, FileAccount};
use super::audit::{self, Audited, FileRow, TableRows};
use super::batch::Batch;
use super::commit::Writer;
use super::files::InputFile;
use super::land::BatchFile;
use super::progress::Progress;
use super::read::Input;
use super::source::Source;
use super::{Ingest, quarantine, retry};
use crate::error::Result;

/// A file that is being landed, under the number that it has in the batch.
struct Open {
    id: String,
    file: Audited,
    started: i64,
    account: FileAccount,
    /// Read to its end.
    complete: bool,
    /// Marked as landed.
    audited: bool,
}

/// One call of [`Ingest::run`] while it lands.
struct Landing<'a> {
    ingest: &'a Ingest,
    writer: Writer<'a>,
    progress: &'a dyn Progress,
    batch: Batch<'a>,
    open: Vec<Open>,
    /// Of files that are not complete.
    tables: TableRows,
    /// Of files that are read again: the lines and rules that stop records this time, by the file's id.
    stopped: HashMap<String, HashSet<(i64, &'static str)>>,
    account: Account,
}

/// Lands those of `files` whose bytes are not known yet.
pub(super) async fn run(
    ingest: &Ingest,
    source: &Arc<Source>,
    files: &[InputFile],
    progress: &dyn Progress,
) -> Result<Account> {
    let mut known: HashSet<String> =
        if ingest.again { HashSet::new() } else { audit::landed(&ingest.lake, &source.name).await? };
    // The same bytes twice in one call are read once.
    let new: Vec<&InputFile> = files.iter().filter(|f| known.insert(f.sha256.clone())).collect();
    progress.begin(&source.name, new.len(), files.len() - new.len(), new.iter().map(|f| f.size).sum());
    let mut account = Account { source: source.name.clone(), ..Account::default() };
    if !new.is_empty() {
        account.batch_id = ingest.new_batch_id();
        let batch_id = account.batch_id.clone();
        let writer = Writer { lake: &ingest.lake, source: &source.name, batch_id: &batch_id, clock: ingest.clock };
        let (batch, open, tables) = (Batch::new(writer, progress), Vec::new(), TableRows::new());
        account = Landing { ingest, writer, progress, batch, open, tables, stopped: HashMap::new(), account }
            .land(source, &new)
            .await?;
    }
    let mut landed: BTreeMap<String, FileAccount> = account.files.drain(..).map(|f| (f.file.clone(), f)).collect();
    account.files =
        files.iter().map(|file| landed.remove(&file.uri).unwrap_or_else(|| already(file, source))).collect();
    progress.end(&source.name);
    Ok(account)
}

fn already(file: &InputFile, source: &Source) -> FileAccount {
    FileAccount {
        file: file.uri.clone(),
        source_file_id: file.id(&source.name),
        already: true,
        ..FileAccount::default()
    }
}

impl Landing<'_> {
    async fn land(mut self, source: &Arc<Source>, files: &[&InputFile]) -> Result<Account> {
        let rates = self.ingest.rates().await?;
        for file in files {
            self.progress.file(&file.uri);
            let number = self.begin(file, source);
            let id = self.open[number].id.clone();
            let mut mapper = self.ingest.mapper(source, &rates, id, &file.uri, file.modified_micros);
            let mut records = mapper.open(Input::Path(file.path.clone())).await?;
            while let Some(mapped) = records.next().await? {
                self.progress.records(mapped.records);
                if self.ingest.again {
                    let stopped = self.stopped.entry(self.open[number].id.clone()).or_default();
                    stopped.extend(mapped.rejected.iter().map(|r| (r.line, r.rule)));
                }
                self.batch.push(number, mapped)?;
                if self.batch.records() >= self.ingest.batch_records || self.batch.bytes() >= self.ingest.batch_bytes {
                    self.flush().await?;
                }
            }
            self.open[number].complete = true;
            self.progress.file_done(&file.uri, file.size);
        }
        self.flush().await?;
        self.account.files = self.open.into_iter().map(|o| o.account).collect();
        Ok(self.account)
    }

    fn begin(&mut self, file: &InputFile, source: &Source) -> usize {
        let id = file.id(&source.name);
        let audited = Audited {
            source: source.name.clone(),
            source_system: source.system.clone(),
            uri: file.uri.clone(),
            sha256: file.sha256.clone(),
        };
        let account = FileAccount { file: file.uri.clone(), source_file_id: id.clone(), ..FileAccount::default() };
        let started = self.ingest.clock.now_micros();
        self.open.push(Open { id: id.clone(), file: audited, started, account, complete: false, audited: false });
        self.batch.file(BatchFile { id, uri: file.uri.clone() })
    }

    /// Lands what waits, tries waiting records again if rates were in it, and marks the files that are complete.
    async fn flush(&mut self) -> Result<()> {
        let done = |o: &Open| o.complete && !o.audited;
        if self.batch.records() == 0 && !self.open.iter().any(done) {
            return Ok(());
        }
        let unit = self.ingest.lake.begin(self.writer.batch_id).await?;
        let flushed = self.batch.flush().await?;
        for (open, landed) in self.open.iter_mut().zip(&flushed.files) {
            open.account.add(landed);
        }
        for ((file, table), rows) in flushed.tables {
            self.account.tables.entry(table.to_string()).or_default().add(&rows.account);
            self.tables.entry((file, table)).and_modify(|t| t.add(&rows)).or_insert(rows);
        }
        if flushed.rates {
            // Before the files with the rates are marked: if this is cut off, they are read again, and so is this.
            let current = self.open.iter().map(|o| (o.id.clone(), o.file.clone())).collect();
            self.account.retried.extend(retry::retry(self.ingest, current, self.progress).await?);
        }
        let rows: Vec<FileRow> = self.open.iter().filter(|o| done(o)).map(Open::row).collect();
        let ids: HashSet<&str> = rows.iter().map(|r| r.id.as_str()).collect();
        let tables = self.tables.extract_if(.., |(file, _), _| ids.contains(file.as_str())).collect();
        if self.ingest.again && !ids.is_empty() {
            self.account.freed += self.free(&ids).await?;
        }
        audit::write(self.writer, &rows, &tables).await?;
        self.open.iter_mut().filter(|o| done(o)).for_each(|o| o.audited = true);
        unit.publish().await
    }
}

impl Landing<'_> {
    /// Resolves what is in the quarantine of files that have been read again, and was not stopped this time. Conflicts
    /// between rows (V19) are settled by versions, not by reading again.
    async fn free(&self, files: &HashSet<&str>) -> Result<u64> {
        let over = |k: &quarantine::Known| {
            files.contains(k.source_file_id)
                && k.rule != quarantine::CONFLICT
                && !self.stopped.get(k.source_file_id).is_some_and(|s| s.iter().any(|s| *s == (k.line, k.rule)))
        };
        quarantine::resolve(self.writer, Vec::new(), over).await
    }
}

impl Open {
    fn row(&self) -> FileRow {
        FileRow {
            id: self.id.clone(),
            file: self.file.clone(),
            account: self.account.clone(),
            started: self.started,
            retried: false,
        }
    }
}
