//! The `saleslake` program: parse, telemetry, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use saleslake::clock::Clock;
use saleslake::config::Config;
use saleslake::surfaces::{cli, status};
use saleslake::{app, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if cli::is_broken_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            cli::print_error(&e);
            ExitCode::from(status::of(e.kind()).exit)
        }
    }
}

async fn run() -> saleslake::error::Result<()> {
    let args = cli::Args::parse();
    let (config, settings) = Config::load(args.config.as_deref(), &args.set)?;
    telemetry::start(&config.log)?;
    app::run(args.command, config, settings, Clock::system()).await
}
