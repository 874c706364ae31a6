//! The `saleslake` program: parse, telemetry, run, exit code.
//!
//! Nothing here is `async`: futures are compiled where they are first polled, and the library has compiled them already.

use std::process::ExitCode;

use saleslake::app;
use saleslake::clock::Clock;
use saleslake::surfaces::{cli, status};

/// A quarter of the time of a short query is allocating: its plan is thousands of small nodes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match app::block_on(app::run(cli::Args::of(std::env::args_os()), Clock::system())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if cli::is_broken_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            cli::print_error(&e);
            ExitCode::from(status::of(e.kind()).exit)
        }
    }
}
