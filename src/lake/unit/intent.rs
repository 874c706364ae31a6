//! What a batch is about to commit to several tables, noted before the first commit. Should its writer die between two of
//! them, whoever comes next commits the rest, so that the batch shows whole. That is as if the writer had died a little
//! later: each commit goes to the version after the one that it was computed on, or nowhere, and a writer that lives
//! after all knows it for its own. It must not decide which writers are dead.

use std::collections::HashSet;
use std::sync::{MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload};
use serde::{Deserialize, Serialize};

use super::super::commit::{self, Commit, Prepared};
use super::super::state::TableState;
use super::super::{Lake, errors};
use crate::error::{Error, Result};
use crate::model::{self, TABLES};

#[derive(Serialize, Deserialize)]
struct Intended {
    table: String,
    /// The version that it was computed on.
    base: i64,
    commit: Prepared,
}

/// As [`Intended`], of what need not be owned.
#[derive(Serialize)]
struct Intends<'a> {
    table: &'a str,
    base: i64,
    commit: &'a Prepared,
}

fn folder(lake: &Lake) -> Path {
    lake.inner.root.prefix.clone().join("_heads").join("intents")
}

fn path(lake: &Lake, batch_id: &str) -> Path {
    folder(lake).join(format!("{batch_id}.json"))
}

fn noted(lake: &Lake) -> MutexGuard<'_, HashSet<String>> {
    lake.inner.noted.lock().unwrap_or_else(PoisonError::into_inner)
}

/// See [`Lake::intend`].
pub(in crate::lake) async fn note(lake: &Lake, batch_id: &str, commits: &[(&TableState, &Prepared)]) -> Result<()> {
    if commits.is_empty() || (commits.len() == 1 && !noted(lake).contains(batch_id)) {
        return Ok(());
    }
    // A put that fails may have taken effect.
    noted(lake).insert(batch_id.into());
    let intends = |(base, commit): &(&TableState, &'_ Prepared)| {
        serde_json::to_value(Intends { table: base.table.name, base: base.version, commit })
    };
    let all: Result<Vec<_>, _> = commits.iter().map(intends).collect();
    let json = all.and_then(|all| serde_json::to_vec(&all));
    let json = json.map_err(|e| Error::internal(format!("batch {batch_id}: its commits are not JSON: {e}")))?;
    let path = path(lake, batch_id);
    let put = lake.inner.root.store.put(&path, PutPayload::from(json)).await;
    put.map(drop).map_err(|e| errors::store(e, &path))
}

/// See [`Lake::intended`].
pub(in crate::lake) async fn done(lake: &Lake, batch_id: &str) -> Result<()> {
    let has_note = noted(lake).contains(batch_id);
    if has_note { forget(lake, batch_id).await } else { Ok(()) }
}

/// All of it is committed, or never will be.
async fn forget(lake: &Lake, batch_id: &str) -> Result<()> {
    let path = path(lake, batch_id);
    match lake.inner.root.store.delete(&path).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
        Err(e) => return Err(errors::store(e, &path)),
    }
    noted(lake).remove(batch_id);
    Ok(())
}

/// Notes older than `before` whose batches have ended: taking them away failed, or they came late. `now` is the store's.
pub(in crate::lake) async fn left(lake: &Lake, before: DateTime<Utc>, now: DateTime<Utc>) -> Result<Vec<ObjectMeta>> {
    let folder = folder(lake);
    let listed = lake.inner.root.store.list(Some(&folder)).try_collect::<Vec<_>>().await;
    let mut notes = listed.map_err(|e| errors::store(e, format!("listing {folder}")))?;
    notes.retain(|note| note.last_modified < before);
    if !notes.is_empty() {
        // After the notes: a batch has its marker for longer than its note.
        let markers = lake.inner.heads.markers(now).await?;
        notes.retain(|note| {
            let batch = note.location.filename().and_then(|name| name.strip_suffix(".json"));
            !markers.iter().any(|m| batch == Some(m.batch_id.as_str()))
        });
    }
    Ok(notes)
}

/// Commits what a dead writer noted and did not come to; whether there was anything. What cannot be committed any more
/// (others have committed to its table since, or its files are gone) stays out: landing the same files again completes it.
pub(super) async fn finish(lake: &Lake, batch_id: &str) -> Result<bool> {
    let Some(intended) = read(lake, batch_id).await? else { return Ok(false) };
    let mut rest = Vec::new();
    for Intended { table, base, commit } in intended {
        let table = model::table(&table).ok_or_else(|| Error::internal(format!("batch {batch_id}: table {table}")))?;
        let newest = lake.state(table).await?;
        let since = lake.slot(table)?.commits(base, newest.version).await?;
        if !since.iter().any(|c| c.batch_id.as_deref() == Some(batch_id)) {
            rest.push((newest, base, commit));
        }
    }
    let mut finished = false;
    if !rest.is_empty() && has_begun(lake, batch_id).await? {
        let mut possible = true;
        for (newest, base, commit) in &rest {
            possible &= newest.version == *base && commit.is_whole(lake, newest.table).await?;
        }
        if !possible {
            tracing::warn!(batch_id, "a batch whose writer is gone shows in part until its files land again");
        }
        for (newest, _, commit) in rest.into_iter().filter(|_| possible) {
            finished = true;
            let slot = lake.slot(newest.table)?;
            if commit::commit(&slot, &lake.inner.root, &newest, commit).await? == Commit::Moved {
                tracing::warn!(batch_id, table = newest.table.name, "another writer was faster than a dead one's rest");
            }
        }
    }
    forget(lake, batch_id).await?;
    Ok(finished)
}

/// Whether any table has a commit of the batch, also one that an earlier attempt noted. No head shows it while the batch has
/// its marker.
async fn has_begun(lake: &Lake, batch_id: &str) -> Result<bool> {
    let head = lake.head().await?;
    for table in TABLES {
        let shown = head.as_ref().map_or(-1, |h| h.version(table.name));
        let newest = lake.state(table).await?.version;
        let since = lake.slot(table)?.commits(shown, newest).await?;
        if since.iter().any(|c| c.batch_id.as_deref() == Some(batch_id)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `None`: nothing is noted. A note that cannot be read (half written) comes from before the first commit.
async fn read(lake: &Lake, batch_id: &str) -> Result<Option<Vec<Intended>>> {
    let path = path(lake, batch_id);
    match lake.inner.root.store.get(&path).await {
        Ok(found) => {
            let bytes = found.bytes().await.map_err(|e| errors::store(e, &path))?;
            Ok(Some(serde_json::from_slice(&bytes).unwrap_or_default()))
        }
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(e) => Err(errors::store(e, &path)),
    }
}
