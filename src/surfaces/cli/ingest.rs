//! `saleslake ingest`: lands files and prints the account; a progress bar on a terminal.

use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::output;
use crate::error::{Error, Result};
use crate::ingest::{Account, FileAccount, Found, Ingest, Landing, Progress};

#[derive(Debug, Args)]
pub struct IngestArgs {
    /// The source definition; without one, every source lands from the landing folder
    source: Option<String>,
    /// Files of that source: paths, or URLs of files and folders (file:///…; s3://… and the like below landing.path)
    #[arg(requires = "source")]
    files: Vec<PathBuf>,
    /// Map the files of the source that have landed before anew, after its definition changed: what they give now takes
    /// the place of what they gave before, all at once
    #[arg(long, requires = "source")]
    replay: bool,
    /// With --replay: leave the rows of files that are not found any more as they are, instead of stopping
    #[arg(long, requires = "replay")]
    found_only: bool,
}

pub async fn run(args: &IngestArgs, ingest: &Ingest, landing: &Landing) -> Result<()> {
    let Some(source) = &args.source else {
        return land_all(ingest, landing).await;
    };
    let bar = Bar::new();
    let (mut files, mut failed) = (Vec::new(), Vec::new());
    for argument in &args.files {
        files.extend(landing.given(argument).await?);
    }
    let definition = ingest.sources().get(source)?;
    if args.replay {
        files.extend(landing.find(&definition).await?);
        return replay(ingest, source, &files, args.found_only, bar).await;
    }
    if files.is_empty() {
        (files, failed) = landing.look(&definition).await?;
    }
    let account = ingest.land_each(source, &files, &bar).await;
    bar.0.finish_and_clear();
    let mut account = account?;
    account.failed.extend(failed);
    output::line(&account)?;
    all_landed([&account])?;
    if files.is_empty() {
        eprintln!("note: no file below {landing} matches the pattern of {source}");
    }
    if account.total().quarantined > 0 {
        eprintln!("note: `saleslake quarantine list` tells why records did not land");
    }
    hint_at_replay(ingest, source).await
}

async fn replay(ingest: &Ingest, source: &str, files: &[Found], found_only: bool, bar: Bar) -> Result<()> {
    let replayed = ingest.replay(source, files, found_only, &bar).await;
    bar.0.finish_and_clear();
    let replayed = replayed?;
    output::line(&replayed)?;
    if replayed.account.files.is_empty() && replayed.missing.is_empty() && replayed.pushes == 0 {
        eprintln!("note: no file of {source} has landed yet: `saleslake ingest {source}` lands them");
    }
    if replayed.account.total().quarantined > 0 {
        eprintln!("note: `saleslake quarantine list` tells why records did not land");
    }
    for other in &replayed.others {
        eprintln!(
            "note: rows of {other} may have been hidden by rows that are gone: `saleslake ingest --replay {other}`"
        );
    }
    Ok(())
}

/// Says where files have landed by another definition than today's, or a replay was cut off.
async fn hint_at_replay(ingest: &Ingest, source: &str) -> Result<()> {
    let cut = ingest.cut_off_replay(source).await?;
    if cut > 0 {
        eprintln!(
            "note: a replay of {source} was cut off, {} may be in the tables in part: \
            `saleslake ingest --replay {source}` completes it",
            output::counted(cut, "file")
        );
        return Ok(());
    }
    let outdated = ingest.outdated(source).await?;
    if outdated > 0 {
        eprintln!(
            "note: the definition of {source} changed since {outdated} of its files landed: \
            `saleslake ingest --replay {source}` maps them anew"
        );
    }
    Ok(())
}

/// Lands every source in order and prints what became of it.
pub async fn land_all(ingest: &Ingest, landing: &Landing) -> Result<()> {
    if landing.local().is_some_and(|folder| !folder.is_dir()) {
        return Err(Error::not_found(format!("the landing folder {landing} does not exist"))
            .hint("set landing.path, or name a source and its files: saleslake ingest SOURCE FILE…"));
    }
    let bar = Bar::new();
    let accounts = ingest.run_all(landing, &bar).await;
    bar.0.finish_and_clear();
    let accounts = accounts?;
    let width = accounts.iter().map(|a| a.source.len()).max().unwrap_or(0);
    let mut all = FileAccount::default();
    for account in &accounts {
        if account.already() == account.files.len() && account.empty_archives.is_empty() {
            continue;
        }
        let total = account.total();
        output::line(format!("{:width$}  {total}", account.source))?;
        for retried in &account.retried {
            output::line(format!("{:width$}  {retried}", ""))?;
        }
        for empty in account.nothing_in() {
            output::line(format!("{:width$}  {empty}", ""))?;
        }
        all.add(&total);
    }
    output::line(format!("{:width$}  {all}", "all"))?;
    for line in Account::not_read(&accounts) {
        output::line(line)?;
    }
    for account in accounts.iter().filter(|a| a.already() > 0) {
        hint_at_replay(ingest, &account.source).await?;
    }
    let broken = ingest.sources().broken();
    for error in &broken {
        eprintln!("not landed: {error}{}", error.hint_text().map(|h| format!(" ({h})")).unwrap_or_default());
    }
    all_landed(&accounts)?;
    match broken.len() {
        0 => Ok(()),
        n => {
            let (are, their) = if n == 1 { ("is", "its") } else { ("are", "their") };
            let broken = output::counted(n as u64, "source definition");
            Err(Error::invalid(format!("{broken} {are} broken: {their} files were not looked at"))
                .hint("each is named above; `saleslake check` looks at all"))
        }
    }
}

/// Fails where files could not be read; the others have landed and been accounted for.
fn all_landed<'a>(accounts: impl IntoIterator<Item = &'a Account>) -> Result<()> {
    let failed: Vec<_> = accounts.into_iter().flat_map(|a| a.failed.iter().map(|f| (&a.source, f))).collect();
    let Some((source, first)) = failed.first() else { return Ok(()) };
    for (source, file) in failed.iter().skip(1) {
        eprintln!("not landed: source {source}: {}", file.reason);
    }
    let error = first.error().context(format!("source {source}"));
    Err(match failed.len() {
        1 => error,
        n => error.context(format!("{n} files could not be read, the others have landed; the first of them")),
    })
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
        self.0.set_message(format!("{table}: {}", output::counted(rows, "row")));
    }
}
