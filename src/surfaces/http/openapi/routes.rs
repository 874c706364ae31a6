//! The operations of the routes, one function each. Reports have theirs in `reports`.

use serde_json::{Map, Value, json};

use super::super::router;
use super::operation::{answer, cacheable, header_refs, operation, path, query, reference, rows, shared};
use super::reports::{RUN_HEADERS, RUN_REFUSALS};

const JSON: &str = "application/json";
/// The headers of a statement's rows.
const SQL_HEADERS: &[&str] =
    &["X-Saleslake-Snapshot", "X-Saleslake-Cached", "X-Saleslake-Rows", "X-Saleslake-Checksum"];

pub fn paths() -> Map<String, Value> {
    let routes = [
        (router::HEALTHZ, json!({ "get": probe("healthz", "Whether the process answers") })),
        (router::READYZ, json!({ "get": probe("readyz", "Whether the server should be sent requests") })),
        (router::METRICS, json!({ "get": metrics() })),
        (router::OPENAPI, json!({ "get": openapi() })),
        (router::TABLES, json!({ "get": tables() })),
        (router::SQL, json!({ "post": sql() })),
        (router::INGEST, json!({ "post": ingest() })),
        (router::REPORTS, json!({ "get": reports() })),
        (router::REPORT, json!({ "get": report() })),
        (router::RUN, json!({ "get": run() })),
    ];
    routes.into_iter().map(|(path, item)| (path.to_string(), item)).collect()
}

fn probe(id: &str, summary: &str) -> Value {
    let mut probe =
        operation("server", id, summary, answer("Yes.", &[], "text/plain", json!({ "type": "string" })), &[]);
    probe["security"] = json!([]);
    if let Some(responses) = probe["responses"].as_object_mut() {
        responses.shift_remove("401");
    }
    probe
}

fn metrics() -> Value {
    // Without a media type: generators do not know OpenMetrics, and Prometheus does not read this.
    let answer = json!({ "description": "OpenMetrics text, for Prometheus.", "headers": header_refs(&[]) });
    operation("server", "metrics", "Requests, durations, rows, refusals, pushes, the cache of results", answer, &[])
}

fn openapi() -> Value {
    let document = answer("An OpenAPI 3.1 document.", &["ETag"], JSON, json!({ "type": "object" }));
    let mut openapi = operation("server", "openapi", "This document", document, &[400]);
    openapi["parameters"] = json!([shared("IfNoneMatch")]);
    cacheable(openapi)
}

fn tables() -> Value {
    let tables = answer("Tables and views with their columns.", &[], JSON, reference("Tables"));
    operation("sql", "list_tables", "What SQL can read", tables, &[400])
}

fn sql() -> Value {
    let rows = rows("The rows, with a receipt in JSON.", SQL_HEADERS, reference("SqlResult"));
    let refusals = [400, 403, 404, 406, 413, 415, 429, 504, 505];
    let mut sql = operation("sql", "run_sql", "Run one statement that reads", rows, &refusals);
    sql["description"] = json!("Off unless the server has `http.allow_sql`. Values are bound, never spliced.");
    sql["parameters"] = json!([shared("Format")]);
    sql["requestBody"] = json!({ "required": true, "content": { JSON: { "schema": reference("SqlRequest") } } });
    sql
}

fn ingest() -> Value {
    let account = answer("They have landed and can be seen.", &[], JSON, reference("PushAccount"));
    let refusals = [400, 403, 404, 408, 409, 413, 415, 429, 504];
    let mut ingest = operation("ingest", "push_records", "Land records of a source", account, &refusals);
    ingest["description"] = json!(
        "Off unless the server has `http.allow_ingest`. The body is in the source's format. Until the answer nothing is promised; \
         with a key it is safe to send again."
    );
    let text = json!({ "type": "string" });
    let packing = json!({ "type": "string", "enum": ["identity", "gzip", "zstd"] });
    ingest["parameters"] = json!([
        path("source", "The source's name."),
        header("Idempotency-Key", "One per push, such as a UUID: sent again, it is answered as the first time.", text),
        header("Content-Encoding", "How the body is packed.", packing),
    ]);
    let bytes = json!({ "schema": { "type": "string", "format": "binary" } });
    ingest["requestBody"] = json!({ "required": true, "content": { "application/octet-stream": bytes } });
    ingest
}

fn reports() -> Value {
    let list = answer("Reports in brief, and files that are broken.", &[], JSON, reference("ReportList"));
    operation("reports", "list_reports", "All reports", list, &[400])
}

fn report() -> Value {
    let told = answer("The report.", &[], JSON, reference("Report"));
    let summary = "One report: parameters, policies, slicers, columns";
    let mut report = operation("reports", "get_report", summary, told, &[400, 403, 404, 429, 504]);
    report["parameters"] = json!([path("id", "The report's id.")]);
    report
}

fn run() -> Value {
    let rows = rows("The rows, with a receipt in JSON.", RUN_HEADERS, reference("ReportResult"));
    let mut run = operation("reports", "run_report", "Run any report by its id", rows, RUN_REFUSALS);
    run["description"] = json!("HEAD answers with the headers and does not run.");
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let mut values =
        query("values", "Parameters, policies and `where.<slicer>` by name, as texts; lists between commas.", texts);
    (values["style"], values["explode"]) = (json!("form"), json!(true));
    run["parameters"] = json!([path("id", "The report's id."), values, shared("Format"), shared("IfNoneMatch")]);
    cacheable(run)
}

fn header(name: &str, about: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "header", "description": about, "schema": schema })
}
