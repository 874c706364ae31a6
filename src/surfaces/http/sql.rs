//! `POST /api/v1/sql` `{"sql": "SELECT … $from", "params": {"from": {"type": "date", "value": "2026-01-01"}}, "format": "csv"}`
//!
//! One read-only statement with bound parameters. Off unless `http.allow_sql`. Plain values are typed by JSON: text,
//! whole number, decimal, truth value, list of texts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Ref};

use super::asked::Asked;
use super::problem::Problem;
use super::respond::{Answer, format};
use super::run::seconds;
use super::{HttpState, params};
use crate::encode::ReceiptFn;
use crate::engine::{Param, ParamType, QueryOptions};
use crate::error::{Error, Result};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SqlRequest)]
pub struct Body {
    /// One statement that reads, its parameters as `$name`.
    sql: String,
    /// The parameters' values by their names.
    #[serde(default)]
    #[schema(schema_with = params_schema)]
    params: BTreeMap<String, Value>,
    #[schema(schema_with = format_schema)]
    format: Option<String>,
}

fn params_schema() -> ObjectBuilder {
    ObjectBuilder::new().additional_properties(Some(Ref::from_schema_name("SqlParameter")))
}

fn format_schema() -> Ref {
    Ref::from_schema_name("Format")
}

/// What an answer is worth knowing by.
#[derive(Serialize, ToSchema)]
#[schema(as = SqlReceipt)]
pub struct Receipt {
    /// The engine's snapshot.
    snapshot: String,
    /// Delta versions of the tables read; −1 = never written.
    versions: BTreeMap<String, i64>,
    /// The rows were there already: the same had been asked of the same versions.
    cached: bool,
    rows: u64,
    /// Of the encoded rows, in their order.
    checksum: String,
    seconds: f64,
}

pub async fn sql(
    State(state): State<HttpState>,
    asked: Asked,
    body: std::result::Result<Bytes, BytesRejection>,
) -> std::result::Result<Response, Problem> {
    if !state.allow_sql {
        return Err(Problem::new(StatusCode::FORBIDDEN, "sql-off", "this server does not take SQL")
            .hint("reports are at /api/v1/reports; the operator can set http.allow_sql = true"));
    }
    let mut values = params::pairs(asked.query.as_deref())?;
    let in_query = params::take(&mut values, "format");
    params::nothing_but(&values, &["format"])?;
    let body = read(&asked.headers, body)?;
    let format = format(in_query.or(body.format).as_deref(), &asked.headers)?;
    let params = body.params.iter().map(|(name, value)| Ok((name.trim_start_matches('$').into(), param(name, value)?)));
    let (params, fresh) = (params.collect::<Result<_>>()?, asked.fresh());
    let options = QueryOptions { params, fresh, label: "sql".into(), ..QueryOptions::default() };

    let begun = Instant::now();
    let rows = state.engine.query(&body.sql, options, &asked.caller).await?;
    state.metrics.saw(&rows.snapshot);
    let (snapshot, versions, cached) = (rows.snapshot.clone(), rows.versions.clone(), rows.cached);
    let receipt: ReceiptFn = Arc::new(move |written| {
        let (snapshot, versions) = (snapshot.clone(), versions.clone());
        let (rows, checksum) = (written.rows, written.checksum.clone());
        json!(Receipt { snapshot, versions, cached, rows, checksum, seconds: seconds(begun) })
    });
    let headers = HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]);
    let abort = state.abort.clone();
    Answer { format, receipt, headers, name: "sql".into(), version: asked.version, meter: asked.meter, abort }
        .respond(rows)
        .await
}

/// The body, which must say that it is JSON: a form of another site could not.
fn read(asked: &HeaderMap, body: std::result::Result<Bytes, BytesRejection>) -> std::result::Result<Body, Problem> {
    let bytes = body.map_err(|rejected| Problem::new(rejected.status(), "body", rejected.body_text()))?;
    let kind = asked.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            format!("Content-Type '{kind}' is not JSON"),
        )
        .hint("send 'Content-Type: application/json'"));
    }
    let shape = "{\"sql\": \"SELECT …\", \"params\": {\"from\": {\"type\": \"date\", \"value\": \"2026-01-01\"}}}";
    serde_json::from_slice(&bytes)
        .map_err(|e| Error::invalid(format!("the request body: {e}")).hint(format!("send {shape}")).into())
}

/// A parameter: `{"type", "value"}`, or a plain value that JSON types.
fn param(name: &str, value: &Value) -> Result<Param> {
    let wrong = |what: String| Error::invalid(format!("parameter '{name}': {what}"));
    match value {
        Value::String(text) => Ok(Param::Text(text.clone())),
        Value::Bool(truth) => Ok(Param::Bool(*truth)),
        Value::Number(number) => {
            match number.as_i64() {
                Some(whole) => Ok(Param::Int(whole)),
                // JSON numbers pass through floats: safe for what is short, so long ones must come as text.
                None if number.to_string().len() <= 15 && !number.to_string().contains('e') => {
                    Ok(Param::Decimal(number.to_string()))
                }
                None => Err(wrong(format!("{number} may have lost digits"))
                    .hint("write {\"type\": \"decimal\", \"value\": \"…\"}")),
            }
        }
        Value::Array(items) => {
            texts(items).map(Param::List).ok_or_else(|| wrong("a list of other things than texts".into()))
        }
        Value::Null => Err(wrong("null has no type".into()).hint("write {\"type\": \"date\", \"value\": null}")),
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str);
            if let Some(other) = fields.keys().find(|k| !matches!(k.as_str(), "type" | "value")) {
                return Err(wrong(format!("unknown key '{other}'")).hint("write {\"type\": …, \"value\": …}"));
            }
            let kind = kind.ok_or_else(|| wrong("no type".into()).hint("write {\"type\": …, \"value\": …}"))?;
            typed(kind, fields.get("value").unwrap_or(&Value::Null))
                .map_err(|e| e.context(format!("parameter '{name}'")))
        }
    }
}

/// Text and lists must be JSON's own; everything else is read as the command line reads it.
fn typed(kind: &str, value: &Value) -> Result<Param> {
    let known = ParamType::parse(kind)?;
    let not_so = |example: &str| Error::invalid(format!("{value} is no {kind}")).hint(format!("for example {example}"));
    match (known, value) {
        (_, Value::Null) => Ok(Param::Null(known)),
        (ParamType::Text, _) => value.as_str().map(|t| Param::Text(t.into())).ok_or_else(|| not_so("\"web\"")),
        (ParamType::TextList, _) => {
            let items = value.as_array().and_then(|items| texts(items));
            items.map(Param::List).ok_or_else(|| not_so("[\"web\", \"app\"]"))
        }
        (_, Value::String(text)) => Param::parse(known, text),
        (_, other) => Param::parse(known, &other.to_string()),
    }
}

fn texts(items: &[Value]) -> Option<Vec<String>> {
    items.iter().map(|item| item.as_str().map(Into::into)).collect()
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn d72_parameters_are_typed_and_bound() {
        let ok = |value: Value| param("p", &value).unwrap();
        assert_eq!(ok(json!("x' OR 1=1")), Param::Text("x' OR 1=1".into()));
        assert_eq!(ok(json!(7)), Param::Int(7));
        assert_eq!(ok(json!(19.9)), Param::Decimal("19.9".into()));
        assert_eq!(ok(json!(["a", "b"])), Param::List(vec!["a".into(), "b".into()]));
        assert_eq!(
            ok(json!({"type": "decimal", "value": "12345678901234567890.1234"})),
            Param::Decimal("12345678901234567890.1234".into())
        );
        assert_eq!(ok(json!({"type": "date", "value": null})), Param::Null(ParamType::Date));
        assert_eq!(
            ok(json!({"type": "date", "value": "2026-02-28"})),
            Param::Date(NaiveDate::from_ymd_opt(2026, 2, 28).unwrap())
        );
        assert!(
            matches!(ok(json!({"type": "timestamp", "value": "2026-01-01T00:00:00+08:00"})), Param::Timestamp(t) if t.timestamp() == 1_767_196_800)
        );
    }

    #[test]
    fn what_is_no_value_of_its_type_is_refused_with_the_name() {
        for bad in [
            json!(null),
            json!({"type": "date", "value": "2026-02-30"}),
            json!({"type": "dat", "value": "2026-02-28"}),
            json!({"type": "decimal", "value": "1e5"}),
            json!({"type": "decimal", "value": "1; DROP"}),
            json!({"type": "int", "value": 1.5}),
            json!({"value": 1}),
            json!({"type": "int", "value": 1, "x": 2}),
            json!([1, 2]),
            json!(0.1234567890123456),
        ] {
            let error = param("p", &bad).unwrap_err();
            assert!(
                error.to_string().contains("'p'") && error.hint_text().is_some() || bad == json!([1, 2]),
                "{bad}: {error:?}"
            );
        }
    }
}
