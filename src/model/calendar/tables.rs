//! The generated tables `calendar` and `fiscal_calendar`: one row per day from 2000-01-01 to 2050-12-31, no gaps
//! (domain 3.9). What depends on a country or a company is not known here and is not guessed:
//! `is_holiday` marks only New Year's Day and Christmas Day, `holiday_offset` (distance to a moving feast) is NULL (by set of feasts
//! it is in `holidays`), every day trades with weight 1, and `season` is the meteorological one of the northern hemisphere.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int32Array, Int64Array, StringArray};
use arrow::datatypes::{Date32Type, Schema};
use arrow::record_batch::RecordBatch;
use chrono::{Datelike, Days, Months, NaiveDate};

use super::{CalendarCode, FIRST_DAY, Grain, LAST_DAY, bucket, retail};
use crate::error::{Error, Result};
use crate::model::contract::{Column, Kind};

/// Columns of `calendar`; its key is `date_key`.
pub const CALENDAR: &[Column] = &[
    Column::new("date_key", Kind::Date, "the day"),
    Column::new("iso_year", Kind::Int, "year of the ISO week"),
    Column::new("iso_week", Kind::Int, "ISO week, 1 to 53"),
    Column::new("iso_week_start", Kind::Date, "Monday of the ISO week"),
    Column::new("year", Kind::Int, "civil year"),
    Column::new("quarter", Kind::Int, "civil quarter, 1 to 4"),
    Column::new("month", Kind::Int, "civil month, 1 to 12"),
    Column::new("day_of_month", Kind::Int, "1 to 31"),
    Column::new("day_of_week", Kind::Int, "1 = Monday to 7 = Sunday"),
    Column::new("month_start", Kind::Date, "first day of the month"),
    Column::new("month_end_excl", Kind::Date, "first day of the next month"),
    Column::new("prev_year_same_weekday_date", Kind::Date, "the day 364 days before"),
    Column::new("is_holiday", Kind::Bool, "New Year's Day and Christmas Day only"),
    Column::new("holiday_code", Kind::Code, "new_year or christmas").nullable(),
    Column::new("holiday_offset", Kind::Int, "NULL: days from a feast are in holiday_calendar, by set of feasts")
        .nullable(),
    Column::new("is_trading_day", Kind::Bool, "true: opening days are not known"),
    Column::new("trading_day_weight", Kind::Share, "1: opening days are not known"),
    Column::new("season", Kind::Code, "winter, spring, summer, autumn of the northern hemisphere, by whole months"),
];

/// Columns of `fiscal_calendar`; its key is (`calendar_code`, `date_key`).
pub const FISCAL_CALENDAR: &[Column] = &[
    Column::new("calendar_code", Kind::Code, "retail_454, retail_445 or gregorian_fy_apr"),
    Column::new("date_key", Kind::Date, "the day"),
    Column::new("fiscal_year", Kind::Int, "civil year in which the fiscal year begins"),
    Column::new("fiscal_quarter", Kind::Int, "1 to 4"),
    Column::new("fiscal_period", Kind::Int, "1 to 12"),
    Column::new("fiscal_week", Kind::Int, "1 to 53"),
    Column::new("fiscal_day", Kind::Int, "day of the fiscal year, 1 to 371"),
    Column::new("fiscal_week_seq", Kind::Long, "running number of the week, without gaps over all years"),
    Column::new("fiscal_period_start", Kind::Date, "first day of the period"),
    Column::new("fiscal_period_end_excl", Kind::Date, "first day of the next period"),
    Column::new("is_week53", Kind::Bool, "the day lies in a 53rd week"),
    Column::new("restated_prev_year_date", Kind::Date, "364 days before; NULL in a retail week 53").nullable(),
    Column::new("unrestated_prev_year_date", Kind::Date, "same week and weekday (by months: same date) a year before")
        .nullable(),
];

pub(super) fn schema(columns: &[Column]) -> Arc<Schema> {
    Arc::new(Schema::new(columns.iter().map(Column::field).collect::<Vec<_>>()))
}

pub(super) fn all_days() -> Vec<NaiveDate> {
    FIRST_DAY.iter_days().take_while(|d| *d <= LAST_DAY).collect()
}

pub(super) fn dates(values: impl Iterator<Item = Option<NaiveDate>>) -> ArrayRef {
    Arc::new(values.map(|d| d.map(Date32Type::from_naive_date)).collect::<Date32Array>())
}

fn ints(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(values.map(|v| Some(v as i32)).collect::<Int32Array>())
}

fn season(month: u32) -> &'static str {
    match month {
        12 | 1 | 2 => "winter",
        3..=5 => "spring",
        6..=8 => "summer",
        _ => "autumn",
    }
}

fn holiday(day: NaiveDate) -> Option<&'static str> {
    match (day.month(), day.day()) {
        (1, 1) => Some("new_year"),
        (12, 25) => Some("christmas"),
        _ => None,
    }
}

/// The table `calendar`, sorted by date.
pub fn calendar_batch() -> Result<RecordBatch> {
    let days = all_days();
    let int = |f: &dyn Fn(NaiveDate) -> i64| ints(days.iter().map(|d| f(*d)));
    let date = |f: &dyn Fn(NaiveDate) -> Option<NaiveDate>| dates(days.iter().map(|d| f(*d)));
    let grain = |d, g| bucket(d, g, CalendarCode::Iso);
    let weights = Decimal128Array::from_iter_values(days.iter().map(|_| 1_000_000)).with_precision_and_scale(9, 6)?;
    let columns: Vec<ArrayRef> = vec![
        date(&Some),
        int(&|d| i64::from(d.iso_week().year())),
        int(&|d| i64::from(d.iso_week().week())),
        date(&|d| grain(d, Grain::Week).map(|b| b.0)),
        int(&|d| i64::from(d.year())),
        int(&|d| i64::from(d.month0() / 3 + 1)),
        int(&|d| i64::from(d.month())),
        int(&|d| i64::from(d.day())),
        int(&|d| i64::from(d.weekday().number_from_monday())),
        date(&|d| grain(d, Grain::Month).map(|b| b.0)),
        date(&|d| grain(d, Grain::Month).map(|b| b.1)),
        date(&|d| d.checked_sub_days(Days::new(364))),
        Arc::new(days.iter().map(|d| Some(holiday(*d).is_some())).collect::<BooleanArray>()),
        Arc::new(days.iter().map(|d| holiday(*d)).collect::<StringArray>()),
        Arc::new(Int32Array::new_null(days.len())),
        Arc::new(days.iter().map(|_| Some(true)).collect::<BooleanArray>()),
        Arc::new(weights),
        Arc::new(days.iter().map(|d| Some(season(d.month()))).collect::<StringArray>()),
    ];
    Ok(RecordBatch::try_new(schema(CALENDAR), columns)?)
}

/// One day of a fiscal calendar.
struct FiscalDay {
    code: &'static str,
    date: NaiveDate,
    year: i32,
    quarter: i64,
    period: i64,
    week: i64,
    day: i64,
    week_seq: i64,
    period_start: NaiveDate,
    period_end: NaiveDate,
    restated: Option<NaiveDate>,
    unrestated: Option<NaiveDate>,
}

fn retail_day(date: NaiveDate, calendar: CalendarCode) -> Option<FiscalDay> {
    let at = retail::place(date, calendar.periods()?)?;
    let previous = (at.year_start - retail::year_start(at.year - 1)?).num_days();
    let back = |days: i64| if at.week == 53 { None } else { date.checked_sub_days(Days::new(days as u64)) };
    Some(FiscalDay {
        code: calendar.as_str(),
        date,
        year: at.year,
        quarter: at.quarter,
        period: at.period,
        week: at.week,
        day: at.day,
        week_seq: (retail::week_start(date)? - NaiveDate::from_ymd_opt(1970, 1, 4)?).num_days() / 7,
        period_start: at.period_start,
        period_end: at.period_end,
        restated: back(364),
        unrestated: back(previous),
    })
}

/// Months make this calendar, so its year before is the same date; 29 February has none.
fn april_day(date: NaiveDate) -> Option<FiscalDay> {
    let calendar = CalendarCode::GregorianFyApr;
    let (start, _) = bucket(date, Grain::FiscalYear, calendar)?;
    let (period_start, period_end) = bucket(date, Grain::FiscalPeriod, calendar)?;
    let month0 = i64::from((date.month0() + 9) % 12);
    let day = (date - start).num_days() + 1;
    let week = (day - 1) / 7 + 1;
    Some(FiscalDay {
        code: calendar.as_str(),
        date,
        year: start.year(),
        quarter: month0 / 3 + 1,
        period: month0 + 1,
        week,
        day,
        // Every such year has 53 weeks, the last of one or two days.
        week_seq: i64::from(start.year()) * 53 + week,
        period_start,
        period_end,
        restated: date.checked_sub_days(Days::new(364)),
        unrestated: date.checked_sub_months(Months::new(12)).filter(|p| p.day() == date.day()),
    })
}

/// The table `fiscal_calendar`, sorted by calendar code and date.
pub fn fiscal_calendar_batch() -> Result<RecordBatch> {
    let days = all_days();
    let mut rows = Vec::with_capacity(days.len() * 3);
    rows.extend(days.iter().map(|d| april_day(*d)));
    for calendar in [CalendarCode::Retail445, CalendarCode::Retail454] {
        rows.extend(days.iter().map(|d| retail_day(*d, calendar)));
    }
    let rows: Option<Vec<FiscalDay>> = rows.into_iter().collect();
    let rows = rows.ok_or_else(|| Error::internal("fiscal_calendar: a day beyond the range of dates"))?;
    let int = |f: &dyn Fn(&FiscalDay) -> i64| ints(rows.iter().map(f));
    let date = |f: &dyn Fn(&FiscalDay) -> Option<NaiveDate>| dates(rows.iter().map(f));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|r| Some(r.code)).collect::<StringArray>()),
        date(&|r| Some(r.date)),
        int(&|r| i64::from(r.year)),
        int(&|r| r.quarter),
        int(&|r| r.period),
        int(&|r| r.week),
        int(&|r| r.day),
        Arc::new(rows.iter().map(|r| Some(r.week_seq)).collect::<Int64Array>()),
        date(&|r| Some(r.period_start)),
        date(&|r| Some(r.period_end)),
        Arc::new(rows.iter().map(|r| Some(r.week == 53)).collect::<BooleanArray>()),
        date(&|r| r.restated),
        date(&|r| r.unrestated),
    ];
    Ok(RecordBatch::try_new(schema(FISCAL_CALENDAR), columns)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::{Int32Type, Int64Type};

    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn row_of(batch: &RecordBatch, date: &str, code: Option<&str>) -> usize {
        let dates = batch["date_key"].as_primitive::<Date32Type>();
        (0..batch.num_rows())
            .find(|i| {
                let code_fits = code.is_none_or(|c| batch["calendar_code"].as_string::<i32>().value(*i) == c);
                code_fits && dates.value_as_date(*i) == Some(d(date))
            })
            .unwrap()
    }

    fn date_at(batch: &RecordBatch, column: &str, row: usize) -> Option<NaiveDate> {
        let dates = batch[column].as_primitive::<Date32Type>();
        if dates.is_null(row) { None } else { dates.value_as_date(row) }
    }

    #[test]
    fn iso_weeks_belong_to_iso_years() {
        let batch = calendar_batch().unwrap();
        assert_eq!(batch.num_rows(), 18_628);
        for (date, year, week) in [("2024-12-30", 2025, 1), ("2021-01-01", 2020, 53), ("2027-01-01", 2026, 53)] {
            let row = row_of(&batch, date, None);
            assert_eq!(batch["iso_year"].as_primitive::<Int32Type>().value(row), year, "{date}");
            assert_eq!(batch["iso_week"].as_primitive::<Int32Type>().value(row), week, "{date}");
        }
        let row = row_of(&batch, "2024-12-30", None);
        assert_eq!(date_at(&batch, "iso_week_start", row), Some(d("2024-12-30")));
        assert_eq!(date_at(&batch, "prev_year_same_weekday_date", row), Some(d("2024-01-01")));
        assert_eq!(date_at(&batch, "month_end_excl", row), Some(d("2025-01-01")));
    }

    #[test]
    fn the_454_year_before() {
        let batch = fiscal_calendar_batch().unwrap();
        assert_eq!(batch.num_rows(), 3 * 18_628);
        let at = |date, column| date_at(&batch, column, row_of(&batch, date, Some("retail_454")));
        assert_eq!(at("2024-02-04", "restated_prev_year_date"), Some(d("2023-02-05")));
        assert_eq!(at("2024-02-04", "unrestated_prev_year_date"), Some(d("2023-01-29")));
        assert_eq!(at("2024-01-28", "restated_prev_year_date"), None);
        assert_eq!(at("2024-01-28", "unrestated_prev_year_date"), None);
        assert_eq!(at("2023-06-07", "unrestated_prev_year_date"), Some(d("2022-06-08")));
    }

    #[test]
    fn fiscal_years_have_the_right_number_of_weeks() {
        let batch = fiscal_calendar_batch().unwrap();
        let codes = batch["calendar_code"].as_string::<i32>();
        let years = batch["fiscal_year"].as_primitive::<Int32Type>();
        let weeks = batch["fiscal_week"].as_primitive::<Int32Type>();
        let most = |year: i32| {
            let of_year = (0..batch.num_rows()).filter(|i| codes.value(*i) == "retail_454" && years.value(*i) == year);
            of_year.map(|i| weeks.value(i)).max().unwrap()
        };
        assert_eq!([2006, 2012, 2017, 2022, 2023, 2024].map(most), [53, 53, 53, 52, 53, 52]);
    }

    #[test]
    fn week_numbers_run_on_without_gaps() {
        let batch = fiscal_calendar_batch().unwrap();
        let codes = batch["calendar_code"].as_string::<i32>();
        let seq = batch["fiscal_week_seq"].as_primitive::<Int64Type>();
        let weeks = batch["fiscal_week"].as_primitive::<Int32Type>();
        for i in 1..batch.num_rows() {
            if codes.value(i) == codes.value(i - 1) {
                let step = i64::from(weeks.value(i) != weeks.value(i - 1));
                assert_eq!(seq.value(i) - seq.value(i - 1), step);
            }
        }
    }
}
