//! The rules of comparing, each shown on the shop of [`super::super::testing`].

use super::super::testing::{between, by, options, shop};
use super::*;
use crate::engine::options::{CompareMode, QueryOptions};

fn compared(mode: CompareMode, key: &[&str], bucket: Option<&str>, from: &str, to: &str) -> QueryOptions {
    let compare = Compare {
        mode,
        from: "from".into(),
        to: "to".into(),
        bucket: bucket.map(str::to_string),
        grain: bucket.map(|_| "grain".to_string()),
        measures: vec!["net".into()],
    };
    let mut params = between(from, to);
    if bucket.is_some() {
        params.insert("grain".into(), Param::Text("month".into()));
    }
    QueryOptions { compare: Some(compare), params, key: key.iter().map(|k| k.to_string()).collect(), ..options() }
}

const BY_PRODUCT: &str = "SELECT product_id, $from AS period_start, sum(net_rc) AS net, count(*) AS n FROM sales_event \
     WHERE business_date >= $from AND business_date < $to GROUP BY product_id ORDER BY net DESC NULLS LAST, product_id";

#[tokio::test]
async fn rows_of_either_period_meet_by_key() {
    let shop = shop().await;
    let options = compared(CompareMode::PreviousPeriod, &["product_id"], None, "2026-03-01", "2026-04-01");
    let lines = shop.lines(BY_PRODUCT, &options).await;
    assert_eq!(
        lines,
        ["p1|2026-03-01|105.0000|3|75.0000|0.4", "p2|2026-03-01|50.0000|1||", "p3|2026-03-01|||20.0000|",],
        "p3 was only sold before: its measures are NULL, its period the asked one"
    );
    let year = compared(CompareMode::PreviousYear, &["product_id"], None, "2026-03-01", "2026-04-01");
    assert_eq!(
        shop.lines(BY_PRODUCT, &year).await[0],
        "p1|2026-03-01|105.0000|3|-40.0000|3.625",
        "from a negative base"
    );
    let asked = QueryOptions { order_by: by("net_growth", true), limit: Some(1), ..options };
    assert_eq!(shop.lines(BY_PRODUCT, &asked).await, ["p1|2026-03-01|105.0000|3|75.0000|0.4"]);
}

#[tokio::test]
async fn totals_are_compared_too() {
    let shop = shop().await;
    let options = compared(CompareMode::PreviousPeriod, &["product_id"], None, "2026-03-01", "2026-04-01");
    let lines = shop.lines(BY_PRODUCT, &QueryOptions { totals: true, ..options }).await;
    assert_eq!(lines.len(), 4);
    assert!(
        lines[3].starts_with("|2026-03-01|155.0000|4|95.0000|0.63157894") && lines[3].ends_with("|total"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn single_rows_need_no_key() {
    let shop = shop().await;
    let sql = "SELECT sum(net_rc) AS net FROM sales_event WHERE business_date >= $from AND business_date < $to";
    let empty = compared(CompareMode::PreviousYear, &[], None, "2020-03-01", "2020-04-01");
    assert_eq!(shop.lines(sql, &empty).await, ["||"]);
    let many = compared(CompareMode::PreviousYear, &[], None, "2026-03-01", "2026-04-01");
    assert!(shop.error(BY_PRODUCT, &many).await.contains("key"));
}

const BY_MONTH: &str = "SELECT period_start(business_date, $grain, 'iso') AS month, period_end(business_date, $grain, 'iso') AS period_end, \
     region_id, sum(net_rc) AS net, period_end(business_date, $grain, 'iso') > $to AS is_partial_period FROM sales_event \
     WHERE business_date >= $from AND business_date < $to GROUP BY 1, 2, 3, 5 ORDER BY 1, 3";

#[tokio::test]
async fn buckets_are_mapped_forward_and_null_keys_meet() {
    let shop = shop().await;
    let key = &["month", "region_id"];
    let lines = shop
        .lines(BY_MONTH, &compared(CompareMode::PreviousPeriod, key, Some("month"), "2026-03-01", "2026-04-01"))
        .await;
    assert_eq!(
        lines,
        [
            "2026-03-01|2026-04-01|r1|75.0000|false|75.0000|0.0",
            "2026-03-01|2026-04-01|r2|50.0000|false||",
            "2026-03-01|2026-04-01|r9||false|20.0000|",
            "2026-03-01|2026-04-01||30.0000|false||",
        ]
    );
    let mut whole = compared(CompareMode::PreviousPeriod, &["month"], Some("month"), "2026-03-01", "2026-04-01");
    whole.params.insert("grain".into(), Param::Text("all".into()));
    let sql = "SELECT CASE WHEN $grain = 'all' THEN $from ELSE period_start(business_date, $grain, 'iso') END AS month, \
         sum(net_rc) AS net FROM sales_event WHERE business_date >= $from AND business_date < $to GROUP BY 1";
    assert!(shop.lines(sql, &whole).await[0].starts_with("2026-03-01|155.0000|95.0000|0.63"));
    let year = compared(CompareMode::PreviousYear, key, Some("month"), "2026-03-01", "2026-03-10");
    let lines = shop.lines(BY_MONTH, &year).await;
    assert_eq!(lines[0], "2026-03-01|2026-04-01|r1|100.0000|true|-40.0000|3.5", "cut on the same day of the year");
    let before = compared(CompareMode::PreviousPeriod, key, Some("month"), "2026-03-01", "2026-03-29");
    let lines = shop.lines(BY_MONTH, &before).await;
    assert_eq!(lines[0], "2026-03-01|2026-04-01|r1|75.0000|true|75.0000|", "an incomplete bucket has no growth");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let shop = shop().await;
    let mut options = compared(CompareMode::PreviousYear, &["month"], Some("month"), "2026-03-01", "2026-04-01");
    options.compare.as_mut().unwrap().measures = vec!["nett".into()];
    let error = shop.error(BY_MONTH, &options).await;
    assert!(error.contains("'nett'") && error.contains("net"), "{error}");
    options.key = vec!["region_id".into()];
    assert!(shop.error(BY_MONTH, &options).await.contains("bucket month"));
}
