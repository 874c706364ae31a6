//! Where bounds come into plans: the operators that are planned as functions, and the plan that runs. It must not
//! change the names of columns.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result as DfResult, exec_err, plan_err};
use datafusion::execution::context::QueryPlanner;
use datafusion::functions::core::overlay;
use datafusion::functions_nested::make_array::make_array_udf;
use datafusion::functions_nested::planner::NestedFunctionPlanner;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility, binary_expr,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::Limits;
use super::function::Bounded;

/// Plans `||`, `[…]` and OVERLAY: before the stock planners, which take the functions from elsewhere than the session.
#[derive(Debug)]
pub struct Operators(pub Arc<Limits>);

impl Operators {
    fn bounded(&self, function: &ScalarUDF, args: Vec<Expr>) -> Expr {
        Bounded::planned(function, &self.0).call(args)
    }
}

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> DfResult<PlannerResult<RawBinaryExpr>> {
        if expr.op != BinaryOperator::StringConcat {
            return Ok(PlannerResult::Original(expr));
        }
        let planned = match NestedFunctionPlanner.plan_binary_op(expr, schema)? {
            // Of lists.
            PlannerResult::Planned(Expr::ScalarFunction(call)) => self.bounded(&call.func, call.args),
            PlannerResult::Planned(other) => other,
            // Of texts: no function's NULL is that of the operator, which therefore stays.
            PlannerResult::Original(RawBinaryExpr { left, right, .. }) => {
                let joined = binary_expr(left, Operator::StringConcat, right);
                self.bounded(&ScalarUDF::from(Joined::new()), vec![joined])
            }
        };
        Ok(PlannerResult::Planned(planned))
    }
    fn plan_array_literal(&self, exprs: Vec<Expr>, _schema: &DFSchema) -> DfResult<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(self.bounded(&make_array_udf(), exprs)))
    }
    fn plan_overlay(&self, args: Vec<Expr>) -> DfResult<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(self.bounded(&overlay(), args)))
    }
}

/// What `||` made, as it is: there to be bounded. Without a name, so that plans read as before.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Joined {
    signature: Signature,
}

impl Joined {
    fn new() -> Joined {
        Joined { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Joined {
    fn name(&self) -> &str {
        ""
    }
    fn schema_name(&self, args: &[Expr]) -> DfResult<String> {
        match args {
            [joined] => Ok(joined.schema_name().to_string()),
            _ => plan_err!("|| has one result, not {}", args.len()),
        }
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        match types {
            [joined] => Ok(joined.clone()),
            _ => plan_err!("|| has one result, not {}", types.len()),
        }
    }
    fn return_field_from_args(&self, args: ReturnFieldArgs) -> DfResult<FieldRef> {
        match args.arg_fields {
            [joined] => Ok(Arc::clone(joined)),
            fields => plan_err!("|| has one result, not {}", fields.len()),
        }
    }
    fn is_strict(&self) -> bool {
        true
    }
    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        match args.args.pop() {
            Some(joined) => Ok(joined),
            None => exec_err!("|| has no result"),
        }
    }
}

/// Plans a query's execution: from here on constants count, too, and so do functions that an optimizer's rule put in.
#[derive(Debug)]
pub struct Bounding(pub Arc<Limits>);

impl Bounding {
    fn running(&self, plan: &LogicalPlan) -> DfResult<LogicalPlan> {
        let bounded = plan.clone().transform_down_with_subqueries(|node| {
            node.map_expressions(|expr| {
                expr.transform_up(|expr| match expr {
                    Expr::ScalarFunction(call) => Ok(match Bounded::running(&call.func, &self.0) {
                        Some(function) => {
                            let call = ScalarFunction::new_udf(Arc::new(function), call.args);
                            Transformed::yes(Expr::ScalarFunction(call))
                        }
                        None => Transformed::no(Expr::ScalarFunction(call)),
                    }),
                    other => Ok(Transformed::no(other)),
                })
            })
        });
        Ok(bounded?.data)
    }
}

#[async_trait]
impl QueryPlanner for Bounding {
    async fn create_physical_plan(
        &self,
        logical_plan: &LogicalPlan,
        session: &dyn Session,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let plan = self.running(logical_plan)?;
        DefaultPhysicalPlanner::default().create_physical_plan(&plan, session).await
    }
}
