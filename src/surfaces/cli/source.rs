//! `saleslake source list|new`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::listing::Listing;
use super::output::{self, OutputArgs};
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
    List {
        #[command(flatten)]
        output: OutputArgs,
    },
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

pub async fn run(args: &SourceArgs, config: &Config) -> Result<()> {
    match &args.command {
        SourceCommand::List { output } => list(config, output).await,
        SourceCommand::New { file, name, dir } => {
            let dir = dir.clone().or_else(|| config.queries_dir.clone()).unwrap_or_else(|| "queries".into());
            new(file, name.as_deref(), &dir, config)
        }
    }
}

async fn list(config: &Config, output: &OutputArgs) -> Result<()> {
    Listing::of(&Sources::load(config.queries_dir.as_deref())?.in_order())
        .text("source", |s| s.name.clone())
        .number("order", |s| Some(s.header.order))
        .text("files", |s| s.header.read.path.clone())
        .text("tables", |s| {
            let mut tables: Vec<&str> = s.selects.iter().map(|select| select.table.name).collect();
            tables.dedup();
            tables.join(", ")
        })
        .text("title", |s| s.header.title.as_ref().map(|t| t.english().to_string()))
        .write(output, "no sources")
        .await
}

fn new(file: &Path, name: Option<&str>, dir: &Path, config: &Config) -> Result<()> {
    let name = name.map_or_else(|| name_of(file), String::from);
    if Sources::load(None)?.in_order().iter().any(|s| s.name == name) {
        return Err(Error::conflict(format!(
            "{name} is a source of saleslake's own: a draft called so would take its place"
        ))
        .hint(format!("give the draft a name of its own, such as --name my_{name}")));
    }
    let drafted = draft(file, &name, &Properties::from_config(&config.lake)?)?;
    let folder = dir.join("sources");
    std::fs::create_dir_all(&folder).map_err(|e| Error::from(e).context(folder.display()))?;
    let path = folder.join(format!("{name}.sql"));
    if path.exists() {
        return Err(Error::conflict(format!("{} exists already", path.display()))
            .hint("give another --name, or move the file away"));
    }
    std::fs::write(&path, &drafted.text).map_err(|e| Error::from(e).context(path.display()))?;
    output::line(path.display())?;
    drafted.notes.iter().for_each(|note| eprintln!("{note}"));
    let set = match &config.queries_dir {
        Some(_) => String::new(),
        None => format!(" --set {}", quoted(&format!("queries_dir={}", dir.display()))),
    };
    let first = if drafted.is_whole() {
        "read it".to_string()
    } else {
        format!("write what is missing where {} says TODO, until `saleslake check{set}` accepts it", path.display())
    };
    eprintln!("{first}, then: saleslake ingest {name} {}{set}", quoted(&file.display().to_string()));
    Ok(())
}

/// A word of a command, to be copied into a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./\\:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_of_commands_can_be_copied() {
        assert_eq!(quoted("data/2026-01.csv"), "data/2026-01.csv");
        assert_eq!(quoted("订单.csv"), "订单.csv");
        assert_eq!(quoted("My Sales (final) 2026.csv"), "'My Sales (final) 2026.csv'");
        assert_eq!(quoted("it's.csv"), r"'it'\''s.csv'");
        assert_eq!(quoted("a$b;c.csv"), "'a$b;c.csv'");
    }
}
