//! `saleslake sql 'SELECT …'`: one read-only statement over the lake's newest snapshot.

use std::collections::BTreeMap;

use clap::Args;

use super::output::OutputArgs;
use super::pair::pair;
use crate::access::Caller;
use crate::engine::{Engine, Param, ParamType, QueryOptions};
use crate::error::Result;

#[derive(Debug, Args)]
pub struct SqlArgs {
    /// The statement; views and dimensions by name, base tables under `base.`
    statement: String,
    /// A value for $name in the statement, as NAME=VALUE or NAME:TYPE=VALUE (date, timestamp, int, decimal, bool, text, list<text>)
    #[arg(long = "param", short, value_name = "NAME[:TYPE]=VALUE")]
    params: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub async fn run(args: &SqlArgs, engine: &Engine) -> Result<()> {
    let mut params = BTreeMap::new();
    for given in &args.params {
        let (name, value) = pair("--param", given, "write --param from:date=2026-01-01")?;
        let (name, kind) = name.split_once(':').unwrap_or((&name, "text"));
        let param = ParamType::parse(kind).and_then(|kind| Param::parse(kind, &value));
        params.insert(name.to_string(), param.map_err(|e| e.context(format!("--param {name}")))?);
    }
    let options = QueryOptions { params, label: "sql".into(), ..QueryOptions::default() };
    let rows = engine.query(&args.statement, options, &Caller::local()).await?;
    args.output.write(rows).await?;
    Ok(())
}
