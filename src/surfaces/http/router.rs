//! The routes, and the layers around them. Adding a route is one line here, one function in a file of its own, and its entry in
//! the OpenAPI document (`openapi::routes`).

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Router, http};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use super::problem::Problem;
use super::{HttpState, auth, health, ingest, metrics, observe, openapi, reports, run, site, sql, tables};
use crate::encode::Format;
use crate::error::{Error, ErrorKind};

/// The longest request body, but for pushes, which have a limit of their own.
const MAX_BODY: usize = 1024 * 1024;

pub const HEALTHZ: &str = "/healthz";
pub const READYZ: &str = "/readyz";
pub const METRICS: &str = "/metrics";
pub const OPENAPI: &str = "/api/v1/openapi.json";
pub const TABLES: &str = "/api/v1/tables";
pub const SQL: &str = "/api/v1/sql";
pub const INGEST: &str = "/api/v1/ingest/{source}";
pub const REPORTS: &str = "/api/v1/reports";
pub const REPORT: &str = "/api/v1/reports/{id}";
pub const RUN: &str = "/api/v1/reports/{id}/run";

/// Every route; `openapi::routes` tells what they take and answer.
pub fn routes() -> [(&'static str, MethodRouter<HttpState>); 10] {
    [
        (HEALTHZ, get(health::healthz)),
        (READYZ, get(health::readyz)),
        (METRICS, get(metrics::metrics)),
        (OPENAPI, get(openapi::openapi)),
        (TABLES, get(tables::tables)),
        (SQL, post(sql::sql)),
        (INGEST, post(ingest::ingest)),
        (REPORTS, get(reports::list)),
        (REPORT, get(reports::show)),
        (RUN, get(run::run)),
    ]
}

/// From the outside in: request id, span, metrics, log → panics → gzip → names → tokens → cut-off at shutdown → the routes.
pub fn router(state: HttpState) -> Router {
    routes()
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods))
        .layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(state.clone(), observe::observe))
                .layer(CatchPanicLayer::custom(panicked))
                .layer(CompressionLayer::new().gzip(true).compress_when(worth_compressing))
                .layer(from_fn_with_state(state.clone(), site::guard))
                .layer(from_fn_with_state(state.clone(), auth::authenticate))
                .layer(from_fn_with_state(state.clone(), cut_off))
                .layer(DefaultBodyLimit::max(MAX_BODY)),
        )
        .with_state(state)
}

/// The route of a path, for labels: paths as such would make endless metrics.
pub fn route_of(path: &str) -> &'static str {
    if let Some(rest) = path.strip_prefix("/api/v1/reports/") {
        return match rest.split_once('/') {
            None if !rest.is_empty() => REPORT,
            Some((id, "run")) if !id.is_empty() => RUN,
            _ => "other",
        };
    }
    if let Some(source) = path.strip_prefix("/api/v1/ingest/") {
        return if source.is_empty() || source.contains('/') { "other" } else { INGEST };
    }
    [HEALTHZ, READYZ, METRICS, OPENAPI, TABLES, SQL, REPORTS]
        .into_iter()
        .find(|route| *route == path)
        .unwrap_or("other")
}

/// Drops the request's future, and with it the query, when the deadline of a shutdown has passed.
async fn cut_off(State(state): State<HttpState>, request: Request, next: Next) -> Response {
    tokio::select! {
        response = next.run(request) => response,
        () = state.abort.cancelled() => {
            Problem::from(Error::new(ErrorKind::Unavailable, "the server is shutting down").hint("try again shortly")).into_response()
        }
    }
}

fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default();
    Problem::from(Error::internal(format!("panic: {text}"))).into_response()
}

/// Text of some length. Parquet is compressed inside; Arrow readers want the bytes as they are.
fn worth_compressing(
    status: http::StatusCode,
    _: http::Version,
    headers: &http::HeaderMap,
    _: &http::Extensions,
) -> bool {
    let kind = headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let length = headers.get(http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let binary = [Format::Arrow, Format::Parquet].iter().any(|f| f.mime() == kind);
    status == http::StatusCode::OK && !kind.is_empty() && !binary && length.is_none_or(|n: u64| n > 512)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_routes_not_paths() {
        assert_eq!(route_of("/api/v1/reports/sales-summary/run"), RUN);
        assert_eq!(route_of("/api/v1/reports/sales-summary"), REPORT);
        assert_eq!(route_of("/api/v1/reports/"), "other");
        assert_eq!(route_of("/api/v1/reports/a/b/run"), "other");
        assert_eq!(route_of("/api/v1/ingest/till"), INGEST);
        assert_eq!(route_of("/api/v1/ingest/"), "other");
        assert_eq!(route_of("/api/v1/ingest/a/b"), "other");
        assert_eq!(route_of("/metrics"), METRICS);
        assert_eq!(route_of("/../etc/passwd"), "other");
    }
}
