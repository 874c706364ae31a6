//! Corrections to accounts, kept in the commit that makes them true. Records that waited leave the quarantine in one commit,
//! and the audit is told in another: should the process die between the two, what the first says of itself completes the
//! second. It must not decide what became of a record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Audited, FileRow, Status, TableRow, TableRows, write};
use crate::error::{Error, Result};
use crate::ingest::account::FileAccount;
use crate::ingest::commit::Writer;
use crate::lake::CutOff;
use crate::model::{self, QUARANTINE};

/// The key of commitInfo.
pub(crate) const CORRECTIONS: &str = "corrections";
/// So many commits of the quarantine are searched for those of a batch that was cut off.
const LOOK_BACK: usize = 128;

#[derive(Serialize, Deserialize)]
struct Corrections {
    files: Vec<Corrected>,
    /// File, table, and what became of its rows.
    tables: Vec<(String, String, TableRow)>,
}

#[derive(Serialize, Deserialize)]
struct Corrected {
    id: String,
    file: Audited,
    account: FileAccount,
    started: i64,
}

/// What the accounts of a batch say, all of them corrections of status `retried`, for commitInfo.
pub(crate) fn corrections(files: &[FileRow], tables: &TableRows) -> Result<Value> {
    let file = |f: &FileRow| Corrected {
        id: f.id.clone(),
        file: f.file.clone(),
        account: f.account.clone(),
        started: f.started,
    };
    let corrections = Corrections {
        files: files.iter().map(file).collect(),
        tables: tables.iter().map(|((file, table), row)| (file.clone(), table.to_string(), *row)).collect(),
    };
    // A text: other readers of the log need not understand it.
    let text = serde_json::to_string(&corrections);
    text.map(Value::String).map_err(|e| Error::internal("corrections are not JSON").caused_by(e))
}

/// Writes the corrections of batches that were cut off before they came to it; true if there were any.
pub(crate) async fn complete(writer: Writer<'_>) -> Result<bool> {
    let mut cut: BTreeMap<String, CutOff> = BTreeMap::new();
    cut.extend(writer.lake.cut_off().into_iter().map(|c| (c.batch_id.clone(), c)));
    cut.retain(|_, c| c.files.iter().any(|f| f.waited));
    if cut.is_empty() {
        return Ok(false);
    }
    let mut any = false;
    for commit in writer.lake.history(&QUARANTINE, LOOK_BACK).await? {
        let (Some(batch), Some(said)) = (&commit.batch_id, commit.info.get(CORRECTIONS).and_then(Value::as_str)) else {
            continue;
        };
        if cut.remove(batch).is_none() {
            continue;
        }
        let named = |e: serde_json::Error| Error::internal(format!("quarantine, version {}: {e}", commit.version));
        let Corrections { files, tables } = serde_json::from_str(said).map_err(named)?;
        let row = |c: Corrected| FileRow {
            id: c.id,
            file: c.file,
            account: c.account,
            started: c.started,
            status: Status::Retried,
            definition: None,
        };
        let files: Vec<FileRow> = files.into_iter().map(row).collect();
        let table = |(file, table, row): (String, String, TableRow)| Some(((file, model::table(&table)?.name), row));
        let writer = Writer { batch_id: batch, ..writer };
        write(writer, &files, &tables.into_iter().filter_map(table).collect()).await?;
        any = true;
    }
    Ok(any)
}
