//! What calls send, weighed by what each message says of its length before it comes: the library makes room for all of a
//! message at once. Long ones wait for a part of the room that the server has for them. It must not read messages.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use http_body_util::{BodyStream, StreamBody};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::body::Body;

use super::errors::status;
use crate::engine::MOST_TEXT;
use crate::error::{Error, ErrorKind};

const DO_PUT: &str = "/arrow.flight.protocol.FlightService/DoPut";
/// Bytes of a message that carries no rows: a statement twice (a flight to be cancelled has it in its descriptor and its
/// ticket) with its values and columns.
const WITHOUT_ROWS: usize = 2 * MOST_TEXT + (4 << 20);
/// Bytes of a message for which no room is taken.
const SMALL: usize = 64 << 10;
/// So many of the longest messages there is room for.
const LONGEST_AT_ONCE: usize = 4;
/// Room is counted in pieces of so many bytes.
const PIECE: usize = 1 << 10;
/// How long a message that takes room may wait for it, and then come in.
const MESSAGE: Duration = Duration::from_secs(60);
/// A byte that says whether it is packed, and its length.
const HEADER: usize = 5;

/// The room for long messages, of all calls together. Clones share it.
#[derive(Clone)]
pub struct Room {
    free: Arc<Semaphore>,
    /// Bytes of the longest message.
    longest: usize,
}

impl Room {
    /// For messages of up to `longest` bytes.
    pub fn new(longest: usize) -> Room {
        let pieces = longest.div_ceil(PIECE).saturating_mul(LONGEST_AT_ONCE);
        Room { free: Arc::new(Semaphore::new(pieces.min(Semaphore::MAX_PERMITS))), longest }
    }

    /// `body` of a call of `path`. Its frames come when there is room for their messages.
    pub fn weighed(&self, path: &str, body: Body) -> Body {
        let most = if path == DO_PUT { self.longest } else { self.longest.min(WITHOUT_ROWS) };
        let scale = Scale { free: Arc::clone(&self.free), most, header: [0; HEADER], read: 0, rest: 0, held: None };
        let frames = stream::try_unfold((BodyStream::new(body), scale), |(mut frames, mut scale)| async move {
            let next = match scale.late() {
                Some(late) => timeout_at(late, frames.next()).await.map_err(|_| slow())?,
                None => frames.next().await,
            };
            let Some(frame) = next.transpose()? else { return Ok::<_, Status>(None) };
            if let Some(data) = frame.data_ref() {
                scale.weigh(data).await?;
            }
            Ok(Some((frame, (frames, scale))))
        });
        Body::new(StreamBody::new(frames))
    }
}

/// How far the messages of a call have come.
struct Scale {
    free: Arc<Semaphore>,
    most: usize,
    header: [u8; HEADER],
    /// Bytes of the header that have come.
    read: usize,
    /// Bytes of the message that have not.
    rest: usize,
    /// The room that the last message has, until another begins; and when it must be there.
    held: Option<(OwnedSemaphorePermit, Instant)>,
}

impl Scale {
    /// When the message must be there that is coming in.
    fn late(&self) -> Option<Instant> {
        self.held.as_ref().filter(|_| self.rest > 0).map(|(_, late)| *late)
    }

    /// Takes room for the message that begins in `data`. Others may, too, but only the last is longer than it.
    async fn weigh(&mut self, data: &[u8]) -> Result<(), Status> {
        let Some(longest) = self.pass(data) else { return Ok(()) };
        if longest > self.most {
            let most = self.most;
            return Err(Status::out_of_range(format!(
                "a message of {longest} bytes is longer than {most}\nhint: send less at once; the operator can raise \
                 flight.max_message_mb for rows"
            )));
        }
        self.held = None;
        if longest > SMALL {
            let late = Instant::now() + MESSAGE;
            let pieces = u32::try_from(longest.div_ceil(PIECE)).unwrap_or(u32::MAX);
            let room = timeout_at(late, Arc::clone(&self.free).acquire_many_owned(pieces)).await;
            let room = room.map_err(|_| full())?.map_err(|_| full())?;
            self.held = Some((room, late));
        }
        Ok(())
    }

    /// Goes through `data`: the length of the longest message that begins in it.
    fn pass(&mut self, mut data: &[u8]) -> Option<usize> {
        let mut longest = None;
        while let Some((first, behind)) = data.split_first() {
            if self.rest > 0 {
                let step = self.rest.min(data.len());
                self.rest -= step;
                data = &data[step..];
                continue;
            }
            self.header[self.read] = *first;
            self.read += 1;
            data = behind;
            if self.read == HEADER {
                let [_, length @ ..] = self.header;
                self.rest = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                self.read = 0;
                longest = longest.max(Some(self.rest));
            }
        }
        longest
    }
}

fn full() -> Status {
    let full = Error::new(ErrorKind::Busy, "too many long messages are coming in");
    status(full.hint("try again shortly, or send rows in smaller batches"))
}

fn slow() -> Status {
    let slow = Error::new(ErrorKind::Timeout, format!("a long message did not end within {MESSAGE:?}"));
    status(slow.hint("nothing of it was taken: send it again, or in smaller batches"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::{BodyExt, Full};
    use tonic::Code;

    use super::*;

    const MIB: usize = 1 << 20;
    const OTHER: &str = "/arrow.flight.protocol.FlightService/GetFlightInfo";

    fn header(length: usize) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[1..].copy_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
        header
    }

    fn message(length: usize) -> Vec<u8> {
        [&header(length)[..], &vec![7; length]].concat()
    }

    fn sent(bytes: Vec<u8>) -> Body {
        Body::new(Full::new(Bytes::from(bytes)))
    }

    #[test]
    fn messages_are_found_wherever_they_are_cut() {
        let all = [message(3), message(0), message(70_000), message(1)].concat();
        for part in [1, 2, 7, 4_096, all.len()] {
            let Room { free, .. } = Room::new(MIB);
            let mut scale = Scale { free, most: MIB, header: [0; HEADER], read: 0, rest: 0, held: None };
            let longest = all.chunks(part).filter_map(|data| scale.pass(data)).max();
            assert_eq!((longest, scale.rest, scale.read), (Some(70_000), 0, 0), "in parts of {part}");
        }
    }

    #[tokio::test]
    async fn only_rows_may_be_as_long_as_is_set() {
        let room = Room::new(64 * MIB);
        let begun = |path, length: usize| room.weighed(path, sent(header(length).to_vec())).collect();
        for (path, most) in [(DO_PUT, 64 * MIB), (OTHER, WITHOUT_ROWS)] {
            assert!(begun(path, most).await.is_ok(), "{path}");
            let refused = begun(path, most + 1).await.unwrap_err();
            assert!(refused.code() == Code::OutOfRange && refused.message().contains("hint: "), "{refused}");
        }
        let whole = room.weighed(OTHER, sent(message(MIB))).collect().await.unwrap();
        assert_eq!(whole.to_bytes().len(), HEADER + MIB);
    }

    #[tokio::test]
    async fn long_messages_wait_for_room() {
        let room = Room::new(MIB);
        let mut held = Vec::new();
        for _ in 0..LONGEST_AT_ONCE {
            let mut body = room.weighed(DO_PUT, sent(message(MIB)));
            body.frame().await.unwrap().unwrap();
            held.push(body);
        }
        let mut small = room.weighed(DO_PUT, sent(message(SMALL)));
        small.frame().await.unwrap().unwrap();
        let mut waiting = room.weighed(OTHER, sent(message(MIB)));
        let mut next = std::pin::pin!(waiting.frame());
        let soon = tokio::time::timeout(Duration::from_millis(50), &mut next).await;
        assert!(soon.is_err(), "there is no room");
        held.pop();
        next.await.unwrap().unwrap();
    }
}
