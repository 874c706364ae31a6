//! What a statement asks of the connection rather than of the lake: transactions, settings, cursors, COPY. Everything else
//! is a query. It must not run anything.

use super::copy_options::{CopyFormat, copy_format};
use super::lexer::{Token, first, tokens};
use crate::engine::check_text;
use crate::error::{Error, ErrorKind, Result};

/// One statement, understood as far as the connection must understand it.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// For the engine.
    Query(String),
    /// The words that answer it: `BEGIN` or `START TRANSACTION`.
    Begin(&'static str),
    Commit,
    Rollback,
    /// By its name, as are the next two.
    Savepoint(String),
    Release(String),
    RollbackTo(String),
    Set {
        name: String,
        value: String,
        /// Until the transaction ends.
        local: bool,
    },
    /// `None` = all.
    Reset(Option<String>),
    /// `None` = all.
    Show(Option<String>),
    DiscardAll,
    /// What there is none of: plans, sequences, temporary tables. The words that answer it.
    Discard(&'static str),
    /// A prepared statement; `None` = all.
    Deallocate(Option<String>),
    Declare {
        cursor: String,
        query: String,
        hold: bool,
    },
    /// `None` = all rows.
    Fetch {
        cursor: String,
        rows: Option<usize>,
        give: bool,
    },
    /// `None` = all.
    Close(Option<String>),
    Copy {
        query: String,
        format: CopyFormat,
    },
    /// Listening for what never comes would be a lie, ending it is none.
    Unlisten,
}

/// Statements that change something, and those that only a database with storage of its own has.
const WRITES: [&str; 24] = [
    "insert",
    "update",
    "delete",
    "merge",
    "truncate",
    "create",
    "drop",
    "alter",
    "grant",
    "revoke",
    "vacuum",
    "analyze",
    "reindex",
    "cluster",
    "refresh",
    "comment",
    "lock",
    "do",
    "call",
    "import",
    "security",
    "checkpoint",
    "load",
    "reassign",
];

/// How queries begin. They may be long, and the engine reads them.
const QUERIES: [&str; 6] = ["select", "with", "values", "table", "explain", "from"];

/// Reads one statement.
///
/// # Errors
/// `Denied`: it writes. `Invalid`: it is none of ours, or only half of one.
pub fn command(sql: &str) -> Result<Command> {
    match first(sql).as_ref().and_then(Token::name) {
        None => return Ok(Command::Query(sql.into())),
        Some(word) if QUERIES.contains(&word) => return Ok(Command::Query(sql.into())),
        Some(word) if WRITES.contains(&word) => return Err(read_only(word)),
        _ => check_text(sql)?,
    }
    let all = tokens(sql);
    let words: Vec<&Token> = all.iter().map(|(token, _)| token).collect();
    let Some(first) = words.first().and_then(|t| t.name()) else { return Ok(Command::Query(sql.into())) };
    let second = words.get(1).copied();
    let is_second = |word: &str| second.is_some_and(|t| t.is(word));
    Ok(match first {
        "begin" => Command::Begin("BEGIN"),
        "start" if is_second("transaction") => Command::Begin("START TRANSACTION"),
        "commit" | "end" => Command::Commit,
        "rollback" | "abort" if words.iter().any(|t| t.is("to")) => Command::RollbackTo(savepoint(&words)?),
        "rollback" | "abort" => Command::Rollback,
        "savepoint" => Command::Savepoint(savepoint(&words)?),
        "release" => Command::Release(savepoint(&words)?),
        "set" => set(&words[1..])?,
        "reset" => Command::Reset(setting_or_all(&words[1..])?),
        "show" => Command::Show(setting_or_all(&words[1..])?),
        "discard" => discard(second)?,
        "deallocate" => Command::Deallocate(last_or_all(&words)?),
        "declare" => declare(sql, &all)?,
        "fetch" | "move" => fetch(&words, first == "fetch")?,
        "close" => Command::Close(last_or_all(&words)?),
        "copy" => copy(sql, &all)?,
        "unlisten" => Command::Unlisten,
        "listen" => {
            let none = Error::invalid("LISTEN: there are no notifications");
            return Err(none.hint("ask again: queries see what was committed when they start"));
        }
        "notify" => return Err(Error::invalid("NOTIFY: there are no notifications")),
        "prepare" | "execute" => {
            let none = Error::invalid(format!("{}: not as a statement", first.to_uppercase()));
            return Err(none.hint("prepared statements of the protocol work: every driver has them"));
        }
        _ => Command::Query(sql.into()),
    })
}

fn read_only(word: &str) -> Error {
    Error::new(ErrorKind::Denied, format!("cannot execute {} in a read-only transaction", word.to_uppercase()))
        .hint("this server only reads: rows come into the lake through `saleslake ingest` and POST /api/v1/ingest")
}

fn half(what: &str, shape: &str) -> Error {
    Error::invalid(format!("{what}: the statement is not understood")).hint(format!("write {shape}"))
}

/// `SAVEPOINT name`, `RELEASE [SAVEPOINT] name`, `ROLLBACK TO [SAVEPOINT] name`
fn savepoint(words: &[&Token]) -> Result<String> {
    let name = words.last().filter(|_| words.len() > 1).and_then(|t| t.name());
    name.map(Into::into).ok_or_else(|| half("SAVEPOINT, RELEASE and ROLLBACK TO", "the savepoint's name"))
}

fn discard(what: Option<&Token>) -> Result<Command> {
    Ok(match what.and_then(|t| t.name()) {
        Some("all") => Command::DiscardAll,
        Some("plans") => Command::Discard("DISCARD PLANS"),
        Some("sequences") => Command::Discard("DISCARD SEQUENCES"),
        Some("temp" | "temporary") => Command::Discard("DISCARD TEMP"),
        _ => return Err(half("DISCARD", "DISCARD ALL, PLANS, SEQUENCES or TEMP")),
    })
}

/// `SET [SESSION | LOCAL] name {= | TO} value`, `SET TIME ZONE value`, `SET NAMES value`, `SET TRANSACTION …`
fn set(words: &[&Token]) -> Result<Command> {
    let local = words.first().is_some_and(|t| t.is("local"));
    let words = match words.first() {
        Some(t) if t.is("session") && words.get(1).is_some_and(|t| t.is("characteristics")) => &words[1..],
        Some(t) if t.is("session") || t.is("local") => &words[1..],
        _ => words,
    };
    let shape = || half("SET", "SET name = value");
    let first = words.first().and_then(|t| t.name()).ok_or_else(shape)?;
    let (name, values) = match first {
        "transaction" | "characteristics" | "constraints" | "role" | "authorization" => (first, &[][..]),
        "time" => ("TimeZone", words.get(2..).ok_or_else(shape)?),
        "names" => ("client_encoding", &words[1..]),
        name => {
            let sign = words.iter().position(|t| t.is("to") || **t == Token::Symbol('=')).ok_or_else(shape)?;
            (name, &words[sign + 1..])
        }
    };
    let values: Vec<&str> = values.iter().filter_map(|t| t.value()).collect();
    Ok(Command::Set { name: name.into(), value: values.join(", "), local })
}

fn setting_or_all(words: &[&Token]) -> Result<Option<String>> {
    let name = words.first().and_then(|t| t.name()).ok_or_else(|| half("SHOW and RESET", "SHOW name or SHOW ALL"))?;
    Ok(match name {
        "all" => None,
        "time" => Some("TimeZone".into()),
        "transaction" => Some("transaction_isolation".into()),
        name => Some(name.into()),
    })
}

fn last_or_all(words: &[&Token]) -> Result<Option<String>> {
    match words.last().filter(|_| words.len() > 1) {
        Some(t) if t.is("all") => Ok(None),
        Some(t) if t.name().is_some() => Ok(t.name().map(Into::into)),
        _ => Err(half("CLOSE and DEALLOCATE", "a name or ALL")),
    }
}

/// `DECLARE name [BINARY] [INSENSITIVE] [[NO] SCROLL] CURSOR [WITH HOLD] FOR query`
fn declare(sql: &str, all: &[(Token, usize)]) -> Result<Command> {
    let shape = || half("DECLARE", "DECLARE name CURSOR FOR SELECT …");
    let cursor = all.get(1).and_then(|(t, _)| t.name()).ok_or_else(shape)?;
    let from = all.iter().position(|(t, _)| t.is("for")).ok_or_else(shape)?;
    let (_, start) = all.get(from + 1).ok_or_else(shape)?;
    let hold = all[..from].windows(2).any(|w| w[0].0.is("with") && w[1].0.is("hold"));
    Ok(Command::Declare { cursor: cursor.into(), query: sql[*start..].into(), hold })
}

/// `FETCH [NEXT | n | ALL | FORWARD [n | ALL]] [FROM | IN] name`
fn fetch(words: &[&Token], give: bool) -> Result<Command> {
    let shape = || half("FETCH", "FETCH 100 FROM name; cursors go forward only");
    let cursor = words.last().filter(|_| words.len() > 1).and_then(|t| t.name()).ok_or_else(shape)?;
    let mut how = words[1..words.len() - 1].iter().filter(|t| !["from", "in", "forward"].iter().any(|w| t.is(w)));
    let rows = match how.next() {
        None => Some(1),
        Some(t) if t.is("next") => Some(1),
        Some(t) if t.is("all") => None,
        Some(Token::Number(n)) => Some(n.parse().map_err(|_| shape())?),
        Some(_) => return Err(shape()),
    };
    if how.next().is_some() {
        return Err(shape());
    }
    Ok(Command::Fetch { cursor: cursor.into(), rows, give })
}

/// `COPY (query) TO STDOUT [[WITH] (FORMAT csv, HEADER, DELIMITER ';', NULL '')]`, `COPY table TO STDOUT [[WITH] CSV HEADER]`
fn copy(sql: &str, all: &[(Token, usize)]) -> Result<Command> {
    let shape = || half("COPY", "COPY (SELECT …) TO STDOUT [WITH (FORMAT csv, HEADER)]");
    let (mut depth, mut to) = (0, None);
    for (at, (token, _)) in all.iter().enumerate() {
        match token {
            Token::Symbol('(') => depth += 1,
            Token::Symbol(')') => depth -= 1,
            t if t.is("from") && depth == 0 => return Err(read_only("copy from")),
            t if t.is("to") && depth == 0 => to = to.or(Some(at)),
            _ => {}
        }
    }
    let to = to.ok_or_else(shape)?;
    if !all.get(to + 1).is_some_and(|(t, _)| t.is("stdout")) {
        return Err(read_only("copy to a file").hint("COPY … TO STDOUT; psql's \\copy writes files on the client"));
    }
    let (Some((first, start)), Some((_, end))) = (all.get(1), all.get(to)) else { return Err(shape()) };
    let what = sql[*start..*end].trim();
    let query = match first {
        Token::Symbol('(') => {
            what.strip_prefix('(').and_then(|w| w.strip_suffix(')')).ok_or_else(shape)?.trim().to_string()
        }
        _ => table(what).ok_or_else(shape)?,
    };
    Ok(Command::Copy { query, format: copy_format(&all[to + 2..])? })
}

/// `table` or `table (column, …)` as a query.
fn table(what: &str) -> Option<String> {
    match what.split_once('(') {
        None => Some(format!("SELECT * FROM {what}")),
        Some((name, columns)) => Some(format!("SELECT {} FROM {name}", columns.trim_end().strip_suffix(')')?)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::copy_options::CopyKind;
    use super::*;

    fn of(sql: &str) -> Command {
        command(sql).unwrap()
    }

    #[test]
    fn transactions_and_settings() {
        assert_eq!(of("BEGIN READ ONLY"), Command::Begin("BEGIN"));
        assert_eq!(of("start transaction isolation level repeatable read"), Command::Begin("START TRANSACTION"));
        assert_eq!(of("ROLLBACK TO SAVEPOINT a"), Command::RollbackTo("a".into()));
        assert_eq!(of("RELEASE \"A\""), Command::Release("A".into()));
        assert!(command("SAVEPOINT").is_err());
        let set = |name: &str, value: &str| Command::Set { name: name.into(), value: value.into(), local: false };
        assert_eq!(of("SET statement_timeout = '5s'"), set("statement_timeout", "5s"));
        assert_eq!(of("SET SESSION search_path TO main, base"), set("search_path", "main, base"));
        assert_eq!(of("SET TIME ZONE 'UTC'"), set("TimeZone", "UTC"));
        assert_eq!(of("SET LOCAL a = 1"), Command::Set { name: "a".into(), value: "1".into(), local: true });
        assert_eq!(of("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"), set("characteristics", ""));
        assert_eq!(of("SHOW ALL"), Command::Show(None));
        assert_eq!(of("show TRANSACTION ISOLATION LEVEL"), Command::Show(Some("transaction_isolation".into())));
        assert!(command("SET x").is_err());
    }

    #[test]
    fn only_discard_all_discards_what_there_is() {
        assert_eq!(of("DISCARD ALL"), Command::DiscardAll);
        assert_eq!(of("discard plans"), Command::Discard("DISCARD PLANS"));
        assert_eq!(of("DISCARD TEMPORARY"), Command::Discard("DISCARD TEMP"));
        assert_eq!(of("DISCARD SEQUENCES"), Command::Discard("DISCARD SEQUENCES"));
        assert!(command("DISCARD").is_err() && command("DISCARD EVERYTHING").is_err());
    }

    #[test]
    fn cursors() {
        let query = "SELECT 1 -- for\n";
        assert_eq!(
            of(&format!("DECLARE \"c 1\" NO SCROLL CURSOR WITH HOLD FOR {query}")),
            Command::Declare { cursor: "c 1".into(), query: query.into(), hold: true }
        );
        let fetch = |rows| Command::Fetch { cursor: "c".into(), rows, give: true };
        assert_eq!(of("FETCH FORWARD 100 FROM c"), fetch(Some(100)));
        assert_eq!(of("FETCH ALL IN c"), fetch(None));
        assert_eq!(of("FETCH c"), fetch(Some(1)));
        assert!(command("FETCH BACKWARD 1 FROM c").is_err());
        assert!(command("FETCH").is_err());
        assert_eq!(of("CLOSE ALL"), Command::Close(None));
    }

    #[test]
    fn copies() {
        let Command::Copy { query, format } =
            of("COPY (SELECT 1, ')') TO STDOUT WITH (FORMAT csv, HEADER, DELIMITER ';')")
        else {
            panic!("no COPY");
        };
        assert_eq!(query, "SELECT 1, ')'");
        assert_eq!((format.kind, format.header, format.delimiter), (CopyKind::Csv, true, Some(b';')));
        assert!(
            matches!(of("copy base.order_line to stdout csv header"), Command::Copy { query, .. } if query == "SELECT * FROM base.order_line")
        );
        for refused in ["COPY t FROM STDIN", "COPY t TO '/etc/x'", "COPY t TO PROGRAM 'rm'"] {
            assert_eq!(command(refused).unwrap_err().kind(), ErrorKind::Denied, "{refused}");
        }
    }

    /// Tokens take many times what their text does.
    #[test]
    fn long_queries_are_left_to_the_engine() {
        let many = "1,".repeat(16 << 20);
        let begun = std::time::Instant::now();
        for query in [format!("SELECT {many}"), format!("({many}"), format!("/* x */ VALUES ({many}")] {
            assert!(matches!(of(&query), Command::Query(_)));
        }
        assert_eq!(command(&format!("INSERT INTO a VALUES ({many}")).unwrap_err().kind(), ErrorKind::Denied);
        for other in [format!("SET x = {many}"), format!("DECLARE a CURSOR FOR SELECT {many}")] {
            let refused = command(&other).unwrap_err();
            assert!(refused.kind() == ErrorKind::Invalid && refused.message().contains("16 MiB"), "{refused}");
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(1), "{:?}", begun.elapsed());
    }

    #[test]
    fn writes_are_refused_and_the_rest_is_for_the_engine() {
        for sql in ["INSERT INTO a VALUES (1)", "create table a (b int)", "/* x */ DROP TABLE a"] {
            assert_eq!(command(sql).unwrap_err().kind(), ErrorKind::Denied, "{sql}");
        }
        for sql in ["SELECT 1", "WITH a AS (SELECT 1) TABLE a", "VALUES (1)", "EXPLAIN SELECT 1", "(SELECT 1)", ""] {
            assert_eq!(of(sql), Command::Query(sql.into()));
        }
    }
}
