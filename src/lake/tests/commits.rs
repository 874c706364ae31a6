//! Commits, races, replacement, history.

use super::super::{Commit, Lake, Stat};
use super::rows::{append, change, config, ids, memory, rows};
use crate::model::{INGEST_FILE, ORDER_LINE, REGION};

async fn round_trip(lake: &Lake) {
    for table in [&REGION, &ORDER_LINE, &INGEST_FILE] {
        let base = lake.state(table).await.unwrap();
        let given = rows(table, (0..40).rev());
        let done = lake.commit(&base, change("b1", vec![given.clone(), rows(table, 40..40)])).await.unwrap();
        assert_eq!(done, Commit::Done { version: 0 });
        let state = lake.state(table).await.unwrap();
        assert_eq!((state.version, state.rows()), (0, 40));
        assert_eq!(state.files.len(), if table.partitioned() { 10 } else { 1 });
        let mut read = Vec::new();
        for file in &state.files {
            assert_eq!(file.month.is_some(), table.partitioned());
            read.extend(lake.read(&state, file, None).await.unwrap());
        }
        // Equal as sets of rows: compare through the row format.
        let sort = |batches: Vec<arrow::record_batch::RecordBatch>| {
            let fields =
                table.schema().fields().iter().map(|f| arrow::row::SortField::new(f.data_type().clone())).collect();
            let converter = arrow::row::RowConverter::new(fields).unwrap();
            let mut all: Vec<_> = batches
                .iter()
                .flat_map(|b| {
                    converter.convert_columns(b.columns()).unwrap().iter().map(|r| r.owned()).collect::<Vec<_>>()
                })
                .collect();
            all.sort();
            all
        };
        assert!(read.iter().all(|b| b.schema() == table.schema()));
        assert_eq!(sort(read), sort(vec![given]), "{}", table.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_back_from_memory() {
    round_trip(&memory().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_back_from_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    round_trip(&Lake::open(&config(dir.path().to_str().unwrap())).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_is_one_commit() {
    let lake = memory().await;
    append(&lake, &lake.state(&ORDER_LINE).await.unwrap(), "b1", 0..40).await;
    let base = lake.state(&ORDER_LINE).await.unwrap();
    let january = base.files[0].clone();
    let gone = january.rows;
    let mut replace = change("b2", vec![rows(&ORDER_LINE, 1..4), rows(&ORDER_LINE, 100..102)]);
    replace.remove = vec![january.clone()];
    replace.info.insert("file".into(), "x.csv".into());
    assert_eq!(lake.commit(&base, replace).await.unwrap(), Commit::Done { version: 1 });
    let state = lake.state(&ORDER_LINE).await.unwrap();
    let expected: Vec<i64> = (1..4).chain(gone as i64..40).chain(100..102).collect();
    assert_eq!(ids(&lake, &state).await, expected);
    assert_eq!(ids(&lake, &base).await, (0..40).collect::<Vec<_>>(), "an older state stays as it was");

    let seen = lake.commits_since(&ORDER_LINE, 0).await.unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].removed, std::slice::from_ref(&january.path));
    assert_eq!((seen[0].batch_id.as_deref(), seen[0].added.len(), seen[0].other), (Some("b2"), 2, false));
    let history = lake.history(&ORDER_LINE, 10).await.unwrap();
    assert_eq!(history.iter().map(|h| h.version).collect::<Vec<_>>(), [1, 0]);
    assert_eq!((history[0].rows_added, history[0].rows_removed), (5, Some(gone)));
    assert_eq!((history[0].operation.as_str(), history[0].app.as_deref()), ("MERGE", Some("shop")));
    assert_eq!(history[0].info.get("file"), Some(&"x.csv".into()));
    assert!(history[0].at.is_some());

    // Removing alone, and a file that is no longer there.
    let mut remove = change("b3", vec![]);
    remove.remove = state.files.clone();
    assert_eq!(lake.commit(&state, remove).await.unwrap(), Commit::Done { version: 2 });
    let empty = lake.state(&ORDER_LINE).await.unwrap();
    assert_eq!((empty.rows(), empty.range("business_date")), (0, None));
    let mut again = change("b4", vec![]);
    again.remove = vec![january];
    assert!(lake.commit(&empty, again).await.unwrap_err().message().contains("not in version 2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_commit_on_a_base_has_moved() {
    let dir = tempfile::tempdir().unwrap();
    let cfg = config(dir.path().to_str().unwrap());
    let (one, two) = (Lake::open(&cfg).await.unwrap(), Lake::open(&cfg).await.unwrap());
    for table in [&REGION, &ORDER_LINE] {
        // Creation races, then ordinary commits race.
        for base in [-1, 0] {
            let (a, b) = (one.state(table).await.unwrap(), two.state(table).await.unwrap());
            assert_eq!((a.version, b.version), (base, base));
            append(&one, &a, "first", 0..4).await;
            let lost = two.commit(&b, change("second", vec![rows(table, 4..8)])).await.unwrap();
            assert_eq!(lost, Commit::Moved);
            let seen = two.commits_since(table, base).await.unwrap();
            assert_eq!(seen.iter().map(|c| c.batch_id.as_deref()).collect::<Vec<_>>(), [Some("first")]);
            assert_eq!(seen[0].other, base == -1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_each_commits_once() {
    let dir = tempfile::tempdir().unwrap();
    let cfg = config(dir.path().to_str().unwrap());
    let writers = (0..6u64).map(|w| {
        let cfg = cfg.clone();
        tokio::spawn(async move {
            let lake = Lake::open(&cfg).await.unwrap();
            for round in 0..10u64 {
                let first = (w * 10 + round) * 8;
                loop {
                    let base = lake.state(&REGION).await.unwrap();
                    let batch = format!("w{w}r{round}");
                    if lake.commit(&base, change(&batch, vec![rows(&REGION, first..first + 8)])).await.unwrap()
                        != Commit::Moved
                    {
                        break;
                    }
                }
            }
        })
    });
    futures::future::try_join_all(writers.collect::<Vec<_>>()).await.unwrap();
    let lake = Lake::open(&cfg).await.unwrap();
    let state = lake.state(&REGION).await.unwrap();
    assert_eq!(state.version, 59);
    assert_eq!(ids(&lake, &state).await, (0..480).collect::<Vec<_>>());
    // Losers took their files with them, and a checkpoint was written on the way.
    let files = std::fs::read_dir(dir.path().join("region")).unwrap().count();
    assert_eq!(files, 60 + 1);
    let log: Vec<String> = std::fs::read_dir(dir.path().join("region/_delta_log"))
        .unwrap()
        .map(|f| f.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(log.iter().any(|f| f.contains("checkpoint.parquet")), "{log:?}");
    // The state from the checkpoint has the same statistics as one that was built commit by commit.
    let first = state.files.iter().map(|f| &f.stats).min_by_key(|s| s["region_id"].min.clone()).unwrap();
    assert!(matches!(&first["region_id"].min, Some(Stat::Text(t)) if t == "region_id-0"));
    assert!(state.files.iter().all(|f| f.rows == 8 && f.stats.contains_key("region_id")));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_break_the_contract_are_refused() {
    let lake = memory().await;
    let base = lake.state(&ORDER_LINE).await.unwrap();
    let nothing = lake.commit(&base, change("b", vec![])).await.unwrap_err();
    assert!(nothing.message().contains("nothing to commit"));
    let good = rows(&ORDER_LINE, 0..4);
    let fewer = good.project(&[0, 1]).unwrap();
    assert!(lake.commit(&base, change("b", vec![fewer])).await.unwrap_err().message().contains("have columns"));
    let mut columns = good.columns().to_vec();
    *columns.last_mut().unwrap() = std::sync::Arc::new(arrow::array::StringArray::from(vec!["2026-1"; 4]));
    let bad = arrow::record_batch::RecordBatch::try_new(good.schema(), columns).unwrap();
    assert!(lake.commit(&base, change("b", vec![bad])).await.unwrap_err().message().contains("YYYY-MM"));
    let mut taken = change("b", vec![good]);
    taken.info.insert("batch_id".into(), 1.into());
    assert!(lake.commit(&base, taken).await.unwrap_err().message().contains("taken"));
    assert_eq!(lake.state(&ORDER_LINE).await.unwrap().version, -1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_cleaned_up_is_not_taken_for_silence() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(&config(dir.path().to_str().unwrap())).await.unwrap();
    for i in 0..3 {
        append(&lake, &lake.state(&REGION).await.unwrap(), "b", i * 4..i * 4 + 4).await;
    }
    std::fs::remove_file(dir.path().join("region/_delta_log/00000000000000000001.json")).unwrap();
    let error = lake.commits_since(&REGION, 0).await.unwrap_err();
    assert_eq!(error.kind(), crate::error::ErrorKind::Conflict);
    assert_eq!(lake.commits_since(&REGION, 1).await.unwrap().len(), 1);
    assert_eq!(lake.history(&REGION, 10).await.unwrap().len(), 1);
}
