//! `application/problem+json` (RFC 9457). Making a problem has no side effects: it travels in the response's
//! extensions, and [`super::observe`] gives it the request id, logs it once and writes it out.

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::error::{Error, ErrorKind};
use crate::surfaces::status;

/// What a client is told instead of an answer.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    /// One word that programs can match on.
    name: &'static str,
    title: &'static str,
    detail: String,
    hint: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What is behind it; for the log.
    error: Option<Arc<Error>>,
}

/// A problem as it is written (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Written {
    /// `urn:saleslake:problem:` and the one word that programs can match on.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem, for people.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong.
    detail: String,
    /// The request's id, as in the server's log.
    instance: String,
    /// What would work.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Problem {
    /// A problem that only HTTP knows: an unacceptable media type, a missing token.
    pub fn new(status: StatusCode, name: &'static str, detail: impl Into<String>) -> Problem {
        let title = status.canonical_reason().unwrap_or("Problem");
        Problem { status, name, title, detail: detail.into(), hint: None, headers: Vec::new(), error: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.headers.push((name, value));
        self
    }

    /// The problem of a bare status, as axum answers by itself (unknown path, wrong method, body too large).
    pub fn of_status(status: StatusCode, path: &str) -> Problem {
        match status {
            StatusCode::NOT_FOUND => Problem::new(status, "not-found", format!("there is nothing at {path}"))
                .hint("start at /api/v1/reports"),
            StatusCode::METHOD_NOT_ALLOWED => {
                Problem::new(status, "method", format!("{path} does not answer this method"))
                    .hint("see the Allow header")
            }
            _ => Problem::new(status, "http", format!("the request to {path} failed")),
        }
    }

    /// The error behind it, if it is the server's fault and belongs into the log.
    pub fn to_log(&self) -> Option<&Error> {
        self.error.as_deref().filter(|e| matches!(e.kind(), ErrorKind::Internal | ErrorKind::Unavailable))
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The response, with the request's id. `response` is the one that carried the problem: its headers stay.
    pub fn render(&self, id: &str, response: Response) -> Response {
        let internal = self.error.as_ref().is_some_and(|e| e.kind() == ErrorKind::Internal);
        let detail =
            if internal { "something went wrong on the server; its log has the request id" } else { &self.detail };
        let body = json!(Written {
            kind: format!("urn:saleslake:problem:{}", self.name),
            title: self.title,
            status: self.status.as_u16(),
            detail: detail.into(),
            instance: id.into(),
            hint: self.hint.clone().filter(|_| !internal),
        });
        let (mut parts, _) = response.into_parts();
        parts.status = self.status;
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        parts.headers.extend(self.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        Response::from_parts(parts, format!("{body}\n").into())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let codes = status::of(error.kind());
        let mut problem = Problem {
            status: StatusCode::from_u16(codes.http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            name: status::name(error.kind()),
            title: codes.title,
            detail: error.message().into(),
            hint: error.hint_text().map(Into::into),
            headers: Vec::new(),
            error: None,
        };
        if matches!(error.kind(), ErrorKind::Busy | ErrorKind::Unavailable) {
            problem = problem.header(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        problem.error = Some(Arc::new(error));
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn rendered(problem: Problem) -> (Response<()>, serde_json::Value) {
        let response = problem.clone().into_response();
        let (parts, body) = problem.render("id-1", response).into_parts();
        let bytes = axum::body::to_bytes(body, 10_000).await.unwrap();
        (Response::from_parts(parts, ()), serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn an_internal_error_shows_nothing_but_the_request_id() {
        let error = Error::internal("secret path /srv/x").hint("secret hint");
        let (response, body) = rendered(error.into()).await;
        assert_eq!(response.status(), 500);
        assert!(!body.to_string().contains("secret"), "{body}");
        assert_eq!(body["instance"], "id-1");
    }

    #[tokio::test]
    async fn other_errors_say_what_and_what_would_work() {
        let (response, body) = rendered(Error::not_found("no report 'x'").hint("did you mean y?").into()).await;
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(body["type"], "urn:saleslake:problem:not-found");
        assert_eq!((body["detail"].as_str(), body["hint"].as_str()), (Some("no report 'x'"), Some("did you mean y?")));
        assert_eq!(body["status"], 404);
        let (response, _) = rendered(Error::new(ErrorKind::Busy, "full").into()).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()[header::RETRY_AFTER]),
            (429, &HeaderValue::from_static("1"))
        );
    }
}
