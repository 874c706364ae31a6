//! Statements as large as they may be, and larger: an answer or an error, in time, and never the end of the process.

use std::fmt::Write;
use std::time::Instant;

use futures::future::join_all;

use super::*;
use crate::engine::options::Dialect;
use crate::engine::size::MOST_OPERATORS;
use crate::engine::weight::{MOST_JOINED, MOST_RELATIONS};

const DIALECTS: [Dialect; 2] = [Dialect::Own, Dialect::Postgres];

fn in_dialect(dialect: Dialect) -> QueryOptions {
    QueryOptions { dialect, ..QueryOptions::default() }
}

/// Operators below one another: what begins, what is repeated, and how many operators that is.
const CHAINS: [(&str, &str, usize); 14] = [
    ("SELECT 1", " + 1", 4),
    ("SELECT 1", " * -1", 8),
    ("SELECT true", " OR false", 1),
    ("SELECT true", " AND true", 1),
    ("SELECT channel_id = 'a'", " OR channel_id = 'web'", 2),
    ("SELECT count(*) FROM base.order_line WHERE channel_id = 'a'", " OR channel_id = 'web'", 2),
    ("SELECT count(*) FROM sales WHERE net > 0", " AND net + 1 > 0", 6),
    ("SELECT 'a'", " || 'b'", 1),
    ("SELECT 1", "::BIGINT", 1),
    ("SELECT 1", " IS NOT NULL", 2),
    ("SELECT 'a'", " LIKE 'a' = true", 2),
    ("SELECT make_array(1)", "[1]", 1),
    ("SELECT (named_struct('a', 1))", ".a", 1),
    ("SELECT current_timestamp", " AT TIME ZONE 'UTC'", 1),
];
/// What stands before, which the parser itself ends at some depth.
const NESTED: [(&str, &str, &str); 6] = [
    ("NOT ", "true", ""),
    ("- ", "1", ""),
    ("(", "1", ")"),
    ("CASE WHEN true THEN ", "1", " END"),
    ("abs(", "1", ")"),
    ("(SELECT ", "1", ")"),
];

fn nested((before, inner, after): (&str, &str, &str), n: usize) -> String {
    format!("SELECT {}{inner}{}", before.repeat(n), after.repeat(n))
}

#[tokio::test]
async fn large_statements_do_not_end_the_process() {
    chained_and_nested(10).await;
}

#[tokio::test]
#[ignore = "planning the longest chains takes a minute or two"]
async fn the_largest_statements_do_not_end_the_process() {
    chained_and_nested(1).await;
}

/// Chains of the most operators that are taken, divided by `part`.
async fn chained_and_nested(part: usize) {
    let engine = engine(&small_lake().await).await;
    for dialect in DIALECTS {
        for (begin, more, operators) in CHAINS {
            let most = format!("{begin}{}", more.repeat((MOST_OPERATORS - 10) / part / operators));
            // Some mean nothing: an error will do.
            if let Err(error) = ask(&engine, &most, in_dialect(dialect)).await {
                assert!(!error.to_string().contains("at most 2500"), "{begin}{more}…: {error}");
            }
        }
        for kind in NESTED {
            for depth in [40, 99] {
                let _ = ask(&engine, &nested(kind, depth), in_dialect(dialect)).await;
            }
        }
    }
    assert_eq!(one(&engine, "SELECT 1", QueryOptions::default()).await, "1");
}

#[tokio::test]
async fn larger_ones_are_refused() {
    let engine = engine(&small_lake().await).await;
    for dialect in DIALECTS {
        let chains = CHAINS.map(|(begin, more, _)| format!("{begin}{}", more.repeat(20_000)));
        let nested = NESTED.map(|kind| nested(kind, 20_000));
        let types = ["STRUCT<a INT, b ", "ARRAY<"].map(|t| format!("SELECT CAST(1 AS {}INT)", t.repeat(20_000)));
        let others = [
            format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(20_000)),
            format!("SELECT 1 AS a, 2 AS b{}", " EXCEPT SELECT 1 AS a, 3 AS b".repeat(20_000)),
            format!("SELECT 1 FROM channel{}", " CROSS JOIN channel".repeat(20_000)),
            format!("SELECT 1 FROM channel{}", ", channel".repeat(20_000)),
            format!("{}SELECT 1", "EXPLAIN ".repeat(20_000)),
            format!("SELECT {}'1' DAY", "INTERVAL ".repeat(40)),
            format!("SELECT {}1", "CAST(".repeat(40)),
            format!("SELECT {}1", "CASE WHEN true THEN ".repeat(40)),
            format!("SELECT {}1", "ARRAY[".repeat(40)),
        ];
        for sql in chains.iter().chain(&nested).chain(&types).chain(&others) {
            let start = &sql[..sql.len().min(60)];
            let error = ask(&engine, sql, in_dialect(dialect)).await.unwrap_err();
            assert!(error.kind() == ErrorKind::Invalid && error.hint_text().is_some(), "{start}…: {error}");
            let described = engine.describe(sql, &in_dialect(dialect), &Caller::local()).await;
            assert_eq!(described.unwrap_err().kind(), ErrorKind::Invalid, "{start}…");
        }
    }
    assert_eq!(one(&engine, "SELECT 1", QueryOptions::default()).await, "1");
}

/// What tools write: conditions on a thousand values, long lists, rows and columns.
#[tokio::test]
async fn long_lists_are_answered() {
    let engine = engine(&small_lake().await).await;
    let each =
        |n: usize, text: &dyn Fn(usize) -> String, between: &str| (0..n).map(text).collect::<Vec<_>>().join(between);
    let conditions = each(999, &|i| format!("channel_id = 'c{i}'"), " OR ");
    let literals = each(5_000, &|i| format!("'c{i}'"), ", ");
    let rows = each(5_000, &|i| format!("({i}, -{i})"), ", ");
    let columns = each(1_000, &|i| format!("{i} + 1 AS c{i}"), ", ");
    for dialect in DIALECTS {
        for (sql, answer) in [
            (format!("SELECT count(*) FROM base.order_line WHERE channel_id = 'web' OR {conditions}"), "2"),
            (format!("SELECT count(*) FROM base.order_line WHERE channel_id IN ('web', {literals})"), "2"),
            (format!("SELECT sum(a + b) FROM (VALUES {rows}) AS v(a, b)"), "0"),
            (format!("SELECT c7 FROM (SELECT {columns})"), "8"),
        ] {
            assert_eq!(one(&engine, &sql, in_dialect(dialect)).await, answer);
        }
    }
}

/// What becomes of them takes memory before a query has its turn.
#[tokio::test]
async fn long_texts_take_from_the_memory_of_queries() {
    let engine = limited(&small_lake().await, |c| c.memory_mb = 64).await;
    let list = format!("SELECT 1 WHERE 1 IN (1{})", ",1".repeat(100_000));
    for dialect in DIALECTS {
        let error = ask(&engine, &list, in_dialect(dialect)).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Busy && error.to_string().contains("the text of a statement"), "{error}");
        let described = engine.describe(&list, &in_dialect(dialect), &Caller::local()).await;
        assert_eq!(described.unwrap_err().kind(), ErrorKind::Busy);
        let text = format!("SELECT octet_length('{}') AS n", "x".repeat(list.len()));
        assert_eq!(one(&engine, &text, in_dialect(dialect)).await, list.len().to_string(), "one value is little");
    }
    engine.reserve(63 << 20, "test").expect("all was given back");
}

#[tokio::test]
async fn as_many_relations_as_are_taken_are_answered() {
    let engine = engine(&small_lake().await).await;
    let most = usize::try_from(MOST_RELATIONS).unwrap();
    let unions = format!("SELECT count(*) FROM (SELECT 1 AS x{})", " UNION ALL SELECT 1".repeat(most - 2));
    assert_eq!(one(&engine, &unions, QueryOptions::default()).await, (most - 1).to_string());
    let joins = (1..MOST_JOINED).fold("SELECT count(*) FROM channel c0".to_string(), |mut sql, i| {
        write!(sql, " JOIN channel c{i} ON c{i}.channel_id = c0.channel_id").unwrap();
        sql
    });
    assert_eq!(one(&engine, &joins, QueryOptions::default()).await, "2");
    let more = format!("{joins} JOIN channel d ON d.channel_id = c0.channel_id");
    let error = ask(&engine, &more, QueryOptions::default()).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("101 relations"), "{error}");
}

/// Each CTE uses the one before it twice.
fn doubled(levels: usize) -> String {
    let ctes = (1..=levels).map(|i| format!(", a{i} AS (SELECT * FROM a{0} UNION ALL SELECT * FROM a{0})", i - 1));
    format!("WITH a0 AS (SELECT 1 AS x){} SELECT count(*) FROM a{levels}", ctes.collect::<String>())
}

#[tokio::test]
async fn ctes_that_multiply_are_refused_before_they_are_planned() {
    let engine = engine(&small_lake().await).await;
    assert_eq!(one(&engine, &doubled(8), QueryOptions::default()).await, "256");
    let begun = Instant::now();
    for dialect in DIALECTS {
        for levels in [9, 19, 60] {
            let error = ask(&engine, &doubled(levels), in_dialect(dialect)).await.unwrap_err();
            assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("relations"), "{error}");
            let described = engine.describe(&doubled(levels), &in_dialect(dialect), &Caller::local()).await;
            assert_eq!(described.unwrap_err().kind(), ErrorKind::Invalid);
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// Each CTE names the column of the one before it twice, and the condition goes down through all.
fn added(levels: usize) -> String {
    let ctes = (1..=levels).map(|i| format!(", a{i} AS (SELECT x + x AS x FROM a{})", i - 1));
    format!(
        "WITH a0 AS (SELECT value AS x FROM generate_series(1, 3)){} SELECT count(*) FROM a{levels} WHERE x > 1",
        ctes.collect::<String>()
    )
}

#[tokio::test]
async fn conditions_that_multiply_are_refused_before_they_are_optimized() {
    let engine = engine(&small_lake().await).await;
    assert_eq!(one(&engine, &added(8), QueryOptions::default()).await, "3");
    let begun = Instant::now();
    for levels in [30, 200] {
        let subquery = format!("SELECT 1 WHERE 3 = ({})", added(levels));
        for sql in [added(levels), subquery] {
            let error = ask(&engine, &sql, QueryOptions::default()).await.unwrap_err();
            assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("terms"), "{error}");
            assert!(engine.describe(&sql, &QueryOptions::default(), &Caller::local()).await.is_err());
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn views_count_with_all_that_they_read() {
    let view = |i: usize| {
        let sql = match i.checked_sub(1) {
            None => "SELECT 1 AS x".to_string(),
            Some(before) => format!("SELECT * FROM v{before} UNION ALL SELECT * FROM v{before}"),
        };
        let file = QueryFile::parse(&format!("views/v{i}.sql"), &format!("-- ---\n-- ---\n{sql}\n")).unwrap();
        (file.name.clone(), file)
    };
    let files: BTreeMap<String, QueryFile> = (0..=9).map(view).collect();
    let lake = small_lake().await;
    let engine = Engine::open(&lake, &EngineConfig::default(), &files, Clock::system()).await.unwrap();
    let broken = engine.broken_views();
    let found: Vec<(&str, bool)> = broken.iter().map(|v| (v.name.as_str(), v.reason.contains("relations"))).collect();
    assert_eq!(found, [("v9", true)]);
    assert_eq!(one(&engine, "SELECT count(*) FROM v8", QueryOptions::default()).await, "256");
    let error = ask(&engine, "SELECT count(*) FROM v8 a, v8 b", QueryOptions::default()).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("1022 relations"), "{error}");
}

/// Views and reports of an operator are definitions like others: too large is an error of the file.
#[tokio::test]
async fn a_view_that_is_too_large_is_broken() {
    let text = format!("-- ---\n-- ---\nSELECT 1{} AS x\n", " + 1".repeat(20_000));
    let file = QueryFile::parse("views/large.sql", &text).unwrap();
    let files = BTreeMap::from([(file.name.clone(), file)]);
    let lake = memory_lake("clock").await;
    let engine = Engine::open(&lake, &EngineConfig::default(), &files, Clock::system()).await.unwrap();
    assert!(engine.broken_views()[0].reason.contains("80000 operators"), "{:?}", engine.broken_views());
    assert!(engine.set_views(&files).await.unwrap()[0].reason.contains("80000 operators"));
}

/// Planning takes a place, and one that is not taken by running queries.
#[tokio::test]
async fn descriptions_are_admitted() {
    let lake = small_lake().await;
    let engine = limited(&lake, |c| (c.concurrent, c.queued, c.threads) = (1, 0, 2)).await;
    let slow = format!("SELECT count(*) FROM ({})", ["SELECT * FROM sales"; 80].join(" UNION ALL "));
    let (options, caller) = (QueryOptions::default(), Caller::local());
    let all = join_all((0..20).map(|_| engine.describe(&slow, &options, &caller))).await;
    assert!(all.iter().any(|told| told.is_ok()), "one at a time is planned");
    let shed = all.iter().filter_map(|told| told.as_ref().err()).collect::<Vec<_>>();
    assert!(!shed.is_empty() && shed.iter().all(|e| e.kind() == ErrorKind::Busy), "{shed:?}");
    let endless = "SELECT sum(value % 7) FROM generate_series(1, 1000000000000)";
    let _running = engine.query(endless, QueryOptions::default(), &caller).await.unwrap();
    engine.describe("SELECT 1", &options, &caller).await.unwrap();
}

/// Whoever waits for a description is told in time, also while all threads compute without a pause.
#[tokio::test]
async fn descriptions_end_in_time() {
    let engine = limited(&small_lake().await, |c| (c.threads, c.timeout_seconds) = (1, 1)).await;
    let numbers = |n: u32| format!("(SELECT value AS v FROM generate_series(1, {n}))");
    let pairs = format!("SELECT count(*) FROM {} a, {} b WHERE a.v + b.v > 99999999", numbers(60_000), numbers(60_000));
    let _running = engine.query(&pairs, QueryOptions::default(), &Caller::local()).await.unwrap();
    let begun = Instant::now();
    if let Err(error) = engine.describe("SELECT 1", &QueryOptions::default(), &Caller::local()).await {
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    }
    assert!(begun.elapsed() < Duration::from_millis(2500), "{:?}", begun.elapsed());
}
