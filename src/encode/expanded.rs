//! The table for people with a line per column, row below row: for results wider than any terminal. It must not drop a
//! row or a column without saying so.

use arrow::datatypes::SchemaRef;

use super::table_cells::{NONE, Shape, grouped, safe};
use super::{Chunk, Encoder, Options};
use crate::error::Result;

pub(super) struct Expanded {
    /// Column names, all of one width.
    names: Vec<String>,
    shapes: Vec<Shape>,
    max_rows: usize,
    shown: usize,
    notes_apart: bool,
    notes: Vec<String>,
}

impl Expanded {
    pub fn new(schema: &SchemaRef, options: &Options) -> Expanded {
        let width = |name: &str| console::measure_text_width(name);
        let widest = schema.fields().iter().map(|f| width(f.name())).max().unwrap_or(0);
        let padded = |name: &str| format!("{name}{}", " ".repeat(widest - width(name)));
        Expanded {
            names: schema.fields().iter().map(|f| padded(f.name())).collect(),
            shapes: schema.fields().iter().map(|f| Shape::of(f.name(), f.data_type())).collect(),
            max_rows: options.max_rows,
            shown: 0,
            notes_apart: options.notes_apart,
            notes: Vec::new(),
        }
    }
}

/// A value in full: a row has the terminal to itself.
fn value(shape: Shape, text: &str) -> String {
    match shape {
        Shape::Text => safe(text),
        number => number.format(&[Some(text)]).concat(),
    }
}

impl Encoder for Expanded {
    fn begin(&mut self, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn rows(&mut self, chunk: &Chunk<'_>, out: &mut Vec<u8>) -> Result<()> {
        for row in 0..chunk.batch.num_rows().min(self.max_rows - self.shown) {
            self.shown += 1;
            out.extend_from_slice(format!("── row {} ──\n", grouped(&self.shown.to_string())).as_bytes());
            for ((column, name), shape) in chunk.columns.iter().zip(&self.names).zip(&self.shapes) {
                let mut text = String::new();
                column.push_text(row, &mut text);
                let text = if column.is_null(row) { NONE.into() } else { value(*shape, &text) };
                out.extend_from_slice(format!("{name}  {text}\n").as_bytes());
            }
        }
        Ok(())
    }

    fn end(&mut self, rows: u64, _receipt: Option<serde_json::Value>, out: &mut Vec<u8>) -> Result<()> {
        let more = rows.saturating_sub(self.shown as u64);
        if more > 0 {
            let (more, all) = (grouped(&more.to_string()), grouped(&rows.to_string()));
            self.notes.push(format!("… {more} more (of {all} rows)"));
        }
        if !self.notes_apart {
            let told = self.notes.drain(..).chain((rows == 0).then(|| "no rows".to_string()));
            told.for_each(|note| out.extend_from_slice(format!("{note}\n").as_bytes()));
        }
        Ok(())
    }

    fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Decimal128Array, RecordBatch, StringArray};

    use super::*;
    use crate::encode::columns::Column;

    fn shown(max_rows: usize) -> String {
        let money = Decimal128Array::from(vec![Some(12_345_000), None]).with_precision_and_scale(18, 4).unwrap();
        let columns: [(&str, ArrayRef); 2] =
            [("渠道", Arc::new(StringArray::from(vec!["web\n", "shop"]))), ("net_sales", Arc::new(money))];
        let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(n, a)| (n, a, true))).unwrap();
        let mut table = Expanded::new(&batch.schema(), &Options { max_rows, ..Options::default() });
        let mut out = Vec::new();
        let columns = Column::all(&batch).unwrap();
        table.rows(&Chunk { batch: &batch, columns: &columns }, &mut out).unwrap();
        table.end(2, None, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_is_a_block_with_a_line_per_column() {
        let expected =
            "── row 1 ──\n渠道       web\\n\nnet_sales  1,234.50\n── row 2 ──\n渠道       shop\nnet_sales  –\n";
        assert_eq!(shown(10), expected);
    }

    #[test]
    fn rows_that_are_not_shown_are_told() {
        let told = shown(1);
        assert!(
            told.contains("row 1") && !told.contains("row 2") && told.ends_with("… 1 more (of 2 rows)\n"),
            "{told}"
        );
    }
}
