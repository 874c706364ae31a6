//! One table of a replay: the rows that the replayed files gave make way for those that they give now, in one commit.
//! It must not know records nor read files; which ids are replayed is all that it is told of them.
//!
//! A key whose row came from a replayed file takes the best of the new rows, whatever versions say, or leaves the table
//! when there is none: so a new mapping wins over the old one although versions are equal, and no conflict (V19)
//! between the two is seen. A key whose row came from another file is decided by rank, as when files land.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{BooleanArray, UInt32Array};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{and, concat_batches, interleave_record_batch, take_record_batch};
use arrow::record_batch::RecordBatch;

use crate::error::Result;
use crate::ingest::columns::{row_json, texts};
use crate::ingest::commit::{Attempts, Edit, Writer};
use crate::ingest::decide::{Incoming, KeyMap, Outcome, Rank};
use crate::ingest::fill::{self, Orders};
use crate::ingest::land::{BLOOM_KEYS, BatchFile, Displaced, Piece, RANKS, for_each_rank, landing_rows};
use crate::ingest::quarantine;
use crate::lake::{DataFile, Kept, Lake, TableState};
use crate::model::{ORDER_LINE, RETURN_LINE, Table};

/// Columns that say when and from where a row landed: rows that differ in nothing else are the same.
const BOOKKEEPING: [&str; 3] = ["ingested_at", "ingest_batch_id", "source_file_id"];

/// What replaying one table came to.
pub(super) struct Replaced {
    /// The table's version afterwards.
    pub version: i64,
    /// Per piece, per row: as though the files had landed now for the first time, together.
    pub fresh: Vec<Vec<Outcome>>,
    /// Per piece, per row: what it did to the table.
    pub done: Vec<Vec<Outcome>>,
    /// Key and rank of every row, in the order of the pieces.
    pub ranks: Vec<(u128, Rank)>,
    /// Rows that left the table, by the id of their file.
    pub removed: BTreeMap<String, u64>,
    /// Rows left or sank in rank, so that another source's row, which they once displaced, would be wanted now.
    pub uncovered: bool,
    /// Orders whose sale or return is among the rows, old or new.
    pub orders: Orders,
    /// The ranks that keys have now.
    now: KeyMap<Rank>,
}

impl Replaced {
    /// Whether the commit did anything.
    pub fn changed(&self) -> bool {
        !self.removed.is_empty() || self.done.iter().flatten().any(|o| o.lands())
    }
    /// Whether `key`'s row has a version greater than `version` now.
    pub fn supersedes(&self, key: u128, version: i64) -> bool {
        self.now.get(&key).is_some_and(|rank| rank.version > version)
    }
}

/// A row that the table holds: its key is among the new rows, or its file among the replayed ones.
struct Held {
    rank: Rank,
    /// Its file is replayed.
    own: bool,
}

/// What is known of one version of a table.
struct Found {
    held: KeyMap<Held>,
    /// Per file of the state: it has rows of the replayed files, or rows under keys of ours.
    concerned: Vec<bool>,
}

/// What a replay does to one version of a table.
#[derive(Default)]
struct Plan {
    edit: Edit,
    /// Keys whose row stays as it is.
    same: HashSet<u128>,
    removed: BTreeMap<String, u64>,
    displaced: Vec<Displaced>,
    uncovered: bool,
    orders: Orders,
}

/// Puts `pieces` (all rows that the replayed files give this table now, in the order of their landing) in the place of
/// what the files with these `ids` gave before.
pub(super) async fn replace(
    writer: Writer<'_>,
    table: &'static Table,
    pieces: &[Piece],
    files: &[BatchFile],
    ids: &HashSet<String>,
) -> Result<Replaced> {
    let mut incoming = Incoming::default();
    pieces.iter().flat_map(Piece::ranks).for_each(|(key, rank)| incoming.push(*key, *rank));
    let mut attempts = Attempts::new(writer, table);
    loop {
        let state = writer.lake.state(table).await?;
        let Found { held, concerned } = look_up(writer.lake, &state, &incoming, ids).await?;
        let fresh = incoming.decide(|key| held.get(&key).filter(|h| !h.own).map(|h| h.rank));
        let mut plan = Plan::default();
        let rows = Rows::new(pieces, &fresh, &incoming);
        for (file, _) in state.files.iter().zip(&concerned).filter(|(_, concerned)| **concerned) {
            plan.take(writer.lake, &state, file, &rows, &incoming, ids).await?;
        }
        let done: Vec<Outcome> =
            fresh.iter().enumerate().map(|(row, o)| change(*o, incoming.row(row).0, &held, &plan.same)).collect();
        let mut from = 0;
        for piece in pieces {
            let to = from + piece.ranks().len();
            plan.edit.add.extend(landing_rows(writer, piece, &done[from..to])?);
            note_orders(&mut plan.orders, table, &piece.mapped.rows, |_| true)?;
            from = to;
        }
        plan.edit.info.insert("replayed".into(), writer.source.into());
        if !plan.displaced.is_empty() {
            quarantine::keep_displaced(writer, table, std::mem::take(&mut plan.displaced), files).await?;
        }
        let Some(version) = attempts.commit(&state, std::mem::take(&mut plan.edit)).await? else { continue };
        let now = incoming.keys().filter_map(|key| {
            let other = held.get(&key).filter(|h| !h.own).map(|h| h.rank);
            incoming.final_rank(key, other).map(|rank| (key, rank))
        });
        return Ok(Replaced {
            version,
            now: now.collect(),
            ranks: (0..fresh.len()).map(|row| incoming.row(row)).collect(),
            fresh: per_piece(pieces, &fresh),
            done: per_piece(pieces, &done),
            removed: plan.removed,
            uncovered: plan.uncovered,
            orders: plan.orders,
        });
    }
}

/// What a row does to the table, from what it would do if the replayed files had never landed.
fn change(fresh: Outcome, key: u128, held: &KeyMap<Held>, same: &HashSet<u128>) -> Outcome {
    match fresh {
        Outcome::New if same.contains(&key) => Outcome::Duplicate,
        Outcome::New if held.contains_key(&key) => Outcome::Replacing,
        other => other,
    }
}

fn per_piece(pieces: &[Piece], outcomes: &[Outcome]) -> Vec<Vec<Outcome>> {
    let mut rest = outcomes;
    pieces.iter().map(|p| rest.split_off(..p.ranks().len()).unwrap_or_default().to_vec()).collect()
}

/// Adds the orders of sales and returns.
fn note_orders(orders: &mut Orders, table: &Table, rows: &RecordBatch, counts: impl Fn(usize) -> bool) -> Result<()> {
    if table.name == ORDER_LINE.name || table.name == RETURN_LINE.name {
        fill::note_orders(orders, rows, counts)?;
    }
    Ok(())
}

async fn look_up(lake: &Lake, state: &TableState, incoming: &Incoming, ids: &HashSet<String>) -> Result<Found> {
    let few: Option<Vec<[u8; 16]>> =
        (incoming.len() <= BLOOM_KEYS).then(|| incoming.keys().map(u128::to_be_bytes).collect());
    let mut found = Found { held: KeyMap::default(), concerned: vec![false; state.files.len()] };
    for (index, file) in state.files.iter().enumerate() {
        let mut own = Vec::new();
        for batch in lake.read(state, file, Some(&["source_file_id"])).await? {
            own.extend(texts(&batch, "source_file_id")?.iter().map(|id| id.is_some_and(|id| ids.contains(id))));
        }
        if !own.contains(&true) {
            let none = match &few {
                Some(keys) => keys.is_empty() || !lake.may_hold(file, keys).await?,
                None => false,
            };
            if none {
                continue;
            }
        }
        let mut first = 0;
        for batch in lake.read(state, file, Some(RANKS)).await? {
            for_each_rank(&batch, |row, key, rank| {
                let own = own.get(first + row).copied().unwrap_or(false);
                if own || incoming.has(key) {
                    found.concerned[index] = true;
                    found.held.insert(key, Held { rank, own });
                }
            })?;
            first += batch.num_rows();
        }
    }
    Ok(found)
}

/// The new rows that land, by key.
struct Rows<'a> {
    batches: Vec<&'a RecordBatch>,
    /// Key → rank, and where the row is: piece and place in it.
    land: KeyMap<(Rank, usize, usize)>,
}

impl<'a> Rows<'a> {
    fn new(pieces: &'a [Piece], fresh: &[Outcome], incoming: &Incoming) -> Rows<'a> {
        let mut land = KeyMap::default();
        let places = pieces.iter().enumerate().flat_map(|(p, piece)| (0..piece.ranks().len()).map(move |row| (p, row)));
        for (number, (piece, row)) in places.enumerate().filter(|(number, _)| fresh[*number].lands()) {
            let (key, rank) = incoming.row(number);
            land.insert(key, (rank, piece, pieces[piece].place(row)));
        }
        Rows { batches: pieces.iter().map(|p| &p.mapped.rows).collect(), land }
    }

    /// Which of the rows `old` (their places in `whole`) are what lands at `new`, bookkeeping aside.
    fn same(&self, table: &Table, whole: &RecordBatch, old: Vec<u32>, new: &[(usize, usize)]) -> Result<BooleanArray> {
        let old = take_record_batch(whole, &UInt32Array::from(old))?;
        let old = if table.name == RETURN_LINE.name { fill::as_landed(&old)? } else { old };
        let new = interleave_record_batch(&self.batches, new)?;
        let mut same = BooleanArray::from(vec![true; old.num_rows()]);
        for field in table.schema().fields().iter().filter(|f| !BOOKKEEPING.contains(&f.name().as_str())) {
            if let (Some(a), Some(b)) = (old.column_by_name(field.name()), new.column_by_name(field.name())) {
                same = and(&same, &not_distinct(a, b)?)?;
            }
        }
        Ok(same)
    }
}

impl Plan {
    /// Decides which rows of one file of the table stay, and rewrites it where some do not.
    async fn take(
        &mut self,
        lake: &Lake,
        state: &TableState,
        file: &std::sync::Arc<DataFile>,
        rows: &Rows<'_>,
        incoming: &Incoming,
        ids: &HashSet<String>,
    ) -> Result<()> {
        let whole = concat_batches(&state.table.schema(), &lake.read(state, file, None).await?)?;
        let from = texts(&whole, "source_file_id")?;
        let own: Vec<bool> = from.iter().map(|id| id.is_some_and(|id| ids.contains(id))).collect();
        let mut stays = vec![true; whole.num_rows()];
        let (mut old, mut new, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        let mut lost = Vec::new();
        for_each_rank(&whole, |row, key, rank| {
            let lands = rows.land.get(&key);
            match (own[row], lands) {
                (false, None) => {}
                (false, Some(_)) => {
                    stays[row] = false;
                    if incoming.displaces(key, rank) {
                        lost.push((row, key, rank));
                    }
                }
                (true, Some((best, piece, place))) if *best == rank => {
                    old.push(row as u32);
                    new.push((*piece, *place));
                    keys.push(key);
                }
                (true, Some((best, ..))) => {
                    stays[row] = false;
                    self.uncovered |= *best < rank;
                }
                (true, None) => {
                    stays[row] = false;
                    self.uncovered = true;
                    *self.removed.entry(from.value(row).to_string()).or_default() += 1;
                }
            }
        })?;
        if !old.is_empty() {
            let same = rows.same(state.table, &whole, old.clone(), &new)?;
            for ((row, key), same) in old.iter().zip(keys).zip(same.values()) {
                if same {
                    self.same.insert(key);
                } else {
                    stays[*row as usize] = false;
                }
            }
        }
        for (row, key, rank) in lost {
            let source_file_id = from.value(row).to_string();
            self.displaced.push(Displaced { key, rank, source_file_id, json: row_json(&whole, row)? });
        }
        note_orders(&mut self.orders, state.table, &whole, |row| own[row])?;
        if stays.contains(&false) {
            self.edit.remove.push(file.clone());
            self.edit.keep.push(Kept { file: file.clone(), rows: stays.into() });
        }
        Ok(())
    }
}
