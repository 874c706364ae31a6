//! What a replay came to, and how it reads. It must not decide anything.

use std::fmt;

use serde::Serialize;

use crate::ingest::account::Account;

/// What one call of `Ingest::replay` did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Of the files, what became of their records as though they had landed now for the first time, together; of the
    /// tables, what changed: duplicates are rows that stayed as they are.
    pub account: Account,
    /// Files that have landed and were not found: their rows stay as they are.
    pub missing: Vec<String>,
    /// Pushes that have landed: their rows stay as they were mapped, for what was sent is not kept.
    pub pushes: usize,
    /// Sources whose rows may have been displaced by rows that are gone now, so that they should be replayed, too.
    pub others: Vec<String>,
    /// Whether any table or the quarantine is another than before.
    pub changed: bool,
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.account)?;
        match self.missing.len() {
            0 => {}
            1 => write!(f, "\n  1 file was not found, its rows stay as they are: {}", self.missing[0])?,
            n => write!(f, "\n  {n} files were not found, their rows stay as they are")?,
        }
        match self.pushes {
            0 => {}
            1 => write!(f, "\n  1 push stays as it was mapped")?,
            n => write!(f, "\n  {n} pushes stay as they were mapped")?,
        }
        if !self.changed && !self.account.files.is_empty() {
            write!(f, "\n  nothing has changed")?;
        }
        Ok(())
    }
}
