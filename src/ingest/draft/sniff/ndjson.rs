//! The columns of NDJSON: every leaf of its objects, also inside the one list of objects that holds the lines.

use serde_json::{Map, Value};

use super::{Format, LOOK_RECORDS, Sample, Sniffed, identifier};
use crate::error::{Error, Result};

pub(super) fn columns(text: &str) -> Result<Sniffed> {
    let mut shape = Value::Object(Map::new());
    let lines = text.lines().filter(|l| !l.trim().is_empty()).take(LOOK_RECORDS);
    let records: Vec<Value> = lines.filter_map(|l| serde_json::from_str(l).ok()).collect();
    if records.is_empty() {
        return Err(Error::invalid("no line is a JSON object").hint("one JSON object per line can be read"));
    }
    records.iter().for_each(|r| merge(&mut shape, r));
    let mut columns = Vec::new();
    let mut lines = None;
    if let Value::Object(fields) = &shape {
        for (name, value) in fields {
            match value {
                Value::Array(items) if lines.is_none() && matches!(items.first(), Some(Value::Object(_))) => {
                    lines = Some(name.clone());
                    leaves(&items[0], "", "l", true, &mut columns);
                }
                _ => leaves(value, name, &identifier(name), false, &mut columns),
            }
        }
    }
    for column in &mut columns {
        let root = lines.as_deref().filter(|_| column.in_lines);
        column.cells = records.iter().flat_map(|r| cells(r, root, &column.name)).take(LOOK_RECORDS).collect();
    }
    Ok(Sniffed { format: Format::Ndjson { shape }, columns, lines })
}

/// Makes `shape` have every name and nesting of `value`; leaves are ''.
fn merge(shape: &mut Value, value: &Value) {
    match (&mut *shape, value) {
        (Value::Object(shape), Value::Object(fields)) => {
            fields.iter().for_each(|(k, v)| merge(shape.entry(k.clone()).or_insert(Value::String(String::new())), v));
        }
        (Value::Array(shape), Value::Array(items)) => items.iter().for_each(|v| match shape.first_mut() {
            Some(first) => merge(first, v),
            None => shape.push(Value::String(String::new())),
        }),
        (Value::String(_), Value::Object(_)) => {
            *shape = Value::Object(Map::new());
            merge(shape, value);
        }
        (Value::String(_), Value::Array(_)) => {
            *shape = Value::Array(vec![Value::String(String::new())]);
            merge(shape, value);
        }
        _ => {}
    }
}

/// The columns below `value`; lists other than that of the lines are left to the author.
fn leaves(value: &Value, name: &str, sql: &str, in_lines: bool, columns: &mut Vec<Sample>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = if name.is_empty() { key.clone() } else { format!("{name}_{key}") };
                leaves(value, &name, &format!("{sql}['{}']", key.replace('\'', "''")), in_lines, columns);
            }
        }
        Value::Array(_) => {}
        _ => columns.push(Sample { name: name.into(), sql: sql.into(), cells: Vec::new(), in_lines }),
    }
}

/// The values of one leaf in one record: of the record, or of each of its lines.
fn cells(record: &Value, lines: Option<&str>, name: &str) -> Vec<String> {
    match lines {
        None => vec![cell(record, "", name).unwrap_or_default()],
        Some(list) => {
            let items = record.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            items.iter().map(|item| cell(item, "", name).unwrap_or_default()).collect()
        }
    }
}

/// The value whose joined path is the column's name.
fn cell(value: &Value, path: &str, name: &str) -> Option<String> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(key, value)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}_{key}") };
            cell(value, &path, name)
        }),
        Value::String(s) if path == name => Some(s.trim().to_string()),
        Value::Number(n) if path == name => Some(n.to_string()),
        Value::Bool(b) if path == name => Some(b.to_string()),
        _ => None,
    }
}
