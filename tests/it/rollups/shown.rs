//! What people see of rollups: EXPLAIN and the query log; and what makes a month not current: compaction, another view. Vacuum
//! leaves what is current.

use std::path::Path;

use chrono::TimeDelta;
use saleslake::engine::{Engine, QueryOptions};
use saleslake::lake::Compaction;
use saleslake::model::{ORDER_LINE, RETURN_LINE};
use tokio_util::sync::CancellationToken;

use super::lake::{engine, engine_with, kept, landed, open, refresh};
use super::{agreed, ask, both};
use crate::common;

/// Makes the newest two months of `sales_day` current; the condition that asks for just these.
async fn two_months(engine: &Engine) -> String {
    refresh(engine, &["sales_day"], 2).await;
    let current = kept(engine, "sales_day").current;
    assert_eq!(current.len(), 2);
    format!("business_date >= DATE '{}-01'", current[0])
}

fn by_place(days: &str) -> String {
    format!(
        "SELECT location_id, sum(net_rc) AS net, count(DISTINCT buyer_key) AS customers FROM sales_event WHERE {days} GROUP BY 1"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_and_the_log_say_which_rollup_answered_or_why_none_did() {
    let lake = landed().in_memory().await;
    let on = engine(&lake, true).await;
    let days = two_months(&on).await;
    let explain = format!("EXPLAIN {}", by_place(&days));
    let told = ask(&on, &explain, QueryOptions::default()).await.expect("explained");
    let of = |kind: &str| -> String {
        let rows = told.answer.rows.iter().filter(|row| row[0] == kind);
        rows.map(|row| row[1].clone()).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(of("rollups"), "by sales_day");
    assert!(of("logical_plan").contains("rollup.sales_day"), "{:?}", told.answer.rows);
    assert!(!of("logical_plan").contains("order_line"), "all of it is current: {:?}", told.answer.rows);

    let months = kept(&on, "sales_day").stale.len();
    let told = ask(&on, &by_place("true"), QueryOptions::default()).await.expect("answered");
    assert_eq!(told.says(), format!("by sales_day, {months} months from the tables"));

    let policies = [("return_basis".to_string(), "sale_date".to_string())].into();
    let options = QueryOptions { policies, ..QueryOptions::default() };
    let told = ask(&on, &explain, options).await.expect("explained");
    let rollups: Vec<_> = told.answer.rows.iter().filter(|row| row[0] == "rollups").collect();
    assert_eq!(rollups.len(), 1, "{:?}", told.answer.rows);
    let why = &rollups[0][1];
    assert!(why.starts_with("not by ") && why.contains("the default of the policy return_basis"), "{why}");
    assert!(told.answer.rows.iter().all(|row| !row[1].contains("rollup.sales_day")), "{:?}", told.answer.rows);

    let told =
        ask(&on, "EXPLAIN SELECT count(*) FROM base.order_line", QueryOptions::default()).await.expect("explained");
    assert!(told.answer.rows.iter().all(|row| row[0] != "rollups"), "no view is read: {:?}", told.answer.rows);

    let log = "SELECT rollups FROM system.queries WHERE sql LIKE 'SELECT location_id%' ORDER BY started_at";
    let told = ask(&on, log, QueryOptions::default()).await.expect("the log");
    assert_eq!(told.answer.rows, [[format!("by sales_day, {months} months from the tables")]]);
    let log = "SELECT count(*) FROM system.queries WHERE rollups LIKE 'not by %return_basis'";
    assert_eq!(ask(&on, log, QueryOptions::default()).await.expect("the log").value(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn compacted_months_are_not_current_and_vacuum_leaves_what_is() {
    let dir = tempfile::tempdir().expect("a folder");
    landed().write(dir.path());
    let lake = open(dir.path()).await;
    let (on, off) = (engine(&lake, true).await, engine(&lake, false).await);
    let sql = by_place(&two_months(&on).await);
    assert_eq!(agreed(&on, &off, &sql).await.says(), "by sales_day");

    let how = Compaction {
        file_bytes: 64 << 20,
        memory_bytes: 256 << 20,
        month: None,
        least: 2,
        thorough: true,
        dry_run: false,
    };
    for table in [&ORDER_LINE, &RETURN_LINE] {
        let done = lake.optimize(table, &how, &CancellationToken::new()).await.expect("compacted");
        assert!(!done.is_empty(), "{}: the landing made few files", table.name);
    }
    lake.catch_up().await.expect("a head");
    on.refresh().await.expect("refresh");
    off.refresh().await.expect("refresh");
    assert!(kept(&on, "sales_day").current.is_empty(), "{:?}", kept(&on, "sales_day"));
    let told = agreed(&on, &off, &sql).await;
    assert!(!told.is_by_rollup() && told.says().contains("none of its months is current"), "{}", told.says());
    two_months(&on).await;
    assert_eq!(agreed(&on, &off, &sql).await.says(), "by sales_day");
    drop((on, off, lake));

    // A process that holds no older state: what the months were before is needed by nobody.
    let lake = open(dir.path()).await;
    let (on, off) = (engine(&lake, true).await, engine(&lake, false).await);
    let now = lake.now().await.expect("the store's clock") + TimeDelta::days(3);
    let swept = lake.vacuum(None, now - TimeDelta::days(1), now, false).await.expect("swept");
    let dead =
        swept.iter().filter(|swept| swept.place.starts_with("rollup_sales_day")).flat_map(|swept| &swept.leftovers);
    assert_eq!(dead.count(), 2, "the two months as they were");
    assert_eq!(agreed(&on, &off, &sql).await.says(), "by sales_day");
    let again = engine(&open(dir.path()).await, true).await;
    assert_eq!(agreed(&again, &off, &sql).await.says(), "by sales_day");
}

/// The shipped view with one expression changed: it shows all net sales twice.
fn doubled(dir: &Path) {
    const SHIPPED: &str = "CASE WHEN u.flow = 'sell_out' THEN CAST(0 AS DECIMAL(18,4)) ELSE u.net END AS net_rc";
    let text = std::fs::read_to_string(common::repo("queries/views/sales_event.sql")).expect("the view");
    let changed = text.replace(SHIPPED, &SHIPPED.replace("u.net END", "CAST(u.net + u.net AS DECIMAL(18,4)) END"));
    assert_ne!(changed, text, "the view says net_rc otherwise");
    std::fs::create_dir_all(dir.join("views")).expect("made");
    std::fs::write(dir.join("views/sales_event.sql"), changed).expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_view_has_other_months() {
    let lake = landed().in_memory().await;
    let (on, off) = (engine(&lake, true).await, engine(&lake, false).await);
    let sql = format!("SELECT sum(net_rc) FROM sales_event WHERE {}", two_months(&on).await);
    let told = agreed(&on, &off, &sql).await;
    assert_eq!(told.says(), "by sales_day");
    let net = common::units(told.value());

    let dir = tempfile::tempdir().expect("a folder");
    doubled(dir.path());
    let queries = Some(dir.path());
    let (other, other_off) = (engine_with(&lake, true, queries).await, engine_with(&lake, false, queries).await);
    assert!(kept(&other, "sales_day").current.is_empty(), "those months are of the shipped view");
    let told = agreed(&other, &other_off, &sql).await;
    assert_eq!((common::units(told.value()), told.is_by_rollup()), (2 * net, false), "{}", told.says());
    two_months(&other).await;
    let told = agreed(&other, &other_off, &sql).await;
    assert_eq!((common::units(told.value()), told.is_by_rollup()), (2 * net, true), "{}", told.says());

    // And now they are not of the shipped one.
    on.refresh().await.expect("refresh");
    assert!(kept(&on, "sales_day").current.is_empty(), "{:?}", kept(&on, "sales_day"));
    let told = both(&on, &off, &sql, &QueryOptions::default()).await.unwrap_or_else(|told| panic!("{told}"));
    assert_eq!((common::units(told.value()), told.is_by_rollup()), (net, false), "{}", told.says());
}
