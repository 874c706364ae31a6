//! `compare`: the same statement over an earlier period, joined to the asked one (domain 4.1, K24). It must not plan: it takes
//! two plans of one statement.
//!
//! - Rows meet by the report's key, NULL meeting NULL; the bucket of an earlier row is mapped forward first ([`super::period`]).
//!   Without a key both results must be single rows.
//! - A row that only the earlier period has keeps its key, texts, dates and flags (its period is shown as the asked one);
//!   its measures and other numbers are NULL, never 0: there was no row to say so.
//! - `x_prev` is the earlier value, `x_growth` is growth(x, x_prev), NULL where one of the two buckets is incomplete
//!   (`is_partial_period`, if the report has it), unless both are and cover the same days of a year.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Date32Type};
use chrono::NaiveDate;
use datafusion::common::{Column, NullEquality, ScalarValue};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder, cast, lit, when};

use super::day_map::day_map;
use super::order::column;
use super::period::{self, Buckets, Step, Window};
use crate::engine::classify::classify;
use crate::engine::functions::growth;
use crate::engine::options::{Compare, Param};
use crate::error::{Error, Result};
use crate::model::calendar::{CalendarCode, Grain};

const NOW: &str = "now";
const BEFORE: &str = "before";
/// Marks the rows that a side of the full join really has.
const HERE: &str = "_here";
/// By convention, the parameter that names the calendar of the grain.
const CALENDAR: &str = "calendar";
/// By convention, the grain of which the whole period is the one bucket.
const WHOLE: &str = "all";
const PARTIAL: &str = "is_partial_period";

/// A comparison, its periods known.
#[derive(Debug)]
pub struct Comparison<'a> {
    compare: &'a Compare,
    key: &'a [String],
    now: Window,
    earlier: Window,
    steps: Vec<Step>,
    day_aligned: bool,
}

impl<'a> Comparison<'a> {
    /// `key` = the columns that identify a row; `params` hold the period and the grain.
    ///
    /// # Errors
    /// `Invalid`: parameters that are no dates, an empty period, a bucket that is not in the key or has no grain.
    pub fn of(compare: &'a Compare, key: &'a [String], params: &BTreeMap<String, Param>) -> Result<Comparison<'a>> {
        let now = Window { from: date(params, &compare.from)?, to: date(params, &compare.to)? };
        let buckets = buckets(compare, key, params)?;
        let earlier = period::earlier(now, compare.mode, buckets)?;
        let shown = buckets.filter(|_| compare.bucket.is_some());
        let steps = match shown {
            Some(buckets) => period::steps(now, earlier, compare.mode, buckets)?,
            None => vec![Step { earlier: earlier.from, now: now.from, now_end: now.to }],
        };
        Ok(Comparison { compare, key, now, earlier, steps, day_aligned: period::day_aligned(compare.mode, shown) })
    }

    /// `params` with the period moved to the earlier one.
    pub fn earlier_params(&self, params: &BTreeMap<String, Param>) -> BTreeMap<String, Param> {
        let mut params = params.clone();
        params.insert(self.compare.from.clone(), Param::Date(self.earlier.from));
        params.insert(self.compare.to.clone(), Param::Date(self.earlier.to));
        params
    }

    /// The rows of both periods side by side.
    ///
    /// # Errors
    /// `Invalid`: key, bucket or measures that are not columns of the result; several rows without a key.
    pub fn rows(&self, now: LogicalPlan, before: LogicalPlan) -> Result<LogicalPlan> {
        if self.key.is_empty() && now.max_rows().is_none_or(|n| n > 1) {
            return Err(Error::invalid("compare: the result may have many rows and its key is not known")
                .hint("name the columns that identify a row in the header's `key`"));
        }
        self.join(now, before, self.key)
    }

    /// The totals rows, one of each period, side by side.
    pub fn totals(&self, now: LogicalPlan, before: LogicalPlan) -> Result<LogicalPlan> {
        self.join(now, before, &[])
    }

    fn join(&self, now: LogicalPlan, before: LogicalPlan, key: &[String]) -> Result<LogicalPlan> {
        self.check(&now)?;
        let output = self.output(&now, key)?;
        let before = self.mapped_forward(before)?;
        let side = |plan: LogicalPlan, name: &str| {
            let columns = all_columns(&plan).into_iter().chain([lit(1_i8).alias(HERE)]);
            LogicalPlanBuilder::from(plan).project(columns.collect::<Vec<_>>())?.alias(name)?.build()
        };
        let on: Vec<&str> = if key.is_empty() { vec![HERE] } else { key.iter().map(String::as_str).collect() };
        let on_side = |side: &str| on.iter().map(|k| Column::new(Some(side), *k)).collect::<Vec<_>>();
        let joined = (|| {
            LogicalPlanBuilder::from(side(now, NOW)?)
                .join_detailed(
                    side(before, BEFORE)?,
                    JoinType::Full,
                    (on_side(NOW), on_side(BEFORE)),
                    None,
                    NullEquality::NullEqualsNull,
                )?
                .project(output)?
                .build()
        })();
        joined.map_err(classify)
    }

    fn check(&self, now: &LogicalPlan) -> Result<()> {
        for name in self.key.iter().chain(&self.compare.measures) {
            column(now.schema(), name).map_err(|e| e.context("compare"))?;
        }
        for name in self.compare.measures.iter().flat_map(|m| [prev_name(m), growth_name(m)]) {
            if column(now.schema(), &name).is_ok() {
                return Err(Error::invalid(format!("compare: the result has a column {name} already"))
                    .hint("give it another alias"));
            }
        }
        Ok(())
    }

    /// The result's own columns under their own names, then `x_prev` and `x_growth` of each measure.
    fn output(&self, now: &LogicalPlan, key: &[String]) -> Result<Vec<Expr>> {
        let side = |side: &str, name: &str| Expr::Column(Column::new(Some(side), name));
        let absent = side(NOW, HERE).is_null();
        let mut output = Vec::new();
        for field in now.schema().fields() {
            let name = field.name();
            let measure = self.compare.measures.contains(name);
            let shown = match key.contains(name) || (!measure && describes(field.data_type())) {
                true => when(absent.clone(), side(BEFORE, name)).otherwise(side(NOW, name)).map_err(classify)?,
                false => side(NOW, name),
            };
            output.push(shown.alias(name));
        }
        let partial = column(now.schema(), PARTIAL).ok().map(|_| {
            let (now, before) = (side(NOW, PARTIAL).is_true(), side(BEFORE, PARTIAL).is_true());
            if self.day_aligned { now.not_eq(before) } else { now.or(before) }
        });
        for measure in &self.compare.measures {
            let grown = growth().call(vec![side(NOW, measure), side(BEFORE, measure)]);
            let grown = match &partial {
                None => grown,
                Some(partial) => {
                    when(partial.clone(), lit(ScalarValue::Float64(None))).otherwise(grown).map_err(classify)?
                }
            };
            output.push(side(BEFORE, measure).alias(prev_name(measure)));
            output.push(grown.alias(growth_name(measure)));
        }
        Ok(output)
    }

    /// The earlier rows under the asked period's dates: `period_start`, `period_end` and the bucket. An earlier bucket without
    /// a counterpart is left out.
    fn mapped_forward(&self, before: LogicalPlan) -> Result<LogicalPlan> {
        let Some(bucket) = &self.compare.bucket else {
            return dated(before, &|name| match name {
                "period_start" => Some(date_literal(self.now.from)),
                "period_end" => Some(date_literal(self.now.to)),
                _ => None,
            });
        };
        let at = column(before.schema(), bucket)?;
        let start = self.map(at.clone(), "bucket_forward", |step| step.now);
        let end = self.map(at.clone(), "bucket_end_forward", |step| step.now_end);
        let kept = LogicalPlanBuilder::from(before).filter(at.is_null().or(start.clone().is_not_null()));
        let kept = kept.and_then(LogicalPlanBuilder::build).map_err(classify)?;
        dated(kept, &|name| match name {
            _ if name == bucket => Some(start.clone()),
            "period_start" => Some(start.clone()),
            "period_end" => Some(end.clone()),
            _ => None,
        })
    }

    fn map(&self, at: Expr, name: &'static str, to: impl Fn(&Step) -> NaiveDate) -> Expr {
        let days = |date: NaiveDate| Date32Type::from_naive_date(date);
        let pairs = self.steps.iter().map(|step| (days(step.earlier), days(to(step)))).collect();
        day_map(name, pairs).call(vec![cast(at, DataType::Date32)])
    }
}

/// `plan` with those day columns replaced that `replace` has an expression for, types and names kept.
fn dated(plan: LogicalPlan, replace: &dyn Fn(&str) -> Option<Expr>) -> Result<LogicalPlan> {
    let columns = plan.schema().iter().map(|(qualifier, field)| {
        let kind = field.data_type();
        match replace(field.name()).filter(|_| kind.is_temporal()) {
            None => Expr::Column(Column::from((qualifier, field))),
            Some(other) => cast(other, kind.clone()).alias_qualified(qualifier.cloned(), field.name()),
        }
    });
    let columns: Vec<Expr> = columns.collect();
    LogicalPlanBuilder::from(plan).project(columns).and_then(LogicalPlanBuilder::build).map_err(classify)
}

fn prev_name(measure: &str) -> String {
    format!("{measure}_prev")
}

fn growth_name(measure: &str) -> String {
    format!("{measure}_growth")
}

fn all_columns(plan: &LogicalPlan) -> Vec<Expr> {
    plan.schema().iter().map(|field| Expr::Column(Column::from(field))).collect()
}

/// Columns that say what a row is about rather than how much: they hold for the earlier row too.
fn describes(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, value) => describes(value),
        kind => kind.is_string() || kind.is_temporal() || *kind == DataType::Boolean,
    }
}

fn date_literal(date: NaiveDate) -> Expr {
    lit(ScalarValue::Date32(Some(Date32Type::from_naive_date(date))))
}

fn date(params: &BTreeMap<String, Param>, name: &str) -> Result<NaiveDate> {
    match params.get(name) {
        Some(Param::Date(date)) => Ok(*date),
        _ => {
            Err(Error::invalid(format!("compare: parameter {name} has no date"))
                .hint(format!("give {name} as YYYY-MM-DD")))
        }
    }
}

/// The grain is the text of the parameter that the comparison names, or a grain's own name; the calendar is the parameter
/// `calendar`, or iso. `None` = one bucket, the whole period: no grain, or the grain 'all', whose bucket begins at `from`.
fn buckets(compare: &Compare, key: &[String], params: &BTreeMap<String, Param>) -> Result<Option<Buckets>> {
    let text = |name: &str| match params.get(name) {
        Some(Param::Text(text)) => Some(text.clone()),
        _ => None,
    };
    if let Some(bucket) = compare.bucket.as_ref().filter(|b| !key.contains(b)) {
        let message = format!("compare: the bucket {bucket} is not in the key");
        return Err(Error::invalid(message).hint(format!("key: {}", key.join(", "))));
    }
    let grain = compare.grain.as_deref().map(|name| text(name).unwrap_or_else(|| name.to_string()));
    match grain.as_deref() {
        None if compare.bucket.is_some() => Err(Error::invalid("compare: how long a bucket is, is not known")
            .hint("the header's [period] names the grain's parameter, or a grain such as month")),
        None | Some(WHOLE) => Ok(None),
        Some(grain) => {
            let grain = Grain::parse(grain).map_err(|e| e.context("compare"))?;
            Ok(Some((grain, text(CALENDAR).map_or(Ok(CalendarCode::Iso), |c| CalendarCode::parse(&c))?)))
        }
    }
}

#[cfg(test)]
mod tests;
