//! Tables of `information_schema` as they are made: from rows, column by column, or without any.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::Result as DfResult;

/// A table as it is made from rows: column by column.
pub struct Making<'a, T> {
    rows: &'a [T],
    made: Vec<(&'static str, ArrayRef, bool)>,
}

impl<'a, T> Making<'a, T> {
    pub fn of(rows: &'a [T]) -> Self {
        Making { rows, made: Vec::new() }
    }
    pub fn text<'b>(mut self, name: &'static str, pick: impl Fn(&'a T) -> Option<&'b str>) -> Self {
        let values: StringViewArray = self.rows.iter().map(pick).collect();
        self.made.push((name, Arc::new(values), true));
        self
    }
    /// The same text in every row.
    pub fn all(self, name: &'static str, value: &'static str) -> Self {
        self.text(name, |_| Some(value))
    }
    /// Texts that are NULL in every row.
    pub fn nulls(self, names: &[&'static str]) -> Self {
        names.iter().fold(self, |making, name| making.text(name, |_| None))
    }
    pub fn number(mut self, name: &'static str, pick: impl Fn(&T) -> Option<i64>) -> Self {
        let values: Int64Array = self.rows.iter().map(pick).collect();
        self.made.push((name, Arc::new(values), true));
        self
    }
    pub fn batch(self) -> DfResult<RecordBatch> {
        Ok(RecordBatch::try_from_iter_with_nullable(self.made)?)
    }
}

/// How the standard's columns end that are numbers.
const NUMBERS: [&str; 7] = ["_length", "_precision", "_radix", "_scale", "_position", "_cardinality", "_order"];

/// A table of `columns`, names between commas, without rows.
pub fn empty(columns: &str) -> RecordBatch {
    let field = |name: &str| {
        let number = NUMBERS.iter().any(|end| name.ends_with(end));
        Field::new(name, if number { DataType::Int64 } else { DataType::Utf8View }, true)
    };
    RecordBatch::new_empty(Arc::new(Schema::new(columns.split(',').map(|c| field(c.trim())).collect::<Vec<_>>())))
}
