//! Dimensions as they are now (one row per id, with a true primary key, in memory once a query needs them) and over time (`*_history`).
//! The key is true by construction: each id's last version is taken here, whatever landed.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, Int64Type, SchemaRef, TimestampMicrosecondType};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Constraint, Constraints, Result as DfResult};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::{ExecutionPlan, collect};
use tokio::sync::OnceCell;

use super::classify::classify;
use super::scan::{SnapshotTable, guard};
use super::stats::{view_schema, view_type};
use super::view::ViewDefinition;
use crate::error::{Error, Result};
use crate::model::calendar::{calendar_batch, fiscal_calendar_batch, holiday_calendar_batch};
use crate::model::{Table, TableKind};

/// The current rows of one dimension at one version of its table: read when the first query needs them, then kept.
#[derive(Debug)]
pub struct CurrentDimension {
    table: &'static Table,
    id: &'static str,
    /// Every version of every id.
    versions: Arc<SnapshotTable>,
    constraints: Constraints,
    current: OnceCell<Current>,
}

#[derive(Debug)]
struct Current {
    rows: Vec<RecordBatch>,
    memory: MemTable,
}

impl CurrentDimension {
    /// The dimension whose versions `versions` holds. Nothing is read yet.
    pub fn new(versions: Arc<SnapshotTable>) -> Result<CurrentDimension> {
        let table = versions.table();
        let id = table.id_column().ok_or_else(|| Error::internal(format!("{} is no dimension", table.name)))?;
        let constraints = primary_key(&versions.schema(), &[id])?;
        Ok(CurrentDimension { table, id, versions, constraints, current: OnceCell::new() })
    }

    pub fn table(&self) -> &'static Table {
        self.table
    }
    pub fn version(&self) -> i64 {
        self.versions.version()
    }

    /// The rows, one per id, texts as `Utf8View`.
    pub async fn rows(&self, session: &dyn Session) -> DfResult<&[RecordBatch]> {
        Ok(&self.current(session).await?.rows)
    }

    /// Whoever is first reads, under its own query's limits; a reader that is cancelled leaves it to the next.
    async fn current(&self, session: &dyn Session) -> DfResult<&Current> {
        let read = || async {
            let scan = self.versions.scan(session, None, &[], None).await?;
            let versions = collect(scan, Arc::new(TaskContext::from(session))).await?;
            let rows = newest(&versions, &self.schema(), self.id)?;
            let memory = MemTable::try_new(self.schema(), vec![rows.clone()])?;
            Ok(Current { rows, memory })
        };
        self.current.get_or_try_init(read).await
    }
}

#[async_trait]
impl TableProvider for CurrentDimension {
    fn schema(&self) -> SchemaRef {
        self.versions.schema()
    }
    fn constraints(&self) -> Option<&Constraints> {
        Some(&self.constraints)
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
        self.current(session).await?.memory.scan(session, projection, filters, limit).await
    }
}

/// Of every id the row of the last version (`valid_from`, then as landing orders rows), unless that one is deleted.
fn newest(versions: &[RecordBatch], schema: &SchemaRef, id: &str) -> DfResult<Vec<RecordBatch>> {
    let all = concat_batches(schema, versions)?;
    let column = |name: &str| {
        all.column_by_name(name).ok_or_else(|| DataFusionError::Internal(format!("a dimension without {name}")))
    };
    let ids = column(id)?.as_string_view();
    let since = column("valid_from")?.as_primitive::<TimestampMicrosecondType>();
    let versions = column("source_version")?.as_primitive::<Int64Type>();
    let hashes = column("content_hash")?.as_primitive::<Int64Type>();
    let deleted = column("is_deleted")?.as_boolean();
    let rank = |row: usize| (since.value(row), versions.value(row), hashes.value(row));
    let mut last: HashMap<&str, usize> = HashMap::with_capacity(all.num_rows());
    for (row, id) in ids.iter().enumerate() {
        let last = last.entry(id.unwrap_or_default()).or_insert(row);
        if rank(row) > rank(*last) {
            *last = row;
        }
    }
    let keep: BooleanArray = ids
        .iter()
        .enumerate()
        .map(|(row, id)| Some(last.get(id.unwrap_or_default()) == Some(&row) && !deleted.value(row)))
        .collect();
    let kept = filter_record_batch(&all, &keep)?;
    // Pieces of the usual size, so that a scan streams.
    Ok((0..kept.num_rows()).step_by(PIECE).map(|at| kept.slice(at, PIECE.min(kept.num_rows() - at))).collect())
}

/// Rows of a batch.
const PIECE: usize = 8192;

/// The names of the generated calendars, which are the same in every lake.
pub const CALENDARS: [&str; 3] = ["calendar", "fiscal_calendar", "holiday_calendar"];

/// The generated calendars by name.
pub fn calendars() -> Result<Vec<(&'static str, Arc<dyn TableProvider>)>> {
    let [days, fiscal, holidays] = CALENDARS;
    Ok(vec![
        (days, Arc::new(generated(calendar_batch()?, &["date_key"])?)),
        (fiscal, Arc::new(generated(fiscal_calendar_batch()?, &["calendar_code", "date_key"])?)),
        (holidays, Arc::new(generated(holiday_calendar_batch()?, &["holiday_set", "date_key"])?)),
    ])
}

fn generated(batch: RecordBatch, key: &[&str]) -> Result<MemTable> {
    let schema = view_schema(&batch.schema());
    let batch = conform(&batch, &schema)?;
    keyed(schema, vec![batch], key)
}

fn keyed(schema: SchemaRef, rows: Vec<RecordBatch>, key: &[&str]) -> Result<MemTable> {
    let constraints = primary_key(&schema, key)?;
    Ok(MemTable::try_new(schema, vec![rows]).map_err(classify)?.with_constraints(constraints))
}

fn primary_key(schema: &SchemaRef, key: &[&str]) -> Result<Constraints> {
    let key = key.iter().map(|name| Ok(schema.index_of(name)?)).collect::<Result<Vec<_>>>()?;
    Ok(Constraints::new_unverified(vec![Constraint::PrimaryKey(key)]))
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
        text: sql.clone(),
        sql,
        policies: Default::default(),
        sliced: true,
        needs: Vec::new(),
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
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => format!("DECIMAL({p},{s})"),
        DataType::Dictionary(_, value) => type_name(value),
        DataType::Float32 => "REAL".into(),
        DataType::Float64 => "DOUBLE".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "BINARY".into()
        }
        DataType::List(item) | DataType::LargeList(item) => format!("LIST<{}>", type_name(item.data_type())),
        other => other.to_string(),
    }
}
