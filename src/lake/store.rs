//! From a lake's URL to an object store: the root store, and where in it the lake lies. It must not read anything.
//!
//! A kind of storage is an arm of [`open`]: a store rooted at the bucket, its URL, the prefix.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use url::Url;

use super::remote;
use crate::config::StorageConfig;
use crate::error::{Error, Result};

/// A store and the lake's place in it.
#[derive(Clone)]
pub(super) struct Root {
    /// The whole store, not only the lake.
    pub store: Arc<dyn ObjectStore>,
    /// The store's root.
    pub store_url: Url,
    /// The lake's folder, with a slash at the end.
    pub lake: Url,
    /// The lake's folder as a path in the store.
    pub prefix: Path,
}

impl Root {
    fn new(store: Arc<dyn ObjectStore>, store_url: Url, lake: Url) -> Result<Root> {
        let prefix = Path::from_url_path(lake.path())
            .map_err(|e| Error::invalid(format!("lake.url: '{lake}' is no storage path: {e}")))?;
        Ok(Root { store, store_url, lake, prefix })
    }
}

/// The store of `url`. A local folder is created.
pub(super) fn open(url: &str, storage: &StorageConfig) -> Result<Root> {
    if let Some(path) = folder(url)? {
        return local(path, url);
    }
    match url.split_once("://").map_or("", |(scheme, _)| scheme) {
        "memory" => memory(),
        scheme if remote::SCHEMES.contains(&scheme) => behind_network(url, "lake.url", storage),
        scheme => Err(Error::invalid(format!("lake.url: unknown scheme '{scheme}' in '{url}'"))
            .hint("known: a path, file:///…, memory://, s3://…, az://…, gs://…")),
    }
}

/// Whether `url` is a local folder that is not there yet.
pub(super) fn is_missing(url: &str) -> Result<bool> {
    let nowhere = |path: PathBuf| matches!(path.metadata(), Err(e) if e.kind() == std::io::ErrorKind::NotFound);
    Ok(!url.trim().is_empty() && folder(url)?.is_some_and(nowhere))
}

/// The local folder that `url` names, if it names one.
fn folder(url: &str) -> Result<Option<PathBuf>> {
    match url.split_once("://") {
        None => Ok(Some(url.into())),
        Some(("file", _)) => parse(url)?.to_file_path().map(Some).map_err(|()| {
            Error::invalid(format!("lake.url: '{url}' is no local folder"))
                .hint("a file URL has three slashes and an absolute path: file:///srv/lake; a plain path works too")
        }),
        Some(_) => Ok(None),
    }
}

/// The place in a bucket that `url`, the value of `setting`, names.
pub(super) fn behind_network(url: &str, setting: &str, storage: &StorageConfig) -> Result<Root> {
    let wrong = |e: &dyn std::fmt::Display| Error::invalid(format!("{setting}: '{url}' is no storage path: {e}"));
    let mut folder = Url::parse(url).map_err(|e| wrong(&e))?;
    if !folder.path().ends_with('/') {
        folder.set_path(&format!("{}/", folder.path()));
    }
    let mut bucket = folder.clone();
    bucket.set_path("/");
    let prefix = Path::from_url_path(folder.path()).map_err(|e| wrong(&e))?;
    let store = remote::open(&folder, storage).map_err(|e| e.context(setting))?;
    Ok(Root { store, store_url: bucket, lake: folder, prefix })
}

/// A new, empty store in memory with a host of its own.
pub(super) fn memory() -> Result<Root> {
    let url = parse(&format!("memory://{}/", uuid::Uuid::new_v4().simple()))?;
    Root::new(Arc::new(InMemory::new()), url.clone(), url)
}

fn local(path: PathBuf, given: &str) -> Result<Root> {
    if given.trim().is_empty() {
        return Err(Error::invalid("lake.url is empty").hint("a path such as ./lake, file:///… or memory://"));
    }
    // Canonical, so that two spellings of one folder give the same file names to caches and messages.
    let path = std::fs::create_dir_all(&path)
        .and_then(|()| path.canonicalize())
        .map_err(|e| Error::from(e).context(format!("lake.url '{given}'")))?;
    let lake = Url::from_directory_path(&path)
        .map_err(|()| Error::invalid(format!("lake.url: '{}' cannot be written as a URL", path.display())))?;
    Root::new(Arc::new(LocalFileSystem::new()), parse("file:///")?, lake)
}

fn parse(url: &str) -> Result<Url> {
    Url::parse(url).map_err(|e| Error::invalid(format!("lake.url: '{url}' is no URL: {e}")))
}
