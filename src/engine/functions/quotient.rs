//! `ratio` and `growth`: the two divisions of reports, in DOUBLE because decimal division cuts at a fixed scale.
//! They must never give NaN or infinity, nor an error: a missing or zero base is NULL (traps D27, D28).

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

static RATIO: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        DocSection::default(),
        "a / b as DOUBLE; NULL where b is 0 or either is NULL. Never NaN or infinite.",
        "ratio(a, b)",
    )
    .with_argument("a", "numerator, any number")
    .with_argument("b", "denominator, any number")
    .build()
});

static GROWTH: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        DocSection::default(),
        "(cur - prev) / abs(prev) as DOUBLE; NULL where prev is 0 or either is NULL: from -100 to 50 the growth is +1.5.",
        "growth(cur, prev)",
    )
    .with_argument("cur", "the value now, any number")
    .with_argument("prev", "the value before, any number")
    .build()
});

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Ratio,
    Growth,
}

/// `ratio(a, b)` or `growth(cur, prev)` (K24).
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Quotient {
    kind: Kind,
    signature: Signature,
}

impl Quotient {
    pub fn ratio() -> Self {
        Self::of(Kind::Ratio)
    }
    pub fn growth() -> Self {
        Self::of(Kind::Growth)
    }
    fn of(kind: Kind) -> Self {
        Quotient { kind, signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn value(&self, a: f64, b: f64) -> Option<f64> {
        if b == 0.0 {
            return None;
        }
        let quotient = match self.kind {
            Kind::Ratio => a / b,
            Kind::Growth => (a - b) / b.abs(),
        };
        // Infinite or NaN arguments, and quotients beyond the range, have no answer either.
        // A zero has no sign.
        quotient.is_finite().then_some(quotient + 0.0)
    }
}

impl ScalarUDFImpl for Quotient {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Ratio => "ratio",
            Kind::Growth => "growth",
        }
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }
    fn is_strict(&self) -> bool {
        true
    }
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if types.len() != 2 {
            return plan_err!("{} takes two numbers, {} arguments were given", self.name(), types.len());
        }
        if let Some(other) = types.iter().find(|t| !t.is_numeric() && !t.is_null()) {
            return plan_err!("{} takes two numbers, not {other}", self.name());
        }
        Ok(vec![DataType::Float64; 2])
    }
    fn documentation(&self) -> Option<&Documentation> {
        Some(match self.kind {
            Kind::Ratio => &RATIO,
            Kind::Growth => &GROWTH,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [a, b] = arrays.as_slice() else {
            return exec_err!("{} takes two numbers", self.name());
        };
        let (Some(a), Some(b)) = (a.as_primitive_opt::<Float64Type>(), b.as_primitive_opt::<Float64Type>()) else {
            return exec_err!("{}: arguments of type {} and {}", self.name(), a.data_type(), b.data_type());
        };
        let quotients: Float64Array = a.iter().zip(b.iter()).map(|(a, b)| self.value(a?, b?)).collect();
        let quotients: ArrayRef = Arc::new(quotients);
        if scalar {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&quotients, 0)?));
        }
        Ok(ColumnarValue::Array(quotients))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_negative_bases() {
        let (ratio, growth) = (Quotient::ratio(), Quotient::growth());
        assert_eq!(ratio.value(1.0, 4.0), Some(0.25));
        assert_eq!(ratio.value(1.0, 0.0), None);
        assert_eq!(ratio.value(0.0, -0.0), None);
        assert!(ratio.value(0.0, -2.0).unwrap().is_sign_positive());
        assert_eq!(ratio.value(f64::MAX, 1e-9), None);
        assert_eq!(growth.value(50.0, -100.0), Some(1.5));
        assert_eq!(growth.value(50.0, 0.0), None);
        assert_eq!(growth.value(f64::NAN, 1.0), None);
    }
}
