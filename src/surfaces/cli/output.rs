//! Where a command's data goes: stdout or a file, in the format asked for or that the file's name tells.

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::encode::{self, Format};
use crate::engine::Rows;
use crate::error::{Error, Result};

/// `--format` and `--output`, shared by commands that print rows.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// table, csv, json, ndjson, arrow or parquet [default: by the file's ending, else table]
    #[arg(long, short)]
    format: Option<String>,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl OutputArgs {
    fn format(&self) -> Result<Format> {
        match (&self.format, &self.output) {
            (Some(name), _) => Format::parse(name),
            (None, Some(path)) => Format::of_path(path),
            (None, None) => Ok(Format::Table),
        }
    }

    /// Streams `rows` out. A file appears under its name only when it is whole.
    pub async fn write(&self, rows: Rows) -> Result<encode::Written> {
        let format = self.format()?;
        let options = encode::Options { width: terminal_width(), file: self.output.is_some(), ..Default::default() };
        match &self.output {
            None => encode::write(rows, format, &mut tokio::io::stdout(), &options).await,
            Some(path) => {
                let part = part_of(path);
                let mut file =
                    tokio::fs::File::create(&part).await.map_err(|e| Error::from(e).context(path.display()))?;
                let written = encode::write(rows, format, &mut file, &options).await;
                drop(file);
                let moved = match &written {
                    Ok(_) => tokio::fs::rename(&part, path).await,
                    Err(_) => tokio::fs::remove_file(&part).await,
                };
                let written = written?;
                moved.map_err(|e| Error::from(e).context(path.display()))?;
                Ok(written)
            }
        }
    }
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// The terminal's width in columns, if standard output is one.
pub fn terminal_width() -> Option<usize> {
    console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns))
}

/// Prints one piece of data with a line end.
pub fn line(text: impl Display) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").map_err(|e| Error::unavailable("standard output cannot be written").caused_by(e))
}

/// `1234567` as `1,234,567`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(d);
    }
    out
}
