//! Readers: files become batches of texts, one row per record, each with its line and its exact raw text.
//! They must not interpret values. What they cannot parse is handed on as a bad record (V00), never dropped.
//!
//! ```text
//! unpack (gzip, zstd) → encoding → text → csv | ndjson | json
//! parquet | arrow → typed            excel
//! ```
//!
//! Whatever format a source declares, an Arrow stream is taken in its place ([`format_of`]): its columns are called as the
//! source's own, and `objects` makes JSON of them for a source of JSON.

mod arrow;
mod csv;
mod encoding;
mod excel;
mod json;
mod keys;
mod looks;
mod names;
mod ndjson;
mod objects;
mod parquet;
mod sizes;
mod small;
mod text;
mod typed;
mod unpack;
mod verify;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use ::arrow::array::{Array, ArrayRef, AsArray};
use ::arrow::compute::concat_batches;
use ::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use ::arrow::record_batch::RecordBatch;
use ::arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;

use super::source::{Format, Source};
use crate::error::{Error, Result};

pub(crate) use csv::Dialect;
pub(crate) use looks::binary;
pub(crate) use names::{ALWAYS, JSON};
pub(crate) use ndjson::{Decoder, fields_of_shape};
pub(crate) use sizes::{Gate, Refused};
pub(crate) use small::{Most, Small};
pub(crate) use unpack::{Limit, unpack};
pub(crate) use verify::verify;

/// Records in a chunk.
pub(crate) const CHUNK_RECORDS: usize = 65_536;
/// Bytes of text after which a chunk ends early.
const CHUNK_BYTES: usize = 32 << 20;

/// A file's own columns: name and type.
pub(crate) type Columns = Vec<(String, String)>;

/// What is read.
#[derive(Debug, Clone)]
pub enum Input {
    Path(PathBuf),
    Bytes(Bytes),
}

/// A run of records.
pub(crate) struct Chunk {
    /// The source's own columns, all nullable. Columns that nobody wants are all NULL.
    pub(crate) data: RecordBatch,
    /// Per row, the line (text) or row (Parquet) where the record starts, from 1.
    pub(crate) lines: Vec<i64>,
    pub(crate) raws: Raws,
    pub(crate) bad: Vec<Bad>,
}

impl Chunk {
    /// Chunks of one file, one after the other, as one; `None` where there is none.
    pub(crate) fn joined(chunks: Vec<Chunk>) -> Result<Option<Chunk>> {
        let mut chunks = chunks.into_iter();
        let Some(Chunk { data, mut lines, mut raws, mut bad }) = chunks.next() else { return Ok(None) };
        let schema = data.schema();
        let mut batches = vec![data];
        for next in chunks {
            batches.push(next.data);
            lines.extend(next.lines);
            bad.extend(next.bad);
            raws.extend(next.raws)?;
        }
        let data = concat_batches(&schema, &batches)?;
        Ok(Some(Chunk { data, lines, raws, bad }))
    }
}

/// A record that cannot be parsed (V00).
#[derive(Debug)]
pub(crate) struct Bad {
    pub(crate) line: i64,
    pub(crate) message: String,
    pub(crate) raw: String,
}

/// The records as they were.
pub(crate) enum Raws {
    /// Pieces of the file's text. `json`: each is a JSON object.
    Text { text: Vec<u8>, spans: Vec<(usize, usize)>, json: bool },
    /// Rows of a typed file; shown as JSON.
    Rows(RecordBatch),
    /// Records that come back from quarantine, as JSON.
    Json(Vec<String>),
}

impl Raws {
    /// Adds the records that follow in the same file.
    fn extend(&mut self, next: Raws) -> Result<()> {
        match (self, next) {
            (Raws::Text { text, spans, .. }, Raws::Text { text: more, spans: ends, .. }) => {
                let offset = text.len();
                text.extend(more);
                spans.extend(ends.into_iter().map(|(from, to)| (from + offset, to + offset)));
            }
            (Raws::Rows(rows), Raws::Rows(more)) => *rows = concat_batches(&rows.schema(), [&*rows, &more])?,
            (Raws::Json(records), Raws::Json(more)) => records.extend(more),
            _ => return Err(Error::internal("the records of a file are kept in two ways")),
        }
        Ok(())
    }

    /// The exact text of a record; of a typed row, JSON.
    pub(crate) fn raw(&self, row: usize) -> String {
        match self {
            Raws::Text { text, spans, .. } => String::from_utf8_lossy(&text[spans[row].0..spans[row].1]).into_owned(),
            Raws::Rows(batch) => row_json(batch, row, |_, null| !null),
            Raws::Json(records) => records[row].clone(),
        }
    }

    /// The record as a JSON object of texts, from which it can be mapped again.
    pub(crate) fn record(&self, row: usize, data: &RecordBatch, wanted: &[bool]) -> String {
        match self {
            Raws::Text { json: true, .. } | Raws::Json(_) => self.raw(row),
            // NULLs, too: a later definition must see which columns were looked at.
            _ => row_json(data, row, |i, _| wanted[i]),
        }
    }
}

/// A row as a JSON object of texts; `wanted` is asked with a column's number and whether its value is NULL.
fn row_json(batch: &RecordBatch, row: usize, wanted: impl Fn(usize, bool) -> bool) -> String {
    let mut object = serde_json::Map::new();
    let schema = batch.schema();
    for (i, column) in batch.columns().iter().enumerate().filter(|(i, c)| wanted(*i, c.is_null(row))) {
        let shown = match column.data_type() {
            _ if column.is_null(row) => {
                object.insert(schema.field(i).name().clone(), serde_json::Value::Null);
                continue;
            }
            DataType::Utf8 => column.as_string::<i32>().value(row).to_string(),
            _ => match ArrayFormatter::try_new(column, &FormatOptions::default()) {
                Ok(formatter) => formatter.value(row).to_string(),
                Err(e) => e.to_string(),
            },
        };
        object.insert(schema.field(i).name().clone(), shown.into());
    }
    serde_json::Value::Object(object).to_string()
}

/// Gives the records of one file, chunk by chunk. Blocking.
pub(crate) trait Reader: Send {
    /// The columns that it gives: the file's, and optional ones that the file lacks.
    fn schema(&self) -> SchemaRef;
    /// The file's own columns, as far as they are known before reading: of JSON, those of the first records.
    fn columns(&self) -> Columns;
    /// Which columns will be looked at; the others may be given as NULLs.
    fn want(&mut self, wanted: &[bool]);
    /// The next records; `None` at the end.
    fn next(&mut self) -> Result<Option<Chunk>>;
}

/// Opens a file of `source`; `file` is its name for messages. Reading fails once what is packed has unpacked to more than
/// `limit`: of a text or an Arrow stream by gzip or zstd.
pub(crate) fn open(source: &Source, input: Input, file: &str, limit: &Limit) -> Result<Box<dyn Reader>> {
    let opened = gently(|| open_format(source, input, limit));
    opened.map_err(|e| e.context(format!("file {file}, source {}", source.name)))
}

fn open_format(source: &Source, input: Input, limit: &Limit) -> Result<Box<dyn Reader>> {
    let read = &source.header.read;
    let text = |input| text::Text::open_within(input, read.encoding()?, limit);
    Ok(match format_of(source, &input)? {
        Format::Csv => {
            let text = text(input)?;
            Box::new(csv::CsvReader::open(text, read.dialect()?, read.columns.clone(), &read.optional)?)
        }
        Format::Ndjson => Box::new(ndjson::NdjsonReader::open(text(input)?, source.ndjson_fields()?)?),
        Format::Json => {
            Box::new(json::JsonReader::open(text(input)?, source.ndjson_fields()?, read.records.as_deref())?)
        }
        Format::Parquet => Box::new(Guarded(Box::new(parquet::open(input, &read.optional)?))),
        Format::Arrow => {
            let rows = arrow::open_within(input, &read.optional, limit)?;
            Box::new(Guarded(match read.format {
                Format::Ndjson | Format::Json => Box::new(objects::Objects::new(rows, source.ndjson_fields()?)),
                Format::Csv | Format::Excel => Box::new(rows.named_as_text()),
                Format::Parquet | Format::Arrow => Box::new(rows),
            }))
        }
        Format::Excel => {
            Box::new(excel::ExcelReader::open(input, read.sheet.as_ref(), read.header_row, &read.optional)?)
        }
    })
}

/// The format of what is read: the source's, or Arrow's where an Arrow stream comes in its place. Whoever has typed rows
/// (a bulk load over Flight SQL) need not know how the source's files are laid out.
fn format_of(source: &Source, input: &Input) -> Result<Format> {
    Ok(if arrow::is_stream(input)? { Format::Arrow } else { source.header.read.format })
}

/// Readers of other people's formats may panic over damaged files: that must not look like the file's end.
struct Guarded(Box<dyn Reader>);

impl Reader for Guarded {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }
    fn columns(&self) -> Columns {
        self.0.columns()
    }
    fn want(&mut self, wanted: &[bool]) {
        self.0.want(wanted);
    }
    fn next(&mut self) -> Result<Option<Chunk>> {
        gently(|| self.0.next())
    }
}

/// A panic as an error.
fn gently<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::invalid("the file cannot be read: its reader gave up").hint("it may be damaged; deliver it again"))
    })
}

/// The texts of all columns of the first records of a file, for those who look at it before there is a source.
pub(crate) fn first_rows(format: Format, input: Input) -> Result<Option<RecordBatch>> {
    gently(|| {
        let mut reader: Box<dyn Reader> = match format {
            Format::Arrow => Box::new(arrow::open(input, &[])?),
            Format::Excel => Box::new(excel::ExcelReader::open(input, None, None, &[])?),
            _ => Box::new(parquet::open(input, &[])?),
        };
        Ok(reader.next()?.map(|chunk| chunk.data))
    })
}

/// The first objects of a JSON file that is no NDJSON, each as its text.
pub(crate) fn first_objects(input: Input, records: Option<&str>) -> Result<Vec<String>> {
    let fields = texts(["_"]).fields().clone();
    let mut reader = json::JsonReader::open(text::Text::open(input, None)?, fields, records)?;
    let chunk = reader.next()?;
    Ok(chunk.map(|c| (0..c.lines.len()).map(|row| c.raws.raw(row)).collect()).unwrap_or_default())
}

/// A schema of nullable texts.
pub(crate) fn texts<'a>(names: impl IntoIterator<Item = &'a str>) -> SchemaRef {
    Arc::new(Schema::new(names.into_iter().map(|n| Field::new(n, DataType::Utf8, true)).collect::<Vec<_>>()))
}

/// NULLs of `field`'s type.
fn nulls(field: &Field, rows: usize) -> ArrayRef {
    ::arrow::array::new_null_array(field.data_type(), rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records keep their lines and their texts where chunks of a file become one.
    #[test]
    fn chunks_of_a_file_become_one() {
        let chunk = |line: i64, text: &str| Chunk {
            data: RecordBatch::try_new(
                texts(["a"]),
                vec![Arc::new(::arrow::array::StringArray::from(vec![text])) as ArrayRef],
            )
            .expect("a batch"),
            lines: vec![line],
            raws: Raws::Text { text: text.as_bytes().to_vec(), spans: vec![(0, text.len())], json: false },
            bad: vec![Bad { line: line + 1, message: String::new(), raw: String::new() }],
        };
        assert!(Chunk::joined(Vec::new()).expect("joined").is_none());
        let whole =
            Chunk::joined(vec![chunk(2, "one"), chunk(4, "three"), chunk(6, "")]).expect("joined").expect("some");
        assert_eq!(whole.lines, [2, 4, 6]);
        assert_eq!((0..3).map(|row| whole.raws.raw(row)).collect::<Vec<_>>(), ["one", "three", ""]);
        assert_eq!(whole.data.num_rows(), 3);
        assert_eq!(whole.bad.iter().map(|b| b.line).collect::<Vec<_>>(), [3, 5, 7]);
        let other = Chunk { raws: Raws::Json(vec![String::new()]), ..chunk(8, "x") };
        assert!(Chunk::joined(vec![chunk(2, "one"), other]).is_err());
    }
}
