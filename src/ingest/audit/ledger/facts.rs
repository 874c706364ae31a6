//! What is kept of the rows of `ingest_file`: no more than answers the ledger's questions. It must not read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray, TimestampMicrosecondArray};
use xxhash_rust::xxh3::xxh3_128;

use super::{DAY, REMEMBERED};
use crate::error::Result;
use crate::ingest::audit::{LANDED, RETRIED, SEEN, UNPACKED};
use crate::ingest::columns::{instants, text_at, texts};
use crate::ingest::push::is_push;

#[derive(Default)]
pub(super) struct Facts {
    pub sources: HashMap<String, SourceFacts>,
    /// By the hash of the uri.
    pub pushes: HashMap<u128, PushFact>,
    /// When old pushes were last dropped.
    dropped: i64,
}

#[derive(Default)]
pub(super) struct SourceFacts {
    /// Of the contents that have landed as files, archives among them. Not of pushes: they are many, known by their keys, and
    /// for some time only.
    pub landed: HashSet<u128>,
    /// Files on object stores: name and version tag → the file's id.
    pub versions: HashMap<(String, String), String>,
    /// What files said of their columns → when one that said so was begun last.
    pub columns: HashMap<String, i64>,
    /// Files but for pushes (of those no body is kept that could be mapped anew), by the hash of their id.
    pub files: HashMap<u128, FileFact>,
}

/// By which definition a file was mapped last.
pub(super) struct FileFact {
    pub landed: bool,
    finished: i64,
    pub definition: Option<Arc<str>>,
}

/// A push that has landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PushFact {
    content: u128,
    /// When it landed, µs since 1970.
    finished: i64,
    /// The number of the audit's file that has its row.
    pub(super) file: u32,
}

impl PushFact {
    pub fn has(&self, sha256: &str) -> bool {
        self.content == content(sha256)
    }
}

/// The columns of some rows.
struct Rows<'a> {
    ids: &'a StringArray,
    uris: &'a StringArray,
    contents: &'a StringArray,
    started: &'a TimestampMicrosecondArray,
    finished: &'a TimestampMicrosecondArray,
    status: &'a StringArray,
    definitions: &'a StringArray,
    tags: &'a StringArray,
    columns: &'a StringArray,
}

impl Facts {
    /// Notes the rows of file number `file`. Noting them again, from a rewritten file, changes nothing.
    pub fn take(&mut self, batch: &RecordBatch, file: u32, oldest: i64) -> Result<()> {
        let text = |name| texts(batch, name);
        let sources = text("source")?;
        let rows = Rows {
            ids: text("source_file_id")?,
            uris: text("file_uri")?,
            contents: text("content_sha256")?,
            started: instants(batch, "started_at")?,
            finished: instants(batch, "finished_at")?,
            status: text("status")?,
            definitions: text("definition_hash")?,
            tags: text("version_tag")?,
            columns: text("columns")?,
        };
        for row in 0..batch.num_rows() {
            let source = sources.value(row);
            if !self.sources.contains_key(source) {
                self.sources.insert(source.into(), SourceFacts::default());
            }
            let Some(facts) = self.sources.get_mut(source) else { continue };
            match is_push(source, rows.uris.value(row)) {
                false => {
                    facts.file(&rows, row);
                    facts.content(&rows, row);
                }
                true if rows.status.value(row) == LANDED && rows.finished.value(row) >= oldest => {
                    let finished = rows.finished.value(row);
                    let push = PushFact { content: content(rows.contents.value(row)), finished, file };
                    // Two processes may have taken one push at once: the first answer counts. An equal time is the
                    // same row in a rewritten file.
                    let known = self.pushes.entry(hash(rows.uris.value(row))).or_insert(push);
                    if push.finished <= known.finished {
                        *known = push;
                    }
                }
                true => {}
            }
            facts.columns(&rows, row);
        }
        Ok(())
    }

    pub fn drop_pushes(&mut self, now: i64) {
        if now.saturating_sub(self.dropped) > DAY {
            self.pushes.retain(|_, push| push.finished >= now - REMEMBERED);
            self.dropped = now;
        }
    }
}

impl SourceFacts {
    fn content(&mut self, rows: &Rows<'_>, row: usize) {
        let status = rows.status.value(row);
        if matches!(status, LANDED | UNPACKED) {
            self.landed.insert(content(rows.contents.value(row)));
        }
        if let Some(tag) = text_at(rows.tags, row).filter(|_| matches!(status, LANDED | UNPACKED | SEEN)) {
            let version = (rows.uris.value(row).to_string(), tag.to_string());
            self.versions.insert(version, rows.ids.value(row).to_string());
        }
    }

    fn columns(&mut self, rows: &Rows<'_>, row: usize) {
        if let Some(text) = text_at(rows.columns, row) {
            let (started, at) = (rows.started.value(row), self.columns.get_mut(text));
            match at {
                Some(at) => *at = started.max(*at),
                None => drop(self.columns.insert(text.to_string(), started)),
            }
        }
    }

    fn file(&mut self, rows: &Rows<'_>, row: usize) {
        let status = rows.status.value(row);
        if status == SEEN {
            return;
        }
        let file = self.files.entry(hash(rows.ids.value(row))).or_insert(FileFact {
            landed: false,
            finished: i64::MIN,
            definition: None,
        });
        file.landed |= status == LANDED;
        if status != RETRIED && rows.finished.value(row) >= file.finished {
            file.finished = rows.finished.value(row);
            file.definition = text_at(rows.definitions, row).map(Arc::from);
        }
    }
}

pub(super) fn hash(text: &str) -> u128 {
    xxh3_128(text.as_bytes())
}

/// The first 32 hex digits as a number.
pub(super) fn content(sha256: &str) -> u128 {
    sha256.get(..32).and_then(|h| u128::from_str_radix(h, 16).ok()).unwrap_or_else(|| hash(sha256))
}
