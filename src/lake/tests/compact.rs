//! Compaction: the same rows in fewer files, whatever others do meanwhile.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::row::{OwnedRow, RowConverter, SortField};
use object_store::ObjectStoreExt;
use tokio_util::sync::CancellationToken;

use super::super::compact::land;
use super::super::{Commit, Compacted, Compaction, Lake, Outcome, TableState, upkeep, write};
use super::rows::{append, change, config, ids, memory, rows};
use crate::config::MaintenanceConfig;
use crate::model::{ORDER_LINE, REGION, Table};

pub fn all() -> Compaction {
    Compaction { file_bytes: 128 << 20, memory_bytes: 1 << 30, month: None, least: 2, thorough: true, dry_run: false }
}

pub async fn optimize(lake: &Lake, table: &'static Table, how: &Compaction) -> Vec<Compacted> {
    lake.optimize(table, how, &CancellationToken::new()).await.unwrap()
}

/// Four commits over ten months: every month has four files of one row.
async fn scattered(lake: &Lake) {
    for batch in 0..4u64 {
        let base = lake.state(&ORDER_LINE).await.unwrap();
        let given = rows(&ORDER_LINE, (0..10).map(|month| month * 4 + (batch * 3) % 4));
        let done = lake.commit(&base, change(&format!("b{batch}"), vec![given])).await.unwrap();
        assert!(matches!(done, Commit::Done { .. }));
    }
}

/// The rows of one file, by the given columns.
async fn file_rows(lake: &Lake, state: &TableState, file: usize, columns: Option<&[&str]>) -> Vec<OwnedRow> {
    let batches: Vec<RecordBatch> = lake.read(state, &state.files[file], columns).await.unwrap();
    let fields = batches[0].schema().fields().iter().map(|f| SortField::new(f.data_type().clone())).collect();
    let converter = RowConverter::new(fields).unwrap();
    let rows =
        |b: &RecordBatch| converter.convert_columns(b.columns()).unwrap().iter().map(|r| r.owned()).collect::<Vec<_>>();
    batches.iter().flat_map(rows).collect()
}

async fn every_row(lake: &Lake, state: &TableState) -> Vec<OwnedRow> {
    let mut found = Vec::new();
    for file in 0..state.files.len() {
        found.extend(file_rows(lake, state, file, None).await);
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_their_order_stay() {
    let lake = memory().await;
    scattered(&lake).await;
    let before = lake.state(&ORDER_LINE).await.unwrap();
    assert_eq!((before.files.len(), before.rows()), (40, 40));
    let kept = every_row(&lake, &before).await;

    let planned = optimize(&lake, &ORDER_LINE, &Compaction { dry_run: true, ..all() }).await;
    assert_eq!(planned.len(), 10);
    assert!(planned.iter().all(|p| p.outcome == Outcome::Planned && (p.files, p.rows) == (4, 4)));
    assert_eq!(lake.state(&ORDER_LINE).await.unwrap().version, before.version);

    let done = optimize(&lake, &ORDER_LINE, &Compaction { month: Some("2026-03".into()), ..all() }).await;
    assert_eq!(done.len(), 1);
    assert_eq!((done[0].month.as_deref(), done[0].files, done[0].new_files), (Some("2026-03"), 4, 1));
    assert_eq!(done[0].outcome, Outcome::Done { version: 4 });
    assert_eq!(optimize(&lake, &ORDER_LINE, &all()).await.len(), 9);

    let after = lake.state(&ORDER_LINE).await.unwrap();
    assert_eq!((after.files.len(), after.version), (10, 13));
    assert_eq!(every_row(&lake, &after).await, kept);
    for file in 0..after.files.len() {
        let sorted = file_rows(&lake, &after, file, Some(&["channel_id"])).await;
        assert_eq!(sorted.len(), 4);
        assert!(sorted.is_sorted(), "{}", after.files[file].path);
        assert!(after.files[file].stats.contains_key("business_date"));
    }
    // Readers have moved on, and nothing is left to do.
    assert_eq!(lake.head().await.unwrap().unwrap().version("order_line"), 13);
    assert!(optimize(&lake, &ORDER_LINE, &all()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_that_no_row_changed() {
    let lake = memory().await;
    for i in 0..3 {
        append(&lake, &lake.state(&REGION).await.unwrap(), "b", i * 4..i * 4 + 4).await;
    }
    optimize(&lake, &REGION, &all()).await;
    let history = lake.history(&REGION, 1).await.unwrap();
    assert_eq!((history[0].operation.as_str(), history[0].app.as_deref()), ("OPTIMIZE", Some("optimize")));
    assert!(history[0].batch_id.as_deref().is_some_and(|b| b.starts_with("optimize-")));
    assert_eq!((history[0].rows_added, history[0].rows_removed), (12, Some(12)));
    let commit = object_store::path::Path::from("region/_delta_log/00000000000000000003.json");
    let text = lake.object_store().get(&commit).await.unwrap().bytes().await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert_eq!(text.matches(r#""dataChange":false"#).count(), 4, "{text}");
    assert!(!text.contains(r#""dataChange":true"#), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_into_memory_is_left_alone() {
    let lake = memory().await;
    for i in 0..3 {
        append(&lake, &lake.state(&REGION).await.unwrap(), "b", i * 4..i * 4 + 4).await;
    }
    assert!(optimize(&lake, &REGION, &Compaction { memory_bytes: 1, ..all() }).await.is_empty());
    assert!(optimize(&lake, &REGION, &Compaction { least: 4, ..all() }).await.is_empty());
    let stopped = CancellationToken::new();
    stopped.cancel();
    assert!(lake.optimize(&REGION, &all(), &stopped).await.unwrap().is_empty());
    assert_eq!(lake.state(&REGION).await.unwrap().version, 2);
}

/// A base of three files, and the file written to take their place.
async fn written(lake: &Lake) -> (Arc<TableState>, Vec<deltalake_core::kernel::Add>) {
    for i in 0..3 {
        append(lake, &lake.state(&REGION).await.unwrap(), "b", i * 4..i * 4 + 4).await;
    }
    let base = lake.state(&REGION).await.unwrap();
    let mut read = Vec::new();
    for file in &base.files {
        read.extend(lake.read(&base, file, None).await.unwrap());
    }
    let adds = write::write_files(&lake.slot(&REGION).unwrap(), &lake.object_store(), read, usize::MAX).await.unwrap();
    assert_eq!(adds.len(), 1);
    (base, adds)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_come_meanwhile_are_kept() {
    let lake = memory().await;
    let (base, adds) = written(&lake).await;
    append(&lake, &base, "meanwhile", 12..14).await;
    let outcome = land(&lake, base.clone(), &base.files, &adds, 1).await.unwrap();
    assert_eq!(outcome, Outcome::Done { version: 4 });
    let state = lake.state(&REGION).await.unwrap();
    assert_eq!((state.files.len(), ids(&lake, &state).await), (2, (0..14).collect()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_somebody_rewrote_is_given_up() {
    let lake = memory().await;
    let (base, adds) = written(&lake).await;
    // Row 5 is corrected: its file is replaced by one with rows 4, 6, 7 and 20.
    let mut correction = change("correction", vec![rows(&REGION, [4, 6, 7, 20])]);
    correction.remove = vec![base.files[1].clone()];
    assert_eq!(lake.commit(&base, correction).await.unwrap(), Commit::Done { version: 3 });
    let outcome = land(&lake, base.clone(), &base.files, &adds, 1).await.unwrap();
    assert_eq!(outcome, Outcome::GivenUp);
    let state = lake.state(&REGION).await.unwrap();
    assert_eq!(state.version, 3);
    assert_eq!(ids(&lake, &state).await, [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 20]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_whose_table_was_redefined_is_given_up() {
    let lake = memory().await;
    let (base, adds) = written(&lake).await;
    let log = |version: u64| object_store::path::Path::from(format!("region/_delta_log/{version:020}.json"));
    let first = lake.object_store().get(&log(0)).await.unwrap().bytes().await.unwrap();
    let first = String::from_utf8(first.to_vec()).unwrap();
    let metadata = first.lines().find(|l| l.contains("\"metaData\"")).unwrap().to_string();
    lake.object_store().put(&log(3), metadata.into_bytes().into()).await.unwrap();
    assert_eq!(land(&lake, base.clone(), &base.files, &adds, 1).await.unwrap(), Outcome::GivenUp);
    assert_eq!(lake.state(&REGION).await.unwrap().version, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_of_upkeep_does_what_is_worth_it() {
    let lake = memory().await;
    let cfg = MaintenanceConfig::default();
    for i in 0..8u64 {
        upkeep::round(&lake, &cfg, true, &CancellationToken::new()).await;
        assert_eq!(lake.state(&REGION).await.unwrap().files.len() as u64, i, "few files are left alone");
        append(&lake, &lake.state(&REGION).await.unwrap(), "b", i * 4..i * 4 + 4).await;
    }
    upkeep::round(&lake, &cfg, true, &CancellationToken::new()).await;
    let state = lake.state(&REGION).await.unwrap();
    assert_eq!((state.files.len(), ids(&lake, &state).await), (1, (0..32).collect()));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_neither_lose_nor_double_rows() {
    let dir = tempfile::tempdir().unwrap();
    let cfg = config(dir.path().to_str().unwrap());
    let lake = Lake::open(&cfg).await.unwrap();
    append(&lake, &lake.state(&REGION).await.unwrap(), "first", 0..1).await;
    let writer = {
        let lake = Lake::open(&cfg).await.unwrap();
        tokio::spawn(async move {
            for i in 1..40u64 {
                let batch = format!("b{i}");
                loop {
                    let base = lake.state(&REGION).await.unwrap();
                    let done = lake.commit(&base, change(&batch, vec![rows(&REGION, [i])])).await.unwrap();
                    if done != Commit::Moved {
                        break;
                    }
                }
            }
        })
    };
    let keepers = (0..2).map(|_| {
        let cfg = cfg.clone();
        tokio::spawn(async move {
            let lake = Lake::open(&cfg).await.unwrap();
            let mut done = 0;
            for _ in 0..10 {
                let groups = optimize(&lake, &REGION, &all()).await;
                done += groups.iter().filter(|g| matches!(g.outcome, Outcome::Done { .. })).count();
            }
            done
        })
    });
    let keepers: Vec<_> = keepers.collect();
    writer.await.unwrap();
    for keeper in keepers {
        keeper.await.unwrap();
    }
    let lake = Lake::open(&cfg).await.unwrap();
    optimize(&lake, &REGION, &all()).await;
    let state = lake.state(&REGION).await.unwrap();
    assert_eq!(state.files.len(), 1);
    assert_eq!(ids(&lake, &state).await, (0..40).collect::<Vec<_>>());
}
