//! The numbers that stand for values in the sets of rollups, as the lake keeps them: one table for all rollups. It must not
//! give numbers: a refresh does, and commits them before the rows that use them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::numbers::Numbers;
use crate::error::{Error, Result};
use crate::lake::{Change, Commit, Lake, TableState};
use crate::model::{Column, EventTime, Kind, Table, TableKind};

pub static NUMBERS: Table = Table {
    name: "rollup_number",
    about: "The numbers that stand for values in the sets of rollups",
    kind: TableKind::Derived,
    key: &[],
    parts: &[&[
        Column::new("value", Kind::Text, "a value, such as a customer's key; that of number 0 names the dictionary"),
        Column::new("number", Kind::Long, "its number"),
    ]],
    event: EventTime::None,
    month_of: None,
    sort: &[],
    stats: &[],
    checks: &[],
};

/// Files that are put together.
const FILES: usize = 64;
pub const APP: &str = "rollups";

/// The numbers in one version of the table.
#[derive(Debug, Default)]
pub struct Dictionary {
    pub numbers: Numbers,
    /// −1 = there is none.
    pub version: i64,
    /// Another one's numbers mean something else; empty where there is none.
    pub identity: String,
}

/// The dictionary as it was read last.
#[derive(Default)]
pub struct Read(Mutex<(BTreeSet<String>, Arc<Dictionary>)>);

impl Read {
    /// The newest dictionary: files that were read before are not read again.
    pub async fn newest(&self, lake: &Lake) -> Result<Arc<Dictionary>> {
        let mut read = self.0.lock().await;
        let state = lake.derived(&NUMBERS).await?;
        let paths: BTreeSet<String> = state.files.iter().map(|file| file.path.clone()).collect();
        if read.0 == paths && read.1.version == state.version {
            return Ok(Arc::clone(&read.1));
        }
        let grown = read.0.is_subset(&paths);
        let mut rows = Vec::new();
        for file in state.files.iter().filter(|file| !(grown && read.0.contains(&file.path))) {
            let batches = lake.batches(&state, file, Some(&["value", "number"])).await?;
            rows.extend(batches.try_collect::<Vec<_>>().await?);
        }
        let (before, known) = match grown {
            true => (read.1.numbers.fork(), read.1.identity.clone()),
            false => (Numbers::default(), String::new()),
        };
        let identity = identity(&rows)?.unwrap_or(known);
        let dictionary = Dictionary { numbers: before.with(&rows)?, version: state.version, identity };
        *read = (paths, Arc::new(dictionary));
        Ok(Arc::clone(&read.1))
    }
}

/// The value of number 0, where it is among `rows`.
fn identity(rows: &[RecordBatch]) -> Result<Option<String>> {
    for batch in rows {
        let numbers = batch.column(1).as_primitive_opt::<Int64Type>();
        let numbers = numbers.ok_or_else(|| Error::internal("numbers of another type"))?;
        if let Some(row) = numbers.iter().position(|number| number == Some(0)) {
            let value = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8)?;
            return Ok(Some(value.as_string::<i32>().value(row).to_string()));
        }
    }
    Ok(None)
}

/// Begins a dictionary where there is none; true if it did.
pub async fn begin(lake: &Lake) -> Result<bool> {
    let state = lake.derived(&NUMBERS).await?;
    if !state.files.is_empty() {
        return Ok(false);
    }
    let rows = rows(&[(format!("dictionary {}", Uuid::new_v4()), 0)])?;
    commit(lake, &state, vec![rows], vec![]).await
}

/// Commits the numbers that were given to new values on top of version `on`; false: somebody gave numbers meanwhile.
pub async fn add(lake: &Lake, on: i64, added: &[(String, u32)]) -> Result<bool> {
    if added.is_empty() {
        return Ok(true);
    }
    let state = lake.derived(&NUMBERS).await?;
    if state.version != on {
        return Ok(false);
    }
    let (mut add, mut remove) = (vec![rows(added)?], Vec::new());
    if state.files.len() >= FILES {
        for file in &state.files {
            add.extend(lake.read(&state, file, None).await?);
            remove.push(Arc::clone(file));
        }
    }
    commit(lake, &state, add, remove).await
}

fn rows(numbers: &[(String, u32)]) -> Result<RecordBatch> {
    let values: ArrayRef = Arc::new(StringArray::from_iter_values(numbers.iter().map(|(value, _)| value)));
    let given: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers.iter().map(|(_, n)| i64::from(*n))));
    Ok(RecordBatch::try_new(NUMBERS.schema(), vec![values, given])?)
}

async fn commit(
    lake: &Lake,
    state: &TableState,
    add: Vec<RecordBatch>,
    remove: Vec<Arc<crate::lake::DataFile>>,
) -> Result<bool> {
    let batch_id = Uuid::now_v7().to_string();
    let change = Change { batch_id: &batch_id, app: APP, add, remove, keep: vec![], info: serde_json::Map::default() };
    Ok(matches!(lake.commit(state, change).await?, Commit::Done { .. }))
}
