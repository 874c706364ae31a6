//! NDJSON: one JSON object a line, nested as its source says, every leaf a text (numbers keep their own spelling).
//! It must not accept a line that is anything but one object.

use std::io::Read;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use arrow::record_batch::RecordBatch;
use serde_json::Value;

use super::{Bad, CHUNK_BYTES, CHUNK_RECORDS, Chunk, Raws, Reader, Text};
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

pub(super) struct NdjsonReader {
    text: Text,
    decoder: Decoder,
    line: i64,
    started: bool,
}

impl NdjsonReader {
    pub(super) fn open(input: Box<dyn Read + Send>, fields: Fields) -> Result<NdjsonReader> {
        Ok(NdjsonReader {
            text: Text::new(input),
            decoder: Decoder::new(Arc::new(Schema::new(fields))),
            line: 1,
            started: false,
        })
    }

    /// The end of the line that starts at `at`, reading more as needed; `None` at the end.
    fn line_end(&mut self, at: usize) -> Result<Option<usize>> {
        let mut looked = at;
        loop {
            if let Some(n) = self.text.buffer[looked..].iter().position(|b| *b == b'\n') {
                return Ok(Some(looked + n));
            }
            looked = self.text.buffer.len();
            if self.text.end {
                return Ok((looked > at).then_some(looked));
            }
            self.text.grow()?;
        }
    }
}

impl Reader for NdjsonReader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.decoder.schema)
    }

    fn want(&mut self, _: &[bool]) {}

    fn next(&mut self) -> Result<Option<Chunk>> {
        if !self.started {
            self.text.cut_bom()?;
            self.started = true;
        }
        let (mut lines, mut spans, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        let mut at = 0;
        while lines.len() + bad.len() < CHUNK_RECORDS && at < CHUNK_BYTES {
            let Some(end) = self.line_end(at)? else { break };
            let (from, line) = (at, self.line);
            at = (end + 1).min(self.text.buffer.len());
            self.line += 1;
            let raw = self.text.buffer[from..end].trim_ascii();
            if raw.is_empty() {
                continue;
            }
            match complaint(raw) {
                Some(message) => bad.push(Bad { line, message, raw: String::from_utf8_lossy(raw).into_owned() }),
                None => {
                    let start = from + (raw.as_ptr() as usize - self.text.buffer[from..].as_ptr() as usize);
                    lines.push(line);
                    spans.push((start, start + raw.len()));
                }
            }
        }
        if lines.is_empty() && bad.is_empty() {
            return Ok(None);
        }
        let text = self.text.take(at);
        let data = self.decode(&text, &mut lines, &mut spans, &mut bad)?;
        Ok(Some(Chunk { data, lines, raws: Raws::Text { text, spans, json: true }, bad }))
    }
}

impl NdjsonReader {
    /// Decodes the lines; those that do not fit the shape become bad records.
    fn decode(
        &self,
        text: &[u8],
        lines: &mut Vec<i64>,
        spans: &mut Vec<(usize, usize)>,
        bad: &mut Vec<Bad>,
    ) -> Result<RecordBatch> {
        let records: Vec<&[u8]> = spans.iter().map(|(a, b)| &text[*a..*b]).collect();
        let (batch, misfits) = self.decoder.decode(&records)?;
        for (row, message) in &misfits {
            bad.push(Bad {
                line: lines[*row],
                message: message.clone(),
                raw: String::from_utf8_lossy(records[*row]).into_owned(),
            });
        }
        if !misfits.is_empty() {
            let mut row = 0;
            let mut stays = || {
                row += 1;
                misfits.binary_search_by_key(&(row - 1), |(r, _)| *r).is_err()
            };
            let kept: Vec<bool> = (0..lines.len()).map(|_| stays()).collect();
            let mut keep = kept.iter();
            lines.retain(|_| *keep.next().unwrap_or(&true));
            let mut keep = kept.iter();
            spans.retain(|_| *keep.next().unwrap_or(&true));
        }
        Ok(batch)
    }
}

/// Why a line is not one JSON object, if it is not.
fn complaint(line: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(e) => return Some(format!("not UTF-8, from byte {}", e.valid_up_to() + 1)),
    };
    if let Err(e) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        return Some(format!("not JSON: {e}"));
    }
    (line.first() != Some(&b'{')).then(|| "not a JSON object".to_string())
}

/// JSON objects to rows of one schema.
pub(crate) struct Decoder {
    schema: SchemaRef,
}

impl Decoder {
    pub(crate) fn new(schema: SchemaRef) -> Self {
        Decoder { schema }
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
mod tests {
    use std::io::Write;

    use arrow::array::{Array, AsArray};
    use flate2::write::GzEncoder;

    use super::super::plain;
    use super::*;

    const SHAPE: &str = r#"{"id":"","paid":"","customer":{"key":""},"lines":[{"sku":"","qty":""}]}"#;

    fn chunks(text: &[u8]) -> Vec<Chunk> {
        let input = plain(super::super::Input::Bytes(text.to_vec().into())).expect("input");
        let mut reader = NdjsonReader::open(input, fields_of_shape(SHAPE).expect("shape")).expect("opens");
        std::iter::from_fn(|| reader.next().expect("reads")).collect()
    }

    #[test]
    fn nesting_and_numbers_stay_as_written() {
        let text = b"\xef\xbb\xbf{\"id\":00.10,\"x\":1}\n\n {\"id\":1.10,\"paid\":true,\"customer\":{\"key\":\"k\"},\"lines\":[{\"sku\":\"a\",\"qty\":1.50},{\"sku\":\"b\"}]}\r\n{\"id\":12345678901234567890123}";
        let chunk = &chunks(text)[0];
        assert_eq!(chunk.bad.len(), 1, "00.10 is no JSON");
        assert_eq!(chunk.lines, [3, 4]);
        let ids = chunk.data.column(0).as_string::<i32>();
        assert_eq!((ids.value(0), ids.value(1)), ("1.10", "12345678901234567890123"));
        assert_eq!(chunk.data.column(1).as_string::<i32>().value(0), "true");
        let lines = chunk.data.column(3).as_list::<i32>().value(0);
        assert_eq!(lines.as_struct().column(1).as_string::<i32>().value(0), "1.50");
        assert!(chunk.data.column(3).is_null(1));
        assert!(chunk.raws.raw(0).starts_with("{\"id\":1.10"));
    }

    #[test]
    fn v00_lines_that_are_no_object_or_another_shape() {
        let text = b"{\"id\":1}\n{\"id\":{\"a\":1}}\n[1]\n{\"id\":2} {\"id\":3}\n{\"id\":\n4}\n\xff\n{\"id\":5}\n";
        let chunk = &chunks(text)[0];
        assert_eq!(chunk.lines, [1, 8]);
        let mut bad: Vec<i64> = chunk.bad.iter().map(|b| b.line).collect();
        bad.sort_unstable();
        assert_eq!(bad, [2, 3, 4, 5, 6, 7]);
        assert_eq!(chunk.data.num_rows(), 2);
        assert_eq!(chunk.raws.raw(1), "{\"id\":5}");
    }

    #[test]
    fn gzip_of_several_members() {
        let mut text = Vec::new();
        for record in ["{\"id\":1}\n", "{\"id\":2}\n"] {
            let mut gz = GzEncoder::new(&mut text, flate2::Compression::fast());
            gz.write_all(record.as_bytes()).expect("packed");
            gz.finish().expect("packed");
        }
        assert_eq!(chunks(&text)[0].lines, [1, 2]);
        let mut cut =
            Text::new(plain(super::super::Input::Bytes(text[..text.len() - 4].to_vec().into())).expect("input"));
        assert!((0..3).any(|_| cut.grow().is_err()), "a cut file is an error, not an end");
    }

    #[test]
    fn shapes_are_checked() {
        for bad in ["[]", "{}", "{\"a\":[]}", "{"] {
            assert!(fields_of_shape(bad).is_err(), "{bad}");
        }
    }
}
