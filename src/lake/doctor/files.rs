//! Data files: those that the log names and the store does not have as it says, and those that nothing names. It only
//! looks.

use std::collections::{BTreeMap, HashMap};

use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parquet::arrow::ParquetRecordBatchStreamBuilder;

use super::{Checkup, Examination, NAMED, Status, counted};
use crate::error::Result;
use crate::lake::read::FileReader;
use crate::lake::slot::Slot;
use crate::lake::state::{DataFile, TableState};
use crate::lake::vacuum::{self, Shown};
use crate::lake::{Lake, errors};
use crate::model::Table;

/// Footers read at once.
const READS: usize = 8;

/// Files that are not there, or are not what the log says.
pub(super) async fn look_at_files(
    lake: &Lake,
    slot: &Slot,
    state: &TableState,
    how: &Examination,
    checkup: &mut Checkup,
) -> Result<()> {
    let store = &lake.inner.root.store;
    let listed = vacuum::data_files(store, &slot.prefix).await?;
    let sizes: HashMap<&Path, u64> = listed.iter().map(|o| (&o.location, o.size)).collect();
    let mut wrong: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    let mut whole = Vec::new();
    for file in &state.files {
        let size = match sizes.get(&file.location) {
            Some(size) => Some(*size),
            // Listed, it would have been there: ask for the file itself before saying that it is lost.
            None => match store.head(&file.location).await {
                Ok(found) => Some(found.size),
                Err(object_store::Error::NotFound { .. }) => None,
                Err(e) => return Err(errors::store(e, &file.location)),
            },
        };
        match size {
            None => wrong.entry("missing").or_default().push(file.path.clone()),
            Some(size) if size != file.size => {
                let detail = format!("{} ({size} bytes, {} in the log)", file.path, file.size);
                wrong.entry("of another size").or_default().push(detail);
            }
            Some(_) => whole.push(file.clone()),
        }
    }
    if how.deep {
        let read = futures::stream::iter(whole).map(|file| async move { (footer_rows(lake, &file).await, file) });
        let mut read = std::pin::pin!(read.buffered(READS));
        while let Some((rows, file)) = read.next().await {
            match rows {
                Ok(rows) if rows == file.rows => {}
                Ok(rows) => {
                    let detail = format!("{} ({rows} rows, {} in the log)", file.path, file.rows);
                    wrong.entry("with other rows").or_default().push(detail);
                }
                Err(error) => wrong.entry("unreadable").or_default().push(format!("{} ({error})", file.path)),
            }
        }
    }
    for (how, files) in wrong {
        let (n, all) = (files.len(), state.files.len());
        let more = if n > NAMED { format!(" and {} more", n - NAMED) } else { String::new() };
        let named = files.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
        let detail = format!("{n} of {} {how}: {named}{more}", counted(all, "file"));
        checkup.add(Some(state.table), "file", Status::Broken, detail);
        checkup.action("restore these files from a backup, or land their sources into a new lake");
    }
    Ok(())
}

async fn footer_rows(lake: &Lake, file: &DataFile) -> Result<u64> {
    let builder = ParquetRecordBatchStreamBuilder::new(FileReader::new(&lake.inner.root.store, file)).await?;
    Ok(u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0))
}

pub(super) async fn look_at_leftovers(lake: &Lake, table: &'static Table, shown: &Shown<'_>, checkup: &mut Checkup) {
    match vacuum::of_table(lake, table, shown).await {
        Ok(leftovers) if leftovers.is_empty() => {}
        Ok(leftovers) => {
            let bytes: u64 = leftovers.iter().map(|l| l.bytes).sum();
            let detail = format!("{} of {bytes} bytes that nothing needs", counted(leftovers.len(), "file"));
            checkup.add(Some(table), "leftovers", Status::Note, detail);
            checkup.action(format!("saleslake lake vacuum {}", table.name));
        }
        // The reason is another finding's.
        Err(error) => checkup.add(Some(table), "leftovers", Status::Note, format!("cannot be told: {error}")),
    }
}
