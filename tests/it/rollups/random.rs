//! Random aggregates, asked in every state that a rollup can be in: none of its months made, half of them, all, and all while
//! files have landed since.
//!
//! `SALESLAKE_RANDOM_QUERIES=5000 cargo test random_aggregates` asks more of them; `SALESLAKE_RANDOM_SEED=n` others.

use std::collections::BTreeMap;

use saleslake::engine::{Engine, QueryOptions};

use super::both;
use super::lake::{Stall, engine, landed, refresh, stale};
use super::questions::{Values, question};

const QUERIES: u64 = 250;
const SEED: u64 = 7_000_000;
/// Of a hundred statements so many have to be answered by a rollup when all is current.
const LEAST: usize = 60;

/// What became of the statements of one state.
#[derive(Default)]
struct Seen {
    asked: usize,
    by_rollup: usize,
    /// Of these, with some months from the tables.
    partly: usize,
    rows: usize,
    reasons: BTreeMap<String, usize>,
}

#[tokio::test(flavor = "multi_thread")]
async fn random_aggregates_answer_the_same() {
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |n| n.parse().expect("a number"));
    let (queries, seed) = (number("SALESLAKE_RANDOM_QUERIES", QUERIES), number("SALESLAKE_RANDOM_SEED", SEED));
    let lake = landed().in_memory().await;
    let (on, off) = (engine(&lake, true).await, engine(&lake, false).await);
    let values = Values::of(&off).await;

    let nothing = ask_all("nothing is refreshed", &on, &off, &values, seed, queries).await;
    assert_eq!(nothing.partly, 0);

    let months = stale(&on, "sales_day").len();
    refresh(&on, &[], months / 2).await;
    let half = ask_all("half of the months", &on, &off, &values, seed + queries, queries).await;
    assert!(half.partly > 0, "no answer is of rollups and tables");

    refresh(&on, &[], usize::MAX).await;
    assert!(on.rollups().iter().all(|rollup| rollup.stale.is_empty() && rollup.rows > 0), "{:?}", on.rollups());
    let all = ask_all("all months", &on, &off, &values, seed + 2 * queries, queries).await;
    assert_eq!(all.partly, 0, "all is current");
    assert!(
        all.by_rollup * 100 >= LEAST * all.asked,
        "{} of {} by rollups: {:?}",
        all.by_rollup,
        all.asked,
        all.reasons
    );

    // A late file of an old month, and a new day.
    let stall = Stall::over(&lake);
    let line = |text: &str| text.to_string();
    stall.land(&[line("L1,1,S1,late,2025-01-17,tea,2,3.50"), line("L1,2,S1,late,2025-01-17,cup,1,9.00")]).await;
    stall.land(&[line("N1,1,S2,,2026-07-01,tea,1,3.50")]).await;
    on.refresh().await.expect("refresh");
    off.refresh().await.expect("refresh");
    assert_eq!(stale(&on, "sales_day"), ["2025-01", "2026-07"]);
    assert_eq!(stale(&on, "sales_product"), ["2025-01", "2026-07"]);
    let since = ask_all("files landed since", &on, &off, &values, seed + 3 * queries, queries).await;
    assert!(since.partly > 0 && since.by_rollup > since.partly, "the other months are current");
}

/// Asks both engines `queries` statements, from that of `seed` on.
///
/// # Panics
/// They do not say the same: with the seed, the statement and both answers.
async fn ask_all(state: &str, on: &Engine, off: &Engine, values: &Values, seed: u64, queries: u64) -> Seen {
    let mut seen = Seen::default();
    for seed in seed..seed + queries {
        let sql = question(values, seed);
        let told = both(on, off, &sql, &QueryOptions::default()).await;
        let told = told.unwrap_or_else(|told| panic!("{state}, seed {seed}:\n{told}"));
        seen.asked += 1;
        seen.rows += told.answer.rows.len();
        if told.is_by_rollup() {
            seen.by_rollup += 1;
            seen.partly += usize::from(told.by.iter().any(|by| by.from_tables > 0));
            continue;
        }
        let reason = told.by.first().map_or("no view that has rollups".to_string(), ToString::to_string);
        *seen.reasons.entry(reason).or_default() += 1;
    }
    let share = 100 * seen.by_rollup / seen.asked.max(1);
    println!(
        "{state}: {} statements, {} rows; {share} % by rollups, {} partly from the tables",
        seen.asked, seen.rows, seen.partly
    );
    let mut reasons: Vec<_> = seen.reasons.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    reasons.iter().take(25).for_each(|(reason, count)| println!("  {count} × {reason}"));
    assert!(seen.rows > seen.asked, "{state}: the statements find nothing");
    seen
}
