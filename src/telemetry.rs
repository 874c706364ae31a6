//! Logs to stderr, as text or JSON. Metrics belong to the surface that offers them.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{Directive, ParseError};

use crate::config::LogConfig;
use crate::error::{Error, Result};

/// Starts logging; called once, by `main`. `quiet`: targets whose events are told in other ways, and stay out unless
/// `log.level` names their crate.
pub fn start(config: &LogConfig, quiet: &[&str]) -> Result<()> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(&config.level, quiet)?)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let done = if config.format == "json" { builder.json().try_init() } else { builder.try_init() };
    done.map_err(|e| Error::internal(format!("logging could not start: {e}")))
}

fn filter(level: &str, quiet: &[&str]) -> Result<EnvFilter> {
    let wrong = |e: ParseError| {
        Error::invalid(format!("log.level = \"{level}\": {e}")).hint("warn, info, or saleslake=debug,warn")
    };
    let mut filter = EnvFilter::try_new(level).map_err(wrong)?;
    for target in quiet {
        let named = target.split("::").next().is_some_and(|name| level.contains(name));
        if !named {
            let off: Directive = format!("{target}=off").parse().map_err(wrong)?;
            filter = filter.add_directive(off);
        }
    }
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether errors of `noisy::races`, `noisy::rest` and `calm` are logged.
    fn logged(level: &str) -> [bool; 3] {
        let filter = filter(level, &["noisy::races"]).expect("a level");
        let logs = tracing_subscriber::fmt().with_env_filter(filter).finish();
        tracing::subscriber::with_default(logs, || {
            [
                tracing::enabled!(target: "noisy::races", tracing::Level::ERROR),
                tracing::enabled!(target: "noisy::rest", tracing::Level::ERROR),
                tracing::enabled!(target: "calm", tracing::Level::ERROR),
            ]
        })
    }

    #[test]
    fn what_is_told_in_other_ways_is_logged_only_where_it_is_asked_for() {
        assert_eq!(logged("warn"), [false, true, true]);
        assert_eq!(logged("saleslake=debug,warn"), [false, true, true]);
        assert_eq!(logged("noisy=warn"), [true, true, false]);
        assert_eq!(logged("noisy::races=error,off"), [true, false, false]);
        assert!(filter("saleslake=loud", &[]).is_err());
    }
}
