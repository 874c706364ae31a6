//! The filled columns: what a return takes from its sale, set at the end of every batch that landed either side.
//! It must not change a row's version or content hash, nor any value that the source gave.
//!
//! A return's sale is the current row of its order line, else (line not given, not known, or a tombstone) another line
//! of its order, for the order's columns are the same on every line; tombstones only count where there is nothing else.
//! `filled_columns` names the columns that the sale gave, so the source's own values are told from filled ones when the
//! sale changes later: they stay, the filled ones follow. Landing a return leaves `filled_columns` NULL, so the result
//! depends on the return's row and the sale's rows alone, not on which came first. `customer_key` follows the sale in
//! the same way; `flow` does not, because its default hides whether the source gave it. Customers are those that sources gave:
//! which key stands for them is [`identity`]'s to write, afterwards; one that is written stays where the customer does.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, Date32Array, RecordBatch, StringArray,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Date32Type, Int32Type};
use xxhash_rust::xxh3::Xxh3Default;

use super::columns::{flags, replace_column, text_at, texts};
use super::commit::{Attempts, Edit, Writer};
use super::identity::{self, Touched};
use crate::error::{Error, Result};
use crate::lake::{DataFile, Kept, Lake, Stat, TableState};
use crate::model::{ORDER_LINE, RETURN_LINE};

/// (column of return_line, column of order_line that fills it).
const FILLED: [(&str, &str); 7] = [
    ("sale_channel_id", "channel_id"),
    ("sale_location_id", "location_id"),
    ("sale_order_type", "order_type"),
    ("ship_region_id", "ship_region_id"),
    ("bill_region_id", "bill_region_id"),
    ("sales_rep_id", "sales_rep_id"),
    ("customer_key", "customer_key"),
];

/// More ids than this prune nothing, and take memory.
const MOST_IDS: usize = 100_000;

/// Orders by the hash of source system and order id, and which ids they have.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    keys: HashSet<u128>,
    ids: BTreeSet<String>,
    /// There were more than [`MOST_IDS`]: they are not kept.
    many: bool,
}

impl Orders {
    pub fn insert(&mut self, key: u128, id: &str) {
        if self.keys.insert(key) && !self.many {
            self.ids.insert(id.to_string());
            self.bound();
        }
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub fn has(&self, key: u128) -> bool {
        self.keys.contains(&key)
    }

    pub fn extend(&mut self, more: &Orders) {
        self.keys.extend(&more.keys);
        self.many |= more.many;
        self.ids.extend(more.ids.iter().cloned());
        self.bound();
    }

    fn bound(&mut self) {
        self.many |= self.ids.len() > MOST_IDS;
        if self.many {
            self.ids.clear();
        }
    }

    /// Whether `file` may have one of them, by its statistics of order_id.
    pub fn may_be_in(&self, file: &DataFile) -> bool {
        let Some(stats) = file.stats.get("order_id").filter(|_| !self.many) else { return true };
        match (&stats.min, &stats.max) {
            (Some(Stat::Text(min)), Some(Stat::Text(max))) if min <= max => {
                self.ids.range::<String, _>(min..=max).next().is_some()
            }
            // Blind returns only.
            (None, None) => stats.nulls != Some(file.rows),
            _ => true,
        }
    }
}

/// An order of a system as one number.
pub(crate) fn order_key(system: &str, order: &str) -> u128 {
    let mut hash = Xxh3Default::new();
    hash.update(&(system.len() as u64).to_le_bytes());
    hash.update(system.as_bytes());
    hash.update(order.as_bytes());
    hash.digest128()
}

/// Notes the orders of those rows that `counts`; the rows have source_system and order_id.
pub(crate) fn note_orders(orders: &mut Orders, rows: &RecordBatch, counts: impl Fn(usize) -> bool) -> Result<()> {
    let (systems, ids) = (texts(rows, "source_system")?, texts(rows, "order_id")?);
    for row in (0..rows.num_rows()).filter(|row| counts(*row)) {
        if let Some(id) = text_at(ids, row) {
            orders.insert(order_key(systems.value(row), id), id);
        }
    }
    Ok(())
}

/// Fills the returns of `orders`, and notes in `touched` whose they are.
pub(crate) async fn fill(writer: Writer<'_>, orders: &Orders, touched: &mut Touched) -> Result<()> {
    if orders.keys.is_empty() {
        return Ok(());
    }
    let mut attempts = Attempts::new(writer, &RETURN_LINE);
    loop {
        let state = writer.lake.state(&RETURN_LINE).await?;
        let (files, wanted) = returns_of(writer.lake, &state, orders).await?;
        if files.is_empty() {
            return Ok(());
        }
        let sales = Sales::load(writer.lake, &wanted).await?;
        let mut edit = Edit::default();
        for file in files {
            let rows = writer.lake.read(&state, &file, None).await?;
            change(&mut edit, file, rows, (&wanted, &sales), touched)?;
        }
        edit.info.insert("filled".into(), true.into());
        if attempts.commit(&state, edit).await?.is_some() {
            return Ok(());
        }
    }
}

/// Puts those rows of `file` into `edit` that are not yet as `sales` have them; the others stay. So a batch never holds more
/// than one file.
fn change(
    edit: &mut Edit,
    file: Arc<DataFile>,
    rows: Vec<RecordBatch>,
    (wanted, sales): (&Orders, &Sales),
    touched: &mut Touched,
) -> Result<()> {
    let (mut stays, before) = (BooleanBufferBuilder::new(0), edit.add.len());
    for batch in rows {
        let concerned = concerned(&batch, wanted)?;
        let (filled, changed) = filled(&filter_record_batch(&batch, &concerned)?, sales)?;
        // Those that stay too: an interrupted batch may have filled them and not come further.
        touched.note_filled(&filled)?;
        let mut each = changed.values().iter();
        concerned.values().iter().for_each(|concerned| stays.append(!concerned || each.next() != Some(true)));
        if changed.true_count() > 0 {
            edit.add.push(filter_record_batch(&filled, &changed)?);
        }
    }
    if edit.add.len() > before {
        edit.keep.push(Kept { file: file.clone(), rows: stays.finish() });
        edit.remove.push(file);
    }
    Ok(())
}

/// Which rows are returns of `orders`.
fn concerned(rows: &RecordBatch, orders: &Orders) -> Result<BooleanArray> {
    let (systems, ids) = (texts(rows, "source_system")?, texts(rows, "order_id")?);
    let concerned = |row| text_at(ids, row).is_some_and(|id| orders.keys.contains(&order_key(systems.value(row), id)));
    Ok(BooleanArray::from((0..rows.num_rows()).map(concerned).collect::<Vec<_>>()))
}

/// The files with returns of `orders`, and the orders that have one.
async fn returns_of(lake: &Lake, state: &TableState, orders: &Orders) -> Result<(Vec<Arc<DataFile>>, Orders)> {
    let (mut files, mut wanted) = (Vec::new(), Orders::default());
    for file in state.files.iter().filter(|file| orders.may_be_in(file)) {
        let mut any = false;
        for batch in lake.read(state, file, Some(&["source_system", "order_id"])).await? {
            let concerned = concerned(&batch, orders)?;
            any |= concerned.true_count() > 0;
            note_orders(&mut wanted, &batch, |row| concerned.value(row))?;
        }
        if any {
            files.push(file.clone());
        }
    }
    Ok((files, wanted))
}

/// What a return takes from a sale's row: the values of [`FILLED`], and the sale's date.
#[derive(Clone)]
struct Sale {
    /// Smaller is better: tombstones last, then by position.
    rank: (bool, i32, String),
    values: [Option<String>; FILLED.len()],
    date: i32,
}

/// The sales of the wanted orders: per order its best row, and every line.
#[derive(Default)]
struct Sales {
    orders: HashMap<u128, (Sale, HashMap<String, Sale>)>,
}

impl Sales {
    async fn load(lake: &Lake, wanted: &Orders) -> Result<Sales> {
        let state = lake.state(&ORDER_LINE).await?;
        let mut columns =
            vec!["source_system", "order_id", "order_line_id", "line_no", "is_deleted", "order_business_date"];
        columns.extend(FILLED.map(|(_, from)| from));
        columns.push("customer_given");
        let mut sales = Sales::default();
        for file in state.files.iter().filter(|f| wanted.may_be_in(f)) {
            for batch in lake.read(&state, file, Some(&columns)).await? {
                sales.take(&identity::as_landed(&batch)?, wanted)?;
            }
        }
        Ok(sales)
    }

    fn take(&mut self, batch: &RecordBatch, wanted: &Orders) -> Result<()> {
        let (systems, orders, lines) =
            (texts(batch, "source_system")?, texts(batch, "order_id")?, texts(batch, "order_line_id")?);
        let deleted = flags(batch, "is_deleted")?;
        let numbers = batch.column_by_name("line_no").and_then(|c| c.as_primitive_opt::<Int32Type>());
        let dates = date(batch, "order_business_date")?;
        let values: Vec<&StringArray> = FILLED.iter().map(|(_, from)| texts(batch, from)).collect::<Result<_>>()?;
        for row in 0..batch.num_rows() {
            let key = order_key(systems.value(row), orders.value(row));
            if !wanted.keys.contains(&key) {
                continue;
            }
            let line = lines.value(row).to_string();
            let number = numbers.map_or(0, |n| n.value(row));
            let sale = Sale {
                rank: (deleted.value(row), number, line.clone()),
                values: std::array::from_fn(|i| text_at(values[i], row).map(str::to_string)),
                date: dates.value(row),
            };
            let (best, all) = self.orders.entry(key).or_insert_with(|| (sale.clone(), HashMap::new()));
            if sale.rank < best.rank {
                *best = sale.clone();
            }
            all.insert(line, sale);
        }
        Ok(())
    }

    fn of(&self, order: u128, line: Option<&str>) -> Option<&Sale> {
        let (best, lines) = self.orders.get(&order)?;
        let exact = line.and_then(|l| lines.get(l)).filter(|s| !s.rank.0 || best.rank.0);
        Some(exact.unwrap_or(best))
    }
}

/// The rows as they were when they landed: without what their sales gave. Their customers are those that sources gave.
pub(crate) fn as_landed(rows: &RecordBatch) -> Result<RecordBatch> {
    let marks = texts(rows, "filled_columns")?;
    let mut result = rows.clone();
    for (column, _) in FILLED {
        let filled = |row: usize| text_at(marks, row).is_some_and(|m| m.split(',').any(|c| c == column));
        let values = texts(rows, column)?;
        let given: StringArray =
            (0..rows.num_rows()).map(|row| text_at(values, row).filter(|_| !filled(row))).collect();
        result = replace_column(&result, column, Arc::new(given))?;
    }
    let dates: ArrayRef = Arc::new(date(rows, "business_date")?.clone());
    result = replace_column(&result, "order_business_date", dates)?;
    result = replace_column(&result, "is_sale_known", Arc::new(BooleanArray::from(vec![false; rows.num_rows()])))?;
    replace_column(&result, "filled_columns", Arc::new(StringArray::new_null(rows.num_rows())))
}

/// Returns with their filled columns as `sales` have them now, and which of them were not so.
fn filled(rows: &RecordBatch, sales: &Sales) -> Result<(RecordBatch, BooleanArray)> {
    let before = rows;
    let rows = &identity::as_landed(rows)?;
    let (systems, ids, lines) =
        (texts(rows, "source_system")?, texts(rows, "order_id")?, texts(rows, "order_line_id")?);
    let (marks, known) = (texts(rows, "filled_columns")?, flags(rows, "is_sale_known")?);
    let (dates, own_dates) = (date(rows, "order_business_date")?, date(rows, "business_date")?);
    let old: Vec<&StringArray> = FILLED.iter().map(|(to, _)| texts(rows, to)).collect::<Result<_>>()?;
    let mut new: Vec<Vec<Option<&str>>> = vec![Vec::new(); FILLED.len()];
    let (mut new_marks, mut new_known, mut new_dates, mut changed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows.num_rows() {
        let sale = sales.of(order_key(systems.value(row), ids.value(row)), text_at(lines, row));
        let was_filled: Vec<&str> = text_at(marks, row).map(|m| m.split(',').collect()).unwrap_or_default();
        let (mut now_filled, mut other) = (Vec::new(), false);
        for (i, (column, _)) in FILLED.iter().enumerate() {
            let given = text_at(old[i], row).filter(|_| !was_filled.contains(column));
            let from_sale = sale.and_then(|s| s.values[i].as_deref());
            if given.is_none() && from_sale.is_some() {
                now_filled.push(*column);
            }
            other |= text_at(old[i], row) != given.or(from_sale);
            new[i].push(given.or(from_sale));
        }
        let mark = (!now_filled.is_empty()).then(|| now_filled.join(","));
        let day = sale.map_or(own_dates.value(row), |s| s.date);
        other |= text_at(marks, row) != mark.as_deref() || dates.value(row) != day;
        changed.push(other || known.is_null(row) || known.value(row) != sale.is_some());
        new_marks.push(mark);
        new_known.push(sale.is_some());
        new_dates.push(day);
    }
    let mut result = rows.clone();
    for ((column, _), values) in FILLED.iter().zip(new) {
        result = replace_column(&result, column, Arc::new(StringArray::from(values)) as ArrayRef)?;
    }
    result = replace_column(&result, "filled_columns", Arc::new(StringArray::from(new_marks)))?;
    result = replace_column(&result, "is_sale_known", Arc::new(BooleanArray::from(new_known)))?;
    result = replace_column(&result, "order_business_date", Arc::new(Date32Array::from(new_dates)))?;
    Ok((identity::kept(before, &result)?, BooleanArray::from(changed)))
}

fn date<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Date32Array> {
    let column = batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Date32Type>());
    column.ok_or_else(|| Error::internal(format!("column {name} is not a date")))
}

#[cfg(test)]
mod tests;
