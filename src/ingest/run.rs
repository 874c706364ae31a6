//! Landing files of one source: which are new, read and map them, batch by batch, and account for them.
//! It must not decide what becomes of a row, nor know layouts.
//!
//! Files are grouped up to a number of records or bytes into one commit per table; a larger file takes several. A file is marked
//! as landed when all of it is in the tables, last of all, so an interrupted landing is completed by the next one.
//!
//! Files of object stores are fetched, and archives unpacked, one at a time. An archive is marked like a file, with no
//! records of its own, when all its members are: so it is unpacked only once.

use std::collections::HashSet;
use std::sync::Arc;

use super::account::{Account, Failed, FileAccount, counted};
use super::archive::{Archive, Kind, Member, Members};
use super::audit::{self, Audited, FileRow, Ledger, Status, TableRows};
use super::batch::Batch;
use super::commit::Writer;
use super::drift::Seen;
use super::files::{Found, InputFile};
use super::land::BatchFile;
use super::map::blocking;
use super::progress::Progress;
use super::read::{self, Input};
use super::source::Source;
use super::{FxRates, Ingest, definition, drift, retry};
use crate::error::{Error, ErrorKind, Result};
use crate::lake::UnfinishedFile;

/// How many files an error names.
const NAMED: usize = 3;

/// A file that is being landed, under the number that it has in the batch.
struct Open {
    id: String,
    file: Audited,
    started: i64,
    /// The hash of the source's definition.
    definition: String,
    account: FileAccount,
    /// What is written of it when it is complete.
    status: Status,
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
    /// The sha256 of what has been read now.
    read: HashSet<String>,
    /// The file that is being read where it arrived, or whose members are: others may write it.
    in_place: Option<InputFile>,
    /// The lake has a note of files that have landed in part.
    noted: bool,
    rates: Arc<FxRates>,
    /// The columns of the source's files so far.
    seen: Seen,
    told: Vec<Told>,
    account: Account,
}

/// What is told of a file, in the order of the files.
enum Told {
    Known(FileAccount),
    /// The account of this number.
    Open(usize),
}

/// The account of a file that has landed; `None`: it must be looked at.
fn known(ledger: &Ledger, file: &Found, source: &Source) -> Option<FileAccount> {
    match file {
        Found::Local(file) => ledger.has_landed(&source.name, &file.sha256).then(|| already(file, source)),
        Found::Remote(remote) => {
            let id = ledger.version(&source.name, file.uri(), remote.version_tag())?;
            Some(already_as(file.uri(), id))
        }
    }
}

/// Lands those of `files` whose bytes are not known yet.
pub(super) async fn run(
    ingest: &Ingest,
    source: &Arc<Source>,
    files: &[Found],
    progress: &dyn Progress,
) -> Result<Account> {
    ingest.ledger.look(&ingest.lake, ingest.clock.now_micros()).await?;
    let files: Vec<(&Found, Option<FileAccount>)> =
        files.iter().map(|f| (f, known(&ingest.ledger, f, source))).collect();
    let new: Vec<&Found> = files.iter().filter(|(_, known)| known.is_none()).map(|(f, _)| *f).collect();
    progress.begin(&source.name, new.len(), files.len() - new.len(), new.iter().map(|f| f.size()).sum());
    let mut account = Account { source: source.name.clone(), ..Account::default() };
    if new.is_empty() {
        // A landing may have died between its last commit and its head.
        ingest.lake.catch_up().await?;
        account.files = files.into_iter().filter_map(|(_, known)| known).collect();
    } else {
        account.batch_id = ingest.new_batch_id();
        let batch_id = account.batch_id.clone();
        let writer = Writer { lake: &ingest.lake, source: &source.name, batch_id: &batch_id, clock: ingest.clock };
        let (batch, open, tables) = (Batch::new(writer, progress).knowing(ingest), Vec::new(), TableRows::new());
        let (read, rates, told) = (HashSet::new(), ingest.rates().await?, Vec::new());
        let (seen, noted, in_place) = (Seen::load(ingest, source).await?, false, None);
        let landing = Landing {
            ingest,
            writer,
            progress,
            batch,
            open,
            tables,
            read,
            in_place,
            noted,
            rates,
            seen,
            told,
            account,
        };
        account = landing.land(source, files).await?;
    }
    progress.end(&source.name);
    Ok(account)
}

fn already(file: &InputFile, source: &Source) -> FileAccount {
    already_as(&file.uri, file.id(&source.name))
}

fn already_as(uri: &str, id: String) -> FileAccount {
    FileAccount { file: uri.into(), source_file_id: id, already: true, ..FileAccount::default() }
}

impl Landing<'_> {
    /// `files`: with the account of each that is known.
    async fn land(mut self, source: &Arc<Source>, files: Vec<(&Found, Option<FileAccount>)>) -> Result<Account> {
        for (file, known) in files {
            let read = match (known, file) {
                (Some(known), _) => {
                    self.told.push(Told::Known(known));
                    continue;
                }
                (None, Found::Local(local)) => {
                    self.in_place = Some(local.clone());
                    self.take(local, None, source).await
                }
                (None, Found::Remote(remote)) => {
                    self.progress.file(file.uri());
                    // `_temp` goes when the file has been read.
                    let (fetched, _temp) = remote.fetch(&self.ingest.temp_dir).await?;
                    self.in_place = None;
                    self.take(&fetched, Some(remote.version_tag()), source).await
                }
            };
            if let Err(error) = read {
                self.failed(file.uri(), error)?;
            }
        }
        self.flush().await?;
        let mut accounts: Vec<Option<FileAccount>> = self.open.into_iter().map(|o| Some(o.account)).collect();
        let account = |told| match told {
            Told::Known(account) => Some(account),
            Told::Open(number) => accounts.get_mut(number).and_then(Option::take),
        };
        self.account.files = self.told.into_iter().filter_map(account).collect();
        Ok(self.account)
    }

    /// One damaged file must not keep the others out, night after night; what failed beside it stops everything.
    fn failed(&mut self, file: &str, error: Error) -> Result<()> {
        if !matches!(error.kind(), ErrorKind::Invalid | ErrorKind::NotFound) {
            return Err(error);
        }
        self.account.failed.push(Failed::new(file, &error));
        self.open.iter().enumerate().filter(|(_, o)| !o.complete).for_each(|(n, _)| self.batch.forget(n));
        Ok(())
    }

    /// Reads a file, or the members of an archive, unless the bytes are known.
    async fn take(&mut self, file: &InputFile, version: Option<&str>, source: &Arc<Source>) -> Result<()> {
        self.progress.file(&file.uri);
        if !self.is_new(file, source) {
            self.tell_known(file, source);
            if version.is_some() {
                // Known bytes under a new name or version: with a row of its own they need not be fetched again.
                let number = self.begin(file, version, source);
                (self.open[number].status, self.open[number].complete) = (Status::Seen, true);
            }
        } else if let Some(kind) = Kind::of(&file.uri) {
            self.unpack(file, version, kind, source).await?;
        } else {
            self.read(file, version, source).await?;
        }
        self.progress.file_done(&file.uri, file.size);
        Ok(())
    }

    /// Whether these bytes have not landed, nor been met by this landing.
    fn is_new(&mut self, file: &InputFile, source: &Source) -> bool {
        !self.ingest.ledger.has_landed(&source.name, &file.sha256) && self.read.insert(file.sha256.clone())
    }

    /// Of a file that is not new.
    fn tell_known(&mut self, file: &InputFile, source: &Source) {
        self.account.repeated += u64::from(self.read.contains(&file.sha256));
        self.told.push(Told::Known(already(file, source)));
    }

    async fn unpack(
        &mut self,
        file: &InputFile,
        version: Option<&str>,
        kind: Kind,
        source: &Arc<Source>,
    ) -> Result<()> {
        let archive = Archive::of(self.ingest, source, file, kind)?;
        let number = self.begin(file, version, source);
        self.open[number].status = Status::Unpacked;
        let mut members = Members::open(archive);
        let (mut any, failed) = (false, self.account.failed.len());
        while let Some(unpacked) = members.each().await? {
            any = true;
            // `_temp` goes before the next member is asked for.
            let Member { file, temp: _temp } = match unpacked {
                Ok(member) => member,
                Err(damaged) => {
                    self.failed(&damaged.uri, damaged.error)?;
                    continue;
                }
            };
            self.progress.file(&file.uri);
            if !self.is_new(&file, source) {
                self.tell_known(&file, source);
            } else if let Err(error) = self.read(&file, None, source).await {
                self.failed(&file.uri, error)?;
            }
        }
        if !any {
            self.account.empty_archives.push(file.uri.clone());
        }
        self.check_unchanged().await?;
        // With a member that failed it is looked at again: those that have landed are known.
        self.open[number].complete = self.account.failed.len() == failed;
        Ok(())
    }

    async fn read(&mut self, file: &InputFile, version: Option<&str>, source: &Arc<Source>) -> Result<()> {
        let number = self.begin(file, version, source);
        self.told.push(Told::Open(number));
        let id = self.open[number].id.clone();
        let mut verified = false;
        let mut mapper = self.ingest.mapper(source, &self.rates, id, &file.uri, file.modified_micros);
        let mut records = mapper.open(Input::Path(file.path.clone())).await?;
        let changes = self.seen.check(source, &file.uri, records.columns())?;
        let account = &mut self.open[number].account;
        (account.drift, account.columns) = (changes, drift::text(records.columns()));
        while let Some(mapped) = records.next().await.map_err(|e| self.interrupted(number, e))? {
            self.progress.records(mapped.records);
            self.batch.push(number, mapped)?;
            if self.batch.records() >= self.ingest.batch_records || self.batch.bytes() >= self.ingest.batch_bytes {
                // The commit may hold a part of the file: first it is seen that the rest can be read, too.
                if !std::mem::replace(&mut verified, true) {
                    let (source, path, uri) = (Arc::clone(source), file.path.clone(), file.uri.clone());
                    blocking(move || read::verify(&source, &path, &uri)).await?;
                }
                self.check_unchanged().await.map_err(|e| self.interrupted(number, e))?;
                self.flush().await?;
            }
        }
        if let Err(e) = self.check_unchanged().await {
            // Another file may have these bytes.
            self.read.remove(&file.sha256);
            return Err(self.interrupted(number, e));
        }
        self.open[number].complete = true;
        Ok(())
    }

    /// What is read must be what was hashed.
    async fn check_unchanged(&self) -> Result<()> {
        match self.in_place.clone() {
            Some(file) => blocking(move || file.check_unchanged()).await,
            None => Ok(()),
        }
    }

    /// Why a file was not read to its end, and what has landed of it all the same.
    fn interrupted(&self, number: usize, e: Error) -> Error {
        match self.open[number].account.accounted() {
            0 => e,
            landed => e.context(format!(
                "{} of the file landed, and will count as duplicates when it is delivered again",
                counted(landed, "record")
            )),
        }
    }

    fn begin(&mut self, file: &InputFile, version: Option<&str>, source: &Source) -> usize {
        let id = file.id(&source.name);
        let audited = Audited {
            source: source.name.clone(),
            source_system: source.system.clone(),
            uri: file.uri.clone(),
            sha256: file.sha256.clone(),
            version_tag: version.map(str::to_string),
        };
        let account = FileAccount { file: file.uri.clone(), source_file_id: id.clone(), ..FileAccount::default() };
        let started = self.ingest.clock.now_micros();
        let definition = definition::hash(source);
        self.open.push(Open {
            id: id.clone(),
            file: audited,
            started,
            definition,
            account,
            status: Status::Landed,
            complete: false,
            audited: false,
        });
        self.batch.file(BatchFile { id, uri: file.uri.clone() })
    }

    /// Lands what waits, if anything does. An error names the files that were on their way.
    async fn flush(&mut self) -> Result<()> {
        if self.batch.records() == 0 && !self.open.iter().any(Open::waits) {
            return Ok(());
        }
        self.put().await.map_err(|e| self.stopped(e))
    }

    /// Which files were on their way when landing them failed, and what had landed of them all the same.
    fn stopped(&self, e: Error) -> Error {
        let begun = |(o, read): &(&Open, &FileAccount)| !o.audited && o.account.read + read.read > 0;
        let files: Vec<&Open> = self.open.iter().zip(&self.batch.read).filter(begun).map(|(o, _)| o).collect();
        if files.is_empty() {
            return e;
        }
        let told = |o: &&Open| match o.account.accounted() {
            0 => o.file.uri.clone(),
            landed => format!("{} ({} of it landed before)", o.file.uri, counted(landed, "record")),
        };
        let mut named: Vec<String> = files.iter().take(NAMED).map(told).collect();
        if files.len() > NAMED {
            named.push(format!("{} more", files.len() - NAMED));
        }
        let (what, they) = if files.len() == 1 { ("file", "it is") } else { ("files", "they are") };
        let e = e.context(format!("landing {what} {}", named.join(", ")));
        match e.hint_text() {
            Some(_) if e.kind() != ErrorKind::Unavailable => e,
            // Of the storage: it has to work again, and that is all.
            _ => e.hint(format!("land the same again: {they} completed, and nothing counts twice")),
        }
    }

    /// Lands what waits, tries waiting records again if rates were in it, and marks the files that are complete.
    async fn put(&mut self) -> Result<()> {
        let unit = self.ingest.lake.begin_landing(self.writer.batch_id, self.unfinished()).await?;
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
        let rows: Vec<FileRow> = self.open.iter().filter(|o| o.waits()).map(Open::row).collect();
        let ids: HashSet<&str> = rows.iter().map(|r| r.id.as_str()).collect();
        let tables = self.tables.extract_if(.., |(file, _), _| ids.contains(file.as_str())).collect();
        audit::write(self.writer, &rows, &tables).await?;
        self.open.iter_mut().filter(|o| o.waits()).for_each(|o| o.audited = true);
        let rest = self.unfinished();
        if self.noted || !rest.is_empty() {
            self.noted = !rest.is_empty();
            unit.unfinished(rest).await?;
        }
        unit.publish().await
    }

    /// The files that have rows in the tables, or are about to, and no account yet.
    fn unfinished(&self) -> Vec<UnfinishedFile> {
        let begun = |(o, read): &(&Open, &FileAccount)| !o.audited && o.account.read + read.read > 0;
        let file = |(o, _): (&Open, &FileAccount)| UnfinishedFile {
            file_id: o.id.clone(),
            source: o.file.source.clone(),
            uri: o.file.uri.clone(),
            waited: false,
            replayed: false,
        };
        self.open.iter().zip(&self.batch.read).filter(begun).map(file).collect()
    }
}

impl Open {
    /// It is read, and not marked yet.
    fn waits(&self) -> bool {
        self.complete && !self.audited
    }
    fn row(&self) -> FileRow {
        FileRow {
            id: self.id.clone(),
            file: self.file.clone(),
            account: self.account.clone(),
            started: self.started,
            status: self.status.clone(),
            definition: Some(self.definition.clone()),
        }
    }
}
