//! One query, from text to rows: parse → assemble (compare, totals, order) → slicers → views → analyzer → optimizer →
//! execution. Whatever holds for every query (who asks, limits, log) is applied here and in [`super::rows`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use datafusion::common::Result as DfResult;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::{ExecutionPlan, collect, execute_stream};
use tokio::time::{Instant, timeout_at};

use super::admission::Purpose;
use super::cache::{self, Filling, Found};
use super::calls::Calls;
use super::classify::classify;
use super::information::INFORMATION_SCHEMA;
use super::log::Logged;
use super::options::{Dialect, Policies, QueryOptions};
use super::planner::{Parsed, Planner, parse};
use super::reading::Reading;
use super::reserved::Reserved;
use super::rollups::{self, Answer};
use super::rows::{Guards, Read, Rows, plain_schema};
use super::rules::{assemble, expand, members, slicers};
use super::session::SYSTEM;
use super::snapshot::Snapshot;
use super::stop::{Stop, Work};
use super::watch::watched;
use super::{Inner, pins, postgres, scanned, size};
use crate::access::{Caller, Scope};
use crate::error::{Error, Result};

/// Runs one statement for `caller`.
pub(super) async fn run(inner: &Inner, sql: &str, options: &QueryOptions, caller: &Caller) -> Result<Rows> {
    let timeout = allowed(inner, caller);
    let deadline = Instant::now() + timeout;
    let label = if options.label.is_empty() { "sql" } else { &options.label };
    let log = inner.log.begin(&caller.principal, label, sql);
    let stop = Stop::at(deadline, timeout);
    let work = Arc::new(Work::new(stop, inner.admission.turn(caller.class)));
    let started = timeout_at(deadline, start(inner, sql, options, caller, &log, &work)).await;
    match started.unwrap_or_else(|_| Err(work.late())) {
        Ok(Started { stream, read, filling }) => {
            let guards = Guards { log, work, deadline, timeout, row_limit: inner.cfg.row_limit, filling };
            Ok(Rows::guarded(guards, stream, read))
        }
        Err(error) => {
            log.failed(&error);
            Err(error)
        }
    }
}

/// How long `caller`'s queries may take.
pub(super) fn allowed(inner: &Inner, caller: &Caller) -> Duration {
    let longest = Duration::from_secs(inner.cfg.timeout_seconds);
    caller.timeout.map_or(longest, |t| t.min(longest))
}

/// A statement that gives rows.
struct Started {
    stream: SendableRecordBatchStream,
    read: Read,
    /// Its rows are kept.
    filling: Option<Filling>,
}

async fn start(
    inner: &Inner,
    sql: &str,
    options: &QueryOptions,
    caller: &Caller,
    log: &Logged,
    work: &Arc<Work>,
) -> Result<Started> {
    let half = Instant::now() + allowed(inner, caller) / 2;
    let _room = room(inner, sql)?;
    let mut parsed = parsed(sql, options)?;
    let mut options = options.clone();
    // Before the turn: a report may look up its parameters' values by a query of its own.
    let calls = Calls::take(&mut parsed, &mut options.params, inner.reports.get(), caller).await?;
    let purpose = purpose(&inner.current.load_full(), &parsed);
    let asked = match purpose {
        Purpose::Read if parsed.explain.is_none() => inner.cache.question(sql, &options, &calls, &caller.scope),
        _ => None,
    };
    let lead = match cache::look(inner, asked, &options, caller.class, half).await {
        Found::Run(lead) => lead,
        Found::Answer(answer, snapshot) => {
            log.on_snapshot(&snapshot.id);
            log.was_cached();
            return Ok(Started { stream: answer.stream(), read: answer.read(&snapshot), filling: None });
        }
    };
    work.turn().await.take(purpose).await?;
    let snapshot = pins::snapshot(inner, options.at.as_ref()).await?;
    log.on_snapshot(&snapshot.id);
    let session = session(&snapshot, options.dialect, &caller.scope)?;
    let planned = plan(&snapshot, &session, &parsed, &options, &calls).await?;
    let plan = analyzed(&session, planned.plan)?;
    let filling = match lead {
        Some(lead) => lead.fill(&snapshot, &planned.versions, cache::steady(&snapshot, &plan, &options, &calls)?),
        None => None,
    };
    let schema = plain_schema(plan.schema().as_arrow());
    let physical = physical(&session, plan).await.map_err(classify)?;
    if purpose == Purpose::Read && scanned::is_heavy(physical.as_ref()) {
        work.turn().await.take(Purpose::Heavy).await?;
    }
    let answers = planned.answers;
    log.answered(&answers);
    let read = Read {
        schema,
        snapshot: snapshot.id.clone(),
        versions: planned.versions,
        answers: answers.clone(),
        cached: false,
    };
    work.reads(snapshot);
    let physical = watched(physical, work).map_err(classify)?;
    let stream = execute_stream(physical, session.task_ctx()).map_err(classify)?;
    let stream = match parsed.explain {
        Some(_) => rollups::explained(stream, &answers),
        None => stream,
    };
    Ok(Started { stream, read, filling })
}

/// What `parsed` needs its turn for. Light is what names nothing but what the engine tells about itself: no table, view, report or
/// table function.
fn purpose(snapshot: &Snapshot, parsed: &Parsed) -> Purpose {
    let own = [SYSTEM, INFORMATION_SCHEMA, postgres::PG_CATALOG];
    let named = Planner::names(snapshot.state(), &parsed.statement);
    match named.is_ok_and(|named| named.iter().all(|name| own.contains(&&*name.schema))) {
        true => Purpose::Light,
        false => Purpose::Read,
    }
}

/// What `sql` takes of the memory pool until it is planned, if that is much.
pub(super) fn room(inner: &Inner, sql: &str) -> Result<Option<Reserved>> {
    size::memory(sql).map(|bytes| inner.reserve(bytes, "the text of a statement")).transpose()
}

/// `sql` as one reading statement.
pub(super) fn parsed(sql: &str, options: &QueryOptions) -> Result<Parsed> {
    match options.dialect {
        Dialect::Own => parse(sql),
        Dialect::Postgres => postgres::parse(sql, options),
    }
}

/// A session for one query.
pub(super) fn session(snapshot: &Snapshot, dialect: Dialect, scope: &Scope) -> Result<SessionState> {
    match dialect {
        Dialect::Own => Ok(snapshot.session(scope)),
        Dialect::Postgres => snapshot.postgres_session(scope),
    }
}

/// The plan with its final types, which only the analyzer knows. (It explains itself: EXPLAIN's inner plan is left to it.)
pub(super) fn analyzed(session: &SessionState, plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) => Ok(plan),
        plan => session.analyzer().execute_and_check(plan, session.config_options(), |_, _| {}).map_err(classify),
    }
}

/// How what [`analyzed`] gave is run. The analyzer is not asked again.
pub(super) async fn physical(session: &SessionState, plan: LogicalPlan) -> DfResult<Arc<dyn ExecutionPlan>> {
    if matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_)) {
        return session.create_physical_plan(&plan).await;
    }
    let optimized = session.optimizer().optimize(plan, session, |_, _| {})?;
    session.query_planner().create_physical_plan(&optimized, session).await
}

/// The rows of a small view, and the versions of the tables that it reads.
async fn every_row(view: &str, session: &SessionState) -> Result<(Vec<RecordBatch>, BTreeMap<String, i64>)> {
    let parsed = parse(&format!("SELECT * FROM {view}"))?;
    let planner = Planner::over(session, &parsed.statement).await?;
    let plan = planner.plan(&parsed.statement, &BTreeMap::new())?;
    let versions = Reading::of(&plan, &Policies::new())?.versions;
    let plan = analyzed(session, expand::expanded(plan, &Policies::new()).map_err(classify)?)?;
    let physical = physical(session, plan).await.map_err(classify)?;
    Ok((collect(physical, session.task_ctx()).await.map_err(classify)?, versions))
}

/// A statement as it goes to DataFusion's analyzer, and the versions that its answer depends on.
pub(super) struct Planned {
    pub plan: LogicalPlan,
    pub versions: BTreeMap<String, i64>,
    /// What became of its aggregates over views that have rollups.
    pub answers: Vec<Answer>,
}

/// Plans `parsed` with everything that `options` asks for.
pub(super) async fn plan(
    snapshot: &Arc<Snapshot>,
    session: &SessionState,
    parsed: &Parsed,
    options: &QueryOptions,
    calls: &Calls,
) -> Result<Planned> {
    snapshot.whole(&parsed.statement)?;
    let (tables, of_calls, answers_of_calls) = calls.plan(snapshot, session).await?;
    let planner = Planner::over(session, &parsed.statement).await?.with_calls(tables);
    let assembled = assemble(&planner, &parsed.statement, options)?;
    let reading = Reading::of(&assembled, &options.policies)?;
    reading.check(&options.policies)?;
    let mut versions = reading.versions;
    versions.extend(of_calls);
    // A slicer's words are looked up in a dimension: the answer depends on its version too.
    let mut looked_up = BTreeMap::new();
    for name in members::dimensions(&options.slices)? {
        let dimension =
            snapshot.dimension(name).ok_or_else(|| Error::internal(format!("there is no dimension {name}")))?;
        versions.insert(name.to_string(), dimension.version());
        looked_up.insert(name, dimension.rows(session).await.map_err(classify)?.to_vec());
    }
    for view in members::views(&options.slices, &options.policies)? {
        let (rows, read) = every_row(view, session).await?;
        versions.extend(read);
        looked_up.insert(view, rows);
    }
    let members = members::resolve(&options.slices, &|name| looked_up.get(name).cloned())?;
    let sliced = slicers::sliced(assembled, &members, &options.policies, &options.spine).map_err(classify)?;
    let mut answers = Vec::new();
    let plan = expand::expanded_by(sliced, &options.policies, &mut |plan| {
        rollups::answered(plan, &snapshot.rollups, &options.policies, session, &mut answers)
    });
    let plan = plan.map_err(classify)?;
    answers.extend(answers_of_calls);
    let plan = match parsed.explain.clone() {
        None => plan,
        Some(how) => {
            let explained = LogicalPlanBuilder::from(plan).explain_option_format(how).and_then(|b| b.build());
            explained.map_err(classify)?
        }
    };
    Ok(Planned { plan, versions, answers })
}
