//! `period_start` and `period_end`: the bucket of a business date (`model::calendar`), for grouping by time.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Date32Array};
use datafusion::arrow::datatypes::{DataType, Date32Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use crate::model::calendar::{CalendarCode, Grain, bucket};

static START: LazyLock<Documentation> =
    LazyLock::new(|| document("First day of the bucket that holds the date.", "start"));
static END: LazyLock<Documentation> =
    LazyLock::new(|| document("First day after the bucket that holds the date (an exclusive end).", "end"));

fn document(what: &str, edge: &str) -> Documentation {
    Documentation::builder(DocSection::default(), what, format!("period_{edge}(date, grain, calendar)"))
        .with_argument("date", "a business date")
        .with_argument(
            "grain",
            "day, week, month, quarter, year, fiscal_week, fiscal_period, fiscal_quarter, fiscal_year",
        )
        .with_argument("calendar", "iso, gregorian, retail_454, retail_445, gregorian_fy_apr")
        .build()
}

/// Dates of a batch within so many days share a table of buckets; wider batches are computed row by row.
const TABLE_DAYS: i32 = 1 << 15;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Edge {
    Start,
    End,
}

/// `period_start(date, grain, calendar)` or `period_end(…)` → DATE; NULL where an argument is NULL.
///
/// # Errors
/// At execution, a grain or calendar that is not known.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Period {
    edge: Edge,
    signature: Signature,
}

impl Period {
    pub fn start() -> Self {
        Period { edge: Edge::Start, signature: Signature::user_defined(Volatility::Immutable) }
    }
    pub fn end() -> Self {
        Period { edge: Edge::End, signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// The bucket's edge, dates as days since 1970.
    fn edge_of(&self, day: i32, grain: Grain, calendar: CalendarCode) -> Option<i32> {
        let (start, end) = bucket(Date32Type::to_naive_date_opt(day)?, grain, calendar)?;
        Some(Date32Type::from_naive_date(match self.edge {
            Edge::Start => start,
            Edge::End => end,
        }))
    }

    /// A whole column under one grain and calendar: each distinct day is computed once where the days lie close.
    fn edges(&self, days: &Date32Array, grain: Grain, calendar: CalendarCode) -> Date32Array {
        let low = days.iter().flatten().min().unwrap_or(0);
        let high = days.iter().flatten().max().unwrap_or(0);
        let span = high.checked_sub(low).filter(|s| *s < TABLE_DAYS);
        let Some(span) = span else {
            return days.iter().map(|d| self.edge_of(d?, grain, calendar)).collect();
        };
        let mut table: Vec<Option<Option<i32>>> = vec![None; span as usize + 1];
        let look = |day: i32| *table[(day - low) as usize].get_or_insert_with(|| self.edge_of(day, grain, calendar));
        let mut look = look;
        days.iter().map(|d| look(d?)).collect()
    }
}

fn external(e: crate::error::Error) -> DataFusionError {
    DataFusionError::External(Box::new(e))
}

fn text(value: &ScalarValue) -> Option<&str> {
    value.try_as_str().flatten()
}

impl ScalarUDFImpl for Period {
    fn name(&self) -> &str {
        match self.edge {
            Edge::Start => "period_start",
            Edge::End => "period_end",
        }
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Date32)
    }
    fn is_strict(&self) -> bool {
        true
    }
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [date, _, _] = types else {
            return plan_err!(
                "{} takes a date, a grain and a calendar, {} arguments were given",
                self.name(),
                types.len()
            );
        };
        if !(date.is_temporal() || date.is_string() || date.is_null()) {
            return plan_err!("{} takes a date, not {date}", self.name());
        }
        if let Some(other) = types[1..].iter().find(|t| !t.is_string() && !t.is_null()) {
            return plan_err!("{}: grain and calendar are texts, not {other}", self.name());
        }
        Ok(vec![DataType::Date32, DataType::Utf8View, DataType::Utf8View])
    }
    fn documentation(&self) -> Option<&Documentation> {
        Some(match self.edge {
            Edge::Start => &START,
            Edge::End => &END,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [ColumnarValue::Scalar(date), ColumnarValue::Scalar(grain), ColumnarValue::Scalar(calendar)] => {
                let edges = self.scalar(&date.to_array()?, grain, calendar)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&edges, 0)?))
            }
            [ColumnarValue::Array(dates), ColumnarValue::Scalar(grain), ColumnarValue::Scalar(calendar)] => {
                Ok(ColumnarValue::Array(self.scalar(dates, grain, calendar)?))
            }
            _ => Ok(ColumnarValue::Array(self.row_by_row(&ColumnarValue::values_to_arrays(&args.args)?)?)),
        }
    }
}

impl Period {
    fn scalar(&self, dates: &ArrayRef, grain: &ScalarValue, calendar: &ScalarValue) -> Result<ArrayRef> {
        let (Some(grain), Some(calendar)) = (text(grain), text(calendar)) else {
            return Ok(Arc::new(Date32Array::new_null(dates.len())));
        };
        let grain = Grain::parse(grain).map_err(external)?;
        let calendar = CalendarCode::parse(calendar).map_err(external)?;
        match dates.as_primitive_opt::<Date32Type>() {
            Some(dates) => Ok(Arc::new(self.edges(dates, grain, calendar))),
            None => exec_err!("{}: a date of type {}", self.name(), dates.data_type()),
        }
    }

    fn row_by_row(&self, arrays: &[ArrayRef]) -> Result<ArrayRef> {
        let [dates, grains, calendars] = arrays else {
            return exec_err!("{} takes a date, a grain and a calendar", self.name());
        };
        let (Some(dates), Some(grains), Some(calendars)) =
            (dates.as_primitive_opt::<Date32Type>(), grains.as_string_view_opt(), calendars.as_string_view_opt())
        else {
            return exec_err!("{}: arguments of the wrong types", self.name());
        };
        let rows = dates.iter().zip(grains.iter()).zip(calendars.iter());
        let edges: Result<Date32Array> = rows
            .map(|row| match row {
                ((Some(date), Some(grain)), Some(calendar)) => {
                    let grain = Grain::parse(grain).map_err(external)?;
                    Ok(self.edge_of(date, grain, CalendarCode::parse(calendar).map_err(external)?))
                }
                _ => Ok(None),
            })
            .collect();
        Ok(Arc::new(edges?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn day(text: &str) -> Option<i32> {
        Some(Date32Type::from_naive_date(text.parse::<NaiveDate>().unwrap()))
    }

    #[test]
    fn narrow_and_wide_columns_agree() {
        let near = Date32Array::from(vec![day("2024-02-29"), None, day("2023-12-31")]);
        let wide = Date32Array::from(vec![day("2024-02-29"), None, day("2023-12-31"), day("1650-05-05")]);
        let expected = [day("2024-02-01"), None, day("2023-12-01")];
        for days in [near, wide] {
            let starts = Period::start().edges(&days, Grain::Month, CalendarCode::Iso);
            assert_eq!(starts.iter().take(3).collect::<Vec<_>>(), expected);
        }
        let none = Date32Array::new_null(2);
        assert_eq!(Period::end().edges(&none, Grain::Week, CalendarCode::Iso).null_count(), 2);
    }
}
