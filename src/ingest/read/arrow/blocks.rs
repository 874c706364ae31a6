//! What the footer of an Arrow file says of its blocks, held against the file before anything of it is decoded. It must
//! not keep what it has read.

use std::io::{Read, Seek, SeekFrom};

use arrow::error::ArrowError;
use arrow::ipc::reader::read_footer_length;
use arrow::ipc::{Block, root_as_footer};

use super::super::sizes::{self, Gate, Refused};
use super::CONTINUATION;

type Result<T> = std::result::Result<T, ArrowError>;

/// What a file ends with: the footer's length and the magic.
const END: u64 = 10;

/// Looks through the file, and returns to its beginning. `most`: bytes that a batch may decode to.
///
/// # Errors
/// A block lies beyond the file or takes more when it is decoded, the blocks overlap, or there is no footer.
pub(super) fn check(bytes: &mut (impl Read + Seek), most: u64) -> Result<()> {
    let size = bytes.seek(SeekFrom::End(0))?;
    let end: [u8; 10] = at(bytes, size.saturating_sub(END), END)?.try_into().map_err(|_| wrong("it has no end"))?;
    let length = read_footer_length(end)? as u64;
    let begin = size.checked_sub(END + length).ok_or_else(|| wrong(format!("a footer of {length} bytes")))?;
    let footer = at(bytes, begin, length)?;
    let footer = root_as_footer(&footer).map_err(|e| wrong(format!("its footer: {e:?}")))?;
    let mut gate = Gate::each(most);
    let schema = footer.schema().ok_or_else(|| wrong("its footer has no schema"))?;
    gate.pass_schema(schema).map_err(|e| sizes::refused(e, most))?;
    let metadata = footer.custom_metadata().into_iter().flatten();
    gate.pass_pairs(metadata).map_err(|e| sizes::refused(e, most))?;
    let blocks = || footer.dictionaries().into_iter().flatten().chain(footer.recordBatches().into_iter().flatten());
    let mut sum = 0_u64;
    for block in blocks() {
        let (_, head, body) = place(block, size)?;
        if body > most {
            return Err(sizes::refused(Refused::TooLarge(body), most));
        }
        sum = sum.saturating_add(head + body);
    }
    if sum > size {
        return Err(wrong(format!("blocks of {sum} bytes in a file of {size}")));
    }
    for block in blocks() {
        let (offset, head, body) = place(block, size)?;
        let message = at(bytes, offset, head)?;
        // Behind its length, which follows the mark that messages have since Arrow 0.15.
        let skipped = if message.starts_with(CONTINUATION) { 8 } else { 4 };
        let message = message.get(skipped..).ok_or_else(|| wrong("a block without a message"))?;
        let mut prefix = |place: u64| {
            let eight = at(bytes, offset + head + place, 8).ok().and_then(|read| <[u8; 8]>::try_from(read).ok());
            eight.map(i64::from_le_bytes).ok_or_else(|| Refused::Wrong("a buffer lies beyond the file".into()))
        };
        let passed = sizes::read(message).and_then(|message| gate.pass_body(message, body, &mut prefix));
        passed.map_err(|e| sizes::refused(e, most))?;
    }
    bytes.seek(SeekFrom::Start(0))?;
    Ok(())
}

/// Where a block begins, and how long its message and its body are.
fn place(block: &Block, size: u64) -> Result<(u64, u64, u64)> {
    let (offset, head, body) = (block.offset(), i64::from(block.metaDataLength()), block.bodyLength());
    let [offset, head, body] = [offset, head, body].map(|n| u64::try_from(n).unwrap_or(u64::MAX));
    let end = offset.checked_add(head).and_then(|n| n.checked_add(body));
    if end.is_none_or(|end| end > size) {
        return Err(wrong(format!("a block of {head} and {body} bytes at {offset} in a file of {size}")));
    }
    Ok((offset, head, body))
}

/// Up to `length` bytes from there.
fn at(bytes: &mut (impl Read + Seek), from: u64, length: u64) -> Result<Vec<u8>> {
    bytes.seek(SeekFrom::Start(from))?;
    let mut read = Vec::new();
    bytes.by_ref().take(length).read_to_end(&mut read)?;
    Ok(read)
}

fn wrong(what: impl Into<String>) -> ArrowError {
    ArrowError::IpcError(what.into())
}
