//! Upkeep: of a table's log (checkpoints, commits that expired), and the task that does compaction, log and vacuum while
//! the server runs. It must never get in the way of landing or of queries: one table and one group of files at a time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use deltalake_core::{DeltaTable, checkpoints};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::compact::{Compaction, Outcome};
use super::slot::Slot;
use super::{Lake, errors};
use crate::config::MaintenanceConfig;
use crate::error::{Error, Result};
use crate::model::{TABLES, Table, TableKind};

/// Writers make a checkpoint every 50 commits; with so many after the newest one, they failed to.
pub(super) const STALE: i64 = 100;
/// Small files of a month that are worth a rewrite.
pub(super) const WORTH: usize = 8;
/// Logs are cleaned and leftovers deleted this often at most: both list a whole table.
const SWEEP: Duration = Duration::from_secs(3600);
const MIB: u64 = 1024 * 1024;
/// Names the newest checkpoint.
const LAST: &str = "_delta_log/_last_checkpoint";

/// The newest checkpoint of a table's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub version: i64,
    /// Its file is where the log says.
    pub there: bool,
}

impl Slot {
    /// What `_last_checkpoint` names; `None`: the table has no checkpoint yet.
    pub async fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        let store = self.log.object_store(None);
        let hint = Path::from(LAST);
        let named = |e| errors::store(e, format!("{}{hint}", self.url()));
        let bytes = match store.get(&hint).await {
            Ok(found) => found.bytes().await.map_err(named)?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(e) => return Err(named(e)),
        };
        let broken = |why: String| Error::unavailable(format!("{}{hint}: {why}", self.url()));
        let json: Value = serde_json::from_slice(&bytes).map_err(|e| broken(e.to_string()))?;
        let version = json.get("version").and_then(Value::as_i64).ok_or_else(|| broken("no version".into()))?;
        // Other programs may write checkpoints of several files, or with names of their own.
        let plain = json.get("parts").is_none_or(Value::is_null) && json.get("v2Checkpoint").is_none_or(Value::is_null);
        let file = Path::from(format!("_delta_log/{version:020}.checkpoint.parquet"));
        let there = match store.head(&file).await {
            Ok(_) => true,
            Err(object_store::Error::NotFound { .. }) => !plain,
            Err(e) => return Err(errors::store(e, format!("{}{file}", self.url()))),
        };
        Ok(Some(Checkpoint { version, there }))
    }

    /// Removes what names the newest checkpoint.
    async fn forget_checkpoint(&self) -> Result<()> {
        match self.log.object_store(None).delete(&Path::from(LAST)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(errors::store(e, format!("{}{LAST}", self.url()))),
        }
    }

    /// Makes a checkpoint of `version`.
    pub async fn make_checkpoint(&self, version: i64) -> Result<()> {
        let number = u64::try_from(version).map_err(|_| Error::internal(format!("version {version}")))?;
        let fail = |e| errors::delta(e, format!("a checkpoint of {}", self.url()));
        let mut table = DeltaTable::new(self.log.clone());
        table.load_version(number).await.map_err(fail)?;
        checkpoints::create_checkpoint(&table, None).await.map_err(fail)
    }
}

/// Makes a checkpoint where the newest one is stale or lost; true if it did.
pub(super) async fn checkpoint(lake: &Lake, table: &'static Table) -> Result<bool> {
    let slot = lake.slot(table)?;
    let last = slot.checkpoint().await?;
    let lost = last.is_some_and(|l| !l.there);
    if lost {
        // Readers would follow it into nothing, and so would the next line; without it they list the log.
        slot.forget_checkpoint().await?;
    }
    let newest = lake.state(table).await?;
    let stale = lost || newest.version - last.map_or(-1, |l| l.version) >= STALE;
    if stale {
        slot.make_checkpoint(newest.version).await?;
    }
    Ok(stale)
}

/// Removes commits and checkpoints from before `before` that no version since then needs, nor what readers are shown.
pub(super) async fn clean_log(lake: &Lake, table: &'static Table, before: DateTime<Utc>) -> Result<usize> {
    let (slot, newest) = (lake.slot(table)?, lake.state(table).await?);
    let head = if table.kind == TableKind::Derived { None } else { lake.head().await? };
    let shown = head.map_or(newest.version, |head| head.version(table.name));
    let Ok(keep) = u64::try_from(newest.version.min(shown)) else { return Ok(0) };
    checkpoints::cleanup_expired_logs_for(keep, slot.log.as_ref(), before.timestamp_millis(), None)
        .await
        .map_err(|e| errors::delta(e, format!("cleaning the log of {}", slot.url())))
}

/// The background task; `None` where it is turned off.
pub(super) fn spawn(lake: Lake, cfg: MaintenanceConfig, stop: CancellationToken) -> Option<JoinHandle<()>> {
    if cfg.every_minutes == 0 {
        return None;
    }
    let every = Duration::from_secs(cfg.every_minutes.saturating_mul(60));
    Some(tokio::spawn(async move {
        let mut since_sweep = SWEEP;
        // Processes that start together must not do the same work at the same time.
        let late = uuid::Uuid::new_v4().as_u128() % every.as_millis().max(1) / 4;
        let mut pause = every + Duration::from_millis(u64::try_from(late).unwrap_or(0));
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            since_sweep += pause;
            pause = every;
            let sweep = since_sweep >= SWEEP;
            round(&lake, &cfg, sweep, &stop).await;
            if sweep {
                since_sweep = Duration::ZERO;
            }
        }
    }))
}

/// One round over all tables. What fails is logged and left to the next round.
pub(super) async fn round(lake: &Lake, cfg: &MaintenanceConfig, sweep: bool, stop: &CancellationToken) {
    for table in TABLES {
        if stop.is_cancelled() {
            return;
        }
        if let Err(error) = compact(lake, table, cfg, stop).await {
            tracing::warn!(table = table.name, %error, "files could not be compacted");
        }
    }
    // A process that was killed may have left commits that hide what landed after them.
    if let Err(error) = lake.catch_up().await {
        tracing::warn!(%error, "the newest state could not be published");
    }
    if !sweep {
        return;
    }
    let swept = stop.run_until_cancelled(sweep_all(lake, cfg)).await;
    if let Some(Err(error)) = swept {
        tracing::warn!(%error, "the lake could not be swept");
    }
}

async fn compact(lake: &Lake, table: &'static Table, cfg: &MaintenanceConfig, stop: &CancellationToken) -> Result<()> {
    let how = Compaction {
        file_bytes: cfg.file_mb.saturating_mul(MIB),
        memory_bytes: cfg.memory_mb.saturating_mul(MIB),
        month: None,
        least: WORTH,
        thorough: false,
        dry_run: false,
    };
    for done in lake.optimize(table, &how, stop).await? {
        let (table, month, files) = (done.table, done.month.as_deref(), done.files);
        match done.outcome {
            Outcome::Done { version } => {
                tracing::info!(table, month, files, new_files = done.new_files, version, "small files were compacted");
            }
            // Usual where two processes keep the lake: the other one did it.
            _ => tracing::debug!(table, month, files, "somebody else rewrote these files"),
        }
    }
    Ok(())
}

async fn sweep_all(lake: &Lake, cfg: &MaintenanceConfig) -> Result<()> {
    if lake.is_empty().await? {
        return Ok(());
    }
    let now = lake.now().await?;
    let before = |amount: Option<TimeDelta>| amount.and_then(|a| now.checked_sub_signed(a)).unwrap_or_default();
    let expired = before(i64::try_from(cfg.log_days).ok().and_then(TimeDelta::try_days));
    let unneeded = before(i64::try_from(cfg.retention_hours).ok().and_then(TimeDelta::try_hours));
    for table in TABLES.iter().copied().chain(lake.derived_tables()) {
        match lake.keep_log(table, expired).await {
            Ok(removed) if removed > 0 => tracing::info!(table = table.name, removed, "the log was cleaned"),
            Ok(_) => {}
            Err(error) => tracing::warn!(table = table.name, %error, "the log could not be kept"),
        }
    }
    for swept in lake.vacuum(None, unneeded, now, false).await? {
        let (place, files) = (swept.place, swept.leftovers.len());
        tracing::info!(place, files, bytes = swept.bytes(), "files that nothing needs were deleted");
    }
    Ok(())
}
