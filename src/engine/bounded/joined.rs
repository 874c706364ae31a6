//! `||` of texts, however many, as one function: a chain of two thousand is one call of as many arguments, which is planned at
//! once and not two thousand levels deep. NULL and names are those of the operator. It must not join lists.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, LargeStringArray};
use arrow::compute::cast;
use arrow::compute::kernels::concat_elements::{concat_elements_dyn, concat_elements_utf8_many};
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::error::ArrowError;
use datafusion::common::{Result as DfResult, exec_err, plan_err};
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion::logical_expr::{
    ColumnarValue, Expr, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

/// The name of the function, and what stands between the names of its arguments.
pub const NAME: &str = "||";

#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Joined {
    signature: Signature,
}

impl Joined {
    pub fn new() -> Joined {
        Joined { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// The type of `a || b || …`, which is worked out from the left.
fn common(types: &[DataType]) -> DfResult<DataType> {
    let Some((first, others)) = types.split_first() else { return plan_err!("|| has nothing to join") };
    let joined = others.iter().try_fold(first.clone(), |joined, next| {
        BinaryTypeCoercer::new(&joined, &Operator::StringConcat, next).get_result_type()
    })?;
    Ok(match joined {
        DataType::FixedSizeBinary(_) => DataType::Binary,
        other => other,
    })
}

/// Row by row, NULL where any is NULL.
fn join(arrays: &[ArrayRef], kind: &DataType) -> Result<ArrayRef, ArrowError> {
    let text = matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    if text && arrays.len() > 2 {
        let texts: Vec<ArrayRef> =
            arrays.iter().map(|array| cast(array, &DataType::LargeUtf8)).collect::<Result<_, _>>()?;
        let texts: Vec<&LargeStringArray> = texts.iter().map(|array| array.as_string::<i64>()).collect();
        return cast(&concat_elements_utf8_many(&texts)?, kind);
    }
    let Some((first, others)) = arrays.split_first() else {
        return Err(ArrowError::ComputeError("|| has nothing to join".into()));
    };
    others.iter().try_fold(Arc::clone(first), |joined, next| concat_elements_dyn(joined.as_ref(), next.as_ref()))
}

impl ScalarUDFImpl for Joined {
    fn name(&self) -> &str {
        NAME
    }
    fn schema_name(&self, args: &[Expr]) -> DfResult<String> {
        let names: Vec<String> = args.iter().map(|arg| arg.schema_name().to_string()).collect();
        Ok(names.join(" || "))
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        Ok(vec![common(types)?; types.len()])
    }
    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        common(types)
    }
    fn return_field_from_args(&self, args: ReturnFieldArgs) -> DfResult<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(NAME, common(&types)?, nullable)))
    }
    fn is_strict(&self) -> bool {
        true
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let joined = join(&ColumnarValue::values_to_arrays(&args.args)?, args.return_field.data_type())?;
        match (constant, joined.len()) {
            (true, 1) => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&joined, 0)?)),
            (true, rows) => exec_err!("|| of constants has {rows} results"),
            (false, _) => Ok(ColumnarValue::Array(joined)),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{BinaryArray, StringArray, StringViewArray};

    use super::*;

    #[test]
    fn null_if_any_is_null_in_every_type_and_number() {
        let texts = [vec![Some("a"), None, Some("c")], vec![Some("-"), Some("-"), Some("")], vec![Some("x"); 3]];
        for kind in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, DataType::Binary] {
            let arrays: Vec<ArrayRef> =
                texts.iter().map(|text| cast(&StringArray::from(text.clone()), &kind).unwrap()).collect();
            let joined = join(&arrays, &kind).unwrap();
            assert_eq!(joined.data_type(), &kind);
            let read = cast(&joined, &DataType::Utf8).unwrap();
            assert_eq!(read.as_string::<i32>(), &StringArray::from(vec![Some("a-x"), None, Some("cx")]));
            let read = cast(&join(&arrays[..2], &kind).unwrap(), &DataType::Utf8).unwrap();
            assert_eq!(read.as_string::<i32>(), &StringArray::from(vec![Some("a-"), None, Some("c")]));
        }
    }

    #[test]
    fn types_are_worked_out_from_the_left() {
        use DataType::{Binary, FixedSizeBinary, Int64, Utf8, Utf8View};
        assert_eq!(common(&[Int64, Utf8, Utf8View]).unwrap(), Utf8View);
        assert_eq!(common(&[FixedSizeBinary(2), FixedSizeBinary(3)]).unwrap(), Binary);
        assert!(common(&[Int64, Int64, Utf8]).is_err(), "numbers are no texts until one stands beside them");
    }

    #[test]
    fn slices_are_joined_as_they_are() {
        let text: ArrayRef = Arc::new(StringViewArray::from(vec!["no", "a long text that is not inline", "b"]));
        let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![b"x" as &[u8], b"y", b"z"]));
        let joined = join(&vec![text.slice(1, 2); 3], &DataType::Utf8View).unwrap();
        assert_eq!(joined.as_string_view().value(1), "bbb");
        let joined = join(&vec![bytes.slice(1, 2); 3], &DataType::Binary).unwrap();
        assert_eq!(joined.as_binary::<i32>().value(0), b"yyy");
    }
}
