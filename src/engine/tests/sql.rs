//! What may be asked: policies, parameters, reading statements, limits, descriptions.

use super::*;
use crate::engine::options::Dialect;

#[tokio::test]
async fn policies_are_the_views_own() {
    let engine = engine(&small_lake().await).await;
    let sql = "SELECT DISTINCT basis FROM by_channel";
    assert_eq!(one(&engine, sql, QueryOptions::default()).await, "R");
    let under = |name: &str, value: &str| QueryOptions {
        policies: BTreeMap::from([(name.to_string(), value.to_string())]),
        ..QueryOptions::default()
    };
    assert_eq!(one(&engine, sql, under("return_basis", "sale_date")).await, "S");
    let error = ask(&engine, sql, under("return_basis", "sales_date")).await.unwrap_err();
    assert!(error.hint_text().unwrap().contains("sale_date"), "{error}");
    let error = ask(&engine, sql, under("region_basis", "ship")).await.unwrap_err();
    assert!(error.to_string().contains("region_basis"), "{error}");
    assert!(
        ask(&engine, "SELECT $return_basis FROM sales", QueryOptions::default()).await.is_err(),
        "not the caller's parameter"
    );
}

#[tokio::test]
async fn parameters_are_typed_and_bound() {
    let engine = engine(&small_lake().await).await;
    let count = "SELECT count(*) FROM sales WHERE business_date >= $from AND business_date < $to AND \
                 ($channels IS NULL OR array_has($channels, channel_id)) LIMIT $n";
    let date = |text: &str| Param::Date(text.parse().unwrap());
    let list = Param::List(vec!["web".into(), "x' OR '1'='1".into()]);
    let all = |channels: Param| {
        with(&[("from", date("2026-01-01")), ("to", date("2026-02-01")), ("channels", channels), ("n", Param::Int(5))])
    };
    assert_eq!(one(&engine, count, all(list)).await, "1");
    assert_eq!(one(&engine, count, all(Param::Null(ParamType::TextList))).await, "2");
    assert_eq!(one(&engine, count, all(Param::List(vec![]))).await, "0");
    let echo = "SELECT $d AS d, $t AS t, $b AS b, $x AS x, arrow_typeof($d) AS kind";
    let given = [
        ("d", Param::Decimal("1.50".into())),
        ("t", Param::Timestamp("2026-01-01T00:00:00Z".parse().unwrap())),
        ("b", Param::Bool(true)),
        ("x", Param::Text("$y; DROP TABLE x --".into())),
    ];
    assert_eq!(
        one(&engine, echo, with(&given)).await,
        "1.50 2026-01-01T00:00:00Z true $y; DROP TABLE x -- Decimal128(3, 2)"
    );
    let sum = "SELECT sum(net) FROM sales WHERE net >= $least";
    assert_eq!(one(&engine, sum, with(&[("least", Param::Decimal("10".into()))])).await, "35.0000");
    let missing = ask(&engine, sum, QueryOptions::default()).await.unwrap_err();
    assert!(missing.to_string().contains("$least"), "{missing}");
    let unknown = ask(&engine, sum, with(&[("least", Param::Int(1)), ("leest", Param::Int(1))])).await.unwrap_err();
    assert!(unknown.to_string().contains("$leest") && unknown.hint_text().unwrap().contains("least"), "{unknown}");
}

/// Each was answered otherwise, and without a word. The values are those of DuckDB and PostgreSQL.
/// Of two columns of one name the right one is filtered by what a join finds (apache/datafusion#25244).
#[tokio::test]
async fn filters_go_down_to_their_own_columns() {
    let lake = memory_lake("data").await;
    let sold = |day, channel| lines(&[day], &[channel], &[None], &["P1"], &[100_000]);
    land(&lake, &ORDER_LINE, sold("2026-01-05", "web")).await;
    land(&lake, &ORDER_LINE, sold("2026-02-05", "pos")).await;
    let channels = [("channel_id", texts(&["web", "pos"])), ("channel_name", texts(&["Web", "Shops"]))];
    land(&lake, &CHANNEL, rows(&CHANNEL, &channels)).await;
    let engine = engine(&lake).await;
    let pairs =
        "base.order_line a JOIN base.order_line b ON b.product_id = a.product_id AND b.business_date > a.business_date";
    for sql in [
        format!(
            "SELECT min(a.channel_id), min(b.channel_id), count(*) FROM {pairs} \
             JOIN channel c ON c.channel_id = b.channel_id WHERE c.channel_name = 'Shops'"
        ),
        // One of the two is a constant: the outer join finds nothing, as is seen before it runs.
        "SELECT min(k), max(k), count(*) FROM (SELECT coalesce(n.channel_id, l.channel_id) AS k FROM base.order_line l \
         LEFT JOIN channel n ON false) v JOIN channel c ON c.channel_id = v.k WHERE c.channel_name = 'Shops'"
            .to_string(),
    ] {
        let answer = one(&engine, &sql, QueryOptions::default()).await;
        assert!(["web pos 1", "pos pos 1"].contains(&answer.as_str()), "{sql}: {answer}");
    }
}

#[tokio::test]
async fn what_the_library_gets_wrong_is_right_or_refused() {
    let engine = engine(&small_lake().await).await;
    let t = "(VALUES (TIMESTAMP '2026-01-03 02:00:00', TIMESTAMP '2026-01-01 00:00:00', DATE '2026-01-05', DATE '2026-01-02')) AS t(b, a, e, d)";
    for (expression, value) in [
        ("INTERVAL '25 hours' > INTERVAL '1 day'", "true"),
        ("INTERVAL '1 day' = INTERVAL '24 hours'", "true"),
        ("b - a > INTERVAL '1 day'", "true"),
        ("b - a BETWEEN INTERVAL '2 days' AND INTERVAL '3 days'", "true"),
        ("CASE WHEN b - a > INTERVAL '3 days' THEN 'late' ELSE 'in time' END", "in time"),
        ("e - d", "3"),
        ("(e - d) * 2 > 5", "true"),
        ("d - INTERVAL '1 hour'", "2026-01-01T23:00:00"),
        ("INTERVAL '12 hours' + d", "2026-01-02T12:00:00"),
        ("d - INTERVAL '1 day'", "2026-01-01"),
        ("true IS DISTINCT FROM false AND false", "false"),
        ("to_char(d, 'YYYY-\"Q\"Q FMDD.FMMM.')", "2026-Q1 2.1."),
    ] {
        assert_eq!(
            one(&engine, &format!("SELECT {expression} FROM {t}"), QueryOptions::default()).await,
            value,
            "{expression}"
        );
    }
    let kept = format!("SELECT count(*) FROM {t} WHERE e - d >= 3 AND b - a > INTERVAL '2 days'");
    assert_eq!(one(&engine, &kept, QueryOptions::default()).await, "1");
    let sums = "SELECT sum(net + 1.5), sum(net + 2.5), sum(1 + net) FROM (VALUES (CAST(10 AS DECIMAL(18,4))), (CAST(20 AS DECIMAL(18,4)))) AS t(net)";
    assert_eq!(one(&engine, sums, QueryOptions::default()).await, "33.0000 35.0000 32.0000");

    let given = "(VALUES (1), (2), (NULL)) AS t(x)";
    let among = "(SELECT y FROM (VALUES (1), (NULL)) AS u(y))";
    let count = |condition: &str| format!("SELECT count(*) FROM {given} WHERE {condition}");
    for (condition, rows) in [
        (format!("x NOT IN {among}"), "0"),
        (format!("x = 5 OR x IN {among}"), "1"),
        (format!("x > 0 AND NOT x IN {among}"), "0"),
    ] {
        assert_eq!(one(&engine, &count(&condition), QueryOptions::default()).await, rows, "{condition}");
    }
    for condition in [
        format!("x = 5 OR x NOT IN {among}"),
        format!("(x IN {among}) IS NULL"),
        format!("NOT (x = 2 OR x IN {among})"),
    ] {
        let refused = ask(&engine, &count(&condition), QueryOptions::default()).await.unwrap_err();
        assert!(refused.hint_text().is_some_and(|hint| hint.contains("NOT EXISTS")), "{condition}: {refused}");
    }
}

/// Money times a number that is written with a point stays exact.
#[tokio::test]
async fn written_numbers_beside_decimals_are_decimals() {
    let engine = engine(&small_lake().await).await;
    for (expression, value) in [
        ("d * 1.1", "21.98900 Decimal128(21, 5)"),
        ("1.1 * d", "21.98900 Decimal128(21, 5)"),
        ("d * -0.5", "-9.99500 Decimal128(21, 5)"),
        ("d * (1 + 0.19)", "23.788100 Decimal128(38, 6)"),
        ("d + 0.01", "20.0000 Decimal128(19, 4)"),
        ("0.01 - d", "-19.9800 Decimal128(19, 4)"),
        ("d % 0.5", "0.4900 Decimal128(5, 4)"),
        ("d * 1.1 - 0.0001", "21.98890 Decimal128(22, 5)"),
        // Doubles, as they were: more digits than a double keeps, more places than a decimal has.
        ("d + 12345678901234567.89", "1.2345678901234588e16 Float64"),
        ("d * 1e-15 * 1e-15 * 1e-15 > 0", "true Boolean"),
        ("d / 2.0", "9.995 Float64"),
        ("0.1 + 0.2", "0.30000000000000004 Float64"),
        ("CAST(d AS DOUBLE) * 1.5", "29.985 Float64"),
        ("2 * 1.5", "3.0 Float64"),
        ("sqrt(6.25)", "2.5 Float64"),
    ] {
        let sql = format!(
            "SELECT {expression} AS x, arrow_typeof({expression}) AS kind FROM (SELECT CAST('19.99' AS DECIMAL(18,4)) AS d)"
        );
        for dialect in [Dialect::Own, Dialect::Postgres] {
            let options = QueryOptions { dialect, ..QueryOptions::default() };
            assert_eq!(one(&engine, &sql, options).await, value, "{expression}");
        }
    }
    let sums = "SELECT sum(net * 1.1) = sum(net) * 1.1 FROM sales";
    assert_eq!(one(&engine, sums, QueryOptions::default()).await, "true");
}

/// A sum in the type of its amounts would overflow at the second of these; one of doubles would be 1e20 (D30).
#[tokio::test]
async fn d30_sums_of_the_largest_amounts_are_exact() {
    let engine = engine(&small_lake().await).await;
    let amounts = "SELECT CAST('99999999999999.9999' AS DECIMAL(18,4)) AS d FROM generate_series(1, 1000000)";
    let sum = format!("SELECT sum(d) AS total, arrow_typeof(sum(d)) AS kind FROM ({amounts})");
    assert_eq!(one(&engine, &sum, QueryOptions::default()).await, "99999999999999999900.0000 Decimal128(28, 4)");
}

#[tokio::test]
async fn only_reading_statements_are_taken() {
    let engine = engine(&small_lake().await).await;
    for sql in [
        "DROP TABLE product",
        "CREATE TABLE x AS SELECT 1",
        "CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION '/tmp/x'",
        "INSERT INTO product SELECT * FROM product",
        "COPY product TO '/tmp/x.parquet'",
        "SET datafusion.execution.batch_size = 1",
        "SHOW ALL",
        "PREPARE p AS SELECT 1",
        "EXPLAIN COPY product TO '/tmp/x.parquet'",
        "EXPLAIN ANALYZE INSERT INTO product SELECT * FROM product",
        "BEGIN",
    ] {
        let error = ask(&engine, sql, QueryOptions::default()).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Denied | ErrorKind::Invalid), "{sql}: {error}");
    }
    for sql in [
        "WITH a AS (DELETE FROM product RETURNING *) SELECT * FROM a",
        "WITH a AS (UPDATE product SET brand = 'x' RETURNING *) SELECT * FROM a",
        "WITH a AS (INSERT INTO product SELECT * FROM product RETURNING *) SELECT * FROM a",
        "WITH a AS (SELECT 1) DELETE FROM product",
        "EXPLAIN WITH a AS (DELETE FROM product RETURNING *) SELECT * FROM a",
    ] {
        let error = ask(&engine, sql, QueryOptions::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{sql}: {error}");
    }
    assert_eq!(
        ask(&engine, "SELECT 1; SELECT 2", QueryOptions::default()).await.unwrap_err().kind(),
        ErrorKind::Invalid
    );
    let sql = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'sales' AND table_schema = 'main'";
    assert_eq!(one(&engine, sql, QueryOptions::default()).await, "8");
    let error = ask(&engine, "SELECT * FROM produkt", QueryOptions::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.hint_text().unwrap().contains("product")), (ErrorKind::NotFound, true));
    let error = ask(&engine, "SELECT * FROM '/etc/passwd'", QueryOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn limits_are_errors_with_hints() {
    let lake = small_lake().await;
    let engine = limited(&lake, |c| c.row_limit = 2).await;
    let error = ask(&engine, "SELECT * FROM base.order_line", QueryOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("more than 2 rows") && error.hint_text().is_some(), "{error}");
    let engine = limited(&lake, |c| c.concurrent = 1).await;
    let slow = "SELECT sum(value % 7) FROM generate_series(1, 1000000000000)";
    let hurried = Caller { timeout: Some(Duration::from_millis(200)), class: Class::Batch, ..Caller::named("hurried") };
    let rows: Rows = engine.query(slow, QueryOptions::default(), &hurried).await.unwrap();
    assert_eq!(rows.collect().await.unwrap_err().kind(), ErrorKind::Timeout);
    drop(engine.query(slow, QueryOptions::default(), &Caller::named("gone")).await.unwrap());
    // The turn is free again once the dropped query's task has ended.
    assert_eq!(one(&engine, "SELECT count(*) FROM base.order_line", QueryOptions::default()).await, "3");
    let log =
        "SELECT state, error, label FROM system.queries WHERE principal IN ('hurried', 'gone') ORDER BY started_at";
    let shown = ask(&engine, log, QueryOptions { label: "the log".into(), ..QueryOptions::default() }).await.unwrap();
    assert!(shown.contains("failed    | Timeout   | sql"), "{shown}");
    assert!(shown.contains("cancelled | Cancelled | sql"), "{shown}");
}

/// A query that computes without a pause on every thread: whoever waits is told in time, and others go on.
#[tokio::test]
async fn a_query_without_pauses_holds_up_nobody() {
    let engine = limited(&small_lake().await, |c| (c.threads, c.timeout_seconds) = (2, 1)).await;
    let numbers = |n: u32| format!("(SELECT value AS v FROM generate_series(1, {n}))");
    let pairs = format!("SELECT count(*) FROM {} a, {} b WHERE a.v + b.v > 99999999", numbers(60_000), numbers(60_000));
    let begun = std::time::Instant::now();
    let error = ask(&engine, &pairs, QueryOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(begun.elapsed() < Duration::from_millis(2500), "{:?}", begun.elapsed());
}

/// More rows than memory: sorted on disk, and the answer is whole.
#[tokio::test]
async fn what_does_not_fit_is_spilled() {
    let engine = limited(&small_lake().await, |c| {
        (c.memory_mb, c.threads, c.row_limit) = (64, 1, 3_000_000);
    })
    .await;
    let sorted = "SELECT value, md5(CAST(value AS VARCHAR)) AS text FROM generate_series(1, 2000000) ORDER BY text";
    let rows = engine.query(sorted, QueryOptions::default(), &Caller::local()).await.unwrap();
    assert_eq!(rows.collect().await.unwrap().iter().map(|b| b.num_rows()).sum::<usize>(), 2_000_000);
    let plan = ask(&engine, &format!("EXPLAIN ANALYZE {sorted}"), QueryOptions::default()).await.unwrap();
    let spills = plan.split("spill_count=").skip(1).filter_map(|t| t.split([',', ']']).next()?.parse::<u64>().ok());
    assert!(spills.sum::<u64>() > 0, "{plan}");
    // What cannot be spilled is refused, not an end of the process.
    let grouped = "SELECT array_length(array_agg(value)) FROM generate_series(1, 20000000)";
    let error = ask(&engine, grouped, QueryOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
}

/// Dimensions are read by the first query that needs them, and not by those that do not.
#[tokio::test]
async fn dimensions_are_read_when_needed() {
    let lake = small_lake().await;
    let engine = engine(&lake).await;
    let files = lake.state(&PRODUCT).await.unwrap().files.clone();
    for file in &files {
        object_store::ObjectStoreExt::delete(&lake.object_store(), &file.location).await.unwrap();
    }
    assert_eq!(one(&engine, "SELECT count(*) FROM sales", QueryOptions::default()).await, "3");
    assert!(ask(&engine, "SELECT count(*) FROM product WHERE brand = 'B'", QueryOptions::default()).await.is_err());
}

#[tokio::test]
async fn statements_are_described() {
    let engine = engine(&small_lake().await).await;
    let sql = "SELECT channel_id, sum(net) AS net FROM by_channel b JOIN base.order_line l USING (channel_id) \
               WHERE business_date >= $from GROUP BY 1 ORDER BY net DESC, channel_id";
    let options = QueryOptions { key: vec!["channel_id".into()], ..QueryOptions::default() };
    let described = engine.describe(sql, &options, &Caller::local()).await.unwrap();
    assert_eq!(described.parameters[0].name, "from");
    assert_eq!(described.parameters[0].kind, Some(ParamType::Date));
    assert_eq!(described.order_by, ["net", "channel_id"]);
    assert!(described.totally_ordered);
    let relations: Vec<&str> = described.relations.iter().map(String::as_str).collect();
    assert_eq!(relations, ["base.order_line", "by_channel", "location", "product", "sales"]);
    assert_eq!(described.policies["return_basis"].default, "return_date");
    assert_eq!(
        described.versions.keys().map(String::as_str).collect::<Vec<_>>(),
        ["location", "order_line", "product"]
    );
    assert_eq!(described.schema.as_ref(), &Schema::new(described.schema.fields().clone()));
    let known = engine.relations();
    let sales = known.iter().find(|r| r.name == "sales").unwrap();
    assert_eq!(sales.columns.iter().find(|c| c.name == "net").unwrap().about, "net sales");
    assert_eq!(sales.columns.iter().find(|c| c.name == "business_date").unwrap().kind, "DATE");
}
