//! A folder on an object store where files arrive: found by name, read in parts. It must not know what is in them, and
//! local folders are none of its business: their files are read where they lie.

mod given;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::{FutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};
use url::Url;

use super::errors;
use super::remote::SCHEMES;
use super::store::{self, Root};
use crate::config::StorageConfig;
use crate::error::{Error, ErrorKind, Result};

/// Bytes asked for at once: small enough for the time-out of one request, large enough that its latency does not count.
const PART: u64 = 16 << 20;

/// Where files arrive.
#[derive(Debug, Clone)]
pub enum Place {
    Local(PathBuf),
    Remote(Folder),
}

/// A folder on an object store.
#[derive(Clone)]
pub struct Folder {
    store: Arc<dyn ObjectStore>,
    url: Url,
    prefix: Path,
}

/// A file in a [`Folder`], as it was when the folder was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Below the folder, with slashes.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was last written, µs since 1970.
    pub modified_micros: i64,
    /// Changes whenever the content does: the store's tag (else the time of the last write) and the size.
    pub version_tag: String,
    location: Path,
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Folder({})", self.url)
    }
}

impl Place {
    /// The place that `landing.path` names: a path or a URL. Nothing is read or created.
    ///
    /// # Errors
    /// `Invalid`: an unknown scheme, no bucket, credentials that are needed and not there.
    pub fn open(path: &str, storage: &StorageConfig) -> Result<Place> {
        match path.split_once("://") {
            None => Ok(Place::Local(path.into())),
            Some(("file", _)) => {
                let local = Url::parse(path).ok().and_then(|url| url.to_file_path().ok());
                local.map(Place::Local).ok_or_else(|| {
                    Error::invalid(format!("landing.path: '{path}' is no local folder")).hint(
                        "a file URL has three slashes and an absolute path: file:///srv/landing; a plain path works too",
                    )
                })
            }
            Some((scheme, _)) if SCHEMES.contains(&scheme) => {
                Ok(Place::Remote(Folder::at(store::behind_network(path, "landing.path", storage)?)))
            }
            Some((scheme, _)) => Err(Error::invalid(format!("landing.path: unknown scheme '{scheme}' in '{path}'"))
                .hint("known: a path, file:///…, s3://…, az://…, gs://…")),
        }
    }
}

impl Folder {
    fn at(root: Root) -> Folder {
        Folder { store: root.store, url: root.lake, prefix: root.prefix }
    }

    /// An empty folder of a store in memory, and the store.
    #[cfg(test)]
    pub(crate) fn memory() -> (Folder, Arc<dyn ObjectStore>) {
        let folder = Folder::at(store::memory().unwrap_or_else(|e| panic!("{e}")));
        (folder.clone(), folder.store)
    }

    /// Where it is, for messages.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The files whose names `wanted` takes, by name. Only what lies in the folder `below` is asked for ("" = all), and
    /// unless `deep`, not what lies in folders of that one.
    pub async fn list(&self, below: &str, deep: bool, wanted: &(dyn Fn(&str) -> bool + Sync)) -> Result<Vec<Entry>> {
        self.listed(below, deep, wanted).boxed().await
    }

    async fn listed(&self, below: &str, deep: bool, wanted: &(dyn Fn(&str) -> bool + Sync)) -> Result<Vec<Entry>> {
        let failed = |e| errors::store(e, format!("listing {}{below}", self.url));
        let place = below.split('/').filter(|part| !part.is_empty()).fold(self.prefix.clone(), |path, p| path.join(p));
        let place = Some(&place).filter(|p| !p.as_ref().is_empty());
        let mut found = Vec::new();
        if deep {
            let mut objects = self.store.list(place);
            while let Some(object) = objects.try_next().await.map_err(failed)? {
                found.extend(self.entry(object).filter(|e| wanted(&e.name)));
            }
        } else {
            let objects = self.store.list_with_delimiter(place).await.map_err(failed)?.objects;
            found.extend(objects.into_iter().filter_map(|o| self.entry(o)).filter(|e| wanted(&e.name)));
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// `None`: the folder itself, which some tools mark with an empty object.
    fn entry(&self, object: ObjectMeta) -> Option<Entry> {
        let name = {
            let parts: Vec<_> = object.location.prefix_match(&self.prefix)?.collect();
            parts.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join("/")
        };
        if name.is_empty() {
            return None;
        }
        let modified_micros = object.last_modified.timestamp_micros();
        // Some stores put the tag in quotes in one answer and not in another.
        let tag = object.e_tag.map_or_else(|| format!("@{modified_micros}"), |tag| tag.trim_matches('"').to_string());
        let version_tag = format!("{tag}/{}", object.size);
        Some(Entry { name, size: object.size, modified_micros, version_tag, location: object.location })
    }

    /// Gives the bytes of `entry` to `sink`, part by part.
    ///
    /// # Errors
    /// `Conflict`: the file was written while it was read. Those of `sink`.
    pub async fn download(&self, entry: &Entry, sink: &mut (dyn FnMut(&[u8]) -> Result<()> + Send)) -> Result<()> {
        self.downloaded(entry, sink).boxed().await.map_err(|e| e.context(format!("{}{}", self.url, entry.name)))
    }

    async fn downloaded(&self, entry: &Entry, sink: &mut (dyn FnMut(&[u8]) -> Result<()> + Send)) -> Result<()> {
        // An empty file has no range that could be asked for.
        let (bytes, first) = self.part(entry, (entry.size > 0).then_some(0..PART), None).await?;
        sink(&bytes)?;
        let mut read = bytes.len() as u64;
        while read < first.size {
            let (bytes, _) = self.part(entry, Some(read..read + PART), first.e_tag.clone()).await?;
            sink(&bytes)?;
            read += bytes.len() as u64;
            if bytes.is_empty() {
                break;
            }
        }
        if read == first.size { Ok(()) } else { Err(changed(&format!("{read} bytes of {}", first.size))) }
    }

    async fn part(
        &self,
        entry: &Entry,
        range: Option<std::ops::Range<u64>>,
        if_match: Option<String>,
    ) -> Result<(Bytes, ObjectMeta)> {
        let failed = |e: object_store::Error| match errors::store(e, "reading") {
            e if e.kind() == ErrorKind::Conflict => changed(e.message()),
            e => e,
        };
        let options = GetOptions { range: range.map(GetRange::Bounded), if_match, ..GetOptions::default() };
        let got = self.store.get_opts(&entry.location, options).await.map_err(failed)?;
        let meta = got.meta.clone();
        Ok((got.bytes().await.map_err(failed)?, meta))
    }
}

fn changed(what: &str) -> Error {
    Error::conflict(format!("written while it was read: {what}")).hint("land again when the file is complete")
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;

    use super::*;

    async fn names(folder: &Folder, below: &str, deep: bool) -> Vec<String> {
        let found = folder.list(below, deep, &|name: &str| name.ends_with(".csv")).await.unwrap();
        found.into_iter().map(|e| e.name).collect()
    }

    #[tokio::test]
    async fn files_are_found_below_a_folder_and_read_in_parts() {
        let (folder, store) = Folder::memory();
        let large: Vec<u8> = (0..2 * PART + 7).map(|i| (i % 251) as u8).collect();
        for (name, bytes) in [
            ("web/b.csv", &large[..]),
            ("web/a.csv", b""),
            ("web/old/c.csv", b"c"),
            ("pos/d.csv", b"d"),
            ("e.txt", b""),
        ] {
            store.put(&Path::from(name), bytes.to_vec().into()).await.unwrap();
        }
        assert_eq!(names(&folder, "", true).await, ["pos/d.csv", "web/a.csv", "web/b.csv", "web/old/c.csv"]);
        assert_eq!(names(&folder, "web", false).await, ["web/a.csv", "web/b.csv"]);
        assert_eq!(names(&folder, "we", true).await, [""; 0], "a folder, not the beginning of a name");
        for entry in folder.list("web", true, &|_| true).await.unwrap() {
            let mut read = Vec::new();
            let mut parts = 0;
            let mut sink = |bytes: &[u8]| {
                read.extend_from_slice(bytes);
                parts += 1;
                Ok(())
            };
            folder.download(&entry, &mut sink).await.unwrap();
            assert_eq!(read.len() as u64, entry.size, "{}", entry.name);
            assert_eq!(parts, entry.size.div_ceil(PART).max(1), "{}", entry.name);
            assert!(entry.size < PART || read == large);
        }
    }

    #[tokio::test]
    async fn a_new_content_has_a_new_tag() {
        let (folder, store) = Folder::memory();
        let mut tags = Vec::new();
        for text in ["a", "b"] {
            store.put(&Path::from("x.csv"), text.into()).await.unwrap();
            let listed = folder.list("", true, &|_| true).await.unwrap();
            assert_eq!(listed, folder.list("", true, &|_| true).await.unwrap());
            tags.push(listed[0].version_tag.clone());
        }
        assert_ne!(tags[0], tags[1]);
    }

    #[test]
    fn places_are_told_apart_and_wrong_ones_named() {
        let open = |path: &str| Place::open(path, &StorageConfig::default());
        assert!(matches!(open("./landing").unwrap(), Place::Local(p) if p.as_os_str() == "./landing"));
        assert!(matches!(open("file:///srv/a%20b").unwrap(), Place::Local(p) if p.as_os_str() == "/srv/a b"));
        let storage = StorageConfig { region: Some("eu-north-1".into()), ..StorageConfig::default() };
        assert!(
            matches!(Place::open("s3://bucket/till", &storage).unwrap(), Place::Remote(f) if f.url() == "s3://bucket/till/")
        );
        for wrong in ["ftp://x/y", "file://landing", "s3:///till"] {
            let error = open(wrong).unwrap_err();
            assert!(error.message().contains("landing.path") && error.hint_text().is_some(), "{error}");
        }
    }
}
