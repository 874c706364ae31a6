//! What meta-commands do. Lists are SQL over `information_schema` and `system`, so that every backend has them.

use super::super::listing::Listing;
use super::super::output::{OutputArgs, line};
use super::backend::literal;
use super::meta::{COMMANDS, Command, Kind};
use super::names::RelationNames;
use super::session::{Next, Session};
use crate::error::{Error, Result};

/// Does what `command` asks for.
pub async fn run(session: &mut Session<'_>, command: Command) -> Result<Next> {
    match command {
        Command::Help => help()?,
        Command::Quit => return Ok(Next::Quit),
        Command::Relations(kind, pattern) => session.statement(&relations(kind, pattern.as_deref())).await?,
        Command::Describe(name) => {
            let sql = columns(session.read_names().await?.relation(&name)?);
            session.statement(&sql).await?;
        }
        Command::Schemas => session.statement(SCHEMAS).await?,
        Command::Reports => session.statement(REPORTS).await?,
        Command::Report { id, values } => {
            let backend = session.backend;
            let asked = async {
                backend.refresh().await?;
                backend.report(&id, &values).await
            };
            session.show(asked).await?;
        }
        Command::ReportParams(id) => {
            let sql = params(&session.read_names().await?.report(&id)?.id);
            session.statement(&sql).await?;
            eprintln!("also compare, order_by, limit, top_n and totals, where they apply");
        }
        Command::Timing(on) => turn("timing", &mut session.screen.timing, on),
        Command::Pager(on) => turn("the pager", &mut session.screen.pager, on),
        Command::Expanded(on) => turn("a line per column", &mut session.screen.expanded, on),
        Command::Format(format) => session.screen.format = format,
        Command::Output(path) => session.screen.direct_to(path.as_deref()).await?,
        Command::Include(path) => session.include(&path).await?,
        Command::Set { name, param } => drop(session.params.insert(name, param)),
        Command::ShowSet => show_set(session).await?,
        Command::Unset(name) => {
            let name = name.trim_start_matches('$');
            if session.params.remove(name).is_none() {
                return Err(Error::not_found(format!("${name} has no value")).hint("\\set shows those that have"));
            }
        }
        Command::Refresh => drop(session.read_names().await?),
    }
    Ok(Next::Go)
}

const SCHEMAS: &str = "SELECT table_schema AS \"schema\", count(*) AS relations FROM information_schema.tables \
    GROUP BY 1 ORDER BY 1";
const REPORTS: &str = "SELECT id AS report, folder, title, title_zh FROM system.reports ORDER BY folder, id";

/// Tables and views but those that only list others.
fn relations(kind: Option<Kind>, pattern: Option<&str>) -> String {
    let kind = match kind {
        None => "",
        Some(Kind::View) => " AND table_type = 'VIEW'",
        Some(Kind::Table) => " AND table_type <> 'VIEW'",
    };
    let named = pattern.map(named).unwrap_or_default();
    format!(
        "SELECT table_schema AS \"schema\", table_name AS name, \
            CASE table_type WHEN 'VIEW' THEN 'view' ELSE 'table' END AS kind, table_comment AS about \
        FROM information_schema.tables WHERE table_schema <> 'information_schema'{kind}{named} ORDER BY 1, 2"
    )
}

/// Names like `pattern`, where `*` is any letters and `?` is one; with a point, schemas too.
fn named(pattern: &str) -> String {
    let column = if pattern.contains('.') { "table_schema || '.' || table_name" } else { "table_name" };
    let mut like = String::new();
    for letter in pattern.chars() {
        match letter {
            '*' => like.push('%'),
            '?' => like.push('_'),
            '%' | '_' | '\\' => like.extend(['\\', letter]),
            other => like.push(other),
        }
    }
    format!(" AND {column} LIKE {}", literal(&like))
}

/// A relation's columns in order; `key` says which identify a row and which name rows of others.
fn columns(relation: &RelationNames) -> String {
    let here = format!("table_schema = {} AND table_name = {}", literal(&relation.schema), literal(&relation.name));
    format!(
        "SELECT c.column_name AS \"column\", c.data_type AS \"type\", c.is_nullable AS nullable, k.key, \
            c.column_comment AS about \
        FROM (SELECT * FROM information_schema.columns WHERE {here}) c \
        LEFT JOIN (\
            SELECT u.column_name, string_agg(CASE WHEN r.constraint_name IS NULL THEN 'primary' \
                ELSE '→ ' || regexp_replace(r.unique_constraint_name, '_pkey$', '') END, ', ') AS key \
            FROM (SELECT * FROM information_schema.key_column_usage WHERE {here}) u \
            LEFT JOIN information_schema.referential_constraints r \
                ON r.constraint_schema = u.constraint_schema AND r.constraint_name = u.constraint_name \
            GROUP BY 1\
        ) k ON k.column_name = c.column_name ORDER BY c.ordinal_position"
    )
}

fn params(report: &str) -> String {
    format!(
        "SELECT name, \"type\", default_value AS \"default\", allowed_values AS allowed, about \
        FROM system.report_params WHERE report = {}",
        literal(report)
    )
}

fn turn(what: &str, switch: &mut bool, on: Option<bool>) {
    *switch = on.unwrap_or(!*switch);
    eprintln!("{what}: {}", if *switch { "on" } else { "off" });
}

async fn show_set(session: &Session<'_>) -> Result<()> {
    let params: Vec<_> = session.params.iter().collect();
    Listing::of(&params)
        .text("name", |(name, _)| name.to_string())
        .text("value", |(_, value)| format!("{value:?}"))
        .write(&OutputArgs::default(), "nothing is set: \\set from:date 2026-01-01")
        .await
}

fn help() -> Result<()> {
    line("A statement ends with ; and may have several lines. Tab completes, Ctrl-C ends a query, Ctrl-D leaves.\n")?;
    for (name, arguments, about) in COMMANDS.iter().filter(|(.., about)| !about.is_empty()) {
        line(format!("  {:28} {about}", format!("{name} {arguments}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_likes() {
        assert_eq!(named("sales_*"), " AND table_name LIKE 'sales\\_%'");
        assert_eq!(named("base.o?der's"), " AND table_schema || '.' || table_name LIKE 'base.o_der''s'");
    }
}
