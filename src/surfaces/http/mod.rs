//! The HTTP surface: a thin translation of requests into calls of reports and engine, and of rows into responses.
//! It must not hold logic of its own, collect results, or know the other surfaces.

mod asked;
mod auth;
mod body;
mod etag;
mod health;
mod incoming;
mod ingest;
mod metrics;
mod observe;
mod openapi;
mod params;
mod problem;
mod reports;
mod respond;
mod router;
mod run;
mod site;
mod sql;
mod tables;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::access::{Tokens, listen, may_bind};
use crate::clock::Clock;
use crate::config::{AccessConfig, HttpConfig};
use crate::engine::Engine;
use crate::error::Result;
use crate::ingest::Pusher;
use crate::reports::LiveReports;
use incoming::Limits;
use metrics::Metrics;
use site::Site;

/// After the deadline of a shutdown, streams are told to stop; this is how long that may take.
const ABORT_GRACE: Duration = Duration::from_secs(1);

/// What every route can reach. Cheap to clone.
#[derive(Clone)]
struct HttpState(Arc<Shared>);

struct Shared {
    engine: Engine,
    reports: LiveReports,
    tokens: Tokens,
    /// What requests may call this server, and whose pages may send.
    site: Site,
    allow_sql: bool,
    /// Takes pushes, where that is allowed.
    pusher: Option<Pusher>,
    /// The longest body of a push, bytes.
    ingest_max: u64,
    /// How long a sender may pause within a body.
    ingest_pause: Duration,
    metrics: Arc<Metrics>,
    /// Shutdown began: not ready any more, requests in flight finish.
    stopping: CancellationToken,
    /// The deadline of the shutdown has passed: requests in flight are cut off.
    abort: CancellationToken,
}

impl std::ops::Deref for HttpState {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// A server that is bound, so that its address is known, but does not answer yet.
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    state: HttpState,
    limits: Limits,
    grace: Duration,
}

impl Server {
    /// Binds `config.bind`. Refused: an address beyond loopback without tokens, an empty token, a host that is no name.
    pub async fn bind(
        config: &HttpConfig,
        access: &AccessConfig,
        engine: Engine,
        reports: LiveReports,
        pusher: Option<Pusher>,
        clock: Clock,
    ) -> Result<Server> {
        let tokens = Tokens::new(&access.tokens)?;
        let wanted = may_bind("http.bind", &config.bind, &tokens)?;
        let listener = listen("http.bind", wanted).await?;
        let addr = listener.local_addr()?;
        let shared = Shared {
            engine,
            reports,
            site: Site::new(config, tokens.is_empty())?,
            tokens,
            allow_sql: config.allow_sql,
            pusher,
            ingest_max: config.ingest_max_mb << 20,
            ingest_pause: Duration::from_millis(config.ingest_pause_ms),
            metrics: Arc::new(Metrics::new(clock)),
            stopping: CancellationToken::new(),
            abort: CancellationToken::new(),
        };
        let grace = Duration::from_secs(config.shutdown_seconds);
        let limits = Limits::new(config.connections);
        Ok(Server { listener, addr, state: HttpState(Arc::new(shared)), limits, grace })
    }

    /// The address it is bound to, with the real port.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until `shutdown` is ready; then takes no more connections, lets requests in flight finish and waiting
    /// pushes land for `http.shutdown_seconds`, and cuts off the rest (their clients see a broken transfer, never a short answer).
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
        let Server { listener, addr, state, limits, grace } = self;
        tracing::info!(%addr, "http server listens");
        let app = router::router(state.clone());
        let mut serving = std::pin::pin!(incoming::serve(listener, app, limits, state.stopping.clone()));
        tokio::select! {
            () = &mut serving => return Ok(()),
            () = shutdown => state.stopping.cancel(),
        }
        let pushes = async {
            if let Some(pusher) = &state.pusher {
                pusher.close().await;
            }
        };
        let mut ending = std::pin::pin!(futures::future::join(&mut serving, pushes));
        if tokio::time::timeout(grace, &mut ending).await.is_err() {
            tracing::warn!(grace_seconds = grace.as_secs(), "requests in flight were cut off at shutdown");
            state.abort.cancel();
            // A client that does not read keeps its connection; the process ends without it.
            let _ = tokio::time::timeout(ABORT_GRACE, &mut ending).await;
        }
        Ok(())
    }
}
