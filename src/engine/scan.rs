//! A table at one version as a DataFusion table: our own list of files behind the stock Parquet scan.
//! It must not list storage, and it refuses to scan for a session that says nothing about who may see what.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use async_trait::async_trait;
use chrono::DateTime;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::{Result as DfResult, Statistics, project_schema};
use datafusion::datasource::MemTable;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::object_store::ObjectMeta;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::prelude::SessionConfig;
use datafusion::scalar::ScalarValue;

use super::prune::FileIndex;
use super::stats::{of_file, of_some, view_schema};
use crate::access::Scope;
use crate::error::{Error, ErrorKind, Result};
use crate::lake::{DataFile, TableState};
use crate::model::{MONTH, Table};

/// What the session of a query says about its caller; set as an extension of the session's configuration.
#[derive(Debug, Clone)]
pub struct SessionScope(pub Scope);

/// Fails unless `config` carries a scope: a path that forgot its caller must not read.
pub fn guard(config: &SessionConfig) -> DfResult<()> {
    match config.get_extension::<SessionScope>().as_deref() {
        Some(SessionScope(Scope::All)) => Ok(()),
        None => {
            let error = Error::new(ErrorKind::Denied, "a scan without a caller's scope");
            Err(DataFusionError::External(Box::new(error)))
        }
    }
}

/// Scans a table whose rows are made when they are asked for.
pub async fn scan_made(
    make: impl FnOnce() -> DfResult<RecordBatch>,
    session: &dyn Session,
    projection: Option<&Vec<usize>>,
    filters: &[Expr],
    limit: Option<usize>,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    guard(session.config())?;
    let made = make()?;
    let now = MemTable::try_new(made.schema(), vec![vec![made]])?;
    now.scan(session, projection, filters, limit).await
}

/// One table at one version.
pub struct SnapshotTable {
    table: &'static Table,
    version: i64,
    schema: SchemaRef,
    source_schema: TableSchema,
    files: Vec<PartitionedFile>,
    index: FileIndex,
    total: Statistics,
    store: ObjectStoreUrl,
}

impl std::fmt::Debug for SnapshotTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SnapshotTable({} at version {})", self.table.name, self.version)
    }
}

impl SnapshotTable {
    /// Prepares the files of `state` once for every query on it.
    pub fn new(state: &TableState, store: &ObjectStoreUrl) -> Result<SnapshotTable> {
        let table = state.table;
        let partition: Vec<FieldRef> = match table.partitioned() {
            true => vec![Arc::new(Field::new(MONTH, DataType::Utf8View, false))],
            false => vec![],
        };
        let source_schema =
            TableSchema::builder(view_schema(&table.file_schema())).with_table_partition_cols(partition).build();
        let schema = Arc::clone(source_schema.table_schema());
        let files = state.files.iter().map(|f| partitioned_file(table, f)).collect::<Result<Vec<_>>>()?;
        let statistics = files.iter().filter_map(|f| f.statistics.as_deref());
        let total = match files.is_empty() {
            true => Statistics::new_unknown(&schema),
            false => Statistics::try_merge_iter(statistics, &schema).map_err(super::classify::classify)?,
        };
        let index = FileIndex::new(table, &state.files)?;
        Ok(SnapshotTable {
            table,
            version: state.version,
            schema,
            source_schema,
            files,
            index,
            total,
            store: store.clone(),
        })
    }

    pub fn table(&self) -> &'static Table {
        self.table
    }
    /// One flag per file, in the order of the state's: may it hold rows that pass all `filters`?
    pub fn keep(&self, session: &dyn Session, filters: &[Expr]) -> DfResult<Vec<bool>> {
        self.index.keep(session, &self.schema, filters)
    }
    /// The Delta version; −1 for a table that was never written.
    pub fn version(&self) -> i64 {
        self.version
    }
}

fn partitioned_file(table: &'static Table, file: &DataFile) -> Result<PartitionedFile> {
    let meta = ObjectMeta {
        location: file.location.clone(),
        // Stable per file: the footer cache compares it.
        last_modified: DateTime::from_timestamp_millis(file.modified_ms).unwrap_or_default(),
        size: file.size,
        e_tag: None,
        version: None,
    };
    let values = match (table.partitioned(), &file.month) {
        (false, _) => vec![],
        (true, Some(month)) => vec![ScalarValue::Utf8View(Some(month.clone()))],
        (true, None) => {
            return Err(Error::internal(format!("{}: the file {} has no {MONTH}", table.name, file.path)));
        }
    };
    let statistics = Arc::new(of_file(table, file)?);
    Ok(PartitionedFile::new_from_meta(meta).with_partition_values(values).with_statistics(statistics))
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
    fn table_type(&self) -> TableType {
        TableType::Base
    }
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DfResult<Vec<TableProviderFilterPushDown>> {
        let exact = |f: &&Expr| match self.index.decides(f) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(exact).collect())
    }
    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        guard(session.config())?;
        let keep = self.index.keep(session, &self.schema, filters)?;
        let files: Vec<PartitionedFile> =
            self.files.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(file, _)| file.clone()).collect();
        if files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.schema, projection)?)));
        }
        let statistics = match files.len() == self.files.len() {
            true => self.total.clone(),
            false => of_some(files.iter().filter_map(|f| f.statistics.as_deref()), &self.schema),
        };
        let options = TableParquetOptions {
            global: session.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        let format = ParquetFormat::new().with_options(options);
        let groups = FileGroup::new(files).split_files(session.config().target_partitions());
        let config = FileScanConfigBuilder::new(self.store.clone(), format.file_source(self.source_schema.clone()))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        format.create_physical_plan(session, config).await
    }
}
