//! The table for people: aligned columns, numbers to the right, NULL as –, totals below a rule, the first rows only. On a
//! terminal it finds a form that fits. It must not drop a row or a column without saying so, and it keeps only the rows
//! it shows.

use arrow::datatypes::SchemaRef;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement};

use super::columns::Column;
use super::table_cells::{NONE, Shape, grouped};
use super::table_fit::{Fit, Room, fit, squeezed};
use super::{Chunk, Encoder, Options};
use crate::error::Result;

/// Column that marks totals ('row' | 'total'); shown as a rule above the totals instead.
const ROW_KIND: &str = "row_kind";
const TOTAL: &str = "total";
/// Columns that say more about `period_start`.
const ASIDE: [&str; 2] = ["period_end", "is_partial_period"];
/// So many rows stand upright, a line per column, where they are too wide for the terminal.
const UPRIGHT_ROWS: usize = 2;
/// Totals are kept however many rows come before them; nobody has more than a few.
const MAX_TOTALS: usize = 20;
/// No borders; one line below the header.
const STYLE: &str = "     ───            ";
/// Marks the line of the first total while the table is laid out: no column wide, and escaped in every value.
const MARK: char = '\u{200E}';

pub(super) struct Table {
    /// Positions in the result of the columns that are shown: all but [`ROW_KIND`].
    columns: Vec<usize>,
    names: Vec<String>,
    shapes: Vec<Shape>,
    row_kind: Option<usize>,
    main: Vec<String>,
    width: Option<usize>,
    max_rows: usize,
    rows: Vec<Vec<Option<String>>>,
    totals: Vec<Vec<Option<String>>>,
    rows_hidden: u64,
    notes_apart: bool,
    notes: Vec<String>,
}

impl Table {
    pub fn new(schema: &SchemaRef, options: &Options) -> Table {
        let row_kind = schema.fields().iter().position(|f| f.name() == ROW_KIND);
        let columns: Vec<usize> = (0..schema.fields().len()).filter(|at| Some(*at) != row_kind).collect();
        Table {
            names: columns.iter().map(|at| schema.field(*at).name().clone()).collect(),
            shapes: columns
                .iter()
                .map(|at| Shape::of(schema.field(*at).name(), schema.field(*at).data_type()))
                .collect(),
            columns,
            row_kind,
            main: options.main.clone(),
            width: options.width,
            max_rows: options.max_rows,
            rows: Vec::new(),
            totals: Vec::new(),
            rows_hidden: 0,
            notes_apart: options.notes_apart,
            notes: Vec::new(),
        }
    }

    fn is_total(&self, columns: &[Column], row: usize) -> bool {
        let Some(at) = self.row_kind else { return false };
        let mut kind = String::new();
        columns[at].push_text(row, &mut kind);
        kind == TOTAL
    }

    /// The cells of each column, formatted alike: rows first, then totals.
    fn cells(&self) -> Vec<Vec<String>> {
        let kept: Vec<_> = self.rows.iter().chain(&self.totals).collect();
        let column =
            |(at, shape): (usize, &Shape)| shape.format(&kept.iter().map(|row| row[at].as_deref()).collect::<Vec<_>>());
        self.shapes.iter().enumerate().map(column).collect()
    }

    /// Whether every row has one value in column `at`; a total may have none instead.
    fn is_same(&self, at: usize) -> bool {
        let first = self.rows.first().map(|row| &row[at]);
        let as_first = |row: &Vec<Option<String>>| Some(&row[at]) == first;
        self.rows.iter().all(as_first) && self.totals.iter().all(|total| total[at].is_none() || as_first(total))
    }

    /// The lines of the table, and what it leaves out goes to the notes.
    fn layout(&mut self) -> Vec<String> {
        let cells = self.cells();
        let all: Vec<usize> = (0..self.names.len()).collect();
        let Some(terminal) = self.width else { return self.draw(&cells, &all) };
        let rooms = self.rooms(&cells, &all);
        if self.rows.len() <= UPRIGHT_ROWS {
            return if squeezed(&rooms) <= terminal { self.draw(&cells, &all) } else { self.upright(&cells) };
        }
        let Fit { shown, same, hidden } = fit(&rooms, terminal);
        let mut lines = self.draw(&cells, &shown);
        if !same.is_empty() {
            let values: Vec<String> =
                same.iter().map(|at| format!("{} = {}", self.names[*at], cells[*at][0])).collect();
            let whose = if self.rows_hidden > 0 { "all rows shown" } else { "all rows" };
            lines.push(format!("the same in {whose}: {}", values.join(", ")));
        }
        if !hidden.is_empty() {
            let names: Vec<&str> = hidden.iter().map(|at| self.names[*at].as_str()).collect();
            self.notes.push(format!("… {} more columns: {}", names.len(), names.join(", ")));
        }
        lines
    }

    fn rooms(&self, cells: &[Vec<String>], all: &[usize]) -> Vec<Room> {
        let widths = self.grid(cells, all).column_max_content_widths();
        let room = |(at, width): (usize, u16)| Room {
            width: usize::from(width),
            number: self.shapes[at].is_number(),
            same: self.is_same(at),
            main: self.main.contains(&self.names[at]),
            aside: ASIDE.contains(&self.names[at].as_str()),
        };
        widths.into_iter().enumerate().map(room).collect()
    }

    /// The columns at `shown`, side by side.
    fn grid(&self, cells: &[Vec<String>], shown: &[usize]) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table.load_preset(STYLE);
        let align = |at: usize| if self.shapes[at].is_number() { CellAlignment::Right } else { CellAlignment::Left };
        table.set_header(shown.iter().map(|at| Cell::new(&self.names[*at]).set_alignment(align(*at))));
        let row = |row: usize| {
            let cell = move |(place, at): (usize, &usize)| {
                let text = &cells[*at][row];
                let text = if place == 0 { self.first_cell(text, row) } else { text.clone() };
                Cell::new(text).set_alignment(align(*at))
            };
            shown.iter().enumerate().map(cell).collect::<Vec<_>>()
        };
        table.add_rows((0..self.rows.len() + self.totals.len()).map(row));
        table
    }

    /// The first cell of a row: totals are labelled, and the first of them is marked.
    fn first_cell(&self, text: &str, row: usize) -> String {
        let mark = if row == self.rows.len() { String::from(MARK) } else { String::new() };
        let label = if row >= self.rows.len() && text == NONE { "Total" } else { text };
        mark + label
    }

    fn draw(&self, cells: &[Vec<String>], shown: &[usize]) -> Vec<String> {
        let mut table = self.grid(cells, shown);
        self.wrap(&mut table, shown);
        let mut lines: Vec<String> = table.lines().map(|line| line.trim_end().to_string()).collect();
        if let Some(at) = lines.iter().position(|line| line.contains(MARK)) {
            lines[at] = lines[at].replace(MARK, "");
            let rule = lines.get(1).cloned().unwrap_or_default();
            lines.insert(at, rule);
        }
        lines
    }

    /// Wraps texts, never numbers, to the terminal's width.
    fn wrap(&self, table: &mut comfy_table::Table, shown: &[usize]) {
        let Some(width) = self.width.and_then(|width| u16::try_from(width).ok()) else { return };
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        for (column, at) in table.column_iter_mut().zip(shown) {
            if self.shapes[*at].is_number() {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
    }

    /// A few rows too wide for the terminal, a line per column.
    fn upright(&self, cells: &[Vec<String>]) -> Vec<String> {
        let mut table = comfy_table::Table::new();
        table.load_preset(comfy_table::presets::NOTHING);
        for (name, values) in self.names.iter().zip(cells) {
            let values = values.iter().map(|value| Cell::new(value).set_alignment(CellAlignment::Right));
            table.add_row(std::iter::once(Cell::new(name)).chain(values));
        }
        table.lines().map(|line| line.trim_end().to_string()).collect()
    }
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
                self.rows_hidden += 1;
                continue;
            }
            let texts = self.columns.iter().map(|at| &chunk.columns[*at]).map(|column| {
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
        let mut lines = self.layout();
        if self.rows_hidden > 0 {
            let (more, all) = (grouped(&self.rows_hidden.to_string()), grouped(&rows.to_string()));
            self.notes.push(format!("… {more} more (of {all} rows)"));
        }
        if !self.notes_apart {
            lines.append(&mut self.notes);
            lines.extend((rows == 0).then(|| "no rows".to_string()));
        }
        for line in lines {
            out.extend_from_slice(line.as_bytes());
            out.push(b'\n');
        }
        Ok(())
    }

    fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
