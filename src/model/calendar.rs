//! Calendars: into which day, week, month, quarter or year a business date falls, and the generated tables
//! `calendar`, `fiscal_calendar` and `holiday_calendar` (domain 3.9). It must not know today's date nor any engine.
//!
//! | grain | `iso`, `gregorian` | `retail_454`, `retail_445` | `gregorian_fy_apr` |
//! |---|---|---|---|
//! | `day`, `month`, `quarter`, `year` | civil | civil | civil |
//! | `week` | Monday to Sunday | Sunday to Saturday | Monday to Sunday |
//! | `fiscal_week` | = `week` | Sunday to Saturday | 7 days counted from 1 April, the 53rd week has 1 or 2 |
//! | `fiscal_period` | = `month` | 4 or 5 weeks | = `month` |
//! | `fiscal_quarter` | = `quarter` | 13 weeks (the last may have 14) | = `quarter` |
//! | `fiscal_year` | = `year` | 52 or 53 weeks | 1 April to 31 March |

mod holidays;
mod retail;
mod tables;

use std::fmt;

use chrono::{Datelike, Days, Months, NaiveDate};

use crate::error::{Error, Result, did_you_mean};

pub use holidays::{HOLIDAY_CALENDAR, holiday_calendar_batch};
pub use tables::{CALENDAR, FISCAL_CALENDAR, calendar_batch, fiscal_calendar_batch};

/// First day of the generated tables.
pub const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
/// Last day of the generated tables.
pub const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2050, 12, 31).unwrap();

/// The width of a time bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grain {
    Day,
    Week,
    Month,
    Quarter,
    Year,
    FiscalWeek,
    FiscalPeriod,
    FiscalQuarter,
    FiscalYear,
}

impl Grain {
    pub const ALL: &'static [Grain] = &[
        Grain::Day,
        Grain::Week,
        Grain::Month,
        Grain::Quarter,
        Grain::Year,
        Grain::FiscalWeek,
        Grain::FiscalPeriod,
        Grain::FiscalQuarter,
        Grain::FiscalYear,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Grain::Day => "day",
            Grain::Week => "week",
            Grain::Month => "month",
            Grain::Quarter => "quarter",
            Grain::Year => "year",
            Grain::FiscalWeek => "fiscal_week",
            Grain::FiscalPeriod => "fiscal_period",
            Grain::FiscalQuarter => "fiscal_quarter",
            Grain::FiscalYear => "fiscal_year",
        }
    }

    /// The grain called `text`; anything else is an error with near names.
    pub fn parse(text: &str) -> Result<Grain> {
        Self::ALL.iter().copied().find(|g| g.as_str() == text).ok_or_else(|| {
            Error::invalid(format!("grain '{text}' is not known"))
                .hint(did_you_mean(text, Self::ALL.iter().map(|g| g.as_str())))
        })
    }
}

impl fmt::Display for Grain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which calendar the weeks and fiscal grains are of. A calendar of the user's own (`custom`) is not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CalendarCode {
    /// Weeks Monday to Sunday; fiscal year = civil year.
    Iso,
    /// As [`CalendarCode::Iso`]: the name for those who never ask for weeks.
    Gregorian,
    /// 52/53 weeks from the day after the Saturday nearest 31 January; periods of 4, 5 and 4 weeks.
    Retail454,
    /// The same years; periods of 4, 4 and 5 weeks.
    Retail445,
    /// Fiscal year from 1 April, named after the civil year in which it begins.
    GregorianFyApr,
}

impl CalendarCode {
    pub const ALL: &'static [CalendarCode] = &[
        CalendarCode::Iso,
        CalendarCode::Gregorian,
        CalendarCode::Retail454,
        CalendarCode::Retail445,
        CalendarCode::GregorianFyApr,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            CalendarCode::Iso => "iso",
            CalendarCode::Gregorian => "gregorian",
            CalendarCode::Retail454 => "retail_454",
            CalendarCode::Retail445 => "retail_445",
            CalendarCode::GregorianFyApr => "gregorian_fy_apr",
        }
    }

    /// The calendar called `text`; anything else is an error with near names.
    pub fn parse(text: &str) -> Result<CalendarCode> {
        Self::ALL.iter().copied().find(|c| c.as_str() == text).ok_or_else(|| {
            let message = match text {
                "custom" => "a calendar of your own ('custom') is not supported".to_string(),
                _ => format!("calendar '{text}' is not known"),
            };
            Error::invalid(message).hint(did_you_mean(text, Self::ALL.iter().map(|c| c.as_str())))
        })
    }

    fn periods(self) -> Option<retail::Periods> {
        match self {
            CalendarCode::Retail454 => Some(retail::Periods::P454),
            CalendarCode::Retail445 => Some(retail::Periods::P445),
            _ => None,
        }
    }
}

impl fmt::Display for CalendarCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The bucket of `date`: its first day and the first day after it. `None` only beyond chrono's own range.
pub fn bucket(date: NaiveDate, grain: Grain, calendar: CalendarCode) -> Option<(NaiveDate, NaiveDate)> {
    match (grain, calendar.periods()) {
        (Grain::Day, _) => days(date, 1),
        (Grain::Month, _) => civil(date, 1, 0),
        (Grain::Quarter, _) => civil(date, 3, 0),
        (Grain::Year, _) => civil(date, 12, 0),
        (Grain::Week | Grain::FiscalWeek, Some(_)) => days(retail::week_start(date)?, 7),
        (Grain::Week, None) => days(monday(date)?, 7),
        (_, Some(periods)) => retail::bucket(date, grain, periods),
        (_, None) if calendar == CalendarCode::GregorianFyApr => april(date, grain),
        (Grain::FiscalWeek, None) => days(monday(date)?, 7),
        (Grain::FiscalPeriod, None) => civil(date, 1, 0),
        (Grain::FiscalQuarter, None) => civil(date, 3, 0),
        (Grain::FiscalYear, None) => civil(date, 12, 0),
    }
}

/// Fiscal grains of the year that begins on 1 April.
fn april(date: NaiveDate, grain: Grain) -> Option<(NaiveDate, NaiveDate)> {
    let (start, end) = civil(date, 12, 3)?;
    match grain {
        Grain::FiscalPeriod => civil(date, 1, 0),
        Grain::FiscalQuarter => civil(date, 3, 0),
        Grain::FiscalWeek => {
            let week = (date - start).num_days() / 7;
            let (from, to) = days(start.checked_add_days(Days::new(week as u64 * 7))?, 7)?;
            Some((from, to.min(end)))
        }
        _ => Some((start, end)),
    }
}

/// The block of `months` civil months that holds `date`, blocks counted from the month `shift` (0 = January).
fn civil(date: NaiveDate, months: u32, shift: u32) -> Option<(NaiveDate, NaiveDate)> {
    let into = (date.month0() + 12 - shift) % months;
    let start = date.with_day(1)?.checked_sub_months(Months::new(into))?;
    Some((start, start.checked_add_months(Months::new(months))?))
}

fn days(start: NaiveDate, count: u64) -> Option<(NaiveDate, NaiveDate)> {
    Some((start, start.checked_add_days(Days::new(count))?))
}

/// The Monday on or before `date`.
fn monday(date: NaiveDate) -> Option<NaiveDate> {
    date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn check(date: &str, grain: Grain, calendar: CalendarCode, from: &str, to: &str) {
        assert_eq!(bucket(d(date), grain, calendar), Some((d(from), d(to))), "{date} {grain} {calendar}");
    }

    #[test]
    fn civil_grains() {
        use CalendarCode::*;
        use Grain::*;
        check("2024-02-29", Day, Iso, "2024-02-29", "2024-03-01");
        check("2024-02-29", Month, Iso, "2024-02-01", "2024-03-01");
        check("2024-12-31", Quarter, Gregorian, "2024-10-01", "2025-01-01");
        check("2024-12-31", Year, Retail454, "2024-01-01", "2025-01-01");
        check("2024-12-30", Week, Iso, "2024-12-30", "2025-01-06");
        check("2021-01-01", Week, Iso, "2020-12-28", "2021-01-04");
        check("2021-01-01", Week, GregorianFyApr, "2020-12-28", "2021-01-04");
    }

    #[test]
    fn retail_grains() {
        use CalendarCode::*;
        use Grain::*;
        check("2024-02-03", FiscalYear, Retail454, "2023-01-29", "2024-02-04");
        check("2024-02-04", FiscalYear, Retail445, "2024-02-04", "2025-02-02");
        check("2024-01-28", FiscalWeek, Retail454, "2024-01-28", "2024-02-04");
        check("2024-01-31", Week, Retail454, "2024-01-28", "2024-02-04");
        check("2024-02-04", FiscalPeriod, Retail454, "2024-02-04", "2024-03-03");
        check("2024-03-03", FiscalPeriod, Retail454, "2024-03-03", "2024-04-07");
        check("2024-03-31", FiscalPeriod, Retail445, "2024-03-31", "2024-05-05");
        check("2024-02-03", FiscalPeriod, Retail454, "2023-12-31", "2024-02-04");
        check("2024-02-03", FiscalQuarter, Retail454, "2023-10-29", "2024-02-04");
    }

    #[test]
    fn fiscal_year_from_april() {
        use CalendarCode::*;
        use Grain::*;
        check("2024-03-31", FiscalYear, GregorianFyApr, "2023-04-01", "2024-04-01");
        check("2024-03-31", FiscalWeek, GregorianFyApr, "2024-03-30", "2024-04-01");
        check("2024-04-01", FiscalQuarter, GregorianFyApr, "2024-04-01", "2024-07-01");
        check("2024-04-09", FiscalWeek, GregorianFyApr, "2024-04-08", "2024-04-15");
    }

    #[test]
    fn every_grain_tiles_time() {
        for calendar in CalendarCode::ALL {
            for grain in Grain::ALL {
                let mut at = d("2015-01-01");
                while at < d("2026-01-01") {
                    let (start, end) = bucket(at, *grain, *calendar).unwrap();
                    assert!(start <= at && at < end, "{at} {grain} {calendar}");
                    let last = end - Days::new(1);
                    assert_eq!(bucket(last, *grain, *calendar), Some((start, end)), "{last} {grain} {calendar}");
                    assert_eq!(bucket(start, *grain, *calendar), Some((start, end)), "{start} {grain} {calendar}");
                    at = end;
                }
            }
        }
    }

    #[test]
    fn names_are_closed() {
        assert_eq!(Grain::parse("fiscal_week").unwrap(), Grain::FiscalWeek);
        assert_eq!(CalendarCode::parse("retail_445").unwrap(), CalendarCode::Retail445);
        assert!(Grain::parse("moth").unwrap_err().hint_text().unwrap().contains("month"));
        assert!(CalendarCode::parse("custom").unwrap_err().message().contains("not supported"));
    }
}
