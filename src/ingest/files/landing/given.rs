//! Files that somebody names: by a path, or by the URL of a file or folder. What is named is meant, whatever the source's
//! pattern says.

use std::path::Path;

use futures::FutureExt;
use glob::Pattern;
use url::Url;

use super::super::{InputFile, Names, find};
use super::{Found, Landing, RemoteFile};
use crate::error::{Error, Result};
use crate::lake::{Folder, Place};

/// All files below a folder.
const ALL: &str = "**/*";

impl Landing {
    /// The files that `argument` names: a path, `file:///…`, or a URL below this place on its object store. The URL of a
    /// folder stands for all files below it; on an object store, `*` stands for any name.
    ///
    /// # Errors
    /// `NotFound`: there is none. `Invalid`: a URL that does not lie below this place. `Denied`, `Unavailable`: the storage.
    pub async fn given(&self, argument: &Path) -> Result<Vec<Found>> {
        let url = argument.to_str().filter(|text| text.contains("://"));
        let Some(url) = url else {
            return Ok(vec![Found::Local(InputFile::open(argument, argument.to_string_lossy())?)]);
        };
        if url.starts_with("file://") {
            return self.local_files(url);
        }
        if let Place::Remote(folder) = &self.0
            && let Some(name) = folder.name_of(url)
        {
            return remote_files(folder, &name, url).boxed().await;
        }
        Err(self.elsewhere(url))
    }

    fn local_files(&self, url: &str) -> Result<Vec<Found>> {
        let path = Url::parse(url).ok().and_then(|url| url.to_file_path().ok()).ok_or_else(|| {
            Error::invalid(format!("'{url}' is no local file")).hint(
                "a file URL has three slashes and an absolute path: file:///srv/landing/x.csv; a plain path works too",
            )
        })?;
        // Below this place it has the name that it has there.
        let here = self.local().and_then(|here| std::path::absolute(here).ok());
        let shown = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf)).unwrap_or(path.clone());
        if !path.is_dir() {
            return Ok(vec![Found::Local(InputFile::open(&path, shown.to_string_lossy())?)]);
        }
        let mut files = find(&path, ALL)?;
        files.iter_mut().for_each(|file| file.uri = shown.join(&file.uri).to_string_lossy().into_owned());
        if files.is_empty() { Err(nothing(url)) } else { Ok(files.into_iter().map(Found::Local).collect()) }
    }

    /// Why `url` cannot be read from here.
    fn elsewhere(&self, url: &str) -> Error {
        if !Place::is_remote(url) {
            return Error::invalid(format!("'{url}': files are not read from there"))
                .hint("give a path, file:///…, or a URL below landing.path: s3://…, az://…, gs://…");
        }
        let folder = url.trim_end_matches('/').rsplit_once('/').map_or(url, |(folder, _)| folder);
        let folder = if folder.ends_with('/') { url } else { folder };
        Error::invalid(format!("'{url}' does not lie below landing.path, which is {self}")).hint(format!(
            "set landing.path to a folder above it, such as --set landing.path={folder}, and landing.storage to how that is \
             reached (endpoint, region, keys)"
        ))
    }
}

/// `name`: of a file or folder in `folder`.
async fn remote_files(folder: &Folder, name: &str, url: &str) -> Result<Vec<Found>> {
    let file = match name {
        "" => None,
        _ if url.ends_with('/') => None,
        name => folder.file(name).await?,
    };
    let mut found = match &file {
        // An empty one may be the mark that some stores make for a folder.
        Some(file) if file.size > 0 => vec![file.clone()],
        _ => {
            let pattern = match name {
                "" => ALL.to_string(),
                name if name.contains('*') => name.to_string(),
                name => format!("{}/{ALL}", Pattern::escape(name)),
            };
            let names = Names::new(&pattern)?;
            folder.list(names.below(), names.deep(), &|name: &str| names.take(name)).await?
        }
    };
    if found.is_empty() {
        found.extend(file);
    }
    if found.is_empty() {
        return Err(nothing(url));
    }
    Ok(found.into_iter().map(|entry| Found::Remote(RemoteFile { folder: folder.clone(), entry })).collect())
}

fn nothing(url: &str) -> Error {
    Error::not_found(format!("'{url}': there is no such file, and none below it"))
        .hint("hidden files, whose names begin with a dot, do not count")
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;

    use super::*;
    use crate::error::ErrorKind;

    async fn named(landing: &Landing, argument: &str) -> Result<Vec<String>> {
        let found = landing.given(Path::new(argument)).await?;
        Ok(found.iter().map(|f| f.uri().to_string()).collect())
    }

    #[tokio::test]
    async fn urls_below_an_object_store() {
        let (folder, store) = Folder::memory();
        for name in ["web/a b.csv", "web/old/c.csv", "web/.hidden", "web/old.csv", "pos/d.csv"] {
            let path = object_store::path::Path::from(name);
            store.put(&path, name.to_string().into()).await.expect("put");
        }
        for name in ["web/old", "web/empty.csv"] {
            store.put(&object_store::path::Path::from(name), "".into()).await.expect("put");
        }
        let (landing, url) = (Landing::from(&folder), folder.url().to_string());
        for (below, names) in [
            ("web/a b.csv", &["web/a b.csv"][..]),
            ("web/a%20b.csv", &["web/a b.csv"]),
            ("web/empty.csv", &["web/empty.csv"]),
            ("web/old/", &["web/old/c.csv"]),
            ("web/old", &["web/old/c.csv"]),
            ("web/*.csv", &["web/a b.csv", "web/empty.csv", "web/old.csv"]),
            ("*/d.csv", &["pos/d.csv"]),
            ("pos", &["pos/d.csv"]),
            ("", &["pos/d.csv", "web/a b.csv", "web/empty.csv", "web/old", "web/old.csv", "web/old/c.csv"]),
        ] {
            assert_eq!(named(&landing, &format!("{url}{below}")).await.expect(below), names, "{below}");
        }
        for none in ["web/none.csv", "we", "web/*.txt"] {
            let e = named(&landing, &format!("{url}{none}")).await.expect_err(none);
            assert!(e.kind() == ErrorKind::NotFound && e.message().contains(none), "{e}");
        }
        let e = named(&landing, "s3://bucket/landing/x.csv").await.expect_err("elsewhere");
        assert!(e.message().contains(&url), "where it should lie: {e}");
    }

    #[tokio::test]
    async fn urls_beside_a_local_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        let here = dir.path().join("landing");
        for name in ["landing/web/a b.csv", "landing/web/.hidden", "other/c.csv", "landing/empty/.x"] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, name).expect("written");
        }
        let landing = Landing::from(&here);
        let url = |name: &str| format!("file://{}/{name}", dir.path().display());
        assert_eq!(named(&landing, &url("landing/web/a%20b.csv")).await.expect("a file"), ["web/a b.csv"]);
        assert_eq!(named(&landing, &url("landing/web")).await.expect("a folder"), ["web/a b.csv"]);
        let other = dir.path().join("other/c.csv").display().to_string();
        assert_eq!(named(&landing, &url("other/c.csv")).await.expect("elsewhere"), std::slice::from_ref(&other));
        assert_eq!(named(&landing, &other).await.expect("a path"), [other]);
        for (argument, kind, says) in [
            (url("landing/none.csv"), ErrorKind::NotFound, "none.csv"),
            (url("landing/empty/"), ErrorKind::NotFound, "empty"),
            ("file://landing/x.csv".into(), ErrorKind::Invalid, "three slashes"),
            ("https://example.org/x.csv".into(), ErrorKind::Invalid, "file:///"),
            ("s3://bucket/landing/x.csv".into(), ErrorKind::Invalid, "--set landing.path=s3://bucket/landing,"),
            ("s3://bucket".into(), ErrorKind::Invalid, "--set landing.path=s3://bucket,"),
        ] {
            let e = named(&landing, &argument).await.expect_err("refused");
            let told = format!("{e} {}", e.hint_text().unwrap_or_default());
            assert!(e.kind() == kind && told.contains(says), "{argument}: {told}");
        }
    }
}
