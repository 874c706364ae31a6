//! What the log says of past commits: for people ([`HistoryEntry`]) and for a writer that lost a race ([`CommitSeen`]).
//! It only reads the log.

use chrono::{DateTime, Utc};
use deltalake_core::kernel::{Action, CommitInfo};
use serde_json::{Map, Value};

use super::commit::{APP, BATCH_ID, ROWS_REMOVED};
use super::slot::Slot;
use super::state::DataFile;
use crate::error::{Error, Result};

/// One commit, for people.
#[derive(Debug, Clone)]
pub struct HistoryEntry {
    pub version: i64,
    /// By the committer's clock.
    pub at: Option<DateTime<Utc>>,
    /// "CREATE TABLE", "WRITE", "MERGE" …
    pub operation: String,
    /// The batch, where one of ours made it.
    pub batch_id: Option<String>,
    /// The source that landed.
    pub app: Option<String>,
    pub files_added: u64,
    pub files_removed: u64,
    pub rows_added: u64,
    /// `None` where another program removed files: the log does not tell.
    pub rows_removed: Option<u64>,
    /// All other keys of commitInfo that are not Delta's own.
    pub info: Map<String, Value>,
}

/// One commit, for a writer that must know what happened since its base.
#[derive(Debug, Clone)]
pub struct CommitSeen {
    pub version: i64,
    /// The batch, where one of ours made it.
    pub batch_id: Option<String>,
    pub added: Vec<DataFile>,
    /// Paths, as in [`DataFile::path`].
    pub removed: Vec<String>,
    /// It changed the table's protocol or metadata (so does the commit that created the table).
    pub other: bool,
}

impl Slot {
    /// Up to `limit` entries from version `newest` down, as far as the log goes.
    pub async fn history(&self, newest: i64, limit: usize) -> Result<Vec<HistoryEntry>> {
        let mut entries = Vec::new();
        for version in (0..=newest).rev().take(limit) {
            let Some(actions) = self.actions(version).await? else { break };
            entries.push(self.entry(version, actions)?);
        }
        Ok(entries)
    }

    /// The commits after `base` up to `newest`, oldest first.
    pub async fn commits(&self, base: i64, newest: i64) -> Result<Vec<CommitSeen>> {
        let mut commits = Vec::new();
        for version in (base + 1).max(0)..=newest {
            let actions = self.actions(version).await?.ok_or_else(|| {
                Error::conflict(format!("version {version} of {} is no longer in its log", self.url()))
                    .hint("compute anew from the newest state")
            })?;
            commits.push(self.seen(version, actions)?);
        }
        Ok(commits)
    }

    fn seen(&self, version: i64, actions: Vec<Action>) -> Result<CommitSeen> {
        let mut seen = CommitSeen { version, batch_id: None, added: vec![], removed: vec![], other: false };
        for action in actions {
            match action {
                Action::Add(add) => seen.added.push(DataFile::from_add(self, &add)?),
                Action::Remove(remove) => seen.removed.push(remove.path),
                Action::Metadata(_) | Action::Protocol(_) => seen.other = true,
                Action::CommitInfo(info) => seen.batch_id = text(&info, BATCH_ID),
                Action::Txn(_) | Action::Cdc(_) | Action::DomainMetadata(_) => {}
            }
        }
        Ok(seen)
    }

    fn entry(&self, version: i64, actions: Vec<Action>) -> Result<HistoryEntry> {
        let info = actions.iter().find_map(|a| match a {
            Action::CommitInfo(info) => Some(info.clone()),
            _ => None,
        });
        let info = info.unwrap_or_default();
        let seen = self.seen(version, actions)?;
        let removed = info.info.get(ROWS_REMOVED).and_then(Value::as_u64);
        Ok(HistoryEntry {
            version,
            at: info.timestamp.and_then(DateTime::from_timestamp_millis),
            operation: info.operation.clone().unwrap_or_default(),
            app: text(&info, APP),
            files_added: seen.added.len() as u64,
            files_removed: seen.removed.len() as u64,
            rows_added: seen.added.iter().map(|f| f.rows).sum(),
            rows_removed: removed.or(seen.removed.is_empty().then_some(0)),
            batch_id: seen.batch_id,
            info: info.info.into_iter().filter(|(k, _)| k != BATCH_ID && k != APP).collect(),
        })
    }
}

fn text(info: &CommitInfo, key: &str) -> Option<String> {
    info.info.get(key).and_then(Value::as_str).map(str::to_string)
}
