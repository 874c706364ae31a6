//! Logs to stderr, as text or JSON. Metrics belong to the surface that offers them.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::LogConfig;
use crate::error::{Error, Result};

/// Starts logging; called once, by `main`.
pub fn start(config: &LogConfig) -> Result<()> {
    let filter = EnvFilter::try_new(&config.level).map_err(|e| {
        Error::invalid(format!("log.level = \"{}\": {e}", config.level)).hint("warn, info, or saleslake=debug,warn")
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let done = if config.format == "json" { builder.json().try_init() } else { builder.try_init() };
    done.map_err(|e| Error::internal(format!("logging could not start: {e}")))
}
