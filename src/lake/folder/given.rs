//! What a URL means to a folder on an object store: a file or a folder in it, or something elsewhere.

use object_store::path::Path;
use object_store::{GetOptions, ObjectStore};
use url::Url;

use super::{Entry, Folder, Place};
use crate::error::{Error, Result};
use crate::lake::errors;
use crate::lake::remote::SCHEMES;

impl Place {
    /// `url` leads to an object store, whether it can be reached or not.
    pub fn is_remote(url: &str) -> bool {
        url.split_once("://").is_some_and(|(scheme, _)| SCHEMES.contains(&scheme))
    }
}

impl Folder {
    /// How the file or folder at `url` is called in this folder, "" being the folder itself; `None`: it lies elsewhere.
    pub fn name_of(&self, url: &str) -> Option<String> {
        let url = Url::parse(url).ok()?;
        let place = |url: &Url| {
            let parts = (url.username().to_string(), url.host_str().map(str::to_string), url.port());
            (one_scheme(url.scheme()).to_string(), parts)
        };
        if place(&url) != place(&self.url) {
            return None;
        }
        let path = Path::from_url_path(url.path()).ok()?;
        let parts: Vec<_> = path.prefix_match(&self.prefix)?.collect();
        Some(parts.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join("/"))
    }

    /// The file called `name`, if there is one.
    ///
    /// # Errors
    /// `Invalid`: no file can be called so. `Denied`, `Unavailable`: the storage.
    pub async fn file(&self, name: &str) -> Result<Option<Entry>> {
        let location = Path::parse(format!("{}/{name}", self.prefix))
            .map_err(|e| Error::invalid(format!("{}{name} is no storage path: {e}", self.url)))?;
        let head = GetOptions { head: true, ..GetOptions::default() };
        match self.store.get_opts(&location, head).await {
            Ok(got) => Ok(self.entry(got.meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(errors::store(e, format!("looking for {}{name}", self.url))),
        }
    }
}

/// Schemes that lead to the same store are one.
fn one_scheme(scheme: &str) -> &str {
    match scheme {
        "s3a" => "s3",
        "azure" => "az",
        "abfss" => "abfs",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;

    use super::*;
    use crate::config::StorageConfig;

    #[test]
    fn a_url_is_a_name_in_the_folder_or_lies_elsewhere() {
        let storage = StorageConfig { region: Some("eu-north-1".into()), ..StorageConfig::default() };
        let Place::Remote(folder) = Place::open("s3://bucket/till/new here", &storage).unwrap() else { panic!("S3") };
        for (url, name) in [
            ("s3://bucket/till/new here/a/b.csv", Some("a/b.csv")),
            ("s3a://bucket/till/new%20here/b c.csv", Some("b c.csv")),
            ("s3://bucket/till/new here/a/", Some("a")),
            ("s3://bucket/till/new here", Some("")),
            ("s3://bucket/till/new hereafter/b.csv", None),
            ("s3://bucket/till/b.csv", None),
            ("s3://other/till/new here/b.csv", None),
            ("gs://bucket/till/new here/b.csv", None),
            ("s3://bucket/till/new here/../b.csv", None),
            ("b.csv", None),
        ] {
            assert_eq!(folder.name_of(url).as_deref(), name, "{url}");
        }
        assert!(Place::is_remote("gs://x/y") && !Place::is_remote("https://x/y") && !Place::is_remote("x/y"));
    }

    #[tokio::test]
    async fn a_file_has_the_version_that_listing_tells() {
        let (folder, store) = Folder::memory();
        store.put(&Path::from("web/a.csv"), "a".into()).await.unwrap();
        let listed = folder.list("web", false, &|_| true).await.unwrap();
        assert_eq!(folder.file("web/a.csv").await.unwrap(), Some(listed[0].clone()));
        assert_eq!(folder.file("web").await.unwrap(), None, "a folder");
        assert!(folder.file("../a.csv").await.is_err());
    }
}
