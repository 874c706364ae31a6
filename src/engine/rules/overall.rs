//! DataFusion 55 moves a condition without columns below an aggregate over all rows, which has a row of nothing to add up, too:
//! `SELECT * FROM (SELECT 'a' AS x, count(*) AS n FROM t) WHERE x = 'b'` has the row (a, 0). So does GROUPING SETS with an empty set.
//! This wraps the stock rule: above such an aggregate a filter stays. It must not keep one back anywhere else.

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The stock rule, but for filters over aggregates that have a row whatever is below them.
#[derive(Debug, Default)]
pub struct NotBelowAll(PushDownFilter);

impl OptimizerRule for NotBelowAll {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        if let LogicalPlan::Filter(filter) = &plan
            && let LogicalPlan::Aggregate(aggregate) = filter.input.as_ref()
            && has_a_row_of_nothing(aggregate)
        {
            return Ok(Transformed::no(plan));
        }
        self.0.rewrite(plan, config)
    }
}

fn has_a_row_of_nothing(aggregate: &Aggregate) -> bool {
    aggregate.group_expr.iter().all(|group| matches!(group, Expr::GroupingSet(_)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{options, shop};

    /// As PostgreSQL answers.
    #[tokio::test]
    async fn a_condition_holds_of_the_row_of_nothing() {
        let shop = shop().await;
        let rows = "(VALUES ('k', 1), ('k', 2), ('l', 3)) AS t(k, v)";
        for (inner, condition, answer) in [
            ("'a' AS x, count(*) AS n FROM T", "x = 'b'", vec![]),
            ("'a' AS x, count(*) AS n FROM T", "x = 'a'", vec!["a|3"]),
            ("'a' AS x, count(*) AS n FROM T", "n > 2 AND x = 'b'", vec![]),
            ("'a' AS x, count(*) AS n FROM T WHERE v > 9", "x = 'a' AND n = 0", vec!["a|0"]),
            ("'a' AS x, k, count(*) AS n FROM T GROUP BY ROLLUP (k)", "x = 'b'", vec![]),
            ("'a' AS x, k, count(*) AS n FROM T GROUP BY k", "x = 'b'", vec![]),
            ("'a' AS x, k, count(*) AS n FROM T GROUP BY k", "k = 'l'", vec!["a|l|1"]),
        ] {
            let sql = format!("SELECT * FROM (SELECT {}) WHERE {condition}", inner.replace('T', rows));
            assert_eq!(shop.lines(&sql, &options()).await, answer, "{sql}");
        }
    }
}
