//! PostgreSQL's dialect. Questions to the system tables go through `datafusion-pg-catalog`'s rewrites, some of which replace
//! what DataFusion cannot answer by NULL; statements about the lake never do: they keep their meaning or fail.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use datafusion::sql::parser::{DFParserBuilder, Statement as DfStatement};
use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, Statement, TableFactor, Value, Visit, VisitMut,
    Visitor, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_pg_catalog::sql::rules::{
    CurrentUserVariableToSessionUserFunctionCall, FixArrayLiteral, FixVersionColumnName, RewriteArrayAnyAllOperation,
    RewritePgCatalogOperator, RewriteRegCastToSubquery, SqlStatementRewriteRule, StripCallableQualifier, StripCollate,
};

use super::PG_CATALOG;
use crate::engine::classify::classify;
use crate::engine::planner::{Parsed, read};
use crate::error::{Error, Result};

/// Tables that the stock rewrites do not know by their bare names.
const MORE_TABLES: [&str; 2] = ["pg_user", "pg_indexes"];
/// Types that stand for ids of objects.
const REG_TYPES: [&str; 3] = ["regclass", "pg_catalog.regclass", "\"regclass\""];

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
        Box::new(FixVersionColumnName),
    ]
});

/// Parses `sql`, one statement that only reads, as PostgreSQL's clients write it.
///
/// # Errors
/// As [`crate::engine::planner::parse`].
pub fn parse(sql: &str) -> Result<Parsed> {
    let parser = DFParserBuilder::new(sql).with_dialect(&PostgreSqlDialect {}).build();
    let mut statements = parser.and_then(|mut p| p.parse_statements()).map_err(classify)?;
    if statements.len() > 1 {
        return Err(Error::invalid("more than one statement").hint("send one SELECT at a time"));
    }
    let statement = statements.pop_front().ok_or_else(|| Error::invalid("no statement").hint("write a SELECT"))?;
    let mut parsed = read(statement)?;
    let catalogue = asks_the_catalogue(&parsed.statement);
    parsed.statement = match catalogue.then(|| for_catalogue(sql)).flatten() {
        Some(Parsed { statement, .. }) if parsed.explain.is_none() => statement,
        _ => FOR_ALL.iter().fold(parsed.statement, |statement, rule| rule.rewrite(statement)),
    };
    let _ = VisitMut::visit(&mut parsed.statement, &mut Quirks { catalogue });
    Ok(parsed)
}

/// The statement with everything done that makes DataFusion answer what clients ask of the system tables.
fn for_catalogue(sql: &str) -> Option<Parsed> {
    let mut statements = FOR_CATALOGUE.parse(sql).ok()?;
    let statement = statements.pop().filter(|_| statements.is_empty())?;
    read(DfStatement::Statement(Box::new(statement))).ok()
}

fn asks_the_catalogue(statement: &Statement) -> bool {
    struct Find;
    impl Visitor for Find {
        type Break = ();
        fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
            let parts: Vec<String> = name.0.iter().map(|p| p.to_string().to_ascii_lowercase()).collect();
            let system = parts.iter().any(|p| p.trim_matches('"') == PG_CATALOG);
            let bare = parts.len() == 1 && parts.iter().any(|p| p.trim_matches('"').starts_with("pg_"));
            if system || bare { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    Visit::visit(statement, &mut Find).is_break()
}

/// What clients write and neither DataFusion nor the stock rewrites know.
struct Quirks {
    catalogue: bool,
}

impl VisitorMut for Quirks {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: None, .. } = factor
            && let [part] = name.0.as_slice()
            && let Some(ident) = part.as_ident()
            && MORE_TABLES.iter().any(|t| ident.value.eq_ignore_ascii_case(t))
        {
            *name = ObjectName::from(vec![Ident::new(PG_CATALOG), ident.clone()]);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let changed = match expr {
            // psql's \d+ joins options of toast tables, of which there are none.
            Expr::Function(f) if self.catalogue && is_array_of_query(f) => Some(no_texts()),
            Expr::Function(f) if is_named(f, "generate_subscripts") => subscripts(f),
            // A name that is put together, such as format('%I.%I', …)::regclass.
            Expr::Cast { expr: inner, data_type, .. } if is_reg(data_type) && matches!(**inner, Expr::Function(_)) => {
                Some(call("to_regclass", vec![(**inner).clone()]))
            }
            _ => None,
        };
        if let Some(changed) = changed {
            *expr = changed;
        }
        ControlFlow::Continue(())
    }
}

fn is_named(function: &Function, name: &str) -> bool {
    let last = function.name.0.last().and_then(|part| part.as_ident());
    last.is_some_and(|ident| ident.value.eq_ignore_ascii_case(name))
}

fn is_array_of_query(function: &Function) -> bool {
    is_named(function, "array") && matches!(function.args, FunctionArguments::Subquery(_))
}

fn is_reg(kind: &DataType) -> bool {
    let name = kind.to_string().to_ascii_lowercase();
    REG_TYPES.contains(&name.as_str())
}

/// `NULL::text[]`
fn no_texts() -> Expr {
    cast(
        Expr::Value(Value::Null.into()),
        DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(DataType::Text), None)),
    )
}

/// `generate_subscripts(a, 1)` beside `unnest(a)`: `unnest(range(1, array_length(a) + 1))`.
fn subscripts(function: &Function) -> Option<Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(array))) = list.args.first() else { return None };
    let one = || Expr::Value(Value::Number("1".into(), false).into());
    let length = cast(call("array_length", vec![array.clone()]), DataType::BigInt(None));
    let end = Expr::BinaryOp { left: Box::new(length), op: BinaryOperator::Plus, right: Box::new(one()) };
    Some(call("unnest", vec![call("range", vec![one(), end])]))
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None }
}

fn call(name: &str, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(sql: &str) -> String {
        parse(sql).unwrap().statement.to_string()
    }

    #[test]
    fn statements_about_the_lake_keep_their_meaning() {
        for sql in [
            "SELECT (SELECT max(o.net) FROM b AS o WHERE o.id = a.id) AS m FROM a",
            "SELECT id, * FROM a",
            "SELECT (SELECT x FROM b) FROM a",
        ] {
            assert_eq!(rewritten(sql), sql);
        }
        assert_eq!(rewritten("SELECT 1 = ANY(ARRAY[1, 2])"), "SELECT array_contains(ARRAY[1, 2], 1)");
    }

    #[test]
    fn questions_to_the_catalogue_are_made_to_work() {
        let sql = "SELECT relname, (SELECT d.adbin FROM pg_attrdef d WHERE d.adrelid = c.oid) AS d FROM pg_class c";
        assert_eq!(rewritten(sql), "SELECT relname, NULL AS d FROM pg_catalog.pg_class c");
        assert!(rewritten("SELECT * FROM pg_user").contains("pg_catalog.pg_user"));
        let subscripts = rewritten("SELECT unnest(conkey), generate_subscripts(conkey, 1) FROM pg_constraint");
        assert!(subscripts.contains("unnest(range(1, CAST(array_length(conkey) AS BIGINT) + 1))"), "{subscripts}");
        let options = rewritten("SELECT c.reloptions || array(select 'x' from pg_am) FROM pg_class c");
        assert!(options.contains("CAST(NULL AS TEXT[])"), "{options}");
    }

    #[test]
    fn names_that_are_put_together_are_looked_up() {
        let sql = rewritten("SELECT col_description(format('%I.%I', 'a', 'b')::regclass::oid, 1)");
        assert!(sql.contains("to_regclass(format('%I.%I', 'a', 'b'))"), "{sql}");
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
            assert!(parse(sql).is_err(), "{sql}");
        }
    }
}
