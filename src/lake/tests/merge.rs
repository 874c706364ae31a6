//! Rows that stay of files that leave: merged with those that come, in the contract's order.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, UInt64Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{concat_batches, take_record_batch};
use arrow::record_batch::RecordBatch;
use object_store::ObjectStoreExt;
use parquet::arrow::ArrowWriter;

use super::super::{Change, Commit, DataFile, Kept, Lake, TableState};
use super::rows::{append, change, ids, memory, rows};
use crate::model::REGION;

/// More than one batch as it is read.
const ROWS: u64 = 150_000;

async fn regions(lake: &Lake) -> Arc<TableState> {
    lake.state(&REGION).await.expect("a state")
}

/// Commits: of `files` the rows stay whose id is no multiple of 3, and rows of other ids come.
async fn keep_some(lake: &Lake, base: &TableState, files: Vec<Arc<DataFile>>) -> Commit {
    let mut keep = Vec::new();
    for file in files {
        let ids = lake.read(base, &file, Some(&["source_version"])).await.expect("read");
        let ids = concat_batches(&ids[0].schema(), &ids).expect("one");
        let ids = ids.column(0).as_primitive::<arrow::datatypes::Int64Type>().values().to_vec();
        keep.push(Kept { file, rows: BooleanBuffer::collect_bool(ids.len(), |row| ids[row] % 3 != 0) });
    }
    let coming = vec![rows(&REGION, 3 * ROWS..3 * ROWS + 5), rows(&REGION, 2 * ROWS..2 * ROWS + 5)];
    let change = Change { remove: base.files.clone(), keep, ..change("b9", coming) };
    lake.commit(base, change).await.expect("committed")
}

async fn check(lake: &Lake) {
    let state = regions(lake).await;
    assert_eq!(state.files.len(), 1);
    let stay = (0..2 * ROWS as i64).filter(|id| id % 3 != 0);
    let come = (2 * ROWS..2 * ROWS + 5).chain(3 * ROWS..3 * ROWS + 5).map(|id| id as i64);
    assert_eq!(ids(lake, &state).await, stay.chain(come).collect::<Vec<_>>());
    let mut last = String::new();
    for batch in lake.read(&state, &state.files[0], Some(&["region_id"])).await.expect("read") {
        for id in batch.column(0).as_string::<i32>().iter().flatten() {
            assert!(last.as_str() <= id, "{id} after {last}");
            last = id.to_string();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_stay_are_merged_in_order() {
    let lake = memory().await;
    append(&lake, regions(&lake).await.as_ref(), "b1", 0..ROWS).await;
    append(&lake, regions(&lake).await.as_ref(), "b2", ROWS..2 * ROWS).await;
    let base = regions(&lake).await;
    assert!(matches!(keep_some(&lake, &base, base.files.clone()).await, Commit::Done { .. }));
    check(&lake).await;
}

/// Another program's compaction need not sort, and its footers do not say that it did.
#[tokio::test(flavor = "multi_thread")]
async fn files_in_no_order_are_sorted_first() {
    let lake = memory().await;
    append(&lake, regions(&lake).await.as_ref(), "b1", 0..2 * ROWS).await;
    let base = regions(&lake).await;
    let sorted = lake.read(&base, &base.files[0], None).await.expect("read");
    let sorted = concat_batches(&REGION.schema(), &sorted).expect("one");
    let turned = take_record_batch(&sorted, &UInt64Array::from_iter_values((0..2 * ROWS).rev())).expect("turned");
    let bytes = parquet(&turned);
    let file = DataFile { size: bytes.len() as u64, ..(*base.files[0]).clone() };
    lake.object_store().put(&file.location, bytes.into()).await.expect("stored");
    assert!(matches!(keep_some(&lake, &base, vec![Arc::new(file)]).await, Commit::Done { .. }));
    check(&lake).await;
}

fn parquet(rows: &RecordBatch) -> Vec<u8> {
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), None).expect("a writer");
    writer.write(rows).expect("written");
    writer.into_inner().expect("closed")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_must_be_told_row_by_row() {
    let lake = memory().await;
    append(&lake, regions(&lake).await.as_ref(), "b1", 0..10).await;
    let base = regions(&lake).await;
    let rows = BooleanArray::from(vec![true; 9]).values().clone();
    let keep = vec![Kept { file: base.files[0].clone(), rows }];
    let wrong = lake.commit(&base, Change { remove: base.files.clone(), keep, ..change("b2", vec![]) }).await;
    assert!(wrong.expect_err("nine of ten").to_string().contains("it has 10 rows, not 9"));
    assert_eq!(ids(&lake, regions(&lake).await.as_ref()).await.len(), 10);
}
