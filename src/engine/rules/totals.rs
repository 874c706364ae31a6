//! `totals`: the same plan with the grouping of its one topmost Aggregate removed, computed from the base and never from
//! displayed rows (domain 4.1). It must not guess: a plan of another shape is refused by name.
//!
//! Above the Aggregate: projections and aliases are kept; sorting is dropped; a filter on measures (HAVING) is dropped, so
//! that the total is that of everything read; window functions see the one total row; an outer join with something that
//! aggregates nothing (labels, a list of all buckets) is dropped and its columns are NULL.
//! Columns of the result that depend on the groups alone are NULL in the totals row.
//!
//! The row of the others (`super::others`) is made in the same way, of the base without what the first rows are made of.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, Filter, Join, JoinType, LogicalPlan, Projection, SubqueryAlias, Window, lit,
};

use super::{external, others};
use crate::engine::classify::classify;
use crate::error::{Error, Result};

/// What a column of the plan being totalled is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Origin {
    group: bool,
    measure: bool,
}

const GROUP: Origin = Origin { group: true, measure: false };
const MEASURE: Origin = Origin { group: false, measure: true };

impl Origin {
    fn and(self, other: Origin) -> Origin {
        Origin { group: self.group || other.group, measure: self.measure || other.measure }
    }
}

/// A plan without its grouping, and where its columns come from.
struct Total {
    plan: LogicalPlan,
    origins: Vec<Origin>,
}

/// What the one row is of.
#[derive(Debug, Clone, Copy)]
enum Of<'a> {
    Everything,
    /// All groups but those that this plan gives: one column per group expression of the topmost Aggregate.
    AllBut(&'a LogicalPlan),
}

/// Whether a statement's plan can be totalled once its outer ORDER BY and LIMIT are off.
pub fn possible(mut plan: &LogicalPlan) -> bool {
    while let LogicalPlan::Limit(limit) = plan {
        plan = &limit.input;
    }
    total(plan, Of::Everything).is_ok()
}

/// The totals row of `plan`, in its columns; `key` columns are NULL whatever they are made of.
///
/// # Errors
/// `Invalid`: there is not exactly one topmost Aggregate, or something stands above it through which a total has no meaning.
pub fn of(plan: &LogicalPlan, key: &[String]) -> Result<LogicalPlan> {
    row(total(plan, Of::Everything).map_err(classify)?, key)
}

/// As [`of`], of the groups that `first` does not give.
pub(super) fn of_all_but(first: &LogicalPlan, plan: &LogicalPlan, key: &[String]) -> Result<LogicalPlan> {
    row(total(plan, Of::AllBut(first)).map_err(classify)?, key)
}

fn row(total: Total, key: &[String]) -> Result<LogicalPlan> {
    let columns = total.plan.schema().iter().zip(&total.origins).map(|((qualifier, field), origin)| {
        if *origin == GROUP || key.contains(field.name()) {
            null_of(field.data_type()).map(|null| null.alias_qualified(qualifier.cloned(), field.name()))
        } else {
            Ok(Expr::Column(Column::from((qualifier, field))))
        }
    });
    let columns = columns.collect::<DfResult<Vec<_>>>().map_err(classify)?;
    let row = Projection::try_new(columns, Arc::new(total.plan)).map_err(classify)?;
    Ok(LogicalPlan::Projection(row))
}

fn refuse(why: &str) -> datafusion::error::DataFusionError {
    external(
        Error::invalid(format!("totals: {why}"))
            .hint("totals need one GROUP BY whose rows are shown; `totals = false` in the header says so"),
    )
}

fn null_of(kind: &arrow::datatypes::DataType) -> DfResult<Expr> {
    Ok(lit(ScalarValue::try_new_null(kind)?))
}

fn total(plan: &LogicalPlan, of: Of<'_>) -> DfResult<Total> {
    match plan {
        LogicalPlan::Aggregate(node) if !node.aggr_expr.is_empty() => aggregate(node, of),
        LogicalPlan::Projection(node) => projection(node, of),
        LogicalPlan::SubqueryAlias(node) => {
            let Total { plan, origins } = total(&node.input, of)?;
            let plan = LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(plan), node.alias.clone())?);
            Ok(Total { plan, origins })
        }
        LogicalPlan::Window(node) => window(node, of),
        LogicalPlan::Filter(node) => filter(node, of),
        LogicalPlan::Sort(node) => total(&node.input, of),
        LogicalPlan::Distinct(Distinct::All(input)) => total(input, of),
        LogicalPlan::Join(node) => join(node, of),
        LogicalPlan::Limit(_) => Err(refuse("the groups are cut by a LIMIT inside the statement")),
        LogicalPlan::Union(_) => Err(refuse("the result is a UNION")),
        _ => Err(refuse("the result has no groups")),
    }
}

fn aggregate(node: &Aggregate, of: Of<'_>) -> DfResult<Total> {
    if node.group_expr.iter().any(|e| matches!(e, Expr::GroupingSet(_))) {
        return Err(refuse("the statement makes totals of its own (GROUPING SETS, ROLLUP or CUBE)"));
    }
    let input = match of {
        Of::Everything => Arc::clone(&node.input),
        Of::AllBut(first) => Arc::new(others::without(node, first)?),
    };
    let whole = Aggregate::try_new(input, vec![], node.aggr_expr.clone())?;
    let groups = node.schema.fields().len() - whole.schema.fields().len();
    let columns = node.schema.iter().enumerate().map(|(at, (qualifier, field))| match at < groups {
        true => Ok(null_of(field.data_type())?.alias_qualified(qualifier.cloned(), field.name())),
        false => Ok(Expr::Column(Column::from((qualifier, field)))),
    });
    let columns = columns.collect::<DfResult<Vec<_>>>()?;
    let origins = (0..columns.len()).map(|at| if at < groups { GROUP } else { MEASURE }).collect();
    let plan = Projection::try_new(columns, Arc::new(LogicalPlan::Aggregate(whole)))?;
    Ok(Total { plan: LogicalPlan::Projection(plan), origins })
}

fn projection(node: &Projection, of: Of<'_>) -> DfResult<Total> {
    let Total { plan, origins } = total(&node.input, of)?;
    let made = node.expr.iter().map(|e| origin(e, plan.schema(), &origins)).collect::<DfResult<_>>()?;
    let plan = LogicalPlan::Projection(Projection::try_new(node.expr.clone(), Arc::new(plan))?);
    Ok(Total { plan, origins: made })
}

fn window(node: &Window, of: Of<'_>) -> DfResult<Total> {
    let Total { plan, mut origins } = total(&node.input, of)?;
    for expr in &node.window_expr {
        let made = origin(expr, plan.schema(), &origins)?;
        // A position among rows says nothing about the total.
        origins.push(if made.measure { made } else { GROUP });
    }
    if let Of::AllBut(_) = of {
        // What a window says of all rows it says of all of them, not of the others alone.
        return Ok(Total { plan: others::of_all_rows(node, plan)?, origins });
    }
    let plan = LogicalPlan::Window(Window::try_new(node.window_expr.clone(), Arc::new(plan))?);
    Ok(Total { plan, origins })
}

fn filter(node: &Filter, of: Of<'_>) -> DfResult<Total> {
    let below = total(&node.input, of)?;
    match origin(&node.predicate, below.plan.schema(), &below.origins)?.measure {
        true => Ok(below),
        false => Err(refuse("groups are filtered after they are made")),
    }
}

fn join(node: &Join, of: Of<'_>) -> DfResult<Total> {
    if !matches!(node.join_type, JoinType::Left | JoinType::Right | JoinType::Full) {
        return match aggregates(&node.left)? || aggregates(&node.right)? {
            true => Err(refuse("groups are joined after they are made, other than by an outer join")),
            false => Err(refuse("the result has no groups")),
        };
    }
    let side = match (aggregates(&node.left)?, aggregates(&node.right)?) {
        (true, false) => &node.left,
        (false, true) => &node.right,
        (true, true) => return Err(refuse("several groupings are joined")),
        (false, false) => return Err(refuse("the result has no groups")),
    };
    let Total { plan, origins } = total(side, of)?;
    let known: HashMap<Column, Origin> = plan.schema().iter().map(Column::from).zip(origins.iter().copied()).collect();
    let mut made = Vec::new();
    let columns = node.schema.iter().map(|(qualifier, field)| {
        let column = Column::from((qualifier, field));
        match known.get(&column) {
            Some(origin) => {
                made.push(*origin);
                Ok(Expr::Column(column))
            }
            None => {
                made.push(GROUP);
                Ok(null_of(field.data_type())?.alias_qualified(qualifier.cloned(), field.name()))
            }
        }
    });
    let columns = columns.collect::<DfResult<Vec<_>>>()?;
    let plan = LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?);
    Ok(Total { plan, origins: made })
}

/// Whether anything below computes measures. A GROUP BY without any is a DISTINCT.
pub(super) fn aggregates(plan: &LogicalPlan) -> DfResult<bool> {
    let mut found = false;
    datafusion::common::tree_node::TreeNode::apply(plan, |node| {
        found = matches!(node, LogicalPlan::Aggregate(a) if !a.aggr_expr.is_empty());
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn origin(expr: &Expr, schema: &DFSchema, origins: &[Origin]) -> DfResult<Origin> {
    let mut made = Origin::default();
    for column in expr.column_refs() {
        made = made.and(origins[schema.index_of_column(column)?]);
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{options, shop, sliced_by};
    use crate::engine::options::QueryOptions;

    fn totals(key: &[&str], limit: Option<u64>) -> QueryOptions {
        QueryOptions { totals: true, key: key.iter().map(|k| k.to_string()).collect(), limit, ..options() }
    }

    #[tokio::test]
    async fn the_total_is_of_everything_read_not_of_the_rows_shown() {
        let shop = shop().await;
        let sql = "SELECT member(e.channel_id, c.channel_name) AS channel, 'USD' AS currency, sum(e.net_rc) AS net, \
             count(DISTINCT e.product_id) AS products, ratio(sum(e.net_rc), sum(sum(e.net_rc)) OVER ()) AS share \
             FROM sales_event e LEFT JOIN channel c ON c.channel_id = e.channel_id GROUP BY e.channel_id, c.channel_name \
             HAVING sum(e.net_rc) > 0 ORDER BY net DESC LIMIT 1";
        let lines = shop.lines(sql, &totals(&["channel"], None)).await;
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("Web shop|USD|140.0000|1|0.63636363") && lines[0].ends_with("|row"), "{lines:?}");
        assert_eq!(lines[1], "|USD|220.0000|3|1.0|total", "distinct products are counted anew, labels are NULL");
        let sliced = QueryOptions { slices: sliced_by("channel", &["pos"]).slices, ..totals(&["channel"], None) };
        assert_eq!(shop.lines(sql, &sliced).await[1], "|USD|80.0000|2|1.0|total");
    }

    #[tokio::test]
    async fn a_list_of_all_members_and_labels_may_be_joined() {
        let shop = shop().await;
        let sql = "WITH s AS (SELECT channel_id, sum(net_rc) AS net FROM sales_event GROUP BY channel_id), \
             l AS (SELECT channel_id FROM channel GROUP BY channel_id) \
             SELECT coalesce(l.channel_id, s.channel_id) AS channel, coalesce(s.net, 0) AS net FROM l FULL JOIN s ON s.channel_id = l.channel_id \
             ORDER BY 1";
        let lines = shop.lines(sql, &totals(&["channel"], Some(2))).await;
        assert_eq!(lines, ["app|0.0000|row", "pos|80.0000|row", "|220.0000|total"], "the total is not limited");
    }

    #[tokio::test]
    async fn other_shapes_are_refused() {
        let shop = shop().await;
        for (sql, why) in [
            ("SELECT channel_id, net_rc FROM sales_event", "no groups"),
            ("SELECT 1 AS x, count(*) AS n FROM sales_event UNION ALL SELECT 2, count(*) FROM channel", "UNION"),
            ("SELECT channel_id, sum(net_rc) AS n FROM sales_event GROUP BY ROLLUP (channel_id)", "ROLLUP"),
            ("SELECT * FROM (SELECT channel_id, sum(net_rc) AS n FROM sales_event GROUP BY 1 LIMIT 1)", "LIMIT"),
            (
                "SELECT * FROM (SELECT channel_id, sum(net_rc) AS n FROM sales_event GROUP BY 1) WHERE channel_id = 'web'",
                "filtered",
            ),
            (
                "SELECT a.channel_id, a.n FROM (SELECT channel_id, sum(net_rc) AS n FROM sales_event GROUP BY 1) a \
                 LEFT JOIN (SELECT channel_id, count(*) AS m FROM sales_event GROUP BY 1) b ON a.channel_id = b.channel_id",
                "several",
            ),
        ] {
            let error = shop.error(sql, &totals(&[], None)).await;
            assert!(error.contains("totals: ") && error.contains(why), "{sql}: {error}");
        }
    }
}
