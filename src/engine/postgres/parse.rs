//! PostgreSQL's dialect. Questions to the system tables go through `datafusion-pg-catalog`'s rewrites, some of which replace
//! what DataFusion cannot answer by NULL; statements about the lake never do: they keep their meaning or fail.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use datafusion::sql::parser::{DFParserBuilder, Statement as DfStatement};
use datafusion::sql::sqlparser::ast::{ObjectName, Statement, Visit, Visitor};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_pg_catalog::sql::rules::{
    CurrentUserVariableToSessionUserFunctionCall, FixArrayLiteral, RewriteArrayAnyAllOperation,
    RewritePgCatalogOperator, RewriteRegCastToSubquery, SqlStatementRewriteRule, StripCallableQualifier, StripCollate,
};

use super::{PG_CATALOG, names, questions, quirks};
use crate::engine::classify::classify;
use crate::engine::information::INFORMATION_SCHEMA;
use crate::engine::options::{Dialect, QueryOptions};
use crate::engine::planner::{Parsed, placeholders, read};
use crate::engine::size;
use crate::error::{Error, Result};

static FOR_CATALOGUE: LazyLock<PostgresCompatibilityParser> = LazyLock::new(PostgresCompatibilityParser::new);
/// Rewrites that keep a statement's meaning.
static FOR_ALL: LazyLock<Vec<Box<dyn SqlStatementRewriteRule>>> = LazyLock::new(|| {
    vec![
        Box::new(RewriteArrayAnyAllOperation),
        Box::new(StripCallableQualifier),
        Box::new(FixArrayLiteral),
        Box::new(CurrentUserVariableToSessionUserFunctionCall),
        Box::new(StripCollate),
        Box::new(RewritePgCatalogOperator),
        Box::new(RewriteRegCastToSubquery::new()),
    ]
});

/// Parses `sql`, one statement that only reads, as PostgreSQL's clients write it.
///
/// # Errors
/// As [`crate::engine::planner::parse`].
pub fn parse(sql: &str, options: &QueryOptions) -> Result<Parsed> {
    size::check(sql, &PostgreSqlDialect {})?;
    let parser = DFParserBuilder::new(sql).with_dialect(&PostgreSqlDialect {}).build();
    let mut statements = parser.and_then(|mut p| p.parse_statements()).map_err(classify)?;
    if statements.len() > 1 {
        return Err(Error::invalid("more than one statement").hint("send one SELECT at a time"));
    }
    let statement = statements.pop_front().ok_or_else(|| Error::invalid("no statement").hint("write a SELECT"))?;
    let Parsed { mut statement, explain, .. } = read(statement, Dialect::Postgres)?;
    let written = placeholders(&statement);
    let catalogue = asks_the_catalogue(&statement);
    if catalogue && explain.is_none() {
        let simpler = questions::simply(&statement).or_else(|| known_question(sql, &statement));
        statement = simpler.unwrap_or(statement);
    }
    names::name_columns(&mut statement);
    quirks::rewrite(&mut statement, catalogue, options);
    let statement = match catalogue {
        true => FOR_CATALOGUE.rewrite(statement),
        false => FOR_ALL.iter().fold(statement, |statement, rule| rule.rewrite(statement)),
    };
    let dropped = written.difference(&placeholders(&statement)).cloned().collect();
    Ok(Parsed { statement, explain, dropped })
}

/// What the stock rewrites put in the place of a question that they know word by word.
fn known_question(sql: &str, statement: &Statement) -> Option<Statement> {
    let mut statements = FOR_CATALOGUE.parse(sql).ok()?;
    let replaced = statements.pop().filter(|_| statements.is_empty())?;
    let differs = replaced.to_string() != FOR_CATALOGUE.rewrite(statement.clone()).to_string();
    let parsed = differs.then(|| read(DfStatement::Statement(Box::new(replaced)), Dialect::Postgres))?;
    parsed.ok().map(|parsed| parsed.statement)
}

fn asks_the_catalogue(statement: &Statement) -> bool {
    struct Find;
    impl Visitor for Find {
        type Break = ();
        fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
            let parts: Vec<String> =
                name.0.iter().map(|p| p.to_string().to_ascii_lowercase().replace('"', "")).collect();
            let system = parts.iter().any(|p| p == PG_CATALOG || p == INFORMATION_SCHEMA);
            let bare = parts.len() == 1 && parts.iter().any(|p| p.starts_with("pg_"));
            if system || bare { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    Visit::visit(statement, &mut Find).is_break()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn with(sql: &str, options: &QueryOptions) -> String {
        parse(sql, options).unwrap().statement.to_string()
    }

    fn rewritten(sql: &str) -> String {
        with(sql, &QueryOptions::default())
    }

    #[test]
    fn statements_about_the_lake_keep_their_meaning() {
        for sql in [
            "SELECT (SELECT max(o.net) FROM b AS o WHERE o.id = a.id) AS m FROM a",
            "SELECT id, * FROM a",
            "SELECT (SELECT x FROM b) AS x FROM a",
        ] {
            assert_eq!(rewritten(sql), sql);
        }
        assert_eq!(rewritten("SELECT 1 = ANY(ARRAY[1, 2]) AS a"), "SELECT array_contains(ARRAY[1, 2], 1) AS a");
    }

    #[test]
    fn columns_are_named_as_postgres_does() {
        let named = "SELECT count(*) AS \"count\", a.b, sum(x)::BIGINT AS \"sum\", 1 AS \"?column?\" FROM a";
        assert_eq!(rewritten("SELECT count(*), a.b, sum(x)::bigint, 1 FROM a"), named);
        assert_eq!(rewritten("SELECT NULL, a.b, NULL FROM a"), "SELECT NULL, a.b, NULL AS \"?column?2\" FROM a");
        assert_eq!(rewritten("SELECT sum(x), sum(y) FROM a"), "SELECT sum(x), sum(y) FROM a", "none twice");
        assert_eq!(rewritten("SELECT x FROM (SELECT max(y) FROM a) AS b"), "SELECT x FROM (SELECT max(y) FROM a) AS b");
    }

    #[test]
    fn questions_to_the_catalogue_are_made_to_work() {
        let sql = "SELECT relname, (SELECT d.adbin FROM pg_attrdef d WHERE d.adrelid = c.oid) AS d FROM pg_class c";
        assert_eq!(rewritten(sql), "SELECT relname, NULL AS d FROM pg_catalog.pg_class c");
        assert!(rewritten("SELECT * FROM pg_user").contains("pg_catalog.pg_user"));
        let rows = rewritten(
            "SELECT 1 FROM pg_type t WHERE (SELECT c.relkind = 'c' FROM pg_class c WHERE c.oid = t.typrelid)",
        );
        assert!(rows.contains("SELECT max(c.relkind = 'c')"), "{rows}");
        let index = rewritten("SELECT 1 FROM pg_index i, pg_attribute a WHERE a.attnum = i.indkey[a.attnum-1]");
        assert!(index.contains("i.indkey[(a.attnum - 1) + 1]"), "{index}");
        let kind = rewritten("SELECT typname FROM pg_type t WHERE t.oid = to_regtype('hstore')");
        assert!(kind.contains("typname = lower('hstore')"), "{kind}");
        let subscripts = rewritten("SELECT unnest(conkey), generate_subscripts(conkey, 1) FROM pg_constraint");
        assert!(subscripts.contains("unnest(range(1, CAST(array_length(conkey) AS BIGINT) + 1))"), "{subscripts}");
        let options = rewritten("SELECT c.reloptions || array(select 'x' from pg_am) FROM pg_class c");
        assert!(options.contains("CAST(NULL AS TEXT[])"), "{options}");
        let keys = rewritten(
            "SELECT r.a FROM (SELECT (information_schema._pg_expandarray(k.conkey)).n AS a, \
             information_schema._pg_expandarray(k.conkey) AS keys FROM pg_constraint k) r WHERE (r.keys).x = 1",
        );
        assert!(
            keys.contains("unnest(range(") && keys.contains("unnest(k.conkey) AS keys") && keys.contains("r.keys = 1"),
            "{keys}"
        );
        let types =
            rewritten("SELECT t.oid FROM pg_type t JOIN pg_proc p ON p.oid = t.typreceive WHERE t.typsend <> 0");
        assert!(types.contains("p.proname = t.typreceive") && types.contains("t.typsend <> '0'"), "{types}");
    }

    #[test]
    fn parameters_of_what_is_taken_out_are_known() {
        let sql = "SELECT unnest(conkey), generate_subscripts(conkey, $1) FROM pg_constraint WHERE contype = $2";
        let dropped = parse(sql, &QueryOptions::default()).unwrap().dropped;
        assert_eq!(dropped.into_iter().collect::<Vec<_>>(), ["1"]);
    }

    #[test]
    fn names_are_looked_up() {
        let sql = rewritten("SELECT col_description(format('%I.%I', 'a', 'b')::regclass::oid, 1)");
        assert!(sql.contains("to_regclass(format('%I.%I', 'a', 'b'))"), "{sql}");
        let sql = rewritten("SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_class'::regclass");
        assert!(sql.contains("d.classoid = to_regclass('pg_class')"), "{sql}");
        let sql = rewritten("SELECT typinput = 'pg_catalog.array_in'::regproc AS a FROM pg_type");
        assert!(sql.contains("typinput = 'array_in'"), "{sql}");
    }

    #[test]
    fn who_asks_and_where_is_told() {
        let options = QueryOptions { user: Some("me".into()), schema: Some("base".into()), ..QueryOptions::default() };
        assert_eq!(
            with("SELECT current_user, current_schema() FROM a", &options),
            "SELECT 'me' AS \"current_user\", 'base' AS \"current_schema\" FROM base.a"
        );
        let cte = "WITH b AS (SELECT 1 AS x) SELECT x FROM b";
        assert_eq!(with(cte, &options), cte);
        assert_eq!(with("SELECT x FROM main.a", &options), "SELECT x FROM main.a");
    }

    #[test]
    fn names_of_common_tables_are_in_no_schema_where_they_are_known() {
        let options = QueryOptions { schema: Some("base".into()), ..QueryOptions::default() };
        for (sql, meant) in [
            ("WITH a AS (SELECT x FROM a) SELECT x FROM a", "WITH a AS (SELECT x FROM base.a) SELECT x FROM a"),
            ("WITH Ab AS (SELECT x FROM b) SELECT x FROM aB", "WITH Ab AS (SELECT x FROM base.b) SELECT x FROM aB"),
            (
                "WITH \"Ab\" AS (SELECT x FROM b) SELECT x FROM ab, \"Ab\"",
                "WITH \"Ab\" AS (SELECT x FROM base.b) SELECT x FROM base.ab, \"Ab\"",
            ),
            (
                "WITH a AS (SELECT x FROM b), b AS (SELECT x FROM a) SELECT x FROM b",
                "WITH a AS (SELECT x FROM base.b), b AS (SELECT x FROM a) SELECT x FROM b",
            ),
            (
                "SELECT x FROM (WITH a AS (SELECT 1 AS x) SELECT x FROM a) AS c, a",
                "SELECT x FROM (WITH a AS (SELECT 1 AS x) SELECT x FROM a) AS c, base.a",
            ),
            (
                "WITH a AS (SELECT 1 AS x) SELECT x FROM b WHERE x IN (SELECT x FROM a UNION SELECT x FROM c)",
                "WITH a AS (SELECT 1 AS x) SELECT x FROM base.b WHERE x IN (SELECT x FROM a UNION SELECT x FROM base.c)",
            ),
            (
                "WITH a AS (WITH b AS (SELECT x FROM a) SELECT x FROM b) SELECT x FROM a, b",
                "WITH a AS (WITH b AS (SELECT x FROM base.a) SELECT x FROM b) SELECT x FROM a, base.b",
            ),
            (
                "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT x FROM a) SELECT x FROM a",
                "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT x FROM a) SELECT x FROM a",
            ),
        ] {
            assert_eq!(with(sql, &options), meant);
        }
    }

    #[test]
    fn set_config_knows_the_search_path() {
        let options = QueryOptions { schema: Some("base".into()), ..QueryOptions::default() };
        let sql = with("SELECT set_config('search_path', 'main', false) AS a", &options);
        assert_eq!(sql, "SELECT set_config('search_path', 'main', false, 'base') AS a");
    }

    #[test]
    fn patterns_of_dates_are_translated() {
        let sql = rewritten("SELECT x FROM a WHERE d >= TO_DATE('2026-01-01', 'YYYY-MM-DD')");
        assert!(sql.contains("'%Y-%m-%d'"), "{sql}");
        for unknown in ["to_char(d, 'Q W')", "to_char(d, $1)", "to_char(d, pattern)"] {
            assert!(parse(&format!("SELECT {unknown} FROM a"), &QueryOptions::default()).is_err(), "{unknown}");
        }
        assert!(rewritten("SELECT to_char(d, $$YYYY$$) FROM a").contains("'%Y'"));
    }

    #[test]
    fn patterns_are_escaped_by_any_letter() {
        let sql = rewritten("SELECT x FROM a WHERE x NOT LIKE $1 || '%' ESCAPE '/'");
        assert!(sql.contains("replace(") && !sql.contains("ESCAPE"), "{sql}");
        let sql = "SELECT x FROM a WHERE x LIKE 'a!_%' ESCAPE '\\'";
        assert_eq!(rewritten(sql), sql);
    }

    #[test]
    fn writes_are_refused() {
        for sql in [
            "INSERT INTO a VALUES (1)",
            "CREATE TABLE a (b int)",
            "DROP TABLE a",
            "COPY a TO 'x'",
            "SELECT 1; SELECT 2",
        ] {
            assert!(parse(sql, &QueryOptions::default()).is_err(), "{sql}");
        }
        for sql in [
            "WITH x AS (DELETE FROM a RETURNING *) SELECT 1",
            "WITH x AS (SELECT 1) INSERT INTO a SELECT 1",
            "SELECT * INTO b FROM a",
            "SELECT 1 UNION SELECT * INTO b FROM a",
        ] {
            assert_eq!(parse(sql, &QueryOptions::default()).unwrap_err().kind(), ErrorKind::Denied, "{sql}");
        }
    }
}
