//! The events that are wrong on purpose.

use super::super::days::{DAY, Day};
use super::super::out::{Dirt, Ledger, Why};
use super::super::text::with_text;
use super::{About, Events, push_session};
use crate::error::Result;

impl Events<'_> {
    pub(super) fn dirty(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        for (old, new, dirt) in DIRT {
            let mut visit = self.visit(None, 0, 0, date * DAY + 11 * 3600);
            self.record(&mut visit, "search", &About { term: "teapot", ..About::default() });
            let record = match *old {
                "cut" => [&self.scratch[..90], b"\n"].concat(),
                "session" => {
                    let mut name = b"\"session\":\"".to_vec();
                    push_session(&mut name, visit.session);
                    name.push(b'"');
                    with_text(&self.scratch, &String::from_utf8_lossy(&name), new)
                }
                old => with_text(&self.scratch, old, new),
            };
            if dirt.lands() {
                ledger.counts.events += 1;
            }
            self.sheet.put(ledger, &record, Why::Dirty(dirt))?;
        }
        Ok(())
    }
}

/// 2026-02-10.
pub(super) const DIRTY_DAY: Day = 20_494;

/// Text, what stands there instead, what is wrong with that.
const DIRT: &[(&str, &str, Dirt)] = &[
    ("cut", "", Dirt::new("V00", "quarantine", "", "the line ends in the middle")),
    (
        "\"name\":\"search\"",
        "\"name\":\"teleport\"",
        Dirt::new("V01", "reject", "event_name", "not a name of an event"),
    ),
    ("session", "\"session\":null", Dirt::new("V01", "reject", "session_id", "no visit")),
    (
        "\"received\":\"2026",
        "\"received\":\"2097",
        Dirt::new("V09", "reject", "event_time", "received long after the file was written"),
    ),
    (
        "\"term\":\"teapot\"",
        "\"term\":\"pat@example.net\"",
        Dirt::new("V20", "quarantine", "search_term", "an e-mail address searched for"),
    ),
    ("\"bot\":false", "\"bot\":\"perhaps\"", Dirt::new("V01", "reject", "is_bot", "neither true nor false")),
];

#[cfg(test)]
mod tests {
    use super::super::TRACKED;
    use super::*;

    #[test]
    fn days_are_what_they_say() {
        let day = super::super::super::days::day;
        assert_eq!((TRACKED, DIRTY_DAY), (day(2026, 1, 1), day(2026, 2, 10)));
    }
}
