//! Data files: sorts rows, splits them by month, writes Parquet with exact statistics. It must not touch the Delta log.
//!
//! Rows that come with the change are sorted; those kept of old files are merged in as they are read (`merge`). A file is encoded in memory and stored by one put, so a failed or cancelled writer leaves whole orphans at worst,
//! never parts of uploads. Orphans are not in the table: a vacuum finds them.

mod merge;

use std::collections::{BTreeMap, HashMap};
use std::num::NonZero;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::buffer::BooleanBuffer;
use arrow::compute::{SortOptions, interleave_record_batch};
use arrow::record_batch::RecordBatch;
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
use super::state::DataFile;
use super::stats::Collector;
use crate::error::{Error, Result};
use crate::model::{Kind, MONTH, Table, TableKind};
use merge::{Merged, Order, Sorted};

/// Rows of a row group: the unit of parallel scans, of bloom filters and of row-group pruning.
const GROUP_ROWS: usize = 256 * 1024;
/// Bytes of a row group of a derived table, about: its rows may have kilobytes each, and a reader fetches a column of a
/// group at once.
const GROUP_BYTES: usize = 128 << 20;
/// Rows of a file at most: about 100 MB of order lines, all in memory while encoded.
const FILE_ROWS: usize = 4 * GROUP_ROWS;
/// Files encoded at once, at most: each takes memory, and as many as there are cores keep them busy.
const PARALLEL: usize = 4;
/// Rows gathered at a time.
const PIECE_ROWS: usize = 16 * 1024;
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

/// Rows of a file that stay when the file leaves the table. They are read when their month is written, so that a change to
/// many files never holds more than a few of them.
#[derive(Debug, Clone)]
pub struct Kept {
    pub file: Arc<DataFile>,
    /// Per row of the file, in its order: whether it stays.
    pub rows: BooleanBuffer,
}

/// Rows of a batch of many, as (batch, row).
pub(super) type Rows = Vec<(usize, usize)>;

/// What goes into the files of one month.
#[derive(Default)]
struct Part {
    rows: Rows,
    kept: Vec<Kept>,
}

/// By month; `None`: of an unpartitioned table.
type Months = BTreeMap<Option<String>, Part>;

/// Writes `rows` (in the table's schema, any order) and those that are `kept`, and returns what the log must say of the
/// new files. On an error the files written so far are removed as far as possible.
pub(super) async fn write(
    slot: &Slot,
    store: &Arc<dyn ObjectStore>,
    rows: Vec<RecordBatch>,
    kept: Vec<Kept>,
) -> Result<Vec<Add>> {
    write_parts(slot, store, rows, kept, FILE_ROWS).await
}

/// Writes `rows` with up to `file_rows` of them in a file; see [`write`].
pub(super) async fn write_files(
    slot: &Slot,
    store: &Arc<dyn ObjectStore>,
    rows: Vec<RecordBatch>,
    file_rows: usize,
) -> Result<Vec<Add>> {
    write_parts(slot, store, rows, Vec::new(), file_rows).await
}

async fn write_parts(
    slot: &Slot,
    store: &Arc<dyn ObjectStore>,
    rows: Vec<RecordBatch>,
    kept: Vec<Kept>,
    file_rows: usize,
) -> Result<Vec<Add>> {
    let table = slot.table;
    let (batches, mut months) = blocking(move || {
        let batches = checked(table, rows)?;
        let months = by_month(table, &batches)?;
        Ok((Arc::new(batches), months))
    })
    .await?;
    kept.into_iter().for_each(|k| months.entry(k.file.month.clone()).or_default().kept.push(k));
    let parallel = std::thread::available_parallelism().map_or(1, NonZero::get).min(PARALLEL);
    let done: Vec<(Vec<Add>, Result<()>)> = futures::stream::iter(months)
        .map(|(month, part)| {
            let batches = batches.clone();
            async move {
                let mut adds = Vec::new();
                let result = write_month(slot, store, month, batches, part, file_rows, &mut adds).await;
                (adds, result)
            }
        })
        .buffered(parallel)
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
        if let Ok(location) = location(&slot.prefix, &add.path)
            && let Err(e) = store.delete(&location).await
        {
            tracing::debug!(%location, error = %e, "an unused data file stays");
        }
    }
}

/// Where a file of the table in `folder` is in the store.
pub(super) fn location(folder: &Path, path: &str) -> Result<Path> {
    Path::parse(format!("{folder}/{path}")).map_err(|e| Error::internal(format!("data file '{path}': {e}")))
}

async fn write_month(
    slot: &Slot,
    store: &Arc<dyn ObjectStore>,
    month: Option<String>,
    batches: Arc<Vec<RecordBatch>>,
    Part { rows, kept }: Part,
    file_rows: usize,
    adds: &mut Vec<Add>,
) -> Result<()> {
    let table = slot.table;
    let total = rows.len() + kept.iter().map(|k| k.rows.count_set_bits()).sum::<usize>();
    let sources = batches.clone();
    let rows = blocking(move || sorted(table, &sources, rows)).await?;
    let mut merged = Merged::new(store, table, Sorted { batches, rows }, kept).await?;
    let (mut left, mut file) = (total, None);
    while let Some(mut piece) = merged.next().await? {
        while piece.num_rows() > 0 {
            let open = match file.take() {
                Some(open) => open,
                None => FileWriter::new(table, left.min(file_rows))?,
            };
            let fits = piece.num_rows().min(file_rows - open.rows);
            let (now, later) = (piece.slice(0, fits), piece.slice(fits, piece.num_rows() - fits));
            let open = blocking(move || open.write(&now)).await?;
            (piece, left) = (later, left - fits);
            if open.rows < file_rows {
                file = Some(open);
            } else {
                adds.push(put(slot, store, month.as_deref(), blocking(move || open.close()).await?).await?);
            }
        }
    }
    if let Some(open) = file {
        adds.push(put(slot, store, month.as_deref(), blocking(move || open.close()).await?).await?);
    }
    Ok(())
}

async fn put(slot: &Slot, store: &Arc<dyn ObjectStore>, month: Option<&str>, file: Encoded) -> Result<Add> {
    // Version 7: names sort by time of writing.
    let name = format!("part-{}.zstd.parquet", Uuid::now_v7());
    let path = month.map_or_else(|| name.clone(), |m| format!("{MONTH}={m}/{name}"));
    let location = location(&slot.prefix, &path)?;
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

/// The rows, found to be as the contract has them.
fn checked(table: &'static Table, rows: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
    let schema = table.schema();
    let check = |batch: RecordBatch| {
        // Also finds columns of another type, and NULLs where the contract has none.
        let names = batch.schema().fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
        if !names.iter().eq(schema.fields().iter().map(|f| f.name())) {
            return Err(Error::internal(format!("rows for {} have columns {}", table.name, names.join(", "))));
        }
        RecordBatch::try_new(schema.clone(), batch.columns().to_vec())
            .map_err(|e| Error::internal(format!("rows for {}: {e}", table.name)))
    };
    rows.into_iter().filter(|b| b.num_rows() > 0).map(check).collect()
}

/// Groups the rows by partition. They stay where they are: a landing holds each row once.
fn by_month(table: &Table, batches: &[RecordBatch]) -> Result<Months> {
    let mut months = Months::new();
    for (number, batch) in batches.iter().enumerate() {
        if !table.partitioned() {
            months.entry(None).or_default().rows.extend((0..batch.num_rows()).map(|row| (number, row)));
            continue;
        }
        let mut rows: HashMap<&str, Rows> = HashMap::new();
        for (row, month) in batch.column(batch.num_columns() - 1).as_string::<i32>().iter().enumerate() {
            rows.entry(month.unwrap_or_default()).or_default().push((number, row));
        }
        for (month, rows) in rows {
            if !is_month(month) {
                return Err(Error::internal(format!("{}.{MONTH} '{month}' is not YYYY-MM", table.name)));
            }
            months.entry(Some(month.to_string())).or_default().rows.extend(rows);
        }
    }
    Ok(months)
}

fn is_month(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 7 && bytes.iter().enumerate().all(|(i, b)| if i == 4 { *b == b'-' } else { b.is_ascii_digit() })
}

/// `rows` of `batches` in the contract's order. Equal rows keep their order.
fn sorted(table: &Table, batches: &[RecordBatch], rows: Rows) -> Result<Rows> {
    if table.sort.is_empty() || rows.is_empty() {
        return Ok(rows);
    }
    let order = Order::new(table)?;
    let sources = batches.iter().map(|b| order.columns(b)).collect::<Result<Vec<_>>>()?;
    let sources: Vec<&RecordBatch> = sources.iter().collect();
    let mut keys = order.empty(rows.len());
    for piece in rows.chunks(PIECE_ROWS) {
        order.append(&mut keys, &interleave_record_batch(&sources, piece)?)?;
    }
    let mut places: Vec<usize> = (0..rows.len()).collect();
    places.sort_by(|a, b| keys.row(*a).cmp(&keys.row(*b)));
    Ok(places.into_iter().map(|i| rows[i]).collect())
}

/// A Parquet file in memory.
struct Encoded {
    bytes: Vec<u8>,
    /// Delta's JSON.
    stats: String,
}

/// A Parquet file that is being encoded.
struct FileWriter {
    table: &'static Table,
    rows: usize,
    stats: Collector,
    writer: ArrowWriter<Vec<u8>>,
}

impl FileWriter {
    /// A file for `rows` rows.
    fn new(table: &'static Table, rows: usize) -> Result<FileWriter> {
        let writer = ArrowWriter::try_new(Vec::new(), table.file_schema(), Some(properties(table, rows)?))?;
        Ok(FileWriter { table, rows: 0, stats: Collector::new(table), writer })
    }

    fn write(mut self, piece: &RecordBatch) -> Result<FileWriter> {
        self.stats.add(piece)?;
        // The partition column is the last one and lives in the log only.
        let schema = self.table.file_schema();
        let columns = piece.columns()[..schema.fields().len()].to_vec();
        self.writer.write(&RecordBatch::try_new(schema, columns)?)?;
        self.rows += piece.num_rows();
        Ok(self)
    }

    fn close(self) -> Result<Encoded> {
        Ok(Encoded { bytes: self.writer.into_inner()?, stats: self.stats.json() })
    }
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
        .set_max_row_group_bytes((table.kind == TableKind::Derived).then_some(GROUP_BYTES))
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
        } else if matches!(column.kind, Kind::Text | Kind::Hash128)
            && ![table.key, table.sort, table.stats].concat().contains(&column.name)
        {
            // Free text, strings of bytes: their least and greatest value prune nothing and may be long.
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
