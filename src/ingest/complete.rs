//! From what a SELECT gives to whole rows: header defaults, contract defaults, instants from wall clocks, the dates that
//! follow from them, keys, rates and amounts. It must not read tables: a row depends on itself, its file, its source and
//! the rates.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::{cast, is_null, kernels::zip::zip};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use chrono_tz::Tz;
use datafusion::common::DFSchema;
use datafusion::execution::context::SessionState;
use datafusion::physical_expr::PhysicalExpr;

use super::check::{Checks, physical};
use super::frame::{Findings, Frame, Last, decimals, schema_of};
use super::fx::FxRates;
use super::joined::Files;
use super::map::MapContext;
use super::plan::Given;
use super::source::Source;
use super::strict::strict;
use super::time::{self, Zones};
use super::{hash, money, text};
use crate::error::{Error, Result};
use crate::model::{Column, EventTime, Kind, Role, Severity, Table};

/// Columns that are the local date of another one, with the cut-off of the row.
const LOCAL_DATES: [(&str, &str); 9] = [
    ("paid_business_date", "paid_at"),
    ("cancelled_business_date", "cancelled_at"),
    ("shipped_business_date", "shipped_at"),
    ("delivered_business_date", "delivered_at"),
    ("promised_business_date", "promised_at"),
    ("promised_business_date", "promised_delivery_at"),
    ("expected_date", "expected_at"),
    ("first_received_date", "first_received_at"),
    ("last_received_date", "last_received_at"),
];

/// Prices of stock: a row that has one needs a rate.
const PRICES: [&str; 2] = ["unit_cost", "unit_retail"];

/// What completes the rows of one SELECT.
pub(crate) struct Completer {
    table: &'static Table,
    schema: SchemaRef,
    given: Vec<Given>,
    /// Header defaults: column and a value of its type, one row.
    header: Vec<(usize, ArrayRef)>,
    /// The zone of wall-clock times in a table without `tz`.
    zone: Option<String>,
    defaults: Vec<(usize, Arc<dyn PhysicalExpr>)>,
    event: Option<Arc<dyn PhysicalExpr>>,
    checks: Checks,
}

/// What rows come with besides the given columns.
pub(crate) struct Extra<'a> {
    /// The files that the rows are of.
    pub(crate) files: Files<'a>,
    pub(crate) content: Int64Array,
    /// Key columns that the source does not have.
    pub(crate) keys: Vec<(&'static str, ArrayRef)>,
}

impl Completer {
    pub(crate) fn new(
        state: &SessionState,
        source: &Source,
        table: &'static Table,
        given: &[Given],
    ) -> Result<Completer> {
        let schema = schema_of(table);
        let planned = DFSchema::try_from(Arc::clone(&schema)).map_err(|e| Error::internal(e.to_string()))?;
        let mut header = Vec::new();
        for (i, column) in table.columns().enumerate().filter(|(_, c)| c.role != Role::Engine) {
            let value = source.header.defaults.get(column.name).map(|v| constant(column, v)).transpose()?;
            let value = match (value, column.name) {
                (None, "source_system") => Some(Arc::new(StringArray::from(vec![source.system.as_str()])) as ArrayRef),
                (value, _) => value,
            };
            header.extend(value.map(|v| (i, v)));
        }
        let defaults = table.columns().enumerate().filter_map(|(i, c)| c.default.map(|sql| (i, sql)));
        let defaults = defaults.map(|(i, sql)| Ok((i, physical(state, &planned, sql)?))).collect::<Result<_>>()?;
        let event = match table.event {
            EventTime::At(sql) => Some(physical(state, &planned, sql)?),
            _ => None,
        };
        let zone = source.header.defaults.get("tz").and_then(|v| v.as_str()).map(str::to_string);
        let checks = Checks::new(state, &planned, table, given)?;
        Ok(Completer { table, schema, given: given.to_vec(), header, zone, defaults, event, checks })
    }

    /// Completes rows; `given` holds the SELECT's columns, `context` what all files have in common. Findings come in the order in which rules count.
    pub(crate) fn complete(
        &self,
        given: Vec<ArrayRef>,
        extra: &Extra<'_>,
        context: &MapContext,
        rates: &FxRates,
        findings: &mut Findings,
    ) -> Result<Frame> {
        let rows = extra.content.len();
        let mut frame = Frame::new(self.table, &self.schema, rows);
        let mut wall_clocks = Vec::new();
        for (given, array) in self.given.iter().zip(given) {
            if given.local {
                wall_clocks.push((given.column.name, array));
            } else {
                frame.set(given.column.name, array)?;
            }
        }
        for (name, array) in &extra.keys {
            frame.set(name, Arc::clone(array))?;
        }
        for (index, value) in &self.header {
            if frame.at(*index).null_count() > 0 {
                let value = repeat(value, rows)?;
                fill_nulls(&mut frame, *index, value)?;
            }
        }
        let zones = self.zones(&frame, context, findings)?;
        for (name, array) in wall_clocks {
            self.set_wall_clock(&mut frame, name, &array, &zones, findings)?;
        }
        for (index, default) in &self.defaults {
            if frame.at(*index).null_count() > 0 {
                let value = evaluate(default, &frame)?;
                fill_nulls(&mut frame, *index, value)?;
            }
        }
        let days = self.days(&mut frame, &zones)?;
        let found = self.rates(&mut frame, days.as_ref(), context, rates, findings)?;
        money::complete(&mut frame, &found, findings)?;
        self.envelope(&mut frame, extra)?;
        self.checks.run(&frame, extra.files, findings)?;
        Ok(frame)
    }

    /// Each row's zone: its own, else the header's, else the lake's (for tables without places).
    fn zones(&self, frame: &Frame, context: &MapContext, findings: &mut Findings) -> Result<Vec<Option<Tz>>> {
        let rows = frame.rows();
        let mut known = Zones::default();
        if !frame.has("tz") {
            let zone = self.zone.as_deref().map_or(Some(context.zone), |name| known.get(name));
            return Ok(vec![zone; rows]);
        }
        let mut zones = Vec::with_capacity(rows);
        let mut last = Last::new();
        for (row, name) in frame.text("tz")?.iter().enumerate() {
            let zone = name.and_then(|name| last.get(name, |n| known.get(n)));
            if let (Some(name), None) = (name, zone) {
                findings.reject(row, "V01", "tz", Some(name.into()), "a zone has an IANA name, such as Europe/Berlin");
            }
            zones.push(zone);
        }
        Ok(zones)
    }

    /// An instant given as the place's wall-clock time.
    fn set_wall_clock(
        &self,
        frame: &mut Frame,
        name: &str,
        array: &ArrayRef,
        zones: &[Option<Tz>],
        findings: &mut Findings,
    ) -> Result<()> {
        let array = array.as_primitive::<TimestampMicrosecondType>();
        let mut instants = Vec::with_capacity(array.len());
        let mut last = Last::new();
        for (row, (local, zone)) in array.iter().zip(zones).enumerate() {
            let at = local.zip(*zone).and_then(|key| last.get(key, |(local, zone)| time::to_utc(*local, *zone)));
            if at.is_some_and(|(_, doubtful)| doubtful) {
                findings.add(row, "V10", Severity::Warn, name, None, String::new());
            }
            instants.push(at.map(|(at, _)| at));
        }
        frame.set(name, Arc::new(TimestampMicrosecondArray::from(instants).with_timezone("UTC")))
    }

    /// `event_time` and the days that follow from instants. Returns the business dates.
    fn days(&self, frame: &mut Frame, zones: &[Option<Tz>]) -> Result<Option<Date32Array>> {
        let rows = frame.rows();
        let business = match self.table.event {
            EventTime::None => return Ok(None),
            EventTime::At(_) => {
                let event = self.event.as_ref().ok_or_else(|| Error::internal("an event without its time"))?;
                let event = cast(&evaluate(event, frame)?, &Kind::Instant.arrow())?;
                frame.set("event_time", event)?;
                let (dates, minutes) = local_days(frame, frame.instant("event_time")?, zones)?;
                frame.set("local_minute", Arc::new(minutes))?;
                dates
            }
            EventTime::EndOf(date) => {
                let dates = frame.date(date)?.clone();
                let close = |(day, zone): (Option<i32>, &Option<Tz>)| {
                    Some(time::to_utc((i64::from(day?) + 1) * time::MICROS_PER_DAY - 1, (*zone)?)?.0)
                };
                let event: TimestampMicrosecondArray = dates.iter().zip(zones).map(close).collect();
                frame.set("event_time", Arc::new(event.with_timezone("UTC")))?;
                frame.set("local_minute", Arc::new(Int32Array::from(vec![1439; rows])))?;
                dates
            }
        };
        let shared: ArrayRef = Arc::new(business.clone());
        frame.set("business_date", Arc::clone(&shared))?;
        // Of an order, by definition; of a return as long as its sale is unknown.
        frame.set_if_there("order_business_date", || Arc::clone(&shared))?;
        frame.set_if_there("is_sale_known", || Arc::new(BooleanArray::from(vec![false; rows])))?;
        for (date, instant) in LOCAL_DATES {
            if frame.has(date) && frame.has(instant) {
                let (dates, _) = local_days(frame, frame.instant(instant)?, zones)?;
                frame.set(date, Arc::new(dates))?;
            }
        }
        Ok(Some(business))
    }

    /// The rate of each row that has amounts, and V18 where there is none.
    fn rates(
        &self,
        frame: &mut Frame,
        days: Option<&Date32Array>,
        context: &MapContext,
        rates: &FxRates,
        findings: &mut Findings,
    ) -> Result<Vec<Option<i128>>> {
        let frozen = frame.has("fx_rate");
        let valued = frame.has("on_hand_cost_rc") || frame.has("cost_amount_rc");
        let (Some(days), true) = (days, frozen || valued) else {
            return Ok(vec![None; frame.rows()]);
        };
        let (mut found, mut dates) = (Vec::with_capacity(frame.rows()), Vec::with_capacity(frame.rows()));
        {
            let currencies = frame.text("currency")?;
            let prices: Vec<&str> = PRICES.into_iter().filter(|price| frame.has(price)).collect();
            let priced = |row| {
                let mut any = frozen;
                for price in &prices {
                    any |= frame.decimal(price)?.get(row).is_some();
                }
                Ok::<_, Error>(any)
            };
            let mut last = Last::new();
            for (row, (currency, day)) in currencies.iter().zip(days).enumerate() {
                let Some((currency, day)) = currency.zip(day) else {
                    found.push(None);
                    dates.push(None);
                    continue;
                };
                let rate = last.get((currency, day), |(currency, day)| rates.rate(currency, &context.currency, *day));
                if rate.is_none() && priced(row)? {
                    let date = time::date(day).map_or_else(|| day.to_string(), |d| d.to_string());
                    let says = format!(
                        "no rate from {currency} to {} for {date}; the record lands by itself once fx_rate has one",
                        context.currency
                    );
                    findings.add(row, "V18", Severity::Quarantine, "currency", Some(currency.into()), says);
                }
                found.push(rate.map(|(rate, _)| rate));
                dates.push(rate.map(|(_, date)| date));
            }
        }
        if frozen {
            frame.set("fx_rate", decimals(found.clone(), &Kind::Rate.arrow())?)?;
            frame.set("fx_date", Arc::new(Date32Array::from(dates)))?;
        }
        Ok(found)
    }

    /// Keys, hashes and where the row came from. When it landed, and in which batch, is landing's to say.
    fn envelope(&self, frame: &mut Frame, extra: &Extra<'_>) -> Result<()> {
        let rows = frame.rows();
        let key = self.table.key.iter().map(|k| Ok(Arc::clone(frame.get(k)?))).collect::<Result<Vec<_>>>()?;
        frame.set("row_key", Arc::new(hash::row_keys(&key, rows)?))?;
        frame.set("content_hash", Arc::new(extra.content.clone()))?;
        frame.set("source_file_id", Arc::new(extra.files.texts(rows, |file| &file.file_id)))?;
        frame.set("ingest_batch_id", Arc::new(StringArray::new_repeated("", rows)))?;
        frame.set("ingested_at", Arc::new(TimestampMicrosecondArray::from_value(0, rows).with_timezone("UTC")))
    }
}

/// Business dates and minutes of instants.
fn local_days(
    frame: &Frame,
    instants: &TimestampMicrosecondArray,
    zones: &[Option<Tz>],
) -> Result<(Date32Array, Int32Array)> {
    let cutoffs = frame.get("day_cutoff_minutes")?.as_primitive::<arrow::datatypes::Int32Type>();
    let mut last = Last::new();
    let days = instants.iter().zip(zones).enumerate().map(|(row, (at, zone))| {
        let (at, zone) = at.zip(*zone)?;
        let cutoff = if cutoffs.is_valid(row) { cutoffs.value(row) } else { 0 };
        last.get((at, zone, cutoff), |(at, zone, cutoff)| time::local_day(*at, *zone, *cutoff))
    });
    let days: Vec<_> = days.collect();
    Ok((days.iter().map(|d| d.map(|d| d.business_date)).collect(), days.iter().map(|d| d.map(|d| d.minute)).collect()))
}

fn evaluate(expr: &Arc<dyn PhysicalExpr>, frame: &Frame) -> Result<ArrayRef> {
    let value = expr.evaluate(&frame.batch()?).and_then(|v| v.into_array(frame.rows()));
    value.map_err(|e| Error::internal(format!("{}: {expr}: {e}", frame.table.name)))
}

/// Puts `values` where the column has none.
fn fill_nulls(frame: &mut Frame, index: usize, values: ArrayRef) -> Result<()> {
    let column = frame.at(index);
    let values = if values.data_type() == column.data_type() {
        values
    } else {
        strict(&values, column.data_type()).map_err(|e| Error::internal(e.to_string()))?
    };
    let filled = if column.null_count() == column.len() { values } else { zip(&is_null(column)?, &values, column)? };
    frame.set_at(index, filled)
}

/// The one value of `value`, `rows` times.
fn repeat(value: &ArrayRef, rows: usize) -> Result<ArrayRef> {
    match value.data_type() {
        arrow::datatypes::DataType::Utf8 => {
            Ok(Arc::new(StringArray::new_repeated(value.as_string::<i32>().value(0), rows)))
        }
        _ => Ok(arrow::compute::take(value, &arrow::array::UInt32Array::from_value(0, rows), None)?),
    }
}

/// A header default in the column's type, one row.
fn constant(column: &Column, value: &toml::Value) -> Result<ArrayRef> {
    let shown = match value {
        toml::Value::String(text) => text::normalise(text, column.kind).into_owned(),
        toml::Value::Array(_) | toml::Value::Table(_) => {
            return Err(Error::invalid(format!("[defaults] {} is a list or a table", column.name))
                .hint("give one text, number or flag"));
        }
        other => other.to_string(),
    };
    let array: ArrayRef = Arc::new(StringArray::from(vec![shown.as_str()]));
    let value =
        strict(&array, &column.kind.arrow()).map_err(|e| Error::invalid(format!("[defaults] {}: {e}", column.name)))?;
    let legal = column.values.is_empty() || column.values.contains(&shown.as_str());
    if value.is_null(0) || !legal || (column.name == "tz" && shown.parse::<Tz>().is_err()) {
        let hint = if column.values.is_empty() {
            column.about.to_string()
        } else {
            format!("one of {}", column.values.join(", "))
        };
        return Err(Error::invalid(format!("[defaults] {} cannot be {shown:?}", column.name)).hint(hint));
    }
    Ok(value)
}
