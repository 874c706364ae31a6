//! A statement and everything asked for beside it as one plan: compare, totals, others, order, limit. It must not know slicers or
//! policies: those come to the finished plan.

use std::collections::BTreeMap;

use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, case, lit};
use datafusion::sql::sqlparser::ast::Statement;

use super::compare::Comparison;
use super::order::{self, Bare, Order};
use super::{others, totals};
use crate::engine::classify::classify;
use crate::engine::options::{Param, QueryOptions};
use crate::engine::planner::{Planner, placeholders};
use crate::error::{Error, Result};

/// The column that `totals` and `top_n` add: 'row', 'others' in the one row of those that are not shown, 'total' in the one
/// totals row.
pub const ROW_KIND: &str = "row_kind";
const ROW: &str = "row";
const OTHERS: &str = "others";
const TOTAL: &str = "total";

/// Plans `statement` with `options`: once as it is, or without its outer ORDER BY and LIMIT, which come back on top of
/// compare and totals. Result columns: the statement's, then `x_prev` and `x_growth` per measure, then `row_kind`.
///
/// # Errors
/// `Invalid`, naming compare, totals, order or limit: whatever the statement's shape or the options do not allow.
pub fn assemble(planner: &Planner<'_>, statement: &Statement, options: &QueryOptions) -> Result<LogicalPlan> {
    order::check_limit(options.limit.or(options.top_n))?;
    if options.top_n.is_some() && (options.limit.is_some() || options.compare.is_some()) {
        let both = if options.limit.is_some() { "limit and top_n" } else { "compare and top_n" };
        return Err(Error::invalid(format!("{both} cannot be asked for together")).hint("leave one of them out"));
    }
    if options.compare.is_none() && !options.totals && options.order_by.is_empty() && options.top_n.is_none() {
        return order::limited(planner.plan(statement, &options.params)?, options.limit);
    }
    let bare = order::strip(statement, &options.params)?;
    let params = still_used(statement, &bare.statement, &options.params);
    let now = planner.plan(&bare.statement, &params)?;
    if let Some(n) = options.top_n {
        return with_others(&now, &bare, options, n);
    }
    let (rows, total) = match &options.compare {
        None => {
            let total = options.totals.then(|| totals::of(&now, &options.key)).transpose()?;
            (now, total)
        }
        Some(compare) => {
            let comparison = Comparison::of(compare, &options.key, &params)?;
            let before = planner.plan(&bare.statement, &comparison.earlier_params(&params))?;
            let totalled = |plan: &LogicalPlan| totals::of(plan, &options.key);
            let total = match options.totals {
                true => Some(comparison.totals(totalled(&now)?, totalled(&before)?)?),
                false => None,
            };
            (comparison.rows(now, before)?, total)
        }
    };
    match total {
        None => Order::of(rows.schema(), &bare, options)?.apply(rows),
        Some(total) => with_total(rows, total, &bare, options),
    }
}

/// The parameters without those that only the stripped ORDER BY and LIMIT used.
fn still_used(whole: &Statement, bare: &Statement, params: &BTreeMap<String, Param>) -> BTreeMap<String, Param> {
    let (before, after) = (placeholders(whole), placeholders(bare));
    let gone = |name: &String| before.contains(name) && !after.contains(name);
    params.iter().filter(|(name, _)| !gone(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The first `n` rows in order, then one row of all the others, then the totals row if it is asked for.
fn with_others(now: &LogicalPlan, bare: &Bare, options: &QueryOptions, n: u64) -> Result<LogicalPlan> {
    let first = QueryOptions { limit: Some(n), ..options.clone() };
    let cut = |plan: LogicalPlan| Order::of(plan.schema(), bare, &first)?.apply(plan);
    let split = others::split(now, &options.key, cut)?;
    let mut parts = vec![(split.first, ROW), (split.others, OTHERS)];
    if options.totals {
        parts.push((totals::of(now, &options.key)?, TOTAL));
    }
    together(parts, bare, options)
}

/// `rows` in order, cut, then the totals row, which no limit counts.
fn with_total(rows: LogicalPlan, total: LogicalPlan, bare: &Bare, options: &QueryOptions) -> Result<LogicalPlan> {
    let order = Order::of(rows.schema(), bare, options)?;
    let rows = if order.cuts() { order.apply(rows)? } else { rows };
    together(vec![(rows, ROW), (total, TOTAL)], bare, options)
}

/// One result of several, each marked by its kind, in the kinds' order and in the result's.
fn together(parts: Vec<(LogicalPlan, &str)>, bare: &Bare, options: &QueryOptions) -> Result<LogicalPlan> {
    let mut marked = parts.into_iter().map(|(plan, kind)| marked(plan, kind));
    let first = marked.next().unwrap_or_else(|| Err(Error::internal("a result of no parts")))?;
    let union = marked.try_fold(LogicalPlanBuilder::from(first), |union, part| union.union(part?).map_err(classify))?;
    let union = union.build().map_err(classify)?;
    // A union has no order of its own.
    let kind = case(order::column(union.schema(), ROW_KIND)?)
        .when(lit(ROW), lit(0_i32))
        .when(lit(OTHERS), lit(1_i32))
        .otherwise(lit(2_i32))
        .map_err(classify)?;
    Order::of(union.schema(), bare, options)?.after(kind).apply(union)
}

fn marked(plan: LogicalPlan, kind: &str) -> Result<LogicalPlan> {
    if order::column(plan.schema(), ROW_KIND).is_ok() {
        return Err(Error::invalid(format!("the result has a column {ROW_KIND} already")).hint("give it another alias"));
    }
    // Names without qualifiers, so that both branches and the order above agree on them.
    let columns = plan.schema().iter().map(|field| Expr::Column(Column::from(field)).alias(field.1.name()));
    let columns: Vec<Expr> = columns.chain([lit(kind).alias(ROW_KIND)]).collect();
    LogicalPlanBuilder::from(plan).project(columns).and_then(LogicalPlanBuilder::build).map_err(classify)
}
