//! `saleslake report list|show|run|catalogue`.

use std::time::Instant;

use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, Table, presets};

use super::listing::Listing;
use super::output::{self, OutputArgs};
use super::pair::pair;
use crate::access::Caller;
use crate::error::{Error, Result};
use crate::reports::catalogue::{self, group_of};
use crate::reports::{Reports, Request, Wanted};

#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(subcommand)]
    command: ReportCommand,
}

#[derive(Debug, Subcommand)]
enum ReportCommand {
    /// The reports there are, or those that words in English or Chinese are found in
    List {
        /// Words that are looked for in ids, groups, titles, explanations and columns; all of them
        words: Vec<String>,
        /// Only this group, such as time, customer or 库存
        #[arg(long)]
        group: Option<String>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Print all that is told of reports, as a page in Markdown
    Catalogue,
    /// What a report answers, its parameters and columns
    Show { id: String },
    /// Run a report
    Run(Box<RunArgs>),
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
    /// Show so many rows, and one of all the others
    #[arg(long, value_name = "ROWS")]
    top_n: Option<String>,
    /// Add a row of totals
    #[arg(long)]
    totals: bool,
    /// Ask what was known at this instant, or at the beginning of this day, as far as the lake keeps it
    #[arg(long, value_name = "INSTANT")]
    known_at: Option<String>,
    /// Print the receipt (report hash, parameters, table versions, checksum) to standard error
    #[arg(long)]
    receipt: bool,
    #[command(flatten)]
    output: OutputArgs,
}

impl RunArgs {
    /// What is asked of a report that can be sliced by `slicers`.
    fn request(&self, slicers: &[String]) -> Result<Request> {
        let mut values = Vec::new();
        for given in &self.values {
            values.push(pair("", given, "write NAME=VALUE, such as grain=month")?);
        }
        for given in &self.slices {
            let hint = format!("write --where SLICER=VALUES, such as channel=web,app; slicers: {}", slicers.join(", "));
            let (name, value) = pair("--where", given, &hint)?;
            values.push((format!("where.{name}"), value));
        }
        let flags = [
            ("from", &self.from),
            ("to", &self.to),
            ("compare", &self.compare),
            ("order_by", &self.order_by),
            ("limit", &self.limit),
            ("top_n", &self.top_n),
            ("known_at", &self.known_at),
        ];
        values.extend(flags.into_iter().filter_map(|(name, value)| Some((name.to_string(), value.clone()?))));
        if self.totals {
            values.push(("totals".into(), "true".into()));
        }
        Ok(Request { values })
    }
}

impl ReportArgs {
    /// Whether the lake's data is asked for; else the definitions alone.
    pub fn reads_lake(&self) -> bool {
        matches!(self.command, ReportCommand::Run(_))
    }

    /// The reports that the command is about.
    pub fn wanted(&self) -> Wanted {
        match &self.command {
            ReportCommand::Show { id } => Wanted::Only([id.clone()].into()),
            ReportCommand::Run(args) => Wanted::Only([args.id.clone()].into()),
            ReportCommand::List { .. } | ReportCommand::Catalogue => Wanted::All,
        }
    }
}

pub async fn run(args: &ReportArgs, reports: &Reports) -> Result<()> {
    match &args.command {
        ReportCommand::List { words, group, output } => list(reports, words, group.as_deref(), output).await,
        ReportCommand::Catalogue => output::line(catalogue::page(&reports.list()).trim_end()),
        ReportCommand::Show { id } => show(reports, id),
        ReportCommand::Run(args) => run_one(args, reports).await,
    }
}

async fn run_one(args: &RunArgs, reports: &Reports) -> Result<()> {
    let started = Instant::now();
    let request = args.request(&reports.get(&args.id)?.info().slicers)?;
    let run = reports.run(&args.id, request, &Caller::local()).await?;
    for note in &run.receipt.notes {
        eprintln!("note: {note}");
    }
    let main = reports.get(&args.id)?.info().main();
    let written = args.output.write_about(run.rows, main).await?;
    if args.receipt {
        let receipt = run.receipt.finish(written.rows, written.checksum, started.elapsed().as_secs_f64());
        eprintln!(
            "{}",
            serde_json::to_string_pretty(&receipt)
                .map_err(|e| Error::internal("the receipt cannot be shown").caused_by(e))?
        );
    }
    Ok(())
}

async fn list(reports: &Reports, words: &[String], group: Option<&str>, output: &OutputArgs) -> Result<()> {
    let mut found = reports.list();
    if let Some(name) = group {
        let folder = catalogue::folder(name, &found)?.to_string();
        found.retain(|info| info.folder == folder);
    }
    found.retain(|info| info.speaks_of(words));
    let none = if words.is_empty() { "no reports" } else { "no report speaks of that; `report list` shows all" };
    Listing::of(&found)
        .text("report", |r| r.id.clone())
        .text("folder", |r| r.folder.clone())
        .text("group_zh", |r| group_of(&r.folder).map(|g| g.zh.to_string()))
        .text("title", |r| r.title.en.clone())
        .text("title_zh", |r| r.title.zh.clone())
        .write(output, none)
        .await?;
    for broken in reports.broken() {
        eprintln!("broken: {}: {}", broken.id, broken.reason);
    }
    Ok(())
}

fn show(reports: &Reports, id: &str) -> Result<()> {
    let info = reports.get(id)?.info();
    output::line(format!("{}: {} · {}\n\n{}\n", info.id, info.title.en, info.title.zh, info.about))?;
    let group = group_of(&info.folder).map_or_else(|| info.folder.clone(), |g| format!("{} · {}", g.en, g.zh));
    output::line(format!("group     {group}\nkey       {}\n", info.key.join(", ")))?;
    let rows = info.params.iter().map(|p| {
        let values = p.values.as_ref().map(|v| v.join(" | ")).unwrap_or_else(|| p.kind.to_string());
        let default = p.default.clone().unwrap_or_else(|| if p.optional { "–".into() } else { "(required)".into() });
        [p.name.clone(), values, default, p.about.clone()]
    });
    section(["parameter", "values", "default", "about"], rows)?;
    let rows = info.policies.iter().map(|p| [p.name.clone(), p.values.join(" | "), p.default.clone(), p.about.clone()]);
    section(["policy", "values", "default", "about"], rows)?;
    let rows = info.columns.iter().map(|c| [c.name.clone(), c.kind.clone(), c.about.clone()]);
    section(["column", "type", "about"], rows)?;
    output::line(format!("slicers   {}", none_if_empty(&info.slicers)))?;
    output::line(format!("compare   {}", none_if_empty(&info.compares)))?;
    output::line(format!("totals    {}", if info.totals { "yes, and top_n" } else { "no" }))?;
    output::line(format!("reads     {}", info.reads.join(", ")))?;
    output::line(format!("needs     {}\n", none_if_empty(&info.needs)))?;
    let dated = info.params.iter().any(|p| p.name == "from");
    let (from, query) =
        if dated { (" --from \"start of month - 12 months\"", "from=start+of+month+-+12+months&") } else { ("", "") };
    output::line(format!("saleslake report run {id}{from} --format csv"))?;
    output::line(format!("GET /api/v1/reports/{id}/run?{query}format=csv"))?;
    let value = if dated { ", 'from=start of month - 12 months'" } else { "" };
    output::line(format!("SELECT * FROM report('{id}'{value})"))
}

/// One part of the explanation, left out when it is empty.
fn section<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Result<()> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    if let Some(width) = output::terminal_width() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    table.add_rows(rows);
    if table.is_empty() { Ok(()) } else { output::line(format!("{table}\n")) }
}

fn none_if_empty(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
