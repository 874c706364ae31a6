//! A small system table, written row by row: a row names only the cells that differ from the columns' defaults.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Int16Array, Int16Builder, Int32Array, Int64Array, ListBuilder, RecordBatch,
    StringArray, StringBuilder,
};
use arrow::datatypes::{DataType, Field, Schema};
use arrow_pg::datatypes::PG_CHAR_KEY;
use datafusion::catalog::{MemTable, TableProvider};
use datafusion_pg_catalog::pg_catalog::oid_field;

use crate::engine::classify::classify;
use crate::error::Result;

/// One cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Numbers(Vec<i16>),
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}
impl From<i32> for Value {
    fn from(value: i32) -> Value {
        Value::Int(value.into())
    }
}
impl From<i16> for Value {
    fn from(value: i16) -> Value {
        Value::Int(value.into())
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.into())
    }
}
impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(value)
    }
}
impl From<Vec<i16>> for Value {
    fn from(value: Vec<i16>) -> Value {
        Value::Numbers(value)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

/// A table that is being written.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

struct Column {
    name: String,
    kind: String,
    default: Value,
}

impl Table {
    /// A table of `columns`: `name kind, name kind=default, …`. Kinds are `oid`, `int2`, `int4`, `int8`, `float4`, `bool`,
    /// `char` (one letter), `text`, `int2[]` and `text[]`. A column without a default is NULL where a row says nothing.
    pub fn new(columns: &str) -> Table {
        Table { columns: columns.split(',').map(column).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [(&str, Value); N]) {
        let mut row: Vec<Value> = self.columns.iter().map(|c| c.default.clone()).collect();
        for (name, value) in cells {
            let at = self.columns.iter().position(|c| c.name == name);
            debug_assert!(at.is_some(), "the table has no column {name}");
            if let Some(cell) = at.and_then(|at| row.get_mut(at)) {
                *cell = value;
            }
        }
        self.rows.push(row);
    }

    pub fn build(self) -> Result<Arc<dyn TableProvider>> {
        let fields: Vec<Field> = self.columns.iter().map(field).collect();
        let schema = Arc::new(Schema::new(fields));
        let arrays = self.columns.iter().enumerate().map(|(at, column)| {
            let cells: Vec<&Value> = self.rows.iter().map(|row| &row[at]).collect();
            array(&column.kind, &cells)
        });
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays.collect())?;
        Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]]).map_err(classify)?))
    }
}

fn column(text: &str) -> Column {
    let (name, kind) = text.trim().split_once(' ').unwrap_or((text, "text"));
    let (kind, default) = match kind.split_once('=') {
        Some((kind, default)) => (kind, read(kind, default)),
        None => (kind, Value::Null),
    };
    Column { name: name.into(), kind: kind.into(), default }
}

fn read(kind: &str, text: &str) -> Value {
    match kind {
        "bool" => bool::from_str(text).map_or(Value::Null, Value::Bool),
        "text" | "char" => Value::Text(text.into()),
        _ => i64::from_str(text).map_or(Value::Null, Value::Int),
    }
}

fn field(column: &Column) -> Field {
    let name = column.name.as_str();
    match column.kind.as_str() {
        "oid" => oid_field::oid_field(name, oid_field::kind::OID, true),
        "char" => Field::new(name, DataType::Utf8, true).with_metadata([(PG_CHAR_KEY.into(), "char".into())].into()),
        kind => Field::new(name, array(kind, &[]).data_type().clone(), true),
    }
}

fn array(kind: &str, cells: &[&Value]) -> ArrayRef {
    let cells = cells.iter();
    match kind {
        "oid" | "int4" => Arc::new(cells.map(|c| int(c).and_then(|i| i32::try_from(i).ok())).collect::<Int32Array>()),
        "int2" => Arc::new(cells.map(|c| int(c).and_then(|i| i16::try_from(i).ok())).collect::<Int16Array>()),
        "int8" => Arc::new(cells.map(|c| int(c)).collect::<Int64Array>()),
        "float4" => Arc::new(cells.map(|c| int(c).map(|i| i as f32)).collect::<Float32Array>()),
        "bool" => {
            let truth = |c: &&Value| if let Value::Bool(truth) = c { Some(*truth) } else { None };
            Arc::new(cells.map(truth).collect::<BooleanArray>())
        }
        "int2[]" => {
            let mut lists = ListBuilder::new(Int16Builder::new());
            for cell in cells {
                match cell {
                    Value::Numbers(numbers) => lists.append_value(numbers.iter().map(|n| Some(*n))),
                    _ => lists.append_null(),
                }
            }
            Arc::new(lists.finish())
        }
        "text[]" => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            cells.for_each(|_| lists.append_null());
            Arc::new(lists.finish())
        }
        _ => {
            let text = |c: &&Value| if let Value::Text(text) = c { Some(text.clone()) } else { None };
            Arc::new(cells.map(text).collect::<StringArray>())
        }
    }
}

fn int(cell: &Value) -> Option<i64> {
    if let Value::Int(value) = cell { Some(*value) } else { None }
}
