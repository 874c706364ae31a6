//! Dimensions as they are now (one row per id, with a true primary key, in memory) and over time (`*_history`).
//! The key is true by construction: each id's last version is taken here, whatever landed.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Constraint, Constraints, Result as DfResult};
use datafusion::datasource::MemTable;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::classify::classify;
use super::scan::guard;
use super::stats::{view_schema, view_type};
use super::view::ViewDefinition;
use crate::error::{Error, Result};
use crate::model::calendar::{calendar_batch, fiscal_calendar_batch};
use crate::model::{Table, TableKind};

/// The current rows of one dimension at one version of its table.
#[derive(Debug)]
pub struct CurrentDimension {
    table: &'static Table,
    version: i64,
    rows: Vec<RecordBatch>,
    memory: MemTable,
}

impl CurrentDimension {
    /// `rows` in the table's columns, one row per id.
    pub fn new(table: &'static Table, version: i64, rows: Vec<RecordBatch>) -> Result<CurrentDimension> {
        let schema = view_schema(&table.schema());
        let rows = rows.iter().map(|b| conform(b, &schema)).collect::<Result<Vec<_>>>()?;
        let id = table.id_column().ok_or_else(|| Error::internal(format!("{} is no dimension", table.name)))?;
        let memory = keyed(schema, rows.clone(), &[id])?;
        Ok(CurrentDimension { table, version, rows, memory })
    }

    pub fn table(&self) -> &'static Table {
        self.table
    }
    pub fn version(&self) -> i64 {
        self.version
    }
    /// The rows, texts as `Utf8View`.
    pub fn rows(&self) -> &[RecordBatch] {
        &self.rows
    }
}

#[async_trait]
impl TableProvider for CurrentDimension {
    fn schema(&self) -> SchemaRef {
        self.memory.schema()
    }
    fn constraints(&self) -> Option<&Constraints> {
        self.memory.constraints()
    }
    fn table_type(&self) -> TableType {
        TableType::Base
    }
    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        guard(session.config())?;
        self.memory.scan(session, projection, filters, limit).await
    }
}

/// The generated calendars by name.
pub fn calendars() -> Result<Vec<(&'static str, Arc<dyn TableProvider>)>> {
    Ok(vec![
        ("calendar", Arc::new(generated(calendar_batch()?, &["date_key"])?)),
        ("fiscal_calendar", Arc::new(generated(fiscal_calendar_batch()?, &["calendar_code", "date_key"])?)),
    ])
}

fn generated(batch: RecordBatch, key: &[&str]) -> Result<MemTable> {
    let schema = view_schema(&batch.schema());
    let batch = conform(&batch, &schema)?;
    keyed(schema, vec![batch], key)
}

fn keyed(schema: SchemaRef, rows: Vec<RecordBatch>, key: &[&str]) -> Result<MemTable> {
    let key = key.iter().map(|name| Ok(schema.index_of(name)?)).collect::<Result<Vec<_>>>()?;
    let constraints = Constraints::new_unverified(vec![Constraint::PrimaryKey(key)]);
    Ok(MemTable::try_new(schema, vec![rows]).map_err(classify)?.with_constraints(constraints))
}

/// `batch` with the columns, types and nullability of `schema`.
fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| {
        let column =
            batch.column_by_name(field.name()).ok_or_else(|| Error::internal(format!("no column {}", field.name())))?;
        Ok(cast(column, &view_type(field.data_type()))?)
    });
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_>>()?)?)
}

/// The last version of every id that is not deleted, as SQL over `base`.
pub fn current_sql(table: &'static Table) -> Option<String> {
    let id = table.id_column()?;
    let columns = quoted(table, |name| format!("\"{name}\""));
    Some(format!(
        "SELECT {columns} FROM (SELECT *, row_number() OVER (PARTITION BY \"{id}\" \
         ORDER BY valid_from DESC, source_version DESC, content_hash DESC) AS _last FROM base.\"{}\") \
         WHERE _last = 1 AND NOT is_deleted ORDER BY \"{id}\"",
        table.name
    ))
}

/// The first instant of the calendar: since ever.
const SINCE_EVER: &str = "arrow_cast('0001-01-01T00:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))')";

/// `<dimension>_history`: every version with `valid_from` (the first: since ever), `valid_to` (exclusive; NULL = still valid)
/// and `is_current`. A deleted version ends the one before it and is not listed.
pub fn history(table: &'static Table) -> Option<ViewDefinition> {
    let id = table.id_column()?;
    let columns = quoted(table, |name| match name {
        "valid_from" => format!("CASE WHEN _version = 1 THEN {SINCE_EVER} ELSE valid_from END AS valid_from"),
        _ => format!("\"{name}\""),
    });
    let over = format!("OVER (PARTITION BY \"{id}\" ORDER BY valid_from, source_version, content_hash)");
    let sql = format!(
        "SELECT {columns}, valid_to, valid_to IS NULL AS is_current FROM (SELECT *, row_number() {over} AS _version, \
         lead(valid_from) {over} AS valid_to FROM base.\"{}\") WHERE NOT is_deleted",
        table.name
    );
    let about =
        [("valid_to", "until when, exclusive; NULL = still valid"), ("is_current", "the version that holds now")];
    Some(ViewDefinition {
        name: format!("{}_history", table.name),
        path: format!("{}_history", table.name),
        about: format!("Every version of {} with its range of validity.", table.name),
        sql,
        policies: Default::default(),
        sliced: true,
        columns: about.map(|(name, about)| (name.to_string(), about.to_string())).into(),
    })
}

fn quoted(table: &'static Table, each: impl Fn(&str) -> String) -> String {
    table.stored_columns().map(|c| each(c.name)).collect::<Vec<_>>().join(", ")
}

/// The dimension tables of the model.
pub fn dimensions() -> impl Iterator<Item = &'static Table> {
    crate::model::TABLES.iter().copied().filter(|t| t.kind == TableKind::Dimension)
}

/// The type name that people know: `TEXT`, `DECIMAL(18,4)`, `DATE` …
pub fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "TEXT".into(),
        DataType::Int8 | DataType::Int16 | DataType::Int32 => "INT".into(),
        DataType::Int64 | DataType::UInt64 => "BIGINT".into(),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => "INT UNSIGNED".into(),
        DataType::Boolean => "BOOLEAN".into(),
        DataType::Date32 | DataType::Date64 => "DATE".into(),
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE".into(),
        DataType::Timestamp(_, None) => "TIMESTAMP".into(),
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => format!("DECIMAL({p},{s})"),
        DataType::Float32 => "REAL".into(),
        DataType::Float64 => "DOUBLE".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "BINARY".into()
        }
        DataType::List(item) | DataType::LargeList(item) => format!("LIST<{}>", type_name(item.data_type())),
        other => other.to_string(),
    }
}
