//! Readers: files become batches of texts, one row per record, each with its line and its exact raw text.
//! They must not interpret values. What they cannot parse is handed on as a bad record (V00), never dropped.

mod csv;
mod ndjson;
mod parquet;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use ::arrow::array::{Array, ArrayRef, AsArray};
use ::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use ::arrow::record_batch::RecordBatch;
use ::arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;

use super::source::{Format, Source};
use crate::error::{Error, Result};

pub(crate) use ndjson::{Decoder, fields_of_shape};

/// Records in a chunk.
pub(crate) const CHUNK_RECORDS: usize = 65_536;
/// Bytes of text after which a chunk ends early.
const CHUNK_BYTES: usize = 32 << 20;

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
    /// The exact text of a record; of a typed row, JSON.
    pub(crate) fn raw(&self, row: usize) -> String {
        match self {
            Raws::Text { text, spans, .. } => String::from_utf8_lossy(&text[spans[row].0..spans[row].1]).into_owned(),
            Raws::Rows(batch) => row_json(batch, row, |_| true),
            Raws::Json(records) => records[row].clone(),
        }
    }

    /// The record as a JSON object of texts, from which it can be mapped again.
    pub(crate) fn record(&self, row: usize, data: &RecordBatch, wanted: &[bool]) -> String {
        match self {
            Raws::Text { json: true, .. } | Raws::Json(_) => self.raw(row),
            _ => row_json(data, row, |i| wanted[i]),
        }
    }
}

/// A row as a JSON object of texts; NULLs are left out.
fn row_json(batch: &RecordBatch, row: usize, wanted: impl Fn(usize) -> bool) -> String {
    let mut object = serde_json::Map::new();
    let schema = batch.schema();
    for (i, column) in batch.columns().iter().enumerate().filter(|(i, c)| wanted(*i) && c.is_valid(row)) {
        let shown = match column.data_type() {
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
    /// The file's columns.
    fn schema(&self) -> SchemaRef;
    /// Which columns will be looked at; the others may be given as NULLs.
    fn want(&mut self, wanted: &[bool]);
    /// The next records; `None` at the end.
    fn next(&mut self) -> Result<Option<Chunk>>;
}

/// Opens a file of `source`; `file` is its name for messages.
pub(crate) fn open(source: &Source, input: Input, file: &str) -> Result<Box<dyn Reader>> {
    let named = |e: Error| e.context(format!("file {file}, source {}", source.name));
    let read = &source.header.read;
    match read.format {
        Format::Csv => {
            let delimiter = source.delimiter()?;
            let text = plain(input).map_err(named)?;
            csv::CsvReader::open(text, delimiter, read.columns.clone(), &read.optional)
                .map(|r| Box::new(r) as _)
                .map_err(named)
        }
        Format::Ndjson => {
            let fields = source.ndjson_fields()?;
            Ok(Box::new(ndjson::NdjsonReader::open(plain(input).map_err(named)?, fields)?))
        }
        Format::Parquet => parquet::ParquetReader::open(input, &read.optional).map(|r| Box::new(r) as _).map_err(named),
    }
}

/// The bytes, unpacked if they begin like gzip (of one member or several).
fn plain(input: Input) -> Result<Box<dyn Read + Send>> {
    let mut bytes: Box<dyn Read + Send> = match input {
        Input::Path(path) => Box::new(BufReader::with_capacity(1 << 20, File::open(path)?)),
        Input::Bytes(bytes) => Box::new(std::io::Cursor::new(bytes)),
    };
    let mut magic = [0_u8; 2];
    let mut read = 0;
    while read < magic.len() {
        match bytes.read(&mut magic[read..])? {
            0 => break,
            n => read += n,
        }
    }
    let whole = std::io::Cursor::new(magic[..read].to_vec()).chain(bytes);
    Ok(if magic[..read] == [0x1f, 0x8b] { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}

/// Text that grows as needed: what has been read and not yet been given away.
struct Text {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    end: bool,
}

impl Text {
    fn new(input: Box<dyn Read + Send>) -> Self {
        Text { input, buffer: Vec::new(), end: false }
    }
    /// Reads some more; after the last byte `end` is set.
    fn grow(&mut self) -> Result<()> {
        const BLOCK: usize = 1 << 20;
        let from = self.buffer.len();
        self.buffer.resize(from + BLOCK, 0);
        let mut filled = from;
        while filled < self.buffer.len() && !self.end {
            match self.input.read(&mut self.buffer[filled..]) {
                Ok(0) => self.end = true,
                Ok(n) => filled += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.buffer.truncate(filled);
                    return Err(Error::invalid(format!("reading stopped: {e}"))
                        .hint("the file may be cut off or damaged; deliver it again"));
                }
            }
        }
        self.buffer.truncate(filled);
        Ok(())
    }
    /// Gives away everything up to `at`.
    fn take(&mut self, at: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(at);
        std::mem::replace(&mut self.buffer, rest)
    }
    /// Cuts a byte order mark at the very beginning.
    fn cut_bom(&mut self) -> Result<()> {
        self.grow()?;
        if self.buffer.starts_with(b"\xef\xbb\xbf") {
            self.buffer.drain(..3);
        }
        Ok(())
    }
}

/// A schema of nullable texts.
pub(crate) fn texts<'a>(names: impl IntoIterator<Item = &'a str>) -> SchemaRef {
    Arc::new(Schema::new(names.into_iter().map(|n| Field::new(n, DataType::Utf8, true)).collect::<Vec<_>>()))
}

/// NULLs of `field`'s type.
fn nulls(field: &Field, rows: usize) -> ArrayRef {
    ::arrow::array::new_null_array(field.data_type(), rows)
}
