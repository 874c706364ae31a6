//! `reporting_currency()`: the currency of every amount ending in `_rc`, a property of the lake. A constant: it must not look
//! anything up.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion::scalar::ScalarValue;

/// The function for a lake whose reporting currency is `code` (ISO 4217).
pub fn reporting_currency(code: &str) -> ScalarUDF {
    let code = ColumnarValue::Scalar(ScalarValue::Utf8View(Some(code.to_string())));
    let constant = Arc::new(move |_: &[ColumnarValue]| Ok(code.clone()));
    create_udf("reporting_currency", vec![], DataType::Utf8View, Volatility::Immutable, constant)
}
