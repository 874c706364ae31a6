//! Parquet: zstd, row groups small enough to hold in memory, the receipt in the file's metadata. It must not
//! hold more than one row group.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::{Chunk, Encoder, Shared};
use crate::error::Result;

/// A row group ends at whichever comes first: both bound the memory of a result being written.
const ROW_GROUP_ROWS: usize = 64 * 1024;
const ROW_GROUP_BYTES: usize = 16 * 1024 * 1024;

/// Metadata key of the receipt.
const RECEIPT: &str = "saleslake.receipt";

pub(super) struct Parquet {
    writer: ArrowWriter<Shared>,
    shared: Shared,
}

impl Parquet {
    pub fn new(schema: &SchemaRef) -> Result<Parquet> {
        let shared = Shared::default();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_created_by("saleslake".into())
            .build();
        let writer = ArrowWriter::try_new(shared.clone(), Arc::clone(schema), Some(properties))?;
        Ok(Parquet { writer, shared })
    }
}

impl Encoder for Parquet {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.shared.drain_into(out);
        Ok(())
    }

    fn rows(&mut self, chunk: &Chunk<'_>, out: &mut Vec<u8>) -> Result<()> {
        self.writer.write(chunk.batch)?;
        if self.writer.in_progress_size() > ROW_GROUP_BYTES {
            self.writer.flush()?;
        }
        self.shared.drain_into(out);
        Ok(())
    }

    fn end(&mut self, _rows: u64, receipt: Option<serde_json::Value>, out: &mut Vec<u8>) -> Result<()> {
        if let Some(receipt) = receipt {
            self.writer.append_key_value_metadata(KeyValue::new(RECEIPT.into(), receipt.to_string()));
        }
        self.writer.finish()?;
        self.shared.drain_into(out);
        Ok(())
    }
}
