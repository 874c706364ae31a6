//! The Flight SQL surface: BI tools and programs that speak Arrow, over gRPC.
//!
//! ```text
//! incoming (room) ─ guard (who calls) ─ weighed (how much) ─ service (which command)
//!      ┌───────────────────────┬────────────────────┴──────┬─────────┐
//! statements                metadata                    actions   ingest
//! parameters · ticket       catalog · keys · types      sessions
//! running                   sql_info · fields · answers
//! ```
//!
//! It keeps no sessions: tickets and handles carry what they need, so any replica answers. It must not hold logic of its
//! own, collect results, or know the other surfaces.

mod actions;
mod answers;
mod auth;
mod catalog;
mod errors;
mod fields;
mod guard;
mod incoming;
mod ingest;
mod ipc;
mod keys;
mod metadata;
mod parameters;
mod running;
mod sent;
mod service;
mod sessions;
mod sql_info;
mod statements;
#[cfg(test)]
mod tests;
mod ticket;
mod tls;
mod types;
mod weighed;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport;

use crate::access::{START_UP, Tokens, listen, may_bind};
use crate::config::{AccessConfig, FlightConfig};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::ingest::Pusher;
use auth::Door;
use guard::Guarded;
use ingest::Bulk;
use metadata::Metadata;
use running::Running;
use service::{Service, flight_info};
use statements::Statements;
use ticket::Signer;
use weighed::Room;

/// A connection that says nothing is asked whether it is still there, and given up after a while.
const ASK_AFTER: Duration = Duration::from_secs(20);
const GIVE_UP_AFTER: Duration = Duration::from_secs(10);
/// Calls at once on one connection.
const CALLS: u32 = 200;
/// What a client may send ahead: of one call, and on one connection, bytes.
const WINDOW: u32 = 1 << 20;
const WINDOWS: u32 = 4 << 20;
/// After the deadline of a shutdown, streams are told to stop; this is how long that may take.
const ABORT_GRACE: Duration = Duration::from_secs(1);

/// A server that is bound, so that its address is known, but does not answer yet.
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    transport: transport::Server,
    service: Guarded<FlightServiceServer<Service>>,
    running: Running,
    connections: usize,
    start_up: Duration,
}

impl Server {
    /// Binds `config.bind`. `pusher` takes bulk loads, where that is allowed.
    ///
    /// # Errors
    /// An address beyond loopback without tokens, a port that is taken, TLS that cannot be set up.
    pub async fn bind(
        config: &FlightConfig,
        access: &AccessConfig,
        engine: Engine,
        pusher: Option<Pusher>,
    ) -> Result<Server> {
        Self::bind_within(START_UP, config, access, engine, pusher).await
    }

    /// Who connects has `start_up` to be let in.
    async fn bind_within(
        start_up: Duration,
        config: &FlightConfig,
        access: &AccessConfig,
        engine: Engine,
        pusher: Option<Pusher>,
    ) -> Result<Server> {
        let tokens = Tokens::new(&access.tokens)?;
        let wanted = may_bind("flight.bind", &config.bind, &tokens)?;
        let transport = tls::with(transport::Server::builder(), &config.tls)?
            .http2_keepalive_interval(Some(ASK_AFTER))
            .http2_keepalive_timeout(Some(GIVE_UP_AFTER))
            .max_concurrent_streams(CALLS)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOWS);
        let listener = listen("flight.bind", wanted).await?;
        let addr = listener.local_addr()?;
        let running = Running::default();
        let door = Arc::new(Door::new(tokens));
        let service = Service {
            door: Arc::clone(&door),
            statements: Statements::new(engine.clone(), Signer::new(&access.tokens)?, running.clone()),
            metadata: Metadata::new(pusher.is_some())?,
            bulk: Bulk::new(pusher, engine.clone()),
            engine,
            start_up,
        };
        let longest = usize::try_from(config.max_message_mb << 20).unwrap_or(usize::MAX);
        let service =
            FlightServiceServer::new(service).max_decoding_message_size(longest).max_encoding_message_size(usize::MAX);
        let service = Guarded { door, room: Room::new(longest), calls: service };
        Ok(Server { listener, addr, transport, service, running, connections: config.connections, start_up })
    }

    /// The address it is bound to, with the real port.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until `shutdown` is ready; then takes no more calls, lets those in flight end for `grace`, and cuts off the
    /// rest (their clients see an error, never a short answer).
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send, grace: Duration) -> Result<()> {
        let Server { listener, addr, mut transport, service, running, connections, start_up } = self;
        tracing::info!(%addr, "flight sql server listens");
        let stopping = CancellationToken::new();
        let incoming = incoming::connections(listener, connections, start_up);
        let router = transport.add_service(service);
        let serving = router.serve_with_incoming_shutdown(incoming, stopping.clone().cancelled_owned());
        let mut serving = std::pin::pin!(serving);
        tokio::select! {
            ended = &mut serving => return ended.map_err(failed),
            () = shutdown => stopping.cancel(),
        }
        if tokio::time::timeout(grace, &mut serving).await.is_err() {
            tracing::warn!(grace_seconds = grace.as_secs(), "flight sql calls were cut off at shutdown");
            running.cancel_all();
            // A client that does not read keeps its connection; the process ends without it.
            let _ = tokio::time::timeout(ABORT_GRACE, &mut serving).await;
        }
        Ok(())
    }
}

fn failed(error: transport::Error) -> Error {
    Error::unavailable(format!("the flight sql server stopped: {error}")).caused_by(error)
}
