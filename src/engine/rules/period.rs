//! The earlier period of a comparison, and how its buckets of time map forward (domain 4.1). Dates only: it must not see plans.
//!
//! The earlier window of `[from, to)`:
//!
//! | mode | window |
//! |---|---|
//! | previous period, grain month and coarser, whole buckets | as many buckets before `from` |
//! | previous period, whole civil months (not by week) | as many months before `from` |
//! | previous period, else | as many days before `from` |
//! | previous year | both ends a year before |
//! | previous year, aligned | both ends 364 days before |
//!
//! Its buckets map forward by the calendar where there is one answer, and else by counting (k-th to k-th):
//!
//! | mode | day | week | month, quarter, year | retail periods, quarters, years |
//! |---|---|---|---|---|
//! | previous period | k-th | k-th | k-th | k-th |
//! | previous year | + 1 year; 29 February has no next | k-th | + 1 year | k-th |
//! | previous year, aligned | + 364 days | + 364 days | k-th | k-th |

use chrono::{Datelike, Days, Months, NaiveDate};

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
        CompareMode::PreviousYear => year_before(window),
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

    #[test]
    fn weeks_and_periods_are_counted() {
        let now = w("2026-03-01", "2026-04-01");
        let before = earlier(now, PreviousYear, Some(WEEKS)).unwrap();
        let weeks = steps(now, before, PreviousYear, WEEKS).unwrap();
        assert_eq!(weeks[0], Step { earlier: d("2025-02-24"), now: d("2026-02-23"), now_end: d("2026-03-02") });
        assert_eq!(weeks.len(), 6);
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
