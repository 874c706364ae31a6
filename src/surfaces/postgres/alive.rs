//! Clients that are lost without a word: a machine that lost its power or its network closes nothing. The system asks after
//! them, and the connection breaks, which ends its query and gives its place back. It must not read the socket.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// A connection on which nothing is said is asked whether it is still there.
const ASK_AFTER: Duration = Duration::from_secs(20);
/// So often, so many times, until it is given up.
const ASK_AGAIN: Duration = Duration::from_secs(5);
const TIMES: u32 = 3;

/// Has `socket` watched. What was sent and is not taken for `unread` breaks it, too: a client may be gone, or be there and not
/// read, which cannot be told apart. So it must be as long as a query may wait for its reader.
pub fn watch(socket: &TcpStream, unread: Duration) -> io::Result<()> {
    let socket = SockRef::from(socket);
    let asked = TcpKeepalive::new().with_time(ASK_AFTER).with_interval(ASK_AGAIN).with_retries(TIMES);
    socket.set_tcp_keepalive(&asked)?;
    // Linux gives up who does not answer after this time, too, whatever the number of questions.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(unread.max(ASK_AFTER + ASK_AGAIN * TIMES)))?;
    #[cfg(not(target_os = "linux"))]
    let _ = unread;
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn sockets_are_watched() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (socket, _) = listener.accept().unwrap();
        for (unread, given_up) in [(120, 120), (1, 35)] {
            watch(&socket, Duration::from_secs(unread)).unwrap();
            let socket = SockRef::from(&socket);
            assert!(socket.keepalive().unwrap());
            assert_eq!(socket.tcp_keepalive_time().unwrap(), ASK_AFTER);
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), ASK_AGAIN);
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), TIMES);
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(given_up)));
        }
    }
}
