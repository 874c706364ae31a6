//! `saleslake lake vacuum`: what was deleted, or would be.

use chrono::TimeDelta;
use clap::Args;

use super::super::listing::Listing;
use super::super::output::{self, OutputArgs};
use crate::config::MaintenanceConfig;
use crate::error::{Error, Result};
use crate::lake::{Lake, Leftover};

#[derive(Debug, Args)]
pub struct VacuumArgs {
    /// Only the files of this table
    table: Option<String>,
    /// Keep what was needed within so many hours [default: maintenance.retention_hours]
    #[arg(long)]
    hours: Option<u64>,
    /// Say what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,
    /// Allow --hours 0: only while no other process reads or writes this lake
    #[arg(long)]
    force: bool,
    /// List every file
    #[arg(long)]
    files: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub async fn run(args: &VacuumArgs, lake: &Lake, cfg: &MaintenanceConfig) -> Result<()> {
    let hours = args.hours.unwrap_or(cfg.retention_hours);
    if hours == 0 && !args.force && !args.dry_run {
        return Err(Error::invalid(
            "--hours 0 deletes what queries of other processes read and unfinished writes need",
        )
        .hint("keep at least an hour, or add --force while nothing else uses this lake"));
    }
    let table = args.table.as_deref().map(super::table).transpose()?;
    let mut places = Vec::new();
    if !lake.is_empty().await? {
        let now = lake.now().await?;
        let before = i64::try_from(hours).ok().and_then(TimeDelta::try_hours).and_then(|h| now.checked_sub_signed(h));
        let before = before.ok_or_else(|| Error::invalid(format!("--hours {hours}: too long ago")))?;
        places = lake.vacuum(table, before, now, args.dry_run).await?;
    }
    let none = format!("nothing that has not been needed for {}", output::counted(hours, "hour"));
    if args.files {
        let files: Vec<(&str, &Leftover)> =
            places.iter().flat_map(|p| p.leftovers.iter().map(|l| (p.place, l))).collect();
        Listing::of(&files)
            .text("place", |(place, _)| place.to_string())
            .text("path", |(_, l)| l.path.clone())
            .count("bytes", |(_, l)| Some(l.bytes))
            .instant("modified", |(_, l)| Some(l.modified))
            .write(&args.output, &none)
            .await?;
    } else {
        Listing::of(&places)
            .text("place", |p| p.place.to_string())
            .count("files", |p| Some(p.leftovers.len() as u64))
            .count("bytes", |p| Some(p.bytes()))
            .write(&args.output, &none)
            .await?;
    }
    if !places.is_empty() {
        let files: usize = places.iter().map(|p| p.leftovers.len()).sum();
        let bytes: u64 = places.iter().map(|p| p.bytes()).sum();
        let what = if args.dry_run { "would be deleted" } else { "deleted" };
        eprintln!("{}, {} {what}", output::counted(files as u64, "file"), output::counted(bytes, "byte"));
    }
    Ok(())
}
