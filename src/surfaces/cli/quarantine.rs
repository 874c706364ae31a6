//! `saleslake quarantine list|show`.

use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table, presets};

use super::output::{self, grouped};
use crate::error::Result;
use crate::ingest::{Ingest, QuarantineFilter};

#[derive(Debug, Args)]
pub struct QuarantineArgs {
    #[command(subcommand)]
    command: QuarantineCommand,
}

#[derive(Debug, Subcommand)]
enum QuarantineCommand {
    /// How many records wait, by source, table and rule
    List {
        /// Also those that landed after all
        #[arg(long)]
        resolved: bool,
    },
    /// The records themselves: file, line, field, value, rule and raw content
    Show {
        #[arg(long)]
        source: Option<String>,
        #[arg(long)]
        rule: Option<String>,
        /// Part of the file's name
        #[arg(long)]
        file: Option<String>,
        #[arg(long, default_value_t = 20)]
        limit: usize,
        #[arg(long)]
        resolved: bool,
    },
}

pub async fn run(args: &QuarantineArgs, ingest: &Ingest) -> Result<()> {
    match &args.command {
        QuarantineCommand::List { resolved } => list(ingest, *resolved).await,
        QuarantineCommand::Show { source, rule, file, limit, resolved } => {
            let filter = QuarantineFilter {
                source: source.clone(),
                rule: rule.clone(),
                file: file.clone(),
                resolved: *resolved,
                limit: Some(*limit),
            };
            show(ingest, &filter).await
        }
    }
}

async fn list(ingest: &Ingest, resolved: bool) -> Result<()> {
    let mut counts = std::collections::BTreeMap::new();
    for q in ingest.quarantined(&QuarantineFilter { resolved, ..Default::default() }).await? {
        let key = (q.source, q.table_name, q.rule, q.severity, q.message);
        *counts.entry(key).or_insert(0u64) += 1;
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["source", "table", "rule", "severity", "records", "what the rule asks for"]);
    if let Some(c) = table.column_mut(4) {
        c.set_cell_alignment(CellAlignment::Right);
    }
    for ((source, name, rule, severity, message), n) in counts {
        table.add_row([source, name, rule, severity, grouped(n), message]);
    }
    output::line(&table)
}

async fn show(ingest: &Ingest, filter: &QuarantineFilter) -> Result<()> {
    for q in ingest.quarantined(filter).await? {
        output::line(format!("{} line {}: {} {}", q.file, q.line, q.rule, q.message))?;
        if let Some(field) = &q.field {
            output::line(format!("  {field} = {}", q.value.as_deref().unwrap_or("NULL")))?;
        }
        output::line(format!("  {}", q.raw.trim_end()))?;
    }
    Ok(())
}
