//! A query that is fetched a few rows at a time: DECLARE, FETCH, MOVE, CLOSE. It holds at most one batch.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::{StreamExt, stream};
use tokio::sync::Mutex;

use super::rows::Batches;
use crate::error::Result;

/// An open cursor. Dropping it ends its query.
#[derive(Clone)]
pub struct Cursor {
    /// The columns as they travel.
    pub schema: SchemaRef,
    /// It stays open when the transaction ends.
    pub hold: bool,
    rows: Arc<Mutex<Remaining>>,
}

struct Remaining {
    batches: Batches,
    rest: Option<RecordBatch>,
}

impl Cursor {
    pub fn new(batches: Batches, schema: SchemaRef, hold: bool) -> Cursor {
        Cursor { schema, hold, rows: Arc::new(Mutex::new(Remaining { batches, rest: None })) }
    }

    /// The next `rows`, `None` = all that are left.
    pub fn fetch(&self, rows: Option<usize>) -> Batches {
        let state = (Arc::clone(&self.rows), rows.unwrap_or(usize::MAX));
        let step = |(rows, left): (Arc<Mutex<Remaining>>, usize)| async move {
            if left == 0 {
                return Ok(None);
            }
            let batch = rows.lock().await.take(left).await?;
            Ok(batch.map(|batch| {
                let left = left - batch.num_rows();
                (batch, (rows, left))
            }))
        };
        stream::try_unfold(state, step).boxed()
    }
}

impl Remaining {
    async fn take(&mut self, most: usize) -> Result<Option<RecordBatch>> {
        let next = match self.rest.take() {
            Some(rest) => Some(rest),
            None => self.batches.next().await.transpose()?,
        };
        let Some(batch) = next else { return Ok(None) };
        if batch.num_rows() <= most {
            return Ok(Some(batch));
        }
        self.rest = Some(batch.slice(most, batch.num_rows() - most));
        Ok(Some(batch.slice(0, most)))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int32Array};
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn rows_come_a_few_at_a_time() {
        let batch = |from: i32| {
            let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values(from..from + 5));
            RecordBatch::try_from_iter([("n", numbers)]).unwrap()
        };
        let schema = batch(0).schema();
        let cursor = Cursor::new(stream::iter([Ok(batch(0)), Ok(batch(5))]).boxed(), schema, false);
        let mut seen = Vec::new();
        for (asked, given) in [(Some(3), 3), (Some(4), 4), (Some(0), 0), (None, 3), (None, 0)] {
            let batches: Vec<RecordBatch> = cursor.fetch(asked).try_collect().await.unwrap();
            assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), given, "{asked:?}");
            let numbers = batches
                .iter()
                .flat_map(|b| b.column(0).as_any().downcast_ref::<Int32Array>().unwrap().values().to_vec());
            seen.extend(numbers);
        }
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
    }
}
