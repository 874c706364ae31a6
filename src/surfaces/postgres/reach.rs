//! Values that arrow-pg's encoders would tell as NULL or stumble over: instants, dates and times of day that its calendar
//! does not have, and long numbers within lists. It must not encode.

use arrow::array::{Array, AsArray, make_array};
use arrow::compute::{max, min};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, Decimal128Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow::temporal_conversions::{as_datetime, as_time};

use super::numeric::is_small;

/// Whether every value of `column` can be told.
pub fn in_reach(column: &dyn Array) -> bool {
    told(column, false)
}

fn told(column: &dyn Array, nested: bool) -> bool {
    match column.data_type() {
        DataType::Date32 => dates::<Date32Type>(column),
        DataType::Date64 => dates::<Date64Type>(column),
        DataType::Timestamp(TimeUnit::Second, _) => dates::<TimestampSecondType>(column),
        DataType::Timestamp(TimeUnit::Millisecond, _) => dates::<TimestampMillisecondType>(column),
        DataType::Timestamp(TimeUnit::Microsecond, _) => dates::<TimestampMicrosecondType>(column),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => dates::<TimestampNanosecondType>(column),
        DataType::Time32(TimeUnit::Second) => times::<Time32SecondType>(column),
        DataType::Time32(TimeUnit::Millisecond) => times::<Time32MillisecondType>(column),
        DataType::Time64(TimeUnit::Microsecond) => times::<Time64MicrosecondType>(column),
        DataType::Time64(TimeUnit::Nanosecond) => times::<Time64NanosecondType>(column),
        DataType::Decimal128(_, scale) if nested => {
            column.as_primitive::<Decimal128Type>().iter().flatten().all(|value| is_small(value, *scale))
        }
        kind if kind.is_nested() => {
            column.to_data().child_data().iter().all(|child| told(&make_array(child.clone()), true))
        }
        _ => true,
    }
}

fn dates<T: ArrowPrimitiveType<Native: Into<i64>>>(column: &dyn Array) -> bool {
    ends::<T>(column).into_iter().flatten().all(|value| as_datetime::<T>(value).is_some())
}

fn times<T: ArrowPrimitiveType<Native: Into<i64>>>(column: &dyn Array) -> bool {
    ends::<T>(column).into_iter().flatten().all(|value| as_time::<T>(value).is_some())
}

/// The least and the greatest value.
fn ends<T: ArrowPrimitiveType<Native: Into<i64>>>(column: &dyn Array) -> [Option<i64>; 2] {
    let column = column.as_primitive::<T>();
    [min(column), max(column)].map(|end| end.map(Into::into))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date32Array, Decimal128Array, Int64Array, Time32SecondArray, TimestampSecondArray};
    use arrow::array::{Int32Builder, ListArray, ListBuilder};
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::Field;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_the_calendar_does_not_have_is_out_of_reach() {
        assert!(in_reach(&TimestampSecondArray::from(vec![Some(0), None, Some(253_402_300_799)])));
        assert!(!in_reach(&TimestampSecondArray::from(vec![Some(0), Some(9_000_000_000_000)])));
        assert!(in_reach(&Date32Array::from(vec![Some(-700_000), None])));
        assert!(!in_reach(&Date32Array::from(vec![Some(i32::MAX)])));
        assert!(in_reach(&Time32SecondArray::from(vec![86_399])));
        assert!(!in_reach(&Time32SecondArray::from(vec![86_400])));
        assert!(in_reach(&Int64Array::from(vec![i64::MAX])) && in_reach(&Date32Array::from(vec![None::<i32>; 2])));
    }

    #[test]
    fn lists_are_looked_into() {
        let mut numbers = ListBuilder::new(Int32Builder::new());
        numbers.append_value([Some(1), None]);
        assert!(in_reach(&numbers.finish()));
        for (value, fits) in [((1_i128 << 96) - 1, true), (1 << 96, false)] {
            let values = Decimal128Array::from(vec![value]).with_precision_and_scale(38, 0).unwrap();
            assert!(in_reach(&values), "only lists are arrow-pg's");
            let field = Arc::new(Field::new("item", values.data_type().clone(), true));
            let list = ListArray::new(field, OffsetBuffer::from_lengths([1]), Arc::new(values), None);
            assert_eq!(in_reach(&list), fits, "{value}");
        }
    }
}
