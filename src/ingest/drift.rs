//! Drift: whether a file's columns are those of the files of its source before it. A column is new once: then it has been
//! seen. It must not decide what is read, nor complain of columns that the definition needs (`map` does).

use std::collections::BTreeSet;

use super::audit;
use super::read::Columns;
use super::source::{Drift, Source};
use crate::error::{Error, Result};
use crate::lake::Lake;

/// What a JSON file says of its columns: an object may lack any.
const OPEN: &str = "json";

/// The columns of the files of one source.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    ever: BTreeSet<String>,
    /// Of the last file.
    last: Option<Columns>,
}

impl Seen {
    /// What the audit knows.
    pub async fn load(lake: &Lake, source: &Source) -> Result<Seen> {
        let mut seen = Seen::default();
        if source.header.read.drift != Drift::Land {
            let mut files = audit::columns(lake, &source.name).await?;
            files.sort_by_key(|(started, _)| *started);
            files.iter().for_each(|(_, columns)| seen.remember(&parse(columns)));
        }
        Ok(seen)
    }

    fn remember(&mut self, columns: &Columns) {
        if !columns.is_empty() {
            self.ever.extend(columns.iter().map(|(name, _)| name.clone()));
            self.last = Some(columns.clone());
        }
    }

    /// What is different in a file with these columns, to be told in its account.
    ///
    /// # Errors
    /// `Invalid`: the source refuses files that are different (`drift = "stop"`).
    pub fn check(&mut self, source: &Source, file: &str, columns: &Columns) -> Result<Vec<String>> {
        let found = match source.header.read.drift {
            Drift::Land => Vec::new(),
            _ => self.differences(source, columns),
        };
        if source.header.read.drift == Drift::Stop && !found.is_empty() {
            return Err(Error::invalid(format!(
                "file {file}: its columns have changed, and source {} stops there: {}; nothing of it has landed",
                source.name,
                found.join("; ")
            ))
            .hint("take the change into the definition: read new columns in a SELECT or list them in [read] ignored, list columns that may be missing in [read] optional; drift = \"warn\" lands such files and tells"));
        }
        self.remember(columns);
        Ok(found)
    }

    fn differences(&self, source: &Source, columns: &Columns) -> Vec<String> {
        let Some(last) = self.last.as_ref().filter(|_| !columns.is_empty()) else { return Vec::new() };
        let ignored = |name: &String| source.header.read.ignored.contains(name);
        let of =
            |columns: &Columns, name: &String| columns.iter().find(|(n, _)| n == name).map(|(_, kind)| kind.clone());
        let mut found = Vec::new();
        for (name, kind) in columns.iter().filter(|(name, _)| !ignored(name)) {
            match of(last, name) {
                Some(before) if before != *kind && *kind != OPEN && before != OPEN => {
                    found.push(format!("column {name:?} was {before} and is {kind}"));
                }
                None if !self.ever.contains(name) && !source.columns.contains(name) => {
                    found.push(format!("new column {name:?}"));
                }
                _ => {}
            }
        }
        let gone = last.iter().filter(|(name, kind)| kind != OPEN && !ignored(name) && of(columns, name).is_none());
        found.extend(gone.map(|(name, _)| format!("column {name:?} is missing, the file before had it")));
        found
    }
}

/// As the audit keeps them: a JSON object, name → type.
pub(crate) fn text(columns: &Columns) -> Option<String> {
    let object: serde_json::Map<String, serde_json::Value> =
        columns.iter().map(|(name, kind)| (name.clone(), kind.clone().into())).collect();
    (!object.is_empty()).then(|| serde_json::Value::Object(object).to_string())
}

fn parse(text: &str) -> Columns {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    object.into_iter().map(|(name, kind)| (name, kind.as_str().unwrap_or_default().to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queryfile::QueryFile;

    fn source(read: &str) -> Source {
        let text = format!(
            "-- ---\n-- [read]\n-- path = \"x\"\n-- format = \"csv\"\n{read}-- ---\n-- into = \"product\"\nSELECT sku, name AS product_name FROM raw\n"
        );
        Source::parse(&QueryFile::parse("sources/x.sql", &text).expect("a query file")).expect("a source")
    }

    fn columns(names: &[&str]) -> Columns {
        names
            .iter()
            .map(|n| n.split_once(' ').map_or((n.to_string(), "text".into()), |(n, k)| (n.into(), k.into())))
            .collect()
    }

    #[test]
    fn a_change_is_told_once() {
        let (source, mut seen) = (source("-- ignored = [\"spare\"]\n"), Seen::default());
        let mut told = |names: &[&str]| seen.check(&source, "f", &columns(names)).expect("warned");
        assert!(told(&["sku", "name", "colour"]).is_empty(), "the first file is compared with nothing");
        assert!(told(&["name", "colour", "sku", "spare"]).is_empty(), "an ignored column, another order");
        assert_eq!(told(&["sku", "name", "colour", "size"]), ["new column \"size\""]);
        assert!(told(&["sku", "name", "colour", "size"]).is_empty());
        assert_eq!(told(&["sku", "name", "size"]), ["column \"colour\" is missing, the file before had it"]);
        assert!(told(&["sku", "name", "size", "colour"]).is_empty(), "it has been there before");
        assert!(told(&[]).is_empty(), "an empty file");
        assert_eq!(told(&["sku Int64", "name", "size", "colour"]), ["column \"sku\" was text and is Int64"]);
    }

    #[test]
    fn stop_refuses_and_land_says_nothing() {
        let (stop, mut seen) = (source("-- drift = \"stop\"\n"), Seen::default());
        seen.check(&stop, "a", &columns(&["sku", "name"])).expect("the first");
        let e = seen.check(&stop, "b.csv", &columns(&["sku", "name", "x", "y"])).expect_err("stopped");
        assert!(
            e.message().contains("file b.csv") && e.message().contains("new column \"x\"; new column \"y\""),
            "{e}"
        );
        assert!(seen.check(&stop, "b.csv", &columns(&["sku", "name", "x"])).is_err(), "what was refused was not seen");
        let (land, mut seen) = (source("-- drift = \"land\"\n"), Seen::default());
        for names in [&["sku", "name"][..], &["sku", "name", "x"]] {
            assert!(seen.check(&land, "f", &columns(names)).expect("landed").is_empty());
        }
        assert_eq!(parse(&text(&columns(&["b", "a Int64"])).expect("columns")), columns(&["b", "a Int64"]));
        assert_eq!(text(&Columns::new()), None);
    }
}
