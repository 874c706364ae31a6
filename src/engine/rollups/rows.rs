//! A rollup's rows as a table: a column of a file is held in memory once a query has read it, as far as they fit. Files never
//! change, so what was read of one stays true for as long as somebody asks for it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_empty_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result as DfResult, project_schema};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use futures::TryStreamExt;

use super::contract::{BUILT_FROM, HASHES};
use super::held::Held;
use crate::engine::scan::{SnapshotTable, guard};
use crate::error::{Error, Result};
use crate::lake::{DataFile, Lake, TableState};
use crate::model::MONTH;

/// The rows of a rollup's current months.
pub struct RollupRows {
    lake: Lake,
    held: Arc<Held>,
    state: TableState,
    files: SnapshotTable,
}

impl std::fmt::Debug for RollupRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RollupRows({:?})", self.files)
    }
}

impl RollupRows {
    /// The rows in the files of `state`, which `files` scans.
    pub fn new(lake: &Lake, held: &Arc<Held>, state: TableState, files: SnapshotTable) -> RollupRows {
        RollupRows { lake: lake.clone(), held: Arc::clone(held), state, files }
    }

    /// The columns `wanted` of one file; those that are not held are read, and held from then on.
    async fn columns(&self, file: &DataFile, wanted: &SchemaRef) -> Result<Vec<ArrayRef>> {
        let fields = wanted.fields().iter();
        let mut columns: Vec<Option<ArrayRef>> = fields.map(|field| self.held.get(file, field.name())).collect();
        let missing: Vec<usize> = (0..columns.len()).filter(|at| columns[*at].is_none()).collect();
        if !missing.is_empty() {
            let names: Vec<&str> = missing.iter().map(|at| wanted.field(*at).name().as_str()).collect();
            let batches = self.lake.batches(&self.state, file, Some(&names)).await?;
            let batches: Vec<RecordBatch> = batches.try_collect().await?;
            for at in missing {
                let field = wanted.field(at);
                let values = column(&batches, field.name(), field.data_type())?;
                self.held.put(self.state.table.name, file, field.name(), &values);
                columns[at] = Some(values);
            }
        }
        Ok(columns.into_iter().flatten().collect())
    }
}

/// Only refreshes read hashes and marks.
fn is_read(name: &str) -> bool {
    !name.ends_with(HASHES) && name != BUILT_FROM && name != MONTH
}

/// A column of all `batches`, of type `kind`.
fn column(batches: &[RecordBatch], name: &str, kind: &DataType) -> Result<ArrayRef> {
    let parts = batches.iter().map(|batch| {
        let part = batch.column_by_name(name);
        let part = part.ok_or_else(|| Error::internal(format!("a rollup's file without {name}")))?;
        Ok(cast(part, kind)?)
    });
    let parts = parts.collect::<Result<Vec<ArrayRef>>>()?;
    match parts.as_slice() {
        [] => Ok(new_empty_array(kind)),
        parts => Ok(concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<&dyn Array>>())?),
    }
}

#[async_trait]
impl TableProvider for RollupRows {
    fn schema(&self) -> SchemaRef {
        TableProvider::schema(&self.files)
    }
    fn table_type(&self) -> TableType {
        TableType::Base
    }
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DfResult<Vec<TableProviderFilterPushDown>> {
        // Held rows are taken file by file. Whether they are held is known when they are scanned.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        guard(session.config())?;
        let schema = TableProvider::schema(&self.files);
        let wanted = project_schema(&schema, projection)?;
        let keep = self.files.keep(session, filters)?;
        let kept: Vec<&Arc<DataFile>> =
            self.state.files.iter().zip(keep).filter(|(_, keep)| *keep).map(|(file, _)| file).collect();
        let rows = kept.iter().map(|file| file.rows).sum();
        let held = wanted.fields().iter().all(|field| is_read(field.name()));
        if !held || !self.held.fits(self.state.table.name, &wanted, rows) {
            return self.files.scan(session, projection, filters, limit).await;
        }
        let size = session.config().batch_size().max(1);
        let mut parts: Vec<Vec<RecordBatch>> = vec![Vec::new(); session.config().target_partitions().max(1)];
        let mut next = 0;
        for file in kept {
            let columns = self.columns(file, &wanted).await;
            let columns = columns.map_err(|error| DataFusionError::External(Box::new(error)))?;
            let count = columns.first().map_or(file.rows as usize, |column| column.len());
            let options = RecordBatchOptions::new().with_row_count(Some(count));
            let rows = RecordBatch::try_new_with_options(Arc::clone(&wanted), columns, &options)?;
            for from in (0..count).step_by(size) {
                let part = next % parts.len();
                parts[part].push(rows.slice(from, size.min(count - from)));
                next += 1;
            }
        }
        parts.retain(|part| !part.is_empty());
        if parts.is_empty() {
            return Ok(Arc::new(EmptyExec::new(wanted)));
        }
        MemTable::try_new(wanted, parts)?.scan(session, None, &[], limit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_and_marks_are_not_held() {
        let names = ["orders", "orders_hashes", "built_from", "business_month", "business_date"];
        let read: Vec<&str> = names.into_iter().filter(|name| is_read(name)).collect();
        assert_eq!(read, ["orders", "business_date"]);
    }
}
