//! `GET /api/v1/reports/{id}/run?from=…&where.channel=web,app&compare=…&order_by=-net_sales&limit=10&totals=true&format=csv`
//!
//! Every parameter but `format` is the report's. `Cache-Control: no-cache` has it run even if the answer is in the engine's
//! cache. HEAD answers with the headers and does not run.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::json;

use super::asked::Asked;
use super::problem::Problem;
use super::respond::{Answer, NOTE, REPORT, format, put};
use super::{HttpState, etag, params};
use crate::encode::ReceiptFn;
use crate::reports::{ReceiptHead, Request};

pub async fn run(State(state): State<HttpState>, Path(id): Path<String>, asked: Asked) -> Result<Response, Problem> {
    let caller = &asked.caller;
    let reports = state.reports.now();
    let info = reports.get(&id)?.info();
    let mut values = params::pairs_and_lists(asked.query.as_deref(), |name| info.is_list(name))?;
    let format = format(params::take(&mut values, "format").as_deref(), &asked.headers)?;
    let request = Request { values };

    // What the answer would be tagged is planned only for those who ask; the answer has the tag of its own receipt.
    if asked.method == Method::HEAD || asked.headers.contains_key(header::IF_NONE_MATCH) {
        let tag = etag::of(&reports.etag_key(&id, &request, caller).await?, format);
        let mut headers = etag::headers(&tag);
        if etag::matches(&asked.headers, &tag) {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        if asked.method == Method::HEAD {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.mime()));
            // A body of unknown length: an empty one would announce a length of 0 that GET does not have.
            let unknown = Body::from_stream(stream::empty::<io::Result<Bytes>>());
            return Ok((headers, unknown).into_response());
        }
    }

    let begun = Instant::now();
    let run = match asked.fresh() {
        true => reports.run_anew(&id, request, caller).await?,
        false => reports.run(&id, request, caller).await?,
    };
    state.metrics.saw(&run.rows.snapshot);
    let mut headers = etag::headers(&etag::of(&run.receipt.etag_key(caller), format));
    put(&mut headers, REPORT, &id);
    for note in &run.receipt.notes {
        if let Ok(note) = HeaderValue::from_str(note) {
            headers.append(NOTE, note);
        }
    }
    let abort = state.abort.clone();
    let receipt = receipt(run.receipt, begun);
    Answer { format, receipt, headers, name: id, version: asked.version, meter: asked.meter, abort }
        .respond(run.rows)
        .await
}

/// The report's receipt with what is known at the end.
fn receipt(head: ReceiptHead, begun: Instant) -> ReceiptFn {
    Arc::new(move |written| json!(head.clone().finish(written.rows, &written.checksum, seconds(begun))))
}

/// Seconds since `begun`, to the millisecond.
pub fn seconds(begun: Instant) -> f64 {
    (begun.elapsed().as_secs_f64() * 1e3).round() / 1e3
}
