//! `saleslake check`: every source, view, rollup and report is read and planned; the first thing wrong with each is told.
//! `saleslake check --run` then runs the tests that stand beside the reports over the lake.

use clap::Args;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};

use super::output;
use crate::access::Caller;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::ingest::Sources;
use crate::reports::{Outcome, Reports};

/// Reports whose tests run at once.
const AT_ONCE: usize = 4;

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Also run the tests that stand in the reports' files, over the lake as it is
    #[arg(long)]
    run: bool,
    /// Run the tests of these reports only
    #[arg(value_name = "REPORT", requires = "run")]
    reports: Vec<String>,
}

impl CheckArgs {
    /// Whether the lake's data is asked for; else the definitions alone.
    pub fn reads_lake(&self) -> bool {
        self.run
    }
}

/// Sources were checked while loading; `views` is the number of their files.
pub async fn run(args: &CheckArgs, sources: &Sources, views: usize, engine: &Engine, reports: &Reports) -> Result<()> {
    files(sources, views, engine, reports)?;
    if args.run { tests(&args.reports, reports).await } else { Ok(()) }
}

fn files(sources: &Sources, views: usize, engine: &Engine, reports: &Reports) -> Result<()> {
    let wrong = sources.broken();
    for error in &wrong {
        tell("", error.message(), error.hint_text());
    }
    let broken_views = engine.broken_views();
    for view in &broken_views {
        tell(&view.path, &view.reason, view.hint.as_deref());
    }
    let broken_rollups = engine.broken_rollups();
    for rollup in &broken_rollups {
        tell(&rollup.path, &rollup.reason, rollup.hint.as_deref());
    }
    for report in reports.broken() {
        tell(&report.path, &report.reason, report.hint.as_deref());
    }
    let broken = wrong.len() + broken_views.len() + broken_rollups.len() + reports.broken().len();
    let (sources, reports) = (sources.len() + wrong.len(), reports.list().len() + reports.broken().len());
    let rollups = engine.rollups().len() + broken_rollups.len();
    let all = sources + views + rollups + reports;
    let [sources, views, rollups, reports] =
        [(sources, "source"), (views, "view"), (rollups, "rollup"), (reports, "report")]
            .map(|(n, one)| output::counted(n as u64, one));
    output::line(format!("{sources}, {views}, {rollups} and {reports} checked, {broken} broken"))?;
    if broken == 0 {
        return Ok(());
    }
    let are = if broken == 1 { "is" } else { "are" };
    Err(Error::invalid(format!("{broken} of {all} files {are} broken")).hint("each is named above with its reason"))
}

/// One line for one file; most reasons name it themselves.
fn tell(path: &str, reason: &str, hint: Option<&str>) {
    let path = if reason.contains(path) { String::new() } else { format!("{path}: ") };
    let hint = hint.map(|h| format!(" ({h})")).unwrap_or_default();
    eprintln!("broken: {path}{reason}{hint}");
}

/// Runs the tests of the reports `asked` for, of all where none is, and tells each.
async fn tests(asked: &[String], reports: &Reports) -> Result<()> {
    let every: Vec<String> = reports.list().iter().map(|info| info.id.clone()).collect();
    let (mut all, mut failed) = (0_u64, 0_u64);
    let (asked, caller) = (if asked.is_empty() { every.as_slice() } else { asked }, Caller::local());
    let tested: Vec<BoxFuture<'_, _>> =
        asked.iter().map(|id| reports.test(id, &caller).map(move |outcomes| (id, outcomes)).boxed()).collect();
    // Several at once, told in their order.
    let mut tested = stream::iter(tested).buffered(AT_ONCE);
    while let Some((id, outcomes)) = tested.next().await {
        for outcome in outcomes? {
            all += 1;
            failed += u64::from(!outcome.passed());
            told(id, &outcome)?;
        }
    }
    output::line(format!("{} run, {failed} failed", output::counted(all, "test")))?;
    match failed {
        0 => Ok(()),
        _ => Err(Error::invalid(format!("{failed} of {} failed", output::counted(all, "test")))
            .hint("each is named above with what differs")),
    }
}

fn told(id: &str, outcome: &Outcome) -> Result<()> {
    let rows = outcome.rows.map(|n| format!(" ({})", output::counted(n, "row"))).unwrap_or_default();
    let word = match (outcome.passed(), outcome.is_empty()) {
        (false, _) => "failed",
        (true, true) => "empty ",
        (true, false) => "ok    ",
    };
    output::line(format!("{word} {id}: {}{rows}", outcome.test))?;
    outcome.wrong.iter().try_for_each(|wrong| output::line(format!("       {wrong}")))
}
