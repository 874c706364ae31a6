//! What PostgreSQL's clients ask, as they ask it. psql's questions are those that `psql -E` shows (version 16).

use super::*;
use crate::engine::options::Dialect;

fn pg() -> QueryOptions {
    QueryOptions { dialect: Dialect::Postgres, ..QueryOptions::default() }
}

async fn answer(engine: &Engine, sql: &str) -> String {
    ask(engine, sql, pg()).await.unwrap_or_else(|e| panic!("{sql}\n{e} ({:?})", e.hint_text()))
}

#[tokio::test]
async fn the_catalogue_is_this_dialects_only() {
    let engine = engine(&small_lake().await).await;
    assert!(ask(&engine, "SELECT * FROM pg_catalog.pg_class", QueryOptions::default()).await.is_err());
    assert!(ask(&engine, "SELECT current_schemas(true)", QueryOptions::default()).await.is_err());
    let who = "SELECT current_database(), current_schema AS bare, current_schema(), current_user, version()";
    let said = one(&engine, who, pg()).await;
    assert!(said.starts_with("lake main main saleslake PostgreSQL 16"), "{said}");
    assert_eq!(one(&engine, "SELECT count(*) FROM sales", pg()).await, "3", "bare names are those of main");
}

#[tokio::test]
async fn psql_lists_tables_and_views_with_what_they_mean() {
    let engine = engine(&small_lake().await).await;
    let listed = answer(
        &engine,
        r#"SELECT n.nspname as "Schema", c.relname as "Name",
  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as "Type",
  pg_catalog.pg_get_userbyid(c.relowner) as "Owner",
  CASE c.relpersistence WHEN 'p' THEN 'permanent' WHEN 't' THEN 'temporary' WHEN 'u' THEN 'unlogged' END as "Persistence",
  am.amname as "Access method",
  pg_catalog.pg_size_pretty(pg_catalog.pg_table_size(c.oid)) as "Size",
  pg_catalog.obj_description(c.oid, 'pg_class') as "Description"
FROM pg_catalog.pg_class c
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE c.relkind IN ('r','p','v','m','S','f','')
      AND n.nspname <> 'pg_catalog'
      AND n.nspname !~ '^pg_toast'
      AND n.nspname <> 'information_schema'
  AND pg_catalog.pg_table_is_visible(c.oid)
ORDER BY 1,2;"#,
    )
    .await;
    assert!(listed.contains("Sales and returns.") && listed.contains("| main   | sales "), "{listed}");
    assert!(!listed.contains("| base ") && !listed.contains("pg_class"), "{listed}");
}

#[tokio::test]
async fn psql_describes_a_view() {
    let engine = engine(&small_lake().await).await;
    let found = one(
        &engine,
        "SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname OPERATOR(pg_catalog.~) '^(sales)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3;",
        pg(),
    )
    .await;
    let oid = found.split(' ').next().unwrap().to_string();
    assert!(found.ends_with("main sales"), "{found}");
    let kind = format!(
        "SELECT c.relchecks, c.relkind, c.relhasindex, c.relhasrules, c.relhastriggers, c.relrowsecurity, c.relforcerowsecurity, false AS relhasoids, c.relispartition, pg_catalog.array_to_string(c.reloptions || array(select 'toast.' || x from pg_catalog.unnest(tc.reloptions) x), ', ')
, c.reltablespace, CASE WHEN c.reloftype = 0 THEN '' ELSE c.reloftype::pg_catalog.regtype::pg_catalog.text END, c.relpersistence, c.relreplident, am.amname
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_class tc ON (c.reltoastrelid = tc.oid)
LEFT JOIN pg_catalog.pg_am am ON (c.relam = am.oid) WHERE c.oid = '{oid}';"
    );
    assert!(answer(&engine, &kind).await.contains("| v "));
    let columns = format!(
        "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
  (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef),
  a.attnotnull,
  (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation,
  a.attidentity, a.attgenerated, a.attstorage, a.attcompression AS attcompression,
  CASE WHEN a.attstattarget=-1 THEN NULL ELSE a.attstattarget END AS attstattarget,
  pg_catalog.col_description(a.attrelid, a.attnum)
FROM pg_catalog.pg_attribute a WHERE a.attrelid = '{oid}' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;"
    );
    let columns = answer(&engine, &columns).await;
    assert!(
        columns.contains("| net ") && columns.contains("numeric(18,4)") && columns.contains("net sales"),
        "{columns}"
    );
    let text =
        answer(&engine, &format!("SELECT pg_catalog.pg_get_viewdef('{oid}'::pg_catalog.oid, true) AS def")).await;
    assert!(text.contains("SELECT s.channel_id"), "{text}");
    let parents = format!(
        "SELECT c.oid::pg_catalog.regclass, c.relkind, inhdetachpending, pg_catalog.pg_get_expr(c.relpartbound, c.oid) FROM pg_catalog.pg_class c, pg_catalog.pg_inherits i WHERE c.oid = i.inhrelid AND i.inhparent = '{oid}' ORDER BY pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', c.oid::pg_catalog.regclass::pg_catalog.text;"
    );
    answer(&engine, &parents).await;
}

#[tokio::test]
async fn keys_are_told_in_both_catalogues() {
    let engine = engine(&small_lake().await).await;
    let indexes = answer(
        &engine,
        "SELECT c2.relname, i.indisprimary, i.indisunique, i.indisclustered, i.indisvalid, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true),
  pg_catalog.pg_get_constraintdef(con.oid, true), contype, condeferrable, condeferred, i.indisreplident, c2.reltablespace
FROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i
  LEFT JOIN pg_catalog.pg_constraint con ON (conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x'))
WHERE c.oid = 'main.product'::regclass AND c.oid = i.indrelid AND i.indexrelid = c2.oid
ORDER BY i.indisprimary DESC, c2.relname;",
    )
    .await;
    assert!(indexes.contains("product_pkey") && indexes.contains("PRIMARY KEY (product_id)"), "{indexes}");
    // As Metabase looks for foreign keys.
    let foreign = answer(
        &engine,
        r#"SELECT fk_ns.nspname AS "fk-table-schema", fk_table.relname AS "fk-table-name", fk_column.attname AS "fk-column-name",
  pk_ns.nspname AS "pk-table-schema", pk_table.relname AS "pk-table-name", pk_column.attname AS "pk-column-name"
FROM pg_constraint AS c
  INNER JOIN pg_class AS fk_table ON c.conrelid = fk_table.oid
  INNER JOIN pg_namespace AS fk_ns ON c.connamespace = fk_ns.oid
  INNER JOIN pg_attribute AS fk_column ON c.conrelid = fk_column.attrelid
  INNER JOIN pg_class AS pk_table ON c.confrelid = pk_table.oid
  INNER JOIN pg_namespace AS pk_ns ON pk_table.relnamespace = pk_ns.oid
  INNER JOIN pg_attribute AS pk_column ON c.confrelid = pk_column.attrelid
WHERE fk_ns.nspname !~ '^information_schema|catalog_history|pg_' AND c.contype = 'f'::char
  AND fk_column.attnum = ANY(c.conkey) AND pk_column.attnum = ANY(c.confkey) AND fk_table.relname = 'sales'
ORDER BY 1, 2, 3"#,
    )
    .await;
    assert!(foreign.contains("| product_id ") && foreign.contains("| location_id "), "{foreign}");
    let standard = answer(
        &engine,
        "SELECT k.column_name FROM information_schema.table_constraints t JOIN information_schema.key_column_usage k \
         ON t.constraint_name = k.constraint_name WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_name = 'product'",
    )
    .await;
    assert!(standard.contains("product_id"), "{standard}");
}

#[tokio::test]
async fn columns_have_postgres_types_and_comments() {
    let engine = engine(&small_lake().await).await;
    // As Metabase asks for fields.
    let fields = answer(
        &engine,
        r#"SELECT c.column_name AS name, CASE WHEN c.udt_schema IN ('public', 'pg_catalog') THEN FORMAT('%s', c.udt_name) ELSE FORMAT('"%s"."%s"', c.udt_schema, c.udt_name) END AS "database-type",
  c.ordinal_position - 1 AS "database-position", c.table_schema AS "table-schema", c.table_name AS "table-name", pk.column_name IS NOT NULL AS "pk?",
  COL_DESCRIPTION(CAST(CAST(FORMAT('%I.%I', CAST(c.table_schema AS TEXT), CAST(c.table_name AS TEXT)) AS REGCLASS) AS OID), c.ordinal_position) AS "field-comment"
FROM information_schema.columns AS c
  LEFT JOIN (SELECT tc.table_schema, tc.table_name, kc.column_name FROM information_schema.table_constraints AS tc
    INNER JOIN information_schema.key_column_usage AS kc ON tc.constraint_name = kc.constraint_name AND tc.table_schema = kc.table_schema AND tc.table_name = kc.table_name
    WHERE tc.constraint_type = 'PRIMARY KEY') AS pk
  ON c.table_schema = pk.table_schema AND c.table_name = pk.table_name AND c.column_name = pk.column_name
WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND c.table_name IN ('sales')
ORDER BY "table-schema", "table-name", "database-position""#,
    )
    .await;
    assert!(fields.contains("numeric") && fields.contains("net sales"), "{fields}");
    let kind = "SELECT data_type, numeric_precision, numeric_scale FROM information_schema.columns WHERE table_name = 'sales' AND column_name = 'net'";
    assert_eq!(one(&engine, kind, pg()).await, "numeric 18 4");
}

#[tokio::test]
async fn ids_stay_and_never_meet() {
    let lake = small_lake().await;
    let (a, b) = (engine(&lake).await, engine(&lake).await);
    let ids = "SELECT oid, relname, relnamespace FROM pg_class ORDER BY 2, 3";
    assert_eq!(answer(&a, ids).await, answer(&b, ids).await);
    assert_eq!(one(&a, "SELECT count(*) - count(DISTINCT oid) AS twice FROM pg_class", pg()).await, "0");
    assert_eq!(one(&a, "SELECT 'pg_catalog.pg_class'::regclass::oid AS oid", pg()).await, "1259");
    let nowhere =
        "SELECT count(*) FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.oid IS NULL";
    assert_eq!(one(&a, nowhere, pg()).await, "0");
}

#[tokio::test]
async fn drivers_and_tools_get_answers() {
    let engine = engine(&small_lake().await).await;
    for sql in [
        "SELECT set_config('search_path', 'main', false), current_setting('server_version_num')",
        "SELECT datname FROM pg_catalog.pg_database WHERE datallowconn ORDER BY 1",
        "SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1",
        "SELECT t.oid, t.typname, t.typelem, t.typtype FROM pg_catalog.pg_type t WHERE t.typname = 'numeric'",
        "SELECT has_table_privilege('main.product', 'SELECT'), has_schema_privilege(current_user, 'main', 'USAGE')",
        "SELECT rolname FROM pg_roles",
        "SELECT usename FROM pg_user",
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        "SELECT table_schema, table_name, table_type FROM INFORMATION_SCHEMA.tables WHERE table_schema NOT IN ('information_schema', 'pg_catalog')",
        "SELECT nspname, relname FROM pg_class JOIN pg_namespace ns ON relnamespace = ns.oid WHERE relkind = ANY('{r,v}') LIMIT 5",
        "SELECT name, setting FROM pg_settings WHERE name = 'TimeZone'",
        "SELECT channel_id FROM sales WHERE channel_id = ANY(ARRAY['web', 'x'])",
        "SELECT channel_id FROM sales WHERE channel_id = ANY('{web,x}')",
        "SELECT date_trunc('month', business_date)::date AS m, sum(net) FROM sales GROUP BY 1",
        "SELECT 'a'::name, 1::int8, '2026-01-01'::date, 1.5::numeric, 'x'::pg_catalog.text",
        "SELECT unnest(conkey) AS attnum, generate_subscripts(conkey, 1) AS ord FROM pg_constraint",
    ] {
        answer(&engine, sql).await;
    }
    assert_eq!(
        one(&engine, "SELECT has_table_privilege('main.product', 'SELECT') AS s, has_table_privilege('main.product', 'INSERT') AS i", pg())
            .await,
        "true false"
    );
}
