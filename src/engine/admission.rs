//! How many queries run and wait at once, and how many wait for their readers. It must not know what a query is.
//!
//! Whoever works has a turn. A query whose reader is slow gives its turn back and takes one again when it is read on, so
//! results that nobody reads hold up nobody.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::access::Class;
use crate::error::{Error, ErrorKind, Result};

/// The door that every query passes.
#[derive(Debug)]
pub struct Admission {
    interactive: Arc<Doors>,
    bi: Arc<Doors>,
    batch: Arc<Doors>,
}

/// What a turn is for. Each has places of its own: none waits behind another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A query that reads tables, until it turns out to be heavy.
    Read,
    /// A query that reads many rows, as its plan says. Fewer of them run and wait, so that they are the first to be shed, and
    /// what is answered at once does not stand behind them.
    Heavy,
    /// A query that reads none.
    Light,
    /// A query that is only planned: whoever holds rows that are not read yet may still ask what others look like.
    Plan,
}

/// The doors of one class.
#[derive(Debug)]
struct Doors {
    class: &'static str,
    /// The class's share of `engine.concurrent`, in words.
    share: &'static str,
    most: usize,
    unread: usize,
    reading: Gate,
    heavy: Gate,
    light: Gate,
    planning: Gate,
    /// Queries that wait for their readers.
    paused: Arc<Semaphore>,
}

#[derive(Debug)]
struct Gate {
    /// Running and waiting together: full = shed.
    inside: Arc<Semaphore>,
    /// The one that comes next stands here, the others behind it: a query that goes on waits for one newcomer at most.
    next: Semaphore,
    running: Arc<Semaphore>,
}

impl Gate {
    fn new(running: usize, queued: usize) -> Gate {
        let inside = running.saturating_add(queued).min(Semaphore::MAX_PERMITS);
        Gate {
            inside: Arc::new(Semaphore::new(inside)),
            next: Semaphore::new(1),
            running: Arc::new(Semaphore::new(running)),
        }
    }
}

/// One query's right to run, from its coming to its end; dropping it lets the next one in.
#[derive(Debug)]
pub struct Turn {
    doors: Arc<Doors>,
    purpose: Purpose,
    place: Place,
    waited: Duration,
}

#[derive(Debug)]
enum Place {
    Outside,
    /// For a turn, since then.
    Waiting(Instant),
    Running {
        _inside: Option<OwnedSemaphorePermit>,
        _running: OwnedSemaphorePermit,
    },
    /// For its reader. `ran`: it had a turn before, and needs one to go on.
    Paused {
        place: OwnedSemaphorePermit,
        ran: bool,
    },
}

impl Admission {
    /// `concurrent` interactive queries run at once; BI tools get half of that and batch jobs a quarter (at least one each),
    /// so that people are answered first. As many more run that read no table, and as many more are planned without running.
    /// In each class `queued` more wait for a turn, and `unread` for their readers. Of heavy queries half as many run, beside the
    /// others, and a quarter as many wait.
    pub fn new(concurrent: usize, queued: usize, unread: usize) -> Admission {
        let doors = |class, part: usize, share| {
            let most = (concurrent / part).clamp(1, Semaphore::MAX_PERMITS);
            let unread = unread.min(Semaphore::MAX_PERMITS);
            let [reading, light, planning] = [(); 3].map(|()| Gate::new(most, queued));
            let heavy = Gate::new((most / 2).max(1), queued / 4);
            let paused = Arc::new(Semaphore::new(unread));
            Arc::new(Doors { class, share, most, unread, reading, heavy, light, planning, paused })
        };
        Admission {
            interactive: doors("interactive", 1, "all"),
            bi: doors("bi", 2, "half"),
            batch: doors("batch", 4, "a quarter"),
        }
    }

    /// A query of `class` has come; it may run once it has taken its turn.
    pub fn turn(&self, class: Class) -> Turn {
        let doors = match class {
            Class::Interactive => &self.interactive,
            Class::Bi => &self.bi,
            Class::Batch => &self.batch,
        };
        Turn { doors: Arc::clone(doors), purpose: Purpose::Read, place: Place::Outside, waited: Duration::ZERO }
    }
}

impl Turn {
    /// Waits for a turn; one that it has is given back first.
    ///
    /// # Errors
    /// `Busy` at once when as many wait as may.
    pub async fn take(&mut self, purpose: Purpose) -> Result<()> {
        self.purpose = purpose;
        let doors = Arc::clone(&self.doors);
        let gate = doors.gate(purpose);
        let inside = Arc::clone(&gate.inside).try_acquire_owned().map_err(|_| {
            let message = match purpose {
                Purpose::Heavy => "too many queries that read many rows run and wait already",
                _ => "too many queries run and wait already",
            };
            Error::new(ErrorKind::Busy, message).hint("try again in a few seconds")
        })?;
        let begun = Instant::now();
        self.place = Place::Waiting(begun);
        let next = gate.next.acquire().await.map_err(closed)?;
        let running = Arc::clone(&gate.running).acquire_owned().await.map_err(closed)?;
        drop(next);
        self.waited += begun.elapsed();
        self.place = Place::Running { _inside: Some(inside), _running: running };
        Ok(())
    }

    /// Gives the turn back until the reader goes on. What never took one (its rows are there already) waits all the same.
    ///
    /// # Errors
    /// `Busy`: as many wait for their readers as may.
    pub fn pause(&mut self) -> Result<()> {
        let Doors { class, unread, paused, .. } = &*self.doors;
        let place = Arc::clone(paused).try_acquire_owned().map_err(|_| {
            let message = format!("{unread} results of class {class} wait for their readers, and now this one");
            Error::new(ErrorKind::Busy, message).hint("read results to their end or close them, or raise engine.unread")
        })?;
        let ran = !matches!(self.place, Place::Outside);
        self.place = Place::Paused { place, ran };
        Ok(())
    }

    /// Waits for a turn after [`Turn::pause`], before newcomers.
    pub async fn go_on(&mut self) -> Result<()> {
        let begun = Instant::now();
        // Until it runs it counts as one of those that wait for their readers: there are no more open ones than that.
        let _paused = match std::mem::replace(&mut self.place, Place::Waiting(begun)) {
            Place::Paused { place, ran: true } => place,
            Place::Paused { ran: false, .. } => {
                self.place = Place::Outside;
                return Ok(());
            }
            other => {
                self.place = other;
                return Ok(());
            }
        };
        let running = Arc::clone(&self.doors.gate(self.purpose).running).acquire_owned().await.map_err(closed)?;
        self.waited += begun.elapsed();
        self.place = Place::Running { _inside: None, _running: running };
        Ok(())
    }

    /// Why the query was not done within `allowed`, if that was not its own work.
    pub fn late(&self, allowed: Duration) -> Option<Error> {
        let Doors { class, share, most, .. } = &*self.doors;
        let hint =
            format!("ask again later, ask less at once, or raise engine.concurrent: class {class} gets {share} of it");
        match &self.place {
            Place::Waiting(since) => {
                let seconds = (self.waited + since.elapsed()).as_secs_f64();
                let running = match *most {
                    1 => format!("1 query of class {class} was running"),
                    most => format!("{most} queries of class {class} were running"),
                };
                let message = format!("the query waited {seconds:.1} s for a turn: {running}");
                Some(Error::new(ErrorKind::Busy, message).hint(hint))
            }
            Place::Paused { .. } => {
                let message = format!("the result was not read to its end within {} s", allowed.as_secs_f64());
                let hint = "read on without pauses, ask for fewer rows, or raise engine.timeout_seconds";
                Some(Error::new(ErrorKind::Timeout, message).hint(hint))
            }
            Place::Running { .. } if self.waited > allowed / 2 => {
                let (allowed, waited) = (allowed.as_secs_f64(), self.waited.as_secs_f64());
                let message =
                    format!("the query took longer than {allowed} s, {waited:.1} s of them waiting for a turn");
                Some(Error::new(ErrorKind::Timeout, message).hint(hint))
            }
            Place::Outside | Place::Running { .. } => None,
        }
    }
}

impl Doors {
    fn gate(&self, purpose: Purpose) -> &Gate {
        match purpose {
            Purpose::Read => &self.reading,
            Purpose::Heavy => &self.heavy,
            Purpose::Light => &self.light,
            Purpose::Plan => &self.planning,
        }
    }
}

fn closed(_: tokio::sync::AcquireError) -> Error {
    Error::new(ErrorKind::Unavailable, "the engine is shutting down")
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn one_runs_one_waits_the_third_is_shed() {
        let door = Admission::new(1, 1, 1);
        let [mut first, mut second, mut third] = [(); 3].map(|()| door.turn(Class::Interactive));
        first.take(Purpose::Read).await.unwrap();
        let mut waits = Box::pin(second.take(Purpose::Read));
        assert!(waits.as_mut().now_or_never().is_none(), "the second waits");
        let shed = third.take(Purpose::Read).await.unwrap_err();
        assert_eq!(shed.kind(), ErrorKind::Busy);
        assert!(
            door.turn(Class::Batch).take(Purpose::Read).now_or_never().is_some(),
            "classes do not block each other"
        );
        for other in [Purpose::Light, Purpose::Plan] {
            assert!(third.take(other).now_or_never().is_some(), "nor do queries of tables {other:?}");
        }
        drop(first);
        assert!(waits.now_or_never().unwrap().is_ok());
    }

    #[tokio::test]
    async fn heavy_ones_are_shed_first_and_hold_up_no_others() {
        let door = Admission::new(2, 4, 1);
        let [mut first, mut second, mut third] = [(); 3].map(|()| door.turn(Class::Interactive));
        first.take(Purpose::Read).await.unwrap();
        first.take(Purpose::Heavy).await.unwrap();
        second.take(Purpose::Read).await.unwrap();
        let mut waits = Box::pin(second.take(Purpose::Heavy));
        assert!(waits.as_mut().now_or_never().is_none(), "one of them runs, one waits");
        third.take(Purpose::Read).await.unwrap();
        assert_eq!(third.take(Purpose::Heavy).await.unwrap_err().kind(), ErrorKind::Busy);
        drop(third);
        let mut cheap: Vec<Turn> = (0..2).map(|_| door.turn(Class::Interactive)).collect();
        for turn in &mut cheap {
            assert!(
                turn.take(Purpose::Read).now_or_never().is_some_and(|done| done.is_ok()),
                "no heavy one has its place"
            );
        }
        drop(first);
        assert!(waits.now_or_never().is_some_and(|done| done.is_ok()));
    }

    #[tokio::test]
    async fn what_needs_no_turn_waits_for_its_reader_only() {
        let door = Admission::new(1, 0, 1);
        let [mut runs, mut unread, mut other] = [(); 3].map(|()| door.turn(Class::Interactive));
        runs.take(Purpose::Read).await.unwrap();
        unread.pause().unwrap();
        assert_eq!(other.pause().unwrap_err().kind(), ErrorKind::Busy, "its rows take memory, too");
        assert!(unread.go_on().now_or_never().unwrap().is_ok(), "all places are taken, and it needs none");
        other.pause().unwrap();
    }

    #[tokio::test]
    async fn who_goes_on_waits_for_one_newcomer_at_most() {
        let door = Admission::new(1, 3, 1);
        let [mut paused, mut now, mut next, mut last] = [(); 4].map(|()| door.turn(Class::Interactive));
        paused.take(Purpose::Read).await.unwrap();
        paused.pause().unwrap();
        now.take(Purpose::Read).await.unwrap();
        assert_eq!(now.pause().unwrap_err().kind(), ErrorKind::Busy, "one waits for its reader already");
        let mut next_waits = Box::pin(next.take(Purpose::Read));
        let mut last_waits = Box::pin(last.take(Purpose::Read));
        assert!(next_waits.as_mut().now_or_never().is_none() && last_waits.as_mut().now_or_never().is_none());
        let mut goes_on = Box::pin(paused.go_on());
        assert!(goes_on.as_mut().now_or_never().is_none());
        drop(now);
        assert!(goes_on.as_mut().now_or_never().is_none() && last_waits.as_mut().now_or_never().is_none());
        assert!(next_waits.as_mut().now_or_never().is_some(), "it came first");
        drop(next_waits);
        drop(next);
        assert!(last_waits.as_mut().now_or_never().is_none(), "the one that goes on is before it");
        assert!(goes_on.as_mut().now_or_never().is_some());
        drop(goes_on);
        drop(paused);
        assert!(last_waits.now_or_never().is_some());
    }
}
