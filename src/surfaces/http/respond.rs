//! Rows to a response: the format that was asked for, the receipt in headers and at the end of JSON, the body streamed.
//! It must not know where the rows come from.

use std::future::poll_fn;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::response::Response;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::body::{Encoding, Rest};
use super::observe::Meter;
use super::problem::Problem;
use crate::encode::{Format, Options, ReceiptFn};
use crate::engine::Rows;

pub const REPORT: HeaderName = HeaderName::from_static("x-saleslake-report");
pub const NOTE: HeaderName = HeaderName::from_static("x-saleslake-note");
const SNAPSHOT: HeaderName = HeaderName::from_static("x-saleslake-snapshot");
const CACHED: HeaderName = HeaderName::from_static("x-saleslake-cached");
const ROWS: HeaderName = HeaderName::from_static("x-saleslake-rows");
const CHECKSUM: HeaderName = HeaderName::from_static("x-saleslake-checksum");

/// The format of a request: its `format` parameter, else its `Accept` header, else JSON.
pub fn format(parameter: Option<&str>, headers: &HeaderMap) -> Result<Format, Problem> {
    if let Some(name) = parameter {
        return Ok(Format::parse(name)?);
    }
    let accept: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok()).collect();
    Format::negotiate(&accept.join(",")).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.iter().map(|f| f.mime()).collect();
        Problem::new(
            StatusCode::NOT_ACCEPTABLE,
            "not-acceptable",
            format!("no format matches Accept: {}", accept.join(",")),
        )
        .hint(format!("ask for one of {}, or add ?format=csv", known.join(", ")))
    })
}

/// What a response needs beside its rows.
pub struct Answer {
    pub format: Format,
    pub receipt: ReceiptFn,
    /// Headers of the caller's: ETag, report …
    pub headers: HeaderMap,
    /// File name without its ending.
    pub name: String,
    pub version: Version,
    pub meter: Arc<Meter>,
    pub abort: CancellationToken,
}

impl Answer {
    /// Encodes the first chunk, so that an error up to there is a problem with a status, and a short result is sent
    /// whole, with its length, number of rows and checksum in the headers.
    pub async fn respond(mut self, rows: Rows) -> Result<Response, Problem> {
        put(&mut self.headers, SNAPSHOT, &rows.snapshot);
        put(&mut self.headers, CACHED, if rows.cached { "true" } else { "false" });
        let options = Options { receipt: Some(Arc::clone(&self.receipt)), ..Options::default() };
        let encoding = Encoding::new(rows, self.format, options);
        self.send(encoding).await
    }

    pub(super) async fn send(self, mut encoding: Encoding) -> Result<Response, Problem> {
        let mut headers = self.headers;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.format.mime()));
        if !matches!(self.format, Format::Json | Format::Table) {
            let file = format!("inline; filename=\"{}.{}\"", self.name, self.format.ending());
            put(&mut headers, header::CONTENT_DISPOSITION, &file);
        }
        let first = poll_fn(|cx| encoding.poll_chunk(cx)).in_current_span().await.transpose()?.unwrap_or_default();
        let body = match &encoding.written {
            Some(written) => {
                put(&mut headers, ROWS, &written.rows.to_string());
                put(&mut headers, CHECKSUM, &written.checksum);
                self.meter.sent(written.rows, written.bytes);
                Body::from(first)
            }
            // Without chunks, the end of the connection is the end of the body: a broken transfer would look whole.
            None if self.version < Version::HTTP_11 => {
                let why = "the result is too long for HTTP/1.0, which cannot tell a broken transfer from a whole one";
                return Err(
                    Problem::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "http-version", why).hint("use HTTP/1.1 or 2")
                );
            }
            None => Body::from_stream(Rest::new(first, encoding, self.meter, self.abort)),
        };
        let mut response = Response::new(body);
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// Sets a header unless its value cannot be one.
pub fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
