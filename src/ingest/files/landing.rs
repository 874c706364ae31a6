//! The landing place: a local folder, or one on an object store. It finds what a source wants and fetches remote files
//! one by one, when their turn comes. It must not read records nor know the lake.

mod given;

use std::path::{Path, PathBuf};

use super::spool::{Spool, TempFile};
use super::{InputFile, Names, look};
use crate::config::LandingConfig;
use crate::error::{Error, Result};
use crate::ingest::account::Failed;
use crate::ingest::source::Source;
use crate::lake::{Entry, Folder, Place};

/// Where files arrive. A `&Path` is one, too: a local folder.
#[derive(Debug, Clone)]
pub struct Landing(Place);

/// A file that a source wants.
#[derive(Debug, Clone)]
pub enum Found {
    Local(InputFile),
    Remote(RemoteFile),
}

/// A file on an object store. Its bytes are not known before it is fetched; what is known before is its version.
#[derive(Debug, Clone)]
pub struct RemoteFile {
    folder: Folder,
    entry: Entry,
}

impl Landing {
    /// The place that `cfg.path` names. Nothing is read or created.
    ///
    /// # Errors
    /// `Invalid`: a URL that leads nowhere, credentials that are needed and not there.
    pub fn open(cfg: &LandingConfig) -> Result<Landing> {
        match cfg.path.to_str() {
            Some(path) => Place::open(path, &cfg.storage).map(Landing),
            None => Ok(Landing(Place::Local(cfg.path.clone()))),
        }
    }

    /// The local folder, if it is one.
    pub fn local(&self) -> Option<&Path> {
        match &self.0 {
            Place::Local(path) => Some(path),
            Place::Remote(_) => None,
        }
    }

    /// The files that `source` wants, in the order of their names. Of an object store only the folder is listed with
    /// which the source's pattern begins.
    ///
    /// # Errors
    /// `Invalid`: the pattern. `Denied`, `Unavailable`: the storage.
    pub async fn find(&self, source: &Source) -> Result<Vec<Found>> {
        let (found, failed) = self.look(source).await?;
        failed.first().map_or(Ok(found), |failed| Err(failed.error()))
    }

    /// As [`Landing::find`], but local files that cannot be opened are no error: they come beside the others.
    pub async fn look(&self, source: &Source) -> Result<(Vec<Found>, Vec<Failed>)> {
        let pattern = &source.header.read.path;
        match &self.0 {
            Place::Local(path) if path.to_string_lossy().contains("://") => {
                Err(Error::invalid(format!("{}: a URL is opened with its storage section", path.display()))
                    .hint("Landing::open(&config.landing)"))
            }
            Place::Local(path) => {
                let (mut found, mut failed) = (Vec::new(), Vec::new());
                for (name, file) in look(path, pattern)? {
                    match file {
                        Ok(file) => found.push(Found::Local(file)),
                        Err(error) => failed.push(Failed::new(&name, &error)),
                    }
                }
                Ok((found, failed))
            }
            Place::Remote(folder) => {
                let names = Names::new(pattern)?;
                let wanted = |name: &str| names.take(name);
                let found = folder.list(names.below(), names.deep(), &wanted).await?;
                let remote = |entry| Found::Remote(RemoteFile { folder: folder.clone(), entry });
                Ok((found.into_iter().map(remote).collect(), Vec::new()))
            }
        }
    }
}

impl std::fmt::Display for Landing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Place::Local(path) => write!(f, "{}", path.display()),
            Place::Remote(folder) => f.write_str(folder.url()),
        }
    }
}

impl From<&Path> for Landing {
    fn from(path: &Path) -> Landing {
        Landing(Place::Local(path.into()))
    }
}

impl From<&PathBuf> for Landing {
    fn from(path: &PathBuf) -> Landing {
        path.as_path().into()
    }
}

#[cfg(test)]
impl From<&Folder> for Landing {
    fn from(folder: &Folder) -> Landing {
        Landing(Place::Remote(folder.clone()))
    }
}

impl From<&Landing> for Landing {
    fn from(landing: &Landing) -> Landing {
        landing.clone()
    }
}

impl Found {
    /// How it is shown and recorded: the path below the landing path, or as given.
    pub fn uri(&self) -> &str {
        match self {
            Found::Local(file) => &file.uri,
            Found::Remote(file) => &file.entry.name,
        }
    }
    /// Bytes.
    pub fn size(&self) -> u64 {
        match self {
            Found::Local(file) => file.size,
            Found::Remote(file) => file.entry.size,
        }
    }
}

impl RemoteFile {
    /// By which it is known without being fetched, with its name.
    pub fn version_tag(&self) -> &str {
        &self.entry.version_tag
    }

    /// Fetches it into `temp_dir`; the file goes when the [`TempFile`] does.
    pub(crate) async fn fetch(&self, temp_dir: &Path) -> Result<(InputFile, TempFile)> {
        let mut spool = Spool::new(temp_dir)?;
        let mut sink = |bytes: &[u8]| spool.write(bytes);
        self.folder.download(&self.entry, &mut sink).await?;
        let spooled = spool.finish();
        let file = InputFile {
            path: spooled.temp.path().into(),
            uri: self.entry.name.clone(),
            sha256: spooled.sha256,
            size: spooled.size,
            modified_micros: self.entry.modified_micros,
        };
        Ok((file, spooled.temp))
    }
}
