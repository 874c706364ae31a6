//! NDJSON: one JSON object a line, nested as its source says, every leaf a text (numbers keep their own spelling).
//! It must not accept a line that is anything but one object.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use arrow::record_batch::RecordBatch;
use serde_json::Value;

use super::keys::repeated_key;
use super::names::Names;
use super::text::Text;
use super::{Bad, CHUNK_BYTES, CHUNK_RECORDS, Chunk, Columns, Raws, Reader};
use crate::error::{Error, Result};

/// The columns that an example object describes: leaves are texts, objects are structs, a list holds what its first
/// element is.
pub(crate) fn fields_of_shape(shape: &str) -> Result<Fields> {
    let value: Value = serde_json::from_str(shape).map_err(|e| {
        Error::invalid(format!("[read] shape is not JSON: {e}"))
            .hint("such as '{\"order_id\":\"\",\"lines\":[{\"sku\":\"\"}]}'")
    })?;
    match type_of(&value)? {
        DataType::Struct(fields) if !fields.is_empty() => Ok(fields),
        _ => Err(Error::invalid("[read] shape is not an object with names").hint("such as '{\"order_id\":\"\"}'")),
    }
}

fn type_of(value: &Value) -> Result<DataType> {
    Ok(match value {
        Value::Object(object) => {
            let fields = object.iter().map(|(name, v)| Ok(Field::new(name, type_of(v)?, true)));
            DataType::Struct(fields.collect::<Result<_>>()?)
        }
        Value::Array(items) => match items.first() {
            Some(item) => DataType::List(Arc::new(Field::new_list_field(type_of(item)?, true))),
            None => {
                return Err(Error::invalid("[read] shape has an empty list")
                    .hint("show one element, such as [\"\"] or [{\"sku\":\"\"}]"));
            }
        },
        _ => DataType::Utf8,
    })
}

/// A line that goes on for longer than this is no record.
const LONGEST_RECORD: usize = 16 << 20;

pub(super) struct NdjsonReader {
    text: Text,
    decoder: Decoder,
    columns: Columns,
    line: i64,
}

/// Where a line ends.
enum Line {
    Ends(usize),
    /// Not in [`LONGEST_RECORD`] bytes.
    Long,
    None,
}

impl NdjsonReader {
    pub(super) fn open(text: Text, fields: Fields) -> Result<NdjsonReader> {
        if text.buffer.trim_ascii_start().first() == Some(&b'[') {
            return Err(Error::invalid("a JSON array, not one object a line").hint("say format = \"json\" in [read]"));
        }
        let columns = columns(&text.buffer, text.end);
        Ok(NdjsonReader { text, decoder: Decoder::new(Arc::new(Schema::new(fields))), columns, line: 1 })
    }

    /// The end of the line that starts at `at`, reading more as needed.
    fn line_end(&mut self, at: usize) -> Result<Line> {
        let mut looked = at;
        loop {
            let end = self.text.buffer[looked..].iter().position(|b| *b == b'\n').map(|n| looked + n);
            let known = end.unwrap_or(self.text.buffer.len());
            // Whether it was read at once or piece by piece must make no difference.
            if known - at > LONGEST_RECORD {
                return Ok(Line::Long);
            }
            match end {
                Some(end) => return Ok(Line::Ends(end)),
                None if self.text.end => return Ok(if known > at { Line::Ends(known) } else { Line::None }),
                None => looked = known,
            }
            self.text.grow()?;
        }
    }

    /// The line that starts the text is too long: keeps its beginning, and goes on after it.
    fn too_long(&mut self) -> Result<Bad> {
        let (line, raw) = (self.line, self.text.kept());
        let byte = self.text.byte(0);
        let message =
            format!("longer than {LONGEST_RECORD} bytes, from byte {byte} of the text; its beginning is kept");
        self.text.drop_line(false)?;
        self.line += 1;
        Ok(Bad { line, message, raw })
    }
}

/// The names at the top of the first objects.
fn columns(text: &[u8], whole: bool) -> Columns {
    let end = if whole { text.len() } else { text.iter().rposition(|b| *b == b'\n').unwrap_or(0) };
    let mut names = Names::default();
    for line in text[..end].split(|b| *b == b'\n') {
        if !names.want_more() {
            break;
        }
        names.look(line.trim_ascii());
    }
    names.columns()
}

impl Reader for NdjsonReader {
    fn schema(&self) -> SchemaRef {
        self.decoder.schema()
    }

    fn columns(&self) -> Columns {
        self.columns.clone()
    }

    fn want(&mut self, _: &[bool]) {}

    fn next(&mut self) -> Result<Option<Chunk>> {
        let mut found = Found::default();
        let mut at = 0;
        while found.len() < CHUNK_RECORDS && at < CHUNK_BYTES {
            let end = self.line_end(at);
            let end = match end.map_err(|e| self.text.at_line(self.line, at, e))? {
                Line::Ends(end) => end,
                Line::None => break,
                // What is before it goes first, so that all of it can be dropped.
                Line::Long if found.len() > 0 => break,
                Line::Long => {
                    self.text.take(at);
                    at = 0;
                    found.bad.push(self.too_long()?);
                    continue;
                }
            };
            let (mut from, line) = (at, self.line);
            at = (end + 1).min(self.text.buffer.len());
            self.line += 1;
            let piece = &self.text.buffer[from..end];
            from += piece.len() - piece.trim_ascii_start().len();
            let raw = piece.trim_ascii();
            if raw.is_empty() {
                continue;
            }
            match self.text.fault(from, from + raw.len()).or_else(|| complaint(raw)) {
                Some(message) => {
                    let raw = String::from_utf8_lossy(raw).into_owned();
                    found.bad.push(Bad { line, message, raw });
                }
                None => found.good(line, from, from + raw.len()),
            }
        }
        if found.len() == 0 {
            return Ok(None);
        }
        let text = self.text.take(at);
        found.chunk(&self.decoder, text).map(Some)
    }
}

/// The records of a chunk: their lines, their places in its text, and what is none.
#[derive(Default)]
pub(super) struct Found {
    lines: Vec<i64>,
    spans: Vec<(usize, usize)>,
    pub(super) bad: Vec<Bad>,
}

impl Found {
    pub(super) fn len(&self) -> usize {
        self.lines.len() + self.bad.len()
    }
    pub(super) fn good(&mut self, line: i64, from: usize, to: usize) {
        self.lines.push(line);
        self.spans.push((from, to));
    }

    /// Decodes the records; those that do not fit the shape become bad ones.
    pub(super) fn chunk(self, decoder: &Decoder, text: Vec<u8>) -> Result<Chunk> {
        let Found { mut lines, mut spans, mut bad } = self;
        let records: Vec<&[u8]> = spans.iter().map(|(a, b)| &text[*a..*b]).collect();
        let (data, misfits) = decoder.decode(&records)?;
        for (row, message) in &misfits {
            let raw = String::from_utf8_lossy(records[*row]).into_owned();
            bad.push(Bad { line: lines[*row], message: message.clone(), raw });
        }
        if !misfits.is_empty() {
            let stays = |row: usize| misfits.binary_search_by_key(&row, |(r, _)| *r).is_err();
            let kept: Vec<bool> = (0..lines.len()).map(stays).collect();
            let mut keep = kept.iter();
            lines.retain(|_| *keep.next().unwrap_or(&true));
            let mut keep = kept.iter();
            spans.retain(|_| *keep.next().unwrap_or(&true));
        }
        Ok(Chunk { data, lines, raws: Raws::Text { text, spans, json: true }, bad })
    }
}

/// Why a text is not one JSON object, if it is not.
pub(super) fn complaint(text: &[u8]) -> Option<String> {
    if let Err(e) = serde_json::from_slice::<serde::de::IgnoredAny>(text) {
        return Some(format!("not JSON: {e}"));
    }
    if text.first() != Some(&b'{') {
        return Some("not a JSON object".into());
    }
    // One of the values would be lost.
    repeated_key(text).map(|key| format!("the key {key:?} stands twice in one object"))
}

/// JSON objects to rows of one schema.
pub(crate) struct Decoder {
    schema: SchemaRef,
}

impl Decoder {
    pub(crate) fn new(schema: SchemaRef) -> Self {
        Decoder { schema }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The rows of all records that fit the schema; the others by position, with why. Each record is one JSON object.
    pub(crate) fn decode(&self, records: &[&[u8]]) -> Result<(RecordBatch, Vec<(usize, String)>)> {
        let (mut batches, mut misfits) = (Vec::new(), Vec::new());
        self.decode_from(records, 0, &mut batches, &mut misfits)?;
        let batch = arrow::compute::concat_batches(&self.schema, &batches)?;
        Ok((batch, misfits))
    }

    /// Halves what fails until the records that do not fit stand alone.
    fn decode_from(
        &self,
        records: &[&[u8]],
        first: usize,
        batches: &mut Vec<RecordBatch>,
        misfits: &mut Vec<(usize, String)>,
    ) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        match self.try_decode(records) {
            Ok(batch) => batches.push(batch),
            Err(message) if records.len() == 1 => misfits.push((first, message)),
            Err(_) => {
                let (left, right) = records.split_at(records.len() / 2);
                self.decode_from(left, first, batches, misfits)?;
                self.decode_from(right, first + left.len(), batches, misfits)?;
            }
        }
        Ok(())
    }

    fn try_decode(&self, records: &[&[u8]]) -> std::result::Result<RecordBatch, String> {
        let shown = |e: arrow::error::ArrowError| format!("does not fit the source's shape: {e}");
        let builder =
            ReaderBuilder::new(Arc::clone(&self.schema)).with_coerce_primitive(true).with_batch_size(records.len());
        let mut decoder = builder.build_decoder().map_err(shown)?;
        for record in records {
            let mut rest = *record;
            while !rest.is_empty() {
                match decoder.decode(rest).map_err(shown)? {
                    // Full: only whole records were given, so nothing but blanks can be left.
                    0 => break,
                    n => rest = &rest[n..],
                }
            }
        }
        let batch = decoder.flush().map_err(shown)?;
        batch.filter(|b| b.num_rows() == records.len()).ok_or_else(|| "does not fit the source's shape".into())
    }
}

#[cfg(test)]
mod tests;
