//! Where sockets come in whose owners have not shown yet who they are: so many at once, for so long. It must not read them.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a client has until it is let in, with all that goes before: TLS, password.
pub const START_UP: Duration = Duration::from_secs(10);
/// Sockets beyond the connections of those who have been let in.
pub const STARTING: usize = 100;
/// A pause after the system could not give a socket.
const PAUSE: Duration = Duration::from_millis(100);

pub struct Entrance {
    listener: TcpListener,
    starting: Arc<Semaphore>,
}

impl Entrance {
    pub fn new(listener: TcpListener) -> Entrance {
        Entrance::within(listener, STARTING)
    }

    /// With another number of sockets that are not yet let in.
    pub fn within(listener: TcpListener, starting: usize) -> Entrance {
        Entrance { listener, starting: Arc::new(Semaphore::new(starting)) }
    }

    /// The next socket, and its place among those that are not yet let in. Whatever goes wrong is waited out.
    pub async fn next(&self) -> (TcpStream, OwnedSemaphorePermit) {
        loop {
            match self.listener.accept().await {
                Ok((socket, _)) => {
                    // Where there is no place, not even an answer.
                    if let Ok(place) = Arc::clone(&self.starting).try_acquire_owned() {
                        return (socket, place);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
