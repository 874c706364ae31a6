//! `saleslake sample`: landing files of a made-up retailer, the same bytes for the same seed.

use std::path::PathBuf;

use clap::Args;

use super::output;
use crate::error::Result;
use crate::sample::{self, Options};

#[derive(Debug, Args)]
pub struct SampleArgs {
    /// The same seed and size give the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Order lines, about
    #[arg(long, default_value_t = sample::DEFAULT_LINES)]
    lines: u64,
    /// Where to write
    #[arg(long, default_value = "./sample-data")]
    dir: PathBuf,
}

pub fn run(args: &SampleArgs) -> Result<()> {
    let summary = sample::generate(&Options { seed: args.seed, lines: args.lines, dir: args.dir.clone() })?;
    output::line(summary)
}
