//! The earlier period of a comparison, and how its buckets of time map forward (domain 4.1). Dates only: it must not see plans.
//!
//! The earlier window of `[from, to)`:
//!
//! | mode | window |
//! |---|---|
//! | previous period, grain month and coarser, whole buckets | as many buckets before `from` |
//! | previous period, whole civil months (not by week) | as many months before `from` |
//! | previous period, else | as many days before `from` |
//! | previous year, weeks and retail periods | the buckets of the same number in the year before |
//! | previous year, else | both ends a year before |
//! | previous year, aligned | both ends 364 days before |
//!
//! Its buckets map forward by the calendar where there is one answer, and else by counting (k-th to k-th):
//!
//! | mode | day | week | month, quarter, year | retail periods, quarters, years |
//! |---|---|---|---|---|
//! | previous period | k-th | k-th | k-th | k-th |
//! | previous year | + 1 year; 29 February has no next | same number | + 1 year | same number |
//! | previous year, aligned | + 364 days | + 364 days | k-th | k-th |
//!
//! Weeks are numbered within the ISO year, or within the calendar's own year; a 53rd one has no counterpart in a year of 52.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use crate::engine::options::CompareMode;
use crate::error::{Error, Result};
use crate::model::calendar::{CalendarCode, Grain, bucket};

/// More buckets than any report may have (domain 4.1: at most 5 000).
const MOST_BUCKETS: usize = 20_000;

/// How long a bucket is, and by which calendar.
pub type Buckets = (Grain, CalendarCode);

/// Days from `from`, included, to `to`, excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// One bucket of the earlier period and the bucket of the asked period beside which it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub earlier: NaiveDate,
    pub now: NaiveDate,
    pub now_end: NaiveDate,
}

/// The earlier window.
///
/// # Errors
/// `Invalid`: `from` not before `to`; a window beyond the range of dates.
pub fn earlier(window: Window, mode: CompareMode, buckets: Option<Buckets>) -> Result<Window> {
    if window.from >= window.to {
        let message = format!("the period from {} to {} has no days", window.from, window.to);
        return Err(Error::invalid(message).hint("`to` is excluded: it must be after `from`"));
    }
    let shifted = match mode {
        CompareMode::PreviousPeriod => previous(window, buckets),
        CompareMode::PreviousYear => match buckets.filter(|b| !by_months(*b)) {
            Some(buckets) => numbers_before(window, buckets),
            None => year_before(window),
        },
        CompareMode::PreviousYearAligned => back(window, 364),
    };
    shifted.ok_or_else(|| Error::invalid(format!("there is no period before {}", window.from)))
}

/// Whether a bucket and the earlier one cover the same days of their buckets when the window cuts both.
pub fn day_aligned(mode: CompareMode, buckets: Option<Buckets>) -> bool {
    match mode {
        CompareMode::PreviousPeriod => false,
        CompareMode::PreviousYear => buckets.is_none_or(by_months),
        CompareMode::PreviousYearAligned => buckets.is_none_or(by_seven_days),
    }
}

/// The steps that bring every bucket of `earlier` beside one of `now`; an earlier bucket without a counterpart has none.
///
/// # Errors
/// `Invalid`: too many buckets.
pub fn steps(now: Window, earlier: Window, mode: CompareMode, buckets: Buckets) -> Result<Vec<Step>> {
    let before = starts(earlier, buckets)?;
    let step = |earlier: NaiveDate, now: NaiveDate| {
        let (start, end) = bucket(now, buckets.0, buckets.1)?;
        (start == now).then_some(Step { earlier, now, now_end: end })
    };
    let steps = match mode {
        CompareMode::PreviousYear if by_months(buckets) => {
            before.iter().filter_map(|e| step(*e, year_after(*e)?)).collect()
        }
        CompareMode::PreviousYear => {
            let beside = |n: &NaiveDate| step(same_number_before(*n, buckets)?.0, *n);
            starts(now, buckets)?.iter().filter_map(beside).collect()
        }
        CompareMode::PreviousYearAligned if by_seven_days(buckets) => {
            before.iter().filter_map(|e| step(*e, e.checked_add_days(Days::new(364))?)).collect()
        }
        _ => before.iter().zip(starts(now, buckets)?).filter_map(|(e, n)| step(*e, n)).collect(),
    };
    Ok(steps)
}

fn starts(window: Window, (grain, calendar): Buckets) -> Result<Vec<NaiveDate>> {
    let (mut at, mut found) = (window.from, Vec::new());
    while at < window.to {
        let Some((start, end)) = bucket(at, grain, calendar) else { break };
        found.push(start);
        at = end;
        if found.len() > MOST_BUCKETS {
            let message =
                format!("more than {MOST_BUCKETS} buckets of a {grain} from {} to {}", window.from, window.to);
            return Err(Error::invalid(message).hint("take a coarser grain or a shorter period"));
        }
    }
    Ok(found)
}

/// A year later, unless that is not a year after this day (29 February).
fn year_after(day: NaiveDate) -> Option<NaiveDate> {
    let after = day.checked_add_months(Months::new(12))?;
    (after.checked_sub_months(Months::new(12))? == day).then_some(after)
}

fn retail(calendar: CalendarCode) -> bool {
    matches!(calendar, CalendarCode::Retail454 | CalendarCode::Retail445)
}

/// Buckets that lie on the same dates every year.
fn by_months((grain, calendar): Buckets) -> bool {
    match grain {
        Grain::Day | Grain::Month | Grain::Quarter | Grain::Year => true,
        Grain::FiscalPeriod | Grain::FiscalQuarter | Grain::FiscalYear => !retail(calendar),
        Grain::Week | Grain::FiscalWeek => false,
    }
}

/// Buckets that lie on the same dates 364 days later.
fn by_seven_days((grain, calendar): Buckets) -> bool {
    match grain {
        Grain::Day | Grain::Week => true,
        Grain::FiscalWeek => calendar != CalendarCode::GregorianFyApr,
        _ => false,
    }
}

fn previous(window: Window, buckets: Option<Buckets>) -> Option<Window> {
    let by_week = matches!(buckets, Some((Grain::Week | Grain::FiscalWeek, _)));
    if let Some(buckets) = buckets.filter(|(grain, _)| !by_week && *grain != Grain::Day)
        && let Some(from) = whole_buckets_back(window, buckets)
    {
        return Some(Window { from, to: window.from });
    }
    if !by_week && window.from.day() == 1 && window.to.day() == 1 {
        let months = |d: NaiveDate| d.year() * 12 + d.month0() as i32;
        let back = u32::try_from(months(window.to) - months(window.from)).ok()?;
        return Some(Window { from: window.from.checked_sub_months(Months::new(back))?, to: window.from });
    }
    let days = u64::try_from((window.to - window.from).num_days()).ok()?;
    back(window, days)
}

/// Where as many buckets before `from` begin as the window has, if it has whole ones.
fn whole_buckets_back(window: Window, (grain, calendar): Buckets) -> Option<NaiveDate> {
    let (mut end, mut count) = (window.from, 0);
    while end < window.to {
        let (start, next) = bucket(end, grain, calendar)?;
        if start != end {
            return None;
        }
        (end, count) = (next, count + 1);
    }
    let mut from = (end == window.to).then_some(window.from)?;
    for _ in 0..count {
        from = bucket(from.pred_opt()?, grain, calendar)?.0;
    }
    Some(from)
}

fn back(window: Window, days: u64) -> Option<Window> {
    let shift = |d: NaiveDate| d.checked_sub_days(Days::new(days));
    Some(Window { from: shift(window.from)?, to: shift(window.to)? })
}

/// 29 February becomes 28 February as a first day; as the excluded end, 1 March, so that the 28th is still in.
fn year_before(window: Window) -> Option<Window> {
    let year = |d: NaiveDate| d.checked_sub_months(Months::new(12));
    let leap = window.to.month() == 2 && window.to.day() == 29;
    let to = if leap { year(window.to.succ_opt()?)? } else { year(window.to)? };
    Some(Window { from: year(window.from)?, to })
}

/// The year within which the bucket of `day` has its number: first day, first day after it.
fn numbered_in(day: NaiveDate, (grain, calendar): Buckets) -> Option<(NaiveDate, NaiveDate)> {
    let by_iso_year = match grain {
        Grain::Week => !retail(calendar),
        Grain::FiscalWeek => !retail(calendar) && calendar != CalendarCode::GregorianFyApr,
        _ => false,
    };
    if !by_iso_year {
        return bucket(day, Grain::FiscalYear, calendar);
    }
    let first = |year| NaiveDate::from_isoywd_opt(year, 1, Weekday::Mon);
    let year = day.iso_week().year();
    Some((first(year)?, first(year + 1)?))
}

/// The bucket of the same number in the year before; `None`: that year has no such number.
fn same_number_before(day: NaiveDate, buckets: Buckets) -> Option<(NaiveDate, NaiveDate)> {
    let (mut at, _) = numbered_in(day, buckets)?;
    let (mut before, end) = numbered_in(at.pred_opt()?, buckets)?;
    let start = bucket(day, buckets.0, buckets.1)?.0;
    while at < start {
        at = bucket(at, buckets.0, buckets.1)?.1;
        before = bucket(before, buckets.0, buckets.1)?.1;
    }
    if before < end { bucket(before, buckets.0, buckets.1) } else { None }
}

/// From the counterpart of the first bucket to that of the last, cut at the same days of them. Where there is no
/// counterpart (a 53rd week), the end of the year before.
fn numbers_before(window: Window, buckets: Buckets) -> Option<Window> {
    let edge = |bucket_of: NaiveDate, edge: NaiveDate| {
        let (start, end) = bucket(bucket_of, buckets.0, buckets.1)?;
        match same_number_before(bucket_of, buckets) {
            Some((_, before_end)) if edge == end => Some(before_end),
            Some((before, before_end)) => Some((before + (edge - start)).min(before_end)),
            None => Some(numbered_in(bucket_of, buckets)?.0),
        }
    };
    Some(Window { from: edge(window.from, window.from)?, to: edge(window.to.pred_opt()?, window.to)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use CompareMode::*;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }
    fn w(from: &str, to: &str) -> Window {
        Window { from: d(from), to: d(to) }
    }
    const DAYS: Buckets = (Grain::Day, CalendarCode::Iso);
    const WEEKS: Buckets = (Grain::Week, CalendarCode::Iso);
    const MONTHS: Buckets = (Grain::Month, CalendarCode::Iso);

    #[test]
    fn the_period_before() {
        let before = |window, buckets| earlier(window, PreviousPeriod, buckets).unwrap();
        let march = w("2026-03-01", "2026-04-01");
        for buckets in [None, Some(DAYS), Some(MONTHS)] {
            assert_eq!(before(march, buckets), w("2026-02-01", "2026-03-01"), "{buckets:?}");
        }
        assert_eq!(before(march, Some(WEEKS)), w("2026-01-29", "2026-03-01"), "as many days");
        assert_eq!(before(w("2026-03-01", "2026-03-10"), Some(MONTHS)), w("2026-02-20", "2026-03-01"));
        let quarter = (Grain::Quarter, CalendarCode::Iso);
        assert_eq!(before(w("2026-01-01", "2026-07-01"), Some(quarter)), w("2025-07-01", "2026-01-01"));
        let period = (Grain::FiscalPeriod, CalendarCode::Retail454);
        assert_eq!(
            before(w("2024-03-03", "2024-04-07"), Some(period)),
            w("2024-02-04", "2024-03-03"),
            "5 weeks, then 4"
        );
        assert!(earlier(w("2026-01-01", "2026-01-01"), PreviousPeriod, None).is_err());
    }

    #[test]
    fn the_year_before() {
        let before = |window, mode| earlier(window, mode, None).unwrap();
        assert_eq!(before(w("2025-02-01", "2025-03-01"), PreviousYear), w("2024-02-01", "2024-03-01"), "29 days");
        assert_eq!(before(w("2024-02-29", "2024-03-01"), PreviousYear), w("2023-02-28", "2023-03-01"));
        assert_eq!(before(w("2024-02-01", "2024-02-29"), PreviousYear), w("2023-02-01", "2023-03-01"));
        assert_eq!(
            before(w("2026-03-02", "2026-03-09"), PreviousYearAligned),
            w("2025-03-03", "2025-03-10"),
            "Mondays"
        );
    }

    #[test]
    fn days_meet_the_same_date_and_a_leap_day_meets_none() {
        let (now, before) = (w("2025-02-27", "2025-03-02"), w("2024-02-27", "2024-03-02"));
        let found: Vec<_> = steps(now, before, PreviousYear, DAYS)
            .unwrap()
            .iter()
            .map(|s| (s.earlier.to_string(), s.now.to_string()))
            .collect();
        let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
        assert_eq!(
            found,
            [pair("2024-02-27", "2025-02-27"), pair("2024-02-28", "2025-02-28"), pair("2024-03-01", "2025-03-01")]
        );
        let aligned =
            steps(w("2026-03-02", "2026-03-04"), w("2025-03-03", "2025-03-05"), PreviousYearAligned, DAYS).unwrap();
        assert_eq!(aligned[0], Step { earlier: d("2025-03-03"), now: d("2026-03-02"), now_end: d("2026-03-03") });
    }

    fn pairs(now: Window, buckets: Buckets) -> (Window, Vec<(String, String)>) {
        let before = earlier(now, PreviousYear, Some(buckets)).unwrap();
        let steps = steps(now, before, PreviousYear, buckets).unwrap();
        (before, steps.iter().map(|s| (s.earlier.to_string(), s.now.to_string())).collect())
    }

    #[test]
    fn weeks_meet_the_week_of_the_same_number() {
        let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
        // ISO week 2 of 2026 begins on 5 January; that of 2025 on 6 January.
        let (before, weeks) = pairs(w("2026-01-05", "2026-01-19"), WEEKS);
        assert_eq!(before, w("2025-01-06", "2025-01-20"));
        assert_eq!(weeks, [pair("2025-01-06", "2026-01-05"), pair("2025-01-13", "2026-01-12")]);
        // Cut within week 9 (from Sunday) and week 14 (to Wednesday).
        let (before, weeks) = pairs(w("2026-03-01", "2026-04-01"), WEEKS);
        assert_eq!((before, weeks.len()), (w("2025-03-02", "2025-04-02"), 6));
        assert_eq!(weeks[0], pair("2025-02-24", "2026-02-23"));
        // 2020 has 53 weeks, 2019 has 52: the 53rd (from 28 December) has no counterpart.
        let (before, weeks) = pairs(w("2020-12-21", "2021-01-11"), WEEKS);
        assert_eq!(before, w("2019-12-23", "2020-01-06"));
        assert_eq!(weeks, [pair("2019-12-23", "2020-12-21"), pair("2019-12-30", "2021-01-04")]);
    }

    #[test]
    fn retail_periods_meet_the_period_of_the_same_number() {
        let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
        let periods = (Grain::FiscalPeriod, CalendarCode::Retail454);
        // The years begin on 2 February 2025 and 1 February 2026.
        let (before, found) = pairs(w("2026-02-01", "2026-04-05"), periods);
        assert_eq!(before, w("2025-02-02", "2025-04-06"));
        assert_eq!(found, [pair("2025-02-02", "2026-02-01"), pair("2025-03-02", "2026-03-01")]);
        // After a year of 53 weeks (2023), week 1 meets week 1, not the same date's week.
        let weeks = (Grain::FiscalWeek, CalendarCode::Retail454);
        let (before, found) = pairs(w("2024-02-04", "2024-02-11"), weeks);
        assert_eq!((before, found), (w("2023-01-29", "2023-02-05"), vec![pair("2023-01-29", "2024-02-04")]));
        // The 53rd week has none.
        let (before, found) = pairs(w("2024-01-28", "2024-02-04"), weeks);
        assert!(before.from == before.to && found.is_empty(), "{before:?}");
    }

    #[test]
    fn weeks_and_periods_are_counted() {
        let months = w("2026-01-01", "2026-04-01");
        let before = earlier(months, PreviousPeriod, Some(MONTHS)).unwrap();
        let steps = steps(months, before, PreviousPeriod, MONTHS).unwrap();
        assert_eq!(steps[2], Step { earlier: d("2025-12-01"), now: d("2026-03-01"), now_end: d("2026-04-01") });
    }

    #[test]
    fn only_whole_years_of_equal_grids_are_day_aligned() {
        assert!(day_aligned(PreviousYear, Some(MONTHS)) && day_aligned(PreviousYearAligned, Some(WEEKS)));
        assert!(!day_aligned(PreviousYear, Some(WEEKS)) && !day_aligned(PreviousPeriod, Some(MONTHS)));
    }
}
