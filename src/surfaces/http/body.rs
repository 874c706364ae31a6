//! Rows as a response body, encoded as fast as the client reads. The encoder runs inside the body: when the connection
//! is dropped, so are the encoder, its rows and their query. It must not spawn tasks or hold more than one buffer.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use futures::Stream;
use tokio::io::AsyncWrite;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::observe::{Meter, log};
use crate::encode::{self, Format, Options, Written};
use crate::engine::Rows;
use crate::error::{Error, ErrorKind, Result};

/// Bytes that make a chunk. A result below this is complete before its status is sent, so that its errors are problems.
const CHUNK: usize = 256 * 1024;

/// An encoder with the buffer that it fills.
pub struct Encoding {
    work: Option<Pin<Box<dyn Future<Output = Result<Written>> + Send>>>,
    pipe: Pipe,
    /// Set when all is encoded.
    pub written: Option<Written>,
}

impl Encoding {
    pub fn new(rows: Rows, format: Format, options: Options) -> Encoding {
        Encoding::of(Arc::clone(&rows.schema), rows.into_stream(), format, options)
    }

    /// The same for any stream of batches.
    pub fn of<S>(schema: SchemaRef, batches: S, format: Format, options: Options) -> Encoding
    where
        S: Stream<Item = Result<RecordBatch>> + Send + 'static,
    {
        let pipe = Pipe::default();
        let mut end = pipe.clone();
        let work = async move { encode::write_stream(schema, batches, format, &mut end, &options).await };
        Encoding { work: Some(Box::pin(work)), pipe, written: None }
    }

    /// The next chunk: some 256 KiB, or what is left at the end. `None` after the end or an error.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let polled = match self.work.as_mut() {
            None => return Poll::Ready(None),
            Some(work) => work.as_mut().poll(cx),
        };
        match polled {
            Poll::Pending if self.pipe.len() >= CHUNK => Poll::Ready(Some(Ok(self.pipe.take()))),
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(written)) => {
                self.work = None;
                self.written = Some(written);
                let rest = self.pipe.take();
                Poll::Ready((!rest.is_empty()).then_some(Ok(rest)))
            }
            Poll::Ready(Err(error)) => {
                self.work = None;
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}

/// The rest of a response whose first chunk is known. Ends with an error, which aborts the transfer, when the query
/// fails or the server cuts it off.
pub struct Rest {
    first: Option<Bytes>,
    encoding: Encoding,
    meter: Arc<Meter>,
    cut_off: Pin<Box<WaitForCancellationFutureOwned>>,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Sending,
    Ended,
    Failed,
}

impl Rest {
    pub fn new(first: Bytes, encoding: Encoding, meter: Arc<Meter>, abort: CancellationToken) -> Rest {
        Rest { first: Some(first), encoding, meter, cut_off: Box::pin(abort.cancelled_owned()), state: State::Sending }
    }
}

impl Stream for Rest {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        if self.state != State::Sending {
            return Poll::Ready(None);
        }
        let failed = if self.cut_off.as_mut().poll(cx).is_ready() {
            Error::new(ErrorKind::Cancelled, "the server is shutting down")
        } else {
            match self.encoding.poll_chunk(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(chunk))) => return Poll::Ready(Some(Ok(chunk))),
                Poll::Ready(None) => {
                    self.state = State::Ended;
                    let (rows, bytes) = self.encoding.written.as_ref().map_or((0, 0), |w| (w.rows, w.bytes));
                    self.meter.sent(rows, bytes);
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Err(error))) => error,
            }
        };
        // Dropping the encoder cancels the query at once; `Drop` counts the broken transfer.
        self.encoding.work = None;
        self.state = State::Failed;
        log(&failed, &self.meter);
        Poll::Ready(Some(Err(io::Error::other(failed))))
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        if self.state != State::Ended {
            self.meter.broke();
        }
    }
}

/// A buffer between the encoder and the body, both polled by one task: when it is full the encoder waits, and the body
/// takes all and polls the encoder again.
#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<Vec<u8>>>);

impl Pipe {
    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.len() >= CHUNK {
            return Poll::Pending;
        }
        let taken = bytes.len().min(CHUNK - buffer.len());
        buffer.extend_from_slice(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
