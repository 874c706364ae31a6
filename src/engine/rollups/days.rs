//! Expressions over a date, day by day. It must not know rollups.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, RecordBatch};
use datafusion::common::{DFSchema, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::Expr;

use super::month::Month;

/// What `of`, which names no column but `date`, is on each of `days` (since 1970).
///
/// # Errors
/// What cannot be planned or worked out alone: a subquery, a type that no date has.
pub fn on_days(of: &Expr, date: &str, days: Vec<i32>, session: &SessionState) -> Result<ArrayRef> {
    let days: ArrayRef = Arc::new(Date32Array::from(days));
    let batch = RecordBatch::try_from_iter_with_nullable([(date, days, false)])?;
    let planned = session.create_physical_expr(of.clone(), &DFSchema::try_from(batch.schema())?)?;
    planned.evaluate(&batch)?.into_array(batch.num_rows())
}

/// The days of `months`, each with its month.
pub fn days_of(months: impl Iterator<Item = Month>) -> Vec<(Month, i32)> {
    months.flat_map(|month| (month.first_day()..month.next().first_day()).map(move |day| (month, day))).collect()
}
