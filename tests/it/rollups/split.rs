//! Orders in several rows of a rollup: they are counted from the tables, and sums still come from the rollup.

use saleslake::lake::Lake;

use super::lake::{Stall, engine, kept};
use super::{Told, agreed};
use crate::common;

/// Per month, the orders: in two shops on one day; on two days; across two months, with one of March alone; one by itself.
const RECEIPTS: &[&str] = &[
    "A,1,S1,ada,2026-01-10,tea,1,10.00",
    "A,2,S2,ada,2026-01-10,cup,2,4.00",
    "B,1,S1,bob,2026-02-10,tea,1,10.00",
    "B,2,S1,bob,2026-02-11,cup,1,4.00",
    "C,1,S1,ada,2026-03-02,tea,3,10.00",
    "D,1,S1,eve,2026-03-31,tea,1,10.00",
    "D,2,S1,eve,2026-04-01,cup,1,4.00",
    "E,1,S2,,2026-05-05,tea,2,10.00",
    "E,2,S2,,2026-05-05,cup,1,4.00",
];

#[tokio::test(flavor = "multi_thread")]
async fn orders_in_several_rows_are_counted_from_the_tables() {
    let lake = Lake::open(&common::config().lake).await.expect("a lake");
    Stall::over(&lake).land(&RECEIPTS.iter().map(ToString::to_string).collect::<Vec<_>>()).await;
    let (on, off) = (engine(&lake, true).await, engine(&lake, false).await);
    let done = on.refresh_rollups(&[], usize::MAX).await.expect("refreshed");
    assert!(done.failed.is_empty(), "{:?}", done.failed);
    let mut split: Vec<&str> = done
        .made
        .iter()
        .filter(|made| made.rollup == "sales_day" && made.split)
        .map(|made| made.month.as_str())
        .collect();
    split.sort_unstable();
    // The newest month is made first: that D is in March too shows when March is made.
    assert_eq!(split, ["2026-01", "2026-02", "2026-03"]);
    let rows: usize = done.made.iter().filter(|made| made.rollup == "sales_day").map(|made| made.rows).sum();
    // A: two shops; B: two days; C; D: two days; E: one row of two lines.
    assert_eq!(rows, 8);
    let kept = kept(&on, "sales_day");
    assert_eq!((kept.current.len(), kept.stale.len(), kept.rows), (5, 0, 8));

    let orders = async |days: &str| -> Told {
        agreed(&on, &off, &format!("SELECT count(DISTINCT sale_order_id) FROM sales_event WHERE {days}")).await
    };
    for (days, count, by_rollup) in [
        ("true", "5", false),
        // Two shops are one channel: sales_channel has A in one row.
        ("business_date < DATE '2026-02-01'", "1", true),
        // Two days are one month: sales_month has B in one row.
        ("business_date >= DATE '2026-02-01' AND business_date < DATE '2026-03-01'", "1", true),
        ("business_date >= DATE '2026-03-01' AND business_date < DATE '2026-05-01'", "2", false),
        // D once, which is right for April alone.
        ("business_date >= DATE '2026-04-01' AND business_date <= DATE '2026-04-30'", "1", true),
        ("business_date >= DATE '2026-05-01'", "1", true),
    ] {
        let told = orders(days).await;
        assert_eq!((told.value(), told.is_by_rollup()), (count, by_rollup), "{days}: {}", told.says());
        assert!(by_rollup || told.says().contains("lies in several of its rows"), "{days}: {}", told.says());
    }
    // 10 + 8, 10 + 4, 30, 10 + 4, 20 + 4; Ada, Bob and Eve.
    let sums =
        agreed(&on, &off, "SELECT sum(net_rc), sum(sale_lines), count(DISTINCT buyer_key) FROM sales_event").await;
    assert_eq!(sums.answer.rows, [["100.0000", "9", "3"]]);
    assert!(sums.is_by_rollup() && sums.by.iter().all(|by| by.from_tables == 0), "{}", sums.says());
}
