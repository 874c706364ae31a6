//! The view's own place: the rollup's rows of the months that are current, the view's of those that are not.

use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::common::{Column, Result};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    BinaryExpr, Expr, Filter, LogicalPlan, Operator, Projection, TableScan, TableScanBuilder, Union, lit,
};
use datafusion::scalar::ScalarValue;

use super::super::{Kind, Month, Ready};
use super::items::Item;
use super::translate::Translator;
use super::{Need, Rewrite, expr, no, not_now};

impl Rewrite<'_> {
    pub fn leaf(&self, ready: &Ready, scan: &TableScan, need: &Need) -> Result<LogicalPlan> {
        if !scan.filters.is_empty() || scan.fetch.is_some() || scan.projection.is_some() {
            return no("a part of the view is read");
        }
        let days = days(&need.filters, ready.rollup().date());
        let stale = ready.stale(&days);
        let counted = need.items.iter().find(|item| item.kind == Kind::Once && !expr::is_null(&item.expr));
        if let (Some(month), Some(item)) = (stale.first(), counted) {
            return not_now(format!("month {month} is not current, and {} is counted once", expr::bare(&item.expr)));
        }
        if let (Some(item), Some(month)) = (counted, ready.split(&days)) {
            return not_now(format!("in month {month} {} lies in several of its rows", expr::bare(&item.expr)));
        }
        if !stale.is_empty() && !ready.has_current(&days) {
            return not_now(format!("none of its months is current: {} …", stale[0]));
        }
        self.from_tables.set(self.from_tables.get() + stale.len());
        let kept = kept(ready, scan, need)?;
        if stale.is_empty() {
            return Ok(kept);
        }
        let told = self.told(scan, need, &stale, ready.rollup().date())?;
        let both = LogicalPlan::Union(Union::try_new_with_loose_types(vec![Arc::new(kept), Arc::new(told)])?);
        let columns = need
            .columns
            .iter()
            .map(|column| expr::item(&column.name).alias_qualified(column.relation.clone(), &column.name));
        let columns: Vec<Expr> = columns.chain(need.items.iter().map(Item::column)).collect();
        Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(both))?))
    }

    /// The view's own rows of `months`.
    fn told(&self, scan: &TableScan, need: &Need, months: &[Month], date: &str) -> Result<LogicalPlan> {
        let day = Expr::Column(Column::new(Some(scan.table_name.clone()), date));
        let within = months.iter().map(|month| {
            day.clone().gt_eq(date_of(month.first_day())).and(day.clone().lt(date_of(month.next().first_day())))
        });
        let within = within.reduce(Expr::or).unwrap_or_else(|| lit(false));
        let rows = LogicalPlan::TableScan(scan.clone());
        let mut columns: Vec<Expr> = need.columns.iter().cloned().map(Expr::Column).collect();
        for item in &need.items {
            columns.push(self.of_one_row(item, &rows)?.alias(&item.name));
        }
        let rows = Filter::try_new(within, Arc::new(rows))?;
        Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(LogicalPlan::Filter(rows)))?))
    }
}

/// The rollup's rows, under the names of the view's columns.
fn kept(ready: &Ready, scan: &TableScan, need: &Need) -> Result<LogicalPlan> {
    let translator = Translator { rollup: ready.rollup(), place: ready.place(), schema: &scan.projected_schema };
    let source = provider_as_source(Arc::clone(ready.rows()) as _);
    let rows = LogicalPlan::TableScan(TableScanBuilder::new(ready.place(), source).build()?);
    let mut columns = Vec::new();
    for column in &need.columns {
        let Some(value) = translator.key(&expr::item(&column.name)) else {
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
