//! The rows of a part of a file for one table, ready to land. It must not look at tables.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::UInt32Array;
use arrow::compute::take_record_batch;
use arrow::datatypes::Int64Type;

use super::for_each_rank;
use crate::error::{Error, Result};
use crate::ingest::columns::{longs, replace_column};
use crate::ingest::decide::{Rank, mark};
use crate::ingest::mapped::MappedTable;

/// The rows of one part of one file for one table.
pub(crate) struct Piece {
    /// Which of the batch's files.
    pub file: usize,
    /// The rows; their content hashes are marked ([`mark`]). Of gleaned rows each different one is kept once.
    pub mapped: MappedTable,
    /// Key and rank per row, also of those not kept.
    pub(super) ranks: Vec<(u128, Rank)>,
    /// Their records had waited, and other processes may be trying them, too.
    pub waited: bool,
    /// Where gleaned rows are kept; `None`: each in its own place.
    kept: Option<Vec<u32>>,
}

impl Piece {
    pub fn new(file: usize, mut mapped: MappedTable) -> Result<Piece> {
        let rows = mapped.rows.num_rows();
        if mapped.record.len() != rows || mapped.warned.len() != rows || mapped.rows.schema() != mapped.table.schema() {
            return Err(Error::internal(format!("table {}: mapped rows do not fit their contract", mapped.table.name)));
        }
        let marked = longs(&mapped.rows, "content_hash")?.unary::<_, Int64Type>(|h| mark(h, mapped.reference));
        mapped.rows = replace_column(&mapped.rows, "content_hash", Arc::new(marked))?;
        let mut ranks = Vec::with_capacity(rows);
        for_each_rank(&mapped.rows, |_, key, rank| ranks.push((key, rank)))?;
        let mut piece = Piece { file, mapped, ranks, waited: false, kept: None };
        if piece.mapped.reference {
            piece.keep_each_once()?;
        }
        Ok(piece)
    }

    /// Facts repeat what is gleaned from them: a product's name stands on each of its lines.
    fn keep_each_once(&mut self) -> Result<()> {
        let mut seen = HashMap::new();
        let mut first = Vec::new();
        let place = |(row, rank): (usize, &(u128, Rank))| {
            *seen.entry(*rank).or_insert_with(|| {
                first.push(row as u32);
                first.len() as u32 - 1
            })
        };
        let kept: Vec<u32> = self.ranks.iter().enumerate().map(place).collect();
        if first.len() < kept.len() {
            self.mapped.rows = take_record_batch(&self.mapped.rows, &UInt32Array::from(first))?;
            self.kept = Some(kept);
        }
        Ok(())
    }

    /// Memory that the rows take, and what landing notes of each.
    pub fn bytes(&self) -> u64 {
        let noted = size_of::<(u128, Rank)>() * 3 + size_of::<i64>();
        (self.mapped.rows.get_array_memory_size() + self.mapped.record.len() * noted) as u64
    }

    /// Key and rank per row, also of those not kept.
    pub fn ranks(&self) -> &[(u128, Rank)] {
        &self.ranks
    }

    /// Where row `row` is in `mapped.rows`.
    pub fn place(&self, row: usize) -> usize {
        self.kept.as_ref().map_or(row, |kept| kept[row] as usize)
    }
}
