//! Storage that fails: a commit may be durable and still return an error.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::*;

use super::super::store::{self, Root};
use super::super::{Commit, Lake, Properties};
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

#[derive(Debug)]
struct Faulty {
    inner: Arc<dyn ObjectStore>,
    mode: Arc<AtomicU8>,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

fn broken() -> Error {
    Error::Generic { store: "faulty", source: "broken pipe".into() }
}

#[async_trait::async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let commit = location.as_ref().contains("_delta_log");
        match (self.mode.load(Ordering::SeqCst), commit) {
            (FAILS, true) | (FULL, false) => Err(broken()),
            (LOSES_ANSWER, true) => {
                self.inner.put_opts(location, payload, opts).await?;
                Err(broken())
            }
            _ => self.inner.put_opts(location, payload, opts).await,
        }
    }
    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }
    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }
    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

async fn faulty() -> (Lake, Arc<AtomicU8>) {
    let root = store::memory().unwrap();
    let mode = Arc::new(AtomicU8::new(WORKS));
    let store = Arc::new(Faulty { inner: root.store.clone(), mode: mode.clone() });
    let properties = Properties::from_config(&config("memory://")).unwrap();
    (Lake::with_root(Root { store, ..root }, properties).await.unwrap(), mode)
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
