//! Workbooks (.xlsx, .xls): one sheet, one row a record, every cell a text; line = the row's number in the sheet. Rows
//! without a value are no records. It must not hold a sheet of .xlsx in memory: a thread reads it, row by row.

mod cells;
mod strings;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use calamine::{Data, Reader as _, SheetType, Xls, Xlsx};

use super::csv::name_by_place;
use super::unpack::peek;
use super::{Bad, CHUNK_BYTES, CHUNK_RECORDS, Chunk, Columns, Input, Raws, Reader, looks, texts};
use crate::error::{Error, Result, did_you_mean};
use crate::ingest::source::Sheet;

/// Rows that are handed over at a time.
const ROWS: usize = 1024;

/// A row that has values.
struct Row {
    /// From 0.
    number: i64,
    /// By column, from 0; an error is a cell's own, such as #N/A.
    cells: Vec<(usize, std::result::Result<String, String>)>,
}

/// What the thread sends. If it falls silent without `End`, it has panicked.
enum Sent {
    Rows(Vec<Row>),
    Failed(Error),
    End,
}

pub(super) struct ExcelReader {
    sent: Receiver<Sent>,
    rows: VecDeque<Row>,
    end: bool,
    schema: SchemaRef,
    /// The file's own columns.
    width: usize,
}

impl ExcelReader {
    /// `header_row`: from 1; else the first that has a value.
    pub(super) fn open(
        input: Input,
        sheet: Option<&Sheet>,
        header_row: Option<u32>,
        optional: &[String],
    ) -> Result<ExcelReader> {
        let (send, sent) = sync_channel(2);
        let sheet = sheet.cloned();
        match input {
            Input::Path(path) => {
                let file = BufReader::new(File::open(path)?);
                std::thread::spawn(move || read(file, sheet.as_ref(), &send));
            }
            Input::Bytes(bytes) => {
                std::thread::spawn(move || read(Cursor::new(bytes), sheet.as_ref(), &send));
            }
        }
        let mut reader = ExcelReader { sent, rows: VecDeque::new(), end: false, schema: texts([]), width: 0 };
        let header = loop {
            match reader.row()? {
                None => break None,
                Some(row) if header_row.is_none_or(|wanted| row.number + 1 == i64::from(wanted)) => break Some(row),
                Some(row) if header_row.is_some_and(|wanted| row.number >= i64::from(wanted)) => {
                    return Err(Error::invalid(format!("row {} of the sheet has no names", header_row.unwrap_or(1)))
                        .hint("[read] header_row is the number of the row with the columns' names"));
                }
                Some(_) => {}
            }
        };
        if let Some(header) = header {
            let mut names = vec![String::new(); header.cells.last().map_or(0, |(column, _)| column + 1)];
            for (column, name) in header.cells {
                names[column] = name.unwrap_or_default().trim().to_string();
            }
            name_by_place(&mut names);
            if let Some(twice) = names.iter().enumerate().find_map(|(i, n)| names[..i].contains(n).then_some(n)) {
                return Err(Error::invalid(format!("two columns are called {twice:?}"))
                    .hint("give each column its own name, or say [read] header_row"));
            }
            reader.width = names.len();
            names.extend(optional.iter().filter(|o| !names.contains(o)).cloned().collect::<Vec<_>>());
            reader.schema = texts(names.iter().map(String::as_str));
        }
        Ok(reader)
    }

    fn row(&mut self) -> Result<Option<Row>> {
        while self.rows.is_empty() && !self.end {
            match self.sent.recv() {
                Ok(Sent::Rows(rows)) => self.rows.extend(rows),
                Ok(Sent::End) => self.end = true,
                Ok(Sent::Failed(e)) => {
                    self.end = true;
                    return Err(e);
                }
                Err(_) => return Err(damaged("the program that reads it gave up")),
            }
        }
        let mut row = self.rows.pop_front();
        // Not every program writes them in order.
        row.iter_mut().for_each(|r| r.cells.sort_by_key(|(column, _)| *column));
        Ok(row)
    }
}

impl Reader for ExcelReader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn columns(&self) -> Columns {
        self.schema.fields().iter().take(self.width).map(|f| (f.name().clone(), "text".to_string())).collect()
    }

    fn want(&mut self, _: &[bool]) {}

    fn next(&mut self) -> Result<Option<Chunk>> {
        let mut columns: Vec<StringBuilder> = self.schema.fields().iter().map(|_| StringBuilder::new()).collect();
        let (mut lines, mut bad, mut bytes) = (Vec::new(), Vec::new(), 0);
        while lines.len() + bad.len() < CHUNK_RECORDS && bytes < CHUNK_BYTES {
            let Some(row) = self.row()? else { break };
            let line = row.number + 1;
            if let Some(message) = complaint(&row, self.width) {
                bad.push(Bad { line, message, raw: shown(&row, &self.columns()) });
                continue;
            }
            let mut cells = row.cells.into_iter().peekable();
            for (i, column) in columns.iter_mut().enumerate() {
                match cells.next_if(|(at, _)| *at == i) {
                    Some((_, Ok(text))) => {
                        bytes += text.len();
                        column.append_value(text);
                    }
                    _ => column.append_null(),
                }
            }
            lines.push(line);
        }
        if lines.is_empty() && bad.is_empty() {
            return Ok(None);
        }
        let arrays: Vec<ArrayRef> = columns.into_iter().map(|mut c| Arc::new(c.finish()) as ArrayRef).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(lines.len()));
        let data = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?;
        Ok(Some(Chunk { raws: Raws::Rows(data.clone()), data, lines, bad }))
    }
}

/// Why a row is bad, if it is.
fn complaint(row: &Row, width: usize) -> Option<String> {
    if let Some(twice) = row.cells.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Some(format!("cell {} is there twice", cells::name(row.number, twice[0].0)));
    }
    row.cells.iter().find_map(|(column, value)| match value {
        Err(e) => Some(format!("cell {} holds the error {e}", cells::name(row.number, *column))),
        Ok(_) if *column >= width => {
            Some(format!("cell {} is beyond the last column that has a name", cells::name(row.number, *column)))
        }
        Ok(text) if text.contains('\0') => Some(format!("cell {} holds a NUL byte", cells::name(row.number, *column))),
        Ok(_) => None,
    })
}

/// A bad row as a JSON object.
fn shown(row: &Row, columns: &Columns) -> String {
    let mut object = serde_json::Map::new();
    for (column, value) in &row.cells {
        let name = columns.get(*column).map_or_else(|| format!("column_{}", column + 1), |(name, _)| name.clone());
        object.insert(name, value.clone().unwrap_or_else(|e| e).into());
    }
    serde_json::Value::Object(object).to_string()
}

fn damaged(why: impl std::fmt::Display) -> Error {
    Error::invalid(format!("the workbook cannot be read: {why}"))
        .hint("it may be damaged, or protected by a password: save it again as .xlsx, or as CSV in UTF-8")
}

/// The thread's work.
fn read(mut file: impl Read + Seek, sheet: Option<&Sheet>, to: &SyncSender<Sent>) {
    let mut rows = Vec::with_capacity(ROWS);
    // Nobody may be listening any more: then there is nothing left to do.
    let sent = send_all(&mut file, sheet, &mut |row| {
        rows.push(row);
        rows.len() < ROWS || to.send(Sent::Rows(std::mem::take(&mut rows))).is_ok()
    });
    let last = match sent {
        Ok(()) => Sent::End,
        Err(e) => Sent::Failed(e),
    };
    if to.send(Sent::Rows(rows)).is_ok() {
        let _ = to.send(last);
    }
}

/// Hands every row that has values to `give`, until that wants no more.
fn send_all(file: &mut (impl Read + Seek), sheet: Option<&Sheet>, give: &mut impl FnMut(Row) -> bool) -> Result<()> {
    let first = peek::<64>(file)?;
    file.rewind()?;
    match first.as_slice() {
        [b'P', b'K', 3, 4, ..] => {
            strings::check(file)?;
            file.rewind()?;
            let mut book = Xlsx::new(file).map_err(damaged)?;
            let name = sheet_name(sheet, book.sheets_metadata())?;
            let mut cells = book.worksheet_cells_reader(&name).map_err(damaged)?;
            let timed: Vec<Option<bool>> = cells
                .styles()
                .iter()
                .map(|s| s.number_format.as_ref().map(|f| cells::shows_time(&f.format_code)))
                .collect();
            let mut row = Row { number: -1, cells: Vec::new() };
            while let Some((cell, style)) = cells.next_cell_with_style_id().map_err(damaged)? {
                let (number, column) = cell.get_position();
                if i64::from(number) != row.number {
                    let whole = std::mem::replace(&mut row, Row { number: i64::from(number), cells: Vec::new() });
                    if !whole.cells.is_empty() && !give(whole) {
                        return Ok(());
                    }
                }
                let value = Data::from(cell.get_value().clone());
                push(&mut row, column as usize, value, timed.get(style).copied().flatten());
            }
            if !row.cells.is_empty() {
                give(row);
            }
            Ok(())
        }
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            let mut book: Xls<_> = Xls::new(file).map_err(damaged)?;
            let name = sheet_name(sheet, book.sheets_metadata())?;
            let range = book.worksheet_range(&name).map_err(damaged)?;
            let (top, left) = range.start().unwrap_or_default();
            for (i, values) in range.rows().enumerate() {
                let mut row = Row { number: i64::from(top) + i as i64, cells: Vec::new() };
                for (j, value) in values.iter().enumerate() {
                    push(&mut row, left as usize + j, value.clone(), None);
                }
                if !row.cells.is_empty() && !give(row) {
                    break;
                }
            }
            Ok(())
        }
        first => Err(Error::invalid(format!("neither .xlsx nor .xls: {}", looks::like(first)))
            .hint("say the format that it has in [read] format, or save it as .xlsx")),
    }
}

fn push(row: &mut Row, column: usize, value: Data, timed: Option<bool>) {
    if let Some(text) = cells::text(value, timed).transpose() {
        row.cells.push((column, text));
    }
}

fn sheet_name(wanted: Option<&Sheet>, all: &[calamine::Sheet]) -> Result<String> {
    let names: Vec<&str> = all.iter().filter(|s| s.typ == SheetType::WorkSheet).map(|s| s.name.as_str()).collect();
    let found = match wanted {
        None => names.first(),
        Some(Sheet::Number(n)) => n.checked_sub(1).and_then(|n| names.get(n)),
        Some(Sheet::Name(name)) => names.iter().find(|n| *n == name),
    };
    found.map(|n| n.to_string()).ok_or_else(|| match wanted {
        Some(Sheet::Name(name)) => Error::invalid(format!("the workbook has no sheet {name:?}"))
            .hint(did_you_mean(name, names.iter().copied())),
        Some(Sheet::Number(n)) => Error::invalid(format!("the workbook has no sheet number {n}"))
            .hint(format!("its sheets, from 1: {}", names.join(", "))),
        None => Error::invalid("the workbook has no sheet with cells"),
    })
}

#[cfg(test)]
mod tests;
