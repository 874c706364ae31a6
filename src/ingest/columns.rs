//! Small helpers over record batches, with errors instead of panics. It must not know any table.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;

use crate::error::{Error, Result};

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    batch
        .column_by_name(name)
        .ok_or_else(|| Error::internal(format!("column {name} is not among the rows that were read")))
}

fn typed<'a, T>(batch: &'a RecordBatch, name: &str, cast: impl Fn(&'a ArrayRef) -> Option<&'a T>) -> Result<&'a T> {
    let array = column(batch, name)?;
    cast(array).ok_or_else(|| Error::internal(format!("column {name} has the unexpected type {}", array.data_type())))
}

pub(crate) fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    typed(batch, name, |a| a.as_string_opt::<i32>())
}

pub(crate) fn longs<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Int64Array> {
    typed(batch, name, |a| a.as_primitive_opt::<Int64Type>())
}

pub(crate) fn instants<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a TimestampMicrosecondArray> {
    typed(batch, name, |a| a.as_primitive_opt::<TimestampMicrosecondType>())
}

pub(crate) fn flags<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BooleanArray> {
    typed(batch, name, |a| a.as_boolean_opt())
}

pub(crate) fn binary<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BinaryArray> {
    typed(batch, name, |a| a.as_binary_opt::<i32>())
}

/// The value at `row`, `None` for NULL.
pub(crate) fn text_at(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

/// `batch` with `values` in the place of column `name`.
pub(crate) fn replace_column(batch: &RecordBatch, name: &str, values: ArrayRef) -> Result<RecordBatch> {
    let mut columns = batch.columns().to_vec();
    columns[batch.schema().index_of(name)?] = values;
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

/// One row as a JSON object, columns in order, NULLs left out.
pub(crate) fn row_json(batch: &RecordBatch, row: usize) -> Result<String> {
    let mut writer = arrow::json::LineDelimitedWriter::new(Vec::new());
    writer.write(&batch.slice(row, 1))?;
    writer.finish()?;
    let text =
        String::from_utf8(writer.into_inner()).map_err(|e| Error::internal("a row is not UTF-8").caused_by(e))?;
    Ok(text.trim_end().to_string())
}

/// A column of UTC instants.
pub(crate) fn instant_column(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter(values).with_timezone("UTC"))
}
