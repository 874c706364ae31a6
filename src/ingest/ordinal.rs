//! Ids for rows whose source has none: the row's content and its count k among equal rows of its order in its file.
//! It must count every row that a SELECT gives, landed or not, so that a record keeps its id when it lands later.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, StringArray};
use serde::Deserialize;

use super::plan::OrdinalKey;

/// Counts per file and SELECT.
#[derive(Debug, Default)]
pub(crate) struct Ordinals {
    seen: HashMap<(usize, u32, u128), u32>,
}

/// The counts that a waiting record had when it was first read, per table, in the order of its rows.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Remembered {
    #[serde(default, rename = "_ordinal")]
    counts: HashMap<String, Vec<u32>>,
    #[serde(skip)]
    taken: HashMap<String, usize>,
}

impl Remembered {
    /// From the JSON of a quarantined record.
    pub(crate) fn read(json: &str) -> Remembered {
        serde_json::from_str(json).unwrap_or_default()
    }
    fn next(&mut self, table: &str) -> Option<u32> {
        let at = self.taken.entry(table.to_string()).or_default();
        let count = self.counts.get(table)?.get(*at).copied();
        *at += 1;
        count
    }
}

impl Ordinals {
    /// How many equal rows of its file came before each row, in the rows' order. `file`: the number of a row's file.
    pub(crate) fn count(&mut self, select: usize, groups: &[u128], file: impl Fn(usize) -> u32) -> Vec<u32> {
        let count = |(row, group): (usize, &u128)| {
            let seen = self.seen.entry((select, file(row), *group)).or_default();
            *seen += 1;
            *seen - 1
        };
        groups.iter().enumerate().map(count).collect()
    }
}

/// As [`Ordinals::count`], for records that were counted before; `rows` says which record each row is of.
pub(crate) fn recall(remembered: &mut [Remembered], rows: &[usize], table: &str) -> Vec<u32> {
    rows.iter().map(|row| remembered[*row].next(table).unwrap_or(0)).collect()
}

/// The id columns: 16 hex digits of the content hash, a dash, the count. Where the order has no id either, that is the
/// order's id, and the line is its line 1.
pub(crate) fn ids(key: OrdinalKey, content: &Int64Array, counts: &[u32]) -> Vec<(&'static str, ArrayRef)> {
    let made = content
        .values()
        .iter()
        .zip(counts)
        .map(|(hash, k)| format!("{:016x}-{k}", u64::from_ne_bytes(hash.to_ne_bytes())));
    let made: ArrayRef = Arc::new(StringArray::from_iter_values(made));
    match key.order {
        None => vec![(key.line, made)],
        Some(order) => {
            let one: ArrayRef = Arc::new(StringArray::new_repeated("1", made.len()));
            vec![(order, made), (key.line, one)]
        }
    }
}

/// Puts the counts of a record's rows into its JSON, as the first member.
pub(crate) fn remember(record: &str, counts: &[(&str, Vec<u32>)]) -> String {
    if counts.is_empty() || record.starts_with("{\"_ordinal\":") {
        return record.to_string();
    }
    let object: serde_json::Map<String, serde_json::Value> =
        counts.iter().map(|(t, k)| (t.to_string(), k.clone().into())).collect();
    let rest = record.trim_start().strip_prefix('{').unwrap_or("}").trim_start();
    let comma = if rest.starts_with('}') { "" } else { "," };
    format!("{{\"_ordinal\":{}{comma}{rest}", serde_json::Value::Object(object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_are_counted_and_counts_come_back() {
        let mut ordinals = Ordinals::default();
        assert_eq!(ordinals.count(0, &[1, 2, 1], |_| 0), [0, 0, 1]);
        assert_eq!(ordinals.count(0, &[1], |_| 0), [2]);
        assert_eq!(ordinals.count(1, &[1], |_| 0), [0]);
        assert_eq!(ordinals.count(0, &[1, 1, 1], |row| row as u32 % 2), [3, 0, 4], "each file has counts of its own");
        let json = remember("{\"a\":1.10}", &[("order_line", vec![2, 0])]);
        assert_eq!(json, "{\"_ordinal\":{\"order_line\":[2,0]},\"a\":1.10}");
        let mut back = [Remembered::read(&json)];
        assert_eq!(recall(&mut back, &[0], "order_line"), [2]);
        assert_eq!(recall(&mut back, &[0], "order_line"), [0]);
        assert_eq!(remember("{}", &[("t", vec![1])]), "{\"_ordinal\":{\"t\":[1]}}");
        assert_eq!(remember(&json, &[("t", vec![9])]), json);
    }
}
