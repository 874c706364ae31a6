//! Markers of batches that are at work, renewed while their writer lives. Times are the store's own, never this
//! machine's: a marker is compared with one that was written just now.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use super::UnfinishedFile;
use crate::error::Result;
use crate::lake::errors;

const RENEW: Duration = Duration::from_secs(15);
/// A marker that was not renewed for so long belongs to a writer that died.
const EXPIRES: Duration = Duration::from_secs(60);

/// Who holds a marker, and what for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Holder {
    /// Names the processes that can see each other: this machine's boot and process namespace. `None` = cannot tell.
    among: Option<String>,
    pid: u32,
    /// What the batch lands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<UnfinishedFile>,
}

impl Holder {
    /// This process, landing `files`.
    pub fn with(files: Vec<UnfinishedFile>) -> Holder {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let space = std::fs::read_link("/proc/self/ns/pid").ok();
        let among = boot.zip(space).map(|(boot, space)| format!("{} {}", boot.trim(), space.display()));
        Holder { among, pid: std::process::id(), files }
    }
    pub fn json(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }
    /// Known to be gone; when in doubt it is not.
    fn gone(&self) -> bool {
        self.is_near() && !self.runs()
    }
    /// Known to be at work in another process of this machine.
    pub fn lives_elsewhere(&self) -> bool {
        self.pid != std::process::id() && self.is_near() && self.runs()
    }
    fn is_near(&self) -> bool {
        self.among.is_some() && self.among == Holder::with(Vec::new()).among
    }
    /// A process that has ended and that nobody has waited for (a zombie) does not run.
    fn runs(&self) -> bool {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)) else { return false };
        // `PID (name) STATE …`; the name may hold anything.
        let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
        !matches!(state, Some('Z' | 'X'))
    }
}

/// A marker of ours. Dropped without [`Lease::end`], it stays until its lease is over.
pub(in crate::lake) struct Lease {
    store: Arc<dyn ObjectStore>,
    path: Path,
    /// What the marker says.
    json: Bytes,
    renewer: JoinHandle<()>,
    /// When it was last renewed, by the store's clock.
    renewed: DateTime<Utc>,
}

impl Lease {
    pub async fn take(store: Arc<dyn ObjectStore>, path: Path, files: Vec<UnfinishedFile>) -> Result<Lease> {
        let json = Holder::with(files).json();
        let renewed = mark(&store, &path, &json).await?;
        let (again, at, text) = (store.clone(), path.clone(), json.clone());
        let renewer = tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEW).await;
                if let Err(error) = mark(&again, &at, &text).await {
                    tracing::warn!(%error, "a batch's marker could not be renewed");
                }
            }
        });
        Ok(Lease { store, path, json, renewer, renewed })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Renews the marker, and with it what "now" means.
    pub async fn renew(&mut self) -> Result<()> {
        self.renewed = mark(&self.store, &self.path, &self.json).await?;
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
async fn mark(store: &Arc<dyn ObjectStore>, path: &Path, json: &Bytes) -> Result<DateTime<Utc>> {
    let fail = |e| errors::store(e, path);
    store.put(path, json.clone().into()).await.map_err(fail)?;
    Ok(store.head(path).await.map_err(fail)?.last_modified)
}

#[cfg(test)]
mod tests {
    use super::Holder;

    #[test]
    fn a_zombie_does_not_run() {
        let mut child = std::process::Command::new("true").spawn().expect("started");
        let holder = Holder { pid: child.id(), ..Holder::default() };
        // It ends by itself, and stays a zombie until it is waited for.
        while holder.runs() {
            std::thread::yield_now();
        }
        assert!(Holder { pid: std::process::id(), ..Holder::default() }.runs());
        child.wait().expect("waited for");
        assert!(!holder.runs());
    }
}
