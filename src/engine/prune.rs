//! Which files of a snapshot may hold rows that pass a filter. It only ever says "surely none": an error costs pruning, never rows.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StringViewArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::catalog::Session;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchema, Result as DfResult};
use datafusion::datasource::listing::helpers::expr_applicable_for_cols;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::InList;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::scalar::ScalarValue;

use super::stats::bound;
use crate::error::Result;
use crate::lake::DataFile;
use crate::model::{Column as Contract, MONTH, Table};

/// `IN` lists up to this length become nested comparisons; longer ones on text keys go through [`FileIndex::in_list`].
const NESTED_IN_LIST: usize = 16;

/// Bounds of one column, one entry per file; NULL = unknown.
#[derive(Debug)]
struct Bounds {
    min: ArrayRef,
    max: ArrayRef,
    nulls: ArrayRef,
}

/// The statistics of all files of one table version, by column.
#[derive(Debug)]
pub struct FileIndex {
    rows: ArrayRef,
    columns: BTreeMap<&'static str, Bounds>,
    months: Option<RecordBatch>,
}

impl FileIndex {
    pub fn new(table: &'static Table, files: &[Arc<DataFile>]) -> Result<FileIndex> {
        let mut columns = BTreeMap::new();
        for column in table.stored_columns().filter(|c| c.kind.prunes() && table.stats.contains(&c.name)) {
            columns.insert(column.name, Bounds::of(column, files)?);
        }
        let months = table.partitioned().then(|| months(files)).transpose()?;
        if let Some(batch) = &months {
            let month = Arc::clone(batch.column(0));
            let nulls: ArrayRef = Arc::new(UInt64Array::from(vec![0; files.len()]));
            columns.insert(MONTH, Bounds { min: Arc::clone(&month), max: month, nulls });
        }
        Ok(FileIndex { rows: Arc::new(UInt64Array::from_iter_values(files.iter().map(|f| f.rows))), columns, months })
    }

    /// Whether `filter` reads nothing but the partition column, so that [`FileIndex::keep`] decides it exactly.
    pub fn decides(&self, filter: &Expr) -> bool {
        let foreign = |e: &Expr| matches!(e, Expr::OuterReferenceColumn(..) | Expr::Placeholder(_)) || is_subquery(e);
        let plain = filter.exists(|e| Ok(foreign(e))).is_ok_and(|found| !found);
        self.months.is_some() && plain && expr_applicable_for_cols(&[MONTH], filter)
    }

    /// One flag per file: may it hold rows that pass all `filters`?
    ///
    /// # Errors
    /// A filter that [`FileIndex::decides`] was promised for and that cannot be evaluated.
    pub fn keep(&self, session: &dyn Session, schema: &SchemaRef, filters: &[Expr]) -> DfResult<Vec<bool>> {
        let mut keep = vec![true; self.rows.len()];
        let df_schema = DFSchema::try_from(Arc::clone(schema))?;
        for filter in filters {
            if self.decides(filter) {
                self.and_months(session, filter, &mut keep)?;
            } else if let Some(in_list) = self.in_list(filter) {
                and(&mut keep, in_list);
            } else if let Ok(predicate) = session.create_physical_expr(filter.clone(), &df_schema) {
                // One by one: a filter that cannot prune must not spoil the others.
                let builder = PruningPredicateBuilder::new().with_max_in_list_size(NESTED_IN_LIST);
                if let Some(pruning) = builder.with_file_schema(Arc::clone(schema)).build(predicate)
                    && let Ok(may) = pruning.prune(self)
                {
                    and(&mut keep, may);
                }
            }
        }
        Ok(keep)
    }

    fn and_months(&self, session: &dyn Session, filter: &Expr, keep: &mut [bool]) -> DfResult<()> {
        let Some(batch) = &self.months else { return Ok(()) };
        let predicate = session.create_physical_expr(filter.clone(), &DFSchema::try_from(batch.schema())?)?;
        let passed = predicate.evaluate(batch)?.into_array(batch.num_rows())?;
        let passed = datafusion::common::cast::as_boolean_array(&passed)?;
        and(keep, (0..keep.len()).map(|i| passed.is_valid(i) && passed.value(i)));
        Ok(())
    }

    /// `column IN (texts)` of any length, by binary search; `None` = not such a filter.
    fn in_list(&self, filter: &Expr) -> Option<Vec<bool>> {
        let Expr::InList(InList { expr, list, negated: false }) = filter else { return None };
        let Expr::Column(column) = expr.as_ref() else { return None };
        let bounds = self.columns.get(column.name.as_str())?;
        let min = bounds.min.as_any().downcast_ref::<StringViewArray>()?;
        let max = bounds.max.as_any().downcast_ref::<StringViewArray>()?;
        let mut texts = list.iter().map(text).collect::<Option<Vec<_>>>()?;
        texts.sort_unstable();
        let may = |i: usize| {
            if min.is_null(i) || max.is_null(i) {
                return true;
            }
            let first = texts.partition_point(|t| *t < min.value(i));
            texts.get(first).is_some_and(|t| *t <= max.value(i))
        };
        Some((0..min.len()).map(may).collect())
    }
}

fn is_subquery(e: &Expr) -> bool {
    matches!(e, Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_))
}

fn text(e: &Expr) -> Option<&str> {
    match e {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        _ => None,
    }
}

fn and(keep: &mut [bool], may: impl IntoIterator<Item = bool>) {
    keep.iter_mut().zip(may).for_each(|(k, m)| *k &= m);
}

/// The partition column's value per file.
fn months(files: &[Arc<DataFile>]) -> Result<RecordBatch> {
    let months: ArrayRef = Arc::new(StringViewArray::from_iter(files.iter().map(|f| f.month.as_deref())));
    let schema = Schema::new(vec![Field::new(MONTH, DataType::Utf8View, true)]);
    Ok(RecordBatch::try_new(Arc::new(schema), vec![months])?)
}

impl Bounds {
    fn of(column: &Contract, files: &[Arc<DataFile>]) -> Result<Bounds> {
        let stats = || files.iter().map(|f| f.stats.get(column.name));
        let bounds = |pick: fn(&crate::lake::ColumnStats) -> Option<&crate::lake::Stat>| -> Result<ArrayRef> {
            let values = stats().map(|s| bound(column.kind, s.and_then(pick)));
            let values: Vec<ScalarValue> = values.collect::<Result<_>>()?;
            if values.is_empty() {
                return Ok(arrow::array::new_empty_array(&super::stats::view_type(&column.kind.arrow())));
            }
            ScalarValue::iter_to_array(values).map_err(super::classify::classify)
        };
        Ok(Bounds {
            min: bounds(|s| s.min.as_ref())?,
            max: bounds(|s| s.max.as_ref())?,
            nulls: Arc::new(UInt64Array::from_iter(stats().map(|s| s.and_then(|s| s.nulls)))),
        })
    }
}

impl PruningStatistics for FileIndex {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.columns.get(column.name.as_str()).map(|b| Arc::clone(&b.min))
    }
    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.columns.get(column.name.as_str()).map(|b| Arc::clone(&b.max))
    }
    fn num_containers(&self) -> usize {
        self.rows.len()
    }
    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        self.columns.get(column.name.as_str()).map(|b| Arc::clone(&b.nulls))
    }
    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::clone(&self.rows))
    }
    fn contained(&self, column: &Column, values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        let months = self.months.as_ref().filter(|_| column.name == MONTH)?;
        let wanted: Option<HashSet<&str>> = values.iter().map(|v| v.try_as_str().flatten()).collect();
        let wanted = wanted?;
        let months = months.column(0).as_any().downcast_ref::<StringViewArray>()?;
        Some(months.iter().map(|m| m.map(|m| wanted.contains(m))).collect())
    }
}
