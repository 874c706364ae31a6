//! What pushes that have landed came to: read from the audit when they are asked for again. Which have landed is in the
//! ledger. It must not know of pushes that have not landed.

use std::collections::{HashMap, HashSet};

use arrow::array::RecordBatch;

use super::PushAccount;
use super::stopped;
use crate::error::Result;
use crate::ingest::Ingest;
use crate::ingest::account::FileAccount;
use crate::ingest::audit::{LANDED, PushFact};
use crate::ingest::columns::{longs, texts};

/// What the sender of each of `uris` was told when it landed.
pub(super) async fn answers(
    ingest: &Ingest,
    source: &str,
    uris: &HashSet<&str>,
) -> Result<HashMap<String, PushAccount>> {
    let mut found = HashMap::new();
    let pushes: Vec<PushFact> = uris.iter().filter_map(|uri| ingest.ledger.push(uri)).collect();
    let Some((state, files)) = ingest.ledger.files_of(&pushes).await else { return Ok(found) };
    for file in files {
        for batch in ingest.lake.read(&state, &file, None).await? {
            told(source, &batch, uris, &mut found)?;
        }
    }
    let quarantined = found.values().filter(|a| a.file.quarantined > 0);
    let ids: Vec<String> = quarantined.map(|a| a.file.source_file_id.clone()).collect();
    if !ids.is_empty() {
        let ids = ids.iter().map(String::as_str).collect();
        let lists = stopped::of(&ingest.lake, source, &ids).await?;
        for account in found.values_mut() {
            account.quarantined_records = lists.get(&account.file.source_file_id).cloned().unwrap_or_default();
        }
    }
    Ok(found)
}

/// What the rows of `batch` say of `uris`.
fn told(
    source: &str,
    batch: &RecordBatch,
    uris: &HashSet<&str>,
    found: &mut HashMap<String, PushAccount>,
) -> Result<()> {
    let (sources, files, status) = (texts(batch, "source")?, texts(batch, "file_uri")?, texts(batch, "status")?);
    let (batches, ids, reasons) =
        (texts(batch, "batch_id")?, texts(batch, "source_file_id")?, texts(batch, "skipped_by")?);
    let counts = ["read", "landed", "duplicate", "late_ignored", "skipped", "quarantined"];
    let [read, landed, duplicate, late_ignored, skipped, quarantined] = counts.map(|c| longs(batch, c));
    let (read, landed, duplicate) = (read?, landed?, duplicate?);
    let (late_ignored, skipped, quarantined) = (late_ignored?, skipped?, quarantined?);
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    for row in 0..batch.num_rows() {
        let uri = files.value(row);
        if sources.value(row) != source || status.value(row) != LANDED || !uris.contains(uri) {
            continue;
        }
        let file = FileAccount {
            file: uri.into(),
            source_file_id: ids.value(row).into(),
            read: count(read.value(row)),
            landed: count(landed.value(row)),
            duplicate: count(duplicate.value(row)),
            late_ignored: count(late_ignored.value(row)),
            skipped: count(skipped.value(row)),
            skipped_by: serde_json::from_str(reasons.value(row)).unwrap_or_default(),
            quarantined: count(quarantined.value(row)),
            already: true,
            ..FileAccount::default()
        };
        let (source, batch_id) = (source.to_string(), batches.value(row).to_string());
        let account = PushAccount { source, batch_id, file, quarantined_records: Vec::new() };
        found.entry(uri.to_string()).or_insert(account);
    }
    Ok(())
}
