//! Storage that fails: a commit may be durable and still return an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use futures::StreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;

use super::super::testing::{Act, Unreliable, over};
use super::super::{Commit, Lake};
use super::rows::{append, change, config, ids, rows};
use crate::error::ErrorKind;
use crate::model::REGION;

const WORKS: u8 = 0;
/// The commit is stored, its acknowledgement is lost.
const LOSES_ANSWER: u8 = 1;
/// The commit is not stored.
const FAILS: u8 = 2;
/// Data files cannot be stored.
const FULL: u8 = 3;

async fn faulty() -> (Lake, Arc<AtomicU8>) {
    let mode = Arc::new(AtomicU8::new(WORKS));
    let now = mode.clone();
    let fate = move |_, put: Option<&Path>| match (now.load(Ordering::SeqCst), put.map(is_commit)) {
        (FAILS, Some(true)) | (FULL, Some(false)) => Act::Lost,
        (LOSES_ANSWER, Some(true)) => Act::Unanswered,
        _ => Act::Go,
    };
    (over(Unreliable::new(Arc::new(InMemory::new()), fate), &config("memory://")).await.unwrap(), mode)
}

fn is_commit(put: &Path) -> bool {
    put.as_ref().contains("_delta_log")
}

async fn data_files(lake: &Lake) -> usize {
    let list = lake.object_store().list(Some(&"region".into()));
    list.filter(|o| futures::future::ready(o.as_ref().is_ok_and(|o| o.location.as_ref().ends_with("parquet"))))
        .count()
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_acknowledgement_is_found() {
    let (lake, mode) = faulty().await;
    mode.store(LOSES_ANSWER, Ordering::SeqCst);
    // At creation, and later.
    for base in [-1, 0] {
        let state = lake.state(&REGION).await.unwrap();
        assert_eq!(state.version, base);
        let done = lake.commit(&state, change("b", vec![rows(&REGION, 0..4)])).await.unwrap();
        assert_eq!(done, Commit::Done { version: base + 1 });
    }
    let state = lake.state(&REGION).await.unwrap();
    assert_eq!((state.version, state.rows()), (1, 8));
    // A caller that lost the answer itself tries again on its old base, and finds its batch.
    let again = lake.commit(&lake.state(&REGION).await.unwrap(), change("c", vec![rows(&REGION, 8..9)])).await.unwrap();
    assert_eq!(again, Commit::Done { version: 2 });
    assert_eq!(lake.commit(&state, change("c", vec![rows(&REGION, 8..9)])).await.unwrap(), Commit::Moved);
    let batches: Vec<_> = lake.commits_since(&REGION, 1).await.unwrap().into_iter().map(|c| c.batch_id).collect();
    assert_eq!(batches, [Some("c".to_string())]);
    assert_eq!(data_files(&lake).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_commit_changes_nothing_and_may_be_repeated() {
    let (lake, mode) = faulty().await;
    append(&lake, &lake.state(&REGION).await.unwrap(), "b1", 0..4).await;
    let base = lake.state(&REGION).await.unwrap();
    mode.store(FAILS, Ordering::SeqCst);
    let error = lake.commit(&base, change("b2", vec![rows(&REGION, 4..8)])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.hint_text().is_some_and(|h| h.contains("commits after the base")));
    assert_eq!(data_files(&lake).await, 2, "the put might still arrive, so its file stays");
    mode.store(FULL, Ordering::SeqCst);
    let error = lake.commit(&base, change("b2", vec![rows(&REGION, 4..8)])).await.unwrap_err();
    assert!(error.message().contains("writing region/part-"), "{error}");
    mode.store(WORKS, Ordering::SeqCst);
    assert_eq!(lake.state(&REGION).await.unwrap().version, 0);
    append(&lake, &base, "b2", 4..8).await;
    assert_eq!(ids(&lake, &lake.state(&REGION).await.unwrap()).await, (0..8).collect::<Vec<_>>());
}
