//! `saleslake source list|new`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};

use super::output;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ingest::{Sources, draft, name_of};
use crate::lake::Properties;

#[derive(Debug, Args)]
pub struct SourceArgs {
    #[command(subcommand)]
    command: SourceCommand,
}

#[derive(Debug, Subcommand)]
enum SourceCommand {
    /// The sources there are, in the order in which they land
    List,
    /// Draft a source definition from a file: guesses columns, types and the date format
    New {
        file: PathBuf,
        /// Name of the source [default: the file's name]
        #[arg(long)]
        name: Option<String>,
        /// Folder of query files; the draft goes to its `sources/` [default: the configured queries_dir, else ./queries]
        #[arg(long)]
        dir: Option<PathBuf>,
    },
}

pub fn run(args: &SourceArgs, config: &Config) -> Result<()> {
    match &args.command {
        SourceCommand::List => list(config),
        SourceCommand::New { file, name, dir } => {
            let dir = dir.clone().or_else(|| config.queries_dir.clone()).unwrap_or_else(|| "queries".into());
            new(file, name.as_deref(), &dir, config)
        }
    }
}

fn list(config: &Config) -> Result<()> {
    let sources = Sources::load(config.queries_dir.as_deref())?;
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["source", "order", "files", "tables", "title"]);
    for s in sources.in_order() {
        let mut tables: Vec<&str> = s.selects.iter().map(|select| select.table.name).collect();
        tables.dedup();
        let header = &s.header;
        let title = header.title.as_ref().map(|t| t.english().to_string()).unwrap_or_default();
        table.add_row([s.name.clone(), header.order.to_string(), header.read.path.clone(), tables.join(", "), title]);
    }
    output::line(&table)
}

fn new(file: &Path, name: Option<&str>, dir: &Path, config: &Config) -> Result<()> {
    let name = name.map_or_else(|| name_of(file), String::from);
    let text = draft(file, &name, &Properties::from_config(&config.lake)?)?;
    let folder = dir.join("sources");
    std::fs::create_dir_all(&folder).map_err(|e| Error::from(e).context(folder.display()))?;
    let path = folder.join(format!("{name}.sql"));
    if path.exists() {
        return Err(Error::conflict(format!("{} exists already", path.display()))
            .hint("give another --name, or move the file away"));
    }
    std::fs::write(&path, text).map_err(|e| Error::from(e).context(path.display()))?;
    output::line(path.display())?;
    let set =
        if config.queries_dir.is_some() { String::new() } else { format!(" --set queries_dir={}", dir.display()) };
    eprintln!("read it, then: saleslake ingest {name} {}{set}", file.display());
    Ok(())
}
