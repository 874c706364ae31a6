//! Landing the rows of one table: look up their keys in the whole table, decide, rewrite what is replaced; then commit.
//! It must not know files, records or accounts: it answers with one outcome per row.

mod again;
mod piece;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBufferBuilder, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::record_batch::RecordBatch;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value};

use super::audit::REPLACED_BY_FILE;
use super::columns::{binary, longs, replace_column, row_json, texts};
use super::commit::{Attempts, Edit, Writer};
use super::decide::{Incoming, KeyMap, Outcome, Rank};
use super::underway::Underway;
use crate::error::{Error, Result};
use crate::lake::{DataFile, Kept, Lake, Perhaps, Prepared, TableState};
use crate::model::Table;
pub(crate) use piece::Piece;

/// Up to this many keys are looked up through the files' bloom filters, more by reading the key columns.
pub(crate) const BLOOM_KEYS: usize = 100_000;

/// Files whose keys are read at once.
const READS: usize = 4;
/// Files whose filters are asked at once: where they are not known yet, the time is that of the requests.
const ASKED: usize = 16;
/// What a row's key and rank are read from.
pub(crate) const RANKS: &[&str] = &["row_key", "source_version", "content_hash"];

/// A file of a batch.
#[derive(Debug, Clone)]
pub(crate) struct BatchFile {
    /// Its `source_file_id`.
    pub id: String,
    pub uri: String,
}

/// A row that the table held and that lost a conflict (V19).
pub(crate) struct Displaced {
    pub key: u128,
    pub rank: Rank,
    /// The file that it came from.
    pub source_file_id: String,
    pub json: String,
}

/// What landing the pieces of one table came to.
pub(crate) struct Landed {
    /// The table's version afterwards.
    pub version: i64,
    /// Per piece, per row; a row that a landing of the same file had landed before it was cut off is as it was then.
    pub outcomes: Vec<Vec<Outcome>>,
    incoming: Incoming,
    stored: KeyMap<Held>,
}

impl Landed {
    /// Whether `key` was among the rows and its row now has a version greater than `version`.
    pub fn supersedes(&self, key: u128, version: i64) -> bool {
        let held = self.stored.get(&key).map(|h| h.rank);
        self.incoming.has(key) && self.incoming.final_rank(key, held).is_some_and(|f| f.version > version)
    }
    /// Key and rank of the pieces' rows, in the order of `outcomes`.
    pub fn rows(&self) -> impl Iterator<Item = (u128, Rank)> + '_ {
        (0..self.outcomes.iter().map(Vec::len).sum()).map(|row| self.incoming.row(row))
    }
}

/// A row that the table holds under a key of ours.
struct Held {
    rank: Rank,
    /// Index into the state's files.
    file: usize,
}

/// What a batch does to one version of a table.
struct Plan {
    edit: Edit,
    outcomes: Vec<Outcome>,
    stored: KeyMap<Held>,
    displaced: Vec<Displaced>,
}

/// Pieces on their way into a table.
pub(crate) struct Landing<'a> {
    writer: Writer<'a>,
    /// In arrival order.
    pieces: &'a [Piece],
    files: &'a [BatchFile],
    incoming: Incoming,
    attempts: Attempts<'a>,
    attempt: Attempt,
}

/// What was worked out on one version of a table.
struct Attempt {
    edit: Underway,
    outcomes: Vec<Outcome>,
    stored: KeyMap<Held>,
}

impl<'a> Landing<'a> {
    pub async fn prepare(
        writer: Writer<'a>,
        table: &'static Table,
        pieces: &'a [Piece],
        files: &'a [BatchFile],
    ) -> Result<Landing<'a>> {
        let mut incoming = Incoming::default();
        for piece in pieces {
            piece.ranks.iter().for_each(|(key, rank)| incoming.push(*key, *rank));
        }
        let attempts = Attempts::new(writer, table);
        let attempt = attempt(writer, &attempts, table, pieces, files, &incoming).await?;
        Ok(Landing { writer, pieces, files, incoming, attempts, attempt })
    }

    /// See [`Underway::secure`].
    pub async fn secure(&mut self) -> Result<()> {
        self.attempt.edit.secure(self.writer, self.files).await
    }

    /// See [`Underway::intent`].
    pub fn intent(&self) -> Option<(&TableState, &Prepared)> {
        self.attempt.edit.intent()
    }

    /// Commits; where another writer was faster, all is worked out anew.
    pub async fn commit(mut self) -> Result<Landed> {
        loop {
            self.secure().await?;
            let Landing { writer, pieces, files, .. } = self;
            if let Some(version) = self.attempt.edit.commit(&mut self.attempts).await? {
                let Attempt { edit, outcomes, stored } = self.attempt;
                let before = again::Before { lake: writer.lake, state: &edit.state, pieces, files };
                let outcomes = before.outcomes(outcomes, &stored).await?;
                let mut rest = outcomes.as_slice();
                let outcomes = pieces
                    .iter()
                    .map(|p| rest.split_off(..p.mapped.record.len()).unwrap_or_default().to_vec())
                    .collect();
                return Ok(Landed { version, outcomes, incoming: self.incoming, stored });
            }
            let table = self.attempt.edit.state.table;
            self.attempt = attempt(writer, &self.attempts, table, pieces, files, &self.incoming).await?;
        }
    }

    /// Gives it up: the files that were written go.
    pub async fn discard(self) {
        self.attempt.edit.discard(&self.attempts).await;
    }
}

async fn attempt(
    writer: Writer<'_>,
    attempts: &Attempts<'_>,
    table: &'static Table,
    pieces: &[Piece],
    files: &[BatchFile],
    incoming: &Incoming,
) -> Result<Attempt> {
    let state = writer.lake.state(table).await?;
    let Plan { edit, outcomes, stored, displaced } = plan(writer, &state, pieces, files, incoming).await?;
    let ready = attempts.prepare(&state, edit).await?;
    Ok(Attempt { edit: Underway { state, ready, displaced }, outcomes, stored })
}

async fn plan(
    writer: Writer<'_>,
    state: &Arc<TableState>,
    pieces: &[Piece],
    files: &[BatchFile],
    incoming: &Incoming,
) -> Result<Plan> {
    let stored = look_up(writer.lake, state, incoming).await?;
    let outcomes = incoming.decide(|key| stored.get(&key).map(|h| h.rank));
    let mut edit = Edit::default();
    let displaced = rewrite(writer.lake, state, incoming, &stored, &mut edit).await?;
    let mut from = 0;
    let mut replaced: BTreeMap<&str, u64> = BTreeMap::new();
    for piece in pieces {
        let to = from + piece.mapped.record.len();
        edit.add.extend(landing_rows(writer, piece, &outcomes[from..to])?);
        let rows = outcomes[from..to].iter().filter(|o| **o == Outcome::Replacing).count();
        if rows > 0 {
            *replaced.entry(&files[piece.file].id).or_default() += rows as u64;
        }
        from = to;
    }
    let count = |o: Outcome| outcomes.iter().filter(|x| **x == o).count();
    edit.info = Map::from_iter([
        ("source".to_string(), Value::from(writer.source)),
        ("new".to_string(), Value::from(count(Outcome::New))),
        ("replaced".to_string(), Value::from(count(Outcome::Replacing))),
    ]);
    if !replaced.is_empty() {
        // A text: other readers of the log need not understand it.
        let text = serde_json::to_string(&replaced).map_err(|e| Error::internal("counts are not JSON").caused_by(e))?;
        edit.info.insert(REPLACED_BY_FILE.into(), text.into());
    }
    Ok(Plan { edit, outcomes, stored, displaced })
}

/// The rows of `state` whose keys are among `incoming`.
async fn look_up(lake: &Lake, state: &Arc<TableState>, incoming: &Incoming) -> Result<KeyMap<Held>> {
    let keys: Vec<[u8; 16]> = incoming.keys().map(u128::to_be_bytes).collect();
    // Most keys of a large batch are new: those that certainly are need not be looked for in each file.
    let Perhaps { keys, uncovered } = match keys.len() > BLOOM_KEYS {
        true => lake.perhaps_in(state, keys).await?,
        false => Perhaps { keys, uncovered: Vec::new() },
    };
    let ask = |(index, file): (usize, Arc<DataFile>)| {
        let (keys, read) = (&keys, uncovered.binary_search(&index).is_ok() || keys.len() > BLOOM_KEYS);
        async move { Ok::<_, Error>((read || lake.may_hold(&file, keys).await?).then_some(index)) }
    };
    let asked = stream::iter(state.files.iter().cloned().enumerate().map(ask)).buffered(ASKED);
    let files = asked.try_collect::<Vec<Option<usize>>>().await?.into_iter().flatten();
    let read = |index: usize| {
        let (lake, state) = (lake.clone(), state.clone());
        // Tasks of their own, so that they decode side by side.
        tokio::spawn(async move { Ok((index, lake.read(&state, &state.files[index], Some(RANKS)).await?)) })
    };
    let mut reads = stream::iter(files.map(read)).buffered(READS);
    let mut stored = KeyMap::default();
    while let Some(read) = reads.next().await {
        let read: Result<_> = read.map_err(|e| Error::internal(format!("looking up keys: {e}")))?;
        let (index, batches) = read?;
        for batch in batches {
            for_each_rank(&batch, |_, key, rank| {
                if incoming.has(key) {
                    let held = stored.entry(key).or_insert(Held { rank, file: index });
                    if rank > held.rank {
                        *held = Held { rank, file: index };
                    }
                }
            })?;
        }
    }
    Ok(stored)
}

/// Puts into `edit` the files that hold replaced rows, and which other rows of them stay; returns what a conflict displaces.
async fn rewrite(
    lake: &Lake,
    state: &TableState,
    incoming: &Incoming,
    stored: &KeyMap<Held>,
    edit: &mut Edit,
) -> Result<Vec<Displaced>> {
    let replaced = |key: u128| stored.get(&key).filter(|h| incoming.final_rank(key, Some(h.rank)) != Some(h.rank));
    let mut touched = vec![false; state.files.len()];
    incoming.keys().filter_map(replaced).for_each(|held| touched[held.file] = true);
    let mut displaced = Vec::new();
    for file in state.files.iter().zip(touched).filter_map(|(file, touched)| touched.then_some(file)) {
        let mut stays = BooleanBufferBuilder::new(0);
        let mut lost = Vec::new();
        for batch in lake.read(state, file, Some(RANKS)).await? {
            let first = stays.len();
            for_each_rank(&batch, |row, key, rank| {
                stays.append(replaced(key).is_none());
                if incoming.displaces(key, rank) {
                    lost.push((first + row, key, rank));
                }
            })?;
        }
        if !lost.is_empty() {
            let rows = concat_batches(&state.table.schema(), &lake.read(state, file, None).await?)?;
            for (row, key, rank) in lost {
                let source_file_id = texts(&rows, "source_file_id")?.value(row).to_string();
                displaced.push(Displaced { key, rank, source_file_id, json: row_json(&rows, row)? });
            }
        }
        edit.keep.push(Kept { file: file.clone(), rows: stays.finish() });
        edit.remove.push(file.clone());
    }
    Ok(displaced)
}

/// The rows of one piece that land, with their bookkeeping columns set.
pub(crate) fn landing_rows(writer: Writer<'_>, piece: &Piece, outcomes: &[Outcome]) -> Result<Option<RecordBatch>> {
    let rows = &piece.mapped.rows;
    let landing = (0..outcomes.len()).filter(|row| outcomes[*row].lands());
    let indices: Vec<u32> = landing.map(|row| piece.place(row) as u32).collect();
    if indices.is_empty() {
        return Ok(None);
    }
    let count = indices.len();
    let taken =
        if count == rows.num_rows() { rows.clone() } else { take_record_batch(rows, &UInt32Array::from(indices))? };
    let at = TimestampMicrosecondArray::from_value(writer.clock.now_micros(), count).with_timezone("UTC");
    let batch: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n(writer.batch_id, count)));
    Ok(Some(replace_column(&replace_column(&taken, "ingested_at", Arc::new(at))?, "ingest_batch_id", batch)?))
}

/// Calls `visit(row, key, rank)` for every row.
pub(crate) fn for_each_rank(batch: &RecordBatch, mut visit: impl FnMut(usize, u128, Rank)) -> Result<()> {
    let keys = binary(batch, "row_key")?;
    let versions = longs(batch, "source_version")?;
    let hashes = longs(batch, "content_hash")?;
    for row in 0..batch.num_rows() {
        let key = keys.value(row).try_into().map(u128::from_be_bytes);
        let key = key.map_err(|_| Error::internal("a row_key is not 16 bytes long"))?;
        visit(row, key, Rank { version: versions.value(row), hash: hashes.value(row) });
    }
    Ok(())
}
