//! Where a record of CSV ends and where its fields lie. It must not read more, nor copy but what it is asked to.

/// How a CSV file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    /// Around fields that hold delimiters; doubled it stands for itself. `None`: quotes are ordinary characters.
    pub(crate) quote: Option<u8>,
    /// Before a quote, a delimiter, a line's end or itself it makes them ordinary; elsewhere it is ordinary itself.
    pub(crate) escape: Option<u8>,
    /// Lines that begin so are no records.
    pub(crate) comment: Option<String>,
    /// Lines before the header.
    pub(crate) skip_lines: usize,
}

impl Default for Dialect {
    fn default() -> Self {
        Dialect { delimiter: b',', quote: Some(b'"'), escape: None, comment: None, skip_lines: 0 }
    }
}

impl Dialect {
    fn is_escape(&self, byte: u8) -> bool {
        self.escape == Some(byte)
    }
    /// What an escape makes ordinary.
    fn is_special(&self, byte: u8) -> bool {
        byte == self.delimiter || matches!(byte, b'\n' | b'\r') || self.quote == Some(byte) || self.escape == Some(byte)
    }
}

/// Where a field's text lies, without its outer quotes.
pub(super) struct Field {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) quoted: bool,
    /// It holds doubled quotes or escapes, or goes on after its closing quote.
    untidy: bool,
}

impl Field {
    /// Adds the field's value to `to`.
    pub(super) fn push(&self, text: &[u8], dialect: &Dialect, to: &mut Vec<u8>) {
        let piece = &text[self.start..self.end];
        if !self.untidy {
            to.extend_from_slice(piece);
            return;
        }
        let quote = dialect.quote.filter(|_| self.quoted);
        let mut inside = self.quoted;
        let mut i = 0;
        while i < piece.len() {
            let (byte, next) = (piece[i], piece.get(i + 1).copied());
            if dialect.is_escape(byte) && next.is_some_and(|n| dialect.is_special(n)) {
                to.extend(next);
                i += 2;
            } else if inside && quote == Some(byte) {
                // Doubled it is a quote; alone it is the closing one, and what follows belongs to the field all the same.
                if next == quote {
                    to.push(byte);
                    i += 2;
                } else {
                    inside = false;
                    i += 1;
                }
            } else {
                to.push(byte);
                i += 1;
            }
        }
    }
}

/// A record in the text: it ends before `end`, the next one starts at `next`, `lines` lines further down.
pub(super) struct Found {
    pub(super) end: usize,
    pub(super) next: usize,
    pub(super) lines: i64,
    pub(super) unclosed: bool,
}

pub(super) enum Split {
    Found(Found),
    /// The text ends inside the record.
    More,
    /// The file ends inside quotes.
    Unclosed,
}

/// The first line of a record whose quote is never closed; what follows is read anew. `None`: it has no end in the first
/// `longest` bytes.
pub(super) fn first_line(text: &[u8], at: usize, longest: usize) -> Option<Found> {
    let rest = &text[at..];
    let length = match rest.iter().take(longest).position(|b| *b == b'\n') {
        Some(length) => length,
        None if rest.len() <= longest => rest.len(),
        None => return None,
    };
    let (end, next) = (at + length, (at + length + 1).min(text.len()));
    let end = if end > at && text[end - 1] == b'\r' { end - 1 } else { end };
    Some(Found { end, next, lines: 1, unclosed: true })
}

/// Splits the record that starts at `at`. `last`: no text follows. A comment is a record without text.
pub(super) fn split(text: &[u8], at: usize, last: bool, dialect: &Dialect, fields: &mut Vec<Field>) -> Split {
    fields.clear();
    if at >= text.len() {
        return Split::More;
    }
    if let Some(comment) = dialect.comment.as_deref().map(str::as_bytes) {
        let rest = &text[at..];
        if rest.starts_with(comment) {
            return end_of_line(text, at, last).map_or(Split::More, |f| Split::Found(Found { end: at, ..f }));
        }
        if rest.len() < comment.len() && comment.starts_with(rest) && !last {
            return Split::More;
        }
    }
    let (mut i, mut lines) = (at, 0);
    loop {
        let quoted = dialect.quote.is_some() && text.get(i).copied() == dialect.quote;
        let mut field = Field { start: i, end: i, quoted, untidy: false };
        if field.quoted {
            field.start = i + 1;
            match close(text, i + 1, last, dialect, &mut field, &mut lines) {
                Some(after) => i = after,
                None => return if last { Split::Unclosed } else { Split::More },
            }
        }
        let rest = i;
        i = match open_end(text, i, last, dialect, &mut field, &mut lines) {
            Some(end) => end,
            None => return Split::More,
        };
        if !field.quoted || i > rest {
            // Unquoted, or going on after its closing quote.
            field.untidy |= field.quoted;
            field.end = i;
        }
        fields.push(field);
        match text.get(i) {
            Some(b) if *b == dialect.delimiter => i += 1,
            _ => {
                return match end_of_line(text, i, last) {
                    Some(found) => Split::Found(Found { lines: lines + 1, ..found }),
                    None => Split::More,
                };
            }
        }
    }
}

/// The line's end at `at` or after it; `None`: it is not in the text yet.
fn end_of_line(text: &[u8], at: usize, last: bool) -> Option<Found> {
    let end = at + text[at..].iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(text.len() - at);
    let next = match text.get(end) {
        Some(b'\n') => end + 1,
        Some(_) if end + 1 == text.len() && !last => return None,
        Some(_) => end + 1 + usize::from(text.get(end + 1) == Some(&b'\n')),
        None if last => end,
        None => return None,
    };
    Some(Found { end, next, lines: 1, unclosed: false })
}

/// Where what is not in quotes ends: at a delimiter, a line's end or the text's.
fn open_end(
    text: &[u8],
    from: usize,
    last: bool,
    dialect: &Dialect,
    field: &mut Field,
    lines: &mut i64,
) -> Option<usize> {
    let delimiter = dialect.delimiter;
    if dialect.escape.is_none() {
        let ends = |b: &u8| *b == delimiter || *b == b'\n' || *b == b'\r';
        return Some(from + text[from..].iter().position(ends).unwrap_or(text.len() - from));
    }
    let mut i = from;
    loop {
        let ends = |b: &u8| *b == delimiter || *b == b'\n' || *b == b'\r' || dialect.is_escape(*b);
        i += text[i..].iter().position(ends).unwrap_or(text.len() - i);
        match text.get(i) {
            Some(b) if dialect.is_escape(*b) && *b != delimiter => match text.get(i + 1) {
                None if !last => return None,
                next => {
                    if next.is_some_and(|n| dialect.is_special(*n)) {
                        field.untidy = true;
                        *lines += i64::from(next == Some(&b'\n'));
                        i += 2;
                    } else {
                        i += 1;
                    }
                }
            },
            _ => return Some(i),
        }
    }
}

/// Finds the closing quote of the field whose text starts at `from`; returns what follows it.
fn close(text: &[u8], from: usize, last: bool, dialect: &Dialect, field: &mut Field, lines: &mut i64) -> Option<usize> {
    let Some(quote) = dialect.quote else { return Some(from) };
    let mut i = from;
    loop {
        match *text.get(i)? {
            byte if byte == quote => match text.get(i + 1) {
                Some(next) if *next == quote => {
                    field.untidy = true;
                    i += 2;
                }
                None if !last => return None,
                _ => {
                    field.end = i;
                    return Some(i + 1);
                }
            },
            b'\n' => {
                *lines += 1;
                i += 1;
            }
            byte if dialect.is_escape(byte) => match text.get(i + 1) {
                None if !last => return None,
                next if next.is_some_and(|n| dialect.is_special(*n)) => {
                    field.untidy = true;
                    *lines += i64::from(next == Some(&b'\n'));
                    i += 2;
                }
                _ => i += 1,
            },
            _ => i += 1,
        }
    }
}
