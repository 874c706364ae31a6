//! A query file: a TOML header in `--` comments between two `-- ---` lines, then SQL.
//! Shared by sources, views and reports. It must not know what a header means, nor do I/O beyond finding the files.

mod mistakes;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/queries");

/// One file of `queries/`: where it came from, its name (the file's stem), its header and its SQL.
#[derive(Debug, Clone)]
pub struct QueryFile {
    /// The file's stem: the name by which it is called.
    pub name: String,
    /// Path below `queries/`, such as `reports/time/sales-summary.sql`, for messages.
    pub path: String,
    /// The header's TOML text, comment marks removed.
    pub header: String,
    /// Everything after the header, with blank lines in the header's place so that line numbers stay true.
    pub sql: String,
    /// The whole text as written.
    pub text: String,
    /// What keeps a file from being a query file, and what would work: whoever reads the header is told.
    fault: Option<(String, Option<String>)>,
}

impl QueryFile {
    /// Splits `text`. The header must be the first thing in the file.
    pub fn parse(path: &str, text: &str) -> Result<QueryFile> {
        let name = stem(path);
        let mut lines = text.lines();
        let opens = lines.next().is_some_and(|l| l.trim_start_matches('\u{feff}').trim() == "-- ---");
        if !opens {
            return Err(Error::invalid(format!("{path}, line 1: a query file begins with a header"))
                .hint("write `-- ---`, then TOML in `-- ` comments, then `-- ---`, then the SQL"));
        }
        let mut header = String::new();
        let mut count = 1;
        for line in lines.by_ref() {
            count += 1;
            let line = line.trim_end();
            if line == "-- ---" {
                let mut sql = "\n".repeat(count);
                sql.extend(lines.flat_map(|l| [l, "\n"]));
                return Ok(QueryFile { name, path: path.into(), header, sql, text: text.into(), fault: None });
            }
            let Some(toml) = line.strip_prefix("--") else {
                return Err(Error::invalid(format!("{path}, line {count}: the header's lines begin with `--`"))
                    .hint("close the header with `-- ---` before the SQL"));
            };
            header.push_str(toml.strip_prefix(' ').unwrap_or(toml));
            header.push('\n');
        }
        Err(Error::invalid(format!("{path}: the header is not closed")).hint("add a line `-- ---` after it"))
    }

    /// The file at `path`, for which [`QueryFile::header`] fails if `text` is no query file: one such file must not keep
    /// the others of its folder from being used.
    fn found(path: &str, text: &[u8]) -> QueryFile {
        let parsed = match std::str::from_utf8(text) {
            Ok(text) => QueryFile::parse(path, text),
            Err(e) => {
                let line = text[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
                Err(Error::invalid(format!("{path}, line {line}: not UTF-8")).hint("save the file as UTF-8"))
            }
        };
        parsed.unwrap_or_else(|error| QueryFile::faulty(path, &String::from_utf8_lossy(text), &error))
    }

    fn faulty(path: &str, text: &str, error: &Error) -> QueryFile {
        QueryFile {
            name: stem(path),
            path: path.into(),
            header: String::new(),
            sql: String::new(),
            text: text.into(),
            fault: Some((error.to_string(), error.hint_text().map(String::from))),
        }
    }

    /// The header as `T`. Unknown keys are `T`'s to refuse (`deny_unknown_fields`).
    ///
    /// # Errors
    /// Every mistake that can be told at once, each with its line; a file that is no query file.
    pub fn header<T: DeserializeOwned>(&self) -> Result<T> {
        match &self.fault {
            None => mistakes::read(&self.header).map_err(|told| Error::invalid(format!("{}, {told}", self.path))),
            Some((message, None)) => Err(Error::invalid(message)),
            Some((message, Some(hint))) => Err(Error::invalid(message).hint(hint)),
        }
    }
}

/// All files of one folder (`sources`, `views`, `reports` …), by name: the embedded ones, then those of
/// `dir` (the configuration's `queries_dir`), which add and override by name. A file that cannot be used is among them:
/// [`QueryFile::header`] tells what is wrong with it.
///
/// # Errors
/// Folders that cannot be read.
pub fn load_folder(folder: &str, dir: Option<&Path>) -> Result<BTreeMap<String, QueryFile>> {
    let mut found = Found::new();
    if let Some(embedded) = EMBEDDED.get_dir(folder) {
        collect_embedded(embedded, &mut found);
    }
    if let Some(dir) = dir {
        if !dir.is_dir() {
            return Err(Error::not_found(format!("queries_dir {} is no folder", dir.display()))
                .hint("it is laid out like queries/: sources/, views/, reports/"));
        }
        let below = dir.join(folder);
        if below.is_dir() {
            collect_disk(dir, &below, &mut found)?;
        }
    }
    Ok(found)
}

/// Files by name.
type Found = BTreeMap<String, QueryFile>;

fn stem(path: &str) -> String {
    Path::new(path).file_stem().and_then(|s| s.to_str()).unwrap_or(path).to_string()
}

fn collect_embedded(dir: &Dir<'_>, found: &mut Found) {
    for file in dir.files().filter(|f| f.path().extension().is_some_and(|e| e == "sql")) {
        let path = file.path().to_string_lossy();
        found.insert(stem(&path), QueryFile::found(&path, file.contents()));
    }
    dir.dirs().for_each(|sub| collect_embedded(sub, found));
}

fn collect_disk(root: &Path, dir: &Path, found: &mut Found) -> Result<()> {
    let read = std::fs::read_dir(dir).map_err(|e| Error::from(e).context(dir.display()))?;
    let mut paths: Vec<_> = read.collect::<std::io::Result<Vec<_>>>()?.into_iter().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect_disk(root, &path, found)?;
        } else if path.extension().is_some_and(|e| e == "sql") {
            let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
            let file = match std::fs::read(&path) {
                Ok(text) => QueryFile::found(&shown, &text),
                Err(e) => QueryFile::faulty(&shown, "", &Error::from(e).context(&shown)),
            };
            found.insert(file.name.clone(), file);
        }
    }
    Ok(())
}
