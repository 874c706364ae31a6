//! CSV as it is met: quoted fields over several lines, ragged rows, broken quotes, any line end. It must keep each
//! record's exact text and tell an empty field (NULL) from an empty quoted one ('').
//!
//! An own splitter instead of the `csv` crate's: that one does not tell quoted fields, and swallows the rest of a file
//! after one quote that is never closed.

mod split;

use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{ArrayRef, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

pub(crate) use split::Dialect;
use split::{Field, Found, Split, first_line, split};

use super::text::Text;
use super::{Bad, CHUNK_BYTES, CHUNK_RECORDS, Chunk, Columns, Raws, Reader, nulls, texts};
use crate::error::{Error, Result};

/// A record that goes on for longer than this is none: a quote that is never closed, or no line ends.
const LONGEST_RECORD: usize = 1 << 20;

pub(super) struct CsvReader {
    text: Text,
    dialect: Dialect,
    schema: SchemaRef,
    /// Fields in a record of the file; the schema's columns after these are optional ones that the file lacks.
    width: usize,
    wanted: Vec<bool>,
    /// The line at which the next record starts.
    line: i64,
}

/// What starts at a place of the text.
enum Next {
    Record(Found),
    /// A record that does not end in [`LONGEST_RECORD`] bytes.
    Long,
    End,
}

impl CsvReader {
    /// Reads the header, unless `columns` names the fields.
    pub(super) fn open(
        mut text: Text,
        dialect: Dialect,
        columns: Option<Vec<String>>,
        optional: &[String],
    ) -> Result<CsvReader> {
        let mut line = 1;
        for _ in 0..dialect.skip_lines {
            text.drop_line(true)?;
            line += 1;
        }
        let mut names = match columns {
            Some(columns) => columns,
            None => read_header(&mut text, &dialect, &mut line)?,
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
        Ok(CsvReader { text, dialect, schema, width, wanted, line })
    }

    /// What starts at `at`, reading more as needed.
    fn record(&mut self, at: usize, fields: &mut Vec<Field>) -> Result<Next> {
        loop {
            let buffer = &self.text.buffer;
            let broken = || first_line(buffer, at, LONGEST_RECORD).map_or(Next::Long, Next::Record);
            match split(buffer, at, self.text.end, &self.dialect, fields) {
                Split::More if self.text.end => return Ok(Next::End),
                Split::More if buffer.len() - at > LONGEST_RECORD => return Ok(broken()),
                Split::More => {}
                Split::Unclosed => return Ok(broken()),
                // Whether it was read at once or piece by piece must make no difference.
                Split::Found(found) if found.end - at > LONGEST_RECORD => return Ok(broken()),
                Split::Found(found) => return Ok(Next::Record(found)),
            }
            self.text.grow()?;
        }
    }

    /// The record that starts the text is too long: keeps its beginning, and goes on after its line.
    fn too_long(&mut self) -> Result<Bad> {
        let (line, raw) = (self.line, self.text.kept());
        let message = format!(
            "longer than {LONGEST_RECORD} bytes, from byte {} of the text; its beginning is kept",
            self.text.byte(0)
        );
        self.text.drop_line(true)?;
        self.line += 1;
        Ok(Bad { line, message, raw })
    }
}

fn read_header(text: &mut Text, dialect: &Dialect, line: &mut i64) -> Result<Vec<String>> {
    let mut at = 0;
    let mut fields = Vec::new();
    loop {
        match split(&text.buffer, at, text.end, dialect, &mut fields) {
            Split::More if text.end => return Ok(Vec::new()),
            Split::More if text.buffer.len() - at > LONGEST_RECORD => {
                return Err(Error::invalid(format!("line {line}: the header does not end in {LONGEST_RECORD} bytes"))
                    .hint("is it the right file? a quote may be open in its first line"));
            }
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
                if let Some(fault) = text.fault(at, found.end) {
                    return Err(Error::invalid(format!("the header line: {fault}"))
                        .hint("say [read] encoding, such as \"gb18030\", \"windows-1252\" or \"utf-16\""));
                }
                let mut value = Vec::new();
                let names = fields.iter().map(|f| {
                    value.clear();
                    f.push(&text.buffer, dialect, &mut value);
                    String::from_utf8_lossy(&value).trim().to_string()
                });
                let mut names: Vec<String> = names.collect();
                name_by_place(&mut names);
                text.take(found.next);
                return Ok(names);
            }
        }
    }
}

/// Spreadsheets leave columns without a name: those are called by their place.
pub(super) fn name_by_place(names: &mut [String]) {
    let nameless = names.iter_mut().enumerate().filter(|(_, n)| n.is_empty());
    nameless.for_each(|(i, n)| *n = format!("column_{}", i + 1));
}

impl Reader for CsvReader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn columns(&self) -> Columns {
        let names = self.schema.fields().iter().take(self.width);
        names.map(|f| (f.name().clone(), "text".to_string())).collect()
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
            let record = self.record(at, &mut fields);
            let found = match record.map_err(|e| self.text.at_line(self.line, at, e))? {
                Next::Record(found) => found,
                Next::End => break,
                // What is before it goes first, so that all of it can be dropped.
                Next::Long if !(lines.is_empty() && bad.is_empty()) => break,
                Next::Long => {
                    self.text.take(at);
                    at = 0;
                    bad.push(self.too_long()?);
                    continue;
                }
            };
            let (from, line) = (at, self.line);
            at = found.next;
            self.line += found.lines;
            if found.end == from {
                // An empty line is no record, nor is a comment.
                continue;
            }
            match complaint(&found, &self.text, from, fields.len(), self.width) {
                Some(message) => {
                    let raw = String::from_utf8_lossy(&self.text.buffer[from..found.end]).into_owned();
                    bad.push(Bad { line, message, raw });
                }
                None => {
                    for (field, column) in fields.iter().zip(&mut columns) {
                        if let Some(column) = column {
                            column.push(field, &self.text.buffer, &self.dialect);
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
fn complaint(found: &Found, text: &Text, from: usize, fields: usize, width: usize) -> Option<String> {
    if found.unclosed {
        return Some("a quote that is never closed".into());
    }
    // What is no text may have as many fields as it likes.
    text.fault(from, found.end)
        .or_else(|| (fields != width).then(|| format!("{fields} fields where the header has {width}")))
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
    fn push(&mut self, field: &Field, text: &[u8], dialect: &Dialect) {
        field.push(text, dialect, &mut self.values);
        self.nulls.append(field.quoted || field.end > field.start);
        // A chunk's text is far below 2 GiB.
        self.offsets.push(i32::try_from(self.values.len()).unwrap_or(i32::MAX));
    }
    fn finish(mut self) -> Result<ArrayRef> {
        let offsets = OffsetBuffer::new(self.offsets.into());
        Ok(Arc::new(StringArray::try_new(offsets, Buffer::from_vec(self.values), self.nulls.finish())?))
    }
}

#[cfg(test)]
mod tests;
