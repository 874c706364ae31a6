//! `saleslake lake doctor`: a line per table, then what was found. Fails when something is broken and was not mended.

use chrono::TimeDelta;
use clap::Args;

use super::super::listing::Listing;
use super::super::output::{self, OutputArgs};
use super::MIB;
use crate::config::MaintenanceConfig;
use crate::error::{Error, Result};
use crate::lake::{Checkup, Examination, Examined, Finding, Lake, Partition, Status};

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Mend what can be mended without losing anything
    #[arg(long)]
    mend: bool,
    /// Read the end of every file and compare its rows with the log
    #[arg(long)]
    deep: bool,
    /// A line per month too
    #[arg(long)]
    months: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// A line of the list.
#[derive(Default)]
struct Line {
    table: Option<String>,
    month: Option<String>,
    status: &'static str,
    check: &'static str,
    files: Option<u64>,
    bytes: Option<u64>,
    small: Option<u64>,
    detail: String,
    action: Option<String>,
}

pub async fn run(args: &DoctorArgs, lake: &Lake, cfg: &MaintenanceConfig) -> Result<()> {
    let mut checkup = Checkup::default();
    if !lake.is_empty().await? {
        let now = lake.now().await?;
        let retention = i64::try_from(cfg.retention_hours).ok().and_then(TimeDelta::try_hours);
        let before = retention.and_then(|r| now.checked_sub_signed(r)).unwrap_or_default();
        let file_bytes = cfg.file_mb.saturating_mul(MIB);
        let how = Examination { mend: args.mend, deep: args.deep, file_bytes, before, now };
        checkup = lake.examine(&how).await?;
    }
    let lines = lines(&checkup, args.months);
    Listing::of(&lines)
        .text("table", |l| l.table.clone())
        .text("month", |l| l.month.clone())
        .text("status", |l| l.status.to_string())
        .text("check", |l| l.check.to_string())
        .count("files", |l| l.files)
        .count("bytes", |l| l.bytes)
        .count("bytes_per_file", |l| l.bytes?.checked_div(l.files?))
        .count("small_files", |l| l.small)
        .text("detail", |l| l.detail.clone())
        .text("action", |l| l.action.clone())
        .write(&args.output, super::NO_TABLES)
        .await?;
    match checkup.broken() {
        0 => Ok(()),
        n => {
            let (findings, are) = (output::counted(n as u64, "finding"), if n == 1 { "is" } else { "are" });
            let were = if n == 1 { "was" } else { "were" };
            Err(Error::unavailable(format!("{findings} {are} broken and {were} not mended"))
                .hint("each line says what would help"))
        }
    }
}

fn lines(checkup: &Checkup, months: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    for table in &checkup.tables {
        lines.push(of_table(table));
        if months {
            lines.extend(table.partitions.iter().filter(|p| p.month.is_some()).map(|p| of_month(table, p)));
        }
    }
    lines.extend(checkup.findings.iter().map(of_finding));
    lines
}

fn of_table(table: &Examined) -> Line {
    let sum = |of: fn(&Partition) -> u64| Some(table.partitions.iter().map(of).sum());
    let shown = table.shown.map_or_else(|| "no head".to_string(), |version| format!("shown {version}"));
    Line {
        table: Some(table.table.into()),
        status: "ok",
        check: "table",
        files: sum(|p| p.files),
        bytes: sum(|p| p.bytes),
        small: sum(|p| p.small),
        detail: format!(
            "version {}, {shown}, {} since the checkpoint, {}",
            table.version,
            output::counted(table.since_checkpoint.unsigned_abs(), "commit"),
            table.needs.join(", ")
        ),
        ..Line::default()
    }
}

fn of_month(table: &Examined, partition: &Partition) -> Line {
    Line {
        table: Some(table.table.into()),
        month: partition.month.clone(),
        status: "ok",
        check: "month",
        files: Some(partition.files),
        bytes: Some(partition.bytes),
        small: Some(partition.small),
        detail: output::counted(partition.rows, "row"),
        ..Line::default()
    }
}

fn of_finding(finding: &Finding) -> Line {
    let status = match finding.status {
        Status::Note => "note",
        Status::Mended => "mended",
        Status::Broken => "broken",
    };
    Line {
        table: finding.table.map(str::to_string),
        status,
        check: finding.check,
        detail: finding.detail.clone(),
        action: finding.action.clone(),
        ..Line::default()
    }
}
