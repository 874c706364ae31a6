//! Days and times of the sample: civil dates, the two zones of the shops, and how the layouts write them. No clock.

/// Days since 1970-01-01.
pub type Day = i64;
/// Seconds since 1970-01-01T00:00:00, in UTC or as a wall clock shows them, as its user says.
pub type Seconds = i64;

pub const DAY: Seconds = 86_400;
/// The first business date: 2024-07-01.
pub const FIRST: Day = 19_905;
/// The last business date: 2026-06-30.
pub const LAST: Day = 20_634;
pub const DAYS: usize = (LAST - FIRST + 1) as usize;

/// Year, month, day of month.
pub fn civil(day: Day) -> (i64, i64, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z - era * 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// The day of a civil date.
pub fn day(year: i64, month: i64, day: i64) -> Day {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y - era * 400;
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// 0 = Monday … 6 = Sunday.
pub fn weekday(day: Day) -> usize {
    (day + 3).rem_euclid(7) as usize
}

/// "2025-03".
pub fn month_name(day: Day) -> String {
    let (y, m, _) = civil(day);
    format!("{y}-{m:02}")
}

/// "2025-Q1".
pub fn quarter_name(day: Day) -> String {
    let (y, m, _) = civil(day);
    format!("{y}-Q{}", (m + 2) / 3)
}

/// The zones in which instants are written. (The Chinese marketplace writes its wall clock only.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    London,
    Berlin,
}

impl Zone {
    pub fn name(self) -> &'static str {
        match self {
            Zone::London => "Europe/London",
            Zone::Berlin => "Europe/Berlin",
        }
    }

    /// Seconds that the wall clock is ahead of UTC.
    pub fn offset(self, utc: Seconds) -> Seconds {
        let summer = if european_summer(utc) { 3600 } else { 0 };
        match self {
            Zone::London => summer,
            Zone::Berlin => 3600 + summer,
        }
    }

    /// The instant of a wall clock's time. Ambiguous and missing times are not asked for: see [`settled`].
    pub fn utc(self, local: Seconds) -> Seconds {
        let winter = match self {
            Zone::London => 0,
            Zone::Berlin => 3600,
        };
        local - self.offset(local - winter)
    }
}

/// Summer time holds from the last Sunday of March to the last Sunday of October, 01:00 UTC.
fn european_summer(utc: Seconds) -> bool {
    let (year, month, _) = civil(utc.div_euclid(DAY));
    match month {
        4..=9 => true,
        3 => utc >= last_sunday(year, 3) * DAY + 3600,
        10 => utc < last_sunday(year, 10) * DAY + 3600,
        _ => false,
    }
}

/// The last Sunday of March or October: when clocks change.
pub fn last_sunday(year: i64, month: i64) -> Day {
    let end = day(year, month, 31);
    end - (weekday(end) as i64 + 1) % 7
}

/// `second` of `day`, moved out of the hours in which a clock changes, so that only chosen rows are ambiguous.
pub fn settled(day: Day, second: Seconds) -> Seconds {
    let (year, month, of_month) = civil(day);
    let changes = of_month >= 25 && (month == 3 || month == 10) && day == last_sunday(year, month);
    if changes && second < 4 * 3600 { second + 4 * 3600 } else { second }
}

fn two(out: &mut Vec<u8>, n: i64) {
    out.extend_from_slice(&[b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8]);
}

/// "2025-03-09".
pub fn push_date(out: &mut Vec<u8>, day: Day) {
    let (y, m, d) = civil(day);
    two(out, y / 100);
    two(out, y % 100);
    out.push(b'-');
    two(out, m);
    out.push(b'-');
    two(out, d);
}

/// "14:05:22".
fn push_clock(out: &mut Vec<u8>, second: Seconds) {
    two(out, second / 3600);
    out.push(b':');
    two(out, second / 60 % 60);
    out.push(b':');
    two(out, second % 60);
}

/// "2025-03-09 14:05:22", a wall clock's time.
pub fn push_local(out: &mut Vec<u8>, local: Seconds) {
    push_date(out, local.div_euclid(DAY));
    out.push(b' ');
    push_clock(out, local.rem_euclid(DAY));
}

/// "09.03.2025 14:05:22", a wall clock's time.
pub fn push_german(out: &mut Vec<u8>, local: Seconds) {
    let (y, m, d) = civil(local.div_euclid(DAY));
    two(out, d);
    out.push(b'.');
    two(out, m);
    out.push(b'.');
    two(out, y / 100);
    two(out, y % 100);
    out.push(b' ');
    push_clock(out, local.rem_euclid(DAY));
}

/// "2025-07-09T14:05:22+01:00", an instant as `zone` writes it.
pub fn push_rfc3339(out: &mut Vec<u8>, utc: Seconds, zone: Zone) {
    let offset = zone.offset(utc);
    let local = utc + offset;
    push_date(out, local.div_euclid(DAY));
    out.push(b'T');
    push_clock(out, local.rem_euclid(DAY));
    if offset == 0 {
        out.push(b'Z');
    } else {
        out.push(b'+');
        two(out, offset / 3600);
        out.extend_from_slice(b":00");
    }
}

/// "2025-07-09T13:05:22Z", an instant in UTC.
pub fn push_utc(out: &mut Vec<u8>, utc: Seconds) {
    push_date(out, utc.div_euclid(DAY));
    out.push(b'T');
    push_clock(out, utc.rem_euclid(DAY));
    out.push(b'Z');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_two_years() {
        assert_eq!((civil(FIRST), civil(LAST)), ((2024, 7, 1), (2026, 6, 30)));
        assert_eq!((day(2024, 7, 1), day(2026, 6, 30), DAYS), (FIRST, LAST, 730));
        assert_eq!((weekday(FIRST), weekday(LAST)), (0, 1));
    }

    #[test]
    fn zones_change_when_europe_does() {
        assert_eq!(civil(last_sunday(2025, 3)), (2025, 3, 30));
        assert_eq!(civil(last_sunday(2025, 10)), (2025, 10, 26));
        let noon = |y, m, d| day(y, m, d) * DAY + 12 * 3600;
        assert_eq!(Zone::London.utc(noon(2025, 7, 1)), noon(2025, 7, 1) - 3600);
        assert_eq!(Zone::Berlin.utc(noon(2025, 1, 1)), noon(2025, 1, 1) - 3600);
        let mut text = Vec::new();
        push_rfc3339(&mut text, Zone::Berlin.utc(noon(2025, 7, 1)), Zone::Berlin);
        assert_eq!(text, b"2025-07-01T12:00:00+02:00");
        text.clear();
        push_utc(&mut text, Zone::Berlin.utc(noon(2025, 7, 1)));
        assert_eq!(text, b"2025-07-01T10:00:00Z");
    }
}
