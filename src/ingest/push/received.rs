//! Bodies as they come in: a bounded share of memory, longer ones in a temporary file, and room for all of them together
//! that is never exceeded. It must not look into a body.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::ingest::files::{Spool, TempFile, hex};
use crate::ingest::read::Input;

/// A body up to this long stays in memory, bytes.
const IN_MEMORY: usize = 1 << 20;

/// Room for so many pushes and bytes.
pub(super) struct Room {
    pushes: usize,
    bytes: u64,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    pushes: usize,
    bytes: u64,
}

impl Room {
    pub fn new(pushes: usize, bytes: u64) -> Room {
        Room { pushes, bytes, taken: Mutex::default() }
    }

    /// A place for a push that will have `announced` bytes. They are taken as they come: who is slow holds no more than
    /// what has been sent.
    pub fn enter(self: &Arc<Self>, announced: u64) -> Result<Place> {
        let mut taken = self.taken();
        if taken.pushes >= self.pushes || taken.bytes.saturating_add(announced) > self.bytes {
            return Err(full());
        }
        taken.pushes += 1;
        Ok(Place { room: self.clone(), bytes: 0 })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn full() -> Error {
    Error::new(ErrorKind::Busy, "too many pushes wait to land")
        .hint("nothing of it was taken: send the same push again after a second")
}

/// The room that one push takes, until it is dropped.
pub(super) struct Place {
    room: Arc<Room>,
    bytes: u64,
}

impl Place {
    fn grow(&mut self, bytes: u64) -> Result<()> {
        let mut taken = self.room.taken();
        if taken.bytes.saturating_add(bytes) > self.room.bytes {
            return Err(full());
        }
        taken.bytes += bytes;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.room.taken();
        taken.pushes -= 1;
        taken.bytes -= self.bytes;
    }
}

/// A body that is being received. Dropped before its end, it was never there.
pub struct Receiving {
    place: Place,
    temp_dir: PathBuf,
    memory: Vec<u8>,
    spool: Option<Spool>,
}

impl Receiving {
    pub(super) fn new(place: Place, temp_dir: PathBuf) -> Receiving {
        Receiving { place, temp_dir, memory: Vec::new(), spool: None }
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.place.bytes
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// `Busy`: there is no room for them. `Unavailable`: the temporary file.
    pub fn add(&mut self, bytes: &[u8]) -> Result<()> {
        self.place.grow(bytes.len() as u64)?;
        if self.spool.is_none() && self.memory.len() + bytes.len() > IN_MEMORY {
            let mut spool = Spool::new(&self.temp_dir).map_err(ours)?;
            spool.write(&std::mem::take(&mut self.memory)).map_err(ours)?;
            self.spool = Some(spool);
        }
        match &mut self.spool {
            Some(spool) => spool.write(bytes).map_err(ours),
            None => {
                self.memory.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// The whole body.
    pub fn end(self) -> Received {
        let Receiving { place, memory, spool, .. } = self;
        match spool.map(Spool::finish) {
            Some(spooled) => Received { place, sha256: spooled.sha256, held: Held::File(spooled.temp) },
            None => {
                let sha256 = hex(&Sha256::digest(&memory));
                Received { place, sha256, held: Held::Memory(memory.into()) }
            }
        }
    }
}

/// A temporary file that fails is never the sender's fault, and perhaps over soon.
fn ours(e: Error) -> Error {
    Error::unavailable(e.message()).hint("nothing of the push was taken: send it again shortly").caused_by(e)
}

/// A body that has come whole. It keeps its room, and its temporary file, until it is dropped.
pub struct Received {
    place: Place,
    sha256: String,
    held: Held,
}

enum Held {
    Memory(bytes::Bytes),
    File(TempFile),
}

impl Received {
    /// Of the bytes as they came, 64 hex digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
    pub fn size(&self) -> u64 {
        self.place.bytes
    }
    /// The bytes, if they are at most `most` and in memory.
    pub(super) fn small(&self, most: u64) -> Option<bytes::Bytes> {
        match &self.held {
            Held::Memory(bytes) if self.size() <= most => Some(bytes.clone()),
            _ => None,
        }
    }
    pub(super) fn input(&self) -> Input {
        match &self.held {
            Held::Memory(bytes) => Input::Bytes(bytes.clone()),
            Held::File(file) => Input::Path(file.path().into()),
        }
    }
}
