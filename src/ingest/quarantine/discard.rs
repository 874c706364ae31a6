//! Discarding: someone decides that records will not land. They stay in the quarantine with who and why, and a replay does
//! not bring them back. It must not touch accounts: the records did not land, and that is what accounts say.

use std::collections::HashSet;

use super::{Filter, Place, Resolution, list, resolve};
use crate::error::Result;
use crate::ingest::Ingest;
use crate::ingest::columns::{longs, text_at, texts};
use crate::ingest::commit::Writer;

/// The application id of commits that no source makes.
const BY_HAND: &str = "quarantine";

/// Resolves the waiting records that match, and returns how many they are; a `dry_run` only counts them.
pub(crate) async fn discard(ingest: &Ingest, filter: &Filter, note: &str, dry_run: bool) -> Result<u64> {
    let waiting = list(&ingest.lake, &Filter { resolved: Some(false), limit: None, ..filter.clone() }).await?;
    if dry_run || waiting.num_rows() == 0 {
        return Ok(waiting.num_rows() as u64);
    }
    let [ids, tables, rules, values] = ["source_file_id", "table_name", "rule", "value"].map(|c| texts(&waiting, c));
    let (ids, tables, rules, values, lines) = (ids?, tables?, rules?, values?, longs(&waiting, "line")?);
    let asked: HashSet<_> = (0..waiting.num_rows())
        .map(|row| (ids.value(row), tables.value(row), lines.value(row), rules.value(row), text_at(values, row)))
        .collect();
    let verdict = |k: &Place| {
        let found = asked.contains(&(k.source_file_id, k.table, k.line, k.rule, k.value));
        found.then_some(Resolution::Discarded(note))
    };
    let batch_id = ingest.new_batch_id();
    let writer = Writer { lake: &ingest.lake, source: BY_HAND, batch_id: &batch_id, clock: ingest.clock };
    let unit = ingest.lake.begin(&batch_id).await?;
    let written = resolve(writer, Vec::new(), verdict).await?;
    unit.publish().await?;
    Ok(written.resolved)
}
