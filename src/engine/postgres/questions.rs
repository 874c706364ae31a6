//! Questions that clients ask word by word, that no rewrite makes answerable, and the same asked simply.

use datafusion::sql::sqlparser::ast::{Query, Statement};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

/// asyncpg looks types up that it does not know, arrays among them, and what they are made of. Here are no domains, ranges and
/// composites: an array's items are all there is behind a type.
const TYPES_OF_ASYNCPG: (&str, &str) = (
    "typeinfo_tree",
    "WITH info AS (
        SELECT t.oid, ns.nspname AS ns, t.typname AS name, t.typtype AS kind, CAST(NULL AS oid) AS basetype,
            t.typelem AS elemtype, e.typdelim AS elemdelim, CAST(NULL AS oid) AS range_subtype,
            CAST(NULL AS text[]) AS attrtypoids, CAST(NULL AS text[]) AS attrnames, e.typname AS elemtype_name
        FROM pg_catalog.pg_type t
        JOIN pg_catalog.pg_namespace ns ON ns.oid = t.typnamespace
        LEFT JOIN pg_catalog.pg_type e ON t.typlen = -1 AND t.typelem = e.oid),
    asked AS (SELECT * FROM info WHERE oid = any($1::oid[]))
    SELECT oid, ns, name, kind, basetype, elemtype, elemdelim, range_subtype, attrtypoids, attrnames, depth,
        CAST(NULL AS text) AS basetype_name, elemtype_name, CAST(NULL AS text) AS range_subtype_name
    FROM (SELECT *, 0 AS depth FROM asked
        UNION ALL SELECT *, 1 AS depth FROM info WHERE oid IN (SELECT elemtype FROM asked)) types
    ORDER BY depth DESC",
);

/// What `statement` asks, if it is one of them.
pub fn simply(statement: &Statement) -> Option<Statement> {
    let Statement::Query(query) = statement else { return None };
    let (named, asked) = TYPES_OF_ASYNCPG;
    let mut found = Parser::parse_sql(&PostgreSqlDialect {}, names(query, named).then_some(asked)?).ok()?;
    found.pop()
}

fn names(query: &Query, cte: &str) -> bool {
    query.with.iter().flat_map(|with| &with.cte_tables).any(|table| table.alias.name.value == cte)
}
