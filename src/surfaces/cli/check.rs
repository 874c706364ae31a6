//! `saleslake check`: every source, view and report is read and planned; the first thing wrong with each is told.

use super::output;
use crate::error::{Error, Result};
use crate::ingest::Sources;
use crate::reports::Reports;

/// Sources were checked while loading, views while the engine opened; what is left are the reports.
pub fn run(sources: &Sources, reports: &Reports) -> Result<()> {
    let (whole, broken) = (reports.list().len(), reports.broken());
    for b in &broken {
        let hint = b.hint.as_ref().map(|h| format!(" ({h})")).unwrap_or_default();
        eprintln!("broken: {}: {}{hint}", b.path, b.reason);
    }
    output::line(format!(
        "{} sources and {} reports checked, {} broken",
        sources.len(),
        whole + broken.len(),
        broken.len()
    ))?;
    if broken.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!("{} of {} reports are broken", broken.len(), whole + broken.len()))
        .hint("each is named above with its reason"))
}
