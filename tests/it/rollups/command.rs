//! `saleslake rollup`, as people use it.

use std::path::Path;

use super::lake::landed;
use crate::common::{saleslake, succeeded};

const LIST: &[&str] = &["rollup", "list", "--format", "csv"];
const NET: &str =
    "SELECT location_id, sum(net_rc) AS net, count(DISTINCT buyer_key) AS c FROM sales_event GROUP BY 1 ORDER BY 1";

/// Months that are current, and those that are not, of a rollup.
fn months(dir: &Path, rollup: &str) -> (u64, u64) {
    let text = succeeded(dir, LIST);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns = reader.headers().expect("a header").clone();
    assert_eq!(
        columns.iter().collect::<Vec<_>>(),
        ["rollup", "view", "rows", "bytes", "months", "not_current", "which"]
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let row = rows.iter().find(|row| row.get(0) == Some(rollup)).unwrap_or_else(|| panic!("no {rollup}:\n{text}"));
    assert_eq!(row[6].is_empty(), row.get(5) == Some("0"), "{text}");
    (row[4].parse().expect("a number"), row[5].parse().expect("a number"))
}

#[test]
fn months_are_listed_made_and_made_again() {
    let dir = tempfile::tempdir().expect("a folder");
    landed().write(dir.path());
    let dir = dir.path();
    let (none, all) = months(dir, "sales_day");
    assert!(none == 0 && all > 20, "{none}, {all}");
    let before = succeeded(dir, &["sql", NET, "--format", "csv"]);
    assert!(before.lines().count() > 2, "{before}");

    let made = succeeded(dir, &["rollup", "refresh", "sales_day", "--months", "2", "--format", "csv"]);
    assert!(made.starts_with("rollup,month,rows,seconds,note\nsales_day,2026-06,"), "{made}");
    assert!(made.contains("\nsales_day,2026-05,") && made.lines().count() == 3, "{made}");
    assert_eq!((months(dir, "sales_day"), months(dir, "sales_product").0), ((2, all - 2), 0));
    assert_eq!(succeeded(dir, &["sql", NET, "--format", "csv"]), before);

    succeeded(dir, &["rollup", "refresh"]);
    assert_eq!(months(dir, "sales_day"), (all, 0));
    assert_eq!(months(dir, "sales_product").1 + months(dir, "charge_day").1, 0);
    let made = succeeded(dir, &["rollup", "refresh", "--format", "csv"]);
    assert!(made.lines().count() <= 1, "nothing is left to be made: {made}");
    assert_eq!(succeeded(dir, &["sql", NET, "--format", "csv"]), before);
    let plan = succeeded(dir, &["sql", &format!("EXPLAIN {NET}"), "--format", "csv"]);
    assert!(plan.contains("rollups,by sales_month") && plan.contains("rollup.sales_month"), "{plan}");

    let off = ["--set", "engine.rollups=false"];
    let plan = succeeded(dir, &[&["sql", &format!("EXPLAIN {NET}"), "--format", "csv"], &off[..]].concat());
    assert!(!plan.contains("sales_month"), "{plan}");
    assert!(succeeded(dir, &[LIST, &off].concat()).lines().count() <= 1);

    succeeded(dir, &["lake", "optimize", "order_line"]);
    let (current, stale) = months(dir, "sales_day");
    assert!(current + stale == all && stale > 0, "{current}, {stale}");
    assert_eq!(succeeded(dir, &["sql", NET, "--format", "csv"]), before);
}

#[test]
fn a_rollup_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    landed().write(dir.path());
    let out = saleslake(dir.path(), &["rollup", "refresh", "sales_dai"]);
    let told = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success() && told.contains("there is no rollup sales_dai"), "{told}");
    assert!(told.contains("sales_day"), "a near name: {told}");
}
