//! Temporary files: what comes from elsewhere waits here while it is read. Hashed as it is written, gone when dropped; those
//! of a process that was killed are removed by the next one. It must not know where the bytes come from.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// What the names of temporary files begin with; a UUID follows.
const PREFIX: &str = "saleslake-";

/// A file that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct TempFile {
    path: PathBuf,
    /// Keeps the file locked as long as this process lives, which is how [`sweep`] knows.
    _lock: Option<File>,
}

impl TempFile {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if let Err(e) = std::fs::remove_file(&self.path) {
            tracing::warn!(file = %self.path.display(), error = %e, "a temporary file stays");
        }
    }
}

/// Locks `file` until what comes back is dropped. `None`: it cannot be locked; then nobody else can lock it, and it stays.
/// (Elsewhere than on Unix a lock would keep readers out.)
fn lock(file: &File) -> Option<File> {
    let held = file.try_clone().ok().filter(|_| cfg!(unix))?;
    held.try_lock().is_ok().then_some(held)
}

/// Removes the temporary files in `dir` whose process was killed: nobody holds their locks. As far as it can; the others
/// stay.
pub(crate) fn sweep(dir: &Path) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        // No links, and no pipes: opening those could wait for ever.
        let plain = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !plain || id.is_none_or(|id| uuid::Uuid::try_parse(id).is_err()) {
            continue;
        }
        let Ok(file) = File::open(entry.path()) else { continue };
        // An empty one may have been made just now, and not be locked yet.
        let written = file.metadata().is_ok_and(|meta| meta.len() > 0);
        if written && lock(&file).is_some() {
            let _ = std::fs::remove_file(entry.path());
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
        let path = dir.join(format!("{PREFIX}{}", uuid::Uuid::new_v4().simple()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|e| failed(&path, e))?;
        let temp = TempFile { path, _lock: lock(&file) };
        Ok(Spool { temp, file, digest: Sha256::new(), size: 0 })
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

    #[cfg(unix)]
    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a folder");
        let left = dir.path().join(format!("{PREFIX}{}", uuid::Uuid::new_v4().simple()));
        // Nobody has it open, as after a kill; the others are somebody's, not ours, or not yet locked.
        std::fs::write(&left, "half").expect("written");
        let others = [format!("{PREFIX}notes.txt"), format!("{PREFIX}{}", uuid::Uuid::new_v4().simple())];
        std::fs::write(dir.path().join(&others[0]), "mine").expect("written");
        std::fs::write(dir.path().join(&others[1]), "").expect("written");
        let mut spool = Spool::new(dir.path()).expect("made");
        spool.write(b"a").expect("written");
        sweep(dir.path());
        let spooled = spool.finish();
        sweep(dir.path());
        assert!(!left.exists() && spooled.temp.path().exists());
        assert!(others.iter().all(|name| dir.path().join(name).exists()));
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
