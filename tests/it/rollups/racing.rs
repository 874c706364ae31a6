//! Several at once: files land while somebody refreshes and somebody asks; two refresh the same months.

use std::collections::BTreeSet;

use saleslake::engine::QueryOptions;
use saleslake::lake::Lake;
use tokio_util::sync::CancellationToken;

use super::lake::{Stall, engine, landed, live, open, refresh, stale};
use super::{agreed, both};

/// Files that land while others work, each with two lines.
const FILES: usize = 20;

const QUESTIONS: [&str; 10] = [
    "SELECT sum(net_rc), count(*), min(business_date), max(business_date) FROM sales_event",
    "SELECT channel_id, sum(net_rc), sum(units_sold), count(*) FROM sales_event GROUP BY 1",
    "SELECT location_id, count(DISTINCT buyer_key), sum(tax_rc) FROM sales_event GROUP BY 1",
    "SELECT period_start(business_date, 'month', 'iso'), sum(gross_sales), count(DISTINCT buyer_key) FROM sales_event GROUP BY 1",
    "SELECT count(DISTINCT sale_order_id), count(DISTINCT buyer_key) FROM sales_event WHERE business_date < DATE '2026-03-01'",
    "SELECT product_id, sum(units_sold - units_returned), sum(net_rc) FROM sales_event GROUP BY 1",
    "SELECT event_kind, flow, sum(returns) FROM sales_event WHERE business_date >= DATE '2026-04-15' GROUP BY 1, 2",
    "SELECT charge_type, sum(charge_rc), count(*) FROM charge_event GROUP BY 1",
    "SELECT region_id, sum(net_rc) FROM sales_event WHERE channel_id IN ('web', 'stall', 'pos') GROUP BY 1 HAVING count(*) > 1",
    "SELECT sum(n), sum(c) FROM (SELECT net_rc AS n, CAST(0 AS DECIMAL(18,4)) AS c FROM sales_event \
     UNION ALL SELECT CAST(0 AS DECIMAL(18,4)) AS n, charge_rc AS c FROM charge_event) e",
];

#[tokio::test(flavor = "multi_thread")]
async fn rollups_stay_right_while_files_land() {
    let lake = landed().in_memory().await;
    let (on, off) = (engine(&lake, true).await, engine(&lake, false).await);
    // Not all: so the refresher has old months to make, too.
    refresh(&on, &[], 18).await;
    let over = CancellationToken::new();
    let lands = tokio::spawn({
        // It ends the others, should a file not land.
        let (lake, ends) = (lake.clone(), over.clone().drop_guard());
        async move {
            let stall = Stall::over(&lake);
            for n in 0..FILES {
                // The one month that everybody looks at, and an older one.
                let lines = [
                    format!("R{n},1,S9,walker-{n},2026-05-{:02},tea,1,2.50", 1 + n),
                    format!("R{n},2,S9,walker-{n},2025-{:02}-03,cup,2,1.25", 1 + n % 12),
                ];
                stall.land(&lines).await;
            }
            drop(ends);
        }
    });
    let refreshes = tokio::spawn({
        let (on, over) = (on.clone(), over.clone());
        async move {
            let mut made = 0;
            while !over.is_cancelled() {
                // Months may fail because the others are quicker: they are made in the end.
                made += on.refresh_rollups(&[], 2).await.expect("refreshed").made.len();
            }
            made
        }
    });
    let (mut rounds, mut by_rollups) = (0, 0);
    loop {
        let last = over.is_cancelled();
        on.refresh().await.expect("refresh");
        let options = QueryOptions { at: Some(on.snapshot().pin()), ..QueryOptions::default() };
        for sql in QUESTIONS {
            let told = both(&on, &off, sql, &options).await.unwrap_or_else(|told| panic!("round {rounds}: {told}"));
            by_rollups += usize::from(told.is_by_rollup());
        }
        rounds += 1;
        if last {
            break;
        }
    }
    lands.await.expect("every file lands");
    let made = refreshes.await.expect("every refresh ends");
    println!("{rounds} rounds, {by_rollups} answers from rollups, {made} months made meanwhile");
    assert!(rounds > 1 && made > 0 && by_rollups > rounds, "nothing ran beside the landing");

    on.refresh().await.expect("refresh");
    off.refresh().await.expect("refresh");
    let sold =
        "SELECT sum(sale_lines), sum(net_rc), count(DISTINCT buyer_key) FROM sales_event WHERE channel_id = 'stall'";
    for _ in 0..2 {
        let told = agreed(&on, &off, sold).await;
        // 2.50 for one, and 2 × 1.25.
        assert_eq!(told.answer.rows, [["40", "100.0000", "20"]], "{}", told.says());
        refresh(&on, &[], usize::MAX).await;
    }
    let told = agreed(&on, &off, sold).await;
    assert!(told.is_by_rollup() && told.by.iter().all(|by| by.from_tables == 0), "{}", told.says());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_refreshers_do_not_fight() {
    let lake = landed().in_memory().await;
    both_refresh(lake.clone(), lake).await;
    // As two processes.
    let dir = tempfile::tempdir().expect("a folder");
    landed().write(dir.path());
    both_refresh(open(dir.path()).await, open(dir.path()).await).await;
}

async fn both_refresh(one: Lake, other: Lake) {
    let (first, second, off) = (engine(&one, true).await, engine(&other, true).await, engine(&one, false).await);
    let wanted: BTreeSet<String> = stale(&first, "sales_day").into_iter().collect();
    assert!(wanted.len() > 20, "{wanted:?}");
    let tasks = [first.clone(), second.clone()]
        .map(|engine| tokio::spawn(async move { engine.refresh_rollups(&[], usize::MAX).await }));
    let mut made = Vec::new();
    for task in tasks {
        made.extend(task.await.expect("no panic").expect("refreshed").made);
    }
    // Whoever came second eight times gave up: what is left is made now.
    for engine in [&first, &second] {
        refresh(engine, &[], usize::MAX).await;
        for rollup in engine.rollups() {
            assert!(rollup.stale.is_empty(), "{rollup:?}");
            let current: BTreeSet<String> = rollup.current.iter().map(ToString::to_string).collect();
            assert!(rollup.name != "sales_day" || current == wanted, "{rollup:?}");
        }
    }
    let both_made: BTreeSet<&str> = made.iter().filter(|m| m.rollup == "sales_day").map(|m| m.month.as_str()).collect();
    assert!(!both_made.is_empty() && both_made.iter().all(|month| wanted.contains(*month)), "{both_made:?}");
    let files = live(&one).await;
    assert!(files.len() > 40, "three rollups of two years: {files:?}");
    let several: Vec<_> = files.iter().filter(|(_, files)| **files != 1).collect();
    assert!(several.is_empty(), "a month is there in one file, or it is there twice: {several:?}");
    for engine in [&first, &second] {
        for sql in QUESTIONS {
            agreed(engine, &off, sql).await;
        }
        let told = agreed(engine, &off, QUESTIONS[2]).await;
        assert!(told.is_by_rollup() && told.by.iter().all(|by| by.from_tables == 0), "{}", told.says());
    }
}
