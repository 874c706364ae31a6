//! `saleslake lake optimize`: what was rewritten, a line per group of files.

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::super::listing::Listing;
use super::super::output::OutputArgs;
use super::MIB;
use crate::config::MaintenanceConfig;
use crate::error::{Error, Result};
use crate::lake::{Compaction, Lake, Outcome};
use crate::model::TABLES;

#[derive(Debug, Args)]
pub struct OptimizeArgs {
    /// Only this table
    table: Option<String>,
    /// Only this month, as 2026-01
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<String>,
    /// Say what would be rewritten, and rewrite nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub async fn run(args: &OptimizeArgs, lake: &Lake, cfg: &MaintenanceConfig) -> Result<()> {
    if let Some(month) = args.month.as_deref().filter(|m| !is_month(m)) {
        return Err(Error::invalid(format!("--month {month}: no month")).hint("year and month, as 2026-01"));
    }
    let how = Compaction {
        file_bytes: cfg.file_mb.saturating_mul(MIB),
        memory_bytes: cfg.memory_mb.saturating_mul(MIB),
        month: args.month.clone(),
        least: 2,
        thorough: true,
        dry_run: args.dry_run,
    };
    let only = args.table.as_deref().map(super::table).transpose()?;
    let (mut done, mut failed) = (Vec::new(), None);
    for table in TABLES.iter().filter(|t| only.is_none_or(|one| one.name == t.name)) {
        match lake.optimize(table, &how, &CancellationToken::new()).await {
            Ok(groups) => done.extend(groups),
            // The others can be kept all the same.
            Err(error) => {
                eprintln!("{}: {error}", table.name);
                failed.get_or_insert(error.context(table.name));
            }
        }
    }
    if !args.dry_run {
        // One that was killed may have left commits that hide what landed after them.
        lake.catch_up().await?;
    }
    Listing::of(&done)
        .text("table", |c| c.table.to_string())
        .text("month", |c| c.month.clone())
        .count("files", |c| Some(c.files))
        .count("rows", |c| Some(c.rows))
        .count("bytes", |c| Some(c.bytes))
        .count("new_files", |c| Some(c.new_files))
        .count("new_bytes", |c| Some(c.new_bytes))
        .text("result", |c| match c.outcome {
            Outcome::Planned => "would be rewritten".to_string(),
            Outcome::Done { version } => format!("version {version}"),
            Outcome::GivenUp => "given up: somebody else changed these files".to_string(),
        })
        .write(&args.output, "no small files to join")
        .await?;
    failed.map_or(Ok(()), Err)
}

fn is_month(text: &str) -> bool {
    chrono::NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").is_ok() && text.len() == 7
}
