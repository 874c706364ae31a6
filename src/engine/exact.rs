//! Numbers with a point beside decimals are decimals: `net * 1.19` is exact, where SQL's parser makes a double of `1.19` and so of
//! the product. It must not change what is a double for another reason: quotients, numbers of their own, arguments of functions.

use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::params::decimal_of;

/// Digits that a double keeps, whichever they are.
const KEPT: usize = f64::DIGITS as usize;
/// Places that a decimal may have.
const MOST_PLACES: i32 = 38;

/// Plans sums, differences, products and remainders.
#[derive(Debug)]
pub struct Exact;

impl ExprPlanner for Exact {
    fn plan_binary_op(&self, raw: RawBinaryExpr, schema: &DFSchema) -> DfResult<PlannerResult<RawBinaryExpr>> {
        use BinaryOperator::{Minus, Modulo, Multiply, Plus};
        if !matches!(raw.op, Plus | Minus | Multiply | Modulo) {
            return Ok(PlannerResult::Original(raw));
        }
        let RawBinaryExpr { op, left, right } = raw;
        // A product has the places of both.
        let fits = |written: &Expr, other: &Expr| match (scale(written, schema), scale(other, schema)) {
            (Some(one), Some(other)) => op != Multiply || one + other <= MOST_PLACES,
            _ => false,
        };
        let (left, right) = match (exact(&left), exact(&right)) {
            // DataFusion makes `sum(x) + 1.5 * count(x)` of `sum(x + 1.5)`, in the type of 1.5, where there are two such sums.
            (None, Some(written)) if op == Plus && fits(&written, &left) => return Ok(minus(left, written)),
            (Some(written), None) if op == Plus && fits(&written, &right) => return Ok(minus(right, written)),
            (None, Some(right)) if fits(&right, &left) => (left, right),
            (Some(left), None) if fits(&left, &right) => (left, right),
            _ => (left, right),
        };
        Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }))
    }
}

/// `left + written`
fn minus(left: Expr, written: Expr) -> PlannerResult<RawBinaryExpr> {
    let right = match &written {
        Expr::Literal(ScalarValue::Decimal128(Some(value), precision, scale), metadata) => {
            Expr::Literal(ScalarValue::Decimal128(Some(-value), *precision, *scale), metadata.clone())
        }
        _ => Expr::Negative(Box::new(written)),
    };
    PlannerResult::Original(RawBinaryExpr { op: BinaryOperator::Minus, left, right })
}

/// The places behind the point of a decimal.
fn scale(expr: &Expr, schema: &DFSchema) -> Option<i32> {
    match expr.get_type(schema).ok()? {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => Some(scale.into()),
        _ => None,
    }
}

/// A number as it was written. A double has it, and shows it again, as long as it has no more digits than any double keeps.
fn written(number: f64) -> Option<ScalarValue> {
    let text = number.to_string();
    let digits = text.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
    if digits > KEPT { None } else { decimal_of(&text) }
}

/// What is written with a point, `1.19` or `(1 + 0.19)`, in decimals; `None` for anything else.
fn exact(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Literal(ScalarValue::Float64(Some(number)), metadata) => {
            Some(Expr::Literal(written(*number)?, metadata.clone()))
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
        assert_eq!(exact(&lit(0.000123456789012345)), Some(decimal(123_456_789_012_345, 19, 18)));
        for rounded in [12_345_678_901_234_567.89, 9_007_199_254_740_993.5, 0.8512345678901234, 1e300] {
            assert_eq!(exact(&lit(rounded)), None, "{rounded} may have been written otherwise");
        }
    }
}
