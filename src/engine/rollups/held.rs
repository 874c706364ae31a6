//! Rows of rollups in memory, by the files that they were read from. Whether a rollup fits is judged by what its rows take in memory,
//! not by its files: most of a file can be hashes, which no query reads. Until one of its files was read, only the least is known;
//! then the others are taken to be like those that were. It must not hold more than it was given.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};

use crate::lake::{DataFile, TableState};

/// So much of the memory one rollup may take.
const PART: u64 = 2;
/// Bytes that a text or a set takes beside what it is of.
const VIEW: usize = 16;

/// What is known of a file that was read.
#[derive(Debug)]
struct Seen {
    /// Bytes that its rows take in memory.
    bytes: u64,
    /// How many they are.
    count: u64,
    /// `None`: their rollup does not fit.
    rows: Option<Arc<Vec<RecordBatch>>>,
}

/// Rows of files that were read, by where the files are.
pub struct Held {
    /// Bytes.
    most: u64,
    files: Mutex<HashMap<String, Seen>>,
}

impl Held {
    /// `megabytes`: MiB that rollups may take in memory; 0 = they are read anew by each query.
    pub fn new(megabytes: u64) -> Held {
        Held { most: megabytes << 20, files: Mutex::default() }
    }

    fn files(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of all files but those of `states`.
    pub fn keep<'a>(&self, states: impl Iterator<Item = &'a TableState>) {
        let used: HashSet<String> =
            states.flat_map(|state| &state.files).map(|file| file.location.to_string()).collect();
        self.files().retain(|location, _| used.contains(location));
    }

    /// The rows of `file`, if they are held.
    pub fn get(&self, file: &DataFile) -> Option<Arc<Vec<RecordBatch>>> {
        self.files().get(file.location.as_ref()).and_then(|known| known.rows.clone())
    }

    /// Holds the rows of `file`.
    pub fn put(&self, file: &DataFile, rows: Arc<Vec<RecordBatch>>) {
        let bytes: u64 = rows.iter().map(|batch| batch.get_array_memory_size() as u64).sum();
        self.files().insert(file.location.to_string(), Seen { bytes, count: file.rows, rows: Some(rows) });
    }

    /// Whether the rows of `files` may be held, beside those of others; `least` = bytes that each row takes at least. If not, they
    /// are let go, and what they take stays known.
    pub fn fits(&self, files: &[Arc<DataFile>], least: u64) -> bool {
        let mut known = self.files();
        let (mut bytes, mut count, mut own) = (0_u64, 0_u64, 0_u64);
        for of in files.iter().filter_map(|file| known.get(file.location.as_ref())) {
            (bytes, count) = (bytes + of.bytes, count + of.count);
            own += if of.rows.is_some() { of.bytes } else { 0 };
        }
        let held: u64 = known.values().filter(|of| of.rows.is_some()).map(|of| of.bytes).sum();
        let all: u64 = files.iter().map(|file| file.rows).sum();
        let whole = whole(bytes, count, all).max(all.saturating_mul(least));
        let others = held.saturating_sub(own);
        let fits = whole.saturating_mul(PART) <= self.most && whole.saturating_add(others) <= self.most;
        if !fits && own > 0 {
            for file in files {
                if let Some(of) = known.get_mut(file.location.as_ref()) {
                    of.rows = None;
                }
            }
        }
        fits
    }
}

/// Bytes of `all` rows, of which `count` take `bytes`.
fn whole(bytes: u64, count: u64, all: u64) -> u64 {
    let whole = u128::from(bytes) * u128::from(all) / u128::from(count.max(1));
    u64::try_from(whole).unwrap_or(u64::MAX).max(bytes)
}

/// Bytes that a row of `schema` takes at least.
pub fn least(schema: &Schema) -> u64 {
    let width = |of: &DataType| match of {
        DataType::Utf8View | DataType::BinaryView => VIEW,
        other => other.primitive_width().unwrap_or(0),
    };
    schema.fields().iter().map(|field| width(field.data_type()) as u64).sum()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow::array::{ArrayRef, Int64Array};
    use arrow::datatypes::Field;

    use super::*;

    /// A file of 10 rows.
    fn file(name: &str) -> Arc<DataFile> {
        Arc::new(DataFile {
            path: name.into(),
            location: name.into(),
            size: u64::MAX / 8,
            modified_ms: 0,
            month: None,
            rows: 10,
            stats: BTreeMap::new(),
        })
    }

    /// What takes about `bytes`.
    fn rows(bytes: usize) -> Arc<Vec<RecordBatch>> {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![0_i64; bytes / 8]));
        Arc::new(vec![RecordBatch::try_from_iter([("number", numbers)]).unwrap()])
    }

    #[test]
    fn what_rows_take_decides_not_how_large_their_files_are() {
        let held = Held::new(1);
        let files = [file("a"), file("b")];
        assert!(held.fits(&files, 100), "nothing was read");
        assert!(!held.fits(&files, 1 << 16), "20 rows of 64 KiB");
        held.put(&files[0], rows(100 << 10));
        assert!(held.fits(&files, 100) && held.get(&files[0]).is_some());
        held.put(&files[0], rows(400 << 10));
        assert!(!held.fits(&files, 100), "the other is taken to be as large: over half of the memory");
        assert!(held.get(&files[0]).is_none());
        assert!(!held.fits(&files, 100), "what was let go stays known");
    }

    #[test]
    fn rollups_share_the_memory() {
        let held = Held::new(1);
        let all = ["a", "b", "c"].map(file);
        for file in &all[..2] {
            held.put(file, rows(400 << 10));
            assert!(held.fits(std::slice::from_ref(file), 1));
        }
        held.put(&all[2], rows(400 << 10));
        assert!(!held.fits(&all[2..], 1), "two of three fit");
        assert!(held.get(&all[0]).is_some() && held.get(&all[2]).is_none());
        held.keep(std::iter::empty());
        assert!(held.fits(&all[2..], 1) && held.get(&all[0]).is_none());
    }

    #[test]
    fn of_a_row_the_least_is_known() {
        let fields = [("text", DataType::Utf8View), ("money", DataType::Decimal128(18, 4)), ("day", DataType::Date32)];
        let fields = fields.map(|(name, kind)| Field::new(name, kind, true));
        assert_eq!(least(&Schema::new(fields.to_vec())), 16 + 16 + 4);
        assert_eq!((whole(10, 5, 20), whole(10, 0, 20)), (40, 200));
    }
}
