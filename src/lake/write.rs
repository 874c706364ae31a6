//! Data files: sorts rows, splits them by month, writes Parquet with exact statistics. It must not touch the Delta log.
//!
//! A file is encoded in memory and stored by one put, so a failed or cancelled writer leaves whole orphans at worst,
//! never parts of uploads. Orphans are not in the table: a vacuum finds them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, UInt32Array};
use arrow::compute::{SortOptions, interleave_record_batch, take_record_batch};
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, SortField};
use deltalake_core::kernel::Add;
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use uuid::Uuid;

use super::errors;
use super::slot::Slot;
use super::stats::Collector;
use crate::error::{Error, Result};
use crate::model::{Kind, MONTH, Table};

/// Rows of a row group: the unit of parallel scans, of bloom filters and of row-group pruning.
const GROUP_ROWS: usize = 256 * 1024;
/// Rows of a file at most: about 100 MB of order lines, all in memory while encoded.
const FILE_ROWS: usize = 4 * GROUP_ROWS;
/// Files encoded at once.
const PARALLEL: usize = 4;
/// Rows gathered at a time.
const PIECE_ROWS: usize = 64 * 1024;
/// Rows of a page, so that the page index prunes finely.
const PAGE_ROWS: usize = 20_000;
/// One wrong "maybe" in a million look-ups; about 8 bytes a row.
const BLOOM_FPP: f64 = 1e-6;
/// The key's hash, with a bloom filter where a table has it.
pub(super) const ROW_KEY: &str = "row_key";
/// Columns of random bits: no dictionary, no compression, no statistics.
const HASHES: [&str; 2] = [ROW_KEY, "content_hash"];
const ZSTD_LEVEL: i32 = 3;
/// ASC NULLS LAST, the order that SQL gives by default.
const ORDER: SortOptions = SortOptions { descending: false, nulls_first: false };

/// Rows of one month (`None`: of an unpartitioned table), in the table's schema.
type Months = BTreeMap<Option<String>, Vec<RecordBatch>>;

/// Writes `rows` (in the table's schema, any order) and returns what the log must say of the new files. On an error the
/// files written so far are removed as far as possible.
pub(super) async fn write(slot: &Slot, store: &Arc<dyn ObjectStore>, rows: Vec<RecordBatch>) -> Result<Vec<Add>> {
    write_files(slot, store, rows, FILE_ROWS).await
}

/// As [`write`], with up to `file_rows` rows in a file.
pub(super) async fn write_files(
    slot: &Slot,
    store: &Arc<dyn ObjectStore>,
    rows: Vec<RecordBatch>,
    file_rows: usize,
) -> Result<Vec<Add>> {
    let table = slot.table;
    let months = blocking(move || by_month(table, rows)).await?;
    let done: Vec<(Vec<Add>, Result<()>)> = futures::stream::iter(months)
        .map(|(month, batches)| async move {
            let mut adds = Vec::new();
            let result = write_month(slot, store, month, batches, file_rows, &mut adds).await;
            (adds, result)
        })
        .buffered(PARALLEL)
        .collect()
        .await;
    let (adds, results): (Vec<Vec<Add>>, Vec<Result<()>>) = done.into_iter().unzip();
    let adds = adds.concat();
    if let Some(error) = results.into_iter().find_map(Result::err) {
        discard(slot, store, &adds).await;
        return Err(error);
    }
    Ok(adds)
}

/// Removes files that no commit names. Best effort: what stays is an orphan.
pub(super) async fn discard(slot: &Slot, store: &Arc<dyn ObjectStore>, adds: &[Add]) {
    for add in adds {
        if let Ok(location) = Path::parse(format!("{}/{}", slot.prefix, add.path))
            && let Err(e) = store.delete(&location).await
        {
            tracing::debug!(%location, error = %e, "an unused data file stays");
        }
    }
}

async fn write_month(
    slot: &Slot,
    store: &Arc<dyn ObjectStore>,
    month: Option<String>,
    batches: Vec<RecordBatch>,
    file_rows: usize,
    adds: &mut Vec<Add>,
) -> Result<()> {
    let table = slot.table;
    let (batches, order) = blocking(move || sorted(table, &batches).map(|order| (Arc::new(batches), order))).await?;
    for part in order.chunks(file_rows.max(1)) {
        let (batches, part) = (batches.clone(), part.to_vec());
        let encoded = blocking(move || encode(table, &batches, &part)).await?;
        adds.push(put(slot, store, month.as_deref(), encoded).await?);
    }
    Ok(())
}

async fn put(slot: &Slot, store: &Arc<dyn ObjectStore>, month: Option<&str>, file: Encoded) -> Result<Add> {
    // Version 7: names sort by time of writing.
    let name = format!("part-{}.zstd.parquet", Uuid::now_v7());
    let path = month.map_or_else(|| name.clone(), |m| format!("{MONTH}={m}/{name}"));
    let location = Path::parse(format!("{}/{path}", slot.prefix))
        .map_err(|e| Error::internal(format!("data file '{path}': {e}")))?;
    let size = i64::try_from(file.bytes.len()).map_err(|_| Error::internal("a data file is too large"))?;
    let fail = |e| errors::store(e, format!("writing {location}"));
    store.put(&location, file.bytes.into()).await.map_err(fail)?;
    let stored = store.head(&location).await.map_err(fail)?;
    let partition_values = month.map(|m| (MONTH.to_string(), Some(m.to_string()))).into_iter().collect();
    Ok(Add {
        path,
        partition_values,
        size,
        modification_time: stored.last_modified.timestamp_millis(),
        data_change: true,
        stats: Some(file.stats),
        ..Add::default()
    })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::internal(format!("writing data files: {e}")))?
}

/// Checks the rows against the contract and groups them by partition.
fn by_month(table: &'static Table, rows: Vec<RecordBatch>) -> Result<Months> {
    let schema = table.schema();
    let mut months = Months::new();
    for batch in rows.into_iter().filter(|b| b.num_rows() > 0) {
        // Also finds columns of another type, and NULLs where the contract has none.
        let names = batch.schema().fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
        if !names.iter().eq(schema.fields().iter().map(|f| f.name())) {
            return Err(Error::internal(format!("rows for {} have columns {}", table.name, names.join(", "))));
        }
        let batch = RecordBatch::try_new(schema.clone(), batch.columns().to_vec())
            .map_err(|e| Error::internal(format!("rows for {}: {e}", table.name)))?;
        if table.partitioned() {
            split(table, &batch, &mut months)?;
        } else {
            months.entry(None).or_default().push(batch);
        }
    }
    Ok(months)
}

fn split(table: &Table, batch: &RecordBatch, months: &mut Months) -> Result<()> {
    let column = batch.column(batch.num_columns() - 1).as_string::<i32>();
    let mut rows: HashMap<&str, Vec<u32>> = HashMap::new();
    for (row, month) in (0u32..).zip(column.iter()) {
        rows.entry(month.unwrap_or_default()).or_default().push(row);
    }
    for (month, rows) in rows {
        if !is_month(month) {
            return Err(Error::internal(format!("{}.{MONTH} '{month}' is not YYYY-MM", table.name)));
        }
        let part = if rows.len() == batch.num_rows() {
            batch.clone()
        } else {
            take_record_batch(batch, &UInt32Array::from(rows))?
        };
        months.entry(Some(month.to_string())).or_default().push(part);
    }
    Ok(())
}

fn is_month(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 7 && bytes.iter().enumerate().all(|(i, b)| if i == 4 { *b == b'-' } else { b.is_ascii_digit() })
}

/// The rows of `batches` in the contract's order, each as (batch, row). Equal rows keep their order.
fn sorted(table: &Table, batches: &[RecordBatch]) -> Result<Vec<(usize, usize)>> {
    let rows = batches.iter().enumerate().flat_map(|(b, batch)| (0..batch.num_rows()).map(move |row| (b, row)));
    let rows: Vec<(usize, usize)> = rows.collect();
    if table.sort.is_empty() {
        return Ok(rows);
    }
    let fields = table.sort.iter().map(|name| {
        let column = table.column(name).ok_or_else(|| Error::internal(format!("{}: sort by {name}", table.name)))?;
        Ok(SortField::new_with_options(column.kind.arrow(), ORDER))
    });
    let converter = RowConverter::new(fields.collect::<Result<_>>()?)?;
    let mut keys = converter.empty_rows(rows.len(), 0);
    for batch in batches {
        let columns = table.sort.iter().filter_map(|name| batch.column_by_name(name).cloned());
        converter.append(&mut keys, &columns.collect::<Vec<ArrayRef>>())?;
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| keys.row(*a).cmp(&keys.row(*b)));
    Ok(order.into_iter().map(|i| rows[i]).collect())
}

/// A Parquet file in memory.
struct Encoded {
    bytes: Vec<u8>,
    /// Delta's JSON.
    stats: String,
}

fn encode(table: &Table, batches: &[RecordBatch], order: &[(usize, usize)]) -> Result<Encoded> {
    let schema = table.file_schema();
    let mut stats = Collector::new(table);
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties(table, order.len())?))?;
    let sources: Vec<&RecordBatch> = batches.iter().collect();
    for piece in order.chunks(PIECE_ROWS) {
        let piece = interleave_record_batch(&sources, piece)?;
        stats.add(&piece)?;
        // The partition column is the last one and lives in the log only.
        let columns = piece.columns()[..schema.fields().len()].to_vec();
        writer.write(&RecordBatch::try_new(schema.clone(), columns)?)?;
    }
    Ok(Encoded { bytes: writer.into_inner()?, stats: stats.json() })
}

fn properties(table: &Table, rows: usize) -> Result<WriterProperties> {
    let schema = table.file_schema();
    let sorting = table.sort.iter().map(|name| {
        let column_idx = i32::try_from(schema.index_of(name)?).unwrap_or(i32::MAX);
        Ok(SortingColumn { column_idx, descending: ORDER.descending, nulls_first: ORDER.nulls_first })
    });
    let sorting = sorting.collect::<Result<Vec<_>>>()?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_statistics_truncate_length(None)
        .set_column_index_truncate_length(None)
        .set_sorting_columns((!sorting.is_empty()).then_some(sorting));
    for column in table.stored_columns() {
        let path = ColumnPath::from(column.name);
        if HASHES.contains(&column.name) {
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_compression(path.clone(), Compression::UNCOMPRESSED)
                .set_column_statistics_enabled(path, EnabledStatistics::None);
        } else if column.kind == Kind::Text && ![table.key, table.sort, table.stats].concat().contains(&column.name) {
            // Free text: its least and greatest value prune nothing and may be long.
            properties = properties.set_column_statistics_enabled(path, EnabledStatistics::None);
        }
    }
    if table.column(ROW_KEY).is_some() {
        properties = properties
            .set_column_bloom_filter_fpp(ColumnPath::from(ROW_KEY), BLOOM_FPP)
            .set_column_bloom_filter_max_ndv(ColumnPath::from(ROW_KEY), rows.clamp(1, GROUP_ROWS) as u64);
    }
    Ok(properties.build())
}
