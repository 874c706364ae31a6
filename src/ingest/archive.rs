//! Archives of many files: each member is unpacked into a temporary file when its turn comes, and lands as a file of its
//! own. A member's name is only a label: it must never become a path on disk. Nor may an archive be trusted: a member has
//! the size that it declares, and all of them together stay below a limit.
//!
//! The members are unpacked by a thread of their own, which waits to be asked for the next one: tar can only be read in
//! one go, and no more than one member should lie on disk.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::PathBuf;

use flate2::read::MultiGzDecoder;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zip::ZipArchive;
use zip::result::ZipError;

use super::Ingest;
use super::files::{InputFile, Names, Spool, TempFile};
use super::source::Source;
use crate::error::{Error, Result};

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

/// Bytes that an archive of `size` bytes may unpack to.
fn limit(setting_mb: Option<u64>, size: u64) -> u64 {
    setting_mb.map_or_else(|| size.saturating_mul(RATIO).max(FLOOR), |mb| mb.saturating_mul(1 << 20))
}

/// A member in a temporary file, which goes when `temp` does.
#[derive(Debug)]
pub(crate) struct Member {
    pub file: InputFile,
    pub temp: TempFile,
}

/// The members of an archive, one by one.
pub(crate) struct Members {
    ask: mpsc::Sender<()>,
    given: mpsc::Receiver<Member>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Members {
    pub fn open(archive: Archive) -> Members {
        let (ask, asked) = mpsc::channel(1);
        let (give, given) = mpsc::channel(1);
        let thread = tokio::task::spawn_blocking(move || {
            let name = archive.file.uri.clone();
            let left = archive.limit;
            Unpacker { archive, asked, give, left, taken: 0, other: None, nested: Vec::new() }
                .run()
                .map_err(|e| e.context(format!("archive {name}")))
        });
        Members { ask, given, thread: Some(thread) }
    }

    /// The next member; `None` after the last one. Drop the one before first: then only one is on disk.
    ///
    /// # Errors
    /// `Invalid`: the archive is damaged, unpacks to too much, or has no such members; after the last one, where others
    /// are archives themselves.
    pub async fn next(&mut self) -> Result<Option<Member>> {
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

/// The thread's side.
struct Unpacker {
    archive: Archive,
    asked: mpsc::Receiver<()>,
    give: mpsc::Sender<Member>,
    /// Bytes that may still be unpacked.
    left: u64,
    taken: usize,
    /// A file that was not wanted.
    other: Option<String>,
    /// Members that are archives themselves.
    nested: Vec<String>,
}

impl Unpacker {
    fn run(mut self) -> Result<()> {
        let file = BufReader::with_capacity(1 << 20, File::open(&self.archive.file.path)?);
        let all = match self.archive.kind {
            Kind::Zip => self.zip(file)?,
            Kind::Tar => self.tar(file)?,
            Kind::TarGz => self.tar(MultiGzDecoder::new(file))?,
            Kind::TarZst => self.tar(zstd::stream::read::Decoder::with_buffer(file)?)?,
        };
        if all && !self.nested.is_empty() {
            return Err(nested(&self.nested));
        }
        match self.other.filter(|_| all && self.taken == 0) {
            None => Ok(()),
            Some(other) => Err(Error::invalid(format!("no member has a name that is meant; there is '{other}'"))
                .hint("[read] members is a pattern of names in the archive, such as \"*.csv\" or \"**/*.csv\"")),
        }
    }

    /// Whether all members were asked for.
    fn zip(&mut self, file: BufReader<File>) -> Result<bool> {
        let mut zip = ZipArchive::new(file).map_err(|e| unreadable("it", &e))?;
        for i in 0..zip.len() {
            let name = {
                let member = zip.by_index_raw(i).map_err(|e| unreadable("it", &e))?;
                let raw = || String::from_utf8_lossy(member.name_raw()).into_owned();
                member.is_file().then(|| member.name().map_or_else(|_| raw(), |name| name.into_owned()))
            };
            let Some(name) = name.and_then(|name| self.wanted(&name)) else { continue };
            let mut member = zip.by_index(i).map_err(|e| unreadable(&format!("'{name}'"), &e))?;
            let size = member.size();
            if !self.member(&name, size, &mut member)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn tar(&mut self, bytes: impl Read) -> Result<bool> {
        // What is skipped is unpacked, too.
        let mut tar = tar::Archive::new(Bounded { bytes, left: self.archive.limit, ended: false });
        for entry in tar.entries().map_err(|e| self.damaged("it", &e))? {
            let mut entry = entry.map_err(|e| self.damaged("it", &e))?;
            let kind = entry.header().entry_type();
            if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
                continue;
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let Some(name) = self.wanted(&name) else { continue };
            let size = entry.size();
            if !self.member(&name, size, &mut entry)? {
                return Ok(false);
            }
        }
        // An empty block ends an archive: without it, one that is cut off between two members would seem whole.
        if tar.into_inner().ended {
            return Err(Error::invalid("it ends without its last block")
                .hint("the archive is cut off or damaged: deliver it again"));
        }
        Ok(true)
    }

    /// The label of a member that is to land.
    fn wanted(&mut self, name: &str) -> Option<String> {
        let name = label(name)?;
        if self.archive.members.as_ref().is_none_or(|members| members.take(&name)) {
            self.taken += 1;
            return Some(name);
        }
        self.other.get_or_insert(name);
        None
    }

    /// Waits until it is asked for and unpacks it. `false`: nobody asks any more.
    fn member(&mut self, name: &str, declared: u64, bytes: &mut dyn Read) -> Result<bool> {
        if Kind::of(name).is_some() {
            self.nested.push(name.to_string());
            return Ok(true);
        }
        if self.asked.blocking_recv().is_none() {
            return Ok(false);
        }
        let mut spool = Spool::new(&self.archive.temp_dir)?;
        let mut buffer = vec![0; 1 << 18];
        let mut size = 0;
        loop {
            let n = match bytes.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(self.damaged(&format!("'{name}'"), &e)),
            };
            size += n as u64;
            if size > declared {
                return Err(Error::invalid(format!("member '{name}' is larger than the {declared} bytes it declares"))
                    .hint("the archive is damaged or made to do harm: nothing of this member has landed"));
            }
            self.left = self.left.checked_sub(n as u64).ok_or_else(|| self.too_much())?;
            spool.write(&buffer[..n])?;
        }
        if size < declared {
            return Err(Error::invalid(format!("member '{name}' ends after {size} of {declared} bytes"))
                .hint("the archive is cut off or damaged: deliver it again"));
        }
        let spooled = spool.finish();
        let file = InputFile {
            path: spooled.temp.path().into(),
            uri: format!("{}!{name}", self.archive.file.uri),
            sha256: spooled.sha256,
            size: spooled.size,
            modified_micros: self.archive.file.modified_micros,
        };
        Ok(self.give.blocking_send(Member { file, temp: spooled.temp }).is_ok())
    }

    fn damaged(&self, what: &str, e: &std::io::Error) -> Error {
        if e.kind() == ErrorKind::FileTooLarge {
            return self.too_much();
        }
        Error::invalid(format!("{what} cannot be unpacked: {e}"))
            .hint("the archive is cut off or damaged: deliver it again")
    }

    fn too_much(&self) -> Error {
        let (size, limit) = (self.archive.file.size, self.archive.limit >> 20);
        Error::invalid(format!("its {size} bytes unpack to more than {limit} MiB"))
            .hint("if that is meant, set landing.archive_mb to what it unpacks to")
    }
}

/// A member's name as it is shown: slashes, nothing that could disturb a terminal. `None` for hidden files and what
/// macOS adds.
fn label(name: &str) -> Option<String> {
    let name: String = name
        .chars()
        .map(|c| {
            if c == '\\' {
                '/'
            } else if c.is_control() {
                '?'
            } else {
                c
            }
        })
        .collect();
    let name = name.trim_start_matches("./");
    let hidden = |part: &str| part == "__MACOSX" || part.starts_with('.') && part != "." && part != "..";
    (!name.is_empty() && !name.split('/').any(hidden)).then(|| name.to_string())
}

/// Told after the last member, so that it keeps no other out.
fn nested(names: &[String]) -> Error {
    let what = match names {
        [one] => format!("member '{one}' is an archive itself and was"),
        [first, rest @ ..] => format!("member '{first}' and {} more are archives themselves and were", rest.len()),
        [] => "a member is an archive itself and was".into(),
    };
    Error::invalid(format!("{what} not looked into"))
        .hint("unpack what is in it and deliver that, or leave it out by [read] members; the other members are taken all the same")
}

fn unreadable(what: &str, e: &ZipError) -> Error {
    let hint = match e {
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            "pack it without a password, by the method \"deflate\""
        }
        _ => "the archive is cut off or damaged: deliver it again",
    };
    Error::invalid(format!("{what} cannot be unpacked: {e}")).hint(hint)
}

/// Gives an error of kind [`ErrorKind::FileTooLarge`] after so many bytes.
struct Bounded<R> {
    bytes: R,
    left: u64,
    /// The last byte has been read.
    ended: bool,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.bytes.read(buffer)?;
        self.ended |= n == 0 && !buffer.is_empty();
        self.left = self.left.checked_sub(n as u64).ok_or(ErrorKind::FileTooLarge)?;
        Ok(n)
    }
}

#[cfg(test)]
mod tests;
