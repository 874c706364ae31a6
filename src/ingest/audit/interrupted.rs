//! Landings that were cut off: what they had put into the tables before, and what they had accounted for. A file that lands
//! again takes over the rows that its first attempt landed, so that its account ends as though nothing had happened.
//!
//! The lake remembers which files a batch was landing when its writer died ([`Lake::cut_off`]); whether it came to their
//! accounts is in `ingest_file`. It must not decide what lands.

use std::collections::{HashMap, HashSet};

use super::{LANDED, scan};
use crate::error::Result;
use crate::ingest::columns::texts;
use crate::lake::Lake;
use crate::model::Table;

/// What landing says of a commit: how many rows of each file took the place of others.
pub(crate) const REPLACED_BY_FILE: &str = "replaced_by_file";
/// So many commits are searched for those of a batch that was cut off.
const LOOK_BACK: usize = 128;

/// Attempts, each a file and the batch that was cut off while it landed it.
#[derive(Debug, Default)]
pub(crate) struct Interrupted {
    attempts: HashSet<(String, String)>,
    /// Those that came to their account, and were cut off then.
    accounted: HashSet<(String, String)>,
}

impl Interrupted {
    /// The attempts to land one of these files that were cut off before its account was written.
    pub async fn load(lake: &Lake, ids: &HashSet<&str>) -> Result<Interrupted> {
        let (mut attempts, mut accounted, mut landed) = (HashMap::new(), HashSet::new(), HashSet::new());
        for batch in lake.cut_off() {
            // A replay's account is made of what the file gives now: it takes nothing over.
            let files = batch.files.into_iter().filter(|f| !f.replayed && ids.contains(f.file_id.as_str()));
            attempts.extend(files.map(|f| ((f.file_id, batch.batch_id.clone()), f.waited)));
        }
        if !attempts.is_empty() {
            for batch in scan(lake, &["batch_id", "source_file_id", "status"]).await? {
                let (batches, files) = (texts(&batch, "batch_id")?, texts(&batch, "source_file_id")?);
                let status = texts(&batch, "status")?;
                for row in (0..batch.num_rows()).filter(|row| ids.contains(files.value(*row))) {
                    let attempt = (files.value(row).to_string(), batches.value(row).to_string());
                    accounted.extend(attempts.remove_entry(&attempt).map(|(attempt, _)| attempt));
                    if status.value(row) == LANDED {
                        landed.insert(attempt.0);
                    }
                }
            }
            // A file that has landed since has taken over what its attempts before had landed.
            attempts.retain(|(file, _), waited| *waited || !landed.contains(file));
        }
        Ok(Interrupted { attempts: attempts.into_keys().collect(), accounted })
    }

    /// Adds the attempts at waiting records of these files that are at work now. One that has ended in the meantime has
    /// resolved its records, or another has: then nobody else will account for them.
    pub async fn and_at_work(&mut self, lake: &Lake, ids: &HashSet<&str>) -> Result<()> {
        for batch in lake.at_work().await? {
            let files = batch.files.into_iter().filter(|f| f.waited && ids.contains(f.file_id.as_str()));
            self.attempts.extend(files.map(|f| (f.file_id, batch.batch_id.clone())));
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.attempts.is_empty()
    }

    pub fn has(&self, file: &str, batch: &str) -> bool {
        // A set of owned pairs: only asked after a crash.
        self.attempts.contains(&(file.to_string(), batch.to_string()))
    }

    pub fn accounted(&self, file: &str, batch: &str) -> bool {
        !self.accounted.is_empty() && self.accounted.contains(&(file.to_string(), batch.to_string()))
    }

    /// How many rows of each file took the place of others in `table`, as the commits of these attempts say.
    pub async fn replaced(&self, lake: &Lake, table: &'static Table) -> Result<HashMap<String, u64>> {
        let mut replaced: HashMap<String, u64> = HashMap::new();
        for commit in lake.history(table, LOOK_BACK).await? {
            let said = commit.info.get(REPLACED_BY_FILE).and_then(|f| f.as_str());
            let (Some(batch), Some(said)) = (&commit.batch_id, said) else { continue };
            let files: HashMap<String, u64> = serde_json::from_str(said).unwrap_or_default();
            for (file, rows) in files.into_iter().filter(|(file, _)| self.has(file, batch)) {
                *replaced.entry(file).or_default() += rows;
            }
        }
        Ok(replaced)
    }
}
