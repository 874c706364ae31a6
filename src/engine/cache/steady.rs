//! Whether an answer can be kept: it depends on nothing but the statement and the versions of the tables that it reads. What is
//! not known here is taken to change. It must not change plans.

use datafusion::catalog::cte_worktable::CteWorkTable;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::{MemTable, source_as_provider};
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan, Volatility};

use crate::engine::calls::Calls;
use crate::engine::classify::classify;
use crate::engine::dims::{CALENDARS, CurrentDimension};
use crate::engine::options::{Policies, QueryOptions};
use crate::engine::rollups::RollupRows;
use crate::engine::rules::members;
use crate::engine::scan::SnapshotTable;
use crate::engine::session::MAIN;
use crate::engine::snapshot::Snapshot;
use crate::engine::view::ViewProvider;
use crate::error::Result;

/// Whether the same versions always give the same answer: `plan` and the views in which slicers look their members up read
/// tables of the lake and calendars only, and have no clock and no chance.
pub fn steady(snapshot: &Snapshot, plan: &LogicalPlan, options: &QueryOptions, calls: &Calls) -> Result<bool> {
    if !is_steady(plan, &options.policies).map_err(classify)? {
        return Ok(false);
    }
    let own = Policies::new();
    for options in calls.asked().map(|(_, options)| options).chain([options]) {
        for view in members::views(&options.slices, &options.policies)? {
            let Some(view) = snapshot.views().get(view) else { continue };
            if !view.plan(&own).and_then(|plan| is_steady(&plan, &own)).map_err(classify)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// As [`steady`], of a plan alone.
pub fn is_steady(plan: &LogicalPlan, policies: &Policies) -> DfResult<bool> {
    let mut steady = true;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            steady = of_table(scan, policies)?;
        }
        if steady {
            node.apply_expressions(|expr| {
                expr.apply(|part| {
                    steady = steady && of_expr(part);
                    Ok(TreeNodeRecursion::Continue)
                })
            })?;
        }
        Ok(if steady { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(steady)
}

/// Tables whose rows are of a version, or always the same.
fn of_table(scan: &TableScan, policies: &Policies) -> DfResult<bool> {
    let Ok(provider) = source_as_provider(&scan.source) else { return Ok(false) };
    if let Some(view) = provider.downcast_ref::<ViewProvider>() {
        return is_steady(view.plan(policies)?.as_ref(), policies);
    }
    let (schema, name) = (scan.table_name.schema(), scan.table_name.table());
    let calendar = provider.is::<MemTable>() && schema.is_none_or(|s| s == MAIN) && CALENDARS.contains(&name);
    // The rows of a recursive query's own steps are in none.
    let own = provider.is::<CteWorkTable>();
    let of_lake = provider.is::<SnapshotTable>() || provider.is::<RollupRows>() || provider.is::<CurrentDimension>();
    Ok(of_lake || calendar || own)
}

/// `now()` is the same for all of one query only, which is not enough.
fn of_expr(expr: &Expr) -> bool {
    let volatility = match expr {
        Expr::ScalarFunction(call) => call.func.signature().volatility,
        Expr::AggregateFunction(call) => call.func.signature().volatility,
        Expr::WindowFunction(call) => call.fun.signature().volatility,
        Expr::HigherOrderFunction(call) => call.func.signature().volatility,
        Expr::ScalarVariable(..) => Volatility::Volatile,
        _ => Volatility::Immutable,
    };
    volatility == Volatility::Immutable
}
