//! The files that have landed, each with the sums over its rows: for whoever needs all that the audit says of some of them.
//! It must not write.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::RecordBatch;

use super::{Audited, LANDED, RETRIED, SEEN, scan};
use crate::error::Result;
use crate::ingest::account::FileAccount;
use crate::ingest::columns::{instants, longs, text_at, texts};
use crate::lake::Lake;

/// A file that has landed, as its rows in the audit sum up.
#[derive(Debug, Clone)]
pub(crate) struct LandedFile {
    pub id: String,
    pub file: Audited,
    pub account: FileAccount,
    /// Of the definition that mapped it last; `None`: it landed before this was noted.
    pub definition: Option<String>,
}

const COLUMNS: &[&str] = &[
    "source_file_id",
    "source",
    "source_system",
    "file_uri",
    "content_sha256",
    "read",
    "landed",
    "duplicate",
    "late_ignored",
    "skipped",
    "skipped_by",
    "quarantined",
    "finished_at",
    "status",
    "definition_hash",
];

/// The files that have landed and are `wanted`, by source and id; by their ids.
pub(crate) async fn landed_files(
    lake: &Lake,
    wanted: impl Fn(&str, &str) -> bool,
) -> Result<BTreeMap<String, LandedFile>> {
    let (mut known, mut landed, mut latest) = (BTreeMap::new(), HashSet::new(), HashMap::new());
    for batch in scan(lake, COLUMNS).await? {
        let texts = |name: &str| texts(&batch, name);
        let (ids, sources, status) = (texts("source_file_id")?, texts("source")?, texts("status")?);
        let (definitions, skipped_by) = (texts("definition_hash")?, texts("skipped_by")?);
        let finished = instants(&batch, "finished_at")?;
        let told = |row: &usize| status.value(*row) != SEEN && wanted(sources.value(*row), ids.value(*row));
        for row in (0..batch.num_rows()).filter(told) {
            let id = ids.value(row).to_string();
            let entry = known.entry(id.clone()).or_insert_with(|| LandedFile {
                id: id.clone(),
                file: Audited {
                    source: sources.value(row).into(),
                    source_system: String::new(),
                    uri: String::new(),
                    sha256: String::new(),
                    version_tag: None,
                },
                account: FileAccount::default(),
                definition: None,
            });
            entry.file.source_system = texts("source_system")?.value(row).into();
            entry.file.uri = texts("file_uri")?.value(row).into();
            entry.file.sha256 = texts("content_sha256")?.value(row).into();
            sum(&mut entry.account, &batch, row, skipped_by.value(row))?;
            if status.value(row) == LANDED {
                landed.insert(id.clone());
            }
            let at = latest.entry(id).or_insert(i64::MIN);
            if status.value(row) != RETRIED && finished.value(row) >= *at {
                *at = finished.value(row);
                entry.definition = text_at(definitions, row).map(str::to_string);
            }
        }
    }
    known.retain(|id, _| landed.contains(id));
    Ok(known)
}

/// Adds the counts of one row, of which a correction's may be below 0.
fn sum(account: &mut FileAccount, batch: &RecordBatch, row: usize, skipped_by: &str) -> Result<()> {
    let counts = [
        ("read", &mut account.read),
        ("landed", &mut account.landed),
        ("duplicate", &mut account.duplicate),
        ("late_ignored", &mut account.late_ignored),
        ("skipped", &mut account.skipped),
        ("quarantined", &mut account.quarantined),
    ];
    // On the way to their sum they may be below 0 (and stay there after a landing that was cut off): they wrap.
    for (name, count) in counts {
        *count = count.wrapping_add_signed(longs(batch, name)?.value(row));
    }
    let reasons: BTreeMap<String, i64> = serde_json::from_str(skipped_by).unwrap_or_default();
    for (reason, records) in reasons {
        let count = account.skipped_by.entry(reason).or_default();
        *count = count.wrapping_add_signed(records);
    }
    Ok(())
}
