//! `POST /api/v1/ingest/{source}` with records in the source's format as the body, gzip or zstd if the sender likes.
//!
//! Answers 200 when they have landed, with the account of this push; until then nothing is promised, and afterwards
//! nothing is lost. `Idempotency-Key: …` makes sending again safe: the first answer comes again. Off unless
//! `http.allow_ingest`. It must not read records.

use std::time::{Duration, Instant};

use axum::Json;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;

use super::asked::Asked;
use super::problem::Problem;
use super::{HttpState, params};
use crate::error::{Error, ErrorKind};
use crate::ingest::{Push, PushAccount, Pusher};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Of a body that is refused, so much is read all the same, bytes, and for so long.
const READ_AWAY: usize = 8 << 20;
const PATIENCE: Duration = Duration::from_secs(2);
/// The problem of a sender that stops in the middle of a body.
const SILENT: &str = "body-timeout";
/// Packings that readers know by their first bytes.
const CODINGS: &[&str] = &["identity", "gzip", "x-gzip", "zstd"];

pub async fn ingest(
    State(state): State<HttpState>,
    Path(source): Path<String>,
    asked: Asked,
    body: Body,
) -> Result<Response, Problem> {
    let begun = Instant::now();
    let Some(pusher) = &state.pusher else {
        return Err(Problem::new(StatusCode::FORBIDDEN, "ingest-off", "this server does not take records")
            .hint("the operator can set http.allow_ingest = true"));
    };
    let mut body = body.into_data_stream();
    match push(&state, pusher, source, &asked, &mut body).await {
        Ok(account) => {
            state.metrics.pushed(&account, begun.elapsed());
            Ok(([(header::CACHE_CONTROL, "no-store")], Json(account)).into_response())
        }
        Err(problem) => {
            state.metrics.push_refused(problem.name());
            // Of a sender that has fallen silent nothing more is waited for.
            if problem.name() != SILENT && !asked.headers.contains_key(header::EXPECT) {
                let _ = tokio::time::timeout(PATIENCE, read_away(&mut body)).await;
            }
            Err(problem)
        }
    }
}

async fn push(
    state: &HttpState,
    pusher: &Pusher,
    source: String,
    asked: &Asked,
    body: &mut BodyDataStream,
) -> Result<PushAccount, Problem> {
    params::nothing_but(&params::pairs(asked.query.as_deref())?, &[])?;
    packed_as_known(&asked.headers)?;
    let key = key(&asked.headers)?;
    let announced = asked.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let most = state.ingest_max;
    let fits = |bytes: u64| if bytes > most { Err(too_large(most)) } else { Ok(()) };
    let announced = announced.unwrap_or_default();
    fits(announced)?;
    let mut receiving = pusher.receive(&source, announced).map_err(problem)?;
    while let Some(piece) = next(body, state.ingest_pause, receiving.size()).await? {
        fits(receiving.size() + piece.len() as u64)?;
        receiving.add(&piece).map_err(problem)?;
    }
    let push = Push { source, key, caller: asked.caller.principal.clone(), body: receiving.end() };
    let account = pusher.push(push).await.map_err(problem)?;
    state.engine.refresh_for(&account.batch_id).await;
    Ok(account)
}

/// The next piece of a body of which `size` bytes have come. Who falls silent must not keep a place from others for ever.
async fn next(body: &mut BodyDataStream, pause: Duration, size: u64) -> Result<Option<Bytes>, Problem> {
    match tokio::time::timeout(pause, body.next()).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(piece))) => Ok(Some(piece)),
        Ok(Some(Err(e))) => {
            let broken = format!("the body broke off after {size} bytes: {e}");
            Err(Problem::new(StatusCode::BAD_REQUEST, "body", broken).hint("nothing of it was taken: send it again"))
        }
        Err(_) => Err(silent(pause, size)),
    }
}

/// Reads some of what is still being sent: a sender that finds its connection closed before it has sent all may not see
/// the answer.
async fn read_away(body: &mut BodyDataStream) {
    let mut left = READ_AWAY;
    while let Some(Ok(piece)) = body.next().await {
        left = left.saturating_sub(piece.len());
        if left == 0 {
            break;
        }
    }
}

/// The error as a problem; a full queue is not about queries.
fn problem(error: Error) -> Problem {
    if error.kind() != ErrorKind::Busy {
        return error.into();
    }
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", error.message())
        .hint(error.hint_text().unwrap_or_default())
        .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn silent(pause: Duration, size: u64) -> Problem {
    let said = format!("nothing more of the body came for {pause:?}, after {size} bytes");
    Problem::new(StatusCode::REQUEST_TIMEOUT, SILENT, said).hint(
        "nothing of it was taken: send it again, without a pause within it; the operator can raise http.ingest_pause_ms",
    )
}

fn too_large(most: u64) -> Problem {
    let most = most >> 20;
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", format!("the body is longer than {most} MiB"))
        .hint("send it in parts or packed, or deliver it as a file; the operator can raise http.ingest_max_mb")
}

/// The key as it is, or as RFC 8941 writes texts: in quotes.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = given.next() else { return Ok(None) };
    let key = key.to_str().ok().filter(|_| given.next().is_none());
    let key = key.ok_or_else(|| {
        let wrong = "the Idempotency-Key header is not one ASCII text";
        Problem::new(StatusCode::BAD_REQUEST, "idempotency-key", wrong).hint("a UUID will do, one per push")
    })?;
    let bare = key.strip_prefix('"').and_then(|k| k.strip_suffix('"')).unwrap_or(key);
    Ok(Some(bare.into()))
}

fn packed_as_known(headers: &HeaderMap) -> Result<(), Problem> {
    let known = |coding: &str| CODINGS.iter().any(|c| c.eq_ignore_ascii_case(coding.trim()));
    for coding in headers.get_all(header::CONTENT_ENCODING) {
        let coding = coding.to_str().unwrap_or("?");
        if !coding.split(',').all(known) {
            let unknown = format!("Content-Encoding '{coding}' is not known");
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-encoding", unknown)
                .hint("send the body as it is, or packed with gzip or zstd"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.clone(), HeaderValue::from_str(v).unwrap())).collect()
    }

    #[test]
    fn keys_come_bare_or_in_quotes_and_once() {
        let of = |value: &str| key(&headers(&[(IDEMPOTENCY_KEY, value)])).unwrap();
        assert_eq!(of("till-7/00012").as_deref(), Some("till-7/00012"));
        assert_eq!(of("\"8e03978e-40d5\"").as_deref(), Some("8e03978e-40d5"));
        assert_eq!(key(&HeaderMap::new()).unwrap(), None);
        let mut twice = headers(&[(IDEMPOTENCY_KEY, "a")]);
        twice.append(IDEMPOTENCY_KEY, HeaderValue::from_static("b"));
        assert!(key(&twice).is_err(), "which of them counts?");
    }

    #[test]
    fn only_known_packings() {
        for (coding, fine) in [("gzip", true), ("ZSTD", true), ("identity", true), ("br", false), ("gzip, br", false)] {
            assert_eq!(packed_as_known(&headers(&[(header::CONTENT_ENCODING, coding)])).is_ok(), fine, "{coding}");
        }
    }
}
