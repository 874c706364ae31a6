//! `saleslake report list|show|run`.

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};

use super::output::{self, OutputArgs};
use crate::access::Caller;
use crate::error::{Error, Result};
use crate::reports::{Reports, Request};

#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(subcommand)]
    command: ReportCommand,
}

#[derive(Debug, Subcommand)]
enum ReportCommand {
    /// The reports there are
    List,
    /// What a report answers, its parameters and columns
    Show { id: String },
    /// Run a report
    Run(RunArgs),
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// The report, see `saleslake report list`
    id: String,
    /// Parameters, policies and engine parameters by name, such as grain=month return_basis=sale_date
    #[arg(value_name = "NAME=VALUE")]
    values: Vec<String>,
    /// First day
    #[arg(long)]
    from: Option<String>,
    /// Day after the last
    #[arg(long)]
    to: Option<String>,
    /// Only these members, such as --where region=East,West (repeatable)
    #[arg(long = "where", value_name = "SLICER=VALUES")]
    slices: Vec<String>,
    /// previous_period, previous_year or previous_year_aligned
    #[arg(long)]
    compare: Option<String>,
    /// Columns to order by; a leading - orders downwards
    #[arg(long, allow_hyphen_values = true)]
    order_by: Option<String>,
    /// Most rows to show
    #[arg(long)]
    limit: Option<String>,
    /// Add a row of totals
    #[arg(long)]
    totals: bool,
    /// Print the receipt (report hash, parameters, table versions, checksum) to standard error
    #[arg(long)]
    receipt: bool,
    #[command(flatten)]
    output: OutputArgs,
}

impl RunArgs {
    fn request(&self) -> Result<Request> {
        let mut values = Vec::new();
        for pair in &self.values {
            values.push(split(pair, "grain=month")?);
        }
        for pair in &self.slices {
            let (name, value) = split(pair, "--where channel=web,app")?;
            values.push((format!("where.{name}"), value));
        }
        let flags = [("from", &self.from), ("to", &self.to), ("compare", &self.compare), ("order_by", &self.order_by), ("limit", &self.limit)];
        values.extend(flags.into_iter().filter_map(|(name, value)| Some((name.to_string(), value.clone()?))));
        if self.totals {
            values.push(("totals".into(), "true".into()));
        }
        Ok(Request { values })
    }
}

fn split(pair: &str, example: &str) -> Result<(String, String)> {
    let (name, value) = pair.split_once('=').ok_or_else(|| Error::invalid(format!("{pair}: no value")).hint(format!("write {example}")))?;
    Ok((name.trim().to_string(), value.to_string()))
}

pub async fn run(args: &ReportArgs, reports: &Reports) -> Result<()> {
    match &args.command {
        ReportCommand::List => list(reports),
        ReportCommand::Show { id } => show(reports, id),
        ReportCommand::Run(args) => run_one(args, reports).await,
    }
}

async fn run_one(args: &RunArgs, reports: &Reports) -> Result<()> {
    let run = reports.run(&args.id, args.request()?, &Caller::local()).await?;
    for note in &run.receipt.notes {
        eprintln!("note: {note}");
    }
    let written = args.output.write(run.rows).await?;
    if args.receipt {
        eprintln!("{}", run.receipt.finish(&written));
    }
    Ok(())
}

fn list(reports: &Reports) -> Result<()> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["report", "folder", "title", "标题"]);
    for info in reports.list() {
        let title = if info.broken.is_some() { format!("(broken) {}", info.title.en) } else { info.title.en.clone() };
        table.add_row([&info.id, &info.folder, &title, &info.title.zh]);
    }
    output::line(&table)
}

fn show(reports: &Reports, id: &str) -> Result<()> {
    output::line(reports.get(id)?.describe())
}
