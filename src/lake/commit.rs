//! Commits: replace these files by those rows (or by files that hold the same rows, [`rewrite`]), on exactly the version
//! that they were computed from. It must not retry (only the caller knows how to compute the change anew) and must not
//! trust delta-rs' conflict checker.
//!
//! delta-rs commits with no retries: version base + 1 is put if absent. Whatever it returns, base + 1 is the only place
//! where our commit can be, so after an error we read it and know by `commit_id` whose it is. The `txn` action's version
//! is the table version that it makes: ever greater per source, and it needs no look-up in the log.

mod plan;

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use deltalake_core::DeltaTableError;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::transaction::{CommitBuilder, FinalizedCommit, TableReference, TransactionError};
use deltalake_core::kernel::{Action, Add, Metadata, MetadataExt, Protocol, StructField, StructType, new_metadata};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use object_store::ObjectStoreExt;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::slot::Slot;
use super::state::{DataFile, TableState};
use super::store::Root;
use super::write::Kept;
use super::{Lake, errors, stats, write};
use crate::error::{Error, Result};
use crate::model::{MONTH, Table};
use plan::Plan;

/// Keys of ours in commitInfo.
pub(super) const BATCH_ID: &str = "batch_id";
pub(super) const COMMIT_ID: &str = "commit_id";
pub(super) const APP: &str = "app";
pub(super) const ROWS_ADDED: &str = "rows_added";
pub(super) const ROWS_REMOVED: &str = "rows_removed";
/// Commits between checkpoints: a table is opened from the newest one.
const CHECKPOINT_INTERVAL: &str = "50";

/// What a commit does to a table.
#[derive(Debug)]
pub struct Change<'a> {
    /// Into commitInfo, to recognise the commit later.
    pub batch_id: &'a str,
    /// The source that lands; Delta's `txn` app id.
    pub app: &'a str,
    /// Rows in the table's schema (`business_month` too), in any order.
    pub add: Vec<RecordBatch>,
    /// Files of the base that leave the table.
    pub remove: Vec<Arc<DataFile>>,
    /// Of these, the rows that stay, in new files.
    pub keep: Vec<Kept>,
    /// More for commitInfo.
    pub info: Map<String, Value>,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// It is in the table, as this version.
    Done { version: i64 },
    /// Somebody committed after the base; nothing of ours landed: compute anew.
    Moved,
}

/// A change whose files are written and which is not committed yet. Where it is never committed nor discarded, its files
/// are orphans, which a vacuum finds.
#[derive(Serialize, Deserialize)]
pub struct Prepared {
    plan: Plan,
    adds: Vec<Add>,
}

impl Prepared {
    /// Whether all of its files are there.
    pub(super) async fn is_whole(&self, lake: &Lake, table: &'static Table) -> Result<bool> {
        let (store, slot) = (&lake.inner.root.store, lake.slot(table)?);
        for add in &self.adds {
            let location = write::location(&slot.prefix, &add.path)?;
            match store.head(&location).await {
                Ok(_) => {}
                Err(object_store::Error::NotFound { .. }) => return Ok(false),
                Err(e) => return Err(errors::store(e, &location)),
            }
        }
        Ok(true)
    }
}

/// See [`super::Lake::prepare`].
pub(super) async fn prepare(
    slot: &Slot,
    root: &Root,
    base: &TableState,
    change: Change<'_>,
) -> Result<Option<Prepared>> {
    let plan = Plan::new(base, &change)?;
    if slot.has_commit(base.version + 1).await? || slot.has_vanished(base).await? {
        return Ok(None);
    }
    let adds = write::write(slot, &root.store, change.add, change.keep).await?;
    Ok(Some(Prepared { plan, adds }))
}

/// See [`super::Lake::commit`].
pub(super) async fn commit(slot: &Slot, root: &Root, base: &TableState, prepared: Prepared) -> Result<Commit> {
    match put(slot, base, &prepared.plan, &prepared.adds).await? {
        Put::Done(version) => Ok(Commit::Done { version }),
        Put::Moved => {
            discard(slot, root, prepared).await;
            Ok(Commit::Moved)
        }
        // Whoever computes it anew finds a commit that arrived late by its batch, or takes its place.
        Put::Missing(_) => Ok(Commit::Moved),
        // Its files stay: whoever finishes the batch may try once more.
        Put::Refused(error) => Err(error),
    }
}

/// Removes the files of a change that will not be committed.
pub(super) async fn discard(slot: &Slot, root: &Root, prepared: Prepared) {
    write::discard(slot, &root.store, &prepared.adds).await;
}

/// Files written before that take the place of others and hold the same rows.
#[derive(Debug)]
pub(super) struct Rewrite<'a> {
    pub batch_id: &'a str,
    pub app: &'a str,
    /// As [`write::write_files`] returns them.
    pub adds: &'a [Add],
    /// Files of the base.
    pub remove: &'a [Arc<DataFile>],
    /// Bytes that a file should have.
    pub target: u64,
}

/// Commits `change` on exactly `base`; the rows do not change, so streaming readers of the table need not look. Whatever
/// comes back, the new files stay: after [`Commit::Moved`] they may be tried on a newer base that still has the files
/// that they replace.
pub(super) async fn rewrite(slot: &Slot, base: &TableState, change: &Rewrite<'_>) -> Result<Commit> {
    let plan = Plan::rewrite(base, change)?;
    if slot.has_commit(base.version + 1).await? {
        return Ok(Commit::Moved);
    }
    let adds: Vec<Add> = change.adds.iter().map(|a| Add { data_change: false, ..a.clone() }).collect();
    match put(slot, base, &plan, &adds).await? {
        Put::Done(version) => Ok(Commit::Done { version }),
        Put::Moved => Ok(Commit::Moved),
        Put::Missing(error) | Put::Refused(error) => Err(error),
    }
}

/// What became of a commit's place in the log.
enum Put {
    Done(i64),
    /// The place was taken.
    Moved,
    /// The store says that it was taken, and nobody is there: two puts met. An earlier try of ours may still arrive, so
    /// the files must stay.
    Missing(Error),
    /// Nothing landed, and nothing will.
    Refused(Error),
}

/// Puts the commit after `base`.
///
/// # Errors
/// `Unavailable`: it may have landed, or may still; its files must stay.
async fn put(slot: &Slot, base: &TableState, plan: &Plan, adds: &[Add]) -> Result<Put> {
    let error = match attempt(slot, base, plan, adds).await {
        Ok(done) => {
            let version = super::state::signed(done.version())?;
            slot.publish(done.snapshot()).await;
            return Ok(Put::Done(version));
        }
        Err(e) => e,
    };
    // The error may have come after the commit was durable; our place is base + 1 or nowhere.
    let raced = matches!(
        &error,
        DeltaTableError::VersionAlreadyExists(_)
            // It looked for the commit that was faster, and there was none.
            | DeltaTableError::InvalidVersion(_)
            | DeltaTableError::Transaction {
                source: TransactionError::MaxCommitAttempts(_) | TransactionError::VersionAlreadyExists(_)
            }
    );
    // delta-rs also wraps errors of the storage in texts of its own: whatever is not known to be none may be one.
    let ambiguous = matches!(
        error,
        DeltaTableError::ObjectStore { .. }
            | DeltaTableError::Io { .. }
            | DeltaTableError::KernelError(_)
            | DeltaTableError::Generic(_)
            | DeltaTableError::GenericError { .. }
    );
    let error = errors::delta(error, format!("committing to {}", slot.url()));
    match slot.actions(base.version + 1).await {
        Ok(Some(actions)) if commit_id(&actions) == Some(plan.commit_id.as_str()) => {
            tracing::warn!(table = slot.table.name, version = base.version + 1, error = %error, "committed, in spite of");
            Ok(Put::Done(base.version + 1))
        }
        Ok(Some(_)) => Ok(Put::Moved),
        Ok(None) if raced => Ok(Put::Missing(Error::unavailable(error.message()).caused_by(error))),
        Ok(None) if !ambiguous => Ok(Put::Refused(error)),
        // A put that timed out may still arrive: the files must stay.
        Ok(None) | Err(_) => Err(Error::unavailable(error.message())
            .hint("whether it landed shows in the commits after the base; compute anew from the newest state")
            .caused_by(error)),
    }
}

async fn attempt(
    slot: &Slot,
    base: &TableState,
    plan: &Plan,
    adds: &[Add],
) -> Result<FinalizedCommit, DeltaTableError> {
    let builder = CommitBuilder::from(plan.properties());
    let files = adds.iter().cloned().map(Action::Add).chain(plan.removes.iter().cloned());
    let Some(delta) = &base.delta else {
        let (protocol, metadata) = (protocol()?, metadata(slot.table)?);
        let operation = DeltaOperation::Create {
            mode: SaveMode::ErrorIfExists,
            location: slot.url().clone(),
            protocol: protocol.clone(),
            metadata: metadata.clone(),
        };
        let first = [Action::Protocol(protocol), Action::Metadata(metadata)];
        return builder
            .with_actions(first.into_iter().chain(files).collect())
            .build(None, slot.log.clone(), operation)
            .await;
    };
    let operation = plan.operation(slot.table, adds.is_empty());
    let table: &dyn TableReference = delta;
    builder.with_actions(files.collect()).build(Some(table), slot.log.clone(), operation).await
}

/// Reader 1, writer 2: what every Delta reader knows.
fn protocol() -> Result<Protocol, DeltaTableError> {
    Ok(serde_json::from_value(json!({"minReaderVersion": 1, "minWriterVersion": 2}))?)
}

fn metadata(table: &Table) -> Result<Metadata, DeltaTableError> {
    let schema: StructType = table.schema().as_ref().try_into_kernel()?;
    let about = |field: &StructField| table.column(field.name()).map_or("the month, YYYY-MM", |c| c.about);
    let fields = schema.fields().map(|f| f.clone().with_metadata([("comment", about(f).to_string())]));
    let schema = StructType::try_new(fields.collect::<Vec<_>>())?;
    let partitions: &[&str] = if table.partitioned() { &[MONTH] } else { &[] };
    let columns: Vec<&str> = stats::columns(table).map(|c| c.name).collect();
    let statistics = match columns.is_empty() {
        true => ("delta.dataSkippingNumIndexedCols", "0".to_string()),
        false => ("delta.dataSkippingStatsColumns", columns.join(",")),
    };
    let configuration = [statistics, ("delta.checkpointInterval", CHECKPOINT_INTERVAL.to_string())];
    let metadata = new_metadata(&schema, partitions, configuration)?;
    Ok(metadata.with_name(table.name.to_string())?.with_description(table.about.to_string())?)
}

fn commit_id(actions: &[Action]) -> Option<&str> {
    actions.iter().find_map(|a| match a {
        Action::CommitInfo(info) => info.info.get(COMMIT_ID)?.as_str(),
        _ => None,
    })
}
