//! CSV as it is met: quoted fields over several lines, ragged rows, broken quotes, any line end. It must keep each
//! record's exact text and tell an empty field (NULL) from an empty quoted one ('').
//!
//! An own splitter instead of the `csv` crate's: that one does not tell quoted fields, and swallows the rest of a file
//! after one quote that is never closed.

use std::io::Read;
use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{ArrayRef, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::{Bad, CHUNK_BYTES, CHUNK_RECORDS, Chunk, Raws, Reader, Text, nulls, texts};
use crate::error::{Error, Result};

/// A quoted field that goes on for longer than this has lost its closing quote.
const LONGEST_RECORD: usize = 1 << 20;

pub(super) struct CsvReader {
    text: Text,
    delimiter: u8,
    schema: SchemaRef,
    /// Fields in a record of the file; the schema's columns after these are optional ones that the file lacks.
    width: usize,
    wanted: Vec<bool>,
    /// The line at which the next record starts.
    line: i64,
}

impl CsvReader {
    /// Reads the header, unless `columns` names the fields.
    pub(super) fn open(
        input: Box<dyn Read + Send>,
        delimiter: u8,
        columns: Option<Vec<String>>,
        optional: &[String],
    ) -> Result<CsvReader> {
        let mut text = Text::new(input);
        text.cut_bom()?;
        let mut line = 1;
        let mut names = match columns {
            Some(columns) => columns,
            None => read_header(&mut text, delimiter, &mut line)?,
        };
        let width = names.len();
        // An empty file has no columns, and no record that could miss them.
        let empty = width == 0;
        if let Some(twice) = names.iter().enumerate().find_map(|(i, n)| names[..i].contains(n).then_some(n)) {
            return Err(Error::invalid(format!("two columns are called {twice:?}"))
                .hint("give each column its own name, or name the fields by position with [read] columns"));
        }
        if !empty {
            names.extend(optional.iter().filter(|o| !names.contains(o)).cloned().collect::<Vec<_>>());
        }
        let schema = texts(names.iter().map(String::as_str));
        let wanted = vec![true; names.len()];
        let width = if empty { usize::MAX } else { width };
        Ok(CsvReader { text, delimiter, schema, width, wanted, line })
    }

    /// The next record from `at`, reading more as needed; `None` at the end.
    fn record(&mut self, at: usize, fields: &mut Vec<Field>) -> Result<Option<Found>> {
        loop {
            match split(&self.text.buffer, at, self.text.end, self.delimiter, fields) {
                Split::More if self.text.end => return Ok(None),
                Split::More if self.text.buffer.len() - at > LONGEST_RECORD => {
                    return Ok(Some(unclosed(&self.text.buffer, at)));
                }
                Split::More => self.text.grow()?,
                Split::Unclosed => return Ok(Some(unclosed(&self.text.buffer, at))),
                Split::Found(found) => return Ok(Some(found)),
            }
        }
    }
}

fn read_header(text: &mut Text, delimiter: u8, line: &mut i64) -> Result<Vec<String>> {
    let mut at = 0;
    let mut fields = Vec::new();
    loop {
        match split(&text.buffer, at, text.end, delimiter, &mut fields) {
            Split::More if text.end => return Ok(Vec::new()),
            Split::More => text.grow()?,
            Split::Unclosed => {
                return Err(Error::invalid("the header line has a quote that is never closed")
                    .hint("mend the file's first line"));
            }
            Split::Found(found) => {
                *line += found.lines;
                if found.end == at {
                    at = found.next;
                    continue;
                }
                let mut value = Vec::new();
                let names = fields.iter().map(|f| {
                    value.clear();
                    f.push(&text.buffer, &mut value);
                    std::str::from_utf8(&value).map(|n| n.trim().to_string())
                });
                let names = names.collect::<std::result::Result<Vec<_>, _>>();
                let mut names =
                    names.map_err(|_| Error::invalid("the header line is not UTF-8").hint("save the file as UTF-8"))?;
                // Spreadsheets leave columns without a name: those are called by their place.
                names
                    .iter_mut()
                    .enumerate()
                    .filter(|(_, n)| n.is_empty())
                    .for_each(|(i, n)| *n = format!("column_{}", i + 1));
                text.take(found.next);
                return Ok(names);
            }
        }
    }
}

impl Reader for CsvReader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn want(&mut self, wanted: &[bool]) {
        self.wanted = wanted.to_vec();
    }

    fn next(&mut self) -> Result<Option<Chunk>> {
        let known = self.width.min(self.schema.fields().len());
        let mut columns: Vec<Option<Texts>> = (0..known).map(|i| self.wanted[i].then(Texts::default)).collect();
        let (mut lines, mut spans, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        let (mut at, mut fields) = (0, Vec::new());
        while lines.len() + bad.len() < CHUNK_RECORDS && at < CHUNK_BYTES {
            let Some(found) = self.record(at, &mut fields)? else { break };
            let (from, line) = (at, self.line);
            at = found.next;
            self.line += found.lines;
            if found.end == from {
                // An empty line is no record.
                continue;
            }
            let raw = &self.text.buffer[from..found.end];
            match complaint(&found, raw, fields.len(), self.width) {
                Some(message) => bad.push(Bad { line, message, raw: String::from_utf8_lossy(raw).into_owned() }),
                None => {
                    for (field, column) in fields.iter().zip(&mut columns) {
                        if let Some(column) = column {
                            column.push(field, &self.text.buffer);
                        }
                    }
                    lines.push(line);
                    spans.push((from, found.end));
                }
            }
        }
        if lines.is_empty() && bad.is_empty() {
            return Ok(None);
        }
        let data = batch(&self.schema, columns, lines.len())?;
        Ok(Some(Chunk { data, lines, raws: Raws::Text { text: self.text.take(at), spans, json: false }, bad }))
    }
}

/// Why a record is bad, if it is.
fn complaint(found: &Found, raw: &[u8], fields: usize, width: usize) -> Option<String> {
    if found.unclosed {
        return Some("a quote that is never closed".into());
    }
    if fields != width {
        return Some(format!("{fields} fields where the header has {width}"));
    }
    std::str::from_utf8(raw).err().map(|e| format!("not UTF-8, from byte {}", e.valid_up_to() + 1))
}

fn batch(schema: &SchemaRef, columns: Vec<Option<Texts>>, rows: usize) -> Result<RecordBatch> {
    let mut columns = columns.into_iter();
    let arrays = schema.fields().iter().map(|field| match columns.next().flatten() {
        Some(texts) => texts.finish(),
        None => Ok(nulls(field, rows)),
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays.collect::<Result<_>>()?, &options)?)
}

/// A column of texts that grows.
struct Texts {
    offsets: Vec<i32>,
    values: Vec<u8>,
    nulls: NullBufferBuilder,
}

impl Default for Texts {
    fn default() -> Self {
        Texts { offsets: vec![0], values: Vec::new(), nulls: NullBufferBuilder::new(0) }
    }
}

impl Texts {
    fn push(&mut self, field: &Field, text: &[u8]) {
        field.push(text, &mut self.values);
        self.nulls.append(field.quoted || field.end > field.start);
        // A chunk's text is far below 2 GiB.
        self.offsets.push(i32::try_from(self.values.len()).unwrap_or(i32::MAX));
    }
    fn finish(mut self) -> Result<ArrayRef> {
        let offsets = OffsetBuffer::new(self.offsets.into());
        Ok(Arc::new(StringArray::try_new(offsets, Buffer::from_vec(self.values), self.nulls.finish())?))
    }
}

/// Where a field's text lies, without its outer quotes.
struct Field {
    start: usize,
    end: usize,
    quoted: bool,
    /// It holds doubled quotes, or goes on after its closing quote.
    untidy: bool,
}

impl Field {
    fn push(&self, text: &[u8], to: &mut Vec<u8>) {
        let piece = &text[self.start..self.end];
        if !self.untidy {
            to.extend_from_slice(piece);
            return;
        }
        // `""` is a quote; a single one is the closing quote, and what follows it belongs to the field all the same.
        let mut i = 0;
        while i < piece.len() {
            if piece[i] == b'"' && piece.get(i + 1) != Some(&b'"') {
                to.extend_from_slice(&piece[i + 1..]);
                return;
            }
            to.push(piece[i]);
            i += if piece[i] == b'"' { 2 } else { 1 };
        }
    }
}

/// A record in the text: it ends before `end`, the next one starts at `next`, `lines` lines further down.
struct Found {
    end: usize,
    next: usize,
    lines: i64,
    unclosed: bool,
}

enum Split {
    Found(Found),
    /// The text ends inside the record.
    More,
    /// The file ends inside quotes.
    Unclosed,
}

/// The first line of a record whose quote is never closed; what follows is read anew.
fn unclosed(text: &[u8], at: usize) -> Found {
    let length = text[at..].iter().position(|b| *b == b'\n').unwrap_or(text.len() - at);
    let (end, next) = (at + length, (at + length + 1).min(text.len()));
    let end = if end > at && text[end - 1] == b'\r' { end - 1 } else { end };
    Found { end, next, lines: 1, unclosed: true }
}

/// Splits the record that starts at `at`. `last`: no text follows.
fn split(text: &[u8], at: usize, last: bool, delimiter: u8, fields: &mut Vec<Field>) -> Split {
    fields.clear();
    if at >= text.len() {
        return Split::More;
    }
    let (mut i, mut lines) = (at, 0);
    loop {
        let mut field = Field { start: i, end: i, quoted: text.get(i) == Some(&b'"'), untidy: false };
        if field.quoted {
            field.start = i + 1;
            match close(text, i + 1, last, &mut field, &mut lines) {
                Some(after) => i = after,
                None => return if last { Split::Unclosed } else { Split::More },
            }
        }
        let rest = i;
        i += text[i..].iter().position(|b| *b == delimiter || *b == b'\n' || *b == b'\r').unwrap_or(text.len() - i);
        if !field.quoted || i > rest {
            // Unquoted, or going on after its closing quote.
            field.untidy |= field.quoted;
            field.end = i;
        }
        fields.push(field);
        match text.get(i) {
            Some(b) if *b == delimiter => i += 1,
            Some(b'\n') => return Split::Found(Found { end: i, next: i + 1, lines: lines + 1, unclosed: false }),
            Some(_) if i + 1 == text.len() && !last => return Split::More,
            Some(_) => {
                let next = if text.get(i + 1) == Some(&b'\n') { i + 2 } else { i + 1 };
                return Split::Found(Found { end: i, next, lines: lines + 1, unclosed: false });
            }
            None if last => return Split::Found(Found { end: i, next: i, lines: lines + 1, unclosed: false }),
            None => return Split::More,
        }
    }
}

/// Finds the closing quote of the field whose text starts at `from`; returns what follows it.
fn close(text: &[u8], from: usize, last: bool, field: &mut Field, lines: &mut i64) -> Option<usize> {
    let mut i = from;
    loop {
        match text.get(i)? {
            b'"' => match text.get(i + 1) {
                Some(b'"') => {
                    field.untidy = true;
                    i += 2;
                }
                None if !last => return None,
                _ => {
                    field.end = i;
                    return Some(i + 1);
                }
            },
            b'\n' => {
                *lines += 1;
                i += 1;
            }
            _ => i += 1,
        }
    }
}

#[cfg(test)]
mod tests;
