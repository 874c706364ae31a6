//! A list as CSV: rows of fields without quotes, the dirty ones noted. It must not know what a field means.

use std::path::Path;

use super::days::{Day, push_date};
use super::out::{Dirt, Ledger, Sheet, Why};
use crate::error::Result;

/// A file that is being written, or several, one after the other.
pub struct List {
    sheet: Sheet,
    pub ledger: Ledger,
}

impl List {
    /// The file `name` below `landing`, with that first line.
    pub fn new(landing: &Path, name: &str, header: &str, plain: bool) -> Result<List> {
        let mut list = List { sheet: Sheet::new(landing, "csv", header, 9), ledger: Ledger::default() };
        list.open(name, plain)?;
        Ok(list)
    }

    /// Goes on in the file `name`, which has the same first line.
    pub fn open(&mut self, name: &str, plain: bool) -> Result<()> {
        self.sheet.open(&mut self.ledger, name, plain)
    }

    /// A row of a dimension.
    pub fn row(&mut self, fields: &[&str]) -> Result<()> {
        self.ledger.counts.dimension_rows += 1;
        self.why(fields, Why::First)
    }

    /// A dirty row of a dimension.
    pub fn dirt(&mut self, fields: &[&str], dirt: &'static Dirt) -> Result<()> {
        self.ledger.counts.dimension_rows += u64::from(dirt.lands());
        self.why(fields, Why::Dirty(dirt))
    }

    /// A row of anything, which is not counted here.
    pub fn why(&mut self, fields: &[&str], why: Why) -> Result<()> {
        self.sheet.put(&mut self.ledger, format!("{}\n", fields.join(",")).as_bytes(), why)
    }

    pub fn done(mut self) -> Result<Ledger> {
        self.sheet.close(&mut self.ledger)?;
        Ok(self.ledger)
    }
}

/// What `push` writes.
pub fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    push(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// "2025-03-09".
pub fn date(day: Day) -> String {
    text(|o| push_date(o, day))
}
