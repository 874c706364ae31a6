//! Vacuum: finds and deletes objects that nothing needs any more. It must not delete what a version that is kept names,
//! what a query in this process reads, or what an unfinished write may still commit.
//!
//! Kept are all versions of a table that were its newest one at the cut-off or after, those that heads kept for the same
//! reason name, and whatever this process holds. Times are the store's own. Queries of *other* processes are protected by
//! the time alone: it must be longer than they take, and than a write takes from its first file to its commit.
//!
//! No head names derived tables, and whoever writes one has no marker: of those, an hour is kept in any case. Folders of
//! derived tables that nobody knows any more go whole (`derived`).

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use deltalake_core::kernel::Action;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use tokio::sync::OnceCell;

use super::heads::Head;
use super::slot::Slot;
use super::state::TableState;
use super::unit::{bury, intent};
use super::{Lake, derived, errors, staged};
use crate::error::{Error, Result};
use crate::model::{TABLES, Table, TableKind};

/// Commits read at once.
const READS: usize = 16;
/// Less than this, and the files of a write that is under way look like leftovers.
const SAFE: TimeDelta = TimeDelta::hours(1);
/// The place of what is left of derived tables.
const GONE: &str = "rollup_*";

/// An object that nothing needs.
#[derive(Debug, Clone)]
pub struct Leftover {
    /// From the root of the store, or a local file.
    pub path: String,
    pub bytes: u64,
    pub modified: DateTime<Utc>,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Object(Path),
    /// An upload that was cut off, which the store does not list.
    Local(PathBuf),
}

impl Leftover {
    pub(super) fn object(object: ObjectMeta) -> Leftover {
        Leftover {
            path: object.location.to_string(),
            bytes: object.size,
            modified: object.last_modified,
            place: Place::Object(object.location),
        }
    }

    pub(super) fn local(path: PathBuf, bytes: u64, modified: DateTime<Utc>) -> Leftover {
        Leftover { path: path.display().to_string(), bytes, modified, place: Place::Local(path) }
    }
}

/// What nothing needs in one place.
#[derive(Debug, Clone)]
pub struct Vacuumed {
    /// A table, `_heads`, or `rollup_*`: derived tables that are not known any more.
    pub place: &'static str,
    pub leftovers: Vec<Leftover>,
}

impl Vacuumed {
    pub fn bytes(&self) -> u64 {
        self.leftovers.iter().map(|l| l.bytes).sum()
    }
}

/// The heads that were shown since a time, listed once for all tables, if anybody asks.
pub(super) struct Shown<'a> {
    lake: &'a Lake,
    pub before: DateTime<Utc>,
    heads: OnceCell<(Option<Head>, Vec<ObjectMeta>)>,
}

impl Shown<'_> {
    pub fn since(lake: &Lake, before: DateTime<Utc>) -> Shown<'_> {
        Shown { lake, before, heads: OnceCell::new() }
    }

    /// The oldest of them, and the objects that are older.
    async fn heads(&self) -> Result<&(Option<Head>, Vec<ObjectMeta>)> {
        self.heads.get_or_try_init(|| self.lake.inner.heads.since(self.before)).await
    }
}

/// See [`Lake::vacuum`].
pub(super) async fn vacuum(
    lake: &Lake,
    table: Option<&'static Table>,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
    dry_run: bool,
) -> Result<Vec<Vacuumed>> {
    if !dry_run && now.signed_duration_since(before) < SAFE {
        let at_work = lake.inner.heads.markers(now).await?.into_iter().find(|m| m.live);
        if let Some(marker) = at_work {
            return Err(Error::conflict(format!(
                "batch {} is at work: files younger than an hour may be its own",
                marker.batch_id
            ))
            .hint("wait for it, or keep an hour"));
        }
    }
    let shown = Shown::since(lake, before);
    let mut places = Vec::new();
    if table.is_none() {
        places.push(Vacuumed { place: "_heads", leftovers: of_heads(lake, &shown, now, dry_run).await? });
    }
    for table in TABLES.iter().filter(|t| table.is_none_or(|one| one.name == t.name)) {
        places.push(Vacuumed { place: table.name, leftovers: of_table(lake, table, &shown).await? });
    }
    let calm = Shown::since(lake, now.checked_sub_signed(SAFE).map_or(before, |hour| hour.min(before)));
    for table in lake.derived_tables().into_iter().filter(|t| table.is_none_or(|one| one.name == t.name)) {
        match of_table(lake, table, &calm).await {
            Ok(leftovers) => places.push(Vacuumed { place: table.name, leftovers }),
            // It can be made anew, and must not keep the others from being swept.
            Err(error) => tracing::warn!(table = table.name, %error, "a derived table could not be swept"),
        }
    }
    if table.is_none() {
        places.push(Vacuumed { place: GONE, leftovers: derived::left(lake, calm.before).await? });
    }
    places.retain(|p| !p.leftovers.is_empty());
    if !dry_run {
        for place in &places {
            delete(&lake.inner.root.store, &place.leftovers).await?;
        }
    }
    Ok(places)
}

/// What nothing needed below the folder of `table` since `shown`.
pub(super) async fn of_table(lake: &Lake, table: &'static Table, shown: &Shown<'_>) -> Result<Vec<Leftover>> {
    let before = shown.before;
    let slot = lake.slot(table)?;
    let root = &lake.inner.root;
    let newest = slot.newest().await?;
    // What readers are shown is in use while this is held. (Of this table only: another one may not open.)
    let head = if table.kind == TableKind::Derived { None } else { lake.head().await? };
    let _held = match head {
        None => newest.clone(),
        Some(head) => slot.at(head.version(table.name)).await?,
    };
    let listed: HashSet<&Path> = newest.files.iter().map(|f| &f.location).collect();
    let mut found = data_files(&root.store, &slot.prefix).await?;
    found.retain(|o| o.last_modified < before && !listed.contains(&o.location));
    if !found.is_empty() {
        let kept = kept(&slot, &newest, shown).await?;
        found.retain(|o| !kept.contains(&o.location));
    }
    let mut leftovers: Vec<Leftover> = found.into_iter().map(Leftover::object).collect();
    leftovers.extend(staged::cut_off(root, table.name, before).await?);
    leftovers.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(leftovers)
}

/// Heads that only said what was shown before that time, markers of writers that are gone, and notes that nobody will need.
/// What those writers were landing is noted, but for a dry run.
async fn of_heads(lake: &Lake, shown: &Shown<'_>, now: DateTime<Utc>, dry_run: bool) -> Result<Vec<Leftover>> {
    let heads = &lake.inner.heads;
    let (_, old) = shown.heads().await?;
    let mut objects = old.clone();
    objects.extend(heads.old_notes(now).await?);
    objects.extend(intent::left(lake, shown.before, now).await?);
    for marker in heads.markers(now).await?.into_iter().filter(|m| !m.live) {
        if !dry_run {
            bury(lake, &marker).await?;
        }
        objects.push(marker.object);
    }
    let mut leftovers: Vec<Leftover> = objects.into_iter().map(Leftover::object).collect();
    for folder in ["", "_heads"] {
        leftovers.extend(staged::cut_off(&lake.inner.root, folder, shown.before).await?);
    }
    Ok(leftovers)
}

/// Deletes them; those that somebody else has deleted are as good.
async fn delete(store: &Arc<dyn ObjectStore>, leftovers: &[Leftover]) -> Result<()> {
    let mut objects = Vec::new();
    for leftover in leftovers {
        match &leftover.place {
            Place::Object(path) => objects.push(Ok(path.clone())),
            Place::Local(path) => match std::fs::remove_file(path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::from(e).context(&leftover.path));
                }
                _ => {}
            },
        }
    }
    let mut deleted = store.delete_stream(futures::stream::iter(objects).boxed());
    while let Some(one) = deleted.next().await {
        match one {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(e) => return Err(errors::store(e, "deleting what nothing needs")),
        }
    }
    Ok(())
}

/// The Parquet files below a table's folder, without the log and other folders that begin with `_` or `.`.
pub(super) async fn data_files(store: &Arc<dyn ObjectStore>, folder: &Path) -> Result<Vec<ObjectMeta>> {
    let fail = |e| errors::store(e, format!("listing {folder}"));
    let top = store.list_with_delimiter(Some(folder)).await.map_err(fail)?;
    let mut found = top.objects;
    for folder in top.common_prefixes {
        if !folder.filename().is_some_and(|name| name.starts_with(['_', '.'])) {
            found.extend(store.list(Some(&folder)).try_collect::<Vec<_>>().await.map_err(fail)?);
        }
    }
    found.retain(|o| o.location.filename().is_some_and(|name| name.ends_with(".parquet")));
    Ok(found)
}

/// The files of every version that is kept, but for those of `newest` that have been in the table all the time.
async fn kept(slot: &Slot, newest: &TableState, shown: &Shown<'_>) -> Result<HashSet<Path>> {
    let mut first = newest_at(slot, newest.version, shown.before).await?;
    if slot.table.kind != TableKind::Derived
        && let (Some(head), _) = shown.heads().await?
    {
        first = first.min(head.version(slot.table.name));
    }
    // A version's files are in the newest one too, or a later commit removed them.
    let commits = futures::stream::iter((first + 1).max(0)..=newest.version).map(|version| slot.actions(version));
    let mut commits = std::pin::pin!(commits.buffered(READS));
    let mut kept = HashSet::new();
    while let Some(actions) = commits.next().await {
        // A commit that was cleaned up leads to no version that anybody can open.
        for action in actions?.into_iter().flatten() {
            let path = match action {
                Action::Add(add) => add.path,
                Action::Remove(remove) => remove.path,
                _ => continue,
            };
            let location = Path::parse(format!("{}/{path}", slot.prefix))
                .map_err(|e| Error::invalid(format!("{}: file '{path}': {e}", slot.url())))?;
            kept.insert(location);
        }
    }
    // Last of all, so that a state handed out meanwhile counts.
    for state in slot.in_use() {
        kept.extend(state.files.iter().map(|f| f.location.clone()));
    }
    Ok(kept)
}

/// The version that was the newest one at `at`; -1 if none was there. Commits' times rise with their versions; one that
/// was cleaned up is older than any that was not.
async fn newest_at(slot: &Slot, newest: i64, at: DateTime<Utc>) -> Result<i64> {
    let (mut low, mut high) = (0, newest + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match slot.committed_at(middle).await? {
            Some(committed) if committed >= at => high = middle,
            _ => low = middle + 1,
        }
    }
    Ok(low - 1)
}
