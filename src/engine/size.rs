//! How long a statement may be, how long its chains of operators, and how deep its brackets: parsing, planning and running
//! call themselves once per operator, and a stack that overflows ends the whole process. It looks at tokens, before anything
//! is parsed, and must not know what a statement means.
//!
//! Commas are no depth: lists, rows of VALUES and columns are held side by side, however many they are. What is counted is
//! what may end up below one another: the operators of one item of a list with those around its brackets, and that of every
//! query in the statement together, because the optimizer puts the expressions of a subquery into those of the query.

mod words;

use datafusion::sql::sqlparser::dialect::Dialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use self::words::{CHAINED, OPERATORS, RETRIED, TYPES, ends_operand, is_all, is_literal, is_query, keyword};
use crate::error::{Error, Result};

/// Bytes of SQL, whatever door it comes by.
pub const MOST_TEXT: usize = 16 << 20;
/// What becomes of a token takes so many bytes, about: the token itself, and its part of the syntax tree and of the plan.
const PER_TOKEN: usize = 400;
/// Bytes for which nothing is reserved.
const SMALL: usize = 1 << 20;
/// Operators below one another. BI tools do write a thousand values as `x = 1 OR x = 2 …`, which are two each.
/// [`super::runtime::STACK`] has room for 100 KiB per operator.
pub const MOST_OPERATORS: usize = 2_500;
/// So many operators is each of `+ - * / %`: DataFusion works out the type of all before it anew at every step, some microseconds
/// each. 600 of them are planned in a second, as are 2,500 of the others.
const ARITHMETIC: usize = 4;
/// Brackets in brackets. The parser itself takes about 50, but not for the types in a CAST.
pub const MOST_BRACKETS: usize = 100;
/// Nested words that the parser reads again, as names, when what follows them is wrong: each of `CASE WHEN 1 THEN CASE WHEN …`
/// or `CAST(CAST(…` without its end doubles the work. In PostgreSQL's dialect so does each call of a function within another: its
/// argument is read as a name first.
const MOST_RETRIES: usize = 16;

/// Refuses `sql` if it has too much of anything that costs stack.
///
/// # Errors
/// `Invalid`, with what was found, the limit, and what works instead.
pub fn check(sql: &str, dialect: &dyn Dialect) -> Result<()> {
    check_text(sql)?;
    // What are no tokens is told by the parser, which does not come further either.
    let Ok(tokens) = Tokenizer::new(dialect, sql).tokenize() else { return Ok(()) };
    let calls = dialect.supports_named_fn_args_with_expr_name();
    let Size { operators, brackets, retries } = measure(&tokens, calls);
    if operators > MOST_OPERATORS {
        let found = format!("{operators} operators are chained or nested here, and at most {MOST_OPERATORS} are taken");
        return Err(Error::invalid(found).hint(
            "write x IN (…) for a chain of OR, VALUES or a table to join for many constants, or a list as a parameter: \
             lists may be of any length",
        ));
    }
    if brackets > MOST_BRACKETS {
        let found = format!("brackets are nested {brackets} deep here, and at most {MOST_BRACKETS} deep is taken");
        return Err(
            Error::invalid(found).hint("leave out those that change nothing, or give the inner parts names by WITH")
        );
    }
    if retries > MOST_RETRIES {
        let what = if calls { "calls of functions, CAST, CASE" } else { "CAST, CASE" };
        let found =
            format!("{retries} of {what}, INTERVAL and the like are nested here, and at most {MOST_RETRIES} are taken");
        return Err(Error::invalid(found)
            .hint("write all conditions as WHEN … of one CASE, or give the inner parts names by WITH"));
    }
    Ok(())
}

/// Refuses `sql` if it is too long to be read at all.
///
/// # Errors
/// `Invalid`, with its length, the limit, and what works instead.
pub fn check_text(sql: &str) -> Result<()> {
    if sql.len() <= MOST_TEXT {
        return Ok(());
    }
    let found = format!("the statement has {} bytes, and at most {} MiB are taken", sql.len(), MOST_TEXT >> 20);
    Err(Error::invalid(found).hint(
        "give long values as parameters ($1), a list as one parameter of many values or as a table: land it by \
         `saleslake ingest`, and join it",
    ))
}

/// The bytes that `sql` takes while it is parsed and planned, about; `None`: not worth counting, or it is not parsed at all.
pub fn memory(sql: &str) -> Option<usize> {
    let bytes = tokens(sql).saturating_mul(PER_TOKEN);
    (sql.len() <= MOST_TEXT && bytes > SMALL).then_some(bytes)
}

/// The tokens of `sql`, blanks and signs among them: no fewer than there are, but for signs of several letters. What is in
/// quotes counts as if it were not.
fn tokens(sql: &str) -> usize {
    let (mut count, mut in_word) = (0, false);
    for byte in sql.bytes() {
        let of_word = byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
        count += usize::from(!(of_word && in_word));
        in_word = of_word;
    }
    count
}

/// What a statement has, at most, below one another.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Size {
    operators: usize,
    brackets: usize,
    retries: usize,
}

/// `calls`: calls of functions are read again.
fn measure(tokens: &[Token], calls: bool) -> Size {
    let tokens: Vec<&Token> = tokens.iter().filter(|t| !matches!(t, Token::Whitespace(_))).collect();
    let mut walk = Walk { calls, open: Vec::new(), now: Level::default(), periods: 0, size: Size::default() };
    let mut before = None;
    for (at, token) in tokens.iter().enumerate() {
        walk.take(token, before, tokens.get(at + 1).copied());
        before = Some(*token);
    }
    while walk.close() {}
    walk.size.operators += walk.now.depth();
    walk.size
}

/// What is between two brackets.
#[derive(Default)]
struct Level {
    /// A query of its own.
    query: bool,
    /// Operators of the item at which we are: a comma begins the next.
    item: usize,
    /// The most that a bracket of this item has inside: all of the item's operators may end up above it.
    inside: usize,
    /// The most that an item had, with its brackets.
    items: usize,
    /// Operators that no comma ends: UNION, JOIN.
    whole: usize,
    /// Words that the parser may read twice: around this level, in this item, and each CASE until its END.
    retries_around: usize,
    retries: usize,
    cases: usize,
}

impl Level {
    fn count(&mut self, operators: usize, inside: usize) {
        self.item += operators;
        self.inside = self.inside.max(inside);
        self.items = self.items.max(self.item + self.inside);
    }

    fn depth(&self) -> usize {
        self.items + self.whole
    }

    fn retried(&self) -> usize {
        self.retries_around + self.retries + self.cases
    }
}

struct Walk {
    /// Whether calls of functions are read again.
    calls: bool,
    open: Vec<Level>,
    now: Level,
    /// Of the name at which we are: `a.b.c`.
    periods: usize,
    /// `operators`: those of the queries that are closed.
    size: Size,
}

impl Walk {
    fn take(&mut self, token: &Token, before: Option<&Token>, after: Option<&Token>) {
        let follows_period = matches!(before, Some(Token::Period));
        if !matches!(token, Token::Period) && !follows_period {
            self.periods = 0;
        }
        match token {
            Token::LParen => {
                let retried = keyword(before).is_some_and(|word| RETRIED.contains(&word));
                // Any word may be a function's name: `and(and(1))`.
                let call = self.calls && matches!(before, Some(Token::Word(_)));
                self.open(is_query(after), retried || call);
            }
            Token::LBracket | Token::LBrace => {
                self.operator();
                self.open(false, keyword(before).is_some_and(|word| TYPES.contains(&word)));
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                self.close();
            }
            Token::Comma => {
                (self.now.item, self.now.inside) = (0, 0);
                (self.now.retries, self.now.cases) = (0, 0);
            }
            // `catalog.schema.table.column` is a name, and what is longer goes into a value.
            Token::Period => {
                self.periods += 1;
                if self.periods > 3 {
                    self.operator();
                }
            }
            // The types of a struct have commas between them.
            Token::Lt if keyword(before).is_some_and(|word| TYPES.contains(&word)) => self.chained(),
            Token::Word(_) => self.word(keyword(Some(token)), before, after),
            // All columns, or all rows.
            Token::Mul if is_all(before) => self.operator(),
            Token::Plus | Token::Minus | Token::Mul | Token::Div | Token::Mod => self.now.count(ARITHMETIC, 0),
            Token::EOF | Token::SemiColon | Token::Placeholder(_) => {}
            literal if is_literal(literal) => {}
            _ => self.operator(),
        }
    }

    fn word(&mut self, word: Option<Keyword>, before: Option<&Token>, after: Option<&Token>) {
        let Some(word) = word else { return };
        match word {
            Keyword::CASE => self.now.cases += 1,
            // Else it is a name: `CASE WHEN end THEN …`.
            Keyword::END if ends_operand(before) => self.now.cases = self.now.cases.saturating_sub(1),
            Keyword::INTERVAL if !after.is_some_and(is_literal) => self.now.retries += 1,
            // What follows its brackets may be a name, too.
            Keyword::OPERATOR => self.now.retries += 1,
            _ => {}
        }
        self.size.retries = self.size.retries.max(self.now.retried());
        if CHAINED.contains(&word) {
            self.chained();
        } else if OPERATORS.contains(&word) {
            self.operator();
        }
    }

    fn operator(&mut self) {
        self.now.count(1, 0);
    }

    fn chained(&mut self) {
        self.now.whole += 1;
    }

    fn open(&mut self, query: bool, retried: bool) {
        let retries_around = self.now.retried() + usize::from(retried);
        let inner = Level { query, retries_around, ..Level::default() };
        self.open.push(std::mem::replace(&mut self.now, inner));
        self.size.brackets = self.size.brackets.max(self.open.len());
        self.size.retries = self.size.retries.max(retries_around);
    }

    /// Back to the level around; false if there is none.
    fn close(&mut self) -> bool {
        let Some(outer) = self.open.pop() else { return false };
        let inner = std::mem::replace(&mut self.now, outer);
        match inner.query {
            true => self.size.operators += inner.depth(),
            false => self.now.count(0, inner.depth()),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::{GenericDialect, PostgreSqlDialect};

    use super::*;

    fn size(sql: &str) -> Size {
        measure(&Tokenizer::new(&GenericDialect {}, sql).tokenize().unwrap(), false)
    }

    fn operators(sql: &str) -> usize {
        size(sql).operators
    }

    #[test]
    fn what_is_below_one_another_is_counted() {
        assert_eq!(operators("SELECT a, b FROM t"), 0);
        assert_eq!(operators("SELECT 1 + 2 * 3"), 2 * ARITHMETIC);
        assert_eq!(operators("SELECT a OR (b AND (c OR d)) AND e"), 4, "the last one is above all others");
        assert_eq!(operators("SELECT a || b || c"), 2);
        assert_eq!(operators("SELECT a + b, c + d, -e"), ARITHMETIC, "items lie side by side");
        assert_eq!(operators("SELECT f(a < b, c < d) < g(NOT e)"), 2);
        assert_eq!(operators("SELECT *, t.*, count(*) FROM t"), 1);
        assert_eq!(operators("SELECT a, b FROM t UNION ALL SELECT a, b FROM t UNION ALL SELECT a, b FROM t"), 2);
        assert_eq!(operators("SELECT x::text::text[1]"), 3);
        assert_eq!(operators("SELECT NOT NOT a IS NULL"), 3);
        assert_eq!(operators("SELECT a.b.c.d, (x).e.f.g.h.i"), 2, "a name has up to four parts");
        assert_eq!(operators("SELECT CAST(x AS STRUCT<a INT, b STRUCT<a INT, b INT>>)"), 3, "two types and their end");
        assert_eq!(operators("SELECT \"and\" \"or\" FROM \"union\""), 0, "names");
    }

    #[test]
    fn the_queries_of_a_statement_count_together() {
        assert_eq!(operators("WITH a AS (SELECT 1 < 1 AS x), b AS (SELECT x < 1 AS x FROM a) SELECT x < 1 FROM b"), 3);
        assert_eq!(operators("SELECT x + 1 FROM (SELECT x - 1 - 1 AS x FROM t)"), 3 * ARITHMETIC);
    }

    #[test]
    fn lists_may_be_of_any_length() {
        let list = |item: &str| vec![item; 50_000].join(", ");
        for sql in [
            format!("SELECT a FROM t WHERE a IN ({})", list("-1")),
            format!("SELECT * FROM (VALUES {}) AS v(a, b)", list("(-1, 'x' || 'y')")),
            format!("SELECT {} FROM t", list("a + b")),
            format!("SELECT a FROM t WHERE a = ANY(ARRAY[{}])", list("1")),
        ] {
            check(&sql, &GenericDialect {}).unwrap();
            check(&sql, &PostgreSqlDialect {}).unwrap();
        }
    }

    #[test]
    fn too_much_is_refused_with_the_limit_and_what_works() {
        let chain = |n: usize| format!("SELECT 1{}", " OR 1".repeat(n));
        check(&chain(MOST_OPERATORS), &GenericDialect {}).unwrap();
        let error = check(&chain(MOST_OPERATORS + 1), &GenericDialect {}).unwrap_err();
        assert!(error.to_string().contains("2501") && error.to_string().contains("2500"), "{error}");
        assert!(error.hint_text().unwrap().contains("IN (…)"));
        let nested = |n: usize| format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n));
        check(&nested(MOST_BRACKETS), &GenericDialect {}).unwrap();
        let error = check(&nested(MOST_BRACKETS + 1), &GenericDialect {}).unwrap_err();
        assert!(error.to_string().contains("101 deep"), "{error}");
        for open in ["INTERVAL ", "CAST(", "NOT (", "INTERVAL (", "ARRAY[", "CASE (", "CASE WHEN end THEN "] {
            check(&format!("SELECT {}", open.repeat(MOST_RETRIES)), &GenericDialect {}).unwrap();
            assert!(check(&format!("SELECT {}", open.repeat(MOST_RETRIES + 1)), &GenericDialect {}).is_err(), "{open}");
        }
        let calls = |n: usize| format!("SELECT {}1{}", "\"abs\"(0 + coalesce(".repeat(n / 2), "))".repeat(n / 2));
        check(&calls(MOST_RETRIES + 4), &GenericDialect {}).unwrap();
        check(&calls(MOST_RETRIES), &PostgreSqlDialect {}).unwrap();
        let error = check(&calls(MOST_RETRIES + 2), &PostgreSqlDialect {}).unwrap_err();
        assert!(error.to_string().contains("18 of calls of functions"), "{error}");
        let nested = "SELECT 1 WHERE (a IN (SELECT b FROM (VALUES (1)) AS c WHERE EXISTS (SELECT 1) AND (".repeat(4);
        check(&nested, &PostgreSqlDialect {}).unwrap();
        for word in ["and", "filter", "div", "select", "when", "over"] {
            let hidden = format!("SELECT {}1{}", format!("{word}(").repeat(40), ")".repeat(40));
            assert!(check(&hidden, &PostgreSqlDialect {}).is_err(), "{word}");
        }
        let days = ["d + INTERVAL '1' DAY > CASE WHEN a THEN b ELSE NULL END"; 100].join(" AND ");
        check(&format!("SELECT {days}"), &GenericDialect {}).unwrap();
    }

    #[test]
    fn a_text_too_long_is_refused_before_it_is_read() {
        let of = |length: usize| format!("SELECT '{}'", "x".repeat(length - "SELECT ''".len()));
        check(&of(MOST_TEXT), &GenericDialect {}).unwrap();
        for dialect in [&GenericDialect {} as &dyn Dialect, &PostgreSqlDialect {}] {
            let error = check(&of(MOST_TEXT + 1), dialect).unwrap_err();
            assert!(error.to_string().contains("16777217 bytes") && error.to_string().contains("16 MiB"), "{error}");
            assert!(error.hint_text().unwrap().contains("parameters"));
        }
    }

    #[test]
    fn memory_is_counted_by_tokens() {
        for sql in ["SELECT a_b, 12 FROM t", "(1,-1),\n(2, 'x')", "é = 'ü'"] {
            let there = Tokenizer::new(&GenericDialect {}, sql).tokenize().unwrap().len();
            assert!((there..=there + 4).contains(&tokens(sql)), "{sql}: {} for {there}", tokens(sql));
        }
        let ones = |n: usize| format!("SELECT 1{}", ",1".repeat(n));
        assert_eq!(memory(&ones(1_000)), None, "little");
        assert_eq!(memory(&ones(1 << 20)), Some((3 + (2 << 20)) * PER_TOKEN));
        assert_eq!(memory(&format!("SELECT '{}'", "x".repeat(1 << 20))), None, "one token");
        assert_eq!(memory(&ones(MOST_TEXT)), None, "it is refused");
    }

    /// Neither by names that are words nor by brackets that do not fit.
    #[test]
    fn chains_cannot_be_hidden() {
        let many = |part: &str| format!("SELECT CASE WHEN 1{}", part.repeat(MOST_OPERATORS + 1));
        for part in ["::then", "::\"then\"", " + end", ") + (1", " COLLATE then", " IS DISTINCT FROM then", "[1, 2]"] {
            assert!(check(&many(part), &GenericDialect {}).is_err(), "{part}");
        }
    }
}
