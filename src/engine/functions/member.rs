//! `member(key, column)`: what a dimension says about a fact's key, with a name for "nothing" (domain 3.8, trap D25).

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, LargeStringBuilder, StringBuilder, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

/// The member for a key that no dimension row has.
pub const UNKNOWN: &str = "UNK";
/// The member for a key that is NULL: the dimension does not apply.
pub const NOT_APPLICABLE: &str = "N/A";

static DOC: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        DocSection::default(),
        "The dimension's column, 'UNK' where the key has no dimension row (or that row no value), 'N/A' where the key is NULL.",
        "member(fact_key, dimension_column)",
    )
    .with_argument("fact_key", "the key as the fact has it, of any type")
    .with_argument("dimension_column", "a column of the LEFT JOINed dimension, shown as text")
    .build()
});

/// `member(key, column)` → text, never NULL. The column's own text type is kept; other types are cast to text.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Member {
    signature: Signature,
}

impl Member {
    pub fn new() -> Self {
        Member { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl Default for Member {
    fn default() -> Self {
        Self::new()
    }
}

fn text_type(column: &DataType) -> DataType {
    match column {
        DataType::Utf8 | DataType::LargeUtf8 => column.clone(),
        DataType::Dictionary(_, value) => text_type(value),
        _ => DataType::Utf8View,
    }
}

impl ScalarUDFImpl for Member {
    fn name(&self) -> &str {
        "member"
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [_, column] => Ok(text_type(column)),
            _ => plan_err!("member takes a key and a column, {} arguments were given", types.len()),
        }
    }
    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|f| f.data_type().clone()).collect();
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, false)))
    }
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let column = self.return_type(types)?;
        Ok(vec![types[0].clone(), column])
    }
    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOC)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [key, column] = arrays.as_slice() else {
            return exec_err!("member takes a key and a column");
        };
        let named = name_members(key, column)?;
        if scalar {
            return Ok(ColumnarValue::Scalar(datafusion::scalar::ScalarValue::try_from_array(&named, 0)?));
        }
        Ok(ColumnarValue::Array(named))
    }
}

fn name_members(key: &ArrayRef, column: &ArrayRef) -> Result<ArrayRef> {
    if key.logical_null_count() == 0 && column.logical_null_count() == 0 {
        return Ok(Arc::clone(column));
    }
    // Logical nulls: a key of type Null has no null buffer.
    let keys = key.logical_nulls();
    let absent = |row: usize| if keys.as_ref().is_some_and(|n| n.is_null(row)) { NOT_APPLICABLE } else { UNKNOWN };
    let known = |row: usize| column.is_valid(row) && keys.as_ref().is_none_or(|n| n.is_valid(row));
    macro_rules! build {
        ($builder:expr, $values:expr) => {{
            let (mut builder, values) = ($builder, $values);
            for row in 0..column.len() {
                builder.append_value(if known(row) { values.value(row) } else { absent(row) });
            }
            Ok(Arc::new(builder.finish()))
        }};
    }
    match column.data_type() {
        DataType::Utf8View => build!(StringViewBuilder::with_capacity(column.len()), column.as_string_view()),
        DataType::Utf8 => {
            build!(StringBuilder::with_capacity(column.len(), column.len() * 8), column.as_string::<i32>())
        }
        DataType::LargeUtf8 => {
            build!(LargeStringBuilder::with_capacity(column.len(), column.len() * 8), column.as_string::<i64>())
        }
        other => exec_err!("member: a column of type {other} was not made text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{Int64Array, NullArray, StringArray, StringViewArray};

    #[test]
    fn unknown_and_not_applicable() {
        let key: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some("b"), None, None]));
        let utf8: ArrayRef = Arc::new(StringArray::from(vec![Some("A"), None, None, Some("stray")]));
        let named = name_members(&key, &utf8).unwrap();
        assert_eq!(named.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["A", "UNK", "N/A", "N/A"]);

        let view: ArrayRef = Arc::new(StringViewArray::from(vec![Some("A"), None, None, Some("stray")]));
        let named = name_members(&key, &view).unwrap();
        assert_eq!(named.as_string_view().iter().flatten().collect::<Vec<_>>(), ["A", "UNK", "N/A", "N/A"]);
    }

    #[test]
    fn keys_of_other_types() {
        let view: ArrayRef = Arc::new(StringViewArray::from(vec![Some("A"), None]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let named = name_members(&numbers, &view).unwrap();
        assert_eq!(named.as_string_view().iter().flatten().collect::<Vec<_>>(), ["A", "UNK"]);
        let nothing: ArrayRef = Arc::new(NullArray::new(2));
        let named = name_members(&nothing, &view).unwrap();
        assert_eq!(named.as_string_view().iter().flatten().collect::<Vec<_>>(), ["N/A", "N/A"]);
    }
}
