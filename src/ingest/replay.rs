//! Replay: a source's files are mapped anew after its definition changed, and what they give now takes the place of what
//! they gave before: one commit per table, all shown at once by one head. It must not decide what lands beyond whose rows
//! make way (`table`), nor land files that have not landed before.
//!
//! Everything is read, and every table prepared, before anything is committed: a full disk changes no table. So all rows
//! wait in memory; a source that is too large is refused. A replay that was cut off between two tables
//! gets the others by whoever ends a batch next, and its accounts by the next replay: until then the lake names its files
//! ([`cut_off`]). What a row displaced while it was in the table, a row of another
//! source under the same key, is not kept anywhere: where a replay takes such a row out or gives it a lower rank, the
//! other sources of the table have to be replayed, too, and [`Replayed::others`] names them.
//!
//! Pushes stay as they were mapped: what was sent is not kept.
//!
//! Afterwards the tables are as though the files had landed into a lake that held the other sources' current rows.

mod plan;
mod read;
mod report;
mod table;
mod work;

use std::collections::HashSet;
use std::sync::Arc;

use super::audit;
use super::commit::Writer;
use super::files::Found;
use super::progress::Progress;
use super::source::Source;
use super::{Ingest, definition};
use crate::error::{Error, Result};

use read::Reading;
pub use report::Replayed;
use work::Work;

/// How many missing files an error names.
const NAMED: usize = 5;

/// Files of `source` whose last mapping was by another definition than today's.
pub(super) async fn outdated(ingest: &Ingest, source: &Source) -> Result<u64> {
    ingest.ledger.look(&ingest.lake, ingest.clock.now_micros()).await?;
    Ok(ingest.ledger.outdated(&source.name, &definition::hash(source)))
}

/// How many files of `source` a replay may have changed in part when it was cut off.
pub(super) async fn cut_off(ingest: &Ingest, source: &Source) -> Result<u64> {
    ingest.lake.look_for_cut_off().await?;
    let batches = ingest.lake.cut_off();
    let files = batches.iter().flat_map(|c| &c.files).filter(|f| f.replayed && f.source == source.name);
    Ok(files.map(|f| f.file_id.as_str()).collect::<HashSet<_>>().len() as u64)
}

/// See [`Ingest::replay`].
pub(super) async fn replay(
    ingest: &Ingest,
    source: &Arc<Source>,
    found: &[Found],
    found_only: bool,
    progress: &dyn Progress,
) -> Result<Replayed> {
    let (batch_id, started) = (ingest.new_batch_id(), ingest.clock.now_micros());
    let writer = Writer { lake: &ingest.lake, source: &source.name, batch_id: &batch_id, clock: ingest.clock };
    let known = audit::landed_files(&ingest.lake, |name, _| name == source.name).await?;
    progress.begin(&source.name, found.len(), 0, found.iter().map(Found::size).sum());
    let mut reading = Reading::new(ingest, source, writer, known, progress).await?;
    if !found_only {
        absent(&reading.absent(found))?;
    }
    for file in found {
        reading.take(file).await?;
    }
    let (batch, files, missing, pushes) = reading.done();
    if !found_only {
        absent(&missing)?;
    }
    let mut replayed = Replayed { missing, pushes, ..Replayed::default() };
    replayed.account.source.clone_from(&source.name);
    if !files.is_empty() {
        replayed.account.batch_id.clone_from(&batch_id);
        let work = Work::new(writer, batch);
        let unit = ingest.lake.begin_landing(&batch_id, work.unfinished()).await?;
        let (work, unit) = work.land(unit, progress).await?;
        let finished = work.finish(ingest, source, files, started, &mut replayed, progress).await;
        finished.map_err(half)?;
        unit.publish().await?;
    }
    progress.end(&source.name);
    Ok(replayed)
}

/// For an error after the first commit.
fn half(error: Error) -> Error {
    error.context("the replay stopped half way; the same command completes it")
}

/// An error that names files that have landed and are not found, if there are any.
fn absent(missing: &[String]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let named = missing.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = missing.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let what = match missing.len() {
        1 => "1 file that has landed is".to_string(),
        n => format!("{n} files that have landed are"),
    };
    Err(Error::not_found(format!("{what} not found any more: {named}{more}")).hint(
        "put them back below the landing path, or name where they are now after the source; \
        --found-only replays the others and leaves the rows of these as they are",
    ))
}
