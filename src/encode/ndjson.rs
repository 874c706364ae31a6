//! NDJSON: one object a line, in column order; no line for an empty result. It must not write a receipt: every line
//! is a row.

use arrow::datatypes::SchemaRef;

use super::columns::{Column, push_json_text};
use super::{Chunk, Encoder};
use crate::error::Result;

pub(super) struct Ndjson {
    objects: Objects,
    text: String,
}

impl Ndjson {
    pub fn new(schema: &SchemaRef) -> Ndjson {
        Ndjson { objects: Objects::new(schema), text: String::new() }
    }
}

impl Encoder for Ndjson {
    fn begin(&mut self, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn rows(&mut self, chunk: &Chunk<'_>, out: &mut Vec<u8>) -> Result<()> {
        for row in 0..chunk.batch.num_rows() {
            self.text.clear();
            self.objects.push(chunk.columns, row, &mut self.text);
            self.text.push('\n');
            out.extend_from_slice(self.text.as_bytes());
        }
        Ok(())
    }

    fn end(&mut self, _rows: u64, _receipt: Option<serde_json::Value>, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}

/// Writes rows as JSON objects: the quoted names are made once.
pub(super) struct Objects {
    keys: Vec<String>,
}

impl Objects {
    pub fn new(schema: &SchemaRef) -> Objects {
        let key = |name: &String| {
            let mut text = String::new();
            push_json_text(&mut text, name);
            text.push(':');
            text
        };
        Objects { keys: schema.fields().iter().map(|f| key(f.name())).collect() }
    }

    pub fn push(&self, columns: &[Column], row: usize, out: &mut String) {
        out.push('{');
        for (i, (key, column)) in self.keys.iter().zip(columns).enumerate() {
            if i > 0 {
                out.push(',');
            }
            out.push_str(key);
            column.push_json(row, out);
        }
        out.push('}');
    }
}
