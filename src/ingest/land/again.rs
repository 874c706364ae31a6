//! Landing again what was cut off: rows that the same file's first attempt had landed are duplicates to the table, and to the
//! account they are what they were then. So are rows that another process lands now of the same waiting records: whichever
//! resolves a record accounts for it. It changes what is told, never what is done.

use std::collections::{HashMap, HashSet};

use super::{BatchFile, Held, Piece};
use crate::error::{Error, Result};
use crate::ingest::audit::Interrupted;
use crate::ingest::columns::{binary, texts};
use crate::ingest::decide::{KeyMap, Outcome};
use crate::lake::{Lake, TableState};

/// A table before `pieces` landed in it.
pub(super) struct Before<'a> {
    pub lake: &'a Lake,
    pub state: &'a TableState,
    pub pieces: &'a [Piece],
    pub files: &'a [BatchFile],
}

impl Before<'_> {
    /// `done`, told as it would have been had nothing been cut off. Whether such a row was new or took the place of
    /// another is in the commits of the first attempt, by number; where these are gone from the log, it counts as new.
    pub async fn outcomes(&self, mut done: Vec<Outcome>, stored: &KeyMap<Held>) -> Result<Vec<Outcome>> {
        if stored.is_empty() || !done.contains(&Outcome::Duplicate) {
            return Ok(done);
        }
        let ids: HashSet<&str> = self.pieces.iter().map(|p| self.files[p.file].id.as_str()).collect();
        let mut first = Interrupted::load(self.lake, &ids).await?;
        if self.pieces.iter().any(|p| p.waited) {
            first.and_at_work(self.lake, &ids).await?;
        }
        if first.is_empty() {
            return Ok(done);
        }
        let mut owners = self.owners(&first, &done, stored).await?;
        if owners.is_empty() {
            return Ok(done);
        }
        let mut replaced = first.replaced(self.lake, self.state.table).await?;
        let mut outcomes = done.iter_mut();
        for piece in self.pieces {
            let id = self.files[piece.file].id.as_str();
            for ((key, rank), outcome) in piece.ranks().iter().zip(&mut outcomes) {
                let held = stored.get(key).is_some_and(|held| held.rank == *rank);
                if *outcome != Outcome::Duplicate || !held || owners.get(key).is_none_or(|owner| owner != id) {
                    continue;
                }
                // Of equal rows of the file, the first one landed.
                owners.remove(key);
                *outcome = match replaced.get_mut(id).filter(|rows| **rows > 0) {
                    Some(rows) => {
                        *rows -= 1;
                        Outcome::Replacing
                    }
                    None => Outcome::New,
                };
            }
        }
        Ok(done)
    }

    /// Key → file, of the duplicates that a first attempt of a file landed.
    async fn owners(
        &self,
        first: &Interrupted,
        done: &[Outcome],
        stored: &KeyMap<Held>,
    ) -> Result<HashMap<u128, String>> {
        let mut wanted: HashMap<usize, HashSet<u128>> = HashMap::new();
        let rows = self.pieces.iter().flat_map(|p| p.ranks());
        for ((key, rank), _) in rows.zip(done).filter(|(_, outcome)| **outcome == Outcome::Duplicate) {
            if let Some(held) = stored.get(key).filter(|held| held.rank == *rank) {
                wanted.entry(held.file).or_default().insert(*key);
            }
        }
        let mut owners = HashMap::new();
        for (file, keys) in wanted {
            let file = &self.state.files[file];
            for batch in
                self.lake.read(self.state, file, Some(&["row_key", "ingest_batch_id", "source_file_id"])).await?
            {
                let (batches, files) = (texts(&batch, "ingest_batch_id")?, texts(&batch, "source_file_id")?);
                let row_keys = binary(&batch, "row_key")?;
                for row in 0..batch.num_rows() {
                    let key = row_keys.value(row).try_into().map(u128::from_be_bytes);
                    let key = key.map_err(|_| Error::internal("a row_key is not 16 bytes long"))?;
                    if keys.contains(&key) && first.has(files.value(row), batches.value(row)) {
                        owners.insert(key, files.value(row).to_string());
                    }
                }
            }
        }
        Ok(owners)
    }
}
