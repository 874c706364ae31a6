//! Typed rows for a source of JSON: each row becomes the object that the source's files would hold, structs and lists as
//! they are, every other value as the text that loses nothing. From there on they are read as those files are.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::json::LineDelimitedWriter;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::ndjson::{Decoder, Found};
use super::typed::{TypedReader, text};
use super::{Chunk, Columns, JSON, Reader};
use crate::error::Result;

/// Rows as JSON objects.
pub(super) struct Objects {
    rows: TypedReader,
    decoder: Decoder,
    /// Rows read so far.
    read: i64,
}

impl Objects {
    /// `fields`: those of the source's objects. A row may lack some, as an object may.
    pub(super) fn new(rows: TypedReader, fields: Fields) -> Objects {
        Objects { rows, decoder: Decoder::new(Arc::new(Schema::new(fields))), read: 0 }
    }
}

impl Reader for Objects {
    fn schema(&self) -> SchemaRef {
        self.decoder.schema()
    }

    fn columns(&self) -> Columns {
        self.rows.columns().into_iter().map(|(name, _)| (name, JSON.to_string())).collect()
    }

    fn want(&mut self, _: &[bool]) {}

    fn next(&mut self) -> Result<Option<Chunk>> {
        let Some(batch) = self.rows.batch()? else { return Ok(None) };
        let mut lines = Vec::new();
        let mut writer = LineDelimitedWriter::new(&mut lines);
        writer.write(&texts(&batch)?)?;
        writer.finish()?;
        let (mut found, mut at) = (Found::default(), 0);
        for line in lines.split_inclusive(|b| *b == b'\n') {
            self.read += 1;
            found.good(self.read, at, at + line.trim_ascii_end().len());
            at += line.len();
        }
        found.chunk(&self.decoder, lines).map(Some)
    }
}

fn texts(batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = batch.schema();
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| leaves(column, field.name()));
    let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
    let fields = columns.iter().zip(schema.fields()).map(|(c, f)| Field::new(f.name(), c.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
}

/// Its leaves as texts; `name` is the column's, for messages.
fn leaves(column: &ArrayRef, name: &str) -> Result<ArrayRef> {
    Ok(match column.data_type() {
        DataType::Struct(fields) => {
            let parts = column.as_struct();
            let arrays: Vec<ArrayRef> = parts.columns().iter().map(|c| leaves(c, name)).collect::<Result<_>>()?;
            let named = arrays.iter().zip(fields).map(|(a, f)| Field::new(f.name(), a.data_type().clone(), true));
            Arc::new(StructArray::try_new(named.collect(), arrays, parts.nulls().cloned())?)
        }
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            let items = leaves(list.values(), name)?;
            let item = Arc::new(Field::new_list_field(items.data_type().clone(), true));
            Arc::new(ListArray::try_new(item, list.offsets().clone(), items, list.nulls().cloned())?)
        }
        // Other lists are written rarely, and mean the same.
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) | DataType::ListView(item) => {
            leaves(&arrow::compute::cast(column, &DataType::List(Arc::clone(item)))?, name)?
        }
        _ => text(column, name)?,
    })
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date32Array, Decimal128Array, Int64Array, StringArray};
    use arrow::buffer::OffsetBuffer;
    use arrow::ipc::writer::StreamWriter;

    use super::super::{Input, Limit, open};
    use super::*;
    use crate::ingest::source::Source;
    use crate::queryfile::QueryFile;

    const ORDERS: &str = r#"-- ---
-- [read]
-- path = "x"
-- format = "ndjson"
-- shape = '{"sku":"","day":"","lines":[{"price":""}]}'
-- ---
-- into = "product"
SELECT sku, day AS product_name FROM raw
"#;

    #[test]
    fn nested_rows_are_read_as_the_objects_they_stand_for() {
        let source = Source::parse(&QueryFile::parse("sources/x.sql", ORDERS).expect("a file")).expect("a source");
        let price = Decimal128Array::from(vec![1990, 5]).with_precision_and_scale(18, 4).expect("decimals");
        let prices = StructArray::from(vec![(
            Arc::new(Field::new("price", price.data_type().clone(), true)),
            Arc::new(price) as ArrayRef,
        )]);
        let item = Arc::new(Field::new_list_field(prices.data_type().clone(), true));
        let lines = ListArray::new(item, OffsetBuffer::from_lengths([2, 0]), Arc::new(prices), None);
        let batch = RecordBatch::try_from_iter([
            ("sku", Arc::new(Int64Array::from(vec![7, 8])) as ArrayRef),
            ("day", Arc::new(Date32Array::from(vec![Some(0), None])) as ArrayRef),
            ("lines", Arc::new(lines) as ArrayRef),
        ])
        .expect("a batch");
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).expect("a writer");
        writer.write(&batch).expect("written");
        let bytes = writer.into_inner().expect("the stream");

        let mut reader = open(&source, Input::Bytes(bytes.into()), "push", &Limit::none()).expect("opened");
        assert_eq!(reader.columns()[0], ("sku".to_string(), JSON.to_string()));
        let chunk = reader.next().expect("read").expect("a chunk");
        assert!(chunk.bad.is_empty() && chunk.lines == [1, 2]);
        assert_eq!(chunk.data.column(0).as_string::<i32>(), &StringArray::from(vec!["7", "8"]));
        assert_eq!(
            chunk.raws.raw(0),
            r#"{"sku":"7","day":"1970-01-01","lines":[{"price":"0.1990"},{"price":"0.0005"}]}"#
        );
        assert_eq!(chunk.raws.raw(1), r#"{"sku":"8","lines":[]}"#);
        assert!(reader.next().expect("read").is_none());
    }
}
