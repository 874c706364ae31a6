//! The `saleslake` program: parse, telemetry, run, exit code.
//!
//! Nothing here is `async`: futures are compiled where they are first polled, and the library has compiled them already.

use std::process::ExitCode;

use clap::Parser;
use saleslake::clock::Clock;
use saleslake::config::Config;
use saleslake::error::Result;
use saleslake::surfaces::{cli, status};
use saleslake::{app, telemetry};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if cli::is_broken_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            cli::print_error(&e);
            ExitCode::from(status::of(e.kind()).exit)
        }
    }
}

fn run() -> Result<()> {
    let args = cli::Args::parse();
    let (config, settings) = Config::load(args.config.as_deref(), &args.set)?;
    telemetry::start(&config.log)?;
    app::block_on(app::run(args.command, config, settings, Clock::system()))
}
