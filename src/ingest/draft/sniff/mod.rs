//! What a file looks like: its format, its columns and some of their values. It must not guess what they mean.

mod csv;
mod ndjson;
mod parquet;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::error::{Error, Result};

/// How much of a text file is looked at.
const LOOK_BYTES: u64 = 1 << 20;
/// How many records are looked at.
const LOOK_RECORDS: usize = 2000;

/// A file's layout, as far as its beginning shows it.
#[derive(Debug)]
pub(super) struct Sniffed {
    pub format: Format,
    pub columns: Vec<Sample>,
    /// The list of objects in each record whose elements are the lines, such as `lines`.
    pub lines: Option<String>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Format {
    /// The delimiter, and whether the first line names the columns.
    Csv {
        delimiter: char,
        header: bool,
    },
    /// An example of every name and nesting.
    Ndjson {
        shape: Value,
    },
    Parquet,
}

/// One column and some of its values.
#[derive(Debug)]
pub(super) struct Sample {
    /// Its name in words: the path to it, joined by `_`.
    pub name: String,
    /// SQL that reads it from `raw`.
    pub sql: String,
    /// Its value in each record (or line) looked at, '' where there is none.
    pub cells: Vec<String>,
    /// It is inside the list of lines.
    pub in_lines: bool,
}

impl Sample {
    /// The values that are there, in order.
    pub fn values(&self) -> Vec<&str> {
        self.cells.iter().map(String::as_str).filter(|v| !v.is_empty()).collect()
    }

    /// The raw column that [`Sample::sql`] begins with.
    pub fn root(&self) -> &str {
        let end = self.sql.find('[').unwrap_or(self.sql.len());
        self.sql[..end].trim_matches('"')
    }
}

/// Looks at the beginning of a file.
pub(super) fn sniff(path: &Path) -> Result<Sniffed> {
    let named = |e: Error| e.context(format!("file {}", path.display()));
    let sniffed = look(path).map_err(named)?;
    if sniffed.columns.iter().all(|c| c.cells.iter().all(String::is_empty)) {
        let e = Error::invalid("no records to look at").hint("draft from a file that has some sales in it");
        return Err(named(e));
    }
    Ok(sniffed)
}

fn look(path: &Path) -> Result<Sniffed> {
    let mut file = File::open(path)?;
    let mut magic = [0; 4];
    let length = file.read(&mut magic)?;
    file.seek(SeekFrom::Start(0))?;
    match &magic[..length] {
        b"PAR1" => return parquet::columns(file),
        b"PK\x03\x04" => {
            return Err(Error::invalid("a workbook or an archive").hint("save the sheet as CSV in UTF-8, or unpack it"));
        }
        _ => {}
    }
    let mut bytes = Vec::new();
    let reader: Box<dyn Read> =
        if magic.starts_with(&[0x1f, 0x8b]) { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    reader.take(LOOK_BYTES).read_to_end(&mut bytes)?;
    let text = whole_lines(&bytes).ok_or_else(|| {
        Error::invalid("not UTF-8 text, nor gzip of it, nor Parquet").hint(format!(
            "convert it first, such as: iconv -f {} -t UTF-8 {} > utf8.csv",
            if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
                "UTF-16"
            } else {
                "WINDOWS-1252 (or GB18030)"
            },
            path.display()
        ))
    })?;
    let text = text.trim_start_matches('\u{feff}');
    match text.trim_start().chars().next() {
        None => Err(Error::invalid("empty")),
        Some('{') => ndjson::columns(text),
        Some('[') => {
            Err(Error::invalid("one JSON array").hint("one JSON object per line can be read: jq -c '.[]' makes them"))
        }
        Some(_) => csv::columns(text),
    }
}

/// The text up to the last line's end (or all of it when it was not cut off).
fn whole_lines(bytes: &[u8]) -> Option<&str> {
    let end = if bytes.len() as u64 == LOOK_BYTES { bytes.iter().rposition(|b| *b == b'\n')? + 1 } else { bytes.len() };
    std::str::from_utf8(&bytes[..end]).ok()
}

/// Words that SQL would not take for a column without quotes are not among these.
const PLAIN: &[&str] = &[
    "sku", "qty", "quantity", "price", "id", "customer", "currency", "channel", "store", "lines", "items", "product",
    "category", "brand", "amount", "discount", "region", "country",
];

/// A column's name as SQL: quoted unless it surely need not be.
pub(super) fn identifier(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    // No word of SQL that matters has an underscore, but for current_date and its like.
    let free = PLAIN.contains(&name) || (name.contains('_') && !name.starts_with("current_"));
    if plain && free { name.into() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
