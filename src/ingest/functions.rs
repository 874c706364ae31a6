//! The functions that source SQL has beyond SQL's own: `instant`, `local_time`, `date_of`, `number_of`,
//! `code`, `gtin_ok`, `identifier_hash`.
//! Each gives NULL for what it cannot read; `casts` turns that into a rejected record. They must not depend on anything
//! but their arguments.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::numeral::Numeral;
use super::{identifier, text, time};
use crate::model::Kind;

/// A function of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Which {
    Instant,
    LocalTime,
    DateOf,
    NumberOf,
    Code,
    GtinOk,
    IdentifierHash,
}

const ALL: [Which; 7] = [
    Which::Instant,
    Which::LocalTime,
    Which::DateOf,
    Which::NumberOf,
    Which::Code,
    Which::GtinOk,
    Which::IdentifierHash,
];

/// Hashes identifiers of customers: what it is given in clear is kept nowhere.
pub(crate) const IDENTIFIER_HASH: &str = "identifier_hash";

/// The functions, to be registered in every session that plans source SQL or contract rules.
pub(crate) fn all() -> impl Iterator<Item = ScalarUDF> {
    ALL.into_iter().map(|which| ScalarUDF::new_from_impl(TextFunction::new(which)))
}

/// `name` reads its first argument, so that NULL for a value means: not readable.
pub(crate) fn reads(name: &str) -> bool {
    ALL[..4].iter().any(|w| w.name() == name)
}

impl Which {
    fn name(self) -> &'static str {
        match self {
            Which::Instant => "instant",
            Which::LocalTime => "local_time",
            Which::DateOf => "date_of",
            Which::NumberOf => "number_of",
            Which::Code => "code",
            Which::GtinOk => "gtin_ok",
            Which::IdentifierHash => IDENTIFIER_HASH,
        }
    }
    fn returns(self) -> DataType {
        match self {
            Which::Instant => Kind::Instant.arrow(),
            Which::LocalTime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Which::DateOf => DataType::Date32,
            // Digits with a point, for a CAST to make a decimal of.
            Which::NumberOf | Which::Code | Which::IdentifierHash => DataType::Utf8,
            Which::GtinOk => DataType::Boolean,
        }
    }
    fn arguments(self) -> usize {
        match self {
            Which::LocalTime | Which::DateOf | Which::NumberOf | Which::IdentifierHash => 2,
            Which::Instant | Which::Code | Which::GtinOk => 1,
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TextFunction {
    which: Which,
    signature: Signature,
}

impl TextFunction {
    fn new(which: Which) -> Self {
        TextFunction { which, signature: Signature::string(which.arguments(), Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for TextFunction {
    fn name(&self) -> &str {
        self.which.name()
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.which.returns())
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let rows = if scalar { 1 } else { args.number_rows };
        let texts = texts(&args.args[0].to_array(rows)?)?;
        let texts = texts.as_string::<i32>();
        let result: ArrayRef = match self.which {
            Which::Instant => {
                let read = remembered(time::parse_instant);
                Arc::new(texts.iter().map(maybe(read)).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
            }
            Which::LocalTime => {
                let format = format_of("local_time", &args.args[1])?;
                let read = remembered(|t| local_time(t, &format));
                Arc::new(texts.iter().map(maybe(read)).collect::<TimestampMicrosecondArray>())
            }
            Which::DateOf => {
                let format = format_of("date_of", &args.args[1])?;
                let read = remembered(|t| parsed(t, &format)?.to_naive_date().ok().map(time::days));
                Arc::new(texts.iter().map(maybe(read)).collect::<Date32Array>())
            }
            Which::NumberOf => {
                let numeral = numeral_of(&args.args[1])?;
                Arc::new(texts.iter().map(|t| t.and_then(|t| numeral.read(t))).collect::<StringArray>())
            }
            Which::Code => {
                Arc::new(texts.iter().map(|t| t.map(|t| text::normalise(t, Kind::UpperCode))).collect::<StringArray>())
            }
            Which::GtinOk => Arc::new(texts.iter().map(|t| t.map(gtin_ok)).collect::<BooleanArray>()),
            Which::IdentifierHash => {
                let values = self::texts(&args.args[1].to_array(rows)?)?;
                let pairs = texts.iter().zip(values.as_string::<i32>().iter());
                Arc::new(pairs.map(|(kind, value)| identifier::hash(kind?, value?)).collect::<StringArray>())
            }
        };
        if scalar {
            Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?))
        } else {
            Ok(ColumnarValue::Array(result))
        }
    }
}

/// Any column of text as plain strings.
pub(crate) fn texts(array: &ArrayRef) -> Result<ArrayRef> {
    if array.data_type() == &DataType::Utf8 { Ok(Arc::clone(array)) } else { Ok(cast(array, &DataType::Utf8)?) }
}

/// Reads each text once while it repeats, as times on the lines of one invoice do.
fn remembered<T: Copy>(mut read: impl FnMut(&str) -> Option<T>) -> impl FnMut(&str) -> Option<T> {
    let mut last: Option<(String, Option<T>)> = None;
    move |text| match &mut last {
        Some((seen, value)) if seen == text => *value,
        Some((seen, value)) => {
            seen.clear();
            seen.push_str(text);
            *value = read(text);
            *value
        }
        None => {
            let value = read(text);
            last = Some((text.to_string(), value));
            value
        }
    }
}

fn maybe<'a, T>(mut read: impl FnMut(&str) -> Option<T>) -> impl FnMut(Option<&'a str>) -> Option<T> {
    move |text| text.and_then(&mut read)
}

/// The constant format of a call, in chrono's strftime words.
fn format_of(function: &str, argument: &ColumnarValue) -> Result<Vec<Item<'static>>> {
    let Some(format) = constant(argument) else {
        return plan_err!("{function}: the format is a constant text, such as '%d.%m.%Y'");
    };
    match StrftimeItems::new(format).parse_to_owned() {
        Ok(items) => Ok(items),
        Err(_) => plan_err!("{function}: '{format}' is no strftime format; try '%Y-%m-%d %H:%M:%S'"),
    }
}

/// How the example in a call writes 1234.50.
fn numeral_of(argument: &ColumnarValue) -> Result<Numeral> {
    let Some(example) = constant(argument) else {
        return plan_err!("number_of: the example is a constant text, such as '1.234,50'");
    };
    match Numeral::like(example) {
        Some(numeral) => Ok(numeral),
        None => {
            plan_err!("number_of: '{example}' does not show how 1234.50 is written; try '1.234,50' or '1,234.50 €'")
        }
    }
}

fn constant(argument: &ColumnarValue) -> Option<&str> {
    match argument {
        ColumnarValue::Scalar(value) => value.try_as_str().flatten(),
        ColumnarValue::Array(_) => None,
    }
}

fn parsed(text: &str, format: &[Item<'_>]) -> Option<Parsed> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text.trim(), format.iter()).ok()?;
    Some(parsed)
}

/// A wall-clock time; a format without hours gives midnight.
fn local_time(text: &str, format: &[Item<'_>]) -> Option<i64> {
    let parsed = parsed(text, format)?;
    let date = parsed.to_naive_date().ok()?;
    let clock = match parsed.hour_mod_12() {
        None => chrono::NaiveTime::MIN,
        Some(_) => parsed.to_naive_time().ok()?,
    };
    Some(time::naive_micros(date.and_time(clock)))
}

/// 14 digits of which the last is GS1's check digit (weights 3, 1, 3 … from the left).
fn gtin_ok(text: &str) -> bool {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
    digits.is_some_and(|d| {
        d.len() == 14
            && d.iter().enumerate().map(|(i, d)| if i % 2 == 0 { d * 3 } else { *d }).sum::<u32>().is_multiple_of(10)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_with_and_without_a_clock() {
        let items = |f: &str| StrftimeItems::new(f).parse_to_owned().expect("a format");
        assert_eq!(local_time("02.01.1970 00:00", &items("%d.%m.%Y %H:%M")), Some(time::MICROS_PER_DAY));
        assert_eq!(local_time("1/2/1970", &items("%m/%d/%Y")), Some(time::MICROS_PER_DAY));
        assert_eq!(local_time("1970-01-01 12:00 AM", &items("%Y-%m-%d %I:%M %p")), Some(0));
        assert_eq!(local_time("1970-01-01 25:00", &items("%Y-%m-%d %H:%M")), None);
        assert_eq!(local_time("1970年1月2日", &items("%Y年%m月%d日")), Some(time::MICROS_PER_DAY));
        assert!(StrftimeItems::new("%Q").parse_to_owned().is_err());
    }

    #[test]
    fn v11_check_digits() {
        assert!(gtin_ok("04006381333931"));
        assert!(!gtin_ok("04006381333932"));
        assert!(!gtin_ok("4006381333931"), "13 digits");
        assert!(!gtin_ok("0400638133393X"));
    }
}
