//! The cache of results: what is answered from it, what never is, and who waits for whom.

use std::sync::atomic::{AtomicI64, Ordering};

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use tokio::time::{sleep, timeout};

use super::*;
use crate::engine::options::{Dialect, OrderBy, Slice};
use crate::engine::{ReportRow, ReportSource};

/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(20);
const LINES: &str = "SELECT count(*) FROM base.order_line";
/// Some ten thousand rows: more than lie ready for a reader who does not read.
const MANY: &str = "SELECT c.date_key, s.product_id, s.row_key FROM calendar c CROSS JOIN base.order_line s";
/// It computes for hours before its first row, and is never kept.
const ENDLESS: &str = "SELECT sum(value % 7) FROM generate_series(1, 1000000000000)";

/// Runs it to its end; whether it was in the cache.
async fn cached(engine: &Engine, sql: &str, options: QueryOptions) -> bool {
    let rows = engine.query(sql, options, &Caller::local()).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    let cached = rows.cached;
    rows.collect().await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    cached
}

async fn plainly(engine: &Engine, sql: &str) -> bool {
    cached(engine, sql, QueryOptions::default()).await
}

#[tokio::test]
async fn a_hit_is_the_same_answer_and_is_logged_as_one() {
    let engine = engine(&small_lake().await).await;
    let sql = "SELECT channel_id, sum(net) AS net, max(product_id) AS last FROM sales GROUP BY 1 ORDER BY 1";
    let mut answers = Vec::new();
    for told in [false, true] {
        let rows = engine.query(sql, QueryOptions::default(), &Caller::named("twice")).await.unwrap();
        assert_eq!(rows.cached, told);
        let head = (Arc::clone(&rows.schema), rows.snapshot.clone(), rows.versions.clone());
        answers.push((head, rows.collect().await.unwrap()));
    }
    assert_eq!(answers[0], answers[1]);
    let log = "SELECT count(*) FILTER (WHERE cached), min(\"rows\"), max(\"rows\"), count(*) FROM system.queries \
               WHERE principal = 'twice' AND state = 'done' AND snapshot <> ''";
    assert_eq!(one(&engine, log, QueryOptions::default()).await, "1 2 2 2");
    let figures = engine.cache_figures();
    assert_eq!((figures.hits, figures.misses), (1, 1));
    assert!(figures.bytes > 0, "{figures:?}");
    // Asked anew it runs, and is kept again.
    assert!(!cached(&engine, sql, QueryOptions { fresh: true, ..QueryOptions::default() }).await);
    assert!(plainly(&engine, sql).await);
}

#[tokio::test]
async fn a_commit_to_a_table_that_is_read_makes_a_miss() {
    let lake = small_lake().await;
    let engine = engine(&lake).await;
    for sql in ["SELECT count(*) FROM channel", "SELECT count(*) FROM sales", LINES] {
        assert!(!plainly(&engine, sql).await && plainly(&engine, sql).await, "{sql}");
    }
    let before = engine.snapshot().pin();
    land(&lake, &ORDER_LINE, lines(&["2026-03-01"], &["web"], &[None], &["P1"], &[10_000])).await;
    engine.refresh().await.unwrap();
    assert!(plainly(&engine, "SELECT count(*) FROM channel").await, "another table has moved");
    assert!(!plainly(&engine, "SELECT count(*) FROM sales").await, "what its view reads has moved");
    assert_eq!(one(&engine, LINES, QueryOptions::default()).await, "4");
    // The old state is still answered as it was.
    let then = QueryOptions { at: Some(before), ..QueryOptions::default() };
    assert!(cached(&engine, LINES, then.clone()).await);
    assert_eq!(one(&engine, LINES, then).await, "3");
    // A view that means something else.
    let mut files = views();
    let changed = SALES.replace("UNION ALL", "WHERE s.channel_id = 'pos' UNION ALL");
    files.insert("sales".into(), QueryFile::parse("views/sales.sql", &changed).unwrap());
    engine.set_views(&files).await.unwrap();
    assert!(!plainly(&engine, "SELECT count(*) FROM sales").await);
    assert_eq!(one(&engine, "SELECT count(*) FROM sales", QueryOptions::default()).await, "1");
}

#[tokio::test]
async fn what_is_asked_otherwise_is_another_answer() {
    let engine = engine(&small_lake().await).await;
    let sql = "SELECT channel_id, basis, sum(net) AS net FROM sales GROUP BY 1, 2";
    let plain = QueryOptions::default;
    let slice = |value: &str| vec![Slice { slicer: "channel".into(), values: vec![value.into()], level: None }];
    let policy = [("return_basis".to_string(), "sale_date".to_string())];
    let asked = [
        plain(),
        QueryOptions { slices: slice("web"), ..plain() },
        QueryOptions { slices: slice("pos"), ..plain() },
        QueryOptions { policies: policy.into(), ..plain() },
        QueryOptions { order_by: vec![OrderBy { column: "net".into(), descending: true }], ..plain() },
        QueryOptions { limit: Some(1), ..plain() },
        QueryOptions { dialect: Dialect::Postgres, ..plain() },
    ];
    let mut answers = Vec::new();
    for options in &asked {
        assert!(!cached(&engine, sql, options.clone()).await, "{options:?}");
    }
    for options in &asked {
        assert!(cached(&engine, sql, options.clone()).await, "{options:?}");
        answers.push(ask(&engine, sql, options.clone()).await.unwrap());
    }
    assert!(answers[1].contains("web") && !answers[1].contains("pos"), "{}", answers[1]);
    assert!(answers[2].contains("pos") && !answers[2].contains("web"), "{}", answers[2]);
    let of = "SELECT count(*) FROM base.order_line WHERE channel_id = $c";
    for (value, count) in [("web", "2"), ("pos", "1"), ("web", "2")] {
        assert_eq!(one(&engine, of, with(&[("c", Param::Text(value.into()))])).await, count);
    }
    let labelled = QueryOptions { label: "x".into(), ..with(&[("c", Param::Text("pos".into()))]) };
    assert!(cached(&engine, of, labelled).await, "a label changes nothing");
}

#[tokio::test]
async fn what_may_change_by_itself_is_never_kept() {
    let engine = engine(&small_lake().await).await;
    let mut files = views();
    let clock = "-- ---\n-- ---\nSELECT channel_id, now() > business_date AS past FROM base.order_line\n";
    files.insert("clock".into(), QueryFile::parse("views/clock.sql", clock).unwrap());
    assert!(engine.set_views(&files).await.unwrap().is_empty());
    for sql in [
        "SELECT channel_id FROM base.order_line WHERE business_date < now()",
        "SELECT channel_id FROM base.order_line WHERE business_date < current_date",
        "SELECT channel_id, random() AS r FROM base.order_line",
        "SELECT channel_id, uuid() AS u FROM base.order_line",
        "SELECT channel_id FROM base.order_line ORDER BY random()",
        "SELECT count(*) FROM base.order_line WHERE channel_id IN (SELECT channel_id FROM channel WHERE random() < 2)",
        "SELECT count(*) FROM clock",
        "SELECT count(*) FROM base.order_line CROSS JOIN system.queries",
        "SELECT count(*) FROM base.order_line CROSS JOIN information_schema.tables",
        "SELECT count(*) FROM base.order_line CROSS JOIN generate_series(1, 2)",
        "EXPLAIN SELECT count(*) FROM base.order_line",
        "SELECT count(*) FROM system.queries",
        "SELECT count(*) FROM calendar",
        "SELECT 1",
    ] {
        assert!(!plainly(&engine, sql).await && !plainly(&engine, sql).await, "{sql}");
    }
    let pg = || QueryOptions { dialect: Dialect::Postgres, ..QueryOptions::default() };
    let sql = "SELECT count(*) FROM base.order_line CROSS JOIN pg_catalog.pg_class";
    assert!(!cached(&engine, sql, pg()).await && !cached(&engine, sql, pg()).await);
    assert_eq!(engine.cache_figures().misses, 0);
    // A calendar is the same in all versions, and so is what a recursive query makes of itself.
    for sql in [
        "SELECT count(*) FROM base.order_line s JOIN calendar c ON c.date_key = s.business_date",
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT count(*) FROM t, channel",
    ] {
        assert!(!plainly(&engine, sql).await && plainly(&engine, sql).await, "{sql}");
    }
}

/// A report whose answer changes with every call, as one of a relative date does overnight.
struct Changing(AtomicI64);

impl ReportSource for Changing {
    fn asked<'a>(
        &'a self,
        _id: &'a str,
        _values: Vec<(String, String)>,
        _caller: &'a Caller,
    ) -> BoxFuture<'a, Result<(String, QueryOptions)>> {
        let options = with(&[("n", Param::Int(self.0.fetch_add(1, Ordering::Relaxed)))]);
        async move { Ok(("SELECT count(*) AS c FROM base.order_line WHERE 1 < $n".to_string(), options)) }.boxed()
    }
    fn rows(&self) -> Vec<ReportRow> {
        Vec::new()
    }
}

#[tokio::test]
async fn what_a_call_of_report_asks_is_part_of_the_question() {
    let engine = engine(&small_lake().await).await;
    let source = Arc::new(Changing(AtomicI64::new(1)));
    let known: Arc<dyn ReportSource> = source.clone();
    engine.set_reports(Arc::downgrade(&known));
    let sql = "SELECT c FROM report('any')";
    assert_eq!(one(&engine, sql, QueryOptions::default()).await, "0");
    assert_eq!(one(&engine, sql, QueryOptions::default()).await, "3");
    source.0.store(2, Ordering::Relaxed);
    assert!(plainly(&engine, sql).await);
}

#[tokio::test]
async fn equal_queries_at_once_run_once() {
    let engine = engine(&small_lake().await).await;
    let sql = "SELECT count(*) FROM calendar a JOIN calendar b ON a.date_key < b.date_key CROSS JOIN channel \
               WHERE a.date_key < DATE '2002-01-01'";
    let asked = QueryOptions { label: "crowd".into(), ..QueryOptions::default() };
    let answers = join_all((0..8).map(|_| ask(&engine, sql, asked.clone()))).await;
    let answers: Vec<String> = answers.into_iter().map(|answer| answer.unwrap()).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let log = "SELECT count(*), count(*) FILTER (WHERE cached) FROM system.queries WHERE label = 'crowd'";
    assert_eq!(one(&engine, log, QueryOptions::default()).await, "8 7");
    assert_eq!((engine.cache_figures().hits, engine.cache_figures().misses), (7, 1));
}

/// Those who wait for somebody else's answer take no place, and one of them runs it when that one is gone.
#[tokio::test]
async fn when_the_first_is_dropped_another_runs_it() {
    let engine = limited(&small_lake().await, |c| (c.concurrent, c.queued) = (1, 2)).await;
    let endless = engine.query(ENDLESS, QueryOptions::default(), &Caller::local()).await.unwrap();
    let asks = || {
        let engine = engine.clone();
        tokio::spawn(async move { ask(&engine, LINES, QueryOptions::default()).await })
    };
    let first = asks();
    sleep(Duration::from_millis(200)).await;
    // More than may wait for a turn.
    let others = [(); 5].map(|()| asks());
    sleep(Duration::from_millis(200)).await;
    first.abort();
    sleep(Duration::from_millis(200)).await;
    drop(endless);
    for answer in timeout(SOON, join_all(others)).await.expect("they go on") {
        let answer = answer.unwrap().unwrap_or_else(|e| panic!("{e}"));
        assert!(answer.contains("| 3 "), "{answer}");
    }
    assert_eq!((engine.cache_figures().hits, engine.cache_figures().misses), (4, 1));
}

#[tokio::test]
async fn nobody_waits_for_another_ones_slow_reader() {
    let engine = engine(&small_lake().await).await;
    let unread = engine.query(MANY, QueryOptions::default(), &Caller::local()).await.unwrap();
    assert!(!timeout(SOON, plainly(&engine, MANY)).await.expect("it runs by itself"));
    let rows: usize = unread.collect().await.unwrap().iter().map(RecordBatch::num_rows).sum();
    assert!(rows > 30_000, "{rows}");
    assert!(plainly(&engine, MANY).await);
}

#[tokio::test]
async fn a_hit_is_not_refused_because_others_run() {
    let engine = limited(&small_lake().await, |c| (c.concurrent, c.queued) = (1, 0)).await;
    assert!(!plainly(&engine, LINES).await);
    let begun = std::time::Instant::now();
    let endless = loop {
        match engine.query(ENDLESS, QueryOptions::default(), &Caller::local()).await {
            Ok(rows) => break rows,
            Err(error) => assert!(error.kind() == ErrorKind::Busy && begun.elapsed() < SOON, "{error}"),
        }
        sleep(Duration::from_millis(10)).await;
    };
    assert!(timeout(SOON, plainly(&engine, LINES)).await.expect("it needs no turn"));
    let other = engine.query("SELECT count(*) FROM channel", QueryOptions::default(), &Caller::local()).await;
    assert_eq!(other.unwrap_err().kind(), ErrorKind::Busy);
    drop(endless);
}

#[tokio::test]
async fn what_is_too_large_is_not_kept() {
    let engine = limited(&small_lake().await, |c| c.result_cache_mb = 1).await;
    assert!(!plainly(&engine, MANY).await && !plainly(&engine, MANY).await);
    let figures = engine.cache_figures();
    assert!(figures.bytes < 4096 && figures.misses == 2, "{figures:?}");
    assert!(!plainly(&engine, LINES).await && plainly(&engine, LINES).await);
}

#[tokio::test]
async fn the_cache_has_a_bound_and_old_answers_go() {
    let engine = limited(&small_lake().await, |c| c.result_cache_mb = 1).await;
    let sql = |n: u32| format!("SELECT c.date_key FROM calendar c CROSS JOIN channel LIMIT {}", 10_000 + n);
    for n in 0..60 {
        assert!(!plainly(&engine, &sql(n)).await, "{n}");
        assert!(engine.cache_figures().bytes <= 1 << 20, "{:?}", engine.cache_figures());
    }
    assert!(engine.cache_figures().bytes > 1 << 19, "{:?}", engine.cache_figures());
    assert!(plainly(&engine, &sql(59)).await);
    assert!(!plainly(&engine, &sql(0)).await);
}

#[tokio::test]
async fn without_room_nothing_is_kept() {
    let engine = limited(&small_lake().await, |c| c.result_cache_mb = 0).await;
    assert!(!plainly(&engine, LINES).await && !plainly(&engine, LINES).await);
    assert_eq!(engine.cache_figures(), crate::engine::CacheFigures::default());
}

/// Rows that are there already leave the engine by the same exit as others.
#[tokio::test]
async fn a_hit_that_nobody_reads_ends_at_its_deadline() {
    let engine = engine(&small_lake().await).await;
    assert!(!plainly(&engine, MANY).await);
    let hurried = Caller { timeout: Some(Duration::from_millis(1200)), ..Caller::named("hurried") };
    let rows = engine.query(MANY, QueryOptions::default(), &hurried).await.unwrap();
    assert!(rows.cached);
    sleep(Duration::from_millis(1700)).await;
    let error = rows.collect().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Timeout && error.message().contains("not read to its end"), "{error}");
}
