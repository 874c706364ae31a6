//! Archives of many files: each member is unpacked into a temporary file when its turn comes, and lands as a file of its
//! own. A member's name is only a label: it must never become a path on disk. Nor may an archive be trusted: a member has
//! the size that it declares, and all of them together stay below a limit.
//!
//! The members are unpacked by a thread of their own, which waits to be asked for the next one: tar can only be read in
//! one go, and no more than one member should lie on disk. What a damaged archive still gives depends on its kind: a zip
//! checks each member, so one that is damaged keeps no other out; a tar is checked as a whole, before its first member.

use std::path::PathBuf;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Ingest;
use super::files::{InputFile, Names, TempFile};
use super::source::Source;
use crate::error::{Error, Result};

mod of_tar;
mod of_zip;
mod unpacker;

use unpacker::Unpacker;

/// Text packs well, but hardly ever to less than a two-hundredth.
const RATIO: u64 = 200;
/// What even a tiny archive may unpack to.
const FLOOR: u64 = 1 << 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Zip,
    Tar,
    TarGz,
    TarZst,
}

const ENDINGS: &[(&str, Kind)] = &[
    (".zip", Kind::Zip),
    (".tar", Kind::Tar),
    (".tar.gz", Kind::TarGz),
    (".tgz", Kind::TarGz),
    (".tar.zst", Kind::TarZst),
];

impl Kind {
    /// By the name's ending; `None`: no archive.
    pub fn of(name: &str) -> Option<Kind> {
        let name = name.to_ascii_lowercase();
        ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, kind)| *kind)
    }
}

/// A pattern such as `web/*.zip!*.csv` as that of the archives and that of their members.
pub(crate) fn split(pattern: &str) -> (&str, Option<&str>) {
    let mark = |(at, _): (usize, &str)| Kind::of(&pattern[..at]).is_some();
    match pattern.match_indices('!').find(|m| mark(*m)) {
        Some((at, _)) => (&pattern[..at], Some(&pattern[at + 1..])),
        None => (pattern, None),
    }
}

/// An archive on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    pub file: InputFile,
    pub kind: Kind,
    /// The members to land; `None`: all.
    pub members: Option<Names>,
    /// Bytes that all of them may unpack to.
    pub limit: u64,
    pub temp_dir: PathBuf,
}

impl Archive {
    /// `file` as `source` reads archives: its members, within the bounds of `ingest`.
    pub fn of(ingest: &Ingest, source: &Source, file: &InputFile, kind: Kind) -> Result<Archive> {
        let read = &source.header.read;
        let members = read.members.as_deref().or(split(&read.path).1).map(Names::new).transpose()?;
        let (limit, temp_dir) = (limit(ingest.archive_mb, file.size), ingest.temp_dir.clone());
        Ok(Archive { file: file.clone(), kind, members, limit, temp_dir })
    }
}

/// Bytes that an archive, or a packed push, of `size` bytes may unpack to.
pub(super) fn limit(setting_mb: Option<u64>, size: u64) -> u64 {
    setting_mb.map_or_else(|| size.saturating_mul(RATIO).max(FLOOR), |mb| mb.saturating_mul(1 << 20))
}

/// A member in a temporary file, which goes when `temp` does.
#[derive(Debug)]
pub(crate) struct Member {
    pub file: InputFile,
    pub temp: TempFile,
}

/// A member that cannot be unpacked, which is no reason to leave out the others.
#[derive(Debug)]
pub(crate) struct Damaged {
    /// As the file of the member would be called.
    pub uri: String,
    pub error: Error,
}

type Unpacked = std::result::Result<Member, Damaged>;

/// The members of an archive, one by one.
pub(crate) struct Members {
    ask: mpsc::Sender<()>,
    given: mpsc::Receiver<Unpacked>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Members {
    pub fn open(archive: Archive) -> Members {
        let (ask, asked) = mpsc::channel(1);
        let (give, given) = mpsc::channel(1);
        let thread = tokio::task::spawn_blocking(move || Unpacker::new(archive, asked, give).run());
        Members { ask, given, thread: Some(thread) }
    }

    /// As [`Members::each`]; a member that is damaged is an error.
    #[cfg(test)]
    pub async fn next(&mut self) -> Result<Option<Member>> {
        self.each().await?.transpose().map_err(|damaged| damaged.error)
    }

    /// The next member, or what is wrong with it; `None` after the last one. Drop the one before first: then only one is on
    /// disk.
    ///
    /// # Errors
    /// `Invalid`: the archive itself is damaged, unpacks to too much, or has no such members; after the last one, where
    /// others are archives themselves.
    pub async fn each(&mut self) -> Result<Option<Unpacked>> {
        // Nobody listens any more after the last member.
        let _ = self.ask.send(()).await;
        if let Some(member) = self.given.recv().await {
            return Ok(Some(member));
        }
        match self.thread.take() {
            None => Ok(None),
            Some(thread) => match thread.await {
                Ok(ended) => ended.map(|()| None),
                Err(e) => Err(Error::internal(format!("unpacking stopped: {e}"))),
            },
        }
    }
}

#[cfg(test)]
mod tests;
