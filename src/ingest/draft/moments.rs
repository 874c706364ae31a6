//! How a column writes points in time. Where day and month could be either, it says so. It must not know the columns' names.

use std::collections::BTreeMap;

use chrono::format::{Parsed, StrftimeItems, parse};
use chrono::{DateTime, Datelike, NaiveDate};

/// How a column writes points in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Moment {
    /// RFC 3339 with a zone.
    Instant,
    /// Wall-clock times, or dates, in this strftime format.
    Local { format: String, doubt: Option<Doubt> },
}

/// Another format reads as many of the values, and gives other days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubt {
    pub format: String,
    /// A value, as the chosen format reads it and as the other one does.
    pub example: (String, NaiveDate, NaiveDate),
}

/// The day before the month; where the signs leave it open, [`month_first`] gives the other order.
const DATES: &[&str] = &[
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%Y%m%d",
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%d-%m-%y",
    "%Y年%m月%d日",
];
const CLOCKS: &[&str] = &["%H:%M:%S%.f", "%H:%M", "%I:%M %p", "%I:%M:%S %p", "%H时%M分", "%H时%M分%S秒"];
const BETWEEN: &[&str] = &[" ", "T", ", "];
/// Values by which formats are sorted out before all values are read.
const GLANCE: usize = 100;

/// What reads most of the values: at least four of five, or all but one of three or four. `american`: months come first
/// where both would do.
pub(super) fn moment(values: &[&str], american: bool) -> Option<Moment> {
    let counted = count(values, american);
    let all = values.len();
    let enough = |count: usize| count * 5 >= all * 4 || (all > 2 && count + 1 == all);
    let (count, likeliest) = counted.first().filter(|(count, _)| enough(*count))?;
    let Way::Local(format) = likeliest else { return Some(Moment::Instant) };
    let doubt = counted[1..].iter().take_while(|(n, _)| n == count).find_map(|(_, other)| {
        let Way::Local(other) = other else { return None };
        let example = values.iter().find_map(|v| {
            let (chosen, rival) = (day(v, format)?, day(v, other)?);
            (chosen != rival).then(|| (v.to_string(), chosen, rival))
        });
        Some(Doubt { format: other.clone(), example: example? })
    });
    Some(Moment::Local { format: format.clone(), doubt })
}

/// Values that are not read by what reads most of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misread<'v> {
    /// The first of them.
    pub value: &'v str,
    pub count: usize,
    /// How the others are read.
    pub format: String,
}

/// `None`: all are read alike, or none is read at all.
pub(super) fn misread<'v>(values: &[&'v str], american: bool) -> Option<Misread<'v>> {
    let counted = count(values, american);
    let (read, way) = counted.first().filter(|(read, _)| *read > 0)?;
    let value = values.iter().copied().find(|v| !way.reads(v))?;
    let format = match way {
        Way::Instant => "a time with its zone".to_string(),
        Way::Local(format) => format.clone(),
    };
    Some(Misread { value, count: values.len() - read, format })
}

/// A way to read points in time.
enum Way {
    Instant,
    Local(String),
}

impl Way {
    fn reads(&self, value: &str) -> bool {
        match self {
            Way::Instant => DateTime::parse_from_rfc3339(value).is_ok(),
            Way::Local(format) => day(value, format).is_some(),
        }
    }
}

/// How many of the values each way reads, the best first; of equals, the one that is tried first.
fn count(values: &[&str], american: bool) -> Vec<(usize, Way)> {
    // A day's sales have one date: each is read once, and counts as often as it is there.
    let mut distinct: BTreeMap<&str, usize> = BTreeMap::new();
    values.iter().for_each(|v| *distinct.entry(v).or_default() += 1);
    let ways = std::iter::once(Way::Instant).chain(formats(american).map(Way::Local));
    let likely = ways.filter(|way| distinct.keys().take(GLANCE).any(|v| way.reads(v)));
    let read = |way: &Way| distinct.iter().filter(|(v, _)| way.reads(v)).map(|(_, n)| n).sum::<usize>();
    let mut counted: Vec<(usize, Way)> = likely.map(|way| (read(&way), way)).collect();
    // Stable: the first of the best.
    counted.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    counted
}

/// The format of times of day.
pub(super) fn clock(values: &[&str]) -> Option<&'static str> {
    let on_a_day: Vec<String> = values.iter().map(|v| format!("2000-01-01 {v}")).collect();
    CLOCKS.iter().copied().find(|c| most(&on_a_day, |v| day(v, &format!("%Y-%m-%d {c}")).is_some()))
}

/// The format has a time of day.
pub(super) fn has_clock(format: &str) -> bool {
    format.contains("%H") || format.contains("%I")
}

fn formats(american: bool) -> impl Iterator<Item = String> {
    let dates = DATES.iter().flat_map(move |date| {
        let mut both: Vec<String> = [Some(date.to_string()), month_first(date)].into_iter().flatten().collect();
        if american {
            both.reverse();
        }
        both
    });
    dates.flat_map(|date| {
        let with = BETWEEN.iter().flat_map(|b| CLOCKS.iter().map(move |c| format!("{b}{c}")));
        let with: Vec<String> = with.map(|clock| format!("{date}{clock}")).collect();
        std::iter::once(date).chain(with)
    })
}

/// The format with the month before the day, where people write it so.
fn month_first(date: &str) -> Option<String> {
    let rest = date.strip_prefix("%d/%m").or_else(|| date.strip_prefix("%d-%m"))?;
    Some(if rest.starts_with('/') { format!("%m/%d{rest}") } else { format!("%m-%d{rest}") })
}

fn most<T: AsRef<str>>(values: &[T], fits: impl Fn(&str) -> bool) -> bool {
    // A few bad values do not change what a column is: they are what the quarantine is for.
    !values.is_empty() && values.iter().filter(|v| fits(v.as_ref())).count() * 5 >= values.len() * 4
}

/// The day of a value, if `format` reads all of it.
fn day(text: &str, format: &str) -> Option<NaiveDate> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, StrftimeItems::new(format)).ok()?;
    if has_clock(format) {
        parsed.to_naive_time().ok()?;
    }
    // "%Y" reads year 12 too: a year of a sale has four digits.
    parsed.to_naive_date().ok().filter(|d| (1970..=2100).contains(&d.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(values: &[&str]) -> Option<(String, bool)> {
        match moment(values, false)? {
            Moment::Instant => Some(("instant".into(), false)),
            Moment::Local { format, doubt } => Some((format, doubt.is_some())),
        }
    }

    #[test]
    fn formats_of_dates_and_times() {
        for (values, expected, doubt) in [
            (&["2026-01-31", "2026-02-01"][..], "%Y-%m-%d", false),
            (&["31/01/2026 10:05"], "%d/%m/%Y %H:%M", false),
            (&["01/31/2026"], "%m/%d/%Y", false),
            (&["01/02/2026"], "%d/%m/%Y", true),
            (&["02/02/2026"], "%d/%m/%Y", false),
            (&["31.01.2026, 10:05:09"], "%d.%m.%Y, %H:%M:%S%.f", false),
            (&["31.01.26"], "%d.%m.%y", false),
            (&["20260131"], "%Y%m%d", false),
            (&["31 Jan 2026"], "%d %b %Y", false),
            (&["2026年1月31日"], "%Y年%m月%d日", false),
            (&["1/31/2026 3:05 PM"], "%m/%d/%Y %I:%M %p", false),
            (&["2026-01-31T10:00:00"], "%Y-%m-%dT%H:%M:%S%.f", false),
            (&["2026-01-31T10:00:00Z"], "instant", false),
            // The thirteenth decides, although twelve of thirteen would do for the other order.
            (&["01/01/26", "01/02/26", "01/03/26", "01/04/26", "01/05/26", "01/13/26"], "%m/%d/%y", false),
        ] {
            assert_eq!(format(values), Some((expected.to_string(), doubt)), "{values:?}");
        }
        assert_eq!(format(&["2026-01-31", "soon"]), None);
        assert_eq!(format(&["2026-01-31", "soon", "2026-02-01"]), Some(("%Y-%m-%d".into(), false)), "one bad value");
        assert_eq!(format(&["2026-01-31", "soon", "2026-02-01", "later"]), None);
        // One bad value among sales of one day is one of five, not one of two.
        assert_eq!(
            format(&["2026-01-31", "2026-01-31", "soon", "2026-01-31", "2026-01-31"]),
            Some(("%Y-%m-%d".into(), false))
        );
        assert_eq!(format(&["12.50"]), None);
        assert_eq!(format(&[]), None);
    }

    #[test]
    fn the_value_that_is_not_like_the_others_is_found() {
        let found = |values: &[&str]| misread(values, false).map(|m| format!("{} {} {}", m.value, m.count, m.format));
        assert_eq!(found(&["31.01.2026", "32.01.2026", "01.02.2026"]).as_deref(), Some("32.01.2026 1 %d.%m.%Y"));
        assert_eq!(found(&["soon", "2026-01-31", "", "2026-02-01"]).as_deref(), Some("soon 2 %Y-%m-%d"));
        let zoned = ["2026-01-31T10:00:00Z", "2026-01-31 10:00", "2026-01-31T10:00:00Z"];
        assert_eq!(found(&zoned).as_deref(), Some("2026-01-31 10:00 1 a time with its zone"));
        assert_eq!((found(&["2026-01-31"]), found(&["soon", "later"]), found(&[])), (None, None, None));
    }

    #[test]
    fn doubt_shows_both_readings() {
        let date = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).expect("a date");
        let read = |american| moment(&["03/04/2025"], american);
        let local = |format: &str, other: &str, chosen, rival| {
            let example = ("03/04/2025".to_string(), chosen, rival);
            Some(Moment::Local { format: format.into(), doubt: Some(Doubt { format: other.into(), example }) })
        };
        assert_eq!(read(false), local("%d/%m/%Y", "%m/%d/%Y", date(2025, 4, 3), date(2025, 3, 4)));
        assert_eq!(read(true), local("%m/%d/%Y", "%d/%m/%Y", date(2025, 3, 4), date(2025, 4, 3)));
    }

    #[test]
    fn times_of_day() {
        assert_eq!(clock(&["10:05", "9:30"]), Some("%H:%M"));
        assert_eq!(clock(&["10:05:01"]), Some("%H:%M:%S%.f"));
        assert_eq!(clock(&["3:05 PM"]), Some("%I:%M %p"));
        assert_eq!(clock(&["2026-01-31"]), None);
        assert_eq!(clock(&[]), None);
    }
}
