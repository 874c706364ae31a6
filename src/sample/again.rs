//! Records that are told again on a later day: word for word, or in a newer version. It must not know any layout.

use super::days::{DAYS, Day, FIRST};
use super::out::{Ledger, Sheet, Why};
use crate::error::Result;

/// Records by the day on which they come again.
pub struct Again(Vec<Vec<(Vec<u8>, Why)>>);

impl Again {
    pub fn new() -> Again {
        Again((0..DAYS).map(|_| Vec::new()).collect())
    }

    /// Keeps a record for `day`; one after the window is never told.
    pub fn keep(&mut self, day: Day, record: Vec<u8>, why: Why) {
        if let Some(of_day) = self.0.get_mut((day - FIRST) as usize) {
            of_day.push((record, why));
        }
    }

    /// Writes what comes again on `day`.
    pub fn day(&mut self, ledger: &mut Ledger, sheet: &mut Sheet, day: Day) -> Result<()> {
        for (record, why) in std::mem::take(&mut self.0[(day - FIRST) as usize]) {
            sheet.put(ledger, &record, why)?;
        }
        Ok(())
    }
}
