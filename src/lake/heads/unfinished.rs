//! Batches that were cut off: which files they were landing, so that a landing of the same files later counts the rows that
//! are there already as its own. The marker of a batch names its files while it is at work; when its writer is gone, a note
//! in `_heads/unfinished` takes the marker's place, and stays until the files have their accounts. It must not know what
//! an account is.

use std::collections::{BTreeMap, HashSet};
use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::lease::Holder;
use super::{Heads, Marker};
use crate::error::Result;
use crate::lake::errors;

/// How often a process looks for batches of others that were cut off, at most.
const LOOK: Duration = Duration::from_secs(60);
/// A file that nobody landed again for so long will not come again.
const KEPT: TimeDelta = TimeDelta::days(31);

/// A file of which a batch may have put rows into tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnfinishedFile {
    /// Its `source_file_id`.
    pub file_id: String,
    pub source: String,
    pub uri: String,
    /// It had landed before; the batch tried records of it that had waited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waited: bool,
    /// It had landed before; the batch mapped it anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
}

/// A batch whose writer is gone, with the files that it was landing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutOff {
    pub batch_id: String,
    pub files: Vec<UnfinishedFile>,
}

/// What this process knows of batches that were cut off.
#[derive(Default)]
pub(super) struct CutOffs {
    looked: Option<Instant>,
    /// Batches that this process has noted itself: they are at work.
    own: HashSet<String>,
    batches: BTreeMap<String, Vec<UnfinishedFile>>,
}

impl Heads {
    fn note_path(&self, batch_id: &str) -> Path {
        self.folder.clone().join("unfinished").join(format!("{batch_id}.json"))
    }

    fn cut(&self) -> std::sync::MutexGuard<'_, CutOffs> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The batches that were cut off, as of the last look.
    pub fn cut_off(&self) -> Vec<CutOff> {
        let batch = |(id, files): (&String, &Vec<_>)| CutOff { batch_id: id.clone(), files: files.clone() };
        self.cut().batches.iter().map(batch).collect()
    }

    /// Whether it is time to look for batches that were cut off.
    pub fn is_due(&self) -> bool {
        self.cut().looked.is_none_or(|at| at.elapsed() >= LOOK)
    }

    /// Learns what batches that were cut off were landing.
    pub async fn look_at_notes(&self) -> Result<()> {
        let found = self.notes().await?;
        let mut known = self.cut();
        known.looked = Some(Instant::now());
        for CutOff { batch_id, files } in found {
            if !known.own.contains(&batch_id) {
                known.batches.insert(batch_id, files);
            }
        }
        Ok(())
    }

    /// Takes the marker of a writer that is gone away. What it was landing is noted first.
    pub async fn sweep(&self, marker: &Marker) -> Result<()> {
        let path = &marker.object.location;
        let Some((bytes, holder)) = self.holder(path).await? else { return Ok(()) };
        if !holder.files.is_empty() {
            let note = self.note_path(&marker.batch_id);
            self.store.put(&note, bytes.into()).await.map_err(|e| errors::store(e, &note))?;
            self.remember(&marker.batch_id, holder.files);
        }
        self.remove(path).await
    }

    /// What the batch of a marker lands.
    pub async fn landing(&self, marker: &Marker) -> Result<CutOff> {
        let found = self.holder(&marker.object.location).await?;
        let files = found.map(|(_, holder)| holder.files).unwrap_or_default();
        Ok(CutOff { batch_id: marker.batch_id.clone(), files })
    }

    /// The batches that have markers, each with what it lands.
    pub async fn at_work(&self) -> Result<Vec<CutOff>> {
        let mut batches = Vec::new();
        for marker in self.markers(self.now().await?).await? {
            batches.push(self.landing(&marker).await?);
        }
        Ok(batches)
    }

    /// What a marker or a note says; one that cannot be read (half written) says nothing.
    async fn holder(&self, path: &Path) -> Result<Option<(Bytes, Holder)>> {
        let fail = |e| errors::store(e, path);
        let bytes = match self.store.get(path).await {
            Ok(found) => found.bytes().await.map_err(fail)?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(e) => return Err(fail(e)),
        };
        let holder = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Some((bytes, holder)))
    }

    /// This process has given the batch up, or begins it anew.
    pub fn remember(&self, batch_id: &str, files: Vec<UnfinishedFile>) {
        self.cut().batches.insert(batch_id.into(), files);
    }

    /// Notes that rows of `files` stay without an account when `batch_id` ends; none: takes the note away.
    pub async fn note(&self, batch_id: &str, files: Vec<UnfinishedFile>) -> Result<()> {
        self.cut().own.insert(batch_id.into());
        self.put_note(batch_id, files).await
    }

    async fn put_note(&self, batch_id: &str, files: Vec<UnfinishedFile>) -> Result<()> {
        let path = self.note_path(batch_id);
        if files.is_empty() {
            return self.remove(&path).await;
        }
        let json = Holder::with(files).json();
        self.store.put(&path, json.into()).await.map(drop).map_err(|e| errors::store(e, &path))
    }

    /// The files with these ids have their accounts: no batch that was cut off is landing them any more, or (`replayed`)
    /// mapping them anew. Landing records of a file does not complete a replay of it.
    pub async fn settle(&self, ids: &HashSet<&str>, replayed: bool) -> Result<()> {
        let landed = |file: &UnfinishedFile| file.replayed == replayed && ids.contains(file.file_id.as_str());
        let concerned: Vec<CutOff> = self.cut_off().into_iter().filter(|c| c.files.iter().any(landed)).collect();
        for CutOff { batch_id, mut files } in concerned {
            files.retain(|file| !landed(file));
            self.put_note(&batch_id, files.clone()).await?;
            match files.is_empty() {
                true => drop(self.cut().batches.remove(&batch_id)),
                false => self.remember(&batch_id, files),
            }
        }
        Ok(())
    }

    /// The notes that there are, but for those of writers that live on this machine.
    pub async fn notes(&self) -> Result<Vec<CutOff>> {
        let mut notes = Vec::new();
        for object in self.note_objects().await? {
            let path = object.location;
            let Some(batch) = path.filename().and_then(|n| n.strip_suffix(".json")) else { continue };
            let Some((_, holder)) = self.holder(&path).await? else { continue };
            if !holder.lives_elsewhere() {
                notes.push(CutOff { batch_id: batch.to_string(), files: holder.files });
            }
        }
        Ok(notes)
    }

    /// Notes that nobody will need.
    pub async fn old_notes(&self, now: DateTime<Utc>) -> Result<Vec<ObjectMeta>> {
        let mut notes = self.note_objects().await?;
        notes.retain(|note| now.signed_duration_since(note.last_modified) > KEPT);
        Ok(notes)
    }

    async fn note_objects(&self) -> Result<Vec<ObjectMeta>> {
        let folder = self.folder.clone().join("unfinished");
        let listed = self.store.list(Some(&folder)).try_collect().await;
        listed.map_err(|e| errors::store(e, format!("listing {folder}")))
    }

    async fn remove(&self, path: &Path) -> Result<()> {
        match self.store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(errors::store(e, path)),
        }
    }
}
