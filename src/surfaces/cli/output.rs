//! Where a command's data goes: stdout or a file, in the format asked for or that the file's name tells. What is said
//! about the data goes to stderr.

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use clap::Args;
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use crate::encode::{self, Format};
use crate::engine::Rows;
use crate::error::{Error, Result};

/// `--format` and `--output`, shared by commands that print rows.
#[derive(Debug, Default, Args)]
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

    /// The format that was named, if one was.
    pub fn named_format(&self) -> Result<Option<Format>> {
        self.format.as_deref().map(Format::parse).transpose()
    }

    /// The file to write to, if one was named.
    pub fn path(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    /// Whether people read this: a command may then lay its data out in its own way.
    pub fn for_people(&self) -> Result<bool> {
        Ok(self.output.is_none() && self.format()? == Format::Table)
    }

    /// Streams `rows` out and tells what is not shown. A file appears under its name only when it is whole.
    pub async fn write(&self, rows: Rows) -> Result<encode::Written> {
        self.write_about(rows, &[]).await
    }

    /// As [`OutputArgs::write`]; a table that has no room for all its columns keeps `main`.
    pub async fn write_about(&self, rows: Rows, main: &[String]) -> Result<encode::Written> {
        let schema = Arc::clone(&rows.schema);
        self.stream(schema, rows.into_stream(), "no rows", main).await
    }

    /// The same for a list that is at hand; `none` is what people are told when it is empty.
    pub async fn list(&self, batch: RecordBatch, none: &str) -> Result<()> {
        self.stream(batch.schema(), stream::iter([Ok(batch)]).boxed(), none, &[]).await.map(|_| ())
    }

    /// The same for any batches of one schema.
    pub async fn stream(
        &self,
        schema: SchemaRef,
        batches: BoxStream<'static, Result<RecordBatch>>,
        none: &str,
        main: &[String],
    ) -> Result<encode::Written> {
        let format = self.format()?;
        let width = if self.output.is_none() { terminal_width() } else { None };
        let (main, file) = (main.to_vec(), self.output.is_some());
        let options = encode::Options { width, main, file, notes_apart: true, ..encode::Options::default() };
        let written = match &self.output {
            None => encode::write_stream(schema, batches, format, &mut tokio::io::stdout(), &options).await?,
            Some(path) => to_file(path, schema, batches, format, &options).await?,
        };
        for note in &written.notes {
            eprintln!("{note}; all with --format csv");
        }
        if written.rows == 0 {
            eprintln!("{none}");
        }
        Ok(written)
    }
}

async fn to_file(
    path: &Path,
    schema: SchemaRef,
    batches: BoxStream<'static, Result<RecordBatch>>,
    format: Format,
    options: &encode::Options,
) -> Result<encode::Written> {
    let part = part_of(path);
    let mut file = tokio::fs::File::create(&part).await.map_err(|e| Error::from(e).context(path.display()))?;
    let written = encode::write_stream(schema, batches, format, &mut file, options).await;
    drop(file);
    let moved = match &written {
        Ok(_) => tokio::fs::rename(&part, path).await,
        Err(_) => tokio::fs::remove_file(&part).await,
    };
    let written = written?;
    moved.map_err(|e| Error::from(e).context(path.display()))?;
    Ok(written)
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

/// `1 file`, `2,000 files`.
pub fn counted(n: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(n), if n == 1 { "" } else { "s" })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0, 1, 2000].map(|n| counted(n, "file")), ["0 files", "1 file", "2,000 files"]);
    }
}
