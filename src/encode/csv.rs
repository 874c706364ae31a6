//! CSV by RFC 4180: one header line, NULL is an empty field, an empty text is `""`, decimals with their full scale.
//! Lines end in LF alone, as text tools expect; readers of RFC 4180 take both. It must not round.

use arrow::datatypes::SchemaRef;

use super::{Chunk, Encoder};
use crate::error::Result;

pub(super) struct Csv {
    header: Vec<String>,
    line: String,
    value: String,
}

impl Csv {
    pub fn new(schema: &SchemaRef) -> Csv {
        let header = schema.fields().iter().map(|f| f.name().clone()).collect();
        Csv { header, line: String::new(), value: String::new() }
    }
}

impl Encoder for Csv {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        for (i, name) in self.header.iter().enumerate() {
            if i > 0 {
                self.line.push(',');
            }
            push_field(&mut self.line, name);
        }
        end_line(&mut self.line, out);
        Ok(())
    }

    fn rows(&mut self, chunk: &Chunk<'_>, out: &mut Vec<u8>) -> Result<()> {
        for row in 0..chunk.batch.num_rows() {
            for (i, column) in chunk.columns.iter().enumerate() {
                if i > 0 {
                    self.line.push(',');
                }
                if !column.is_null(row) {
                    self.value.clear();
                    column.push_text(row, &mut self.value);
                    push_field(&mut self.line, &self.value);
                }
            }
            // Readers skip blank lines: a lone NULL is written as an empty text, so that the row is not lost.
            if self.line.is_empty() {
                self.line.push_str("\"\"");
            }
            end_line(&mut self.line, out);
        }
        Ok(())
    }

    fn end(&mut self, _rows: u64, _receipt: Option<serde_json::Value>, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}

fn end_line(line: &mut String, out: &mut Vec<u8>) {
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
    line.clear();
}

/// Quotes where RFC 4180 asks for it, where the text is empty (to differ from NULL) and around outer blanks.
fn push_field(line: &mut String, text: &str) {
    let quoted = text.is_empty()
        || text.contains(['"', ',', '\n', '\r'])
        || text.starts_with(char::is_whitespace)
        || text.ends_with(char::is_whitespace);
    if !quoted {
        return line.push_str(text);
    }
    line.push('"');
    for (i, part) in text.split('"').enumerate() {
        if i > 0 {
            line.push_str("\"\"");
        }
        line.push_str(part);
    }
    line.push('"');
}
