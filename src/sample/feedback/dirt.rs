//! The feedback that is wrong on purpose.

use super::super::days::{DAY, Day};
use super::super::out::{Dirt, Ledger, Why};
use super::super::text::with_field;
use super::row::HEADER;
use super::{Feedback, Said};
use crate::error::Result;

impl Feedback<'_> {
    pub(super) fn dirty(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        for (at, value, dirt) in DIRT {
            let no = self.next;
            self.next += 1;
            self.write(&Said {
                no,
                version: 1,
                kind: "review",
                score: Some((4, 5)),
                topic: "",
                severity: "",
                item: Some(0),
                order: 1,
                customer: None,
                channel: 0,
                opened: date * DAY + 11 * 3600,
                replied: None,
                resolved: None,
                first_contact: None,
            });
            let record = if dirt.rule == "V00" {
                [&self.scratch[..30], b"\n"].concat()
            } else {
                let at = HEADER.split(',').position(|name| name == *at).unwrap_or(0);
                with_field(&self.scratch, b',', at, value)
            };
            if dirt.lands() {
                ledger.counts.feedback += 1;
            }
            self.sheet.put(ledger, &record, Why::Dirty(dirt))?;
        }
        Ok(())
    }
}

/// 2025-09-10.
pub(super) const DIRTY_DAY: Day = 20_341;

/// Column, value, what is wrong with it.
const DIRT: &[(&str, &str, Dirt)] = &[
    ("", "", Dirt::new("V00", "quarantine", "", "the line ends in the middle")),
    ("type", "rant", Dirt::new("V01", "reject", "feedback_type", "not a kind of feedback")),
    ("score", "five", Dirt::new("V01", "reject", "rating", "not a number")),
    ("score", "", Dirt::new("V01", "reject", "rating", "a review without a rating")),
    ("score", "9", Dirt::new("V03", "quarantine", "rating", "more points than there are")),
    ("opened_at", "", Dirt::new("V01", "reject", "opened_at", "nobody knows when")),
    (
        "opened_at",
        "2099-01-05T11:00:00Z",
        Dirt::new("V09", "reject", "event_time", "opened long after the file was written"),
    ),
    ("topic", "call anna.kern@example.com", Dirt::new("V20", "quarantine", "topic_code", "an e-mail address as topic")),
    ("sku", "999999", Dirt::new("V12", "warn", "product_id", "an article that the product list does not have")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_what_it_says() {
        assert_eq!(DIRTY_DAY, super::super::super::days::day(2025, 9, 10));
    }
}
