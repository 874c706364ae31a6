//! What readers are shown, beside what has landed: heads and the markers of batches. It mends both.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Checkup, Examination, MEND, NAMED, Status, counted};
use crate::error::Result;
use crate::lake::Lake;
use crate::lake::heads::{Head, Marker};
use crate::lake::state::TableState;
use crate::lake::unit::{bury, intent};
use crate::model::Table;

/// Batches at work, and what dead ones left.
pub(super) async fn look_at_markers(
    lake: &Lake,
    markers: &[Marker],
    how: &Examination,
    checkup: &mut Checkup,
) -> Result<()> {
    for marker in markers {
        let age = how.now.signed_duration_since(marker.object.last_modified).num_seconds().max(0);
        if marker.live {
            checkup.add(
                None,
                "batch",
                Status::Note,
                format!("{} is at work; its marker was renewed {age} s ago", marker.batch_id),
            );
        } else if how.mend {
            bury(lake, marker).await?;
            checkup.add(
                None,
                "batch",
                Status::Mended,
                format!("{}: its writer is gone; the marker was removed", marker.batch_id),
            );
        } else {
            checkup.add(
                None,
                "batch",
                Status::Note,
                format!("{}: its writer is gone, its marker is {age} s old", marker.batch_id),
            );
            checkup.action(MEND);
        }
    }
    Ok(())
}

/// What batches had noted that they would commit, and that stayed when they had ended.
pub(super) async fn look_at_intents(lake: &Lake, how: &Examination, checkup: &mut Checkup) -> Result<()> {
    let left = intent::left(lake, how.before, how.now).await?;
    if let Some(first) = left.first() {
        let n = counted(left.len(), "note");
        let detail = format!("{n} of commits whose batches have ended, as {}", first.location);
        checkup.add(None, "leftovers", Status::Note, detail);
        checkup.action("saleslake lake vacuum");
    }
    Ok(())
}

/// Tables whose newest version is not what readers see.
pub(super) async fn look_at_head(
    lake: &Lake,
    head: &Head,
    states: &[Arc<TableState>],
    markers: &[Marker],
    how: &Examination,
    checkup: &mut Checkup,
) -> Result<()> {
    let at_work: Vec<&str> = markers.iter().filter(|m| m.live).map(|m| m.batch_id.as_str()).collect();
    let mut mend = false;
    for state in states {
        let (table, shown) = (state.table, head.version(state.table.name));
        if shown > state.version {
            let ends = state.version;
            let detail = format!("head {} shows version {shown}, but the log ends with {ends}", head.number);
            checkup.add(Some(table), "head", Status::Broken, detail);
            checkup.action("restore the table's _delta_log from a backup");
            continue;
        }
        if shown == state.version {
            continue;
        }
        let whose = hidden(lake, table, shown, &at_work).await;
        let detail = format!("readers see version {shown} of {}: {whose}", state.version);
        if !at_work.is_empty() {
            checkup.add(Some(table), "head", Status::Note, detail);
            checkup.action(format!("wait for {}", at_work.join(", ")));
        } else if how.mend {
            mend = true;
            checkup.add(Some(table), "head", Status::Mended, detail);
        } else {
            checkup.add(Some(table), "head", Status::Broken, detail);
            checkup.action(MEND);
        }
    }
    if mend {
        let batch_id = format!("doctor-{}", uuid::Uuid::now_v7());
        lake.begin(&batch_id).await?.publish().await?;
    }
    Ok(())
}

/// Whose commits readers do not see yet.
async fn hidden(lake: &Lake, table: &'static Table, shown: i64, at_work: &[&str]) -> String {
    let commits = match lake.commits_since(table, shown).await {
        Ok(commits) => commits,
        Err(error) => return error.to_string(),
    };
    let mut batches: BTreeMap<String, u64> = BTreeMap::new();
    for commit in &commits {
        let whose = match commit.batch_id.as_deref() {
            None => "another program".to_string(),
            Some(batch) if at_work.contains(&batch) => format!("batch {batch}, which is at work"),
            Some(batch) => format!("batch {batch}"),
        };
        *batches.entry(whose).or_default() += 1;
    }
    let counted = batches.iter().map(|(whose, n)| format!("{n} of {whose}"));
    format!("commits not shown: {}", counted.take(NAMED).collect::<Vec<_>>().join(", "))
}
