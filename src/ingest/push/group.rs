//! A group of pushes of one source: those that have landed before get their first answer, the others are mapped, each as
//! if it were alone, land together as one batch, and are answered. It must not answer "landed" before the batch is
//! published.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::StreamExt;

use super::stopped::{self, Stopped};
use super::worker::{Job, Unpublished, Worker};
use super::{PushAccount, known, map};
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::account::FileAccount;
use crate::ingest::audit::{self, Audited, FileRow, Status};
use crate::ingest::batch::Batch;
use crate::ingest::commit::Writer;
use crate::ingest::drift::{self, Seen};
use crate::ingest::files::source_file_id;
use crate::ingest::fx::FxRates;
use crate::ingest::land::BatchFile;
use crate::ingest::mapped::Mapped;
use crate::ingest::progress::Silent;
use crate::ingest::retry;
use crate::lake::{Lake, UnfinishedFile};

/// A push that can land.
pub(super) struct Ready {
    job: Job,
    /// Its `source_file_id`.
    id: String,
    mapped: Vec<Mapped>,
    /// Its columns, as the audit keeps them, and how they differ from those of the push before.
    columns: Option<String>,
    drift: Vec<String>,
    /// The same push again, sent before it was answered.
    again: Vec<Job>,
}

impl Worker {
    /// Answers every push of the group but those that it returns: there was no room for them.
    pub async fn take(&mut self, group: Vec<Job>) -> Vec<Job> {
        let fresh = self.answer_known(group).await;
        if fresh.is_empty() {
            return fresh;
        }
        self.renew();
        let (rates, seen) = match self.before().await {
            Ok(before) => before,
            Err(e) => {
                self.refuse(fresh, &e);
                return Vec::new();
            }
        };
        let (ready, left) = self.map(fresh, rates, seen).await;
        if !ready.is_empty() {
            self.land(ready).await;
        }
        left
    }

    /// What pushes are read by: today's rates, and the columns so far.
    async fn before(&mut self) -> Result<(Arc<FxRates>, Seen)> {
        let rates = self.rates().await?;
        match self.seen.take() {
            Some(seen) => Ok((rates, seen)),
            None => Ok((rates, Seen::load(&self.ingest, &self.source).await?)),
        }
    }

    /// Answers those that have landed before, and returns the others.
    async fn answer_known(&mut self, group: Vec<Job>) -> Vec<Job> {
        let now = self.ingest.clock.now_micros();
        if let Err(e) = self.ingest.ledger.look(&self.ingest.lake, now).await {
            self.refuse(group, &e);
            return Vec::new();
        }
        let (mut fresh, mut again) = (Vec::new(), Vec::new());
        for job in group {
            match self.ingest.ledger.push(&job.uri).map(|push| push.has(job.body.sha256())) {
                None => fresh.push(job),
                Some(true) => again.push(job),
                Some(false) => tell_of_other_bytes(job),
            }
        }
        if again.is_empty() {
            return fresh;
        }
        // A process may have died between the audit and its head.
        if let Err(e) = self.show_all().await {
            self.refuse(again, &e);
            return fresh;
        }
        let uris: HashSet<&str> = again.iter().map(|job| job.uri.as_str()).collect();
        match known::answers(&self.ingest, &self.source.name, &uris).await {
            Err(e) => self.refuse(again, &e),
            Ok(answers) => {
                for job in again {
                    match answers.get(&job.uri).cloned() {
                        Some(answer) => job.tell(Ok(answer)),
                        // Its row is gone from the audit: landing it again changes nothing.
                        None => fresh.push(job),
                    }
                }
            }
        }
        fresh
    }

    async fn show_all(&self) -> Result<()> {
        let mut unpublished = self.turn.lock().await;
        show(&self.ingest.lake, &mut unpublished).await?;
        self.ingest.lake.catch_up().await
    }

    /// Maps pushes until the group is full; those that cannot be mapped are told why.
    async fn map(&mut self, jobs: Vec<Job>, rates: Arc<FxRates>, mut seen: Seen) -> (Vec<Ready>, Vec<Job>) {
        let mut results = std::pin::pin!(self.mappers.map(&jobs, &rates));
        let mut jobs = jobs.into_iter();
        let mut ready: Vec<Ready> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let (mut bytes, most) = (0, self.mappers.most());
        while bytes < most {
            let Some(result) = results.next().await else { break };
            let Some(job) = jobs.next() else { break };
            if let Some(first) = places.get(&job.uri).and_then(|place| ready.get_mut(*place)) {
                match first.job.body.sha256() == job.body.sha256() {
                    true => first.again.push(job),
                    false => tell_of_other_bytes(job),
                }
                continue;
            }
            let checked = result.and_then(|c| Ok((seen.check(&self.source, &job.uri, &c.columns)?, c)));
            match checked {
                Err(e) => job.tell(Err(e)),
                Ok((drift, map::Content { columns, mapped, bytes: more })) => {
                    bytes += more;
                    places.insert(job.uri.clone(), ready.len());
                    let id = source_file_id(job.body.sha256(), &self.source.name);
                    ready.push(Ready { job, id, mapped, columns: drift::text(&columns), drift, again: Vec::new() });
                }
            }
        }
        self.seen = Some(seen);
        (ready, jobs.collect())
    }

    /// Lands a group and answers it. Where something is wrong with one of the pushes, the others land without it.
    async fn land(&self, group: Vec<Ready>) {
        let mut turn = self.turn.lock().await;
        let pushes = group.len();
        let error = match self.land_as_one(&group, &mut turn).await {
            Ok((batch_id, files)) => return self.answer(group, batch_id, files).await,
            Err(e) => e,
        };
        tracing::warn!(source = self.source.name, pushes, %error, "a group of pushes did not land");
        for push in group {
            let one = [push];
            let landed = match pushes == 1 || passing(&error) {
                true => None,
                false => Some(self.land_as_one(&one, &mut turn).await),
            };
            match landed {
                Some(Ok((batch_id, files))) => self.answer(Vec::from(one), batch_id, files).await,
                Some(Err(e)) => one.into_iter().for_each(|p| self.refuse(p.all(), &e)),
                None => one.into_iter().for_each(|p| self.refuse(p.all(), &error)),
            }
        }
    }

    /// Lands pushes as one batch. After an error they are not acknowledged, whatever became of them: sent again, they land
    /// (rows that are there are duplicates then), or they are known.
    async fn land_as_one(
        &self,
        group: &[Ready],
        unpublished: &mut Vec<Unpublished>,
    ) -> Result<(String, Vec<FileAccount>)> {
        // What failed half-way comes first: the commits that it lacks fit what it was computed on, or nothing.
        show(&self.ingest.lake, unpublished).await?;
        let batch_id = self.ingest.new_batch_id();
        let files = self.land_twice(&batch_id, group, unpublished).await?;
        show(&self.ingest.lake, unpublished).await?;
        Ok((batch_id, files))
    }

    /// Lands and publishes, and once more what storage or other writers stopped: by the same batch, so that a commit that
    /// came through after all is known for ours.
    async fn land_twice(
        &self,
        batch_id: &str,
        group: &[Ready],
        unpublished: &mut Vec<Unpublished>,
    ) -> Result<Vec<FileAccount>> {
        let file = |push: &Ready| UnfinishedFile {
            file_id: push.id.clone(),
            source: self.source.name.clone(),
            uri: push.job.uri.clone(),
            waited: false,
            replayed: false,
        };
        let files: Vec<UnfinishedFile> = group.iter().map(file).collect();
        // Until it is published, its marker hides what comes after it.
        unpublished.push(Unpublished { batch_id: batch_id.into(), files: files.clone() });
        let unit = self.ingest.lake.begin_landing(batch_id, files).await?;
        let mut landed = self.attempt(batch_id, group).await;
        if let Some(error) = landed.as_ref().err().filter(|e| passing(e)) {
            tracing::warn!(source = self.source.name, batch_id, %error, "a group of pushes is tried once more");
            unit.cut_off();
            landed = self.attempt(batch_id, group).await;
        }
        let files = landed?;
        unpublished.pop();
        if let Err(error) = unit.publish().await {
            tracing::warn!(source = self.source.name, batch_id, %error, "published in a second try");
            unpublished.push(Unpublished { batch_id: batch_id.into(), files: Vec::new() });
        }
        Ok(files)
    }

    async fn attempt(&self, batch_id: &str, group: &[Ready]) -> Result<Vec<FileAccount>> {
        let ingest = &self.ingest;
        let writer = Writer { lake: &ingest.lake, source: &self.source.name, batch_id, clock: ingest.clock };
        let mut batch = Batch::new(writer, &Silent).knowing(ingest);
        for push in group {
            let number = batch.file(BatchFile { id: push.id.clone(), uri: push.job.uri.clone() });
            for mapped in &push.mapped {
                batch.push(number, mapped.clone())?;
            }
        }
        let flushed = batch.flush().await?;
        if flushed.rates {
            // As with files: before the audit, so that a landing that is cut off here does it again.
            let current = group.iter().map(|p| (p.id.clone(), self.audited(p))).collect();
            retry::retry(ingest, current, &Silent).await?;
        }
        let mut files = flushed.files;
        for (file, push) in files.iter_mut().zip(group) {
            (file.columns, file.drift) = (push.columns.clone(), push.drift.clone());
        }
        let row = |(push, account): (&Ready, &FileAccount)| FileRow {
            id: push.id.clone(),
            file: self.audited(push),
            account: account.clone(),
            started: push.job.arrived,
            status: Status::Landed,
            definition: Some(self.definition.clone()),
        };
        let rows: Vec<FileRow> = group.iter().zip(&files).map(row).collect();
        audit::write(writer, &rows, &flushed.tables).await?;
        Ok(files)
    }

    fn audited(&self, push: &Ready) -> Audited {
        Audited {
            source: self.source.name.clone(),
            source_system: self.source.system.clone(),
            uri: push.job.uri.clone(),
            sha256: push.job.body.sha256().into(),
            version_tag: None,
        }
    }

    /// Answers pushes that have landed. Nothing that fails here may tell a sender otherwise.
    async fn answer(&self, group: Vec<Ready>, batch_id: String, files: Vec<FileAccount>) {
        let rejected = |push: &Ready| push.mapped.iter().map(|m| m.rejected.len() as u64).sum::<u64>();
        // Rows that lost a conflict (V19) are in the quarantine only.
        let more: HashSet<&str> = group
            .iter()
            .zip(&files)
            .filter(|(push, account)| account.quarantined > rejected(push))
            .map(|(push, _)| push.id.as_str())
            .collect();
        let mut lists: HashMap<String, Vec<Stopped>> = HashMap::new();
        if !more.is_empty() {
            match stopped::of(&self.ingest.lake, &self.source.name, &more).await {
                Ok(found) => lists = found,
                Err(error) => tracing::warn!(%error, "the quarantine could not be read for an answer"),
            }
        }
        for (push, file) in group.into_iter().zip(files) {
            let quarantined_records = lists.get(&push.id).cloned().unwrap_or_else(|| stopped::first(&push.mapped));
            let (source, batch_id) = (self.source.name.clone(), batch_id.clone());
            let first = PushAccount { source, batch_id, file, quarantined_records };
            for job in push.again {
                let mut again = first.clone();
                again.file.already = true;
                job.tell(Ok(again));
            }
            push.job.tell(Ok(first));
        }
    }
}

/// Publishes what could not be published before: with it shows what hid behind it. A batch that failed half-way is finished
/// first, as far as it was noted; its files have no accounts until they come again.
async fn show(lake: &Lake, unpublished: &mut Vec<Unpublished>) -> Result<()> {
    while let Some(Unpublished { batch_id, files }) = unpublished.last() {
        let unit = lake.begin_landing(batch_id, files.clone()).await?;
        unit.finish().await?;
        if !files.is_empty() {
            unit.unfinished(files.clone()).await?;
        }
        unit.publish().await?;
        unpublished.pop();
    }
    Ok(())
}

impl Ready {
    fn all(self) -> impl Iterator<Item = Job> {
        std::iter::once(self.job).chain(self.again)
    }
}

/// Whether the same may work a moment later.
fn passing(e: &Error) -> bool {
    matches!(e.kind(), ErrorKind::Conflict | ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Busy)
}

fn tell_of_other_bytes(job: Job) {
    let error = Error::conflict(format!("{}: another body has landed under this idempotency key", job.uri))
        .hint("give every push a key of its own; only the very same bytes may be sent again under one");
    job.tell(Err(error));
}
