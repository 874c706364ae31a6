//! Pushes: bodies that senders hand over one by one, acknowledged when they have landed. Those of one source that come
//! within a fraction of a second land as one group: one commit per table, so that many tills make few files.
//!
//! ```text
//! receive (room, sha256) → queue of the source → group → map, small ones together → one batch → audit → publish → answers
//! ```
//!
//! A push is to the audit a file called `push/{source}/{key}`, the key being the sender's, else made from its bytes. Same
//! key and bytes: the first answer again; same key, other bytes: a conflict. What is not acknowledged may be pushed
//! again. It must not know HTTP, and it never takes more than there is room for: senders are told to come back.

mod group;
mod known;
mod map;
mod received;
mod stopped;
#[cfg(test)]
mod tests;
mod together;
#[cfg(test)]
mod together_tests;
mod worker;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::Ingest;
use super::account::FileAccount;
use super::source::Source;
use crate::error::{Error, Result};
use received::Room;
pub use received::{Received, Receiving};
pub use stopped::Stopped;
use worker::{Job, Turn, Worker};

/// The longest key of a sender.
const LONGEST_KEY: usize = 255;

/// How much may wait, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct PushLimits {
    /// Pushes that are being received, wait or land, over all sources.
    pub pushes: usize,
    /// Their bytes.
    pub bytes: u64,
    /// How long the first push of a group waits for others.
    pub group: Duration,
    /// Pushes that land as one group, at most.
    pub group_pushes: usize,
}

/// A body with what its sender said about it.
pub struct Push {
    /// The source definition by which it is read.
    pub source: String,
    /// The sender's name for it; the same push again has the same.
    pub key: Option<String>,
    /// Who sent it, for the log.
    pub caller: String,
    pub body: Received,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PushAccount {
    pub source: String,
    pub batch_id: String,
    /// Its records. `already`: this push had landed before, and these are the counts of that time.
    #[serde(flatten)]
    pub file: FileAccount,
    /// The first records that did not land, by line.
    pub quarantined_records: Vec<Stopped>,
}

/// Takes pushes. Clones share queue and workers; a source's worker starts with its first push.
#[derive(Clone)]
pub struct Pusher(Arc<Inner>);

struct Inner {
    ingest: Ingest,
    limits: PushLimits,
    room: Arc<Room>,
    /// Groups of several sources land one after the other: at once they would only lose races against each other.
    turn: Turn,
    workers: Mutex<Workers>,
}

#[derive(Default)]
struct Workers {
    closed: bool,
    by_source: HashMap<String, Running>,
}

struct Running {
    queue: mpsc::UnboundedSender<Job>,
    task: JoinHandle<()>,
}

impl Pusher {
    pub fn new(ingest: Ingest, limits: PushLimits) -> Pusher {
        let room = Arc::new(Room::new(limits.pushes, limits.bytes));
        Pusher(Arc::new(Inner { ingest, limits, room, turn: Arc::default(), workers: Mutex::default() }))
    }

    /// Reads pushes by the sources that `queries_dir` has then, until `cancel`: see [`super::LiveSources::watch`].
    pub fn watch(&self, queries_dir: PathBuf, cancel: CancellationToken) -> JoinHandle<()> {
        self.0.ingest.sources.watch(queries_dir, cancel)
    }

    /// The longest body for which there is room at all, bytes.
    pub fn most(&self) -> u64 {
        self.0.limits.bytes
    }

    /// Makes room for a body of `announced` bytes (0 = not known) that is about to be received for `source`.
    ///
    /// # Errors
    /// `NotFound`: no such source. `Busy`: no room now. `Unavailable`: closed.
    pub fn receive(&self, source: &str, announced: u64) -> Result<Receiving> {
        self.0.ingest.sources.get(source)?;
        if self.workers().closed {
            return Err(closed());
        }
        Ok(Receiving::new(self.0.room.enter(announced)?, self.0.ingest.temp_dir.clone()))
    }

    /// Returns when the push has landed, or why it did not. Dropping the future does not take the push back.
    ///
    /// # Errors
    /// `Invalid`: the key, or a body that the source cannot read. `Conflict`: other bytes have landed under the key.
    /// `Unavailable`: storage, or closed. Nothing is acknowledged then, and pushing the same again is safe.
    pub async fn push(&self, push: Push) -> Result<PushAccount> {
        let source = self.0.ingest.sources.get(&push.source)?;
        if push.body.size() == 0 {
            return Err(Error::invalid("the body is empty").hint("send the records, in the source's format"));
        }
        let uri = uri(&source, push.key.as_deref(), &push.body)?;
        let (answer, answered) = oneshot::channel();
        let arrived = self.0.ingest.clock.now_micros();
        tracing::debug!(uri, caller = push.caller, bytes = push.body.size(), "a push waits");
        let job = Job { uri, body: Arc::new(push.body), arrived, since: tokio::time::Instant::now(), answer };
        self.queue(&source, job)?;
        answered.await.unwrap_or_else(|_| {
            Err(Error::internal(format!("source {}: the worker stopped before it answered", source.name)))
        })
    }

    fn queue(&self, source: &Arc<Source>, mut job: Job) -> Result<()> {
        let mut workers = self.workers();
        if workers.closed {
            return Err(closed());
        }
        if let Some(running) = workers.by_source.get(&source.name) {
            match running.queue.send(job) {
                Ok(()) => return Ok(()),
                // It is gone: an error in the program. Another takes over.
                Err(back) => job = back.0,
            }
        }
        let (queue, jobs) = mpsc::unbounded_channel();
        let Inner { ingest, limits, turn, .. } = &*self.0;
        let worker = Worker::new(ingest.clone(), source.clone(), *limits, turn.clone(), jobs);
        let sent = queue.send(job);
        debug_assert!(sent.is_ok(), "the receiver is in the worker");
        let running = Running { queue, task: tokio::spawn(worker.run().boxed()) };
        workers.by_source.insert(source.name.clone(), running);
        Ok(())
    }

    /// Takes no more; returns when all that waited has landed and is answered. Groups do not wait for others now.
    pub async fn close(&self) {
        let running = {
            let mut workers = self.workers();
            workers.closed = true;
            std::mem::take(&mut workers.by_source)
        };
        // Without senders the queues end.
        let tasks: Vec<JoinHandle<()>> = running.into_values().map(|r| r.task).collect();
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a worker of pushes failed");
            }
        }
    }

    fn workers(&self) -> MutexGuard<'_, Workers> {
        self.0.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> Error {
    Error::unavailable("the server is shutting down").hint("nothing of the push was taken: send it again shortly")
}

/// What the audit calls a push.
fn uri(source: &Source, key: Option<&str>, body: &Received) -> Result<String> {
    let Some(key) = key else {
        let key = format!("sha256-{}", body.sha256().get(..32).unwrap_or_default());
        return Ok(format!("{PUSH}{}/{key}", source.name));
    };
    if key.is_empty() || key.len() > LONGEST_KEY || !key.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Error::invalid(format!(
            "the idempotency key {key:?} is not 1 to {LONGEST_KEY} visible ASCII characters"
        ))
        .hint("a UUID will do: one per push, the same when it is sent again"));
    }
    Ok(format!("{PUSH}{}/{key}", source.name))
}

/// How the names of pushes begin.
const PUSH: &str = "push/";

/// Whether what the audit calls `uri` is a push to `source`.
pub(super) fn is_push(source: &str, uri: &str) -> bool {
    let rest = uri.strip_prefix(PUSH).and_then(|rest| rest.strip_prefix(source));
    rest.is_some_and(|rest| rest.starts_with('/'))
}
