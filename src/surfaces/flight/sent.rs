//! The rows that a client sends. Each message is weighed before it is decoded: the library allocates what a message says.
//! It must not know what the rows are for.

use std::panic::AssertUnwindSafe;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use tonic::Status;

use super::errors::{status, unreadable};
use crate::error::Error;
use crate::ingest::{Gate, Refused};

/// The messages of a call.
pub type Sent = BoxStream<'static, Result<FlightData, FlightError>>;

/// The rows that they hold.
pub struct Rows {
    rows: FlightRecordBatchStream,
    /// What they are called in errors.
    what: &'static str,
}

impl Rows {
    /// Rows that decode to `most` bytes at most, all together; more are the error that `too_large` makes.
    pub fn within(sent: Sent, what: &'static str, most: u64, too_large: fn(u64) -> Error) -> Rows {
        let mut gate = Gate::together(most);
        let weighed = sent.map(move |data: Result<FlightData, FlightError>| -> Result<FlightData, FlightError> {
            let data = data?;
            match gate.pass(&data.data_header, &data.data_body) {
                Ok(()) => Ok(data),
                Err(Refused::Wrong(why)) => Err(unreadable(what, why).into()),
                Err(Refused::TooLarge(_)) => Err(status(too_large(most)).into()),
            }
        });
        Rows { rows: FlightRecordBatchStream::new_from_flight_data(weighed), what }
    }

    /// The next batch; `None`: there are no more.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, Status> {
        // The library panics over some messages that contradict themselves: the client is to be told.
        match FutureExt::catch_unwind(AssertUnwindSafe(self.rows.try_next())).await {
            Ok(Ok(batch)) => Ok(batch),
            Ok(Err(FlightError::Tonic(status))) => Err(*status),
            Ok(Err(e)) => Err(unreadable(self.what, e)),
            Err(_) => Err(unreadable(self.what, "a message contradicts itself or the schema")),
        }
    }

    /// Once it has come.
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.rows.schema()
    }
}

#[cfg(test)]
mod tests;
