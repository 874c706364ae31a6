//! `saleslake sql`: one read-only statement over the lake's newest snapshot or a server's, a script, or a shell.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use super::output::OutputArgs;
use super::pair::pair;
use super::shell::backend::{Backend, Params};
use super::shell::remote::Remote;
use super::shell::{self, typed};
use crate::error::Result;
use crate::reports::{Wanted, calls_reports};

#[derive(Debug, Args)]
pub struct SqlArgs {
    /// The statement; views and dimensions by name, base tables under `base.` Without one, a shell; `-`, or a pipe: a script
    statement: Option<String>,
    /// A value for $name in the statement, as NAME=VALUE or NAME:TYPE=VALUE (date, timestamp, int, decimal, bool, text, list<text>)
    #[arg(long = "param", short, value_name = "NAME[:TYPE]=VALUE")]
    params: Vec<String>,
    /// Ask a running server over Flight SQL instead of opening the lake, such as grpc://host:8815 or grpc+tls://host:8815
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// A token that the server knows
    #[arg(long, env = "SALESLAKE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Certificates (PEM) that the server's may be signed with, instead of the system's
    #[arg(long, value_name = "FILE", requires = "server")]
    tls_ca: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

impl SqlArgs {
    /// The server that is asked, once connected; `None` = the lake here.
    pub async fn remote(&self) -> Result<Option<Remote>> {
        let Some(server) = &self.server else { return Ok(None) };
        let token = self.token.as_deref().filter(|token| !token.is_empty());
        Remote::connect(server, token, self.tls_ca.as_deref()).await.map(Some)
    }

    /// The reports that it can name: none, where one statement is given that names none.
    pub fn wanted(&self) -> Wanted {
        match self.statement.as_deref() {
            Some(statement) if statement.trim() != "-" && !calls_reports(statement) => Wanted::Only(BTreeSet::new()),
            _ => Wanted::All,
        }
    }

    fn params(&self) -> Result<Params> {
        let mut params = Params::new();
        for given in &self.params {
            let (name, value) = pair("--param", given, "write --param from:date=2026-01-01")?;
            let (name, param) = typed(&name, &value).map_err(|e| e.context(format!("--param {name}")))?;
            params.insert(name, param);
        }
        Ok(params)
    }
}

pub async fn run(args: &SqlArgs, backend: &dyn Backend) -> Result<()> {
    let params = args.params()?;
    match args.statement.as_deref() {
        Some(statement) if statement.trim() != "-" => {
            let answer = backend.query(statement, &params).await?;
            args.output.stream(answer.schema, answer.batches, "no rows", &[]).await.map(|_| ())
        }
        None if std::io::stdin().is_terminal() => shell::interactive(backend, params, &args.output).await,
        _ => shell::script(backend, params, &args.output).await,
    }
}
