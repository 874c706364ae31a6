//! The account of a landing: what became of every record and every row, and how it reads. It must not decide anything.
//!
//! Per file, in **records**: read = landed + duplicate + late_ignored + skipped + quarantined.
//! Per file and table, in **rows**: new, replaced, duplicate, late_ignored; beyond_sla and warned are parts of
//! new + replaced. Accounts hold as of the landing: a row that is displaced later is in the quarantine under the batch
//! that displaced it, and changes no account.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::files::{hex, source_file_id};
use crate::error::{Error, ErrorKind};

/// What one call of `Ingest::run` did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The source definition.
    pub source: String,
    /// Written to every commit and row of this landing; empty when there was nothing to land.
    pub batch_id: String,
    pub files: Vec<FileAccount>,
    /// By table name, over all files.
    pub tables: BTreeMap<String, TableAccount>,
    /// Records of earlier landings that waited for a rate, tried again because rates landed.
    pub retried: Vec<Retried>,
    /// Files with the bytes of another file of this run: read once.
    pub repeated: u64,
    /// Archives without a single file.
    pub empty_archives: Vec<String>,
    /// Files that could not be opened, or not be read to their end. Their records so far count in `files`; the others have landed.
    pub failed: Vec<Failed>,
    /// Quarantined records of files that were replayed, and that no rule stops now.
    pub freed: u64,
}

/// A file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    pub file: String,
    /// What is wrong, with the place.
    pub reason: String,
    pub hint: Option<String>,
    #[serde(skip)]
    kind: ErrorKind,
}

impl Failed {
    pub(crate) fn new(file: &str, error: &Error) -> Failed {
        let hint = error.hint_text().map(String::from);
        Failed { file: file.into(), reason: error.to_string(), hint, kind: error.kind() }
    }
    /// The error as it was.
    pub fn error(&self) -> Error {
        let error = Error::new(self.kind, &self.reason);
        match &self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// What became of the records of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct FileAccount {
    /// The file as it was named.
    pub file: String,
    pub source_file_id: String,
    pub read: u64,
    /// Records with a new or replacing row.
    pub landed: u64,
    /// Records of which the lake had every row.
    pub duplicate: u64,
    /// Records older than what the lake has.
    pub late_ignored: u64,
    /// Records left out by a declared predicate.
    pub skipped: u64,
    /// Reason → records.
    pub skipped_by: BTreeMap<String, u64>,
    /// Records that a rule stopped, wholly or (V19) in part.
    pub quarantined: u64,
    /// These bytes had landed before, or another file of this run has them, so it was not read: all counts are 0.
    pub already: bool,
    /// What is different in its columns from those of the file before: new, missing, of another type.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
    /// Its own columns, name → type as JSON, where they are known; for the audit.
    #[serde(skip)]
    pub(crate) columns: Option<String>,
}

/// What became of rows of one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableAccount {
    pub new: u64,
    pub replaced: u64,
    pub duplicate: u64,
    pub late_ignored: u64,
    /// Rows that landed more than two days after their event, part of new + replaced.
    pub beyond_sla: u64,
    /// Rows that landed with a warning, part of new + replaced.
    pub warned: u64,
    /// Rows that a replay took out of the table.
    pub removed: u64,
}

/// What became of one source's records that had waited: for a rate (V18), or for another definition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Retried {
    pub source: String,
    /// Of many records, that of the first part.
    pub batch_id: String,
    /// Records tried.
    pub tried: u64,
    pub landed: u64,
    pub duplicate: u64,
    pub late_ignored: u64,
    pub skipped: u64,
    /// Records that another rule stops now.
    pub quarantined: u64,
    /// Records that the same rule stops still.
    pub waiting: u64,
    /// Records that were not tried: they were read by another definition, and what was kept of them is not enough for
    /// this one. A replay of the source reads their files again.
    pub stale: u64,
    /// Nothing was written; `landed` are the records that no rule would stop.
    pub dry_run: bool,
}

impl FileAccount {
    /// The sum that must equal `read`.
    pub fn accounted(&self) -> u64 {
        self.landed + self.duplicate + self.late_ignored + self.skipped + self.quarantined
    }
    /// Adds another file's counts, or those of another part of the file.
    pub fn add(&mut self, other: &FileAccount) {
        self.read += other.read;
        self.landed += other.landed;
        self.duplicate += other.duplicate;
        self.late_ignored += other.late_ignored;
        self.skipped += other.skipped;
        self.quarantined += other.quarantined;
        for (reason, records) in &other.skipped_by {
            *self.skipped_by.entry(reason.clone()).or_default() += records;
        }
        self.drift.extend(other.drift.iter().cloned());
    }
}

impl TableAccount {
    pub fn add(&mut self, other: &TableAccount) {
        self.new += other.new;
        self.replaced += other.replaced;
        self.duplicate += other.duplicate;
        self.late_ignored += other.late_ignored;
        self.beyond_sla += other.beyond_sla;
        self.warned += other.warned;
        self.removed += other.removed;
    }
}

impl Account {
    /// All files' counts together.
    pub fn total(&self) -> FileAccount {
        self.files.iter().fold(FileAccount::default(), |mut sum, file| {
            sum.add(file);
            sum
        })
    }
    /// The files without a single byte, by their names, as far as they were read.
    pub fn empty(&self) -> impl Iterator<Item = &str> {
        let id = source_file_id(&hex(&Sha256::digest(b"")), &self.source);
        self.files.iter().filter(move |f| !f.already && f.source_file_id == id).map(|f| f.file.as_str())
    }
    /// What there is nothing in, and why, a line each.
    pub fn nothing_in(&self) -> impl Iterator<Item = String> {
        let files = self.empty().map(|file| format!("{file} is empty: no header, no record"));
        files.chain(self.empty_archives.iter().map(|archive| format!("{archive} is an archive without a file")))
    }
    /// How many of the files were known and not read again.
    pub fn already(&self) -> usize {
        self.files.iter().filter(|f| f.already).count()
    }
    /// Which files were not read and why, a line each: of these accounts together.
    pub fn not_read<'a>(accounts: impl IntoIterator<Item = &'a Account>) -> Vec<String> {
        let (mut before, mut repeated) = (0, 0);
        for account in accounts {
            before += (account.already() as u64).saturating_sub(account.repeated);
            repeated += account.repeated;
        }
        let before = match before {
            0 => None,
            1 => Some("1 file had landed before and was not read again".to_string()),
            n => Some(format!("{} files had landed before and were not read again", grouped(n))),
        };
        let repeated = match repeated {
            0 => None,
            1 => Some("1 file has the same bytes as another one and was not read again".to_string()),
            n => Some(format!("{} files have the same bytes as others and were not read again", grouped(n))),
        };
        before.into_iter().chain(repeated).collect()
    }
}

impl fmt::Display for FileAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} read = {} landed + {} duplicate + {} late + {} skipped + {} quarantined",
            grouped(self.read),
            grouped(self.landed),
            grouped(self.duplicate),
            grouped(self.late_ignored),
            grouped(self.skipped),
            grouped(self.quarantined)
        )
    }
}

impl fmt::Display for TableAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.new, "new"),
            (self.replaced, "replaced"),
            (self.duplicate, "duplicate"),
            (self.late_ignored, "late"),
        ];
        for (i, (count, word)) in counts.into_iter().enumerate() {
            write!(f, "{}{} {word}", if i == 0 { "" } else { ", " }, grouped(count))?;
        }
        if self.removed > 0 {
            write!(f, ", {} removed", grouped(self.removed))?;
        }
        if self.beyond_sla > 0 {
            write!(f, "; {} more than two days after the event", grouped(self.beyond_sla))?;
        }
        if self.warned > 0 {
            write!(f, "; {} with a warning", grouped(self.warned))?;
        }
        Ok(())
    }
}

impl fmt::Display for Account {
    /// The records of all files in one line, then rows per table, reasons of what was skipped, and what was tried again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        write!(f, "{total}")?;
        let width = self.tables.keys().map(String::len).max().unwrap_or(0);
        for (table, rows) in &self.tables {
            write!(f, "\n  {table:width$}  {rows}")?;
        }
        for (reason, records) in &total.skipped_by {
            write!(f, "\n  skipped {}: {reason}", grouped(*records))?;
        }
        for file in self.files.iter().filter(|f| !f.drift.is_empty()) {
            write!(f, "\n  columns of {} have changed: {}", file.file, file.drift.join("; "))?;
        }
        for empty in self.nothing_in() {
            write!(f, "\n  {empty}")?;
        }
        for line in Account::not_read([self]) {
            write!(f, "\n  {line}")?;
        }
        match self.freed {
            0 => {}
            1 => write!(f, "\n  1 record has left the quarantine")?,
            n => write!(f, "\n  {} records have left the quarantine", grouped(n))?,
        }
        for retried in &self.retried {
            write!(f, "\n  {retried}")?;
        }
        for failed in &self.failed {
            write!(f, "\n  failed: {}", failed.reason)?;
        }
        Ok(())
    }
}

impl fmt::Display for Retried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: of {} that waited, {} {}",
            self.source,
            grouped(self.tried),
            grouped(self.landed),
            if self.dry_run { "would land or have landed" } else { "landed" }
        )?;
        let rest = [
            (self.duplicate, "had landed"),
            (self.late_ignored, "came late"),
            (self.skipped, "skipped"),
            (self.quarantined, "stopped by another rule"),
            (self.waiting, "still waiting"),
            (self.stale, "not tried (the definition has changed: replay the source)"),
        ];
        rest.into_iter().filter(|(n, _)| *n > 0).try_for_each(|(n, what)| write!(f, ", {} {what}", grouped(n)))
    }
}

/// "1 file", "1 204 files".
pub(super) fn counted(n: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// 1204 → "1 204".
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_reads_as_a_sum() {
        let file = FileAccount {
            read: 1204,
            landed: 1180,
            duplicate: 15,
            skipped: 2,
            quarantined: 7,
            skipped_by: [("drafts are no orders".to_string(), 2)].into(),
            ..FileAccount::default()
        };
        assert_eq!(file.accounted(), file.read);
        let known = FileAccount { already: true, ..FileAccount::default() };
        let rows = TableAccount { new: 2_400_000, replaced: 12, warned: 1, ..TableAccount::default() };
        let account = Account {
            files: vec![file, known.clone(), known.clone(), known],
            repeated: 2,
            tables: [("order_line".to_string(), rows)].into(),
            retried: vec![Retried { source: "pos".into(), tried: 3, landed: 2, waiting: 1, ..Retried::default() }],
            ..Account::default()
        };
        let lines = [
            "1 204 read = 1 180 landed + 15 duplicate + 0 late + 2 skipped + 7 quarantined",
            "  order_line  2 400 000 new, 12 replaced, 0 duplicate, 0 late; 1 with a warning",
            "  skipped 2: drafts are no orders",
            "  1 file had landed before and was not read again",
            "  2 files have the same bytes as others and were not read again",
            "  pos: of 3 that waited, 2 landed, 1 still waiting",
        ];
        assert_eq!(account.to_string(), lines.join("\n"));
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
    }
}
