//! `[read]` of a source's header: how the bytes of its files are laid out. It must not read them.

use encoding_rs::Encoding;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ingest::read::Dialect;

/// What kind of file it is. gzip and zstd around texts and Arrow streams are recognised by their first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// One array of JSON objects, or objects one after another.
    Json,
    Parquet,
    /// Arrow IPC, as file or as stream.
    Arrow,
    /// .xlsx and .xls.
    Excel,
}

impl Format {
    fn is_text(self) -> bool {
        matches!(self, Format::Csv | Format::Ndjson | Format::Json)
    }
    fn is_json(self) -> bool {
        matches!(self, Format::Ndjson | Format::Json)
    }
}

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Sheet {
    /// From 1.
    Number(usize),
    Name(String),
}

/// What happens when a file's columns are not those of the files before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Drift {
    /// The file lands, and nothing is said.
    Land,
    /// The file lands, and its account says what is different.
    #[default]
    Warn,
    /// The file is refused before any of it lands.
    Stop,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Pattern below the landing path.
    pub path: String,
    pub format: Format,
    /// Of texts: a label of the WHATWG's list, such as "gb18030", "windows-1252" or "utf-16". Default: UTF-8. A byte order
    /// mark knows better.
    pub encoding: Option<String>,
    /// Of CSV; one ASCII character, or "tab". Default: a comma.
    pub delimiter: Option<String>,
    /// Of CSV; one ASCII character, or "none". Default: `"`.
    pub quote: Option<String>,
    /// Of CSV: makes a quote, a delimiter, a line's end or itself ordinary, as in `\"`. Default: none.
    pub escape: Option<String>,
    /// Of CSV: lines that begin so are left out, such as "#".
    pub comment: Option<String>,
    /// Of CSV: lines before the header, or before the first record where `columns` are given.
    #[serde(default)]
    pub skip_lines: usize,
    /// Column names of a CSV file that has no header line.
    pub columns: Option<Vec<String>>,
    /// Columns that a file may lack: NULL then.
    #[serde(default)]
    pub optional: Vec<String>,
    /// Columns that nobody looks at, and that are no news (`drift`).
    #[serde(default)]
    pub ignored: Vec<String>,
    #[serde(default)]
    pub drift: Drift,
    /// JSON: an example object whose leaves are all texts.
    pub shape: Option<String>,
    /// JSON: the key of the array of records, or the path to it, such as "data.orders". Default: the file is the array.
    pub records: Option<String>,
    /// Of a workbook: name, or number from 1. Default: the first.
    pub sheet: Option<Sheet>,
    /// Of a workbook: the number of the row with the columns' names. Default: the first that has a value.
    pub header_row: Option<u32>,
    /// Of an archive (`.zip`, `.tar`, `.tar.gz`, `.tar.zst`): the pattern of the members to land. Default: all.
    pub members: Option<String>,
}

impl Read {
    /// What is said fits the format, and can be understood.
    pub(super) fn check(&self) -> Result<()> {
        self.encoding()?;
        self.dialect()?;
        let format = self.format;
        let csv = [
            ("delimiter", self.delimiter.is_some()),
            ("quote", self.quote.is_some()),
            ("escape", self.escape.is_some()),
            ("comment", self.comment.is_some()),
            ("skip_lines", self.skip_lines > 0),
            ("columns", self.columns.is_some()),
        ];
        misplaced(&csv, format == Format::Csv, "format = \"csv\"")?;
        misplaced(&[("encoding", self.encoding.is_some())], format.is_text(), "texts: csv, ndjson and json")?;
        misplaced(&[("shape", self.shape.is_some())], format.is_json(), "format = \"ndjson\" or \"json\"")?;
        misplaced(&[("records", self.records.is_some())], format == Format::Json, "format = \"json\"")?;
        let excel = [("sheet", self.sheet.is_some()), ("header_row", self.header_row.is_some())];
        misplaced(&excel, format == Format::Excel, "format = \"excel\"")?;
        if self.header_row == Some(0) || self.sheet == Some(Sheet::Number(0)) {
            return Err(Error::invalid("[read] sheet and header_row count from 1").hint("the first is 1"));
        }
        Ok(())
    }

    /// The encoding that is declared.
    pub(crate) fn encoding(&self) -> Result<Option<&'static Encoding>> {
        let Some(label) = &self.encoding else { return Ok(None) };
        Encoding::for_label_no_replacement(label.as_bytes()).map(Some).ok_or_else(|| {
            Error::invalid(format!("[read] encoding {label:?} is not known"))
                .hint("such as \"utf-8\", \"utf-16\", \"gb18030\", \"big5\", \"shift_jis\", \"windows-1252\"; see encoding.spec.whatwg.org")
        })
    }

    /// How a CSV file is written.
    pub(crate) fn dialect(&self) -> Result<Dialect> {
        let plain = Dialect::default();
        let delimiter = match self.delimiter.as_deref() {
            Some("tab") => b'\t',
            _ => character("delimiter", self.delimiter.as_deref())?.unwrap_or(plain.delimiter),
        };
        let quote = match self.quote.as_deref() {
            None => plain.quote,
            Some("" | "none") => None,
            given => character("quote", given)?,
        };
        let escape = match self.escape.as_deref() {
            Some("" | "none") => None,
            given => character("escape", given)?,
        };
        if quote == Some(delimiter) || escape == Some(delimiter) {
            return Err(Error::invalid("[read] delimiter is also the quote or the escape")
                .hint("say quote = \"none\", or another delimiter"));
        }
        let comment = self.comment.clone().filter(|c| !c.is_empty());
        // A quote as its own escape is what doubling it means anyway.
        let escape = escape.filter(|e| Some(*e) != quote);
        Ok(Dialect { delimiter, quote, escape, comment, skip_lines: self.skip_lines })
    }
}

fn character(name: &str, given: Option<&str>) -> Result<Option<u8>> {
    match given.map(str::as_bytes) {
        None => Ok(None),
        Some([one]) if one.is_ascii() && !matches!(one, b'\n' | b'\r') => Ok(Some(*one)),
        Some(_) => Err(Error::invalid(format!("[read] {name} {:?} is not one character", given.unwrap_or_default()))
            .hint("use one ASCII character, such as \",\", \";\", \"|\", or \"tab\"; none: \"none\"")),
    }
}

fn misplaced(settings: &[(&str, bool)], fits: bool, place: &str) -> Result<()> {
    match settings.iter().find(|(_, given)| *given && !fits) {
        None => Ok(()),
        Some((name, _)) => Err(Error::invalid(format!("[read] {name} is for {place}")).hint("leave it out")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Read {
        toml::from_str(&format!("path = \"x\"\n{toml}")).expect("a header")
    }

    #[test]
    fn dialects() {
        let dialect =
            read("format = \"csv\"\ndelimiter = \"tab\"\nquote = \"none\"\nescape = \"\\\\\"\ncomment = \"#\"")
                .dialect();
        let expected =
            Dialect { delimiter: b'\t', quote: None, escape: Some(b'\\'), comment: Some("#".into()), skip_lines: 0 };
        assert_eq!(dialect.expect("a dialect"), expected);
        assert_eq!(read("format = \"csv\"").dialect().expect("a dialect"), Dialect::default());
        for wrong in
            ["delimiter = \"ab\"", "delimiter = \"\\\"\"", "quote = \"\\n\"", "escape = \",\"", "encoding = \"utf-9\""]
        {
            assert!(read(&format!("format = \"csv\"\n{wrong}")).check().is_err(), "{wrong}");
        }
    }

    #[test]
    fn settings_of_other_formats_are_refused_by_name() {
        for (format, setting) in [
            ("parquet", "encoding = \"gb18030\""),
            ("ndjson", "delimiter = \";\""),
            ("csv", "sheet = 2"),
            ("excel", "records = \"orders\""),
            ("csv", "shape = \"{}\""),
        ] {
            let e = read(&format!("format = \"{format}\"\n{setting}")).check().expect_err("refused");
            assert!(e.message().contains(setting.split(' ').next().unwrap_or_default()), "{e}");
        }
        let excel = read("format = \"excel\"\nsheet = 2\nheader_row = 3");
        assert!(excel.check().is_ok() && excel.sheet == Some(Sheet::Number(2)));
        assert_eq!(read("format = \"excel\"\nsheet = \"May\"").sheet, Some(Sheet::Name("May".into())));
        assert!(read("format = \"excel\"\nsheet = 0").check().is_err());
        assert_eq!(read("format = \"arrow\"\ndrift = \"stop\"").drift, Drift::Stop);
    }
}
