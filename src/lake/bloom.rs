//! Bloom filters of `row_key`, read once per file and kept up to a bound. A filter may say "maybe" wrongly, never "no".

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use object_store::ObjectStore;
use object_store::path::Path;
use parquet::arrow::ParquetRecordBatchStreamBuilder;
use parquet::bloom_filter::Sbbf;

use super::read::FileReader;
use super::state::DataFile;
use super::write::ROW_KEY;
use crate::error::{Error, Result};

/// Bytes of filters kept: about 16 million keys.
const LIMIT: usize = 128 * 1024 * 1024;
const BLOCK_BYTES: usize = 32;

/// The filters of one file, one per row group; `None`: the file lacks them.
type FileFilters = Option<Vec<Sbbf>>;

/// A cache of filters; files are never changed, so nothing gets stale.
#[derive(Default)]
pub(super) struct Blooms {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    files: HashMap<Path, Arc<FileFilters>>,
    /// In order of arrival: the oldest goes first.
    order: VecDeque<(Path, usize)>,
    bytes: usize,
}

impl Blooms {
    /// See [`super::Lake::may_hold`].
    pub async fn may_hold(&self, store: &Arc<dyn ObjectStore>, file: &DataFile, keys: &[[u8; 16]]) -> Result<bool> {
        if keys.is_empty() || file.rows == 0 {
            return Ok(false);
        }
        let filters = self.filters(store, file).await?;
        Ok(match filters.as_ref() {
            None => true,
            Some(groups) => keys.iter().any(|key| groups.iter().any(|group| group.check(key.as_slice()))),
        })
    }

    async fn filters(&self, store: &Arc<dyn ObjectStore>, file: &DataFile) -> Result<Arc<FileFilters>> {
        if let Some(found) = self.lock().files.get(&file.location) {
            return Ok(found.clone());
        }
        let loaded = load(store, file).await.map_err(|e| e.context(&file.location))?;
        let bytes = loaded.iter().flatten().map(|f| f.num_blocks() * BLOCK_BYTES).sum();
        let loaded = Arc::new(loaded);
        self.lock().keep(&file.location, &loaded, bytes);
        Ok(loaded)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn keep(&mut self, location: &Path, filters: &Arc<FileFilters>, bytes: usize) {
        if self.files.insert(location.clone(), filters.clone()).is_some() {
            return;
        }
        self.order.push_back((location.clone(), bytes));
        self.bytes += bytes;
        while self.bytes > LIMIT {
            let Some((oldest, bytes)) = self.order.pop_front() else { break };
            self.files.remove(&oldest);
            self.bytes -= bytes;
        }
    }
}

async fn load(store: &Arc<dyn ObjectStore>, file: &DataFile) -> Result<FileFilters> {
    let mut builder = ParquetRecordBatchStreamBuilder::new(FileReader::new(store, file)).await?;
    let column = builder
        .parquet_schema()
        .columns()
        .iter()
        .position(|c| c.path().string() == ROW_KEY)
        .ok_or_else(|| Error::internal(format!("no column {ROW_KEY}: the table has no keys")))?;
    let mut filters = Vec::new();
    for group in 0..builder.metadata().num_row_groups() {
        match builder.get_row_group_column_bloom_filter(group, column).await? {
            Some(filter) => filters.push(filter),
            None => return Ok(None),
        }
    }
    Ok(Some(filters))
}
