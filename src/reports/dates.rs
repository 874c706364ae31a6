//! The small grammar of dates in headers and requests, resolved against a given `today`. It must not read a clock.
//!
//! ```text
//! date  = base { ("+" | "-") number unit }
//! base  = today | yesterday | tomorrow | start of SPAN | end of SPAN | YYYY-MM-DD | YYYY-MM | YYYY
//! unit  = day(s) | week(s) | month(s) | quarter(s) | year(s)          SPAN = week | month | quarter | year
//! ```
//!
//! Periods exclude their end, so `end of month` is the first day of the next month, and `YYYY-MM` its first day.

use chrono::{Days, Months, NaiveDate};

use crate::error::{Error, Result};
use crate::model::calendar::{CalendarCode, Grain, bucket};

/// What a date may look like, for hints.
pub const HINT: &str = "a date such as 2026-01-31 or 2026-01, or today, yesterday, start of month - 12 months, end of year, today - 30 days";

/// The date that `text` means when today is `today`.
///
/// # Errors
/// `Invalid`: the text is no such date, or beyond the calendar's range.
pub fn resolve(text: &str, today: NaiveDate) -> Result<NaiveDate> {
    let wrong = || Error::invalid(format!("{text:?} is not a date")).hint(HINT);
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let (mut date, rest) = match words.as_slice() {
        ["today", rest @ ..] => (Some(today), rest),
        ["yesterday", rest @ ..] => (today.pred_opt(), rest),
        ["tomorrow", rest @ ..] => (today.succ_opt(), rest),
        ["start", "of", span, rest @ ..] => (edges(span, today).map(|e| e.0), rest),
        ["end", "of", span, rest @ ..] => (edges(span, today).map(|e| e.1), rest),
        [given, rest @ ..] => (iso(given), rest),
        [] => (None, words.as_slice()),
    };
    for step in steps(rest).ok_or_else(wrong)? {
        date = date.and_then(|d| step.from(d));
    }
    date.ok_or_else(wrong)
}

/// First day of the span that holds `day`, and the first day after it.
fn edges(span: &str, day: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    let grain = match span {
        "week" => Grain::Week,
        "month" => Grain::Month,
        "quarter" => Grain::Quarter,
        "year" => Grain::Year,
        _ => return None,
    };
    bucket(day, grain, CalendarCode::Iso)
}

/// `YYYY-MM-DD`, `YYYY-MM` or `YYYY`, digits exactly so many.
fn iso(text: &str) -> Option<NaiveDate> {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &&str, count: usize| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    let lengths = [4, 2, 2];
    if parts.len() > 3 || !parts.iter().zip(lengths).all(|(part, count)| digits(part, count)) {
        return None;
    }
    let number = |at: usize| parts.get(at).map_or(Some(1), |part| part.parse::<u32>().ok());
    NaiveDate::from_ymd_opt(parts[0].parse().ok()?, number(1)?, number(2)?)
}

struct Step {
    back: bool,
    count: u32,
    unit: Unit,
}

#[derive(Clone, Copy)]
enum Unit {
    Days(u64),
    Months(u32),
}

impl Step {
    /// A month's end that the target month lacks becomes that month's last day.
    fn from(&self, date: NaiveDate) -> Option<NaiveDate> {
        match (self.unit, self.back) {
            (Unit::Days(days), false) => date.checked_add_days(Days::new(days * u64::from(self.count))),
            (Unit::Days(days), true) => date.checked_sub_days(Days::new(days * u64::from(self.count))),
            (Unit::Months(months), false) => date.checked_add_months(Months::new(months.checked_mul(self.count)?)),
            (Unit::Months(months), true) => date.checked_sub_months(Months::new(months.checked_mul(self.count)?)),
        }
    }
}

/// `+ 3 months - 1 day` → steps; the blank after a sign may be left out.
fn steps(words: &[&str]) -> Option<Vec<Step>> {
    let joined = words.join(" ").replace('+', " + ").replace('-', " - ");
    let words: Vec<&str> = joined.split_whitespace().collect();
    let steps = words.chunks(3).map(|chunk| {
        let [sign, count, unit] = chunk else { return None };
        let back = match *sign {
            "+" => false,
            "-" => true,
            _ => return None,
        };
        let unit = match unit.strip_suffix('s').unwrap_or(unit) {
            "day" => Unit::Days(1),
            "week" => Unit::Days(7),
            "month" => Unit::Months(1),
            "quarter" => Unit::Months(3),
            "year" => Unit::Months(12),
            _ => return None,
        };
        Some(Step { back, count: count.parse().ok()?, unit })
    });
    steps.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn dates_resolve_against_today() {
        let today = d("2026-03-31");
        for (text, expected) in [
            ("today", "2026-03-31"),
            (" Today ", "2026-03-31"),
            ("yesterday", "2026-03-30"),
            ("tomorrow", "2026-04-01"),
            ("today - 30 days", "2026-03-01"),
            ("today -1 month", "2026-02-28"),
            ("start of month", "2026-03-01"),
            ("start of month - 12 months", "2025-03-01"),
            ("end of month", "2026-04-01"),
            ("start of week", "2026-03-30"),
            ("end of week", "2026-04-06"),
            ("start of quarter", "2026-01-01"),
            ("end of year", "2027-01-01"),
            ("start of year + 1 quarter - 1 day", "2026-03-31"),
            ("2024-02-29 + 1 year", "2025-02-28"),
            ("2024-02-29", "2024-02-29"),
            ("2024-02", "2024-02-01"),
            ("2024", "2024-01-01"),
            ("2024-02 + 2 weeks", "2024-02-15"),
        ] {
            assert_eq!(resolve(text, today).unwrap(), d(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused_with_what_works() {
        for text in [
            "",
            "now",
            "2026-2-1",
            "2026-02-30",
            "20260201",
            "start of day",
            "today - days",
            "today 3 days",
            "today - 3 dais",
            "2026-01-01T00:00",
            "today - 4294967295 years",
            "-1",
            "start of",
        ] {
            let error = resolve(text, d("2026-03-31")).unwrap_err();
            assert_eq!(error.hint_text(), Some(HINT), "{text}");
        }
    }
}
