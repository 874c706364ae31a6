//! Results that are being fetched, by the id of their ticket, so that cancelling one stops its work at once: also of a
//! client that does not read. A ticket may be cancelled before it is fetched.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use arrow::array::RecordBatch;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::error::{Error, ErrorKind, Result};

/// For so long a cancelled ticket stays so, and so many at most.
const REMEMBERED: Duration = Duration::from_secs(600);
const MOST: usize = 10_000;

pub type Batches = BoxStream<'static, Result<RecordBatch>>;

/// All that runs. Clones share it.
#[derive(Clone, Default)]
pub struct Running(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// A ticket may be fetched again while it still is.
    slots: HashMap<Vec<u8>, Vec<Arc<Slot>>>,
    cancelled: HashSet<Vec<u8>>,
    /// Oldest first.
    since: VecDeque<(Instant, Vec<u8>)>,
}

struct Slot {
    cancel: CancellationToken,
    /// Taken out and dropped when it is cancelled: whoever waits for a slow client must not hold up the query's end.
    batches: Mutex<Option<Batches>>,
}

impl Slot {
    fn stop(&self) {
        self.cancel.cancel();
        let batches = lock(&self.batches).take();
        drop(batches);
    }
}

impl Running {
    /// The batches, until somebody cancels `id`.
    ///
    /// # Errors
    /// `Cancelled`: somebody has.
    pub fn run(&self, id: &[u8], batches: Batches) -> Result<Run> {
        let mut inner = lock(&self.0);
        inner.forget();
        if inner.cancelled.contains(id) {
            return Err(cancelled());
        }
        let slot = Arc::new(Slot { cancel: CancellationToken::new(), batches: Mutex::new(Some(batches)) });
        inner.slots.entry(id.to_vec()).or_default().push(Arc::clone(&slot));
        drop(inner);
        let told = Box::pin(slot.cancel.clone().cancelled_owned());
        Ok(Run { running: self.clone(), id: id.to_vec(), slot, told, ended: false })
    }

    /// Stops what runs under `id`; whoever comes with it in the next minutes is refused.
    pub fn cancel(&self, id: &[u8]) {
        let slots = {
            let mut inner = lock(&self.0);
            inner.forget();
            if inner.cancelled.insert(id.to_vec()) {
                inner.since.push_back((Instant::now(), id.to_vec()));
            }
            inner.slots.get(id).cloned().unwrap_or_default()
        };
        slots.iter().for_each(|slot| slot.stop());
    }

    /// Stops everything.
    pub fn cancel_all(&self) {
        let slots: Vec<Arc<Slot>> = lock(&self.0).slots.values().flatten().cloned().collect();
        slots.iter().for_each(|slot| slot.stop());
    }
}

impl Inner {
    fn forget(&mut self) {
        let old = |(when, _): &(Instant, Vec<u8>)| when.elapsed() > REMEMBERED;
        while self.since.len() >= MOST || self.since.front().is_some_and(old) {
            let Some((_, id)) = self.since.pop_front() else { break };
            self.cancelled.remove(&id);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the query was cancelled").hint("send the statement again")
}

/// One result, batch by batch. Dropping it ends the query.
pub struct Run {
    running: Running,
    id: Vec<u8>,
    slot: Arc<Slot>,
    told: Pin<Box<WaitForCancellationFutureOwned>>,
    ended: bool,
}

impl Stream for Run {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = match self.told.as_mut().poll(cx) {
            Poll::Ready(()) => Some(Err(cancelled())),
            Poll::Pending => match lock(&self.slot.batches).as_mut() {
                Some(batches) => std::task::ready!(batches.poll_next_unpin(cx)),
                // Just now.
                None => Some(Err(cancelled())),
            },
        };
        self.ended = !matches!(next, Some(Ok(_)));
        Poll::Ready(next)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        {
            let mut inner = lock(&self.running.0);
            if let Some(slots) = inner.slots.get_mut(&self.id) {
                slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
                if slots.is_empty() {
                    inner.slots.remove(&self.id);
                }
            }
        }
        self.slot.stop();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use arrow::datatypes::Schema;
    use futures::{FutureExt, stream};

    use super::*;

    /// Sets its flag when it is dropped.
    struct Flag(Arc<AtomicBool>);

    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    /// One batch, then silence; and whether it was dropped.
    fn silent() -> (Batches, Arc<AtomicBool>) {
        let dropped = Arc::new(AtomicBool::new(false));
        let flag = Flag(Arc::clone(&dropped));
        let batch = RecordBatch::new_empty(Arc::new(Schema::empty()));
        let batches = stream::iter([Ok(batch)]).chain(stream::pending()).map(move |batch| {
            let _held = &flag;
            batch
        });
        (batches.boxed(), dropped)
    }

    #[tokio::test]
    async fn cancelling_ends_the_work_of_a_client_that_does_not_read() {
        let running = Running::default();
        let (batches, dropped) = silent();
        let mut run = running.run(b"a", batches).unwrap();
        running.cancel(b"b");
        assert!(!dropped.load(Ordering::SeqCst) && run.next().await.unwrap().is_ok());
        running.cancel(b"a");
        assert!(dropped.load(Ordering::SeqCst), "nobody has read since");
        assert_eq!(run.next().await.unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(run.next().await.is_none(), "after an error there is nothing");
    }

    #[tokio::test]
    async fn who_waits_for_rows_is_told() {
        let running = Running::default();
        let mut run = running.run(b"a", silent().0).unwrap();
        run.next().await.unwrap().unwrap();
        assert!(run.next().now_or_never().is_none());
        let waits = tokio::spawn(async move { run.next().await });
        running.cancel(b"a");
        assert_eq!(waits.await.unwrap().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    }

    #[tokio::test]
    async fn a_ticket_that_was_cancelled_first_is_refused_for_some_time() {
        let running = Running::default();
        running.cancel(b"a");
        assert_eq!(running.run(b"a", silent().0).err().unwrap().kind(), ErrorKind::Cancelled);
        let long_ago = Instant::now().checked_sub(REMEMBERED * 2).expect("the clock has run for so long");
        lock(&running.0).since[0].0 = long_ago;
        assert!(running.run(b"a", silent().0).is_ok());
        (0..2 * MOST as u64).for_each(|n| running.cancel(&n.to_le_bytes()));
        assert!(lock(&running.0).cancelled.len() <= MOST);
    }

    #[test]
    fn nothing_is_kept_of_what_has_ended() {
        let running = Running::default();
        let (batches, dropped) = silent();
        drop(running.run(b"a", batches).unwrap());
        assert!(dropped.load(Ordering::SeqCst) && lock(&running.0).slots.is_empty());
        let (batches, dropped) = silent();
        let _run = running.run(b"a", batches).unwrap();
        running.cancel_all();
        assert!(dropped.load(Ordering::SeqCst));
    }
}
