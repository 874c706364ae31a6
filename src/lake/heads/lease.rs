//! Markers of batches that are at work, renewed while their writer lives. Times are the store's own, never this
//! machine's: a marker is compared with one that was written just now.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::error::Result;
use crate::lake::errors;

const RENEW: Duration = Duration::from_secs(15);
/// A marker that was not renewed for so long belongs to a writer that died.
const EXPIRES: Duration = Duration::from_secs(60);

/// Who holds a marker.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Holder {
    /// Names the processes that can see each other: this machine's boot and process namespace. `None` = cannot tell.
    among: Option<String>,
    pid: u32,
}

impl Holder {
    fn this() -> Holder {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let space = std::fs::read_link("/proc/self/ns/pid").ok();
        let among = boot.zip(space).map(|(boot, space)| format!("{} {}", boot.trim(), space.display()));
        Holder { among, pid: std::process::id() }
    }
    /// Known to be gone; when in doubt it is not.
    fn gone(&self) -> bool {
        let near = self.among.is_some() && self.among == Holder::this().among;
        near && !std::path::Path::new(&format!("/proc/{}", self.pid)).exists()
    }
}

/// A marker of ours. Dropped without [`Lease::end`], it stays until its lease is over.
pub(in crate::lake) struct Lease {
    store: Arc<dyn ObjectStore>,
    path: Path,
    renewer: JoinHandle<()>,
    /// When it was last renewed, by the store's clock.
    renewed: DateTime<Utc>,
}

impl Lease {
    pub async fn take(store: Arc<dyn ObjectStore>, path: Path) -> Result<Lease> {
        let renewed = mark(&store, &path).await?;
        let (again, at) = (store.clone(), path.clone());
        let renewer = tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEW).await;
                if let Err(error) = mark(&again, &at).await {
                    tracing::warn!(%error, "a batch's marker could not be renewed");
                }
            }
        });
        Ok(Lease { store, path, renewer, renewed })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Renews the marker, and with it what "now" means.
    pub async fn renew(&mut self) -> Result<()> {
        self.renewed = mark(&self.store, &self.path).await?;
        Ok(())
    }

    /// When that was, by the store's clock.
    pub fn renewed(&self) -> DateTime<Utc> {
        self.renewed
    }

    /// Takes the marker away: the batch is whole.
    pub async fn end(&self) -> Result<()> {
        self.renewer.abort();
        match self.store.delete(&self.path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(errors::store(e, &self.path)),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewer.abort();
    }
}

/// Whether `marker` counts at `now`, by the store's clock: it was renewed lately, and its holder is not known to be gone.
pub(super) async fn counts(store: &Arc<dyn ObjectStore>, marker: &ObjectMeta, now: DateTime<Utc>) -> Result<bool> {
    let age = now.signed_duration_since(marker.last_modified).to_std().unwrap_or_default();
    if age > EXPIRES {
        return Ok(false);
    }
    match store.get(&marker.location).await {
        Ok(found) => {
            let bytes = found.bytes().await.map_err(|e| errors::store(e, &marker.location))?;
            // One that cannot be read (half written) counts until it is too old.
            let holder: Holder = serde_json::from_slice(&bytes).unwrap_or_default();
            Ok(!holder.gone())
        }
        Err(object_store::Error::NotFound { .. }) => Ok(false),
        Err(e) => Err(errors::store(e, &marker.location)),
    }
}

/// Puts the marker; returns when that was, as the store sees it.
async fn mark(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<DateTime<Utc>> {
    let json = serde_json::to_vec(&Holder::this()).unwrap_or_default();
    let fail = |e| errors::store(e, path);
    store.put(path, json.into()).await.map_err(fail)?;
    Ok(store.head(path).await.map_err(fail)?.last_modified)
}
