//! Every problem that a route can answer, by its status. It must not decide when.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// Statuses with their meaning.
const REFUSALS: &[(StatusCode, &str)] = &[
    (StatusCode::BAD_REQUEST, "What was asked is not understood, or does not apply."),
    (StatusCode::UNAUTHORIZED, "No token, or one that this server does not know."),
    (StatusCode::FORBIDDEN, "Not allowed: switched off, more than reading, or sent by a page of another site."),
    (StatusCode::NOT_FOUND, "There is nothing of that name."),
    (StatusCode::NOT_ACCEPTABLE, "No format matches the Accept header."),
    (StatusCode::REQUEST_TIMEOUT, "The sender paused too long within the body."),
    (StatusCode::CONFLICT, "Another body has landed under this idempotency key."),
    (StatusCode::PAYLOAD_TOO_LARGE, "The body is too long."),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body's type or packing is not known."),
    (StatusCode::MISDIRECTED_REQUEST, "This server, which has no tokens, is not called so."),
    (StatusCode::TOO_MANY_REQUESTS, "Too much is asked at once: come back later."),
    (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on the server; its log has the request id."),
    (StatusCode::SERVICE_UNAVAILABLE, "The lake does not answer, a report is broken, or the server is shutting down."),
    (StatusCode::GATEWAY_TIMEOUT, "The query took too long."),
    (StatusCode::HTTP_VERSION_NOT_SUPPORTED, "The result is too long for HTTP/1.0."),
];

/// `components.responses`.
pub fn responses() -> Map<String, Value> {
    let problem = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
    let response = |(status, about): &(StatusCode, &str)| {
        let headers = headers(*status);
        (name(*status), json!({ "description": about, "headers": headers, "content": problem }))
    };
    REFUSALS.iter().map(response).collect()
}

/// The responses of an operation that can be refused with these statuses.
pub fn of(statuses: &[u16]) -> Map<String, Value> {
    let known = REFUSALS.iter().filter(|(status, _)| statuses.contains(&status.as_u16()));
    let to = |status: StatusCode| json!({ "$ref": format!("#/components/responses/{}", name(status)) });
    known.map(|(status, _)| (status.as_u16().to_string(), to(*status))).collect()
}

fn headers(status: StatusCode) -> Map<String, Value> {
    super::operation::header_refs(match status {
        StatusCode::UNAUTHORIZED => &["WWW-Authenticate"],
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => &["Retry-After"],
        _ => &[],
    })
}

/// `NotFound`: the status in words.
fn name(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or("Problem").replace(' ', "")
}
