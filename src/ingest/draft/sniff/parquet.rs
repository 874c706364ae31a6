//! The columns of a Parquet file, their values as texts, as reading gives them.

use std::fs::File;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::{Format, LOOK_RECORDS, Sample, Sniffed, identifier};
use crate::error::{Error, Result};

pub(super) fn columns(file: File) -> Result<Sniffed> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(LOOK_RECORDS).build()?;
    let mut columns = Vec::new();
    for batch in reader.take(1) {
        let batch = batch?;
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            let format = ArrayFormatter::try_new(array, &FormatOptions::default())?;
            let cell = |row| if array.is_valid(row) { format.value(row).to_string() } else { String::new() };
            let cells = (0..batch.num_rows()).map(cell).collect();
            columns.push(Sample { name: field.name().clone(), sql: identifier(field.name()), cells, in_lines: false });
        }
    }
    if columns.is_empty() {
        Err(Error::invalid("no rows to look at"))
    } else {
        Ok(Sniffed { format: Format::Parquet, columns, lines: None })
    }
}
