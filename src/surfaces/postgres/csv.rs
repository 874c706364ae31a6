//! Rows as lines of CSV, with PostgreSQL's quotes: NULL and an empty text differ. It must not know types: cells are texts
//! already.

/// How lines are written.
#[derive(Debug, Clone)]
pub struct Csv {
    pub delimiter: u8,
    /// What stands for NULL.
    pub null: String,
    /// There is one column: its `\.` would end the data for readers of old.
    pub single: bool,
}

impl Csv {
    /// The line of `cells`, with its end.
    pub fn line<'a>(&self, cells: impl Iterator<Item = Option<&'a [u8]>>) -> Vec<u8> {
        let mut line = Vec::new();
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                line.push(self.delimiter);
            }
            match cell {
                None => line.extend_from_slice(self.null.as_bytes()),
                Some(text) if self.needs_quotes(text) => {
                    line.push(b'"');
                    for byte in text {
                        line.extend(std::iter::repeat_n(*byte, if *byte == b'"' { 2 } else { 1 }));
                    }
                    line.push(b'"');
                }
                Some(text) => line.extend_from_slice(text),
            }
        }
        line.push(b'\n');
        line
    }

    /// Whether a reader would take the bare text for something else.
    fn needs_quotes(&self, text: &[u8]) -> bool {
        let means_something = |byte: &u8| *byte == self.delimiter || matches!(byte, b'"' | b'\n' | b'\r');
        text == self.null.as_bytes() || (self.single && text == br"\.") || text.iter().any(means_something)
    }
}

/// The cells of a row as the protocol sends it: before each stands its length, −1 = NULL.
pub fn cells(mut row: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    std::iter::from_fn(move || {
        let (length, rest) = row.split_first_chunk::<4>()?;
        let length = usize::try_from(i32::from_be_bytes(*length)).ok();
        let (cell, rest) = rest.split_at_checked(length.unwrap_or(0))?;
        row = rest;
        Some(length.map(|_| cell))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(null: &str, texts: &[Option<&str>]) -> String {
        let csv = Csv { delimiter: b',', null: null.into(), single: texts.len() == 1 };
        String::from_utf8(csv.line(texts.iter().map(|text| text.map(str::as_bytes)))).unwrap()
    }

    #[test]
    fn null_and_an_empty_text_differ() {
        assert_eq!(line("", &[Some(""), None, Some("x"), None]), "\"\",,x,\n");
        assert_eq!(line("NULL", &[Some(""), None, Some("NULL"), Some("NULLs")]), ",NULL,\"NULL\",NULLs\n");
    }

    #[test]
    fn what_means_something_is_quoted() {
        let texts = [Some("a,b"), Some("say \"no\""), Some("two\nlines"), Some("é"), Some(" ")];
        assert_eq!(line("", &texts), "\"a,b\",\"say \"\"no\"\"\",\"two\nlines\",é, \n");
        assert_eq!(line("", &[Some("\\.")]), "\"\\.\"\n");
        assert_eq!(line("", &[Some("\\."), None]), "\\.,\n");
    }

    #[test]
    fn a_row_comes_apart_into_its_cells() {
        let row = [0, 0, 0, 1, b'a', 255, 255, 255, 255, 0, 0, 0, 0];
        assert_eq!(cells(&row).collect::<Vec<_>>(), [Some(&b"a"[..]), None, Some(&b""[..])]);
    }
}
