//! The thread's side of an archive: what every kind has in common. It waits to be asked, keeps the limits, and gives each
//! member in a temporary file. It must not know how a kind is laid out.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};

use tokio::sync::mpsc;

use super::{Archive, Damaged, Kind, Member, Unpacked};
use crate::error::{Error, Result};
use crate::ingest::files::{InputFile, Spool, Spooled};

pub(super) const AGAIN: &str = "the archive is cut off or damaged: deliver it again";

pub(super) struct Unpacker {
    pub archive: Archive,
    asked: mpsc::Receiver<()>,
    give: mpsc::Sender<Unpacked>,
    /// Bytes that may still be unpacked.
    left: u64,
    taken: usize,
    /// A file that was not wanted.
    other: Option<String>,
    /// Members that are archives themselves.
    nested: Vec<String>,
}

impl Unpacker {
    pub fn new(archive: Archive, asked: mpsc::Receiver<()>, give: mpsc::Sender<Unpacked>) -> Unpacker {
        let left = archive.limit;
        Unpacker { archive, asked, give, left, taken: 0, other: None, nested: Vec::new() }
    }

    pub fn run(mut self) -> Result<()> {
        let name = self.archive.file.uri.clone();
        self.unpack().map_err(|e| e.context(format!("archive {name}")))
    }

    fn unpack(&mut self) -> Result<()> {
        let all = match self.archive.kind {
            Kind::Zip => self.zip()?,
            Kind::Tar | Kind::TarGz | Kind::TarZst => self.tar()?,
        };
        if all && !self.nested.is_empty() {
            return Err(nested(&self.nested));
        }
        match self.other.take().filter(|_| all && self.taken == 0) {
            None => Ok(()),
            Some(other) => Err(Error::invalid(format!("no member has a name that is meant; there is '{other}'"))
                .hint("[read] members is a pattern of names in the archive, such as \"*.csv\" or \"**/*.csv\"")),
        }
    }

    /// The archive's bytes as they are.
    pub fn open(&self) -> Result<BufReader<File>> {
        Ok(BufReader::with_capacity(1 << 20, File::open(&self.archive.file.path)?))
    }

    /// Whether a member of this label is to land.
    pub fn meant(&self, label: &str) -> bool {
        self.archive.members.as_ref().is_none_or(|members| members.take(label))
    }

    /// The label of a member that is to land.
    pub fn wanted(&mut self, name: &str) -> Option<String> {
        let name = label(name)?;
        if self.meant(&name) {
            self.taken += 1;
            return Some(name);
        }
        self.other.get_or_insert(name);
        None
    }

    /// Waits until it is asked for and gives it: of how many bytes it says it is, and these. What is wrong with them, or
    /// kept them from being opened, is told of this member only. `false`: nobody asks any more.
    ///
    /// # Errors
    /// The limit is passed, or the temporary file cannot be written.
    pub fn member(&mut self, name: &str, bytes: Result<(u64, &mut dyn Read)>) -> Result<bool> {
        if Kind::of(name).is_some() {
            self.nested.push(name.to_string());
            return Ok(true);
        }
        if self.asked.blocking_recv().is_none() {
            return Ok(false);
        }
        let spooled = match bytes {
            Ok((declared, bytes)) => self.spool(name, declared, bytes)?,
            Err(e) => Err(e),
        };
        let archive = &self.archive.file;
        let uri = format!("{}!{name}", archive.uri);
        let unpacked = match spooled {
            Ok(Spooled { temp, sha256, size }) => {
                let (path, modified_micros) = (temp.path().into(), archive.modified_micros);
                Ok(Member { file: InputFile { path, uri, sha256, size, modified_micros }, temp })
            }
            Err(error) => Err(Damaged { uri, error: error.context(format!("archive {}", archive.uri)) }),
        };
        Ok(self.give.blocking_send(unpacked).is_ok())
    }

    /// The inner error is what is wrong with this member.
    fn spool(&mut self, name: &str, declared: u64, bytes: &mut dyn Read) -> Result<Result<Spooled>> {
        let mut spool = Spool::new(&self.archive.temp_dir)?;
        let mut buffer = vec![0; 1 << 18];
        let mut size = 0;
        loop {
            let n = match bytes.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == ErrorKind::FileTooLarge => return Err(self.too_much()),
                Err(e) => return Ok(Err(self.damaged(&format!("'{name}'"), &e))),
            };
            size += n as u64;
            if size > declared {
                let more = format!("member '{name}' is larger than the {declared} bytes it declares");
                return Ok(Err(Error::invalid(more)
                    .hint("the archive is damaged or made to do harm: nothing of this member has landed")));
            }
            self.left = self.left.checked_sub(n as u64).ok_or_else(|| self.too_much())?;
            spool.write(&buffer[..n])?;
        }
        if size < declared {
            let less = format!("member '{name}' ends after {size} of {declared} bytes");
            return Ok(Err(Error::invalid(less).hint(AGAIN)));
        }
        Ok(Ok(spool.finish()))
    }

    pub fn damaged(&self, what: &str, e: &std::io::Error) -> Error {
        if e.kind() == ErrorKind::FileTooLarge {
            return self.too_much();
        }
        Error::invalid(format!("{what} cannot be unpacked: {e}")).hint(AGAIN)
    }

    fn too_much(&self) -> Error {
        let (size, limit) = (self.archive.file.size, self.archive.limit >> 20);
        Error::invalid(format!("its {size} bytes unpack to more than {limit} MiB"))
            .hint("if that is meant, set landing.archive_mb to what it unpacks to")
    }
}

/// An error that was met before the first member was given.
pub(super) fn nothing_landed(e: Error) -> Error {
    let hint = e.hint_text().map_or(String::new(), |h| format!("{h}; "));
    e.hint(format!("{hint}nothing of it has landed"))
}

/// A member's name as it is shown: slashes, nothing that could disturb a terminal. `None` for hidden files and what
/// macOS adds.
pub(super) fn label(name: &str) -> Option<String> {
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
