//! How many queries run and wait at once: per class two semaphores, the first sheds, the second queues. Those that are only
//! planned have places of their own: whoever holds rows that are not read yet may still ask what others look like.
//! It must not know what a query is.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::Class;
use crate::error::{Error, ErrorKind, Result};

/// The door that every query passes.
#[derive(Debug)]
pub struct Admission {
    running: Gates,
    planning: Gates,
}

#[derive(Debug)]
struct Gates {
    interactive: Gate,
    bi: Gate,
    batch: Gate,
}

#[derive(Debug)]
struct Gate {
    /// Running and waiting together: full = shed.
    inside: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

/// The right to run; dropping it lets the next one in.
#[derive(Debug)]
pub struct Permit {
    _inside: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
}

impl Admission {
    /// `concurrent` interactive queries run at once; BI tools get half of that and batch jobs a quarter (at least one each),
    /// so that people are answered first. In each class `queued` more wait. As many again may be planned without running.
    pub fn new(concurrent: usize, queued: usize) -> Admission {
        Admission { running: Gates::new(concurrent, queued), planning: Gates::new(concurrent, queued) }
    }

    /// Waits for a turn to run.
    ///
    /// # Errors
    /// `Busy` at once when as many wait as may.
    pub async fn admit(&self, class: Class) -> Result<Permit> {
        self.running.admit(class).await
    }

    /// Waits for a turn to plan a query that is not run.
    ///
    /// # Errors
    /// As [`Admission::admit`].
    pub async fn admit_planning(&self, class: Class) -> Result<Permit> {
        self.planning.admit(class).await
    }
}

impl Gates {
    fn new(concurrent: usize, queued: usize) -> Gates {
        let gate = |share: usize| {
            let running = (concurrent / share).clamp(1, Semaphore::MAX_PERMITS);
            let inside = running.saturating_add(queued).min(Semaphore::MAX_PERMITS);
            Gate { inside: Arc::new(Semaphore::new(inside)), running: Arc::new(Semaphore::new(running)) }
        };
        Gates { interactive: gate(1), bi: gate(2), batch: gate(4) }
    }

    async fn admit(&self, class: Class) -> Result<Permit> {
        let gate = match class {
            Class::Interactive => &self.interactive,
            Class::Bi => &self.bi,
            Class::Batch => &self.batch,
        };
        let inside = Arc::clone(&gate.inside).try_acquire_owned().map_err(|_| {
            Error::new(ErrorKind::Busy, "too many queries run and wait already").hint("try again in a few seconds")
        })?;
        let closed = |_| Error::new(ErrorKind::Unavailable, "the engine is shutting down");
        let running = Arc::clone(&gate.running).acquire_owned().await.map_err(closed)?;
        Ok(Permit { _inside: inside, _running: running })
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn one_runs_one_waits_the_third_is_shed() {
        let door = Admission::new(1, 1);
        let first = door.admit(Class::Interactive).await.unwrap();
        let mut second = Box::pin(door.admit(Class::Interactive));
        assert!(second.as_mut().now_or_never().is_none(), "the second waits");
        let third = door.admit(Class::Interactive).await.unwrap_err();
        assert_eq!(third.kind(), ErrorKind::Busy);
        assert!(door.admit(Class::Batch).now_or_never().is_some(), "classes do not block each other");
        let planned = door.admit_planning(Class::Interactive).now_or_never().unwrap().unwrap();
        assert!(door.admit_planning(Class::Interactive).now_or_never().is_none(), "planning has a gate, too");
        drop((planned, first));
        assert!(second.now_or_never().unwrap().is_ok());
    }
}
