//! SQL cut into tokens, as far as a shell must know it: what is quoted or a comment, what is a word. It must not judge
//! whether a statement means anything.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A keyword, a name or a number.
    Word,
    /// `'text'`, `E'te\'xt'`, `$$text$$`.
    Text,
    /// `"name"`
    Name,
    /// `$name`
    Parameter,
    /// `-- to the end of the line`, `/* nested */`
    Comment,
    Symbol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    /// Where it starts, in bytes.
    pub at: usize,
    /// Whether its end was found: a quote that is still open takes the rest.
    pub whole: bool,
}

impl Token<'_> {
    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }

    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    /// The words within the quotes of a text or name.
    pub fn unquoted(&self) -> String {
        let inner = |quote: char| {
            let text = self.text.strip_prefix(quote)?;
            let text = if self.whole { text.strip_suffix(quote)? } else { text };
            Some(text.replace(&format!("{quote}{quote}"), &quote.to_string()))
        };
        inner('\'').or_else(|| inner('"')).unwrap_or_else(|| self.text.to_string())
    }
}

/// The tokens of `sql`; blanks are left out.
pub fn tokens(sql: &str) -> Tokens<'_> {
    Tokens { sql, at: 0 }
}

/// Whether `c` belongs to words.
pub fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub struct Tokens<'a> {
    sql: &'a str,
    at: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = self.sql.get(self.at..)?;
        let at = self.at + (rest.len() - rest.trim_start().len());
        let rest = rest.trim_start();
        let first = rest.chars().next()?;
        let (kind, found) = cut(rest, first);
        let text = &rest[..found.unwrap_or(rest.len())];
        self.at = at + text.len();
        Some(Token { kind, text, at, whole: found.is_some() })
    }
}

/// The kind of the token at the start of `rest`, and its length where its end was found.
fn cut(rest: &str, first: char) -> (Kind, Option<usize>) {
    match first {
        '\'' => (Kind::Text, quoted(rest, '\'', false)),
        '"' | '`' => (Kind::Name, quoted(rest, first, false)),
        'e' | 'E' if rest[1..].starts_with('\'') => (Kind::Text, quoted(&rest[1..], '\'', true).map(|end| end + 1)),
        '-' if rest.starts_with("--") => (Kind::Comment, Some(rest.find('\n').unwrap_or(rest.len()))),
        '/' if rest.starts_with("/*") => (Kind::Comment, comment(rest)),
        '$' => dollar(rest),
        _ if in_word(first) => (Kind::Word, Some(word(rest))),
        _ => (Kind::Symbol, Some(first.len_utf8())),
    }
}

fn word(rest: &str) -> usize {
    rest.find(|c| !in_word(c)).unwrap_or(rest.len())
}

/// The length of what starts with `quote`; a doubled one stands for itself.
fn quoted(rest: &str, quote: char, escapes: bool) -> Option<usize> {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if escapes && letter == '\\' {
            letters.next();
        } else if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at + quote.len_utf8());
        }
    }
    None
}

/// The length of `/* … */`, with comments within.
fn comment(rest: &str) -> Option<usize> {
    let (mut at, mut depth) = (0, 0);
    loop {
        let next = rest[at..].find(['*', '/'])? + at;
        let (step, change) = match rest.as_bytes().get(next..next + 2)? {
            b"/*" => (2, 1),
            b"*/" => (2, -1),
            _ => (1, 0),
        };
        at = next + step;
        depth += change;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// `$name`, `$$text$$` or `$tag$text$tag$`.
fn dollar(rest: &str) -> (Kind, Option<usize>) {
    let name = 1 + word(&rest[1..]);
    if !rest[name..].starts_with('$') {
        return (if name > 1 { Kind::Parameter } else { Kind::Symbol }, Some(name));
    }
    let tag = &rest[..=name];
    (Kind::Text, rest[tag.len()..].find(tag).map(|end| end + 2 * tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_up(sql: &str) -> Vec<(Kind, &str)> {
        tokens(sql).map(|t| (t.kind, t.text)).collect()
    }

    #[test]
    fn quotes_and_comments_hide_what_is_in_them() {
        use Kind::*;
        assert_eq!(
            cut_up("a.b='it''s;'"),
            [(Word, "a"), (Symbol, "."), (Word, "b"), (Symbol, "="), (Text, "'it''s;'")]
        );
        assert_eq!(cut_up(r#""a""; b" `c;`"#), [(Name, r#""a""; b""#), (Name, "`c;`")]);
        assert_eq!(cut_up("1 -- it's;\n;"), [(Word, "1"), (Comment, "-- it's;"), (Symbol, ";")]);
        assert_eq!(cut_up("/* a /* ; */ ' */ b"), [(Comment, "/* a /* ; */ ' */"), (Word, "b")]);
        assert_eq!(cut_up(r"E'it\'s' e1"), [(Text, r"E'it\'s'"), (Word, "e1")]);
        assert_eq!(
            cut_up("$from $$;$$ $t$ $$; $t$ $"),
            [(Parameter, "$from"), (Text, "$$;$$"), (Text, "$t$ $$; $t$"), (Symbol, "$")]
        );
        assert_eq!(cut_up("渠道 ≥ 1"), [(Word, "渠道"), (Symbol, "≥"), (Word, "1")]);
    }

    #[test]
    fn what_is_open_takes_the_rest() {
        for open in ["'a;", "\"a;", "/* a; /* */", "$$a;", "$t$a;$$", "E'\\'", "'", "/*", "/* *"] {
            let all: Vec<Token> = tokens(open).collect();
            assert!(matches!(all[..], [Token { whole: false, text, .. }] if text == open), "{open}: {all:?}");
        }
    }

    #[test]
    fn quotes_come_off() {
        let first = |sql| tokens(sql).next().map(|t: Token| t.unquoted()).unwrap_or_default();
        assert_eq!(first("'it''s'"), "it's");
        assert_eq!(first("'sales-"), "sales-");
        assert_eq!(first("\"Net\""), "Net");
        assert_eq!(first("word"), "word");
    }
}
