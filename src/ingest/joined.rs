//! Small files of one source that are mapped as one: their records stand in one chunk, each knowing its file, and what
//! became of them is given back file by file, as if each had been mapped alone. It must not read, nor say what is small.

use std::ops::Range;

use arrow::array::{StringArray, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::map::{MapContext, Mapper};
use super::mapped::{Mapped, MappedTable};
use super::ordinal::Ordinals;
use super::read::{Bad, Chunk, Raws, Small};
use super::source::Skip;
use super::verdict::Decided;
use crate::error::{Error, Result};

/// The files that rows are of: mostly all of one.
#[derive(Clone, Copy)]
pub(crate) struct Files<'a> {
    one: &'a MapContext,
    each: &'a [MapContext],
    /// Per row; empty where all are of `one`.
    of: &'a [u32],
}

impl<'a> Files<'a> {
    pub(crate) fn one(one: &'a MapContext) -> Files<'a> {
        Files { one, each: &[], of: &[] }
    }
    /// The file of a row.
    pub(crate) fn at(&self, row: usize) -> &'a MapContext {
        self.each.get(self.number(row) as usize).unwrap_or(self.one)
    }
    /// Its number.
    pub(crate) fn number(&self, row: usize) -> u32 {
        self.of.get(row).copied().unwrap_or(0)
    }
    /// The numbers of these rows, for [`Files::with`].
    pub(crate) fn numbers(&self, rows: &[usize]) -> Vec<u32> {
        if self.of.is_empty() { Vec::new() } else { rows.iter().map(|row| self.number(*row)).collect() }
    }
    /// The same files for other rows.
    pub(crate) fn with<'b>(&self, of: &'b [u32]) -> Files<'b>
    where
        'a: 'b,
    {
        Files { one: self.one, each: self.each, of }
    }
    /// A text for each of `rows` rows.
    pub(crate) fn texts(&self, rows: usize, text: impl Fn(&MapContext) -> &str) -> StringArray {
        if self.of.is_empty() {
            return StringArray::new_repeated(text(self.one), rows);
        }
        StringArray::from_iter_values((0..rows).map(|row| text(self.at(row))))
    }
}

/// Small files whose readers gave the same columns.
pub(crate) struct Joined {
    schema: SchemaRef,
    data: Vec<RecordBatch>,
    lines: Vec<i64>,
    text: Vec<u8>,
    spans: Vec<(usize, usize)>,
    json: bool,
    bad: Vec<Bad>,
    /// Per record, and per bad record, which file it is of.
    of: Vec<u32>,
    bad_of: Vec<u32>,
    files: u32,
}

impl Joined {
    pub(crate) fn new(small: Small) -> Joined {
        let schema = small.data.schema();
        let mut joined = Joined {
            schema,
            data: Vec::new(),
            lines: Vec::new(),
            text: Vec::new(),
            spans: Vec::new(),
            json: small.json,
            bad: Vec::new(),
            of: Vec::new(),
            bad_of: Vec::new(),
            files: 0,
        };
        joined.add(small);
        joined
    }

    /// Whether a file with these records can be one of them.
    pub(crate) fn takes(&self, small: &Small) -> bool {
        self.json == small.json && self.schema.fields() == small.data.schema_ref().fields()
    }

    pub(crate) fn add(&mut self, small: Small) {
        let offset = self.text.len();
        self.text.extend_from_slice(&small.text);
        self.spans.extend(small.spans.iter().map(|(from, to)| (from + offset, to + offset)));
        self.of.extend(small.lines.iter().map(|_| self.files));
        self.bad_of.extend(small.bad.iter().map(|_| self.files));
        self.lines.extend(small.lines);
        self.bad.extend(small.bad);
        self.data.push(small.data);
        self.files += 1;
    }
}

impl Mapper {
    /// Maps small files as one: what each gave, in their order, with the memory that its rows take. `files` says which
    /// they are. An error may be that of any of them: mapped alone, the others may have none.
    pub(crate) async fn map_joined(&mut self, joined: Joined, files: &[MapContext]) -> Result<Vec<(Mapped, u64)>> {
        let Joined { schema, data, lines, text, spans, json, bad, mut of, bad_of, files: count } = joined;
        if files.len() != count as usize {
            return Err(Error::internal(format!("{count} small files were joined, {} are named", files.len())));
        }
        let program = self.program(schema.fields().clone()).await?;
        let data = concat_batches(&schema, &data)?;
        let chunk = Chunk { data, lines, raws: Raws::Text { text, spans, json }, bad };
        let one = self.context.clone();
        let by_file = Files { one: &one, each: files, of: &of };
        self.ordinals = Ordinals::default();
        let decided = self.decide(&program, &chunk, by_file, None).await?;
        // As the records of an outcome are numbered: bad ones after the others.
        of.extend(bad_of);
        split(decided, files.len(), &of, &self.source.header.skip)
    }
}

/// What became of the records of each of `files` files. `of`: per record; empty where there is one file.
pub(crate) fn split(decided: Decided, files: usize, of: &[u32], skips: &[Skip]) -> Result<Vec<(Mapped, u64)>> {
    let file = |record: usize| of.get(record).map_or(0, |file| *file as usize);
    let mut parts: Vec<(Mapped, u64)> = vec![Default::default(); files];
    match of {
        [] => parts[0].0.records = decided.records as u64,
        _ => of.iter().for_each(|file| parts[*file as usize].0.records += 1),
    }
    for (record, rejected) in decided.rejected {
        parts[file(record)].0.rejected.push(rejected);
    }
    parts.iter_mut().for_each(|(mapped, _)| mapped.rejected.sort_by_key(|r| r.line));
    for (record, skip) in decided.skipped {
        if let Some(skip) = skips.get(skip) {
            *parts[file(record)].0.skipped.entry(skip.reason.clone()).or_default() += 1;
        }
    }
    for (table, records) in decided.tables {
        if of.is_empty() {
            parts[0].0.tables.push(table);
            continue;
        }
        let owners = records.iter().map(|record| file(*record)).collect();
        let (table, owners) = in_order(table, owners)?;
        let (bytes, rows) = (table.rows.get_array_memory_size() as u64, owners.len().max(1) as u64);
        for (file, range) in runs(&owners) {
            parts[file].1 += bytes * range.len() as u64 / rows;
            parts[file].0.tables.push(part(&table, range));
        }
    }
    Ok(parts)
}

/// The rows of each file together. Plans keep the records' order, so they are already; nothing but this may rely on it.
fn in_order(mut table: MappedTable, mut owners: Vec<usize>) -> Result<(MappedTable, Vec<usize>)> {
    if owners.is_sorted() {
        return Ok((table, owners));
    }
    let mut order: Vec<usize> = (0..owners.len()).collect();
    order.sort_by_key(|row| owners[*row]);
    table.rows = take_record_batch(&table.rows, &UInt32Array::from_iter_values(order.iter().map(|row| *row as u32)))?;
    table.record = order.iter().map(|row| table.record[*row]).collect();
    table.warned = order.iter().map(|row| table.warned[*row]).collect();
    owners.sort_unstable();
    Ok((table, owners))
}

/// Where the rows of each file stand.
fn runs(owners: &[usize]) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut from = 0;
    owners.chunk_by(|a, b| a == b).map(move |run| {
        let range = from..from + run.len();
        from = range.end;
        (run[0], range)
    })
}

fn part(table: &MappedTable, range: Range<usize>) -> MappedTable {
    MappedTable {
        table: table.table,
        reference: table.reference,
        rows: table.rows.slice(range.start, range.len()),
        record: table.record[range.clone()].to_vec(),
        warned: table.warned[range].to_vec(),
    }
}
