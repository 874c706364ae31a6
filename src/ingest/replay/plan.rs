//! What a replay does to one version of a table: which of its rows stay, make way or leave, and what that means for others.
//! It must not write.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{BooleanArray, UInt32Array};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{and, concat_batches, interleave_record_batch, take_record_batch};
use arrow::record_batch::RecordBatch;

use crate::error::Result;
use crate::ingest::alias;
use crate::ingest::columns::{row_json, texts};
use crate::ingest::commit::Edit;
use crate::ingest::decide::{Incoming, KeyMap, Outcome, Rank};
use crate::ingest::fill::{self, Orders};
use crate::ingest::identity;
use crate::ingest::land::{Displaced, Piece, for_each_rank};
use crate::lake::{DataFile, Kept, Lake, TableState};
use crate::model::{ORDER_LINE, RETURN_LINE, Table};

/// Columns that say when and from where a row landed: rows that differ in nothing else are the same.
const BOOKKEEPING: [&str; 3] = ["ingested_at", "ingest_batch_id", "source_file_id"];

/// What a replay does to one version of a table.
#[derive(Default)]
pub(super) struct Plan {
    pub edit: Edit,
    /// Keys whose row stays as it is.
    pub same: HashSet<u128>,
    pub removed: BTreeMap<String, u64>,
    pub displaced: Vec<Displaced>,
    pub uncovered: bool,
    pub orders: Orders,
}

/// The new rows that land, by key.
pub(super) struct Rows<'a> {
    batches: Vec<&'a RecordBatch>,
    /// Key → rank, and where the row is: piece and place in it.
    land: KeyMap<(Rank, usize, usize)>,
}

impl<'a> Rows<'a> {
    pub fn new(pieces: &'a [Piece], fresh: &[Outcome], incoming: &Incoming) -> Rows<'a> {
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
        let old = identity::as_landed(&take_record_batch(whole, &UInt32Array::from(old))?)?;
        let old = if table.name == RETURN_LINE.name { fill::as_landed(&old)? } else { old };
        let old = alias::as_landed(&old)?;
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
    pub async fn take(
        &mut self,
        lake: &Lake,
        state: &TableState,
        file: &Arc<DataFile>,
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

/// Adds the orders of sales and returns.
pub(super) fn note_orders(
    orders: &mut Orders,
    table: &Table,
    rows: &RecordBatch,
    counts: impl Fn(usize) -> bool,
) -> Result<()> {
    if table.name == ORDER_LINE.name || table.name == RETURN_LINE.name {
        fill::note_orders(orders, rows, counts)?;
    }
    Ok(())
}
