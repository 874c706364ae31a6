//! A date and hours are a moment: DataFusion would leave the hours out. It must not change dates and whole days.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, cast};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::BinaryOperator;

const DAY: i64 = 86_400_000_000_000;

/// Plans `DATE '2026-01-01' - INTERVAL '1 hour'`.
#[derive(Debug)]
pub struct Moments;

impl ExprPlanner for Moments {
    fn plan_binary_op(&self, raw: RawBinaryExpr, schema: &DFSchema) -> DfResult<PlannerResult<RawBinaryExpr>> {
        let RawBinaryExpr { op, left, right } = raw;
        let is_date = |expr: &Expr| matches!(expr.get_type(schema), Ok(DataType::Date32));
        let moment = |date: Expr| cast(date, DataType::Timestamp(TimeUnit::Microsecond, None));
        let (left, right) = match op {
            BinaryOperator::Plus | BinaryOperator::Minus if has_hours(&right) && is_date(&left) => {
                (moment(left), right)
            }
            BinaryOperator::Plus if has_hours(&left) && is_date(&right) => (left, moment(right)),
            _ => (left, right),
        };
        Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }))
    }
}

/// Whether it is an interval, as it is written, of other than whole days.
fn has_hours(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(interval)), _) => interval.nanoseconds % DAY != 0,
        Expr::Literal(ScalarValue::IntervalDayTime(Some(interval)), _) => interval.milliseconds != 0,
        Expr::Negative(inner) => has_hours(inner),
        _ => false,
    }
}
