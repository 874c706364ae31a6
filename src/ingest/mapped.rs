//! What mapping hands to landing: the rows that passed every landing rule, and the records that did not.

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;

use crate::model::{Severity, Table};

/// The outcome of mapping a run of raw records of one file.
#[derive(Debug, Clone, Default)]
pub struct Mapped {
    pub tables: Vec<MappedTable>,
    pub rejected: Vec<Rejected>,
    /// Records left out by a declared predicate, per reason.
    pub skipped: BTreeMap<String, u64>,
    /// Records read.
    pub records: u64,
}

/// Rows for one table.
#[derive(Debug, Clone)]
pub struct MappedTable {
    pub table: &'static Table,
    /// Dimension rows gleaned from facts: losers never decide a record's fate.
    pub reference: bool,
    /// In the table's schema (`business_month` too). `ingested_at` and `ingest_batch_id` hold placeholders that landing sets.
    pub rows: RecordBatch,
    /// Row `i` came from the raw record at line `record[i]`.
    pub record: Vec<i64>,
    /// Row `i` broke a rule of severity warn.
    pub warned: Vec<bool>,
}

/// A record that does not land. One entry per record: the first rule it broke.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// The table whose contract it broke; empty when it reached none.
    pub table: String,
    pub line: i64,
    pub field: Option<String>,
    pub value: Option<String>,
    pub rule: &'static str,
    pub severity: Severity,
    /// What the rule asks for.
    pub message: String,
    pub raw: String,
    /// JSON object of the raw fields (text), with `_ordinal` where keys are ordinal, so that the record can land later.
    pub record: Option<String>,
}
