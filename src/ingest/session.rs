//! The small SQL session of a source: one table `raw` that holds the records at hand, the ingest functions, one thread.
//! It must not see the lake.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::TaskContext;
use datafusion::execution::context::SessionContext;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::SessionConfig;

use super::functions;

/// Rows of a batch inside plans.
const BATCH_ROWS: usize = 65_536;

/// A session whose literals are decimals, whose texts are plain strings and which keeps the order of rows.
pub(crate) fn new() -> SessionContext {
    let mut config =
        SessionConfig::new().with_target_partitions(1).with_batch_size(BATCH_ROWS).with_information_schema(false);
    let options = config.options_mut();
    options.sql_parser.parse_float_as_decimal = true;
    // Columns are called as in the file, capitals too, quoted or not.
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    let session = SessionContext::new_with_config(config);
    functions::all().for_each(|f| session.register_udf(f));
    session
}

/// The records at hand: what `raw` gives whenever a plan runs.
#[derive(Debug)]
pub(crate) struct Slot {
    schema: SchemaRef,
    batch: Mutex<Option<RecordBatch>>,
}

impl Slot {
    /// Registers `raw` with `schema` in `session`.
    pub(crate) fn register(session: &SessionContext, schema: SchemaRef) -> datafusion::error::Result<Arc<Slot>> {
        let slot = Arc::new(Slot { schema: Arc::clone(&schema), batch: Mutex::new(None) });
        session.deregister_table("raw")?;
        session.register_table("raw", Arc::new(StreamingTable::try_new(schema, vec![Arc::clone(&slot) as _])?))?;
        Ok(slot)
    }
    pub(crate) fn raw_schema(&self) -> &SchemaRef {
        &self.schema
    }
    pub(crate) fn columns(&self) -> usize {
        self.schema.fields().len()
    }
    pub(crate) fn put(&self, batch: RecordBatch) {
        *self.batch.lock().unwrap_or_else(PoisonError::into_inner) = Some(batch);
    }
}

impl PartitionStream for Slot {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }
    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let stream = futures::stream::iter(batch.map(Ok::<_, DataFusionError>));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream))
    }
}
