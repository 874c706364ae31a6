//! Rows to bytes, one file per format, streaming: at most one batch (and, for Parquet, one row group) is in memory.
//! It must not know who asked: surfaces choose the format and own the output.

mod arrow;
mod checksum;
mod columns;
mod csv;
mod expanded;
mod format;
mod json;
mod ndjson;
mod parquet;
mod table;
mod table_cells;
mod table_fit;
mod table_plan;

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ::arrow::array::RecordBatch;
use ::arrow::datatypes::SchemaRef;
use futures::{Stream, StreamExt};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::engine::Rows;
use crate::error::{Error, ErrorKind, Result};
use checksum::Checksum;
use columns::Column;
pub use format::Format;

/// Rows that are encoded at once; larger batches are cut, so that buffers stay small.
const CHUNK_ROWS: usize = 8192;

/// Makes the receipt out of what was written, known only after the last row (`bytes` are those before the receipt).
pub type ReceiptFn = Arc<dyn Fn(&Written) -> serde_json::Value + Send + Sync>;

/// What a surface may choose beside the format.
#[derive(Clone)]
pub struct Options {
    /// Table: columns of the terminal; `None` never wraps and leaves no column out.
    pub width: Option<usize>,
    /// Table: the columns that it is about, which stay where there is no room for all.
    pub main: Vec<String>,
    /// Table: a line per column, row below row.
    pub expanded: bool,
    /// Table: rows shown before "… n more".
    pub max_rows: usize,
    /// Table: what was left out is told in [`Written::notes`] instead of below the rows.
    pub notes_apart: bool,
    /// The output is a file of its own: Arrow is then the IPC file format (random access, with a footer), which is
    /// what tools expect of `x.arrow`; else the IPC stream format.
    pub file: bool,
    /// JSON ends in `"receipt": …`, Parquet has it in its metadata. Other formats have no place for it.
    pub receipt: Option<ReceiptFn>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            width: None,
            main: Vec::new(),
            expanded: false,
            max_rows: 1000,
            notes_apart: false,
            file: false,
            receipt: None,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Rows of the result (for tables also those that are only counted).
    pub rows: u64,
    pub bytes: u64,
    /// xxh3-128 of the rows in order, 32 hexadecimal digits: the same in every format.
    pub checksum: String,
    /// What a table does not show, for people; empty where it says so itself.
    pub notes: Vec<String>,
}

/// Writes all of `rows` as `format`. Errors: those of the query, and those of `out`, where a reader that went away
/// is `Cancelled`. After an error the output is incomplete.
pub async fn write<W>(rows: Rows, format: Format, out: &mut W, options: &Options) -> Result<Written>
where
    W: AsyncWrite + Unpin + Send,
{
    let schema = Arc::clone(&rows.schema);
    write_stream(schema, rows.into_stream(), format, out, options).await
}

/// The same for any stream of batches of one schema.
pub async fn write_stream<S, W>(
    schema: SchemaRef,
    batches: S,
    format: Format,
    out: &mut W,
    options: &Options,
) -> Result<Written>
where
    S: Stream<Item = Result<RecordBatch>> + Send,
    W: AsyncWrite + Unpin + Send,
{
    let mut encoder = encoder(&schema, format, options)?;
    let mut checksum = Checksum::new(&schema);
    let mut sink = Sink { out, buffer: Vec::new(), bytes: 0 };
    encoder.begin(&mut sink.buffer)?;
    let mut batches = std::pin::pin!(batches);
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        for from in (0..batch.num_rows()).step_by(CHUNK_ROWS) {
            let chunk = batch.slice(from, CHUNK_ROWS.min(batch.num_rows() - from));
            let columns = Column::all(&chunk)?;
            checksum.update(&columns, chunk.num_rows());
            encoder.rows(&Chunk { batch: &chunk, columns: &columns }, &mut sink.buffer)?;
            sink.pass_on().await?;
        }
    }
    let mut written = Written { rows: checksum.rows(), bytes: sink.bytes, checksum: checksum.hex(), notes: Vec::new() };
    let receipt = options.receipt.as_ref().map(|make| make(&written));
    encoder.end(written.rows, receipt, &mut sink.buffer)?;
    sink.pass_on().await?;
    sink.out.flush().await.map_err(output_error)?;
    (written.bytes, written.notes) = (sink.bytes, encoder.notes());
    Ok(written)
}

/// Some rows: as Arrow, and as the text formats read them.
struct Chunk<'a> {
    batch: &'a RecordBatch,
    columns: &'a [Column],
}

/// What each format does. Encoders append to a buffer that is emptied between the calls.
trait Encoder: Send {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()>;
    fn rows(&mut self, chunk: &Chunk<'_>, out: &mut Vec<u8>) -> Result<()>;
    /// `rows` is the number of all rows.
    fn end(&mut self, rows: u64, receipt: Option<serde_json::Value>, out: &mut Vec<u8>) -> Result<()>;
    /// After the end: for [`Written::notes`].
    fn notes(&mut self) -> Vec<String> {
        Vec::new()
    }
}

fn encoder(schema: &SchemaRef, format: Format, options: &Options) -> Result<Box<dyn Encoder>> {
    Ok(match format {
        Format::Table if table_plan::Plan::is(schema) => Box::new(table_plan::Plan::default()),
        Format::Table if options.expanded => Box::new(expanded::Expanded::new(schema, options)),
        Format::Table => Box::new(table::Table::new(schema, options)),
        Format::Csv => Box::new(csv::Csv::new(schema)),
        Format::Json => Box::new(json::Json::new(schema)),
        Format::Ndjson => Box::new(ndjson::Ndjson::new(schema)),
        Format::Arrow => Box::new(arrow::Arrow::new(schema, options.file)?),
        Format::Parquet => Box::new(parquet::Parquet::new(schema)?),
    })
}

/// The output with its buffer.
struct Sink<'a, W> {
    out: &'a mut W,
    buffer: Vec<u8>,
    bytes: u64,
}

impl<W: AsyncWrite + Unpin> Sink<'_, W> {
    async fn pass_on(&mut self) -> Result<()> {
        self.out.write_all(&self.buffer).await.map_err(output_error)?;
        self.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// Keeps the cause, so that a surface can tell a closed pipe from a full disk.
fn output_error(error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            ErrorKind::Cancelled
        }
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("cannot write the output: {error}")).caused_by(error)
}

/// A buffer that a writer owns and we empty: for encoders that insist on owning their output.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn drain_into(&self, out: &mut Vec<u8>) {
        out.append(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
