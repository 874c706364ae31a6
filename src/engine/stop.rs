//! When a query's work must stop, and what the work holds until it has: its turn and its snapshot. Whoever gives
//! a query up says so here; whoever computes asks here. It must not know operators.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

use super::admission::Turn;
use super::rows::timed_out;
use super::snapshot::Snapshot;
use crate::error::{Error, ErrorKind, Result};

/// How often an ended query looks for tasks that were told to stop, at first without a pause: as a rule they are gone.
const LOOKS: u32 = 60;
const AT_ONCE: u32 = 10;
const PAUSE: Duration = Duration::from_millis(1);

/// Tells a query's work to stop. Clones tell the same work.
#[derive(Debug, Clone)]
pub struct Stop(Arc<Told>);

#[derive(Debug)]
struct Told {
    stopped: AtomicBool,
    deadline: Instant,
    /// The time that was allowed, for the message.
    timeout: Duration,
}

impl Stop {
    /// Work that may go on until `deadline`.
    pub fn at(deadline: Instant, timeout: Duration) -> Stop {
        Stop(Arc::new(Told { stopped: AtomicBool::new(false), deadline, timeout }))
    }

    /// From now on nothing goes on.
    pub fn now(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether the work may go on: asked for every batch, so it is cheap.
    ///
    /// # Errors
    /// `Timeout` from the deadline on: no timer is needed, whose thread may be computing. `Cancelled` once it was stopped.
    pub fn go_on(&self) -> Result<()> {
        if Instant::now() >= self.0.deadline {
            return Err(timed_out(self.0.timeout));
        }
        if self.0.stopped.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Cancelled, "the query was cancelled"));
        }
        Ok(())
    }
}

/// Stops the work when it is dropped.
#[derive(Debug)]
pub struct Stopper(Stop);

impl Stopper {
    pub fn stop(&self) {
        self.0.now();
    }
}

impl Drop for Stopper {
    fn drop(&mut self) {
        self.0.now();
    }
}

/// What a running query holds. Every stream of its plan has a share: an aborted task that has not noticed yet still computes,
/// and its place is not another query's before.
pub struct Work {
    stop: Stop,
    /// Taken, paused and taken again by whoever moves the query on; nobody else waits for the lock.
    turn: Mutex<Turn>,
    /// So that a vacuum in this process leaves its files alone.
    snapshot: OnceLock<Arc<Snapshot>>,
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Work")
    }
}

impl Work {
    pub fn new(stop: Stop, turn: Turn) -> Work {
        Work { stop, turn: Mutex::new(turn), snapshot: OnceLock::new() }
    }

    pub async fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().await
    }

    /// The state that it works on.
    pub fn reads(&self, snapshot: Arc<Snapshot>) {
        let _ = self.snapshot.set(snapshot);
    }

    /// The error of a query that was not done in time: it had no turn, no reader, or too much to do.
    pub fn late(&self) -> Error {
        let allowed = self.stop.0.timeout;
        late(self.turn.try_lock().ok().as_deref(), allowed)
    }

    /// See [`Stop::go_on`].
    pub fn go_on(&self) -> Result<()> {
        self.stop.go_on()
    }

    pub fn stopper(&self) -> Stopper {
        Stopper(self.stop.clone())
    }

    /// The query has ended: what still runs for it stops, and gives back the place. That is waited for, but not long, so that
    /// who has read all rows finds room for the next query.
    pub async fn over(self: Arc<Work>) {
        self.stop.now();
        let left = Arc::downgrade(&self);
        drop(self);
        for look in 0..LOOKS {
            if left.strong_count() == 0 {
                return;
            }
            if look < AT_ONCE {
                yield_now().await;
            } else {
                sleep(PAUSE).await;
            }
        }
    }
}

/// The error of a query that was not done within `allowed`; `turn`: its own, if that can be looked at.
pub fn late(turn: Option<&Turn>, allowed: Duration) -> Error {
    turn.and_then(|turn| turn.late(allowed)).unwrap_or_else(|| timed_out(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_the_stopper_stops_and_the_deadline_does_too() {
        let hour = Duration::from_secs(3600);
        let stop = Stop::at(Instant::now() + hour, hour);
        let stopper = Stopper(stop.clone());
        assert!(stop.go_on().is_ok());
        drop(stopper);
        assert_eq!(stop.go_on().unwrap_err().kind(), ErrorKind::Cancelled);
        let late = Stop::at(Instant::now(), Duration::from_secs(7));
        late.now();
        let error = late.go_on().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "whose time is over is told that");
        assert!(error.to_string().contains("7 s"), "{error}");
    }
}
