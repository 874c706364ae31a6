//! `GET /api/v1/openapi.json`: what this server can be asked, told to programs that make clients of it (OpenAPI 3.1).
//!
//! ```text
//! routes ─┐                                  serialised types ─ ToSchema ─┐
//! reports ┴─ operation ─ paths ─┬─ document ─┬─ components ─ schemas ─────┘
//!   live reports: parameters, columns        └─ refusals: problems by status
//! ```
//!
//! 3.1 is what types are derived to: `null` is a type there, which 3.0 writes as `nullable`. Generators take both. It must not
//! read data: whoever has a token sees the same document.

mod operation;
mod refusals;
mod reports;
mod routes;
mod schemas;
#[cfg(test)]
mod tests;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::problem::Problem;
use super::{HttpState, etag, params};
use crate::encode::Format;
use crate::error::Result;
use crate::reports::ReportInfo;

const ABOUT: &str = "Sales reports over a lake of tables. Every report has an operation of its own, with its parameters and \
columns; `run_report` runs any by its id. Dates are ISO dates, or words such as `today` and `start of month - 12 months` where \
a client lets them through. In JSON, decimals (money) are strings, and so are integers beyond 2^53. Errors are \
`application/problem+json`: `detail` says what is wrong, `hint` what would work.";

pub async fn openapi(
    State(state): State<HttpState>,
    RawQuery(query): RawQuery,
    asked: HeaderMap,
) -> std::result::Result<Response, Problem> {
    params::nothing_but(&params::pairs(query.as_deref())?, &[])?;
    let text = document(&state.reports.now().list())?.to_string();
    let tag = etag::of(&text, Format::Json);
    let headers = etag::headers(&tag);
    if etag::matches(&asked, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((headers, [(header::CONTENT_TYPE, Format::Json.mime())], text).into_response())
}

/// The document of a server that has these reports.
fn document(infos: &[&ReportInfo]) -> Result<Value> {
    let mut paths = routes::paths();
    let mut schemas = schemas::fixed()?;
    for (name, info) in reports::named(infos) {
        paths.insert(format!("/api/v1/reports/{}/run", info.id), json!({ "get": reports::operation(&name, info) }));
        schemas.extend(reports::schemas(&name, info));
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "saleslake",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "tags": [
            { "name": "reports", "description": "What can be asked, and the answers." },
            { "name": "sql", "description": "Tables, and statements that read them." },
            { "name": "ingest", "description": "Records for the lake." },
            { "name": "server", "description": "Probes, metrics, this document." },
        ],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": refusals::responses(),
            "parameters": operation::shared_parameters(),
            "headers": operation::headers(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of the configuration. A server without tokens takes anyone, from its own machine only.",
                },
            },
        },
    }))
}
