//! `saleslake lake tables|history`.

use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table, presets};

use super::output::{self, grouped};
use crate::error::{Error, Result, did_you_mean};
use crate::lake::Lake;
use crate::model;

#[derive(Debug, Args)]
pub struct LakeArgs {
    #[command(subcommand)]
    command: LakeCommand,
}

#[derive(Debug, Subcommand)]
enum LakeCommand {
    /// Tables with version, files, rows and bytes
    Tables,
    /// Commits of a table, newest first
    History {
        table: String,
        /// Commits to show
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
}

pub async fn run(args: &LakeArgs, lake: &Lake) -> Result<()> {
    match &args.command {
        LakeCommand::Tables => tables(lake).await,
        LakeCommand::History { table, limit } => history(lake, table, *limit).await,
    }
}

async fn tables(lake: &Lake) -> Result<()> {
    let mut shown = Table::new();
    shown.load_preset(presets::NOTHING).set_header(["table", "version", "files", "rows", "bytes", "about"]);
    for i in 1..5 {
        if let Some(column) = shown.column_mut(i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for state in lake.states().await? {
        let version = if state.version < 0 { "–".into() } else { state.version.to_string() };
        let rows: u64 = state.files.iter().map(|f| f.rows).sum();
        let bytes: u64 = state.files.iter().map(|f| f.size).sum();
        shown.add_row([
            state.table.name.to_string(),
            version,
            grouped(state.files.len() as u64),
            grouped(rows),
            grouped(bytes),
            state.table.about.to_string(),
        ]);
    }
    let p = lake.properties();
    output::line(format!("{}  (reporting currency {}, zone {}, today = {})", lake.url(), p.currency, p.zone, p.today))?;
    output::line(&shown)
}

async fn history(lake: &Lake, name: &str, limit: usize) -> Result<()> {
    let table = model::table(name).ok_or_else(|| {
        Error::not_found(format!("no table {name}")).hint(did_you_mean(name, model::TABLES.iter().map(|t| t.name)))
    })?;
    let mut shown = Table::new();
    shown.load_preset(presets::NOTHING).set_header([
        "version",
        "at",
        "operation",
        "source",
        "batch",
        "rows added",
        "rows removed",
    ]);
    for e in lake.history(table, limit).await? {
        shown.add_row([
            e.version.to_string(),
            e.at.map(|t| t.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)).unwrap_or_default(),
            e.operation,
            e.app.unwrap_or_default(),
            e.batch_id.unwrap_or_default(),
            grouped(e.rows_added),
            e.rows_removed.map_or_else(|| "–".into(), grouped),
        ]);
    }
    output::line(&shown)
}
