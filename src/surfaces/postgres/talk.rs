//! What is said on one connection: messages that come whole, within bounds and in time, each answered before the next is
//! read. pgwire's own loop takes up to 1 GiB, waits for the rest of a message for ever, and hangs up without a word over
//! what it cannot read.

use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use pgwire::api::{ClientInfo, ErrorHandler, NoopHandler, PgWireConnectionState};
use pgwire::error::PgWireError;
use pgwire::messages::PgWireFrontendMessage;
use pgwire::tokio::server::{MaybeTls, PgWireMessageServerCodec, negotiate_tls, process_error, process_message};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::codec::{Framed, FramedParts};

use super::error::{OUT_OF_MEMORY, PROTOCOL_VIOLATION, ending, fatal, wire};
use super::session::{Extended, Session};
use super::statement::Statement;
use crate::engine::Reserved;
use crate::error::ErrorKind;

/// Bytes of a message for which nothing is reserved; who has not logged in may send no more.
const SMALL: usize = 64 << 10;
/// Bytes that are read before what has come is looked at.
const AT_ONCE: usize = 64 << 10;
/// A message's kind and its length, which counts itself.
const HEADER: usize = 5;

type Socket = Framed<Paced, PgWireMessageServerCodec<Statement>>;

/// A message, and its part of the memory pool until it is dropped.
type Incoming = (PgWireFrontendMessage, Option<Reserved>);

/// Answers the messages of `session` until its client takes leave or is put out.
pub async fn talk(socket: TcpStream, session: &Arc<Session>, patience: Duration) -> io::Result<()> {
    let acceptor = session.shared.tls.as_ref().map(|tls| tls.acceptor.clone());
    // Nothing: it spoke TLS at once, and there is none here.
    let Some(socket) = negotiate_tls(socket, acceptor).await? else { return Ok(()) };
    let mut socket = paced(socket);
    let (extended, copy) = (Arc::new(Extended(Arc::clone(session))), Arc::new(NoopHandler));
    loop {
        let (message, _held) = match next(&mut socket, session, patience).await {
            None | Some(Ok((PgWireFrontendMessage::Terminate(_), _))) => return Ok(()),
            Some(Ok(incoming)) => incoming,
            // The other side is gone, or not to be understood from here on.
            Some(Err(PgWireError::IoError(error))) => return Err(error),
            Some(Err(error)) => {
                let mut error = ending(error);
                session.on_error(&socket, &mut error);
                return process_error(&mut socket, error, false).await;
            }
        };
        let waits_for_sync = match socket.state() {
            PgWireConnectionState::CopyInProgress(extended) => extended,
            _ => message.is_extended_query(),
        };
        let (startup, simple, extended) = (Arc::clone(session), Arc::clone(session), Arc::clone(&extended));
        let (copy, cancel) = (Arc::clone(&copy), Arc::clone(&session.shared.registry));
        let answered = process_message(message, &mut socket, startup, simple, extended, copy, cancel).await;
        if let Err(mut error) = answered {
            session.on_error(&socket, &mut error);
            process_error(&mut socket, error, waits_for_sync).await?;
        }
    }
}

/// The next message; `None`: there will be no more. Between messages a client may be silent as long as it likes.
async fn next(socket: &mut Socket, session: &Session, patience: Duration) -> Option<Result<Incoming, PgWireError>> {
    let (mut held, mut late) = (None, None);
    let message = poll_fn(|cx| {
        // pgwire panics over some messages that end before what they announce: the client is to be told.
        let Ok(polled) = catch_unwind(AssertUnwindSafe(|| socket.poll_next_unpin(cx))) else {
            let told = fatal(PROTOCOL_VIOLATION, "a message contradicts itself", "send it as the protocol has it");
            return Poll::Ready(Some(Err(told)));
        };
        if polled.is_ready() {
            return polled;
        }
        if socket.read_buffer().is_empty() {
            return Poll::Pending;
        }
        if held.is_none()
            && let Some(length) = announced(socket)
        {
            match admitted(length, session) {
                Ok(reserved) => held = Some(reserved),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
        let late = late.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        late.poll_unpin(cx).map(|()| {
            let hint = "send messages whole";
            Some(Err(fatal(PROTOCOL_VIOLATION, &format!("a message did not end within {patience:?}"), hint)))
        })
    })
    .await?;
    Some(message.map(|message| (message, held.flatten())))
}

/// The length that the message which is coming in says it has. What comes first on a connection has no kind, and pgwire
/// takes little of it.
fn announced(socket: &Socket) -> Option<usize> {
    use PgWireConnectionState::{AwaitingSslRequest, AwaitingStartup};
    if matches!(socket.state(), AwaitingSslRequest | AwaitingStartup) {
        return None;
    }
    let [_, length @ ..] = socket.read_buffer().first_chunk::<HEADER>()?;
    usize::try_from(u32::from_be_bytes(*length)).ok()
}

/// Whether a message of `length` bytes may come in, and what it takes of the memory pool.
fn admitted(length: usize, session: &Session) -> Result<Option<Reserved>, PgWireError> {
    if length <= SMALL {
        return Ok(None);
    }
    let most = if session.principal.get().is_some() { session.shared.longest } else { SMALL };
    if length > most {
        let told = format!("a message of {length} bytes is longer than {most}");
        return Err(fatal(PROTOCOL_VIOLATION, &told, "send less at once, or raise postgres.max_message_mb"));
    }
    session.shared.engine.reserve(length, "messages of PostgreSQL clients").map(Some).map_err(|error| {
        match error.kind() {
            ErrorKind::Busy => fatal(OUT_OF_MEMORY, error.message(), error.hint_text().unwrap_or("try later")),
            _ => wire(&error),
        }
    })
}

fn paced(socket: Framed<MaybeTls, PgWireMessageServerCodec<Statement>>) -> Socket {
    let old = socket.into_parts();
    let mut parts = FramedParts::new(Paced { socket: old.io, read: 0 }, old.codec);
    (parts.read_buf, parts.write_buf) = (old.read_buf, old.write_buf);
    Framed::from_parts(parts)
}

/// A socket that pauses after every so many bytes. [`Framed`] reads on for as long as there is something to read: it would
/// have all of a long message before anybody saw how long it is.
struct Paced {
    socket: MaybeTls,
    /// Since the last pause.
    read: usize,
}

impl AsyncRead for Paced {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.read >= AT_ONCE {
            self.read = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
        self.read += buf.filled().len() - before;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Paced {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
