//! What a file's Delta statistics may promise DataFusion. `Exact` values stand in for data, so only what is exact is called so
//! (engine rule: dates and integers; texts too short to have been cut; never instants, floats or decimals).

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Result};
use crate::lake::{ColumnStats, DataFile, Stat};
use crate::model::{Kind, Table};

/// Texts from this length on may have been cut by whoever wrote the statistics.
const MAY_BE_CUT: usize = 32;

/// The type in which the engine reads a stored type: texts and bytes as views, one type everywhere, so that join keys are equal.
pub fn view_type(kind: &DataType) -> DataType {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        other => other.clone(),
    }
}

/// `schema` with [`view_type`] applied to each field.
pub fn view_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|f| f.as_ref().clone().with_data_type(view_type(f.data_type())));
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<Field>>(), schema.metadata().clone()))
}

/// A bound as a scalar of the column's type; NULL when unknown.
///
/// # Errors
/// A statistic of another type than the column's.
pub fn bound(kind: Kind, stat: Option<&Stat>) -> Result<ScalarValue> {
    let unknown = || ScalarValue::try_from(&view_type(&kind.arrow())).map_err(|e| Error::internal(e.to_string()));
    match (kind, stat) {
        (_, None) => unknown(),
        (Kind::Int, Some(Stat::Long(v))) => {
            i32::try_from(*v).map_or_else(|_| unknown(), |v| Ok(ScalarValue::Int32(Some(v))))
        }
        (Kind::Long, Some(Stat::Long(v))) => Ok(ScalarValue::Int64(Some(*v))),
        (Kind::Date, Some(Stat::Date(v))) => Ok(ScalarValue::Date32(Some(*v))),
        (Kind::Instant, Some(Stat::Instant(v))) => Ok(ScalarValue::TimestampMicrosecond(Some(*v), Some("UTC".into()))),
        (kind, Some(Stat::Text(v))) if kind.is_text() => Ok(ScalarValue::Utf8View(Some(v.clone()))),
        (kind, Some(other)) => Err(Error::internal(format!("a statistic {other:?} for a column of kind {kind:?}"))),
    }
}

/// Statistics of one file for its stored columns, in their order, without the partition column.
pub fn of_file(table: &Table, file: &DataFile) -> Result<Statistics> {
    let columns = table.stored_columns().map(|column| match file.stats.get(column.name) {
        Some(stats) if column.kind.prunes() => of_column(column.kind, stats),
        Some(stats) => Ok(ColumnStatistics { null_count: nulls(stats), ..ColumnStatistics::new_unknown() }),
        None => Ok(ColumnStatistics::new_unknown()),
    });
    Ok(Statistics {
        num_rows: Precision::Exact(file.rows as usize),
        total_byte_size: Precision::Inexact(file.size as usize),
        column_statistics: columns.collect::<Result<_>>()?,
    })
}

fn of_column(kind: Kind, stats: &ColumnStats) -> Result<ColumnStatistics> {
    let exact = match kind {
        Kind::Int | Kind::Long | Kind::Date => true,
        _ => short(&stats.min) && short(&stats.max),
    };
    let precision = |stat: Option<&Stat>| -> Result<Precision<ScalarValue>> {
        let value = bound(kind, stat)?;
        Ok(match (value.is_null() || kind == Kind::Instant, exact) {
            (true, _) => Precision::Absent,
            (false, true) => Precision::Exact(value),
            (false, false) => Precision::Inexact(value),
        })
    };
    Ok(ColumnStatistics {
        null_count: nulls(stats),
        min_value: precision(stats.min.as_ref())?,
        max_value: precision(stats.max.as_ref())?,
        ..ColumnStatistics::new_unknown()
    })
}

fn nulls(stats: &ColumnStats) -> Precision<usize> {
    stats.nulls.map_or(Precision::Absent, |n| Precision::Exact(n as usize))
}

fn short(stat: &Option<Stat>) -> bool {
    matches!(stat, Some(Stat::Text(text)) if text.len() < MAY_BE_CUT)
}

/// Rows and bytes of some files, nothing about columns: the price of being cheap per query.
pub fn of_some<'a>(files: impl Iterator<Item = &'a Statistics>, schema: &Schema) -> Statistics {
    let mut total = Statistics::new_unknown(schema);
    total.num_rows = Precision::Exact(0);
    total.total_byte_size = Precision::Inexact(0);
    for file in files {
        total.num_rows = total.num_rows.add(&file.num_rows);
        total.total_byte_size = total.total_byte_size.add(&file.total_byte_size);
    }
    total
}
