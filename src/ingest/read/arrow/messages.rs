//! The messages of an Arrow stream, each weighed before it is decoded. Room is made for what has come, not for what a
//! message announces. It must not know what packs the stream.
//!
//! A stream may end anywhere between two messages, says the format, and most readers take it so. Then nothing would tell a
//! stream that was cut off there from a whole one: here it must have its mark of the end, which all common writers write.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::MessageHeader;
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::{RecordBatchDecoder, read_dictionary};
use arrow::record_batch::RecordBatch;

use super::super::sizes::{self, Gate};
use super::super::unpack::peek;
use super::CONTINUATION;

type Result<T> = std::result::Result<T, ArrowError>;

/// The batches of a stream; after the last one, an error if the stream does not end there.
pub(super) struct Messages<R> {
    bytes: R,
    gate: Gate,
    most: u64,
    schema: SchemaRef,
    dictionaries: HashMap<i64, ArrayRef>,
    ended: bool,
}

impl<R: Read> Messages<R> {
    /// Reads the schema. `most`: bytes that a message may decode to.
    pub(super) fn open(mut bytes: R, most: u64) -> Result<Messages<R>> {
        let mut gate = Gate::each(most);
        let Some((head, body)) = message(&mut bytes, most)? else {
            return Err(ArrowError::IpcError("it has no schema".into()));
        };
        gate.pass(&head, &body).map_err(|e| sizes::refused(e, most))?;
        let message = sizes::read(&head).map_err(|e| sizes::refused(e, most))?;
        let schema = message.header_as_schema();
        let schema = schema.ok_or_else(|| ArrowError::IpcError("its first message is no schema".into()))?;
        let schema = Arc::new(fb_to_schema(schema));
        Ok(Messages { bytes, gate, most, schema, dictionaries: HashMap::new(), ended: false })
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn read(&mut self) -> Result<Option<RecordBatch>> {
        while let Some((head, body)) = message(&mut self.bytes, self.most)? {
            self.gate.pass(&head, &body).map_err(|e| sizes::refused(e, self.most))?;
            let message = sizes::read(&head).map_err(|e| sizes::refused(e, self.most))?;
            let (body, version) = (Buffer::from_vec(body), message.version());
            match (message.header_as_record_batch(), message.header_as_dictionary_batch()) {
                (Some(batch), _) => {
                    let schema = Arc::clone(&self.schema);
                    let rows = RecordBatchDecoder::try_new(&body, batch, schema, &self.dictionaries, &version)?;
                    return rows.read_record_batch().map(Some);
                }
                (None, Some(batch)) => {
                    read_dictionary(&body, batch, &self.schema, &mut self.dictionaries, &version)?;
                }
                (None, None) if message.header_type() == MessageHeader::Schema => {
                    return Err(ArrowError::IpcError(
                        "a second schema: deliver each stream as a file of its own".into(),
                    ));
                }
                (None, None) => {
                    let kind = message.header_type();
                    return Err(ArrowError::IpcError(format!("a message of kind {kind:?}, which a stream has not")));
                }
            }
        }
        self.end().map(|()| None)
    }

    /// Of packed data this reads the checksum, too.
    fn end(&mut self) -> Result<()> {
        if peek::<1>(&mut self.bytes)?.is_empty() {
            return Ok(());
        }
        Err(ArrowError::IpcError("more follows the end of the stream: deliver each stream as a file of its own".into()))
    }
}

impl<R: Read> Iterator for Messages<R> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.read();
        self.ended = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

/// The next message and its body; `None`: the mark of the end.
fn message(bytes: &mut impl Read, most: u64) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let mut length = length(bytes)?;
    // Since Arrow 0.15 every message begins so.
    if length == CONTINUATION {
        length = self::length(bytes)?;
    }
    let length = i32::from_le_bytes(length);
    if length == 0 {
        return Ok(None);
    }
    let fits = |length: i64| {
        let length = u64::try_from(length).map_err(|_| ArrowError::IpcError(format!("a length of {length}")))?;
        if length > most { Err(sizes::refused(sizes::Refused::TooLarge(length), most)) } else { Ok(length) }
    };
    let head = exactly(bytes, fits(length.into())?)?;
    let body = sizes::read(&head).map_err(|e| sizes::refused(e, most))?.bodyLength();
    let body = exactly(bytes, fits(body)?)?;
    Ok(Some((head, body)))
}

fn length(bytes: &mut impl Read) -> Result<[u8; 4]> {
    <[u8; 4]>::try_from(peek::<4>(bytes)?).map_err(|_| {
        let missing = "the mark that ends a stream is missing: it is cut off, or its writer was not closed";
        ArrowError::IpcError(missing.into())
    })
}

fn exactly(bytes: &mut impl Read, length: u64) -> Result<Vec<u8>> {
    let mut taken = Vec::new();
    bytes.by_ref().take(length).read_to_end(&mut taken)?;
    if (taken.len() as u64) < length {
        let cut = format!("a message is cut off: {} of {length} bytes", taken.len());
        return Err(io::Error::new(ErrorKind::UnexpectedEof, cut).into());
    }
    Ok(taken)
}
