//! Keeping a lake: the doors to compaction, log upkeep, vacuum and doctor.

use chrono::{DateTime, Utc};
use futures::FutureExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::compact::{self, Compacted, Compaction};
use super::doctor::{self, Checkup, Examination};
use super::store::Root;
use super::vacuum::{self, Vacuumed};
use super::{Lake, errors, upkeep};
use crate::config::MaintenanceConfig;
use crate::error::Result;
use crate::model::Table;

impl Lake {
    /// Whether there is no object below the lake's root: nothing to keep, and nobody to change that by looking.
    pub async fn is_empty(&self) -> Result<bool> {
        let Root { store, prefix, .. } = &self.inner.root;
        let listed = store.list_with_delimiter(Some(prefix)).await;
        let listed = listed.map_err(|e| errors::store(e, format!("listing {}", self.url())))?;
        Ok(listed.objects.is_empty() && listed.common_prefixes.is_empty())
    }

    /// What the store's clock shows. Puts and removes a small object, so it is not for a lake that is not there.
    pub async fn now(&self) -> Result<DateTime<Utc>> {
        self.inner.heads.now().boxed().await
    }

    /// Rewrites small files of `table` into larger ones, a group of files at a time and a commit each; rows and their order
    /// stay. `stop` ends it between two groups.
    ///
    /// # Errors
    /// `Unavailable`: the storage. `Invalid`: another program added columns. Groups before are done.
    pub async fn optimize(
        &self,
        table: &'static Table,
        how: &Compaction,
        stop: &CancellationToken,
    ) -> Result<Vec<Compacted>> {
        compact::compact(self, table, how, stop).boxed().await
    }

    /// Makes a checkpoint of `table` if the newest is stale, and removes commits from before `before` that nothing needs;
    /// returns how many.
    pub async fn keep_log(&self, table: &'static Table, before: DateTime<Utc>) -> Result<usize> {
        upkeep::checkpoint(self, table).boxed().await?;
        upkeep::clean_log(self, table, before).boxed().await
    }

    /// Deletes what nothing has needed since `before`: data files of `table`, or of all tables and what is left of heads
    /// and batches, and of derived tables ([`Lake::derives`]). A dry run deletes nothing. `now` is the store's
    /// ([`Lake::now`]).
    ///
    /// # Errors
    /// `Conflict`: `before` is less than an hour ago and batches are at work, whose files might be taken for leftovers.
    pub async fn vacuum(
        &self,
        table: Option<&'static Table>,
        before: DateTime<Utc>,
        now: DateTime<Utc>,
        dry_run: bool,
    ) -> Result<Vec<Vacuumed>> {
        vacuum::vacuum(self, table, before, now, dry_run).boxed().await
    }

    /// Looks for what is wrong; see [`Examination`].
    pub async fn examine(&self, how: &Examination) -> Result<Checkup> {
        doctor::examine(self, how).boxed().await
    }

    /// Compacts, cleans logs and vacuums every `maintenance.every_minutes` until `stop`; `None` where that is 0.
    pub fn spawn_upkeep(&self, cfg: &MaintenanceConfig, stop: CancellationToken) -> Option<JoinHandle<()>> {
        upkeep::spawn(self.clone(), cfg.clone(), stop)
    }
}
