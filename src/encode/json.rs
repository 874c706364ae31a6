//! JSON: `{"columns":[{"name","type"}],"rows":[{…}],"receipt":{…}}`, written as the rows come; the receipt is last
//! because its row count and checksum are. Decimals, dates and instants are strings, types have their SQL names. It must not
//! collect rows.

use arrow::datatypes::SchemaRef;
use serde_json::{Value, json};

use super::ndjson::Objects;
use super::{Chunk, Encoder};
use crate::engine::type_name;
use crate::error::Result;

pub(super) struct Json {
    columns: Value,
    objects: Objects,
    text: String,
    first: bool,
}

impl Json {
    pub fn new(schema: &SchemaRef) -> Json {
        let column = |f: &arrow::datatypes::FieldRef| json!({ "name": f.name(), "type": type_name(f.data_type()) });
        Json {
            columns: schema.fields().iter().map(column).collect(),
            objects: Objects::new(schema),
            text: String::new(),
            first: true,
        }
    }
}

impl Encoder for Json {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(format!("{{\"columns\":{},\"rows\":[", self.columns).as_bytes());
        Ok(())
    }

    fn rows(&mut self, chunk: &Chunk<'_>, out: &mut Vec<u8>) -> Result<()> {
        for row in 0..chunk.batch.num_rows() {
            self.text.clear();
            self.text.push_str(if self.first { "\n" } else { ",\n" });
            self.first = false;
            self.objects.push(chunk.columns, row, &mut self.text);
            out.extend_from_slice(self.text.as_bytes());
        }
        Ok(())
    }

    fn end(&mut self, _rows: u64, receipt: Option<Value>, out: &mut Vec<u8>) -> Result<()> {
        out.extend_from_slice(b"\n]");
        if let Some(receipt) = receipt {
            out.extend_from_slice(format!(",\"receipt\":{receipt}").as_bytes());
        }
        out.extend_from_slice(b"}\n");
        Ok(())
    }
}
