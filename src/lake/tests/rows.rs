//! Rows and lakes for tests.

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;

use super::super::{Change, Commit, Lake, TableState};
use crate::config::LakeConfig;
use crate::model::{Column, Kind, MONTH, Table};

/// The 16 bytes of key `i`.
pub fn key(i: u64) -> [u8; 16] {
    u128::from(i).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C834).to_be_bytes()
}

/// Day `i` after 2026-01-01 as days since 1970.
pub fn day(i: u64) -> i32 {
    20_454 + i32::try_from(i).unwrap()
}

fn text(column: &Column, i: u64) -> String {
    match column.name {
        "order_id" => format!("order-with-a-name-longer-than-thirty-two-bytes-{i:08}"),
        name => column.values.first().map_or_else(|| format!("{name}-{}", i % 7), |v| (*v).to_string()),
    }
}

fn column(column: &Column, ids: &[u64]) -> ArrayRef {
    let n = ids.len();
    let null = |i: &u64| column.nullable && i.is_multiple_of(3);
    let money = |precision, scale| {
        let values = ids.iter().map(|i| (!null(i)).then_some(i128::from(*i) * 10_001));
        Arc::new(Decimal128Array::from_iter(values).with_precision_and_scale(precision, scale).unwrap()) as ArrayRef
    };
    match column.kind {
        Kind::Text | Kind::Code | Kind::UpperCode => {
            Arc::new(StringArray::from_iter(ids.iter().map(|i| (!null(i)).then(|| text(column, *i)))))
        }
        Kind::Int => Arc::new(Int32Array::from_iter_values((0..n).map(|i| i as i32))),
        Kind::Long => Arc::new(Int64Array::from_iter_values(ids.iter().map(|i| *i as i64))),
        Kind::Bool => Arc::new(BooleanArray::from(vec![false; n])),
        // Four ids a day, a day a month, so that 40 ids touch ten months.
        Kind::Date => Arc::new(Date32Array::from_iter_values(ids.iter().map(|i| day(i / 4 * 31)))),
        Kind::Instant => Arc::new(
            TimestampMicrosecondArray::from_iter_values(
                ids.iter().map(|i| 1_767_225_600_000_001 + *i as i64 * 1_000_000),
            )
            .with_timezone("UTC"),
        ),
        Kind::Money => money(18, 4),
        Kind::Quantity => money(18, 3),
        Kind::Rate => money(18, 8),
        Kind::Share => money(9, 6),
        Kind::Float => Arc::new(Float64Array::from(vec![0.5; n])),
        Kind::Hash128 => Arc::new(BinaryArray::from_iter_values(ids.iter().map(|i| key(*i)))),
    }
}

/// One row per id, in the table's schema; the month follows the id as its dates do.
pub fn rows(table: &'static Table, ids: impl IntoIterator<Item = u64>) -> RecordBatch {
    let ids: Vec<u64> = ids.into_iter().collect();
    let mut columns: Vec<ArrayRef> = table.stored_columns().map(|c| column(c, &ids)).collect();
    if table.partitioned() {
        let month = |i: &u64| chrono::NaiveDate::from_epoch_days(day(i / 4 * 31)).unwrap().format("%Y-%m").to_string();
        columns.push(Arc::new(StringArray::from_iter_values(ids.iter().map(month))));
    }
    assert_eq!(table.schema().fields().last().unwrap().name() == MONTH, table.partitioned());
    RecordBatch::try_new(table.schema(), columns).unwrap()
}

pub fn config(url: &str) -> LakeConfig {
    LakeConfig {
        url: url.into(),
        currency: "EUR".into(),
        zone: "Europe/Berlin".into(),
        today: "data".into(),
        ..LakeConfig::default()
    }
}

pub async fn memory() -> Lake {
    Lake::open(&config("memory://")).await.unwrap()
}

pub fn change(batch_id: &str, add: Vec<RecordBatch>) -> Change<'_> {
    Change { batch_id, app: "shop", add, remove: vec![], keep: vec![], info: serde_json::Map::new() }
}

/// Commits rows of `ids` and returns the version.
pub async fn append(lake: &Lake, base: &TableState, batch: &str, ids: std::ops::Range<u64>) -> i64 {
    match lake.commit(base, change(batch, vec![rows(base.table, ids)])).await.unwrap() {
        Commit::Done { version } => version,
        Commit::Moved => panic!("{batch} moved"),
    }
}

/// The `source_version` of every row of a state (its id, in [`rows`]), sorted.
pub async fn ids(lake: &Lake, state: &TableState) -> Vec<i64> {
    let mut found = Vec::new();
    for file in &state.files {
        for batch in lake.read(state, file, Some(&["source_version"])).await.unwrap() {
            found.extend(batch.column(0).as_primitive::<Int64Type>().values().iter().copied());
        }
    }
    found.sort_unstable();
    found
}
