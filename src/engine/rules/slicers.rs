//! Slicers: a filter above the outermost named view or fact that has the slicer's column, on every path to a fact, or a
//! refusal that names slicer and relation (domain 4.1). It must never leave a slicer unapplied in silence.
//!
//! | relation | what happens |
//! |---|---|
//! | view headed `sliced = false`, view that reads no fact | left alone |
//! | view or `base.` fact with the column | filter above it; of a view that tells the version of the dimension's row, by that |
//! | view without the column | expanded one level, tried again |
//! | `base.` fact, plan or control table without the column | refused |
//! | dimension named as spine | filtered by its own key |
//! | any other dimension, reference table, calendar | left alone; slicing a query that reads nothing else is refused |

use std::collections::BTreeSet;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, ExprSchema, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableScan};

use super::expand::{expand_once, replace_scans, with_view};
use super::external;
use super::members::Members;
use crate::engine::options::Policies;
use crate::engine::session::BASE;
use crate::error::Error;
use crate::model::slicer::{SLICERS, Slicer};
use crate::model::{TableKind, table};

/// `plan` with `slices` applied on every path to a fact; the dimensions in `spine` show only the chosen members.
///
/// # Errors
/// `Invalid`: a slicer that some fact of the query cannot be sliced by, or that finds nothing to slice.
pub fn sliced(plan: LogicalPlan, slices: &[Members], policies: &Policies, spine: &[String]) -> Result<LogicalPlan> {
    if slices.is_empty() {
        return Ok(plan);
    }
    let paths = Paths { policies, spine };
    for slice in slices {
        check(&plan, slice.slicer(), paths)?;
    }
    rewritten(plan, &slices.iter().collect::<Vec<_>>(), paths)
}

/// Whether every fact of `plan` can be sliced by `slicer`. A policy value that a view does not declare means no.
pub fn applies(plan: &LogicalPlan, slicer: &'static Slicer, policies: &Policies, spine: &[String]) -> bool {
    fits(plan, slicer, Paths { policies, spine })
}

fn fits(plan: &LogicalPlan, slicer: &'static Slicer, paths: Paths<'_>) -> bool {
    survey(plan, slicer, paths).is_ok_and(|found| found.refused.is_empty() && found.sliced)
}

fn check(plan: &LogicalPlan, slicer: &'static Slicer, paths: Paths<'_>) -> Result<()> {
    let found = survey(plan, slicer, paths)?;
    let message = match found.refused.first() {
        Some(relation) => format!("slicer {}: {relation} cannot be sliced by it", slicer.name),
        None if found.sliced => return Ok(()),
        None => format!("slicer {}: the query reads nothing that can be sliced by it", slicer.name),
    };
    let works = SLICERS.iter().filter(|s| fits(plan, s, paths)).map(|s| s.name).collect::<Vec<_>>();
    let hint = match works.is_empty() {
        true => "no slicer works here".to_string(),
        false => format!("slicers that work here: {}", works.join(", ")),
    };
    Err(external(Error::invalid(message).hint(hint)))
}

/// What a slicer meets on the paths of a plan.
#[derive(Default)]
struct Survey {
    sliced: bool,
    refused: BTreeSet<String>,
}

/// What is to be done with one relation under one slicer.
enum Meets {
    /// Filter this column.
    Column(&'static str),
    /// Look inside the view.
    Inside,
    Refused(String),
    Nothing,
}

/// What the relations of one query are judged by.
#[derive(Clone, Copy)]
struct Paths<'a> {
    policies: &'a Policies,
    /// Dimensions that show only chosen members: only those that the statement itself names, not those inside views.
    spine: &'a [String],
}

impl Paths<'_> {
    fn inside(self) -> Self {
        Paths { spine: &[], ..self }
    }
}

fn is_fact(scan: &TableScan) -> bool {
    let kind = table(scan.table_name.table()).map(|t| t.kind);
    scan.table_name.schema() == Some(BASE)
        && matches!(kind, Some(TableKind::Fact | TableKind::Plan | TableKind::Control))
}

/// Whether any path of `plan` ends in a fact.
fn reads_fact(plan: &LogicalPlan, policies: &Policies) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            found = is_fact(scan) || expand_once(scan, policies)?.map_or(Ok(false), |v| reads_fact(&v, policies))?;
        }
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn meet(scan: &TableScan, slicer: &Slicer, paths: Paths<'_>) -> Result<Meets> {
    let name = scan.table_name.table();
    let column = slicer.column_of(name, scan.projected_schema.fields().iter().map(|f| f.name().as_str()));
    if let Some(enters) = with_view(scan, |view| Ok(view.sliced()))? {
        let leave =
            !enters || !expand_once(scan, paths.policies)?.map_or(Ok(false), |v| reads_fact(&v, paths.policies))?;
        return Ok(match (leave, column) {
            (true, _) => Meets::Nothing,
            (false, Some(column)) => Meets::Column(column),
            (false, None) => Meets::Inside,
        });
    }
    if is_fact(scan) {
        return Ok(column.map_or_else(|| Meets::Refused(scan.table_name.to_string()), Meets::Column));
    }
    // Only a slicer whose facts use the dimension's key by its own name: `channel`, not `return_channel`.
    let narrows = slicer.dimension == Some(name) && slicer.fact_key == slicer.dimension_key;
    let in_spine = scan.table_name.schema() != Some(BASE) && paths.spine.iter().any(|s| s == name);
    Ok(if narrows && in_spine { Meets::Column(slicer.dimension_key) } else { Meets::Nothing })
}

fn survey(plan: &LogicalPlan, slicer: &'static Slicer, paths: Paths<'_>) -> Result<Survey> {
    let mut found = Survey::default();
    plan.apply_with_subqueries(|node| {
        let LogicalPlan::TableScan(scan) = node else { return Ok(TreeNodeRecursion::Continue) };
        match meet(scan, slicer, paths)? {
            Meets::Nothing => {}
            Meets::Column(_) => found.sliced = true,
            Meets::Refused(relation) => {
                found.refused.insert(relation);
            }
            Meets::Inside => {
                if let Some(view) = expand_once(scan, paths.policies)? {
                    let inside = survey(&view, slicer, paths.inside())?;
                    found.sliced |= inside.sliced;
                    // The caller wrote the view's name, not those of the facts inside it. A view of which nothing is sliced
                    // would be a whole beside slices, unless its own header says that it is meant to be.
                    if !inside.refused.is_empty() || !inside.sliced {
                        found.refused.insert(scan.table_name.to_string());
                    }
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// `plan` with the filters in; [`check`] has found that every slicer fits.
fn rewritten(plan: LogicalPlan, slices: &[&Members], paths: Paths<'_>) -> Result<LogicalPlan> {
    replace_scans(plan, &mut |scan| rewritten_scan(scan, slices, paths))
}

fn rewritten_scan(scan: &TableScan, slices: &[&Members], paths: Paths<'_>) -> Result<Option<LogicalPlan>> {
    let (mut here, mut inside) = (Vec::new(), Vec::new());
    for slice in slices {
        match meet(scan, slice.slicer(), paths)? {
            Meets::Column(name) => here.push(filter_of(scan, name, slice)?),
            Meets::Inside => inside.push(*slice),
            Meets::Refused(_) | Meets::Nothing => {}
        }
    }
    let entered = match inside.is_empty() {
        true => None,
        false => {
            let view = expand_once(scan, paths.policies)?;
            view.map(|view| rewritten(view, &inside, paths.inside())).transpose()?
        }
    };
    let Some(filter) = here.into_iter().reduce(Expr::and) else { return Ok(entered) };
    let relation = entered.unwrap_or_else(|| LogicalPlan::TableScan(scan.clone()));
    LogicalPlanBuilder::from(relation).filter(filter)?.build().map(Some)
}

fn filter_of(scan: &TableScan, name: &str, slice: &Members) -> Result<Expr> {
    // What tells the version of its dimension's row is judged by that.
    let name = slice
        .version()
        .filter(|version| scan.projected_schema.has_column_with_unqualified_name(version))
        .unwrap_or(name);
    let column = Column::new(Some(scan.table_name.clone()), name);
    let kind = scan.projected_schema.field_from_column(&column)?.data_type().clone();
    slice.predicate(name, &Expr::Column(column), &kind)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{options, shop, slice, sliced_by};
    use crate::engine::options::QueryOptions;

    const BY_CHANNEL: &str = "SELECT channel_id, sum(net_rc) AS net FROM sales_event GROUP BY 1 ORDER BY 1";

    #[tokio::test]
    async fn views_are_sliced_by_their_own_column() {
        let shop = shop().await;
        assert_eq!(shop.lines(BY_CHANNEL, &options()).await, ["pos|80.0000", "web|140.0000"]);
        assert_eq!(shop.lines(BY_CHANNEL, &sliced_by("channel", &["web shop"])).await, ["web|140.0000"]);
        assert_eq!(shop.lines(BY_CHANNEL, &sliced_by("return_channel", &["pos"])).await, ["web|-25.0000"]);
        let both = QueryOptions { slices: vec![slice("channel", &["web"]), slice("region", &["East"])], ..options() };
        assert_eq!(shop.lines(BY_CHANNEL, &both).await, ["web|110.0000"]);
    }

    #[tokio::test]
    async fn unknown_and_absent_members() {
        let shop = shop().await;
        let total = "SELECT sum(net_rc) AS net FROM sales_event";
        assert_eq!(shop.lines(total, &sliced_by("region", &["UNK"])).await, ["20.0000"]);
        assert_eq!(shop.lines(total, &sliced_by("region", &["N/A"])).await, ["30.0000"]);
        assert_eq!(shop.lines(total, &sliced_by("region", &["UNK", "N/A", "West"])).await, ["110.0000"]);
    }

    #[tokio::test]
    async fn views_without_the_column_are_entered() {
        let shop = shop().await;
        let total = "SELECT sum(net_rc) AS net FROM by_day";
        assert_eq!(shop.lines(total, &sliced_by("channel", &["web"])).await, ["140.0000"]);
    }

    #[tokio::test]
    async fn every_path_is_sliced() {
        let shop = shop().await;
        let sql = "WITH a AS (SELECT net_rc FROM sales_event) \
             SELECT (SELECT sum(net_rc) FROM a) AS a, (SELECT count(*) FROM base.return_line) AS b, \
             (SELECT sum(n) FROM (SELECT net_rc AS n FROM sales_event UNION ALL SELECT net_amount_rc FROM base.order_line)) AS c, \
             (SELECT count(*) FROM channel c WHERE EXISTS (SELECT 1 FROM sales_event e WHERE e.channel_id = c.channel_id)) AS d, \
             (SELECT count(*) FROM channel WHERE channel_id IN (SELECT channel_id FROM base.order_line)) AS e";
        assert_eq!(shop.lines(sql, &sliced_by("channel", &["pos"])).await, ["80.0000|0|160.0000|1|1"]);
    }

    #[tokio::test]
    async fn sales_and_returns_are_sliced_where_sold() {
        let shop = shop().await;
        let sql = "SELECT count(*) AS n FROM base.return_line";
        assert_eq!(shop.lines(sql, &sliced_by("channel", &["web"])).await, ["2"]);
        assert_eq!(shop.lines(sql, &sliced_by("return_channel", &["web"])).await, ["1"]);
    }

    #[tokio::test]
    async fn what_cannot_be_sliced_is_refused_by_name() {
        let shop = shop().await;
        let two = "SELECT (SELECT sum(net_rc) FROM sales_event) AS a, (SELECT sum(on_hand) FROM base.inventory_snapshot) AS b";
        let error = shop.error(two, &sliced_by("channel", &["web"])).await;
        assert!(error.contains("slicer channel: base.inventory_snapshot"), "{error}");
        assert!(error.contains("product") && !error.contains("return_channel"), "{error}");
        let plan =
            "SELECT (SELECT sum(net_rc) FROM sales_event) AS a, (SELECT sum(target_value) FROM base.target) AS b";
        let error = shop.error(plan, &sliced_by("channel", &["web"])).await;
        assert!(error.contains("slicer channel: base.target"), "a plan stays whole: {error}");
        let error = shop.error("SELECT * FROM channel", &sliced_by("channel", &["web"])).await;
        assert!(error.contains("reads nothing that can be sliced"), "{error}");
        let error = shop.error("SELECT * FROM by_day", &sliced_by("staff", &["true"])).await;
        assert!(error.contains("slicer staff: by_day"), "{error}");
    }

    #[tokio::test]
    async fn views_that_are_not_sliced_stay_whole() {
        let shop = shop().await;
        let sql = "SELECT count(f.product_id) AS firsts, count(*) AS lines FROM sales_event e LEFT JOIN first_sale f \
             ON f.product_id = e.product_id AND f.day <> e.business_date JOIN channel_names n ON n.channel_id = e.channel_id";
        assert_eq!(shop.lines(sql, &sliced_by("channel", &["pos"])).await, ["1|3"]);
        let hidden = "SELECT (SELECT sum(net_rc) FROM sales_event) AS a, (SELECT count(*) FROM first_days) AS b";
        let error = shop.error(hidden, &sliced_by("channel", &["pos"])).await;
        assert!(error.contains("slicer channel: first_days"), "a view over such a view is none itself: {error}");
    }

    #[tokio::test]
    async fn a_spine_shows_the_chosen_members() {
        let shop = shop().await;
        let sql = "SELECT c.channel_name, sum(e.net_rc) AS net FROM channel c LEFT JOIN sales_event e ON e.channel_id = c.channel_id \
             GROUP BY 1 ORDER BY 1";
        let spine = QueryOptions { spine: vec!["channel".into()], ..sliced_by("channel", &["app", "pos"]) };
        assert_eq!(shop.lines(sql, &spine).await, ["App|", "Tills|80.0000"]);
        assert_eq!(
            shop.lines(sql, &sliced_by("channel", &["app", "pos"])).await,
            ["App|", "Tills|80.0000", "Web shop|"]
        );
    }
}
