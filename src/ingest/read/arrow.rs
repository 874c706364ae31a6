//! Arrow IPC, as file or as stream; a stream may be packed. What its values become is `typed`'s to say.
//!
//! A stream may end anywhere between two messages, says the format, and most readers take it so. Then nothing would tell a
//! stream that was cut off there from a whole one: here it must have its mark of the end, which all common writers write.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};

use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};
use arrow::record_batch::RecordBatch;

use super::typed::TypedReader;
use super::unpack::{Limit, peek, unpack_within};
use super::{Input, looks};
use crate::error::{Error, Result};

/// What the file format begins with.
const MAGIC: &[u8] = b"ARROW1";
/// What every message of a stream begins with (since Arrow 0.15).
const CONTINUATION: &[u8] = b"\xff\xff\xff\xff";

/// Whether it is a stream, and not packed. No text begins so, nor any other format.
pub(super) fn is_stream(input: &Input) -> Result<bool> {
    Ok(match input {
        Input::Path(path) => peek::<4>(&mut File::open(path)?)? == CONTINUATION,
        Input::Bytes(bytes) => bytes.starts_with(CONTINUATION),
    })
}

pub(super) fn open(input: Input, optional: &[String]) -> Result<TypedReader> {
    open_within(input, optional, &Limit::none())
}

/// As [`open`]; reading fails once a packed stream has unpacked to more than `limit`.
pub(super) fn open_within(input: Input, optional: &[String], limit: &Limit) -> Result<TypedReader> {
    let first = match &input {
        Input::Path(path) => peek::<64>(&mut File::open(path)?)?,
        Input::Bytes(bytes) => bytes[..bytes.len().min(64)].to_vec(),
    };
    if first.starts_with(MAGIC) {
        return match input {
            Input::Path(path) => {
                let rows =
                    FileReader::try_new(BufReader::new(File::open(path)?), None).map_err(|e| damaged(&e, &first))?;
                let schema = rows.schema();
                TypedReader::new(Box::new(rows), schema, optional)
            }
            Input::Bytes(bytes) => {
                let rows = FileReader::try_new(Cursor::new(bytes), None).map_err(|e| damaged(&e, &first))?;
                let schema = rows.schema();
                TypedReader::new(Box::new(rows), schema, optional)
            }
        };
    }
    let mut unpacked = unpack_within(input, limit)?;
    let first = peek::<64>(&mut unpacked)?;
    if first.starts_with(MAGIC) {
        return Err(Error::invalid("an Arrow file that is packed").hint("unpack it: only streams can be read packed"));
    }
    // Anything else would be taken for a length, and so much memory asked for.
    if !first.is_empty() && !first.starts_with(CONTINUATION) {
        return Err(no_arrow(&first));
    }
    let whole = BufReader::with_capacity(1 << 20, Cursor::new(first.clone()).chain(unpacked));
    let rows = StreamReader::try_new(Ending { bytes: whole, reached: false }, None).map_err(|e| damaged(&e, &first))?;
    let schema = rows.schema();
    TypedReader::new(Box::new(Stream { rows, ended: false }), schema, optional)
}

/// The batches of a stream; after the last one, an error if the stream does not end there.
struct Stream<R> {
    rows: StreamReader<Ending<R>>,
    ended: bool,
}

impl<R: Read> Iterator for Stream<R> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.rows.next() {
            None if !std::mem::replace(&mut self.ended, true) => end(self.rows.get_mut()).err().map(Err),
            next => next,
        }
    }
}

fn end(bytes: &mut Ending<impl Read>) -> Result<(), ArrowError> {
    if bytes.reached {
        let missing = "the mark that ends a stream is missing: it is cut off, or its writer was not closed";
        return Err(ArrowError::IpcError(missing.into()));
    }
    // Of packed data this reads the checksum, too.
    if peek::<1>(bytes)?.is_empty() {
        return Ok(());
    }
    Err(ArrowError::IpcError("more follows the end of the stream: deliver each stream as a file of its own".into()))
}

/// Knows whether the bytes were asked for more than there are.
struct Ending<R> {
    bytes: R,
    reached: bool,
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let n = self.bytes.read(to)?;
        self.reached |= n == 0 && !to.is_empty();
        Ok(n)
    }
}

fn no_arrow(first: &[u8]) -> Error {
    let hint = looks::binary(first).map_or("say the format that it has in [read] format", |kind| kind.hint);
    Error::invalid(format!("neither an Arrow file nor a stream: {}", looks::like(first))).hint(hint)
}

fn damaged(e: &ArrowError, first: &[u8]) -> Error {
    if first.starts_with(MAGIC) || first.starts_with(CONTINUATION) {
        Error::invalid(format!("an Arrow file or stream that cannot be read: {e}"))
            .hint("it may be cut off or damaged; deliver it again")
    } else {
        no_arrow(first)
    }
}

#[cfg(test)]
mod tests;
