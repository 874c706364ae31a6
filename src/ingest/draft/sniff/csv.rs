//! The columns of a CSV file: which sign stands between fields, whether the first line names them.

use super::{Format, LOOK_RECORDS, Sample, Sniffed, identifier};
use crate::error::{Error, Result};

pub(super) fn columns(text: &str) -> Result<Sniffed> {
    let tried = [',', ';', '\t', '|'].map(|delimiter| {
        let rows = rows(text, delimiter);
        let width = rows.first().map_or(0, Vec::len);
        let even = rows.iter().filter(|r| r.len() == width).count();
        // The delimiter that gives the most columns on lines of one length.
        ((if width > 1 { even * 100 / rows.len().max(1) } else { 0 }, width), delimiter, rows)
    });
    let Some((_, delimiter, rows)) = tried.into_iter().rev().max_by_key(|(score, ..)| *score) else {
        return Err(Error::invalid("no columns found"));
    };
    let Some(first) = rows.first() else { return Err(Error::invalid("empty")) };
    let header = names_columns(first);
    let place = |i: usize| format!("column_{}", i + 1);
    let name = |(i, field): (usize, &String)| if header && !field.is_empty() { field.clone() } else { place(i) };
    let names: Vec<String> = first.iter().enumerate().map(name).collect();
    let column = |(i, name): (usize, &String)| {
        let cells = rows.iter().skip(usize::from(header)).map(|r| r.get(i).cloned().unwrap_or_default()).collect();
        Sample { name: name.clone(), sql: identifier(name), cells, in_lines: false }
    };
    Ok(Sniffed {
        format: Format::Csv { delimiter, header },
        columns: names.iter().enumerate().map(column).collect(),
        lines: None,
        encoding: None,
    })
}

/// The first line names columns: no name begins like a number, none is there twice, most are there at all.
fn names_columns(first: &[String]) -> bool {
    let named: Vec<&String> = first.iter().filter(|f| !f.is_empty()).collect();
    let unlike_values = named.iter().all(|f| !f.starts_with(|c: char| c.is_ascii_digit() || c == '-'));
    let distinct = named.iter().collect::<std::collections::BTreeSet<_>>().len() == named.len();
    unlike_values && distinct && named.len() * 2 > first.len()
}

fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut builder = ::csv::ReaderBuilder::new();
    let reader = builder.delimiter(delimiter as u8).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let rows = reader.into_records().take(LOOK_RECORDS).filter_map(std::result::Result::ok);
    rows.map(|r| r.iter().map(|f| f.trim().to_string()).collect()).collect()
}
