//! Source definitions: `queries/sources/*.sql`, one per file layout. A header (how to read, what to fill in, what to
//! leave out) and one SELECT per target table. Checked against the contracts when loaded; it must not read data.

mod layout;
mod live;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};
use serde::Deserialize;

pub use layout::{Drift, Format, Read, Sheet};
pub use live::LiveSources;

use super::plan;
use super::read::fields_of_shape;
use crate::error::{Error, Result, did_you_mean};
use crate::model::{self, Role, Table};
use crate::queryfile::{QueryFile, load_folder};

/// A text in one or several languages.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Words {
    Plain(String),
    ByLanguage(BTreeMap<String, String>),
}

impl Words {
    /// The English text, or else the first there is.
    pub fn english(&self) -> &str {
        match self {
            Words::Plain(text) => text,
            Words::ByLanguage(texts) => texts.get("en").or_else(|| texts.values().next()).map_or("", String::as_str),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub title: Option<Words>,
    pub about: Option<String>,
    /// Default: the file's name.
    pub source_system: Option<String>,
    /// Sources land in ascending order; dimensions and rates 0–9, facts from 10.
    #[serde(default = "ten")]
    pub order: i64,
    pub read: Read,
    #[serde(default)]
    pub defaults: BTreeMap<String, toml::Value>,
    pub key: Option<Key>,
    #[serde(default)]
    pub skip: Vec<Skip>,
}

fn ten() -> i64 {
    10
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Raw columns that tell one order from another, where lines have no ids of their own.
    pub ordinal_within: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    /// SQL over the raw record.
    #[serde(rename = "where")]
    pub condition: String,
    pub reason: String,
}

/// One SELECT and the table that it feeds.
#[derive(Debug, Clone)]
pub struct Select {
    pub table: &'static Table,
    /// Gleans dimension rows from facts; its rows never decide a record's fate.
    pub reference: bool,
    pub sql: String,
    /// The line in the file where its `-- into` stands.
    pub line: usize,
}

/// A source definition.
#[derive(Debug, Clone)]
pub struct Source {
    pub name: String,
    /// Path below `queries/`, for messages.
    pub path: String,
    pub system: String,
    pub header: Header,
    pub selects: Vec<Select>,
    /// The whole text as written.
    pub text: String,
    /// The raw columns that the SELECTs and skips look at.
    pub columns: Vec<String>,
}

/// Every source definition, by name.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    by_name: BTreeMap<String, Arc<Source>>,
    /// Files that are no sources, by name: what is wrong, and what would work.
    broken: BTreeMap<String, (String, Option<String>)>,
}

impl Sources {
    /// The embedded definitions and those of `queries_dir`, which add and override by name; all checked. One that is wrong
    /// stops nobody but those who ask for it.
    pub fn load(queries_dir: Option<&Path>) -> Result<Sources> {
        let mut sources = Sources::default();
        for (name, file) in load_folder("sources", queries_dir)? {
            match Source::parse(&file) {
                Ok(source) => drop(sources.by_name.insert(name, Arc::new(source))),
                Err(e) => drop(sources.broken.insert(name, (e.to_string(), e.hint_text().map(String::from)))),
            }
        }
        Ok(sources)
    }
    pub fn from_list(sources: impl IntoIterator<Item = Source>) -> Sources {
        let by_name = sources.into_iter().map(|s| (s.name.clone(), Arc::new(s))).collect();
        Sources { by_name, broken: BTreeMap::new() }
    }
    /// What is wrong with each definition that cannot be used.
    pub fn broken(&self) -> Vec<Error> {
        let error = |(says, hint): &(String, Option<String>)| match hint {
            Some(hint) => Error::invalid(says).hint(hint),
            None => Error::invalid(says),
        };
        self.broken.values().map(error).collect()
    }
    pub fn get(&self, name: &str) -> Result<Arc<Source>> {
        if let Some(source) = self.by_name.get(name) {
            return Ok(source.clone());
        }
        Err(match self.broken.get(name) {
            Some((says, hint)) => Error::invalid(says).hint(hint.clone().unwrap_or_else(|| "mend its file".into())),
            None => Error::not_found(format!("no source is called {name}"))
                .hint(did_you_mean(name, self.by_name.keys().map(String::as_str).collect::<Vec<_>>())),
        })
    }
    /// In the order in which they land: by `order`, then by name.
    pub fn in_order(&self) -> Vec<Arc<Source>> {
        let mut all: Vec<_> = self.by_name.values().cloned().collect();
        all.sort_by(|a, b| (a.header.order, &a.name).cmp(&(b.header.order, &b.name)));
        all
    }
    pub fn len(&self) -> usize {
        self.by_name.len()
    }
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

impl Source {
    /// Reads and checks one definition. Errors name the file and what would work.
    pub fn parse(file: &QueryFile) -> Result<Source> {
        let header: Header = file.header()?;
        let mut source = Source {
            name: file.name.clone(),
            path: file.path.clone(),
            system: header.source_system.clone().unwrap_or_else(|| file.name.clone()),
            selects: split(file)?,
            header,
            text: file.text.clone(),
            columns: Vec::new(),
        };
        source.columns = source.check().map_err(|e| e.context(&source.path))?;
        Ok(source)
    }

    /// The raw columns that it looks at.
    fn check(&self) -> Result<Vec<String>> {
        self.header.read.check()?;
        for name in self.header.defaults.keys() {
            let may = |t: &'static Table| t.columns().filter(|c| c.role != Role::Engine).map(|c| c.name);
            // `tz` also says how to read wall-clock times of tables without places.
            if name != "tz" && !self.selects.iter().any(|s| may(s.table).any(|c| c == name)) {
                let known: Vec<&str> = self.selects.iter().flat_map(|s| may(s.table)).collect();
                return Err(Error::invalid(format!("[defaults] {name}: no table of this source has such a column"))
                    .hint(did_you_mean(name, known)));
            }
        }
        plan::check(self)
    }

    /// The columns of a JSON file: the header's shape, else the names that the SELECTs mention, each a text.
    pub(crate) fn ndjson_fields(&self) -> Result<Fields> {
        match &self.header.read.shape {
            Some(shape) => fields_of_shape(shape),
            None => Ok(self.columns.iter().map(|n| Field::new(n, DataType::Utf8, true)).collect()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Directive {
    into: String,
    #[serde(default)]
    reference: bool,
}

/// Cuts the SQL at its `-- into = "table"` lines.
fn split(file: &QueryFile) -> Result<Vec<Select>> {
    let mut selects: Vec<Select> = Vec::new();
    for (i, line) in file.sql.lines().enumerate() {
        let comment = line.trim().strip_prefix("--").map(str::trim);
        if let Some(directive) =
            comment.filter(|c| c.strip_prefix("into").is_some_and(|r| r.trim_start().starts_with('=')))
        {
            selects.push(begin(file, directive, i + 1)?);
        } else if let Some(select) = selects.last_mut() {
            select.sql.push_str(line);
            select.sql.push('\n');
        } else if !line.trim().is_empty() && comment.is_none() {
            return Err(Error::invalid(format!("{}, line {}: SQL without a target table", file.path, i + 1))
                .hint("write `-- into = \"order_line\"` on a line before each SELECT"));
        }
    }
    if selects.is_empty() {
        return Err(Error::invalid(format!("{}: no SELECT", file.path))
            .hint("write `-- into = \"order_line\"` and a SELECT … FROM raw after the header"));
    }
    for select in &mut selects {
        let end = select.sql.trim_end().trim_end_matches(';').len();
        select.sql.truncate(end);
    }
    Ok(selects)
}

fn begin(file: &QueryFile, directive: &str, line: usize) -> Result<Select> {
    #[derive(Deserialize)]
    struct Line {
        d: Directive,
    }
    let parsed: Line = toml::from_str(&format!("d = {{ {directive} }}")).map_err(|e| {
        Error::invalid(format!("{}, line {line}: {}", file.path, e.message()))
            .hint("such as `-- into = \"product\", reference = true`")
    })?;
    let landable = || model::TABLES.iter().filter(|t| t.kind != model::TableKind::Control);
    let table = landable().find(|t| t.name == parsed.d.into).ok_or_else(|| {
        Error::invalid(format!("{}, line {line}: no table `{}`", file.path, parsed.d.into))
            .hint(did_you_mean(&parsed.d.into, landable().map(|t| t.name).collect::<Vec<_>>()))
    })?;
    Ok(Select { table, reference: parsed.d.reference, sql: String::new(), line })
}
