//! EXPLAIN says which rollup answered, or why none did.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};

use super::Answer;

/// The rows of EXPLAIN, and one for what became of aggregates over views that have rollups.
pub fn explained(plans: SendableRecordBatchStream, answers: &[Answer]) -> SendableRecordBatchStream {
    let schema = plans.schema();
    if answers.is_empty() || schema.fields().len() != 2 {
        return plans;
    }
    let told: Vec<String> = answers.iter().map(ToString::to_string).collect();
    let texts = ["rollups".to_string(), told.join("\n")];
    let columns = texts.into_iter().zip(schema.fields()).map(|(text, field)| {
        let column: ArrayRef = Arc::new(StringArray::from(vec![text]));
        cast(&column, field.data_type())
    });
    let columns = columns.collect::<Result<Vec<_>, _>>();
    let row = columns.and_then(|columns| RecordBatch::try_new(Arc::clone(&schema), columns)).map_err(Into::into);
    Box::pin(RecordBatchStreamAdapter::new(schema, plans.chain(stream::iter([row]))))
}
