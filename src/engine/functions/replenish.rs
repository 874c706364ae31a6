//! The replenishment functions of SQL: `safety_stock`, `order_size`, `order_quantity`, `normal_quantile`, all in DOUBLE. They must
//! not know where the numbers come from: the formulas are [`formula`]'s.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

mod formula;

use formula::Bounds;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Quantile,
    SafetyStock,
    OrderSize,
    OrderQuantity,
}

/// What is said of a function: name, arguments with their meaning, result.
struct Words {
    name: &'static str,
    arguments: &'static [(&'static str, &'static str)],
    about: &'static str,
}

const QUANTILE: Words = Words {
    name: "normal_quantile",
    arguments: &[("p", "a probability between 0 and 1")],
    about: "z of the standard normal distribution with P(Z <= z) = p; NULL unless 0 < p < 1.",
};
const SAFETY_STOCK: Words = Words {
    name: "safety_stock",
    arguments: &[
        ("service_level", "share of cycles without running out, between 0 and 1"),
        ("daily_mean", "units per day"),
        ("daily_sd", "their standard deviation"),
        ("days", "days that the stock has to last: lead time, with the review period where there is one"),
        ("lead_sd", "standard deviation of the lead time in days"),
    ],
    about: "z × sqrt(days × daily_sd² + daily_mean² × lead_sd²), not below 0; NULL where an argument is.",
};
const ORDER_SIZE: Words = Words {
    name: "order_size",
    arguments: &[
        ("annual_units", "units per year"),
        ("order_cost", "cost of an order, whatever its size"),
        ("holding_cost", "cost of holding a unit for a year"),
    ],
    about: "The economic order quantity sqrt(2 × annual_units × order_cost / holding_cost); NULL where an argument is.",
};
const ORDER_QUANTITY: Words = Words {
    name: "order_quantity",
    arguments: &[
        ("position", "inventory position: on hand, less what is promised, plus what is on its way"),
        ("reorder_point", "nothing is ordered above it"),
        ("up_to", "the position to be reached"),
        ("min_order", "least order; may be NULL"),
        ("pack", "orders are multiples of it; NULL = 1"),
        ("max_stock", "most that the place can hold; may be NULL"),
    ],
    about: "Units to order: 0 above the reorder point, else up to up_to, at least min_order, in whole packs, within max_stock.",
};

fn document(words: &Words) -> Documentation {
    let names: Vec<&str> = words.arguments.iter().map(|(name, _)| *name).collect();
    let syntax = format!("{}({})", words.name, names.join(", "));
    let builder = Documentation::builder(DocSection::default(), words.about, syntax);
    words.arguments.iter().fold(builder, |builder, (name, about)| builder.with_argument(*name, *about)).build()
}

static DOCUMENTED: [LazyLock<Documentation>; 4] = [
    LazyLock::new(|| document(&QUANTILE)),
    LazyLock::new(|| document(&SAFETY_STOCK)),
    LazyLock::new(|| document(&ORDER_SIZE)),
    LazyLock::new(|| document(&ORDER_QUANTITY)),
];

/// One of the functions.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Replenish {
    kind: Kind,
    signature: Signature,
}

impl Replenish {
    /// All of them.
    pub fn all() -> [Replenish; 4] {
        [Kind::Quantile, Kind::SafetyStock, Kind::OrderSize, Kind::OrderQuantity]
            .map(|kind| Replenish { kind, signature: Signature::user_defined(Volatility::Immutable) })
    }

    fn words(&self) -> &'static Words {
        match self.kind {
            Kind::Quantile => &QUANTILE,
            Kind::SafetyStock => &SAFETY_STOCK,
            Kind::OrderSize => &ORDER_SIZE,
            Kind::OrderQuantity => &ORDER_QUANTITY,
        }
    }

    /// The result of one row; `args` has as many as the function takes.
    fn value(&self, args: &[Option<f64>]) -> Option<f64> {
        match (self.kind, args) {
            (Kind::Quantile, [p]) => formula::normal_quantile((*p)?),
            (Kind::SafetyStock, [level, mean, sd, days, lead_sd]) => {
                formula::safety_stock((*level)?, (*mean)?, (*sd)?, (*days)?, (*lead_sd)?)
            }
            (Kind::OrderSize, [annual, order_cost, holding_cost]) => {
                formula::order_size((*annual)?, (*order_cost)?, (*holding_cost)?)
            }
            (Kind::OrderQuantity, [position, reorder_point, up_to, min_order, pack, max_stock]) => {
                let bounds = Bounds { min_order: *min_order, pack: *pack, max_stock: *max_stock };
                formula::order_quantity((*position)?, (*reorder_point)?, (*up_to)?, bounds)
            }
            _ => None,
        }
    }
}

impl ScalarUDFImpl for Replenish {
    fn name(&self) -> &str {
        self.words().name
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }
    fn is_strict(&self) -> bool {
        // An order's bounds may be NULL.
        self.kind != Kind::OrderQuantity
    }
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let takes = self.words().arguments.len();
        if types.len() != takes {
            return plan_err!("{} takes {takes} numbers, {} arguments were given", self.name(), types.len());
        }
        if let Some(other) = types.iter().find(|t| !t.is_numeric() && !t.is_null()) {
            return plan_err!("{} takes numbers, not {other}", self.name());
        }
        Ok(vec![DataType::Float64; takes])
    }
    fn documentation(&self) -> Option<&Documentation> {
        Some(match self.kind {
            Kind::Quantile => &DOCUMENTED[0],
            Kind::SafetyStock => &DOCUMENTED[1],
            Kind::OrderSize => &DOCUMENTED[2],
            Kind::OrderQuantity => &DOCUMENTED[3],
        })
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
        let results: Float64Array = (0..rows)
            .map(|at| {
                for (value, column) in row.iter_mut().zip(&columns) {
                    *value = column.is_valid(at).then(|| column.value(at));
                }
                self.value(&row)
            })
            .collect();
        let results: ArrayRef = Arc::new(results);
        if scalar {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&results, 0)?));
        }
        Ok(ColumnarValue::Array(results))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bounds_may_be_missing() {
        let [quantile, safety_stock, order_size, order_quantity] = Replenish::all();
        assert_eq!(quantile.value(&[None]), None);
        assert_eq!(safety_stock.value(&[Some(0.95), Some(1.0), None, Some(3.0), Some(0.0)]), None);
        assert_eq!(order_size.value(&[Some(50.0), Some(1.0), Some(1.0)]), Some(10.0));
        let bare = [Some(1.0), Some(2.0), Some(9.0), None, None, None];
        assert_eq!(order_quantity.value(&bare), Some(8.0));
        assert_eq!(order_quantity.value(&[None, Some(2.0), Some(9.0), None, None, None]), None);
    }
}
