//! What routes that answer with rows take from a request, as one extractor. It must not interpret it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Version, header};

use super::observe::Meter;
use super::problem::Problem;
use crate::access::Caller;
use crate::error::Error;

/// A request without its body.
pub struct Asked {
    pub caller: Caller,
    pub meter: Arc<Meter>,
    pub method: Method,
    pub version: Version,
    pub headers: HeaderMap,
    pub query: Option<String>,
}

impl Asked {
    /// Whether the client wants no stored answer (RFC 9111, 5.2.1.4).
    pub fn fresh(&self) -> bool {
        let values = self.headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|list| list.split(',')).any(|directive| directive.trim().eq_ignore_ascii_case("no-cache"))
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Asked, Problem> {
        let missing =
            |what: &str| Problem::from(Error::internal(format!("the request passed no layer that sets its {what}")));
        Ok(Asked {
            caller: parts.extensions.get::<Caller>().cloned().ok_or_else(|| missing("caller"))?,
            meter: parts.extensions.get::<Arc<Meter>>().cloned().ok_or_else(|| missing("meter"))?,
            method: parts.method.clone(),
            version: parts.version,
            headers: parts.headers.clone(),
            query: parts.uri.query().map(Into::into),
        })
    }
}
