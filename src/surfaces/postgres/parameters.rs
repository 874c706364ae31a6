//! Values that a client binds, in text or binary, as one-row arrays for the engine. Values are decoded, never spliced.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Float32Array, Float64Array, Int16Array, Int32Array,
    Int64Array, ListArray, StringArray, StringBuilder, Time64MicrosecondArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, TimeUnit};
use pgwire::api::Type;

use crate::engine::Param;
use crate::error::{Error, Result};

/// Letters of a value that an error shows, and items of a list.
const LONGEST: usize = 100;
const SHOWN: usize = 10;
/// From 1970, where Arrow counts from, to 2000, where PostgreSQL does.
const DAYS: i32 = 10_957;
const MICROS: i64 = 946_684_800_000_000;

/// The type that a client means, if it says one: `unknown` and no type are for the statement to tell.
pub fn known(kind: Option<&Type>) -> Option<&Type> {
    kind.filter(|kind| **kind != Type::UNKNOWN)
}

/// Whether values of `kind` are texts, which become what the statement needs.
pub fn is_text(kind: &Type) -> bool {
    [Type::TEXT, Type::VARCHAR, Type::BPCHAR, Type::NAME, Type::UNKNOWN].contains(kind)
}

/// The type in which the engine is given values of `kind`.
pub fn arrow_type(kind: &Type) -> DataType {
    if let Some(item) = item_type(kind) {
        return DataType::List(Arc::new(Field::new_list_field(arrow_type(&item), true)));
    }
    match *kind {
        Type::BOOL => DataType::Boolean,
        Type::INT2 => DataType::Int16,
        Type::INT4 | Type::OID | Type::REGCLASS | Type::REGTYPE | Type::REGNAMESPACE => DataType::Int32,
        Type::INT8 => DataType::Int64,
        Type::FLOAT4 => DataType::Float32,
        Type::FLOAT8 => DataType::Float64,
        Type::NUMERIC => DataType::Decimal128(18, 4),
        Type::DATE => DataType::Date32,
        Type::TIME => DataType::Time64(TimeUnit::Microsecond),
        Type::TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        Type::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::BYTEA => DataType::Binary,
        _ => DataType::Utf8,
    }
}

/// NULL of that type.
pub fn null(kind: &Type) -> Param {
    Param::Value(new_null_array(&arrow_type(kind), 1))
}

/// The value of parameter `number`.
///
/// # Errors
/// `Invalid`: bytes that are no value of `kind`; a binary value of a type that has none here.
pub fn value(number: usize, kind: &Type, binary: bool, bytes: Option<&[u8]>) -> Result<Param> {
    let Some(bytes) = bytes else { return Ok(null(kind)) };
    if *kind == Type::NUMERIC {
        let text =
            if binary { numeric(bytes).ok_or_else(|| damaged(number, kind))? } else { text(number, bytes)?.into() };
        return decimal(number, text);
    }
    let array = match (item_type(kind), binary) {
        (None, true) => from_binary(kind, &[Some(bytes)]).ok_or_else(|| damaged(number, kind))?,
        (None, false) => from_text(number, kind, &StringArray::from(vec![text(number, bytes)?]))?,
        (Some(item), true) => {
            let items = binary_items(bytes).and_then(|items| from_binary(&item, &items));
            list(items.ok_or_else(|| damaged(number, kind))?)?
        }
        (Some(item), false) => {
            let text = text(number, bytes)?;
            let wrong = || {
                Error::invalid(format!("parameter ${number} = '{}': not an array", short(text)))
                    .hint("for example {a,b}; an empty text is \"\"")
            };
            list(from_text(number, &item, &items(text).ok_or_else(wrong)?)?)?
        }
    };
    Ok(Param::Value(array))
}

fn damaged(number: usize, kind: &Type) -> Error {
    Error::invalid(format!("parameter ${number}: not a binary {}", kind.name())).hint("bind it as text")
}

fn text(number: usize, bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|e| Error::invalid(format!("parameter ${number}: {e}")))
}

/// Exact where it is written with plain digits; `1e5` and NaN are floats.
fn decimal(number: usize, text: String) -> Result<Param> {
    let plain = text.trim_start_matches(['+', '-']);
    if !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Ok(Param::Decimal(text));
    }
    let float: f64 =
        text.parse().map_err(|_| Error::invalid(format!("parameter ${number} = '{text}': not a numeric")))?;
    Ok(Param::Value(Arc::new(Float64Array::from(vec![float]))))
}

/// The values that `texts` are.
fn from_text(number: usize, kind: &Type, texts: &StringArray) -> Result<ArrayRef> {
    let texts: ArrayRef = match *kind {
        Type::BYTEA => {
            let bytes = texts.iter().map(|text| text.map(bytea));
            return Ok(Arc::new(bytes.collect::<BinaryArray>()));
        }
        Type::DATE => Arc::new(texts.iter().map(|text| text.map(day)).collect::<StringArray>()),
        _ => Arc::new(texts.clone()),
    };
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(&texts, &arrow_type(kind), &strict).map_err(|e| {
        let all: Vec<&str> = texts.as_string::<i32>().iter().flatten().take(SHOWN).collect();
        let given = short(&all.join(",")).to_string();
        Error::invalid(format!("parameter ${number} = '{given}': not a {}", kind.name())).caused_by(e)
    })
}

/// The beginning of what may be long.
fn short(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

/// Without the zone that JDBC writes behind a date: `2026-01-01 +00`.
fn day(text: &str) -> &str {
    let is_zone = |rest: &str| {
        rest.strip_prefix(['+', '-']).is_some_and(|zone| zone.bytes().all(|b| b.is_ascii_digit() || b == b':'))
    };
    text.trim().split_once(' ').filter(|(_, rest)| is_zone(rest)).map_or(text, |(day, _)| day)
}

/// `\x` and hexadecimal digits, else the bytes themselves.
fn bytea(text: &str) -> Vec<u8> {
    let digits = text.strip_prefix("\\x").unwrap_or_default().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let read: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    read.filter(|_| text.starts_with("\\x")).unwrap_or_else(|| text.as_bytes().to_vec())
}

/// The values of `kind` that are in binary; `None`: one is not.
fn from_binary(kind: &Type, values: &[Option<&[u8]>]) -> Option<ArrayRef> {
    let int2 = |bytes: &[u8]| bytes.try_into().ok().map(i16::from_be_bytes);
    let int4 = |bytes: &[u8]| bytes.try_into().ok().map(i32::from_be_bytes);
    let int8 = |bytes: &[u8]| bytes.try_into().ok().map(i64::from_be_bytes);
    let since_2000 = |bytes: &[u8]| int8(bytes)?.checked_add(MICROS);
    Some(match *kind {
        Type::BOOL => Arc::new(BooleanArray::from(each(values, |bytes| Some(*bytes.first()? != 0))?)),
        Type::INT2 => Arc::new(Int16Array::from(each(values, int2)?)),
        Type::INT4 | Type::OID | Type::REGCLASS | Type::REGTYPE | Type::REGNAMESPACE => {
            Arc::new(Int32Array::from(each(values, int4)?))
        }
        Type::INT8 => Arc::new(Int64Array::from(each(values, int8)?)),
        Type::FLOAT4 => {
            Arc::new(Float32Array::from(each(values, |bytes| bytes.try_into().ok().map(f32::from_be_bytes))?))
        }
        Type::FLOAT8 => {
            Arc::new(Float64Array::from(each(values, |bytes| bytes.try_into().ok().map(f64::from_be_bytes))?))
        }
        Type::DATE => Arc::new(Date32Array::from(each(values, |bytes| int4(bytes)?.checked_add(DAYS))?)),
        Type::TIME => Arc::new(Time64MicrosecondArray::from(each(values, int8)?)),
        Type::TIMESTAMP => Arc::new(TimestampMicrosecondArray::from(each(values, since_2000)?)),
        Type::TIMESTAMPTZ => Arc::new(TimestampMicrosecondArray::from(each(values, since_2000)?).with_timezone("UTC")),
        Type::BYTEA => Arc::new(BinaryArray::from_iter(values)),
        Type::UUID => {
            let uuid = |bytes: &[u8]| Some(uuid::Uuid::from_slice(bytes).ok()?.to_string());
            Arc::new(StringArray::from(each(values, uuid)?))
        }
        Type::JSONB => Arc::new(StringArray::from(each(values, |bytes| std::str::from_utf8(bytes.get(1..)?).ok())?)),
        ref kind if is_text(kind) || *kind == Type::JSON => {
            Arc::new(StringArray::from(each(values, |bytes| std::str::from_utf8(bytes).ok())?))
        }
        _ => return None,
    })
}

/// What each value is, NULL for NULL; `None`: one is not.
fn each<'a, T>(values: &[Option<&'a [u8]>], read: impl Fn(&'a [u8]) -> Option<T>) -> Option<Vec<Option<T>>> {
    values.iter().map(|value| value.map_or(Some(None), |bytes| read(bytes).map(Some))).collect()
}

/// The type of an array's items.
fn item_type(kind: &Type) -> Option<Type> {
    Some(match *kind {
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY | Type::NAME_ARRAY => Type::TEXT,
        Type::BOOL_ARRAY => Type::BOOL,
        Type::INT2_ARRAY => Type::INT2,
        Type::INT4_ARRAY | Type::OID_ARRAY => Type::INT4,
        Type::INT8_ARRAY => Type::INT8,
        Type::FLOAT4_ARRAY => Type::FLOAT4,
        Type::FLOAT8_ARRAY => Type::FLOAT8,
        Type::DATE_ARRAY => Type::DATE,
        Type::TIMESTAMP_ARRAY => Type::TIMESTAMP,
        Type::TIMESTAMPTZ_ARRAY => Type::TIMESTAMPTZ,
        Type::TIME_ARRAY => Type::TIME,
        Type::BYTEA_ARRAY => Type::BYTEA,
        Type::UUID_ARRAY => Type::UUID,
        _ => return None,
    })
}

/// One list, of `values`.
fn list(values: ArrayRef) -> Result<ArrayRef> {
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths([values.len()]), values, None)?))
}

/// The items of an array of one dimension: its header, then each item's length and bytes.
fn binary_items(mut bytes: &[u8]) -> Option<Vec<Option<&[u8]>>> {
    let mut int4 = || {
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        bytes = rest;
        Some(i32::from_be_bytes(*head))
    };
    let (dimensions, _, _) = (int4()?, int4()?, int4()?);
    let count = match dimensions {
        0 => 0,
        1 => int4().zip(int4())?.0,
        _ => return None,
    };
    let mut items = Vec::new();
    for _ in 0..count {
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        let length = i32::from_be_bytes(*head);
        if length == -1 {
            items.push(None);
            bytes = rest;
            continue;
        }
        let length = usize::try_from(length).ok()?;
        items.push(Some(rest.get(..length)?));
        bytes = rest.get(length..)?;
    }
    Some(items)
}

/// The items of `{a,"b c",NULL}`, of one dimension.
fn items(text: &str) -> Option<StringArray> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut items = StringBuilder::with_capacity(0, inner.len());
    let (mut item, mut quoted, mut open) = (String::new(), false, false);
    let mut letters = inner.chars();
    // An empty text has quotes: without, something is missing.
    let mut done = |item: &mut String, quoted: &mut bool| {
        let text = if *quoted { item.as_str() } else { item.trim_end() };
        if !*quoted && text.is_empty() {
            return None;
        }
        items.append_option((*quoted || !text.eq_ignore_ascii_case("null")).then_some(text));
        item.clear();
        *quoted = false;
        Some(())
    };
    while let Some(c) = letters.next() {
        match c {
            '\\' => item.push(letters.next()?),
            '"' => (open, quoted) = (!open, true),
            ',' if !open => done(&mut item, &mut quoted)?,
            '{' | '}' if !open => return None,
            // ADBC writes blanks around items: they are not of them, those within are.
            c if c.is_ascii_whitespace() && !open && (quoted || item.is_empty()) => {}
            c => item.push(c),
        }
    }
    if open {
        return None;
    }
    if !inner.trim().is_empty() {
        done(&mut item, &mut quoted)?;
    }
    Some(items.finish())
}

/// The digits of a binary numeric: groups of four, the first of which weighs 10000^weight.
fn numeric(bytes: &[u8]) -> Option<String> {
    let words: Vec<i16> = bytes.chunks_exact(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]])).collect();
    let [count, weight, sign, scale, groups @ ..] = words.as_slice() else { return None };
    let sign = match u16::from_ne_bytes(sign.to_ne_bytes()) {
        0 => "",
        0x4000 => "-",
        0xC000 => return Some("NaN".into()),
        0xD000 => return Some("Infinity".into()),
        0xF000 => return Some("-Infinity".into()),
        _ => return None,
    };
    if usize::try_from(*count).ok()? != groups.len() || groups.iter().any(|g| !(0..10_000).contains(g)) {
        return None;
    }
    let group =
        |at: i32| usize::try_from(i32::from(*weight) - at).ok().and_then(|n| groups.get(n)).copied().unwrap_or(0);
    let scale = usize::try_from(*scale).ok()?;
    let whole: String = (0..=i32::from(*weight).max(0)).rev().map(|at| format!("{:04}", group(at))).collect();
    let groups_after = i32::try_from(scale.div_ceil(4)).ok()?;
    let part: String = (1..=groups_after).map(|at| format!("{:04}", group(-at))).collect();
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{}", part.get(..scale)?) })
}

#[cfg(test)]
mod tests {
    use arrow::util::display::array_value_to_string;

    use super::*;

    fn shown(kind: &Type, binary: bool, bytes: &[u8]) -> String {
        match value(1, kind, binary, Some(bytes)).unwrap() {
            Param::Value(array) => array_value_to_string(&array, 0).unwrap(),
            Param::Decimal(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn text_and_binary_mean_the_same() {
        let both = |kind: Type, text: &str, binary: &[u8], expected: &str| {
            assert_eq!(shown(&kind, false, text.as_bytes()), expected, "{kind} as text");
            assert_eq!(shown(&kind, true, binary), expected, "{kind} in binary");
        };
        both(Type::BOOL, "t", &[1], "true");
        both(Type::INT2, "-7", &(-7i16).to_be_bytes(), "-7");
        both(Type::INT8, "42", &42i64.to_be_bytes(), "42");
        both(Type::FLOAT8, "0.5", &0.5f64.to_be_bytes(), "0.5");
        both(Type::DATE, "2026-02-28", &(20_512 - DAYS).to_be_bytes(), "2026-02-28");
        both(Type::DATE, "2026-02-28 +01", &(20_512 - DAYS).to_be_bytes(), "2026-02-28");
        let at = (1_767_225_600_000_000 - MICROS).to_be_bytes();
        both(Type::TIMESTAMP, "2026-01-01 00:00:00", &at, "2026-01-01T00:00:00");
        both(Type::TIMESTAMPTZ, "2026-01-01 08:00:00+08", &at, "2026-01-01T00:00:00Z");
        both(Type::VARCHAR, "it's \\ é", "it's \\ é".as_bytes(), "it's \\ é");
        both(Type::BYTEA, "\\x00ff", &[0, 255], "00ff");
    }

    #[test]
    fn numerics_keep_their_digits() {
        let binary = |words: &[i16]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<u8>>();
        for (words, expected) in [
            (&[3, 1, 0, 4, 1, 2345, 6789][..], "12345.6789"),
            (&[1, -1, 0x4000, 2, 500], "-0.05"),
            (&[0, 0, 0, 2], "0.00"),
            (&[1, 1, 0, 0, 3], "30000"),
            (&[1, -2, 0, 8, 25], "0.00000025"),
        ] {
            assert_eq!(shown(&Type::NUMERIC, true, &binary(words)), expected);
        }
        assert_eq!(shown(&Type::NUMERIC, false, b"12345678901234567890.1234"), "12345678901234567890.1234");
        assert_eq!(shown(&Type::NUMERIC, false, b"1e3"), "1000.0");
        for (sign, shows) in [(0xD000u16, "inf"), (0xF000, "-inf"), (0xC000, "NaN")] {
            let special = binary(&[0, 0, i16::from_ne_bytes(sign.to_ne_bytes()), 0]);
            assert_eq!(shown(&Type::NUMERIC, true, &special), shows);
        }
        for damaged in [&[][..], &[2, 0, 0, 0, 1], &[1, 0, 0, 0, -1], &[-1, 0, 0, 0]] {
            assert!(value(1, &Type::NUMERIC, true, Some(&binary(damaged))).is_err());
        }
    }

    #[test]
    fn lists_may_hold_anything() {
        let items_of =
            |text: &str| items(text).map(|items| items.iter().map(|i| i.map(String::from)).collect::<Vec<_>>());
        assert_eq!(
            items_of("{a,\"b, c\",\"\",null,\"NULL\"}").unwrap(),
            [Some("a".into()), Some("b, c".into()), Some(String::new()), None, Some("NULL".into())]
        );
        for missing in ["{a,}", "{,a}", "{a,,b}", "{,}"] {
            assert_eq!(items_of(missing), None, "{missing}");
        }
        let with_blanks = items_of("{ \"p\" , \"f\", a b , null }").unwrap();
        assert_eq!(with_blanks, [Some("p".into()), Some("f".into()), Some("a b".into()), None]);
        assert_eq!(items_of("{}").unwrap(), []);
        let mut bytes = [1, 0, 25, 2, 1].iter().flat_map(|n: &i32| n.to_be_bytes()).collect::<Vec<u8>>();
        bytes.extend([0, 0, 0, 1, b'a', 255, 255, 255, 255]);
        assert_eq!(shown(&Type::TEXT_ARRAY, true, &bytes), "[a, ]");
        assert_eq!(shown(&Type::INT4_ARRAY, false, b"{1,2}"), "[1, 2]");
        assert_eq!(shown(&Type::DATE_ARRAY, false, b"{2026-02-28,NULL}"), "[2026-02-28, ]");
        assert_eq!(shown(&Type::BYTEA_ARRAY, false, br"{\\x00ff}"), "[00ff]");
        let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        assert_eq!(shown(&Type::UUID_ARRAY, false, format!("{{{id}}}").as_bytes()), format!("[{id}]"));
        assert!(items("{a").is_none() && items("{{a}}").is_none() && items("{\"a}").is_none());
    }

    #[test]
    fn what_is_no_value_is_refused_by_number() {
        for (kind, binary, bytes) in [
            (Type::INT4, true, &[1, 2][..]),
            (Type::INT4, false, b"x"),
            (Type::DATE, false, b"2026-02-30"),
            (Type::TEXT, true, &[0xFF]),
            (Type::INT4_ARRAY, false, b"{1,x}"),
            (Type::TEXT_ARRAY, true, &[0, 0, 0, 1, 0, 0]),
            (Type::POINT, true, &[0; 16]),
        ] {
            let error = value(3, &kind, binary, Some(bytes)).unwrap_err();
            assert!(error.to_string().contains("$3"), "{kind}: {error}");
        }
    }
}
