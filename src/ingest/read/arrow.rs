//! Arrow IPC, as file or as stream; a stream may be packed. What its values become is `typed`'s to say.
//! Every message is weighed (`sizes`) before it is decoded.

mod blocks;
mod messages;

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};

use arrow::error::ArrowError;
use arrow::ipc::reader::FileReader;

use super::typed::TypedReader;
use super::unpack::{Limit, peek, unpack_within};
use super::{Input, looks, sizes};
use crate::error::{Error, Result};
use messages::Messages;

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
            Input::Path(path) => file(BufReader::new(File::open(path)?), optional, limit),
            Input::Bytes(bytes) => file(Cursor::new(bytes), optional, limit),
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
    let rows = Messages::open(whole, limit.whole()).map_err(|e| damaged(e, &first))?;
    let schema = rows.schema();
    TypedReader::new(Box::new(rows), schema, optional)
}

fn file(mut bytes: impl Read + Seek + Send + 'static, optional: &[String], limit: &Limit) -> Result<TypedReader> {
    blocks::check(&mut bytes, limit.whole()).map_err(|e| damaged(e, MAGIC))?;
    let rows = FileReader::try_new(bytes, None).map_err(|e| damaged(e, MAGIC))?;
    let schema = rows.schema();
    TypedReader::new(Box::new(rows), schema, optional)
}

fn no_arrow(first: &[u8]) -> Error {
    let hint = looks::binary(first).map_or("say the format that it has in [read] format", |kind| kind.hint);
    Error::invalid(format!("neither an Arrow file nor a stream: {}", looks::like(first))).hint(hint)
}

fn damaged(e: ArrowError, first: &[u8]) -> Error {
    if !first.starts_with(MAGIC) && !first.starts_with(CONTINUATION) {
        return no_arrow(first);
    }
    sizes::ours(e).unwrap_or_else(|e| {
        Error::invalid(format!("an Arrow file or stream that cannot be read: {e}"))
            .hint("it may be cut off or damaged; deliver it again")
    })
}

#[cfg(test)]
mod tests;
