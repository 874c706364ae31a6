//! Where bounds come into plans: the operators that are planned as functions, and the plan that runs. It must not
//! change the names of columns.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::utils::list_ndims;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::error::DataFusionError;
use datafusion::execution::context::QueryPlanner;
use datafusion::functions::core::overlay;
use datafusion::functions_nested::make_array::make_array_udf;
use datafusion::functions_nested::planner::NestedFunctionPlanner;
use datafusion::logical_expr::expr::{Placeholder, ScalarFunction};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, ScalarUDF};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::Limits;
use super::function::Bounded;
use super::joined::Joined;
use crate::error::Error;

/// Calls of `||` that put a list together.
const MOST_LISTS: usize = 60;

/// Plans `||`, `[…]` and OVERLAY: before the stock planners, which take the functions from elsewhere than the session.
#[derive(Debug)]
pub struct Operators(pub Arc<Limits>);

impl Operators {
    fn bounded(&self, function: &ScalarUDF, args: Vec<Expr>) -> Expr {
        Bounded::planned(function, &self.0).call(args)
    }

    /// `left || right` of texts. No function at hand has the operator's NULL.
    fn joined(&self, left: Expr, right: Expr, schema: &DFSchema) -> DfResult<Expr> {
        let left = typed(left, &right, schema)?;
        let right = typed(right, &left, schema)?;
        Ok(match left {
            Expr::ScalarFunction(mut chain) if is_joined(&chain) => {
                chain.args.push(right);
                Expr::ScalarFunction(chain)
            }
            first => self.bounded(&ScalarUDF::from(Joined::new()), vec![first, right]),
        })
    }
}

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> DfResult<PlannerResult<RawBinaryExpr>> {
        if expr.op != BinaryOperator::StringConcat {
            return Ok(PlannerResult::Original(expr));
        }
        // What follows texts is text, unless it is a list.
        if matches!(&expr.left, Expr::ScalarFunction(call) if is_joined(call))
            && list_ndims(&expr.right.get_type(schema)?) == 0
        {
            return Ok(PlannerResult::Planned(self.joined(expr.left, expr.right, schema)?));
        }
        let planned = match NestedFunctionPlanner.plan_binary_op(expr, schema)? {
            // Of lists.
            PlannerResult::Planned(Expr::ScalarFunction(call)) => {
                let lists = self.bounded(&call.func, call.args);
                check_steps(&lists)?;
                lists
            }
            PlannerResult::Planned(other) => other,
            PlannerResult::Original(RawBinaryExpr { left, right, .. }) => self.joined(left, right, schema)?,
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

fn is_joined(call: &ScalarFunction) -> bool {
    call.func.inner().downcast_ref::<Bounded>().is_some_and(Bounded::of::<Joined>)
}

/// A parameter beside `||` is text, unless bytes stand there.
fn typed(operand: Expr, other: &Expr, schema: &DFSchema) -> DfResult<Expr> {
    let Expr::Placeholder(Placeholder { id, field: None }) = operand else { return Ok(operand) };
    let kind = match other.get_type(schema)? {
        kind if kind.is_binary() => kind,
        _ => DataType::Utf8,
    };
    Ok(Expr::Placeholder(Placeholder { id, field: Some(Arc::new(Field::new("", kind, true))) }))
}

/// Refuses a list that is put together by too many `||`: each step is a call within a call, whose name is made of all before it,
/// so that the time of planning grows with the third power of their number.
fn check_steps(lists: &Expr) -> DfResult<()> {
    let (mut at, mut steps) = (lists, 0);
    while let Expr::ScalarFunction(call) = at {
        let inner = match call.func.name() {
            "array_append" | "array_concat" => call.args.first(),
            "array_prepend" => call.args.last(),
            _ => None,
        };
        let Some(inner) = inner else { break };
        (at, steps) = (inner, steps + 1);
    }
    if steps <= MOST_LISTS {
        return Ok(());
    }
    let error = Error::invalid(format!("lists are joined by {steps} || here, and at most {MOST_LISTS} are taken"));
    Err(DataFusionError::External(Box::new(
        error.hint("write [1, 2, 3] or array_concat(a, b, c): they may be of any length"),
    )))
}

/// Whether anything in `plan` has bounds: most plans have nothing, and copying one takes time.
fn has_bounded(plan: &LogicalPlan) -> DfResult<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                found = matches!(expr, Expr::ScalarFunction(call) if Bounded::changes(&call.func));
                Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })
        })
    })?;
    Ok(found)
}

/// Plans a query's execution: from here on constants count, too, and so do functions that an optimizer's rule put in.
#[derive(Debug)]
pub struct Bounding(pub Arc<Limits>);

impl Bounding {
    fn running<'a>(&self, plan: &'a LogicalPlan) -> DfResult<Cow<'a, LogicalPlan>> {
        if !has_bounded(plan)? {
            return Ok(Cow::Borrowed(plan));
        }
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
        Ok(Cow::Owned(bounded?.data))
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
