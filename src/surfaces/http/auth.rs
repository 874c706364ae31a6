//! Bearer tokens from the configuration. With tokens, every route needs one but `/healthz` and `/readyz`: probes have
//! none, and both say no more than "ok" or "not ready". `/metrics` needs one, because it tells how much is asked.
//! It must not log tokens.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::problem::Problem;
use super::{HttpState, router};
use crate::access::Caller;
use crate::error::{Error, Result};

/// The principal of requests to a server without tokens (loopback only).
const ANYONE: &str = "http";

/// Names with the SHA-256 of their tokens: the tokens themselves are not kept.
pub struct Tokens(Vec<(String, [u8; 32])>);

impl Tokens {
    /// Refuses empty tokens.
    pub fn new(tokens: &BTreeMap<String, String>) -> Result<Tokens> {
        if let Some((name, _)) = tokens.iter().find(|(_, token)| token.trim().is_empty()) {
            return Err(
                Error::invalid(format!("http.tokens.{name} is empty")).hint("make one with `openssl rand -hex 24`")
            );
        }
        Ok(Tokens(tokens.iter().map(|(name, token)| (name.clone(), Sha256::digest(token).into())).collect()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose token it is. Looks at all of them, each compared in constant time.
    fn owner(&self, token: &str) -> Option<&str> {
        let given: [u8; 32] = Sha256::digest(token).into();
        let mut found = None;
        for (name, known) in &self.0 {
            let difference = given.iter().zip(known).fold(0u8, |sum, (a, b)| sum | (a ^ b));
            if std::hint::black_box(difference) == 0 {
                found = Some(name.as_str());
            }
        }
        found
    }

    /// The caller that an `Authorization` header stands for.
    fn caller(&self, authorization: Option<&HeaderValue>) -> std::result::Result<Caller, &'static str> {
        if self.is_empty() {
            return Ok(Caller::named(ANYONE));
        }
        let text =
            authorization.ok_or("this server needs a token")?.to_str().map_err(|_| "the token is no ASCII text")?;
        let token = match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err("the Authorization header is not 'Bearer <token>'"),
        };
        self.owner(token).map(Caller::named).ok_or("the token is not known")
    }
}

/// Puts a [`Caller`] into the request, or answers 401.
pub async fn authenticate(State(state): State<HttpState>, mut request: Request, next: Next) -> Response {
    if matches!(request.uri().path(), router::HEALTHZ | router::READYZ) {
        return next.run(request).await;
    }
    match state.tokens.caller(request.headers().get(header::AUTHORIZATION)) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(why) => Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", why)
            .hint("send the header 'Authorization: Bearer <token>' with a token of http.tokens")
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"saleslake\""))
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(pairs: &[(&str, &str)]) -> Result<Tokens> {
        Tokens::new(&pairs.iter().map(|(n, t)| (n.to_string(), t.to_string())).collect())
    }

    #[test]
    fn only_a_known_token_is_let_in() {
        let tokens = tokens(&[("bi", "0123456789abcdef"), ("job", "fedcba9876543210")]).unwrap();
        let asks = |header: &str| tokens.caller(Some(&HeaderValue::from_str(header).unwrap())).map(|c| c.principal);
        assert_eq!(asks("Bearer 0123456789abcdef").unwrap(), "bi");
        assert_eq!(asks("bearer  fedcba9876543210").unwrap(), "job");
        for bad in [
            "Bearer 0123456789abcde",
            "Bearer ",
            "Basic 0123456789abcdef",
            "0123456789abcdef",
            "Bearer 0123456789ABCDEF",
        ] {
            assert!(asks(bad).is_err(), "{bad}");
        }
        assert!(tokens.caller(None).is_err());
    }

    #[test]
    fn empty_tokens_are_refused_and_none_means_anyone() {
        assert!(tokens(&[("bi", " ")]).is_err());
        assert_eq!(tokens(&[]).unwrap().caller(None).unwrap().principal, ANYONE);
    }
}
