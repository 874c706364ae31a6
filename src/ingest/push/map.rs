//! Maps pushes, several at a time, each alone: one that cannot be read fails by itself. Plans are kept from push to
//! push, since planning a source costs more than mapping a receipt. It must not land anything.

use std::sync::{Arc, Mutex, PoisonError};

use futures::{Stream, StreamExt, stream};

use super::worker::Job;
use crate::error::{Error, Result};
use crate::ingest::Ingest;
use crate::ingest::files::source_file_id;
use crate::ingest::fx::FxRates;
use crate::ingest::map::Mapper;
use crate::ingest::mapped::Mapped;
use crate::ingest::read::{Columns, Input};
use crate::ingest::source::Source;

/// What a push holds.
pub(super) struct Content {
    pub columns: Columns,
    pub mapped: Vec<Mapped>,
}

/// What one push may take in memory at least, however little landing may take.
const LEAST: u64 = 1 << 20;

/// Mappers of one source that wait for work.
#[derive(Clone)]
pub(super) struct Mappers {
    ingest: Ingest,
    source: Arc<Source>,
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

    /// What each of `jobs` holds, in their order.
    pub fn map(&self, jobs: &[Job], rates: &Arc<FxRates>) -> impl Stream<Item = Result<Content>> + use<> {
        let work: Vec<_> = jobs
            .iter()
            .map(|job| {
                let (mappers, rates) = (self.clone(), rates.clone());
                let (body, uri, arrived) = (job.body.clone(), job.uri.clone(), job.arrived);
                async move {
                    let work = tokio::spawn(async move {
                        let id = source_file_id(body.sha256(), &mappers.source.name);
                        let mut mapper = mappers.take(&rates, id, &uri, arrived);
                        let content = mappers.all(&mut mapper, body.input(), &uri).await?;
                        mappers.put(mapper);
                        Ok(content)
                    });
                    work.await.unwrap_or_else(|e| Err(Error::internal(format!("mapping a push stopped: {e}"))))
                }
            })
            .collect();
        stream::iter(work).buffered(self.at_once)
    }

    async fn all(&self, mapper: &mut Mapper, input: Input, uri: &str) -> Result<Content> {
        let mut records = mapper.open(input).await?;
        let (columns, mut all, mut bytes) = (records.columns().clone(), Vec::new(), 0);
        while let Some(mapped) = records.next().await? {
            bytes += weight(&mapped);
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
        Ok(Content { columns, mapped: all })
    }

    fn take(&self, rates: &Arc<FxRates>, id: String, uri: &str, arrived: i64) -> Mapper {
        match self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            Some(mut mapper) => {
                mapper.turn_to(rates.clone(), id, uri, arrived);
                mapper
            }
            None => self.ingest.mapper(&self.source, rates, id, uri, arrived),
        }
    }

    fn put(&self, mapper: Mapper) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.at_once {
            idle.push(mapper);
        }
    }
}

/// Memory that mapped records take, about.
pub(super) fn weight(mapped: &Mapped) -> u64 {
    let rows: usize = mapped.tables.iter().map(|t| t.rows.get_array_memory_size() + t.record.len() * 16).sum();
    let raws: usize = mapped.rejected.iter().map(|r| r.raw.len() + r.record.as_ref().map_or(0, String::len)).sum();
    (rows + raws) as u64
}

/// A body of which no record can be read at all (V00) is in another format: its sender can mend it, the quarantine cannot.
fn readable(all: &[Mapped], uri: &str) -> Result<()> {
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
