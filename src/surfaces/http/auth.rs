//! Bearer tokens from the configuration. With tokens, every route needs one but `/healthz` and `/readyz`: probes have
//! none, and both say no more than "ok" or "not ready". `/metrics` needs one, because it tells how much is asked.
//! It must not log tokens.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::incoming::Place;
use super::problem::Problem;
use super::{HttpState, router};
use crate::access::{Caller, Tokens};

/// The principal of requests to a server without tokens (loopback only).
const ANYONE: &str = "http";

/// The caller that an `Authorization` header stands for.
fn caller(tokens: &Tokens, authorization: Option<&HeaderValue>) -> std::result::Result<Caller, &'static str> {
    if tokens.is_empty() {
        return Ok(Caller::named(ANYONE));
    }
    let text = authorization.ok_or("this server needs a token")?.to_str().map_err(|_| "the token is no ASCII text")?;
    let token = match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => return Err("the Authorization header is not 'Bearer <token>'"),
    };
    tokens.owner(token).map(Caller::named).ok_or("the token is not known")
}

/// Puts a [`Caller`] into the request, or answers 401. The connection of one may stay.
pub async fn authenticate(State(state): State<HttpState>, mut request: Request, next: Next) -> Response {
    if matches!(request.uri().path(), router::HEALTHZ | router::READYZ) {
        return next.run(request).await;
    }
    match caller(&state.tokens, request.headers().get(header::AUTHORIZATION)) {
        Ok(caller) => {
            // Without one, there is no connection either.
            let place = request.extensions().get::<Place>();
            if let Some(full) = place.and_then(|place| place.enter().err()) {
                return Problem::from(full).into_response();
            }
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(why) => Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", why)
            .hint("send the header 'Authorization: Bearer <token>' with a token of access.tokens")
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"saleslake\""))
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(pairs: &[(&str, &str)]) -> Tokens {
        Tokens::new(&pairs.iter().map(|(n, t)| (n.to_string(), t.to_string())).collect()).unwrap()
    }

    #[test]
    fn only_a_known_token_is_let_in() {
        let tokens = tokens(&[("bi", "0123456789abcdef"), ("job", "fedcba9876543210")]);
        let asks = |header: &str| caller(&tokens, Some(&HeaderValue::from_str(header).unwrap())).map(|c| c.principal);
        assert_eq!(asks("Bearer 0123456789abcdef").unwrap(), "bi");
        assert_eq!(asks("bearer  fedcba9876543210").unwrap(), "job");
        for bad in ["Bearer 0123456789abcde", "Bearer ", "Basic 0123456789abcdef", "0123456789abcdef"] {
            assert!(asks(bad).is_err(), "{bad}");
        }
        assert!(caller(&tokens, None).is_err());
    }

    #[test]
    fn without_tokens_anyone_is_let_in() {
        assert_eq!(caller(&tokens(&[]), None).unwrap().principal, ANYONE);
    }
}
