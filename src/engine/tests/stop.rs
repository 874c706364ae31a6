//! Queries that are given up stop computing: not only do their lines in the log say so. Hardest to stop is what makes many rows
//! of few, or compares many and gives none. Whether an engine computes is told by the tasks on its own threads, so that what
//! other tests do is not measured.

use super::*;
use crate::engine::admission::Purpose;

/// Within a second a query has stopped; the rest is for a loaded machine. Left alone, each of [`endless`] runs for minutes.
const SOON: Duration = Duration::from_secs(5);
/// By then a query is at what takes long.
const BUSY: Duration = Duration::from_millis(700);
/// Numbers with a key of two values.
const MANY: &str = "(SELECT value AS v, value % 2 AS k FROM generate_series(1, 400000))";

fn endless() -> Vec<String> {
    let pairs = format!("{MANY} a JOIN {MANY} b ON a.k = b.k");
    vec![
        // A hash join on a key that many rows share, below what takes every row.
        format!("SELECT count(*) FROM {pairs}"),
        format!("SELECT max(r) FROM (SELECT row_number() OVER () AS r FROM {pairs}) t"),
        format!("EXPLAIN ANALYZE SELECT count(*) FROM {pairs}"),
        // Pairs that a filter takes none of, and pairs that are only noted.
        format!("SELECT count(*) FROM {pairs} AND a.v + b.v < 0"),
        format!("SELECT count(*) FROM {MANY} a WHERE EXISTS (SELECT 1 FROM {MANY} b WHERE a.k = b.k)"),
        format!("SELECT count(*) FROM {MANY} a LEFT JOIN {MANY} b ON a.v + b.v < 0"),
        format!("SELECT count(*) FROM {MANY} a JOIN {MANY} b ON a.v + b.v < 0"),
        format!("SELECT sum(a.v + b.v) FROM {MANY} a CROSS JOIN {MANY} b"),
        "SELECT sum(u) FROM (SELECT unnest(range(0, 1000)) AS u FROM generate_series(1, 40000000)) t".into(),
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t".into(),
    ]
}

async fn two_threads(change: impl FnOnce(&mut EngineConfig)) -> Engine {
    limited(&memory_lake("clock").await, |config| {
        config.threads = 2;
        change(config);
    })
    .await
}

/// Waits until nothing is computed any more.
async fn quiet(engine: &Engine, sql: &str) {
    let begun = std::time::Instant::now();
    while engine.tasks() > 0 {
        assert!(begun.elapsed() < SOON, "it still computes after {SOON:?}: {sql}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_dropped_query_computes_no_more() {
    let engine = two_threads(|_| ()).await;
    for sql in endless() {
        let rows = engine.query(&sql, QueryOptions::default(), &Caller::local()).await;
        let rows = rows.unwrap_or_else(|e| panic!("{sql}: {e}"));
        tokio::time::sleep(BUSY).await;
        assert!(engine.tasks() > 0, "it has ended by itself: {sql}");
        drop(rows);
        quiet(&engine, &sql).await;
    }
}

#[tokio::test]
async fn a_query_whose_reader_is_dropped_computes_no_more() {
    let engine = two_threads(|_| ()).await;
    let sql = &endless()[0];
    let asked = ask(&engine, sql, QueryOptions::default());
    assert!(tokio::time::timeout(BUSY, asked).await.is_err(), "it has ended by itself");
    quiet(&engine, sql).await;
}

/// Whether somebody waits for its rows or nobody does.
#[tokio::test]
async fn at_its_deadline_a_query_computes_no_more() {
    let engine = two_threads(|config| config.timeout_seconds = 1).await;
    for sql in endless().into_iter().step_by(3) {
        let error = ask(&engine, &sql, QueryOptions::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{sql}: {error}");
        quiet(&engine, &sql).await;
        let unread = engine.query(&sql, QueryOptions::default(), &Caller::local()).await.unwrap();
        quiet(&engine, &sql).await;
        assert_eq!(unread.collect().await.unwrap_err().kind(), ErrorKind::Timeout, "{sql}");
    }
}

/// Its place is another query's when it computes no more, not when nobody waits for it any more.
#[tokio::test]
async fn the_place_of_a_dropped_query_is_free_when_it_has_stopped() {
    let engine = two_threads(|config| (config.concurrent, config.queued) = (1, 1)).await;
    for sql in endless().into_iter().step_by(3) {
        let rows = engine.query(&sql, QueryOptions::default(), &Caller::local()).await.unwrap();
        tokio::time::sleep(BUSY).await;
        drop(rows);
        let mut turn = engine.inner.admission.turn(Class::Interactive);
        let taken = tokio::time::timeout(SOON, turn.take(Purpose::Read)).await;
        taken.unwrap_or_else(|_| panic!("its place is not free after {SOON:?}: {sql}")).unwrap();
        // What it held is gone; the runtime counts the last task a moment longer.
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(engine.tasks(), 0, "it computes without a place: {sql}");
    }
}

/// With one place and none to wait in, whoever has read all rows can ask again, also where a limit ended the query.
#[tokio::test]
async fn the_place_of_a_finished_query_is_free() {
    let engine = two_threads(|config| (config.concurrent, config.queued) = (1, 0)).await;
    let few_of_many = format!("SELECT a.v FROM {MANY} a JOIN {MANY} b ON a.k = b.k LIMIT 3");
    let grouped = "SELECT k, count(*) FROM (VALUES (1), (2)) AS t(k) GROUP BY k";
    for sql in ["SELECT 1", grouped, few_of_many.as_str()].repeat(20) {
        let begun = std::time::Instant::now();
        while let Err(error) = ask(&engine, sql, QueryOptions::default()).await {
            let waits = error.kind() == ErrorKind::Busy && begun.elapsed() < Duration::from_secs(1);
            assert!(waits, "{sql}: {error}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Watching a plan changes neither its rows nor how it is shown.
#[tokio::test]
async fn a_watched_plan_is_the_plan() {
    let engine = two_threads(|_| ()).await;
    let few = |n: u32| format!("(SELECT value AS v, value % 4 AS k FROM generate_series(1, {n}))");
    let (a, b) = (few(10), "(SELECT value AS k FROM generate_series(2, 7))");
    for (sql, count) in [
        (format!("SELECT count(*) FROM {a} a WHERE EXISTS (SELECT 1 FROM {b} b WHERE a.k = b.k)"), "5"),
        (format!("SELECT count(*) FROM {a} a WHERE NOT EXISTS (SELECT 1 FROM {b} b WHERE a.k = b.k)"), "5"),
        (format!("SELECT count(*) FROM {a} a WHERE a.k NOT IN (SELECT k FROM {b} b)"), "5"),
        (format!("SELECT count(*) FROM {a} a WHERE a.v > 9 OR a.k IN (SELECT k FROM {b} b)"), "5"),
        (format!("SELECT count(*) FROM {a} a WHERE EXISTS (SELECT 1 FROM {b} b WHERE a.k + b.k = 3)"), "5"),
        (format!("SELECT count(*) FROM {a} a WHERE NOT EXISTS (SELECT 1 FROM {b} b WHERE a.k + b.k > 9)"), "8"),
        (format!("SELECT count(*) FROM {a} a FULL JOIN {b} b ON a.k = b.k AND a.v > 5"), "14"),
        (
            "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT t.n + 1 FROM t JOIN generate_series(1, 6) g \
             ON g.value = t.n) SELECT sum(n) FROM t"
                .into(),
            "28",
        ),
    ] {
        assert_eq!(one(&engine, &sql, QueryOptions::default()).await, count, "{sql}");
    }
    let semi = format!("EXPLAIN ANALYZE SELECT count(*) FROM {a} a WHERE EXISTS (SELECT 1 FROM {b} b WHERE a.k = b.k)");
    let shown = ask(&engine, &semi, QueryOptions::default()).await.unwrap();
    assert!(shown.contains("HashJoinExec") && shown.contains("output_rows=5"), "{shown}");
    assert!(!shown.contains("filter=true") && !shown.contains("Watched"), "{shown}");
}
