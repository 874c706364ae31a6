//! Columns of rollups in memory, by the files that they were read from: the least recently asked for go first. What a scan would
//! take is judged by what such columns took before, not by its files: most of a file can be hashes, which no query reads. It must
//! not hold more than it was given.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Schema};
use xxhash_rust::xxh3::Xxh3;

use crate::engine::cache::lru::Lru;
use crate::lake::DataFile;

/// So much of the memory one scan may take: one that takes all of it would leave nothing for the next.
const PART: u64 = 2;
/// Bytes that a text or a set takes beside what it is of.
const VIEW: usize = 16;

/// What a column of a table took, in all files that were read.
#[derive(Debug, Clone, Copy, Default)]
struct Width {
    bytes: u64,
    rows: u64,
}

/// Columns of files that were read.
pub struct Held {
    /// Bytes.
    most: u64,
    state: Mutex<State>,
}

struct State {
    columns: Lru<ArrayRef>,
    /// By table and column.
    widths: HashMap<(&'static str, String), Width>,
}

impl Held {
    /// `megabytes`: MiB that rollups may take in memory; 0 = they are read anew by each query.
    pub fn new(megabytes: u64) -> Held {
        let most = megabytes << 20;
        let columns = Lru::new(usize::try_from(most).unwrap_or(usize::MAX));
        Held { most, state: Mutex::new(State { columns, widths: HashMap::new() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A column of `file`, if it is held.
    pub fn get(&self, file: &DataFile, column: &str) -> Option<ArrayRef> {
        self.state().columns.get(&place(file, column)).cloned()
    }

    /// Holds a column of `file`, a file of `table`.
    pub fn put(&self, table: &'static str, file: &DataFile, column: &str, values: &ArrayRef) {
        let bytes = values.get_array_memory_size();
        let mut state = self.state();
        let width = state.widths.entry((table, column.into())).or_default();
        *width = Width { bytes: width.bytes + bytes as u64, rows: width.rows + values.len() as u64 };
        state.columns.insert(place(file, column), ArrayRef::clone(values), bytes);
    }

    /// Whether `rows` rows of a table's columns `wanted` may be held.
    pub fn fits(&self, table: &'static str, wanted: &Schema, rows: u64) -> bool {
        let state = self.state();
        let bytes = |name: &str, least: u64| match state.widths.get(&(table, name.to_string())) {
            Some(width) => width.bytes.saturating_mul(rows) / width.rows.max(1),
            None => least.saturating_mul(rows),
        };
        let all: u64 = wanted.fields().iter().map(|field| bytes(field.name(), least(field.data_type()))).sum();
        all.saturating_mul(PART) <= self.most
    }
}

fn place(file: &DataFile, column: &str) -> [u8; 16] {
    let mut hash = Xxh3::new();
    hash.update(file.location.as_ref().as_bytes());
    hash.update(b"\n");
    hash.update(column.as_bytes());
    hash.digest128().to_le_bytes()
}

/// Bytes that a value takes at least.
fn least(of: &DataType) -> u64 {
    match of {
        DataType::Utf8View | DataType::BinaryView => VIEW as u64,
        other => other.primitive_width().unwrap_or(0) as u64,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use arrow::array::Int64Array;
    use arrow::datatypes::Field;

    use super::*;

    fn file(name: &str) -> DataFile {
        DataFile {
            path: name.into(),
            location: name.into(),
            size: u64::MAX / 8,
            modified_ms: 0,
            month: None,
            rows: 10,
            stats: BTreeMap::new(),
        }
    }

    /// A column of so many KiB.
    fn column(kib: usize) -> ArrayRef {
        Arc::new(Int64Array::from(vec![0_i64; kib << 7]))
    }

    fn schema(kind: DataType) -> Schema {
        Schema::new(vec![Field::new("x", kind, true)])
    }

    #[test]
    fn what_columns_took_decides_not_how_large_their_files_are() {
        let held = Held::new(1);
        assert!(held.fits("t", &schema(DataType::Int64), 60_000), "nothing was read: 8 bytes each");
        assert!(!held.fits("t", &schema(DataType::Utf8View), 60_000), "16 bytes each");
        // Sixteen times as wide as it has to be.
        let wide: ArrayRef = column(16).slice(0, 128);
        held.put("t", &file("a"), "x", &wide);
        assert!(!held.fits("t", &schema(DataType::Int64), 60_000));
        assert!(held.fits("t", &schema(DataType::Int64), 3_000) && held.fits("u", &schema(DataType::Int64), 60_000));
    }

    #[test]
    fn the_least_recently_asked_for_goes_first() {
        let held = Held::new(1);
        for name in ["a", "b", "c"] {
            held.put("t", &file(name), "x", &column(300));
        }
        assert!(held.get(&file("a"), "x").is_some() && held.get(&file("a"), "y").is_none());
        held.put("t", &file("d"), "x", &column(300));
        assert!(held.get(&file("b"), "x").is_none());
        assert!(["a", "c", "d"].iter().all(|name| held.get(&file(name), "x").is_some()));
        let none = Held::new(0);
        none.put("t", &file("a"), "x", &column(1));
        assert!(none.get(&file("a"), "x").is_none() && !none.fits("t", &schema(DataType::Int64), 1));
    }
}
