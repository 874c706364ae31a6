//! Commits: replace these files by those rows, on exactly the version that they were computed from. It must not retry
//! (only the caller knows how to compute the change anew) and must not trust delta-rs' conflict checker.
//!
//! delta-rs commits with no retries: version base + 1 is put if absent. Whatever it returns, base + 1 is the only place
//! where our commit can be, so after an error we read it and know by `commit_id` whose it is. The `txn` action's version
//! is the table version that it makes: ever greater per source, and it needs no look-up in the log.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use deltalake_core::DeltaTableError;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, FinalizedCommit, TableReference};
use deltalake_core::kernel::{
    Action, Add, Metadata, MetadataExt, Protocol, StructField, StructType, Transaction, new_metadata,
};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use serde_json::{Map, Value, json};

use super::slot::Slot;
use super::state::{DataFile, TableState};
use super::store::Root;
use super::{errors, stats, write};
use crate::error::{Error, Result};
use crate::model::{MONTH, Table};

/// Keys of ours in commitInfo.
pub(super) const BATCH_ID: &str = "batch_id";
pub(super) const COMMIT_ID: &str = "commit_id";
pub(super) const APP: &str = "app";
pub(super) const ROWS_ADDED: &str = "rows_added";
pub(super) const ROWS_REMOVED: &str = "rows_removed";
/// Delta's own keys of commitInfo: delta-rs would drop or reinterpret ours of the same name.
const RESERVED: &[&str] = &[
    BATCH_ID,
    COMMIT_ID,
    APP,
    ROWS_ADDED,
    ROWS_REMOVED,
    "timestamp",
    "userId",
    "userName",
    "operation",
    "operationParameters",
    "operationMetrics",
    "readVersion",
    "isolationLevel",
    "isBlindAppend",
    "engineInfo",
    "userMetadata",
    "clientVersion",
    "inCommitTimestamp",
    "txnId",
];
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

/// See [`super::Lake::commit`].
pub(super) async fn commit(slot: &Slot, root: &Root, base: &TableState, change: Change<'_>) -> Result<Commit> {
    let plan = Plan::new(base, &change)?;
    if slot.has_commit(base.version + 1).await? {
        return Ok(Commit::Moved);
    }
    let adds = write::write(slot, &root.store, change.add).await?;
    let error = match attempt(slot, base, &plan, &adds).await {
        Ok(done) => {
            let version = super::state::signed(done.version())?;
            slot.publish(done.snapshot()).await;
            return Ok(Commit::Done { version });
        }
        Err(e) => e,
    };
    // The error may have come after the commit was durable; our place is base + 1 or nowhere.
    let ambiguous = matches!(error, DeltaTableError::ObjectStore { .. } | DeltaTableError::Io { .. });
    let error = errors::delta(error, format!("committing to {}", slot.url()));
    match slot.actions(base.version + 1).await {
        Ok(Some(actions)) if commit_id(&actions) == Some(plan.commit_id.as_str()) => {
            tracing::warn!(table = slot.table.name, version = base.version + 1, error = %error, "committed, in spite of");
            Ok(Commit::Done { version: base.version + 1 })
        }
        Ok(Some(_)) => {
            write::discard(slot, &root.store, &adds).await;
            Ok(Commit::Moved)
        }
        Ok(None) if !ambiguous => {
            write::discard(slot, &root.store, &adds).await;
            Err(error)
        }
        // A put that timed out may still arrive: the files must stay.
        Ok(None) | Err(_) => Err(Error::unavailable(error.message())
            .hint("whether it landed shows in the commits after the base; compute anew from the newest state")
            .caused_by(error)),
    }
}

/// A checked change, without its rows.
struct Plan {
    commit_id: String,
    removes: Vec<Action>,
    info: HashMap<String, Value>,
    txn: Transaction,
}

impl Plan {
    fn new(base: &TableState, change: &Change<'_>) -> Result<Plan> {
        let rows: usize = change.add.iter().map(RecordBatch::num_rows).sum();
        if rows == 0 && change.remove.is_empty() {
            return Err(Error::internal(format!(
                "batch {}: nothing to commit to {}",
                change.batch_id, base.table.name
            )));
        }
        if let Some(key) = change.info.keys().find(|k| RESERVED.contains(&k.as_str())) {
            return Err(Error::internal(format!("commitInfo key '{key}' is taken")));
        }
        let commit_id = uuid::Uuid::now_v7().to_string();
        let removed: u64 = change.remove.iter().map(|f| f.rows).sum();
        let mut info: HashMap<String, Value> = change.info.clone().into_iter().collect();
        info.insert(BATCH_ID.into(), json!(change.batch_id));
        info.insert(COMMIT_ID.into(), json!(commit_id));
        info.insert(APP.into(), json!(change.app));
        info.insert(ROWS_ADDED.into(), json!(rows));
        info.insert(ROWS_REMOVED.into(), json!(removed));
        let txn = Transaction::new(change.app, base.version + 1);
        Ok(Plan { commit_id, removes: removes(base, &change.remove)?, info, txn })
    }

    fn properties(&self) -> CommitProperties {
        CommitProperties::default()
            .with_max_retries(0)
            .with_create_checkpoint(true)
            .with_cleanup_expired_logs(Some(false))
            .with_application_transaction(self.txn.clone())
            .with_metadata(self.info.clone())
    }
}

fn removes(base: &TableState, files: &[Arc<DataFile>]) -> Result<Vec<Action>> {
    let mut wanted: HashSet<&str> = files.iter().map(|f| f.path.as_str()).collect();
    let mut actions = Vec::with_capacity(wanted.len());
    if let Some(delta) = base.delta.as_ref().filter(|_| !wanted.is_empty()) {
        for view in delta.log_data().iter() {
            if wanted.remove(view.path().as_ref()) {
                actions.push(Action::Remove(view.remove_action(true)));
            }
        }
    }
    match wanted.into_iter().next() {
        None => Ok(actions),
        Some(path) => {
            Err(Error::internal(format!("file '{path}' is not in version {} of {}", base.version, base.table.name)))
        }
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
    let operation = operation(slot.table, adds.is_empty(), plan.removes.is_empty());
    let table: &dyn TableReference = delta;
    builder.with_actions(files.collect()).build(Some(table), slot.log.clone(), operation).await
}

/// The name that history shows: an append, a deletion, or rows replaced by their key.
fn operation(table: &Table, no_adds: bool, no_removes: bool) -> DeltaOperation {
    let key = || Some(table.key.join(", "));
    match (no_adds, no_removes) {
        (_, true) => DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: table.partitioned().then(|| vec![MONTH.to_string()]),
            predicate: None,
        },
        (true, false) => DeltaOperation::Delete { predicate: key() },
        // With a predicate: `None` would claim that the whole table was read.
        (false, false) => DeltaOperation::Merge {
            predicate: key(),
            merge_predicate: key(),
            matched_predicates: vec![],
            not_matched_predicates: vec![],
            not_matched_by_source_predicates: vec![],
        },
    }
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
