//! Parquet: each row a record, each value as the text that loses nothing. It must not convert by way of floats.

use std::fs::File;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::{CHUNK_RECORDS, Chunk, Input, Raws, Reader, nulls};
use crate::error::{Error, Result};

pub(super) struct ParquetReader {
    rows: ParquetRecordBatchReader,
    schema: SchemaRef,
    wanted: Vec<bool>,
    /// Rows read so far.
    read: i64,
}

impl ParquetReader {
    pub(super) fn open(input: Input, optional: &[String]) -> Result<ParquetReader> {
        let (rows, file) = match input {
            Input::Path(path) => build(ParquetRecordBatchReaderBuilder::try_new(File::open(path)?))?,
            Input::Bytes(bytes) => build(ParquetRecordBatchReaderBuilder::try_new(bytes))?,
        };
        let mut fields: Vec<Field> = file.fields().iter().map(|f| Field::new(f.name(), DataType::Utf8, true)).collect();
        if let Some(twice) = fields.iter().enumerate().find_map(|(i, f)| fields[..i].contains(f).then_some(f)) {
            return Err(Error::invalid(format!("two columns are called {:?}", twice.name()))
                .hint("give each column its own name"));
        }
        for name in optional.iter().filter(|o| file.field_with_name(o).is_err()) {
            fields.push(Field::new(name, DataType::Utf8, true));
        }
        let wanted = vec![true; fields.len()];
        Ok(ParquetReader { rows, schema: Arc::new(Schema::new(fields)), wanted, read: 0 })
    }
}

fn build<T: parquet::file::reader::ChunkReader + 'static>(
    opened: parquet::errors::Result<ParquetRecordBatchReaderBuilder<T>>,
) -> Result<(ParquetRecordBatchReader, SchemaRef)> {
    let damaged = |e: parquet::errors::ParquetError| {
        Error::invalid(format!("not a Parquet file that can be read: {e}")).hint("deliver it again")
    };
    let builder = opened.map_err(damaged)?;
    let schema = Arc::clone(builder.schema());
    Ok((builder.with_batch_size(CHUNK_RECORDS).build().map_err(damaged)?, schema))
}

impl Reader for ParquetReader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn want(&mut self, wanted: &[bool]) {
        self.wanted = wanted.to_vec();
    }

    fn next(&mut self) -> Result<Option<Chunk>> {
        let Some(batch) = self.rows.next() else { return Ok(None) };
        let batch = batch.map_err(|e| {
            Error::invalid(format!("reading stopped: {e}")).hint("the file may be damaged; deliver it again")
        })?;
        let rows = batch.num_rows();
        let columns = self.schema.fields().iter().enumerate().map(|(i, field)| match batch.columns().get(i) {
            Some(column) if self.wanted[i] => text(column, field.name()),
            _ => Ok(nulls(field, rows)),
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let data =
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns.collect::<Result<_>>()?, &options)?;
        let lines = (self.read + 1..).take(rows).collect();
        self.read += rows as i64;
        Ok(Some(Chunk { data, lines, raws: Raws::Rows(batch), bad: Vec::new() }))
    }
}

/// Decimals and times in full; instants as RFC 3339 in UTC; numbers in their shortest spelling.
fn text(column: &ArrayRef, name: &str) -> Result<ArrayRef> {
    let instants = match column.data_type() {
        DataType::Timestamp(unit, Some(_)) => Some(cast(column, &DataType::Timestamp(*unit, Some("UTC".into())))?),
        _ => None,
    };
    cast(instants.as_ref().unwrap_or(column), &DataType::Utf8).map_err(|_| {
        Error::invalid(format!("column {name} is {}, which has no text", column.data_type()))
            .hint("flatten it before delivery, or leave it out of the SELECT")
    })
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Date32Array, Decimal128Array, Int64Array, StringArray, TimestampMicrosecondArray};
    use parquet::arrow::ArrowWriter;

    use super::*;

    #[test]
    fn values_lose_nothing() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("code", Arc::new(StringArray::from(vec![Some("00123"), None]))),
            (
                "price",
                Arc::new(
                    Decimal128Array::from(vec![12_345_000, -1]).with_precision_and_scale(18, 4).expect("decimals"),
                ),
            ),
            ("at", Arc::new(TimestampMicrosecondArray::from(vec![1_500_000, 0]).with_timezone("Europe/Berlin"))),
            ("local", Arc::new(TimestampMicrosecondArray::from(vec![1_500_000, 0]))),
            ("day", Arc::new(Date32Array::from(vec![1, 2]))),
            ("n", Arc::new(Int64Array::from(vec![i64::MAX, 0]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).expect("batch");
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("writer");
        writer.write(&batch).expect("written");
        writer.close().expect("closed");
        let mut reader = ParquetReader::open(Input::Bytes(bytes.into()), &["absent".into()]).expect("opens");
        let chunk = reader.next().expect("reads").expect("rows");
        let row: Vec<&str> = chunk.data.columns()[..6].iter().map(|c| c.as_string::<i32>().value(0)).collect();
        assert_eq!(
            row,
            [
                "00123",
                "1234.5000",
                "1970-01-01T00:00:01.500Z",
                "1970-01-01T00:00:01.500",
                "1970-01-02",
                "9223372036854775807"
            ]
        );
        assert_eq!(chunk.lines, [1, 2]);
        assert_eq!(chunk.data.column(6).null_count(), 2);
        assert!(chunk.raws.raw(1).contains("\"day\":\"1970-01-03\""), "{}", chunk.raws.raw(1));
        assert!(reader.next().expect("ends").is_none());
        assert!(ParquetReader::open(Input::Bytes(b"no parquet".to_vec().into()), &[]).is_err());
    }
}
