//! What operations are made of: parameters, answers with their headers, refusals. It must not know single routes.

use serde_json::{Map, Value, json};

use super::refusals;
use crate::encode::Format;

/// Headers of answers, with their meaning.
const HEADERS: &[(&str, &str)] = &[
    ("X-Request-Id", "The request's id in the server's log: the one that was sent, or a new one."),
    ("ETag", "Changes whenever the answer can; for If-None-Match."),
    ("X-Saleslake-Snapshot", "The engine's snapshot that answered."),
    (
        "X-Saleslake-Cached",
        "Whether the rows were there already, `true` or `false`; `Cache-Control: no-cache` has them made anew.",
    ),
    ("X-Saleslake-Report", "The report's id."),
    ("X-Saleslake-Note", "What a reader should know; may come several times."),
    ("X-Saleslake-Rows", "The number of rows, where the result is short; else the receipt in the JSON tells it."),
    (
        "X-Saleslake-Checksum",
        "xxh3-128 of the rows in their order, the same in every format, where the result is short.",
    ),
    ("Retry-After", "Seconds to wait."),
    ("WWW-Authenticate", "How to send a token."),
];

/// What any route that needs a token can answer, beside what its own work can.
const ANY: [u16; 4] = [401, 421, 500, 503];

pub fn headers() -> Map<String, Value> {
    let header = |(name, about): &(&str, &str)| {
        let kind = if *name == "Retry-After" || *name == "X-Saleslake-Rows" { "integer" } else { "string" };
        (name.to_string(), json!({ "description": about, "schema": { "type": kind } }))
    };
    HEADERS.iter().map(header).collect()
}

/// The headers of a response: the request's id, and these.
pub fn header_refs(names: &[&str]) -> Map<String, Value> {
    let to = |name: &str| (name.to_string(), json!({ "$ref": format!("#/components/headers/{name}") }));
    ["X-Request-Id"].iter().chain(names).map(|name| to(name)).collect()
}

/// Parameters of several operations.
pub fn shared_parameters() -> Value {
    let about = "The ETag of an answer that is at hand: 304 says that it still holds.";
    json!({
        "IfNoneMatch": { "name": "If-None-Match", "in": "header", "description": about, "schema": { "type": "string" } },
        "Format": query("format", "How the rows are written; without it as the Accept header prefers, else JSON.", reference("Format")),
    })
}

pub fn shared(parameter: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{parameter}") })
}

/// A parameter that may be left out.
pub fn query(name: &str, about: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "description": about, "schema": schema })
}

/// A part of the path.
pub fn path(name: &str, about: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "description": about, "schema": { "type": "string" } })
}

pub fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// An answer in one media type.
pub fn answer(about: &str, headers: &[&str], media_type: &str, schema: Value) -> Value {
    json!({ "description": about, "headers": header_refs(headers), "content": { media_type: { "schema": schema } } })
}

/// Rows in every format; `schema` is that of the JSON. JSON is first: generators take the first that they know.
pub fn rows(about: &str, headers: &[&str], schema: Value) -> Value {
    let mut answer = answer(about, headers, Format::Json.mime(), schema);
    for format in Format::ALL.into_iter().filter(|f| *f != Format::Json) {
        let schema = match format.is_binary() {
            true => json!({ "type": "string", "format": "binary" }),
            false => json!({ "type": "string" }),
        };
        answer["content"][format.mime()] = json!({ "schema": schema });
    }
    answer
}

/// An operation of a route that needs a token; `refusals` are the statuses of its own problems.
pub fn operation(tag: &str, id: &str, summary: &str, answer: Value, refusals: &[u16]) -> Value {
    let statuses = [&ANY[..], refusals].concat();
    let mut responses = Map::from_iter([("200".to_string(), answer)]);
    responses.extend(refusals::of(&statuses));
    json!({ "tags": [tag], "operationId": id, "summary": summary, "responses": responses })
}

/// Adds the answer to an If-None-Match that matches.
pub fn cacheable(mut operation: Value) -> Value {
    let about = "The answer at hand still holds.";
    operation["responses"]["304"] = json!({ "description": about, "headers": header_refs(&["ETag"]) });
    operation
}
