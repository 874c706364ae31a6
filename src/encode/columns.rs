//! One view of any result column for all text formats and the checksum: the same value is the same text everywhere.
//! It must not round: decimals keep their full scale, instants their microseconds.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray,
    RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, NaiveDate, SecondsFormat};

use crate::error::Result;

/// Days from 0001-01-01 to 1970-01-01, as chrono counts them.
const EPOCH_FROM_CE: i32 = 719_163;

/// Most readers of JSON hold numbers as doubles, which have every integer up to here.
const JSON_EXACT: u64 = 1 << 53;

/// A column of a batch in one of few shapes; physical differences (dictionaries, views, widths, units) are gone.
pub(super) enum Column {
    Null,
    Bool(BooleanArray),
    Int(Int64Array),
    Float(Float64Array),
    Decimal(Decimal128Array, i8),
    Text(StringViewArray),
    Date(Date32Array),
    /// Microseconds; `true` for an instant (UTC), `false` for a local date and time.
    Instant(TimestampMicrosecondArray, bool),
    List(ListArray, Box<Column>),
}

impl Column {
    /// Every column of `batch`.
    pub fn all(batch: &RecordBatch) -> Result<Vec<Column>> {
        batch.columns().iter().map(Column::new).collect()
    }

    pub fn new(array: &ArrayRef) -> Result<Column> {
        use DataType as T;
        let to = |target: T| cast_with_options(array, &target, &CHECKED);
        Ok(match array.data_type() {
            T::Null => Column::Null,
            T::Boolean => Column::Bool(array.as_boolean().clone()),
            T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => {
                Column::Int(to(T::Int64)?.as_primitive::<Int64Type>().clone())
            }
            T::Float16 | T::Float32 | T::Float64 => {
                Column::Float(to(T::Float64)?.as_primitive::<Float64Type>().clone())
            }
            T::Decimal32(p, s) | T::Decimal64(p, s) | T::Decimal128(p, s) => {
                Column::Decimal(to(T::Decimal128(*p, *s))?.as_primitive::<Decimal128Type>().clone(), *s)
            }
            T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Decimal256(_, _) => {
                Column::Text(to(T::Utf8View)?.as_string_view().clone())
            }
            T::Dictionary(_, value) => Column::new(&to(value.as_ref().clone())?)?,
            T::Date32 | T::Date64 => Column::Date(to(T::Date32)?.as_primitive::<Date32Type>().clone()),
            T::Timestamp(_, zone) => {
                let micros = to(T::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
                Column::Instant(micros.as_primitive::<TimestampMicrosecondType>().clone(), zone.is_some())
            }
            T::List(_) => Self::list(array.as_list::<i32>())?,
            T::LargeList(item) | T::FixedSizeList(item, _) => {
                let item = Arc::new(Field::new("item", item.data_type().clone(), true));
                Self::list(to(T::List(item))?.as_list::<i32>())?
            }
            _ => Column::Text(displayed(array)?),
        })
    }

    fn list(list: &ListArray) -> Result<Column> {
        Ok(Column::List(list.clone(), Box::new(Column::new(list.values())?)))
    }

    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Column::Null => true,
            Column::Bool(a) => a.is_null(row),
            Column::Int(a) => a.is_null(row),
            Column::Float(a) => a.is_null(row),
            Column::Decimal(a, _) => a.is_null(row),
            Column::Text(a) => a.is_null(row),
            Column::Date(a) => a.is_null(row),
            Column::Instant(a, _) => a.is_null(row),
            Column::List(a, _) => a.is_null(row),
        }
    }

    /// Appends the value of `row` as plain text: nothing for NULL, a list as JSON.
    pub fn push_text(&self, row: usize, out: &mut String) {
        if self.is_null(row) {
            return;
        }
        match self {
            Column::Null => {}
            Column::Bool(a) => out.push_str(if a.value(row) { "true" } else { "false" }),
            Column::Int(a) => push(out, a.value(row)),
            Column::Float(a) => push_float(out, a.value(row)),
            Column::Decimal(a, scale) => push_decimal(out, a.value(row), *scale),
            Column::Text(a) => out.push_str(a.value(row)),
            Column::Date(a) => push_date(out, a.value(row)),
            Column::Instant(a, utc) => push_instant(out, a.value(row), *utc),
            Column::List(..) => self.push_json(row, out),
        }
    }

    /// Appends the value of `row` as JSON. Decimals, dates, instants and integers that readers would round are strings;
    /// what JSON has no number for (NaN, infinities) is null.
    pub fn push_json(&self, row: usize, out: &mut String) {
        if self.is_null(row) {
            return out.push_str("null");
        }
        match self {
            Column::Null => {}
            Column::Int(a) if a.value(row).unsigned_abs() > JSON_EXACT => {
                out.push('"');
                self.push_text(row, out);
                out.push('"');
            }
            Column::Bool(_) | Column::Int(_) => self.push_text(row, out),
            Column::Float(a) if a.value(row).is_finite() => self.push_text(row, out),
            Column::Float(_) => out.push_str("null"),
            Column::Decimal(..) | Column::Date(_) | Column::Instant(..) => {
                out.push('"');
                self.push_text(row, out);
                out.push('"');
            }
            Column::Text(a) => push_json_text(out, a.value(row)),
            Column::List(list, values) => {
                out.push('[');
                let (from, to) = bounds(list, row);
                for i in from..to {
                    if i > from {
                        out.push(',');
                    }
                    values.push_json(i, out);
                }
                out.push(']');
            }
        }
    }

    /// Appends the value of `row` in an encoding that no other value shares: a tag, then fixed-width or
    /// length-prefixed bytes. For the checksum.
    pub fn push_canonical(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            return out.push(0);
        }
        out.push(1);
        match self {
            Column::Null => {}
            Column::Bool(a) => out.push(u8::from(a.value(row))),
            Column::Int(a) => out.extend(a.value(row).to_le_bytes()),
            Column::Float(a) => out.extend(canonical_float(a.value(row)).to_le_bytes()),
            Column::Decimal(a, _) => out.extend(a.value(row).to_le_bytes()),
            Column::Text(a) => push_prefixed(out, a.value(row).as_bytes()),
            Column::Date(a) => out.extend(a.value(row).to_le_bytes()),
            Column::Instant(a, _) => out.extend(a.value(row).to_le_bytes()),
            Column::List(list, values) => {
                let (from, to) = bounds(list, row);
                out.extend(((to - from) as u64).to_le_bytes());
                for i in from..to {
                    values.push_canonical(i, out);
                }
            }
        }
    }
}

/// Length-prefixed bytes, so that neighbours cannot run into each other.
pub(super) fn push_prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// `text` as a JSON string, quotes included.
pub(super) fn push_json_text(out: &mut String, text: &str) {
    // A serde_json Value prints without failing, unlike its writers.
    let _ = write!(out, "{}", serde_json::Value::from(text));
}

/// Overflow is an error here, never a silent NULL.
const CHECKED: CastOptions<'static> = CastOptions { safe: false, format_options: FormatOptions::new() };

/// Types without a shape of their own (binary, intervals, structs …) as text.
fn displayed(array: &ArrayRef) -> Result<StringViewArray> {
    let format = FormatOptions::new();
    let formatter = ArrayFormatter::try_new(array, &format)?;
    let texts = (0..array.len())
        .map(|row| if array.is_null(row) { Ok(None) } else { formatter.value(row).try_to_string().map(Some) });
    Ok(texts.collect::<Result<Vec<_>, _>>()?.into_iter().collect())
}

fn bounds(list: &ListArray, row: usize) -> (usize, usize) {
    let offsets = list.value_offsets();
    (offsets[row] as usize, offsets[row + 1] as usize)
}

fn push(out: &mut String, value: impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}

fn push_float(out: &mut String, value: f64) {
    // Debug is the shortest text that reads back as the same number, with an exponent where that is shorter.
    let _ = write!(out, "{value:?}");
}

/// −0.0 equals 0.0 and every NaN is one NaN.
fn canonical_float(value: f64) -> f64 {
    if value == 0.0 {
        0.0
    } else if value.is_nan() {
        f64::NAN
    } else {
        value
    }
}

fn push_decimal(out: &mut String, value: i128, scale: i8) {
    let digits = value.unsigned_abs().to_string();
    if value < 0 {
        out.push('-');
    }
    let Ok(scale @ 1..) = usize::try_from(scale) else {
        out.push_str(&digits);
        // A negative scale counts zeros before the point.
        return out.extend(std::iter::repeat_n('0', if value == 0 { 0 } else { usize::from(scale.unsigned_abs()) }));
    };
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    out.push_str(whole);
    out.push('.');
    out.push_str(part);
}

fn push_date(out: &mut String, days: i32) {
    match days.checked_add(EPOCH_FROM_CE).and_then(NaiveDate::from_num_days_from_ce_opt) {
        Some(date) => push(out, date),
        None => push(out, days),
    }
}

/// RFC 3339 with Z for an instant; the same without a zone for a local time.
fn push_instant(out: &mut String, micros: i64, utc: bool) {
    match DateTime::from_timestamp_micros(micros) {
        Some(at) if utc => out.push_str(&at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        Some(at) => push(out, at.naive_utc().format("%Y-%m-%dT%H:%M:%S%.f")),
        None => push(out, micros),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_that_a_double_would_round_are_strings_in_json() {
        let values = [1 << 53, (1 << 53) + 1, -(1 << 53) - 1, i64::MIN, 7];
        let column = Column::new(&(Arc::new(Int64Array::from(values.to_vec())) as ArrayRef)).unwrap();
        let json = |row| {
            let mut out = String::new();
            column.push_json(row, &mut out);
            out
        };
        assert_eq!(
            [json(0), json(1), json(2), json(3), json(4)],
            ["9007199254740992", "\"9007199254740993\"", "\"-9007199254740993\"", "\"-9223372036854775808\"", "7"]
        );
    }
}
