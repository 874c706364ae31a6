//! A rollup's rows as a table: held in memory once a query has read them, as far as they fit. Files never change, so what was read
//! of one stays true for as long as somebody asks for it. It must not hold what no snapshot has any more.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
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
use super::held::{Held, least};
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
    /// What is held: all but hashes, which only refreshes read.
    read: SchemaRef,
}

impl std::fmt::Debug for RollupRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RollupRows({:?})", self.files)
    }
}

impl RollupRows {
    /// The rows in the files of `state`, which `files` scans.
    pub fn new(lake: &Lake, held: &Arc<Held>, state: TableState, files: SnapshotTable) -> RollupRows {
        let schema = TableProvider::schema(&files);
        let fields = schema.fields().iter().filter(|field| is_read(field.name())).cloned();
        let read = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        RollupRows { lake: lake.clone(), held: Arc::clone(held), state, files, read }
    }

    pub fn state(&self) -> &TableState {
        &self.state
    }

    /// Whether its rows may be held, by what is known now.
    fn fits(&self) -> bool {
        self.held.fits(&self.state.files, least(&self.read))
    }

    /// Reads and holds the rows of one file, with the table's columns but for those that no query reads.
    async fn rows(&self, file: &DataFile) -> Result<Arc<Vec<RecordBatch>>> {
        let names: Vec<&str> = self.read.fields().iter().map(|field| field.name().as_str()).collect();
        let batches = self.lake.batches(&self.state, file, Some(&names)).await?;
        let batches: Vec<RecordBatch> = batches.try_collect().await?;
        let conformed = batches.iter().map(|batch| conform(batch, &self.read)).collect::<Result<Vec<_>>>()?;
        let rows = Arc::new(conformed);
        self.held.put(file, Arc::clone(&rows));
        Ok(rows)
    }
}

fn is_read(name: &str) -> bool {
    !name.ends_with(HASHES) && name != BUILT_FROM && name != MONTH
}

fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| {
        let column = batch.column_by_name(field.name());
        let column = column.ok_or_else(|| Error::internal(format!("a rollup's file without {}", field.name())))?;
        Ok(cast(column, field.data_type())?)
    });
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_>>()?)?)
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
        let places = wanted.fields().iter().map(|field| self.read.index_of(field.name()).ok());
        let (true, Some(places)) = (self.fits(), places.collect::<Option<Vec<usize>>>()) else {
            return self.files.scan(session, projection, filters, limit).await;
        };
        let keep = self.files.keep(session, filters)?;
        let mut parts: Vec<Vec<RecordBatch>> = vec![Vec::new(); session.config().target_partitions().max(1)];
        let mut next = 0;
        for file in self.state.files.iter().zip(keep).filter(|(_, keep)| *keep).map(|(file, _)| file) {
            let rows = match self.held.get(file) {
                Some(rows) => rows,
                None => {
                    let rows = self.rows(file).await.map_err(|error| DataFusionError::External(Box::new(error)))?;
                    // What is known now may be more than was thought.
                    if !self.fits() {
                        return self.files.scan(session, projection, filters, limit).await;
                    }
                    rows
                }
            };
            for batch in rows.iter() {
                let count = parts.len();
                parts[next % count].push(batch.project(&places)?);
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
