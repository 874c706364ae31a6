//! Derived tables: those that the engine keeps from other tables, by contracts that it makes at run time. Here is which of
//! them this process knows, and what is left of those that nobody knows any more. It must not know what they are made of.
//!
//! No head names them, no batch writes them: readers take the newest version, and whoever refreshes one commits on the
//! version that they read. They hold nothing that cannot be made anew.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::ObjectStore;

use super::slot::Slot;
use super::state::TableState;
use super::store::Root;
use super::vacuum::Leftover;
use super::{Lake, errors, staged};
use crate::error::{Error, Result};
use crate::model::{Table, TableKind};

/// How names of derived tables begin: by it vacuum knows the folders of those that are gone.
const PREFIX: &str = "rollup_";

/// The derived tables that this process knows.
#[derive(Default)]
pub(super) struct Derived {
    slots: Mutex<BTreeMap<&'static str, Arc<Slot>>>,
    /// It has said which ones there are: see [`Lake::derives`].
    told: AtomicBool,
}

impl Derived {
    /// The place of `table`, made when it is first asked for. Another contract of the same name takes the place of this one.
    pub fn slot(&self, root: &Root, table: &'static Table) -> Result<Arc<Slot>> {
        if !is_derived(table.name) {
            return Err(Error::internal(format!("derived table {}: a name is {PREFIX} and [a-z0-9_]", table.name)));
        }
        let mut slots = self.lock();
        if let Some(slot) = slots.get(table.name).filter(|slot| std::ptr::eq(slot.table, table)) {
            return Ok(slot.clone());
        }
        let slot = Arc::new(Slot::new(root, table)?);
        slots.insert(table.name, slot.clone());
        Ok(slot)
    }

    fn knows(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_derived(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    name.len() > PREFIX.len() && name.starts_with(PREFIX) && name.bytes().all(plain)
}

impl Lake {
    /// The newest state of a derived table, as [`Lake::state`] gives it; version -1 where it was never written, or was
    /// deleted since. Commits, reads and history take derived tables like others.
    ///
    /// # Errors
    /// `Internal`: the contract is of another kind, or its name does not begin with `rollup_`. Those of [`Lake::state`]: the
    /// caller may do without the table, and ask other tables.
    pub async fn derived(&self, table: &'static Table) -> Result<Arc<TableState>> {
        if table.kind != TableKind::Derived {
            return Err(Error::internal(format!("table {} is not derived", table.name)));
        }
        self.state(table).await
    }

    /// Says that these are all derived tables (with those that were used before). From then on vacuum takes other folders
    /// whose names begin with `rollup_`, and in which nothing was written lately, for leftovers and deletes them. Without
    /// it, it leaves them: a program that never asks for rollups does not know which ones others use. Nothing is read.
    ///
    /// # Errors
    /// `Internal`: one is of another kind, or has a name that no derived table has.
    pub fn derives(&self, tables: impl IntoIterator<Item = &'static Table>) -> Result<()> {
        for table in tables {
            if table.kind != TableKind::Derived {
                return Err(Error::internal(format!("table {} is not derived", table.name)));
            }
            self.slot(table)?;
        }
        self.inner.derived.told.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// The derived tables that this process knows, by name.
    pub(super) fn derived_tables(&self) -> Vec<&'static Table> {
        self.inner.derived.lock().values().map(|slot| slot.table).collect()
    }
}

/// All that lies in folders of derived tables that this process does not know, where nothing was written since `before`.
/// The log of each comes first: should deleting end early, there is no table left whose files are gone.
pub(super) async fn left(lake: &Lake, before: DateTime<Utc>) -> Result<Vec<Leftover>> {
    let derived = &lake.inner.derived;
    if !derived.told.load(Ordering::SeqCst) {
        return Ok(Vec::new());
    }
    let Root { store, prefix, .. } = &lake.inner.root;
    let listed = store.list_with_delimiter(Some(prefix)).await;
    let listed = listed.map_err(|e| errors::store(e, format!("listing {}", lake.url())))?;
    let mut leftovers = Vec::new();
    for folder in listed.common_prefixes {
        let unknown = |name: &&str| is_derived(name) && !derived.knows(name);
        let Some(name) = folder.filename().filter(unknown) else { continue };
        let objects = store.list(Some(&folder)).try_collect::<Vec<_>>().await;
        let objects = objects.map_err(|e| errors::store(e, format!("listing {folder}")))?;
        if objects.iter().all(|object| object.last_modified < before) {
            leftovers.extend(objects.into_iter().map(Leftover::object));
            leftovers.extend(staged::cut_off(&lake.inner.root, name, before).await?);
        }
    }
    // `_delta_log` sorts before months and files.
    leftovers.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(leftovers)
}
