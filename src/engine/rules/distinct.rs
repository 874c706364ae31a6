//! DataFusion 55 computes `sum(x)` beside one `count(DISTINCT y)` as a sum of sums, and forgets that this widens a decimal:
//! SUM(Decimal(18,4)) is Decimal(28,4), the sum of those Decimal(38,4). The result then has another type than the plan said,
//! and `HAVING sum(x) > 0` fails outright (DataFusion issue 17699). This wraps the stock rule and casts back; it must not decide when to rewrite.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Projection, cast};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::single_distinct_to_groupby::SingleDistinctToGroupBy;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The stock rule, with its types put right.
#[derive(Debug)]
pub struct TypedSingleDistinct(SingleDistinctToGroupBy);

impl TypedSingleDistinct {
    pub fn new() -> TypedSingleDistinct {
        TypedSingleDistinct(SingleDistinctToGroupBy::new())
    }
}

impl OptimizerRule for TypedSingleDistinct {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let schema = Arc::clone(plan.schema());
        let made = self.0.rewrite(plan, config)?;
        if !made.transformed {
            return Ok(made);
        }
        made.map_data(|plan| {
            let LogicalPlan::Projection(projection) = &plan else { return Ok(plan) };
            if schema.fields().len() != projection.expr.len() {
                return Ok(plan);
            }
            let columns = projection.expr.iter().zip(schema.iter()).map(|(expr, (qualifier, field))| {
                if expr.get_type(projection.input.schema())? == *field.data_type() {
                    return Ok(expr.clone());
                }
                let typed = cast(expr.clone().unalias(), field.data_type().clone());
                Ok(typed.alias_qualified(qualifier.cloned(), field.name()))
            });
            let columns = columns.collect::<Result<Vec<Expr>>>()?;
            Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::clone(&projection.input))?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{options, shop};
    use datafusion::arrow::datatypes::DataType;

    #[tokio::test]
    async fn sums_beside_a_distinct_count_keep_their_type() {
        let shop = shop().await;
        let sql = "SELECT channel_id, sum(net_rc) AS net, count(DISTINCT product_id) AS products FROM sales_event \
             GROUP BY channel_id HAVING sum(net_rc) > 100";
        let rows = shop.run(sql, &options()).await.unwrap();
        assert_eq!(rows[0].schema().field(1).data_type(), &DataType::Decimal128(28, 4));
        assert_eq!(shop.lines(sql, &options()).await, ["web|140.0000|1"]);
    }
}
