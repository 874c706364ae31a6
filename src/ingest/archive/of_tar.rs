//! Tar, packed or not. What proves that it is whole stands at its end: the checksum of what packed it, and the empty block
//! without which nothing was cut off. So it is read twice: to its end, and only then for its members.

use std::io::{ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;

use super::Kind;
use super::unpacker::{AGAIN, Unpacker, nothing_landed};
use crate::error::{Error, Result};

type Tar = tar::Archive<Bounded<Box<dyn Read>>>;

impl Unpacker {
    /// Whether all members were asked for.
    pub(super) fn tar(&mut self) -> Result<bool> {
        self.whole().map_err(nothing_landed)?;
        let mut tar = self.open_tar()?;
        for entry in tar.entries().map_err(|e| self.damaged("it", &e))? {
            let mut entry = entry.map_err(|e| self.damaged("it", &e))?;
            let kind = entry.header().entry_type();
            if !(kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()) {
                continue;
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let Some(name) = self.wanted(&name) else { continue };
            let size = entry.size();
            if !self.member(&name, Ok((size, &mut entry)))? {
                return Ok(false);
            }
        }
        // Once more: the file may have been written over meanwhile.
        self.ends(tar)?;
        Ok(true)
    }

    fn open_tar(&self) -> Result<Tar> {
        let file = self.open()?;
        let bytes: Box<dyn Read> = match self.archive.kind {
            Kind::TarGz => Box::new(MultiGzDecoder::new(file)),
            Kind::TarZst => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
            Kind::Tar | Kind::Zip => Box::new(file),
        };
        // What is skipped is unpacked, too.
        Ok(tar::Archive::new(Bounded { bytes, left: self.archive.limit, ended: false }))
    }

    /// Goes through it and keeps nothing.
    fn whole(&self) -> Result<()> {
        let mut tar = self.open_tar()?;
        for entry in tar.entries().map_err(|e| self.damaged("it", &e))? {
            entry.map_err(|e| self.damaged("it", &e))?;
        }
        self.ends(tar)
    }

    /// Reads what is behind the last member: nothing but zeros, or members would be left out.
    fn ends(&self, tar: Tar) -> Result<()> {
        let mut rest = tar.into_inner();
        // Without the empty block, a tar that is cut off between two members would seem whole.
        if rest.ended {
            return Err(Error::invalid("it ends without its last block").hint(AGAIN));
        }
        let (mut buffer, mut more) = (vec![0; 1 << 16], false);
        loop {
            match rest.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => more |= buffer[..n].iter().any(|b| *b != 0),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(self.damaged("it", &e)),
            }
        }
        // After all has been read: a checksum that is wrong says more.
        if more {
            return Err(Error::invalid("it goes on behind its end, as two archives in one file do")
                .hint("deliver each archive as a file of its own"));
        }
        Ok(())
    }
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
