//! SQL functions of numbers: a [`Formula`] applied row by row. It must not know any formula, nor where the numbers come from.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

/// A formula as SQL knows it.
#[derive(Debug)]
pub struct Formula {
    pub name: &'static str,
    /// The arguments with their meaning.
    pub arguments: &'static [(&'static str, &'static str)],
    /// So many of the last arguments may be NULL; where another one is, the result is.
    pub optional: usize,
    /// The result is a whole number, BIGINT; else DOUBLE.
    pub whole: bool,
    pub about: &'static str,
    /// Given as many numbers as there are arguments; `None` is NULL. It must give neither NaN nor infinity.
    pub of: fn(&[Option<f64>]) -> Option<f64>,
}

/// The function of a formula; no two formulas have one name.
#[derive(Debug)]
pub struct OfNumbers {
    formula: &'static Formula,
    signature: Signature,
    documentation: Documentation,
}

impl OfNumbers {
    pub fn new(formula: &'static Formula) -> Self {
        let names: Vec<&str> = formula.arguments.iter().map(|(name, _)| *name).collect();
        let syntax = format!("{}({})", formula.name, names.join(", "));
        let builder = Documentation::builder(DocSection::default(), formula.about, syntax);
        let described = formula.arguments.iter().fold(builder, |b, (name, about)| b.with_argument(*name, *about));
        OfNumbers {
            formula,
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: described.build(),
        }
    }
}

impl PartialEq for OfNumbers {
    fn eq(&self, other: &Self) -> bool {
        self.formula.name == other.formula.name
    }
}

impl Eq for OfNumbers {}

impl Hash for OfNumbers {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.formula.name.hash(state);
    }
}

impl ScalarUDFImpl for OfNumbers {
    fn name(&self) -> &str {
        self.formula.name
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(if self.formula.whole { DataType::Int64 } else { DataType::Float64 })
    }
    fn is_strict(&self) -> bool {
        self.formula.optional == 0
    }
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let takes = self.formula.arguments.len();
        if types.len() != takes {
            return plan_err!("{} takes {takes} numbers, {} arguments were given", self.name(), types.len());
        }
        if let Some(other) = types.iter().find(|t| !t.is_numeric() && !t.is_null()) {
            return plan_err!("{} takes numbers, not {other}", self.name());
        }
        Ok(vec![DataType::Float64; takes])
    }
    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let columns: Option<Vec<&Float64Array>> =
            arrays.iter().map(|array| array.as_primitive_opt::<Float64Type>()).collect();
        let Some(columns) = columns else {
            return exec_err!("{}: arguments that are no doubles", self.name());
        };
        let rows = columns.first().map_or(0, |column| column.len());
        let mut row = vec![None; columns.len()];
        let results = (0..rows).map(|at| {
            for (value, column) in row.iter_mut().zip(&columns) {
                *value = column.is_valid(at).then(|| column.value(at));
            }
            (self.formula.of)(&row)
        });
        let results: ArrayRef = if self.formula.whole {
            Arc::new(results.map(|result| result.map(|number| number as i64)).collect::<Int64Array>())
        } else {
            Arc::new(results.collect::<Float64Array>())
        };
        if scalar {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&results, 0)?));
        }
        Ok(ColumnarValue::Array(results))
    }
}
