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

use bytes::BytesMut;
use futures::{FutureExt, StreamExt};
use pgwire::api::{ClientInfo, ErrorHandler, NoopHandler, PgWireConnectionState};
use pgwire::error::PgWireError;
use pgwire::messages::PgWireFrontendMessage;
use pgwire::tokio::server::{MaybeTls, PgWireMessageServerCodec, negotiate_tls, process_error, process_message};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::codec::{Framed, FramedParts};

use super::error::{PROTOCOL_VIOLATION, ending, fatal};
use super::session::{Extended, Session};
use super::statement::Statement;
use crate::engine::Reserved;

/// Bytes of a message for which nothing is reserved while it comes in.
const SMALL: usize = 1 << 20;
/// What who has not logged in may send.
const OF_STRANGERS: usize = 64 << 10;
/// Bytes that are read before what has come is looked at.
const AT_ONCE: usize = 64 << 10;
/// A message's kind and its length, which counts itself.
const HEADER: usize = 5;
/// A pause after the memory pool had no room.
const PAUSE: Duration = Duration::from_millis(100);

type Socket = Framed<Paced, PgWireMessageServerCodec<Statement>>;

/// A message, and its part of the memory pool until it has been answered.
type Incoming = (PgWireFrontendMessage, Option<Reserved>);

/// Answers the messages of `session` until its client takes leave or is put out.
pub async fn talk(socket: TcpStream, session: &Arc<Session>, patience: Duration) -> io::Result<()> {
    let acceptor = session.shared.tls.as_ref().map(|tls| tls.acceptor.clone());
    // Nothing: it spoke TLS at once, and there is none here.
    let Some(socket) = negotiate_tls(socket, acceptor).await? else { return Ok(()) };
    if socket.is_secure() && !socket.read_buffer().is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "there is plain text before what is encrypted"));
    }
    let mut socket = paced(socket);
    let (extended, copy) = (Arc::new(Extended(Arc::clone(session))), Arc::new(NoopHandler));
    loop {
        let (message, _held) = match next(&mut socket, session, patience).await {
            None | Some(Ok((PgWireFrontendMessage::Terminate(_), _))) => return Ok(()),
            Some(Ok(incoming)) => incoming,
            Some(Err(PgWireError::IoError(error))) => return Err(error),
            // What follows is not to be understood.
            Some(Err(error)) => return part(socket, session, error).await,
        };
        let waits_for_sync = match socket.state() {
            PgWireConnectionState::CopyInProgress(extended) => extended,
            _ => message.is_extended_query(),
        };
        let (startup, simple, extended) = (Arc::clone(session), Arc::clone(session), Arc::clone(&extended));
        let (copy, cancel) = (Arc::clone(&copy), Arc::clone(&session.shared.registry));
        let answer = process_message(message, &mut socket, startup, simple, extended, copy, cancel);
        match AssertUnwindSafe(answer).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(mut error)) => {
                session.on_error(&socket, &mut error);
                process_error(&mut socket, error, waits_for_sync).await?;
            }
            Err(_) => return part(socket, session, contradicts_itself()).await,
        }
    }
}

/// Tells `error` as the last word. What the client still sends is read, or it would see a broken connection and not why.
async fn part(mut socket: Socket, session: &Session, error: PgWireError) -> io::Result<()> {
    let mut error = ending(error);
    session.on_error(&socket, &mut error);
    process_error(&mut socket, error, false).await?;
    let mut rest = [0; 8 << 10];
    while socket.get_mut().read(&mut rest).await? > 0 {}
    Ok(())
}

/// pgwire panics over some messages that end before what they announce.
fn contradicts_itself() -> PgWireError {
    fatal(PROTOCOL_VIOLATION, "a message contradicts itself", "send it as the protocol has it")
}

/// The next message; `None`: there will be no more. Between messages a client may be silent as long as it likes.
async fn next(socket: &mut Socket, session: &Session, patience: Duration) -> Option<Result<Incoming, PgWireError>> {
    let whole = poll_fn(|cx| match polled(socket, cx) {
        Poll::Pending if socket.read_buffer().is_empty() => Poll::Pending,
        Poll::Pending => Poll::Ready(None),
        Poll::Ready(whole) => Poll::Ready(Some(whole)),
    })
    .await;
    if let Some(whole) = whole {
        return whole.map(|message| Ok((message?, None)));
    }
    let until = Instant::now() + patience;
    timeout_at(until, rest(socket, session, until)).await.unwrap_or_else(|_| {
        let told = format!("a message did not end within {patience:?}");
        Some(Err(fatal(PROTOCOL_VIOLATION, &told, "send messages whole")))
    })
}

/// The message of which a part has come.
async fn rest(socket: &mut Socket, session: &Session, until: Instant) -> Option<Result<Incoming, PgWireError>> {
    let begun = poll_fn(|cx| match polled(socket, cx) {
        Poll::Pending => announced(socket).map_or(Poll::Pending, |length| Poll::Ready(Err(length))),
        Poll::Ready(whole) => Poll::Ready(Ok(whole)),
    });
    let length = match begun.await {
        Ok(whole) => return whole.map(|message| Ok((message?, None))),
        Err(length) => length,
    };
    let held = match admitted(length, session, until).await {
        Ok(held) => held,
        Err(error) => return Some(Err(error)),
    };
    let whole = poll_fn(|cx| polled(socket, cx)).await;
    if length > AT_ONCE {
        // The message has what it needs of the buffer, which else would stay as long as this.
        *socket.read_buffer_mut() = BytesMut::from(&socket.read_buffer()[..]);
    }
    whole.map(|message| Ok((message?, held)))
}

fn polled(socket: &mut Socket, cx: &mut Context<'_>) -> Poll<Option<Result<PgWireFrontendMessage, PgWireError>>> {
    catch_unwind(AssertUnwindSafe(|| socket.poll_next_unpin(cx)))
        .unwrap_or_else(|_| Poll::Ready(Some(Err(contradicts_itself()))))
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

/// What a message of `length` bytes takes of the memory pool while it comes in and is answered. Where there is no room the
/// client waits: its bytes stay with it.
async fn admitted(length: usize, session: &Session, until: Instant) -> Result<Option<Reserved>, PgWireError> {
    let most = if session.principal.get().is_some() { session.shared.longest } else { OF_STRANGERS };
    if length > most {
        let told = format!("a message of {length} bytes is longer than {most}");
        return Err(fatal(PROTOCOL_VIOLATION, &told, "send less at once, or raise postgres.max_message_mb"));
    }
    if length <= SMALL {
        return Ok(None);
    }
    loop {
        match session.reserve(length) {
            Ok(reserved) => return Ok(Some(reserved)),
            Err(_) if Instant::now() + PAUSE < until => sleep(PAUSE).await,
            Err(error) => return Err(error),
        }
    }
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
