//! JSON that is no NDJSON: one array of objects, alone or under a key (`records`), or objects one after another, printed
//! prettily or not. Records are cut out and read one by one, so a file may have any length. It must not accept a file that
//! ends inside its array.

mod scan;

use std::sync::Arc;

use arrow::datatypes::{Fields, Schema, SchemaRef};

use super::names::Names;
use super::ndjson::{Decoder, Found, complaint};
use super::text::Text;
use super::{Bad, CHUNK_BYTES, CHUNK_RECORDS, Chunk, Columns, Reader};
use crate::error::{Error, Result};
use scan::Scan;

/// A record that goes on for longer than this is none.
const LONGEST_RECORD: usize = 16 << 20;

pub(super) struct JsonReader {
    text: Text,
    decoder: Decoder,
    columns: Columns,
    place: Place,
    /// The line of the text's first byte that waits.
    line: i64,
    /// The line that the record before was given.
    last: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Inside the array; it stands under a key.
    Array {
        keyed: bool,
    },
    /// Objects one after another.
    Sequence,
    /// After the array.
    After,
    Done,
}

impl JsonReader {
    /// `records`: the key of the array, or a path to it (`data.orders`).
    pub(super) fn open(text: Text, fields: Fields, records: Option<&str>) -> Result<JsonReader> {
        let decoder = Decoder::new(Arc::new(Schema::new(fields)));
        let columns = Columns::new();
        let mut reader = JsonReader { text, decoder, columns, place: Place::Done, line: 1, last: 0 };
        reader.place = match (reader.first(false)?, records) {
            (None, _) => Place::Done,
            (Some(b'['), None) => {
                reader.text.take(1);
                Place::Array { keyed: false }
            }
            (Some(b'['), Some(key)) => {
                return Err(Error::invalid(format!("the file is an array, and has no key {key:?}"))
                    .hint("leave [read] records out"));
            }
            (Some(b'{'), None) => Place::Sequence,
            (Some(b'{'), Some(path)) => {
                path.split('.').try_for_each(|key| reader.enter(key))?;
                match reader.first(false)? {
                    Some(b'[') => drop(reader.text.take(1)),
                    _ => {
                        return Err(Error::invalid(format!("line {}: {path:?} is no array", reader.line)).hint(
                            "[read] records is the key of the array of records, such as \"orders\" or \"data.orders\"",
                        ));
                    }
                }
                Place::Array { keyed: true }
            }
            (Some(_), _) => {
                let like = super::looks::like(&reader.text.buffer);
                return Err(Error::invalid(format!("line {}: neither [ nor {{ begins the file: {like}", reader.line))
                    .hint("format = \"json\" reads an array of objects, or objects one after another"));
            }
        };
        if reader.place != Place::Done {
            reader.columns = reader.first_columns()?;
        }
        Ok(reader)
    }

    /// The names of the first records, which stay.
    fn first_columns(&mut self) -> Result<Columns> {
        // The first record is read in any case, however long; others are looked at as far as they are here.
        if self.first(true)?.is_some_and(|b| b == b'{') {
            self.value_end(0)?;
        }
        let (mut names, mut rest) = (Names::default(), &self.text.buffer[..]);
        while names.want_more() {
            let blanks = rest.iter().take_while(|b| b.is_ascii_whitespace() || **b == b',').count();
            rest = &rest[blanks..];
            if rest.is_empty() || rest[0] == b']' {
                break;
            }
            let Some(end) = Scan::default().feed(rest) else { break };
            names.look(&rest[..end]);
            rest = &rest[end.max(1)..];
        }
        Ok(names.columns())
    }

    /// Drops blanks (and commas) and gives the first byte after them, which stays.
    fn first(&mut self, commas: bool) -> Result<Option<u8>> {
        loop {
            let blank = |b: &u8| b.is_ascii_whitespace() || (commas && *b == b',');
            let blanks = self.text.buffer.iter().take_while(|b| blank(b)).count();
            self.line += newlines(&self.text.buffer[..blanks]);
            self.text.take(blanks);
            match self.text.buffer.first() {
                Some(byte) => return Ok(Some(*byte)),
                None if self.text.end => return Ok(None),
                None => self.grow()?,
            }
        }
    }

    /// Goes to the value of `key` in the object that begins here.
    fn enter(&mut self, key: &str) -> Result<()> {
        let mut seen = Vec::new();
        if self.first(false)? == Some(b'{') {
            self.text.take(1);
            while self.first(true)? == Some(b'"') {
                let Some(end) = self.value_end(0)? else { return Err(self.cut_off(0)) };
                let name = serde_json::from_slice::<String>(&self.text.buffer[..end]).unwrap_or_default();
                self.pass(end);
                if self.first(false)? != Some(b':') {
                    break;
                }
                self.text.take(1);
                self.first(false)?;
                if name == key {
                    return Ok(());
                }
                seen.push(name);
                self.skip_value()?;
            }
        }
        seen.truncate(20);
        let known = if seen.is_empty() { "there are none".into() } else { format!("known: {}", seen.join(", ")) };
        Err(Error::invalid(format!("no key {key:?} for [read] records")).hint(known))
    }

    /// `self.line` is the line of the buffer's first byte.
    fn grow(&mut self) -> Result<()> {
        let grown = self.text.grow();
        grown.map_err(|e| self.text.at_line(self.line, 0, e))
    }

    /// Drops `n` bytes.
    fn pass(&mut self, n: usize) {
        self.line += newlines(&self.text.buffer[..n]);
        self.text.take(n);
    }

    /// Drops the value that begins here, however long.
    fn skip_value(&mut self) -> Result<()> {
        let mut scan = Scan::default();
        loop {
            if let Some(n) = scan.feed(&self.text.buffer) {
                self.pass(n);
                return Ok(());
            }
            self.pass(self.text.buffer.len());
            if self.text.end {
                return Ok(());
            }
            self.grow()?;
        }
    }

    /// The end of the value that begins at `from`; `None`: the file ends first.
    fn value_end(&mut self, from: usize) -> Result<Option<usize>> {
        let (mut scan, mut looked) = (Scan::default(), from);
        loop {
            if let Some(n) = scan.feed(&self.text.buffer[looked..]) {
                return Ok(Some(looked + n));
            }
            looked = self.text.buffer.len();
            if self.text.end {
                return Ok(scan.scalar().then_some(looked));
            }
            if looked - from > LONGEST_RECORD {
                let line = self.line + newlines(&self.text.buffer[..from]);
                return Err(Error::invalid(format!(
                    "line {line}, byte {} of the text: a record that does not end in {LONGEST_RECORD} bytes",
                    self.text.byte(from)
                ))
                .hint("a quote or a brace may be missing; deliver the file again, or as NDJSON, where one bad line harms no other"));
            }
            self.grow()?;
        }
    }

    fn cut_off(&self, at: usize) -> Error {
        let line = self.line + newlines(&self.text.buffer[..at]);
        Error::invalid(format!(
            "the file ends inside what begins at line {line}, byte {} of its text",
            self.text.byte(at)
        ))
        .hint("it may be cut off; deliver it again")
    }
}

impl Reader for JsonReader {
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
        // The line at `at`; blanks before a chunk's first record are dropped, so `self.line` is that of the buffer's start.
        let mut line = self.line;
        while found.len() < CHUNK_RECORDS && at < CHUNK_BYTES && self.place != Place::Done {
            let blanks = self.text.buffer[at..]
                .iter()
                .take_while(|b| b.is_ascii_whitespace() || (**b == b',' && self.place != Place::Sequence))
                .count();
            line += newlines(&self.text.buffer[at..at + blanks]);
            at += blanks;
            let Some(byte) = self.text.buffer.get(at).copied() else {
                if !self.text.end {
                    self.grow()?;
                } else if let Place::Array { .. } = self.place {
                    self.line = line;
                    return Err(Error::invalid(format!(
                        "the file ends inside its array, at line {line}, byte {} of its text",
                        self.text.byte(at)
                    ))
                    .hint("it may be cut off; deliver it again"));
                } else {
                    self.place = Place::Done;
                }
                continue;
            };
            match (byte, self.place) {
                (b']', Place::Array { keyed }) => {
                    at += 1;
                    self.place = if keyed { Place::Done } else { Place::After };
                    continue;
                }
                (_, Place::After) => {
                    let raw = String::from_utf8_lossy(&self.text.buffer[at..self.text.buffer.len().min(at + 1024)]);
                    let message = "text after the end of the array".to_string();
                    self.last = line.max(self.last + 1);
                    found.bad.push(Bad { line: self.last, message, raw: raw.into_owned() });
                    self.place = Place::Done;
                    continue;
                }
                // A bracket that closes nothing is passed as a value of its own.
                (b']' | b'}', _) => {
                    let message = format!("a {} that closes nothing", byte as char);
                    self.last = line.max(self.last + 1);
                    found.bad.push(Bad { line: self.last, message, raw: (byte as char).to_string() });
                    at += 1;
                    continue;
                }
                _ => {}
            }
            let Some(end) = self.value_end(at)? else { return Err(self.cut_off(at)) };
            // A comma where a value should be ends what has not begun.
            let end = end.max(at + 1);
            // A record is known by its line: where several begin on one, those after the first take the next numbers.
            self.last = line.max(self.last + 1);
            let raw = &self.text.buffer[at..end];
            match self.text.fault(at, end).or_else(|| complaint(raw)) {
                Some(message) => {
                    let raw = String::from_utf8_lossy(raw).into_owned();
                    found.bad.push(Bad { line: self.last, message, raw });
                }
                None => found.good(self.last, at, end),
            }
            line += newlines(&self.text.buffer[at..end]);
            at = end;
        }
        self.line = line;
        let text = self.text.take(at);
        if self.place == Place::Done {
            self.text.drain()?;
        }
        if found.len() == 0 { Ok(None) } else { found.chunk(&self.decoder, text).map(Some) }
    }
}

fn newlines(text: &[u8]) -> i64 {
    text.iter().filter(|b| **b == b'\n').count() as i64
}

#[cfg(test)]
mod tests;
