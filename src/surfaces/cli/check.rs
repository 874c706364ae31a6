//! `saleslake check`: every source, view and report is read and planned; the first thing wrong with each is told.

use super::output;
use crate::error::{Error, Result};
use crate::ingest::Sources;
use crate::reports::Reports;

/// Sources were checked while loading, views while the engine opened; what is left are the reports.
pub fn run(sources: &Sources, reports: &Reports) -> Result<()> {
    let list = reports.list();
    let broken: Vec<String> = list.iter().filter_map(|i| Some(format!("{}: {}", i.id, i.broken.as_ref()?))).collect();
    for b in &broken {
        eprintln!("broken: {b}");
    }
    output::line(format!("{} sources, {} reports checked, {} broken", sources.names().count(), list.len(), broken.len()))?;
    if broken.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!("{} of {} reports are broken", broken.len(), list.len())).hint("each is named above with its reason"))
}
