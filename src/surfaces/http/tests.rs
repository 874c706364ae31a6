//! Transfers over a real socket, with results that break, never end, or are left: what a query of the engine cannot be
//! made to do at will.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

use super::body::Encoding;
use super::metrics::Metrics;
use super::observe::Meter;
use super::problem::Problem;
use super::respond::{Answer, format};
use crate::clock::Clock;
use crate::encode::Options;
use crate::error::{Error, Result};

/// Long enough for anything that happens at once; only a failing test waits this long.
const SOON: Duration = Duration::from_secs(20);

fn batch() -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..8192));
    RecordBatch::try_from_iter([("n", numbers)]).unwrap()
}

#[derive(Clone)]
struct Stage {
    metrics: Arc<Metrics>,
    abort: CancellationToken,
    /// Cancelled when the endless result was asked for its silence.
    begun: CancellationToken,
    /// Cancelled when the endless result was dropped.
    dropped: CancellationToken,
    /// The error result waits for this before it fails.
    fail: CancellationToken,
}

/// `/whole/n`: n batches; `/broken/n`: n batches, then an error; `/endless/n`: n batches, then silence.
async fn play(
    State(stage): State<Stage>,
    Path((kind, n)): Path<(String, usize)>,
    asked: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let batches = stream::repeat_with(|| Ok(batch())).take(n);
    let stream: BoxStream<'static, Result<RecordBatch>> = match kind.as_str() {
        "whole" => batches.boxed(),
        "broken" => {
            let fail = async move {
                stage.fail.cancelled().await;
                Err(Error::internal("the disk is gone"))
            };
            batches.chain(fail.into_stream()).boxed()
        }
        _ => {
            let guard = stage.dropped.clone().drop_guard();
            let silence = async move {
                stage.begun.cancel();
                let _guard = guard;
                std::future::pending::<Result<RecordBatch>>().await
            };
            batches.chain(silence.into_stream()).boxed()
        }
    };
    let format = format(None, &asked)?;
    let meter = Arc::new(Meter::begin("test".into(), "/test", &Method::GET, &stage.metrics));
    let version = request.version();
    let abort = stage.abort.clone();
    let receipt: crate::encode::ReceiptFn = Arc::new(|w| json!({ "rows": w.rows }));
    let options = Options { receipt: Some(Arc::clone(&receipt)), ..Options::default() };
    let encoding = Encoding::of(batch().schema(), stream, format, options);
    Answer { format, receipt, headers: HeaderMap::new(), name: "test".into(), version, meter, abort }
        .send(encoding)
        .await
}

async fn serve() -> (String, Stage) {
    let stage = Stage {
        metrics: Arc::new(Metrics::new(Clock::system())),
        abort: CancellationToken::new(),
        begun: CancellationToken::new(),
        dropped: CancellationToken::new(),
        fail: CancellationToken::new(),
    };
    let app = Router::new()
        .route("/{kind}/{n}", get(play))
        .layer(CompressionLayer::new().gzip(true))
        .layer(from_fn_with_state((), |request: Request, next: axum::middleware::Next| async move {
            let response = next.run(request).await;
            match response.extensions().get::<Problem>().cloned() {
                Some(problem) => problem.render("test", response),
                None => response,
            }
        }))
        .with_state(stage.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, app).into_future());
    (url, stage)
}

#[tokio::test]
async fn short_results_have_their_length_and_checksum_long_ones_are_streamed_whole() {
    let (url, _) = serve().await;
    let short = reqwest::get(format!("{url}/whole/1")).await.unwrap();
    assert_eq!(short.content_length(), Some(short.headers()["content-length"].to_str().unwrap().parse().unwrap()));
    assert_eq!(short.headers()["x-saleslake-rows"], "8192");
    assert_eq!(short.headers()["x-saleslake-checksum"].len(), 32);
    let long = reqwest::get(format!("{url}/whole/100")).await.unwrap();
    assert!(!long.headers().contains_key("content-length") && !long.headers().contains_key("x-saleslake-rows"));
    let body: serde_json::Value = serde_json::from_str(&long.text().await.unwrap()).unwrap();
    assert_eq!(body["rows"].as_array().unwrap().len(), 819_200);
    assert_eq!(body["receipt"]["rows"], 819_200);
}

#[tokio::test]
async fn an_error_before_the_first_byte_is_a_problem_and_later_a_broken_transfer() {
    let (url, stage) = serve().await;
    stage.fail.cancel();
    let early = reqwest::get(format!("{url}/broken/0")).await.unwrap();
    assert_eq!(early.status(), 500);
    assert!(!early.text().await.unwrap().contains("disk"));
    for encoding in ["identity", "gzip"] {
        let client = reqwest::Client::new();
        let late = client.get(format!("{url}/broken/50")).header("accept-encoding", encoding).send().await.unwrap();
        assert_eq!(late.status(), 200);
        assert!(late.bytes().await.is_err(), "a cut result must not look whole ({encoding})");
    }
}

#[tokio::test]
async fn leaving_cancels_the_query_while_it_is_silent() {
    let (url, stage) = serve().await;
    let mut response = reqwest::get(format!("{url}/endless/50")).await.unwrap();
    response.chunk().await.unwrap();
    assert!(!stage.dropped.is_cancelled());
    drop(response);
    tokio::time::timeout(SOON, stage.dropped.cancelled()).await.expect("the stream was not dropped");
}

#[tokio::test]
async fn leaving_before_the_first_byte_cancels_the_query_too() {
    let (url, stage) = serve().await;
    let mut socket = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    socket.write_all(b"GET /endless/1 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::timeout(SOON, stage.begun.cancelled()).await.expect("the request did not arrive");
    assert!(!stage.dropped.is_cancelled());
    drop(socket);
    tokio::time::timeout(SOON, stage.dropped.cancelled()).await.expect("the stream was not dropped");
}

#[tokio::test]
async fn the_deadline_of_a_shutdown_cuts_streams_off() {
    let (url, stage) = serve().await;
    let response = reqwest::get(format!("{url}/endless/50")).await.unwrap();
    let reading = tokio::spawn(response.bytes());
    stage.abort.cancel();
    let read = tokio::time::timeout(SOON, reading).await.expect("the transfer did not end").unwrap();
    assert!(read.is_err(), "what was cut off must not look whole");
    tokio::time::timeout(SOON, stage.dropped.cancelled()).await.expect("the stream was not dropped");
}

#[tokio::test]
async fn http_1_0_gets_short_results_and_a_problem_for_long_ones() {
    let (url, _) = serve().await;
    for (path, status) in [("/whole/1", "200"), ("/whole/100", "505")] {
        let mut socket = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
        socket.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).await.unwrap();
        assert!(text.lines().next().unwrap().contains(status), "{path}: {}", text.lines().next().unwrap());
    }
}
