//! Numbers with a point beside decimals are decimals: `net * 1.19` is exact, where SQL's parser makes a double of `1.19` and so of
//! the product. It must not change what is a double for another reason: quotients, numbers of their own, arguments of functions.

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::params::decimal_of;

/// Plans sums, differences, products and remainders.
#[derive(Debug)]
pub struct Exact;

impl ExprPlanner for Exact {
    fn plan_binary_op(&self, raw: RawBinaryExpr, schema: &DFSchema) -> DfResult<PlannerResult<RawBinaryExpr>> {
        use BinaryOperator::{Minus, Modulo, Multiply, Plus};
        if !matches!(raw.op, Plus | Minus | Multiply | Modulo) {
            return Ok(PlannerResult::Original(raw));
        }
        let is_decimal = |expr: &Expr| expr.get_type(schema).is_ok_and(|kind| kind.is_decimal());
        let RawBinaryExpr { op, left, right } = raw;
        let (left, right) = match (exact(&left), exact(&right)) {
            (None, Some(right)) if is_decimal(&left) => (left, right),
            (Some(left), None) if is_decimal(&right) => (left, right),
            _ => (left, right),
        };
        Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }))
    }
}

/// What is written with a point, `1.19` or `(1 + 0.19)`, in decimals; `None` for anything else.
fn exact(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Literal(ScalarValue::Float64(Some(number)), metadata) => {
            Some(Expr::Literal(decimal_of(&number.to_string())?, metadata.clone()))
        }
        Expr::Negative(inner) => Some(Expr::Negative(Box::new(exact(inner)?))),
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: op @ (Operator::Plus | Operator::Minus | Operator::Multiply),
            right,
        }) => {
            let (left, right) = match (exact(left), exact(right)) {
                (Some(left), Some(right)) => (left, right),
                (Some(left), None) => (left, whole(right)?),
                (None, Some(right)) => (whole(left)?, right),
                (None, None) => return None,
            };
            Some(Expr::BinaryExpr(BinaryExpr { left: Box::new(left), op: *op, right: Box::new(right) }))
        }
        _ => None,
    }
}

/// A whole number as it is written.
fn whole(expr: &Expr) -> Option<Expr> {
    matches!(expr, Expr::Literal(value, _) if value.data_type() == DataType::Int64).then(|| expr.clone())
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    #[test]
    fn written_numbers_only() {
        let decimal = |unscaled, digits, scale| lit(ScalarValue::Decimal128(Some(unscaled), digits, scale));
        assert_eq!(exact(&lit(1.19)), Some(decimal(119, 3, 2)));
        assert_eq!(exact(&lit(0.05)), Some(decimal(5, 3, 2)));
        assert_eq!(exact(&(lit(1_i64) + lit(0.19))), Some(lit(1_i64) + decimal(19, 3, 2)));
        for other in [lit(1_i64), lit(1_i64) + lit(2_i64), col("x"), col("x") * lit(1.1), lit(1.0) / lit(3.0)] {
            assert_eq!(exact(&other), None, "{other}");
        }
        assert_eq!(exact(&lit(f64::NAN)), None);
        assert_eq!(exact(&lit(1e300)), None, "more than 38 digits");
    }
}
