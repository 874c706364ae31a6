//! Connections: so many at once, none that stays without having been let in, and none that sends half a request for ever.
//! It must not know what is asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::Layer;

use crate::access::{Entrance, START_UP};
use crate::error::{Error, ErrorKind, Result};

/// How long a connection may be silent between two requests, and how long the head of one may take.
const HEAD: Duration = Duration::from_secs(30);
/// An HTTP/2 connection that says nothing is asked whether it is still there, and given up after a while.
const ASK_AFTER: Duration = Duration::from_secs(20);
const GIVE_UP_AFTER: Duration = Duration::from_secs(10);
/// Sockets on which nobody has been let in yet. Browsers and tills open many at a time, each for a moment.
const STARTING: usize = 1000;

/// What connections may have.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Those that stay.
    connections: usize,
    /// How long until somebody is let in.
    start_up: Duration,
    head: Duration,
}

impl Limits {
    /// So many may stay.
    pub fn new(connections: usize) -> Limits {
        Limits { connections, start_up: START_UP, head: HEAD }
    }
}

/// A connection's place. Clones share it.
#[derive(Clone)]
pub struct Place {
    /// Those that there may be.
    slots: Arc<Semaphore>,
    held: Arc<Mutex<Held>>,
}

struct Held {
    /// One of those that may stay, or one on which nobody has been let in.
    entered: bool,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// The caller has been let in: the connection may stay.
    ///
    /// # Errors
    /// `Busy`: there are as many connections as there may be.
    pub fn enter(&self) -> Result<()> {
        let mut held = self.held();
        if !held.entered {
            let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| {
                let full = Error::new(ErrorKind::Busy, "too many connections");
                full.hint("close idle connections, or raise http.connections")
            })?;
            *held = Held { entered: true, _permit: slot };
        }
        Ok(())
    }

    fn entered(&self) -> bool {
        self.held().entered
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers what comes in at `listener` by `app`, whose requests have a [`Place`] among their extensions, until `stop`; then
/// takes no more connections, and is ready when those that there are have ended.
pub async fn serve(listener: TcpListener, app: Router, limits: Limits, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
    let (entrance, mut tasks) = (Entrance::within(listener, STARTING), JoinSet::new());
    loop {
        // Those that have ended need no place any more.
        while tasks.try_join_next().is_some() {}
        let (socket, permit) = tokio::select! {
            next = entrance.next() => next,
            () = stop.cancelled() => break,
        };
        let held = Held { entered: false, _permit: permit };
        let place = Place { slots: Arc::clone(&slots), held: Arc::new(Mutex::new(held)) };
        tasks.spawn(connection(socket, app.clone(), place, limits, stop.clone()));
    }
    drop(entrance);
    while tasks.join_next().await.is_some() {}
}

/// Serves one connection. At `stop` the requests in flight end.
async fn connection(socket: TcpStream, app: Router, place: Place, limits: Limits, stop: CancellationToken) {
    let _ = socket.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).keep_alive_interval(ASK_AFTER).keep_alive_timeout(GIVE_UP_AFTER);
    let app = TowerToHyperService::new(Extension(place.clone()).layer(app));
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(socket), app));
    let late = async {
        tokio::time::sleep(limits.start_up).await;
        if place.entered() {
            std::future::pending::<()>().await;
        }
    };
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
        () = late => {
            serving.as_mut().graceful_shutdown();
            // What a probe is being answered may end.
            tokio::time::timeout(limits.start_up, serving).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection broke");
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Instant;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::JoinHandle;
    use tokio::time::timeout;

    use super::*;

    /// Only a failing test waits this long.
    const SOON: Duration = Duration::from_secs(20);
    const SHORTLY: Duration = Duration::from_millis(300);

    async fn enter(Extension(place): Extension<Place>) -> &'static str {
        if place.enter().is_ok() { "<in>" } else { "<full>" }
    }

    async fn door(limits: Limits) -> (SocketAddr, CancellationToken, JoinHandle<()>) {
        let app = Router::new().route("/in", get(enter)).route("/out", get(|| async { "<out>" }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (addr, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        (addr, stop.clone(), tokio::spawn(serve(listener, app, limits, stop)))
    }

    /// What `path` answers on the connection; without an answer, what came.
    async fn ask(socket: &mut TcpStream, path: &str) -> String {
        let _ = socket.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await;
        let (mut all, mut part) = (String::new(), [0; 1024]);
        while !all.ends_with('>') {
            match timeout(SOON, socket.read(&mut part)).await.expect("an answer or an end") {
                Ok(read @ 1..) => all.push_str(&String::from_utf8_lossy(&part[..read])),
                _ => return all,
            }
        }
        all.split("\r\n\r\n").nth(1).unwrap_or_default().into()
    }

    async fn begun(addr: SocketAddr, text: &str) -> TcpStream {
        let mut socket = TcpStream::connect(addr).await.unwrap();
        socket.write_all(text.as_bytes()).await.unwrap();
        socket
    }

    async fn ends(socket: &mut TcpStream) -> bool {
        timeout(SOON, async { while socket.read_u8().await.is_ok() {} }).await.is_ok()
    }

    #[tokio::test]
    async fn there_is_room_for_so_many_and_no_more() {
        let (addr, ..) = door(Limits::new(1)).await;
        let mut first = begun(addr, "").await;
        assert_eq!(ask(&mut first, "/in").await, "<in>");
        let mut second = begun(addr, "").await;
        assert_eq!(ask(&mut second, "/out").await, "<out>", "it takes no room");
        assert_eq!(ask(&mut second, "/in").await, "<full>");
        assert_eq!(ask(&mut first, "/in").await, "<in>", "who is in stays");
        drop(first);
        let begun = Instant::now();
        while ask(&mut second, "/in").await != "<in>" {
            assert!(begun.elapsed() < SOON, "the place was not given back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn who_is_not_let_in_is_put_out() {
        let (addr, ..) = door(Limits { start_up: SHORTLY, ..Limits::new(10) }).await;
        let mut inside = begun(addr, "").await;
        assert_eq!(ask(&mut inside, "/in").await, "<in>");
        let mut asked = begun(addr, "").await;
        assert_eq!(ask(&mut asked, "/out").await, "<out>");
        let halves = ["", "GET /in HTTP/1.1\r\nho", "PRI * HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"];
        for half in halves {
            assert!(ends(&mut begun(addr, half).await).await, "{half:?} is still there");
        }
        assert!(ends(&mut asked).await, "nobody was let in on it");
        assert_eq!(ask(&mut inside, "/in").await, "<in>", "who is in stays");
    }

    #[tokio::test]
    async fn half_a_head_does_not_keep_its_place() {
        let (addr, ..) = door(Limits { head: SHORTLY, ..Limits::new(1) }).await;
        let mut inside = begun(addr, "").await;
        assert_eq!(ask(&mut inside, "/in").await, "<in>");
        inside.write_all(b"GET /in HTTP/1.1\r\nho").await.unwrap();
        assert!(ends(&mut inside).await, "it is still there");
    }

    #[tokio::test]
    async fn idle_connections_end_with_the_server() {
        let (addr, stop, serving) = door(Limits::new(10)).await;
        let mut idle = begun(addr, "").await;
        assert_eq!(ask(&mut idle, "/in").await, "<in>");
        let mut silent = begun(addr, "").await;
        stop.cancel();
        timeout(SOON, serving).await.expect("it still serves").unwrap();
        assert!(ends(&mut idle).await && ends(&mut silent).await);
    }
}
