//! What Prometheus scrapes (`/metrics`): requests, durations, rows, bytes, refusals, pushes, the age of the snapshot.
//! Labels are routes, never paths or values, so their number is bounded.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::HttpState;
use super::problem::Problem;
use crate::clock::Clock;
use crate::engine::CacheFigures;
use crate::error::{Error, Result};
use crate::ingest::PushAccount;

/// Upper bounds of the duration buckets, in seconds.
const BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProblemLabels {
    kind: &'static str,
}

/// Sources are few: a name that is none is refused before it gets here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabels {
    source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RecordLabels {
    source: String,
    fate: &'static str,
}

/// All metrics of one server.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    rows: Family<RouteLabels, Counter>,
    bytes: Family<RouteLabels, Counter>,
    problems: Family<ProblemLabels, Counter>,
    broken: Family<RouteLabels, Counter>,
    in_flight: Gauge,
    pushes: Family<SourceLabels, Counter>,
    pushed: Family<RecordLabels, Counter>,
    pushes_refused: Family<ProblemLabels, Counter>,
    push_seconds: Histogram,
    snapshot_age: Gauge<f64, AtomicU64>,
    cache_hits: Counter,
    cache_misses: Counter,
    cache_bytes: Gauge,
    /// The present snapshot, and when it was first seen, in µs.
    snapshot: Mutex<Option<(String, i64)>>,
    clock: Clock,
}

impl Metrics {
    pub fn new(clock: Clock) -> Metrics {
        let seconds: fn() -> Histogram = || Histogram::new(BUCKETS);
        let mut metrics = Metrics {
            registry: Registry::with_prefix("saleslake"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            rows: Family::default(),
            bytes: Family::default(),
            problems: Family::default(),
            broken: Family::default(),
            in_flight: Gauge::default(),
            pushes: Family::default(),
            pushed: Family::default(),
            pushes_refused: Family::default(),
            push_seconds: Histogram::new(BUCKETS),
            snapshot_age: Gauge::default(),
            cache_hits: Counter::default(),
            cache_misses: Counter::default(),
            cache_bytes: Gauge::default(),
            snapshot: Mutex::new(None),
            clock,
        };
        let r = &mut metrics.registry;
        r.register("http_requests", "Requests by route, method and status", metrics.requests.clone());
        r.register("http_request_seconds", "Time from the request to the end of its response", metrics.seconds.clone());
        r.register("http_rows", "Rows sent", metrics.rows.clone());
        r.register("http_bytes", "Bytes of results before compression", metrics.bytes.clone());
        r.register(
            "http_problems",
            "Errors by kind; busy = shed because too many queries ran and waited",
            metrics.problems.clone(),
        );
        r.register(
            "http_broken_transfers",
            "Results that failed or were left after their first byte",
            metrics.broken.clone(),
        );
        r.register("http_in_flight", "Requests being answered", metrics.in_flight.clone());
        r.register("ingest_pushes", "Pushes that were acknowledged, by source", metrics.pushes.clone());
        r.register("ingest_records", "Records of acknowledged pushes, by source and fate", metrics.pushed.clone());
        r.register(
            "ingest_refused",
            "Pushes that were not taken, by kind; busy = the queue was full",
            metrics.pushes_refused.clone(),
        );
        r.register("ingest_push_seconds", "Time from a push to its acknowledgement", metrics.push_seconds.clone());
        r.register(
            "snapshot_age_seconds",
            "Time since this server first answered from the present snapshot",
            metrics.snapshot_age.clone(),
        );
        r.register("result_cache_hits", "Queries answered from the cache of results", metrics.cache_hits.clone());
        r.register(
            "result_cache_misses",
            "Queries that could have been answered from the cache, and ran",
            metrics.cache_misses.clone(),
        );
        r.register("result_cache_bytes", "Bytes of results that are kept", metrics.cache_bytes.clone());
        metrics
    }

    pub fn began(&self) {
        self.in_flight.inc();
    }

    /// A response ended: sent in full, or broken off.
    pub fn ended(&self, route: &'static str, method: &'static str, status: u16, took: Duration) {
        self.in_flight.dec();
        self.requests.get_or_create(&RequestLabels { route, method, status }).inc();
        self.seconds.get_or_create(&RouteLabels { route }).observe(took.as_secs_f64());
    }

    pub fn sent(&self, route: &'static str, rows: u64, bytes: u64) {
        self.rows.get_or_create(&RouteLabels { route }).inc_by(rows);
        self.bytes.get_or_create(&RouteLabels { route }).inc_by(bytes);
    }

    pub fn broke(&self, route: &'static str) {
        self.broken.get_or_create(&RouteLabels { route }).inc();
    }

    pub fn problem(&self, kind: &'static str) {
        self.problems.get_or_create(&ProblemLabels { kind }).inc();
    }

    /// A push was acknowledged. One that had landed before counts no records again.
    pub fn pushed(&self, account: &PushAccount, took: Duration) {
        let (source, file) = (&account.source, &account.file);
        self.pushes.get_or_create(&SourceLabels { source: source.clone() }).inc();
        self.push_seconds.observe(took.as_secs_f64());
        let fates = [
            ("landed", file.landed),
            ("duplicate", file.duplicate),
            ("late", file.late_ignored),
            ("skipped", file.skipped),
            ("quarantined", file.quarantined),
        ];
        for (fate, records) in fates.into_iter().filter(|(_, n)| *n > 0 && !file.already) {
            self.pushed.get_or_create(&RecordLabels { source: source.clone(), fate }).inc_by(records);
        }
    }

    pub fn push_refused(&self, kind: &'static str) {
        self.pushes_refused.get_or_create(&ProblemLabels { kind }).inc();
    }

    /// Notes the snapshot that answers now.
    pub fn saw(&self, snapshot: &str) {
        let mut seen = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now_micros();
        let since = match &*seen {
            Some((id, since)) if id == snapshot => *since,
            _ => seen.insert((snapshot.to_string(), now)).1,
        };
        self.snapshot_age.set((now - since) as f64 / 1e6);
    }

    /// Notes what the engine's cache has done, on every surface. Counts only grow, whichever of two scrapes comes first.
    pub fn cached(&self, figures: CacheFigures) {
        self.cache_hits.inner().fetch_max(figures.hits, Ordering::Relaxed);
        self.cache_misses.inner().fetch_max(figures.misses, Ordering::Relaxed);
        self.cache_bytes.set(i64::try_from(figures.bytes).unwrap_or(i64::MAX));
    }

    /// The OpenMetrics text.
    fn encode(&self) -> Result<String> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry).map_err(|e| Error::internal(format!("metrics: {e}")))?;
        Ok(out)
    }
}

/// `GET /metrics`
pub async fn metrics(State(state): State<HttpState>) -> Result<Response, Problem> {
    state.metrics.saw(&state.engine.snapshot().id);
    state.metrics.cached(state.engine.cache_figures());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], state.metrics.encode()?).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_is_in_the_text() {
        let metrics = Metrics::new(Clock::system());
        metrics.began();
        metrics.ended("/api/v1/tables", "GET", 200, Duration::from_millis(30));
        metrics.sent("/api/v1/tables", 12, 345);
        metrics.problem("busy");
        metrics.push_refused("busy");
        metrics.saw("a");
        metrics.cached(CacheFigures { hits: 3, misses: 2, bytes: 1 });
        metrics.cached(CacheFigures { hits: 5, misses: 2, bytes: 0 });
        let text = metrics.encode().unwrap();
        for line in [
            "saleslake_http_requests_total{route=\"/api/v1/tables\",method=\"GET\",status=\"200\"} 1",
            "saleslake_http_request_seconds_bucket{le=\"0.05\",route=\"/api/v1/tables\"} 1",
            "saleslake_http_rows_total{route=\"/api/v1/tables\"} 12",
            "saleslake_http_bytes_total{route=\"/api/v1/tables\"} 345",
            "saleslake_http_problems_total{kind=\"busy\"} 1",
            "saleslake_http_in_flight 0",
            "saleslake_ingest_refused_total{kind=\"busy\"} 1",
            "saleslake_result_cache_hits_total 5",
            "saleslake_result_cache_misses_total 2",
            "saleslake_result_cache_bytes 0",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
