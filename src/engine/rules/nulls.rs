//! `x NOT IN (SELECT …)` beside OR, and other conditions in which it makes a difference whether `x IN (…)` is NULL or false:
//! DataFusion joins for them and takes NULL for false. They are refused where something may be NULL. As conditions of their own,
//! joined by AND, they are answered rightly.

use datafusion::common::Result as DfResult;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr::InSubquery;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};
use datafusion::optimizer::AnalyzerRule;

use super::external;
use crate::error::Error;

/// Changes nothing.
#[derive(Debug, Default)]
pub struct Nulls;

impl AnalyzerRule for Nulls {
    fn name(&self) -> &str {
        "nulls_of_subqueries"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> DfResult<LogicalPlan> {
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::Filter(filter) = node {
                for condition in split_conjunction(&filter.predicate) {
                    if !alone(condition) {
                        within(condition, &filter.input)?;
                    }
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(plan)
    }
}

fn alone(condition: &Expr) -> bool {
    match condition {
        Expr::InSubquery(_) => true,
        Expr::Not(inner) => matches!(inner.as_ref(), Expr::InSubquery(_)),
        _ => false,
    }
}

/// Refuses what is not under AND and OR alone, where NULL is as good as false.
fn within(condition: &Expr, input: &LogicalPlan) -> DfResult<()> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And | Operator::Or, right }) => {
            within(left, input)?;
            within(right, input)
        }
        Expr::InSubquery(InSubquery { negated: false, .. }) => Ok(()),
        other => other
            .apply(|expr| match expr {
                Expr::InSubquery(asked) if may_be_null(asked, input) => Err(external(refused())),
                _ => Ok(TreeNodeRecursion::Continue),
            })
            .map(|_| ()),
    }
}

fn may_be_null(asked: &InSubquery, input: &LogicalPlan) -> bool {
    let of_subquery = asked.subquery.subquery.schema().fields().iter().any(|field| field.is_nullable());
    of_subquery || asked.expr.nullable(input.schema()).unwrap_or(true)
}

fn refused() -> Error {
    Error::invalid("NOT IN (SELECT …) with values that may be NULL is known as a condition of its own only")
        .hint("join it by AND, not OR; or write NOT EXISTS (SELECT 1 FROM … WHERE y = x), which has no NULLs")
}
