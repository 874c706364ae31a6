//! Connections: so many at once, and none that stays without having been let in.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{Stream, stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use tonic::Status;
use tonic::transport::server::Connected;

use super::errors::status;
use crate::access::Entrance;
use crate::error::{Error, ErrorKind};

/// A connection's place. Clones share it.
#[derive(Clone)]
pub struct Place {
    /// Those that there may be.
    slots: Arc<Semaphore>,
    held: Arc<Mutex<Held>>,
}

struct Held {
    /// One of those that may stay, or one that still shows who it is.
    entered: bool,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// The caller has been let in: the connection may stay.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED`: there are as many connections as there may be.
    pub fn enter(&self) -> Result<(), Status> {
        let mut held = self.held();
        if !held.entered {
            let full = |_| {
                let hint = "close idle connections, or raise flight.connections";
                status(Error::new(ErrorKind::Busy, "too many connections").hint(hint))
            };
            let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(full)?;
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

/// A socket with its place. It ends by itself if nobody is let in on it in time.
pub struct Connection {
    socket: TcpStream,
    place: Place,
    late: Pin<Box<Sleep>>,
}

/// The connections of `listener`, of which `most` may stay.
pub fn connections(
    listener: TcpListener,
    most: usize,
    start_up: Duration,
) -> impl Stream<Item = io::Result<Connection>> {
    let slots = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
    stream::unfold((Entrance::new(listener), slots), move |(entrance, slots)| async move {
        let (socket, permit) = entrance.next().await;
        let _ = socket.set_nodelay(true);
        let held = Held { entered: false, _permit: permit };
        let place = Place { slots: Arc::clone(&slots), held: Arc::new(Mutex::new(held)) };
        let late = Box::pin(tokio::time::sleep(start_up));
        // An error here would end tonic's server.
        Some((Ok(Connection { socket, place, late }), (entrance, slots)))
    })
}

impl Connected for Connection {
    type ConnectInfo = Place;

    fn connect_info(&self) -> Place {
        self.place.clone()
    }
}

impl Connection {
    /// Fails once it has been open for too long without a caller. Asked whatever is done: who does not read keeps a server
    /// that has something to say from reading.
    fn in_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.place.entered() && self.late.as_mut().poll(cx).is_ready() {
            tracing::info!(from = ?self.socket.peer_addr().ok(), "a Flight SQL client did not log in in time");
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx)?;
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.in_time(cx)?;
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.in_time(cx)?;
        Pin::new(&mut self.socket).poll_write_vectored(cx, bytes)
    }
    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}
