//! Rollups made anew where they are not current: month by month, from the tables of the newest snapshot. It costs what the
//! month has, and nothing where nothing changed.
//!
//! Whoever refreshes at the same time does the same work: the first commit of a month stays, the other finds it current. A
//! refresh that dies leaves files that no commit names, which a vacuum takes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Aggregate, Expr, Filter, LogicalPlan, Projection, lit};
use datafusion::physical_plan::execute_stream;
use datafusion::scalar::ScalarValue;
use futures::{FutureExt, TryStreamExt};
use serde::Serialize;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::contract::{BUILT_FROM, HASHES};
use super::definition::{Kind, Rollup, aggregated, planned};
use super::dictionary::{self, APP};
use super::month::Month;
use super::numbers::Numbers;
use super::ready::{Kept, Ready, says};
use crate::access::{Class, Scope};
use crate::engine::admission::Purpose;
use crate::engine::classify::classify;
use crate::engine::functions::sets;
use crate::engine::options::Policies;
use crate::engine::rules::expand;
use crate::engine::snapshot::Snapshot;
use crate::engine::{BrokenView, Engine, Inner, query};
use crate::error::{Error, ErrorKind, Result, did_you_mean};
use crate::lake::{Change, Commit, DataFile, TableState};
use crate::model::MONTH;

/// Rows that a month of a rollup may have: beyond it it saves nothing, and all are in memory while they are written.
const MOST_ROWS: usize = 4_000_000;
/// A server that has made months anew rests so many times as long as that took: files that land all the time leave a month current
/// for a moment only, and landing them comes first.
const REST: u32 = 2;
/// It rests no longer than this.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// How long a server waits that could not keep its rollups: where it may not write, it need not say so all the time.
const TROUBLED: Duration = Duration::from_secs(60);
/// Commits by others that one month's making stands.
const ATTEMPTS: usize = 8;

/// One month of one rollup, made anew.
#[derive(Debug, Clone, Serialize)]
pub struct Made {
    pub rollup: String,
    pub month: String,
    /// Rows that the rollup has of it.
    pub rows: usize,
    /// A value that is counted once lies in several rows: distinct counts of the month come from the tables.
    pub split: bool,
    pub seconds: f64,
}

/// What a refresh has done.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Refreshed {
    pub made: Vec<Made>,
    /// Months that could not be made, and why.
    pub failed: Vec<String>,
}

impl Engine {
    /// How each rollup is kept, on the newest snapshot, by name.
    pub fn rollups(&self) -> Vec<Kept> {
        let mut kept: Vec<Kept> = self.snapshot().rollups.iter().map(|ready| ready.kept()).collect();
        kept.sort_by(|a, b| a.name.cmp(&b.name));
        kept
    }

    /// Rollups that cannot be used, by name.
    pub fn broken_rollups(&self) -> Vec<BrokenView> {
        self.snapshot().broken_rollups.values().cloned().collect()
    }

    /// Makes every month anew that is not current, of the rollups in `names` (empty = of all), the newest first, at most
    /// `months` of each.
    ///
    /// # Errors
    /// `NotFound`: a name. Storage. What fails of one month is told in the result.
    pub async fn refresh_rollups(&self, names: &[String], months: usize) -> Result<Refreshed> {
        self.refresh().await?;
        let snapshot = self.snapshot();
        let known: Vec<&str> = snapshot.rollups.iter().map(|ready| ready.rollup().name()).collect();
        if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(match snapshot.broken_rollups.get(unknown) {
                Some(broken) => broken.error(),
                None => Error::not_found(format!("there is no rollup {unknown}"))
                    .hint(did_you_mean(unknown, known.iter().copied())),
            });
        }
        if snapshot.rollups.iter().any(|ready| ready.rollup().has_sets() && ready.dictionary().identity.is_empty())
            && dictionary::begin(&self.inner.lake).await?
        {
            self.refresh().await?;
        }
        let (snapshot, mut done) = (self.snapshot(), Refreshed::default());
        for ready in snapshot.rollups.iter() {
            let name = ready.rollup().name();
            if !names.is_empty() && !names.iter().any(|asked| asked == name) {
                continue;
            }
            let mut ready = Arc::clone(ready);
            for month in ready.all_stale().into_iter().take(months) {
                match self.make(&snapshot, &mut ready, month).await {
                    Ok(Some(made)) => done.made.push(made),
                    Ok(None) => {}
                    // Nothing of the rest would go better now.
                    Err(error)
                        if matches!(error.kind(), ErrorKind::Busy | ErrorKind::Unavailable | ErrorKind::Denied) =>
                    {
                        return Err(error.context(format!("{name} {month}")));
                    }
                    Err(error) => {
                        tracing::warn!(rollup = name, %month, %error, "a rollup's month could not be made");
                        done.failed.push(format!("{name} {month}: {error}"));
                    }
                }
            }
        }
        self.refresh().await?;
        Ok(done)
    }

    /// Keeps the rollups current until `cancel`: looks at each new snapshot.
    pub fn spawn_rollups(&self, cancel: CancellationToken) -> JoinHandle<()> {
        let engine = self.clone();
        tokio::spawn(async move {
            let work = async {
                let mut seen = String::new();
                loop {
                    let id = engine.snapshot().id.clone();
                    let mut rest = Duration::ZERO;
                    if id != seen {
                        let began = Instant::now();
                        match engine.refresh_rollups(&[], usize::MAX).boxed().await {
                            // What failed is tried again with the next snapshot, or it would be tried all the time.
                            Ok(done) => {
                                seen = id;
                                if !done.made.is_empty() {
                                    rest = (began.elapsed() * REST).min(LONGEST_REST);
                                }
                            }
                            Err(error) if error.kind() == ErrorKind::Busy => tracing::debug!(%error, "rollups wait"),
                            Err(error) => {
                                tracing::warn!(%error, "rollups cannot be kept now; the tables answer");
                                tokio::time::sleep(TROUBLED).await;
                            }
                        }
                    }
                    tokio::time::sleep(rest.max(Duration::from_millis(engine.inner.cfg.refresh_ms.max(100)))).await;
                }
            };
            tokio::select! {
                () = cancel.cancelled() => {}
                () = work => {}
            }
        })
    }

    /// Makes one month of what `snapshot` has, and looks at the rollup again; `None`: it is current, or there is nothing of it.
    async fn make(&self, snapshot: &Arc<Snapshot>, ready: &mut Arc<Ready>, month: Month) -> Result<Option<Made>> {
        let began = Instant::now();
        for _ in 0..ATTEMPTS {
            if !ready.stale(&(month.first_day()..=month.first_day())).contains(&month) {
                return Ok(None);
            }
            let (inner, snapshot) = (Arc::clone(&self.inner), Arc::clone(snapshot));
            let making = Making { inner, snapshot: Arc::clone(&snapshot), ready: Arc::clone(ready), month };
            let made = self.inner.threads.run(making.run()).boxed().await?;
            let parts = self.inner.snapshots.rollups();
            *ready = Arc::new(parts.ready(Arc::clone(ready.rollup()), snapshot.states()).await?);
            if let Some((rows, split)) = made {
                let (name, seconds) = (ready.rollup().name(), began.elapsed().as_secs_f64());
                tracing::info!(rollup = name, %month, rows, seconds, "a rollup's month is current");
                return Ok(Some(Made { rollup: name.into(), month: month.to_string(), rows, split, seconds }));
            }
        }
        Err(Error::new(ErrorKind::Conflict, format!("others committed {ATTEMPTS} times meanwhile")))
    }
}

/// One attempt at one month.
struct Making {
    inner: Arc<Inner>,
    snapshot: Arc<Snapshot>,
    ready: Arc<Ready>,
    month: Month,
}

impl Making {
    /// Rows made, and whether values lie in several; `None`: somebody committed meanwhile.
    async fn run(self) -> Result<Option<(usize, bool)>> {
        let (rollup, lake) = (self.ready.rollup(), &self.inner.lake);
        let Some(wanted) = self.ready.wanted(self.month).map(String::from) else { return Ok(None) };
        let state = lake.derived(rollup.table()).await?;
        if state.version != self.ready.version() {
            return Ok(None);
        }
        let numbers = Arc::new(self.ready.numbers().fork());
        let batches = self.rows(&numbers).await?;
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let month = self.month.to_string();
        let own = |file: &&Arc<DataFile>| file.month.as_deref() == Some(month.as_str());
        let remove: Vec<_> = state.files.iter().filter(own).cloned().collect();
        if rows == 0 {
            self.inner.snapshots.rollups().known.is_empty(wanted.clone());
        }
        if rows == 0 && remove.is_empty() {
            return Ok(Some((0, false)));
        }
        let split = self.split(&batches, &state).await?;
        let says = says(&wanted, split);
        let add = batches.into_iter().map(|batch| stored(rollup, &batch, &month, &says)).collect::<Result<Vec<_>>>()?;
        if !dictionary::add(lake, self.ready.dictionary().version, &numbers.added()).await? {
            return Ok(None);
        }
        let batch_id = Uuid::now_v7().to_string();
        let info = [("month".to_string(), month.clone().into()), ("built_from".to_string(), wanted.into())];
        let change =
            Change { batch_id: &batch_id, app: APP, add, remove, keep: vec![], info: info.into_iter().collect() };
        Ok(match lake.commit(&state, change).await? {
            Commit::Done { .. } => Some((rows, split)),
            Commit::Moved => None,
        })
    }

    /// The month's rows, from the tables.
    async fn rows(&self, numbers: &Arc<Numbers>) -> Result<Vec<RecordBatch>> {
        let mut turn = self.inner.admission.turn(Class::Batch);
        turn.take(Purpose::Read).await?;
        let session = self.snapshot.session(&Scope::All);
        let plan = plan(self.ready.rollup(), &session, self.month, numbers).await?;
        let plan = expand::expanded(plan, &Policies::new()).map_err(classify)?;
        let plan = query::analyzed(&session, plan)?;
        let physical = query::physical(&session, plan).await.map_err(classify)?;
        let mut stream = execute_stream(physical, session.task_ctx()).map_err(classify)?;
        let (mut batches, mut rows) = (Vec::new(), 0);
        while let Some(batch) = stream.try_next().await.map_err(classify)? {
            rows += batch.num_rows();
            if rows > MOST_ROWS {
                return Err(Error::invalid(format!("more than {MOST_ROWS} rows a month"))
                    .hint("group by fewer keys: a rollup has to be much shorter than its view"));
            }
            batches.push(batch);
        }
        Ok(batches)
    }

    /// Whether a value that is counted once lies in several rows: of this month, or also in another.
    async fn split(&self, batches: &[RecordBatch], state: &TableState) -> Result<bool> {
        let month = self.month.to_string();
        for told in self.ready.rollup().columns().iter().filter(|told| told.kind == Kind::Once) {
            let name = format!("{}{HASHES}", told.name);
            let mut own = HashSet::new();
            for batch in batches {
                for hash in hashes(batch, &name)? {
                    if !own.insert(hash) {
                        return Ok(true);
                    }
                }
            }
            for file in state.files.iter().filter(|file| file.month.as_deref() != Some(month.as_str())) {
                let mut batches = self.inner.lake.batches(state, file, Some(&[name.as_str()])).await?;
                while let Some(batch) = batches.try_next().await? {
                    if hashes(&batch, &name)?.any(|hash| own.contains(&hash)) {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }
}

fn hashes<'a>(batch: &'a RecordBatch, name: &str) -> Result<impl Iterator<Item = u64> + use<'a>> {
    let column = batch.column_by_name(name).ok_or_else(|| Error::internal(format!("a rollup without {name}")))?;
    let column = column.as_binary_opt::<i32>().ok_or_else(|| Error::internal(format!("{name} is no byte string")))?;
    Ok(column.iter().flatten().flat_map(sets::hashes))
}

/// A batch of the rollup's query as its table has it.
fn stored(rollup: &Rollup, batch: &RecordBatch, month: &str, built_from: &str) -> Result<RecordBatch> {
    let schema = rollup.table().schema();
    // An amount that does not fit fails: it must not become NULL.
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let same =
        |text: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values((0..batch.num_rows()).map(|_| text))) };
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        MONTH => Ok(same(month)),
        BUILT_FROM => Ok(same(built_from)),
        name => {
            let column = batch
                .column_by_name(name)
                .ok_or_else(|| Error::internal(format!("a rollup's query without {name}")))?;
            if let (DataType::Decimal128(_, from), to) = (column.data_type(), field.data_type())
                && !matches!(to, DataType::Decimal128(_, places) if places == from)
            {
                return Err(Error::invalid(format!(
                    "{name} is {} when it is made, and {to} when it is planned",
                    column.data_type()
                ))
                .hint("CAST all parts of it to one type"));
            }
            Ok(cast_with_options(column, field.data_type(), &options)?)
        }
    });
    Ok(RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<_>>()?)?)
}

/// The rows of one month, in columns with the names of the rollup's.
async fn plan(
    rollup: &Rollup,
    session: &datafusion::execution::SessionState,
    month: Month,
    numbers: &Arc<Numbers>,
) -> Result<LogicalPlan> {
    let definition = rollup.definition();
    let parts = planned(definition, session).await?;
    let day = Expr::Column(Column::new(Some(parts.relation.clone()), rollup.date()));
    let date = |day: i32| lit(ScalarValue::Date32(Some(day)));
    let within = day.clone().gt_eq(date(month.first_day())).and(day.lt(date(month.next().first_day())));
    let rows = Filter::try_new(within, Arc::clone(&parts.aggregate.input)).map_err(classify)?;
    let groups = parts.aggregate.group_expr.len();
    let (mut calls, mut columns) = (Vec::new(), Vec::new());
    for (name, at) in &parts.names {
        let Some(call) = at.checked_sub(groups) else {
            let key = Column::from(parts.aggregate.schema.qualified_field(*at));
            columns.push(Expr::Column(key).alias(name));
            continue;
        };
        let call = &parts.aggregate.aggr_expr[call];
        let (kind, of) = aggregated(definition, call)?;
        let mut add = |name: String, call: Expr| {
            columns.push(Expr::Column(Column::new_unqualified(&name)));
            calls.push(call.alias(name));
        };
        match kind {
            Kind::Rows => add(name.clone(), count(lit(1_i64))),
            Kind::Set => {
                let numbered = sets::numbered(Arc::clone(numbers)).call(vec![of]);
                add(name.clone(), sets::set_union().call(vec![numbered]));
            }
            Kind::Once => {
                add(name.clone(), call.clone());
                add(format!("{name}{HASHES}"), sets::value_hashes().call(vec![of]));
            }
            _ => add(name.clone(), call.clone()),
        }
    }
    let made = Aggregate::try_new(Arc::new(LogicalPlan::Filter(rows)), parts.aggregate.group_expr.clone(), calls);
    let made = LogicalPlan::Aggregate(made.map_err(classify)?);
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(made)).map_err(classify)?))
}
