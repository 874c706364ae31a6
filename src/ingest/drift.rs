//! Drift: whether a file's columns are those of the files of its source before it. A column is new once: then it has been
//! seen. It must not decide what is read, nor complain of columns that the definition needs (`map` does).

use std::collections::BTreeSet;

use super::Ingest;
use super::read::{ALWAYS, Columns, JSON};
use super::source::{Drift, Source};
use crate::error::{Error, Result};

/// The columns of the files of one source.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    ever: BTreeSet<String>,
    /// Of the last file.
    last: Option<Columns>,
}

impl Seen {
    /// What the audit knows.
    pub async fn load(ingest: &Ingest, source: &Source) -> Result<Seen> {
        let mut seen = Seen::default();
        if source.header.read.drift != Drift::Land {
            ingest.ledger.look(&ingest.lake, ingest.clock.now_micros()).await?;
            ingest.ledger.columns(&source.name).iter().for_each(|columns| seen.remember(&parse(columns)));
        }
        Ok(seen)
    }

    fn remember(&mut self, columns: &Columns) {
        if columns.is_empty() {
            return;
        }
        self.ever.extend(columns.iter().map(|(name, _)| name.clone()));
        let mut last = columns.clone();
        // A few JSON objects do not tell what all have: what a larger file told stays known.
        if is_json(columns) && !tells_always(columns) {
            let before = self.last.iter().flatten().filter(|(_, kind)| is_always(kind));
            for (name, kind) in before {
                match last.iter_mut().find(|(n, _)| n == name) {
                    Some((_, now)) => now.push_str(ALWAYS),
                    None => last.push((name.clone(), kind.clone())),
                }
            }
        }
        self.last = Some(last);
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
        let read = &source.header.read;
        let of = |columns: &Columns, name: &String| columns.iter().find(|(n, _)| n == name).map(|(_, k)| k.clone());
        let mut found = Vec::new();
        for (name, kind) in columns.iter().filter(|(name, _)| !read.ignored.contains(name)) {
            match of(last, name) {
                Some(before) => found.extend(change(name, &before, kind)),
                None if !self.ever.contains(name) && !source.columns.contains(name) => {
                    found.push(format!("new column {name:?}"));
                }
                None => {}
            }
        }
        // An object may lack what others have, unless each of many has it.
        let needed = |kind: &str| !is_json_kind(kind) || (is_always(kind) && tells_always(columns));
        let may_lack = |name: &String| read.ignored.contains(name) || read.optional.contains(name);
        let gone = last.iter().filter(|(name, kind)| needed(kind) && !may_lack(name) && of(columns, name).is_none());
        found.extend(gone.map(|(name, _)| format!("column {name:?} is missing, the file before had it")));
        found
    }
}

/// What is different about the values of a column; JSON's say little, and nothing beside those of another format.
fn change(name: &str, before: &str, now: &str) -> Option<String> {
    let bare = |kind: &str| kind.strip_suffix(ALWAYS).unwrap_or(kind).to_string();
    let (before, now) = (bare(before), bare(now));
    let comparable = is_json_kind(&before) == is_json_kind(&now) && before != JSON && now != JSON;
    (comparable && before != now).then(|| format!("column {name:?} was {before} and is {now}"))
}

fn is_json_kind(kind: &str) -> bool {
    kind.starts_with(JSON)
}

fn is_json(columns: &Columns) -> bool {
    columns.iter().all(|(_, kind)| is_json_kind(kind))
}

fn is_always(kind: &str) -> bool {
    kind.ends_with(ALWAYS)
}

/// The file had many records, so that what each of them had is known. (Each has some column; else nothing is.)
fn tells_always(columns: &Columns) -> bool {
    columns.iter().any(|(_, kind)| is_always(kind))
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
    fn json_objects_may_lack_what_not_all_of_many_have() {
        let (source, mut seen) = (source("-- optional = [\"colour\"]\n"), Seen::default());
        let mut told = |columns: &[(&str, &str)]| {
            let columns: Columns = columns.iter().map(|(n, k)| (n.to_string(), k.to_string())).collect();
            seen.check(&source, "f", &columns).expect("warned")
        };
        let (id, always) = (("id", "json value, always"), "json value, always");
        assert!(told(&[id, ("till", always), ("colour", always), ("note", "json value")]).is_empty(), "the first");
        assert!(told(&[id, ("till", always), ("colour", always)]).is_empty(), "not all of them had a note");
        assert!(told(&[("id", "json value")]).is_empty(), "one receipt tells nothing");
        assert_eq!(told(&[("id", "json value"), ("shop", "json object")]), ["new column \"shop\""]);
        let missing = told(&[id, ("shop", "json")]);
        assert_eq!(missing, ["column \"till\" is missing, the file before had it"], "colour may be missing");
        assert!(told(&[id, ("shop", "json")]).is_empty(), "it is told once");
        assert!(told(&[id, ("shop", "json object")]).is_empty(), "nulls before");
        assert_eq!(told(&[id, ("shop", "json value")]), ["column \"shop\" was json object and is json value"]);
        assert!(told(&[("id", "text"), ("shop", "text")]).is_empty(), "another format");
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
