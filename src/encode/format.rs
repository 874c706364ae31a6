//! The output formats by name, file ending, media type and `Accept` header. It must not write anything.

use std::path::Path;

use crate::error::{Error, Result, did_you_mean};

/// How rows become bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// For people at a terminal: aligned columns, the first rows only.
    Table,
    /// RFC 4180, one header line, NULL = an empty field.
    Csv,
    /// One document `{"columns":[…],"rows":[…]}`, money as strings.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// Arrow IPC: the stream format, or the file format where the output is a file.
    Arrow,
    /// Parquet with zstd.
    Parquet,
}

impl Format {
    /// Every format, in the order in which help texts list them.
    pub const ALL: [Format; 6] =
        [Format::Table, Format::Csv, Format::Json, Format::Ndjson, Format::Arrow, Format::Parquet];

    /// The name users write: `--format csv`, `format=csv`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Csv => "csv",
            Format::Json => "json",
            Format::Ndjson => "ndjson",
            Format::Arrow => "arrow",
            Format::Parquet => "parquet",
        }
    }

    /// The media type, as in `Content-Type`.
    pub fn mime(self) -> &'static str {
        match self {
            Format::Table => "text/plain; charset=utf-8",
            Format::Csv => "text/csv; charset=utf-8",
            Format::Json => "application/json",
            Format::Ndjson => "application/x-ndjson",
            Format::Arrow => "application/vnd.apache.arrow.stream",
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// The usual file ending, without a dot.
    pub fn ending(self) -> &'static str {
        match self {
            Format::Table => "txt",
            other => other.name(),
        }
    }

    /// Whether the bytes are meant for programs only, never for a terminal.
    pub fn is_binary(self) -> bool {
        matches!(self, Format::Arrow | Format::Parquet)
    }

    /// The format called `name`; `Invalid` with the known names otherwise.
    pub fn parse(name: &str) -> Result<Format> {
        let wanted = name.trim().to_ascii_lowercase();
        Format::ALL
            .into_iter()
            .find(|f| f.name() == wanted)
            .or(match wanted.as_str() {
                "jsonl" => Some(Format::Ndjson),
                "text" | "txt" => Some(Format::Table),
                _ => None,
            })
            .ok_or_else(|| {
                Error::invalid(format!("unknown format '{name}'"))
                    .hint(did_you_mean(&wanted, Format::ALL.map(Format::name)))
            })
    }

    /// The format that a file name's ending asks for; `Invalid` when the ending says nothing.
    pub fn of_path(path: &Path) -> Result<Format> {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        match ending.as_str() {
            "arrows" | "feather" => Ok(Format::Arrow),
            "jsonl" => Ok(Format::Ndjson),
            known => Format::ALL.into_iter().find(|f| f.ending() == known).ok_or_else(|| {
                Error::invalid(format!("{}: its ending tells no format", path.display()))
                    .hint(format!("name a format, or end it in .{}", Format::ALL.map(Format::ending).join(", .")))
            }),
        }
    }

    /// The format that an `Accept` header prefers (RFC 9110, 12.5.1); JSON where it has no preference.
    /// `None` when it accepts none of ours.
    pub fn negotiate(accept: &str) -> Option<Format> {
        let ranges: Vec<(String, f32)> = accept.split(',').filter_map(media_range).collect();
        if ranges.is_empty() {
            return Some(Format::Json);
        }
        let mut best: Option<(f32, Format)> = None;
        // JSON first: it wins ties, so that `*/*` and browsers get it.
        for format in [Format::Json, Format::Csv, Format::Ndjson, Format::Arrow, Format::Parquet, Format::Table] {
            let q = format.quality(&ranges);
            if q > 0.0 && best.is_none_or(|(top, _)| q > top) {
                best = Some((q, format));
            }
        }
        best.map(|(_, format)| format)
    }

    /// The quality of this format: that of the most specific range that matches it, 0 when none does.
    fn quality(self, ranges: &[(String, f32)]) -> f32 {
        let kind = |name: &str| name.split('/').next().map(|k| format!("{k}/*"));
        let mut best = (0, 0.0);
        for (range, q) in ranges {
            let specific = if self.media_types().contains(&range.as_str()) {
                3
            } else if self.media_types().iter().any(|m| kind(m).as_deref() == Some(range)) {
                2
            } else if range == "*/*" {
                1
            } else {
                0
            };
            if specific > best.0 {
                best = (specific, *q);
            }
        }
        best.1
    }

    fn media_types(self) -> &'static [&'static str] {
        match self {
            Format::Table => &["text/plain"],
            Format::Csv => &["text/csv"],
            Format::Json => &["application/json"],
            Format::Ndjson => &["application/x-ndjson", "application/ndjson", "application/jsonl"],
            Format::Arrow => &["application/vnd.apache.arrow.stream"],
            Format::Parquet => &["application/vnd.apache.parquet"],
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Format {
    type Err = Error;
    fn from_str(name: &str) -> Result<Format> {
        Format::parse(name)
    }
}

/// `text/csv;q=0.5` → (`text/csv`, 0.5); `None` for what is no media range.
fn media_range(text: &str) -> Option<(String, f32)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|n| n.contains('/'))?.to_ascii_lowercase();
    let q = parts
        .filter_map(|p| p.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("q"))
        .map_or(1.0, |(_, value)| value.trim().parse().unwrap_or(0.0));
    Some((name, q))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_endings_and_near_names() {
        for format in Format::ALL {
            assert_eq!(Format::parse(format.name()).unwrap(), format);
            assert_eq!(Format::of_path(Path::new(&format!("out.{}", format.ending()))).unwrap(), format);
        }
        assert_eq!(Format::of_path(Path::new("a/b.CSV")).unwrap(), Format::Csv);
        assert!(Format::of_path(Path::new("noending")).is_err());
        let error = Format::parse("parket").unwrap_err();
        assert!(error.hint_text().unwrap().contains("parquet"), "{error:?}");
    }

    #[test]
    fn accept_is_negotiated_by_quality_then_by_how_specific_it_is() {
        let cases = [
            ("", Some(Format::Json)),
            ("*/*", Some(Format::Json)),
            ("text/csv", Some(Format::Csv)),
            ("TEXT/CSV; q=0.5, application/x-ndjson;q=0.6", Some(Format::Ndjson)),
            ("application/json;q=0, */*;q=0.1", Some(Format::Csv)),
            ("text/*", Some(Format::Csv)),
            ("text/plain, text/*;q=0.3", Some(Format::Table)),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(Format::Json)),
            ("application/vnd.apache.arrow.stream", Some(Format::Arrow)),
            ("image/png", None),
            ("text/csv;q=0", None),
        ];
        for (accept, expected) in cases {
            assert_eq!(Format::negotiate(accept), expected, "{accept}");
        }
    }
}
