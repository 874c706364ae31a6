//! Just enough of PostgreSQL's lexical rules to find where statements end and what they begin with. Texts in quotes,
//! dollar quotes and comments may hold anything. It must not judge SQL: what it does not know, the engine reads.

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A bare word, in lower case.
    Word(String),
    /// A name in double quotes.
    Name(String),
    /// A text, without its quotes.
    Text(String),
    Number(String),
    Symbol(char),
}

impl Token {
    /// The word or name.
    pub fn name(&self) -> Option<&str> {
        match self {
            Token::Word(word) | Token::Name(word) => Some(word),
            _ => None,
        }
    }
    /// The word, name, text or number.
    pub fn value(&self) -> Option<&str> {
        match self {
            Token::Word(text) | Token::Name(text) | Token::Text(text) | Token::Number(text) => Some(text),
            Token::Symbol(_) => None,
        }
    }
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(own) if own == word)
    }
}

/// The statements of `sql`, without those that are empty.
pub fn statements(sql: &str) -> Vec<&str> {
    let mut lexer = Lexer::new(sql);
    let (mut found, mut from, mut empty) = (Vec::new(), 0, true);
    while let Some((token, at)) = lexer.next() {
        match token {
            Token::Symbol(';') => {
                found.extend((!empty).then(|| sql[from..at].trim()));
                (from, empty) = (lexer.at, true);
            }
            _ => empty = false,
        }
    }
    found.extend((!empty).then(|| sql[from..].trim()));
    found
}

/// The first token of a statement: what follows is not read.
pub fn first(sql: &str) -> Option<Token> {
    Lexer::new(sql).next().map(|(token, _)| token)
}

/// The tokens of one statement with the places where they begin.
pub fn tokens(sql: &str) -> Vec<(Token, usize)> {
    let mut lexer = Lexer::new(sql);
    std::iter::from_fn(|| lexer.next()).collect()
}

struct Lexer<'a> {
    sql: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn new(sql: &'a str) -> Lexer<'a> {
        Lexer { sql, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.sql[self.at..]
    }

    /// The next token and where it begins.
    fn next(&mut self) -> Option<(Token, usize)> {
        self.skip_blanks();
        let (from, rest) = (self.at, self.rest());
        let first = rest.chars().next()?;
        let token = match first {
            '\'' => Token::Text(self.quoted('\'', false)),
            'e' | 'E' if rest[1..].starts_with('\'') => {
                self.at += 1;
                Token::Text(self.quoted('\'', true))
            }
            '"' => Token::Name(self.quoted('"', false)),
            '$' => self.dollar(),
            c if c.is_ascii_digit() => Token::Number(self.take(|c| c.is_ascii_alphanumeric() || c == '.').into()),
            c if c.is_alphabetic() || c == '_' => Token::Word(self.take(in_word).to_lowercase()),
            c => {
                self.at += c.len_utf8();
                Token::Symbol(c)
            }
        };
        Some((token, from))
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take(char::is_whitespace);
            let rest = self.rest();
            if rest.starts_with("--") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.comment();
            } else {
                return;
            }
        }
    }

    /// Comments nest.
    fn comment(&mut self) {
        let mut depth = 0;
        loop {
            let rest = self.rest();
            let step = if rest.starts_with("/*") {
                depth += 1;
                2
            } else if rest.starts_with("*/") {
                depth -= 1;
                2
            } else {
                rest.chars().next().map_or(0, char::len_utf8)
            };
            self.at += step;
            if depth == 0 || step == 0 {
                return;
            }
        }
    }

    /// What stands between two `quote`s, of which two mean one; `escapes`: a backslash takes the next along.
    fn quoted(&mut self, quote: char, escapes: bool) -> String {
        self.at += quote.len_utf8();
        let mut text = String::new();
        let mut letters = self.rest().char_indices().peekable();
        while let Some((at, c)) = letters.next() {
            if c == quote && letters.peek().is_none_or(|(_, next)| *next != quote) {
                self.at += at + quote.len_utf8();
                return text;
            }
            if c == quote || (escapes && c == '\\') {
                let meant = |next| if c == quote { next } else { escaped(next) };
                text.extend(letters.next().map(|(_, next)| meant(next)));
            } else {
                text.push(c);
            }
        }
        self.at = self.sql.len();
        text
    }

    /// `$1`, `$tag$ … $tag$`, or a dollar that is nothing.
    fn dollar(&mut self) -> Token {
        let rest = self.rest();
        let tag = rest[1..].find(|c| !in_word(c) || c == '$').map(|end| &rest[..end + 1]);
        let tag = tag.filter(|t| rest[t.len()..].starts_with('$') && !t[1..].starts_with(|c: char| c.is_ascii_digit()));
        let Some(tag) = tag.map(|t| &rest[..=t.len()]) else {
            self.at += 1;
            return Token::Symbol('$');
        };
        let body = &rest[tag.len()..];
        let end = body.find(tag).unwrap_or(body.len());
        self.at = (self.at + tag.len() + end + tag.len()).min(self.sql.len());
        Token::Text(body[..end].into())
    }
}

/// What a letter behind a backslash means.
fn escaped(letter: char) -> char {
    match letter {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        other => other,
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_semicolons_that_are_not_quoted() {
        let of = |sql| statements(sql);
        assert_eq!(of("SELECT 1; SELECT ';' ;"), ["SELECT 1", "SELECT ';'"]);
        assert_eq!(of("  ;;\n-- a; b\n;"), Vec::<&str>::new());
        assert_eq!(of("SELECT $$;$$; SELECT $a$ $$;$a$"), ["SELECT $$;$$", "SELECT $a$ $$;$a$"]);
        assert_eq!(
            of("SELECT E'\\';' /* ; /* ; */ ; */; SELECT \"a;\"\"b\""),
            ["SELECT E'\\';' /* ; /* ; */ ; */", "SELECT \"a;\"\"b\""]
        );
        assert_eq!(of("SELECT 'it''s; so'"), ["SELECT 'it''s; so'"]);
        assert_eq!(of("SELECT $1; SELECT 2"), ["SELECT $1", "SELECT 2"]);
        assert_eq!(of("SELECT 'open; "), ["SELECT 'open;"]);
        assert_eq!(of("SELECT 'é'; SELECT '中;'"), ["SELECT 'é'", "SELECT '中;'"]);
    }

    #[test]
    fn tokens_know_their_kind() {
        let of = |sql| tokens(sql).into_iter().map(|(t, _)| t).collect::<Vec<_>>();
        assert_eq!(
            of("SET \"My\" = 'it''s', 5s"),
            [
                Token::Word("set".into()),
                Token::Name("My".into()),
                Token::Symbol('='),
                Token::Text("it's".into()),
                Token::Symbol(','),
                Token::Number("5s".into()),
            ]
        );
        assert_eq!(of("$"), [Token::Symbol('$')]);
        assert_eq!(of("E'\\t\\'' '\\t'"), [Token::Text("\t'".into()), Token::Text("\\t".into())]);
        assert_eq!(of("é$"), [Token::Word("é$".into())]);
    }
}
