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
mod alias;
mod archive;
mod audit;
mod batch;
mod casts;
mod check;
mod columns;
mod commit;
mod complete;
#[cfg(test)]
mod crash_tests;
mod decide;
mod decimal;
mod definition;
mod draft;
mod drift;
mod fate;
mod files;
mod fill;
mod frame;
mod functions;
mod fx;
mod hash;
mod identifier;
mod identity;
#[cfg(test)]
mod inbox_tests;
mod joined;
mod land;
#[cfg(test)]
mod landing_tests;
mod map;
pub mod mapped;
#[cfg(test)]
mod mapping_tests;
mod money;
mod numeral;
mod ordinal;
mod pii;
mod plan;
mod progress;
mod push;
mod quarantine;
mod read;
mod replay;
mod retry;
mod rows;
mod run;
#[cfg(test)]
mod run_tests;
mod select;
mod session;
mod source;
#[cfg(test)]
mod storm_tests;
mod strict;
mod sums;
#[cfg(test)]
mod testing;
mod text;
mod time;
mod underway;
mod verdict;

use futures::FutureExt;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use crate::clock::Clock;
use crate::error::Result;
use crate::lake::Lake;
use crate::model::FX_RATE;

pub use account::{Account, Failed, FileAccount, Retried, TableAccount};
pub use draft::{Drafted, Note, NoteKind, draft, name_of};
pub use files::{Found, InputFile, Landing, RemoteFile, find};
pub use fx::FxRates;
pub use map::{MapContext, Mapper, ReplayRecord};
pub use progress::{Progress, Silent};
pub use push::{Push, PushAccount, PushLimits, Pusher, Received, Receiving, Stopped};
pub use quarantine::Filter;
pub use read::Input;
pub(crate) use read::{Gate, Refused};
pub use replay::Replayed;
pub use source::{LiveSources, Source, Sources};

/// Records that one commit per table holds, unless set otherwise.
const BATCH_RECORDS: u64 = 1_000_000;

/// Memory that landing takes, about, unless set otherwise.
const MEMORY_MB: u64 = 1024;

/// One such part of it holds rows that wait for their commit.
const SHARE: u64 = 8;

/// Lands files in a lake by source definitions.
#[derive(Debug, Clone)]
pub struct Ingest {
    lake: Lake,
    sources: LiveSources,
    clock: Clock,
    batch_records: u64,
    batch_bytes: u64,
    temp_dir: PathBuf,
    archive_mb: Option<u64>,
    /// What the audit says of files, shared by clones.
    ledger: Arc<audit::Ledger>,
    /// The conflicts that wait, shared by clones.
    conflicts: Arc<quarantine::Conflicts>,
    /// Which merges of customers all facts are known to follow, shared by clones.
    followed: Arc<identity::Followed>,
}

impl Ingest {
    pub fn new(lake: &Lake, sources: Sources, clock: Clock) -> Ingest {
        Ingest {
            lake: lake.clone(),
            sources: LiveSources::new(sources),
            clock,
            batch_records: BATCH_RECORDS,
            batch_bytes: 0,
            temp_dir: std::env::temp_dir(),
            archive_mb: None,
            ledger: Arc::default(),
            conflicts: Arc::default(),
            followed: Arc::default(),
        }
        .memory(MEMORY_MB)
    }

    /// Sets how many records one commit per table holds (about: whole chunks of a file land together). Fewer take less
    /// memory and make more, smaller files.
    #[must_use]
    pub fn batch_records(mut self, records: usize) -> Ingest {
        self.batch_records = records.max(1) as u64;
        self
    }

    /// Sets how much memory landing may take, in MiB, about. An eighth of it holds rows that wait for their commit; the
    /// rest is for what lands of them, their keys, encoding, and the chunk that is being read.
    #[must_use]
    pub fn memory(mut self, mb: u64) -> Ingest {
        self.batch_bytes = (mb << 20) / SHARE;
        self
    }

    /// Sets where files of object stores and members of archives wait while they are read, one at a time; `None`: the
    /// system's temporary folder. What processes that were killed left there is removed.
    #[must_use]
    pub fn temp_dir(mut self, dir: Option<PathBuf>) -> Ingest {
        self.temp_dir = dir.unwrap_or_else(std::env::temp_dir);
        files::sweep(&self.temp_dir);
        self
    }

    /// Sets what one archive, or one packed push, may unpack to, in MiB; `None`: 200 times its own size, and at least 1 GiB.
    #[must_use]
    pub fn archive_mb(mut self, mb: Option<u64>) -> Ingest {
        self.archive_mb = mb;
        self
    }

    /// The sources as of now.
    pub fn sources(&self) -> Arc<Sources> {
        self.sources.now()
    }

    /// Lands `files`, in the order given, by the definition called `source`. Files whose bytes have landed by it before
    /// are reported and not read again. Rows of fx_rate among them let waiting records (V18) of all sources land. Of an
    /// archive each member lands as a file of its own.
    ///
    /// # Errors
    /// `NotFound`: no such source. `Invalid`: the definition does not fit the file (a column is missing). `Conflict`:
    /// other writers were faster too often. One file that cannot be read does not keep the others from landing: they have
    /// when its error is returned. Running again is safe.
    pub async fn run(&self, source: &str, files: &[InputFile], progress: &dyn Progress) -> Result<Account> {
        let files: Vec<Found> = files.iter().cloned().map(Found::Local).collect();
        self.land(source, &files, progress).await
    }

    /// As [`Ingest::run`], for files that a [`Landing`] found. Those on object stores are known by name and version; new
    /// ones are fetched one by one, when their turn comes.
    pub async fn land(&self, source: &str, files: &[Found], progress: &dyn Progress) -> Result<Account> {
        let account = self.land_each(source, files, progress).await?;
        match account.failed.first() {
            None => Ok(account),
            Some(failed) => Err(failed.error().context(format!("source {source}"))),
        }
    }

    /// As [`Ingest::land`], but files that cannot be read are no error: they are told in the account.
    pub async fn land_each(&self, source: &str, files: &[Found], progress: &dyn Progress) -> Result<Account> {
        let source = self.sources.get(source)?;
        run::run(self, &source, files, progress).boxed().await.map_err(|e| e.context(format!("source {}", source.name)))
    }

    /// Lands what every source finds below `landing` (a path, or a [`Landing`]), in the order of the sources.
    ///
    /// # Errors
    /// As [`Ingest::run`], but files that cannot be read are no error: they are told in the accounts. The sources before
    /// the one that failed have landed.
    pub async fn run_all(&self, landing: impl Into<Landing>, progress: &dyn Progress) -> Result<Vec<Account>> {
        self.land_all(landing.into(), progress).boxed().await
    }

    async fn land_all(&self, landing: Landing, progress: &dyn Progress) -> Result<Vec<Account>> {
        let mut accounts = Vec::new();
        for source in self.sources.in_order() {
            let (files, failed) = landing.look(&source).await?;
            let mut account = self.land_each(&source.name, &files, progress).await?;
            account.failed.extend(failed);
            accounts.push(account);
        }
        Ok(accounts)
    }

    /// The quarantined records that match, ordered by source, file and line, all columns of the quarantine's contract.
    /// Those with `resolved_at` have landed since, or (V19) a newer version has made them moot.
    pub async fn quarantined(&self, filter: &Filter) -> Result<RecordBatch> {
        quarantine::list(&self.lake, filter).boxed().await
    }

    /// Lands the files of `source` that have landed before once more, by today's definition and rates, and takes out what
    /// they gave and do not give any more: all at once, in one commit per table. `found`: where the files are now; those
    /// that have not landed yet are left out.
    ///
    /// # Errors
    /// `NotFound`: no such source; files that are not among `found`, unless `found_only` is set (then their rows stay
    /// as they are). `Invalid`: the definition does not fit a file, or the rows take more memory than landing may.
    pub async fn replay(
        &self,
        source: &str,
        found: &[Found],
        found_only: bool,
        progress: &dyn Progress,
    ) -> Result<Replayed> {
        let source = self.sources.get(source)?;
        let replayed = replay::replay(self, &source, found, found_only, progress).boxed().await;
        replayed.map_err(|e| e.context(format!("source {}", source.name)))
    }

    /// How many files of `source` have landed by another definition than today's: a replay would map them anew.
    pub async fn outdated(&self, source: &str) -> Result<u64> {
        let source = self.sources.get(source)?;
        replay::outdated(self, &source).boxed().await
    }

    /// How many files of `source` a replay may have changed in part when it was cut off: another one completes it.
    pub async fn cut_off_replay(&self, source: &str) -> Result<u64> {
        let source = self.sources.get(source)?;
        replay::cut_off(self, &source).boxed().await
    }

    /// Tries the records that wait for a rate again (landing rates does it by itself).
    pub async fn retry(&self, progress: &dyn Progress) -> Result<Vec<Retried>> {
        retry::retry(self, Default::default(), progress).boxed().await
    }

    /// Tries waiting records that match again, by today's definitions and rates, whichever rule stopped them. A `dry_run`
    /// lands nothing: it says how many no rule would stop.
    pub async fn retry_matching(
        &self,
        filter: &Filter,
        dry_run: bool,
        progress: &dyn Progress,
    ) -> Result<Vec<Retried>> {
        retry::retry_matching(self, filter, dry_run, progress).boxed().await
    }

    /// Resolves the waiting records that match for good: they will not land, and `note` says who decided it and why.
    /// Returns how many they are.
    pub async fn discard(&self, filter: &Filter, note: &str, dry_run: bool) -> Result<u64> {
        quarantine::discard(self, filter, note, dry_run).boxed().await
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
