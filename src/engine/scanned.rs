//! How much a plan will read, as far as its tables tell before it runs. It must not run it.

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

/// Rows from which on a query is heavy: some tenths of a second on two cores.
const HEAVY: usize = 2_000_000;

/// Whether `plan` reads many rows.
pub fn is_heavy(plan: &dyn ExecutionPlan) -> bool {
    rows(plan) >= HEAVY
}

/// Rows of all tables that are left when files are pruned, once for each time that they are read.
fn rows(plan: &dyn ExecutionPlan) -> usize {
    let inputs = plan.children();
    if inputs.is_empty() {
        let known = StatisticsContext::new().compute(plan, &StatisticsArgs::new()).ok();
        return known.and_then(|known| known.num_rows.get_value().copied()).unwrap_or(0);
    }
    inputs.into_iter().map(|input| rows(input.as_ref())).fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch};
    use datafusion::prelude::SessionContext;

    use super::*;

    #[tokio::test]
    async fn each_reading_of_a_table_counts() {
        let context = SessionContext::new();
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
        context.register_batch("t", RecordBatch::try_from_iter([("n", numbers)]).unwrap()).unwrap();
        for (sql, expected) in [
            ("SELECT sum(n) FROM t", 1000),
            ("SELECT count(*) FROM t a JOIN t b ON a.n = b.n + 1 WHERE a.n > 5", 2000),
            ("SELECT sum(n) AS s FROM t UNION ALL SELECT n FROM t WHERE n < 3", 2000),
        ] {
            let plan = context.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
            assert_eq!(rows(plan.as_ref()), expected, "{sql}");
            assert!(!is_heavy(plan.as_ref()));
        }
    }
}
