//! The operation of each live report: its parameters with their types, and the rows of its answer. It must not know what a
//! report computes.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::operation::{cacheable, operation as base, query, reference, rows, shared};
use super::schemas::{result, value};
use crate::engine::ROW_KIND;
use crate::model::slicer::slicer;
use crate::reports::{MOST_ROWS, ParamInfo, PolicyInfo, ReportInfo};

/// The statuses of a run's own problems.
pub const RUN_REFUSALS: &[u16] = &[400, 403, 404, 406, 429, 504, 505];
/// The headers of a run's rows.
pub const RUN_HEADERS: &[&str] = &[
    "ETag",
    "X-Saleslake-Snapshot",
    "X-Saleslake-Cached",
    "X-Saleslake-Report",
    "X-Saleslake-Note",
    "X-Saleslake-Rows",
    "X-Saleslake-Checksum",
];

/// How a list is written, for clients that do not repeat the parameter.
const COMMAS: &str = "Repeated, or between commas; `\\,` is a comma within a value.";

/// What the schemas and the operation of a report are called.
pub struct Name {
    /// `sales_by_region`
    snake: String,
    /// `SalesByRegion`
    pascal: String,
}

/// The reports with their names: of ids that differ in no letter or digit, the later ones are numbered.
pub fn named<'a>(infos: &[&'a ReportInfo]) -> Vec<(Name, &'a ReportInfo)> {
    // What `run_report`, `run_sql` and `ResultRow` begin with.
    let mut taken = BTreeSet::from(["Report", "Sql", "Result"].map(String::from));
    let mut name = |id: &str| {
        let words: Vec<String> = id
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        let plain = Some(words.join("_")).filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()));
        let plain = plain.unwrap_or_else(|| format!("report_{}", words.join("_")).trim_end_matches('_').into());
        let numbered = (2..).map(|n| format!("{plain}_{n}"));
        let free = std::iter::once(plain.clone()).chain(numbered).find(|name| taken.insert(pascal(name)));
        let snake = free.unwrap_or(plain);
        Name { pascal: pascal(&snake), snake }
    };
    infos.iter().map(|info| (name(&info.id), *info)).collect()
}

fn pascal(snake: &str) -> String {
    let capital = |word: &str| {
        word.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(word.chars().skip(1)).collect::<String>()
    };
    snake.split('_').map(capital).collect()
}

pub fn operation(name: &Name, info: &ReportInfo) -> Value {
    let answer = rows("The rows, with a receipt in JSON.", RUN_HEADERS, reference(&format!("{}Result", name.pascal)));
    let mut run = base("reports", &format!("run_{}", name.snake), &info.title.en, answer, RUN_REFUSALS);
    run["description"] = json!(info.about);
    run["parameters"] = parameters(info).into();
    cacheable(run)
}

/// The schemas of the report's row and of its whole answer.
pub fn schemas(name: &Name, info: &ReportInfo) -> [(String, Value); 2] {
    let row = format!("{}Row", name.pascal);
    let whole = result(&row, "Receipt");
    [(row, row_of(info)), (format!("{}Result", name.pascal), whole)]
}

fn parameters(info: &ReportInfo) -> Vec<Value> {
    let mut all: Vec<Value> = info.params.iter().map(own).chain(info.policies.iter().map(policy)).collect();
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    for name in &info.slicers {
        let found = slicer(name);
        let about = match found.and_then(|s| s.dimension) {
            Some(dimension) => {
                format!("Only these, by id or name of {dimension}; UNK = not known, N/A = none. {COMMAS}")
            }
            None => "Only those, true or false.".into(),
        };
        all.push(query(&format!("where.{name}"), &about, texts.clone()));
        if let Some(level) = found.and_then(|s| s.level) {
            let about = format!("The level of the hierarchy on which where.{name} is looked for.");
            let schema = json!({ "type": "integer", "minimum": 1, "maximum": 5 });
            all.push(query(&format!("where.{level}"), &about, schema));
        }
    }
    if !info.compares.is_empty() {
        let about = "Adds the measures of an earlier period (`…_prev`) and their growth (`…_growth`).";
        all.push(query("compare", about, reference("Comparison")));
    }
    all.push(query("order_by", "Columns; a minus before one puts its largest values first: `-net_sales`.", texts));
    let most = json!({ "type": "integer", "minimum": 1, "maximum": MOST_ROWS });
    all.push(query("limit", "The first rows in that order.", most));
    if info.totals {
        let most = json!({ "type": "integer", "minimum": 1, "maximum": MOST_ROWS });
        let about = "The first rows in that order, one row of all the others, and the column `row_kind`.";
        all.push(query("top_n", about, most));
        let about = "Adds the row of all, and the column `row_kind`.";
        all.push(query("totals", about, json!({ "type": "boolean" })));
    }
    let about = "What was known at this instant (`2026-01-31T08:00:00Z`), or at the beginning of this day, as far as the lake keeps it.";
    all.push(query("known_at", about, json!({ "type": "string" })));
    all.extend([shared("Format"), shared("IfNoneMatch")]);
    all
}

fn own(param: &ParamInfo) -> Value {
    let mut about = vec![param.about.clone()];
    let mut schema = kind(param);
    match (&param.default, default(param)) {
        (_, Some(default)) => schema["default"] = default,
        (Some(relative), None) => about.push(format!("Default: `{relative}`.")),
        (None, None) => {}
    }
    for (bound, key, words) in [(&param.min, "minimum", "At least"), (&param.max, "maximum", "At most")] {
        match (bound, bound.as_ref().and_then(|b| b.parse::<i64>().ok())) {
            (Some(_), Some(number)) if param.kind == "int" => schema[key] = json!(number),
            (Some(text), _) => about.push(format!("{words} {text}.")),
            (None, _) => {}
        }
    }
    if param.values_from_data {
        about.push("One of the values that the data has: `get_report` lists them.".into());
    }
    let about: Vec<String> = about.into_iter().filter(|text| !text.is_empty()).collect();
    let mut parameter = query(&param.name, &about.join(" "), schema);
    if param.default.is_none() && !param.optional {
        parameter["required"] = json!(true);
    }
    parameter
}

/// The type of a parameter, by its name in headers.
fn kind(param: &ParamInfo) -> Value {
    let mut text = json!({ "type": "string" });
    if let Some(values) = &param.values {
        text["enum"] = json!(values);
    }
    match param.kind {
        "date" => json!({ "type": "string", "format": "date" }),
        "timestamp" => json!({ "type": "string", "format": "date-time" }),
        "int" => json!({ "type": "integer", "format": "int64" }),
        "decimal" => json!({ "type": "string", "format": "decimal" }),
        "bool" => json!({ "type": "boolean" }),
        "list<text>" => json!({ "type": "array", "items": text }),
        _ => text,
    }
}

/// The default as a value of the parameter's type; `None` where it is none, such as a relative date.
fn default(param: &ParamInfo) -> Option<Value> {
    let text = param.default.as_ref()?;
    match param.kind {
        "date" => text.parse::<NaiveDate>().ok().map(|day| json!(day.to_string())),
        "timestamp" | "list<text>" => None,
        "int" => text.parse::<i64>().ok().map(Value::from),
        "bool" => text.parse::<bool>().ok().map(Value::from),
        _ => Some(json!(text)),
    }
}

fn policy(policy: &PolicyInfo) -> Value {
    query(&policy.name, &policy.about, json!({ "type": "string", "enum": policy.values, "default": policy.default }))
}

/// A row of the JSON: the report's columns, and those that `compare` and `totals` add.
fn row_of(info: &ReportInfo) -> Value {
    let mut properties = Map::new();
    for column in &info.columns {
        let mut schema = value(&column.kind);
        if !column.about.is_empty() {
            schema["description"] = json!(column.about);
        }
        properties.insert(column.name.clone(), schema);
    }
    for column in info.columns.iter().filter(|c| info.compares.contains(&c.name)) {
        properties.insert(format!("{}_prev", column.name), value(&column.kind));
        properties.insert(format!("{}_growth", column.name), value("DOUBLE"));
    }
    if info.totals {
        properties.insert(ROW_KIND.into(), reference("RowKind"));
    }
    let always: Vec<&str> = info.columns.iter().map(|c| c.name.as_str()).collect();
    json!({ "type": "object", "required": always, "properties": properties })
}
