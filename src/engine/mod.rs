//! SQL over a consistent snapshot.
//!
//! ```text
//! text ─ planner ─ rules (assemble ─ slicers ─ views) ─ DataFusion ─ rows
//!           └───────────┬────────────┘                      │
//!            snapshot: view · dims              scan ─ prune ─ stats
//! ```
//!
//! An answer that is in the cache of results skips all of that but parsing.
//!
//! [`Engine::query`] is the only way in for callers' SQL and [`Rows`] the only way out. Every call names its [`Caller`].
//! The engine reads the lake and writes nothing but [`rollups`]; it must not know reports, formats or surfaces.

mod admission;
mod bounded;
mod cache;
mod calls;
mod classify;
mod describe;
mod dims;
mod exact;
pub mod functions;
mod growth;
mod infer;
mod information;
mod listed;
mod log;
mod meaning;
mod moments;
pub mod options;
mod params;
mod pins;
mod planner;
mod pool;
mod postgres;
mod prune;
mod query;
mod reading;
mod relations;
mod reload;
mod reserved;
mod rollups;
mod rows;
mod rules;
mod runtime;
mod scan;
mod scanned;
mod session;
mod size;
mod snapshot;
mod stats;
mod stop;
#[cfg(test)]
mod tests;
mod view;
mod watch;
mod weight;

use futures::FutureExt;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;

use crate::access::Caller;
use crate::clock::Clock;
use crate::config::EngineConfig;
use crate::error::{Error, Result};
use crate::lake::{Lake, Stat, TableState, Today};
use crate::model::{ORDER_LINE, TABLES, Table};
use crate::queryfile::QueryFile;

pub use cache::CacheFigures;
pub use calls::ReportSource;
pub use describe::{Described, Parameter};
pub use dims::type_name;
pub use listed::{ReportParam, ReportRow};
pub use options::{Compare, CompareMode, Dialect, OrderBy, Param, ParamType, Pin, Policies, QueryOptions, Slice};
pub use postgres::{FIXED as POSTGRES_FIXED, SETTINGS as POSTGRES_SETTINGS};
pub use relations::{ForeignKey, Relation, RelationColumn, RelationKind};
pub use reserved::Reserved;
pub use rollups::{Answer, Kept, Made, Month, Refreshed};
pub use rows::{Rows, plain_schema};
pub use rules::ROW_KIND;
pub use session::{BASE, CATALOG, MAIN, SYSTEM};
pub use size::{MOST_TEXT, check_text};
pub use snapshot::{BrokenView, Snapshot};
pub use view::Policy;

use admission::Admission;
use cache::Cache;
use listed::Known;
use log::QueryLog;
use pins::Recent;
use runtime::QueryThreads;
use snapshot::{Snapshots, Views};

/// The engine over one lake. Clones share everything.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    lake: Lake,
    cfg: EngineConfig,
    clock: Clock,
    snapshots: Snapshots,
    views: ArcSwap<Views>,
    current: ArcSwap<Snapshot>,
    recent: Recent,
    /// The reports that SQL may name.
    reports: Known,
    /// Held while a new snapshot is made: one refresh at a time.
    refreshing: Mutex<()>,
    /// The batch of pushes that queries saw last.
    shown: Mutex<String>,
    admission: Admission,
    cache: Arc<Cache>,
    log: QueryLog,
    threads: QueryThreads,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({})", self.inner.lake.url())
    }
}

impl Inner {
    fn reserve(&self, bytes: usize, what: &str) -> Result<Reserved> {
        let pool = Arc::clone(&self.current.load_full().state().runtime_env().memory_pool);
        Reserved::new(&pool, bytes, what).map_err(classify::classify)
    }
}

impl Engine {
    /// Opens the engine over the newest state of `lake`, with the files of `queries/views/`. One that cannot be read or does
    /// not plan is set aside ([`Engine::broken_views`]), and so is whatever reads it.
    ///
    /// # Errors
    /// A lake that cannot be read; settings that cannot be met.
    pub async fn open(
        lake: &Lake,
        cfg: &EngineConfig,
        views: &BTreeMap<String, QueryFile>,
        clock: Clock,
    ) -> Result<Engine> {
        Engine::open_with(lake, cfg, Views::read(views), clock).await
    }

    /// As [`Engine::open`], with the files of `queries/rollups/`.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub async fn open_with_rollups(
        lake: &Lake,
        cfg: &EngineConfig,
        views: &BTreeMap<String, QueryFile>,
        rollups: &BTreeMap<String, QueryFile>,
        clock: Clock,
    ) -> Result<Engine> {
        Engine::open_with(lake, cfg, Views::read(views).with_rollups(rollups), clock).await
    }

    async fn open_with(lake: &Lake, cfg: &EngineConfig, views: Views, clock: Clock) -> Result<Engine> {
        let log = QueryLog::new(cfg.query_log, clock);
        let reports = Known::default();
        let snapshots = Snapshots::new(lake, cfg, vec![("queries", Arc::new(log.clone()))], reports.clone())?;
        let (threads, states) = (QueryThreads::start(cfg.threads)?, lake.states().await?);
        let build = async move {
            let first = snapshots.build(&views, states, None).await?;
            Ok::<_, Error>((snapshots, views, first))
        };
        let (snapshots, views, first) = threads.run(build).boxed().await?;
        for view in first.broken().values() {
            tracing::warn!(view = view.name, path = view.path, reason = view.reason, "a view is broken");
        }
        let inner = Inner {
            lake: lake.clone(),
            clock,
            snapshots,
            views: ArcSwap::from_pointee(views),
            current: ArcSwap::from_pointee(first),
            recent: Recent::default(),
            reports,
            refreshing: Mutex::new(()),
            shown: Mutex::default(),
            admission: Admission::new(cfg.concurrent, cfg.queued, cfg.unread),
            cache: Arc::new(Cache::new(cfg.result_cache_mb)),
            log,
            threads,
            cfg: cfg.clone(),
        };
        Ok(Engine { inner: Arc::new(inner) })
    }

    /// Looks at every table for commits made before this call; true when the snapshot changed. Callers take turns, so that
    /// each sees what was committed before it asked, and whoever waited usually finds the work done.
    pub async fn refresh(&self) -> Result<bool> {
        let inner = &self.inner;
        let _turn = inner.refreshing.lock().await;
        let states = inner.lake.states().await?;
        let last = inner.current.load_full();
        let same = states.iter().all(|s| last.versions.get(s.table.name) == Some(&s.version));
        if same && last.has_newest_rollups(&inner.lake).await {
            return Ok(false);
        }
        let next = self.build(inner.views.load_full(), states, last).await?;
        tracing::debug!(snapshot = %next.id, "new snapshot");
        inner.recent.keep(inner.current.swap(Arc::new(next)));
        Ok(true)
    }

    /// Lets queries see the batch of pushes: whoever was told that it has landed may ask for it at once. Many pushes are of
    /// one batch, and one look shows it to all.
    pub async fn refresh_for(&self, batch_id: &str) {
        let mut shown = self.inner.shown.lock().await;
        if *shown != batch_id {
            match self.refresh().boxed().await {
                Ok(_) => *shown = batch_id.into(),
                Err(error) => tracing::warn!(%error, batch_id, "rows have landed and show with the next refresh"),
            }
        }
    }

    /// A snapshot, made on the threads that are made for SQL.
    async fn build(&self, views: Arc<Views>, states: Vec<Arc<TableState>>, last: Arc<Snapshot>) -> Result<Snapshot> {
        let inner = Arc::clone(&self.inner);
        let build = async move { inner.snapshots.build(&views, states, Some(&last)).await };
        self.inner.threads.run(build).boxed().await
    }

    /// Files of `queries/views/` that cannot be used, and where no view stands in for them.
    pub fn broken_views(&self) -> Vec<BrokenView> {
        self.snapshot().broken().values().cloned().collect()
    }

    /// The texts that the views have now, by name.
    pub fn view_texts(&self) -> BTreeMap<String, String> {
        let snapshot = self.snapshot();
        snapshot.views().iter().map(|(name, view)| (name.clone(), view.definition().text.clone())).collect()
    }

    /// Refreshes every `engine.refresh_ms` until `cancel`. A failed look keeps the old snapshot and is logged.
    pub fn spawn_refresh(&self, cancel: CancellationToken) -> JoinHandle<()> {
        let engine = self.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(engine.inner.cfg.refresh_ms.max(1)));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let work = async {
                loop {
                    ticks.tick().await;
                    if let Err(error) = engine.refresh().await {
                        tracing::warn!(%error, "the lake could not be looked at; answering from the last snapshot");
                    }
                }
            };
            tokio::select! {
                () = cancel.cancelled() => {}
                () = work => {}
            }
        })
    }

    /// The tasks that compute for queries now.
    #[cfg(test)]
    pub(crate) fn tasks(&self) -> usize {
        self.inner.threads.tasks()
    }

    /// The state that a query would read now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.current.load_full()
    }

    /// Runs one reading statement for `caller`. Planning errors come from here, execution errors from the stream.
    ///
    /// # Errors
    /// `NotFound`: tables, columns of slicers, members. `Invalid`: the SQL, its size, its parameters, policies. `Denied`: not a
    /// reading statement. `Busy`: shed, no turn in time, too many unread, or out of memory. `Timeout`.
    pub async fn query(&self, sql: &str, options: QueryOptions, caller: &Caller) -> Result<Rows> {
        let allowed = query::allowed(&self.inner, caller);
        let (inner, sql, caller) = (Arc::clone(&self.inner), sql.to_string(), caller.clone());
        self.within(allowed, async move { query::run(&inner, &sql, &options, &caller).await }).boxed().await
    }

    /// Runs `work` on the query threads. It ends itself in the time allowed, but for one long computation: planning makes no
    /// pauses. Then whoever waits is told here.
    async fn within<T: Send + 'static>(
        &self,
        allowed: Duration,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let done = timeout(allowed.saturating_add(rows::GRACE), self.inner.threads.run(work));
        done.await.unwrap_or_else(|_| Err(rows::timed_out(allowed)))
    }

    /// Plans without running: the result's columns, parameters, what is read, what may be asked of it.
    ///
    /// # Errors
    /// As [`Engine::query`], but for execution.
    pub async fn describe(&self, sql: &str, options: &QueryOptions, caller: &Caller) -> Result<Described> {
        let (inner, sql) = (Arc::clone(&self.inner), sql.to_string());
        let (options, caller) = (options.clone(), caller.clone());
        let allowed = query::allowed(&inner, &caller);
        let describe = async move { describe::describe(&inner, &sql, &options, &caller).await };
        self.within(allowed, describe).boxed().await
    }

    /// How long a query may take, if its caller does not say less.
    pub fn longest(&self) -> Duration {
        Duration::from_secs(self.inner.cfg.timeout_seconds)
    }

    /// The state that was the newest at `at`: what was known then.
    ///
    /// # Errors
    /// `Unavailable`: the lake does not keep it any more, or was not there yet.
    pub async fn known_at(&self, at: DateTime<Utc>) -> Result<Pin> {
        let head = self.inner.lake.head_at(at).await?;
        let versions = TABLES.iter().map(|table| (table.name.to_string(), head.version(table.name))).collect();
        Ok(self.inner.snapshots.pin(&self.inner.views.load_full(), versions))
    }

    /// The lake's zone.
    pub fn zone(&self) -> Tz {
        self.inner.lake.properties().zone
    }

    /// Takes `bytes` of `engine.memory_mb` for `what` until the result is dropped.
    ///
    /// # Errors
    /// `Busy`: there is not that much left.
    pub fn reserve(&self, bytes: usize, what: &str) -> Result<Reserved> {
        self.inner.reserve(bytes, what)
    }

    /// What the cache of results has done, and what it holds.
    pub fn cache_figures(&self) -> CacheFigures {
        self.inner.cache.figures()
    }

    /// Every table and view with its columns, by schema and name. Nothing is read for it.
    pub fn relations(&self) -> Arc<Vec<Relation>> {
        Arc::clone(self.snapshot().relations())
    }

    /// The reports that `report('id', …)` and `system.reports` know from now on.
    pub fn set_reports(&self, reports: Weak<dyn ReportSource>) {
        self.inner.reports.set(reports);
    }

    /// How many rows of `table` the lake holds, of all versions.
    pub fn rows_landed(&self, table: &Table) -> u64 {
        self.snapshot().lake_state(table).map_or(0, |state| state.files.iter().map(|file| file.rows).sum())
    }

    /// The Delta version of `table`; −1 = never written.
    pub fn version_of(&self, table: &Table) -> i64 {
        self.snapshot().lake_state(table).map_or(-1, |state| state.version)
    }

    /// First and last business date of order_line; `None` when it is empty. From file statistics.
    pub async fn data_range(&self) -> Result<Option<(NaiveDate, NaiveDate)>> {
        data_range(&self.snapshot())
    }

    /// Today as the lake defines it: the clock's date in its zone, the day after the newest business date, or a fixed date.
    /// A lake without orders has the clock's.
    pub async fn today(&self) -> Result<NaiveDate> {
        let properties = self.inner.lake.properties();
        let clock = || self.inner.clock.today(properties.zone);
        match properties.today {
            Today::Clock => Ok(clock()),
            Today::Date(date) => Ok(date),
            Today::Data => match self.data_range().await? {
                Some((_, last)) => last
                    .checked_add_days(Days::new(1))
                    .ok_or_else(|| Error::invalid(format!("the newest business date is {last}"))),
                None => Ok(clock()),
            },
        }
    }
}

/// Dates are exact in our files' statistics (days, not milliseconds), so no row is read.
fn data_range(snapshot: &Snapshot) -> Result<Option<(NaiveDate, NaiveDate)>> {
    let Some(state) = snapshot.lake_state(&ORDER_LINE) else { return Ok(None) };
    let mut range: Option<(i32, i32)> = None;
    for file in state.files.iter().filter(|f| f.rows > 0) {
        let stats = file.stats.get("business_date");
        let (Some(Stat::Date(min)), Some(Stat::Date(max))) =
            (stats.and_then(|s| s.min.as_ref()), stats.and_then(|s| s.max.as_ref()))
        else {
            return Err(Error::unavailable(format!(
                "order_line: the file {} has no statistics of business_date",
                file.path
            )));
        };
        range = Some(range.map_or((*min, *max), |(low, high)| (low.min(*min), high.max(*max))));
    }
    let date = |days| NaiveDate::from_epoch_days(days).ok_or_else(|| Error::internal(format!("business date {days}")));
    range.map(|(low, high)| Ok((date(low)?, date(high)?))).transpose()
}
