//! One version of one table: its data files with their statistics. Immutable; it must not do I/O.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::Schema;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoArrow;
use deltalake_core::kernel::{Add, LogicalFileView};
use deltalake_core::table::state::DeltaTableState;
use object_store::path::Path;

use super::slot::Slot;
use super::stats::{self, ColumnStats, Stat};
use crate::error::{Error, Result};
use crate::model::{MONTH, Table};

/// Reader features that change nothing for a plain scan of the listed files.
const READABLE: &[&str] = &["timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"];

/// A table at one version.
#[derive(Debug)]
pub struct TableState {
    pub table: &'static Table,
    /// Delta's version; -1 for a table that was never written.
    pub version: i64,
    /// By month, then by name (which is the order of writing for files of ours).
    pub files: Vec<Arc<DataFile>>,
    pub(super) delta: Option<DeltaTableState>,
}

/// A Parquet file of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFile {
    /// Relative to the table's folder, as the Delta log has it.
    pub path: String,
    /// From the root of [`super::Lake::object_store`].
    pub location: Path,
    /// Bytes.
    pub size: u64,
    /// When it was written, as the log has it: milliseconds since 1970.
    pub modified_ms: i64,
    /// Its partition, 'YYYY-MM'; `None` in unpartitioned tables.
    pub month: Option<String>,
    pub rows: u64,
    /// By column name; absent = nothing known.
    pub stats: BTreeMap<String, ColumnStats>,
}

impl TableState {
    pub(super) fn absent(table: &'static Table) -> TableState {
        TableState { table, version: -1, files: Vec::new(), delta: None }
    }

    /// Describes a loaded version; files that `before` lists too are taken from there.
    pub(super) fn new(slot: &Slot, delta: DeltaTableState, before: Option<&TableState>) -> Result<TableState> {
        check(slot.table, &delta)?;
        let known: HashMap<&str, &Arc<DataFile>> =
            before.iter().flat_map(|s| &s.files).map(|f| (f.path.as_str(), f)).collect();
        let mut files = Vec::with_capacity(known.len() + 8);
        for view in delta.log_data().iter() {
            let path = view.path();
            match known.get(path.as_ref()) {
                // Paths are unique for ever: an equal path is the same file, unless a deletion vector was put on it.
                Some(file) if view.deletion_vector_descriptor().is_none() => files.push((*file).clone()),
                _ => files.push(Arc::new(DataFile::from_view(slot, &view)?)),
            }
        }
        files.sort_by(|a, b| (&a.month, &a.path).cmp(&(&b.month, &b.path)));
        let version = signed(delta.version())?;
        Ok(TableState { table: slot.table, version, files, delta: Some(delta) })
    }

    /// The same with these of its files only.
    pub fn only(&self, files: Vec<Arc<DataFile>>) -> TableState {
        TableState { table: self.table, version: self.version, files, delta: None }
    }

    /// Whether the table was ever written.
    pub fn exists(&self) -> bool {
        self.version >= 0
    }

    /// Rows, from the log.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|f| f.rows).sum()
    }

    /// Bytes of all data files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|f| f.size).sum()
    }

    /// The least and the greatest value of `column` over all files, from statistics; of `business_month` too. `None`
    /// when there is no value, or when a file's statistics do not tell.
    pub fn range(&self, column: &str) -> Option<(Stat, Stat)> {
        let mut range: Option<(Stat, Stat)> = None;
        for file in self.files.iter().filter(|f| f.rows > 0) {
            let (low, high) = match file.range(column) {
                Extent::Range(low, high) => (low, high),
                Extent::NoValue => continue,
                Extent::Nothing => return None,
            };
            range = Some(match range {
                None => (low, high),
                Some((a, b)) => (a.min(low), b.max(high)),
            });
        }
        range
    }
}

/// What a file's statistics tell of a column.
enum Extent {
    Range(Stat, Stat),
    NoValue,
    Nothing,
}

impl DataFile {
    fn from_view(slot: &Slot, view: &LogicalFileView) -> Result<DataFile> {
        if view.deletion_vector_descriptor().is_some() {
            return Err(Error::invalid(format!(
                "file '{}' has a deletion vector, which cannot be read here",
                view.path()
            ))
            .hint("rewrite the table without deletion vectors (REORG TABLE … APPLY (PURGE) in Spark)"));
        }
        let month = view.partition_values_map().remove(MONTH).flatten();
        let path = view.path().into_owned();
        DataFile::new(slot, path, view.size(), view.modification_time(), month, view.stats().as_deref())
    }

    /// A file as a commit adds it.
    pub(super) fn from_add(slot: &Slot, add: &Add) -> Result<DataFile> {
        let month = add.partition_values.get(MONTH).cloned().flatten();
        DataFile::new(slot, add.path.clone(), add.size, add.modification_time, month, add.stats.as_deref())
    }

    fn new(
        slot: &Slot,
        path: String,
        size: i64,
        modified_ms: i64,
        month: Option<String>,
        stats: Option<&str>,
    ) -> Result<DataFile> {
        let named = |e: Error| e.context(format!("file '{path}'"));
        if path.starts_with('/') || path.contains("://") {
            return Err(Error::invalid(format!("file '{path}' lies outside its table"))
                .hint("shallow clones are not supported: copy the data"));
        }
        let (rows, stats) = stats::parse(slot.table, stats.unwrap_or("{}")).map_err(named)?;
        let location = Path::parse(format!("{}/{path}", slot.prefix))
            .map_err(|e| named(Error::invalid(format!("no storage path: {e}"))))?;
        let size = u64::try_from(size).map_err(|_| named(Error::invalid("has a negative size")))?;
        Ok(DataFile { path, location, size, modified_ms, month, rows, stats })
    }

    fn range(&self, column: &str) -> Extent {
        if column == MONTH {
            let stat = self.month.clone().map(Stat::Text);
            return stat.map_or(Extent::Nothing, |s| Extent::Range(s.clone(), s));
        }
        match self.stats.get(column) {
            Some(ColumnStats { min: Some(min), max: Some(max), .. }) => Extent::Range(min.clone(), max.clone()),
            Some(ColumnStats { nulls, .. }) if *nulls == Some(self.rows) => Extent::NoValue,
            _ => Extent::Nothing,
        }
    }
}

/// Refuses what a plain scan of the listed files would read wrongly, and tables that do not fit their contract.
fn check(table: &Table, delta: &DeltaTableState) -> Result<()> {
    let protocol = serde_json::to_value(delta.protocol()).map_err(|e| Error::internal(format!("protocol: {e}")))?;
    let features = protocol.get("readerFeatures").and_then(|f| f.as_array()).into_iter().flatten();
    let unknown: Vec<&str> = features.filter_map(|f| f.as_str()).filter(|f| !READABLE.contains(f)).collect();
    if !unknown.is_empty() {
        return Err(Error::invalid(format!("the table needs reader features {}", unknown.join(", ")))
            .hint(format!("known here: {}; drop the feature with the tool that added it", READABLE.join(", "))));
    }
    let mode = delta.metadata().configuration().get("delta.columnMapping.mode");
    if let Some(mode) = mode.filter(|m| m.as_str() != "none") {
        return Err(Error::invalid(format!("the table uses column mapping ('{mode}'), which cannot be read here"))
            .hint("copy it into a table without column mapping"));
    }
    let wanted: &[&str] = if table.partitioned() { &[MONTH] } else { &[] };
    if delta.metadata().partition_columns() != wanted {
        return Err(Error::invalid(format!(
            "the table is partitioned by [{}], its contract by [{}]",
            delta.metadata().partition_columns().join(", "),
            wanted.join(", ")
        )));
    }
    let schema: Schema = delta.schema().as_ref().try_into_arrow()?;
    for field in table.schema().fields() {
        let stored = schema.field_with_name(field.name()).map_err(|_| {
            Error::invalid(format!("the table has no column {}", field.name()))
                .hint("it was made for another version of the contract: land its files into a new lake")
        })?;
        if stored.data_type() != field.data_type() {
            return Err(Error::invalid(format!(
                "column {} is {} in the table and {} in its contract",
                field.name(),
                stored.data_type(),
                field.data_type()
            )));
        }
    }
    Ok(())
}

/// delta-rs counts versions in u64; we use i64, with -1 for "none".
pub(super) fn signed(version: u64) -> Result<i64> {
    i64::try_from(version).map_err(|_| Error::internal(format!("version {version} is out of range")))
}
