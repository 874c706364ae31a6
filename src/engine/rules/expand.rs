//! Opaque views become their plans under the query's policies. Until then a view is one relation with a name: that is what
//! slicers (and, later, rollups) match. It must not change what a view means.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{Column, Result, internal_err};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableScan};

use crate::engine::options::Policies;
use crate::engine::view::ViewProvider;

/// `plan` with every view expanded, nested ones and those in subqueries too, under one set of policies.
/// A view takes its own defaults for the policies that are not chosen.
///
/// # Errors
/// A value that a view does not declare for its policy.
pub fn expanded(plan: LogicalPlan, policies: &Policies) -> Result<LogicalPlan> {
    expanded_by(plan, policies, &mut Ok)
}

/// As [`expanded`], with each plan, the statement's and then those of views, changed by `change` before the views in it are expanded.
///
/// # Errors
/// As [`expanded`]; what `change` fails with.
pub fn expanded_by(
    plan: LogicalPlan,
    policies: &Policies,
    change: &mut dyn FnMut(LogicalPlan) -> Result<LogicalPlan>,
) -> Result<LogicalPlan> {
    let plan = change(plan)?;
    replace_scans(plan, &mut |scan| match expand_lean(scan, policies)? {
        None => Ok(None),
        Some(view) => expanded_by(view, policies, change).map(Some),
    })
}

/// Replaces table scans, also those in subqueries, by what `replace` gives for them (`None` = the scan stays), and
/// recomputes the schemas above: a view's plan may know more about nullability than its declared schema.
pub(in crate::engine) fn replace_scans(
    plan: LogicalPlan,
    replace: &mut dyn FnMut(&TableScan) -> Result<Option<LogicalPlan>>,
) -> Result<LogicalPlan> {
    let replaced = plan.transform_down_with_subqueries(|node| match &node {
        // Jump: what replaces a scan was treated when it was made.
        LogicalPlan::TableScan(scan) => Ok(match replace(scan)? {
            Some(other) => Transformed::new(other, true, TreeNodeRecursion::Jump),
            None => Transformed::no(node),
        }),
        _ => Ok(Transformed::no(node)),
    })?;
    if !replaced.transformed {
        return Ok(replaced.data);
    }
    let whole = replaced.data.transform_up_with_subqueries(|node| node.recompute_schema().map(Transformed::yes))?;
    Ok(whole.data)
}

/// Asks the view behind a scan; `None` if the scan is of no view.
pub(in crate::engine) fn with_view<T>(
    scan: &TableScan,
    f: impl FnOnce(&ViewProvider) -> Result<T>,
) -> Result<Option<T>> {
    let Ok(provider) = source_as_provider(&scan.source) else { return Ok(None) };
    provider.downcast_ref::<ViewProvider>().map(f).transpose()
}

/// A view's scan as the view's own plan, one level deep, under the name by which the query knows it.
pub(in crate::engine) fn expand_once(scan: &TableScan, policies: &Policies) -> Result<Option<LogicalPlan>> {
    with_view(scan, |view| expanded_to(scan, view.plan(policies)?.as_ref(), view.name()))
}

/// As [`expand_once`], without what the policies leave no row of: not for questions about what a view reads.
pub(in crate::engine) fn expand_lean(scan: &TableScan, policies: &Policies) -> Result<Option<LogicalPlan>> {
    with_view(scan, |view| expanded_to(scan, view.lean(policies)?.as_ref(), view.name()))
}

fn expanded_to(scan: &TableScan, plan: &LogicalPlan, view: &str) -> Result<LogicalPlan> {
    check_columns(scan, plan, view)?;
    let mut builder = LogicalPlanBuilder::from(plan.clone()).alias(scan.table_name.clone())?;
    if let Some(filter) = scan.filters.iter().cloned().reduce(Expr::and) {
        builder = builder.filter(filter)?;
    }
    if scan.projection.is_some() {
        let columns = scan.projected_schema.iter().map(|field| Expr::Column(Column::from(field)));
        builder = builder.project(columns.collect::<Vec<_>>())?;
    }
    if scan.fetch.is_some() {
        builder = builder.limit(0, scan.fetch)?;
    }
    builder.build()
}

/// A policy may change rows, never columns: the plans above were made for the columns under the defaults.
fn check_columns(scan: &TableScan, plan: &LogicalPlan, view: &str) -> Result<()> {
    let declared = scan.source.schema();
    let given = plan.schema().as_arrow();
    let same = |(a, b): (&Arc<Field>, &Arc<Field>)| a.name() == b.name() && a.data_type() == b.data_type();
    if declared.fields().len() == given.fields().len() && declared.fields().iter().zip(given.fields()).all(same) {
        return Ok(());
    }
    internal_err!("view {view}: its columns differ from those under its default policies")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{options, shop};
    use crate::engine::options::QueryOptions;

    #[tokio::test]
    async fn nested_views_take_the_policies() {
        let shop = shop().await;
        let sql = "SELECT sum(net_rc) AS net FROM by_day WHERE (SELECT count(*) FROM sales_event) > 7";
        assert_eq!(shop.lines(sql, &options()).await, ["220.0000"]);
        let policies = [("return_basis".to_string(), "none".to_string())].into();
        assert_eq!(shop.lines(sql, &QueryOptions { policies, ..options() }).await, [""], "7 rows only");
    }
}
