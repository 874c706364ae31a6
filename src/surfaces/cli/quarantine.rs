//! `saleslake quarantine list|show`.

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use clap::{Args, Subcommand};

use super::listing::Listing;
use super::output::{self, OutputArgs};
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
        #[command(flatten)]
        output: OutputArgs,
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
        #[command(flatten)]
        output: OutputArgs,
    },
}

const NONE: &str = "no quarantined records";

pub async fn run(args: &QuarantineArgs, ingest: &Ingest) -> Result<()> {
    match &args.command {
        QuarantineCommand::List { resolved, output } => list(ingest, *resolved, output).await,
        QuarantineCommand::Show { source, rule, file, limit, resolved, output } => {
            let filter = Filter {
                source: source.clone(),
                rule: rule.clone(),
                file: file.clone(),
                resolved: waiting_unless(*resolved),
                limit: Some(*limit),
                ..Default::default()
            };
            show(ingest, &filter, output).await
        }
    }
}

async fn list(ingest: &Ingest, resolved: bool, output: &OutputArgs) -> Result<()> {
    let held = ingest.quarantined(&Filter { resolved: waiting_unless(resolved), ..Default::default() }).await?;
    let counts = counted(&held)?;
    Listing::of(&counts)
        .text("source", |(texts, _)| texts[0].clone())
        .text("table", |(texts, _)| texts[1].clone())
        .text("rule", |(texts, _)| texts[2].clone())
        .text("severity", |(texts, _)| texts[3].clone())
        .text("message", |(texts, _)| texts[4].clone())
        .count("records", |(_, n)| Some(*n))
        .write(output, NONE)
        .await
}

/// Records by source, table, rule, severity and message.
fn counted(held: &RecordBatch) -> Result<Vec<([String; 5], u64)>> {
    let columns = Texts::of(held, &["source", "table_name", "rule", "severity", "message"])?;
    let mut counts = BTreeMap::new();
    for i in 0..held.num_rows() {
        *counts.entry(columns.row(i)).or_insert(0) += 1;
    }
    Ok(counts.into_iter().collect())
}

async fn show(ingest: &Ingest, filter: &Filter, output: &OutputArgs) -> Result<()> {
    let held = ingest.quarantined(filter).await?;
    let shown = held.num_rows();
    match output.for_people()? {
        true if shown == 0 => eprintln!("{NONE}"),
        true => paragraphs(&held)?,
        false => output.list(held, NONE).await?,
    }
    if filter.limit == Some(shown) {
        eprintln!("… at most {shown} are shown; --limit shows more");
    }
    Ok(())
}

/// A record takes several lines: its raw text alone is wider than most terminals.
fn paragraphs(held: &RecordBatch) -> Result<()> {
    let columns = Texts::of(held, &["file", "line", "rule", "message", "field", "value", "raw"])?;
    for i in 0..held.num_rows() {
        let [file, line, rule, message, field, value, raw] = columns.row(i);
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
struct Texts<'a, const N: usize>(Vec<ArrayFormatter<'a>>);

impl<'a, const N: usize> Texts<'a, N> {
    fn of(batch: &'a RecordBatch, names: &[&str; N]) -> Result<Texts<'a, N>> {
        let column = |name: &&str| {
            let array = batch
                .column_by_name(name)
                .ok_or_else(|| Error::internal(format!("the quarantine has no column {name}")))?;
            Ok(ArrayFormatter::try_new(array, &OPTIONS)?)
        };
        names.iter().map(column).collect::<Result<_>>().map(Texts)
    }

    fn row(&self, i: usize) -> [String; N] {
        std::array::from_fn(|column| self.0[column].value(i).to_string())
    }
}

const OPTIONS: FormatOptions<'static> = FormatOptions::new();
