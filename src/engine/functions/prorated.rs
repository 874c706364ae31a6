//! `prorated`: the part of an amount that belongs to a part of a whole: of the cost of what came in, that of what is left; of an amount
//! at one exchange rate, what it is at another. It must not use doubles: money stays decimal (trap D31).

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, Decimal128Array};
use datafusion::arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::{Result, exec_datafusion_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

/// Amounts of money, as they are stored; quantities and exchange rates fit into the other.
const MONEY: DataType = DataType::Decimal128(18, 4);
const PART: DataType = DataType::Decimal128(18, 8);

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        DocSection::default(),
        "amount * part / whole in four places, half away from zero; NULL where whole is 0 or one of them is NULL.",
        "prorated(amount, part, whole)",
    )
    .with_argument("amount", "an amount of money")
    .with_argument("part", "a quantity, or the rate that the amount shall be at")
    .with_argument("whole", "the quantity that it is for, or the rate that it is at")
    .build()
});

/// `prorated(amount, part, whole)` (traps D31, D33).
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Prorated(Signature);

impl Default for Prorated {
    fn default() -> Self {
        Self::new()
    }
}

impl Prorated {
    pub fn new() -> Self {
        Prorated(Signature::user_defined(Volatility::Immutable))
    }
}

/// `None`: of nothing there is no part.
fn prorate(amount: i128, part: i128, whole: i128) -> Option<Result<i128>> {
    if whole == 0 {
        return None;
    }
    // 18 digits each: the product has 36, and twice the remainder fits, too.
    let product = amount * part;
    let (quotient, rest) = (product / whole, product % whole);
    let up = if 2 * rest.abs() >= whole.abs() { product.signum() * whole.signum() } else { 0 };
    let prorated = quotient + up;
    let fits = prorated.abs() < 10_i128.pow(18);
    Some(
        fits.then_some(prorated)
            .ok_or_else(|| exec_datafusion_err!("prorated: the amount has more than 14 digits before the point")),
    )
}

impl ScalarUDFImpl for Prorated {
    fn name(&self) -> &str {
        "prorated"
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
                Ok(vec![MONEY, PART, PART])
            }
            _ => plan_err!("prorated takes three numbers"),
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
        let Some([amounts, parts, wholes]) = decimals.as_deref() else {
            return plan_err!("prorated takes three numbers");
        };
        let rows = amounts.iter().zip(parts.iter()).zip(wholes.iter());
        let prorated = rows.map(|((amount, part), whole)| match (amount, part, whole) {
            (Some(amount), Some(part), Some(whole)) => prorate(amount, part, whole).transpose(),
            _ => Ok(None),
        });
        let prorated: Decimal128Array = prorated.collect::<Result<_>>()?;
        let prorated: ArrayRef = Arc::new(prorated.with_data_type(MONEY));
        match scalar {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&prorated, 0)?)),
            false => Ok(ColumnarValue::Array(prorated)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_once_and_half_away_from_zero() {
        let of = |amount, part, whole| prorate(amount, part, whole).map(Result::unwrap);
        // 100.0000 at 1.10 that came in at 1.25: 88.0000.
        assert_eq!(of(1_000_000, 110_000_000, 125_000_000), Some(880_000));
        assert_eq!(of(1, 3, 2), Some(2));
        assert_eq!(of(-1, 3, 2), Some(-2));
        assert_eq!(of(1, 1, 3), Some(0));
        assert_eq!(of(5, 1, 0), None);
        let most = 10_i128.pow(18) - 1;
        assert_eq!(of(most, most, most), Some(most));
        assert!(prorate(most, 2, 1).unwrap().is_err());
    }
}
