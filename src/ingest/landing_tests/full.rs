//! A disk that fills up while a batch is written: every table stays as it was, and the batch lands when there is room.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;

use super::*;
use crate::lake::testing::{Act, Unreliable, over};
use crate::model::TABLES;

async fn versions(lake: &Lake) -> Vec<i64> {
    let states = futures::future::try_join_all(TABLES.iter().map(|t| lake.state(t))).await.expect("states");
    states.iter().map(|s| s.version).collect()
}

async fn objects(lake: &Lake) -> BTreeSet<String> {
    let all: Vec<_> = lake.object_store().list(None).try_collect().await.expect("listed");
    all.into_iter().map(|o| o.location.to_string()).collect()
}

fn returned(id: &str) -> Row {
    row(&[("return_id", id), ("return_line_id", "1"), ("business_date", "3"), ("event_time", "0")])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_without_room_for_its_last_table_changes_none() {
    let full = Arc::new(AtomicBool::new(false));
    let now = full.clone();
    // Room for small log entries and for the lines, which come first; none for the returns' file.
    let fate = move |_, put: Option<&Path>| {
        let file = put.is_some_and(|p| p.as_ref().starts_with("return_line/") && p.as_ref().ends_with(".parquet"));
        if file && now.load(Ordering::SeqCst) { Act::Lost } else { Act::Go }
    };
    let config = LakeConfig { url: "memory://".into(), ..LakeConfig::default() };
    let lake = over(Unreliable::new(Arc::new(InMemory::new()), fate), &config).await.expect("a lake");
    land(&lake, "b1", vec![("f1", mapped(&ORDER_LINE, false, &[line("a", 1, 5, "3"), line("b", 1, 5, "3")]))]).await;
    let (before, there) = (versions(&lake).await, objects(&lake).await);

    full.store(true, Ordering::SeqCst);
    let clock = Clock::fixed(chrono::DateTime::from_timestamp(1_000_000, 0).expect("an instant"));
    let mut batch = Batch::new(Writer { lake: &lake, source: "shop", batch_id: "b2", clock }, &Silent);
    let number = batch.file(BatchFile { id: "f2".into(), uri: "f2.csv".into() });
    batch.push(number, mapped(&ORDER_LINE, false, &[line("a", 2, 1, "40")])).expect("pushed");
    batch.push(number, mapped(&RETURN_LINE, false, &[returned("r")])).expect("pushed");
    let error = batch.flush().await.err().expect("no room");
    assert!(error.message().contains("writing return_line/"), "{error}");
    assert_eq!(versions(&lake).await, before);
    assert_eq!(objects(&lake).await, there, "nothing is left over");

    full.store(false, Ordering::SeqCst);
    let files = || {
        vec![
            ("f2", mapped(&ORDER_LINE, false, &[line("a", 2, 1, "40")])),
            ("f3", mapped(&RETURN_LINE, false, &[returned("r")])),
        ]
    };
    let landed = land(&lake, "b3", files()).await;
    assert_eq!(landed.files.iter().map(counts).collect::<Vec<_>>(), [[1, 1, 0, 0, 0, 0]; 2]);
    assert_eq!((content(&lake, &ORDER_LINE).await.len(), content(&lake, &RETURN_LINE).await.len()), (2, 1));
}
