//! `numbered(text)`: a text's number in a dictionary, as a set of one.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::logical_expr::ptr_eq::PtrEq;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use crate::engine::rollups::numbers::Numbers;
use crate::error::Error;

/// The function over one dictionary. A text has the same number as long as that lives, so it is immutable: a literal may
/// be worked out when a query is planned.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Numbered {
    numbers: PtrEq<Arc<Numbers>>,
    signature: Signature,
}

impl Numbered {
    pub(super) fn new(numbers: Arc<Numbers>) -> Self {
        let texts = vec![DataType::Utf8View, DataType::Utf8, DataType::LargeUtf8];
        Numbered { numbers: numbers.into(), signature: Signature::uniform(1, texts, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Numbered {
    fn name(&self) -> &str {
        "numbered"
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts] = args.args.as_slice() else {
            return exec_err!("numbered takes one text");
        };
        match texts {
            ColumnarValue::Array(texts) => {
                Ok(ColumnarValue::Array(Arc::new(self.numbers.numbers(texts.as_ref()).map_err(ours)?)))
            }
            ColumnarValue::Scalar(text) => {
                let Some(text) = text.try_as_str() else {
                    return exec_err!("numbered takes a text, not a value of type {}", text.data_type());
                };
                let number = text.map(|text| self.numbers.number(text)).transpose().map_err(ours)?;
                let bytes = number.map(|number| number.to_le_bytes().to_vec());
                Ok(ColumnarValue::Scalar(ScalarValue::Binary(bytes)))
            }
        }
    }
}

fn ours(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
