//! Uploads to a local folder that were cut off: object_store writes `name#1` first and renames it, and does not list such
//! files. It only finds them; other stores have none (an object appears whole or not at all).

use std::path::Path;

use chrono::{DateTime, Utc};

use super::store::Root;
use super::vacuum::Leftover;
use crate::error::{Error, Result};

/// Those below `folder` of the lake that were last written before `before`. "": those that lie in the lake's own folder.
pub(super) async fn cut_off(root: &Root, folder: &str, before: DateTime<Utc>) -> Result<Vec<Leftover>> {
    if root.lake.scheme() != "file" {
        return Ok(Vec::new());
    }
    let lake = root.lake.to_file_path().map_err(|()| Error::internal(format!("{} is no local folder", root.lake)))?;
    let (deep, folder) = (!folder.is_empty(), lake.join(folder));
    let walk = tokio::task::spawn_blocking(move || {
        let mut found = Vec::new();
        below(&folder, deep, before, &mut found).map(|()| found).map_err(|e| Error::from(e).context(folder.display()))
    });
    walk.await.map_err(|e| Error::internal(format!("looking for cut off uploads: {e}")))?
}

fn below(folder: &Path, deep: bool, before: DateTime<Utc>, found: &mut Vec<Leftover>) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if deep {
                below(&entry.path(), deep, before, found)?;
            }
        } else if is_staged(&entry.file_name().to_string_lossy()) {
            // Gone meanwhile: the upload ended.
            let Ok(meta) = entry.metadata() else { continue };
            let modified = DateTime::<Utc>::from(meta.modified()?);
            if modified < before {
                found.push(Leftover::local(entry.path(), meta.len(), modified));
            }
        }
    }
    Ok(())
}

/// As object_store names them: `#` and digits at the end.
fn is_staged(name: &str) -> bool {
    name.split_once('#').is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::store;

    #[tokio::test]
    async fn they_are_found_below_a_folder_or_in_the_lakes_own() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(dir.path().join("t/_delta_log")).expect("made");
        for name in ["_saleslake.json", "_saleslake.json#1", "t/_delta_log/0.json#2"] {
            std::fs::write(dir.path().join(name), "{}").expect("written");
        }
        let root = store::open(&dir.path().to_string_lossy(), &Default::default()).expect("opened");
        for (folder, expected) in [("", "_saleslake.json#1"), ("t", "0.json#2")] {
            let found = cut_off(&root, folder, DateTime::<Utc>::MAX_UTC).await.expect("looked");
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].path.ends_with(expected), "{found:?}");
        }
    }

    #[test]
    fn staged_files_are_known_by_their_names() {
        assert!(is_staged("part-1.zstd.parquet#1") && is_staged("00000000000000000004.json#12"));
        assert!(!is_staged("part-1.zstd.parquet") && !is_staged("a#b") && !is_staged("a#"));
    }
}
