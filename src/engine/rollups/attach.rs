//! Rollups put beside a snapshot. What cannot be had leaves the snapshot without it: the tables answer then.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::definition::{Definition, Rollup};
use super::dictionary::{Dictionary, NUMBERS, Read};
use super::held::Held;
use super::ready::Ready;
use crate::engine::session::Sessions;
use crate::engine::snapshot::{BrokenView, Snapshot};
use crate::error::Result;
use crate::lake::{Lake, TableState};

/// What an engine knows of rollups beside its snapshots.
pub struct Known {
    dictionary: Read,
    /// Rows in memory.
    pub held: Arc<Held>,
    /// What months were to be made from that turned out to have no rows: there is no file that says so.
    empty: Mutex<HashSet<String>>,
}

impl Known {
    /// `megabytes`: MiB for rows in memory.
    pub fn new(megabytes: u64) -> Known {
        Known { dictionary: Read::default(), held: Arc::new(Held::new(megabytes)), empty: Mutex::default() }
    }
    /// A month that is made from `wanted` has no rows.
    pub fn is_empty(&self, wanted: String) {
        self.empty.lock().unwrap_or_else(PoisonError::into_inner).insert(wanted);
    }
    pub fn empty(&self) -> HashSet<String> {
        self.empty.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What rollups are put together from.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    pub lake: &'a Lake,
    pub sessions: &'a Sessions,
    pub known: &'a Known,
}

impl Parts<'_> {
    /// One rollup as it is now, over `tables`.
    ///
    /// # Errors
    /// Storage.
    pub async fn ready(&self, rollup: Arc<Rollup>, tables: &[Arc<TableState>]) -> Result<Ready> {
        let state = self.lake.derived(rollup.table()).await?;
        // After the rows: what they number is in it.
        let dictionary = self.known.dictionary.newest(self.lake).await?;
        self.over(rollup, state, tables, dictionary)
    }

    fn over(
        &self,
        rollup: Arc<Rollup>,
        state: Arc<TableState>,
        tables: &[Arc<TableState>],
        dictionary: Arc<Dictionary>,
    ) -> Result<Ready> {
        Ready::new(rollup, state, tables, dictionary, self)
    }
}

/// Puts the rollups of `definitions` beside `snapshot`, whose tables and views are complete.
pub async fn attach(
    snapshot: &mut Snapshot,
    definitions: &[Arc<Definition>],
    last: Option<&Snapshot>,
    parts: Parts<'_>,
) {
    let mut states = Vec::new();
    for definition in definitions {
        let rollup = match planned(definition, snapshot, last).await {
            Ok(rollup) => rollup,
            Err(error) => {
                let broken = BrokenView::new(&definition.name, &definition.path, &error);
                snapshot.broken_rollups.insert(definition.name.clone(), broken);
                continue;
            }
        };
        match parts.lake.derived(rollup.table()).await {
            Ok(state) => states.push((rollup, state)),
            Err(error) => unread(&definition.name, &error),
        }
    }
    snapshot.rollups_wanted = definitions.len() - snapshot.broken_rollups.len().min(definitions.len());
    if states.is_empty() {
        return;
    }
    let dictionary = match parts.known.dictionary.newest(parts.lake).await {
        Ok(dictionary) => dictionary,
        Err(error) => return unread(NUMBERS.name, &error),
    };
    for (rollup, state) in states {
        let name = rollup.name().to_string();
        match parts.over(rollup, state, snapshot.states(), Arc::clone(&dictionary)) {
            Ok(ready) => snapshot.rollups.push(Arc::new(ready)),
            Err(error) => unread(&name, &error),
        }
    }
    // The shortest that can answer does.
    snapshot.rollups.sort_by_key(|ready| ready.count());
    let tables = snapshot.rollups.iter().map(|ready| ready.rollup().table()).chain([&NUMBERS]);
    if snapshot.rollups.len() == definitions.len()
        && let Err(error) = parts.lake.derives(tables)
    {
        tracing::warn!(%error, "a vacuum will leave tables of rollups that are gone");
    }
}

fn unread(name: &str, error: &crate::error::Error) {
    tracing::warn!(rollup = name, %error, "a rollup cannot be read; the tables answer");
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
