//! Temporary files: what comes from elsewhere waits here while it is read. Hashed as it is written, gone when dropped.
//! It must not know where the bytes come from.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// A file that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct TempFile(PathBuf);

impl TempFile {
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if let Err(e) = std::fs::remove_file(&self.0) {
            tracing::warn!(file = %self.0.display(), error = %e, "a temporary file stays");
        }
    }
}

/// A temporary file that is being written.
pub(crate) struct Spool {
    temp: TempFile,
    file: File,
    digest: Sha256,
    size: u64,
}

/// A temporary file that is complete.
pub(crate) struct Spooled {
    pub temp: TempFile,
    /// 64 hex digits.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

impl Spool {
    /// A new file in `dir`, which only this user may read.
    pub fn new(dir: &Path) -> Result<Spool> {
        let path = dir.join(format!("saleslake-{}", uuid::Uuid::new_v4().simple()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|e| failed(&path, e))?;
        Ok(Spool { temp: TempFile(path), file, digest: Sha256::new(), size: 0 })
    }

    /// # Errors
    /// `Unavailable`: the disk is full.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|e| failed(self.temp.path(), e))?;
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    pub fn finish(self) -> Spooled {
        Spooled { temp: self.temp, sha256: super::hex(&self.digest.finalize()), size: self.size }
    }
}

fn failed(path: &Path, e: std::io::Error) -> Error {
    let full = matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    let error = Error::from(e).context(format!("temporary file {}", path.display()));
    if full {
        error.hint(
            "the disk is full: set landing.temp_dir to a folder with room for the largest file, twice for archives",
        )
    } else {
        error.hint("set landing.temp_dir to a folder that can be written")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_is_hashed_private_and_removed() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut spool = Spool::new(dir.path()).expect("made");
        spool.write(b"a").and_then(|()| spool.write(b"bc")).expect("written");
        let spooled = spool.finish();
        assert_eq!(spooled.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((std::fs::read(spooled.temp.path()).expect("read"), spooled.size), (b"abc".to_vec(), 3));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(spooled.temp.path()).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        drop(spooled);
        drop(Spool::new(dir.path()).expect("made"));
        assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 0, "complete or not");
        let error = Spool::new(&dir.path().join("none")).err().expect("no such folder");
        assert!(error.hint_text().is_some_and(|h| h.contains("landing.temp_dir")), "{error}");
    }

    /// /dev/full answers every write as a full disk does.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told() {
        let file = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
        let e = (&file).write_all(b"x").expect_err("full");
        let error = failed(Path::new("/tmp/x"), e);
        assert!(error.message().contains("/tmp/x") && error.hint_text().is_some_and(|h| h.contains("full")), "{error}");
    }
}
