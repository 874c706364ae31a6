//! What a draft assumed, left out and lacks, said once: on the command line, and as comments in the draft where it stands.

use std::fmt;

/// The kinds of notes, in the order in which people should read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// Which columns were taken, and as what.
    Taken,
    /// What the file does not say, or says in more than one way.
    Assumed,
    /// What may go wrong with this file's values.
    Beware,
    /// Columns of the file that no SELECT looks at.
    NotUsed,
    /// What a sale needs and no column has: the draft cannot land before it is given.
    Missing,
}

/// One note about a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub kind: NoteKind,
    /// The column or setting that it is about; empty = the file.
    pub about: &'static str,
    pub text: String,
    /// Where it stands in the draft.
    pub(super) place: Place,
}

/// A part of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Read,
    Defaults,
    OrderLine,
    Product,
    Channel,
    Customer,
    Location,
    /// Only said, not written.
    Nowhere,
}

impl Note {
    pub(super) fn new(kind: NoteKind, place: Place, about: &'static str, text: impl Into<String>) -> Note {
        // Names come from the file: a comment must stay on its line.
        let text = text.into().replace(['\n', '\r'], " ");
        Note { kind, about, text, place }
    }

    /// As a comment of the draft.
    pub(super) fn comment(&self) -> String {
        let word = match self.kind {
            NoteKind::Missing => "TODO ",
            NoteKind::NotUsed => "not used",
            _ => "",
        };
        let about = if word.is_empty() && self.about.is_empty() { "note" } else { self.about };
        format!("{word}{about}: {}", self.text)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.kind {
            NoteKind::Taken => "taken",
            NoteKind::Assumed => "assumed",
            NoteKind::Beware => "beware",
            NoteKind::NotUsed => "not used",
            NoteKind::Missing => "missing",
        };
        if self.about.is_empty() {
            write!(f, "{word}: {}", self.text)
        } else {
            write!(f, "{word}: {}: {}", self.about, self.text)
        }
    }
}
