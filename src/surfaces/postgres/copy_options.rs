//! How COPY shall write rows: what its options say, and which of them could not be read again. It must not write.

use super::lexer::Token;
use super::settings::is_utf8;
use crate::error::{Error, Result};

/// How COPY writes rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyFormat {
    pub kind: CopyKind,
    pub header: bool,
    /// One byte that is a character.
    pub delimiter: Option<u8>,
    pub null: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyKind {
    Text,
    Csv,
    Binary,
}

/// The options behind `TO STDOUT`: `WITH (FORMAT csv, HEADER, …)`, or as of old `CSV HEADER`.
pub fn copy_format(options: &[(Token, usize)]) -> Result<CopyFormat> {
    let mut format = CopyFormat { kind: CopyKind::Text, header: false, delimiter: None, null: None };
    let mut words = options.iter().map(|(t, _)| t).filter(|t| !matches!(t, Token::Symbol(_)) && !t.is("with"));
    while let Some(token) = words.next() {
        let option = token.value().unwrap_or_default();
        let mut text = || {
            let value = words.next().filter(|word| !word.is("as")).or_else(|| words.next()).and_then(Token::value);
            value.ok_or_else(|| Error::invalid(format!("COPY: the option {option} has no value")))
        };
        match option.to_ascii_lowercase().as_str() {
            "format" => format.kind = named_kind(text()?)?,
            "header" => format.header = true,
            "true" | "on" | "1" => {}
            "false" | "off" | "0" => format.header = false,
            "delimiter" => format.delimiter = Some(delimiter(text()?)?),
            "null" => format.null = Some(text()?.into()),
            "encoding" => utf8(text()?)?,
            "as" => {}
            word => {
                let unknown = || Error::invalid(format!("COPY: the option {option} is not known"));
                format.kind = kind(word).ok_or_else(unknown)?;
            }
        }
    }
    unambiguous(&format)?;
    Ok(format)
}

/// Rows are written in UTF-8 only.
fn utf8(encoding: &str) -> Result<()> {
    match is_utf8(encoding) {
        true => Ok(()),
        false => Err(Error::invalid(format!("COPY: the encoding {encoding} is not written"))
            .hint("leave ENCODING out: rows come in UTF-8; iconv turns them into others")),
    }
}

fn delimiter(text: &str) -> Result<u8> {
    match text.as_bytes() {
        [b'\n' | b'\r'] => Err(Error::invalid("COPY delimiter cannot be newline or carriage return")),
        [byte] => Ok(*byte),
        _ => Err(Error::invalid("COPY delimiter must be a single one-byte character")
            .hint("DELIMITER ';', or DELIMITER E'\\t' for a tab")),
    }
}

/// Fails where a reader could not tell cells apart.
fn unambiguous(format: &CopyFormat) -> Result<()> {
    let null = format.null.as_deref().unwrap_or_default();
    if null.contains(['\n', '\r']) {
        return Err(Error::invalid("COPY null representation cannot use newline or carriage return"));
    }
    let Some(delimiter) = format.delimiter else { return Ok(()) };
    let wrong: String = match format.kind {
        CopyKind::Binary => "cannot specify DELIMITER in BINARY mode".into(),
        CopyKind::Csv if delimiter == b'"' => "COPY delimiter and quote must be different".into(),
        CopyKind::Text if b"\\.abcdefghijklmnopqrstuvwxyz0123456789".contains(&delimiter) => {
            format!("COPY delimiter cannot be \"{}\"", char::from(delimiter))
        }
        _ if null.as_bytes().contains(&delimiter) => {
            "COPY delimiter character must not appear in the NULL specification".into()
        }
        _ => return Ok(()),
    };
    Err(Error::invalid(wrong))
}

fn named_kind(word: &str) -> Result<CopyKind> {
    kind(word).ok_or_else(|| {
        Error::invalid(format!("COPY format \"{word}\" not recognized")).hint(
            "FORMAT csv, text or binary; Parquet, Arrow and JSON come over HTTP (format=parquet) and from `saleslake sql --format parquet`",
        )
    })
}

fn kind(word: &str) -> Option<CopyKind> {
    match word.to_ascii_lowercase().as_str() {
        "text" => Some(CopyKind::Text),
        "csv" => Some(CopyKind::Csv),
        "binary" => Some(CopyKind::Binary),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;

    #[test]
    fn what_copy_cannot_write_is_refused() {
        let delimiter =
            |options: &str| copy_format(&tokens(options)).map(|format| format.delimiter).map_err(|e| e.to_string());
        assert_eq!(delimiter("CSV DELIMITER AS '|' NULL AS ''"), Ok(Some(b'|')));
        assert_eq!(delimiter("WITH (FORMAT csv, ENCODING 'UTF-8', HEADER)"), Ok(None));
        assert_eq!(delimiter("WITH (FORMAT csv, DELIMITER E'\\t')"), Ok(Some(b'\t')));
        for (options, told) in [
            ("WITH (FORMAT csv, DELIMITER '§')", "single one-byte character"),
            ("WITH (FORMAT csv, DELIMITER '||')", "single one-byte character"),
            ("WITH (FORMAT csv, DELIMITER '')", "single one-byte character"),
            ("WITH (FORMAT csv, DELIMITER '\"')", "must be different"),
            ("WITH (DELIMITER 'a')", "cannot be \"a\""),
            ("WITH (FORMAT csv, DELIMITER ';', NULL 'a;b')", "NULL specification"),
            ("WITH (FORMAT binary, DELIMITER ';')", "BINARY"),
            ("WITH (FORMAT csv, ENCODING 'LATIN1')", "encoding LATIN1"),
            ("WITH (FORMAT csv, 'x')", "option x is not known"),
            ("WITH (FORMAT parquet)", "COPY format \"parquet\" not recognized"),
            ("WITH (FORMAT csv, FORCE_QUOTE *)", "force_quote is not known"),
        ] {
            let error = delimiter(options).unwrap_err();
            assert!(error.contains(told), "{options}: {error}");
        }
    }
}
