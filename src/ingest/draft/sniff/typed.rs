//! The columns of a typed file or a workbook, their values as texts, as reading gives them.

use arrow::array::{Array, AsArray};

use super::{Format, LOOK_RECORDS, Sample, Sniffed, identifier};
use crate::error::{Error, Result};
use crate::ingest::read::{self, Input};
use crate::ingest::source;

pub(super) fn columns(format: Format, input: Input) -> Result<Sniffed> {
    let read_as = match format {
        Format::Excel => source::Format::Excel,
        Format::Arrow => source::Format::Arrow,
        _ => source::Format::Parquet,
    };
    let Some(batch) = read::first_rows(read_as, input)? else { return Err(Error::invalid("no rows to look at")) };
    let mut columns = Vec::new();
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        // Columns without a text, such as lists, cannot be looked at.
        let Some(texts) = array.as_string_opt::<i32>() else { continue };
        let cell = |row| if texts.is_valid(row) { texts.value(row).to_string() } else { String::new() };
        let cells = (0..batch.num_rows().min(LOOK_RECORDS)).map(cell).collect();
        columns.push(Sample { name: field.name().clone(), sql: identifier(field.name()), cells, in_lines: false });
    }
    Ok(Sniffed { format, columns, lines: None, encoding: None })
}
