//! Object stores that fail as real ones do, for tests of whatever writes: a process that dies at a given request, errors
//! with and without effect, torn uploads, slow answers. Nothing here knows what is stored.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::*;

use super::store::{self, Root};
use super::{Lake, Properties};
use crate::config::LakeConfig;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Go,
    /// An error, and nothing was done.
    Lost,
    /// It was done, and the answer got lost.
    Unanswered,
    /// A part of an upload is there under its name, and an error. (Only uploads that a store would not make whole.)
    Torn,
    Slow,
    /// The process is killed before this request, or after it: nothing it does from then on reaches the store.
    DieBefore,
    DieAfter,
}

/// Decides by the request's number, from 1, and by what it puts, if it does.
type Fate = dyn Fn(u64, Option<&Path>) -> Act + Send + Sync;

/// A store that serves `inner` as `fate` allows.
pub struct Unreliable {
    inner: Arc<dyn ObjectStore>,
    fate: Box<Fate>,
    made: AtomicU64,
    dead: AtomicBool,
}

impl Unreliable {
    pub fn new(
        inner: Arc<dyn ObjectStore>,
        fate: impl Fn(u64, Option<&Path>) -> Act + Send + Sync + 'static,
    ) -> Arc<Unreliable> {
        Arc::new(Unreliable { inner, fate: Box::new(fate), made: AtomicU64::new(0), dead: AtomicBool::new(false) })
    }
    /// Requests so far.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Does `request` unless fate has it otherwise.
    async fn meet<T>(&self, request: impl Future<Output = Result<T>>) -> Result<T> {
        let act = self.next(None);
        self.through(act, request).await
    }

    fn next(&self, put: Option<&Path>) -> Act {
        let number = self.made.fetch_add(1, Ordering::SeqCst) + 1;
        if self.is_dead() { Act::DieBefore } else { (self.fate)(number, put) }
    }

    async fn through<T>(&self, act: Act, request: impl Future<Output = Result<T>>) -> Result<T> {
        match act {
            Act::Go => request.await,
            Act::Slow => {
                tokio::time::sleep(Duration::from_millis(5)).await;
                request.await
            }
            Act::Lost | Act::Torn => Err(broken()),
            Act::Unanswered => {
                request.await?;
                Err(broken())
            }
            Act::DieBefore => {
                self.dead.store(true, Ordering::SeqCst);
                Err(broken())
            }
            Act::DieAfter => {
                self.dead.store(true, Ordering::SeqCst);
                let _ = request.await;
                Err(broken())
            }
        }
    }
}

fn broken() -> Error {
    Error::Generic { store: "unreliable", source: "connection reset".into() }
}

impl fmt::Debug for Unreliable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unreliable")
    }
}

impl fmt::Display for Unreliable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unreliable")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Unreliable {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let act = self.next(Some(location));
        if act == Act::Torn && !matches!(opts.mode, PutMode::Create) {
            let whole: Bytes = payload.into();
            let part = whole.slice(..whole.len() / 2);
            self.inner.put_opts(location, part.into(), opts).await?;
            return Err(broken());
        }
        self.through(act, self.inner.put_opts(location, payload, opts)).await
    }
    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.meet(self.inner.put_multipart_opts(location, opts)).await
    }
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.meet(self.inner.get_opts(location, options)).await
    }
    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.meet(self.inner.get_ranges(location, ranges)).await
    }
    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.next(None) {
            Act::Go | Act::Slow => self.inner.delete_stream(locations),
            Act::Unanswered => self.inner.delete_stream(locations).map(|_| Err(broken())).boxed(),
            Act::DieAfter => {
                self.dead.store(true, Ordering::SeqCst);
                self.inner.delete_stream(locations).map(|_| Err(broken())).boxed()
            }
            act => {
                self.dead.fetch_or(act == Act::DieBefore, Ordering::SeqCst);
                locations.map(|_| Err(broken())).boxed()
            }
        }
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let listed = self.inner.list(prefix);
        match self.next(None) {
            Act::Go | Act::Slow => listed,
            act => {
                self.dead.fetch_or(matches!(act, Act::DieBefore | Act::DieAfter), Ordering::SeqCst);
                futures::stream::once(async { Err(broken()) }).boxed()
            }
        }
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.meet(self.inner.list_with_delimiter(prefix)).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.meet(self.inner.copy_opts(from, to, options)).await
    }
}

/// A lake over `store`; another handle on the same store sees the same lake, as another process would.
pub async fn over(store: Arc<dyn ObjectStore>, cfg: &LakeConfig) -> crate::error::Result<Lake> {
    let root = store::memory()?;
    Lake::with_root(Root { store, ..root }, Properties::from_config(cfg)?).boxed().await
}

/// As if every process that has announced a batch were gone: their markers say so to whoever looks next.
pub async fn bury(store: &Arc<dyn ObjectStore>) {
    let all: Vec<ObjectMeta> = store.list(Some(&Path::from("_heads/open"))).try_collect().await.expect("listed");
    for marker in all {
        let bytes = store.get(&marker.location).await.expect("a marker").bytes().await.expect("read");
        match serde_json::from_slice::<serde_json::Value>(&bytes) {
            Ok(mut holder) => {
                holder["pid"] = u32::MAX.into();
                store.put(&marker.location, holder.to_string().into()).await.expect("put");
            }
            // One that was torn says nothing.
            Err(_) => store.delete(&marker.location).await.expect("deleted"),
        }
    }
}
