//! dq-reconciliation and the gaps in running numbers, over rows whose answers are worked out by hand.

use super::*;
use crate::model::SOURCE_CONTROL_TOTAL;

const ID: &str = "dq-reconciliation";
const ROW: &[&str] =
    &["period_start", "location_id", "metric", "source_currency", "status", "control", "landed", "difference"];

fn merged(mut row: Value, rest: Value) -> Value {
    if let (Some(row), Value::Object(rest)) = (row.as_object_mut(), rest) {
        row.extend(rest);
    }
    row
}

/// A till that totals its places, and a marketplace that totals the whole channel, per currency.
async fn totalled() -> Shop {
    let lake = empty_lake().await;
    let line = |order: &str, day: &str, place: Option<&str>, net: i64, tax: i64, rest: Value| {
        let row = json!({ "source_system": "till", "channel_id": "pos", "order_id": order, "business_date": day, "location_id": place,
            "currency": "GBP", "quantity": 1, "gross_amount": net, "net_amount": net, "tax_amount": tax });
        merged(row, rest)
    };
    let market = |currency: &str| json!({ "source_system": "market", "channel_id": "web", "currency": currency });
    let lines = [
        line("A", "2026-03-10", Some("L1"), 90, 18, json!({ "gross_amount": 100, "quantity": 2 })),
        line("A", "2026-03-10", Some("L1"), 10, 2, json!({})),
        line("B", "2026-03-10", Some("L1"), 5, 1, json!({ "is_test": true, "order_status": "cancelled" })),
        line("C", "2026-03-10", Some("L1"), 1000, 0, json!({ "is_deleted": true })),
        line("D", "2026-03-11", Some("L1"), 20, 4, json!({})),
        line("E", "2026-03-11", Some("L9"), 7, 0, json!({})),
        line("F", "2026-03-09", Some("L1"), 50, 0, json!({})),
        line("G", "2026-03-10", Some("L1"), 50, 0, json!({ "source_system": "never totals" })),
        line("H", "2026-03-10", Some("L1"), 30, 0, market("EUR")),
        line("I", "2026-03-10", None, 8, 0, market("GBP")),
    ];
    land(&lake, &ORDER_LINE, json!({}), &lines).await;
    let told = |day: &str, metric: &str, value: f64, rest: Value| {
        let row = json!({ "business_date": day, "metric": metric, "value": value, "location_id": "L1" });
        let row = match metric {
            "total_amount" => merged(row, json!({ "currency": "GBP" })),
            _ => row,
        };
        merged(row, rest)
    };
    let channel = |currency: Option<&str>| json!({ "source_system": "market", "channel_id": "web", "location_id": null, "currency": currency });
    let totals = [
        told("2026-03-10", "order_count", 2.0, json!({})),
        told("2026-03-10", "total_amount", 126.0, json!({})),
        told("2026-03-11", "order_count", 2.0, json!({})),
        told("2026-03-11", "total_amount", 24.0, json!({})),
        told("2026-03-12", "order_count", 1.0, json!({})),
        told("2026-03-12", "total_amount", 9.5, json!({})),
        told("2026-03-10", "line_count", 77.0, json!({ "is_deleted": true })),
        told("2026-03-10", "order_count", 2.0, channel(None)),
        told("2026-03-10", "gross_amount", 30.0, channel(Some("EUR"))),
        told("2026-03-10", "gross_amount", 9.0, channel(Some("GBP"))),
    ];
    land(&lake, &SOURCE_CONTROL_TOTAL, json!({ "source_system": "till", "channel_id": "pos" }), &totals).await;
    dimensions(&lake).await;
    over(lake).await
}

#[tokio::test]
async fn every_comparison_has_one_of_four_ends() {
    let shop = totalled().await;
    let till = [("level", "location"), ("where.channel", "pos")];
    assert_eq!(
        shop.rows(ID, &till, ROW).await,
        [
            "2026-03-10|L1|order_count||ok|2.0000|2.0000|0.0000",
            "2026-03-10|L1|total_amount|GBP|ok|126.0000|126.0000|0.0000",
            "2026-03-11|L1|order_count||differs|2.0000|1.0000|-1.0000",
            "2026-03-11|L1|total_amount|GBP|ok|24.0000|24.0000|0.0000",
            "2026-03-11|UNK|order_count||missing_control|0.0000|1.0000|1.0000",
            "2026-03-11|UNK|total_amount|GBP|missing_control|0.0000|7.0000|7.0000",
            "2026-03-12|L1|order_count||missing_data|1.0000|0.0000|-1.0000",
            "2026-03-12|L1|total_amount|GBP|missing_data|9.5000|0.0000|-9.5000",
        ],
        "tests and cancelled orders were delivered, tombstones were not; before the first total nothing is expected"
    );
    let market = [("level", "location"), ("where.channel", "web")];
    assert_eq!(
        shop.rows(ID, &market, ROW).await,
        [
            "2026-03-10|N/A|gross_amount|EUR|ok|30.0000|30.0000|0.0000",
            "2026-03-10|N/A|gross_amount|GBP|differs|9.0000|8.0000|-1.0000",
            "2026-03-10|N/A|order_count||ok|2.0000|2.0000|0.0000",
        ],
        "places and currencies that the source does not tell apart are added up"
    );
}

#[tokio::test]
async fn differences_do_not_cancel_each_other_out() {
    let shop = totalled().await;
    let columns = [
        "period_start",
        "status",
        "control",
        "landed",
        "difference",
        "abs_difference",
        "difference_share",
        "comparisons",
        "differing",
        "missing_control",
        "missing_data",
        "problems",
    ];
    let orders = [("metric", "order_count"), ("where.channel", "pos")];
    assert_eq!(
        shop.rows(ID, &orders, &columns).await,
        [
            "2026-03-10|ok|2.0000|2.0000|0.0000|0.0000|0.0|1|0|0|0|0",
            "2026-03-11|differs|2.0000|2.0000|0.0000|2.0000|1.0|2|1|1|0|2",
            "2026-03-12|missing_data|1.0000|0.0000|-1.0000|1.0000|1.0|1|0|0|1|1",
        ]
    );
    let all = [("metric", "order_count"), ("where.channel", "pos"), ("grain", "all"), ("show", "problems")];
    let one = ["2026-01-01|missing_data|5.0000|4.0000|-1.0000|3.0000|0.6|4|1|1|1|3"];
    assert_eq!(shop.rows(ID, &all, &columns).await, one);
    let lenient = [("metric", "order_count"), ("where.location", "L1"), ("tolerance", "0.5"), ("show", "problems")];
    assert_eq!(shop.rows(ID, &lenient, &["period_start", "status"]).await, ["2026-03-12|missing_data"]);
    let strict = [("metric", "order_count"), ("where.location", "L1"), ("tolerance", "0.49"), ("show", "problems")];
    assert_eq!(shop.rows(ID, &strict, &["status"]).await, ["differs", "missing_data"]);
}

#[tokio::test]
async fn totals_are_sliced_on_both_sides_or_not_at_all() {
    let shop = totalled().await;
    let columns = ["source_system", "channel_id", "location_id", "landed"];
    let by = async |slicer: &str, value: &str| {
        let asked = [("level", "location"), ("grain", "all"), ("metric", "order_count"), (slicer, value)];
        shop.rows(ID, &asked, &columns).await
    };
    assert_eq!(by("where.location", "UNK").await, ["till|pos|UNK|1.0000"]);
    assert_eq!(by("where.location", "N/A").await, ["market|web|N/A|2.0000"]);
    assert_eq!(by("where.region", "North").await, ["till|pos|L1|3.0000"]);
    assert_eq!(by("where.region", "UNK").await, ["till|pos|UNK|1.0000"]);
    for slicer in ["where.product", "where.segment"] {
        assert!(shop.refusal(ID, &[(slicer, "N/A")]).await.contains(&slicer[6..]), "{slicer}");
    }
    assert!(shop.refusal(ID, &[("totals", "true")]).await.contains("totals"), "counts and amounts do not add up");
}

#[tokio::test]
async fn d27_a_lake_without_totals_has_nothing_to_compare() {
    let shop = over(empty_lake().await).await;
    assert_eq!(shop.rows(ID, &[], ROW).await, Vec::<String>::new());
}

#[tokio::test]
async fn gaps_in_running_numbers_are_listed() {
    let lake = empty_lake().await;
    let line = |place: Option<&str>, seq: Option<i64>, day: &str, rest: Value| {
        merged(json!({ "location_id": place, "source_seq": seq, "business_date": day, "channel_id": "pos" }), rest)
    };
    let lines = [
        line(Some("L1"), Some(5), "2026-03-10", json!({})),
        line(Some("L1"), Some(5), "2026-03-10", json!({ "order_line_id": "2" })),
        line(Some("L1"), Some(7), "2026-03-11", json!({})),
        line(Some("L1"), Some(8), "2026-03-11", json!({ "is_deleted": true })),
        line(Some("L9"), Some(100), "2026-03-10", json!({})),
        line(None, Some(6), "2026-03-10", json!({})),
        line(Some("L1"), None, "2026-03-11", json!({})),
    ];
    land(&lake, &ORDER_LINE, json!({ "source_system": "till" }), &lines).await;
    let back =
        json!({ "return_location_id": "L1", "channel_id": "web", "source_seq": 11, "business_date": "2026-03-12" });
    land(&lake, &RETURN_LINE, json!({ "source_system": "till" }), &[back]).await;
    dimensions(&lake).await;
    let shop = over(lake).await;
    let columns = [
        "channel_id",
        "location_id",
        "status",
        "control",
        "landed",
        "comparisons",
        "differing",
        "missing_numbers",
        "gaps",
    ];
    let all = [("level", "location"), ("grain", "all")];
    assert_eq!(
        shop.rows(ID, &all, &columns).await,
        [
            "pos|L1|differs|4.0000|3.0000|3|1|1|6",
            "pos|N/A|ok|1.0000|1.0000|1|0|0|",
            "pos|UNK|ok|1.0000|1.0000|1|0|0|",
            "web|L1|differs|3.0000|1.0000|1|1|2|9-10",
        ],
        "each place has its own sequence, sales and returns share it, and a tombstone was delivered"
    );
    let gaps = "SELECT location_id, channel_id, business_date, first_missing, last_missing, missing FROM source_sequence_gap ORDER BY 4";
    let columns = ["location_id", "channel_id", "business_date", "first_missing", "last_missing", "missing"];
    assert_eq!(shop.sql(gaps, &columns).await, ["L1|pos|2026-03-11|6|6|1", "L1|web|2026-03-12|9|10|2"]);
    let web = [("where.channel", "web"), ("grain", "all")];
    assert_eq!(
        shop.rows(ID, &web, &["landed", "missing_numbers", "gaps"]).await,
        ["1.0000|2|9-10"],
        "a slicer makes no gaps of what it leaves out"
    );
}
