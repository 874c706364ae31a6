//! Doctor: finds what was broken on purpose, and mends what can be mended.

use std::collections::HashSet;

use chrono::TimeDelta;
use object_store::ObjectStoreExt;

use super::super::{Checkup, Examination, Finding, Lake, Status, UnfinishedFile};
use super::rows::{append, config, memory};
use crate::model::{ORDER_LINE, REGION};

async fn examine(lake: &Lake, mend: bool, deep: bool) -> Checkup {
    let now = lake.now().await.unwrap();
    let before = now - TimeDelta::hours(24);
    lake.examine(&Examination { mend, deep, file_bytes: 128 << 20, before, now }).await.unwrap()
}

fn found(checkup: &Checkup) -> Vec<(Option<&'static str>, &'static str, Status)> {
    checkup.findings.iter().map(|f: &Finding| (f.table, f.check, f.status)).collect()
}

/// Order lines in two months and regions, all shown.
async fn landed(lake: &Lake) {
    let unit = lake.begin("first").await.unwrap();
    append(lake, &lake.state(&ORDER_LINE).await.unwrap(), "first", 0..8).await;
    append(lake, &lake.state(&REGION).await.unwrap(), "first", 0..5).await;
    unit.publish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_lake_has_no_findings() {
    let lake = memory().await;
    landed(&lake).await;
    let checkup = examine(&lake, false, true).await;
    assert_eq!(found(&checkup), []);
    assert_eq!(checkup.tables.iter().map(|t| t.table).collect::<Vec<_>>(), ["region", "order_line"]);
    let orders = &checkup.tables[1];
    assert_eq!((orders.version, orders.shown, orders.since_checkpoint), (0, Some(0), 1));
    assert_eq!(orders.needs, ["reader 1"]);
    let months: Vec<_> = orders.partitions.iter().map(|p| (p.month.as_deref(), p.files, p.rows, p.small)).collect();
    assert_eq!(months, [(Some("2026-01"), 1, 4, 1), (Some("2026-02"), 1, 4, 1)]);
    assert!(orders.partitions.iter().all(|p| p.bytes > 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_ahead_of_its_head_is_mended() {
    let lake = memory().await;
    landed(&lake).await;
    append(&lake, &lake.state(&REGION).await.unwrap(), "lonely", 5..7).await;
    let checkup = examine(&lake, false, false).await;
    assert_eq!(found(&checkup), [(Some("region"), "head", Status::Broken)]);
    assert!(checkup.findings[0].detail.contains("1 of batch lonely"), "{checkup:?}");
    assert_eq!(checkup.broken(), 1);
    let checkup = examine(&lake, true, false).await;
    assert_eq!(found(&checkup), [(Some("region"), "head", Status::Mended)]);
    assert_eq!(checkup.broken(), 0);
    assert_eq!(lake.head().await.unwrap().unwrap().version("region"), 1);
    assert_eq!(found(&examine(&lake, false, false).await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_of_commits_that_stayed_is_told() {
    let lake = memory().await;
    landed(&lake).await;
    let note = lake.inner.root.prefix.clone().join("_heads").join("intents").join("first.json");
    lake.object_store().put(&note, "[]".into()).await.unwrap();
    assert_eq!(found(&examine(&lake, false, false).await), [], "young ones may belong to who begins just now");
    let now = lake.now().await.unwrap() + TimeDelta::days(2);
    let how = Examination { mend: false, deep: false, file_bytes: 1, before: now - TimeDelta::days(1), now };
    let checkup = lake.examine(&how).await.unwrap();
    assert_eq!(found(&checkup), [(None, "leftovers", Status::Note)]);
    assert!(checkup.findings[0].detail.starts_with("1 note of commits"), "{checkup:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_at_work_is_no_fault() {
    let lake = memory().await;
    landed(&lake).await;
    let unit = lake.begin("slow").await.unwrap();
    append(&lake, &lake.state(&REGION).await.unwrap(), "slow", 5..7).await;
    for mend in [false, true] {
        let checkup = examine(&lake, mend, false).await;
        assert_eq!(found(&checkup), [(None, "batch", Status::Note), (Some("region"), "head", Status::Note)]);
        assert!(checkup.findings[1].detail.contains("batch slow, which is at work"), "{checkup:?}");
    }
    assert_eq!(lake.head().await.unwrap().unwrap().version("region"), 0);
    unit.publish().await.unwrap();
    assert_eq!(found(&examine(&lake, false, false).await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_batch_left_is_mended() {
    let lake = memory().await;
    landed(&lake).await;
    let dead = lake.begin("dead").await.unwrap();
    append(&lake, &lake.state(&REGION).await.unwrap(), "dead", 5..7).await;
    drop(dead);
    let now = lake.now().await.unwrap() + TimeDelta::minutes(5);
    let how = |mend| Examination { mend, deep: false, file_bytes: 1, before: now - TimeDelta::hours(24), now };
    let checkup = lake.examine(&how(false)).await.unwrap();
    assert_eq!(found(&checkup), [(None, "batch", Status::Note), (Some("region"), "head", Status::Broken)]);
    let checkup = lake.examine(&how(true)).await.unwrap();
    assert_eq!(found(&checkup), [(None, "batch", Status::Mended), (Some("region"), "head", Status::Mended)]);
    assert_eq!(lake.head().await.unwrap().unwrap().version("region"), 1);
    assert_eq!(found(&lake.examine(&how(false)).await.unwrap()), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_cut_off_is_named() {
    let lake = memory().await;
    landed(&lake).await;
    let file = UnfinishedFile {
        file_id: "f".into(),
        source: "till".into(),
        uri: "till/1.csv".into(),
        waited: false,
        replayed: false,
    };
    drop(lake.begin_landing("dead", vec![file]).await.unwrap());
    let now = lake.now().await.unwrap() + TimeDelta::minutes(5);
    let how = |mend| Examination { mend, deep: false, file_bytes: 1, before: now - TimeDelta::hours(24), now };
    let unfinished = (None, "unfinished", Status::Note);
    let checkup = lake.examine(&how(false)).await.unwrap();
    assert_eq!(found(&checkup), [(None, "batch", Status::Note), unfinished]);
    assert!(checkup.findings[1].detail.contains("till/1.csv of source till"), "{checkup:?}");
    assert_eq!(checkup.findings[1].action.as_deref(), Some("saleslake ingest till till/1.csv"));
    let checkup = lake.examine(&how(true)).await.unwrap();
    assert_eq!(found(&checkup), [(None, "batch", Status::Mended), unfinished], "only landing it mends that");
    assert_eq!(found(&lake.examine(&how(false)).await.unwrap()), [unfinished]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_was_cut_off_is_named_until_it_is_replayed() {
    let lake = memory().await;
    landed(&lake).await;
    let file = |id: &str| UnfinishedFile {
        file_id: id.into(),
        source: "till".into(),
        uri: format!("till/{id}.csv"),
        waited: false,
        replayed: true,
    };
    drop(lake.begin_landing("dead", vec![file("f"), file("g")]).await.unwrap());
    let now = lake.now().await.unwrap() + TimeDelta::minutes(5);
    let how = |mend| Examination { mend, deep: false, file_bytes: 1, before: now - TimeDelta::hours(24), now };
    lake.examine(&how(true)).await.unwrap();
    let ids = HashSet::from(["f", "g"]);
    // A waiting record of the files that lands now does not complete it.
    lake.settle(&ids).await.unwrap();
    let checkup = lake.examine(&how(false)).await.unwrap();
    assert_eq!(found(&checkup), [(None, "unfinished", Status::Note)]);
    let detail = &checkup.findings[0].detail;
    assert!(detail.starts_with("the replay of 2 files of source till was cut off, in batch dead"), "{detail}");
    assert_eq!(checkup.findings[0].action.as_deref(), Some("saleslake ingest --replay till"));
    lake.settle_replay(&ids).await.unwrap();
    assert_eq!(found(&lake.examine(&how(false)).await.unwrap()), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_gone_cut_off_or_garbage_are_named() {
    let lake = memory().await;
    landed(&lake).await;
    append(&lake, &lake.state(&REGION).await.unwrap(), "more", 5..9).await;
    lake.begin("shown").await.unwrap().publish().await.unwrap();
    let store = lake.object_store();
    let orders = lake.state(&ORDER_LINE).await.unwrap();
    let regions = lake.state(&REGION).await.unwrap();
    let (gone, short, garbage) = (&orders.files[0], &orders.files[1], &regions.files[1]);
    let bytes = |file: &super::super::DataFile| {
        let (store, location) = (store.clone(), file.location.clone());
        async move { store.get(&location).await.unwrap().bytes().await.unwrap() }
    };
    store.delete(&gone.location).await.unwrap();
    let half = bytes(short).await.slice(..100);
    store.put(&short.location, half.into()).await.unwrap();
    let nothing = vec![0u8; garbage.size as usize];
    store.put(&garbage.location, nothing.into()).await.unwrap();

    let checkup = examine(&lake, true, false).await;
    let broken = (Some("order_line"), "file", Status::Broken);
    assert_eq!(found(&checkup), [broken, broken], "mending does not hide them");
    assert!(checkup.findings[0].detail.starts_with("1 of 2 files missing"), "{checkup:?}");
    assert!(checkup.findings[0].detail.contains(&gone.path), "{checkup:?}");
    assert!(checkup.findings[1].detail.contains("100 bytes"), "{checkup:?}");
    assert!(checkup.findings[1].detail.contains(&short.path), "{checkup:?}");
    // Of the right size, and still no Parquet: only a look into it tells.
    let checkup = examine(&lake, false, true).await;
    assert_eq!(found(&checkup), [(Some("region"), "file", Status::Broken), broken, broken]);
    assert!(checkup.findings[0].detail.contains(&garbage.path), "{checkup:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(&config(dir.path().to_str().unwrap())).await.unwrap();
    landed(&lake).await;
    std::fs::write(dir.path().join("region/part-1.zstd.parquet"), "123").unwrap();
    assert_eq!(found(&examine(&lake, false, false).await), [], "too young to tell");
    let now = lake.now().await.unwrap();
    let before = now + TimeDelta::hours(1);
    let how = Examination { mend: false, deep: false, file_bytes: 128 << 20, before, now };
    let checkup = lake.examine(&how).await.unwrap();
    assert_eq!(found(&checkup), [(Some("region"), "leftovers", Status::Note)]);
    assert!(checkup.findings[0].detail.starts_with("1 file of 3 bytes"), "{checkup:?}");
    assert_eq!(checkup.findings[0].action.as_deref(), Some("saleslake lake vacuum region"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_cannot_be_opened_does_not_hide_the_others() {
    let lake = memory().await;
    landed(&lake).await;
    let log = object_store::path::Path::from("channel/_delta_log/00000000000000000000.json");
    lake.object_store().put(&log, "{\"commitInfo\":{}}\n".into()).await.unwrap();
    let checkup = examine(&lake, false, false).await;
    assert_eq!(found(&checkup), [(Some("channel"), "open", Status::Broken)], "leftovers of the others can be told");
    assert_eq!(checkup.tables.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_whose_checkpoint_is_lost_is_mended() {
    let dir = tempfile::tempdir().unwrap();
    let cfg = config(dir.path().to_str().unwrap());
    let lake = Lake::open(&cfg).await.unwrap();
    landed(&lake).await;
    for i in 5..54 {
        append(&lake, &lake.state(&REGION).await.unwrap(), "more", i..i + 1).await;
    }
    lake.begin("shown").await.unwrap().publish().await.unwrap();
    std::fs::remove_file(dir.path().join("region/_delta_log/00000000000000000049.checkpoint.parquet")).unwrap();
    // Each look is that of a process that has not read the table yet.
    let look = |mend| {
        let cfg = cfg.clone();
        async move {
            let lake = Lake::open(&cfg).await.unwrap();
            let now = lake.now().await.unwrap();
            let how = Examination { mend, deep: false, file_bytes: 1, before: now - TimeDelta::hours(24), now };
            lake.examine(&how).await.unwrap()
        }
    };
    let checkup = look(false).await;
    assert_eq!(found(&checkup), [(Some("region"), "open", Status::Broken)]);
    assert!(checkup.findings[0].detail.contains("checkpoint of version 49"), "{checkup:?}");
    assert_eq!(checkup.findings[0].action.as_deref(), Some("saleslake lake doctor --mend"));
    assert_eq!(checkup.tables.iter().map(|t| t.table).collect::<Vec<_>>(), ["order_line"]);
    let checkup = look(true).await;
    assert_eq!(found(&checkup), [(Some("region"), "checkpoint", Status::Mended)]);
    assert_eq!(checkup.tables.iter().map(|t| t.version).collect::<Vec<_>>(), [49, 0]);
    assert_eq!(found(&look(false).await), []);
    let lake = Lake::open(&cfg).await.unwrap();
    assert_eq!(lake.states().await.unwrap().iter().map(|s| s.rows()).sum::<u64>(), 8 + 5 + 49);
}
