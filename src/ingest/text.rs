//! How codes and texts are made equal (domain D78): Unicode's NFKC, blanks at the ends, case.
//! It must not drop inner characters: an id keeps its leading zeros and its dashes.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

use crate::model::Kind;

/// `text` as a column of `kind` keeps it.
pub(crate) fn normalise(text: &str, kind: Kind) -> Cow<'_, str> {
    match kind {
        Kind::UpperCode => match code(text) {
            Cow::Borrowed(t) if !t.bytes().any(|b| b.is_ascii_lowercase() || b >= 0x80) => Cow::Borrowed(t),
            folded => Cow::Owned(folded.to_uppercase()),
        },
        Kind::Code => code(text),
        _ => Cow::Borrowed(trim(text)),
    }
}

/// NFKC (full-width forms become ASCII, ligatures letters …) and trimmed.
fn code(text: &str) -> Cow<'_, str> {
    if is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(trim(text));
    }
    let folded: String = text.nfkc().collect();
    Cow::Owned(trim(&folded).to_string())
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d78_codes_are_equal_whatever_their_width_case_and_blanks() {
        for same in ["A1", " a1", "Ａ１", "ａ１\u{3000}", "\u{feff}a1\u{a0}"] {
            assert_eq!(normalise(same, Kind::UpperCode), "A1", "{same:?}");
        }
        assert_eq!(normalise("00123", Kind::UpperCode), "00123");
        assert_eq!(normalise(" Straße-1 ", Kind::Code), "Straße-1");
        assert_eq!(normalise("  Ａ free text ", Kind::Text), "Ａ free text");
        assert!(matches!(normalise("AB-1", Kind::UpperCode), Cow::Borrowed(_)));
    }
}
