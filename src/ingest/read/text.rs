//! Text that grows as needed: what has been read and not yet been given away. It holds a chunk and a record at most: what
//! is longer is dropped as it is read. It must not know records.

use std::io::{ErrorKind, Read};

use encoding_rs::Encoding;

use super::encoding::{self, Encoded};
use super::unpack::{Limit, unpack_within};
use super::{Input, looks};
use crate::error::{Error, Result};

/// So much of a record that is too long is kept.
const KEPT: usize = 64 << 10;

pub(super) struct Text {
    input: Box<dyn Read + Send>,
    pub(super) buffer: Vec<u8>,
    /// All has been read.
    pub(super) end: bool,
    /// Bytes before the buffer.
    before: u64,
    encoded: Encoded,
}

impl Text {
    /// Unpacks and decodes; a byte order mark is left out. Refuses what is plainly something else than text.
    pub(super) fn open(input: Input, encoding: Option<&'static Encoding>) -> Result<Text> {
        Text::open_within(input, encoding, &Limit::none())
    }

    /// As [`Text::open`]; whoever gave the limit says what it means that it has been passed.
    pub(super) fn open_within(input: Input, encoding: Option<&'static Encoding>, limit: &Limit) -> Result<Text> {
        let unpacked = unpack_within(input, limit).map_err(stopped)?;
        let (input, encoded) = encoding::decode(unpacked, encoding).map_err(|e| at_byte(0, &e))?;
        let mut text = Text { input, buffer: Vec::new(), end: false, before: 0, encoded };
        text.grow().map_err(|e| text.at_line(1, 0, e))?;
        if let Some(what) = looks::binary(&text.buffer) {
            return Err(Error::invalid(format!("this is no text: it looks like {}", what.name)).hint(what.hint));
        }
        Ok(text)
    }

    /// Reads some more; after the last byte `end` is set.
    pub(super) fn grow(&mut self) -> Result<()> {
        const BLOCK: usize = 1 << 20;
        /// A push of one receipt is shorter: a whole block would cost more than reading it.
        const FIRST: usize = 16 << 10;
        let from = self.buffer.len();
        if from == 0 {
            self.fill(FIRST)?;
        }
        if self.end { Ok(()) } else { self.fill(from + BLOCK) }
    }

    /// Reads until the buffer is `length` bytes long, or all has been read.
    fn fill(&mut self, length: usize) -> Result<()> {
        let mut filled = self.buffer.len();
        self.buffer.resize(length, 0);
        while filled < self.buffer.len() && !self.end {
            match self.input.read(&mut self.buffer[filled..]) {
                Ok(0) => self.end = true,
                Ok(n) => filled += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => {
                    self.buffer.truncate(filled);
                    return Err(at_byte(self.before + filled as u64, &e));
                }
            }
        }
        self.buffer.truncate(filled);
        Ok(())
    }

    /// The error with the line at which reading stopped, where `line` is that at `from` of the buffer.
    pub(super) fn at_line(&self, line: i64, from: usize, e: Error) -> Error {
        let passed = self.buffer[from..].iter().filter(|b| **b == b'\n').count() as i64;
        e.context(format!("line {}", line + passed))
    }

    /// Gives away everything up to `at`.
    pub(super) fn take(&mut self, at: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(at);
        self.before += at as u64;
        self.encoded.forget(self.before);
        std::mem::replace(&mut self.buffer, rest)
    }

    /// The byte of the text that stands at `at` of the buffer, from 1.
    pub(super) fn byte(&self, at: usize) -> u64 {
        self.before + at as u64 + 1
    }

    /// What makes `from..to` no text, if anything does (V00).
    pub(super) fn fault(&self, from: usize, to: usize) -> Option<String> {
        let piece = &self.buffer[from..to];
        if let Err(e) = std::str::from_utf8(piece) {
            let at = e.valid_up_to();
            return Some(self.encoded.fault(self.before + (from + at) as u64, at));
        }
        let nul = piece.iter().position(|b| *b == 0)?;
        Some(format!(
            "a NUL byte, at byte {} (byte {} of the text); if the file is UTF-16, say encoding = \"utf-16\" in [read]",
            nul + 1,
            self.byte(from + nul)
        ))
    }

    /// The beginning of a record that is too long, which starts the buffer.
    pub(super) fn kept(&self) -> String {
        String::from_utf8_lossy(&self.buffer[..self.buffer.len().min(KEPT)]).into_owned()
    }

    /// Forgets what is left of the line at the buffer's start, and the line's end. `returns`: a carriage return ends it too.
    pub(super) fn drop_line(&mut self, returns: bool) -> Result<()> {
        loop {
            let end = self.buffer.iter().position(|b| *b == b'\n' || (returns && *b == b'\r'));
            match end {
                Some(n) if self.buffer[n] == b'\r' && n + 1 == self.buffer.len() && !self.end => {
                    self.take(n);
                    self.grow()?;
                }
                Some(n) => {
                    let pair = self.buffer[n..].starts_with(b"\r\n");
                    self.take(n + 1 + usize::from(pair));
                    return Ok(());
                }
                None => {
                    self.take(self.buffer.len());
                    if self.end {
                        return Ok(());
                    }
                    self.grow()?;
                }
            }
        }
    }

    /// Reads to the end and forgets it: what is packed is checked to its last byte.
    pub(super) fn drain(&mut self) -> Result<()> {
        self.take(self.buffer.len());
        while !self.end {
            self.grow()?;
            self.take(self.buffer.len());
        }
        Ok(())
    }
}

/// Reading stopped after `read` bytes of text.
fn at_byte(read: u64, e: &std::io::Error) -> Error {
    stopped(match e.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other => {
            Error::invalid(format!("after byte {read} of the text: {e}"))
        }
        _ => Error::unavailable(format!("after byte {read} of the text: {e}")),
    })
}

fn stopped(e: Error) -> Error {
    if e.hint_text().is_some() || matches!(e.kind(), crate::error::ErrorKind::NotFound) {
        return e;
    }
    e.context("reading stopped").hint("the file may be cut off or damaged; deliver it again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_any_length_is_dropped_without_holding_it() {
        let mut bytes = vec![b'x'; 5 << 20];
        bytes.extend(b"\r\nnext");
        let mut text = Text::open(Input::Bytes(bytes.into()), None).expect("opens");
        text.drop_line(true).expect("reads");
        assert_eq!(text.buffer, b"next");
        assert_eq!(text.byte(0), (5 << 20) + 3);
        assert!(text.buffer.capacity() <= 4 << 20, "{}", text.buffer.capacity());
    }

    #[test]
    fn what_is_no_text_is_refused_by_name() {
        for (bytes, name) in [(&b"PAR1\x15\x04"[..], "Parquet"), (b"PK\x03\x04\x14", "zip"), (b"%PDF-1.7", "PDF")] {
            let e = Text::open(Input::Bytes(bytes.to_vec().into()), None).err().expect("refused");
            assert!(e.message().contains(name), "{e}");
        }
    }
}
