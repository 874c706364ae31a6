//! How landing tells what it is doing. It must not draw: a surface implements [`Progress`] as it likes.

/// Receives the steps of a landing, in order. Every method may be called from any thread and must return at once.
pub trait Progress: Send + Sync {
    /// Landing of `files` new files of `source`, `bytes` in all, begins; `already` more are known and not read again.
    fn begin(&self, source: &str, files: usize, already: usize, bytes: u64) {
        let _ = (source, files, already, bytes);
    }
    /// A file is being read.
    fn file(&self, uri: &str) {
        let _ = uri;
    }
    /// That many more records have been read and mapped.
    fn records(&self, records: u64) {
        let _ = records;
    }
    /// The file has been read to its end; it had that many bytes.
    fn file_done(&self, uri: &str, bytes: u64) {
        let _ = (uri, bytes);
    }
    /// Rows are being committed to a table.
    fn commit(&self, table: &str, rows: u64) {
        let _ = (table, rows);
    }
    /// All files of `source` have landed.
    fn end(&self, source: &str) {
        let _ = source;
    }
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}
