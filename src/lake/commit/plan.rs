//! What a commit says but for the files that it adds: checked, and without its rows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use deltalake_core::kernel::transaction::CommitProperties;
use deltalake_core::kernel::{Action, Transaction};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{APP, BATCH_ID, COMMIT_ID, Change, ROWS_ADDED, ROWS_REMOVED, Rewrite};
use crate::error::{Error, Result};
use crate::lake::state::{DataFile, TableState};
use crate::model::{MONTH, Table};

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

/// A checked change, without its rows.
#[derive(Serialize, Deserialize)]
pub(super) struct Plan {
    pub commit_id: String,
    pub removes: Vec<Action>,
    info: HashMap<String, Value>,
    txn: Transaction,
    /// Where the name that history shows does not follow from the files: of rewrites, which are never noted.
    #[serde(skip)]
    named: Option<DeltaOperation>,
}

impl Plan {
    pub fn new(base: &TableState, change: &Change<'_>) -> Result<Plan> {
        let kept = change.keep.iter().map(|k| k.rows.count_set_bits());
        let rows: usize = change.add.iter().map(RecordBatch::num_rows).chain(kept).sum();
        if let Some(kept) = change.keep.iter().find(|k| change.remove.iter().all(|f| f.path != k.file.path)) {
            return Err(Error::internal(format!("{}: rows are kept of a file that stays", kept.file.location)));
        }
        if rows == 0 && change.remove.is_empty() {
            return Err(Error::internal(format!(
                "batch {}: nothing to commit to {}",
                change.batch_id, base.table.name
            )));
        }
        if let Some(key) = change.info.keys().find(|k| RESERVED.contains(&k.as_str())) {
            return Err(Error::internal(format!("commitInfo key '{key}' is taken")));
        }
        let info = change.info.clone().into_iter().collect();
        Ok(Plan::of(base, (change.batch_id, change.app), removes(base, &change.remove, true)?, info)
            .rows(rows as u64, &change.remove))
    }

    pub fn rewrite(base: &TableState, change: &Rewrite<'_>) -> Result<Plan> {
        let target_size = i64::try_from(change.target).unwrap_or(i64::MAX);
        let removes = removes(base, change.remove, false)?;
        let plan = Plan::of(base, (change.batch_id, change.app), removes, HashMap::new());
        let plan = plan.rows(change.remove.iter().map(|f| f.rows).sum(), change.remove);
        Ok(Plan { named: Some(DeltaOperation::Optimize { predicate: None, target_size }), ..plan })
    }

    fn of(
        base: &TableState,
        (batch_id, app): (&str, &str),
        removes: Vec<Action>,
        mut info: HashMap<String, Value>,
    ) -> Plan {
        let commit_id = uuid::Uuid::now_v7().to_string();
        info.insert(BATCH_ID.into(), json!(batch_id));
        info.insert(COMMIT_ID.into(), json!(commit_id));
        info.insert(APP.into(), json!(app));
        let txn = Transaction::new(app, base.version + 1);
        Plan { commit_id, removes, info, txn, named: None }
    }

    /// Says how many rows come and go.
    fn rows(mut self, added: u64, removed: &[Arc<DataFile>]) -> Plan {
        self.info.insert(ROWS_ADDED.into(), json!(added));
        self.info.insert(ROWS_REMOVED.into(), json!(removed.iter().map(|f| f.rows).sum::<u64>()));
        self
    }

    /// The name that history shows.
    pub fn operation(&self, table: &Table, no_adds: bool) -> DeltaOperation {
        self.named.clone().unwrap_or_else(|| operation(table, no_adds, self.removes.is_empty()))
    }

    pub fn properties(&self) -> CommitProperties {
        CommitProperties::default()
            .with_max_retries(0)
            .with_create_checkpoint(true)
            .with_cleanup_expired_logs(Some(false))
            .with_application_transaction(self.txn.clone())
            .with_metadata(self.info.clone())
    }
}

fn removes(base: &TableState, files: &[Arc<DataFile>], data_change: bool) -> Result<Vec<Action>> {
    let mut wanted: HashSet<&str> = files.iter().map(|f| f.path.as_str()).collect();
    let mut actions = Vec::with_capacity(wanted.len());
    if let Some(delta) = base.delta.as_ref().filter(|_| !wanted.is_empty()) {
        for view in delta.log_data().iter() {
            if wanted.remove(view.path().as_ref()) {
                actions.push(Action::Remove(view.remove_action(data_change)));
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

/// The name that history shows: an append, a deletion, or rows replaced by their key (of a table without one, by month).
fn operation(table: &Table, no_adds: bool, no_removes: bool) -> DeltaOperation {
    let key = || match (table.key, table.partitioned()) {
        ([], true) => Some(MONTH.to_string()),
        ([], false) => Some("true".to_string()),
        (key, _) => Some(key.join(", ")),
    };
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
