//! What a result is known by: 128 bits of SHA-256, so that nobody can make two questions with one key, over everything that can
//! change the answer. It must not leave anything of that out; only messages and the label may differ under one key.

use std::sync::Arc;

use arrow::row::{RowConverter, SortField};
use sha2::{Digest, Sha256};

use crate::access::Scope;
use crate::engine::calls::Calls;
use crate::engine::options::{Param, QueryOptions};

pub type Key = [u8; 16];

/// What is asked, and who asks: text, options, what its calls of `report()` ask. Not which state of the lake: see [`under`] and
/// [`answer`]. `None` if it holds a value that cannot be told apart from others.
pub fn question(sql: &str, options: &QueryOptions, calls: &Calls, scope: &Scope) -> Option<Key> {
    let mut hash = Hash::of("question");
    hash.text(scope.fingerprint());
    add(&mut hash, sql, options)?;
    for (sql, options) in calls.asked() {
        add(&mut hash, sql, options)?;
    }
    Some(hash.key())
}

/// The question where views mean `meaning`.
pub fn under(question: &Key, meaning: &str) -> Key {
    let mut hash = Hash::of("under");
    hash.bytes(question);
    hash.text(meaning);
    hash.key()
}

/// The answer to a question that reads these tables in these versions, in the order of their names.
pub fn answer<'a>(question: &Key, versions: impl IntoIterator<Item = (&'a String, &'a i64)>) -> Key {
    let mut hash = Hash::of("answer");
    hash.bytes(question);
    for (table, version) in versions {
        hash.text(table);
        hash.bytes(&version.to_le_bytes());
    }
    hash.key()
}

fn add(hash: &mut Hash, sql: &str, options: &QueryOptions) -> Option<()> {
    // Every field by its name: a new one must be thought of here.
    let QueryOptions {
        params,
        policies,
        slices,
        spine,
        compare,
        totals,
        key,
        order_by,
        limit,
        top_n,
        label: _,
        dialect,
        at: _,
        user,
        schema,
        fresh: _,
    } = options;
    hash.text(sql);
    hash.text(&format!("{:?}", (policies, slices, spine, compare, totals, key)));
    hash.text(&format!("{:?}", (order_by, limit, top_n, dialect, user, schema)));
    hash.number(params.len());
    for (name, param) in params {
        hash.text(name);
        add_param(hash, param)?;
    }
    Some(())
}

fn add_param(hash: &mut Hash, param: &Param) -> Option<()> {
    let Param::Value(value) = param else {
        hash.text(&format!("{param:?}"));
        return Some(());
    };
    // An array is shown in parts only; as a row it is whole.
    let kind = value.data_type();
    let rows = RowConverter::new(vec![SortField::new(kind.clone())]).ok()?;
    let rows = rows.convert_columns(&[Arc::clone(value)]).ok()?;
    hash.text(&format!("value {kind:?}"));
    hash.number(rows.num_rows());
    for row in &rows {
        hash.bytes(row.as_ref());
    }
    Some(())
}

/// Hashes texts that are told apart by their lengths.
struct Hash(Sha256);

impl Hash {
    fn of(kind: &str) -> Hash {
        let mut hash = Hash(Sha256::new());
        hash.text(kind);
        hash
    }
    fn number(&mut self, number: usize) {
        self.0.update((number as u64).to_le_bytes());
    }
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.update(bytes);
    }
    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
    fn key(self) -> Key {
        let all: [u8; 32] = self.0.finalize().into();
        let mut key = Key::default();
        key.copy_from_slice(&all[..16]);
        key
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use arrow::array::{ArrayRef, Int64Array, ListArray, StringArray};
    use arrow::datatypes::Int64Type;

    use super::*;
    use crate::engine::options::{Compare, CompareMode, Dialect, OrderBy, Pin, Slice};

    fn of(sql: &str, options: &QueryOptions) -> Key {
        question(sql, options, &Calls::default(), &Scope::All).unwrap()
    }

    fn with(param: Param) -> QueryOptions {
        QueryOptions { params: [("p".to_string(), param)].into(), ..QueryOptions::default() }
    }

    #[test]
    fn what_changes_the_answer_changes_the_key() {
        let plain = QueryOptions::default;
        let slice = |value: &str, level| Slice { slicer: "region".into(), values: vec![value.into()], level };
        let compare = |mode| {
            let [from, to] = ["from", "to"].map(String::from);
            Some(Compare { mode, from, to, bucket: None, grain: None, measures: vec![] })
        };
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
        let all = [
            plain(),
            with(Param::Int(1)),
            with(Param::Text("1".into())),
            with(Param::List(vec!["a,b".into()])),
            with(Param::List(vec!["a".into(), "b".into()])),
            with(Param::Value(numbers)),
            with(Param::Value(texts)),
            QueryOptions { policies: BTreeMap::from([("a".into(), "b".into())]), ..plain() },
            QueryOptions { slices: vec![slice("a", None)], ..plain() },
            QueryOptions { slices: vec![slice("b", None)], ..plain() },
            QueryOptions { slices: vec![slice("a", Some(1))], ..plain() },
            QueryOptions { spine: vec!["channel".into()], ..plain() },
            QueryOptions { compare: compare(CompareMode::PreviousYear), ..plain() },
            QueryOptions { compare: compare(CompareMode::PreviousPeriod), ..plain() },
            QueryOptions { totals: true, ..plain() },
            QueryOptions { key: vec!["a".into()], ..plain() },
            QueryOptions { order_by: vec![OrderBy { column: "a".into(), descending: true }], ..plain() },
            QueryOptions { limit: Some(1), ..plain() },
            QueryOptions { top_n: Some(1), ..plain() },
            QueryOptions { dialect: Dialect::Postgres, ..plain() },
            QueryOptions { user: Some("bi".into()), ..plain() },
            QueryOptions { schema: Some("bi".into()), ..plain() },
        ];
        let keys: BTreeSet<Key> = all.iter().map(|options| of("SELECT 1", options)).collect();
        assert_eq!(keys.len(), all.len());
        assert!(!keys.contains(&of("SELECT 2", &plain())));
    }

    #[test]
    fn what_does_not_change_the_answer_does_not() {
        let pin = Pin { snapshot: "s".into(), versions: BTreeMap::new() };
        let other = QueryOptions { label: "x".into(), fresh: true, at: Some(pin), ..QueryOptions::default() };
        assert_eq!(of("SELECT 1", &other), of("SELECT 1", &QueryOptions::default()));
    }

    #[test]
    fn versions_and_views_change_the_key_of_the_answer() {
        let asked = of("SELECT 1", &QueryOptions::default());
        let versions = |version| BTreeMap::from([("a".to_string(), version), ("b".to_string(), 2)]);
        let keys = [answer(&asked, &versions(1)), answer(&asked, &versions(2)), under(&asked, "x"), under(&asked, "y")];
        assert_eq!(BTreeSet::from(keys).len(), 4);
        assert_eq!(answer(&asked, &versions(1)), keys[0]);
    }

    /// Only a part of a long list is shown when it is printed.
    #[test]
    fn long_lists_are_told_apart() {
        let list = |changed: i64| {
            let values = (0..1000).map(|n| Some(if n == 500 { changed } else { n }));
            let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some(values)]));
            with(Param::Value(list))
        };
        assert_ne!(of("SELECT 1", &list(1)), of("SELECT 1", &list(2)));
    }
}
