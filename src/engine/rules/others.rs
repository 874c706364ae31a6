//! `top_n`: the first rows of a result in its order, and one row of all the others, computed from the base as `totals` is
//! (trap D02): the rows that the first groups are made of are taken out under the topmost Aggregate, and what is left is one
//! group. So the first rows and the others add up to the total, and distinct counts are counted anew.
//!
//! In the row of the others the key is NULL, as in the totals row. A window over all rows says there what it says in every
//! other row: the share of the others is of everything, whatever the buckets.

use std::sync::Arc;

use datafusion::common::{Column, DFSchema, NullEquality, Result as DfResult};
use datafusion::logical_expr::expr::{AggregateFunction, WindowFunction};
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, JoinType, LogicalPlan, LogicalPlanBuilder, Projection, Window, WindowFunctionDefinition,
    lit,
};
use datafusion::scalar::ScalarValue;

use super::totals;
use crate::engine::classify::classify;
use crate::error::{Error, Result};

/// What marks rows that have a group: a list of all members has none for members without facts.
const GROUPED: &str = "_grouped";

/// A result in two parts, in the result's columns.
pub struct Split {
    pub first: LogicalPlan,
    /// One row.
    pub others: LogicalPlan,
}

/// Splits `plan`, a statement's without its outer ORDER BY and LIMIT: `cut` puts it in order and takes the first rows.
///
/// # Errors
/// As [`totals::of`]; `Invalid`: there are no groups. And those of `cut`.
pub fn split(plan: &LogicalPlan, key: &[String], cut: impl Fn(LogicalPlan) -> Result<LogicalPlan>) -> Result<Split> {
    // Told first: what cannot be totalled has no others.
    totals::of(plan, key)?;
    let carried = carrying_groups(plan).map_err(classify)?;
    let groups: Vec<Column> = columns_of(carried.schema(), is_group);
    if groups.is_empty() {
        return Err(Error::invalid("top_n: the result has no groups").hint("leave top_n out"));
    }
    let cut = cut(carried)?;
    let own: Vec<Expr> = plan.schema().iter().map(|field| Expr::Column(Column::from(field))).collect();
    let first = LogicalPlanBuilder::from(cut.clone()).project(own).and_then(LogicalPlanBuilder::build);
    let keys = keys(cut, groups).map_err(classify)?;
    Ok(Split { first: first.map_err(classify)?, others: totals::of_all_but(&keys, plan, key)? })
}

/// The groups of the first rows, one column per group expression, called [`group`].
fn keys(cut: LogicalPlan, groups: Vec<Column>) -> DfResult<LogicalPlan> {
    let grouped = columns_of(cut.schema(), |name| name == GROUPED);
    let mut plan = LogicalPlanBuilder::from(cut);
    for column in grouped {
        plan = plan.filter(Expr::Column(column).is_not_null())?;
    }
    let columns = groups.into_iter().enumerate().map(|(at, column)| Expr::Column(column).alias(group(at)));
    plan.project(columns.collect::<Vec<_>>())?.build()
}

/// The name under which a group's `at`-th value is carried.
fn group(at: usize) -> String {
    format!("_group_{at}")
}

fn is_group(name: &str) -> bool {
    name.starts_with("_group_")
}

fn columns_of(schema: &DFSchema, is: impl Fn(&str) -> bool) -> Vec<Column> {
    schema.iter().filter(|(_, field)| is(field.name())).map(Column::from).collect()
}

/// `plan` with the values of its topmost Aggregate's groups, and [`GROUPED`], as columns behind its own.
fn carrying_groups(plan: &LogicalPlan) -> DfResult<LogicalPlan> {
    match plan {
        LogicalPlan::Aggregate(node) if !node.aggr_expr.is_empty() => {
            let own = plan.schema().iter().map(|field| Expr::Column(Column::from(field)));
            let groups = plan.schema().iter().take(node.group_expr.len()).enumerate();
            let groups = groups.map(|(at, field)| Expr::Column(Column::from(field)).alias(group(at)));
            let columns = own.chain(groups).chain([lit(true).alias(GROUPED)]).collect();
            Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan.clone()))?))
        }
        LogicalPlan::Projection(node) => {
            let input = carrying_groups(&node.input)?;
            let carried = columns_of(input.schema(), |name| is_group(name) || name == GROUPED);
            let columns = node.expr.iter().cloned().chain(carried.into_iter().map(Expr::Column)).collect();
            Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(input))?))
        }
        other => {
            let side = side(other)?;
            let mut inputs: Vec<LogicalPlan> = other.inputs().into_iter().cloned().collect();
            inputs[side] = carrying_groups(&inputs[side])?;
            other.with_new_exprs(other.expressions(), inputs)
        }
    }
}

/// Which input leads to the topmost Aggregate.
fn side(plan: &LogicalPlan) -> DfResult<usize> {
    match plan {
        LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Distinct(Distinct::All(_)) => Ok(0),
        LogicalPlan::Join(node) => Ok(usize::from(!totals::aggregates(&node.left)?)),
        _ => Err(super::external(Error::invalid("top_n: the result has no groups").hint("leave top_n out"))),
    }
}

/// The rows below `node` that belong to none of the groups that `first` gives, NULL meeting NULL.
pub(super) fn without(node: &Aggregate, first: &LogicalPlan) -> DfResult<LogicalPlan> {
    let probe = |at: usize| format!("_probe_{at}");
    let own = node.input.schema().iter().map(|field| Expr::Column(Column::from(field)));
    let probes = node.group_expr.iter().enumerate().map(|(at, expr)| expr.clone().unalias().alias(probe(at)));
    let places = 0..node.group_expr.len();
    let on = |name: &dyn Fn(usize) -> String| places.clone().map(|at| Column::from_name(name(at))).collect::<Vec<_>>();
    let probed =
        LogicalPlanBuilder::from(LogicalPlan::clone(&node.input)).project(own.chain(probes).collect::<Vec<_>>())?;
    // The few groups stand left: that side is held in memory, the base runs past it.
    LogicalPlanBuilder::from(first.clone())
        .join_detailed(
            probed.build()?,
            JoinType::RightAnti,
            (on(&group), on(&probe)),
            None,
            NullEquality::NullEqualsNull,
        )?
        .build()
}

/// `one`, the row of the others, with the columns of `node`'s windows: what those say of all of its rows. What depends on a
/// row's place is NULL.
pub(super) fn of_all_rows(node: &Window, one: LogicalPlan) -> DfResult<LogicalPlan> {
    let made = node.schema.iter().skip(node.input.schema().fields().len());
    let (mut wholes, mut columns) = (Vec::new(), Vec::new());
    columns.extend(one.schema().iter().map(|field| Expr::Column(Column::from(field))));
    for ((qualifier, field), expr) in made.zip(&node.window_expr) {
        match over_all(expr) {
            Some(whole) => {
                let name = format!("_whole_{}", wholes.len());
                columns.push(Expr::Column(Column::from_name(&name)).alias_qualified(qualifier.cloned(), field.name()));
                wholes.push(whole.alias(name));
            }
            None => {
                let null = lit(ScalarValue::try_new_null(field.data_type())?);
                columns.push(null.alias_qualified(qualifier.cloned(), field.name()));
            }
        }
    }
    let plan = LogicalPlanBuilder::from(one);
    let plan = match wholes.is_empty() {
        true => plan,
        false => {
            let whole = Aggregate::try_new(Arc::clone(&node.input), vec![], wholes)?;
            plan.cross_join(LogicalPlan::Aggregate(whole))?
        }
    };
    plan.project(columns)?.build()
}

/// The aggregate that a window without an order is.
fn over_all(expr: &Expr) -> Option<Expr> {
    let Expr::WindowFunction(window) = expr.clone().unalias() else { return None };
    let WindowFunction { fun, params } = *window;
    let WindowFunctionDefinition::AggregateUDF(function) = fun else { return None };
    params.order_by.is_empty().then(|| {
        let (args, distinct, filter) = (params.args, params.distinct, params.filter);
        Expr::AggregateFunction(AggregateFunction::new_udf(
            function,
            args,
            distinct,
            filter,
            vec![],
            params.null_treatment,
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{by, options, shop};
    use crate::engine::options::QueryOptions;

    fn top(n: u64, key: &[&str]) -> QueryOptions {
        QueryOptions { top_n: Some(n), key: key.iter().map(|k| k.to_string()).collect(), ..options() }
    }

    const BY_PRODUCT: &str = "SELECT s.product, s.net, s.channels, sum(s.net) OVER () AS net_all, \
         row_number() OVER (ORDER BY s.net DESC NULLS LAST) AS place FROM ( \
         SELECT e.product_id AS product, sum(e.net_rc) AS net, count(DISTINCT e.channel_id) AS channels \
         FROM sales_event e GROUP BY e.product_id) s ORDER BY s.net DESC NULLS LAST, s.product";

    #[tokio::test]
    async fn d02_the_first_rows_and_the_others_add_up_to_the_total() {
        let shop = shop().await;
        let with_total = QueryOptions { totals: true, ..top(1, &["product"]) };
        assert_eq!(
            shop.lines(BY_PRODUCT, &with_total).await,
            ["p1|140.0000|1|220.0000|1|row", "|80.0000|1|220.0000||others", "|220.0000|2|220.0000|1|total"],
            "one channel sold the others, however many articles they are; all is all"
        );
        assert_eq!(
            shop.lines(BY_PRODUCT, &top(2, &["product"])).await,
            ["p1|140.0000|1|220.0000|1|row", "p2|50.0000|1|220.0000|2|row", "|30.0000|1|220.0000||others"]
        );
    }

    #[tokio::test]
    async fn the_order_asked_for_decides_who_is_first() {
        let shop = shop().await;
        let asked = QueryOptions { order_by: by("net", false), ..top(1, &["product"]) };
        assert_eq!(
            shop.lines(BY_PRODUCT, &asked).await[..2],
            ["p3|30.0000|1|220.0000|3|row", "|190.0000|2|220.0000||others"]
        );
    }

    #[tokio::test]
    async fn d25_a_group_without_a_key_is_one_of_the_first() {
        let shop = shop().await;
        let sql =
            "SELECT region_id AS region, sum(net_rc) AS net FROM sales_event GROUP BY region_id ORDER BY net, region";
        assert_eq!(
            shop.lines(sql, &top(2, &["region"])).await,
            ["r9|20.0000|row", "|30.0000|row", "|170.0000|others"],
            "the region that is NULL is not counted again among the others"
        );
    }

    #[tokio::test]
    async fn members_without_facts_take_nothing_from_the_others() {
        let shop = shop().await;
        let sql = "SELECT c.channel_id AS channel, coalesce(s.net, 0) AS net FROM \
             (SELECT channel_id FROM channel GROUP BY channel_id) c LEFT JOIN \
             (SELECT channel_id, sum(net_rc) AS net FROM sales_event GROUP BY channel_id) s ON s.channel_id = c.channel_id \
             ORDER BY net, channel";
        assert_eq!(
            shop.lines(sql, &top(2, &["channel"])).await,
            ["app|0.0000|row", "pos|80.0000|row", "|140.0000|others"]
        );
    }

    #[tokio::test]
    async fn what_has_no_others_is_refused() {
        let shop = shop().await;
        let error = shop.error("SELECT channel_id, net_rc FROM sales_event", &top(1, &[])).await;
        assert!(error.contains("no groups"), "{error}");
        let limited = QueryOptions { limit: Some(2), ..top(1, &["product"]) };
        assert!(shop.error(BY_PRODUCT, &limited).await.contains("limit and top_n"));
    }
}
