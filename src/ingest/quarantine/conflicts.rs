//! The conflicts (V19) that wait, for every batch asks whether it makes some of them moot. The files of the quarantine never
//! change: each is read once in a process. It must not write.

use std::collections::{HashMap, HashSet};
use std::fmt;

use arrow::array::Array;
use tokio::sync::Mutex;

use super::{CONFLICT, parse_conflict};
use crate::error::Result;
use crate::ingest::columns::{instants, text_at, texts};
use crate::lake::{DataFile, Lake, TableState};
use crate::model::QUARANTINE;

/// Table, key and version of a row that lost a conflict.
pub(crate) type Conflict = (String, u128, i64);

/// Shared by all that land into one lake in this process.
#[derive(Default)]
pub(crate) struct Conflicts {
    /// By the path of the file that has them.
    open: Mutex<HashMap<String, Vec<Conflict>>>,
}

impl fmt::Debug for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Conflicts")
    }
}

impl Conflicts {
    /// Those that wait now.
    pub async fn open(&self, lake: &Lake) -> Result<Vec<Conflict>> {
        let mut open = self.open.lock().await;
        let state = lake.state(&QUARANTINE).await?;
        // Rewritten files are gone, and their rows are in others, which are new to us.
        let there: HashSet<&str> = state.files.iter().map(|f| f.path.as_str()).collect();
        open.retain(|path, _| there.contains(path.as_str()));
        for file in &state.files {
            if !open.contains_key(&file.path) {
                open.insert(file.path.clone(), of(lake, &state, file).await?);
            }
        }
        Ok(open.values().flatten().cloned().collect())
    }
}

async fn of(lake: &Lake, state: &TableState, file: &DataFile) -> Result<Vec<Conflict>> {
    let mut open = Vec::new();
    for batch in lake.read(state, file, Some(&["table_name", "value", "rule", "resolved_at"])).await? {
        let (tables, rules) = (texts(&batch, "table_name")?, texts(&batch, "rule")?);
        let (values, done) = (texts(&batch, "value")?, instants(&batch, "resolved_at")?);
        for row in (0..batch.num_rows()).filter(|row| rules.value(*row) == CONFLICT && done.is_null(*row)) {
            let conflict = text_at(values, row).and_then(parse_conflict);
            open.extend(conflict.map(|(key, version)| (tables.value(row).to_string(), key, version)));
        }
    }
    Ok(open)
}
