//! The columns of JSON records as the first of them show them: the names at the top of each, and what stands there. It must
//! not hold a file up: what is no object tells nothing here.

use serde_json::{Map, Value};

use super::Columns;

/// The kind of every JSON column begins so. What follows is what its values are, where they are alike.
pub(crate) const JSON: &str = "json";
/// The kind of a column that each of many records has ends so: the records of other such files should have it, too.
pub(crate) const ALWAYS: &str = ", always";

/// So much of a file is looked at: bytes, and records in them.
const BYTES: usize = 1 << 20;
const RECORDS: usize = 1000;
/// So many records are many.
const MANY: usize = 20;

/// The names of the records that were looked at.
#[derive(Default)]
pub(super) struct Names {
    records: usize,
    bytes: usize,
    found: Vec<Name>,
}

struct Name {
    name: String,
    holds: Holds,
    /// Records that have it.
    records: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Holds {
    /// Nulls only.
    Nothing,
    One(&'static str),
    Several,
}

impl Names {
    /// Whether another record is to be looked at.
    pub(super) fn want_more(&self) -> bool {
        self.records < RECORDS && self.bytes < BYTES
    }

    pub(super) fn look(&mut self, record: &[u8]) {
        self.bytes += record.len();
        let Ok(object) = serde_json::from_slice::<Map<String, Value>>(record) else { return };
        self.records += 1;
        for (name, value) in object {
            let holds = Holds::of(&value);
            match self.found.iter_mut().find(|known| known.name == name) {
                Some(known) => {
                    known.records += 1;
                    known.holds = known.holds.and(holds);
                }
                None => self.found.push(Name { name, holds, records: 1 }),
            }
        }
    }

    pub(super) fn columns(self) -> Columns {
        let column = |Name { name, holds, records }: Name| {
            let what = if let Holds::One(what) = holds { format!(" {what}") } else { String::new() };
            let always = if records == self.records && records >= MANY { ALWAYS } else { "" };
            (name, format!("{JSON}{what}{always}"))
        };
        self.found.into_iter().map(column).collect()
    }
}

impl Holds {
    fn of(value: &Value) -> Holds {
        match value {
            Value::Null => Holds::Nothing,
            Value::Object(_) => Holds::One("object"),
            Value::Array(_) => Holds::One("list"),
            // Numbers and texts are the same to sources: both are read as texts.
            Value::Bool(_) | Value::Number(_) | Value::String(_) => Holds::One("value"),
        }
    }

    fn and(self, other: Holds) -> Holds {
        match (self, other) {
            (Holds::Nothing, one) | (one, Holds::Nothing) => one,
            (one, another) if one == another => one,
            _ => Holds::Several,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(records: &[&str]) -> Vec<String> {
        let mut names = Names::default();
        records.iter().for_each(|r| names.look(r.as_bytes()));
        names.columns().into_iter().map(|(name, kind)| format!("{name}: {kind}")).collect()
    }

    #[test]
    fn kinds_of_values_and_what_every_record_has() {
        let few = [r#"{"id":1,"lines":[],"who":null}"#, "[1]", r#"{"who":{"id":2},"note":"x"}"#, r#"{"note":{}}"#];
        assert_eq!(columns(&few), ["id: json value", "lines: json list", "who: json object", "note: json"]);
        let mut many = vec![r#"{"id":"1","at":null}"#; MANY];
        assert_eq!(columns(&many), ["id: json value, always", "at: json, always"]);
        many.push(r#"{"id":2}"#);
        assert_eq!(columns(&many), ["id: json value, always", "at: json"]);
    }
}
