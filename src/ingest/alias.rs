//! Decisions about orders that several systems tell, written into the facts at the end of every batch that landed any of them:
//! which order over all systems a row belongs to, and whether it counts. It must not change a row's version or content hash.
//!
//! A decision is a row of order_alias, or, of orders that have none, the one rule that needs nobody: orders of different
//! systems with one external number in one channel are one (domain 3.2). Of the orders that are one, the one counts whose
//! header has the smallest source_priority (100 without a header), then by system and id; an order without lines never
//! counts for another that has some. Returns count as their order does.
//!
//! What the source gave stays known (`as_given`), so that rows go back to it when a decision is withdrawn. The result depends
//! on the tables' rows alone, not on which came first: all decisions are worked out anew wherever one may have changed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int32Type;

use super::columns::{flags, replace_column, text_at, texts};
use super::commit::{Attempts, Edit, Writer};
use super::fill::{Orders, note_orders, order_key};
use crate::error::{Error, Result};
use crate::lake::{DataFile, Kept, Lake};
use crate::model::{ORDER_ALIAS, ORDER_CHARGE, ORDER_HEADER, ORDER_LINE, RETURN_LINE, Table};

/// The tables whose rows belong to an order.
static FACTS: [&Table; 4] = [&ORDER_LINE, &ORDER_CHARGE, &ORDER_HEADER, &RETURN_LINE];

/// The priority of an order without a header, as the contract of order_header has it.
const PRIORITY: i32 = 100;

/// What a batch landed that decisions may concern.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    orders: Orders,
    /// Decisions themselves, or headers, by which they are made.
    decisions: bool,
}

impl Touched {
    /// Anything may have changed.
    pub fn everything() -> Touched {
        Touched { orders: Orders::default(), decisions: true }
    }

    /// Notes those rows of `table` that `counts`.
    pub fn note(&mut self, table: &Table, rows: &RecordBatch, counts: impl Fn(usize) -> bool) -> Result<()> {
        if [ORDER_ALIAS.name, ORDER_HEADER.name].contains(&table.name) {
            self.decisions |= (0..rows.num_rows()).any(counts);
        } else if FACTS.iter().any(|fact| fact.name == table.name) {
            note_orders(&mut self.orders, rows, counts)?;
        }
        Ok(())
    }
}

/// Writes the decisions into the facts, if `touched` concerns any.
pub(crate) async fn apply(writer: Writer<'_>, touched: &Touched) -> Result<()> {
    if touched.orders.is_empty() && !touched.decisions {
        return Ok(());
    }
    let aliases = aliases(writer.lake).await?;
    if !touched.decisions && !concerned(writer.lake, &touched.orders, &aliases).await? {
        return Ok(());
    }
    let decisions = Decisions::load(writer.lake, aliases).await?;
    for table in FACTS {
        write(writer, table, &decisions).await?;
    }
    Ok(())
}

/// One row of order_alias.
struct Alias {
    key: u128,
    system: String,
    order: String,
    canonical: String,
}

async fn aliases(lake: &Lake) -> Result<Vec<Alias>> {
    const COLUMNS: [&str; 4] = ["source_system", "source_order_id", "canonical_order_id", "is_deleted"];
    let state = lake.state(&ORDER_ALIAS).await?;
    let mut found = Vec::new();
    for file in &state.files {
        for batch in lake.read(&state, file, Some(&COLUMNS)).await? {
            let (systems, orders) = (texts(&batch, COLUMNS[0])?, texts(&batch, COLUMNS[1])?);
            let (canonicals, deleted) = (texts(&batch, COLUMNS[2])?, flags(&batch, COLUMNS[3])?);
            for row in (0..batch.num_rows()).filter(|row| !deleted.value(*row)) {
                let (system, order) = (systems.value(row).to_string(), orders.value(row).to_string());
                let key = order_key(&system, &order);
                found.push(Alias { key, system, order, canonical: canonicals.value(row).to_string() });
            }
        }
    }
    Ok(found)
}

/// Whether any of `orders` has a decision, or a number by which one is made.
async fn concerned(lake: &Lake, orders: &Orders, aliases: &[Alias]) -> Result<bool> {
    if aliases.iter().any(|alias| orders.has(alias.key)) {
        return Ok(true);
    }
    let state = lake.state(&ORDER_HEADER).await?;
    for file in state.files.iter().filter(|file| orders.may_be_in(file) && has_any(file, "external_order_no")) {
        for batch in lake.read(&state, file, Some(&["source_system", "order_id", "external_order_no"])).await? {
            let (systems, ids) = (texts(&batch, "source_system")?, texts(&batch, "order_id")?);
            let numbers = texts(&batch, "external_order_no")?;
            let is = |row: usize| numbers.is_valid(row) && orders.has(order_key(systems.value(row), ids.value(row)));
            if (0..batch.num_rows()).any(is) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether the file may have a value in a column, by its statistics.
fn has_any(file: &DataFile, column: &str) -> bool {
    file.stats.get(column).is_none_or(|stats| stats.nulls != Some(file.rows))
}

/// An order that is one with others.
struct Member {
    key: u128,
    system: String,
    order: String,
    priority: i32,
    /// The order over all systems, as its own source gave it.
    canonical: String,
}

/// Which orders are one: decided by somebody, or by their number in a channel.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Decided(String),
    Numbered { channel: String, number: String },
}

/// What is decided about an order.
struct Decision {
    canonical: String,
    is_primary: bool,
}

/// All decisions, by order.
#[derive(Default)]
struct Decisions {
    by_order: HashMap<u128, Decision>,
    orders: Orders,
}

impl Decisions {
    async fn load(lake: &Lake, aliases: Vec<Alias>) -> Result<Decisions> {
        let decided: HashSet<u128> = aliases.iter().map(|alias| alias.key).collect();
        let mut groups: BTreeMap<Group, Vec<Member>> = BTreeMap::new();
        let mut priorities = HashMap::new();
        for (group, member) in headers(lake, &decided).await? {
            priorities.insert(member.key, member.priority);
            if let Some(group) = group.filter(|_| !decided.contains(&member.key)) {
                groups.entry(group).or_default().push(member);
            }
        }
        groups.retain(|_, members| members.iter().map(|m| &m.system).collect::<BTreeSet<_>>().len() > 1);
        for Alias { key, system, order, canonical } in aliases {
            let priority = priorities.get(&key).copied().unwrap_or(PRIORITY);
            let member = Member { key, system, order, priority, canonical: canonical.clone() };
            groups.entry(Group::Decided(canonical)).or_default().push(member);
        }
        let mut decisions = Decisions::default();
        groups.values().flatten().for_each(|member| decisions.orders.insert(member.key, &member.order));
        let there = with_lines(lake, &decisions.orders).await?;
        for members in groups.values() {
            let rank = |m: &&Member| (!there.contains(&m.key), m.priority, m.system.clone(), m.order.clone());
            let Some(primary) = members.iter().min_by_key(rank) else { continue };
            for member in members {
                let decision = Decision { canonical: primary.canonical.clone(), is_primary: member.key == primary.key };
                decisions.by_order.insert(member.key, decision);
            }
        }
        Ok(decisions)
    }
}

/// The headers that have an external number, or whose order is one of `decided`.
async fn headers(lake: &Lake, decided: &HashSet<u128>) -> Result<Vec<(Option<Group>, Member)>> {
    const COLUMNS: [&str; 9] = [
        "source_system",
        "order_id",
        "channel_id",
        "external_order_no",
        "canonical_order_id",
        "as_given",
        "is_deleted",
        "is_primary",
        "source_priority",
    ];
    let state = lake.state(&ORDER_HEADER).await?;
    let mut found = Vec::new();
    for file in state.files.iter().filter(|file| !decided.is_empty() || has_any(file, "external_order_no")) {
        for batch in lake.read(&state, file, Some(&COLUMNS)).await? {
            let (systems, ids) = (texts(&batch, "source_system")?, texts(&batch, "order_id")?);
            let (channels, numbers) = (texts(&batch, "channel_id")?, texts(&batch, "external_order_no")?);
            let deleted = flags(&batch, "is_deleted")?;
            let priorities = batch.column_by_name("source_priority").and_then(|c| c.as_primitive_opt::<Int32Type>());
            let priorities = priorities.ok_or_else(|| Error::internal("source_priority is no integer"))?;
            let given = Given::of(&batch)?;
            for row in (0..batch.num_rows()).filter(|row| !deleted.value(*row)) {
                let (system, order) = (systems.value(row).to_string(), ids.value(row).to_string());
                let key = order_key(&system, &order);
                let number = text_at(numbers, row).map(str::to_string);
                if number.is_none() && !decided.contains(&key) {
                    continue;
                }
                let channel = channels.value(row).to_string();
                let group = number.map(|number| Group::Numbered { channel, number });
                let canonical = given.row(row).1.unwrap_or_default().to_string();
                let priority = priorities.value(row);
                found.push((group, Member { key, system, order, priority, canonical }));
            }
        }
    }
    Ok(found)
}

/// Which of `orders` have lines.
async fn with_lines(lake: &Lake, orders: &Orders) -> Result<HashSet<u128>> {
    let state = lake.state(&ORDER_LINE).await?;
    let mut found = HashSet::new();
    for file in state.files.iter().filter(|file| orders.may_be_in(file)) {
        for batch in lake.read(&state, file, Some(&["source_system", "order_id", "is_deleted"])).await? {
            let (systems, ids) = (texts(&batch, "source_system")?, texts(&batch, "order_id")?);
            let deleted = flags(&batch, "is_deleted")?;
            let there = (0..batch.num_rows()).filter(|row| !deleted.value(*row));
            found.extend(there.map(|row| order_key(systems.value(row), ids.value(row))).filter(|key| orders.has(*key)));
        }
    }
    Ok(found)
}

/// What the sources gave of rows that may have been changed since.
struct Given<'a> {
    marks: &'a StringArray,
    primaries: &'a BooleanArray,
    /// Returns have none.
    canonicals: Option<&'a StringArray>,
}

impl<'a> Given<'a> {
    fn of(rows: &'a RecordBatch) -> Result<Given<'a>> {
        let canonicals = rows.column_by_name("canonical_order_id").map(|_| texts(rows, "canonical_order_id"));
        Ok(Given {
            marks: texts(rows, "as_given")?,
            primaries: flags(rows, "is_primary")?,
            canonicals: canonicals.transpose()?,
        })
    }

    /// Whether the row counts, and which order it belongs to, as it is now.
    fn now(&self, row: usize) -> (bool, Option<&'a str>) {
        (self.primaries.value(row), self.canonicals.and_then(|c| text_at(c, row)))
    }

    /// The same as its source gave it.
    fn row(&self, row: usize) -> (bool, Option<&'a str>) {
        match text_at(self.marks, row).map(|mark| mark.split_once(' ').unwrap_or((mark, ""))) {
            None => self.now(row),
            Some((primary, canonical)) => (primary == "true", self.canonicals.map(|_| canonical)),
        }
    }
}

/// What was given, as `as_given` keeps it.
fn mark((is_primary, canonical): (bool, Option<&str>)) -> String {
    match canonical {
        Some(canonical) => format!("{is_primary} {canonical}"),
        None => is_primary.to_string(),
    }
}

/// The rows as `decisions` have them, and which of them were not so.
fn decided(rows: &RecordBatch, decisions: &Decisions) -> Result<(RecordBatch, BooleanArray)> {
    let (systems, ids) = (texts(rows, "source_system")?, texts(rows, "order_id")?);
    let given = Given::of(rows)?;
    let (mut primaries, mut canonicals, mut marks, mut changed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows.num_rows() {
        let from_source = given.row(row);
        let key = text_at(ids, row).map(|id| order_key(systems.value(row), id));
        let decision = key.and_then(|key| decisions.by_order.get(&key));
        let now = match decision {
            None => from_source,
            Some(d) => (d.is_primary, from_source.1.map(|_| d.canonical.as_str())),
        };
        let mark = (now != from_source).then(|| mark(from_source));
        changed.push(now != given.now(row) || mark.as_deref() != text_at(given.marks, row));
        primaries.push(now.0);
        canonicals.push(now.1);
        marks.push(mark);
    }
    Ok((with(rows, primaries, canonicals, marks)?, BooleanArray::from(changed)))
}

/// The rows with other values in the columns that decisions change.
fn with(
    rows: &RecordBatch,
    primaries: Vec<bool>,
    canonicals: Vec<Option<&str>>,
    marks: Vec<Option<String>>,
) -> Result<RecordBatch> {
    let mut result = replace_column(rows, "is_primary", Arc::new(BooleanArray::from(primaries)))?;
    if rows.column_by_name("canonical_order_id").is_some() {
        let canonicals: ArrayRef = Arc::new(StringArray::from(canonicals));
        result = replace_column(&result, "canonical_order_id", canonicals)?;
    }
    replace_column(&result, "as_given", Arc::new(StringArray::from(marks)))
}

/// The rows as they were when they landed: without what was decided about them.
pub(crate) fn as_landed(rows: &RecordBatch) -> Result<RecordBatch> {
    if rows.column_by_name("as_given").is_none() {
        return Ok(rows.clone());
    }
    let given = Given::of(rows)?;
    let (primaries, canonicals) = (0..rows.num_rows()).map(|row| given.row(row)).unzip();
    with(rows, primaries, canonicals, vec![None; rows.num_rows()])
}

/// Writes the decisions into the rows of one table that are not yet so.
async fn write(writer: Writer<'_>, table: &'static Table, decisions: &Decisions) -> Result<()> {
    let mut few = vec!["source_system", "order_id", "is_primary", "as_given"];
    few.extend(table.column("canonical_order_id").map(|c| c.name));
    let mut attempts = Attempts::new(writer, table);
    loop {
        let state = writer.lake.state(table).await?;
        let mut edit = Edit::default();
        let concerned = |file: &&Arc<DataFile>| decisions.orders.may_be_in(file) || has_any(file, "as_given");
        for file in state.files.iter().filter(concerned) {
            let mut any = false;
            for batch in writer.lake.read(&state, file, Some(&few)).await? {
                any |= decided(&batch, decisions)?.1.true_count() > 0;
            }
            if any {
                change(&mut edit, file, writer.lake.read(&state, file, None).await?, decisions)?;
            }
        }
        edit.info.insert("aliased".into(), true.into());
        if attempts.commit(&state, edit).await?.is_some() {
            return Ok(());
        }
    }
}

/// Puts those rows of `file` into `edit` that change; the others stay.
fn change(edit: &mut Edit, file: &Arc<DataFile>, rows: Vec<RecordBatch>, decisions: &Decisions) -> Result<()> {
    let mut stays = BooleanBufferBuilder::new(0);
    for batch in rows {
        let (decided, changed) = decided(&batch, decisions)?;
        changed.values().iter().for_each(|changed| stays.append(!changed));
        if changed.true_count() > 0 {
            edit.add.push(filter_record_batch(&decided, &changed)?);
        }
    }
    edit.keep.push(Kept { file: file.clone(), rows: stays.finish() });
    edit.remove.push(file.clone());
    Ok(())
}
