//! One customer over several channels is one: the key that stands for all keys of a customer, written into the facts at the end
//! of every batch that landed identities, or facts of such customers. It must not change a row's version or content hash.
//!
//! Which customers are one is worked out from customer_identity (`resolve`) and kept version by version in
//! customer_key_history (`history`), always before any fact is written: so whoever lands facts later follows it without
//! working it out again. What the source gave stays known (`customer_given`), so that rows go back to it when a merge is
//! withdrawn. The result depends on the tables' rows alone, not on which came first.
//!
//! Identities go through all facts, unless this process has done so since anybody's key changed ([`Followed`]). What a process
//! that died has left undone is so completed by the next one that lands identities: the same file, or any other.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::{Array, ArrayRef, BooleanArray, BooleanBufferBuilder, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use futures::TryStreamExt;

use super::columns::{binary, replace_column, text_at, texts};
use super::commit::{Attempts, Edit, Writer};
use crate::error::{Error, Result};
use crate::lake::{DataFile, Kept, Lake, Stat, TableState};
use crate::model::{
    CUSTOMER_EVENT, CUSTOMER_IDENTITY, CUSTOMER_KEY_HISTORY, FEEDBACK, MARKETING_TOUCH, ORDER_CHARGE, ORDER_HEADER,
    ORDER_LINE, PAYMENT, RETURN_LINE, SALES_ACTIVITY, Table,
};

mod history;
mod resolve;

/// The tables whose rows belong to a customer.
static FACTS: [&Table; 9] = [
    &ORDER_LINE,
    &ORDER_CHARGE,
    &ORDER_HEADER,
    &RETURN_LINE,
    &PAYMENT,
    &CUSTOMER_EVENT,
    &FEEDBACK,
    &MARKETING_TOUCH,
    &SALES_ACTIVITY,
];

/// The columns by which a row's customer is told.
const COLUMNS: [&str; 2] = ["customer_key", "customer_given"];

/// So many rows are looked for one by one; of more, all files are looked at.
const MOST_ROWS: usize = 100_000;

/// Bytes of changed rows in one commit, about. A pass that is cut off between two of them is completed as one that did not
/// begin: what is left to do is seen in the rows.
const PORTION: usize = 64 << 20;

/// A row of a table: its place in [`FACTS`] and its `row_key`.
type RowOf = (usize, [u8; 16]);

/// The version of customer_key_history by which this process has gone through all facts, shared by all that land into one lake.
#[derive(Debug)]
pub(crate) struct Followed(AtomicI64);

impl Default for Followed {
    fn default() -> Followed {
        Followed(AtomicI64::new(i64::MIN))
    }
}

impl Followed {
    fn is(&self, version: i64) -> bool {
        self.0.load(Ordering::SeqCst) == version
    }

    fn reach(&self, version: i64) {
        self.0.fetch_max(version, Ordering::SeqCst);
    }
}

/// What a batch landed that may belong to a customer of several keys.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Anything may be among it.
    everything: bool,
    /// Rows of customer_identity are.
    identities: bool,
    /// The version of customer_key_history by which `merged` was answered.
    asked: Option<i64>,
    merged: Option<Merged>,
    /// Returns were filled since it was asked.
    filled: bool,
    /// By the key that the source gave.
    rows: BTreeMap<String, HashSet<RowOf>>,
    noted: usize,
}

/// Customers who were ever one with others: facts of anybody else need no look.
#[derive(Debug)]
struct Merged {
    keys: HashSet<String>,
    /// Of other customers it is not known; `None`: it is of all.
    asked: Option<BTreeSet<String>>,
}

impl Merged {
    fn may_be(&self, customer: &str) -> bool {
        self.keys.contains(customer) || self.asked.as_ref().is_some_and(|asked| !asked.contains(customer))
    }
}

/// The customers that a batch names, gathered to ask for them at once.
#[derive(Debug, Default)]
pub(crate) struct Named {
    customers: BTreeSet<String>,
    /// There were more than [`MOST_ROWS`]: all are asked for.
    many: bool,
}

impl Named {
    pub fn add(&mut self, table: &Table, rows: &RecordBatch) -> Result<()> {
        if self.many || place(table).is_none() {
            return Ok(());
        }
        for customer in texts(rows, COLUMNS[0])?.iter().flatten() {
            if !self.customers.contains(customer) {
                self.customers.insert(customer.to_string());
            }
        }
        self.many = self.customers.len() > MOST_ROWS;
        Ok(())
    }
}

/// The table's place in [`FACTS`].
fn place(table: &Table) -> Option<usize> {
    FACTS.iter().position(|fact| fact.name == table.name)
}

impl Touched {
    /// For a batch that names these customers; `state`: of customer_key_history, asked for after the batch had committed its
    /// rows. Whoever merges customers later finds these there, and who did before has said so already.
    pub async fn of(lake: &Lake, state: &TableState, named: Named) -> Result<Touched> {
        let mut touched = Touched { asked: Some(state.version), ..Touched::default() };
        if !state.files.is_empty() {
            let asked = (!named.many).then_some(named.customers);
            let keys = history::newest(lake, state, asked.as_ref()).await?.into_keys().collect();
            touched.merged = Some(Merged { keys, asked });
        }
        Ok(touched)
    }

    /// Anything may have changed.
    pub fn everything() -> Touched {
        Touched { everything: true, ..Touched::default() }
    }

    /// Notes those rows of `table` that `counts`.
    pub fn note(&mut self, table: &Table, rows: &RecordBatch, counts: impl Fn(usize) -> bool) -> Result<()> {
        if table.name == CUSTOMER_IDENTITY.name {
            self.identities |= (0..rows.num_rows()).any(counts);
            return Ok(());
        }
        let (Some(place), Some(merged)) = (place(table), &self.merged) else { return Ok(()) };
        if self.many() {
            return Ok(());
        }
        let (customers, keys) = (texts(rows, COLUMNS[0])?, binary(rows, "row_key")?);
        for row in (0..rows.num_rows()).filter(|row| counts(*row)) {
            let Some(customer) = text_at(customers, row).filter(|customer| merged.may_be(customer)) else { continue };
            let key = <[u8; 16]>::try_from(keys.value(row));
            let key = key.map_err(|_| Error::internal("a row_key is not 16 bytes long"))?;
            self.noted += usize::from(self.rows.entry(customer.to_string()).or_default().insert((place, key)));
        }
        if self.many() {
            self.rows.clear();
        }
        Ok(())
    }

    /// Notes returns as they were filled. They are committed after it was asked who was ever merged: whoever merged customers
    /// since may have missed them, see [`apply`].
    pub fn note_filled(&mut self, rows: &RecordBatch) -> Result<()> {
        self.filled |= rows.num_rows() > 0;
        self.note(&RETURN_LINE, &as_landed(rows)?, |_| true)
    }

    fn many(&self) -> bool {
        self.noted > MOST_ROWS
    }

    fn is_nothing(&self) -> bool {
        !self.everything && !self.identities && !self.filled && self.rows.is_empty() && !self.many()
    }
}

/// Brings customer_key_history up to date and writes it into the facts, if `touched` concerns any.
pub(crate) async fn apply(writer: Writer<'_>, touched: &Touched, followed: &Followed) -> Result<()> {
    if touched.is_nothing() {
        return Ok(());
    }
    if touched.everything || touched.identities {
        history::bring_up(writer).await?;
    }
    let state = writer.lake.state(&CUSTOMER_KEY_HISTORY).await?;
    // Where nobody was ever merged, no row can be otherwise than its source gave it.
    if state.files.is_empty() {
        return Ok(());
    }
    if touched.everything || touched.many() || (touched.identities && !followed.is(state.version)) {
        for table in FACTS {
            write(writer, table, None).await?;
        }
        followed.reach(state.version);
        return Ok(());
    }
    if touched.filled && touched.asked != Some(state.version) {
        // Somebody was merged between the question and the filling, and may have looked at the returns before they were filled.
        write(writer, &RETURN_LINE, None).await?;
    }
    let customers: BTreeSet<String> = touched.rows.keys().cloned().collect();
    if customers.is_empty() {
        return Ok(());
    }
    let merges = Merges::load(writer.lake, Some(&customers)).await?;
    let mut keys: BTreeMap<usize, Vec<[u8; 16]>> = BTreeMap::new();
    for (customer, rows) in &touched.rows {
        // Those of others are as their sources gave them.
        if merges.versions.contains_key(customer) {
            rows.iter().for_each(|(place, key)| keys.entry(*place).or_default().push(*key));
        }
    }
    for (place, keys) in keys {
        let few = Few { customers: &customers, keys: &keys };
        write(writer, FACTS[place], Some(few)).await?;
    }
    Ok(())
}

/// Rows that are looked for one by one.
#[derive(Clone, Copy)]
struct Few<'a> {
    customers: &'a BTreeSet<String>,
    keys: &'a [[u8; 16]],
}

/// Which key stands for which, by the newest versions.
struct Merges<'a> {
    /// Of customer_key_history.
    version: i64,
    versions: history::Versions,
    /// Of others nothing is known.
    customers: Option<&'a BTreeSet<String>>,
}

impl<'a> Merges<'a> {
    async fn load(lake: &Lake, customers: Option<&'a BTreeSet<String>>) -> Result<Merges<'a>> {
        let state = lake.state(&CUSTOMER_KEY_HISTORY).await?;
        let versions = history::newest(lake, &state, customers).await?;
        Ok(Merges { version: state.version, versions, customers })
    }

    /// The key that stands for `given`; `None`: it is not known.
    fn of<'k>(&'k self, given: &'k str) -> Option<&'k str> {
        if self.customers.is_some_and(|customers| !customers.contains(given)) {
            return None;
        }
        Some(self.versions.get(given).map_or(given, |version| version.canonical.as_str()))
    }

    /// Whether `file` may have a row that is to change.
    async fn may_concern(&self, lake: &Lake, file: &DataFile, few: Option<Few<'_>>) -> Result<bool> {
        match few {
            Some(few) => lake.may_hold(file, few.keys).await,
            None => Ok(has_given(file) || self.may_be_in(file)),
        }
    }

    /// Whether `file` may have a customer for whom another key stands, by its statistics.
    fn may_be_in(&self, file: &DataFile) -> bool {
        let Some(stats) = file.stats.get("customer_key") else { return true };
        match (&stats.min, &stats.max) {
            (Some(Stat::Text(min)), Some(Stat::Text(max))) if min <= max => {
                self.versions.range::<String, _>(min..=max).next().is_some()
            }
            // Nobody is known in any row.
            (None, None) => stats.nulls != Some(file.rows),
            _ => true,
        }
    }

    /// Whether `file` has a row that is to change.
    async fn changes(&self, lake: &Lake, state: &TableState, file: &DataFile) -> Result<bool> {
        let mut batches = lake.batches(state, file, Some(&COLUMNS)).await?;
        while let Some(rows) = batches.try_next().await? {
            if self.applied(&rows)?.1.true_count() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The rows as they are to be, and which of them were not so.
    fn applied(&self, rows: &RecordBatch) -> Result<(RecordBatch, BooleanArray)> {
        let given = Given::of(rows)?;
        let (mut keys, mut marks, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..rows.num_rows() {
            let (now, mark) = (text_at(given.keys, row), text_at(given.marks, row));
            let from_source = mark.or(now);
            let stands = from_source.and_then(|key| self.of(key));
            let (key, new_mark) = match stands {
                Some(key) => (Some(key), from_source.filter(|given| *given != key)),
                None => (now, mark),
            };
            changed.push(key != now || new_mark != mark);
            keys.push(key);
            marks.push(new_mark);
        }
        Ok((with(rows, keys, marks)?, BooleanArray::from(changed)))
    }
}

/// Whether some row of `file` may have another customer than its source gave it, by its statistics.
fn has_given(file: &DataFile) -> bool {
    file.stats.get("customer_given").is_none_or(|stats| stats.nulls != Some(file.rows))
}

/// The customers of rows that may have been changed since their sources gave them.
struct Given<'a> {
    keys: &'a StringArray,
    marks: &'a StringArray,
}

impl<'a> Given<'a> {
    fn of(rows: &'a RecordBatch) -> Result<Given<'a>> {
        Ok(Given { keys: texts(rows, COLUMNS[0])?, marks: texts(rows, COLUMNS[1])? })
    }
}

/// The rows with these customers.
fn with(rows: &RecordBatch, keys: Vec<Option<&str>>, marks: Vec<Option<&str>>) -> Result<RecordBatch> {
    let (keys, marks): (ArrayRef, ArrayRef) = (Arc::new(StringArray::from(keys)), Arc::new(StringArray::from(marks)));
    replace_column(&replace_column(rows, COLUMNS[0], keys)?, COLUMNS[1], marks)
}

/// The rows as they were when they landed: with the customers that their sources gave.
pub(crate) fn as_landed(rows: &RecordBatch) -> Result<RecordBatch> {
    if rows.column_by_name(COLUMNS[1]).is_none_or(|marks| marks.null_count() == marks.len()) {
        return Ok(rows.clone());
    }
    let given = Given::of(rows)?;
    let keys = (0..rows.num_rows()).map(|row| text_at(given.marks, row).or(text_at(given.keys, row))).collect();
    with(rows, keys, vec![None; rows.num_rows()])
}

/// `rows`, whose customers are those that sources gave. Where `before`, the same rows, is of the same customer, the key that
/// stands for it there stays.
pub(crate) fn kept(before: &RecordBatch, rows: &RecordBatch) -> Result<RecordBatch> {
    let (was, is) = (Given::of(before)?, Given::of(rows)?);
    let stands = |row: usize| {
        let given = text_at(is.keys, row);
        match text_at(was.marks, row).filter(|mark| given == Some(*mark)) {
            Some(mark) => (text_at(was.keys, row), Some(mark)),
            None => (given, None),
        }
    };
    let (keys, marks) = (0..rows.num_rows()).map(stands).unzip();
    with(rows, keys, marks)
}

/// Writes the keys that stand for customers into the rows of one table that are not yet so: into all, or into a few.
async fn write(writer: Writer<'_>, table: &'static Table, few: Option<Few<'_>>) -> Result<()> {
    write_portions(writer, table, few, PORTION).await
}

/// As [`write`], in commits of about `portion` bytes of changed rows each.
async fn write_portions(writer: Writer<'_>, table: &'static Table, few: Option<Few<'_>>, portion: usize) -> Result<()> {
    let lake = writer.lake;
    let mut attempts = Attempts::new(writer, table);
    // Files that the merges of one version leave as they are: what is left to do is looked for in the others.
    let (mut right, mut by) = (HashSet::<String>::new(), None);
    loop {
        let state = lake.state(table).await?;
        let merges = Merges::load(lake, few.map(|few| few.customers)).await?;
        if by.replace(merges.version) != Some(merges.version) {
            right.clear();
        }
        let (mut edit, mut taken) = (Edit::default(), 0);
        for file in &state.files {
            if taken >= portion {
                break;
            }
            if right.contains(&file.path) {
                continue;
            }
            if merges.may_concern(lake, file, few).await? && merges.changes(lake, &state, file).await? {
                taken += change(lake, &state, file, &merges, &mut edit, portion - taken).await?;
            } else {
                right.insert(file.path.clone());
            }
        }
        edit.info.insert("identified".into(), true.into());
        let Some(version) = attempts.commit(&state, edit).await? else { continue };
        // Who is merged later finds every row as it stays. But whoever merged somebody while rows were changed here may have
        // looked at them before.
        if version == state.version
            || (taken < portion && lake.state(&CUSTOMER_KEY_HISTORY).await?.version == merges.version)
        {
            return Ok(());
        }
        // The rest is another edit.
        attempts = Attempts::new(writer, table);
    }
}

/// Puts rows of `file` that change into `edit`, until they take `most` bytes; the others stay, also those that are left to
/// another commit. Returns what they take.
async fn change(
    lake: &Lake,
    state: &TableState,
    file: &Arc<DataFile>,
    merges: &Merges<'_>,
    edit: &mut Edit,
    most: usize,
) -> Result<usize> {
    let (mut stays, mut taken) = (BooleanBufferBuilder::new(0), 0);
    let mut batches = lake.batches(state, file, None).await?;
    while let Some(rows) = batches.try_next().await? {
        if taken >= most {
            stays.append_n(rows.num_rows(), true);
            continue;
        }
        let (applied, changed) = merges.applied(&rows)?;
        changed.values().iter().for_each(|changed| stays.append(!changed));
        if changed.true_count() > 0 {
            let rows = filter_record_batch(&applied, &changed)?;
            taken += rows.get_array_memory_size();
            edit.add.push(rows);
        }
    }
    edit.keep.push(Kept { file: file.clone(), rows: stays.finish() });
    edit.remove.push(file.clone());
    Ok(taken)
}

#[cfg(test)]
mod tests;
