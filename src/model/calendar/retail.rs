//! The 52/53-week retail year: it begins the day after the Saturday nearest 31 January (domain 3.9). Date arithmetic only.

use chrono::{Datelike, Days, NaiveDate};

use super::Grain;

/// How the 13 weeks of a quarter make three periods. A 53rd week belongs to the last period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Periods {
    P454,
    P445,
}

impl Periods {
    /// The week of the quarter (0-based) in which its first, second and third period begin.
    fn starts(self) -> [i64; 3] {
        match self {
            Periods::P454 => [0, 4, 9],
            Periods::P445 => [0, 4, 8],
        }
    }
}

/// Where a date lies in its retail year. All numbers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetailDay {
    pub year: i32,
    pub year_start: NaiveDate,
    pub year_end: NaiveDate,
    pub quarter: i64,
    pub period: i64,
    pub period_start: NaiveDate,
    pub period_end: NaiveDate,
    pub week: i64,
    pub day: i64,
}

/// First day (a Sunday) of the retail year `year`.
pub fn year_start(year: i32) -> Option<NaiveDate> {
    let end_of_january = NaiveDate::from_ymd_opt(year, 1, 31)?;
    // Days since Saturday: up to three, the Saturday before is the nearest; from four on, the one after is.
    let since = (end_of_january.weekday().num_days_from_sunday() + 1) % 7;
    let sunday_after_previous = end_of_january.checked_sub_days(Days::new(u64::from(since)))?.succ_opt()?;
    if since <= 3 { Some(sunday_after_previous) } else { sunday_after_previous.checked_add_days(Days::new(7)) }
}

/// The Sunday on or before `date`.
pub fn week_start(date: NaiveDate) -> Option<NaiveDate> {
    date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_sunday())))
}

/// Places `date` in its retail year.
pub fn place(date: NaiveDate, periods: Periods) -> Option<RetailDay> {
    let this = year_start(date.year())?;
    let (year, start) =
        if date >= this { (date.year(), this) } else { (date.year() - 1, year_start(date.year() - 1)?) };
    let end = year_start(year + 1)?;
    let day0 = (date - start).num_days();
    let week0 = day0 / 7;
    let quarter0 = (week0 / 13).min(3);
    let starts = periods.starts();
    let in_quarter = week0 - quarter0 * 13;
    let third = starts.iter().rposition(|s| *s <= in_quarter)?;
    let at = |week: i64| start.checked_add_days(Days::new(u64::try_from(week * 7).ok()?));
    let period_end = match (quarter0, third) {
        (3, 2) => end,
        (_, 2) => at((quarter0 + 1) * 13)?,
        _ => at(quarter0 * 13 + starts[third + 1])?,
    };
    Some(RetailDay {
        year,
        year_start: start,
        year_end: end,
        quarter: quarter0 + 1,
        period: quarter0 * 3 + third as i64 + 1,
        period_start: at(quarter0 * 13 + starts[third])?,
        period_end,
        week: week0 + 1,
        day: day0 + 1,
    })
}

/// The period, quarter or year that holds `date`; weeks are [`week_start`]'s.
pub fn bucket(date: NaiveDate, grain: Grain, periods: Periods) -> Option<(NaiveDate, NaiveDate)> {
    let at = place(date, periods)?;
    match grain {
        Grain::FiscalPeriod => Some((at.period_start, at.period_end)),
        Grain::FiscalQuarter => {
            let start = at.year_start.checked_add_days(Days::new((at.quarter as u64 - 1) * 91))?;
            let end = if at.quarter == 4 { at.year_end } else { start.checked_add_days(Days::new(91))? };
            Some((start, end))
        }
        _ => Some((at.year_start, at.year_end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_of_53_weeks() {
        let long: Vec<i32> = (2000..=2047)
            .filter(|y| (year_start(y + 1).unwrap() - year_start(*y).unwrap()).num_days() == 371)
            .collect();
        assert_eq!(long, [2000, 2006, 2012, 2017, 2023, 2028, 2034, 2040, 2045]);
        assert_eq!(year_start(2023), NaiveDate::from_ymd_opt(2023, 1, 29));
        assert_eq!(year_start(2024), NaiveDate::from_ymd_opt(2024, 2, 4));
    }

    #[test]
    fn the_53rd_week_is_in_the_last_period() {
        let at = place(NaiveDate::from_ymd_opt(2024, 2, 3).unwrap(), Periods::P454).unwrap();
        assert_eq!((at.year, at.quarter, at.period, at.week, at.day), (2023, 4, 12, 53, 371));
        let weeks = |p| {
            let mut at = year_start(2022).unwrap();
            let mut lengths = vec![];
            while at < year_start(2023).unwrap() {
                let end = place(at, p).unwrap().period_end;
                lengths.push((end - at).num_days() / 7);
                at = end;
            }
            lengths
        };
        assert_eq!(weeks(Periods::P454), [4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 5, 4]);
        assert_eq!(weeks(Periods::P445), [4, 4, 5, 4, 4, 5, 4, 4, 5, 4, 4, 5]);
    }
}
