//! Lengths of time: DataFusion compares intervals by months, then days, then the rest, so that 25 hours are less than a day, and
//! what lies between two timestamps (hours at most) less than any interval of days. Here they are compared by how long they are,
//! as PostgreSQL does it: a month has 30 days, a day 24 hours. Days between dates are whole numbers, which its analysis of ranges
//! does not know: they become differences of numbers.

use std::sync::Arc;

use arrow::array::{AsArray, Decimal128Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, IntervalMonthDayNanoType, IntervalUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::Between;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, cast as cast_expr,
};
use datafusion::optimizer::AnalyzerRule;

/// Nanoseconds.
const DAY: i128 = 86_400_000_000_000;
const MONTH: i128 = 30 * DAY;

/// Runs behind the stock analyzer: both sides of a comparison have one type.
#[derive(Debug, Default)]
pub struct Spans;

impl AnalyzerRule for Spans {
    fn name(&self) -> &str {
        "spans_of_time"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> DfResult<LogicalPlan> {
        // As long as nothing was changed, every schema is as the analyzer's own rules left it.
        let mut changed = false;
        let whole = plan.transform_up_with_subqueries(|node| {
            let made = of_node(node)?;
            changed |= made.transformed;
            if changed { made.map_data(LogicalPlan::recompute_schema) } else { Ok(made) }
        })?;
        Ok(whole.data)
    }
}

fn of_node(node: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
    let schema = match node.inputs().as_slice() {
        [] => return Ok(Transformed::no(node)),
        [input] => Arc::clone(input.schema()),
        inputs => Arc::new(merge_schema(inputs)),
    };
    let names = NamePreserver::new(&node);
    node.map_expressions(|expr| {
        // Its name is worked out only where it is needed: of a long expression it is long.
        if !expr.exists(|e| Ok(is_of_time(e, &schema)))? {
            return Ok(Transformed::no(expr));
        }
        let name = names.save(&expr);
        Ok(expr.transform_up(|e| of_expr(e, &schema))?.update_data(|e| name.restore(e)))
    })
}

/// Whether [`of_expr`] changes it.
fn is_of_time(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Minus, right }) => {
            is_date(left, schema) && is_date(right, schema)
        }
        Expr::BinaryExpr(BinaryExpr { left, op, .. }) => compares(*op) && is_interval(left, schema),
        Expr::Between(between) => is_interval(&between.expr, schema),
        _ => false,
    }
}

fn of_expr(expr: Expr, schema: &DFSchema) -> DfResult<Transformed<Expr>> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) && is_interval(&left, schema) => {
            let (left, right) = (length(*left), length(*right));
            Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))))
        }
        Expr::Between(Between { expr, negated, low, high }) if is_interval(&expr, schema) => {
            let (expr, low, high) = (length(*expr), length(*low), length(*high));
            Ok(Transformed::yes(Expr::Between(Between::new(Box::new(expr), negated, Box::new(low), Box::new(high)))))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Minus, right })
            if is_date(&left, schema) && is_date(&right, schema) =>
        {
            let day = |date: Expr| cast_expr(cast_expr(date, DataType::Int32), DataType::Int64);
            Ok(Transformed::yes(day(*left) - day(*right)))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn compares(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

fn is_interval(expr: &Expr, schema: &DFSchema) -> bool {
    matches!(expr.get_type(schema), Ok(DataType::Interval(_)))
}

fn is_date(expr: &Expr, schema: &DFSchema) -> bool {
    matches!(expr.get_type(schema), Ok(DataType::Date32))
}

fn length(interval: Expr) -> Expr {
    ScalarUDF::from(Length::new()).call(vec![interval])
}

/// How long an interval is, in nanoseconds.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Length {
    signature: Signature,
}

impl Length {
    fn new() -> Length {
        Length { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Length {
    fn name(&self) -> &str {
        "length_of_interval"
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Decimal128(38, 0))
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let intervals = cast(&arrays[0], &DataType::Interval(IntervalUnit::MonthDayNano))?;
        let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
        let lengths: Decimal128Array = intervals
            .iter()
            .map(|i| {
                let i = i?;
                Some(i128::from(i.months) * MONTH + i128::from(i.days) * DAY + i128::from(i.nanoseconds))
            })
            .collect();
        let lengths = lengths.with_precision_and_scale(38, 0)?;
        Ok(ColumnarValue::Array(Arc::new(lengths)))
    }
}
