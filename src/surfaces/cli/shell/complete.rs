//! What Tab offers for a half-written line. Pure: it must not ask anybody.

use super::lex::{Kind, Token, in_word, tokens};
use super::meta::COMMANDS;
use super::names::{Names, RelationNames, ReportNames};
use crate::encode::Format;

/// Offered in capitals, or as the word was begun.
const KEYWORDS: &str = "ALL AND ANTI AS ASC BETWEEN BY CASE CAST CROSS CURRENT DATE DECIMAL DESC DISTINCT ELSE END EXCEPT \
    EXISTS EXPLAIN EXTRACT FALSE FILTER FIRST FOLLOWING FROM FULL GROUP GROUPING HAVING ILIKE IN INNER INTERSECT INTERVAL \
    IS JOIN LAST LEFT LIKE LIMIT NOT NULL NULLS OFFSET ON OR ORDER OUTER OVER PARTITION PRECEDING QUALIFY RECURSIVE RIGHT \
    ROLLUP ROW ROWS SELECT SEMI SETS THEN TIMESTAMP TRUE UNBOUNDED UNION USING VALUES WHEN WHERE WINDOW WITH WITHIN";

/// Where the completed word starts in `line`, and what may stand there instead. Names of files are left to the caller.
pub fn complete(line: &str, at: usize, names: &Names) -> (usize, Vec<String>) {
    let before = line.get(..at).unwrap_or(line);
    let start = tokens(before).filter(|t| t.is_symbol(";")).last().map_or(0, |t| t.end());
    let here = &before[start..];
    let (from, offered) = if here.trim_start().starts_with('\\') {
        meta(here, names)
    } else {
        let end = tokens(&line[start..]).find(|t| t.is_symbol(";")).map_or(line.len(), |t| start + t.at);
        sql(here, &line[start..end], names)
    };
    (start + from, offered)
}

fn meta(here: &str, names: &Names) -> (usize, Vec<String>) {
    let from = word_start(here, |c| !c.is_whitespace());
    let (done, word) = here.split_at(from);
    let done: Vec<&str> = done.split_whitespace().collect();
    let all: Vec<String> = match done.as_slice() {
        [] => COMMANDS.iter().filter(|(.., about)| !about.is_empty()).map(|(name, ..)| name.to_string()).collect(),
        ["\\d" | "\\dt" | "\\dv"] => names.relations.iter().map(RelationNames::shown).collect(),
        ["\\report" | "\\reports" | "\\report?"] => report_ids(names),
        ["\\report", id, ..] => {
            let (skip, offered) = report_values(names.report(id).ok(), word);
            return (from + skip, offered);
        }
        ["\\x" | "\\timing" | "\\pager"] => ["on", "off"].map(String::from).into(),
        ["\\format"] => Format::ALL.map(|format| format.name().to_string()).into(),
        _ => Vec::new(),
    };
    (from, starting_with(word, all))
}

/// `here` is the statement up to the cursor, `whole` all of it.
fn sql(here: &str, whole: &str, names: &Names) -> (usize, Vec<String>) {
    let before: Vec<Token> = tokens(here).collect();
    match before.last() {
        Some(last) if !last.whole && last.kind == Kind::Text => return report_argument(&before, names),
        Some(last) if !last.whole || last.kind == Kind::Comment && last.end() == here.len() => {
            return (here.len(), Vec::new());
        }
        _ => {}
    }
    let from = word_start(here, |c| in_word(c) || c == '.');
    let word = &here[from..];
    let previous = before.iter().rfind(|t| t.at < from && t.kind != Kind::Comment);
    let wants_relation = previous.is_some_and(|t| t.is_word("FROM") || t.is_word("JOIN"));
    let all = match word.rsplit_once('.') {
        Some((qualifier, _)) => qualified(qualifier, whole, names),
        None if wants_relation => relations(names).chain(["report(".to_string()]).collect(),
        None => anywhere(word, whole, names),
    };
    (from, starting_with(word, all))
}

/// Where the word at the end of `text` starts, made of letters that are `in_it`.
fn word_start(text: &str, in_it: impl Fn(char) -> bool) -> usize {
    text.trim_end_matches(in_it).len()
}

/// What may follow `qualifier.`: columns of the table with that name or alias, relations of that schema.
fn qualified(qualifier: &str, whole: &str, names: &Names) -> Vec<String> {
    let of = named(whole, names).into_iter().filter(|(alias, _)| alias.eq_ignore_ascii_case(qualifier));
    let columns = of.flat_map(|(_, r)| r.columns.iter().map(|c| format!("{qualifier}.{c}")));
    columns.chain(names.relations.iter().map(|r| format!("{}.{}", r.schema, r.name))).collect()
}

/// Columns of the tables that the statement names come first; a statement that names none yet may mean any.
fn anywhere(word: &str, whole: &str, names: &Names) -> Vec<String> {
    let named = named(whole, names);
    let mut all: Vec<String> = named.iter().flat_map(|(_, r)| r.columns.iter().cloned()).collect();
    all.extend(named.iter().map(|(alias, _)| alias.clone()));
    all.extend(relations(names));
    if word.is_empty() {
        return all;
    }
    if named.is_empty() {
        all.extend(names.relations.iter().flat_map(|r| r.columns.iter().cloned()));
    }
    let small = word.chars().all(|c| !c.is_uppercase());
    all.extend(KEYWORDS.split_whitespace().map(|k| if small { k.to_lowercase() } else { k.to_string() }));
    all.extend(names.functions.iter().map(|name| format!("{name}(")));
    all
}

fn relations(names: &Names) -> impl Iterator<Item = String> {
    names.relations.iter().map(RelationNames::shown)
}

fn report_ids(names: &Names) -> Vec<String> {
    names.reports.iter().map(|r| r.id.clone()).collect()
}

/// The relations that a statement names, each by its alias or name.
fn named<'n>(sql: &str, names: &'n Names) -> Vec<(String, &'n RelationNames)> {
    let tokens: Vec<Token> = tokens(sql).filter(|t| t.kind != Kind::Comment).collect();
    let name_at =
        |at: usize| tokens.get(at).filter(|t| matches!(t.kind, Kind::Word | Kind::Name)).map(|t| t.unquoted());
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let Some(first) = name_at(at) else {
            at += 1;
            continue;
        };
        at += 1;
        let second = tokens.get(at).filter(|t| t.is_symbol(".")).and_then(|_| name_at(at + 1));
        let written = match &second {
            Some(second) => format!("{first}.{second}"),
            None => first.clone(),
        };
        at += if second.is_some() { 2 } else { 0 };
        let is = |r: &&RelationNames| {
            written.eq_ignore_ascii_case(&r.shown()) || written == format!("{}.{}", r.schema, r.name)
        };
        let Some(relation) = names.relations.iter().find(is) else { continue };
        at += usize::from(tokens.get(at).is_some_and(|t| t.is_word("AS")));
        let alias = name_at(at).filter(|alias| !KEYWORDS.split_whitespace().any(|k| k.eq_ignore_ascii_case(alias)));
        found.push((alias.unwrap_or_else(|| second.unwrap_or(first)), relation));
    }
    found
}

/// Within the open text of `report('id', 'name=…`.
fn report_argument(before: &[Token], names: &Names) -> (usize, Vec<String>) {
    let Some((open, before)) = before.split_last() else { return (0, Vec::new()) };
    let (from, typed) = (open.at + 1, &open.text[1..]);
    let call = before.windows(2).rposition(|pair| pair[0].is_word("report") && pair[1].is_symbol("("));
    let Some(given) = call.map(|at| &before[at + 2..]).filter(|given| !given.iter().any(|t| t.is_symbol(")"))) else {
        return (open.end(), Vec::new());
    };
    match given.first() {
        None => (from, starting_with(typed, report_ids(names))),
        Some(id) => {
            let (skip, offered) = report_values(names.report(&id.unquoted()).ok(), typed);
            (from + skip, offered)
        }
    }
}

/// Names that a report takes, or behind `name=` the values: where they start in `typed`, and which.
fn report_values(report: Option<&ReportNames>, typed: &str) -> (usize, Vec<String>) {
    let values = report.map_or(&[][..], |r| &r.values);
    match typed.split_once('=') {
        None => (0, starting_with(typed, values.iter().map(|(name, _)| format!("{name}=")).collect())),
        Some((name, begun)) => {
            let allowed =
                values.iter().find(|(n, _)| n == name).map(|(_, allowed)| allowed.clone()).unwrap_or_default();
            (name.len() + 1, starting_with(begun, allowed))
        }
    }
}

/// Those that start with `word` in any case, each once, in order.
fn starting_with(word: &str, all: Vec<String>) -> Vec<String> {
    let word = word.to_lowercase();
    let mut seen = std::collections::BTreeSet::new();
    all.into_iter().filter(|name| name.to_lowercase().starts_with(&word) && seen.insert(name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let relation = |schema: &str, name: &str, columns: &[&str]| RelationNames {
            schema: schema.into(),
            name: name.into(),
            columns: columns.iter().map(|c| c.to_string()).collect(),
        };
        let values = vec![("from".into(), vec![]), ("grain".into(), vec!["month".into(), "week".into()])];
        Names {
            relations: vec![
                relation("main", "sales_event", &["sku", "net_rc"]),
                relation("main", "channel", &["channel_id"]),
                relation("base", "order_line", &["order_id"]),
            ],
            reports: vec![
                ReportNames { id: "sales-summary".into(), values: Vec::new() },
                ReportNames { id: "sales-over-time".into(), values },
            ],
            functions: vec!["sum".into()],
        }
    }

    /// What is offered at `|`, and where the completed word starts.
    fn offered(line: &str) -> (String, Vec<String>) {
        let at = line.find('|').unwrap();
        let line = line.replace('|', "");
        let (from, offered) = complete(&line, at, &names());
        (line[from..at].to_string(), offered)
    }

    #[track_caller]
    fn check(line: &str, word: &str, expected: &[&str]) {
        let (completed, found) = offered(line);
        assert_eq!(
            (completed.as_str(), found.iter().map(String::as_str).collect::<Vec<_>>()),
            (word, expected.to_vec())
        );
    }

    #[test]
    fn relations_follow_from() {
        check("SELECT * FROM s|", "s", &["sales_event"]);
        check("SELECT * FROM |", "", &["sales_event", "channel", "base.order_line", "report("]);
        check("SELECT 1; SELECT * FROM a JOIN base.|", "base.", &["base.order_line"]);
        check("select * from rep|", "rep", &["report("]);
    }

    #[test]
    fn columns_of_named_tables_come_first() {
        check("SELECT s| FROM sales_event", "s", &["sku", "sales_event", "select", "semi", "sets", "sum("]);
        check("SELECT n| FROM sales_event", "n", &["net_rc", "not", "null", "nulls"]);
        check("SELECT NU|", "NU", &["NULL", "NULLS"]);
        check("SELECT o| FROM channel; SELECT 1", "o", &["offset", "on", "or", "order", "outer", "over"]);
        check("SELECT ord|", "ord", &["order_id", "order"]);
    }

    #[test]
    fn aliases_have_their_columns() {
        check("SELECT e.| FROM sales_event AS e JOIN channel c", "e.", &["e.sku", "e.net_rc"]);
        check("SELECT c.| FROM sales_event e\nJOIN channel c ON true", "c.", &["c.channel_id"]);
        check("SELECT order_line.o| FROM base.order_line WHERE", "order_line.o", &["order_line.order_id"]);
        check(
            "SELECT sales_event.| FROM sales_event WHERE",
            "sales_event.",
            &["sales_event.sku", "sales_event.net_rc"],
        );
    }

    #[test]
    fn reports_and_what_they_take() {
        check("\\report sales-o|", "sales-o", &["sales-over-time"]);
        check("\\report sales-over-time g|", "g", &["grain="]);
        check("\\report sales-over-time from=today grain=w|", "w", &["week"]);
        check("SELECT * FROM report('|", "", &["sales-summary", "sales-over-time"]);
        check("SELECT * FROM report('sales-over-time', 'grain=|", "", &["month", "week"]);
        check("SELECT * FROM report('sales-over-time', 'from=2026-01-01', 'gr|", "gr", &["grain="]);
        check("SELECT * FROM report('sales-summary') WHERE x = 's|", "", &[]);
    }

    #[test]
    fn meta_commands_and_their_words() {
        check("\\re|", "\\re", &["\\report", "\\reports", "\\refresh"]);
        check("\\d or|", "or", &[]);
        check("\\d base|", "base", &["base.order_line"]);
        check("\\timing |", "", &["on", "off"]);
        check("\\format p|", "p", &["parquet"]);
    }

    #[test]
    fn comments_and_quoted_names_are_left_alone() {
        check("SELECT 1 -- s|", "", &[]);
        check("SELECT \"s|", "", &[]);
        check("/* s|", "", &[]);
    }
}
