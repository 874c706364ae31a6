//! Bulk ingest: rows land as those of files do.

use std::sync::Arc;

use arrow::array::{Date32Array, Decimal128Array, RecordBatch};
use arrow::ipc::writer::IpcWriteOptions;
use arrow::ipc::{CompressionType, root_as_message};
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::sql::{
    CommandStatementIngest, DoPutUpdateResult, ProstMessageExt, TableDefinitionOptions, TableExistsOption,
    TableNotExistOption,
};
use arrow_flight::{FlightData, FlightDescriptor};
use futures::{StreamExt, TryStreamExt};
use prost::Message;
use tonic::Code;

use super::site::{Client, PUSHED, Site, ask, fetch, on_sample, status};
use super::{batch, column, texts};

const HELD: &str = "SELECT count(*) AS n FROM base.order_line";

/// Receipts of a line each, as a client sends them.
fn receipts(orders: &[&str]) -> RecordBatch {
    let all = |text: &'static str| texts(&vec![Some(text); orders.len()]);
    let decimals = |value: i128, scale| {
        column(Decimal128Array::from(vec![value; orders.len()]).with_precision_and_scale(18, scale).unwrap())
    };
    batch(vec![
        ("order_no", texts(&orders.iter().map(|o| Some(*o)).collect::<Vec<_>>())),
        ("channel", all("web")),
        ("sold", column(Date32Array::from(vec![20_463; orders.len()]))), // 2026-01-10
        ("sku", all("tea")),
        ("qty", decimals(2_000, 3)),
        ("price", decimals(105_000, 4)),
    ])
}

fn append(table: &str) -> CommandStatementIngest {
    let append = TableDefinitionOptions {
        if_not_exist: TableNotExistOption::Fail as i32,
        if_exists: TableExistsOption::Append as i32,
    };
    CommandStatementIngest { table: table.into(), table_definition_options: Some(append), ..Default::default() }
}

async fn push(client: &mut Client, table: &str, batches: Vec<RecordBatch>) -> arrow_flight::error::Result<i64> {
    client.execute_ingest(append(table), futures::stream::iter(batches.into_iter().map(Ok))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_ingest_lands_as_files_do() {
    let site = Site::own(|_| ()).await;
    let mut client = site.client().await;
    assert_eq!(push(&mut client, PUSHED, vec![receipts(&["A", "B"]), receipts(&["C"])]).await.unwrap(), 3);
    assert_eq!(ask(&mut client, HELD).await.rows, [["3"]], "shown once they are acknowledged");
    assert_eq!(push(&mut client, PUSHED, vec![receipts(&["A", "B"]), receipts(&["C"])]).await.unwrap(), 3);
    assert_eq!(push(&mut client, PUSHED, vec![receipts(&["C", "D"])]).await.unwrap(), 2);
    let landed = "SELECT order_id, net_amount, source_system FROM base.order_line ORDER BY order_id";
    let wanted = ["A", "B", "C", "D"].map(|order| vec![order.to_string(), "21.0000".into(), PUSHED.into()]);
    assert_eq!(ask(&mut client, landed).await.rows, wanted, "and never twice");

    let unknown = status(push(&mut client, "till_pusch", vec![receipts(&["E"])]).await);
    assert!(unknown.message().contains("till_pusch") && unknown.message().contains(PUSHED), "{}", unknown.message());
    let others = batch(vec![("x", texts(&[Some("1")]))]);
    let strange = status(push(&mut client, PUSHED, vec![others]).await);
    assert!(strange.message().contains("order_no"), "{}", strange.message());
    // What cannot be a sale is quarantined, and the sender is told, though the rest has landed.
    let whole = receipts(&["F", "G"]);
    let schema = whole.schema();
    let columns = schema.fields().iter().zip(whole.columns()).map(|(field, column)| match field.name().as_str() {
        "qty" => ("qty", texts(&[Some("two"), Some("1")])),
        name => (name, Arc::clone(column)),
    });
    let broken = batch(columns.collect());
    let partly = status(push(&mut client, PUSHED, vec![broken]).await);
    assert!(partly.message().contains("1 of 2 rows"), "{}", partly.message());
    assert_eq!(ask(&mut client, HELD).await.rows, [["5"]]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_go_in_and_small_ones_come_out() {
    let site = Site::own(|_| ()).await;
    let mut client = site.client().await;
    let orders: Vec<String> = (0..60_000).map(|n| format!("order-{n:040}")).collect();
    let all = receipts(&orders.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(all.get_array_memory_size() > 4 << 20, "more than gRPC takes by default");
    // arrow-flight would split it; not all clients do.
    let rows = FlightDataEncoderBuilder::new()
        .with_max_flight_data_size(usize::MAX)
        .with_flight_descriptor(Some(FlightDescriptor::new_cmd(append(PUSHED).as_any().encode_to_vec())))
        .build(futures::stream::iter([Ok(all)]));
    let told = client.do_put(rows.map(|data| data.unwrap())).await.unwrap().message().await.unwrap().unwrap();
    assert_eq!(DoPutUpdateResult::decode(&*told.app_metadata).unwrap().record_count, 60_000);

    // This client takes 4 MiB a message.
    let info = client.execute("SELECT * FROM base.order_line".into(), None).await.unwrap();
    let rows: usize = fetch(&mut client, &info).await.unwrap().iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 60_000);
    site.stop().await;
}

/// Packed buffers that claim to unpack to a pebibyte each: room for it would end the process.
#[tokio::test(flavor = "multi_thread")]
async fn packed_rows_are_weighed_before_they_are_unpacked() {
    let site = Site::own(|_| ()).await;
    let mut client = site.client().await;
    let descriptor = FlightDescriptor::new_cmd(append(PUSHED).as_any().encode_to_vec());
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).unwrap();
    let encoder = FlightDataEncoderBuilder::new().with_options(options).with_flight_descriptor(Some(descriptor));
    let rows = futures::stream::iter([Ok(receipts(&["A", "B"]))]);
    let sent: Vec<FlightData> = encoder.build(rows).try_collect().await.unwrap();
    let mut forged = sent.clone();
    let mut body = forged[1].data_body.to_vec();
    let message = root_as_message(&forged[1].data_header).unwrap();
    for buffer in message.header_as_record_batch().unwrap().buffers().unwrap() {
        if buffer.length() >= 8 {
            let place = buffer.offset() as usize;
            body[place..place + 8].copy_from_slice(&(1_i64 << 50).to_le_bytes());
        }
    }
    forged[1].data_body = body.into();
    let refused = status(client.do_put(futures::stream::iter(forged)).await);
    assert_eq!(refused.code(), Code::InvalidArgument, "{}", refused.message());
    assert!(refused.message().contains("http.ingest_queue_mb"), "{}", refused.message());
    assert_eq!(ask(&mut client, HELD).await.rows, [["0"]]);
    let told = client.do_put(futures::stream::iter(sent)).await.unwrap().message().await.unwrap().unwrap();
    assert_eq!(DoPutUpdateResult::decode(&*told.app_metadata).unwrap().record_count, 2, "packed as they should be");
    site.stop().await;
}

#[test]
fn rows_are_taken_where_that_is_allowed() {
    on_sample(|| async {
        let site = Site::sample(|_| ()).await;
        let refused = status(push(&mut site.client().await, PUSHED, vec![receipts(&["A"])]).await);
        assert_eq!(refused.code(), Code::PermissionDenied, "{}", refused.message());
        assert!(refused.message().contains("flight.allow_ingest"), "{}", refused.message());
        site.stop().await;
    });
}
