//! Lets callers in before anything of their call is read: a message may be long, and its sender anybody. Only a handshake,
//! by which some show who they are, gets through without; it is short. What the others send is weighed.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::Either;
use http::{Extensions, Request, Response};
use http_body_util::Limited;
use tonic::Status;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::server::NamedService;
use tower::Service;

use super::auth::Door;
use super::errors::status;
use super::incoming::Place;
use super::weighed::Room;
use crate::error::Error;

const HANDSHAKE: &str = "/arrow.flight.protocol.FlightService/Handshake";
/// Bytes of a handshake, in all.
const SHORT: usize = 16 << 10;

/// A service whose calls all have a `Caller` among their extensions, but for handshakes.
#[derive(Clone)]
pub struct Guarded<S> {
    pub door: Arc<Door>,
    pub room: Room,
    pub calls: S,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response<Body>, Infallible>>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.calls.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        if parts.uri.path() == HANDSHAKE {
            let body = Body::new(Limited::new(body, SHORT));
            return Either::Right(self.calls.call(Request::from_parts(parts, body)));
        }
        let caller = self.door.caller(&MetadataMap::from_headers(parts.headers.clone()));
        match caller.and_then(|caller| enter(&parts.extensions).map(|()| caller)) {
            Ok(caller) => {
                parts.extensions.insert(caller);
                let body = self.room.weighed(parts.uri.path(), body);
                Either::Right(self.calls.call(Request::from_parts(parts, body)))
            }
            Err(refused) => Either::Left(ready(Ok(refused.into_http()))),
        }
    }
}

impl<S: NamedService> NamedService for Guarded<S> {
    const NAME: &'static str = S::NAME;
}

/// The connection of a call, by its extensions, is one of those that may stay.
pub fn enter(extensions: &Extensions) -> Result<(), Status> {
    let nowhere = || status(Error::internal("a call is of no connection"));
    extensions.get::<Place>().ok_or_else(nowhere)?.enter()
}
