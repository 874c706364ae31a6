//! Statistics of data files: computed exactly from the rows that we write, as Delta's JSON, and read back from it.
//!
//! Delta keeps timestamps in milliseconds, so a maximum is rounded up when written, and widened by a millisecond when
//! read (other writers cut it off). Decimals are left out: their statistics pass through floats in many readers.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::compute::kernels::aggregate::{max, max_string, min, min_string};
use arrow::datatypes::{Date32Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use chrono::{DateTime, NaiveDate, SecondsFormat};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::model::{Column, Kind, Table};

/// Longer texts get no minimum and maximum: the log would carry them for ever.
const TEXT_LIMIT: usize = 256;
const MICROS_PER_MILLI: i64 = 1000;

/// A least or greatest value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stat {
    /// Integers of any width.
    Long(i64),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970 in UTC. A maximum is an upper bound, up to two milliseconds too high.
    Instant(i64),
    /// Exact in files that we wrote; other writers may cut texts of 32 bytes and more.
    Text(String),
}

/// What is known of one column of one file. `min` and `max` are `None` where unknown and where all values are NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnStats {
    pub min: Option<Stat>,
    pub max: Option<Stat>,
    pub nulls: Option<u64>,
}

/// The columns of `table` that have file statistics.
pub(super) fn columns(table: &Table) -> impl Iterator<Item = &'static Column> + '_ {
    table.stats.iter().filter_map(|name| table.column(name)).filter(|c| c.kind.prunes())
}

/// Collects the statistics of one file while it is written.
pub(super) struct Collector {
    rows: u64,
    columns: Vec<(&'static Column, ColumnStats)>,
}

impl Collector {
    pub fn new(table: &Table) -> Collector {
        Collector { rows: 0, columns: columns(table).map(|c| (c, ColumnStats::default())).collect() }
    }

    /// Adds rows. `batch` must have the table's columns.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        for (column, stats) in &mut self.columns {
            let array = batch
                .column_by_name(column.name)
                .ok_or_else(|| Error::internal(format!("rows without column {}", column.name)))?;
            let (low, high) = extremes(column.kind, array.as_ref());
            stats.min = [stats.min.take(), low].into_iter().flatten().min();
            stats.max = [stats.max.take(), high].into_iter().flatten().max();
            stats.nulls = Some(stats.nulls.unwrap_or(0) + array.null_count() as u64);
        }
        Ok(())
    }

    /// Delta's JSON: numRecords, minValues, maxValues, nullCount.
    pub fn json(&self) -> String {
        let (mut low, mut high, mut nulls) = (Map::new(), Map::new(), Map::new());
        for (column, stats) in &self.columns {
            if let (Some(min), Some(max)) = (&stats.min, &stats.max)
                && [min, max].into_iter().all(short)
            {
                low.insert(column.name.into(), to_json(min, false));
                high.insert(column.name.into(), to_json(max, true));
            }
            nulls.insert(column.name.into(), json!(stats.nulls.unwrap_or(0)));
        }
        json!({"numRecords": self.rows, "minValues": low, "maxValues": high, "nullCount": nulls}).to_string()
    }
}

pub(super) fn extremes(kind: Kind, array: &dyn Array) -> (Option<Stat>, Option<Stat>) {
    match kind {
        Kind::Text | Kind::Code | Kind::UpperCode => {
            let array = array.as_string::<i32>();
            let text = |s: &str| Stat::Text(s.to_string());
            (min_string(array).map(text), max_string(array).map(text))
        }
        Kind::Int => {
            let array = array.as_primitive::<Int32Type>();
            (min(array).map(|v| Stat::Long(v.into())), max(array).map(|v| Stat::Long(v.into())))
        }
        Kind::Long => {
            let array = array.as_primitive::<Int64Type>();
            (min(array).map(Stat::Long), max(array).map(Stat::Long))
        }
        Kind::Date => {
            let array = array.as_primitive::<Date32Type>();
            (min(array).map(Stat::Date), max(array).map(Stat::Date))
        }
        Kind::Instant => {
            let array = array.as_primitive::<TimestampMicrosecondType>();
            (min(array).map(Stat::Instant), max(array).map(Stat::Instant))
        }
        _ => (None, None),
    }
}

fn short(stat: &Stat) -> bool {
    !matches!(stat, Stat::Text(text) if text.len() > TEXT_LIMIT)
}

pub(super) fn to_json(stat: &Stat, upper: bool) -> Value {
    match stat {
        Stat::Long(v) => json!(v),
        Stat::Text(text) => json!(text),
        Stat::Date(days) => json!(date(*days).map(|d| d.to_string())),
        Stat::Instant(micros) => {
            let down = micros.div_euclid(MICROS_PER_MILLI);
            let millis = if upper && micros.rem_euclid(MICROS_PER_MILLI) != 0 { down + 1 } else { down };
            json!(DateTime::from_timestamp_millis(millis).map(|t| t.to_rfc3339_opts(SecondsFormat::Millis, true)))
        }
    }
}

fn date(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(days)
}

/// Rows and column statistics from Delta's JSON; columns outside the contract are left out, as are values that do not
/// parse (unknown is always safe).
pub(super) fn parse(table: &Table, text: &str) -> Result<(u64, BTreeMap<String, ColumnStats>)> {
    let all: Value = serde_json::from_str(text).map_err(|e| Error::invalid(format!("file statistics: {e}")))?;
    let rows = all.get("numRecords").and_then(Value::as_u64).ok_or_else(|| {
        Error::invalid("file statistics without a number of rows").hint("write the file again with statistics")
    })?;
    let mut found = BTreeMap::new();
    for column in table.stored_columns().filter(|c| c.kind.prunes()) {
        let part = |name: &str| all.get(name).and_then(|values| values.get(column.name));
        let stats = ColumnStats {
            min: part("minValues").and_then(|v| from_json(column.kind, v, false)),
            max: part("maxValues").and_then(|v| from_json(column.kind, v, true)),
            nulls: part("nullCount").and_then(Value::as_u64),
        };
        if stats != ColumnStats::default() {
            found.insert(column.name.to_string(), stats);
        }
    }
    Ok((rows, found))
}

fn from_json(kind: Kind, value: &Value, upper: bool) -> Option<Stat> {
    match kind {
        Kind::Int | Kind::Long => value.as_i64().map(Stat::Long),
        Kind::Date => {
            let date = NaiveDate::parse_from_str(value.as_str()?, "%Y-%m-%d").ok()?;
            Some(Stat::Date(date.to_epoch_days()))
        }
        Kind::Instant => {
            let micros = DateTime::parse_from_rfc3339(value.as_str()?).ok()?.timestamp_micros();
            Some(Stat::Instant(if upper { micros + MICROS_PER_MILLI } else { micros }))
        }
        _ => value.as_str().map(|s| Stat::Text(s.to_string())),
    }
}
