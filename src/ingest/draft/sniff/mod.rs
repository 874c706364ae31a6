//! What a file looks like: its format, its columns and some of their values. It must not guess what they mean.

mod csv;
mod encoding;
mod json;
#[cfg(test)]
mod tests;
mod typed;

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::ingest::read::{self, Input};

pub(super) use encoding::Guess;

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
    /// Of a text that is not UTF-8.
    pub encoding: Option<Guess>,
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
    /// The same; the records stand in an array, alone or under a key.
    Json {
        shape: Value,
        records: Option<String>,
    },
    Parquet,
    Arrow,
    Excel,
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
    let input = || Input::Path(path.into());
    let (first, whole) = beginning(input())?;
    match first.as_slice() {
        // Packed Arrow streams and packed texts are told apart once they are unpacked.
        [b'P', b'A', b'R', b'1', ..] => return typed::columns(Format::Parquet, input()),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [0xff, 0xff, 0xff, 0xff, ..] => {
            return typed::columns(Format::Arrow, input());
        }
        [b'P', b'K', 3, 4, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => return typed::columns(Format::Excel, input()),
        _ => {}
    }
    if let Some(kind) = read::binary(&first) {
        return Err(Error::invalid(format!("it looks like {}", kind.name)).hint(kind.hint));
    }
    let (text, encoding) = encoding::text(first, whole)?;
    let text = text.trim_start_matches('\u{feff}');
    let mut sniffed = match text.trim_start().chars().next() {
        None => Err(Error::invalid("empty")),
        Some('{') => match json::lines(text) {
            Some(lines) => json::columns(&lines, None),
            None if encoding.is_none() => json::objects(text, whole, input()),
            None => Err(not_utf8_json()),
        },
        Some('[') if encoding.is_none() => json::array(input()),
        Some('[') => Err(not_utf8_json()),
        Some(_) => csv::columns(text),
    }?;
    sniffed.encoding = encoding;
    Ok(sniffed)
}

fn not_utf8_json() -> Error {
    Error::invalid("JSON in another encoding than UTF-8")
        .hint("save it as UTF-8 for the draft; [read] encoding lands it")
}

/// The first bytes, unpacked, and whether that is all.
fn beginning(input: Input) -> Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    read::unpack(input)?.take(LOOK_BYTES).read_to_end(&mut bytes)?;
    let whole = (bytes.len() as u64) < LOOK_BYTES;
    Ok((bytes, whole))
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
