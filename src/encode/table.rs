//! The table for people: aligned columns, numbers to the right, NULL as –, totals below a rule, the first rows only and
//! then how many more there are. It must not drop a row without saying so, and it keeps only the rows it shows.

use arrow::datatypes::SchemaRef;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement};

use super::columns::Column;
use super::table_cells::{Shape, grouped};
use super::{Chunk, Encoder, Options};
use crate::error::Result;

/// Column that marks totals ('row' | 'total'); shown as a rule above the totals instead.
/// So many rows stand upright, a line per column, where they are too wide for the terminal.
const UPRIGHT_ROWS: usize = 2;

const ROW_KIND: &str = "row_kind";
const TOTAL: &str = "total";
/// Totals are kept however many rows come before them; nobody has more than a few.
const MAX_TOTALS: usize = 20;
/// No borders; one line below the header.
const STYLE: &str = "     ───            ";
/// Stands in for the first character of the first total while the table is laid out (private use, one column wide).
const MARK: char = '\u{E000}';
/// A text column is not squeezed below this many characters; the table gets wider than the terminal instead.
const NARROWEST: usize = 8;

pub(super) struct Table {
    names: Vec<String>,
    shapes: Vec<Shape>,
    row_kind: Option<usize>,
    width: Option<usize>,
    max_rows: usize,
    rows: Vec<Vec<Option<String>>>,
    totals: Vec<Vec<Option<String>>>,
    hidden: u64,
}

impl Table {
    pub fn new(schema: &SchemaRef, options: &Options) -> Table {
        Table {
            names: schema.fields().iter().map(|f| f.name().clone()).collect(),
            shapes: schema.fields().iter().map(|f| Shape::of(f.name(), f.data_type())).collect(),
            row_kind: schema.fields().iter().position(|f| f.name() == ROW_KIND),
            width: options.width,
            max_rows: options.max_rows,
            rows: Vec::new(),
            totals: Vec::new(),
            hidden: 0,
        }
    }

    fn is_total(&self, columns: &[Column], row: usize) -> bool {
        let Some(at) = self.row_kind else { return false };
        let mut kind = String::new();
        columns[at].push_text(row, &mut kind);
        kind == TOTAL
    }

    /// The cells of all kept rows, each column formatted alike: rows first, then totals.
    fn cells(&self) -> Vec<Vec<String>> {
        let kept: Vec<&Vec<Option<String>>> = self.rows.iter().chain(&self.totals).collect();
        let mut cells = vec![Vec::with_capacity(self.names.len()); kept.len()];
        for (at, shape) in self.shapes.iter().enumerate().filter(|(at, _)| Some(*at) != self.row_kind) {
            let raw: Vec<Option<&str>> = kept.iter().map(|row| row[at].as_deref()).collect();
            for (line, text) in cells.iter_mut().zip(shape.format(&raw)) {
                line.push(text);
            }
        }
        for total in cells.iter_mut().skip(self.rows.len()) {
            if let Some(first) = total.first_mut().filter(|first| *first == "–") {
                *first = "Total".into();
            }
        }
        cells
    }

    fn layout(&self) -> Vec<String> {
        let shown = |at: &usize| Some(*at) != self.row_kind;
        let columns: Vec<usize> = (0..self.names.len()).filter(shown).collect();
        let mut table = comfy_table::Table::new();
        table.load_preset(STYLE);
        let align = |at: usize| if self.shapes[at].is_number() { CellAlignment::Right } else { CellAlignment::Left };
        table.set_header(columns.iter().map(|at| Cell::new(&self.names[*at]).set_alignment(align(*at))));
        let mut cells = self.cells();
        let marked = cells.get_mut(self.rows.len()).and_then(|total| total.first_mut()).map(mark);
        for line in cells {
            table.add_row(line.into_iter().zip(&columns).map(|(text, at)| Cell::new(text).set_alignment(align(*at))));
        }
        if !self.fit(&mut table, &columns) && self.rows.len() <= UPRIGHT_ROWS {
            return self.upright(&columns);
        }
        let mut lines: Vec<String> = table.lines().map(|line| line.trim_end().to_string()).collect();
        if let Some(original) = marked
            && let Some(at) = lines.iter().position(|line| line.contains(MARK))
        {
            lines[at] = lines[at].replace(MARK, &original.to_string());
            let rule = lines.get(1).cloned().unwrap_or_default();
            lines.insert(at, rule);
        }
        lines
    }

    /// A few rows too wide for the terminal, a line per column.
    fn upright(&self, columns: &[usize]) -> Vec<String> {
        let mut table = comfy_table::Table::new();
        table.load_preset(comfy_table::presets::NOTHING);
        let cells = self.cells();
        for (i, at) in columns.iter().enumerate() {
            let values = cells.iter().map(|line| Cell::new(&line[i]).set_alignment(CellAlignment::Right));
            table.add_row(std::iter::once(Cell::new(&self.names[*at])).chain(values));
        }
        table.lines().map(|line| line.trim_end().to_string()).collect()
    }

    /// Wraps texts, never numbers, to the terminal's width, unless that would leave texts unreadably narrow. False when the
    /// table is wider than the terminal all the same.
    fn fit(&self, table: &mut comfy_table::Table, columns: &[usize]) -> bool {
        let Some(width) = self.width else { return true };
        let contents = table.column_max_content_widths();
        let needed: usize = columns
            .iter()
            .zip(&contents)
            .map(|(at, wide)| {
                usize::from(*wide).min(if self.shapes[*at].is_number() { usize::MAX } else { NARROWEST }) + 3
            })
            .sum();
        let Ok(width) = u16::try_from(width) else { return true };
        if needed > usize::from(width) {
            return false;
        }
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        for (column, at) in table.column_iter_mut().zip(columns) {
            if self.shapes[*at].is_number() {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        true
    }
}

/// Puts [`MARK`] in place of the first character and returns what was there.
fn mark(text: &mut String) -> char {
    let first = text.chars().next().filter(|c| c.is_ascii() || *c == '–');
    let rest: String = text.chars().skip(usize::from(first.is_some())).collect();
    *text = format!("{MARK}{rest}");
    first.unwrap_or(' ')
}

impl Encoder for Table {
    fn begin(&mut self, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }

    fn rows(&mut self, chunk: &Chunk<'_>, _out: &mut Vec<u8>) -> Result<()> {
        for row in 0..chunk.batch.num_rows() {
            let total = self.is_total(chunk.columns, row);
            let room = if total { self.totals.len() < MAX_TOTALS } else { self.rows.len() < self.max_rows };
            if !room {
                self.hidden += 1;
                continue;
            }
            let texts = chunk.columns.iter().map(|column| {
                (!column.is_null(row)).then(|| {
                    let mut text = String::new();
                    column.push_text(row, &mut text);
                    text
                })
            });
            if total { &mut self.totals } else { &mut self.rows }.push(texts.collect());
        }
        Ok(())
    }

    fn end(&mut self, rows: u64, _receipt: Option<serde_json::Value>, out: &mut Vec<u8>) -> Result<()> {
        for line in self.layout() {
            out.extend_from_slice(line.as_bytes());
            out.push(b'\n');
        }
        if rows == 0 {
            out.extend_from_slice("no rows\n".as_bytes());
        } else if self.hidden > 0 {
            let (more, all) = (grouped(&self.hidden.to_string()), grouped(&rows.to_string()));
            out.extend_from_slice(format!("… {more} more (of {all} rows)\n").as_bytes());
        }
        Ok(())
    }
}
