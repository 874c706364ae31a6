//! Files that a batch was landing, or mapping anew, when it was cut off: rows of theirs may be in the tables, and no account
//! says so. It takes away notes of files that have their accounts; landing or replaying them again is the only cure for
//! the others.

use std::collections::{HashMap, HashSet};

use arrow::array::AsArray;

use super::{Checkup, Examination, NAMED, Status};
use crate::error::Result;
use crate::lake::heads::{CutOff, Marker, UnfinishedFile};
use crate::lake::{Lake, TableState};
use crate::model::INGEST_FILE;

/// Looks at notes, and at markers of writers that are gone, as far as they were not mended into notes.
pub(super) async fn look_at_unfinished(
    lake: &Lake,
    markers: &[Marker],
    states: &[std::sync::Arc<TableState>],
    how: &Examination,
    checkup: &mut Checkup,
) -> Result<()> {
    let heads = &lake.inner.heads;
    let mut cut = heads.notes().await?;
    for marker in markers.iter().filter(|m| !m.live && !how.mend) {
        cut.push(heads.landing(marker).await?);
    }
    let at_work = |c: &CutOff| markers.iter().any(|m| m.live && m.batch_id == c.batch_id);
    cut.retain(|c| !c.files.is_empty() && !at_work(c));
    if cut.is_empty() {
        return Ok(());
    }
    let accounts = Accounts::load(lake, states).await?;
    for CutOff { batch_id, files } in cut {
        let open: Vec<&UnfinishedFile> = files.iter().filter(|f| !accounts.has(f, &batch_id)).collect();
        if open.is_empty() {
            if how.mend {
                heads.note(&batch_id, Vec::new()).await?;
            }
            continue;
        }
        let (replayed, open): (Vec<&UnfinishedFile>, Vec<_>) = open.into_iter().partition(|f| f.replayed);
        if let Some(UnfinishedFile { source, .. }) = replayed.first() {
            let (n, files) = (replayed.len(), if replayed.len() == 1 { "file" } else { "files" });
            let detail = format!("the replay of {n} {files} of source {source} was cut off, in batch {batch_id}");
            checkup.add(None, "unfinished", Status::Note, format!("{detail}: tables may show it in part"));
            checkup.action(format!("saleslake ingest --replay {source}"));
        }
        for file in open.iter().take(NAMED) {
            let UnfinishedFile { source, uri, waited, .. } = file;
            let detail = match waited {
                false => format!("{uri} of source {source} was cut off while it landed, in batch {batch_id}"),
                true => format!("a new attempt at waiting records of {uri} was cut off, in batch {batch_id}"),
            };
            checkup.add(None, "unfinished", Status::Note, detail);
            checkup.action(match (waited, uri.starts_with("push/")) {
                (true, _) => "saleslake quarantine retry".to_string(),
                (false, true) => "the sender was told that it did not land: it has to be sent again".to_string(),
                (false, false) => format!("saleslake ingest {source} {uri}"),
            });
        }
        if open.len() > NAMED {
            let more = open.len() - NAMED;
            checkup.add(None, "unfinished", Status::Note, format!("{more} more files of batch {batch_id}"));
            checkup.action("saleslake ingest");
        }
    }
    Ok(())
}

/// Which files have accounts, and of which batches.
#[derive(Default)]
struct Accounts {
    landed: HashSet<String>,
    /// File and batch.
    parts: HashSet<(String, String)>,
    /// The newest replay of each file: ids of batches rise with time.
    replayed: HashMap<String, String>,
}

impl Accounts {
    async fn load(lake: &Lake, states: &[std::sync::Arc<TableState>]) -> Result<Accounts> {
        let mut accounts = Accounts::default();
        let Some(state) = states.iter().find(|s| s.table.name == INGEST_FILE.name) else { return Ok(accounts) };
        for file in &state.files {
            for batch in lake.read(state, file, Some(&["batch_id", "source_file_id", "status"])).await? {
                let text = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
                let (Some(batches), Some(ids), Some(status)) =
                    (text("batch_id"), text("source_file_id"), text("status"))
                else {
                    continue;
                };
                for row in 0..batch.num_rows() {
                    let id = ids.value(row).to_string();
                    accounts.parts.insert((id.clone(), batches.value(row).to_string()));
                    match status.value(row) {
                        "landed" => {
                            accounts.landed.insert(id);
                        }
                        "replayed" => {
                            let newest = accounts.replayed.entry(id).or_default();
                            if newest.as_str() < batches.value(row) {
                                *newest = batches.value(row).to_string();
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(accounts)
    }

    fn has(&self, file: &UnfinishedFile, batch_id: &str) -> bool {
        if file.replayed {
            return self.replayed.get(&file.file_id).is_some_and(|newest| newest.as_str() >= batch_id);
        }
        match file.waited {
            false => self.landed.contains(&file.file_id),
            true => self.parts.contains(&(file.file_id.clone(), batch_id.to_string())),
        }
    }
}
