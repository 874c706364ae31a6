//! What Arrow messages take once they are decoded, by what they say of themselves. Arrow's readers allocate what a message
//! says before they look at its data, and a failed allocation ends the process: so whoever reads messages from outside
//! lets each pass here first. It must not decode values.
//!
//! ```text
//! schema → its names and metadata    batch, dictionary → its buffers unpacked, at least a byte a row and a bit a value
//! ```

use std::collections::HashMap;

use arrow::error::ArrowError;
use arrow::ipc::{DictionaryBatch, Field, KeyValue, Message, MessageHeader, RecordBatch, Schema, root_as_message};

use crate::error::Error;

/// What a packed buffer begins with: the length to which it unpacks; -1: it is stored as it is.
const PREFIX: u64 = 8;
const STORED: i64 = -1;
/// What a field of a schema takes without its name, about.
const FIELD: u64 = 256;

/// Why a message does not pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It takes so many bytes, or those so far do with it.
    TooLarge(u64),
    /// It contradicts itself.
    Wrong(String),
}

pub(crate) type Passed<T> = std::result::Result<T, Refused>;

/// Lets messages of one stream pass that take no more than `most` bytes.
#[derive(Debug)]
pub(crate) struct Gate {
    most: u64,
    /// Bytes so far, where all messages together count.
    together: Option<u64>,
    /// What dictionaries take, which the reader keeps.
    dictionaries: HashMap<i64, u64>,
}

impl Gate {
    /// Each message may take `most`, and so may all dictionaries together.
    pub(crate) fn each(most: u64) -> Gate {
        Gate { most, together: None, dictionaries: HashMap::new() }
    }

    /// All messages together may take `most`.
    pub(crate) fn together(most: u64) -> Gate {
        Gate { together: Some(0), ..Gate::each(most) }
    }

    /// A message that is in memory, and its body.
    ///
    /// # Errors
    /// It takes too much, or cannot be what it says.
    pub(crate) fn pass(&mut self, message: &[u8], body: &[u8]) -> Passed<()> {
        let message = read(message)?;
        self.pass_body(message, body.len() as u64, &mut |at| {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            let bytes = at.checked_add(PREFIX as usize).and_then(|end| body.get(at..end));
            let prefix = bytes.and_then(|b| <[u8; 8]>::try_from(b).ok()).map(i64::from_le_bytes);
            prefix.ok_or_else(|| Refused::Wrong("a buffer lies beyond its message".into()))
        })
    }

    /// As [`Gate::pass`], of a body of `length` bytes that is elsewhere: `prefix` reads eight bytes of it.
    pub(super) fn pass_body(
        &mut self,
        message: Message<'_>,
        length: u64,
        prefix: &mut dyn FnMut(u64) -> Passed<i64>,
    ) -> Passed<()> {
        match message.header_type() {
            MessageHeader::Schema => match message.header_as_schema() {
                Some(schema) => self.pass_schema(schema),
                None => Err(Refused::Wrong("a schema is missing".into())),
            },
            MessageHeader::RecordBatch => match message.header_as_record_batch() {
                Some(batch) => {
                    let bytes = of_batch(batch, length, prefix)?;
                    self.take(bytes)
                }
                None => Err(Refused::Wrong("a record batch is missing".into())),
            },
            MessageHeader::DictionaryBatch => match message.header_as_dictionary_batch() {
                Some(dictionary) => self.pass_dictionary(dictionary, length, prefix),
                None => Err(Refused::Wrong("a dictionary is missing".into())),
            },
            // Readers take no other.
            _ => Ok(()),
        }
    }

    /// A schema, also of a file's footer.
    pub(super) fn pass_schema(&mut self, schema: Schema<'_>) -> Passed<()> {
        let fields = schema.fields().ok_or_else(|| Refused::Wrong("a schema has no fields".into()))?;
        let fields = fields.into_iter().fold(0, |sum: u64, field| sum.saturating_add(of_field(field)));
        let pairs = schema.custom_metadata().into_iter().flatten();
        self.take(fields.saturating_add(of_pairs(pairs)))
    }

    /// Metadata of a file's footer.
    pub(super) fn pass_pairs<'a>(&mut self, pairs: impl Iterator<Item = KeyValue<'a>>) -> Passed<()> {
        self.take(of_pairs(pairs))
    }

    fn pass_dictionary(
        &mut self,
        dictionary: DictionaryBatch<'_>,
        length: u64,
        prefix: &mut dyn FnMut(u64) -> Passed<i64>,
    ) -> Passed<()> {
        let batch = dictionary.data().ok_or_else(|| Refused::Wrong("a dictionary has no values".into()))?;
        let bytes = of_batch(batch, length, prefix)?;
        if self.together.is_some() {
            return self.take(bytes);
        }
        let kept = self.dictionaries.entry(dictionary.id()).or_default();
        *kept = if dictionary.isDelta() { kept.saturating_add(bytes) } else { bytes };
        self.fits(self.dictionaries.values().fold(0, |sum: u64, kept| sum.saturating_add(*kept)))
    }

    fn take(&mut self, bytes: u64) -> Passed<()> {
        let bytes = match &mut self.together {
            None => bytes,
            Some(sum) => {
                *sum = sum.saturating_add(bytes);
                *sum
            }
        };
        self.fits(bytes)
    }

    fn fits(&self, bytes: u64) -> Passed<()> {
        if bytes > self.most { Err(Refused::TooLarge(bytes)) } else { Ok(()) }
    }
}

/// The message, whose own offsets hold and which is not nested too deeply to be read.
pub(super) fn read(message: &[u8]) -> Passed<Message<'_>> {
    root_as_message(message).map_err(|e| Refused::Wrong(format!("it holds no message of Arrow's: {e:?}")))
}

/// Also what takes no bytes in the message has its price: a row is a record, and a value of no width is counted through.
fn of_batch(batch: RecordBatch<'_>, length: u64, prefix: &mut dyn FnMut(u64) -> Passed<i64>) -> Passed<u64> {
    let packed = batch.compression().is_some();
    let (mut bytes, mut buffers) = (0_u64, 0_u64);
    for buffer in batch.buffers().into_iter().flatten() {
        let (at, stored) = (whole(buffer.offset())?, whole(buffer.length())?);
        if at.checked_add(stored).is_none_or(|end| end > length) {
            return Err(Refused::Wrong(format!("a buffer of {stored} bytes at {at} in a body of {length}")));
        }
        let unpacked = match packed && stored > 0 {
            false => stored,
            true if stored < PREFIX => return Err(Refused::Wrong("a packed buffer without its length".into())),
            true => match prefix(at)? {
                STORED => stored - PREFIX,
                unpacked => whole(unpacked)?,
            },
        };
        bytes = bytes.saturating_add(unpacked);
        buffers += 1;
    }
    let mut values = 0_u64;
    for node in batch.nodes().into_iter().flatten() {
        let (count, nulls) = (whole(node.length())?, whole(node.null_count())?);
        if nulls > count {
            return Err(Refused::Wrong(format!("{nulls} of {count} values are NULL")));
        }
        values = values.saturating_add(count);
    }
    let mut of_views = 0_u64;
    for count in batch.variadicBufferCounts().into_iter().flatten() {
        of_views = of_views.saturating_add(whole(count)?);
    }
    if of_views > buffers {
        return Err(Refused::Wrong(format!("{of_views} buffers of views among {buffers}")));
    }
    Ok(bytes.max(values / 8).max(whole(batch.length())?))
}

fn whole(count: i64) -> Passed<u64> {
    u64::try_from(count).map_err(|_| Refused::Wrong(format!("a length of {count}")))
}

/// Messages may use the same name, or the same field, many times; read, each use is one of its own.
fn of_field(field: Field<'_>) -> u64 {
    let text = |text: Option<&str>| text.map_or(0, |t| t.len() as u64);
    let zone = text(field.type_as_timestamp().and_then(|t| t.timezone()));
    let ids = field.type_as_union().and_then(|u| u.typeIds()).map_or(0, |ids| 8 * ids.len() as u64);
    let own = FIELD + text(field.name()) + zone + ids;
    let pairs = of_pairs(field.custom_metadata().into_iter().flatten());
    let children = field.children().into_iter().flatten();
    children.fold(own.saturating_add(pairs), |sum, child| sum.saturating_add(of_field(child)))
}

fn of_pairs<'a>(pairs: impl Iterator<Item = KeyValue<'a>>) -> u64 {
    let of =
        |pair: KeyValue<'a>| FIELD + pair.key().map_or(0, str::len) as u64 + pair.value().map_or(0, str::len) as u64;
    pairs.fold(0, |sum: u64, pair| sum.saturating_add(of(pair)))
}

/// As readers of Arrow hand on errors. `most`: what the gate lets pass.
pub(super) fn refused(refused: Refused, most: u64) -> ArrowError {
    match refused {
        Refused::Wrong(what) => ArrowError::IpcError(what),
        Refused::TooLarge(bytes) => {
            let (bytes, most) = (bytes.div_ceil(1 << 20), most >> 20);
            let error = Error::invalid(format!(
                "a record batch, or the dictionaries, of {bytes} MiB: more than the {most} MiB that are read at once"
            ));
            ArrowError::ExternalError(Box::new(error.hint(
                "write smaller record batches (pyarrow: write_table(table, max_chunksize=65536)); a row counts as a byte at least",
            )))
        }
    }
}

/// The error of ours that an error of Arrow's carries.
pub(super) fn ours(error: ArrowError) -> std::result::Result<Error, ArrowError> {
    match error {
        ArrowError::ExternalError(inner) => match inner.downcast::<Error>() {
            Ok(ours) => Ok(*ours),
            Err(other) => Err(ArrowError::ExternalError(other)),
        },
        other => Err(other),
    }
}

#[cfg(test)]
mod tests;
