//! `saleslake ingest`: lands files and prints the account; a progress bar on a terminal.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::output;
use crate::error::Result;
use crate::ingest::{Account, Ingest, InputFile, Progress};

#[derive(Debug, Args)]
pub struct IngestArgs {
    /// The source definition; without one, every source lands from the landing folder
    source: Option<String>,
    /// Files of that source
    #[arg(requires = "source")]
    files: Vec<PathBuf>,
}

pub async fn run(args: &IngestArgs, ingest: &Ingest, landing: &Path) -> Result<()> {
    let Some(source) = &args.source else {
        return land_all(ingest, landing).await;
    };
    let bar = Bar::new();
    let files = if args.files.is_empty() {
        ingest.files_of(source, landing)?
    } else {
        args.files.iter().map(|p| InputFile::open(p)).collect::<Result<Vec<_>>>()?
    };
    let account = ingest.run(source, &files, &bar).await;
    bar.0.finish_and_clear();
    output::line(account?)
}

/// Lands every source in order and prints what became of it.
pub async fn land_all(ingest: &Ingest, landing: &Path) -> Result<()> {
    let bar = Bar::new();
    let accounts = ingest.run_all(landing, &bar).await;
    bar.0.finish_and_clear();
    let accounts = accounts?;
    for account in accounts.iter().filter(|a| !a.files.is_empty()) {
        output::line(account)?;
    }
    output::line(Account::sum_line(&accounts))
}

/// Bytes read so far, with the file's name; drawn on standard error, and only on a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Bar {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {elapsed} {wide_msg}") {
            bar.set_style(style);
        }
        Bar(bar)
    }
}

impl Progress for Bar {
    fn expect(&self, bytes: u64) {
        self.0.inc_length(bytes);
    }
    fn working_on(&self, what: &str) {
        self.0.set_message(what.to_string());
    }
    fn advanced(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}
