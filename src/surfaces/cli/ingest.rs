//! `saleslake ingest`: lands files and prints the account; a progress bar on a terminal.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::output;
use crate::error::{Error, Result};
use crate::ingest::{FileAccount, Ingest, InputFile, Progress, find};

#[derive(Debug, Args)]
pub struct IngestArgs {
    /// The source definition; without one, every source lands from the landing folder
    source: Option<String>,
    /// Files of that source
    #[arg(requires = "source")]
    files: Vec<PathBuf>,
    /// Read files that have landed before once more: after their source's definition was mended
    #[arg(long)]
    again: bool,
}

pub async fn run(args: &IngestArgs, ingest: &Ingest, landing: &Path) -> Result<()> {
    let ingest = &ingest.clone().again(args.again);
    let Some(source) = &args.source else {
        return land_all(ingest, landing).await;
    };
    let bar = Bar::new();
    let files = if args.files.is_empty() {
        find(landing, &ingest.sources().get(source)?.header.read.path)?
    } else {
        args.files.iter().map(|p| InputFile::open(p, p.to_string_lossy())).collect::<Result<Vec<_>>>()?
    };
    let account = ingest.run(source, &files, &bar).await;
    bar.0.finish_and_clear();
    let account = account?;
    output::line(&account)?;
    if files.is_empty() {
        eprintln!("note: no file below {} matches the pattern of {source}", landing.display());
    }
    if account.total().quarantined > 0 {
        eprintln!("note: `saleslake quarantine list` tells why records did not land");
    }
    if account.already() > 0 {
        eprintln!("note: known files are read again with --again");
    }
    Ok(())
}

/// Lands every source in order and prints what became of it.
pub async fn land_all(ingest: &Ingest, landing: &Path) -> Result<()> {
    if !landing.is_dir() {
        return Err(Error::not_found(format!("the landing folder {} does not exist", landing.display()))
            .hint("set landing.path, or name a source and its files: saleslake ingest SOURCE FILE…"));
    }
    let bar = Bar::new();
    let accounts = ingest.run_all(landing, &bar).await;
    bar.0.finish_and_clear();
    let accounts = accounts?;
    let width = accounts.iter().map(|a| a.source.len()).max().unwrap_or(0);
    let mut all = FileAccount::default();
    let mut known = 0;
    for account in &accounts {
        known += account.already();
        if account.already() == account.files.len() {
            continue;
        }
        let total = account.total();
        output::line(format!("{:width$}  {total}", account.source))?;
        for retried in &account.retried {
            output::line(format!("{:width$}  {retried}", ""))?;
        }
        all.add(&total);
    }
    output::line(format!("{:width$}  {all}", "all"))?;
    if known > 0 {
        output::line(format!("{} files had landed before and were not read again", output::grouped(known as u64)))?;
    }
    Ok(())
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
    fn begin(&self, source: &str, _files: usize, _already: usize, bytes: u64) {
        self.0.inc_length(bytes);
        self.0.set_message(source.to_string());
    }
    fn file(&self, uri: &str) {
        self.0.set_message(uri.to_string());
    }
    fn file_done(&self, _uri: &str, bytes: u64) {
        self.0.inc(bytes);
    }
    fn commit(&self, table: &str, rows: u64) {
        self.0.set_message(format!("{table}: {} rows", output::grouped(rows)));
    }
}
