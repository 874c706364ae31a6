//! The two hashes of a row: `row_key` of its natural key (128 bits), `content_hash` of what the source gave (64 bits).
//! They are stored, so what they are made of must never change.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, Int64Array};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::time;
use crate::error::Result;

/// `row_key`: xxh3-128, big-endian, over the key's columns in the contract's order, each as text after its length
/// (4 bytes, little-endian). Dates are `YYYY-MM-DD`, instants µs since 1970, numbers plain. A row with a NULL in its
/// key breaks V01 anyway; NULL counts as ''.
pub(crate) fn row_keys(columns: &[ArrayRef], rows: usize) -> Result<BinaryArray> {
    let texts = columns.iter().map(KeyText::new).collect::<Result<Vec<_>>>()?;
    let mut keys = BinaryBuilder::with_capacity(rows, rows * 16);
    let mut buffer = Vec::with_capacity(96);
    for row in 0..rows {
        buffer.clear();
        for text in &texts {
            let start = buffer.len();
            buffer.extend_from_slice(&[0; 4]);
            text.push(row, &mut buffer);
            let length = u32::try_from(buffer.len() - start - 4).unwrap_or(u32::MAX);
            buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
        }
        keys.append_value(xxh3_128(&buffer).to_be_bytes());
    }
    Ok(keys.finish())
}

/// A key column whose values can be written as text.
enum KeyText<'a> {
    Text(&'a arrow::array::StringArray),
    Date(&'a arrow::array::Date32Array),
    Instant(&'a arrow::array::TimestampMicrosecondArray),
    Other(ArrayFormatter<'a>),
}

impl<'a> KeyText<'a> {
    fn new(column: &'a ArrayRef) -> Result<Self> {
        Ok(match column.data_type() {
            DataType::Utf8 => KeyText::Text(column.as_string()),
            DataType::Date32 => KeyText::Date(column.as_primitive::<Date32Type>()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                KeyText::Instant(column.as_primitive::<TimestampMicrosecondType>())
            }
            _ => KeyText::Other(ArrayFormatter::try_new(column, &FormatOptions::default())?),
        })
    }

    fn push(&self, row: usize, buffer: &mut Vec<u8>) {
        use std::io::Write;
        // Writing to a Vec cannot fail.
        let _ = match self {
            KeyText::Text(a) if a.is_valid(row) => buffer.write_all(a.value(row).as_bytes()),
            KeyText::Date(a) if a.is_valid(row) => match time::date(a.value(row)) {
                Some(date) => write!(buffer, "{date}"),
                None => write!(buffer, "{}", a.value(row)),
            },
            KeyText::Instant(a) if a.is_valid(row) => write!(buffer, "{}", a.value(row)),
            KeyText::Other(a) => write!(buffer, "{}", a.value(row)),
            _ => Ok(()),
        };
    }
}

/// `content_hash`: xxh3-64 over the columns that the SELECT gives, taken in the order of their names (so their order in
/// the SELECT does not matter), each as name, then 0 for NULL or 1 and the typed value. Formatting of numbers does not
/// matter ('1.50' = '1.5'), NULL differs from ''.
pub(crate) fn content_hashes(given: &[(&str, ArrayRef)], rows: usize) -> Result<Int64Array> {
    let mut columns: Vec<_> =
        given.iter().map(|(name, array)| Ok((*name, Value::new(array)?, array))).collect::<Result<_>>()?;
    columns.sort_by_key(|(name, ..)| *name);
    let mut buffer = Vec::with_capacity(256);
    let hashes = (0..rows).map(|row| {
        buffer.clear();
        for (name, value, array) in &columns {
            buffer.extend_from_slice(name.as_bytes());
            if array.is_null(row) {
                buffer.push(0);
            } else {
                buffer.push(1);
                value.push(row, &mut buffer);
            }
        }
        i64::from_ne_bytes(xxh3_64(&buffer).to_ne_bytes())
    });
    Ok(Int64Array::from_iter_values(hashes))
}

/// A column whose values can be written as bytes that say where they end.
enum Value<'a> {
    Text(&'a arrow::array::StringArray),
    Decimal(&'a arrow::array::Decimal128Array),
    Int(&'a arrow::array::Int32Array),
    Long(&'a arrow::array::Int64Array),
    Date(&'a arrow::array::Date32Array),
    Instant(&'a arrow::array::TimestampMicrosecondArray),
    Bool(&'a arrow::array::BooleanArray),
    Float(&'a arrow::array::Float64Array),
    Other(ArrayFormatter<'a>),
}

impl<'a> Value<'a> {
    fn new(array: &'a ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Utf8 => Value::Text(array.as_string()),
            DataType::Decimal128(..) => Value::Decimal(array.as_primitive::<Decimal128Type>()),
            DataType::Int32 => Value::Int(array.as_primitive::<Int32Type>()),
            DataType::Int64 => Value::Long(array.as_primitive::<Int64Type>()),
            DataType::Date32 => Value::Date(array.as_primitive::<Date32Type>()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Value::Instant(array.as_primitive::<TimestampMicrosecondType>())
            }
            DataType::Boolean => Value::Bool(array.as_boolean()),
            DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>()),
            _ => Value::Other(ArrayFormatter::try_new(array, &FormatOptions::default())?),
        })
    }

    fn push(&self, row: usize, buffer: &mut Vec<u8>) {
        let text = |buffer: &mut Vec<u8>, text: &str| {
            buffer.extend_from_slice(&(text.len() as u64).to_le_bytes());
            buffer.extend_from_slice(text.as_bytes());
        };
        match self {
            Value::Text(a) => text(buffer, a.value(row)),
            Value::Decimal(a) => buffer.extend_from_slice(&a.value(row).to_le_bytes()),
            Value::Int(a) => buffer.extend_from_slice(&a.value(row).to_le_bytes()),
            Value::Long(a) => buffer.extend_from_slice(&a.value(row).to_le_bytes()),
            Value::Date(a) => buffer.extend_from_slice(&a.value(row).to_le_bytes()),
            Value::Instant(a) => buffer.extend_from_slice(&a.value(row).to_le_bytes()),
            Value::Bool(a) => buffer.push(u8::from(a.value(row))),
            Value::Float(a) => buffer.extend_from_slice(&a.value(row).to_le_bytes()),
            Value::Other(a) => text(buffer, &a.value(row).to_string()),
        }
    }
}

/// What tells equal rows of one order apart from equal rows of another: the values of `[key] ordinal_within`, then the
/// row's content.
pub(crate) fn group_keys(within: &[ArrayRef], content: &Int64Array) -> Result<Vec<u128>> {
    let columns = within.iter().map(Value::new).collect::<Result<Vec<_>>>()?;
    let mut buffer = Vec::with_capacity(64);
    Ok((0..content.len())
        .map(|row| {
            buffer.clear();
            buffer.extend_from_slice(&content.value(row).to_le_bytes());
            for (value, array) in columns.iter().zip(within) {
                buffer.push(u8::from(array.is_valid(row)));
                if array.is_valid(row) {
                    value.push(row, &mut buffer);
                }
            }
            xxh3_128(&buffer)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Date32Array, StringArray};

    use super::*;

    fn text(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn keys_do_not_run_together() {
        let keys =
            row_keys(&[text(&[Some("ab"), Some("a"), Some("ab")]), text(&[Some("c"), Some("bc"), Some("c")])], 3)
                .expect("keys");
        assert_eq!(keys.value(0), keys.value(2));
        assert_ne!(keys.value(0), keys.value(1));
        assert_eq!(keys.value(0).len(), 16);
        let mut expected = vec![2, 0, 0, 0];
        expected.extend_from_slice(b"ab\x01\0\0\0c");
        assert_eq!(keys.value(0), xxh3_128(&expected).to_be_bytes());
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![1]));
        assert_eq!(
            row_keys(&[dates], 1).expect("keys").value(0),
            xxh3_128(b"\x0a\x00\x00\x001970-01-02").to_be_bytes()
        );
    }

    #[test]
    fn content_is_by_name_and_null_is_not_blank() {
        let (a, b) = (text(&[Some("x"), None]), text(&[Some("y"), Some("")]));
        let one = content_hashes(&[("a", a.clone()), ("b", b.clone())], 2).expect("hashes");
        let two = content_hashes(&[("b", b.clone()), ("a", a.clone())], 2).expect("hashes");
        assert_eq!(one, two);
        let swapped = content_hashes(&[("a", b), ("b", a)], 2).expect("hashes");
        assert_ne!(one.value(0), swapped.value(0));
        assert_ne!(one.value(1), swapped.value(1));
    }
}
