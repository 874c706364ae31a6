//! The columns of JSON, one object a line, in an array, or in an array under a key: every leaf of its objects, also inside
//! the one list of objects that holds the lines.

use serde_json::{Map, Value};

use super::{Format, LOOK_RECORDS, Sample, Sniffed, identifier};
use crate::error::{Error, Result};
use crate::ingest::read::{self, Input};

/// The objects of NDJSON; `None`: the first line is no object, so it is something else.
pub(super) fn lines(text: &str) -> Option<Vec<Value>> {
    let mut lines = text.lines().filter(|l| !l.trim().is_empty());
    let first: Value = serde_json::from_str(lines.next()?).ok()?;
    let others = lines.take(LOOK_RECORDS - 1).filter_map(|l| serde_json::from_str(l).ok());
    // A whole file on one line may be an object around its records.
    first.is_object().then(|| std::iter::once(first).chain(others).collect())
}

/// An array of objects.
pub(super) fn array(input: Input) -> Result<Sniffed> {
    columns(&parsed(&read::first_objects(input, None)?), Some(None))
}

/// One object printed over several lines, or several such: the records, or what is around an array of them.
pub(super) fn objects(text: &str, whole: bool, input: Input) -> Result<Sniffed> {
    let holder: Option<Value> = serde_json::from_str(text).ok().filter(|_| whole);
    let is_records = |v: &Value| matches!(v.as_array().and_then(|a| a.first()), Some(Value::Object(_)));
    // Lines of one order stand beside what the order says of itself; records stand nearly alone.
    let key = holder.as_ref().and_then(Value::as_object).and_then(|o| {
        let lists: Vec<&String> = o.iter().filter(|(_, v)| is_records(v)).map(|(k, _)| k).collect();
        (lists.len() == 1 && o.len() <= 3).then(|| lists[0].clone())
    });
    columns(&parsed(&read::first_objects(input, key.as_deref())?), Some(key))
}

fn parsed(texts: &[String]) -> Vec<Value> {
    texts.iter().take(LOOK_RECORDS).filter_map(|t| serde_json::from_str(t).ok()).collect()
}

/// `json`: the file is no NDJSON; the key of its records, if they have one.
pub(super) fn columns(records: &[Value], json: Option<Option<String>>) -> Result<Sniffed> {
    let mut shape = Value::Object(Map::new());
    if records.is_empty() {
        return Err(Error::invalid("no JSON object").hint("one object per line, or an array of objects, can be read"));
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
    let format = match json {
        Some(records) => Format::Json { shape, records },
        None => Format::Ndjson { shape },
    };
    Ok(Sniffed { format, columns, lines, encoding: None })
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
