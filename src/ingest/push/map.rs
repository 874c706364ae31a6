//! Maps pushes: small ones together (`together`), the others several at a time, each alone. One that cannot be read fails
//! by itself. Plans are kept from push to push, since planning a source costs more than mapping a receipt. It must not
//! land anything.

use std::sync::{Arc, Mutex, PoisonError};

use futures::{Stream, StreamExt, stream};

use super::received::Received;
use super::together::Step;
use super::worker::Job;
use crate::error::{Error, Result};
use crate::ingest::Ingest;
use crate::ingest::archive;
use crate::ingest::files::source_file_id;
use crate::ingest::fx::FxRates;
use crate::ingest::map::Mapper;
use crate::ingest::mapped::Mapped;
use crate::ingest::read::{Columns, Limit};
use crate::ingest::source::Source;

/// What a push holds.
pub(super) struct Content {
    pub columns: Columns,
    pub mapped: Vec<Mapped>,
    /// Memory that it takes, about.
    pub bytes: u64,
}

/// A push that is to be mapped.
#[derive(Clone)]
pub(super) struct Work {
    pub body: Arc<Received>,
    pub uri: String,
    pub arrived: i64,
}

/// What one push may take in memory at least, however little landing may take.
const LEAST: u64 = 1 << 20;

/// Mappers of one source that wait for work.
#[derive(Clone)]
pub(super) struct Mappers {
    ingest: Ingest,
    pub(super) source: Arc<Source>,
    idle: Arc<Mutex<Vec<Mapper>>>,
    at_once: usize,
}

impl Mappers {
    pub fn new(ingest: &Ingest, source: &Arc<Source>) -> Mappers {
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        Mappers { ingest: ingest.clone(), source: source.clone(), idle: Arc::default(), at_once }
    }

    /// Bytes of mapped rows that one group may hold.
    pub fn most(&self) -> u64 {
        self.ingest.batch_bytes.max(LEAST)
    }

    /// What each of `jobs` holds, in their order. They are mapped as they are asked for, and a few ahead.
    pub fn map(&self, jobs: &[Job], rates: &Arc<FxRates>) -> impl Stream<Item = Result<Content>> + use<> {
        let work = |job: &Job| Work { body: job.body.clone(), uri: job.uri.clone(), arrived: job.arrived };
        let works: Vec<Work> = jobs.iter().map(work).collect();
        let (mappers, rates) = (self.clone(), rates.clone());
        let (alone, alone_rates) = (self.clone(), rates.clone());
        // A push that is told its outcome finds its room free: none is held here once it is mapped.
        let steps = stream::unfold(works, move |mut left| {
            let (mappers, rates) = (mappers.clone(), rates.clone());
            async move {
                if left.is_empty() {
                    return None;
                }
                let task = left.clone();
                let steps = match tokio::spawn(async move { mappers.together(&task, &rates).await }).await {
                    Ok(steps) => {
                        left.drain(..steps.len());
                        steps
                    }
                    // What stops all of them stops one of them, mapped alone.
                    Err(_) => std::mem::take(&mut left).into_iter().map(Step::Alone).collect(),
                };
                Some((stream::iter(steps), left))
            }
        });
        steps
            .flatten()
            .map(move |step| {
                let (mappers, rates) = (alone.clone(), alone_rates.clone());
                async move {
                    match step {
                        Step::Done(content) => content,
                        Step::Alone(work) => mappers.alone(work, rates).await,
                    }
                }
            })
            .buffered(self.at_once)
    }

    pub(super) async fn alone(self, work: Work, rates: Arc<FxRates>) -> Result<Content> {
        let task = tokio::spawn(async move {
            let mut mapper = self.take(&rates, &work);
            let size = work.body.size();
            let most = archive::limit(self.ingest.archive_mb, size);
            // A batch has columns that nobody looks at, too: its records alone are held against `most`.
            let limit = Limit::new(most).at_once(self.most().saturating_mul(2));
            let content = self.all(&mut mapper, &work, &limit).await;
            self.put(mapper);
            // Whatever a reader made of it.
            if limit.passed() { Err(too_much(&work.uri, size, most)) } else { content }
        });
        task.await.unwrap_or_else(|e| Err(Error::internal(format!("mapping a push stopped: {e}"))))
    }

    async fn all(&self, mapper: &mut Mapper, work: &Work, limit: &Limit) -> Result<Content> {
        let uri = work.uri.as_str();
        let mut records = mapper.open_within(work.body.input(), limit).await?;
        let (columns, mut all, mut bytes) = (records.columns().clone(), Vec::new(), 0);
        while let Some(mapped) = records.next().await? {
            let rows = mapped.tables.iter().map(|t| t.rows.get_array_memory_size() as u64).sum();
            bytes += weight(&mapped, rows);
            if bytes > self.most() {
                return Err(Error::invalid(format!(
                    "{uri}: its records take more than {} MiB, too many for one push",
                    self.most() >> 20
                ))
                .hint(
                    "push it in parts, or deliver it as a file to the landing folder; landing.memory_mb raises this",
                ));
            }
            all.push(mapped);
        }
        readable(&all, uri)?;
        Ok(Content { columns, mapped: all, bytes })
    }

    /// A mapper that has turned to a push.
    pub(super) fn take(&self, rates: &Arc<FxRates>, work: &Work) -> Mapper {
        let id = source_file_id(work.body.sha256(), &self.source.name);
        match self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            Some(mut mapper) => {
                mapper.turn_to(rates.clone(), id, &work.uri, work.arrived);
                mapper
            }
            None => self.ingest.mapper(&self.source, rates, id, &work.uri, work.arrived),
        }
    }

    pub(super) fn put(&self, mapper: Mapper) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.at_once {
            idle.push(mapper);
        }
    }
}

fn too_much(uri: &str, size: u64, most: u64) -> Error {
    Error::invalid(format!("{uri}: its {size} bytes unpack to more than {} MiB", most >> 20)).hint(
        "push it in parts, or deliver it as a file to the landing folder; if that is meant, the operator can set \
         landing.archive_mb to what it unpacks to",
    )
}

/// Memory that mapped records take, about; `rows`: what their rows take of it.
pub(super) fn weight(mapped: &Mapped, rows: u64) -> u64 {
    let noted: usize = mapped.tables.iter().map(|t| t.record.len() * 16).sum();
    let raws: usize = mapped.rejected.iter().map(|r| r.raw.len() + r.record.as_ref().map_or(0, String::len)).sum();
    rows + (noted + raws) as u64
}

/// A body of which no record can be read at all (V00) is in another format: its sender can mend it, the quarantine cannot.
pub(super) fn readable(all: &[Mapped], uri: &str) -> Result<()> {
    let (records, unreadable) = all.iter().fold((0, 0), |(records, unreadable), m| {
        (records + m.records, unreadable + m.rejected.iter().filter(|r| r.rule == "V00").count() as u64)
    });
    match all.iter().flat_map(|m| &m.rejected).next() {
        Some(first) if records > 0 && unreadable == records => {
            let field = first.field.as_ref().map(|f| format!(", column {f}")).unwrap_or_default();
            Err(Error::invalid(format!("{uri}, line {}{field}: {}", first.line, first.message)).hint(
                "no record of the body can be read: send it in the source's format ([read] format in its definition)",
            ))
        }
        _ => Ok(()),
    }
}
