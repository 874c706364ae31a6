//! Reads a file to its end and keeps nothing of it. A landing asks for this before it commits a part of a file: what cannot
//! be read to its end lands nothing. It must not judge records: a bad one is quarantined alone when its turn comes.
//!
//! There is no size below which a file is left out: a file that is wholly in one commit never comes here, and how much a
//! packed or typed one holds its bytes do not tell (zstd makes 128 KiB of four bytes, Parquet a million rows of a hundred).

use std::fs::File;
use std::path::Path;

use super::text::Text;
use super::unpack::{is_packed, peek};
use super::{Input, Limit, format_of, gently, open_format};
use crate::error::Result;
use crate::ingest::source::{Format, Source};

/// Reads all of the file at `path`, called `file` in messages. Blocking. Plain CSV and NDJSON are damaged record by record,
/// so of them nothing is read.
///
/// # Errors
/// Those of reading it, with a hint that says that nothing of it has landed.
pub(crate) fn verify(source: &Source, path: &Path, file: &str) -> Result<()> {
    let read = || {
        let format = format_of(source, &Input::Path(path.into()))?;
        let text = matches!(format, Format::Csv | Format::Ndjson | Format::Json);
        if text && is_packed(&peek::<4>(&mut File::open(path)?)?) {
            all_text(source, path)?;
        }
        match format {
            Format::Csv | Format::Ndjson => Ok(()),
            Format::Json | Format::Parquet | Format::Arrow | Format::Excel => all_chunks(source, path),
        }
    };
    gently(read).map_err(|e| {
        let hint = e.hint_text().map_or(String::new(), |h| format!("{h}; "));
        e.context(format!("file {file}, source {}", source.name)).hint(format!("{hint}nothing of it has landed"))
    })
}

/// Unpacks the text; an error tells the line, which the packed bytes do not.
fn all_text(source: &Source, path: &Path) -> Result<()> {
    let mut text = Text::open(Input::Path(path.into()), source.header.read.encoding()?)?;
    let mut line = 1;
    loop {
        let passed = text.take(text.buffer.len());
        if text.end {
            return Ok(());
        }
        line += passed.iter().filter(|b| **b == b'\n').count() as i64;
        let grown = text.grow();
        grown.map_err(|e| text.at_line(line, 0, e))?;
    }
}

/// The format's own reader goes through the file. Columns that the source does not look at may hold what has no text.
fn all_chunks(source: &Source, path: &Path) -> Result<()> {
    let mut reader = open_format(source, Input::Path(path.into()), &Limit::none())?;
    let wanted: Vec<bool> = reader.schema().fields().iter().map(|f| source.columns.contains(f.name())).collect();
    reader.want(&wanted);
    while reader.next()?.is_some() {}
    Ok(())
}
