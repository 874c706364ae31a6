//! `saleslake check`: every source, view and report is read and planned; the first thing wrong with each is told.

use super::output;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::ingest::Sources;
use crate::reports::Reports;

/// Sources were checked while loading; `views` is the number of their files.
pub fn run(sources: &Sources, views: usize, engine: &Engine, reports: &Reports) -> Result<()> {
    let wrong = sources.broken();
    for error in &wrong {
        tell("", error.message(), error.hint_text());
    }
    let broken_views = engine.broken_views();
    for view in &broken_views {
        tell(&view.path, &view.reason, view.hint.as_deref());
    }
    for report in reports.broken() {
        tell(&report.path, &report.reason, report.hint.as_deref());
    }
    let broken = wrong.len() + broken_views.len() + reports.broken().len();
    let (sources, reports) = (sources.len() + wrong.len(), reports.list().len() + reports.broken().len());
    let all = sources + views + reports;
    let [sources, views, reports] =
        [(sources, "source"), (views, "view"), (reports, "report")].map(|(n, one)| output::counted(n as u64, one));
    output::line(format!("{sources}, {views} and {reports} checked, {broken} broken"))?;
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
