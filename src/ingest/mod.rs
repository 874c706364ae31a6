//! Ingest: files become checked rows of the lake, exactly once.
//!
//! ```text
//! files → read → map → complete → check → land → fill → audit
//! ```
//!
//! [`Ingest::run`] lands files of one source definition, [`Ingest::run_all`] everything below the landing path. A record
//! lands whole or not at all (but see V19 in `decide`); what does not land is in the quarantine with file, line, rule and
//! content. Landing is exactly once: the same bytes twice change nothing, the order of arrival does not change the
//! tables, and a landing that was cut off is completed by the next.
//!
//! It must never read what reports return, nor depend on rows other than the record's own, its file, the source
//! definition and fx_rate. Anything that needs other rows is a report over the lake.

mod account;
mod audit;
mod batch;
mod casts;
mod check;
mod columns;
mod commit;
mod complete;
mod decide;
mod decimal;
mod draft;
mod fate;
mod files;
mod fill;
mod frame;
mod functions;
mod fx;
mod hash;
mod land;
#[cfg(test)]
mod landing_tests;
mod map;
pub mod mapped;
#[cfg(test)]
mod mapping_tests;
mod money;
mod ordinal;
mod pii;
mod plan;
mod progress;
mod quarantine;
mod read;
mod retry;
mod rows;
mod run;
#[cfg(test)]
mod run_tests;
mod select;
mod session;
mod source;
mod strict;
mod text;
mod time;
mod verdict;

use futures::FutureExt;
use std::path::Path;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use crate::clock::Clock;
use crate::error::Result;
use crate::lake::Lake;
use crate::model::FX_RATE;

pub use account::{Account, FileAccount, Retried, TableAccount};
pub use draft::{Drafted, Note, NoteKind, draft, name_of};
pub use files::{InputFile, find};
pub use fx::FxRates;
pub use map::{MapContext, Mapper, ReplayRecord};
pub use progress::{Progress, Silent};
pub use quarantine::Filter;
pub use read::Input;
pub use source::{Source, Sources};

/// Records that one commit per table holds, unless set otherwise.
const BATCH_RECORDS: u64 = 1_000_000;

/// Memory that landing takes, about, unless set otherwise.
const MEMORY_MB: u64 = 1024;

/// Lands files in a lake by source definitions.
#[derive(Debug, Clone)]
pub struct Ingest {
    lake: Lake,
    sources: Sources,
    clock: Clock,
    batch_records: u64,
    batch_bytes: u64,
    again: bool,
}

impl Ingest {
    pub fn new(lake: &Lake, sources: Sources, clock: Clock) -> Ingest {
        Ingest { lake: lake.clone(), sources, clock, batch_records: BATCH_RECORDS, batch_bytes: 0, again: false }
            .memory(MEMORY_MB)
    }

    /// Sets how many records one commit per table holds (about: whole chunks of a file land together). Fewer take less
    /// memory and make more, smaller files.
    #[must_use]
    pub fn batch_records(mut self, records: usize) -> Ingest {
        self.batch_records = records.max(1) as u64;
        self
    }

    /// Sets how much memory landing may take, in MiB, about. A quarter of it holds rows that wait for their commit; the
    /// rest is for sorting, encoding and the chunk that is being read.
    #[must_use]
    pub fn memory(mut self, mb: u64) -> Ingest {
        self.batch_bytes = (mb << 20) / 4;
        self
    }

    /// Reads files again whose bytes have landed before: after their source's definition was mended. Rows that the lake
    /// has count as duplicates.
    #[must_use]
    pub fn again(mut self, again: bool) -> Ingest {
        self.again = again;
        self
    }

    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Lands `files`, in the order given, by the definition called `source`. Files whose bytes have landed by it before
    /// are reported and not read again. Rows of fx_rate among them let waiting records (V18) of all sources land.
    ///
    /// # Errors
    /// `NotFound`: no such source. `Invalid`: the definition does not fit the file (a column is missing). `Conflict`:
    /// other writers were faster too often. Files before the one that failed may have landed; running again is safe.
    pub async fn run(&self, source: &str, files: &[InputFile], progress: &dyn Progress) -> Result<Account> {
        let source = self.sources.get(source)?;
        run::run(self, &source, files, progress).boxed().await.map_err(|e| e.context(format!("source {}", source.name)))
    }

    /// Lands what every source finds below `landing`, in the order of the sources.
    ///
    /// # Errors
    /// As [`Ingest::run`]; the sources before the one that failed have landed.
    pub async fn run_all(&self, landing: &Path, progress: &dyn Progress) -> Result<Vec<Account>> {
        let mut accounts = Vec::new();
        for source in self.sources.in_order() {
            let files = find(landing, &source.header.read.path)?;
            accounts.push(self.run(&source.name, &files, progress).await?);
        }
        Ok(accounts)
    }

    /// The quarantined records that match, ordered by source, file and line, all columns of the quarantine's contract.
    /// Those with `resolved_at` have landed since, or (V19) a newer version has made them moot.
    pub async fn quarantined(&self, filter: &Filter) -> Result<RecordBatch> {
        quarantine::list(&self.lake, filter).boxed().await
    }

    /// Tries the records that wait for a rate again (landing rates does it by itself).
    pub async fn retry(&self, progress: &dyn Progress) -> Result<Vec<Retried>> {
        retry::retry(self, Default::default(), progress).boxed().await
    }

    /// An id for a batch: a time-ordered UUID.
    fn new_batch_id(&self) -> String {
        let now = self.clock.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        let at = uuid::Timestamp::from_unix(uuid::NoContext, seconds, now.timestamp_subsec_nanos());
        uuid::Uuid::new_v7(at).to_string()
    }

    /// The rates that the lake has now.
    async fn rates(&self) -> Result<Arc<FxRates>> {
        let state = self.lake.state(&FX_RATE).await?;
        let columns = ["rate_date", "base_currency", "quote_currency", "rate_type", "rate", "is_deleted"];
        let mut rows = Vec::new();
        for file in &state.files {
            rows.extend(self.lake.read(&state, file, Some(&columns)).await?);
        }
        Ok(Arc::new(FxRates::from_batches(&rows)?))
    }

    /// A mapper for one file; `time`: when the file was written, µs since 1970.
    fn mapper(&self, source: &Arc<Source>, rates: &Arc<FxRates>, id: String, uri: &str, time: i64) -> Mapper {
        let lake = self.lake.properties();
        let context = MapContext {
            file_id: id,
            file: uri.to_string(),
            file_time_micros: time,
            currency: lake.currency.clone(),
            zone: lake.zone,
        };
        Mapper::new(source.clone(), rates.clone(), context)
    }
}
