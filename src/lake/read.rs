//! Reads columns of one data file, for landing and upkeep. Queries do not come here: they scan by DataFusion.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, new_null_array};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryFutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, SortingColumn};

use super::state::DataFile;
use crate::error::{Error, Result};
use crate::model::{MONTH, Table};

/// Rows of a batch handed out. Facts are wide (a kilobyte a row), and several files are read at once.
const BATCH_ROWS: usize = 16 * 1024;
/// Bytes fetched from a file's end in the first request: most footers fit.
const FOOTER_BYTES: usize = 64 * 1024;

/// A data file whose rows are about to be read.
pub(super) struct Opened {
    pub rows: usize,
    /// The columns that its footer says the rows are sorted by, ascending, NULLs last.
    pub sorted_by: Vec<String>,
    pub batches: BoxStream<'static, Result<RecordBatch>>,
}

/// See [`super::Lake::read`].
pub(super) async fn read(
    store: &Arc<dyn ObjectStore>,
    table: &'static Table,
    file: &DataFile,
    columns: Option<&[&str]>,
) -> Result<Vec<RecordBatch>> {
    open(store, table, file, columns).await?.batches.try_collect().await
}

/// As [`read`], batch by batch.
pub(super) async fn open(
    store: &Arc<dyn ObjectStore>,
    table: &'static Table,
    file: &DataFile,
    columns: Option<&[&str]>,
) -> Result<Opened> {
    let wanted = wanted(table, columns)?;
    let named = |e: ParquetError| Error::from(e).context(&file.location);
    let builder = ParquetRecordBatchStreamBuilder::new(FileReader::new(store, file)).await.map_err(named)?;
    let stored = builder.schema().clone();
    let roots = wanted.fields().iter().filter_map(|f| stored.index_of(f.name()).ok());
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    let sorted_by = sorted_by(builder.metadata());
    let stream = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(named)?;
    let (month, location) = (file.month.clone(), file.location.clone());
    let shaped = move |batch: std::result::Result<RecordBatch, ParquetError>| {
        batch.map_err(Error::from).and_then(|b| shape(&b, &wanted, month.as_deref())).map_err(|e| e.context(&location))
    };
    Ok(Opened { rows, sorted_by, batches: stream.map(shaped).boxed() })
}

fn sorted_by(footer: &ParquetMetaData) -> Vec<String> {
    let mut said = footer.row_groups().iter().map(|group| group.sorting_columns());
    let Some(Some(first)) = said.next() else { return Vec::new() };
    if said.any(|other| other != Some(first)) || first.iter().any(|c| c.descending || c.nulls_first) {
        return Vec::new();
    }
    let columns = footer.file_metadata().schema_descr();
    let name = |c: &SortingColumn| usize::try_from(c.column_idx).ok().and_then(|i| columns.columns().get(i));
    first.iter().map_while(name).map(|c| c.name().to_string()).collect()
}

/// The schema of the answer: the asked columns in the contract's order.
fn wanted(table: &Table, columns: Option<&[&str]>) -> Result<SchemaRef> {
    let schema = table.schema();
    let Some(columns) = columns else { return Ok(schema) };
    if let Some(unknown) = columns.iter().find(|name| schema.index_of(name).is_err()) {
        return Err(Error::internal(format!("{} has no column {unknown}", table.name)));
    }
    let fields = schema.fields().iter().filter(|f| columns.contains(&f.name().as_str())).cloned();
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// `batch` as the contract has it: partition column added, missing columns NULL, other encodings cast.
fn shape(batch: &RecordBatch, wanted: &SchemaRef, month: Option<&str>) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let columns = wanted.fields().iter().map(|field| -> Result<ArrayRef> {
        let column = match batch.column_by_name(field.name()) {
            Some(column) => column.clone(),
            None if field.name() == MONTH => {
                let month = month.ok_or_else(|| Error::invalid("the file has no month"))?;
                Arc::new(StringArray::from_iter_values(std::iter::repeat_n(month, rows)))
            }
            None => new_null_array(field.data_type(), rows),
        };
        if column.data_type() == field.data_type() {
            Ok(column)
        } else {
            Ok(arrow::compute::cast(&column, field.data_type())?)
        }
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(wanted.clone(), columns, &options)?)
}

/// A data file as parquet reads it.
pub(super) struct FileReader {
    store: Arc<dyn ObjectStore>,
    location: Path,
    size: u64,
}

impl FileReader {
    pub fn new(store: &Arc<dyn ObjectStore>, file: &DataFile) -> FileReader {
        FileReader { store: store.clone(), location: file.location.clone(), size: file.size }
    }
}

fn external(e: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(e))
}

impl AsyncFileReader for FileReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        self.store.get_range(&self.location, range).map_err(external).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        async move { self.store.get_ranges(&self.location, &ranges).await.map_err(external) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        async move {
            let size = self.size;
            let reader =
                ParquetMetaDataReader::new().with_arrow_reader_options(options).with_prefetch_hint(Some(FOOTER_BYTES));
            reader.load_and_finish(self, size).await.map(Arc::new)
        }
        .boxed()
    }
}
