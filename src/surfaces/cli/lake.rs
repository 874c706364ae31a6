//! `saleslake lake tables|history|optimize|vacuum|doctor`.

mod doctor;
mod optimize;
mod vacuum;

use clap::{Args, Subcommand};

use super::listing::Listing;
use super::output::OutputArgs;
use crate::config::MaintenanceConfig;
use crate::error::{Error, Result, did_you_mean};
use crate::lake::Lake;
use crate::model::{self, Table};

#[derive(Debug, Args)]
pub struct LakeArgs {
    #[command(subcommand)]
    command: LakeCommand,
}

#[derive(Debug, Subcommand)]
enum LakeCommand {
    /// Tables with version, files, rows and bytes
    Tables {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Commits of a table, newest first
    History {
        table: String,
        /// Commits to show
        #[arg(long, default_value_t = 20)]
        limit: usize,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Rewrite small files into larger ones
    Optimize(optimize::OptimizeArgs),
    /// Delete files that no version needs any more
    Vacuum(vacuum::VacuumArgs),
    /// Look for what is wrong: files, logs, heads, unfinished batches
    Doctor(doctor::DoctorArgs),
}

impl LakeArgs {
    /// Whether it has to know the rollups: a vacuum takes what is dead of them, and those that nobody declares any more.
    pub fn needs_rollups(&self) -> bool {
        matches!(self.command, LakeCommand::Vacuum(_))
    }
}

pub async fn run(args: &LakeArgs, lake: &Lake, cfg: &MaintenanceConfig) -> Result<()> {
    match &args.command {
        LakeCommand::Tables { output } => tables(lake, output).await,
        LakeCommand::History { table, limit, output } => history(lake, table, *limit, output).await,
        LakeCommand::Optimize(args) => optimize::run(args, lake, cfg).await,
        LakeCommand::Vacuum(args) => vacuum::run(args, lake, cfg).await,
        LakeCommand::Doctor(args) => doctor::run(args, lake, cfg).await,
    }
}

async fn tables(lake: &Lake, output: &OutputArgs) -> Result<()> {
    let mut states = lake.states().await?;
    // A table is there from its first commit on; those of a lake without any are only promises.
    if states.iter().all(|s| s.version < 0) {
        states.clear();
    }
    let p = lake.properties();
    eprintln!("{}  (reporting currency {}, zone {}, today = {})", lake.url(), p.currency, p.zone, p.today);
    Listing::of(&states)
        .text("table", |s| s.table.name.to_string())
        .number("version", |s| (s.version >= 0).then_some(s.version))
        .count("files", |s| Some(s.files.len() as u64))
        .count("rows", |s| Some(s.files.iter().map(|f| f.rows).sum()))
        .count("bytes", |s| Some(s.files.iter().map(|f| f.size).sum()))
        .text("about", |s| s.table.about.to_string())
        .write(output, NO_TABLES)
        .await
}

async fn history(lake: &Lake, name: &str, limit: usize, output: &OutputArgs) -> Result<()> {
    let entries = lake.history(table(name)?, limit).await?;
    Listing::of(&entries)
        .number("version", |e| Some(e.version))
        .instant("at", |e| e.at)
        .text("operation", |e| e.operation.clone())
        .text("source", |e| e.app.clone())
        .text("batch", |e| e.batch_id.clone())
        .count("rows_added", |e| Some(e.rows_added))
        .count("rows_removed", |e| e.rows_removed)
        .write(output, &format!("{name} has no commits yet"))
        .await?;
    if entries.len() == limit && entries.last().is_some_and(|e| e.version > 0) {
        eprintln!("… older commits are there; --limit shows more");
    }
    Ok(())
}

/// The table called `name`.
fn table(name: &str) -> Result<&'static Table> {
    model::table(name).ok_or_else(|| {
        Error::not_found(format!("no table {name}")).hint(did_you_mean(name, model::TABLES.iter().map(|t| t.name)))
    })
}

const MIB: u64 = 1024 * 1024;
const NO_TABLES: &str = "no tables yet: run `saleslake quickstart` or `saleslake ingest`";
