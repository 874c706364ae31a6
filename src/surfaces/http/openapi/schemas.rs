//! `components.schemas`: those derived from the types that routes serialise, and those of rows, which no type has.

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::super::{problem, reports, sql, tables};
use super::operation::reference;
use crate::encode::Format;
use crate::engine::options::TYPE_NAMES;
use crate::error::{Error, Result};
use crate::ingest::{FileAccount, PushAccount};
use crate::reports::{COMPARISONS, Receipt};

/// With everything that they refer to.
#[derive(OpenApi)]
#[openapi(components(schemas(
    problem::Written,
    reports::Report,
    reports::ReportList,
    sql::Body,
    sql::Receipt,
    tables::Tables,
    PushAccount,
    Receipt
)))]
struct Derived;

/// The schemas that do not depend on the reports.
pub fn fixed() -> Result<Map<String, Value>> {
    let mut schemas = fields(Derived::openapi().components.unwrap_or_default().schemas)?;
    if let Some(account) = schemas.get_mut("FileAccount") {
        always_written(account, &fields(FileAccount::default())?);
    }
    schemas.extend([
        ("Format".into(), words(&Format::ALL.map(Format::name))),
        ("Comparison".into(), words(&COMPARISONS)),
        ("RowKind".into(), words(&["row", "others", "total"])),
        ("SqlParameter".into(), sql_parameter()),
        ("ResultColumn".into(), column()),
        ("ResultRow".into(), json!({ "type": "object", "additionalProperties": {} })),
        ("ReportResult".into(), result("ResultRow", "Receipt")),
        ("SqlResult".into(), result("ResultRow", "SqlReceipt")),
    ]);
    Ok(schemas)
}

/// Serde's defaults are for reading old accounts: an answer has every field that an empty account is written with.
fn always_written(schema: &mut Value, empty: &Map<String, Value>) {
    schema["required"] = empty.keys().map(String::as_str).collect();
    for property in schema["properties"].as_object_mut().into_iter().flat_map(|properties| properties.values_mut()) {
        if let Some(property) = property.as_object_mut() {
            property.shift_remove("default");
        }
    }
}

fn fields(of: impl Serialize) -> Result<Map<String, Value>> {
    let written = serde_json::to_value(of);
    let written = written.map_err(|e| Error::internal(format!("the OpenAPI schemas cannot be written: {e}")))?;
    Ok(written.as_object().cloned().unwrap_or_default())
}

/// What `encode::json` writes around the rows.
pub fn result(row: &str, receipt: &str) -> Value {
    json!({
        "type": "object",
        "required": ["columns", "rows", "receipt"],
        "properties": {
            "columns": { "type": "array", "items": reference("ResultColumn") },
            "rows": { "type": "array", "items": reference(row) },
            "receipt": reference(receipt),
        },
    })
}

/// How `encode` writes a column of the SQL type `sql` in JSON. (Integers beyond 2^53, of which counts are far, are strings.)
pub fn value(sql: &str) -> Value {
    let (word, rest) = sql.split_at(sql.find(['(', '<']).unwrap_or(sql.len()));
    let (kind, format) = match word {
        "BOOLEAN" => ("boolean", None),
        "INT" | "INT UNSIGNED" | "BIGINT" => ("integer", Some("int64")),
        "REAL" | "DOUBLE" => ("number", Some("double")),
        "DECIMAL" => ("string", Some("decimal")),
        "DATE" => ("string", Some("date")),
        "TIMESTAMP WITH TIME ZONE" => ("string", Some("date-time")),
        "LIST" => ("array", None),
        _ => ("string", None),
    };
    let mut schema = json!({ "type": [kind, "null"] });
    if let Some(format) = format {
        schema["format"] = json!(format);
    }
    if kind == "array" {
        schema["items"] = value(rest.trim_start_matches('<').trim_end_matches('>'));
    }
    schema
}

fn words(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

fn column() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "required": ["name", "type"],
        "properties": { "name": text, "type": { "type": "string", "description": "The SQL type's name." } },
    })
}

/// A plain value that JSON types, or one with its type.
fn sql_parameter() -> Value {
    let typed = json!({
        "type": "object",
        "title": "TypedValue",
        "required": ["type", "value"],
        "additionalProperties": false,
        "properties": {
            "type": words(&TYPE_NAMES.map(|(name, _)| name)),
            "value": { "description": "The value as text or in JSON; null is the type's NULL." },
        },
    });
    json!({
        "description": "A text, a whole number, a short decimal, a truth value, a list of texts; or a value with its type.",
        "oneOf": [
            { "type": "string" },
            { "type": "number" },
            { "type": "boolean" },
            { "type": "array", "items": { "type": "string" } },
            typed,
        ],
    })
}
