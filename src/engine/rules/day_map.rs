//! A function from days to days that a comparison makes for one query. It is known by no name outside its plan, so such a
//! plan cannot be sent to another process.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array};
use arrow::datatypes::{DataType, Date32Type};
use datafusion::common::{Result as DfResult, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// NULL for a day that is not among `pairs`, which ascend by their first day (days since 1970): exact, whatever rows there are.
pub fn day_map(name: &'static str, pairs: Vec<(i32, i32)>) -> ScalarUDF {
    let signature = Signature::exact(vec![DataType::Date32], Volatility::Immutable);
    ScalarUDF::from(DayMap { name, pairs, signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DayMap {
    name: &'static str,
    pairs: Vec<(i32, i32)>,
    signature: Signature,
}

impl ScalarUDFImpl for DayMap {
    fn name(&self) -> &str {
        self.name
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Date32)
    }
    fn is_strict(&self) -> bool {
        true
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let Some(days) = arrays.first().and_then(|a| a.as_primitive_opt::<Date32Type>()) else {
            return exec_err!("{} takes a date", self.name);
        };
        let find = |day: i32| self.pairs.binary_search_by_key(&day, |p| p.0).ok().map(|at| self.pairs[at].1);
        let mapped: Date32Array = days.iter().map(|day| find(day?)).collect();
        let mapped: ArrayRef = Arc::new(mapped);
        match args.args.first() {
            Some(ColumnarValue::Scalar(_)) if mapped.len() == 1 => {
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&mapped, 0)?))
            }
            _ => Ok(ColumnarValue::Array(mapped)),
        }
    }
}
