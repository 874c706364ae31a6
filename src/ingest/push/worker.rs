//! The worker of one source: takes what is queued as groups, one after the other, until the queue ends.
//! It must not decide what becomes of a push (`group`).

use std::sync::Arc;

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::map::Mappers;
use super::received::Received;
use super::{PushAccount, PushLimits};
use crate::error::{Error, Result};
use crate::ingest::drift::Seen;
use crate::ingest::fx::FxRates;
use crate::ingest::source::Source;
use crate::ingest::{Ingest, definition};
use crate::lake::UnfinishedFile;

/// A push that waits, and whom to answer.
pub(super) struct Job {
    /// What the audit calls it.
    pub uri: String,
    pub body: Arc<Received>,
    /// µs since 1970: no event in it is much later (V09).
    pub arrived: i64,
    pub since: Instant,
    pub answer: oneshot::Sender<Result<PushAccount>>,
}

impl Job {
    /// Tells the sender, if it still listens. Whoever is told finds the room free again.
    pub fn tell(self, answer: Result<PushAccount>) {
        let Job { body, answer: to, .. } = self;
        drop(body);
        let _ = to.send(answer);
    }
}

/// A batch that could not be published.
pub(super) struct Unpublished {
    pub batch_id: String,
    /// Those of its files that may have rows in the tables, and no account.
    pub files: Vec<UnfinishedFile>,
}

/// Whoever holds it lands; inside: what is published first, so that nothing stays hidden behind it until its lease is over.
pub(super) type Turn = Arc<tokio::sync::Mutex<Vec<Unpublished>>>;

pub(super) struct Worker {
    pub ingest: Ingest,
    pub source: Arc<Source>,
    pub turn: Turn,
    pub mappers: Mappers,
    /// The columns of the source's files so far; read with the first push.
    pub seen: Option<Seen>,
    /// The hash of the source's definition.
    pub definition: String,
    /// The rates as of this version of fx_rate.
    pub rates: Option<(i64, Arc<FxRates>)>,
    limits: PushLimits,
    jobs: mpsc::UnboundedReceiver<Job>,
    /// For which the last group had no room.
    left: Vec<Job>,
}

impl Worker {
    pub fn new(
        ingest: Ingest,
        source: Arc<Source>,
        limits: PushLimits,
        turn: Turn,
        jobs: mpsc::UnboundedReceiver<Job>,
    ) -> Worker {
        let mappers = Mappers::new(&ingest, &source);
        let (definition, left) = (definition::hash(&source), Vec::new());
        Worker { ingest, source, turn, mappers, seen: None, definition, rates: None, limits, jobs, left }
    }

    pub async fn run(mut self) {
        while let Some(group) = self.gather().await {
            self.left = self.take(group).await;
        }
    }

    /// Turns to the newest definition of the source. Where there is none any more, pushes that were taken are read as before.
    pub fn renew(&mut self) {
        let Ok(source) = self.ingest.sources.get(&self.source.name) else { return };
        if !Arc::ptr_eq(&source, &self.source) {
            (self.mappers, self.definition) = (Mappers::new(&self.ingest, &source), definition::hash(&source));
            (self.source, self.seen) = (source, None);
        }
    }

    /// The next group: what comes until the first has waited its time, or the queue ends. `None`: it has ended.
    async fn gather(&mut self) -> Option<Vec<Job>> {
        let mut group = std::mem::take(&mut self.left);
        if group.is_empty() {
            group.push(self.jobs.recv().await?);
        }
        let until = group[0].since + self.limits.group;
        while group.len() < self.limits.group_pushes {
            match self.jobs.try_recv() {
                Ok(job) => group.push(job),
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => match tokio::time::timeout_at(until, self.jobs.recv()).await {
                    Ok(Some(job)) => group.push(job),
                    Ok(None) | Err(_) => break,
                },
            }
        }
        Some(group)
    }

    /// The rates that the lake has now.
    pub async fn rates(&mut self) -> Result<Arc<FxRates>> {
        let version = self.ingest.lake.state(&crate::model::FX_RATE).await?.version;
        if let Some((_, rates)) = self.rates.as_ref().filter(|(known, _)| *known == version) {
            return Ok(rates.clone());
        }
        let rates = self.ingest.rates().await?;
        self.rates = Some((version, rates.clone()));
        Ok(rates)
    }

    /// What a sender is told whose push could not land: for storage and lost races, to come back.
    pub fn not_landed(&self, error: &Error) -> Error {
        use crate::error::ErrorKind::{Internal, Unavailable};
        let kind = if error.kind() == Internal { Internal } else { Unavailable };
        Error::new(kind, format!("source {}: the push did not land: {error}", self.source.name))
            .hint("nothing of it was acknowledged: send the same push again, with the same Idempotency-Key")
    }

    pub fn refuse(&self, jobs: impl IntoIterator<Item = Job>, error: &Error) {
        jobs.into_iter().for_each(|job| job.tell(Err(self.not_landed(error))));
    }
}
