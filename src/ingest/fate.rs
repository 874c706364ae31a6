//! The fate of a raw record, from what became of its rows. It must not know tables or files beyond their numbers.
//!
//! Quarantined, if a rule stopped it or one of its rows lost a conflict; else landed, if a row is new or replacing; else
//! late_ignored, if a row is older than what is there; else duplicate. Gleaned (reference) rows only count when a
//! record has no others: then it is landed if one of them is new or replacing, else duplicate.

use std::collections::HashMap;

use super::account::FileAccount;
use super::decide::Outcome;

const QUARANTINED: u8 = 1;
const LANDED: u8 = 2;
const LATE: u8 = 4;
const DUPLICATE: u8 = 8;
const GLEANED_LANDED: u8 = 16;
const GLEANED: u8 = 32;

/// What is known so far of the records of a batch, by (file, line).
#[derive(Debug, Default)]
pub(crate) struct Fates {
    records: HashMap<(usize, i64), u8>,
}

impl Fates {
    /// A rule stopped the record.
    pub fn rejected(&mut self, file: usize, line: i64) {
        *self.records.entry((file, line)).or_default() |= QUARANTINED;
    }
    /// One of the record's rows came to `outcome`.
    pub fn row(&mut self, file: usize, line: i64, outcome: Outcome, reference: bool) {
        let bit = match (outcome, reference) {
            (Outcome::Conflict, _) => QUARANTINED,
            (Outcome::New | Outcome::Replacing, false) => LANDED,
            (Outcome::Late, false) => LATE,
            (Outcome::Duplicate, false) => DUPLICATE,
            (Outcome::New | Outcome::Replacing, true) => GLEANED_LANDED,
            (Outcome::Late | Outcome::Duplicate, true) => GLEANED,
        };
        *self.records.entry((file, line)).or_default() |= bit;
    }
    /// Every record's file and fate.
    pub fn each(&self) -> impl Iterator<Item = (usize, Fate)> + '_ {
        self.records.iter().map(|((file, _), bits)| (*file, fate(*bits)))
    }
    /// The fate of one record; `None` when it has not been seen.
    pub fn of(&self, file: usize, line: i64) -> Option<Fate> {
        self.records.get(&(file, line)).map(|bits| fate(*bits))
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Quarantined,
    Landed,
    Late,
    Duplicate,
}

impl Fate {
    pub fn count(self, account: &mut FileAccount) {
        match self {
            Fate::Quarantined => account.quarantined += 1,
            Fate::Landed => account.landed += 1,
            Fate::Late => account.late_ignored += 1,
            Fate::Duplicate => account.duplicate += 1,
        }
    }
}

fn fate(bits: u8) -> Fate {
    let only_gleaned = bits & (LANDED | LATE | DUPLICATE) == 0;
    if bits & QUARANTINED != 0 {
        Fate::Quarantined
    } else if bits & LANDED != 0 || (only_gleaned && bits & GLEANED_LANDED != 0) {
        Fate::Landed
    } else if bits & LATE != 0 {
        Fate::Late
    } else {
        Fate::Duplicate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[(Outcome, bool)]) -> Fate {
        let mut fates = Fates::default();
        rows.iter().for_each(|(outcome, reference)| fates.row(0, 7, *outcome, *reference));
        fates.of(0, 7).expect("seen")
    }

    #[test]
    fn the_first_that_applies() {
        use Outcome::*;
        assert_eq!(of(&[(New, false), (Conflict, false), (Late, false)]), Fate::Quarantined);
        assert_eq!(of(&[(Late, false), (Replacing, false), (Duplicate, false)]), Fate::Landed);
        assert_eq!(of(&[(Late, false), (Duplicate, false)]), Fate::Late);
        assert_eq!(of(&[(Duplicate, false)]), Fate::Duplicate);
    }

    #[test]
    fn gleaned_rows_only_count_alone() {
        use Outcome::*;
        assert_eq!(of(&[(Duplicate, false), (New, true)]), Fate::Duplicate);
        assert_eq!(of(&[(Late, false), (New, true)]), Fate::Late);
        assert_eq!(of(&[(New, true), (Late, true)]), Fate::Landed);
        assert_eq!(of(&[(Late, true)]), Fate::Duplicate);
        assert_eq!(Fates::default().of(0, 1), None);
    }
}
