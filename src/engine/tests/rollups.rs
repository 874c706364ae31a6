//! Rollups of small views: what may be answered of values that can be NULL, and refreshes that are given up or whose store
//! fails. What is asked of the shipped ones is in tests/it/rollups.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use object_store::memory::InMemory;

use super::*;
use crate::lake::testing::{Act, Unreliable, over};

/// `a` and `b` are NULL here and there, `net` never is.
const PARTS: &str = r#"-- ---
-- about = "Lines with parts that are not always known."
-- [params.basis]
-- values = ["all", "web"]
-- default = "all"
-- ---
SELECT s.business_date, s.channel_id, s.location_id, s.product_id, s.net_amount_rc AS net,
       CASE WHEN s.channel_id = 'web' THEN s.net_amount_rc END AS a,
       CASE WHEN s.location_id IS NOT NULL THEN s.net_amount_rc END AS b
FROM base.order_line s
WHERE $basis = 'all' OR s.channel_id = 'web'
"#;

const BY_DAY: &str = r#"-- ---
-- about = "By day, channel and place."
-- sets = ["product_id"]
-- ---
SELECT p.business_date, p.channel_id, p.location_id, count(*) AS events, sum(p.net) AS net, sum(p.a) AS a, sum(p.b) AS b,
       count(p.a) AS known_a, max(p.net) AS largest, count(DISTINCT p.product_id) AS products
FROM parts p
GROUP BY p.business_date, p.channel_id, p.location_id
"#;

fn read(files: &[(&str, &str)]) -> BTreeMap<String, QueryFile> {
    let files = files.iter().map(|(path, text)| QueryFile::parse(path, text).unwrap());
    files.map(|file| (file.name.clone(), file)).collect()
}

async fn open(lake: &Lake, rollups: bool) -> Engine {
    let files: &[(&str, &str)] = if rollups { &[("rollups/by_day.sql", BY_DAY)] } else { &[] };
    let cfg = EngineConfig { result_cache_mb: 0, threads: 2, ..EngineConfig::default() };
    let views = read(&[("views/parts.sql", PARTS)]);
    let engine = Engine::open_with_rollups(lake, &cfg, &views, &read(files), Clock::system()).await.unwrap();
    assert!(engine.broken_rollups().is_empty(), "{:?}", engine.broken_rollups());
    engine
}

/// The rows, and whether the rollup answered all aggregates of it.
async fn told(engine: &Engine, sql: &str, options: QueryOptions) -> (String, bool) {
    let rows = engine.query(sql, options, &Caller::local()).await;
    let rows = rows.unwrap_or_else(|e| panic!("{sql}: {e} ({:?})", e.hint_text()));
    let by = rows.answers.clone();
    let batches = rows.collect().await.unwrap();
    (pretty_format_batches(&batches).unwrap().to_string(), !by.is_empty() && by.iter().all(|b| b.why_not.is_none()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_null_is_added_up_as_the_tables_do() {
    let lake = small_lake().await;
    let batch = lines(
        &["2026-01-05", "2026-01-05", "2026-02-03"],
        &["web", "web", "pos"],
        &[Some("S1"), None, None],
        &["P2", "P1", "P3"],
        &[70_000, -20_000, 40_000],
    );
    land(&lake, &ORDER_LINE, batch).await;
    let (on, off) = (open(&lake, true).await, open(&lake, false).await);
    let done = on.refresh_rollups(&[], usize::MAX).await.unwrap();
    assert!(done.failed.is_empty() && done.made.len() == 2, "{done:?}");
    let zero = "CAST(0 AS DECIMAL(18,4))";
    let nested =
        format!("sum(CASE WHEN channel_id = 'web' THEN CASE WHEN location_id IS NULL THEN net ELSE {zero} END END)");
    let of_unknown = format!("sum(CASE WHEN a IS NULL THEN net ELSE {zero} END)");
    let or_zero = format!("sum(coalesce(a, {zero}))");
    let grouped = [
        ("sum(net)", true),
        ("sum(a)", true),
        ("sum(net + net)", true),
        (nested.as_str(), true),
        ("sum(CASE channel_id WHEN 'web' THEN a WHEN 'pos' THEN b END)", true),
        (or_zero.as_str(), true),
        ("count(NULL)", true),
        ("count(a)", true),
        ("count(location_id)", true),
        ("sum(2)", true),
        ("max(net)", true),
        ("count(DISTINCT product_id)", true),
        ("count(DISTINCT CASE WHEN channel_id = 'web' THEN product_id END)", true),
        // NULL where one of them is: sums of each could not tell.
        ("sum(a - b)", false),
        ("sum(a + net)", false),
        ("sum(coalesce(a, b))", false),
        ("sum(coalesce(a, net))", false),
        (of_unknown.as_str(), false),
        ("count(b)", false),
        ("min(net)", false),
        ("sum(DISTINCT net)", false),
        ("count(DISTINCT net)", false),
        ("sum(net) FILTER (WHERE a > 1)", false),
    ];
    for (call, expected) in grouped {
        for sql in [
            format!("SELECT {call} AS x FROM parts"),
            format!("SELECT channel_id, location_id, {call} AS x FROM parts GROUP BY 1, 2 ORDER BY 1, 2"),
            format!("SELECT {call} AS x FROM parts WHERE channel_id = 'nowhere'"),
        ] {
            let (with, by_rollup) = told(&on, &sql, QueryOptions::default()).await;
            assert_eq!(with, told(&off, &sql, QueryOptions::default()).await.0, "{sql}");
            assert_eq!(by_rollup, expected, "{sql}");
        }
    }
    let policies = [("basis".to_string(), "web".to_string())].into();
    let other = QueryOptions { policies, ..QueryOptions::default() };
    let (web, by_rollup) = told(&on, "SELECT sum(net) AS x FROM parts", other).await;
    // 10 + 0.5 + 7 − 2.
    assert!(web.contains(" 15.5000 ") && !by_rollup, "{web}");
}

const ALL: &str = "SELECT sum(net) AS n, count(*) AS c, count(DISTINCT product_id) AS p FROM parts";

/// One line more of January, of an article of its own: its month is not current any more.
async fn sell(lake: &Lake, sold: &mut i128) {
    *sold += 1;
    let article = format!("N{sold}");
    land(lake, &ORDER_LINE, lines(&["2026-01-07"], &["web"], &[None], &[article.as_str()], &[10_000])).await;
}

/// The engine says what has landed; whether it took all of it from the rollup.
async fn is_right(engine: &Engine, sold: i128) -> bool {
    engine.refresh().await.unwrap();
    let rows = engine.query(ALL, QueryOptions::default(), &Caller::local()).await.unwrap();
    let by = rows.answers.clone();
    let batches = rows.collect().await.unwrap();
    let table = pretty_format_batches(&batches).unwrap().to_string();
    let row = table.lines().nth(3).unwrap_or_default();
    let cells: Vec<&str> = row.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
    // Two lines of P1 and P2 were there before, of 10 and 5.
    assert_eq!(cells, [format!("{}.0000", 15 + sold), format!("{}", 2 + sold), format!("{}", 2 + sold)], "{by:?}");
    by.first().is_some_and(|by| by.why_not.is_none() && by.from_tables == 0)
}

async fn first_lines(lake: &Lake) {
    let batch =
        lines(&["2026-01-05", "2026-02-03"], &["web", "pos"], &[None, Some("S1")], &["P1", "P2"], &[100_000, 50_000]);
    land(lake, &ORDER_LINE, batch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_is_given_up_changes_nothing() {
    let lake = memory_lake("clock").await;
    first_lines(&lake).await;
    let engine = open(&lake, true).await;
    let (mut sold, mut given_up, mut ended) = (0, 0, 0);
    for polls in 0..40 {
        sell(&lake, &mut sold).await;
        // Each poll is after something that it waited for.
        let mut left = polls;
        let names: [String; 0] = [];
        let mut refresh = Box::pin(engine.refresh_rollups(&names, usize::MAX));
        let done = poll_fn(|cx| match refresh.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => {
                left -= 1;
                Poll::Pending
            }
        })
        .await;
        match done {
            Some(done) => {
                assert!(done.unwrap().failed.is_empty());
                ended += 1;
            }
            None => given_up += 1,
        }
        drop(refresh);
        is_right(&engine, sold).await;
    }
    assert!(given_up > 0 && ended > 0, "{given_up} were given up, {ended} ended");
    let done = engine.refresh_rollups(&[], usize::MAX).await.unwrap();
    assert!(done.failed.is_empty(), "{:?}", done.failed);
    assert!(is_right(&engine, sold).await, "all is current");
    assert!(engine.rollups().iter().all(|rollup| rollup.stale.is_empty() && rollup.current.len() == 2));
}

/// The store fails one request of a refresh, each in its turn: without doing it, or without saying that it is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_changes_no_answer() {
    for act in [Act::Lost, Act::Unanswered] {
        let fails = Arc::new(AtomicU64::new(0));
        let store = Unreliable::new(Arc::new(InMemory::new()), {
            let fails = Arc::clone(&fails);
            move |request, _| if request == fails.load(Ordering::SeqCst) { act } else { Act::Go }
        });
        let cfg = LakeConfig { url: "memory://".into(), ..LakeConfig::default() };
        let lake = over(Arc::clone(&store) as _, &cfg).await.unwrap();
        first_lines(&lake).await;
        let engine = open(&lake, true).await;
        let (mut sold, mut failures) = (0, 0);
        // Each step adds requests of its own: steps are wider than that.
        for step in (1..).step_by(11) {
            assert!(step < 500, "{act:?}: a refresh has no end");
            sell(&lake, &mut sold).await;
            let number = store.made() + step;
            fails.store(number, Ordering::SeqCst);
            let done = engine.refresh_rollups(&[], usize::MAX).await;
            fails.store(0, Ordering::SeqCst);
            let is_over = store.made() < number;
            failures += usize::from(done.as_ref().map_or(true, |done| !done.failed.is_empty()));
            let was_current = is_right(&engine, sold).await;
            assert!(!is_over || was_current, "{act:?} {step}: nothing failed: {done:?}");
            let done = engine.refresh_rollups(&[], usize::MAX).await.unwrap();
            assert!(done.failed.is_empty(), "{act:?} {step}: {:?}", done.failed);
            assert!(is_right(&engine, sold).await, "{act:?} {step}: all is current now");
            if is_over {
                break;
            }
        }
        assert!(failures > 3, "{act:?}: {failures} refreshes failed");
        assert!(engine.rollups().iter().all(|rollup| rollup.stale.is_empty() && rollup.current.len() == 2));
        // Another process finds the same, each month once.
        assert!(is_right(&open(&lake, true).await, sold).await, "{act:?}");
    }
}
