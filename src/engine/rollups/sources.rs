//! What a rollup's view is made from, found in its optimized plan: which tables, and which of them by the month. It must not take
//! a table for one that is read by the month unless every row of a month comes from the files of that month.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::execution::SessionState;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, EmptyRelation, Expr, Filter, LogicalPlan, Operator, lit};
use datafusion::scalar::ScalarValue;

use super::definition::Parts;
use crate::engine::classify::classify;
use crate::engine::dims::CurrentDimension;
use crate::engine::options::Policies;
use crate::engine::rules::expand;
use crate::engine::scan::SnapshotTable;
use crate::error::{Error, Result};

/// A table that a rollup is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub table: String,
    /// A month of the rollup reads that month of it only.
    pub by_month: bool,
}

/// The tables that a month of the view is made from, as the optimizer leaves them under the default policies.
pub fn sources(parts: &Parts, date: &str, state: &SessionState) -> Result<Vec<Source>> {
    let LogicalPlan::TableScan(scan) = &parts.scan else { return Err(Error::internal("a rollup of no view")) };
    let day = Expr::Column(Column::new(Some(scan.table_name.clone()), date));
    let optimized = |condition: Expr| {
        let filter = Filter::try_new(condition, Arc::new(parts.scan.clone())).map_err(classify)?;
        let plan = expand::expanded(LogicalPlan::Filter(filter), &Policies::new()).map_err(classify)?;
        let plan = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {}).map_err(classify)?;
        state.optimizer().optimize(plan, state, |_, _| {}).map_err(classify)
    };
    if !read_by(&optimized(day.clone().is_null())?)?.is_empty() {
        let message = format!("{date} may be NULL in {}: such rows would be of no month", scan.table_name);
        return Err(Error::invalid(message).hint("keep it by a date that every row has"));
    }
    // Any month: what matters is which scans the optimizer hands it to.
    let date_of = |day| lit(ScalarValue::Date32(Some(day)));
    let month = optimized(day.clone().gt_eq(date_of(ANY.0)).and(day.clone().lt(date_of(ANY.1))))?;
    let mut sources = read_by(&month)?;
    let without = state.optimizer().optimize(without_months(month)?, state, |_, _| {}).map_err(classify)?;
    if !matches!(&without, LogicalPlan::EmptyRelation(empty) if !empty.produce_one_row) {
        let message =
            format!("{} may have rows in months in which the tables that it is kept by have none", scan.table_name);
        return Err(
            Error::invalid(message).hint("it has to be made of partitioned tables, by the dates that partition them")
        );
    }
    // What that month needs not, another may.
    for source in read_by(&optimized(lit(true))?)? {
        if sources.iter().all(|known| known.table != source.table) {
            sources.push(Source { by_month: false, ..source });
        }
    }
    Ok(sources)
}

/// `plan` with nothing in the tables that are read by the month.
fn without_months(plan: LogicalPlan) -> Result<LogicalPlan> {
    let made = plan.transform_down_with_subqueries(|node| {
        let LogicalPlan::TableScan(scan) = &node else { return Ok(Transformed::no(node)) };
        let by_month = source_as_provider(&scan.source).ok().and_then(|provider| {
            let date = provider.downcast_ref::<SnapshotTable>()?.table().month_of?;
            Some(asks_both_ends(&scan.filters, date))
        });
        Ok(match by_month {
            Some(true) => {
                let schema = Arc::clone(&scan.projected_schema);
                Transformed::yes(LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: false, schema }))
            }
            _ => Transformed::no(node),
        })
    });
    made.map(|made| made.data).map_err(classify)
}

/// 2001-01
const ANY: (i32, i32) = (11_323, 11_354);

/// The tables that an optimized plan reads; a partitioned one of which it asks both ends of [`ANY`] is read by the month.
fn read_by(plan: &LogicalPlan) -> Result<Vec<Source>> {
    let mut sources: BTreeMap<String, bool> = BTreeMap::new();
    let walked = plan.apply_with_subqueries(|node| {
        let LogicalPlan::TableScan(scan) = node else { return Ok(TreeNodeRecursion::Continue) };
        let Ok(provider) = source_as_provider(&scan.source) else { return Ok(TreeNodeRecursion::Continue) };
        let (table, by_month) = if let Some(table) = provider.downcast_ref::<SnapshotTable>() {
            let table = table.table();
            (table.name, table.month_of.is_some_and(|date| asks_both_ends(&scan.filters, date)))
        } else if let Some(dimension) = provider.downcast_ref::<CurrentDimension>() {
            (dimension.table().name, false)
        } else {
            // Calendars are the program's own.
            return Ok(TreeNodeRecursion::Continue);
        };
        sources.entry(table.to_string()).and_modify(|all| *all &= by_month).or_insert(by_month);
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(classify)?;
    Ok(sources.into_iter().map(|(table, by_month)| Source { table, by_month }).collect())
}

/// Whether the filters let no other day of the column through than those of [`ANY`].
fn asks_both_ends(filters: &[Expr], date: &str) -> bool {
    let is_date = |of: &Expr| matches!(of, Expr::Column(column) if column.name == date);
    let day = |of: &Expr| match of {
        Expr::Literal(ScalarValue::Date32(day), _) => *day,
        _ => None,
    };
    let (mut first, mut last) = (false, false);
    for part in filters.iter().flat_map(split_conjunction) {
        match part {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_date(left) => match (op, day(right)) {
                (Operator::GtEq, Some(from)) => first |= from >= ANY.0,
                (Operator::Gt, Some(from)) => first |= from >= ANY.0 - 1,
                (Operator::Lt, Some(to)) => last |= to <= ANY.1,
                (Operator::LtEq, Some(to)) => last |= to < ANY.1,
                _ => {}
            },
            Expr::Between(between) if is_date(&between.expr) && !between.negated => {
                first |= day(&between.low).is_some_and(|from| from >= ANY.0);
                last |= day(&between.high).is_some_and(|to| to < ANY.1);
            }
            _ => {}
        }
    }
    first && last
}
