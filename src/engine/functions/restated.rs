//! `restated`: an amount at another exchange rate than the one it was converted at. It must not use doubles: money stays decimal
//! (trap D31).

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, Decimal128Array};
use datafusion::arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

/// Amounts of money, and exchange rates, as they are stored.
const MONEY: DataType = DataType::Decimal128(18, 4);
const RATE: DataType = DataType::Decimal128(18, 8);

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        DocSection::default(),
        "amount * rate / frozen in four places, half away from zero; NULL where frozen is 0 or one of them is NULL.",
        "restated(amount, rate, frozen)",
    )
    .with_argument("amount", "an amount in the reporting currency")
    .with_argument("rate", "the rate that it shall be at")
    .with_argument("frozen", "the rate that it was converted at")
    .build()
});

/// `restated(amount, rate, frozen)` (trap D33).
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Restated(Signature);

impl Default for Restated {
    fn default() -> Self {
        Self::new()
    }
}

impl Restated {
    pub fn new() -> Self {
        Restated(Signature::user_defined(Volatility::Immutable))
    }
}

/// `None`: there is no such rate.
fn restate(amount: i128, rate: i128, frozen: i128) -> Option<Result<i128>> {
    if frozen == 0 {
        return None;
    }
    // 18 digits each: the product has 36, and twice the remainder fits, too.
    let product = amount * rate;
    let (whole, rest) = (product / frozen, product % frozen);
    let up = if 2 * rest.abs() >= frozen.abs() { product.signum() * frozen.signum() } else { 0 };
    let restated = whole + up;
    let fits = restated.abs() < 10_i128.pow(18);
    Some(
        fits.then_some(restated)
            .ok_or_else(|| exec_datafusion_err!("restated: the amount has more than 14 digits before the point")),
    )
}

impl ScalarUDFImpl for Restated {
    fn name(&self) -> &str {
        "restated"
    }
    fn signature(&self) -> &Signature {
        &self.0
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(MONEY)
    }
    fn is_strict(&self) -> bool {
        true
    }
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [amount, rate, frozen] if [amount, rate, frozen].iter().all(|t| t.is_numeric() || t.is_null()) => {
                Ok(vec![MONEY, RATE, RATE])
            }
            _ => plan_err!("restated takes an amount and two rates, numbers all"),
        }
    }
    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let decimals: Option<Vec<&Decimal128Array>> =
            arrays.iter().map(|a| a.as_primitive_opt::<Decimal128Type>()).collect();
        let Some([amounts, rates, frozen]) = decimals.as_deref() else {
            return plan_err!("restated takes an amount and two rates");
        };
        let rows = amounts.iter().zip(rates.iter()).zip(frozen.iter());
        let restated = rows.map(|((amount, rate), frozen)| match (amount, rate, frozen) {
            (Some(amount), Some(rate), Some(frozen)) => restate(amount, rate, frozen).transpose(),
            _ => Ok(None),
        });
        let restated: Decimal128Array = restated.collect::<Result<_>>()?;
        let restated: ArrayRef = Arc::new(restated.with_data_type(MONEY));
        match scalar {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&restated, 0)?)),
            false => Ok(ColumnarValue::Array(restated)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_once_and_half_away_from_zero() {
        let at = |amount, rate, frozen| restate(amount, rate, frozen).map(Result::unwrap);
        // 100.0000 at 1.10 that came in at 1.25: 88.0000.
        assert_eq!(at(1_000_000, 110_000_000, 125_000_000), Some(880_000));
        assert_eq!(at(1, 3, 2), Some(2));
        assert_eq!(at(-1, 3, 2), Some(-2));
        assert_eq!(at(1, 1, 3), Some(0));
        assert_eq!(at(5, 1, 0), None);
        let most = 10_i128.pow(18) - 1;
        assert_eq!(at(most, most, most), Some(most));
        assert!(restate(most, 2, 1).unwrap().is_err());
    }
}
