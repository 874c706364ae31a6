//! The dictionary that gives each text (a customer's key) its number, so that sets of texts can be kept as bitmaps.
//! It must never give two texts one number, nor one text two.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, AsArray, BinaryArray, Int64Array, RecordBatch};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::{DataType, Int64Type};
use roaring::RoaringBitmap;
use xxhash_rust::xxh3::xxh3_128;

use crate::error::{Error, Result};

/// Texts and their numbers: a base that never changes and is shared by forks, and an overlay of this object's own, for
/// texts that the base does not have. Numbers of the overlay mean something only together with this object.
#[derive(Default)]
pub struct Numbers {
    base: Arc<Base>,
    overlay: Mutex<Overlay>,
}

#[derive(Clone, Default)]
struct Base {
    numbers: Map,
    taken: RoaringBitmap,
    /// The number after the largest one.
    next: u64,
}

#[derive(Default)]
struct Overlay {
    numbers: Map,
    /// By number.
    texts: Vec<(String, u32)>,
    /// Bytes of the texts.
    bytes: usize,
}

impl Numbers {
    /// A new dictionary: the base and `batches`, with an empty overlay. Column 0 of a batch is the text (`value`), column
    /// 1 its number (`number`, Int64); columns after them are not looked at.
    ///
    /// # Errors
    /// Columns of other types, NULLs, numbers that are not of 32 bits, a text or a number that is there already.
    pub fn with(&self, batches: &[RecordBatch]) -> Result<Numbers> {
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if rows == 0 {
            return Ok(self.fork());
        }
        let mut base = Base::clone(&self.base);
        base.numbers.reserve(rows);
        for batch in batches {
            base.add(batch)?;
        }
        Ok(Numbers { base: Arc::new(base), overlay: Mutex::default() })
    }

    /// The same base, with an empty overlay.
    pub fn fork(&self) -> Numbers {
        Numbers { base: Arc::clone(&self.base), overlay: Mutex::default() }
    }

    /// The number of `text`. One that is new gets the next number, in the overlay.
    ///
    /// # Errors
    /// There are no more numbers of 32 bits.
    pub fn number(&self, text: &str) -> Result<u32> {
        let key = Key::of(text);
        match self.base.numbers.get(&key) {
            Some(number) => Ok(*number),
            None => self.overlay().number(self.base.next, text, key),
        }
    }

    /// The numbers of `texts` (Utf8, LargeUtf8 or Utf8View), each as its 4 bytes, little endian; NULL for NULL. The overlay
    /// is locked once, if a text is not in the base.
    ///
    /// # Errors
    /// An array of another type; there are no more numbers of 32 bits.
    pub fn numbers(&self, texts: &dyn Array) -> Result<BinaryArray> {
        let bytes = match texts.data_type() {
            DataType::Utf8 => self.all(texts.as_string::<i32>().iter(), texts.len())?,
            DataType::LargeUtf8 => self.all(texts.as_string::<i64>().iter(), texts.len())?,
            DataType::Utf8View => self.all(texts.as_string_view().iter(), texts.len())?,
            other => return Err(Error::internal(format!("values of type {other} have no numbers"))),
        };
        let offsets = OffsetBuffer::from_repeated_length(4, texts.len());
        Ok(BinaryArray::try_new(offsets, Buffer::from_vec(bytes), texts.nulls().cloned())?)
    }

    /// What the overlay holds, by number.
    pub fn added(&self) -> Vec<(String, u32)> {
        self.overlay().texts.clone()
    }

    /// How many texts have a number, the overlay's too.
    pub fn len(&self) -> usize {
        self.base.numbers.len() + self.overlay().texts.len()
    }

    /// Whether no text has a number.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory, about. The base counts in full for each fork.
    pub fn bytes(&self) -> usize {
        let overlay = self.overlay();
        let texts = overlay.texts.capacity() * size_of::<(String, u32)>() + overlay.bytes;
        bytes_of(&self.base.numbers) + self.base.taken.serialized_size() + bytes_of(&overlay.numbers) + texts
    }

    /// The bytes of all numbers, four for each row; those of a NULL are 0.
    fn all<'a>(&self, texts: impl Iterator<Item = Option<&'a str>>, rows: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(rows * 4);
        let mut unknown = Vec::new();
        for text in texts {
            let number = text.and_then(|text| {
                let key = Key::of(text);
                let known = self.base.numbers.get(&key).copied();
                if known.is_none() {
                    unknown.push((bytes.len(), text, key));
                }
                known
            });
            bytes.extend_from_slice(&number.unwrap_or_default().to_le_bytes());
        }
        if !unknown.is_empty() {
            let mut overlay = self.overlay();
            for (at, text, key) in unknown {
                let number = overlay.number(self.base.next, text, key)?;
                bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
            }
        }
        Ok(bytes)
    }

    /// Whoever panicked with the lock had added a text whole or not at all: see [`Overlay::number`].
    fn overlay(&self) -> MutexGuard<'_, Overlay> {
        self.overlay.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Plans show it: never millions of texts.
impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Numbers({})", self.base.numbers.len())
    }
}

impl Base {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let [texts, numbers, ..] = batch.columns() else {
            return Err(Error::internal("a dictionary of numbers needs two columns: value and number"));
        };
        let Some(numbers) = numbers.as_primitive_opt::<Int64Type>() else {
            return Err(Error::internal(format!("numbers of a dictionary are of type {}", numbers.data_type())));
        };
        match texts.data_type() {
            DataType::Utf8 => self.extend(texts.as_string::<i32>().iter(), numbers),
            DataType::LargeUtf8 => self.extend(texts.as_string::<i64>().iter(), numbers),
            DataType::Utf8View => self.extend(texts.as_string_view().iter(), numbers),
            other => Err(Error::internal(format!("values of type {other} have no numbers"))),
        }
    }

    fn extend<'a>(&mut self, texts: impl Iterator<Item = Option<&'a str>>, numbers: &Int64Array) -> Result<()> {
        for (text, number) in texts.zip(numbers) {
            let (Some(text), Some(number)) = (text, number) else {
                return Err(Error::internal("a dictionary of numbers has a row without a text or without a number"));
            };
            let number = u32::try_from(number).map_err(|_| {
                Error::internal(format!("the number {number} of {text} in a dictionary is not of 32 bits"))
            })?;
            if self.numbers.insert(Key::of(text), number).is_some() {
                return Err(Error::internal(format!("{text} is twice in a dictionary of numbers")));
            }
            if !self.taken.insert(number) {
                return Err(Error::internal(format!("two texts have the number {number}, one of them {text}")));
            }
            self.next = self.next.max(u64::from(number) + 1);
        }
        Ok(())
    }
}

impl Overlay {
    /// The number of a text that the base, whose next number is `first`, does not have.
    fn number(&mut self, first: u64, text: &str, key: Key) -> Result<u32> {
        if let Some(number) = self.numbers.get(&key) {
            return Ok(*number);
        }
        let number = u32::try_from(first + self.texts.len() as u64)
            .map_err(|_| Error::internal("a dictionary has no more numbers of 32 bits"))?;
        let text = text.to_string();
        self.bytes += text.capacity();
        // First what gives out the next number: after a panic a number may be lost, but is never given twice.
        self.texts.push((text, number));
        self.numbers.insert(key, number);
        Ok(number)
    }
}

/// xxh3-128 of a text, as `row_key` is of a row: no two texts share one, for all that can be expected.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key([u8; 16]);

impl Key {
    fn of(text: &str) -> Key {
        Key(xxh3_128(text.as_bytes()).to_be_bytes())
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    }
}

/// A key is a hash already.
#[derive(Default)]
struct Passed(u64);

impl Hasher for Passed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

type Map = HashMap<Key, u32, BuildHasherDefault<Passed>>;

/// A slot holds its entry and a byte that says whether it is used; an eighth of the slots stay free.
fn bytes_of(map: &Map) -> usize {
    map.capacity() / 7 * 8 * (size_of::<(Key, u32)>() + 1)
}

#[cfg(test)]
#[path = "numbers_tests.rs"]
mod tests;
