//! Messages as `arrow-flight` encodes them, and what became of them on the way.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, NullArray, StringViewArray};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::encode::FlightDataEncoderBuilder;
use futures::stream;
use tonic::Code;

use super::*;

/// As a number, nothing else in a message is the same.
const ROWS: usize = 123_456;
const BYTES: u64 = 8 * ROWS as u64;

/// A schema and a batch.
async fn messages(column: ArrayRef, packing: Option<CompressionType>) -> Vec<FlightData> {
    let batch = RecordBatch::try_from_iter_with_nullable([("n", column, true)]).unwrap();
    let options = IpcWriteOptions::default().try_with_compression(packing).unwrap();
    let encoder = FlightDataEncoderBuilder::new().with_options(options).with_max_flight_data_size(usize::MAX);
    let all: Vec<FlightData> = encoder.build(stream::iter([Ok(batch)])).try_collect().await.unwrap();
    assert_eq!(all.len(), 2);
    all
}

/// Writes another number wherever the bytes have `from`.
fn forged(bytes: &[u8], from: i64, to: i64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut changed = 0;
    for at in 0..bytes.len() - 7 {
        if bytes[at..at + 8] == from.to_le_bytes() {
            bytes[at..at + 8].copy_from_slice(&to.to_le_bytes());
            changed += 1;
        }
    }
    assert!(changed > 0, "{from} is not there");
    bytes
}

async fn read(messages: Vec<FlightData>, most: u64) -> Result<usize, Status> {
    let sent = stream::iter(messages.into_iter().map(Ok)).boxed();
    let mut rows = Rows::within(sent, "the rows", most, |most| Error::invalid(format!("more than {most} bytes")));
    let mut count = 0;
    while let Some(batch) = rows.next().await? {
        count += batch.num_rows();
    }
    Ok(count)
}

fn numbers() -> ArrayRef {
    Arc::new(Int64Array::from(vec![7; ROWS]))
}

#[tokio::test]
async fn packed_rows_count_as_what_they_unpack_to() {
    for packing in [None, Some(CompressionType::ZSTD), Some(CompressionType::LZ4_FRAME)] {
        let all = messages(numbers(), packing).await;
        assert_eq!(read(all.clone(), 2 * BYTES).await.unwrap(), ROWS, "{packing:?}");
        // Of several messages each is small enough.
        let twice = [all.as_slice(), &all[1..]].concat();
        let refused = read(twice, BYTES + BYTES / 2).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{packing:?}");
        assert!(refused.message().contains("more than 1481472 bytes"), "{refused}");
    }
}

/// Room for so much would end the process.
#[tokio::test]
async fn a_forged_length_is_an_error() {
    let mut all = messages(numbers(), Some(CompressionType::ZSTD)).await;
    all[1].data_body = forged(&all[1].data_body, BYTES as i64, 1 << 50).into();
    assert!(read(all, 1 << 40).await.unwrap_err().message().contains("more than"));
    let mut all = messages(Arc::new(NullArray::new(ROWS)), None).await;
    all[1].data_header = forged(&all[1].data_header, ROWS as i64, i64::MAX).into();
    assert!(read(all, 1 << 40).await.unwrap_err().message().contains("more than"));
    let mut all = messages(numbers(), None).await;
    all[1].data_body.truncate(100);
    let refused = read(all, 1 << 40).await.unwrap_err();
    assert!(refused.message().contains("the rows cannot be read: a buffer of"), "{refused}");
}

/// The library panics over these.
#[tokio::test]
async fn a_batch_that_is_not_of_its_schema_is_an_error() {
    let mut all = messages(numbers(), None).await;
    let views = StringViewArray::from_iter_values(vec!["a text that is longer than twelve bytes"; ROWS]);
    let views = messages(Arc::new(views), None).await;
    all[1] = views[1].clone();
    let refused = read(all, 1 << 40).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
}
