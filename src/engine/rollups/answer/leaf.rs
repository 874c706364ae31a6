//! The view's own place: the rollup's rows of the months that are current, the view's of those that are not.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::common::{Column, Result};
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    BinaryExpr, Expr, Filter, LogicalPlan, Operator, Projection, TableScan, TableScanBuilder, lit,
};
use datafusion::scalar::ScalarValue;

use super::super::{Kind, Month, Ready};
use super::path::united;
use super::{Chosen, Need, No, Rewrite, expr, no, not_now};

impl<'a> Rewrite<'a> {
    pub fn leaf(&self, chosen: &Chosen<'a>, scan: &TableScan, need: &Need) -> Result<LogicalPlan> {
        if !scan.filters.is_empty() || scan.fetch.is_some() || scan.projection.is_some() {
            return no("a part of the view is read");
        }
        let asked = chosen.ready.months(&days(&need.filters, chosen.ready.rollup().date()));
        let mut parts = self.months(chosen, scan, need, &asked, true)?;
        if parts.len() == 1 {
            return Ok(LogicalPlan::clone(&parts.remove(0)));
        }
        united(parts, need)
    }

    /// The rows of the months `asked`, the only ones that the filters let through if `all`: one or more plans, for one union, as
    /// DataFusion 55 moves filters into unions of unions under wrong types.
    fn months(
        &self,
        chosen: &Chosen<'a>,
        scan: &TableScan,
        need: &Need,
        asked: &BTreeSet<Month>,
        all: bool,
    ) -> Result<Vec<Arc<LogicalPlan>>> {
        let (ready, changing) = (chosen.ready, chosen.months.changing());
        let counted = need.items.iter().find(|item| item.kind == Kind::Once && !expr::is_null(&item.expr));
        let current: BTreeSet<Month> = asked.iter().copied().filter(|month| ready.is_current(*month)).collect();
        let own: BTreeSet<Month> = current.difference(&changing).copied().collect();
        let rest: BTreeSet<Month> = asked.difference(&own).copied().collect();
        if let (Some(item), Some(month)) = (counted, own.iter().find(|month| ready.is_split(**month))) {
            return not_now(format!("in month {month} {} lies in several of its rows", expr::bare(&item.expr)));
        }
        let Some(first) = rest.first() else {
            return Ok(vec![Arc::new(kept(chosen, scan, need, (!all).then_some(&own))?)]);
        };
        if own.is_empty() {
            return match current.is_empty() {
                true => not_now(format!("none of its months is current: {first} …")),
                false => no("its months are asked by the day"),
            };
        }
        let mut parts = vec![Arc::new(kept(chosen, scan, need, (!all || own != current).then_some(&own))?)];
        match (self.finer(ready, scan, need, asked, &rest)?, counted) {
            (Some(finer), _) => parts.extend(finer),
            (None, None) => parts.push(Arc::new(self.told(scan, need, &rest, ready.rollup().date())?)),
            (None, Some(item)) => {
                return not_now(format!(
                    "month {first} is not current, and {} is counted once",
                    expr::bare(&item.expr)
                ));
            }
        }
        Ok(parts)
    }

    /// The rows of `months`, some of those `asked`, by another rollup of the same view that tells days, where `ready` tells
    /// months. That a value which is counted once lies in months of both is known only where one of them has all that are asked.
    fn finer(
        &self,
        ready: &Ready,
        scan: &TableScan,
        need: &Need,
        asked: &BTreeSet<Month>,
        months: &BTreeSet<Month>,
    ) -> Result<Option<Vec<Arc<LogicalPlan>>>> {
        let counts = need.items.iter().any(|item| item.kind == Kind::Once && !expr::is_null(&item.expr));
        let apart = |of: &Ready| asked.iter().all(|month| of.is_current(*month) && !of.is_split(*month));
        let same = |other: &&'a Arc<Ready>| {
            let (other, own) = (other.rollup(), ready.rollup());
            own.is_by_month() && !other.is_by_month() && other.view() == own.view() && other.date() == own.date()
        };
        for other in self.all.iter().filter(same).filter(|other| !counts || apart(ready) || apart(other)) {
            match self.months(&Chosen::new(other, self.session), scan, need, months, false) {
                Ok(parts) => {
                    self.also.borrow_mut().insert(other.rollup().name().into());
                    return Ok(Some(parts));
                }
                Err(DataFusionError::External(error)) if error.is::<No>() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The view's own rows of `months`.
    fn told(&self, scan: &TableScan, need: &Need, months: &BTreeSet<Month>, date: &str) -> Result<LogicalPlan> {
        let within = within(&Expr::Column(Column::new(Some(scan.table_name.clone()), date)), months);
        let rows = LogicalPlan::TableScan(scan.clone());
        let mut columns: Vec<Expr> = need.columns.iter().cloned().map(Expr::Column).collect();
        for item in &need.items {
            columns.push(self.of_one_row(item, &rows)?.alias(&item.name));
        }
        let rows = Filter::try_new(within, Arc::new(rows))?;
        let told = LogicalPlan::Projection(Projection::try_new(columns, Arc::new(LogicalPlan::Filter(rows)))?);
        self.from_tables.set(self.from_tables.get() + months.len());
        Ok(told)
    }
}

/// The rollup's rows, of `months` if only some are meant, under the names of the view's columns.
fn kept(chosen: &Chosen<'_>, scan: &TableScan, need: &Need, months: Option<&BTreeSet<Month>>) -> Result<LogicalPlan> {
    let (ready, translator) = (chosen.ready, chosen.translator(scan));
    let source = provider_as_source(Arc::clone(ready.rows()) as _);
    let mut rows = LogicalPlan::TableScan(TableScanBuilder::new(ready.place(), source).build()?);
    if let Some(months) = months {
        let date = Expr::Column(Column::new(Some(ready.place()), ready.rollup().date()));
        rows = LogicalPlan::Filter(Filter::try_new(within(&date, months), Arc::new(rows))?);
    }
    let mut columns = Vec::new();
    for column in &need.columns {
        let Some(value) = translator.by_keys(&expr::item(&column.name)) else {
            return no(format!("it does not tell {}", column.name));
        };
        columns.push(value.alias_qualified(column.relation.clone(), &column.name));
    }
    for item in &need.items {
        let of = expr::bare(&item.expr);
        let Some(value) = translator.item(item.kind, &of) else { return no(format!("it does not tell {of}")) };
        columns.push(value.alias(&item.name));
    }
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(rows))?))
}

/// Whether `date` is in one of `months`: a condition for each run of months.
fn within(date: &Expr, months: &BTreeSet<Month>) -> Expr {
    let mut runs: Vec<(Month, Month)> = Vec::new();
    for month in months {
        match runs.last_mut() {
            Some((_, end)) if end == month => *end = month.next(),
            _ => runs.push((*month, month.next())),
        }
    }
    let run = |(from, to): (Month, Month)| {
        date.clone().gt_eq(date_of(from.first_day())).and(date.clone().lt(date_of(to.first_day())))
    };
    runs.into_iter().map(run).reduce(Expr::or).unwrap_or_else(|| lit(false))
}

/// The days that rows can have that pass `filters`, as days since 1970.
fn days(filters: &[Expr], date: &str) -> RangeInclusive<i32> {
    let (mut first, mut last) = (i32::MIN, i32::MAX);
    for part in filters.iter().flat_map(split_conjunction) {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = part else { continue };
        let (op, day) = match (is_day(left, date), is_day(right, date)) {
            (true, _) => (Some(*op), day_of(right)),
            (_, true) => (op.swap(), day_of(left)),
            _ => continue,
        };
        let (Some(op), Some(day)) = (op, day) else { continue };
        match op {
            Operator::Eq => (first, last) = (first.max(day), last.min(day)),
            Operator::GtEq => first = first.max(day),
            Operator::Gt => first = first.max(day.saturating_add(1)),
            Operator::LtEq => last = last.min(day),
            Operator::Lt => last = last.min(day.saturating_sub(1)),
            _ => {}
        }
    }
    first..=last
}

fn date_of(day: i32) -> Expr {
    lit(ScalarValue::Date32(Some(day)))
}

fn is_day(of: &Expr, date: &str) -> bool {
    matches!(expr::unaliased(of), Expr::Column(Column { name, .. }) if name == date)
}

/// A date that is written.
fn day_of(of: &Expr) -> Option<i32> {
    let value = match expr::unaliased(of) {
        Expr::Literal(value, _) => value.clone(),
        Expr::Cast(cast) => match expr::unaliased(&cast.expr) {
            Expr::Literal(value, _) => value.cast_to(cast.field.data_type()).ok()?,
            _ => return None,
        },
        _ => return None,
    };
    match value {
        ScalarValue::Date32(day) => day,
        _ => None,
    }
}
