//! What a lake holds, to be compared: rows, the quarantine, accounts. It must not know what was done to it.

use std::collections::BTreeMap;

use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::ingest::columns::{longs, texts};
use crate::lake::{Lake, TableState};
use crate::model::{FX_RATE, INGEST_FILE, INGEST_TABLE, ORDER_LINE, PRODUCT, QUARANTINE, RETURN_LINE, Table};

/// Columns that say when and in which batch a row came, not what it is.
pub const BOOKKEEPING: [&str; 7] =
    ["ingested_at", "ingest_batch_id", "detected_at", "resolved_at", "batch_id", "started_at", "finished_at"];

/// The rows of a table without bookkeeping, as sorted texts.
pub async fn rows(lake: &Lake, state: &TableState, without: &[&str]) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for file in &state.files {
        for batch in lake.read(state, file, None).await.expect("every table can be read") {
            let schema = batch.schema();
            let shown = schema.fields().iter().enumerate().filter(|(_, f)| !without.contains(&f.name().as_str()));
            let shown: Vec<_> = shown
                .map(|(i, f)| (f.name().clone(), ArrayFormatter::try_new(batch.column(i), &options).expect("shown")))
                .collect();
            rows.extend((0..batch.num_rows()).map(|row| {
                shown.iter().map(|(name, column)| format!("{name}={} ", column.value(row))).collect::<String>()
            }));
        }
    }
    rows.sort();
    rows
}

/// What must be the same whatever happened: the rows of every table, which records are in quarantine, which files landed.
pub async fn answer(lake: &Lake) -> BTreeMap<&'static str, Vec<String>> {
    let mut answer = BTreeMap::new();
    for table in [&ORDER_LINE, &RETURN_LINE, &PRODUCT, &FX_RATE] as [&'static Table; 4] {
        let state = lake.state(table).await.expect("every table opens");
        answer.insert(table.name, rows(lake, &state, &BOOKKEEPING).await);
    }
    // A displaced row is kept as it was stored, with the time and the batch of its landing.
    let state = lake.state(&QUARANTINE).await.expect("every table opens");
    answer.insert("quarantine", rows(lake, &state, &[&BOOKKEEPING[..], &["raw"]].concat()).await);
    // A file has one row, and one for each time that records of it were tried again.
    let state = lake.state(&INGEST_FILE).await.expect("every table opens");
    answer.insert("ingest_file", rows(lake, &state, &BOOKKEEPING).await);
    answer.insert("accounts", sums(lake, &INGEST_FILE, &["file_uri"], &FILE_COUNTS).await);
    let by = ["source_file_id", "table_name"];
    answer.insert("ingest_table", sums(lake, &INGEST_TABLE, &by, &TABLE_COUNTS).await);
    answer
}

const FILE_COUNTS: [&str; 6] = ["read", "landed", "duplicate", "late_ignored", "skipped", "quarantined"];
const TABLE_COUNTS: [&str; 5] = ["new", "replaced", "duplicate", "late_ignored", "warned"];

/// The sums of `counts` over the rows of an audit table that are alike in `by`, as sorted texts.
async fn sums(lake: &Lake, table: &'static Table, by: &[&str], counts: &[&str]) -> Vec<String> {
    let state = lake.state(table).await.expect("every table opens");
    let mut sums: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for file in &state.files {
        for batch in lake.read(&state, file, None).await.expect("every table can be read") {
            for row in 0..batch.num_rows() {
                let key: Vec<&str> = by.iter().map(|c| texts(&batch, c).expect("a text").value(row)).collect();
                let sum = sums.entry(key.join(" ")).or_insert_with(|| vec![0; counts.len()]);
                for (sum, count) in sum.iter_mut().zip(counts) {
                    *sum += longs(&batch, count).expect("a number").value(row);
                }
            }
        }
    }
    sums.into_iter().map(|(key, sum)| format!("{key} {sum:?}")).collect()
}
