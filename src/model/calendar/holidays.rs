//! The generated table `holiday_calendar`: per set of feasts and day from 2000-01-01 to 2050-12-31 the feast to which the day belongs,
//! and the day of the year before beside which it stands (domain 3.9, trap D14). Which set moves a shop's trade is for the reader to
//! say. Two days never stand beside one. It must not know what is sold.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, StringArray};
use arrow::record_batch::RecordBatch;
use chrono::{Days, NaiveDate, TimeDelta, Weekday};

use super::tables::{all_days, dates, schema};
use crate::error::{Error, Result};
use crate::model::contract::{Column, Kind};

/// Columns of `holiday_calendar`; its key is (`holiday_set`, `date_key`).
pub const HOLIDAY_CALENDAR: &[Column] = &[
    Column::new("holiday_set", Kind::Code, "western, chinese or islamic"),
    Column::new("date_key", Kind::Date, "the day"),
    Column::new("holiday_code", Kind::Code, "the feast to which the day belongs, with its run-up; NULL = none")
        .nullable(),
    Column::new("holiday_offset", Kind::Int, "days after the feast, below 0 before it; NULL = no feast").nullable(),
    Column::new("prev_year_date", Kind::Date, "the same day of the feast a year before; of others, 364 days before"),
];

/// A feast and the days around it that move with it: from `first` to `last` days after it.
struct Feast {
    code: &'static str,
    day: Day,
    first: i64,
    last: i64,
}

#[derive(Clone, Copy)]
enum Day {
    /// The same month and day each year.
    Fixed(u32, u32),
    /// The Sunday of the Gregorian Easter.
    Easter,
    /// The day after the fourth Thursday of November.
    BlackFriday,
    /// These days, as yyyymmdd.
    Listed(&'static [u32]),
}

const fn feast(code: &'static str, day: Day, first: i64, last: i64) -> Feast {
    Feast { code, day, first, last }
}

const SETS: &[(&str, &[Feast])] = &[
    (
        "western",
        &[
            // From Palm Sunday to Easter Monday, from Thanksgiving to Cyber Monday, to New Year's Day.
            feast("easter", Day::Easter, -7, 1),
            feast("black_friday", Day::BlackFriday, -1, 3),
            feast("christmas", Day::Fixed(12, 25), -7, 7),
        ],
    ),
    (
        "chinese",
        &[
            // To the Lantern Festival; the sales of June and November begin with their months.
            feast("spring_festival", Day::Listed(SPRING_FESTIVAL), -14, 14),
            feast("june_18", Day::Fixed(6, 18), -17, 0),
            feast("double_11", Day::Fixed(11, 11), -10, 0),
        ],
    ),
    (
        "islamic",
        &[
            // A month has 29 or 30 days: its last one is the day before the feast, and of 30 one is a day of no feast.
            feast("ramadan", Day::Listed(RAMADAN), -7, 27),
            feast("eid_al_fitr", Day::Listed(EID_AL_FITR), -1, 2),
        ],
    ),
];

/// The first day of the Chinese year, as yyyymmdd.
const SPRING_FESTIVAL: &[u32] = &[
    19990216, 20000205, 20010124, 20020212, 20030201, 20040122, 20050209, 20060129, 20070218, 20080207, 20090126,
    20100214, 20110203, 20120123, 20130210, 20140131, 20150219, 20160208, 20170128, 20180216, 20190205, 20200125,
    20210212, 20220201, 20230122, 20240210, 20250129, 20260217, 20270206, 20280126, 20290213, 20300203, 20310123,
    20320211, 20330131, 20340219, 20350208, 20360128, 20370215, 20380204, 20390124, 20400212, 20410201, 20420122,
    20430210, 20440130, 20450217, 20460206, 20470126, 20480214, 20490202, 20500123,
];

/// The first day of Ramadan by the Umm al-Qura calendar; where the moon is watched for it may be a day later.
const RAMADAN: &[u32] = &[
    19981219, 19991209, 20001127, 20011116, 20021106, 20031026, 20041015, 20051004, 20060924, 20070913, 20080901,
    20090822, 20100811, 20110801, 20120720, 20130709, 20140628, 20150618, 20160606, 20170527, 20180516, 20190506,
    20200424, 20210413, 20220402, 20230323, 20240311, 20250301, 20260218, 20270208, 20280128, 20290116, 20300105,
    20301226, 20311215, 20321204, 20331123, 20341112, 20351101, 20361020, 20371010, 20380930, 20390919, 20400907,
    20410828, 20420817, 20430806, 20440726, 20450715, 20460705, 20470624, 20480612, 20490602, 20500522, 20510511,
];

/// The day after Ramadan by the same calendar.
const EID_AL_FITR: &[u32] = &[
    19990118, 20000108, 20001227, 20011216, 20021205, 20031125, 20041114, 20051103, 20061023, 20071013, 20081001,
    20090920, 20100910, 20110830, 20120819, 20130808, 20140728, 20150717, 20160706, 20170625, 20180615, 20190604,
    20200524, 20210513, 20220502, 20230421, 20240410, 20250330, 20260320, 20270309, 20280226, 20290214, 20300204,
    20310124, 20320114, 20330102, 20331223, 20341212, 20351201, 20361119, 20371108, 20381029, 20391019, 20401007,
    20410926, 20420915, 20430904, 20440824, 20450814, 20460803, 20470724, 20480712, 20490701, 20500620, 20510610,
];

impl Day {
    /// The feast's days over all years that the table needs, in order.
    fn times(self) -> Option<Vec<NaiveDate>> {
        let each = |of: &dyn Fn(i32) -> Option<NaiveDate>| (1998..=2051).map(of).collect::<Option<Vec<_>>>();
        match self {
            Day::Fixed(month, day) => each(&|year| NaiveDate::from_ymd_opt(year, month, day)),
            Day::Easter => each(&easter),
            Day::BlackFriday => {
                each(&|year| NaiveDate::from_weekday_of_month_opt(year, 11, Weekday::Thu, 4)?.succ_opt())
            }
            Day::Listed(days) => {
                let day = |d: &u32| NaiveDate::from_ymd_opt((d / 10_000) as i32, d / 100 % 100, d % 100);
                days.iter().map(day).collect()
            }
        }
    }
}

/// Easter Sunday by the "anonymous" algorithm (Meeus, Astronomical Algorithms, chapter 8).
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(n / 31).ok()?, u32::try_from(n % 31 + 1).ok()?)
}

/// A day of a feast, and the same day of the feast before and after.
struct FeastDay {
    code: &'static str,
    offset: i64,
    before: Option<NaiveDate>,
    after: Option<NaiveDate>,
}

fn feast_days(feasts: &[Feast]) -> Option<HashMap<NaiveDate, FeastDay>> {
    let mut found = HashMap::new();
    for feast in feasts {
        let times = feast.day.times()?;
        for (at, day) in times.iter().enumerate() {
            for offset in feast.first..=feast.last {
                let moved = |day: &NaiveDate| day.checked_add_signed(TimeDelta::days(offset));
                let before = at.checked_sub(1).and_then(|at| times.get(at)).and_then(moved);
                let after = times.get(at + 1).and_then(moved);
                found.insert(moved(day)?, FeastDay { code: feast.code, offset, before, after });
            }
        }
    }
    Some(found)
}

/// Where the day 364 days before belongs to a feast, it stands beside that feast's day; the day that one leaves free is taken instead.
fn year_before(day: NaiveDate, feasts: &HashMap<NaiveDate, FeastDay>) -> Option<NaiveDate> {
    if let Some(before) = feasts.get(&day).and_then(|d| d.before) {
        return Some(before);
    }
    let same_weekday = |day: NaiveDate| day.checked_sub_days(Days::new(364));
    let mut before = same_weekday(day)?;
    while let Some(after) = feasts.get(&before).and_then(|d| d.after) {
        before = same_weekday(after)?;
    }
    Some(before)
}

/// The table `holiday_calendar`, sorted by set and date.
pub fn holiday_calendar_batch() -> Result<RecordBatch> {
    let days = all_days();
    let (mut sets, mut keys, mut codes, mut offsets, mut before) = (vec![], vec![], vec![], vec![], vec![]);
    for (set, feasts) in SETS {
        let feasts =
            feast_days(feasts).ok_or_else(|| Error::internal(format!("holiday_calendar: no days of {set}")))?;
        for day in &days {
            let feast = feasts.get(day);
            sets.push(*set);
            keys.push(Some(*day));
            codes.push(feast.map(|f| f.code));
            offsets.push(feast.map(|f| f.offset as i32));
            before.push(year_before(*day, &feasts));
        }
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(sets)),
        dates(keys.into_iter()),
        Arc::new(StringArray::from(codes)),
        Arc::new(Int32Array::from(offsets)),
        dates(before.into_iter()),
    ];
    Ok(RecordBatch::try_new(schema(HOLIDAY_CALENDAR), columns)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Datelike;
    use std::collections::HashSet;

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn set(name: &str) -> HashMap<NaiveDate, FeastDay> {
        let (_, feasts) = SETS.iter().find(|(set, _)| *set == name).unwrap();
        feast_days(feasts).unwrap()
    }

    fn check(name: &str, pairs: &[(&str, &str)]) {
        let feasts = set(name);
        for (day, before) in pairs {
            assert_eq!(year_before(d(day), &feasts), Some(d(before)), "{name} {day}");
        }
    }

    #[test]
    fn easter_and_black_friday_are_when_they_were() {
        for day in ["2000-04-23", "2008-03-23", "2011-04-24", "2024-03-31", "2025-04-20", "2026-04-05", "2038-04-25"] {
            assert_eq!(easter(d(day).year()), Some(d(day)));
        }
        let fridays = Day::BlackFriday.times().unwrap();
        for day in ["2018-11-23", "2024-11-29", "2025-11-28", "2026-11-27"] {
            assert!(fridays.contains(&d(day)), "{day}");
        }
    }

    /// Easter was on 20 April in 2025 and is on 5 April in 2026.
    #[test]
    fn d14_easter_stands_beside_easter() {
        check(
            "western",
            &[
                ("2026-04-03", "2025-04-18"), // Good Friday
                ("2026-03-29", "2025-04-13"), // Palm Sunday
                ("2026-04-06", "2025-04-21"),
                ("2026-03-28", "2025-03-29"), // 364 days
                ("2026-04-07", "2025-04-08"),
                ("2026-04-12", "2025-03-30"), // 13 April 2025 is taken: what Palm Sunday leaves free
                ("2026-04-19", "2025-04-06"), // and Easter Sunday
                ("2026-04-21", "2025-04-22"),
                ("2024-11-29", "2023-11-24"), // Black Friday
                ("2024-12-01", "2023-11-26"),
                ("2024-11-24", "2023-12-03"), // 26 November 2023 is taken: what that Sunday leaves free
                ("2026-12-25", "2025-12-25"),
                ("2026-12-17", "2026-01-02"),
            ],
        );
    }

    #[test]
    fn d14_feasts_of_the_moon_and_of_the_shops() {
        check(
            "chinese",
            &[
                ("2026-02-17", "2025-01-29"),
                ("2026-02-03", "2025-01-15"),
                ("2026-01-01", "2025-01-02"),
                ("2026-06-18", "2025-06-18"),
                ("2026-05-31", "2025-06-19"),
                ("2025-11-11", "2024-11-11"),
            ],
        );
        // 29 days in 2025, 30 in 2026: 19 March is the day before the feast.
        check("islamic", &[("2026-02-18", "2025-03-01"), ("2026-03-19", "2025-03-29"), ("2026-03-20", "2025-03-30")]);
    }

    #[test]
    fn no_two_days_stand_beside_one() {
        for (name, feasts) in SETS {
            let found = feast_days(feasts).unwrap();
            let long = |f: &Feast| f.day.times().unwrap().len() * usize::try_from(f.last - f.first + 1).unwrap();
            assert_eq!(found.len(), feasts.iter().map(long).sum::<usize>(), "{name}: feasts that overlap");
            let days = all_days();
            let before: HashSet<NaiveDate> = days.iter().map(|day| year_before(*day, &found).unwrap()).collect();
            assert_eq!(before.len(), days.len(), "{name}");
            let mut far = days.iter().map(|day| (*day - year_before(*day, &found).unwrap()).num_days());
            assert!(far.all(|n| (320..=410).contains(&n)), "{name}: not of the year before");
        }
        assert_eq!(holiday_calendar_batch().unwrap().num_rows(), 3 * 18_628);
    }
}
