//! `saleslake rollup list|refresh|advise`.

use clap::{Args, Subcommand};

use super::listing::Listing;
use super::output::{self, OutputArgs};
use super::shell::backend::{Backend, Params};
use super::shell::remote::Remote;
use crate::engine::{Engine, Month};
use crate::error::{Error, Result};

#[derive(Debug, Args)]
pub struct RollupArgs {
    #[command(subcommand)]
    command: RollupCommand,
}

#[derive(Debug, Subcommand)]
enum RollupCommand {
    /// Rollups with their rows, and the months of which the tables still tell
    List {
        #[command(flatten)]
        output: OutputArgs,
    },
    /// Make the months anew that are not current, as `serve` does by itself
    Refresh {
        /// These rollups only
        #[arg(value_name = "ROLLUP")]
        names: Vec<String>,
        /// Of each rollup this many months at most, the newest first
        #[arg(long)]
        months: Option<usize>,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// What a running server's queries had from rollups, and what would have spared the rest
    Advise {
        /// The server's Flight SQL address, such as grpc://host:8815 or grpc+tls://host:8815
        #[arg(long, value_name = "URL")]
        server: String,
        /// A token that the server knows
        #[arg(long, env = "SALESLAKE_TOKEN", hide_env_values = true)]
        token: Option<String>,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// What the queries of a server's log had from rollups: the most seconds first.
const ADVICE: &str = "SELECT rollups AS what, count(*) AS queries, round(sum(seconds), 3) AS seconds, \
     min(label) AS for_example FROM system.queries \
     WHERE state = 'done' AND NOT cached AND rollups <> '' GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT 50";

impl RollupArgs {
    /// Asks a server, where that is what is to be done.
    pub async fn remote(&self) -> Result<bool> {
        let RollupCommand::Advise { server, token, output } = &self.command else { return Ok(false) };
        let token = token.as_deref().filter(|token| !token.is_empty());
        let answer = Remote::connect(server, token, None).await?.query(ADVICE, &Params::new()).await?;
        let none = "no query of its log read a view that has rollups";
        output.stream(answer.schema, answer.batches, none, &[]).await?;
        Ok(true)
    }
}

pub async fn run(args: &RollupArgs, engine: &Engine) -> Result<()> {
    match &args.command {
        RollupCommand::List { output } => list(engine, output).await,
        RollupCommand::Refresh { names, months, output } => refresh(engine, names, *months, output).await,
        RollupCommand::Advise { .. } => Ok(()),
    }
}

async fn list(engine: &Engine, output: &OutputArgs) -> Result<()> {
    for broken in engine.broken_rollups() {
        eprintln!("broken: {}: {}", broken.path, broken.reason);
    }
    let kept = engine.rollups();
    let range = |months: &[Month]| match months {
        [] => String::new(),
        [one] => one.to_string(),
        [first, .., last] => format!("{first} … {last}"),
    };
    Listing::of(&kept)
        .text("rollup", |k| k.name.clone())
        .text("view", |k| k.view.clone())
        .count("rows", |k| Some(k.rows))
        .count("bytes", |k| Some(k.bytes))
        .count("months", |k| Some(k.current.len() as u64))
        .count("not_current", |k| Some(k.stale.len() as u64))
        .text("which", move |k| range(&k.stale))
        .write(output, "no rollups: they are files of queries/rollups/, and engine.rollups says whether they are used")
        .await
}

async fn refresh(engine: &Engine, names: &[String], months: Option<usize>, output: &OutputArgs) -> Result<()> {
    let done = engine.refresh_rollups(names, months.unwrap_or(usize::MAX)).await?;
    Listing::of(&done.made)
        .text("rollup", |m| m.rollup.clone())
        .text("month", |m| m.month.clone())
        .count("rows", |m| Some(m.rows as u64))
        .text("seconds", |m| format!("{:.3}", m.seconds))
        .text("note", |m| m.split.then(|| "a value that is counted once lies in several rows".to_string()))
        .write(output, "every month is current")
        .await?;
    done.failed.iter().for_each(|failed| eprintln!("failed: {failed}"));
    match done.failed.len() as u64 {
        0 => Ok(()),
        failed => Err(Error::unavailable(format!("{} could not be made", output::counted(failed, "month")))
            .hint("each is named above with its reason; the tables answer for them")),
    }
}
