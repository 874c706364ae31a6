//! Meta-commands: lines that start with `\`, and what each asks for. It must not do what they ask.

use std::path::PathBuf;

use super::super::pair::pair;
use crate::encode::Format;
use crate::engine::{Param, ParamType};
use crate::error::{Error, Result, did_you_mean};

/// What a meta-command asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Help,
    Quit,
    /// Relations of one kind, or of all, whose names match.
    Relations(Option<Kind>, Option<String>),
    /// One relation's columns.
    Describe(String),
    Schemas,
    Reports,
    Report {
        id: String,
        values: Vec<(String, String)>,
    },
    /// What a report may be given.
    ReportParams(String),
    Timing(Option<bool>),
    Pager(Option<bool>),
    Expanded(Option<bool>),
    /// `None` = by the file's ending, else a table.
    Format(Option<Format>),
    /// `None` = back to standard output.
    Output(Option<PathBuf>),
    Include(PathBuf),
    Set {
        name: String,
        param: Param,
    },
    ShowSet,
    Unset(String),
    Refresh,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Table,
    View,
}

/// Name, arguments and meaning of each, as `\?` lists them.
pub const COMMANDS: [(&str, &str, &str); 19] = [
    ("\\?", "", "this list (also \\h)"),
    ("\\q", "", "leave (also Ctrl-D)"),
    ("\\d", "[NAME]", "columns of a table or view, or all of them; NAME may have * and ?"),
    ("\\dt", "[NAME]", "tables"),
    ("\\dv", "[NAME]", "views"),
    ("\\dn", "", "schemas"),
    (
        "\\report",
        "[ID [NAME=VALUE …]]",
        "run a report, or list them: \\report sales-by-region where.channel=web limit=10",
    ),
    ("\\reports", "[ID]", "what a report may be given (also \\report? ID), or all reports"),
    ("\\set", "[NAME[:TYPE] VALUE]", "a value for $NAME in statements, or show all"),
    ("\\unset", "NAME", "forget it"),
    ("\\format", "[NAME]", "table, csv, json, ndjson, arrow or parquet; none: table, or by the file's ending"),
    ("\\x", "[on|off]", "a line per column"),
    ("\\o", "[FILE]", "results go to a file; none: back here"),
    ("\\i", "FILE", "run the statements of a file"),
    ("\\timing", "[on|off]", "tell how long each took"),
    ("\\pager", "[on|off]", "long results go through a pager"),
    ("\\refresh", "", "read the names that Tab completes anew"),
    ("\\h", "", ""),
    ("\\report?", "", ""),
];

/// Understands a line that starts with `\`.
///
/// # Errors
/// `Invalid`: no such command, with near names; too few or too many arguments; a quote that is not closed.
pub fn parse(line: &str) -> Result<Command> {
    let line = line.trim();
    let mut words = words(line.strip_suffix(';').unwrap_or(line))?.into_iter();
    let name = words.next().unwrap_or_default();
    let args = Args { name: &name, words: words.collect() };
    Ok(match name.as_str() {
        "\\?" | "\\h" => args.none(Command::Help)?,
        "\\q" => args.none(Command::Quit)?,
        "\\d" => match args.at_most_one()? {
            Some(name) if !name.contains(['*', '?']) => Command::Describe(name),
            pattern => Command::Relations(None, pattern),
        },
        "\\dt" => Command::Relations(Some(Kind::Table), args.at_most_one()?),
        "\\dv" => Command::Relations(Some(Kind::View), args.at_most_one()?),
        "\\dn" => args.none(Command::Schemas)?,
        "\\report" => report(args.words)?,
        "\\reports" | "\\report?" => args.at_most_one()?.map_or(Command::Reports, Command::ReportParams),
        "\\set" => set(args.words)?,
        "\\unset" => Command::Unset(args.one()?),
        "\\format" => Command::Format(args.at_most_one()?.map(|name| Format::parse(&name)).transpose()?),
        "\\x" => Command::Expanded(args.switch()?),
        "\\o" => Command::Output(args.at_most_one()?.map(PathBuf::from)),
        "\\i" => Command::Include(args.one()?.into()),
        "\\timing" => Command::Timing(args.switch()?),
        "\\pager" => Command::Pager(args.switch()?),
        "\\refresh" => args.none(Command::Refresh)?,
        unknown => {
            return Err(Error::invalid(format!("there is no command {unknown}"))
                .hint(format!("{}; \\? lists all", did_you_mean(unknown, COMMANDS.map(|(name, ..)| name)))));
        }
    })
}

/// The words behind a command's name.
struct Args<'a> {
    name: &'a str,
    words: Vec<String>,
}

impl Args<'_> {
    fn at_most_one(self) -> Result<Option<String>> {
        match self.words.get(1) {
            Some(more) => Err(Error::invalid(format!("{} takes one argument, not also {more}", self.name))
                .hint("put what has blanks into quotes")),
            None => Ok(self.words.into_iter().next()),
        }
    }

    fn none(self, command: Command) -> Result<Command> {
        match self.words.first() {
            Some(more) => Err(Error::invalid(format!("{} takes no argument, such as {more}", self.name))),
            None => Ok(command),
        }
    }

    fn one(self) -> Result<String> {
        let name = self.name.to_string();
        let arguments = COMMANDS.iter().find(|(n, ..)| *n == name).map_or("", |(_, arguments, _)| arguments);
        self.at_most_one()?
            .ok_or_else(|| Error::invalid(format!("{name} needs an argument")).hint(format!("{name} {arguments}")))
    }

    /// `None` turns it over.
    fn switch(self) -> Result<Option<bool>> {
        let name = self.name.to_string();
        match self.at_most_one()?.as_deref() {
            None => Ok(None),
            Some("on") => Ok(Some(true)),
            Some("off") => Ok(Some(false)),
            Some(other) => Err(Error::invalid(format!("{name} {other}: neither on nor off"))),
        }
    }
}

fn report(words: Vec<String>) -> Result<Command> {
    let mut words = words.into_iter();
    let Some(id) = words.next() else { return Ok(Command::Reports) };
    let pairs = words.map(|word| pair("\\report", &word, "write NAME=VALUE, such as grain=month or where.channel=web"));
    Ok(Command::Report { id, values: pairs.collect::<Result<_>>()? })
}

fn set(words: Vec<String>) -> Result<Command> {
    let [name, value @ ..] = words.as_slice() else { return Ok(Command::ShowSet) };
    if value.is_empty() {
        return Err(Error::invalid(format!("\\set {name} needs a value")).hint("\\set from:date 2026-01-01"));
    }
    let (name, param) = typed(name, &value.join(" ")).map_err(|e| e.context(format!("\\set {name}")))?;
    Ok(Command::Set { name, param })
}

/// The parameter `NAME[:TYPE]` with a value given as text.
pub fn typed(name: &str, value: &str) -> Result<(String, Param)> {
    let (name, kind) = name.split_once(':').unwrap_or((name, "text"));
    let name = name.trim_start_matches('$');
    let param = ParamType::parse(kind).and_then(|kind| Param::parse(kind, value))?;
    Ok((name.to_string(), param))
}

/// Words between blanks; within quotes, blanks are letters and a doubled quote is one.
pub fn words(line: &str) -> Result<Vec<String>> {
    let (mut words, mut word, mut open) = (Vec::new(), None::<String>, None);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match open {
            Some(quote) if letter == quote => match letters.next_if_eq(&quote) {
                Some(quote) => word.get_or_insert_default().push(quote),
                None => open = None,
            },
            None if letter == '\'' || letter == '"' => {
                open = Some(letter);
                word.get_or_insert_default();
            }
            None if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    match open {
        Some(quote) => Err(Error::invalid(format!("{line}: a {quote} is not closed"))),
        None => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_understood() {
        let values = vec![("from".into(), "start of month".into()), ("where.channel".into(), "web,app".into())];
        for (line, expected) in [
            ("\\?", Command::Help),
            ("  \\q ; ", Command::Quit),
            ("\\d", Command::Relations(None, None)),
            ("\\d sales_event;", Command::Describe("sales_event".into())),
            ("\\d sales*", Command::Relations(None, Some("sales*".into()))),
            ("\\dt base.*", Command::Relations(Some(Kind::Table), Some("base.*".into()))),
            ("\\report", Command::Reports),
            (
                "\\report sales-over-time from='start of month' where.channel=web,app",
                Command::Report { id: "sales-over-time".into(), values },
            ),
            ("\\report? sales-summary", Command::ReportParams("sales-summary".into())),
            ("\\timing on", Command::Timing(Some(true))),
            ("\\x", Command::Expanded(None)),
            ("\\format csv", Command::Format(Some(Format::Csv))),
            ("\\o 'my file.csv'", Command::Output(Some("my file.csv".into()))),
            ("\\set name it is", Command::Set { name: "name".into(), param: Param::Text("it is".into()) }),
            ("\\set $n:int 7", Command::Set { name: "n".into(), param: Param::Int(7) }),
            ("\\set", Command::ShowSet),
        ] {
            assert_eq!(parse(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn mistakes_are_told_with_what_works() {
        for (line, message, hint) in [
            ("\\reprt", "there is no command \\reprt", "\\report"),
            ("\\timing maybe", "\\timing maybe: neither on nor off", ""),
            ("\\i", "\\i needs an argument", "\\i FILE"),
            ("\\o a b", "\\o takes one argument, not also b", "quotes"),
            ("\\q now", "\\q takes no argument, such as now", ""),
            ("\\set n", "\\set n needs a value", "\\set from:date 2026-01-01"),
            ("\\set n:int x", "\\set n:int: 'x' is no int", "for example 42"),
            ("\\report a month", "\\report month: no =", "NAME=VALUE"),
            ("\\o 'a", "\\o 'a: a ' is not closed", ""),
            ("\\format parket", "unknown format 'parket'", "parquet"),
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.message(), message);
            assert!(error.hint_text().unwrap_or_default().contains(hint), "{line}: {error:?}");
        }
    }

    #[test]
    fn quotes_keep_blanks_and_double_for_themselves() {
        assert_eq!(words(r#"a 'b c' d="e ""f""" '' g'h'"#).unwrap(), ["a", "b c", "d=e \"f\"", "", "gh"]);
    }
}
