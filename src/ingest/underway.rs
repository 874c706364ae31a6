//! An edit of one table on its way: worked out on one version, its files written, nothing committed. So a batch can have
//! everything in place before it touches the first of its tables: a disk that fills up leaves them all as they were.
//! It must not know how the edit was worked out.

use std::sync::Arc;

use super::commit::{Attempts, Ready, Writer};
use super::land::{BatchFile, Displaced};
use super::quarantine;
use crate::error::Result;
use crate::lake::{Prepared, TableState};

pub(crate) struct Underway {
    /// The version on which it was worked out.
    pub state: Arc<TableState>,
    pub ready: Ready,
    /// Rows that it takes out of the table because they lost a conflict.
    pub displaced: Vec<Displaced>,
}

impl Underway {
    /// Puts displaced rows into the quarantine: before the commit that removes them, so that a crash between the two loses
    /// nothing. A lost race may find the same rows again, which changes nothing.
    pub async fn secure(&mut self, writer: Writer<'_>, files: &[BatchFile]) -> Result<()> {
        let displaced = std::mem::take(&mut self.displaced);
        if !displaced.is_empty() {
            quarantine::keep_displaced(writer, self.state.table, displaced, files).await?;
        }
        Ok(())
    }

    /// What it is about to commit, and on which state; `None`: nothing, or it must be worked out anew.
    pub fn intent(&self) -> Option<(&TableState, &Prepared)> {
        match &self.ready {
            Ready::Files(prepared) => Some((self.state.as_ref(), prepared.as_ref())),
            Ready::Nothing | Ready::Moved => None,
        }
    }

    /// Commits, once: returns the version, or `None` where another writer was faster and it must be worked out anew.
    pub async fn commit(&mut self, attempts: &mut Attempts<'_>) -> Result<Option<i64>> {
        let ready = std::mem::replace(&mut self.ready, Ready::Moved);
        attempts.put(&self.state, ready).await
    }

    /// Gives it up: the files that were written go.
    pub async fn discard(self, attempts: &Attempts<'_>) {
        attempts.discard(&self.state, self.ready).await;
    }
}
