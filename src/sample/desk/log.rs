//! One kind of the desk's files: what is told in it, day by day, a file per quarter.

use std::path::Path;

use super::super::Counts;
use super::super::again::Again;
use super::super::days::{Day, FIRST, LAST, quarter_name};
use super::super::out::{Dirt, Ledger, Sheet, Why};
use super::super::text::with_field;
use crate::error::Result;

/// Which count a file's records add to.
type Count = fn(&mut Counts) -> &mut u64;

pub struct Log {
    /// Folder and name, in front of the quarter.
    stem: String,
    header: &'static str,
    /// The first quarter stays readable.
    plain: bool,
    count: Count,
    sheet: Sheet,
    again: Again,
    /// The first day that is not written yet.
    next: Day,
}

impl Log {
    pub fn new(landing: &Path, level: u32, stem: String, header: &'static str, count: Count) -> Log {
        let plain = stem.ends_with("market_eu");
        Log {
            stem,
            header,
            plain,
            count,
            sheet: Sheet::new(landing, "csv", header, level),
            again: Again::new(),
            next: FIRST,
        }
    }

    /// Keeps a record for `day`, or the first one that is still to be written. After the last day nothing is told.
    pub fn keep(&mut self, ledger: &mut Ledger, day: Day, record: Vec<u8>, why: Why) {
        let day = day.max(self.next);
        if day <= LAST {
            *(self.count)(&mut ledger.counts) += u64::from(why == Why::First);
            self.again.keep(day, record, why);
        }
    }

    /// Writes what is told on `date`.
    pub fn day(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        let name = format!("{}_{}", self.stem, quarter_name(date));
        self.sheet.open(ledger, &name, self.plain && date < FIRST + 92)?;
        self.next = date + 1;
        self.again.day(ledger, &mut self.sheet, date)
    }

    /// Writes a record into the open file with one field spoilt, or cut short.
    pub fn dirty(&mut self, ledger: &mut Ledger, record: &[u8], (column, value, dirt): &'static Dirty) -> Result<()> {
        let spoilt = if dirt.rule == "V00" {
            [&record[..record.len() / 2], b"\n"].concat()
        } else {
            with_field(record, b',', self.header.split(',').position(|name| name == *column).unwrap_or(0), value)
        };
        *(self.count)(&mut ledger.counts) += u64::from(dirt.lands());
        self.sheet.put(ledger, &spoilt, Why::Dirty(dirt))
    }

    pub fn close(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.sheet.close(ledger)
    }
}

/// Column, value, what is wrong with it.
pub type Dirty = (&'static str, &'static str, Dirt);
