//! What a file looks like: its format, its columns and some of their values. It must not guess what they mean.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use flate2::read::MultiGzDecoder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// How much of a text file is looked at.
const LOOK_BYTES: u64 = 1 << 20;
/// How many records are looked at.
const LOOK_RECORDS: usize = 500;

/// A file's layout, as far as its beginning shows it.
#[derive(Debug)]
pub(crate) struct Sniffed {
    pub format: Format,
    pub columns: Vec<Sample>,
    /// The list of objects in each record whose elements are the lines, such as `lines`.
    pub lines: Option<String>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Format {
    /// The delimiter, and whether the first line names the columns.
    Csv {
        delimiter: char,
        header: bool,
    },
    /// An example of every name and nesting.
    Ndjson {
        shape: Value,
    },
    Parquet,
}

/// One column and some of its values.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Its name in words: the path to it, joined by `_`.
    pub name: String,
    /// SQL that reads it from `raw`.
    pub sql: String,
    /// Values that are not empty, in order.
    pub values: Vec<String>,
    /// It is inside the list of lines.
    pub in_lines: bool,
}

/// Looks at the beginning of a file.
pub(crate) fn sniff(path: &Path) -> Result<Sniffed> {
    let shown = path.display();
    let failed = |e: std::io::Error| Error::from(e).context(format!("file {shown}"));
    let mut file = File::open(path).map_err(failed)?;
    let mut magic = [0; 4];
    let length = file.read(&mut magic).map_err(failed)?;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    if &magic[..length] == b"PAR1" {
        return parquet(file).map_err(|e| e.context(format!("file {shown}")));
    }
    let mut bytes = Vec::new();
    let reader: Box<dyn Read> =
        if magic.starts_with(&[0x1f, 0x8b]) { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    reader.take(LOOK_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    let text = whole_lines(&bytes).ok_or_else(|| {
        Error::invalid(format!("file {shown}: not UTF-8 text, nor gzip of it, nor Parquet"))
            .hint("convert it to UTF-8 first")
    })?;
    let first = text.trim_start_matches('\u{feff}').trim_start();
    let found = match first.chars().next() {
        None => Err(Error::invalid("empty")),
        Some('{') => ndjson(first),
        Some('[') => {
            Err(Error::invalid("one JSON array").hint("one JSON object per line can be read: jq -c '.[]' makes them"))
        }
        Some(_) => csv(text.trim_start_matches('\u{feff}')),
    };
    found.map_err(|e| e.context(format!("file {shown}")))
}

/// The text up to the last line's end (or all of it when it was not cut off).
fn whole_lines(bytes: &[u8]) -> Option<&str> {
    let end = if bytes.len() as u64 == LOOK_BYTES { bytes.iter().rposition(|b| *b == b'\n')? + 1 } else { bytes.len() };
    std::str::from_utf8(&bytes[..end]).ok()
}

fn csv(text: &str) -> Result<Sniffed> {
    let tried = [',', ';', '\t', '|'].map(|delimiter| {
        let rows = csv_rows(text, delimiter);
        let width = rows.first().map_or(0, Vec::len);
        let even = rows.iter().filter(|r| r.len() == width).count();
        // The delimiter that gives the most columns on lines of one length.
        ((if width > 1 { even * 100 / rows.len().max(1) } else { 0 }, width), delimiter, rows)
    });
    let Some((_, delimiter, rows)) = tried.into_iter().rev().max_by_key(|(score, ..)| *score) else {
        return Err(Error::invalid("no columns found"));
    };
    let Some(first) = rows.first() else { return Err(Error::invalid("empty")) };
    let header = first.iter().all(|f| !f.is_empty() && !f.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
        && first.iter().collect::<std::collections::BTreeSet<_>>().len() == first.len();
    let names: Vec<String> =
        if header { first.clone() } else { (1..=first.len()).map(|i| format!("column_{i}")).collect() };
    let column = |(i, name): (usize, &String)| {
        let values =
            rows.iter().skip(usize::from(header)).filter_map(|r| r.get(i)).filter(|v| !v.is_empty()).cloned().collect();
        Sample { name: name.clone(), sql: identifier(name), values, in_lines: false }
    };
    Ok(Sniffed {
        format: Format::Csv { delimiter, header },
        columns: names.iter().enumerate().map(column).collect(),
        lines: None,
    })
}

fn csv_rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut builder = csv::ReaderBuilder::new();
    let reader = builder.delimiter(delimiter as u8).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let rows = reader.into_records().take(LOOK_RECORDS).filter_map(std::result::Result::ok);
    rows.map(|r| r.iter().map(|f| f.trim().to_string()).collect()).collect()
}

fn ndjson(text: &str) -> Result<Sniffed> {
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
        column.values =
            records.iter().flat_map(|r| values(r, root, column)).filter(|v| !v.is_empty()).take(LOOK_RECORDS).collect();
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
        _ => columns.push(Sample { name: name.into(), sql: sql.into(), values: Vec::new(), in_lines }),
    }
}

/// The values of one leaf in one record: those whose joined path is the column's name.
fn values(record: &Value, lines: Option<&str>, column: &Sample) -> Vec<String> {
    let mut found = Vec::new();
    match lines {
        None => collect(record, "", &column.name, &mut found),
        Some(list) => {
            let items = record.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            items.iter().for_each(|item| collect(item, "", &column.name, &mut found));
        }
    }
    found
}

fn collect(value: &Value, path: &str, wanted: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}_{key}") };
                collect(value, &path, wanted, found);
            }
        }
        Value::String(s) if path == wanted => found.push(s.trim().to_string()),
        Value::Number(n) if path == wanted => found.push(n.to_string()),
        Value::Bool(b) if path == wanted => found.push(b.to_string()),
        _ => {}
    }
}

fn parquet(file: File) -> Result<Sniffed> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(LOOK_RECORDS).build()?;
    let mut columns = Vec::new();
    for batch in reader.take(1) {
        let batch = batch?;
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            let format = ArrayFormatter::try_new(array, &FormatOptions::default())?;
            let valid = (0..batch.num_rows()).filter(|row| array.is_valid(*row));
            let values = valid.map(|row| format.value(row).to_string()).collect();
            columns.push(Sample { name: field.name().clone(), sql: identifier(field.name()), values, in_lines: false });
        }
    }
    if columns.is_empty() {
        Err(Error::invalid("no rows to look at"))
    } else {
        Ok(Sniffed { format: Format::Parquet, columns, lines: None })
    }
}

/// A column's name as SQL: quoted unless plain.
pub(crate) fn identifier(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    const WORDS: &[&str] = &[
        "order",
        "date",
        "group",
        "from",
        "to",
        "select",
        "where",
        "time",
        "timestamp",
        "user",
        "value",
        "values",
        "key",
        "limit",
    ];
    if plain && !WORDS.contains(&name) { name.into() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
