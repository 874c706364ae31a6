//! Text cut into statements, which end with `;`, and meta-commands, which are lines that start with `\`. It must not run
//! anything.

use super::lex::{Kind, Token, tokens};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The line in the input on which it starts, from 1.
    pub line: usize,
    /// A statement without its `;`, or a meta-command with its `\`.
    pub text: String,
}

impl Item {
    pub fn is_meta(&self) -> bool {
        self.text.starts_with('\\')
    }
}

/// Takes a text line by line and gives back what is complete.
#[derive(Debug, Default)]
pub struct Splitter {
    held: String,
    /// Lines before `held`.
    lines: usize,
}

impl Splitter {
    /// What is complete with one more line, given without its end.
    pub fn line(&mut self, line: &str) -> Vec<Item> {
        self.held.push_str(line);
        self.held.push('\n');
        std::iter::from_fn(|| self.take()).collect()
    }

    /// The last statement, if it has no `;`.
    pub fn rest(mut self) -> Option<Item> {
        let first = first(&self.held)?.at;
        Some(self.cut(first, self.held.len(), 0))
    }

    fn take(&mut self) -> Option<Item> {
        loop {
            let first = first(&self.held)?;
            let (start, meta, empty) = (first.at, first.is_symbol("\\"), first.is_symbol(";"));
            if meta {
                let end = self.held[start..].find('\n').map_or(self.held.len(), |end| start + end);
                return Some(self.cut(start, end, 0));
            }
            let end = tokens(&self.held).find(|t| t.is_symbol(";"))?.at;
            let item = self.cut(start, end, 1);
            if !empty {
                return Some(item);
            }
        }
    }

    /// Takes what is held from `start` to `end`, and drops what is before it and `more` bytes after.
    fn cut(&mut self, start: usize, end: usize, more: usize) -> Item {
        let lines = |text: &str| text.matches('\n').count();
        let item =
            Item { line: self.lines + lines(&self.held[..start]) + 1, text: self.held[start..end].trim().into() };
        self.lines += lines(&self.held[..end + more]);
        self.held.drain(..end + more);
        item
    }
}

/// The first token that says something. Where it is a comment that is still open, that one.
fn first(text: &str) -> Option<Token<'_>> {
    tokens(text).find(|t| t.kind != Kind::Comment || !t.whole)
}

/// Everything in `text`, whether or not its last statement has its `;`.
pub fn split(text: &str) -> Vec<Item> {
    let mut splitter = Splitter::default();
    let mut items: Vec<Item> = text.lines().flat_map(|line| splitter.line(line)).collect();
    items.extend(splitter.rest());
    items
}

/// Whether nothing is left open at the end of `text`.
pub fn is_complete(text: &str) -> bool {
    let mut splitter = Splitter::default();
    text.lines().for_each(|line| drop(splitter.line(line)));
    first(&splitter.held).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(usize, String)> {
        split(text).into_iter().map(|item| (item.line, item.text)).collect()
    }

    fn owned<const N: usize>(items: [(usize, &str); N]) -> Vec<(usize, String)> {
        items.map(|(line, text)| (line, text.to_string())).into()
    }

    #[test]
    fn statements_end_at_semicolons_that_nothing_hides() {
        assert_eq!(
            texts("SELECT 1; SELECT\n';' -- no;\n; SELECT 3"),
            owned([(1, "SELECT 1"), (1, "SELECT\n';' -- no;"), (3, "SELECT 3")])
        );
        assert_eq!(texts("-- a note\n\nSELECT \"a;b\" /* ; */;;\n;\n"), owned([(3, "SELECT \"a;b\" /* ; */")]));
        assert_eq!(texts("SELECT $$;$$;\r\nSELECT 'it''s;'"), owned([(1, "SELECT $$;$$"), (2, "SELECT 'it''s;'")]));
        assert_eq!(texts(" \n-- nothing;\n/* ; */"), owned([]));
        assert_eq!(texts("SELECT 'open;"), owned([(1, "SELECT 'open;")]), "the engine says what is wrong with it");
    }

    #[test]
    fn meta_commands_are_lines_of_their_own() {
        assert_eq!(
            texts("\\timing on\nSELECT 1; \\x\n-- why\n\\set a it's;\nSELECT\n2;"),
            owned([(1, "\\timing on"), (2, "SELECT 1"), (2, "\\x"), (4, "\\set a it's;"), (5, "SELECT\n2")])
        );
    }

    #[test]
    fn a_statement_waits_for_its_end() {
        for open in ["SELECT 1", "SELECT ';", "SELECT 1 -- ;", "SELECT 1; SELECT", "/* ;", "SELECT $$;"] {
            assert!(!is_complete(open), "{open}");
        }
        for complete in ["", " ", "SELECT 1;", "SELECT 1; -- done", "\\d", "\\report a b='c", "-- nothing", ";"] {
            assert!(is_complete(complete), "{complete}");
        }
    }

    #[test]
    fn lines_come_one_by_one() {
        let mut splitter = Splitter::default();
        assert_eq!(splitter.line("SELECT 1; SELECT"), [Item { line: 1, text: "SELECT 1".into() }]);
        assert_eq!(splitter.line("-- ;"), []);
        assert_eq!(splitter.line("2;"), [Item { line: 1, text: "SELECT\n-- ;\n2".into() }]);
        assert_eq!(splitter.line("\\d"), [Item { line: 4, text: "\\d".into() }]);
        assert_eq!(splitter.rest(), None);
    }
}
