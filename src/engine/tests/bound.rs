//! What clients of BI protocols need: parameters by position, states that stay, schemas told before rows, lists.

use super::*;
use crate::engine::options::{Dialect, Pin};

fn value(array: impl arrow::array::Array + 'static) -> Param {
    Param::Value(Arc::new(array))
}

#[tokio::test]
async fn question_marks_are_numbered_and_values_bound_as_they_are() {
    let engine = engine(&small_lake().await).await;
    let sql = "SELECT count(*) FROM sales WHERE business_date >= ? AND channel_id = ? AND net > ?";
    let described = engine.describe(sql, &QueryOptions::default(), &Caller::local()).await.unwrap();
    let told: Vec<_> = described.parameters.iter().map(|p| (p.name.as_str(), p.arrow.clone().unwrap())).collect();
    assert_eq!(
        told,
        [("1", DataType::Date32), ("2", DataType::Utf8), ("3", DataType::Decimal128(18, 4))],
        "in order, in plain types"
    );
    let given =
        |day: Param, least: Param| with(&[("1", day), ("2", value(StringArray::from(vec!["web"]))), ("3", least)]);
    let day = || value(Date32Array::from(vec![day("2026-01-05")]));
    let half = value(arrow::array::Float64Array::from(vec![0.75]));
    assert_eq!(one(&engine, sql, given(day(), half)).await, "1", "0.75 is not rounded to the column's type");
    let text = |t: &str| value(StringArray::from(vec![t]));
    assert_eq!(
        one(&engine, sql, given(text("2026-02-01"), text("0.25"))).await,
        "1",
        "texts become dates and decimals"
    );
    let wrong = ask(&engine, sql, given(text("2026-02-30"), text("0"))).await.unwrap_err();
    assert_eq!((wrong.kind(), wrong.message()), (ErrorKind::Invalid, "parameter $1 = '2026-02-30' is no DATE"));
    let mixed = ask(&engine, "SELECT ? + $n", QueryOptions::default()).await.unwrap_err();
    assert!(mixed.hint_text().unwrap().contains("$1"), "{mixed}");
    let eleven = (1..=11).map(|_| "?").collect::<Vec<_>>().join(", ");
    let many = format!("SELECT count(*) FROM sales WHERE channel_id IN ({eleven})");
    let described = engine.describe(&many, &QueryOptions::default(), &Caller::local()).await.unwrap();
    let names: Vec<&str> = described.parameters.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names[8..], ["9", "10", "11"], "by number, not by text");
}

#[tokio::test]
async fn rows_have_the_columns_that_were_told() {
    let engine = engine(&small_lake().await).await;
    for sql in [
        "SELECT 1 AS n UNION ALL SELECT 2.5",
        "SELECT channel_id, sum(net), count(*) FROM sales GROUP BY 1",
        "SELECT s.net, l.region_id FROM sales s JOIN location l USING (location_id)",
        "SELECT product_id, array_agg(channel_id) AS channels, NULL AS nothing FROM sales GROUP BY 1",
        "SELECT * FROM product",
        "EXPLAIN SELECT 1",
    ] {
        let told = engine.describe(sql, &QueryOptions::default(), &Caller::local()).await.unwrap().schema;
        let rows = engine.query(sql, QueryOptions::default(), &Caller::local()).await.unwrap();
        assert_eq!(told, rows.schema, "{sql}");
        for batch in rows.collect().await.unwrap() {
            assert_eq!(batch.schema(), told, "{sql}");
        }
    }
}

#[tokio::test]
async fn a_pinned_state_answers_as_it_did() {
    let lake = small_lake().await;
    let engine = engine(&lake).await;
    let sum = "SELECT sum(net) FROM sales";
    let pin = engine.describe(sum, &QueryOptions::default(), &Caller::local()).await.unwrap().pin;
    let at = |pin: &Pin| QueryOptions { at: Some(pin.clone()), ..QueryOptions::default() };
    for more in 0..6 {
        land(&lake, &ORDER_LINE, lines(&["2026-03-01"], &["web"], &[None], &["P1"], &[10_000])).await;
        engine.refresh().await.unwrap();
        assert_eq!(one(&engine, sum, at(&pin)).await, "35.5000", "after {} more commits", more + 1);
    }
    assert_eq!(one(&engine, sum, QueryOptions::default()).await, "41.5000");
    // Another process, which never saw that state.
    let other = super::engine(&lake).await;
    assert_eq!(one(&other, sum, at(&pin)).await, "35.5000");
    let mut files = views();
    let changed = SALES.replace("UNION ALL", "WHERE s.channel_id = 'pos' UNION ALL");
    files.insert("sales".into(), QueryFile::parse("views/sales.sql", &changed).unwrap());
    let third = super::engine(&lake).await;
    third.set_views(&files).await.unwrap();
    let gone = ask(&third, sum, at(&pin)).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Unavailable);
    assert!(gone.hint_text().unwrap().contains("again"), "{gone}");
    let never = Pin { snapshot: "x".into(), versions: BTreeMap::from([("order_line".into(), 99)]) };
    assert_eq!(ask(&third, sum, at(&never)).await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn every_table_of_the_information_schema_answers() {
    let engine = engine(&small_lake().await).await;
    let names =
        "SELECT string_agg(table_name, ' ') FROM information_schema.tables WHERE table_schema = 'information_schema'";
    let names = one(&engine, names, QueryOptions::default()).await;
    assert!(names.split(' ').count() > 40, "{names}");
    for dialect in [Dialect::default(), Dialect::Postgres] {
        let options = QueryOptions { dialect, ..QueryOptions::default() };
        for name in names.split(' ') {
            let sql = format!("SELECT * FROM information_schema.{name}");
            ask(&engine, &sql, options.clone()).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
            // It tells of itself what it tells of the lake.
            let schema = engine.describe(&sql, &options, &Caller::local()).await.unwrap().schema;
            let has: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            let sql = format!(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'information_schema' \
                 AND table_name = '{name}' ORDER BY ordinal_position"
            );
            let told = ask(&engine, &sql, options.clone()).await.unwrap();
            let told: Vec<&str> = told.lines().skip(3).filter_map(|line| line.strip_prefix('|')).collect();
            let told: Vec<&str> = told.iter().map(|cell| cell.trim_end_matches('|').trim()).collect();
            assert_eq!(told, has, "{name} in {dialect:?}");
        }
    }
}

#[tokio::test]
async fn numbers_tell_their_digits_and_of_which_radix() {
    let engine = engine(&small_lake().await).await;
    for dialect in [Dialect::default(), Dialect::Postgres] {
        for (schema, table, column, digits) in [
            ("main", "sales", "net", "18 10 4"),
            ("system", "queries", "rows", "64 2 0"),
            ("system", "queries", "seconds", "53 2"),
            ("information_schema", "tables", "table_name", ""),
        ] {
            let sql = format!(
                "SELECT numeric_precision, numeric_precision_radix, numeric_scale FROM information_schema.columns \
                 WHERE table_schema = '{schema}' AND table_name = '{table}' AND column_name = '{column}'"
            );
            let options = QueryOptions { dialect, ..QueryOptions::default() };
            assert_eq!(one(&engine, &sql, options).await, digits, "{schema}.{table}.{column} in {dialect:?}");
        }
    }
}

#[tokio::test]
async fn lists_say_what_tables_and_columns_mean() {
    let engine = engine(&small_lake().await).await;
    let own = |sql: &'static str| one(&engine, sql, QueryOptions::default());
    let about = "SELECT about FROM system.columns WHERE relation = 'sales' AND name = 'net'";
    assert_eq!(own(about).await, "net sales");
    let comment = "SELECT data_type, is_nullable, column_comment, numeric_scale FROM information_schema.columns \
                   WHERE table_schema = 'main' AND table_name = 'sales' AND column_name = 'net'";
    assert_eq!(own(comment).await, "DECIMAL(18,4) NO net sales 4");
    let table = "SELECT table_type, table_comment FROM information_schema.tables WHERE table_name = 'sales'";
    assert_eq!(own(table).await, "VIEW Sales and returns.");
    let keys = "SELECT count(*) FROM information_schema.table_constraints c JOIN information_schema.key_column_usage k \
                USING (constraint_schema, constraint_name) WHERE c.table_name = 'product' AND c.table_schema = 'main' \
                AND c.constraint_type = 'PRIMARY KEY' AND k.column_name = 'product_id'";
    assert_eq!(own(keys).await, "1");
    let points = "SELECT unique_constraint_name FROM information_schema.referential_constraints \
                  WHERE constraint_name = 'location_region_id_fkey' AND constraint_schema = 'main'";
    assert_eq!(own(points).await, "region_pkey");
    assert_eq!(own("SELECT count(*) > 5 FROM information_schema.routines").await, "true");
    let view = "SELECT count(*), min(view_definition LIKE '%SELECT%') FROM information_schema.views WHERE table_name = 'sales'";
    assert_eq!(own(view).await, "1 true");
    let views = "SELECT (SELECT count(*) FROM information_schema.views) \
                 = (SELECT count(*) FROM information_schema.tables WHERE table_type = 'VIEW')";
    assert_eq!(own(views).await, "true");
    let itself =
        "SELECT table_schema, view_definition IS NULL FROM information_schema.views WHERE table_name = 'views'";
    assert_eq!(own(itself).await, "information_schema true");
    let reads = "SELECT view_name, table_schema FROM information_schema.view_table_usage WHERE table_name = 'order_line' \
                 ORDER BY view_name LIMIT 1";
    assert!(own(reads).await.ends_with(" base"));
    let checked = "SELECT check_clause FROM information_schema.table_constraints t JOIN information_schema.check_constraints c \
                   ON c.constraint_schema = t.constraint_schema AND c.constraint_name = t.constraint_name \
                   WHERE t.table_name = 'region' AND t.table_schema = 'main' AND c.constraint_name = 'region_region_id_not_null'";
    assert_eq!(own(checked).await, "region_id IS NOT NULL");
    let used = "SELECT table_name, column_name FROM information_schema.constraint_column_usage \
                WHERE constraint_name = 'location_region_id_fkey' AND constraint_schema = 'main'";
    assert_eq!(own(used).await, "region region_id");
    let rights = "SELECT DISTINCT grantee, privilege_type FROM information_schema.role_table_grants";
    assert_eq!(own(rights).await, "saleslake SELECT");
    let known = engine.relations();
    assert!(Arc::ptr_eq(&known, &engine.relations()), "made once per state");
    let lines = known.iter().find(|r| r.schema == "base" && r.name == "order_line").unwrap();
    assert_eq!(lines.primary_key, ["source_system", "order_id", "order_line_id"]);
    let points_at: Vec<_> = lines.foreign_keys.iter().map(|k| (k.column.as_str(), k.table.as_str())).collect();
    assert!(points_at.contains(&("fulfil_location_id", "location")), "{points_at:?}");
    let location = known.iter().find(|r| r.schema == "main" && r.name == "location").unwrap();
    assert!(location.foreign_keys.iter().all(|k| k.table != "location"), "not at itself");
    for relation in known.iter() {
        assert!(relation.columns.iter().zip(relation.arrow.fields()).all(|(c, f)| c.name == *f.name()));
    }
}

#[tokio::test]
async fn postgres_reads_only_too() {
    let engine = engine(&small_lake().await).await;
    let postgres = || QueryOptions { dialect: Dialect::Postgres, ..QueryOptions::default() };
    assert_eq!(one(&engine, "SELECT sum(net)::text FROM sales", postgres()).await, "35.5000");
    let refused = ask(&engine, "DROP TABLE product", postgres()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Denied);
}
