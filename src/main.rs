//! The `saleslake` program: parse, telemetry, run, exit code.
//!
//! Nothing here is `async`: futures are compiled where they are first polled, and the library has compiled them already.

use std::process::ExitCode;

use saleslake::app;
use saleslake::clock::Clock;
use saleslake::surfaces::{cli, status};

fn main() -> ExitCode {
    few_arenas();
    match app::block_on(app::run(cli::Args::of(std::env::args_os()), Clock::system())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) if cli::is_broken_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            cli::print_error(&e);
            ExitCode::from(status::of(e.kind()).exit)
        }
    }
}

/// glibc gives threads up to 8 arenas per core, and each keeps what it once held. Rows pass from thread to thread, so a
/// landing would hold more than twice the memory that it uses.
fn few_arenas() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let arenas = libc::c_int::try_from(cores).unwrap_or(libc::c_int::MAX);
        // SAFETY: it sets one number of the allocator, before there is a second thread.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, arenas) };
    }
}
