//! A replay at work: every table is prepared, then every table gets its new rows, then the quarantine, the returns' sales and
//! the audit. It must not read files.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::Replayed;
use super::table::{Replaced, Replacing};
use crate::error::{Error, Result};
use crate::ingest::account::FileAccount;
use crate::ingest::alias::{self, Touched};
use crate::ingest::audit::{self, FileRow, LandedFile, Status, TableRow, TableRows};
use crate::ingest::batch::{Batch, accounts, count};
use crate::ingest::columns::row_json;
use crate::ingest::commit::Writer;
use crate::ingest::decide::Outcome;
use crate::ingest::fate::{Fate, Fates};
use crate::ingest::fill::{self, Orders};
use crate::ingest::identity;
use crate::ingest::land::{BatchFile, Piece};
use crate::ingest::mapped::Rejected;
use crate::ingest::progress::Progress;
use crate::ingest::quarantine::{self, CONFLICT, Conflicts, Entry, Resolution, Written};
use crate::ingest::source::Source;
use crate::ingest::{Ingest, definition, retry};
use crate::lake::{UnfinishedFile, Unit};
use crate::model::{FX_RATE, TABLES, Table};

/// What has come together while the tables are replayed.
pub(super) struct Work<'a> {
    writer: Writer<'a>,
    files: Vec<BatchFile>,
    read: Vec<FileAccount>,
    pieces: BTreeMap<&'static str, Vec<Piece>>,
    rejected: Vec<(usize, Rejected)>,
    ids: HashSet<String>,
    fates: Fates,
    tables: TableRows,
    entries: Vec<Entry>,
    orders: Orders,
    superseded: HashSet<(String, u128, i64)>,
    /// Tables of which other sources may have lost rows to rows that are gone.
    uncovered: BTreeSet<&'static str>,
    changed: bool,
    rates: bool,
}

impl<'a> Work<'a> {
    pub fn new(writer: Writer<'a>, batch: Batch<'a>) -> Work<'a> {
        let Batch { files, read, pieces, rejected, .. } = batch;
        Work {
            writer,
            ids: files.iter().map(|f| f.id.clone()).collect(),
            files,
            read,
            pieces,
            rejected,
            fates: Fates::default(),
            tables: TableRows::new(),
            entries: Vec::new(),
            orders: Orders::default(),
            superseded: HashSet::new(),
            uncovered: BTreeSet::new(),
            changed: false,
            rates: false,
        }
    }

    /// The files, for the lake to name should the replay be cut off.
    pub fn unfinished(&self) -> Vec<UnfinishedFile> {
        let file = |f: &BatchFile| UnfinishedFile {
            file_id: f.id.clone(),
            source: self.writer.source.into(),
            uri: f.uri.clone(),
            waited: false,
            replayed: true,
        };
        self.files.iter().map(file).collect()
    }

    /// Lands the rows. Where nothing could be committed the unit ends: there is nothing to complete.
    pub async fn land(mut self, unit: Unit, progress: &dyn Progress) -> Result<(Work<'a>, Unit)> {
        let open = Conflicts::default().open(self.writer.lake).await?;
        let mut pieces = std::mem::take(&mut self.pieces);
        let prepared = match self.prepare(&pieces, progress).await {
            Ok(prepared) => prepared,
            Err(error) => {
                if let Err(e) = unit.publish().await {
                    tracing::debug!(error = %e, "the marker of a replay that changed nothing stays");
                }
                return Err(error.context("no table has changed"));
            }
        };
        let done = self.commit(prepared).await.map_err(super::half)?;
        for (table, replaced) in done {
            let pieces = pieces.remove(table.name).unwrap_or_default();
            let moot = open.iter().filter(|(t, key, version)| t == table.name && replaced.supersedes(*key, *version));
            self.superseded.extend(moot.cloned());
            self.changed |= replaced.changed();
            self.rates |= table.name == FX_RATE.name && replaced.changed();
            if replaced.uncovered {
                self.uncovered.insert(table.name);
            }
            self.take(table, &pieces, replaced)?;
        }
        for (file, rejected) in std::mem::take(&mut self.rejected) {
            self.fates.rejected(file, rejected.line);
            let BatchFile { id, uri } = self.files[file].clone();
            self.entries.push(Entry { source_file_id: id, source: self.writer.source.into(), file: uri, rejected });
        }
        Ok((self, unit))
    }

    /// Every table that has a key: the old definition may have filled others than the new one does.
    async fn prepare<'w>(
        &'w self,
        pieces: &'w BTreeMap<&'static str, Vec<Piece>>,
        progress: &dyn Progress,
    ) -> Result<Tables<'w>> {
        let mut prepared = Tables::new();
        for table in TABLES.iter().copied().filter(|t| !t.key.is_empty()) {
            let pieces = pieces.get(table.name).map_or(&[] as &[Piece], Vec::as_slice);
            progress.commit(table.name, pieces.iter().map(|p| p.mapped.record.len() as u64).sum());
            match Replacing::prepare(self.writer, table, pieces, &self.files, &self.ids).await {
                Ok(replacing) => prepared.push((table, replacing)),
                Err(error) => return Err(give_up(prepared, error).await),
            }
        }
        match self.intend(&mut prepared).await {
            Ok(()) => Ok(prepared),
            Err(error) => Err(give_up(prepared, error).await),
        }
    }

    /// Notes what is about to be committed: should this process die between two of the commits, others make the rest.
    async fn intend(&self, prepared: &mut Tables<'_>) -> Result<()> {
        for (_, replacing) in prepared.iter_mut() {
            replacing.secure().await?;
        }
        let intents: Vec<_> = prepared.iter().filter_map(|(_, replacing)| replacing.intent()).collect();
        self.writer.lake.intend(self.writer.batch_id, &intents).await
    }

    async fn commit(&self, prepared: Tables<'_>) -> Result<Vec<(&'static Table, Replaced)>> {
        let mut done = Vec::new();
        for (table, replacing) in prepared {
            done.push((table, replacing.commit().await?));
        }
        if let Err(error) = self.writer.lake.intended(self.writer.batch_id).await {
            tracing::debug!(batch_id = self.writer.batch_id, %error, "a note of commits that were made stays");
        }
        Ok(done)
    }

    fn take(&mut self, table: &'static Table, pieces: &[Piece], replaced: Replaced) -> Result<()> {
        let now = self.writer.clock.now_micros();
        let mut ranks = replaced.ranks.iter();
        for ((piece, fresh), done) in pieces.iter().zip(&replaced.fresh).zip(&replaced.done) {
            let (file, mapped) = (&self.files[piece.file], &piece.mapped);
            for ((row, outcome), (key, rank)) in fresh.iter().enumerate().zip(&mut ranks) {
                let line = mapped.record[row];
                self.fates.row(piece.file, line, *outcome, mapped.reference);
                if *outcome == Outcome::Conflict {
                    let raw = row_json(&mapped.rows, piece.place(row))?;
                    self.entries.push(Entry::conflict(self.writer.source, file, table, line, *key, *rank, raw));
                }
            }
            let counted = count(piece, done, replaced.version, now)?;
            self.tables.entry((file.id.clone(), table.name)).and_modify(|t| t.add(&counted)).or_insert(counted);
        }
        for (id, rows) in &replaced.removed {
            let none = TableRow { account: Default::default(), events: None, version: replaced.version };
            self.tables.entry((id.clone(), table.name)).or_insert(none).account.removed += rows;
        }
        self.orders.extend(&replaced.orders);
        Ok(())
    }

    /// The quarantine, the returns' sales and the audit, last of all.
    pub async fn finish(
        mut self,
        ingest: &Ingest,
        source: &Source,
        files: Vec<LandedFile>,
        started: i64,
        replayed: &mut Replayed,
        progress: &dyn Progress,
    ) -> Result<()> {
        let today = definition::hash(source);
        let now = accounts(&mut self.read, &self.fates)?;
        let written = self.quarantine().await?;
        quarantine::supersede(self.writer, &self.superseded).await?;
        let mut customers = identity::Touched::everything();
        fill::fill(self.writer, &self.orders, &mut customers).await?;
        alias::apply(self.writer, &Touched::everything()).await?;
        identity::apply(self.writer, &customers, &ingest.followed).await?;
        if self.rates {
            let current = files.iter().map(|k| (k.id.clone(), k.file.clone())).collect();
            replayed.account.retried = retry::retry(ingest, current, progress).await?;
        }
        replayed.changed = self.changed || written != Written::default();
        // What a replay that was cut off had changed is in no account yet.
        let completes =
            ingest.lake.cut_off().iter().flat_map(|c| &c.files).any(|f| f.replayed && self.ids.contains(&f.file_id));
        if replayed.changed || completes || files.iter().any(|k| k.definition.as_ref() != Some(&today)) {
            let row = |(known, account): (&LandedFile, &FileAccount)| FileRow {
                id: known.id.clone(),
                file: known.file.clone(),
                account: account.clone(),
                started,
                status: Status::Replayed(known.account.clone()),
                definition: Some(today.clone()),
            };
            let rows: Vec<FileRow> = files.iter().zip(&now).map(row).collect();
            audit::write(self.writer, &rows, &self.tables).await?;
        }
        ingest.lake.settle_replay(&self.ids.iter().map(String::as_str).collect()).await?;
        for ((_, table), rows) in &self.tables {
            replayed.account.tables.entry(table.to_string()).or_default().add(&rows.account);
        }
        replayed.account.files = now;
        replayed.account.freed = written.landed;
        replayed.others = others(ingest, source, &self.uncovered);
        Ok(())
    }

    /// What waits of the replayed files is what is stopped now, and nothing else.
    async fn quarantine(&mut self) -> Result<Written> {
        let numbers: HashMap<&str, usize> = self.files.iter().enumerate().map(|(n, f)| (f.id.as_str(), n)).collect();
        let stopped: HashSet<(&str, &str, i64, &str)> = self
            .entries
            .iter()
            .map(|e| (e.source_file_id.as_str(), e.rejected.table.as_str(), e.rejected.line, e.rejected.rule))
            .collect();
        let conflicts: HashSet<(&str, Option<&str>)> = self
            .entries
            .iter()
            .filter(|e| e.rejected.rule == CONFLICT)
            .map(|e| (e.rejected.table.as_str(), e.rejected.value.as_deref()))
            .collect();
        let verdict = |k: &quarantine::Place| {
            let number = *numbers.get(k.source_file_id)?;
            let stays = match k.rule == CONFLICT {
                true => conflicts.contains(&(k.table, k.value)),
                false => stopped.contains(&(k.source_file_id, k.table, k.line, k.rule)),
            };
            let lands = k.rule != CONFLICT
                && matches!(self.fates.of(number, k.line), Some(Fate::Landed | Fate::Duplicate | Fate::Late));
            match (stays, lands) {
                (true, _) => None,
                (false, true) => Some(Resolution::Landed),
                (false, false) => Some(Resolution::Superseded),
            }
        };
        quarantine::replay(self.writer, self.entries.clone(), verdict).await
    }
}

/// The tables of a replay, in the order of their commits.
type Tables<'a> = Vec<(&'static Table, Replacing<'a>)>;

/// Removes the files of those that will not be committed.
async fn give_up(prepared: Tables<'_>, error: Error) -> Error {
    for (_, replacing) in prepared {
        replacing.discard().await;
    }
    error
}

/// The other sources that fill these tables.
fn others(ingest: &Ingest, source: &Source, tables: &BTreeSet<&'static str>) -> Vec<String> {
    let fills = |s: &&Arc<Source>| s.name != source.name && s.selects.iter().any(|x| tables.contains(x.table.name));
    ingest.sources.in_order().iter().filter(fills).map(|s| s.name.clone()).collect()
}
