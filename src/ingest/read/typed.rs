//! Typed rows (Parquet, Arrow): each row a record, each value as the text that loses nothing. It must not convert by way
//! of floats.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::{CHUNK_RECORDS, Chunk, Columns, Raws, Reader, nulls, sizes};
use crate::error::{Error, Result};

/// The file's batches, as its format's own reader gives them.
pub(super) type Batches = Box<dyn Iterator<Item = std::result::Result<RecordBatch, ArrowError>> + Send>;

pub(super) struct TypedReader {
    batches: Batches,
    stored: SchemaRef,
    schema: SchemaRef,
    wanted: Vec<bool>,
    /// What is left of a batch.
    rest: Option<RecordBatch>,
    /// Rows read so far.
    read: i64,
    /// What its columns are called to be: their own types, or texts.
    as_text: bool,
}

impl TypedReader {
    pub(super) fn new(batches: Batches, stored: SchemaRef, optional: &[String]) -> Result<TypedReader> {
        let mut fields: Vec<Field> =
            stored.fields().iter().map(|f| Field::new(f.name(), DataType::Utf8, true)).collect();
        if let Some(twice) = fields.iter().enumerate().find_map(|(i, f)| fields[..i].contains(f).then_some(f)) {
            return Err(Error::invalid(format!("two columns are called {:?}", twice.name()))
                .hint("give each column its own name"));
        }
        for name in optional.iter().filter(|o| stored.field_with_name(o).is_err()) {
            fields.push(Field::new(name, DataType::Utf8, true));
        }
        let wanted = vec![true; fields.len()];
        Ok(TypedReader {
            batches,
            stored,
            schema: Arc::new(Schema::new(fields)),
            wanted,
            rest: None,
            read: 0,
            as_text: false,
        })
    }

    /// In place of a text: its columns are no other than a text's.
    pub(super) fn named_as_text(mut self) -> TypedReader {
        self.as_text = true;
        self
    }

    /// Up to a chunk of rows.
    pub(super) fn batch(&mut self) -> Result<Option<RecordBatch>> {
        let batch = match self.rest.take() {
            Some(batch) => batch,
            None => match self.batches.next() {
                None => return Ok(None),
                Some(batch) => batch.map_err(|e| match sizes::ours(e) {
                    Ok(ours) => ours.context(format!("reading stopped after row {}", self.read)),
                    Err(e) => Error::invalid(format!("reading stopped after row {}: {e}", self.read))
                        .hint("the file may be cut off or damaged; deliver it again"),
                })?,
            },
        };
        let rows = batch.num_rows();
        if rows > CHUNK_RECORDS {
            self.rest = Some(batch.slice(CHUNK_RECORDS, rows - CHUNK_RECORDS));
            return Ok(Some(batch.slice(0, CHUNK_RECORDS)));
        }
        Ok(Some(batch))
    }
}

impl Reader for TypedReader {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn columns(&self) -> Columns {
        let kind = |f: &Field| if self.as_text { "text".to_string() } else { f.data_type().to_string() };
        self.stored.fields().iter().map(|f| (f.name().clone(), kind(f))).collect()
    }

    fn want(&mut self, wanted: &[bool]) {
        self.wanted = wanted.to_vec();
    }

    fn next(&mut self) -> Result<Option<Chunk>> {
        let Some(batch) = self.batch()? else { return Ok(None) };
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

/// Decimals and times in full; instants as RFC 3339 in UTC; numbers in their shortest spelling. What rows share (a long text
/// in a dictionary) each has as its own then: there is room for 2 GiB.
pub(super) fn text(column: &ArrayRef, name: &str) -> Result<ArrayRef> {
    let no_text = || {
        Error::invalid(format!("column {name} is {}, which has no text", column.data_type()))
            .hint("flatten it before delivery, or leave it out of the SELECT")
    };
    let too_long = || {
        Error::invalid(format!("column {name} has more than 2 GiB of text in {} rows", column.len()))
            .hint("deliver it in smaller record batches, or leave the column out")
    };
    let column = &alone(column).map_err(|e| too_long().caused_by(e))?.ok_or_else(no_text)?;
    if shown(column).ok_or_else(no_text)? > i32::MAX as u64 {
        return Err(too_long());
    }
    let instants = match column.data_type() {
        DataType::Timestamp(unit, Some(_)) => Some(cast(column, &DataType::Timestamp(*unit, Some("UTC".into())))?),
        _ => None,
    };
    cast(instants.as_ref().unwrap_or(column), &DataType::Utf8).map_err(|_| no_text())
}

/// What stands in a dictionary, or for a run of rows, is a value like any other; `None`: not if others are inside it.
fn alone(column: &ArrayRef) -> std::result::Result<Option<ArrayRef>, ArrowError> {
    match column.data_type() {
        DataType::Dictionary(_, values) => ending(values).map(|kind| cast(column, &kind)).transpose(),
        DataType::RunEndEncoded(ends, values) => {
            let Some(kind) = ending(values.data_type()) else { return Ok(None) };
            let values = Arc::new(values.as_ref().clone().with_data_type(kind.clone()));
            let runs = cast(column, &DataType::RunEndEncoded(Arc::clone(ends), values))?;
            cast(&runs, &kind).map(Some)
        }
        _ => Ok(Some(Arc::clone(column))),
    }
}

/// The same kind, or one that ends at 2 GiB: more is refused before room for it is made.
fn ending(kind: &DataType) -> Option<DataType> {
    match kind {
        DataType::LargeUtf8 => Some(DataType::Utf8),
        DataType::LargeBinary | DataType::FixedSizeBinary(_) => Some(DataType::Binary),
        kind if kind.is_nested() => None,
        kind => Some(kind.clone()),
    }
}

/// Bytes of the texts that views show, of which many may show the same; `None`: values inside others are shared otherwise.
fn shown(array: &dyn Array) -> Option<u64> {
    // A view begins with the length of its text.
    let sum = |views: &[u128]| Some(views.iter().map(|view| u64::from(*view as u32)).sum::<u64>());
    match array.data_type() {
        DataType::Utf8View => sum(array.as_string_view().views()),
        DataType::BinaryView => sum(array.as_binary_view().views()),
        DataType::List(_) => shown(array.as_list::<i32>().values()),
        DataType::LargeList(_) => shown(array.as_list::<i64>().values()),
        DataType::FixedSizeList(..) => shown(array.as_fixed_size_list().values()),
        DataType::Map(..) => shown(array.as_map().entries()),
        DataType::Struct(_) => array.as_struct().columns().iter().map(|column| shown(column)).sum(),
        DataType::Dictionary(..) | DataType::RunEndEncoded(..) | DataType::Union(..) => None,
        DataType::ListView(_) | DataType::LargeListView(_) => None,
        _ => Some(0),
    }
}
