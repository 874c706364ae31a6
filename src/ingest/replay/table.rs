//! One table of a replay: the rows that the replayed files gave make way for those that they give now, in one commit.
//! It must not know records nor read files; which ids are replayed is all that it is told of them.
//!
//! A key whose row came from a replayed file takes the best of the new rows, whatever versions say, or leaves the table
//! when there is none: so a new mapping wins over the old one although versions are equal, and no conflict (V19)
//! between the two is seen. A key whose row came from another file is decided by rank, as when files land.

use std::collections::{BTreeMap, HashSet};

use super::plan::{Plan, Rows, note_orders};
use crate::error::Result;
use crate::ingest::columns::texts;
use crate::ingest::commit::{Attempts, Writer};
use crate::ingest::decide::{Incoming, KeyMap, Outcome, Rank};
use crate::ingest::fill::Orders;
use crate::ingest::land::{BLOOM_KEYS, BatchFile, Piece, RANKS, for_each_rank, landing_rows};
use crate::ingest::underway::Underway;
use crate::lake::{Lake, Prepared, TableState};
use crate::model::Table;

/// What replaying one table came to.
pub(super) struct Replaced {
    /// The table's version afterwards.
    pub version: i64,
    /// Per piece, per row: as though the files had landed now for the first time, together.
    pub fresh: Vec<Vec<Outcome>>,
    /// Per piece, per row: what it did to the table.
    pub done: Vec<Vec<Outcome>>,
    /// Key and rank of every row, in the order of the pieces.
    pub ranks: Vec<(u128, Rank)>,
    /// Rows that left the table, by the id of their file.
    pub removed: BTreeMap<String, u64>,
    /// Rows left or sank in rank, so that another source's row, which they once displaced, would be wanted now.
    pub uncovered: bool,
    /// Orders whose sale or return is among the rows, old or new.
    pub orders: Orders,
    /// The ranks that keys have now.
    now: KeyMap<Rank>,
}

impl Replaced {
    /// Whether the commit did anything.
    pub fn changed(&self) -> bool {
        !self.removed.is_empty() || self.done.iter().flatten().any(|o| o.lands())
    }
    /// Whether `key`'s row has a version greater than `version` now.
    pub fn supersedes(&self, key: u128, version: i64) -> bool {
        self.now.get(&key).is_some_and(|rank| rank.version > version)
    }
}

/// A row that the table holds: its key is among the new rows, or its file among the replayed ones.
struct Held {
    rank: Rank,
    /// Its file is replayed.
    own: bool,
}

/// What is known of one version of a table.
struct Found {
    held: KeyMap<Held>,
    /// Per file of the state: it has rows of the replayed files, or rows under keys of ours.
    concerned: Vec<bool>,
}

/// One table of a replay on its way (as `Landing` of [`crate::ingest::land`]).
pub(super) struct Replacing<'a> {
    writer: Writer<'a>,
    pieces: &'a [Piece],
    files: &'a [BatchFile],
    ids: &'a HashSet<String>,
    incoming: Incoming,
    attempts: Attempts<'a>,
    attempt: Attempt,
}

/// What was worked out on one version of a table.
struct Attempt {
    edit: Underway,
    held: KeyMap<Held>,
    fresh: Vec<Outcome>,
    done: Vec<Outcome>,
    plan: Plan,
}

impl<'a> Replacing<'a> {
    /// Of `pieces` (all rows that the replayed files give this table now, in the order of their landing) in the place of
    /// what the files with these `ids` gave before.
    pub async fn prepare(
        writer: Writer<'a>,
        table: &'static Table,
        pieces: &'a [Piece],
        files: &'a [BatchFile],
        ids: &'a HashSet<String>,
    ) -> Result<Replacing<'a>> {
        let mut incoming = Incoming::default();
        pieces.iter().flat_map(Piece::ranks).for_each(|(key, rank)| incoming.push(*key, *rank));
        let attempts = Attempts::new(writer, table);
        let attempt = attempt(writer, &attempts, table, pieces, &incoming, ids).await?;
        Ok(Replacing { writer, pieces, files, ids, incoming, attempts, attempt })
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
    pub async fn commit(mut self) -> Result<Replaced> {
        loop {
            self.secure().await?;
            let Replacing { writer, pieces, ids, .. } = self;
            if let Some(version) = self.attempt.edit.commit(&mut self.attempts).await? {
                let Attempt { held, fresh, done, plan, .. } = self.attempt;
                let incoming = &self.incoming;
                let now = incoming.keys().filter_map(|key| {
                    let other = held.get(&key).filter(|h| !h.own).map(|h| h.rank);
                    incoming.final_rank(key, other).map(|rank| (key, rank))
                });
                return Ok(Replaced {
                    version,
                    now: now.collect(),
                    ranks: (0..fresh.len()).map(|row| incoming.row(row)).collect(),
                    fresh: per_piece(pieces, &fresh),
                    done: per_piece(pieces, &done),
                    removed: plan.removed,
                    uncovered: plan.uncovered,
                    orders: plan.orders,
                });
            }
            let table = self.attempt.edit.state.table;
            self.attempt = attempt(writer, &self.attempts, table, pieces, &self.incoming, ids).await?;
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
    incoming: &Incoming,
    ids: &HashSet<String>,
) -> Result<Attempt> {
    let state = writer.lake.state(table).await?;
    let Found { held, concerned } = look_up(writer.lake, &state, incoming, ids).await?;
    let fresh = incoming.decide(|key| held.get(&key).filter(|h| !h.own).map(|h| h.rank));
    let mut plan = Plan::default();
    let rows = Rows::new(pieces, &fresh, incoming);
    for (file, _) in state.files.iter().zip(&concerned).filter(|(_, concerned)| **concerned) {
        plan.take(writer.lake, &state, file, &rows, incoming, ids).await?;
    }
    let done: Vec<Outcome> =
        fresh.iter().enumerate().map(|(row, o)| change(*o, incoming.row(row).0, &held, &plan.same)).collect();
    let mut from = 0;
    for piece in pieces {
        let to = from + piece.ranks().len();
        plan.edit.add.extend(landing_rows(writer, piece, &done[from..to])?);
        note_orders(&mut plan.orders, table, &piece.mapped.rows, |_| true)?;
        from = to;
    }
    plan.edit.info.insert("replayed".into(), writer.source.into());
    let ready = attempts.prepare(&state, std::mem::take(&mut plan.edit)).await?;
    let edit = Underway { state, ready, displaced: std::mem::take(&mut plan.displaced) };
    Ok(Attempt { edit, held, fresh, done, plan })
}

/// What a row does to the table, from what it would do if the replayed files had never landed.
fn change(fresh: Outcome, key: u128, held: &KeyMap<Held>, same: &HashSet<u128>) -> Outcome {
    match fresh {
        Outcome::New if same.contains(&key) => Outcome::Duplicate,
        Outcome::New if held.contains_key(&key) => Outcome::Replacing,
        other => other,
    }
}

fn per_piece(pieces: &[Piece], outcomes: &[Outcome]) -> Vec<Vec<Outcome>> {
    let mut rest = outcomes;
    pieces.iter().map(|p| rest.split_off(..p.ranks().len()).unwrap_or_default().to_vec()).collect()
}

async fn look_up(lake: &Lake, state: &TableState, incoming: &Incoming, ids: &HashSet<String>) -> Result<Found> {
    let few: Option<Vec<[u8; 16]>> =
        (incoming.len() <= BLOOM_KEYS).then(|| incoming.keys().map(u128::to_be_bytes).collect());
    let mut found = Found { held: KeyMap::default(), concerned: vec![false; state.files.len()] };
    for (index, file) in state.files.iter().enumerate() {
        let mut own = Vec::new();
        for batch in lake.read(state, file, Some(&["source_file_id"])).await? {
            own.extend(texts(&batch, "source_file_id")?.iter().map(|id| id.is_some_and(|id| ids.contains(id))));
        }
        if !own.contains(&true) {
            let none = match &few {
                Some(keys) => keys.is_empty() || !lake.may_hold(file, keys).await?,
                None => false,
            };
            if none {
                continue;
            }
        }
        let mut first = 0;
        for batch in lake.read(state, file, Some(RANKS)).await? {
            for_each_rank(&batch, |row, key, rank| {
                let own = own.get(first + row).copied().unwrap_or(false);
                if own || incoming.has(key) {
                    found.concerned[index] = true;
                    found.held.insert(key, Held { rank, own });
                }
            })?;
            first += batch.num_rows();
        }
    }
    Ok(found)
}
