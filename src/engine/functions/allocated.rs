//! `allocated`: an amount shared out over the rows of a window by weight, by largest remainder, so that nothing is lost (trap D35):
//! an order's discount or freight over its lines, a bundle's price over its parts, credit over those who share it. A window function,
//! for a row's share depends on the others'. It must not use doubles (trap D31).

use std::cmp::Reverse;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef};
use datafusion::common::{Result, exec_datafusion_err, exec_err, plan_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{DocSection, Documentation, PartitionEvaluator, Signature, Volatility, WindowUDFImpl};

static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
    Documentation::builder(
        DocSection::default(),
        "The row's share of the amount by its weight, in the amount's type (a whole number's is DECIMAL(20,0)): whole units of its last digit that add up to it. \
         What is left after rounding down goes to the largest remainders, of equal ones to the first in the window's ORDER BY, which \
         has to be total; its frame means nothing. A weight that is NULL or not above 0 gets 0; without any above 0 all are NULL.",
        "allocated(amount, weight) OVER (PARTITION BY whole ORDER BY part)",
    )
    .with_argument("amount", "a decimal or whole number, the same on all rows; CAST it to DECIMAL(18,2) for shares in cents")
    .with_argument("weight", "a decimal or whole number")
    .build()
});

/// `allocated(amount, weight)` over a window; its ORDER BY, which has to be total, decides between equal remainders.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Allocated(Signature);

impl Default for Allocated {
    fn default() -> Self {
        Self::new()
    }
}

impl Allocated {
    pub fn new() -> Self {
        Allocated(Signature::user_defined(Volatility::Immutable))
    }
}

/// What each of the weights gets of `amount`; `None` where none of them is above 0.
fn shares(amount: i128, mut weights: Vec<i128>) -> Result<Option<Vec<i128>>> {
    let too_large = || exec_datafusion_err!("allocated: amount × weight has more than 38 digits");
    let mut whole = 0_i128;
    for weight in &mut weights {
        *weight = (*weight).max(0);
        whole = whole.checked_add(*weight).ok_or_else(too_large)?;
    }
    if whole == 0 {
        return Ok(None);
    }
    let (mut rests, mut left) = (Vec::new(), amount);
    // A row's weight becomes its share in place: a partition may have many rows.
    for (row, weight) in weights.iter_mut().enumerate() {
        let exact = amount.checked_mul(*weight).ok_or_else(too_large)?;
        let (share, rest) = (exact / whole, (exact % whole).abs());
        left -= share;
        *weight = share;
        if rest != 0 {
            rests.push((Reverse(rest), row));
        }
    }
    // Fewer units are left than rows have a remainder.
    let left = left.unsigned_abs() as usize;
    if left > 0 {
        rests.select_nth_unstable(left - 1);
    }
    for (_, row) in &rests[..left] {
        weights[*row] += amount.signum();
    }
    Ok(Some(weights))
}

/// The decimal type of an argument.
fn decimal(argument: &str, given: &DataType) -> Result<DataType> {
    match given {
        DataType::Decimal128(..) => Ok(given.clone()),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            Ok(DataType::Decimal128(*precision, *scale))
        }
        whole if whole.is_integer() || whole.is_null() => Ok(DataType::Decimal128(20, 0)),
        other => {
            plan_err!(
                "allocated: the {argument} is a decimal of at most 38 digits or a whole number, not {other}: CAST it"
            )
        }
    }
}

impl WindowUDFImpl for Allocated {
    fn name(&self) -> &str {
        "allocated"
    }
    fn signature(&self) -> &Signature {
        &self.0
    }
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [amount, weight] = types else {
            return plan_err!("allocated takes an amount and a weight, {} arguments were given", types.len());
        };
        Ok(vec![decimal("amount", amount)?, decimal("weight", weight)?])
    }
    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        let Some(amount) = args.get_input_field(0) else {
            return plan_err!("allocated takes an amount and a weight");
        };
        Ok(Arc::new(Field::new(args.name(), decimal("amount", amount.data_type())?, true)))
    }
    fn partition_evaluator(&self, _: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Sharing))
    }
    fn documentation(&self) -> Option<&Documentation> {
        Some(&DOCUMENTATION)
    }
}

/// Shares out one partition.
#[derive(Debug)]
struct Sharing;

impl PartitionEvaluator for Sharing {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let decimals: Option<Vec<&Decimal128Array>> =
            values.iter().map(|array| array.as_primitive_opt::<Decimal128Type>()).collect();
        let Some([amounts, weights]) = decimals.as_deref() else {
            return exec_err!("allocated: arguments that are no decimals");
        };
        let amount = amounts.iter().next().flatten();
        if amounts.iter().any(|other| other != amount) {
            return exec_err!("allocated: the amount to be shared out is not the same on all rows of a partition");
        }
        let weights: Vec<i128> = weights.iter().map(Option::unwrap_or_default).collect();
        let shares = match amount {
            Some(amount) => shares(amount, weights)?,
            None => None,
        };
        let shares: Decimal128Array = match shares {
            Some(shares) => Decimal128Array::from(shares),
            None => Decimal128Array::new_null(rows),
        };
        Ok(Arc::new(shares.with_data_type(amounts.data_type().clone())))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::util::display::array_value_to_string;
    use datafusion::logical_expr::WindowUDF;
    use datafusion::prelude::SessionContext;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_remainders_get_what_is_left() {
        let of = |amount, weights: &[i128]| shares(amount, weights.to_vec()).unwrap();
        assert_eq!(of(100, &[1, 1, 1]), Some(vec![34, 33, 33]));
        assert_eq!(of(-100, &[1, 1, 1]), Some(vec![-34, -33, -33]));
        // 14.29, 28.57, 57.14: the one unit left goes to the second.
        assert_eq!(of(100, &[10, 20, 40]), Some(vec![14, 29, 57]));
        assert_eq!(of(100, &[5, 0, -3, 5]), Some(vec![50, 0, 0, 50]));
        assert_eq!(of(2, &[1, 1, 1, 1, 1]), Some(vec![1, 1, 0, 0, 0]));
        assert_eq!([of(0, &[7]), of(7, &[0, -1]), of(7, &[])], [Some(vec![0]), None, None]);
        assert!(shares(i128::MAX, vec![2, 1]).is_err() && shares(1, vec![i128::MAX, 1]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn d35_shares_add_up_and_none_is_off_by_a_unit(
            amount in -1_000_000_000_000_i128..1_000_000_000_000, weights in prop::collection::vec(0_i128..1_000_000_000, 1..20),
        ) {
            let whole: i128 = weights.iter().sum();
            let shares = shares(amount, weights.clone()).unwrap();
            prop_assert_eq!(shares.is_some(), whole > 0);
            let shares = shares.unwrap_or_default();
            prop_assert!(shares.is_empty() || shares.iter().sum::<i128>() == amount);
            for (share, weight) in shares.iter().zip(&weights) {
                prop_assert!((share * whole - amount * weight).abs() < whole);
            }
        }
    }

    /// `column1` is the whole, `column2` the part.
    async fn asked(shared: &str, values: &str) -> Result<Vec<String>> {
        let ctx = SessionContext::new();
        ctx.register_udwf(WindowUDF::from(Allocated::new()));
        let window = "OVER (PARTITION BY column1 ORDER BY column2)";
        let sql = format!("SELECT {shared} {window} AS share FROM (VALUES {values}) ORDER BY column1, column2");
        let batches = ctx.sql(&sql).await?.collect().await?;
        let texts =
            batches.iter().flat_map(|b| (0..b.num_rows()).map(move |row| array_value_to_string(b.column(0), row)));
        Ok(texts.collect::<Result<_, _>>()?)
    }

    /// Currencies of two, of no and of three decimals; the last digit of the amount's type is what cannot be split.
    #[tokio::test]
    async fn units_are_those_of_the_amounts_type() {
        let lines = "(1, 3, 1), (1, 2, 1), (1, 1, 1), (2, 1, 4)";
        let of = async |shared: &str| asked(shared, lines).await.unwrap().join(" ");
        assert_eq!(of("allocated(CAST(100 AS DECIMAL(18,2)), column3)").await, "33.34 33.33 33.33 100.00");
        assert_eq!(of("allocated(CAST(100 AS DECIMAL(18,0)), column3)").await, "34 33 33 100");
        assert_eq!(of("allocated(CAST(-1 AS DECIMAL(18,3)), column3)").await, "-0.334 -0.333 -0.333 -1.000");
        assert_eq!(of("allocated(CAST(10 AS DECIMAL(18,4)), column3)").await, "3.3334 3.3333 3.3333 10.0000");
        assert_eq!(of("allocated(100, CAST(column3 AS DECIMAL(9,6)))").await, "34 33 33 100");
    }

    #[tokio::test]
    async fn what_is_missing_and_what_is_wrong() {
        let lines = "(1, 1, 5, 100), (1, 2, NULL, 100), (2, 1, 0, 100), (3, 1, 1, NULL)";
        assert_eq!(asked("allocated(column4, column3)", lines).await.unwrap(), ["100", "0", "", ""]);
        let said = async |shared: &str| asked(shared, lines).await.unwrap_err().to_string();
        assert!(said("allocated(column2, column3)").await.contains("not the same on all rows"));
        assert!(said("allocated(CAST(1 AS DOUBLE), column3)").await.contains("not Float64"));
        assert!(said("allocated(column4)").await.contains("an amount and a weight"));
    }
}
