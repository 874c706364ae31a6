//! `saleslake quarantine list|show|retry|discard`.

use std::collections::BTreeMap;

use arrow::array::Array;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use clap::{Args, Subcommand};

use super::listing::Listing;
use super::output::{self, OutputArgs};
use crate::error::{Error, Result};
use crate::ingest::{Filter, Ingest, Silent};

#[derive(Debug, Args)]
pub struct QuarantineArgs {
    #[command(subcommand)]
    command: QuarantineCommand,
}

#[derive(Debug, Subcommand)]
enum QuarantineCommand {
    /// How many records wait, by source, table and rule
    List {
        /// Also those that were settled: landed after all, discarded or superseded
        #[arg(long)]
        resolved: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// The records themselves: file, line, field, value, rule and raw content
    Show {
        #[command(flatten)]
        which: Which,
        #[arg(long, default_value_t = 20)]
        limit: usize,
        #[arg(long)]
        resolved: bool,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Try waiting records again, with today's definitions and rates
    Retry {
        #[command(flatten)]
        which: Which,
        /// Say how many would land, and land nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Settle waiting records for good: they will not land, and stay here with who decided it and why
    Discard {
        #[command(flatten)]
        which: Which,
        /// All that wait, where no other option says which
        #[arg(long)]
        all: bool,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who decided it [default: the user who runs this]
        #[arg(long)]
        by: Option<String>,
        /// Say how many, and settle nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Which records; what is not given may be anything.
#[derive(Debug, Args)]
struct Which {
    #[arg(long)]
    source: Option<String>,
    #[arg(long)]
    rule: Option<String>,
    /// Part of the file's name
    #[arg(long)]
    file: Option<String>,
    #[arg(long)]
    line: Option<i64>,
}

impl Which {
    fn filter(&self, resolved: Option<bool>, limit: Option<usize>) -> Filter {
        let Which { source, rule, file, line } = self;
        let (source, rule, file) = (source.clone(), rule.clone(), file.clone());
        Filter { source, rule, file, line: *line, resolved, limit, ..Filter::default() }
    }
    fn is_any(&self) -> bool {
        self.source.is_none() && self.rule.is_none() && self.file.is_none() && self.line.is_none()
    }
}

const NONE: &str = "no quarantined records";
const NEXT: &str = "note: `saleslake quarantine retry` tries them again, once the definition is mended or the rates have \
    landed; `saleslake quarantine discard --reason WHY` settles them for good; both take the options that choose here";

pub async fn run(args: &QuarantineArgs, ingest: &Ingest) -> Result<()> {
    match &args.command {
        QuarantineCommand::List { resolved, output } => list(ingest, *resolved, output).await,
        QuarantineCommand::Show { which, limit, resolved, output } => {
            show(ingest, &which.filter(waiting_unless(*resolved), Some(*limit)), output).await
        }
        QuarantineCommand::Retry { which, dry_run } => retry(ingest, &which.filter(Some(false), None), *dry_run).await,
        QuarantineCommand::Discard { which, all, reason, by, dry_run } => {
            if which.is_any() && !all {
                return Err(Error::invalid("which records are to be discarded?")
                    .hint("give --source, --rule, --file or --line, or --all"));
            }
            if reason.trim().is_empty() {
                return Err(Error::invalid("--reason is empty").hint("say why the records will not land"));
            }
            let note = format!("{} ({})", reason.trim(), by.clone().unwrap_or_else(user));
            let count = ingest.discard(&which.filter(Some(false), None), &note, *dry_run).await?;
            let what = if *dry_run { "would be discarded" } else { "discarded" };
            output::line(format!("{} {what}", output::counted(count, "record")))
        }
    }
}

/// Who runs this, as far as the environment says.
fn user() -> String {
    let named = |name: &&str| std::env::var(name).ok().filter(|v| !v.is_empty());
    ["USER", "LOGNAME", "USERNAME"].iter().find_map(named).unwrap_or_else(|| "unknown".into())
}

async fn retry(ingest: &Ingest, filter: &Filter, dry_run: bool) -> Result<()> {
    // Of a conflict, a record that cannot be parsed and one with personal data no fields are kept.
    let held = ingest.quarantined(filter).await?;
    let unkept = held.column_by_name("record").map_or(0, |c| c.null_count());
    let retried = ingest.retry_matching(filter, dry_run, &Silent).await?;
    for source in &retried {
        output::line(source)?;
    }
    if retried.is_empty() {
        output::line("no records to try again")?;
    }
    if unkept > 0 {
        let records = output::counted(unkept as u64, "record");
        eprintln!("note: {records} cannot be tried again: only the text is kept (V00, V19, personal data)");
    }
    Ok(())
}

async fn list(ingest: &Ingest, resolved: bool, output: &OutputArgs) -> Result<()> {
    let held = ingest.quarantined(&Filter { resolved: waiting_unless(resolved), ..Default::default() }).await?;
    let counts = counted(&held)?;
    let listing = Listing::of(&counts)
        .text("source", |(texts, _)| texts[0].clone())
        .text("table", |(texts, _)| texts[1].clone())
        .text("rule", |(texts, _)| texts[2].clone())
        .text("severity", |(texts, _)| texts[3].clone())
        .text("message", |(texts, _)| texts[4].clone());
    let listing = if resolved { listing.text("resolution", |(texts, _)| texts[5].clone()) } else { listing };
    listing.count("records", |(_, n)| Some(*n)).write(output, NONE).await
}

/// Records by source, table, rule, severity, message and resolution. Messages that differ in numbers only (of a byte, of a
/// day) are one, told without them.
fn counted(held: &RecordBatch) -> Result<Vec<([String; 6], u64)>> {
    let columns = Texts::of(held, &["source", "table_name", "rule", "severity", "message", "resolution"])?;
    let mut counts: BTreeMap<[String; 6], (String, u64)> = BTreeMap::new();
    for i in 0..held.num_rows() {
        let mut row = columns.row(i);
        let alike = without_numbers(&row[4]);
        let told = std::mem::replace(&mut row[4], alike.clone());
        let (message, records) = counts.entry(row).or_insert((told.clone(), 0));
        *records += 1;
        if *message != told {
            *message = alike;
        }
    }
    let named = |(mut row, (message, records)): ([String; 6], (String, u64))| {
        row[4] = message;
        (row, records)
    };
    Ok(counts.into_iter().map(named).collect())
}

/// Each run of digits as `…`.
fn without_numbers(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    for c in message.chars() {
        match c {
            '0'..='9' if text.ends_with('…') => {}
            '0'..='9' => text.push('…'),
            c => text.push(c),
        }
    }
    text
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
    if shown > 0 && filter.resolved == Some(false) {
        eprintln!("{NEXT}");
    }
    Ok(())
}

/// A record takes several lines: its raw text alone is wider than most terminals.
fn paragraphs(held: &RecordBatch) -> Result<()> {
    let names =
        ["file", "line", "rule", "message", "field", "value", "raw", "resolved_at", "resolution", "resolution_note"];
    let columns = Texts::of(held, &names)?;
    for i in 0..held.num_rows() {
        let [file, line, rule, message, field, value, raw, at, resolution, note] = columns.row(i);
        output::line(format!("{file} line {line}: {rule} {message}"))?;
        if let Some(told) = told(&field, &value) {
            output::line(format!("  {told}"))?;
        }
        output::line(format!("  {}", raw.trim_end()))?;
        if !at.is_empty() {
            output::line(format!("  {resolution} at {at} {note}").trim_end())?;
        }
    }
    Ok(())
}

/// What the rule found. Where a WHERE stops at a value, no field is known.
fn told(field: &str, value: &str) -> Option<String> {
    match (field, value) {
        ("", "") => None,
        ("", value) => Some(format!("the value is {value}")),
        (field, value) => Some(format!("{field} = {value}")),
    }
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

#[cfg(test)]
mod tests {
    use super::{told, without_numbers};

    #[test]
    fn a_value_is_shown_with_its_field_or_without() {
        assert_eq!(told("unit_price", "9,99").as_deref(), Some("unit_price = 9,99"));
        assert_eq!(told("unit_price", "").as_deref(), Some("unit_price = "));
        assert_eq!(told("", "9,99").as_deref(), Some("the value is 9,99"));
        assert_eq!(told("", ""), None);
    }

    #[test]
    fn messages_are_alike_but_for_their_numbers() {
        assert_eq!(without_numbers("byte 1042 is not UTF-8"), "byte … is not UTF-…");
        assert_eq!(without_numbers("12.50 is negative"), "….… is negative");
        assert_eq!(without_numbers("empty"), "empty");
    }
}
