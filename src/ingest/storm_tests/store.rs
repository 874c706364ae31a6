//! A store in a storm: requests time out and may take effect later, reads are slow, and puts that must be the first of their
//! name are told of a conflict where there is none. What happens to a request follows from its number. It must not know
//! what is stored.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// No answer in time, and no effect.
    TimedOut,
    /// No answer in time; a put takes effect after so many further requests.
    Late(u64),
    /// A put that must be the first is refused, though none was there.
    Conflict,
    /// A read takes so many milliseconds.
    Slow(u64),
}

/// A put that is still under way.
struct Late {
    /// The number of the request before which it arrives.
    due: u64,
    location: Path,
    payload: PutPayload,
    opts: PutOptions,
}

/// Of so many requests one is hit, by each kind of fault.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    pub timed_out: u32,
    pub late: u32,
    pub conflict: u32,
    pub slow: u32,
}

pub struct Storm {
    inner: Arc<dyn ObjectStore>,
    seed: u64,
    weather: Weather,
    made: AtomicU64,
    over: AtomicBool,
    late: Mutex<Vec<Late>>,
    /// Requests that were hit.
    pub hit: AtomicU64,
}

impl Storm {
    pub fn new(inner: Arc<dyn ObjectStore>, seed: u64, weather: Weather) -> Arc<Storm> {
        let (made, over, late, hit) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::default(), AtomicU64::new(0));
        Arc::new(Storm { inner, seed, weather, made, over, late, hit })
    }

    /// From now on nothing happens; what is still under way arrives.
    pub async fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
        self.arrive(u64::MAX).await;
    }

    async fn arrive(&self, now: u64) {
        let due: Vec<Late> = {
            let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
            late.extract_if(.., |l| l.due <= now).collect()
        };
        for Late { location, payload, opts, .. } in due {
            // Nobody hears what becomes of it.
            let _ = self.inner.put_opts(&location, payload, opts).await;
        }
    }

    /// What happens to the next request. `create`: a put that must be the first of its name.
    async fn next(&self, reads: bool, create: bool) -> Fault {
        let number = self.made.fetch_add(1, Ordering::SeqCst) + 1;
        self.arrive(number).await;
        if self.over.load(Ordering::SeqCst) {
            return Fault::None;
        }
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed * 1_000_003 + number);
        let mut hits = |one_in: u32| one_in > 0 && dice.random_range(0..one_in) == 0;
        let Weather { timed_out, late, conflict, slow } = self.weather;
        let fault = if hits(timed_out) {
            Fault::TimedOut
        } else if hits(late) {
            Fault::Late(number + 1 + (number * 7 + self.seed) % 40)
        } else if create && hits(conflict) {
            Fault::Conflict
        } else if reads && hits(slow) {
            Fault::Slow(1 + number % 8)
        } else {
            Fault::None
        };
        self.hit.fetch_add(u64::from(fault != Fault::None), Ordering::SeqCst);
        fault
    }

    async fn read<T>(&self, request: impl Future<Output = Result<T>>) -> Result<T> {
        match self.next(true, false).await {
            Fault::TimedOut | Fault::Late(_) => Err(timed_out()),
            Fault::Slow(ms) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                request.await
            }
            _ => request.await,
        }
    }
}

fn timed_out() -> Error {
    Error::Generic { store: "storm", source: "operation timed out".into() }
}

impl fmt::Debug for Storm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Storm")
    }
}

impl fmt::Display for Storm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("storm")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Storm {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let create = matches!(opts.mode, PutMode::Create);
        match self.next(false, create).await {
            Fault::TimedOut => Err(timed_out()),
            Fault::Late(due) => {
                let late = Late { due, location: location.clone(), payload, opts };
                self.late.lock().unwrap_or_else(PoisonError::into_inner).push(late);
                Err(timed_out())
            }
            Fault::Conflict => {
                Err(Error::AlreadyExists { path: location.to_string(), source: "two puts met, and neither won".into() })
            }
            _ => self.inner.put_opts(location, payload, opts).await,
        }
    }
    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.read(self.inner.put_multipart_opts(location, opts)).await
    }
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.read(self.inner.get_opts(location, options)).await
    }
    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.read(self.inner.get_ranges(location, ranges)).await
    }
    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix).boxed()
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.read(self.inner.list_with_delimiter(prefix)).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.read(self.inner.copy_opts(from, to, options)).await
    }
}
