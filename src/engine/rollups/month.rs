//! A calendar month, as partitions name it.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};

use crate::error::Error;

/// `2026-03`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    /// 1 to 12
    month: u32,
}

impl Month {
    /// `month`: 1 to 12.
    pub fn new(year: i32, month: u32) -> Month {
        Month { year, month }
    }

    pub fn next(self) -> Month {
        match self.month {
            12 => Month { year: self.year + 1, month: 1 },
            month => Month { month: month + 1, ..self },
        }
    }

    /// Its first day, as days since 1970.
    pub fn first_day(self) -> i32 {
        NaiveDate::from_ymd_opt(self.year, self.month, 1).map_or(i32::MAX, |day| day.to_epoch_days())
    }

    /// The month of a day, as days since 1970.
    #[cfg(test)]
    pub fn of(day: i32) -> Option<Month> {
        NaiveDate::from_epoch_days(day).map(|day| Month { year: day.year(), month: day.month() })
    }
}

impl FromStr for Month {
    type Err = Error;
    fn from_str(text: &str) -> Result<Month, Error> {
        let day = format!("{text}-01").parse::<NaiveDate>();
        let day = day.map_err(|_| Error::invalid(format!("'{text}' is no month")).hint("write it as 2026-03"))?;
        Ok(Month { year: day.year(), month: day.month() })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_one_another() {
        let month: Month = "2025-12".parse().unwrap();
        assert_eq!((month.to_string(), month.next().to_string()), ("2025-12".into(), "2026-01".into()));
        assert_eq!(Month::of(month.next().first_day()), Some(month.next()));
        assert_eq!(Month::of(month.next().first_day() - 1), Some(month));
        assert!("2025-13".parse::<Month>().is_err() && "all".parse::<Month>().is_err());
    }
}
