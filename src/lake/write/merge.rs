//! Merging: the rows of a month in the contract's order, piece by piece, from rows that are in memory and from files that are
//! read as they are needed, a batch of each at a time. It must not write files.
//!
//! A file whose footer does not say that it is sorted (another program wrote it) is read whole, and sorted first.

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::compute::{filter_record_batch, interleave_record_batch};
use arrow::record_batch::RecordBatch;
use arrow::row::{OwnedRow, RowConverter, SortField};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;

use super::{Kept, ORDER, PIECE_ROWS, Rows, blocking, sorted};
use crate::error::{Error, Result};
use crate::lake::read;
use crate::model::Table;

/// The contract's order of rows.
pub(super) struct Order {
    converter: RowConverter,
    columns: Vec<usize>,
}

impl Order {
    pub fn new(table: &Table) -> Result<Order> {
        let schema = table.schema();
        let columns =
            table.sort.iter().map(|name| schema.index_of(name)).collect::<std::result::Result<Vec<_>, _>>()?;
        let field = |c: &usize| SortField::new_with_options(schema.field(*c).data_type().clone(), ORDER);
        Ok(Order { converter: RowConverter::new(columns.iter().map(field).collect())?, columns })
    }
    /// The columns that rows are sorted by.
    pub fn columns(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        Ok(batch.project(&self.columns)?)
    }
    pub fn empty(&self, rows: usize) -> arrow::row::Rows {
        self.converter.empty_rows(rows, 0)
    }
    /// Adds the keys of rows that have the order's columns only.
    pub fn append(&self, keys: &mut arrow::row::Rows, rows: &RecordBatch) -> Result<()> {
        Ok(self.converter.append(keys, rows.columns())?)
    }
}

/// Rows in memory, in the contract's order.
pub(super) struct Sorted {
    pub batches: Arc<Vec<RecordBatch>>,
    pub rows: Rows,
}

impl Sorted {
    fn pieces(self) -> Pieces {
        let Sorted { batches, rows } = self;
        let pieces: Vec<Rows> = rows.chunks(PIECE_ROWS).map(<[_]>::to_vec).collect();
        let piece = move |rows: Rows| {
            let batches = batches.clone();
            blocking(move || Ok(interleave_record_batch(&batches.iter().collect::<Vec<_>>(), &rows)?))
        };
        stream::iter(pieces).then(piece).boxed()
    }
}

type Pieces = BoxStream<'static, Result<RecordBatch>>;

/// Rows in order, of which one batch is in memory.
struct Source {
    name: String,
    rest: Pieces,
    batch: RecordBatch,
    keys: arrow::row::Rows,
    /// The row of the batch that comes next.
    at: usize,
}

impl Source {
    fn is_read(&self) -> bool {
        self.at == self.batch.num_rows()
    }

    /// Goes to the next batch that has rows; false: there is none.
    async fn advance(&mut self, order: Option<&Order>) -> Result<bool> {
        let last = self.keys.num_rows().checked_sub(1).map(|row| self.keys.row(row).owned());
        loop {
            let Some(batch) = self.rest.try_next().await? else { return Ok(false) };
            if batch.num_rows() == 0 {
                continue;
            }
            if let Some(order) = order {
                self.keys = order.empty(batch.num_rows());
                order.append(&mut self.keys, &order.columns(&batch)?)?;
                self.check(last.as_ref())?;
            }
            (self.batch, self.at) = (batch, 0);
            return Ok(true);
        }
    }

    fn check(&self, last: Option<&OwnedRow>) -> Result<()> {
        let follows = last.is_none_or(|last| last.row() <= self.keys.row(0));
        if follows && (1..self.keys.num_rows()).all(|row| self.keys.row(row - 1) <= self.keys.row(row)) {
            return Ok(());
        }
        Err(Error::internal(format!("{}: its rows are not in the order that its footer tells", self.name)))
    }
}

/// The rows of a month, in order.
pub(super) struct Merged {
    /// `None`: the table has none.
    order: Option<Arc<Order>>,
    sources: Vec<Source>,
}

impl Merged {
    pub async fn new(
        store: &Arc<dyn ObjectStore>,
        table: &'static Table,
        rows: Sorted,
        kept: Vec<Kept>,
    ) -> Result<Merged> {
        let order = if table.sort.is_empty() { None } else { Some(Arc::new(Order::new(table)?)) };
        let mut pieces = vec![("rows that land".to_string(), rows.pieces())];
        for kept in kept.into_iter().filter(|k| k.rows.count_set_bits() > 0) {
            pieces.push((kept.file.location.to_string(), stay(store, table, kept).await?));
        }
        let none = |order: &Option<Arc<Order>>| match order {
            Some(order) => Ok(order.empty(0)),
            None => Ok::<_, Error>(RowConverter::new(Vec::new())?.empty_rows(0, 0)),
        };
        let source = |(name, rest)| {
            Ok(Source { name, rest, batch: RecordBatch::new_empty(table.schema()), keys: none(&order)?, at: 0 })
        };
        let sources = pieces.into_iter().map(source).collect::<Result<_>>()?;
        Ok(Merged { order, sources })
    }

    /// The next rows, about 16 Ki; `None`: that was all.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let mut taken = Rows::new();
        loop {
            let mut number = 0;
            while number < self.sources.len() {
                if self.sources[number].is_read() {
                    if !taken.is_empty() {
                        // Before the batch goes that these rows are in.
                        return self.gather(taken).await.map(Some);
                    }
                    if !self.sources[number].advance(self.order.as_deref()).await? {
                        self.sources.remove(number);
                        continue;
                    }
                }
                number += 1;
            }
            if let ([source], true) | ([source, ..], true) = (self.sources.as_mut_slice(), taken.is_empty())
                && (self.order.is_none() || number == 1)
            {
                let rest = source.batch.slice(source.at, source.batch.num_rows() - source.at);
                source.at = source.batch.num_rows();
                return Ok(Some(rest));
            }
            if self.sources.is_empty() {
                return Ok(None);
            }
            self.take(&mut taken);
            if taken.len() >= PIECE_ROWS {
                return self.gather(taken).await.map(Some);
            }
        }
    }

    /// Takes the rows of the source whose turn it is, up to the first that another source has before it. Of equal rows
    /// those of the earlier source come first.
    fn take(&mut self, taken: &mut Rows) {
        let key = |number: usize| self.sources[number].keys.row(self.sources[number].at);
        let mut turns: Vec<usize> = (0..self.sources.len()).collect();
        turns.sort_by_key(|number| (key(*number), *number));
        let Some((&first, others)) = turns.split_first() else { return };
        let mut to = self.sources[first].at + 1;
        let source = &self.sources[first];
        let until = others.first().map(|next| (key(*next), *next));
        while to < source.batch.num_rows() && until.is_none_or(|until| (source.keys.row(to), first) < until) {
            to += 1;
        }
        taken.extend((source.at..to).map(|row| (first, row)));
        self.sources[first].at = to;
    }

    /// The taken rows as one batch.
    fn gather(&self, taken: Rows) -> impl Future<Output = Result<RecordBatch>> + use<> {
        let batches: Vec<RecordBatch> = self.sources.iter().map(|s| s.batch.clone()).collect();
        blocking(move || Ok(interleave_record_batch(&batches.iter().collect::<Vec<_>>(), &taken)?))
    }
}

/// The rows that stay of a file, in order.
async fn stay(store: &Arc<dyn ObjectStore>, table: &'static Table, kept: Kept) -> Result<Pieces> {
    let opened = read::open(store, table, &kept.file, None).await?;
    if opened.rows != kept.rows.len() {
        return Err(Error::internal(format!(
            "{}: it has {} rows, not {}",
            kept.file.location,
            opened.rows,
            kept.rows.len()
        )));
    }
    let (sorted_by, mut first) = (opened.sorted_by, 0);
    let some = opened.batches.map(move |batch| {
        let batch = batch?;
        let rows = kept.rows.slice(first, batch.num_rows());
        first += batch.num_rows();
        if rows.count_set_bits() == rows.len() {
            return Ok(batch);
        }
        Ok(filter_record_batch(&batch, &BooleanArray::new(rows, None))?)
    });
    if table.sort.is_empty() || sorted_by == table.sort {
        return Ok(some.boxed());
    }
    let batches: Vec<RecordBatch> = some.try_collect().await?;
    blocking(move || {
        let all = batches.iter().enumerate().flat_map(|(b, batch)| (0..batch.num_rows()).map(move |row| (b, row)));
        let rows = sorted(table, &batches, all.collect())?;
        Ok(Sorted { batches: Arc::new(batches), rows }.pieces())
    })
    .await
}
