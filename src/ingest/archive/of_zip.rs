//! Zip: a directory at the end says where each member lies and what its checksum is, so that a damaged one keeps no other
//! out. What the directory does not name would be lost without a word, so it is looked for.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{BufRead, ErrorKind, Read, Seek, SeekFrom};

use zip::ZipArchive;
use zip::read::ZipFileEntry;
use zip::result::ZipError;

use super::unpacker::{AGAIN, Unpacker, label, nothing_landed};
use crate::error::{Error, Result};

/// What a member begins with.
const MEMBER: &[u8] = b"PK\x03\x04";
/// What an entry of the directory begins with, and how long it is without name, extra fields and comment, whose lengths
/// stand at these places.
const ENTRY: &[u8] = b"PK\x01\x02";
const ENTRY_BYTES: usize = 46;
const LENGTHS: [usize; 3] = [28, 30, 32];

impl Unpacker {
    /// Whether all members were asked for.
    pub(super) fn zip(&mut self) -> Result<bool> {
        let mut zip = ZipArchive::new(self.open()?).map_err(|e| unreadable("it", &e))?;
        self.all_named(&zip).map_err(nothing_landed)?;
        for i in 0..zip.len() {
            let name = zip.by_index_data(i).map(|entry| name(&entry)).map_err(|e| unreadable("it", &e))?;
            let Some(name) = name.and_then(|name| self.wanted(&name)) else { continue };
            let asked = match zip.by_index(i) {
                Ok(mut member) => self.member(&name, Ok((member.size(), &mut member)))?,
                Err(e) => self.member(&name, Err(unreadable(&format!("'{name}'"), &e)))?,
            };
            if !asked {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the reader knows of every member.
    fn all_named(&self, zip: &ZipArchive<impl Read + Seek>) -> Result<()> {
        let mut file = self.open()?;
        // A program that unpacks itself may stand before an archive; another archive would not be looked into.
        if zip.offset() > 0 && file.fill_buf()?.starts_with(MEMBER) {
            return Err(Error::invalid("another archive stands before it in the file")
                .hint("deliver each archive as a file of its own"));
        }
        // Of two members of one name the reader has the last only.
        if !zip.has_duplicate_names() {
            return Ok(());
        }
        let twice = twice(&mut file, zip.central_directory_start()).map_err(|e| self.damaged("it", &e))?;
        let mut twice = twice.iter().filter(|name| !name.ends_with('/')).filter_map(|name| label(name));
        match twice.find(|name| self.meant(name)) {
            None => Ok(()),
            Some(name) => Err(Error::invalid(format!("two members are called '{name}'"))
                .hint("pack each under a name of its own, or deliver them unpacked")),
        }
    }
}

fn name(entry: &ZipFileEntry<'_>) -> Option<String> {
    let raw = || String::from_utf8_lossy(entry.name_raw()).into_owned();
    entry.is_file().then(|| entry.name().map_or_else(|_| raw(), Cow::into_owned))
}

/// The names that stand more than once in the directory that begins at `start`.
fn twice(file: &mut (impl Read + Seek), start: u64) -> std::io::Result<Vec<String>> {
    let (mut names, mut twice) = (HashSet::new(), Vec::new());
    let mut entry = [0; ENTRY_BYTES];
    file.seek(SeekFrom::Start(start))?;
    loop {
        match file.read_exact(&mut entry) {
            Ok(()) if entry.starts_with(ENTRY) => {}
            Err(e) if e.kind() != ErrorKind::UnexpectedEof => return Err(e),
            // What ends the directory may be shorter than an entry.
            _ => return Ok(twice),
        }
        let [name, extra, comment] = LENGTHS.map(|at| u16::from_le_bytes([entry[at], entry[at + 1]]));
        let mut bytes = vec![0; name.into()];
        file.read_exact(&mut bytes)?;
        file.seek_relative(i64::from(extra) + i64::from(comment))?;
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        if !names.insert(bytes) {
            twice.push(shown);
        }
    }
}

fn unreadable(what: &str, e: &ZipError) -> Error {
    let hint = match e {
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            "pack it without a password, by the method \"deflate\""
        }
        _ => AGAIN,
    };
    Error::invalid(format!("{what} cannot be unpacked: {e}")).hint(hint)
}
