//! Heads and markers that nobody needs any more: for vacuum and doctor. It must not decide what a table keeps.

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::{Head, Heads, lease, number};
use crate::error::Result;
use crate::lake::errors;

/// Objects that were put to see what the store's clock shows.
const CLOCK: &str = "now-";

/// The marker of a batch that has begun and not ended.
#[derive(Debug)]
pub(in crate::lake) struct Marker {
    pub batch_id: String,
    pub object: ObjectMeta,
    /// Its writer is at work, as far as can be told.
    pub live: bool,
}

impl Heads {
    /// The oldest head that was the newest one at `at` or after (`None`: there are none), and the objects
    /// that are older than it.
    pub async fn since(&self, at: DateTime<Utc>) -> Result<(Option<Head>, Vec<ObjectMeta>)> {
        let fail = |e| errors::store(e, format!("listing {}", self.folder));
        let listed = self.store.list_with_delimiter(Some(&self.folder)).await.map_err(fail)?;
        let (mut heads, mut old): (Vec<(u64, ObjectMeta)>, _) = (Vec::new(), Vec::new());
        for object in listed.objects {
            match number(&object.location) {
                Some(number) => heads.push((number, object)),
                None if is_clock(&object.location) && object.last_modified < at => old.push(object),
                None => {}
            }
        }
        heads.sort_by_key(|(number, _)| *number);
        let first = heads.iter().rposition(|(_, object)| object.last_modified <= at).unwrap_or(0);
        let mut oldest = None;
        for (number, _) in heads.iter().skip(first) {
            oldest = self.read(*number).await?;
            // Else a writer that put the last head that outlives it has just removed it.
            if oldest.is_some() {
                break;
            }
        }
        old.extend(heads.into_iter().take(first).map(|(_, object)| object));
        Ok((oldest, old))
    }

    /// The head that was the newest one at `at`; `None`: it is not kept any more, or there was none yet.
    pub async fn at(&self, at: DateTime<Utc>) -> Result<Option<Head>> {
        let fail = |e| errors::store(e, format!("listing {}", self.folder));
        let listed = self.store.list_with_delimiter(Some(&self.folder)).await.map_err(fail)?;
        let before = listed.objects.iter().filter(|object| object.last_modified <= at);
        match before.filter_map(|object| number(&object.location)).max() {
            None => Ok(None),
            Some(number) => self.read(number).await,
        }
    }

    /// Every marker there is; `now` is the store's.
    pub async fn markers(&self, now: DateTime<Utc>) -> Result<Vec<Marker>> {
        let folder = self.folder.clone().join("open");
        let fail = |e| errors::store(e, format!("listing {folder}"));
        let objects: Vec<ObjectMeta> = self.store.list(Some(&folder)).try_collect().await.map_err(fail)?;
        let mut markers = Vec::new();
        for object in objects {
            let Some(batch) = object.location.filename().and_then(|n| n.strip_suffix(".json")) else { continue };
            let live = lease::counts(&self.store, &object, now).await?;
            markers.push(Marker { batch_id: batch.to_string(), object, live });
        }
        Ok(markers)
    }

    /// What the store's clock shows, from an object put for that.
    pub async fn now(&self) -> Result<DateTime<Utc>> {
        let path = self.folder.clone().join(format!("{CLOCK}{}", uuid::Uuid::new_v4().simple()));
        let fail = |e| errors::store(e, &path);
        self.store.put(&path, bytes::Bytes::new().into()).await.map_err(fail)?;
        let now = self.store.head(&path).await.map_err(fail)?.last_modified;
        // Best effort: an empty object does no harm, and vacuum finds it.
        let _ = self.store.delete(&path).await;
        Ok(now)
    }
}

fn is_clock(path: &Path) -> bool {
    path.filename().is_some_and(|name| name.starts_with(CLOCK))
}
