//! The command line: arguments and one file per command. It translates; it must not decide what an answer is.

pub mod check;
pub mod completions;
pub mod config;
pub mod ingest;
pub mod lake;
mod listing;
mod output;
mod pair;
pub mod quarantine;
pub mod quickstart;
pub mod report;
pub mod rollup;
pub mod sample;
pub mod serve;
pub mod shell;
pub mod source;
pub mod sql;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::error::Error;

/// Sales analytics over open Delta tables, in one binary.
#[derive(Debug, Parser)]
#[command(name = "saleslake", version, propagate_version = true)]
pub struct Args {
    /// Configuration file [default: ./saleslake.toml if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Override one setting, such as --set http.bind=127.0.0.1:9000
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Land the sample data into ./lake and show three reports
    Quickstart(quickstart::QuickstartArgs),
    /// Land files: every source from the landing folder, or given files of one source
    Ingest(ingest::IngestArgs),
    /// List source definitions, or draft one from a file
    Source(source::SourceArgs),
    /// List, explain and run reports
    Report(report::ReportArgs),
    /// Run read-only SQL: one statement, a script, or in a shell
    Sql(sql::SqlArgs),
    /// Serve reports over HTTP
    Serve,
    /// Check every source, view and report, and run the tests beside reports
    Check(check::CheckArgs),
    /// Look at the tables of the lake, and keep them
    Lake(lake::LakeArgs),
    /// Look at the rollups that answer reports at once, and keep them
    Rollup(rollup::RollupArgs),
    /// Look at records that did not land
    Quarantine(quarantine::QuarantineArgs),
    /// Generate a retailer's landing files from a seed
    Sample(sample::SampleArgs),
    /// Show each setting and where it came from
    Config(output::OutputArgs),
    /// Print a script that completes commands and options in bash, zsh, fish, PowerShell or elvish
    Completions(completions::CompletionsArgs),
}

impl Args {
    /// Reads the program's arguments, and ends the program where they ask for help or are wrong.
    pub fn of(given: impl IntoIterator<Item = OsString>) -> Args {
        Args::parse_from(settings_first(given))
    }
}

/// Every `--set` moves before the command, in order: clap would forget those before it where others stand behind it.
fn settings_first(given: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut given = given.into_iter().peekable();
    let (mut first, mut rest) = (Vec::from_iter(given.next()), Vec::new());
    while let Some(arg) = given.next() {
        if arg == "--" {
            rest.push(arg);
            break;
        }
        let text = arg.to_string_lossy();
        if text.starts_with("--set=") {
            first.push(arg);
        } else if text == "--set" && given.peek().is_some_and(|value| !value.to_string_lossy().starts_with('-')) {
            first.push(arg);
            first.extend(given.next());
        } else {
            rest.push(arg);
        }
    }
    first.into_iter().chain(rest).chain(given).collect()
}

/// Prints an error for people: what, why, and what would work.
pub fn print_error(error: &Error) {
    eprintln!("error: {error}");
    let mut cause = std::error::Error::source(error);
    let mut told = error.message().to_string();
    while let Some(c) = cause {
        let text = c.to_string();
        // Wrapped errors repeat each other, some with a prefix: only news is told.
        let new: &str = text.rsplit("error: ").next().unwrap_or(&text);
        if !told.contains(new) {
            eprintln!("  caused by: {text}");
            told.push_str(&text);
        }
        cause = c.source();
    }
    if let Some(hint) = error.hint_text() {
        eprintln!("  hint: {hint}");
    }
}

/// Whether the reader of our output went away, which is no failure.
pub fn is_broken_pipe(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(c) = cause {
        if c.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) {
            return true;
        }
        cause = c.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Args;

    #[test]
    fn arguments_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn settings_before_and_behind_the_command_hold_together() {
        let sets = |line: &str| Args::of(line.split(' ').map(Into::into)).set;
        let line = "saleslake --set a=1 ingest till --set b=2 till.csv --set=a=3";
        assert_eq!(sets(line), ["a=1", "b=2", "a=3"], "and the last one wins");
        assert_eq!(sets("saleslake --set a=1 serve"), ["a=1"]);
        assert_eq!(sets("saleslake ingest till --set a=1 -- --set b=2"), ["a=1"], "files behind --");
    }
}
