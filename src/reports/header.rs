//! The header of a report file, as written: titles, parameters, key, period, chart, columns, tests.
//! It must not know the engine, so that what is legal in a header is seen in one place.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Deserialize as DeserializeDerive, Serialize};
use utoipa::ToSchema;

use crate::engine::ParamType;

/// `queries/reports/<folder>/<id>.sql` between the two `-- ---` lines.
#[derive(Debug, Clone, DeserializeDerive)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub title: Title,
    /// What the report answers, its formulas and the choices behind them.
    pub about: String,
    /// Columns that identify a row.
    pub key: Vec<String>,
    /// Dimension tables that list members without facts: slicers filter them too.
    #[serde(default)]
    pub spine: Vec<String>,
    /// Tables and columns (`order_line.unit_cost`) without which it has nothing to tell; not given = what its views need.
    pub needs: Option<Vec<String>>,
    /// `false` refuses totals; not given = they work when the statement has one topmost aggregate.
    pub totals: Option<bool>,
    /// Policies that the report sets itself; a caller who sets them is refused.
    #[serde(default)]
    pub fixed: BTreeMap<String, String>,
    #[serde(default)]
    pub params: InOrder<ParamHeader>,
    /// What makes `compare` possible.
    pub period: Option<Period>,
    pub chart: Option<Chart>,
    /// Meaning and unit per column.
    #[serde(default)]
    pub columns: InOrder<String>,
    /// What must hold of the report's answers over any lake.
    #[serde(default)]
    pub tests: Vec<TestHeader>,
}

/// One test beside a report: what is asked, and what must hold of the answer. It names no expected rows, so that it can be
/// run over any lake. A condition that is NULL holds.
#[derive(Debug, Clone, DeserializeDerive)]
#[serde(deny_unknown_fields)]
pub struct TestHeader {
    /// What it shows.
    pub name: String,
    /// The request: parameters, slicers, policies, totals …, as a caller would give them.
    #[serde(default)]
    pub params: InOrder<toml::Value>,
    /// SQL conditions over the report's columns: they hold of every row.
    #[serde(default)]
    pub each: Vec<String>,
    /// SQL conditions over aggregates of the report's columns: they hold of all rows together.
    #[serde(default)]
    pub all: Vec<String>,
    #[serde(default)]
    pub same_sums: Option<SameSums>,
}

/// Columns whose sums are those of another answer, which is asked for once for all of them.
#[derive(Debug, Clone, DeserializeDerive)]
#[serde(deny_unknown_fields)]
pub struct SameSums {
    /// Columns that both answers have.
    pub columns: Vec<String>,
    /// The other report; this one, if it is not given.
    pub report: Option<String>,
    /// Its request.
    #[serde(default)]
    pub params: InOrder<toml::Value>,
}

/// A title per language.
#[derive(Debug, Clone, PartialEq, Eq, DeserializeDerive, Serialize, ToSchema)]
#[serde(try_from = "WrittenTitle")]
pub struct Title {
    pub en: String,
    pub zh: String,
}

/// A title as it is written: what it lacks is told with what to add.
#[derive(DeserializeDerive)]
#[serde(deny_unknown_fields, expecting = "a title in two languages: { en = \"Sales\", zh = \"销售\" }")]
struct WrittenTitle {
    en: Option<String>,
    zh: Option<String>,
}

impl TryFrom<WrittenTitle> for Title {
    type Error = String;

    fn try_from(written: WrittenTitle) -> Result<Title, String> {
        let told = |title: Option<String>, key: &str, language: &str, such: &str| {
            title
                .filter(|t| !t.trim().is_empty())
                .ok_or_else(|| format!("the title has no {language} text: add {key} = \"{such}\" to it"))
        };
        let zh = told(written.zh, "zh", "Chinese", "销售")?;
        Ok(Title { en: told(written.en, "en", "English", "Sales")?, zh })
    }
}

/// One declared parameter.
#[derive(Debug, Clone, DeserializeDerive)]
#[serde(deny_unknown_fields)]
pub struct ParamHeader {
    #[serde(rename = "type")]
    pub kind: ParamKind,
    pub default: Option<toml::Value>,
    /// May be left out: the statement sees NULL.
    #[serde(default)]
    pub optional: bool,
    pub values: Option<Allowed>,
    pub min: Option<toml::Value>,
    pub max: Option<toml::Value>,
    #[serde(default)]
    pub about: String,
}

/// The types of parameters, by their names in headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, DeserializeDerive, Serialize)]
pub enum ParamKind {
    #[serde(rename = "date")]
    Date,
    #[serde(rename = "timestamp")]
    Timestamp,
    #[serde(rename = "int")]
    Int,
    #[serde(rename = "decimal")]
    Decimal,
    #[serde(rename = "bool")]
    Bool,
    #[serde(rename = "text")]
    Text,
    #[serde(rename = "list<text>")]
    TextList,
}

impl ParamKind {
    pub fn name(self) -> &'static str {
        match self {
            ParamKind::Date => "date",
            ParamKind::Timestamp => "timestamp",
            ParamKind::Int => "int",
            ParamKind::Decimal => "decimal",
            ParamKind::Bool => "bool",
            ParamKind::Text => "text",
            ParamKind::TextList => "list<text>",
        }
    }
    /// The type in which the engine binds it.
    pub fn engine(self) -> ParamType {
        match self {
            ParamKind::Date => ParamType::Date,
            ParamKind::Timestamp => ParamType::Timestamp,
            ParamKind::Int => ParamType::Int,
            ParamKind::Decimal => ParamType::Decimal,
            ParamKind::Bool => ParamType::Bool,
            ParamKind::Text => ParamType::Text,
            ParamKind::TextList => ParamType::TextList,
        }
    }
}

/// The closed values of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, DeserializeDerive)]
#[serde(untagged)]
pub enum Allowed {
    List(Vec<String>),
    /// SQL whose first column, a text, holds them.
    Query(String),
}

/// Which parameters bound the period and which columns it compares.
#[derive(Debug, Clone, PartialEq, Eq, DeserializeDerive)]
#[serde(deny_unknown_fields)]
pub struct Period {
    #[serde(default = "from")]
    pub from: String,
    #[serde(default = "to")]
    pub to: String,
    /// The key column with a bucket's first day.
    pub bucket: Option<String>,
    /// The parameter that says how long a bucket is.
    pub grain: Option<String>,
    pub measures: Vec<String>,
}

fn from() -> String {
    "from".into()
}
fn to() -> String {
    "to".into()
}

/// How a dashboard draws the report (codes of domain 4.1).
#[derive(Debug, Clone, PartialEq, Eq, DeserializeDerive, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    pub kind: ChartKind,
    pub x: Option<String>,
    #[serde(default)]
    pub y: Vec<String>,
    /// The column that makes several lines or stacks.
    pub series: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, DeserializeDerive, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChartKind {
    Kpi,
    Line,
    Area,
    Stack,
    Bar,
    Hbar,
    Heat,
    Map,
    Scatter,
    Pareto,
    Waterfall,
    Funnel,
    Table,
    Treemap,
    Hist,
    Box,
    Sankey,
    Matrix,
    Bullet,
    Sunburst,
    Gauge,
}

/// A TOML table that keeps the order in which it was written.
#[derive(Debug, Clone)]
pub struct InOrder<T>(pub Vec<(String, T)>);

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        InOrder(Vec::new())
    }
}

impl<T> InOrder<T> {
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(|(n, _)| n.as_str())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for InOrder<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = InOrder<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(InOrder(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// A header value as the text that a caller would give.
pub fn text_of(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
        title = { en = "A", zh = "甲" }
        about = "a"
        key = ["k"]
        [params]
        to = { type = "date", default = "today" }
        from = { type = "date", optional = true }
        n = { type = "int", default = 3, min = 1, max = 9 }
        tags = { type = "list<text>", default = ["a", "b"], values = ["a", "b"] }
        who = { type = "text", optional = true, values = "SELECT 1" }
        [period]
        measures = ["m"]
        [chart]
        kind = "hbar"
    "#;

    #[test]
    fn a_header_keeps_its_order_and_fills_defaults() {
        let header: Header = toml::from_str(SMALL).unwrap();
        assert_eq!(header.params.names().collect::<Vec<_>>(), ["to", "from", "n", "tags", "who"]);
        let period = header.period.unwrap();
        assert_eq!((period.from.as_str(), period.to.as_str(), period.bucket), ("from", "to", None));
        assert_eq!(text_of(header.params.get("n").unwrap().default.as_ref().unwrap()), "3");
        assert_eq!(text_of(header.params.get("tags").unwrap().default.as_ref().unwrap()), "a,b");
        assert_eq!(header.params.get("who").unwrap().values, Some(Allowed::Query("SELECT 1".into())));
        assert_eq!(header.totals, None);
    }

    #[test]
    fn a_title_has_both_languages() {
        for (title, says) in [
            ("{ en = \"A\" }", "the title has no Chinese text: add zh = "),
            ("{ en = \"A\", zh = \" \" }", "the title has no Chinese text: add zh = "),
            ("{ zh = \"甲\" }", "the title has no English text: add en = "),
            ("\"A\"", "a title in two languages"),
        ] {
            let text = SMALL.replace("{ en = \"A\", zh = \"甲\" }", title);
            let error = toml::from_str::<Header>(&text).unwrap_err();
            assert!(error.message().contains(says), "{title}: {error}");
        }
    }

    #[test]
    fn tests_stand_behind_the_columns() {
        let tests = "[columns]\nk = \"k\"\n[[tests]]\nname = \"a\"\nparams = { \"where.channel\" = \"web\", n = 3, totals = true }\n\
            each = [\"k > 0\"]\n[[tests]]\nname = \"b\"\nall = [\"count(*) = 1\", \"min(k) > 0\"]";
        let header: Header = toml::from_str(&format!("{SMALL}{tests}")).unwrap();
        let [a, b] = header.tests.as_slice() else { panic!("{:?}", header.tests) };
        let params: Vec<_> = a.params.0.iter().map(|(name, value)| format!("{name}={}", text_of(value))).collect();
        assert_eq!(params, ["where.channel=web", "n=3", "totals=true"]);
        assert_eq!((a.each.len(), a.all.len(), b.each.len(), b.all.len()), (1, 0, 0, 2));
    }

    #[test]
    fn unknown_keys_types_and_charts_are_refused() {
        for wrong in [
            "titel = 1",
            "[params]\nx = { type = \"dat\" }",
            "[params]\nx = { type = \"int\", maximum = 3 }",
            "[chart]\nkind = \"pie\"",
            "[[tests]]\nname = \"a\"\neach = \"k > 0\"",
            "[[tests]]\nall = [\"true\"]",
        ] {
            let text = format!("title = {{ en = \"A\", zh = \"A\" }}\nabout = \"\"\nkey = []\n{wrong}");
            assert!(toml::from_str::<Header>(&text).is_err(), "{wrong}");
        }
    }
}
