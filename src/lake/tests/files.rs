//! Data files: statistics, order, bloom filters, reading columns.

use arrow::array::{Array, AsArray};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::super::{Lake, Stat};
use super::rows::{append, config, day, key, memory};
use crate::model::{CUSTOMER_EVENT, ORDER_LINE, REGION};

#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_exact() {
    let lake = memory().await;
    append(&lake, &lake.state(&ORDER_LINE).await.unwrap(), "b1", 0..40).await;
    let state = lake.state(&ORDER_LINE).await.unwrap();
    let file = &state.files[1];
    let order = &file.stats["order_id"];
    let order_id = |i: i32| Some(Stat::Text(format!("order-with-a-name-longer-than-thirty-two-bytes-{i:08}")));
    assert_eq!((&order.min, &order.max, order.nulls), (&order_id(4), &order_id(7), Some(0)));
    let date = &file.stats["business_date"];
    assert_eq!((&date.min, &date.max), (&Some(Stat::Date(day(31))), &Some(Stat::Date(day(31)))));
    // Every third id is NULL in nullable columns: of 4..8 that is 6.
    let customer = &file.stats["customer_key"];
    assert_eq!((customer.nulls, &customer.min), (Some(1), &Some(Stat::Text("customer_key-0".into()))));
    assert!(!file.stats.contains_key("net_amount"), "money has no statistics");
    assert_eq!(state.range("business_date"), Some((Stat::Date(day(0)), Stat::Date(day(279)))));
    assert_eq!(state.range("business_month"), Some((Stat::Text("2026-01".into()), Stat::Text("2026-10".into()))));
    assert_eq!(state.range("net_amount"), None);
}

#[test]
fn instants_stay_within_their_statistics() {
    // Through JSON, which has milliseconds: the range must still cover the values, by less than 3 ms.
    for micros in [0i64, 1, 999, 1000, 1_767_225_600_000_001, -1, -1001] {
        let table = &CUSTOMER_EVENT;
        let column = table.stored_columns().find(|c| c.kind == crate::model::Kind::Instant).unwrap();
        let array = arrow::array::TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC");
        let (min, max) = super::super::stats::extremes(column.kind, &array);
        let json = serde_json::json!({
            "numRecords": 1,
            "minValues": {column.name: super::super::stats::to_json(&min.unwrap(), false)},
            "maxValues": {column.name: super::super::stats::to_json(&max.unwrap(), true)},
        });
        let (rows, stats) = super::super::stats::parse(table, &json.to_string()).unwrap();
        assert_eq!(rows, 1);
        let (Some(Stat::Instant(low)), Some(Stat::Instant(high))) = (&stats[column.name].min, &stats[column.name].max)
        else {
            panic!("{json}")
        };
        assert!(*low <= micros && micros <= *high && high - low <= 3000, "{json}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blooms_know_absent_keys() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(&config(dir.path().to_str().unwrap())).await.unwrap();
    append(&lake, &lake.state(&REGION).await.unwrap(), "b1", 0..5000).await;
    let state = lake.state(&REGION).await.unwrap();
    let file = &state.files[0];
    for i in (0..5000).step_by(97) {
        assert!(lake.may_hold(file, &[key(i)]).await.unwrap());
    }
    let absent: Vec<[u8; 16]> = (10_000..20_000).map(key).collect();
    assert!(!lake.may_hold(file, &absent).await.unwrap());
    assert!(lake.may_hold(file, &[absent.as_slice(), &[key(4999)]].concat()).await.unwrap());
    assert!(!lake.may_hold(file, &[]).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_filter_knows_the_absent_keys_of_all_files() {
    let lake = memory().await;
    append(&lake, &lake.state(&REGION).await.unwrap(), "b1", 0..3000).await;
    let old = lake.state(&REGION).await.unwrap();
    let keys = |ids: std::ops::Range<u64>| ids.map(key).collect::<Vec<_>>();
    assert_eq!(lake.perhaps_in(&old, keys(0..3000)).await.unwrap().keys, keys(0..3000));
    // A file that came later is looked at, too.
    append(&lake, &old, "b2", 3000..5000).await;
    let state = lake.state(&REGION).await.unwrap();
    assert_eq!(lake.perhaps_in(&state, keys(2990..5000)).await.unwrap().keys, keys(2990..5000));
    let absent = lake.perhaps_in(&state, keys(10_000..40_000)).await.unwrap();
    assert!(absent.keys.len() < 900, "{} wrong of 30,000", absent.keys.len());
    assert!(absent.uncovered.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_come_in_the_contracts_order() {
    let lake = memory().await;
    append(&lake, &lake.state(&ORDER_LINE).await.unwrap(), "b1", 0..8).await;
    let state = lake.state(&ORDER_LINE).await.unwrap();
    let read = lake.read(&state, &state.files[0], Some(&["business_month", "order_id", "row_key"])).await.unwrap();
    let names: Vec<String> = read[0].schema().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(names, ["row_key", "order_id", "business_month"]);
    assert_eq!(read[0].column(0).as_binary::<i32>().value(0).len(), 16);
    assert_eq!(read[0].column(2).as_string::<i32>().value(0), "2026-01");
    let month = lake.read(&state, &state.files[0], Some(&["business_month"])).await.unwrap();
    assert_eq!(month.iter().map(|b| b.num_rows()).sum::<usize>(), 4);
    assert!(lake.read(&state, &state.files[0], Some(&["nope"])).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_sorted_and_described() {
    let lake = memory().await;
    append(&lake, &lake.state(&ORDER_LINE).await.unwrap(), "b1", 0..40).await;
    let state = lake.state(&ORDER_LINE).await.unwrap();
    let file = &state.files[0];
    assert!(file.path.starts_with("business_month=2026-01/part-") && file.path.ends_with(".zstd.parquet"));
    let stored: Vec<_> = lake.object_store().list(Some(&"order_line".into())).try_collect().await.unwrap();
    let object = stored.iter().find(|o| o.location == file.location).unwrap();
    assert_eq!((object.size, object.last_modified.timestamp_millis()), (file.size, file.modified_ms));
    let bytes = lake.object_store().get(&file.location).await.unwrap().bytes().await.unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    let group = reader.metadata().row_group(0).clone();
    let names: Vec<String> = ORDER_LINE.file_schema().fields().iter().map(|f| f.name().clone()).collect();
    let sorting: Vec<&str> =
        group.sorting_columns().unwrap().iter().map(|s| names[s.column_idx as usize].as_str()).collect();
    assert_eq!(sorting, ORDER_LINE.sort);
    for column in group.columns() {
        let name = column.column_path().string();
        assert_eq!(column.bloom_filter_offset().is_some(), name == "row_key", "{name}");
        if ["row_key", "content_hash", "ext"].contains(&name.as_str()) {
            assert!(column.statistics().is_none_or(|s| s.min_bytes_opt().is_none()), "{name}");
        }
        if ORDER_LINE.stats.contains(&name.as_str()) {
            assert!(column.statistics().is_some_and(|s| s.min_is_exact() && s.max_is_exact()), "{name}");
        }
    }
    let batch = reader.build().unwrap().next().unwrap().unwrap();
    let channel = batch.column_by_name("channel_id").unwrap().as_string::<i32>().clone();
    assert!((1..channel.len()).all(|i| channel.value(i - 1) <= channel.value(i)));
}
