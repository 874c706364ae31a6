//! `saleslake quarantine list|show`.

use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table, presets};

use super::output::{self, grouped};
use crate::error::{Error, Result};
use crate::ingest::{Filter, Ingest};

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
            let filter = Filter {
                source: source.clone(),
                rule: rule.clone(),
                file: file.clone(),
                resolved: waiting_unless(*resolved),
                limit: Some(*limit),
                ..Default::default()
            };
            show(ingest, &filter).await
        }
    }
}

async fn list(ingest: &Ingest, resolved: bool) -> Result<()> {
    let held = ingest.quarantined(&Filter { resolved: waiting_unless(resolved), ..Default::default() }).await?;
    let mut counts = std::collections::BTreeMap::new();
    let columns = Texts::of(&held, &["source", "table_name", "rule", "severity", "message"])?;
    for i in 0..held.num_rows() {
        *counts.entry(columns.row(i)).or_insert(0u64) += 1;
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "source",
        "table",
        "rule",
        "severity",
        "what the rule asks for",
        "records",
    ]);
    if let Some(c) = table.column_mut(5) {
        c.set_cell_alignment(CellAlignment::Right);
    }
    for (mut row, n) in counts {
        row.push(grouped(n));
        table.add_row(row);
    }
    output::line(&table)
}

async fn show(ingest: &Ingest, filter: &Filter) -> Result<()> {
    let held = ingest.quarantined(filter).await?;
    let columns = Texts::of(&held, &["file", "line", "rule", "message", "field", "value", "raw"])?;
    for i in 0..held.num_rows() {
        let [file, line, rule, message, field, value, raw] =
            <[String; 7]>::try_from(columns.row(i)).unwrap_or_default();
        output::line(format!("{file} line {line}: {rule} {message}"))?;
        if !field.is_empty() {
            output::line(format!("  {field} = {value}"))?;
        }
        output::line(format!("  {}", raw.trim_end()))?;
    }
    Ok(())
}

/// `--resolved` shows all; without it only those that still wait.
fn waiting_unless(resolved: bool) -> Option<bool> {
    if resolved { None } else { Some(false) }
}

/// Columns of a batch as text, NULL as ''.
struct Texts<'a>(Vec<ArrayFormatter<'a>>);

impl<'a> Texts<'a> {
    fn of(batch: &'a RecordBatch, names: &[&str]) -> Result<Texts<'a>> {
        let column = |name: &&str| {
            let array = batch
                .column_by_name(name)
                .ok_or_else(|| Error::internal(format!("the quarantine has no column {name}")))?;
            Ok(ArrayFormatter::try_new(array, &OPTIONS)?)
        };
        names.iter().map(column).collect::<Result<_>>().map(Texts)
    }

    fn row(&self, i: usize) -> Vec<String> {
        self.0.iter().map(|f| f.value(i).to_string()).collect()
    }
}

const OPTIONS: FormatOptions<'static> = FormatOptions::new();
