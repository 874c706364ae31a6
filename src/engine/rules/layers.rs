//! DataFusion 55 takes two equal projections in a row for one: `SELECT x + 1 AS x FROM (SELECT x + 1 AS x FROM t)` adds 1 once
//! (mended upstream by apache/datafusion#24686, in no release that we may use yet). This wraps the stock rule: projections that
//! compute columns of the same names are told apart by aliases in aliases first. It must not change what they compute.

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNodeRewriter};
use datafusion::logical_expr::expr::Alias;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::optimizer::optimize_projections::OptimizeProjections;
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The stock rule over layers that are told apart.
#[derive(Debug, Default)]
pub struct LayeredProjections(OptimizeProjections);

impl OptimizerRule for LayeredProjections {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let apart = plan.rewrite_with_subqueries(&mut Layers { around: Vec::new() })?;
        apart.transform_data(|plan| self.0.rewrite(plan, config))
    }
}

/// The columns that the projections around a node give.
struct Layers {
    around: Vec<Vec<String>>,
}

impl TreeNodeRewriter for Layers {
    type Node = LogicalPlan;

    fn f_down(&mut self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        if let Some(names) = computed(&node) {
            self.around.push(names);
        }
        Ok(Transformed::no(node))
    }

    fn f_up(&mut self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        if computed(&node).is_none() {
            return Ok(Transformed::no(node));
        }
        let Some(names) = self.around.pop() else { return Ok(Transformed::no(node)) };
        let alike = self.around.iter().filter(|around| **around == names).count();
        let LogicalPlan::Projection(Projection { mut expr, input, schema, .. }) = node else {
            return Ok(Transformed::no(node));
        };
        // Any one column is enough.
        let marked = expr.iter_mut().find(|e| !matches!(e, Expr::Column(_))).is_some_and(|e| mark(e, alike));
        let projection = LogicalPlan::Projection(Projection::try_new_with_schema(expr, input, schema)?);
        Ok(if marked { Transformed::yes(projection) } else { Transformed::no(projection) })
    }
}

/// The names of a projection's columns. None if it is no projection, or one that computes nothing: doing that twice is the same.
fn computed(node: &LogicalPlan) -> Option<Vec<String>> {
    let LogicalPlan::Projection(projection) = node else { return None };
    let computes = projection.expr.iter().any(|e| !matches!(e, Expr::Column(_)));
    computes.then(|| projection.schema.fields().iter().map(|field| field.name().clone()).collect())
}

/// Gives `expr` one alias more than there are layers `alike` around it, all of its own name; no more than it had, if there are none.
/// Returns whether that changed anything.
fn mark(expr: &mut Expr, alike: usize) -> bool {
    let (relation, name) = expr.qualified_name();
    let mut aliases = 0;
    let mut inner = &*expr;
    while let Expr::Alias(alias) = inner
        && alias.metadata.is_none()
        && (&alias.relation, &alias.name) == (&relation, &name)
    {
        aliases += 1;
        inner = &alias.expr;
    }
    let wanted = if alike == 0 { aliases.min(1) } else { alike + 1 };
    if aliases == wanted {
        return false;
    }
    let mut marked = inner.clone();
    for _ in 0..wanted {
        marked = Expr::Alias(Alias::new(marked, relation.clone(), name.clone()));
    }
    *expr = marked;
    true
}

#[cfg(test)]
mod tests {
    use super::super::testing::{options, shop};

    /// As PostgreSQL answers: each layer computes.
    #[tokio::test]
    async fn every_layer_computes() {
        let shop = shop().await;
        let from = "(VALUES (1, 10)) AS t(x, y)";
        let nested = |select: &str, times: usize| {
            (0..times).fold(from.to_string(), |inner, _| format!("({select} FROM {inner})"))
        };
        for (select, times, answer) in [
            ("SELECT x + 1 AS x, y", 2, "3|10"),
            ("SELECT x + 1 AS x, y", 6, "7|10"),
            // Too dear to be put in twice, so the layers stay.
            ("SELECT x + x AS x, y", 5, "32|10"),
            ("SELECT x * 2 AS x, y + x AS y", 4, "16|25"),
            // No computation, but not the same twice either.
            ("SELECT y AS x, x AS y", 2, "1|10"),
            ("SELECT y AS x, x AS y", 3, "10|1"),
        ] {
            let sql = format!("SELECT x, y FROM {}", nested(select, times));
            assert_eq!(shop.lines(&sql, &options()).await, [answer], "{sql}");
        }
        let filtered = format!(
            "SELECT x + 1 AS x FROM (SELECT x FROM (SELECT x + 1 AS x FROM (SELECT x + 1 AS x FROM {from}) WHERE x > 0) WHERE x < 9)"
        );
        assert_eq!(shop.lines(&filtered, &options()).await, ["4"]);
        let unnamed = format!("SELECT \"t.x + Int64(1)\" FROM (SELECT x + 1 FROM {from})");
        assert_eq!(shop.lines(&unnamed, &options()).await, ["2"], "names are what they were");
    }
}
