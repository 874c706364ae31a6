//! Conversions that lose nothing: a value that does not fit the target exactly becomes NULL, never something near it.
//! And the functions with which `casts` tells such NULLs from those that were there before.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{CastOptions, cast, cast_with_options, nullif};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::prelude::Expr;
use datafusion::scalar::ScalarValue;

use super::functions::texts;
use super::{decimal, time};

/// A conversion from one type to the other may fail or lose something.
pub(crate) fn lossy(from: &DataType, to: &DataType) -> bool {
    use DataType::{Decimal128, Float64, Int8, Int16, Int32, Int64};
    let whole = |t: &DataType| match t {
        Int8 => Some((3, 0)),
        Int16 => Some((5, 0)),
        Int32 => Some((10, 0)),
        Int64 => Some((19, 0)),
        Decimal128(p, s) => Some((i16::from(*p) - i16::from(*s), i16::from(*s))),
        _ => None,
    };
    if from == to || from.is_null() {
        return false;
    }
    if from.is_string() {
        return !to.is_string();
    }
    match (whole(from), whole(to)) {
        (Some((digits, scale)), Some((to_digits, to_scale))) => digits > to_digits || scale > to_scale,
        (None, Some(_)) => from.is_floating() || from.is_integer(),
        (Some(_), None) => to.is_integer() && !matches!(to, Float64),
        _ => false,
    }
}

/// `array` as `to`; what does not fit exactly is NULL. Texts may have blanks around them.
pub(crate) fn strict(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if !array.data_type().is_string() {
        return exact(array, to);
    }
    let array = texts(array)?;
    let texts = array.as_string::<i32>();
    macro_rules! read {
        ($array:ty, $read:expr) => {
            Arc::new(texts.iter().map(|t| t.and_then($read)).collect::<$array>())
        };
    }
    Ok(match to {
        DataType::Decimal128(p, s) => Arc::new(
            read!(Decimal128Array, |t| decimal::parse_exact(t, *p, *s))
                .as_ref()
                .clone()
                .with_precision_and_scale(*p, *s)?,
        ),
        DataType::Int64 => read!(Int64Array, |t| decimal::parse_exact(t, 19, 0).and_then(|v| v.try_into().ok())),
        DataType::Int32 => read!(Int32Array, |t| decimal::parse_exact(t, 10, 0).and_then(|v| v.try_into().ok())),
        DataType::Float64 => read!(Float64Array, |t: &str| t.trim().parse::<f64>().ok().filter(|v| v.is_finite())),
        DataType::Boolean => read!(BooleanArray, truth),
        DataType::Date32 => read!(Date32Array, time::parse_date),
        DataType::Timestamp(unit, zone) => {
            let micros: TimestampMicrosecondArray = match zone {
                Some(_) => texts
                    .iter()
                    .map(|t| t.and_then(time::parse_instant))
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
                None => texts.iter().map(|t| t.and_then(time::parse_local)).collect(),
            };
            if *unit == TimeUnit::Microsecond { cast(&micros, to)? } else { safe(&(Arc::new(micros) as ArrayRef), to)? }
        }
        _ => exact(&array, to)?,
    })
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" | "on" => Some(true),
        "false" | "f" | "no" | "n" | "0" | "off" => Some(false),
        _ => None,
    }
}

fn safe(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    Ok(cast_with_options(array, to, &CastOptions { safe: true, ..CastOptions::default() })?)
}

/// There and back again: what does not come back the same was not exact.
fn exact(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let there = safe(array, to)?;
    if !lossy(array.data_type(), to) || array.data_type().is_string() {
        return Ok(there);
    }
    let same = not_distinct(&safe(&there, array.data_type())?, array)?;
    Ok(nullif(&there, &arrow::compute::not(&same)?)?)
}

/// What `casts` puts into plans.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum What {
    /// `strict(x)`: x as another type, NULL where that is not exact.
    Strict(DataType),
    /// `failing(x, y)`: the text of x where x is there and y, made from it, is not.
    Failing,
    /// `first(a, b, …)`: the first that is not NULL.
    First,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    what: What,
    signature: Signature,
}

fn call(what: What, args: Vec<Expr>) -> Expr {
    let function = Function { what, signature: Signature::variadic_any(Volatility::Immutable) };
    ScalarUDF::new_from_impl(function).call(args)
}

pub(crate) fn strict_expr(x: Expr, to: DataType) -> Expr {
    call(What::Strict(to), vec![x])
}

pub(crate) fn failing_expr(x: Expr, y: Expr) -> Expr {
    call(What::Failing, vec![x, y])
}

/// `None` for none, the expression itself for one.
pub(crate) fn first_expr(mut errors: Vec<Expr>) -> Option<Expr> {
    if errors.len() < 2 { errors.pop() } else { Some(call(What::First, errors)) }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        match self.what {
            What::Strict(_) => "strict",
            What::Failing => "failing",
            What::First => "first_failing",
        }
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match &self.what {
            What::Strict(to) => to.clone(),
            What::Failing | What::First => DataType::Utf8,
        })
    }
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        // Types belong to the name: two casts of one column are two columns.
        let names: Vec<String> = args.iter().map(|a| a.schema_name().to_string()).collect();
        Ok(match &self.what {
            What::Strict(to) => format!("strict({}, {to})", names.join(", ")),
            _ => format!("{}({})", self.name(), names.join(", ")),
        })
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let rows = if scalar { 1 } else { args.number_rows };
        let arrays = args.args.iter().map(|a| a.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let result = match &self.what {
            What::Strict(to) => strict(&arrays[0], to)?,
            What::Failing => failing(&arrays[0], &arrays[1])?,
            What::First => first(&arrays)?,
        };
        if scalar {
            Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?))
        } else {
            Ok(ColumnarValue::Array(result))
        }
    }
}

fn failing(x: &ArrayRef, y: &ArrayRef) -> Result<ArrayRef> {
    if x.logical_null_count() == y.logical_null_count() {
        // y is made from x, so it is NULL wherever x is.
        return Ok(new_null_array(&DataType::Utf8, x.len()));
    }
    let shown = texts(x)?;
    let shown = shown.as_string::<i32>();
    let (x, y) = (x.logical_nulls(), y.logical_nulls());
    let there = |nulls: &Option<arrow::buffer::NullBuffer>, i| nulls.as_ref().is_none_or(|n| n.is_valid(i));
    Ok(Arc::new(
        (0..shown.len()).map(|i| (there(&x, i) && !there(&y, i)).then(|| shown.value(i))).collect::<StringArray>(),
    ))
}

fn first(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let some: Vec<&ArrayRef> = arrays.iter().filter(|a| a.logical_null_count() < a.len()).collect();
    match some.as_slice() {
        [] => Ok(new_null_array(&DataType::Utf8, arrays.first().map_or(0, |a| a.len()))),
        [one] => texts(one),
        many => {
            let many = many.iter().map(|a| texts(a)).collect::<Result<Vec<_>>>()?;
            let many: Vec<&StringArray> = many.iter().map(|a| a.as_string::<i32>()).collect();
            let pick = |i: usize| many.iter().find(|a| a.is_valid(i)).map(|a| a.value(i));
            Ok(Arc::new((0..many[0].len()).map(pick).collect::<StringArray>()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(texts: &[&str], to: &DataType) -> Vec<Option<String>> {
        let array: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
        let done = cast(&strict(&array, to).expect("converted"), &DataType::Utf8).expect("shown");
        done.as_string::<i32>().iter().map(|t| t.map(str::to_string)).collect()
    }
    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|t| (!t.is_empty()).then(|| t.to_string())).collect()
    }

    #[test]
    fn texts_convert_exactly_or_not() {
        assert_eq!(convert(&["1.2345", "1.23456", "x"], &DataType::Decimal128(18, 4)), some(&["1.2345", "", ""]));
        assert_eq!(convert(&["7", "7.0", "7.5", "3000000000"], &DataType::Int32), some(&["7", "7", "", ""]));
        assert_eq!(convert(&["Yes", "0", "maybe"], &DataType::Boolean), some(&["true", "false", ""]));
        assert_eq!(convert(&["2024-02-29", "2024-02-30"], &DataType::Date32), some(&["2024-02-29", ""]));
        let naive = DataType::Timestamp(TimeUnit::Nanosecond, None);
        assert_eq!(convert(&["2024-02-29 10:00", "2024-02-29T10:00:00Z"], &naive), some(&["2024-02-29T10:00:00", ""]));
    }

    #[test]
    fn numbers_convert_exactly_or_not() {
        let of = |values: Vec<i128>, scale| -> ArrayRef {
            Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, scale).expect("decimals"))
        };
        let done = strict(&of(vec![12_345_678, 12_345_600], 6), &DataType::Decimal128(18, 4)).expect("converted");
        assert_eq!((done.is_valid(0), done.is_valid(1)), (false, true));
        let done = strict(&of(vec![10_i128.pow(15)], 0), &DataType::Decimal128(18, 4)).expect("converted");
        assert!(done.is_null(0), "too many digits");
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![0.1, 0.12345]));
        let done = strict(&floats, &DataType::Decimal128(18, 4)).expect("converted");
        assert_eq!((done.is_valid(0), done.is_valid(1)), (true, false));
        assert!(!lossy(&DataType::Decimal128(18, 4), &DataType::Decimal128(38, 6)));
        assert!(lossy(&DataType::Decimal128(38, 7), &DataType::Decimal128(18, 4)));
        assert!(!lossy(&DataType::Utf8, &DataType::Utf8View));
    }
}
