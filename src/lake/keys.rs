//! Which keys a table surely does not hold: filters over the keys of all its files, so that a large batch of new rows need
//! not read all keys once more. They may say "maybe" wrongly, never "no". Files never change: each is read once.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::record_batch::RecordBatch;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use parquet::bloom_filter::Sbbf;
use tokio::sync::Mutex;

use super::read;
use super::state::{DataFile, TableState};
use super::store::Root;
use super::write::ROW_KEY;
use crate::error::{Error, Result};

/// Bytes of the first filter; each further one is twice as large as the one before.
const FIRST: usize = 1 << 20;
/// Filters of a table at most: 127 MiB for about 100 million keys. Further files are not covered.
const FILTERS: usize = 7;
/// One wrong "maybe" in about a hundred.
const BITS_OF_A_KEY: usize = 10;
/// Files that are read at once.
const READS: usize = 4;

/// The filters of one table.
#[derive(Default)]
pub(super) struct Keys {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    files: HashSet<Path>,
    filters: Vec<Sbbf>,
    keys: usize,
}

/// Where keys may be.
pub struct Perhaps {
    /// Those that covered files may hold.
    pub keys: Vec<[u8; 16]>,
    /// Numbers of the files that are not covered, in ascending order: they may hold any key.
    pub uncovered: Vec<usize>,
}

impl Keys {
    /// See [`super::Lake::perhaps_in`].
    pub async fn perhaps_in(&self, root: &Root, state: &TableState, keys: Vec<[u8; 16]>) -> Result<Perhaps> {
        let mut held = self.held.lock().await;
        // Files that were rewritten leave their keys behind.
        if held.keys as u64 > 2 * state.rows() {
            *held = Held::default();
        }
        let (mut missing, mut uncovered, mut room) = (Vec::new(), Vec::new(), (capacity(FILTERS) - held.keys) as u64);
        for (number, file) in state.files.iter().enumerate().filter(|(_, f)| !held.files.contains(&f.location)) {
            match room.checked_sub(file.rows) {
                Some(rest) => {
                    room = rest;
                    missing.push(file.clone());
                }
                None => uncovered.push(number),
            }
        }
        let reads = missing.into_iter().map(|file: Arc<DataFile>| async move {
            let keys = read::read(&root.store, state.table, &file, Some(&[ROW_KEY])).await?;
            Ok::<_, Error>((file, keys))
        });
        let mut reads = stream::iter(reads).buffered(READS);
        while let Some((file, batches)) = reads.try_next().await? {
            batches.iter().for_each(|batch| held.take(batch));
            held.files.insert(file.location.clone());
        }
        let maybe = |key: &[u8; 16]| held.filters.iter().any(|filter| filter.check(key.as_slice()));
        Ok(Perhaps { keys: keys.into_iter().filter(maybe).collect(), uncovered })
    }
}

impl Held {
    fn take(&mut self, batch: &RecordBatch) {
        for key in batch.column(0).as_binary::<i32>().iter().flatten() {
            if self.keys == capacity(self.filters.len()) {
                self.filters.push(Sbbf::new_with_num_of_bytes(FIRST << self.filters.len()));
            }
            if let Some(last) = self.filters.last_mut() {
                last.insert(key);
            }
            self.keys += 1;
        }
    }
}

/// Keys for which so many filters have room.
fn capacity(filters: usize) -> usize {
    ((1 << filters) - 1) * FIRST * 8 / BITS_OF_A_KEY
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, BinaryArray};

    use super::*;

    #[test]
    fn filters_grow_with_the_keys() {
        let mut held = Held::default();
        let keys: Vec<[u8; 16]> =
            (0..2_000_000_u64).map(|i| xxhash_rust::xxh3::xxh3_128(&i.to_be_bytes()).to_be_bytes()).collect();
        let column: ArrayRef = Arc::new(BinaryArray::from_iter_values(&keys));
        held.take(&RecordBatch::try_from_iter([(ROW_KEY, column)]).expect("a batch"));
        // 1 MiB has room for 838,860 keys at ten bits, the second one for twice as many.
        assert_eq!((held.keys, held.filters.len()), (2_000_000, 2));
        assert!(keys.iter().all(|key| held.filters.iter().any(|f| f.check(key.as_slice()))));
    }
}
