//! Incoming files: found by a pattern below the landing path, known by the sha256 of their bytes.
//! It must not read records nor know the lake. Files of object stores are [`landing`]'s, their copies [`spool`]'s.

mod landing;
mod spool;

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use glob::{MatchOptions, Pattern};
use sha2::{Digest, Sha256};

use super::archive;
use crate::error::{Error, Result};

pub use landing::{Found, Landing, RemoteFile};
pub(crate) use spool::{Spool, Spooled, TempFile, sweep};

/// Bytes of a file that takes no time to hash.
const SMALL: u64 = 1 << 20;

/// A file on this machine to land, with the fingerprint by which it is known again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    pub path: PathBuf,
    /// How it is shown and recorded: the path below the landing path, or as given.
    pub uri: String,
    /// Of the bytes as they are (still compressed), 64 hex digits.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// When the file was last written, µs since 1970: no event in it may be much later (V09).
    pub modified_micros: i64,
}

impl InputFile {
    /// Reads the file once to take its sha256. `uri` is how it will be shown and recorded.
    pub fn open(path: &Path, uri: impl Into<String>) -> Result<InputFile> {
        let uri = uri.into();
        let failed = |e: std::io::Error| Error::from(e).context(format!("file {uri}"));
        let file = File::open(path).map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        if !meta.is_file() {
            return Err(
                Error::invalid(format!("file {uri}: not a file")).hint("give files, or land the folder's source")
            );
        }
        let modified_micros = modified_micros(&meta).map_err(failed)?;
        let (sha256, size) = digest(file).map_err(failed)?;
        Ok(InputFile { path: path.into(), sha256, size, modified_micros, uri })
    }

    /// Whether what is read of a file where it arrived is what was hashed: asked after reading, before anything of it lands.
    /// A file's time may be no finer than two seconds, so a small file is hashed again.
    ///
    /// # Errors
    /// `Invalid`: it was written since [`InputFile::open`].
    pub(crate) fn check_unchanged(&self) -> Result<()> {
        let failed = |e: std::io::Error| Error::from(e).context(format!("file {}", self.uri));
        let mut same = {
            let meta = self.path.metadata().map_err(failed)?;
            meta.len() == self.size && modified_micros(&meta).map_err(failed)? == self.modified_micros
        };
        if same && self.size <= SMALL {
            same = digest(File::open(&self.path).map_err(failed)?).map_err(failed)?.0 == self.sha256;
        }
        if same {
            return Ok(());
        }
        Err(Error::invalid(format!("file {} was written while it was read", self.uri))
            .hint("rename files into place when they are whole; it is looked at again by the next run"))
    }

    /// The `source_file_id`: the first 32 hex digits of the sha256 of "<content sha256>:<source>", so that one file
    /// landed by two sources has two accounts.
    pub fn id(&self, source: &str) -> String {
        source_file_id(&self.sha256, source)
    }
}

/// As [`InputFile::id`], of bytes that are no file.
pub(crate) fn source_file_id(sha256: &str, source: &str) -> String {
    let mut id = hex(&Sha256::digest(format!("{sha256}:{source}")));
    id.truncate(32);
    id
}

/// µs since 1970.
fn modified_micros(meta: &Metadata) -> std::io::Result<i64> {
    let since = meta.modified()?.duration_since(UNIX_EPOCH);
    Ok(since.ok().and_then(|d| i64::try_from(d.as_micros()).ok()).unwrap_or(0))
}

/// The sha256 of what is left of `file`, and its bytes.
fn digest(mut file: File) -> std::io::Result<(String, u64)> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hex(&digest.finalize()), size)),
            n => {
                digest.update(&buffer[..n]);
                size += n as u64;
            }
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The files below `root` that match `pattern`, in the order of their names. `*` and `?` stay within a folder, `**` is
/// any number of folders; a file may have one more `.gz` or `.zst` than the pattern. Hidden files and folders are left
/// out. An archive (`web/*.zip`) stands for its members.
pub fn find(root: &Path, pattern: &str) -> Result<Vec<InputFile>> {
    look(root, pattern)?.into_values().collect()
}

/// As [`find`], with what keeps a file from being read in its place, under its name; so for folders.
pub(crate) fn look(root: &Path, pattern: &str) -> Result<BTreeMap<String, Result<InputFile>>> {
    let wanted = Names::new(pattern)?;
    let mut found = BTreeMap::new();
    if root.is_dir() {
        walk(root, "", &wanted, &mut found)?;
    }
    Ok(found)
}

/// A pattern of names, compiled.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pattern: Pattern,
    /// The folder with which the pattern begins.
    below: String,
    /// The pattern goes on into folders of that one.
    deep: bool,
}

impl Names {
    pub fn new(pattern: &str) -> Result<Names> {
        let wrong = |what: &str| {
            Error::invalid(format!("path `{pattern}` {what}"))
                .hint("a source's path is a pattern below the landing path, such as \"web/*.csv\" or \"pos/**/*.csv\"")
        };
        if Path::new(pattern).components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir)) {
            return Err(wrong("leaves the landing path"));
        }
        let text = archive::split(pattern).0.trim_start_matches("./");
        let compiled = Pattern::new(text).map_err(|e| wrong(e.msg))?;
        // Without a folder this is one empty part, which is a fixed one.
        let folders: Vec<&str> = text.rsplit_once('/').map_or("", |(folders, _)| folders).split('/').collect();
        let fixed = folders.iter().take_while(|part| !part.contains(['*', '?', '['])).count();
        let deep = fixed < folders.len() || text.ends_with("**");
        Ok(Names { pattern: compiled, below: folders[..fixed].join("/"), deep })
    }

    /// Whether the file of this name is meant.
    pub fn take(&self, name: &str) -> bool {
        let matches = |name: &str| self.pattern.matches_with(name, WITHIN_FOLDERS);
        matches(name) || [".gz", ".zst"].iter().any(|ending| name.strip_suffix(ending).is_some_and(matches))
    }
    /// The folder below which all such files are; "" = the landing path itself.
    pub fn below(&self) -> &str {
        &self.below
    }
    /// Whether they may be in folders of that folder.
    pub fn deep(&self) -> bool {
        self.deep
    }
    /// Whether such files may be in this folder, or below it.
    fn enter(&self, folder: &str) -> bool {
        let (folder, below) = (format!("{folder}/"), format!("{}/", self.below));
        below.starts_with(&folder) || self.deep && (self.below.is_empty() || folder.starts_with(&below))
    }
}

const WITHIN_FOLDERS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

fn walk(dir: &Path, prefix: &str, wanted: &Names, found: &mut BTreeMap<String, Result<InputFile>>) -> Result<()> {
    let read = std::fs::read_dir(dir).map_err(|e| Error::from(e).context(dir.display()))?;
    for entry in read {
        let entry = entry.map_err(|e| Error::from(e).context(dir.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let below = format!("{prefix}{name}");
        let path = entry.path();
        // A linked file is read, a linked folder is not entered: it might lead back here.
        if entry.file_type().map_err(|e| Error::from(e).context(&below))?.is_dir() {
            if wanted.enter(&below)
                && let Err(error) = walk(&path, &format!("{below}/"), wanted, found)
            {
                found.insert(below, Err(error));
            }
        } else if wanted.take(&below) && is_file(&path) {
            found.insert(below.clone(), InputFile::open(&path, below));
        }
    }
    Ok(())
}

/// Not a folder or a pipe. What is there and cannot be told, as a link into nothing, is one: opening it says why it fails.
fn is_file(path: &Path) -> bool {
    match path.metadata() {
        Ok(meta) => meta.is_file(),
        Err(_) => !matches!(path.symlink_metadata(), Err(e) if e.kind() == std::io::ErrorKind::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_names_folders_and_gz() {
        let dir = tempfile::tempdir().expect("a folder");
        for name in
            ["web/b.ndjson", "web/a.ndjson.gz", "web/.hidden.ndjson", "pos/2026/01/x.csv", "pos/y.csv", "pos/y.txt"]
        {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, name).expect("written");
        }
        let names = |pattern| {
            find(dir.path(), pattern).map(|f| f.into_iter().map(|f| f.uri).collect::<Vec<_>>()).expect("found")
        };
        assert_eq!(names("web/*.ndjson"), ["web/a.ndjson.gz", "web/b.ndjson"]);
        assert_eq!(names("**/*.csv"), ["pos/2026/01/x.csv", "pos/y.csv"]);
        assert_eq!(names("pos/*.csv"), ["pos/y.csv"]);
        assert_eq!(names("pos/?.t*t"), ["pos/y.txt"]);
        assert!(names("nothing/*").is_empty());
        assert!(find(dir.path(), "../*").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_opened_is_named_beside_the_others() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(dir.path().join("till/folder.csv")).expect("made");
        std::fs::write(dir.path().join("till/b.csv"), "b").expect("written");
        std::os::unix::fs::symlink("nowhere", dir.path().join("till/a.csv")).expect("linked");
        std::os::unix::fs::symlink("nowhere", dir.path().join("till/a.txt")).expect("linked");
        let found = look(dir.path(), "till/*.csv").expect("looked");
        let opened: Vec<_> = found.iter().map(|(name, file)| (name.as_str(), file.is_ok())).collect();
        assert_eq!(opened, [("till/a.csv", false), ("till/b.csv", true)]);
        assert!(find(dir.path(), "till/*.csv").is_err());
    }

    #[test]
    fn only_folders_that_the_pattern_means_are_entered() {
        for (pattern, entered, left) in [
            ("web/2026/*.csv", &["web", "web/2026"][..], &["we", "web/2025", "web/2026/01", "pos"][..]),
            ("web/*/x.csv", &["web", "web/a", "web/a/b"], &["pos", "webs"]),
            ("web/**", &["web", "web/a/b"], &["pos"]),
            ("**/*.csv", &["web", "web/a"], &[]),
            ("*.csv", &[], &["web"]),
        ] {
            let names = Names::new(pattern).expect("a pattern");
            assert!(entered.iter().all(|folder| names.enter(folder)), "{pattern}");
            assert!(!left.iter().any(|folder| names.enter(folder)), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_tells_the_folder_to_look_in() {
        for (pattern, below, deep) in [
            ("web/*.csv", "web", false),
            ("./web/2026/orders.csv", "web/2026", false),
            ("web/*/a/*.csv", "web", true),
            ("web/20[0-9]?/x.csv", "web", true),
            ("**/*.csv", "", true),
            ("web/**/*.csv", "web", true),
            ("web/**", "web", true),
            ("*.csv", "", false),
            ("web/*.zip!a/*.csv", "web", false),
        ] {
            let names = Names::new(pattern).expect("a pattern");
            assert_eq!((names.below(), names.deep()), (below, deep), "{pattern}");
        }
    }

    #[test]
    fn a_file_is_known_by_its_bytes_and_source() {
        let dir = tempfile::tempdir().expect("a folder");
        for (name, text) in [("a", "abc"), ("b", "abc"), ("c", "abd")] {
            std::fs::write(dir.path().join(name), text).expect("written");
        }
        let open = |n: &str| InputFile::open(&dir.path().join(n), n).expect("opened");
        assert_eq!(open("a").sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(open("a").id("web"), open("b").id("web"));
        assert_ne!(open("a").id("web"), open("a").id("pos"));
        assert_ne!(open("a").id("web"), open("c").id("web"));
        assert_eq!(open("a").id("web").len(), 32);
        assert!(InputFile::open(&dir.path().join("none"), "none").is_err());
    }
}
