//! EXPLAIN for people: each kind of plan is a heading, its text follows as it was laid out. It must not cut a plan.

use arrow::datatypes::Schema;

use super::table_cells::safe;
use super::{Chunk, Encoder};
use crate::error::Result;

/// The columns of every EXPLAIN.
const COLUMNS: [&str; 2] = ["plan_type", "plan"];

#[derive(Default)]
pub(super) struct Plan {
    begun: bool,
}

impl Plan {
    /// Whether rows of `schema` are plans.
    pub fn is(schema: &Schema) -> bool {
        schema.fields().iter().map(|f| f.name().as_str()).eq(COLUMNS)
    }
}

impl Encoder for Plan {
    fn begin(&mut self, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn rows(&mut self, chunk: &Chunk<'_>, out: &mut Vec<u8>) -> Result<()> {
        let [kinds, plans] = chunk.columns else { return Ok(()) };
        for row in 0..chunk.batch.num_rows() {
            let (mut kind, mut plan) = (String::new(), String::new());
            kinds.push_text(row, &mut kind);
            plans.push_text(row, &mut plan);
            if std::mem::replace(&mut self.begun, true) {
                out.push(b'\n');
            }
            out.extend_from_slice(format!("{}\n", safe(&kind)).as_bytes());
            for line in plan.trim_end().lines() {
                out.extend_from_slice(format!("  {}\n", safe(line)).as_bytes());
            }
        }
        Ok(())
    }

    fn end(&mut self, _rows: u64, _receipt: Option<serde_json::Value>, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}
