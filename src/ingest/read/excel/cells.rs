//! Cells as texts: a number as Excel shows it at full width, a date in ISO form. It must not look at a cell's neighbours.

use calamine::{Data, ExcelDateTime};

/// The text of a cell; `None`: it is empty. `timed`: its number format shows a time of day, where that is known.
///
/// # Errors
/// The error that the cell holds, such as #N/A.
pub(super) fn text(value: Data, timed: Option<bool>) -> Result<Option<String>, String> {
    Ok(match value {
        Data::Empty => None,
        // Nobody sees the difference between an empty text and no text in a cell.
        Data::String(text) => (!text.is_empty()).then_some(text),
        Data::Int(n) => Some(n.to_string()),
        Data::Float(n) => Some(number(n)),
        Data::Bool(b) => Some(b.to_string()),
        Data::DateTime(at) if at.is_duration() => Some(duration(at.as_f64())),
        Data::DateTime(at) => Some(moment(at, timed)),
        Data::DateTimeIso(text) | Data::DurationIso(text) => Some(text),
        Data::Error(e) => return Err(e.to_string()),
    })
}

/// In full, without an exponent. Excel keeps 15 digits: what is beyond them is the binary fraction's, not the author's.
fn number(n: f64) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if n.fract() == 0.0 && n.abs() <= EXACT {
        return format!("{}", n as i64);
    }
    let shortest = n.to_string();
    let digits = shortest.trim_start_matches(['-', '0', '.']).chars().filter(char::is_ascii_digit).count();
    if digits <= 15 {
        return shortest;
    }
    format!("{n:.14e}").parse::<f64>().map_or(shortest, |rounded| rounded.to_string())
}

/// `2026-01-31`, `2026-01-31T10:05:00`, or `10:05:00` where there is no day.
fn moment(at: ExcelDateTime, timed: Option<bool>) -> String {
    let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
    let fraction = if milli == 0 { String::new() } else { format!(".{milli:03}") };
    let clock = format!("{hour:02}:{minute:02}:{second:02}{fraction}");
    let serial = at.as_f64();
    if (0.0..1.0).contains(&serial) {
        return clock;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    let midnight = (hour, minute, second, milli) == (0, 0, 0, 0);
    if timed.unwrap_or(false) || !midnight { format!("{date}T{clock}") } else { date }
}

/// Hours may be more than 24.
fn duration(days: f64) -> String {
    let millis = (days * 86_400_000.0).round() as i64;
    let (sign, millis) = if millis < 0 { ("-", -millis) } else { ("", millis) };
    let (seconds, milli) = (millis / 1000, millis % 1000);
    let fraction = if milli == 0 { String::new() } else { format!(".{milli:03}") };
    format!("{sign}{:02}:{:02}:{:02}{fraction}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Whether a number format shows hours. What stands in quotes, brackets or after a backslash is not looked at.
pub(super) fn shows_time(format: &str) -> bool {
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    format.chars().any(|c| {
        match c {
            _ if escaped => escaped = false,
            '"' => quoted = !quoted,
            '\\' if !quoted => escaped = true,
            '[' if !quoted => bracketed = true,
            ']' => bracketed = false,
            'h' | 'H' => return !quoted && !bracketed,
            _ => {}
        }
        false
    })
}

/// A cell's name as people say it, such as B7; both from 0.
pub(super) fn name(row: i64, column: usize) -> String {
    let mut letters = Vec::new();
    let mut n = column + 1;
    while n > 0 {
        letters.push(b'A' + ((n - 1) % 26) as u8);
        n = (n - 1) / 26;
    }
    letters.reverse();
    format!("{}{}", String::from_utf8_lossy(&letters), row + 1)
}

#[cfg(test)]
mod tests {
    use calamine::{CellErrorType, ExcelDateTimeType};

    use super::*;

    #[test]
    fn numbers_as_they_were_typed() {
        for (n, shown) in [
            (3.0, "3"),
            (-0.0, "0"),
            (19.99, "19.99"),
            (1.1 * 3.0, "3.3"),
            (0.1 + 0.2, "0.3"),
            (1e-7, "0.0000001"),
            (6_901_234_567_892.0, "6901234567892"),
            (-1234.5, "-1234.5"),
            (1e21, "1000000000000000000000"),
        ] {
            assert_eq!(number(n), shown);
        }
    }

    #[test]
    fn days_and_times() {
        let at =
            |serial, timed| text(Data::DateTime(ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, false)), timed);
        // 45943 is 2025-10-13, as Excel says.
        assert_eq!(at(45943.0, None), Ok(Some("2025-10-13".into())));
        assert_eq!(at(45943.0, Some(true)), Ok(Some("2025-10-13T00:00:00".into())));
        assert_eq!(at(45943.0, Some(false)), Ok(Some("2025-10-13".into())));
        assert_eq!(at(45943.541, None), Ok(Some("2025-10-13T12:59:02.400".into())));
        assert_eq!(at(0.25, None), Ok(Some("06:00:00".into())));
        let long = ExcelDateTime::new(1.5, ExcelDateTimeType::TimeDelta, false);
        assert_eq!(text(Data::DateTime(long), None), Ok(Some("36:00:00".into())));
        assert!(shows_time("yyyy-mm-dd hh:mm") && !shows_time("yyyy\"h\"mm") && !shows_time("dd.mm.yyyy"));
        assert!(!shows_time("[$-407]d. mmmm yyyy;@"));
    }

    #[test]
    fn the_rest() {
        assert_eq!(text(Data::Bool(true), None), Ok(Some("true".into())));
        assert_eq!(text(Data::String(String::new()), None), Ok(None));
        assert_eq!(text(Data::Error(CellErrorType::NA), None), Err("#N/A".into()));
        assert_eq!(
            (name(6, 1), name(0, 25), name(0, 26), name(0, 702)),
            ("B7".into(), "Z1".into(), "AA1".into(), "AAA1".into())
        );
    }
}
