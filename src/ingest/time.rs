//! Local times, zones and days: from a place's wall clock to instants and back to its business date.
//! It must never ask what time it is.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, Duration, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone, Timelike};
use chrono_tz::Tz;

/// Days from 0001-01-01 to 1970-01-01, as chrono counts.
const EPOCH: i32 = 719_163;
pub(crate) const MICROS_PER_MINUTE: i64 = 60_000_000;
pub(crate) const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The instant of a wall-clock time, in µs, and whether the clocks made it doubtful (V10): a time that occurs twice is
/// the earlier one, a time that was skipped is shifted forward by the gap (domain 3.1, D12).
pub(crate) fn to_utc(local_micros: i64, zone: Tz) -> Option<(i64, bool)> {
    let local = DateTime::from_timestamp_micros(local_micros)?.naive_utc();
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => Some((at.timestamp_micros(), false)),
        LocalResult::Ambiguous(a, b) => Some((a.min(b).timestamp_micros(), true)),
        LocalResult::None => (1..=48).find_map(|hours| {
            // The offset that held before the gap.
            let before = zone.from_local_datetime(&(local - Duration::hours(hours))).latest()?;
            let offset = before.offset().fix().local_minus_utc();
            Some((local_micros - i64::from(offset) * 1_000_000, true))
        }),
    }
}

/// The wall-clock time of an instant, both in µs.
pub(crate) fn to_local(utc_micros: i64, zone: Tz) -> Option<i64> {
    let utc = DateTime::from_timestamp_micros(utc_micros)?.naive_utc();
    Some(utc_micros + i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * 1_000_000)
}

/// Where an instant falls on a place's own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalDay {
    /// Days since 1970 of the business date: the local date, minus the day cut-off.
    pub(crate) business_date: i32,
    /// Minute of the local day, 0..1439, the cut-off not subtracted.
    pub(crate) minute: i32,
}

pub(crate) fn local_day(utc_micros: i64, zone: Tz, cutoff_minutes: i32) -> Option<LocalDay> {
    let local = to_local(utc_micros, zone)?;
    let day = (local - i64::from(cutoff_minutes) * MICROS_PER_MINUTE).div_euclid(MICROS_PER_DAY);
    let minute = local.rem_euclid(MICROS_PER_DAY) / MICROS_PER_MINUTE;
    Some(LocalDay { business_date: i32::try_from(day).ok()?, minute: i32::try_from(minute).ok()? })
}

/// Days since 1970.
pub(crate) fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - EPOCH
}

pub(crate) fn date(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(days.checked_add(EPOCH)?)
}

/// The month of a day as partitions are named: 'YYYY-MM'.
pub(crate) fn month(days: i32) -> Option<String> {
    date(days).map(|d| format!("{:04}-{:02}", d.year(), d.month()))
}

/// `YYYY-MM-DD`, if need be with a midnight after it.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let text = text.trim();
    let (day, rest) = text.split_at_checked(10)?;
    let midnight = rest.is_empty() || parse_clock(rest.strip_prefix(['T', ' '])?)? == 0;
    midnight.then(|| parse_day(day)).flatten()
}

fn parse_day(text: &str) -> Option<i32> {
    let b = text.as_bytes();
    if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    let year = number(&b[0..4])?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, number(&b[5..7])?, number(&b[8..10])?).map(days)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
}

/// `HH:MM`, `HH:MM:SS` or with up to nine decimals, as µs of the day.
fn parse_clock(text: &str) -> Option<i64> {
    let b = text.as_bytes();
    if !matches!(b.len(), 5 | 8 | 10..=18)
        || b[2] != b':'
        || (b.len() > 5 && b[5] != b':')
        || (b.len() > 8 && b[8] != b'.')
    {
        return None;
    }
    let (hour, minute) = (number(&b[0..2])?, number(&b[3..5])?);
    let second = if b.len() > 5 { number(&b[6..8])? } else { 0 };
    let mut micros = 0;
    for (i, digit) in b.iter().skip(9).enumerate() {
        let value = i64::from(number(&[*digit])?);
        micros += if i < 6 { value * 10_i64.pow(5 - i as u32) } else { 0 };
    }
    (hour < 24 && minute < 60 && second < 60)
        .then(|| (i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)) * 1_000_000 + micros)
}

/// A wall-clock time in ISO form without a zone (`2026-03-01T08:30:00`, a blank for the T, a bare date), in µs.
pub(crate) fn parse_local(text: &str) -> Option<i64> {
    let text = text.trim();
    let (day, rest) = text.split_at_checked(10)?;
    let clock = if rest.is_empty() { 0 } else { parse_clock(rest.strip_prefix(['T', ' '])?)? };
    Some(i64::from(parse_day(day)?) * MICROS_PER_DAY + clock)
}

/// An RFC 3339 text with its zone, in µs since 1970.
pub(crate) fn parse_instant(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|at| at.timestamp_micros())
}

/// µs since 1970 as if `at` were UTC.
pub(crate) fn naive_micros(at: NaiveDateTime) -> i64 {
    at.and_utc().timestamp_micros()
}

/// An instant as people read it, for messages.
pub(crate) fn show(utc_micros: i64) -> String {
    DateTime::from_timestamp_micros(utc_micros).map_or_else(
        || utc_micros.to_string(),
        |at| {
            at.to_rfc3339_opts(
                if at.nanosecond() == 0 { chrono::SecondsFormat::Secs } else { chrono::SecondsFormat::Micros },
                true,
            )
        },
    )
}

/// Zones by name, each looked up once.
#[derive(Debug, Default)]
pub(crate) struct Zones {
    known: HashMap<String, Option<Tz>>,
}

impl Zones {
    pub(crate) fn get(&mut self, name: &str) -> Option<Tz> {
        if let Some(zone) = self.known.get(name) {
            return *zone;
        }
        let zone = name.parse().ok();
        self.known.insert(name.to_string(), zone);
        zone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> i64 {
        parse_local(text).expect("a local time")
    }
    fn utc(text: &str) -> i64 {
        parse_instant(text).expect("an instant")
    }
    fn day(at: &str, zone: Tz, cutoff: i32) -> (String, i32) {
        let d = local_day(utc(at), zone, cutoff).expect("a day");
        (date(d.business_date).expect("a date").to_string(), d.minute)
    }

    #[test]
    fn d12_clocks_that_jump() {
        let berlin = chrono_tz::Europe::Berlin;
        let cases = [
            ("2024-03-31T01:30", "2024-03-31T00:30:00Z", false),
            ("2024-03-31T03:30", "2024-03-31T01:30:00Z", false),
            ("2024-03-31 02:30", "2024-03-31T01:30:00Z", true),
            ("2024-10-27T02:30", "2024-10-27T02:30:00+02:00", true),
            ("2024-10-27T03:00", "2024-10-27T02:00:00Z", false),
        ];
        for (given, instant, doubtful) in cases {
            assert_eq!(to_utc(local(given), berlin), Some((utc(instant), doubtful)), "{given}");
        }
        assert_eq!(
            to_utc(local("2024-05-01 23:30"), chrono_tz::Asia::Shanghai),
            Some((utc("2024-05-01T15:30:00Z"), false))
        );
        // A whole day that a place skipped.
        let (at, doubtful) = to_utc(local("2011-12-30T12:00"), chrono_tz::Pacific::Apia).expect("shifted");
        assert!(doubtful);
        assert_eq!(day(&show(at), chrono_tz::Pacific::Apia, 0), ("2011-12-31".into(), 720));
    }

    #[test]
    fn d12_business_date_is_local_and_minus_the_cutoff() {
        assert_eq!(day("2024-05-01T15:30:00Z", chrono_tz::Asia::Shanghai, 0), ("2024-05-01".into(), 1410));
        assert_eq!(day("2024-05-01T16:00:00Z", chrono_tz::Asia::Shanghai, 0), ("2024-05-02".into(), 0));
        assert_eq!(day("2024-05-02T01:59:59Z", chrono_tz::Europe::Berlin, 240), ("2024-05-01".into(), 239));
        assert_eq!(day("2024-05-02T02:00:00Z", chrono_tz::Europe::Berlin, 240), ("2024-05-02".into(), 240));
    }

    #[test]
    fn texts_become_times_or_nothing() {
        assert_eq!(parse_date("1970-01-02"), Some(1));
        assert_eq!(parse_date(" 2024-02-29 00:00:00 "), Some(19782));
        for bad in ["2024-02-30", "2024-2-3", "24-02-03", "2024-02-29 10:00", "2024/02/03", "", "2024-02-03x"] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
        assert_eq!(parse_local("1970-01-01T00:00:01.5"), Some(1_500_000));
        assert_eq!(parse_local("1970-01-01 00:00:00.123456789"), Some(123_456));
        for bad in
            ["2024-02-03T24:00", "2024-02-03T10:00Z", "2024-02-03T10:00+01:00", "2024-02-03 1:00", "2024-02-03T10:00:0"]
        {
            assert_eq!(parse_local(bad), None, "{bad}");
        }
        assert_eq!(parse_instant("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse_instant("1970-01-01T01:00:00"), None);
        assert_eq!(month(0).as_deref(), Some("1970-01"));
        assert_eq!(show(1_500_000), "1970-01-01T00:00:01.500000Z");
    }
}
