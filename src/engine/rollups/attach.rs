//! Rollups put beside a snapshot. What cannot be had leaves the snapshot without it: the tables answer then.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::TryStreamExt;
use tokio::sync::Mutex;

use super::definition::{Definition, Rollup};
use super::numbers::Numbers;
use super::ready::Ready;
use crate::engine::session::Sessions;
use crate::engine::snapshot::{BrokenView, Snapshot};
use crate::error::Result;
use crate::lake::{Lake, TableState};
use crate::model::{Column, EventTime, Kind, Table, TableKind};

/// The numbers that stand for values in sets, for all rollups.
pub static NUMBERS: Table = Table {
    name: "rollup_number",
    about: "The numbers that stand for values in the sets of rollups",
    kind: TableKind::Derived,
    key: &[],
    parts: &[&[
        Column::new("value", Kind::Text, "a value, such as a customer's key"),
        Column::new("number", Kind::Long, "its number, from 0"),
    ]],
    event: EventTime::None,
    month_of: None,
    sort: &[],
    stats: &[],
    checks: &[],
};

/// The numbers as they were read last.
#[derive(Default)]
pub struct Known {
    read: Mutex<(BTreeSet<String>, Arc<Numbers>)>,
}

impl Known {
    /// The numbers in `state`: files that were read before are not read again.
    pub async fn numbers(&self, lake: &Lake, state: &TableState) -> Result<Arc<Numbers>> {
        let mut read = self.read.lock().await;
        let paths: BTreeSet<String> = state.files.iter().map(|file| file.path.clone()).collect();
        if read.0 == paths {
            return Ok(Arc::clone(&read.1));
        }
        let grown = read.0.is_subset(&paths);
        let mut rows = Vec::new();
        for file in state.files.iter().filter(|file| !(grown && read.0.contains(&file.path))) {
            let batches = lake.batches(state, file, Some(&["value", "number"])).await?;
            rows.extend(batches.try_collect::<Vec<_>>().await?);
        }
        let numbers = match grown {
            true => read.1.with(&rows)?,
            false => Numbers::default().with(&rows)?,
        };
        *read = (paths, Arc::new(numbers));
        Ok(Arc::clone(&read.1))
    }
}

/// Puts the rollups of `definitions` beside `snapshot`, whose tables and views are complete.
pub async fn attach(
    snapshot: &mut Snapshot,
    definitions: &[Arc<Definition>],
    last: Option<&Snapshot>,
    (lake, sessions, known): (&Lake, &Sessions, &Known),
) {
    if definitions.is_empty() {
        return;
    }
    let numbers = match numbers(lake, known).await {
        Ok(numbers) => numbers,
        Err(error) => {
            tracing::warn!(%error, "rollups cannot be read; the tables answer");
            return;
        }
    };
    for definition in definitions {
        let rollup = match planned(definition, snapshot, last).await {
            Ok(rollup) => rollup,
            Err(error) => {
                let broken = BrokenView::new(&definition.name, &definition.path, &error);
                snapshot.broken_rollups.insert(definition.name.clone(), broken);
                continue;
            }
        };
        let ready = async {
            let state = lake.derived(rollup.table()).await?;
            Ready::new(rollup, &state, snapshot.states(), Arc::clone(&numbers), sessions.store())
        };
        match ready.await {
            Ok(ready) => snapshot.rollups.push(Arc::new(ready)),
            Err(error) => {
                tracing::warn!(rollup = definition.name, %error, "a rollup cannot be read; the tables answer")
            }
        }
    }
    let tables = snapshot.rollups.iter().map(|ready| ready.rollup().table()).chain([&NUMBERS]);
    if snapshot.broken_rollups.is_empty()
        && let Err(error) = lake.derives(tables)
    {
        tracing::warn!(%error, "a vacuum will leave tables of rollups that are gone");
    }
    // The shortest that can answer does.
    snapshot.rollups.sort_by_key(|ready| ready.count());
}

async fn numbers(lake: &Lake, known: &Known) -> Result<Arc<Numbers>> {
    let state = lake.derived(&NUMBERS).await?;
    known.numbers(lake, &state).await
}

/// The rollup, planned again only where it or the views have changed.
async fn planned(definition: &Arc<Definition>, snapshot: &Snapshot, last: Option<&Snapshot>) -> Result<Arc<Rollup>> {
    let last = last.filter(|last| last.meaning() == snapshot.meaning());
    let same = last.and_then(|last| last.rollups.iter().find(|r| Arc::ptr_eq(r.rollup().definition(), definition)));
    match same {
        Some(same) => Ok(Arc::clone(same.rollup())),
        None => Rollup::plan(Arc::clone(definition), snapshot).await.map(Arc::new),
    }
}
