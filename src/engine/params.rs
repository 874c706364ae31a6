//! Parameters as exactly typed scalars. It must not read SQL: values are bound, never spliced.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::NaiveDate;
use datafusion::scalar::ScalarValue;

use super::dims::type_name;
use super::options::{Param, ParamType};
use crate::error::{Error, Result};

/// Digits that `Decimal128` holds.
const MOST_DIGITS: usize = 38;

/// The Arrow type in which a parameter of this type is bound. A decimal's own precision and scale come with its value.
pub fn arrow_type(kind: ParamType) -> DataType {
    match kind {
        ParamType::Date => DataType::Date32,
        ParamType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ParamType::Int => DataType::Int64,
        ParamType::Decimal => DataType::Decimal128(18, 4),
        ParamType::Bool => DataType::Boolean,
        ParamType::Text => DataType::Utf8View,
        ParamType::TextList => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8View, true))),
    }
}

/// The parameter type that a planned placeholder of this Arrow type takes; `None` = there is no parameter for it.
pub fn param_type(kind: &DataType) -> Option<ParamType> {
    match kind {
        DataType::Date32 | DataType::Date64 => Some(ParamType::Date),
        DataType::Timestamp(_, _) => Some(ParamType::Timestamp),
        DataType::Decimal128(_, _) | DataType::Decimal256(_, _) | DataType::Float32 | DataType::Float64 => {
            Some(ParamType::Decimal)
        }
        DataType::Boolean => Some(ParamType::Bool),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(ParamType::Text),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _) => Some(ParamType::TextList),
        kind if kind.is_integer() => Some(ParamType::Int),
        _ => None,
    }
}

/// The Arrow type of parameter `name`.
pub fn kind_of(name: &str, param: &Param) -> Result<DataType> {
    Ok(scalar(name, param)?.data_type())
}

/// The scalar of parameter `name`.
///
/// # Errors
/// A decimal that is not one, or has more than 38 digits.
pub fn scalar(name: &str, param: &Param) -> Result<ScalarValue> {
    Ok(match param {
        Param::Null(kind) => {
            ScalarValue::try_from(&arrow_type(*kind)).map_err(|e| Error::internal(format!("parameter ${name}: {e}")))?
        }
        Param::Date(date) => ScalarValue::Date32(Some(days(*date))),
        Param::Timestamp(at) => ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some("UTC".into())),
        Param::Int(value) => ScalarValue::Int64(Some(*value)),
        Param::Decimal(text) => decimal(name, text)?,
        Param::Bool(value) => ScalarValue::Boolean(Some(*value)),
        Param::Text(text) => ScalarValue::Utf8View(Some(text.clone())),
        Param::List(texts) => ScalarValue::List(text_list(texts)),
        Param::Value(value) if value.len() == 1 => ScalarValue::try_from_array(value, 0)
            .map_err(|e| Error::invalid(format!("parameter ${name}: a {} cannot be bound: {e}", value.data_type())))?,
        Param::Value(values) => {
            return Err(Error::invalid(format!("parameter ${name} has {} values", values.len())).hint("give it one"));
        }
    })
}

impl Param {
    /// The value of parameter `name` as an array of one row.
    ///
    /// # Errors
    /// A decimal that is not one, or has more than 38 digits.
    pub fn to_array(&self, name: &str) -> Result<ArrayRef> {
        scalar(name, self)?.to_array().map_err(|e| Error::internal(format!("parameter ${name}: {e}")))
    }
}

/// `params` with texts and NULLs of clients turned into what the statement needs there: a client that does not know a
/// parameter's type sends text, or an untyped NULL.
///
/// # Errors
/// `Invalid`: a text that is no value of that type.
pub fn fitted(
    params: &BTreeMap<String, Param>,
    needed: &BTreeMap<String, Option<DataType>>,
) -> Result<BTreeMap<String, Param>> {
    let fit = |(name, param): (&String, &Param)| {
        let fitted = match (param, needed.get(name).cloned().flatten()) {
            (Param::Value(value), Some(kind)) if is_loose(value.data_type()) && *value.data_type() != kind => {
                Param::Value(fit(name, value, &kind)?)
            }
            _ => param.clone(),
        };
        Ok((name.clone(), fitted))
    };
    params.iter().map(fit).collect()
}

/// Whether some of `params` may have to be [`fitted`].
pub fn any_loose(params: &BTreeMap<String, Param>) -> bool {
    params.values().any(|p| matches!(p, Param::Value(value) if is_loose(value.data_type())))
}

fn is_loose(kind: &DataType) -> bool {
    matches!(kind, DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn fit(name: &str, value: &ArrayRef, kind: &DataType) -> Result<ArrayRef> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(value, kind, &strict).map_err(|e| {
        let given = ArrayFormatter::try_new(value, &FormatOptions::default()).map(|f| f.value(0).to_string());
        let given = given.unwrap_or_default();
        Error::invalid(format!("parameter ${name} = '{given}' is no {}", type_name(kind))).caused_by(e)
    })
}

fn text_list(texts: &[String]) -> Arc<ListArray> {
    let values: ArrayRef = Arc::new(arrow::array::StringViewArray::from_iter_values(texts));
    let field = Arc::new(Field::new_list_field(DataType::Utf8View, true));
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([texts.len()]);
    Arc::new(ListArray::new(field, offsets, values, None))
}

/// Days since 1970-01-01.
pub fn days(date: NaiveDate) -> i32 {
    date.to_epoch_days()
}

fn decimal(name: &str, text: &str) -> Result<ScalarValue> {
    decimal_of(text).ok_or_else(|| {
        Error::invalid(format!("parameter ${name} = {text:?}: not a decimal"))
            .hint(format!("at most {MOST_DIGITS} digits, such as 1234.50"))
    })
}

/// `-12.50` with its digits; `None` if `text` is no such number, or has more than 38 digits.
pub fn decimal_of(text: &str) -> Option<ScalarValue> {
    let text = text.trim();
    let digits = text.trim_start_matches(['+', '-']);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all: String = [whole, part].concat();
    let is_number = all.bytes().all(|b| b.is_ascii_digit()) && text.len() - digits.len() <= 1;
    if !is_number || !(1..=MOST_DIGITS).contains(&all.len()) {
        return None;
    }
    let unsigned: i128 = all.parse().ok()?;
    let value = if text.starts_with('-') { -unsigned } else { unsigned };
    Some(ScalarValue::Decimal128(Some(value), all.len() as u8, part.len() as i8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_digits() {
        assert_eq!(scalar("x", &Param::Decimal("-12.50".into())).unwrap(), ScalarValue::Decimal128(Some(-1250), 4, 2));
        assert_eq!(scalar("x", &Param::Decimal("7".into())).unwrap(), ScalarValue::Decimal128(Some(7), 1, 0));
        for bad in ["", "-", "1e5", "1.2.3", "--1", "abc", "."] {
            let error = scalar("x", &Param::Decimal(bad.into())).unwrap_err();
            assert!(error.to_string().contains("$x"), "{bad}: {error}");
        }
    }

    #[test]
    fn texts_of_clients_become_what_is_needed() {
        let text = |t: &str| Param::Value(Arc::new(arrow::array::StringArray::from(vec![t])) as ArrayRef);
        let needed = BTreeMap::from([("1".to_string(), Some(DataType::Date32)), ("2".to_string(), None)]);
        let given = BTreeMap::from([("1".to_string(), text("2026-02-28")), ("2".to_string(), text("2026-02-28"))]);
        let fit = fitted(&given, &needed).unwrap();
        assert_eq!(scalar("1", &fit["1"]).unwrap(), ScalarValue::Date32(Some(20_512)));
        assert_eq!(scalar("2", &fit["2"]).unwrap(), ScalarValue::Utf8(Some("2026-02-28".into())));
        let wrong = fitted(&BTreeMap::from([("1".to_string(), text("2026-02-30"))]), &needed).unwrap_err();
        assert_eq!(wrong.to_string(), "parameter $1 = '2026-02-30' is no DATE");
        let null = Param::Value(arrow::array::new_null_array(&DataType::Null, 1));
        let fit = fitted(&BTreeMap::from([("1".to_string(), null)]), &needed).unwrap();
        assert_eq!(scalar("1", &fit["1"]).unwrap(), ScalarValue::Date32(None));
        // A number stays what it is: the statement compares it as it is.
        let half = Param::Value(Arc::new(arrow::array::Float64Array::from(vec![0.5])) as ArrayRef);
        let needed = BTreeMap::from([("1".to_string(), Some(DataType::Int64))]);
        let fit = fitted(&BTreeMap::from([("1".to_string(), half)]), &needed).unwrap();
        assert_eq!(scalar("1", &fit["1"]).unwrap(), ScalarValue::Float64(Some(0.5)));
    }

    #[test]
    fn nulls_and_lists_have_types() {
        for kind in [
            ParamType::Date,
            ParamType::Timestamp,
            ParamType::Int,
            ParamType::Bool,
            ParamType::Text,
            ParamType::TextList,
        ] {
            let null = scalar("x", &Param::Null(kind)).unwrap();
            assert!(null.is_null(), "{kind:?}");
            assert_eq!(null.data_type(), arrow_type(kind));
            assert_eq!(param_type(&null.data_type()), Some(kind));
        }
        let list = scalar("x", &Param::List(vec!["a".into(), "b".into()])).unwrap();
        assert_eq!(list.data_type(), arrow_type(ParamType::TextList));
    }
}
