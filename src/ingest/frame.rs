//! The rows of one table while they are completed: one array per column of the contract, inputs too, and what was found
//! wrong with them. It must not know rules.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Decimal128Array, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Field, Schema, SchemaRef, TimestampMicrosecondType};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::{Error, Result};
use crate::model::{Column, Severity, Table};

/// A broken rule.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// Row of the frame.
    pub(crate) row: usize,
    pub(crate) field: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    pub(crate) message: String,
}

/// What was found in a frame.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Of severity reject or quarantine.
    pub(crate) broken: Vec<Finding>,
    /// Per row: a warning.
    pub(crate) warned: Vec<bool>,
}

impl Findings {
    pub(crate) fn new(rows: usize) -> Self {
        Findings { broken: Vec::new(), warned: vec![false; rows] }
    }
    pub(crate) fn reject(
        &mut self,
        row: usize,
        rule: &'static str,
        field: &str,
        value: Option<String>,
        message: impl Into<String>,
    ) {
        self.add(row, rule, Severity::Reject, field, value, message.into());
    }
    pub(crate) fn add(
        &mut self,
        row: usize,
        rule: &'static str,
        severity: Severity,
        field: &str,
        value: Option<String>,
        message: String,
    ) {
        if severity == Severity::Warn {
            self.warned[row] = true;
        } else {
            self.broken.push(Finding { row, field: Some(field.into()), value, rule, severity, message });
        }
    }
}

/// The rows of one table.
pub(crate) struct Frame {
    pub(crate) table: &'static Table,
    schema: SchemaRef,
    columns: Vec<ArrayRef>,
    rows: usize,
}

/// All columns of a contract, inputs too, all nullable: what expressions over its rows are planned against.
pub(crate) fn schema_of(table: &Table) -> SchemaRef {
    Arc::new(Schema::new(table.columns().map(|c| Field::new(c.name, c.kind.arrow(), true)).collect::<Vec<_>>()))
}

impl Frame {
    /// All NULL.
    pub(crate) fn new(table: &'static Table, schema: &SchemaRef, rows: usize) -> Self {
        let columns = schema.fields().iter().map(|f| new_null_array(f.data_type(), rows)).collect();
        Frame { table, schema: Arc::clone(schema), columns, rows }
    }
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }
    pub(crate) fn has(&self, name: &str) -> bool {
        self.schema.column_with_name(name).is_some()
    }
    pub(crate) fn at(&self, index: usize) -> &ArrayRef {
        &self.columns[index]
    }
    pub(crate) fn set_at(&mut self, index: usize, array: ArrayRef) -> Result<()> {
        let field = self.schema.field(index);
        if array.len() != self.rows || array.data_type() != field.data_type() {
            return Err(Error::internal(format!(
                "{}.{}: {} rows of {}",
                self.table.name,
                field.name(),
                array.len(),
                array.data_type()
            )));
        }
        self.columns[index] = array;
        Ok(())
    }
    pub(crate) fn set(&mut self, name: &str, array: ArrayRef) -> Result<()> {
        self.set_at(self.index(name)?, array)
    }
    /// Sets a column if the table has it.
    pub(crate) fn set_if_there(&mut self, name: &str, array: impl FnOnce() -> ArrayRef) -> Result<()> {
        if self.has(name) { self.set(name, array()) } else { Ok(()) }
    }
    fn index(&self, name: &str) -> Result<usize> {
        let missing = || Error::internal(format!("{} has no column {name}", self.table.name));
        self.schema.column_with_name(name).map(|(i, _)| i).ok_or_else(missing)
    }
    pub(crate) fn get(&self, name: &str) -> Result<&ArrayRef> {
        Ok(&self.columns[self.index(name)?])
    }
    pub(crate) fn text(&self, name: &str) -> Result<&StringArray> {
        Ok(self.get(name)?.as_string())
    }
    pub(crate) fn decimal(&self, name: &str) -> Result<Decimals<'_>> {
        Ok(Decimals(self.get(name)?.as_primitive::<Decimal128Type>()))
    }
    pub(crate) fn instant(&self, name: &str) -> Result<&TimestampMicrosecondArray> {
        Ok(self.get(name)?.as_primitive::<TimestampMicrosecondType>())
    }
    pub(crate) fn date(&self, name: &str) -> Result<&Date32Array> {
        Ok(self.get(name)?.as_primitive::<Date32Type>())
    }
    /// The rows as expressions see them.
    pub(crate) fn batch(&self) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), self.columns.clone(), &options)?)
    }
    /// A value as people read it.
    pub(crate) fn show(&self, name: &str, row: usize) -> Option<String> {
        let array = self.get(name).ok()?;
        let formatter = ArrayFormatter::try_new(array, &FormatOptions::default()).ok()?;
        array.is_valid(row).then(|| formatter.value(row).to_string())
    }
    /// The stored columns, with their places.
    pub(crate) fn stored(&self) -> impl Iterator<Item = (&'static Column, &ArrayRef)> {
        self.table.columns().zip(&self.columns).filter(|(c, _)| c.stored())
    }
}

/// Remembers the last answer: neighbouring rows ask the same.
pub(crate) struct Last<K, V>(Option<(K, V)>);

impl<K: PartialEq, V: Clone> Last<K, V> {
    pub(crate) fn new() -> Self {
        Last(None)
    }
    pub(crate) fn get(&mut self, key: K, find: impl FnOnce(&K) -> V) -> V {
        match &self.0 {
            Some((seen, value)) if *seen == key => value.clone(),
            _ => {
                let value = find(&key);
                self.0 = Some((key, value.clone()));
                value
            }
        }
    }
}

/// Decimals that may be absent.
#[derive(Clone, Copy)]
pub(crate) struct Decimals<'a>(&'a Decimal128Array);

impl Decimals<'_> {
    pub(crate) fn get(&self, row: usize) -> Option<i128> {
        self.0.is_valid(row).then(|| self.0.value(row))
    }
}

/// Decimals of a type, from values that may be absent.
pub(crate) fn decimals(values: Vec<Option<i128>>, kind: &DataType) -> Result<ArrayRef> {
    Ok(Arc::new(Decimal128Array::from(values).with_data_type(kind.clone())))
}
