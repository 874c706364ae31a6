//! Functions that make more than they are given: refused before they are made, and as they were where they are small.

use super::*;

/// The least share of a pool: one function may make 16 MiB of a batch. What is asked for here is some 40 MiB.
async fn small_memory() -> Engine {
    limited(&small_lake().await, |c| (c.memory_mb, c.threads) = (64, 1)).await
}

/// A select list of `$s` and `$n`, which are the constants `s` and `n`, and of columns of these values.
fn of_constants_and_columns(list: &str, s: &str, n: u32) -> [String; 2] {
    let constants = list.replace("$s", &format!("'{s}'")).replace("$n", &n.to_string());
    let columns = list.replace("$s", "s").replace("$n", "n");
    [format!("SELECT {constants}"), format!("SELECT {columns} FROM (VALUES ('{s}', {n})) AS t(s, n)")]
}

/// `sql` must be refused by the bounds of `function`.
async fn refused(engine: &Engine, function: &str, sql: &str) {
    let error = ask(engine, sql, QueryOptions::default()).await.expect_err(sql);
    assert_eq!(error.kind(), ErrorKind::Busy, "{sql}: {error}");
    assert!(error.message().contains(&format!("{function} was asked for")), "{sql}: {error}");
    assert!(error.hint_text().is_some_and(|hint| hint.contains("engine.memory_mb")), "{sql}: {:?}", error.hint_text());
}

#[tokio::test]
async fn values_of_any_size_are_refused_before_they_are_made() {
    let engine = small_memory().await;
    for (function, call) in [
        ("repeat", "octet_length(repeat($s, $n))"),
        ("lpad", "octet_length(lpad($s, $n))"),
        ("rpad", "octet_length(rpad($s, $n, 'ab'))"),
        ("range", "cardinality(range(1, $n / 8))"),
        ("range", "cardinality(range($n / 8, 1, -1))"),
        ("generate_series", "cardinality(generate_series(1, $n / 8))"),
        ("array_repeat", "cardinality(array_repeat($s, $n / 8))"),
        ("array_repeat", "cardinality(list_repeat($s, $n / 8))"),
        ("array_resize", "cardinality(array_resize([1], $n / 8))"),
        ("replace", "octet_length(replace(repeat($s, $n / 8000), 'x', repeat('y', 8000)))"),
        ("regexp_replace", "octet_length(regexp_replace(repeat($s, $n / 8000), 'x', repeat('y', 8000), 'g'))"),
        ("array_to_string", "octet_length(array_to_string(range(1, $n / 40000), repeat($s, 40000)))"),
    ] {
        for sql in of_constants_and_columns(call, "x", 40_000_000) {
            refused(&engine, function, &sql).await;
        }
    }
    // Many rows are as much as one long one.
    let rows = "SELECT octet_length(repeat('x', 10000 + value)) FROM generate_series(1, 4000)";
    refused(&engine, "repeat", rows).await;
}

#[tokio::test]
async fn doubling_comes_to_an_end() {
    let engine = small_memory().await;
    // 1 MB, 6 times doubled. Constants are worked out while planning, where nothing else would stop them.
    for (function, first, twice, size) in [
        ("||", "repeat($s, 1000000)", "x || x", "octet_length(x)"),
        ("concat", "repeat($s, 1000000)", "concat(x, x)", "octet_length(x)"),
        ("concat_ws", "repeat($s, 1000000)", "concat_ws('-', x, x)", "octet_length(x)"),
        ("array_concat", "range(1, $n)", "x || x", "cardinality(x)"),
        ("array_concat", "range(1, $n)", "array_concat(x, x)", "cardinality(x)"),
        ("make_array", "range(1, $n)", "[x, x]", "cardinality(x)"),
    ] {
        for mut sql in of_constants_and_columns(&format!("{first} AS x"), "x", 125_000) {
            for _ in 0..6 {
                sql = format!("SELECT {twice} AS x FROM ({sql})");
            }
            refused(&engine, function, &format!("SELECT {size} FROM ({sql})")).await;
        }
    }
}

/// They make little, and would compute for minutes without a pause.
#[tokio::test]
async fn comparing_everything_with_everything_comes_to_an_end() {
    let engine = small_memory().await;
    for (function, call) in [
        ("levenshtein", "levenshtein(repeat($s, $n), repeat($s, $n))"),
        ("array_has_any", "array_has_any(range(0, $n), range($n, 2 * $n))"),
        ("array_has_all", "array_has_all(range(0, $n), range(0, $n))"),
    ] {
        for sql in of_constants_and_columns(call, "ab", 60_000) {
            let error = ask(&engine, &sql, QueryOptions::default()).await.expect_err(&sql);
            assert_eq!(error.kind(), ErrorKind::Invalid, "{sql}: {error}");
            assert!(error.message().contains(&format!("{function} would compare")), "{sql}: {error}");
        }
    }
    assert_eq!(one(&engine, "SELECT levenshtein('kitten', 'sitting')", QueryOptions::default()).await, "3");
    assert_eq!(one(&engine, "SELECT array_has_any([1, 2], [2, 3])", QueryOptions::default()).await, "true");
    refused(&engine, "array_distinct", "SELECT cardinality(array_distinct(range(0, 1000000)))").await;
}

/// Each is within bounds, all together are not.
#[tokio::test]
async fn results_count_in_the_pool_while_they_are_held() {
    let engine = small_memory().await;
    let columns: Vec<String> = (0..12).map(|i| format!("repeat(s, {}) AS c{i}", 8_000_000 + i)).collect();
    let sql = |columns: &[String]| format!("SELECT {} FROM (VALUES ('x')) AS t(s)", columns.join(", "));
    let held = engine.query(&sql(&columns[..]), QueryOptions::default(), &Caller::local()).await;
    let held = match held {
        Ok(rows) => rows.collect().await.map(|_| ()),
        Err(error) => Err(error),
    };
    let held = held.unwrap_err();
    assert_eq!(held.kind(), ErrorKind::Busy, "{held}");
    assert!(held.message().starts_with("out of memory for queries"), "{held}");
    // And is free again.
    let rows = engine.query(&sql(&columns[..4]), QueryOptions::default(), &Caller::local()).await.unwrap();
    let batches = rows.collect().await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
}

#[tokio::test]
async fn small_values_are_as_they_were() {
    let engine = small_memory().await;
    for (call, value) in [
        ("repeat($s, $n)", "xyxyxy"),
        ("repeat($s, -1) = ''", "true"),
        ("lpad($s, 5, '-')", "---xy"),
        ("lpad($s, 1)", "x"),
        ("rpad($s, 5, '-')", "xy---"),
        ("range($n)", "[0, 1, 2]"),
        ("range($n, 0, -2)", "[3, 1]"),
        ("generate_series(1, $n)", "[1, 2, 3]"),
        ("cardinality(generate_series(DATE '2026-01-01', DATE '2026-12-31', INTERVAL '1 month'))", "12"),
        ("array_repeat($s, $n)", "[xy, xy, xy]"),
        ("array_resize([1], $n, 7)", "[1, 7, 7]"),
        ("$s || $n || 'z'", "xy3z"),
        ("($s || NULL) IS NULL", "true"),
        ("[$n] || [4] || 5", "[3, 4, 5]"),
        ("concat($s, NULL, $n)", "xy3"),
        ("concat_ws('-', $s, 'z')", "xy-z"),
        ("replace($s, 'y', 'zz')", "xzz"),
        ("regexp_replace($s, '(x)', '<\\1>')", "<x>y"),
        ("overlay($s placing 'abc' from 2)", "xabc"),
        ("array_to_string([$n, 4], '+')", "3+4"),
        ("string_to_array('a,b', ',')", "[a, b]"),
        ("translate($s, 'x', 'z')", "zy"),
        ("encode($s, 'hex')", "7879"),
        ("array_has([$n, 4], 4)", "true"),
    ] {
        for sql in of_constants_and_columns(call, "xy", 3) {
            assert_eq!(one(&engine, &sql, QueryOptions::default()).await, value, "{sql}");
        }
    }
    // The most that `replace` may make of these rows is over the bounds, what it makes is not.
    let parts = "SELECT sum(octet_length(replace(repeat('x', 999 + least(value, 1)), 'a', repeat('b', 5000)))) \
                 FROM generate_series(1, 20)";
    assert_eq!(one(&engine, parts, QueryOptions::default()).await, "20000");
    // Longer than what is worked out while planning.
    let long = "SELECT octet_length(repeat('xy', 1000000))";
    assert_eq!(one(&engine, long, QueryOptions::default()).await, "2000000");
    let list = "SELECT sum(v) FROM (SELECT unnest(range(1, 1000001)) AS v)";
    assert_eq!(one(&engine, list, QueryOptions::default()).await, "500000500000");
}

#[tokio::test]
async fn columns_and_plans_read_as_before() {
    let engine = small_memory().await;
    let sql = "SELECT s || s, repeat(s, 2), [s, s] FROM (VALUES ('x')) AS t(s)";
    let described = engine.describe(sql, &QueryOptions::default(), &Caller::local()).await.unwrap();
    let names: Vec<&str> = described.schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["t.s || t.s", "repeat(t.s,Int64(2))", "make_array(t.s,t.s)"]);
    let grouped = "SELECT s || 'y', count(*) FROM (VALUES ('x'), ('x')) AS t(s) GROUP BY s || 'y' ORDER BY s || 'y'";
    assert_eq!(one(&engine, grouped, QueryOptions::default()).await, "xy 2");
    // Folded as before.
    let plan = ask(&engine, "EXPLAIN SELECT repeat('ab', 2) || 'c' AS v", QueryOptions::default()).await.unwrap();
    assert!(plan.contains("ababc"), "{plan}");
    let typed = engine.describe("SELECT 'a' || $t AS v", &QueryOptions::default(), &Caller::local()).await.unwrap();
    assert_eq!(typed.parameters[0].kind, Some(ParamType::Text));
}
