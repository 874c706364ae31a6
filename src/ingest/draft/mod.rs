//! Drafts a source definition from a file: what `saleslake source new FILE` writes. A file with date, sku, quantity and
//! price lands by its draft unedited, and reports show its articles and its channel by name; everything guessed is said,
//! to be read and changed. It must not land anything.
//!
//! ```text
//! sniff → roles → guesses → gather (notes) → write
//! ```

mod expressions;
mod gather;
mod guesses;
mod moments;
mod money;
mod names;
mod notes;
mod numbers;
mod roles;
mod sniff;
#[cfg(test)]
mod tests;
mod write;

use std::path::Path;

use guesses::Guesses;
pub use notes::{Note, NoteKind};

use crate::error::{Error, Result};
use crate::lake::Properties;

/// A drafted source definition.
#[derive(Debug)]
pub struct Drafted {
    /// The file to be written. `saleslake check` names the first of what is missing, if anything is.
    pub text: String,
    /// What was assumed, left out and not found, by kind.
    pub notes: Vec<Note>,
}

impl Drafted {
    /// Nothing that a sale needs is missing.
    pub fn is_whole(&self) -> bool {
        self.notes.iter().all(|n| n.kind != NoteKind::Missing)
    }
}

/// A source definition called `name` for files like the one at `path`. What the file does not say about currency and
/// zone is taken from the lake.
///
/// # Errors
/// `Invalid`: the name cannot be that of a source, or the file is of no format that can be read, or holds no records.
pub fn draft(path: &Path, name: &str, lake: &Properties) -> Result<Drafted> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return Err(Error::invalid(format!("`{name}` cannot be the name of a source"))
            .hint("use a-z, 0-9 and _, such as shop_web_orders"));
    }
    let sniffed = sniff::sniff(path)?;
    let guesses = Guesses::new(&sniffed, name, lake)?;
    let notes = gather::notes(&guesses);
    Ok(Drafted { text: write::text(path, &guesses, &notes), notes })
}

/// A name for the source of a file: its own up to the first dot, in a-z, 0-9 and _.
pub fn name_of(path: &Path) -> String {
    let stem = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let stem = stem.split('.').next().unwrap_or_default();
    let name: String =
        stem.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' }).collect();
    let name = name.trim_matches('_');
    if name.is_empty() { "my_source".into() } else { name.into() }
}

/// A source's name as people write it.
fn title(name: &str) -> String {
    let words = name.split('_').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    let mut letters = words.chars();
    letters.next().map_or(words.clone(), |first| first.to_uppercase().chain(letters).collect())
}
