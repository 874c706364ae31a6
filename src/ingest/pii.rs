//! V20: personal data in texts that should hold none: e-mail addresses, card numbers, phone numbers.
//! It must find them cheaply (most texts hold neither `@` nor nine digits) and never keep what it found.

use std::ops::Range;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pii {
    Email,
    Card,
    Phone,
}

impl Pii {
    pub(crate) fn says(self) -> &'static str {
        match self {
            Pii::Email => "an e-mail address does not belong here",
            Pii::Card => "a card number does not belong here",
            Pii::Phone => "a phone number does not belong here",
        }
    }
}

/// The first piece of personal data in `text`. In identifiers only e-mail addresses are looked for: long numbers are
/// what identifiers are made of.
pub(crate) fn find(text: &str, identifier: bool) -> Option<(Pii, Range<usize>)> {
    let (mut at, mut digits) = (false, 0);
    for b in text.bytes() {
        at |= b == b'@';
        digits += usize::from(b.is_ascii_digit());
    }
    let email = if at { find_email(text) } else { None };
    email.map(|r| (Pii::Email, r)).or_else(|| if identifier || digits < 9 { None } else { find_number(text) })
}

/// `text` with everything personal replaced by stars.
pub(crate) fn mask(text: &str) -> String {
    let (mut masked, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((_, found)) = find(rest, false) {
        masked.push_str(&rest[..found.start]);
        masked.push_str("***");
        rest = &rest[found.end..];
    }
    masked.push_str(rest);
    masked
}

fn find_email(text: &str) -> Option<Range<usize>> {
    let b = text.as_bytes();
    let local = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'%' | b'+' | b'-');
    let domain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-');
    b.iter().enumerate().filter(|(_, c)| **c == b'@').find_map(|(at, _)| {
        let start = at - b[..at].iter().rev().take_while(|c| local(**c)).count();
        let mut end = at + 1 + b[at + 1..].iter().take_while(|c| domain(**c)).count();
        while end > at + 1 && matches!(b[end - 1], b'.' | b'-') {
            end -= 1;
        }
        let top = text[at + 1..end].rsplit_once('.').map_or("", |(_, top)| top);
        (start < at && top.len() >= 2 && top.bytes().all(|c| c.is_ascii_alphabetic())).then_some(start..end)
    })
}

/// A run of digits, blanks, dashes, dots and brackets, looked at as a card and as a phone number.
fn find_number(text: &str) -> Option<(Pii, Range<usize>)> {
    let b = text.as_bytes();
    let mut i = 0;
    while i < b.len() {
        let opens = b[i].is_ascii_digit() || matches!(b[i], b'+' | b'(');
        let inside_word = i > 0 && (b[i - 1].is_ascii_alphanumeric() || b[i - 1] == b'_');
        if !opens || inside_word {
            i += 1;
            continue;
        }
        let run = b[i..]
            .iter()
            .take_while(|c| c.is_ascii_digit() || matches!(c, b'+' | b'(' | b')' | b' ' | b'-' | b'.'))
            .count();
        let mut end = i + run;
        while end > i && !b[end - 1].is_ascii_digit() {
            end -= 1;
        }
        let word_goes_on = b.get(end).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_');
        if end > i && !word_goes_on {
            let piece = &text[i..end];
            if is_card(piece) {
                return Some((Pii::Card, i..end));
            }
            if is_phone(piece) {
                return Some((Pii::Phone, i..end));
            }
        }
        i += run.max(1);
    }
    None
}

/// 15 to 19 digits in groups of four or more, beginning like a card, with Luhn's check digit. (Shorter ones are GTINs.)
fn is_card(piece: &str) -> bool {
    let groups: Vec<&str> = piece.split([' ', '-']).collect();
    let digits: Vec<u32> = piece.chars().filter_map(|c| c.to_digit(10)).collect();
    let grouped = groups.iter().rev().skip(1).all(|g| g.len() >= 4)
        && groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_digit()));
    if !grouped || !(15..=19).contains(&digits.len()) || !(2..=6).contains(&digits[0]) {
        return false;
    }
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(i, d)| if i % 2 == 0 { *d } else { d * 2 / 10 + d * 2 % 10 }).sum();
    sum.is_multiple_of(10)
}

/// `+` and 8 to 15 digits, or 10 to 12 digits in at least three groups of two to four.
fn is_phone(piece: &str) -> bool {
    let digits = piece.bytes().filter(u8::is_ascii_digit).count();
    if let Some(rest) = piece.strip_prefix('+') {
        return (8..=15).contains(&digits) && !rest.contains('+');
    }
    let groups: Vec<&str> = piece.split([' ', '-', '(', ')']).filter(|g| !g.is_empty()).collect();
    let sizes: Vec<usize> = groups.iter().map(|g| g.len()).collect();
    let is_date = matches!(sizes.as_slice(), [4, 2, 2, ..] | [2, 2, 4, ..]);
    (10..=12).contains(&digits)
        && groups.len() >= 3
        && !is_date
        && groups.iter().all(|g| (2..=4).contains(&g.len()) && g.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<Pii> {
        find(text, false).map(|(p, _)| p)
    }

    #[test]
    fn v20_finds_addresses_cards_and_phones() {
        assert_eq!(kind("ring mary.jones+shop@example.co.uk please"), Some(Pii::Email));
        assert_eq!(kind("card 4111 1111 1111 1111"), Some(Pii::Card));
        assert_eq!(kind("378282246310005"), Some(Pii::Card));
        assert_eq!(kind("+44 20 7946 0958"), Some(Pii::Phone));
        assert_eq!(kind("tel (020) 7946-0958"), Some(Pii::Phone));
        assert_eq!(kind("电话 138-1234-5678"), Some(Pii::Phone));
        assert_eq!(kind("06 12 34 56 78"), Some(Pii::Phone));
    }

    #[test]
    fn v20_leaves_ordinary_texts_alone() {
        for text in [
            "WHITE HANGING HEART T-LIGHT HOLDER",
            "2024-01-15 10:30:00",
            "GTIN 4006381333931",
            "ISBN 978-3-16-148410-0",
            "@home",
            "a@b",
            "SET 12 x 24 x 36",
            "4111111111111112",
            "192.168.100.200",
            "13812345678",
            "INV-2024-000123-0001",
            "f47ac10b-58cc-4372-a567-0e02b2c3d479",
            "1234567890123456789012",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
        assert_eq!(find("4111111111111111", true), None, "identifiers may be long numbers");
        assert!(find("mary@example.com", true).is_some());
    }

    #[test]
    fn v20_masks_all_of_it() {
        assert_eq!(mask("mary@example.com, +44 20 7946 0958; ok"), "***, ***; ok");
        assert_eq!(mask("nothing"), "nothing");
    }
}
