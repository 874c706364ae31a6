//! What a caller may ask of the engine beside the SQL text: typed parameters, policies, slicers, compare, totals, order, limit.
//! Plain data: it must not name DataFusion, so that reports and surfaces can build it.

use std::collections::BTreeMap;

use arrow::array::ArrayRef;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, did_you_mean};

/// The policies a query runs under, by name. A view takes those it declares, and its own defaults for the rest.
pub type Policies = BTreeMap<String, String>;

/// Everything about one query that is not its text.
#[derive(Debug, Clone, Default)]
pub struct QueryOptions {
    /// Values for the statement's `$name` placeholders, without the `$`. They are bound, never spliced.
    pub params: BTreeMap<String, Param>,
    /// Chosen policies; what is not named here has the default that its views declare.
    pub policies: Policies,
    pub slices: Vec<Slice>,
    /// Dimension tables that slicers filter too (a report that lists every channel, sold or not, lists the sliced ones).
    pub spine: Vec<String>,
    pub compare: Option<Compare>,
    /// Adds the totals row and the column `row_kind` ('row' | 'total').
    pub totals: bool,
    /// The columns that identify a row of the result.
    pub key: Vec<String>,
    /// Replaces the statement's own ORDER BY when not empty; `key` breaks ties.
    pub order_by: Vec<OrderBy>,
    /// At most so many rows, after ordering; a totals row does not count.
    pub limit: Option<u64>,
    /// Only so many rows, the first in order, and one row of all the others (`row_kind` 'others').
    pub top_n: Option<u64>,
    /// Run it even if its answer is in the cache; the new one takes that one's place.
    pub fresh: bool,
    /// A report's id, or "sql": for the query log.
    pub label: String,
    /// How the text is written.
    pub dialect: Dialect,
    /// The state to answer from; `None` = the newest.
    pub at: Option<Pin>,
    /// Of PostgreSQL's clients: who `current_user` is, and the schema in which bare names are looked for instead of `main`.
    pub user: Option<String>,
    pub schema: Option<String>,
}

/// How SQL is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Dialect {
    #[default]
    Own,
    /// As PostgreSQL's clients write it, with `pg_catalog` to look things up in.
    Postgres,
}

/// One state of all tables, by name: a statement that was described there can be answered from there later, by any
/// process, as long as the lake keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The snapshot's id.
    pub snapshot: String,
    /// Delta version by table.
    pub versions: BTreeMap<String, i64>,
}

/// One slicer with its values: rows whose key is one of the members meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The slicer's name in `model::slicer`.
    pub slicer: String,
    /// Ids, names (any case), 'UNK' (a key without a dimension row) or 'N/A' (no key).
    pub values: Vec<String>,
    /// Only this level of the hierarchy is searched (`region_level`, `category_level`).
    pub level: Option<u32>,
}

/// A parameter's value, typed exactly.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    Null(ParamType),
    Date(NaiveDate),
    /// An instant, bound with microseconds in UTC.
    Timestamp(DateTime<Utc>),
    Int(i64),
    /// Digits with an optional sign and point; its scale is the number of digits after the point.
    Decimal(String),
    Bool(bool),
    Text(String),
    /// A list of texts.
    List(Vec<String>),
    /// One value of any type, as a client bound it: an array of length 1.
    Value(ArrayRef),
}

/// A parameter's type, for NULLs and for describing statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParamType {
    Date,
    Timestamp,
    Int,
    Decimal,
    Bool,
    Text,
    TextList,
}

impl Param {
    /// The value's type, also of NULL.
    pub fn kind(&self) -> ParamType {
        match self {
            Param::Null(kind) => *kind,
            Param::Date(_) => ParamType::Date,
            Param::Timestamp(_) => ParamType::Timestamp,
            Param::Int(_) => ParamType::Int,
            Param::Decimal(_) => ParamType::Decimal,
            Param::Bool(_) => ParamType::Bool,
            Param::Text(_) => ParamType::Text,
            Param::List(_) => ParamType::TextList,
            Param::Value(value) => super::params::param_type(value.data_type()).unwrap_or(ParamType::Text),
        }
    }
}

/// The types' names, as people and clients write them.
pub const TYPE_NAMES: [(&str, ParamType); 7] = [
    ("date", ParamType::Date),
    ("timestamp", ParamType::Timestamp),
    ("int", ParamType::Int),
    ("decimal", ParamType::Decimal),
    ("bool", ParamType::Bool),
    ("text", ParamType::Text),
    ("list<text>", ParamType::TextList),
];

impl ParamType {
    /// The type called `name`.
    pub fn parse(name: &str) -> Result<ParamType> {
        let known = TYPE_NAMES.iter().find(|(n, _)| *n == name).map(|(_, t)| *t);
        known.ok_or_else(|| {
            Error::invalid(format!("unknown type '{name}'")).hint(did_you_mean(name, TYPE_NAMES.map(|(n, _)| n)))
        })
    }
}

impl Param {
    /// A value from text: ISO dates, RFC 3339 instants, plain digits, true or false, lists with commas.
    pub fn parse(kind: ParamType, text: &str) -> Result<Param> {
        let (param, example) = match kind {
            ParamType::Date => (text.parse::<NaiveDate>().ok().map(Param::Date), "2026-01-31"),
            ParamType::Timestamp => (
                DateTime::parse_from_rfc3339(text).ok().map(|t| Param::Timestamp(t.with_timezone(&Utc))),
                "2026-01-31T08:00:00Z",
            ),
            ParamType::Int => (text.parse().ok().map(Param::Int), "42"),
            ParamType::Decimal => (is_decimal(text).then(|| Param::Decimal(text.into())), "19.90"),
            ParamType::Bool => (text.parse().ok().map(Param::Bool), "true"),
            ParamType::Text => (Some(Param::Text(text.into())), "web"),
            ParamType::TextList => (Some(Param::List(text.split(',').map(|t| t.trim().into()).collect())), "web,app"),
        };
        let name = TYPE_NAMES.iter().find(|(_, t)| *t == kind).map_or("", |(n, _)| n);
        param.ok_or_else(|| Error::invalid(format!("'{text}' is no {name}")).hint(format!("for example {example}")))
    }
}

/// An optional sign, digits, and at most one point with digits after it.
fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    match text.split_once('.') {
        None => digits(text),
        Some((whole, part)) => digits(whole) && digits(part),
    }
}

/// Puts an earlier period beside the asked one: the statement runs a second time with `from` and `to` shifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compare {
    pub mode: CompareMode,
    /// Names of the parameters that bound the period: `from` included, `to` excluded.
    pub from: String,
    pub to: String,
    /// The key column that is the bucket's start date; `None` = the result has no buckets of time.
    pub bucket: Option<String>,
    /// Name of the parameter that says how long a bucket is (`grain`).
    pub grain: Option<String>,
    /// Columns that get `<column>_prev` and `<column>_growth`.
    pub measures: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareMode {
    /// The span of equal length that ends where this one begins.
    PreviousPeriod,
    /// The same dates a year before.
    PreviousYear,
    /// 364 days before, so that weekdays meet weekdays.
    PreviousYearAligned,
}

/// One column of an ordering; NULLs come last either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    pub column: String,
    pub descending: bool,
}
