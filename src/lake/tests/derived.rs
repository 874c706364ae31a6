//! Derived tables: of contracts that are made at run time, written by whoever is first, in no head, swept like others.

use std::sync::Arc;

use arrow::array::{AsArray, BinaryArray};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use chrono::TimeDelta;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::super::testing::over;
use super::super::{Commit, Lake, TableState};
use super::rows::{change, config, memory, rows};
use super::vacuum::{later, of};
use crate::error::ErrorKind;
use crate::model::{Column, EventTime, Kind, REGION, Table, TableKind};

fn leaked(name: &'static str, columns: Vec<Column>, month_of: Option<&'static str>) -> &'static Table {
    let columns: &'static [Column] = columns.leak();
    let dated = month_of.is_some();
    Box::leak(Box::new(Table {
        name,
        about: "made for a test",
        kind: TableKind::Derived,
        key: &[],
        parts: vec![columns].leak(),
        event: EventTime::None,
        month_of,
        sort: if dated { &["business_date", "channel_id"] } else { &[] },
        stats: if dated { &["business_date", "built_from"] } else { &[] },
        checks: &[],
    }))
}

/// Sales by day: another contract at each call, as every process has its own.
fn sales(name: &'static str) -> &'static Table {
    let columns = vec![
        Column::new("business_date", Kind::Date, "the day"),
        Column::new("channel_id", Kind::Code, "the channel").nullable(),
        Column::new("net_amount_rc", Kind::Money, "sold").nullable(),
        Column::new("quantity", Kind::Quantity, "sold").nullable(),
        Column::new("lines", Kind::Long, "how many"),
        Column::new("customers", Kind::Hash128, "a set of numbers"),
        Column::new("built_from", Kind::Text, "what it was made of"),
    ];
    leaked(name, columns, Some("business_date"))
}

fn numbers() -> &'static Table {
    let columns = vec![
        Column::new("value", Kind::Text, "what has a number"),
        Column::new("number", Kind::Long, "from 0 on, without gaps"),
    ];
    leaked("rollup_number", columns, None)
}

const SALES: &str = "rollup_sales_day_1a2b3c4d";

/// The values of a column of whole numbers, which are the ids in [`rows`].
async fn longs(lake: &Lake, state: &TableState, column: &str) -> Vec<i64> {
    let mut found = Vec::new();
    for file in &state.files {
        for batch in lake.read(state, file, Some(&[column])).await.unwrap() {
            found.extend(batch.column(0).as_primitive::<Int64Type>().values().iter().copied());
        }
    }
    found.sort_unstable();
    found
}

/// January and February, then January once more, with two rows.
async fn two_months(lake: &Lake, table: &'static Table) -> Arc<TableState> {
    let base = lake.derived(table).await.unwrap();
    assert_eq!(base.version, -1);
    let done = lake.commit(&base, change("built", vec![rows(table, 0..8)])).await.unwrap();
    assert_eq!(done, Commit::Done { version: 0 });
    let base = lake.derived(table).await.unwrap();
    let months: Vec<_> = base.files.iter().map(|f| f.month.as_deref()).collect();
    assert_eq!(months, [Some("2026-01"), Some("2026-02")]);
    let mut refresh = change("refreshed", vec![rows(table, 1..3)]);
    refresh.remove = vec![base.files[0].clone()];
    assert_eq!(lake.commit(&base, refresh).await.unwrap(), Commit::Done { version: 1 });
    base
}

async fn listed(lake: &Lake, folder: &str) -> Vec<String> {
    let found: Vec<_> = lake.object_store().list(Some(&Path::from(folder))).try_collect().await.unwrap();
    found.into_iter().map(|o| o.location.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_replaced_and_a_second_writer_has_moved() {
    let dir = tempfile::tempdir().unwrap();
    let cfg = config(dir.path().to_str().unwrap());
    let (one, two) = (Lake::open(&cfg).await.unwrap(), Lake::open(&cfg).await.unwrap());
    let (table, theirs) = (sales(SALES), sales(SALES));
    let nothing = two.derived(theirs).await.unwrap();
    let first = two_months(&one, table).await;
    for (base, version) in [(nothing, -1), (first.clone(), 0)] {
        assert_eq!(base.version, version);
        let late = two.commit(&base, change("late", vec![rows(base.table, 0..4)])).await.unwrap();
        assert_eq!(late, Commit::Moved);
    }
    let seen = two.commits_since(theirs, 0).await.unwrap();
    assert_eq!((seen.len(), seen[0].batch_id.as_deref()), (1, Some("refreshed")));
    assert_eq!(seen[0].removed, [first.files[0].path.clone()]);
    assert_eq!(one.history(table, 10).await.unwrap().len(), 2);
    // Another process, another contract of the same name in this one, and the one that wrote.
    let reopened = Lake::open(&cfg).await.unwrap();
    for (lake, table) in [(&reopened, sales(SALES)), (&one, sales(SALES)), (&one, table)] {
        let state = lake.derived(table).await.unwrap();
        assert!(std::ptr::eq(state.table, table));
        assert_eq!((state.version, longs(lake, &state, "lines").await), (1, vec![1, 2, 4, 5, 6, 7]));
    }
    assert_eq!(longs(&one, &first, "lines").await, (0..8).collect::<Vec<_>>(), "an older state stays as it was");
    assert!(reopened.states().await.unwrap().iter().all(|s| s.table.kind != TableKind::Derived));
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_files_go_though_no_head_names_the_table() {
    let lake = memory().await;
    // A head that names no derived table.
    lake.begin("shown").await.unwrap().publish().await.unwrap();
    assert!(lake.head().await.unwrap().is_some());
    let table = sales(SALES);
    let before = two_months(&lake, table).await;
    let dead = before.files[0].location.to_string();
    assert!(of(&later(&lake, false).await, SALES).is_empty(), "somebody reads it");
    drop(before);
    // Whoever writes one has no marker: what is young stays, whatever is asked for.
    let now = lake.now().await.unwrap();
    assert!(of(&lake.vacuum(None, now, now, false).await.unwrap(), SALES).is_empty());
    assert_eq!(of(&later(&lake, true).await, SALES), [dead.as_str()]);
    assert_eq!(of(&later(&lake, false).await, SALES), [dead.as_str()]);
    assert!(of(&later(&lake, false).await, SALES).is_empty());
    let other = over(lake.object_store(), &config("memory://")).await.unwrap();
    let state = other.derived(sales(SALES)).await.unwrap();
    assert_eq!(longs(&other, &state, "lines").await, [1, 2, 4, 5, 6, 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_no_contract_names_go_whole() {
    let lake = memory().await;
    let (gone, stays) = (sales("rollup_gone_0"), sales("rollup_stays_0"));
    two_months(&lake, gone).await;
    two_months(&lake, stays).await;
    let alien = Path::from("rolled/part-1.parquet");
    lake.object_store().put(&alien, "x".into()).await.unwrap();
    let base = lake.derived(gone).await.unwrap();

    let other = over(lake.object_store(), &config("memory://")).await.unwrap();
    assert!(later(&other, false).await.is_empty(), "a program that was told of no derived table");
    other.derives([sales("rollup_stays_0"), numbers()]).unwrap();
    let now = other.now().await.unwrap();
    assert!(of(&other.vacuum(None, now, now, false).await.unwrap(), "rollup_*").is_empty(), "all is young");
    let all = listed(&lake, "rollup_gone_0").await;
    assert!(all.len() >= 5, "two commits, three files: {all:?}");
    assert!(other.vacuum(Some(&REGION), now, now, true).await.unwrap().is_empty(), "of one table");
    let found = later(&other, false).await;
    assert!(of(&found, "rollup_*")[0].contains("_delta_log"), "{found:?}");
    assert_eq!(of(&found, "rollup_*").len(), all.len(), "{found:?}");
    assert!(listed(&lake, "rollup_gone_0").await.is_empty());
    assert!(lake.object_store().head(&alien).await.is_ok());
    let state = other.derived(sales("rollup_stays_0")).await.unwrap();
    assert_eq!(longs(&other, &state, "lines").await, [1, 2, 4, 5, 6, 7]);

    // A process that still knew it begins anew, not in the middle of a log.
    let late = lake.commit(&base, change("late", vec![rows(gone, 0..4)])).await.unwrap();
    assert_eq!(late, Commit::Moved);
    assert!(listed(&lake, "rollup_gone_0").await.is_empty());
    two_months(&lake, gone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_appended_and_their_log_is_kept() {
    let lake = memory().await;
    lake.begin("shown").await.unwrap().publish().await.unwrap();
    let table = numbers();
    for i in 0..60u64 {
        let base = lake.derived(table).await.unwrap();
        let done = lake.commit(&base, change("more", vec![rows(table, i..i + 1)])).await.unwrap();
        assert!(matches!(done, Commit::Done { .. }));
    }
    let tomorrow = lake.now().await.unwrap() + TimeDelta::days(1);
    assert!(lake.keep_log(table, tomorrow).await.unwrap() > 0, "commits before the checkpoint go");
    let other = over(lake.object_store(), &config("memory://")).await.unwrap();
    let state = other.derived(numbers()).await.unwrap();
    assert_eq!((state.version, state.files.len()), (59, 60));
    assert_eq!(longs(&other, &state, "number").await, (0..60).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn long_strings_of_bytes_have_no_statistics() {
    let lake = memory().await;
    let table = sales(SALES);
    let given = rows(table, 0..4);
    let mut columns = given.columns().to_vec();
    let long = (0..4u8).map(|i| vec![i; 5000]);
    columns[table.schema().index_of("customers").unwrap()] = Arc::new(BinaryArray::from_iter_values(long));
    let given = RecordBatch::try_new(given.schema(), columns).unwrap();
    lake.commit(&lake.derived(table).await.unwrap(), change("built", vec![given])).await.unwrap();
    let state = lake.derived(table).await.unwrap();
    let bytes = lake.object_store().get(&state.files[0].location).await.unwrap().bytes().await.unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    for column in reader.metadata().row_group(0).columns() {
        let name = column.column_path().string();
        let known = column.statistics().is_some_and(|s| s.min_bytes_opt().is_some());
        let paged = column.column_index_offset().is_some();
        assert_eq!((known, paged), (name != "customers", name != "customers"), "{name}");
    }
    let read = lake.read(&state, &state.files[0], Some(&["customers"])).await.unwrap();
    assert_eq!(read[0].column(0).as_binary::<i32>().value(3).len(), 5000);
    assert!(state.files[0].stats.contains_key("built_from"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_tables_are_not_derived() {
    let lake = memory().await;
    assert_eq!(lake.derived(&REGION).await.unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(lake.derives([&REGION]).unwrap_err().kind(), ErrorKind::Internal);
    // Vacuum knows them by their names, and none may take the place of another table.
    for name in ["region", "rollup_", "rollup_Day", "rollup_../region"] {
        assert_eq!(lake.derived(sales(name)).await.unwrap_err().kind(), ErrorKind::Internal, "{name}");
    }
}
