//! How much arguments and results take, in bytes or elements, from lengths and offsets alone. It must not copy values.

use arrow::array::{Array, AsArray, OffsetSizeTrait};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;

/// What an element of a type without a fixed width takes beside its bytes; about.
const BESIDE: u64 = 16;

/// A number for each row.
pub enum Each {
    Same(u64),
    Rows(Vec<u64>),
}

impl Each {
    pub fn at(&self, row: usize) -> u64 {
        match self {
            Each::Same(number) => *number,
            Each::Rows(numbers) => numbers.get(row).copied().unwrap_or(0),
        }
    }
    /// All of `rows` rows.
    pub fn total(&self, rows: usize) -> u64 {
        match self {
            Each::Same(number) => number.saturating_mul(rows as u64),
            Each::Rows(numbers) => numbers.iter().fold(0u64, |sum, n| sum.saturating_add(*n)),
        }
    }
    pub fn largest(&self) -> u64 {
        match self {
            Each::Same(number) => *number,
            Each::Rows(numbers) => numbers.iter().copied().max().unwrap_or(0),
        }
    }
}

/// The bytes of each row's value.
pub fn bytes(value: &ColumnarValue) -> Each {
    match value {
        ColumnarValue::Scalar(scalar) => Each::Same(of_scalar(scalar)),
        ColumnarValue::Array(array) => Each::Rows(of_rows(array.as_ref())),
    }
}

/// The elements of each row's list; 1 where it is none.
pub fn elements(value: &ColumnarValue) -> Each {
    match value {
        ColumnarValue::Scalar(ScalarValue::List(list)) => Each::Same(span(list.value_offsets())),
        ColumnarValue::Scalar(ScalarValue::LargeList(list)) => Each::Same(span(list.value_offsets())),
        ColumnarValue::Scalar(ScalarValue::FixedSizeList(list)) => {
            Each::Same(list.value_length().unsigned_abs().into())
        }
        ColumnarValue::Scalar(_) => Each::Same(1),
        ColumnarValue::Array(array) => match array.data_type() {
            DataType::List(_) => Each::Rows(gaps(array.as_list::<i32>().value_offsets(), 1)),
            DataType::LargeList(_) => Each::Rows(gaps(array.as_list::<i64>().value_offsets(), 1)),
            DataType::FixedSizeList(_, length) => Each::Same(length.unsigned_abs().into()),
            _ => Each::Same(1),
        },
    }
}

pub fn of_scalar(scalar: &ScalarValue) -> u64 {
    match scalar {
        ScalarValue::List(list) => total(list.as_ref()),
        ScalarValue::LargeList(list) => total(list.as_ref()),
        ScalarValue::FixedSizeList(list) => total(list.as_ref()),
        other => match other.try_as_str() {
            Some(text) => text.map_or(0, str::len) as u64,
            None => other.data_type().primitive_width().unwrap_or_else(|| other.size()) as u64,
        },
    }
}

/// The bytes of all rows of `array`.
pub fn total(array: &dyn Array) -> u64 {
    match array.data_type() {
        DataType::Utf8 => span(array.as_string::<i32>().value_offsets()),
        DataType::LargeUtf8 => span(array.as_string::<i64>().value_offsets()),
        DataType::Binary => span(array.as_binary::<i32>().value_offsets()),
        DataType::LargeBinary => span(array.as_binary::<i64>().value_offsets()),
        DataType::Utf8View => array.as_string_view().views().iter().map(|view| length(*view)).sum(),
        DataType::BinaryView => array.as_binary_view().views().iter().map(|view| length(*view)).sum(),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            span(list.value_offsets()).saturating_mul(width(list.values().as_ref()))
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            span(list.value_offsets()).saturating_mul(width(list.values().as_ref()))
        }
        DataType::Struct(_) => {
            array.as_struct().columns().iter().fold(0u64, |sum, column| sum.saturating_add(total(column.as_ref())))
        }
        _ => width(array).saturating_mul(array.len() as u64),
    }
}

fn of_rows(array: &dyn Array) -> Vec<u64> {
    match array.data_type() {
        DataType::Utf8 => gaps(array.as_string::<i32>().value_offsets(), 1),
        DataType::LargeUtf8 => gaps(array.as_string::<i64>().value_offsets(), 1),
        DataType::Binary => gaps(array.as_binary::<i32>().value_offsets(), 1),
        DataType::LargeBinary => gaps(array.as_binary::<i64>().value_offsets(), 1),
        DataType::Utf8View => array.as_string_view().views().iter().map(|view| length(*view)).collect(),
        DataType::BinaryView => array.as_binary_view().views().iter().map(|view| length(*view)).collect(),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            gaps(list.value_offsets(), width(list.values().as_ref()))
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            gaps(list.value_offsets(), width(list.values().as_ref()))
        }
        _ => vec![width(array); array.len()],
    }
}

/// What a value of `array` takes, on the average and rounded up.
fn width(array: &dyn Array) -> u64 {
    let count = (array.len() as u64).max(1);
    match array.data_type() {
        DataType::Dictionary(_, _) => width(array.as_any_dictionary().values().as_ref()),
        DataType::FixedSizeList(_, length) => {
            u64::from(length.unsigned_abs()).saturating_mul(width(array.as_fixed_size_list().values().as_ref()))
        }
        DataType::FixedSizeBinary(length) => length.unsigned_abs().into(),
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::List(_)
        | DataType::LargeList(_)
        | DataType::Struct(_) => total(array).div_ceil(count).saturating_add(BESIDE),
        kind => kind.primitive_width().map_or(BESIDE, |width| width as u64),
    }
}

/// A view's first 32 bits are its length.
fn length(view: u128) -> u64 {
    u64::from(view as u32)
}

fn span<O: OffsetSizeTrait>(offsets: &[O]) -> u64 {
    match (offsets.first(), offsets.last()) {
        (Some(first), Some(last)) => last.as_usize().saturating_sub(first.as_usize()) as u64,
        _ => 0,
    }
}

fn gaps<O: OffsetSizeTrait>(offsets: &[O], width: u64) -> Vec<u64> {
    offsets.windows(2).map(|pair| span(pair).saturating_mul(width)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array, ListArray, StringArray, StringViewArray};
    use arrow::datatypes::Int64Type;
    use std::sync::Arc;

    #[test]
    fn texts_and_lists_by_their_lengths() {
        let long = "x".repeat(40);
        let texts = vec![Some("ab"), None, Some(long.as_str())];
        let arrays: [ArrayRef; 2] =
            [Arc::new(StringArray::from(texts.clone())), Arc::new(StringViewArray::from(texts))];
        for array in arrays {
            assert_eq!((total(array.as_ref()), total(array.slice(2, 1).as_ref())), (42, 40), "{:?}", array.data_type());
            let rows = bytes(&ColumnarValue::Array(array));
            assert_eq!(([rows.at(0), rows.at(1), rows.at(2)], rows.total(3), rows.largest()), ([2, 0, 40], 42, 40));
        }
        let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), Some(2)]), None]);
        assert_eq!(total(&lists), 16);
        let lists = ColumnarValue::Array(Arc::new(lists));
        assert_eq!((elements(&lists).at(0), elements(&lists).at(1), bytes(&lists).at(0)), (2, 0, 16));
        assert_eq!(total(&Int64Array::from(vec![1, 2, 3])), 24);
        assert_eq!(of_scalar(&ScalarValue::from("four")), 4);
    }
}
