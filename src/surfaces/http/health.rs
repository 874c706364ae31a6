//! `/healthz`: the process answers. `/readyz`: it should be sent requests. Neither needs a token, so neither says more.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::HttpState;
use super::problem::Problem;
use crate::error::Error;

/// How long the lake may take to answer before this server is not ready.
const LAKE_ANSWERS: Duration = Duration::from_secs(5);

/// `GET /healthz`
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: a snapshot is loaded (else there is no engine), the lake answers, and no shutdown has begun.
pub async fn readyz(State(state): State<HttpState>) -> Result<Response, Problem> {
    if state.stopping.is_cancelled() {
        return Err(Error::unavailable("the server is shutting down").into());
    }
    match tokio::time::timeout(LAKE_ANSWERS, state.engine.refresh()).await {
        Ok(Ok(_)) => Ok("ready\n".into_response()),
        Ok(Err(error)) => Err(Error::unavailable("not ready: the lake does not answer").caused_by(error).into()),
        Err(_) => Err(Error::unavailable("not ready: the lake takes too long to answer").into()),
    }
}
