//! The outermost layer: request id, tracing span, metrics, and the one place where problems are logged and written.
//! It must not read bodies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

use super::HttpState;
use super::metrics::Metrics;
use super::problem::Problem;
use super::router::route_of;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A longer id of a client is replaced: ids go into every log line.
const LONGEST_ID: usize = 128;

/// One request, until the last byte of its response: whoever still works on it holds an `Arc`.
pub struct Meter {
    pub id: String,
    pub route: &'static str,
    method: &'static str,
    status: AtomicU16,
    begun: Instant,
    metrics: Arc<Metrics>,
}

impl Meter {
    pub fn begin(id: String, route: &'static str, method: &Method, metrics: &Arc<Metrics>) -> Meter {
        metrics.began();
        Meter {
            id,
            route,
            method: method_label(method),
            // What proxies write for a client that left before the answer.
            status: AtomicU16::new(499),
            begun: Instant::now(),
            metrics: Arc::clone(metrics),
        }
    }
    /// Rows and bytes that were handed to the connection.
    pub fn sent(&self, rows: u64, bytes: u64) {
        self.metrics.sent(self.route, rows, bytes);
    }
    /// The response broke off after its first byte.
    pub fn broke(&self) {
        self.metrics.broke(self.route);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let (status, took) = (self.status.load(Ordering::Relaxed), self.begun.elapsed());
        self.metrics.ended(self.route, self.method, status, took);
        let duration_ms = took.as_millis() as u64;
        tracing::info!(request_id = %self.id, route = self.route, method = self.method, status, duration_ms, "http request ended");
    }
}

pub async fn observe(State(state): State<HttpState>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_string();
    let id = request_id(request.headers());
    let meter = Arc::new(Meter::begin(id, route_of(&path), request.method(), &state.metrics));
    request.extensions_mut().insert(Arc::clone(&meter));
    let span = tracing::info_span!("http_request", request_id = %meter.id, route = meter.route, method = meter.method);
    let response = next.run(request).instrument(span).await;
    let mut response = written(response, &path, &meter);
    meter.status.store(response.status().as_u16(), Ordering::Relaxed);
    if let Ok(id) = HeaderValue::from_str(&meter.id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The response, with its problem (if it is one) logged and written out.
fn written(mut response: Response, path: &str, meter: &Meter) -> Response {
    let status = response.status();
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if status.is_client_error() || status.is_server_error() => Problem::of_status(status, path),
        None => return response,
    };
    meter.metrics.problem(problem.name());
    if let Some(error) = problem.to_log() {
        log(error, meter);
    }
    problem.render(&meter.id, response)
}

/// Logs an error that is the server's, with its causes. Called once per error: here, or where a stream breaks.
pub fn log(error: &crate::error::Error, meter: &Meter) {
    let error = error.with_causes();
    tracing::error!(request_id = %meter.id, route = meter.route, %error, "http request failed");
}

/// The client's id if it is a plain short text, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|v| v.to_str().ok());
    let plain = |id: &&str| !id.is_empty() && id.len() <= LONGEST_ID && id.chars().all(|c| c.is_ascii_graphic());
    given.filter(plain).map_or_else(|| Uuid::now_v7().to_string(), Into::into)
}

/// Known methods only: clients may send any word, and labels must stay few.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_clients_are_kept_if_they_are_harmless() {
        let with = |id: &str| HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_bytes(id.as_bytes()).unwrap())]);
        assert_eq!(request_id(&with("abc-1")), "abc-1");
        let long = "x".repeat(200);
        for bad in ["", "a b", "é", &long] {
            assert_eq!(request_id(&with(bad)).len(), 36, "{bad}");
        }
    }
}
