//! A batch: the mapped records of some files, prepared for all tables, committed table by table in the order of [`TABLES`],
//! then quarantined, filled and counted. It must not read files nor write the audit: the caller knows when a file is complete.
//!
//! Every step may be repeated: after a crash the same records land again, and what is there already is a duplicate.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::Array;

use super::Ingest;
use super::account::{FileAccount, TableAccount};
use super::alias::{self, Touched};
use super::audit::{TableRow, TableRows};
use super::columns::{instants, row_json};
use super::commit::Writer;
use super::decide::Outcome;
use super::fate::Fates;
use super::fill::{self, Orders};
use super::identity::{self, Followed};
use super::land::{BatchFile, Landed, Landing, Piece};
use super::mapped::{Mapped, Rejected};
use super::progress::Progress;
use super::quarantine::{self, Conflicts, Entry};
use crate::error::{Error, Result};
use crate::model::{CUSTOMER_KEY_HISTORY, FX_RATE, ORDER_LINE, RETURN_LINE, TABLES, Table};

/// A row that lands later than this after its event is beyond the service level (domain 3.11), µs.
const SLA_MICROS: i64 = 2 * 86_400 * 1_000_000;

/// Records that wait to land.
pub(crate) struct Batch<'a> {
    writer: Writer<'a>,
    progress: &'a dyn Progress,
    pub(super) files: Vec<BatchFile>,
    /// What was read of each file since the last flush.
    pub(super) read: Vec<FileAccount>,
    pub(super) pieces: BTreeMap<&'static str, Vec<Piece>>,
    pub(super) rejected: Vec<(usize, Rejected)>,
    records: u64,
    bytes: u64,
    waited: bool,
    conflicts: Arc<Conflicts>,
    followed: Arc<Followed>,
}

/// What a flush came to.
pub(crate) struct Flushed {
    /// Per file, of the records since the flush before.
    pub files: Vec<FileAccount>,
    pub tables: TableRows,
    /// Exchange rates were among the rows: waiting records may land now.
    pub rates: bool,
    /// What became of each record.
    pub fates: Fates,
    /// What landed of records that had waited, to be counted when it is known whose accounts they are in.
    pub waited: Vec<LandedPiece>,
}

/// The rows of a piece and what became of each.
pub(crate) struct LandedPiece {
    pub piece: Piece,
    pub outcomes: Vec<Outcome>,
    /// The table's version afterwards.
    pub version: i64,
}

impl<'a> Batch<'a> {
    pub fn new(writer: Writer<'a>, progress: &'a dyn Progress) -> Batch<'a> {
        let (files, read, pieces, rejected) = (Vec::new(), Vec::new(), BTreeMap::new(), Vec::new());
        let (records, bytes, waited) = (0, 0, false);
        let (conflicts, followed) = (Arc::default(), Arc::default());
        Batch { writer, progress, files, read, pieces, rejected, records, bytes, waited, conflicts, followed }
    }

    /// For records that had waited.
    pub fn waited(self) -> Batch<'a> {
        Batch { waited: true, ..self }
    }

    /// With what others have learnt: of the conflicts that wait, and which merges of customers the facts follow.
    pub fn knowing(self, ingest: &Ingest) -> Batch<'a> {
        Batch { conflicts: ingest.conflicts.clone(), followed: ingest.followed.clone(), ..self }
    }

    /// Adds a file and returns its number.
    pub fn file(&mut self, file: BatchFile) -> usize {
        self.read.push(FileAccount {
            file: file.uri.clone(),
            source_file_id: file.id.clone(),
            ..FileAccount::default()
        });
        self.files.push(file);
        self.files.len() - 1
    }

    /// Adds mapped records of file number `file`.
    pub fn push(&mut self, file: usize, mapped: Mapped) -> Result<()> {
        let account = &mut self.read[file];
        account.read += mapped.records;
        for (reason, records) in mapped.skipped {
            account.skipped += records;
            *account.skipped_by.entry(reason).or_default() += records;
        }
        for table in mapped.tables {
            let mut piece = Piece::new(file, table)?;
            piece.waited = self.waited;
            self.bytes += piece.bytes();
            self.pieces.entry(piece.mapped.table.name).or_default().push(piece);
        }
        self.bytes += mapped.rejected.iter().map(|r| r.raw.len() as u64).sum::<u64>();
        self.rejected.extend(mapped.rejected.into_iter().map(|r| (file, r)));
        self.records += mapped.records;
        Ok(())
    }

    /// Leaves out what waits of file number `file`: it could not be read to its end.
    pub fn forget(&mut self, file: usize) {
        self.records -= self.read[file].read;
        self.read[file] = FileAccount {
            file: self.files[file].uri.clone(),
            source_file_id: self.files[file].id.clone(),
            ..FileAccount::default()
        };
        self.pieces.values_mut().for_each(|pieces| pieces.retain(|p| p.file != file));
        self.pieces.retain(|_, pieces| !pieces.is_empty());
        self.rejected.retain(|(from, _)| *from != file);
        self.bytes = self.pieces.values().flatten().map(Piece::bytes).sum();
    }

    /// Records that wait.
    pub fn records(&self) -> u64 {
        self.records
    }
    /// Memory that they take, about.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lands what waits.
    pub async fn flush(&mut self) -> Result<Flushed> {
        let mut work = Work { source: self.writer.source, ..Work::default() };
        let open = if self.pieces.is_empty() { Vec::new() } else { self.conflicts.open(self.writer.lake).await? };
        let mut pieces = std::mem::take(&mut self.pieces);
        let mut waited = Vec::new();
        let landed = self.land(&pieces).await?;
        if !landed.is_empty() {
            let history = self.writer.lake.state(&CUSTOMER_KEY_HISTORY).await?;
            let mut named = identity::Named::default();
            if !history.files.is_empty() {
                let mut pieces = pieces.values().flatten();
                pieces.try_for_each(|piece| named.add(piece.mapped.table, &piece.mapped.rows))?;
            }
            work.customers = identity::Touched::of(self.writer.lake, &history, named).await?;
        }
        for (table, landed) in landed {
            let pieces = pieces.remove(table.name).unwrap_or_default();
            work.superseded.extend(
                open.iter().filter(|(t, key, version)| t == table.name && landed.supersedes(*key, *version)).cloned(),
            );
            work.take(table, &pieces, &landed, &self.files, self.writer.clock.now_micros())?;
            if self.waited {
                let version = landed.version;
                let each = pieces.into_iter().zip(landed.outcomes);
                waited.extend(each.map(|(piece, outcomes)| LandedPiece { piece, outcomes, version }));
            }
        }
        for (file, rejected) in std::mem::take(&mut self.rejected) {
            work.fates.rejected(file, rejected.line);
            let BatchFile { id, uri } = self.files[file].clone();
            work.entries.push(Entry { source_file_id: id, source: self.writer.source.into(), file: uri, rejected });
        }
        if !work.entries.is_empty() {
            quarantine::append(self.writer, work.entries).await?;
        }
        quarantine::supersede(self.writer, &work.superseded).await?;
        fill::fill(self.writer, &work.orders, &mut work.customers).await?;
        alias::apply(self.writer, &work.touched).await?;
        identity::apply(self.writer, &work.customers, &self.followed).await?;
        (self.records, self.bytes) = (0, 0);
        let files = accounts(&mut self.read, &work.fates)?;
        Ok(Flushed { files, tables: work.tables, rates: work.rates, fates: work.fates, waited })
    }

    /// Lands the pieces. Everything is in place before the first commit.
    async fn land(&self, pieces: &BTreeMap<&'static str, Vec<Piece>>) -> Result<Vec<(&'static Table, Landed)>> {
        let mut landings = Vec::new();
        for table in TABLES.iter().copied() {
            let Some(pieces) = pieces.get(table.name) else { continue };
            self.progress.commit(table.name, pieces.iter().map(|p| p.mapped.record.len() as u64).sum());
            match Landing::prepare(self.writer, table, pieces, &self.files).await {
                Ok(landing) => landings.push((table, landing)),
                Err(error) => return Err(give_up(landings, error).await),
            }
        }
        if let Err(error) = self.intend(&mut landings).await {
            return Err(give_up(landings, error).await);
        }
        let mut landed = Vec::new();
        // From here on what fails stays as noted: whoever ends a batch next makes the other commits.
        for (table, landing) in landings {
            landed.push((table, landing.commit().await?));
        }
        if let Err(error) = self.writer.lake.intended(self.writer.batch_id).await {
            tracing::debug!(batch_id = self.writer.batch_id, %error, "a note of commits that were made stays");
        }
        Ok(landed)
    }

    /// Notes what is about to be committed.
    async fn intend(&self, landings: &mut [(&'static Table, Landing<'_>)]) -> Result<()> {
        for (_, landing) in landings.iter_mut() {
            landing.secure().await?;
        }
        let intents: Vec<_> = landings.iter().filter_map(|(_, landing)| landing.intent()).collect();
        self.writer.lake.intend(self.writer.batch_id, &intents).await
    }
}

/// Removes the files of those that will not be committed.
async fn give_up(landings: Vec<(&'static Table, Landing<'_>)>, error: Error) -> Error {
    for (_, landing) in landings {
        landing.discard().await;
    }
    error
}

/// Takes what was read of each file and adds what became of it.
pub(super) fn accounts(read: &mut [FileAccount], fates: &Fates) -> Result<Vec<FileAccount>> {
    let empty = |f: &FileAccount| FileAccount {
        file: f.file.clone(),
        source_file_id: f.source_file_id.clone(),
        ..FileAccount::default()
    };
    let mut files: Vec<FileAccount> = read.iter_mut().map(|f| std::mem::replace(f, empty(f))).collect();
    fates.each().for_each(|(file, fate)| fate.count(&mut files[file]));
    match files.iter().find(|f| f.accounted() != f.read) {
        None => Ok(files),
        Some(f) => Err(Error::internal(format!("file {}: the account does not add up: {f}", f.file)).hint(
            "its rows have landed; this is an error in the program, please report it with the source definition",
        )),
    }
}

/// What has come together while the tables landed.
#[derive(Default)]
struct Work<'a> {
    source: &'a str,
    fates: Fates,
    tables: TableRows,
    entries: Vec<Entry>,
    orders: Orders,
    touched: Touched,
    customers: identity::Touched,
    superseded: HashSet<(String, u128, i64)>,
    rates: bool,
}

impl Work<'_> {
    fn take(
        &mut self,
        table: &'static Table,
        pieces: &[Piece],
        landed: &Landed,
        files: &[BatchFile],
        now: i64,
    ) -> Result<()> {
        let mut ranks = landed.rows();
        for (piece, outcomes) in pieces.iter().zip(&landed.outcomes) {
            let (file, mapped) = (&files[piece.file], &piece.mapped);
            for ((row, outcome), (key, rank)) in outcomes.iter().enumerate().zip(&mut ranks) {
                let line = mapped.record[row];
                self.fates.row(piece.file, line, *outcome, mapped.reference);
                if *outcome == Outcome::Conflict {
                    let raw = row_json(&mapped.rows, piece.place(row))?;
                    self.entries.push(Entry::conflict(self.source, file, table, line, key, rank, raw));
                }
            }
            let counted = count(piece, outcomes, landed.version, now)?;
            self.tables.entry((file.id.clone(), table.name)).and_modify(|t| t.add(&counted)).or_insert(counted);
            // Duplicates count too: an interrupted batch may have landed them and not come to the filling.
            let counts = |row: usize| {
                mapped.reference || matches!(outcomes[row], Outcome::New | Outcome::Replacing | Outcome::Duplicate)
            };
            if table.name == ORDER_LINE.name || table.name == RETURN_LINE.name {
                fill::note_orders(&mut self.orders, &mapped.rows, counts)?;
            }
            self.touched.note(table, &mapped.rows, counts)?;
            self.customers.note(table, &mapped.rows, counts)?;
        }
        self.rates |= table.name == FX_RATE.name;
        Ok(())
    }
}

/// The account of one piece's rows. A row that lost a conflict is in none of the counts but in the quarantine.
pub(super) fn count(piece: &Piece, outcomes: &[Outcome], version: i64, now: i64) -> Result<TableRow> {
    count_of(piece, outcomes, version, now, |_| true)
}

/// As [`count`], of the records whose lines are `wanted`.
pub(super) fn count_of(
    piece: &Piece,
    outcomes: &[Outcome],
    version: i64,
    now: i64,
    wanted: impl Fn(i64) -> bool,
) -> Result<TableRow> {
    let mut row = TableRow { account: TableAccount::default(), events: None, version };
    let rows = &piece.mapped.rows;
    let times = rows.column_by_name("event_time").map(|_| instants(rows, "event_time")).transpose()?;
    for (i, outcome) in outcomes.iter().enumerate().filter(|(i, _)| wanted(piece.mapped.record[*i])) {
        match outcome {
            Outcome::New => row.account.new += 1,
            Outcome::Replacing => row.account.replaced += 1,
            Outcome::Duplicate => row.account.duplicate += 1,
            Outcome::Late => row.account.late_ignored += 1,
            Outcome::Conflict => {}
        }
        if !outcome.lands() {
            continue;
        }
        row.account.warned += u64::from(piece.mapped.warned[i]);
        if let Some(time) = times.map(|t| (t, piece.place(i))).filter(|(t, i)| t.is_valid(*i)).map(|(t, i)| t.value(i))
        {
            row.account.beyond_sla += u64::from(now - time > SLA_MICROS);
            row.events = Some(row.events.map_or((time, time), |(min, max)| (min.min(time), max.max(time))));
        }
    }
    Ok(row)
}
