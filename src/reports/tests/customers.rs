//! Customers, what they leave in carts and what they say, and the reports about the data itself, worked out by hand.

use super::*;
use crate::model::{CUSTOMER, CUSTOMER_EVENT, CUSTOMER_KEY_HISTORY, FEEDBACK, INGEST_FILE, INGEST_TABLE, QUARANTINE};

/// `row` with more fields.
fn and(mut row: Value, rest: Value) -> Value {
    row.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    row
}

#[tokio::test]
async fn every_stage_of_a_customers_life() {
    let lake = empty_lake().await;
    let bought = |customer: &str, day: &str| {
        let order = format!("{customer}-{day}");
        json!({ "order_id": order, "canonical_order_id": order, "business_date": day, "order_business_date": day,
            "gross_amount_rc": 10, "net_amount_rc": 10, "base_quantity": 1, "product_id": "P1", "customer_key": customer,
            "line_type": "product", "line_status": "active" })
    };
    let lines = [
        bought("A", "2026-03-10"),
        bought("B", "2025-01-05"),
        bought("B", "2026-03-01"),
        bought("C", "2025-11-01"),
        bought("C", "2026-03-01"),
        bought("D", "2025-11-15"),
        bought("E", "2025-08-01"),
        bought("F", "2024-12-01"),
    ];
    land(&lake, &ORDER_LINE, order(), &lines).await;
    let known = json!({ "customer_key": "P", "acquired_at": "2025-01-01T00:00:00Z" });
    land(&lake, &CUSTOMER, json!({ "customer_type": "b2c" }), &[known]).await;
    dimensions(&lake).await;
    let shop = over(lake).await;
    let columns = ["stage_before", "stage", "customer_count", "stage_count_before", "net_sales"];
    assert_eq!(
        shop.rows("customer-lifecycle", &[], &columns).await,
        [
            "at_risk|dormant|1|1|10.0000",
            "dormant|reactivated|1|1|20.0000",
            "lost|lost|1|1|10.0000",
            "new|active|1|2|20.0000",
            "new|at_risk|1|2|10.0000",
            "prospect|prospect|1|1|0.0000",
            "unknown|new|1|1|10.0000",
        ]
    );
    let columns = ["section", "item", "said", "events", "net_sales"];
    let asked = [("customer_key", "B")];
    assert_eq!(
        shop.rows("customer-360", &asked, &columns).await,
        [
            "total|total||2|20.0000",
            "channel|web||2|20.0000",
            "category|UNK||2|20.0000",
            "order|B-2026-03-01||1|",
            "order|B-2025-01-05||1|",
            "score|frequency|1||",
            "score|money|10.0000||",
            "score|recency|19||",
        ]
    );
    let first = shop.rows("customer-360", &[], &["customer_key"]).await;
    assert_eq!(first[0], "B", "of the two who brought most, the first by key");
}

#[tokio::test]
async fn a_person_of_several_keys_is_one_customer() {
    let lake = empty_lake().await;
    let bought = |order: &str, customer: &str| {
        json!({ "order_id": order, "canonical_order_id": order, "business_date": "2026-03-10",
            "order_business_date": "2026-03-10", "gross_amount_rc": 10, "net_amount_rc": 10, "base_quantity": 1,
            "product_id": "P1", "customer_key": customer, "line_type": "product", "line_status": "active" })
    };
    // The facts have the keys that stand for B and D; E was one with A and is not any more.
    land(&lake, &ORDER_LINE, order(), &[bought("1", "A"), bought("2", "A"), bought("3", "C")]).await;
    let version = |key: &str, version: i64, canonical: &str| json!({ "customer_key": key, "version": version, "canonical_customer_key": canonical });
    let versions = [version("B", 1, "A"), version("D", 1, "C"), version("E", 1, "A"), version("E", 2, "E")];
    land(&lake, &CUSTOMER_KEY_HISTORY, json!({}), &versions).await;
    let agreed =
        json!({ "customer_type": "b2c", "consent_marketing_email": true, "consent_marketing_profiling": true });
    let known = ["A", "B", "C", "D", "E"].map(|key| json!({ "customer_key": key }));
    let known =
        known.map(
            |row| if row["customer_key"] == "B" { and(row, json!({ "consent_marketing_email": false })) } else { row },
        );
    land(&lake, &CUSTOMER, agreed, &known).await;
    dimensions(&lake).await;
    let shop = over(lake).await;
    let listed = shop.rows("customer-segment-export", &[("min_group", "1")], &["customer_key"]).await;
    assert_eq!(listed, ["C", "E"], "A refused under the key B");
    for report in ["rfm-segments", "customer-lifecycle"] {
        assert_eq!(shop.rows(report, &[], &["customer_count_all"]).await[0], "3", "{report}: A, C and E");
    }
    for (asked, shown) in [("B", "A"), ("A", "A"), ("E", "E")] {
        let rows =
            shop.rows("customer-360", &[("customer_key", asked)], &["customer_key", "section", "net_sales"]).await;
        assert!(rows.iter().all(|row| row.starts_with(&format!("{shown}|"))), "{asked}: {rows:?}");
        assert_eq!(rows.contains(&"A|total|20.0000".to_string()), shown == "A", "{asked}: {rows:?}");
    }
    assert!(shop.rows("customer-360", &[("customer_key", "nobody")], &["customer_key"]).await.is_empty());
}

/// The key that stands for a customer may be one that the customer table does not have.
#[tokio::test]
async fn a_person_is_known_by_whichever_key_the_table_has() {
    let lake = empty_lake().await;
    let bought = json!({ "order_id": "1", "canonical_order_id": "1", "business_date": "2026-03-10",
        "order_business_date": "2026-03-10", "gross_amount_rc": 10, "net_amount_rc": 10, "base_quantity": 1,
        "product_id": "P1", "customer_key": "card", "customer_given": "web-1", "line_type": "product", "line_status": "active" });
    land(&lake, &ORDER_LINE, order(), &[bought]).await;
    let version =
        |key: &str, canonical: &str| json!({ "customer_key": key, "version": 1, "canonical_customer_key": canonical });
    land(&lake, &CUSTOMER_KEY_HISTORY, json!({}), &[version("web-1", "card"), version("web-2", "till")]).await;
    let known = [("web-1", "gold"), ("web-2", "silver")]
        .map(|(key, tier)| json!({ "customer_key": key, "membership_tier": tier }));
    land(&lake, &CUSTOMER, json!({ "customer_type": "b2c" }), &known).await;
    dimensions(&lake).await;
    let shop = over(lake).await;
    let top = shop.rows("top-customers", &[], &["customer_key", "membership_tier"]).await;
    assert_eq!(top, ["card|gold"]);
    for (segment, sold) in [("gold", "10.0000"), ("silver", "0.0000"), ("UNK", "0.0000")] {
        let sales = shop.rows("sales-summary", &[("where.segment", segment)], &["net_sales"]).await;
        assert_eq!(sales, [sold], "{segment}");
    }
    let stages = shop.rows("customer-lifecycle", &[], &["stage", "customer_count"]).await;
    assert!(stages.contains(&"prospect|1".to_string()) && stages.contains(&"new|1".to_string()), "{stages:?}");
    let shown = shop.rows("customer-360", &[("customer_key", "web-2")], &["customer_key", "section"]).await;
    assert!(!shown.is_empty() && shown.iter().all(|row| row.starts_with("till|")), "{shown:?}");
    let unmapped = shop.rows("dq-unmapped-dimensions", &[], &["dimension"]).await;
    assert!(!unmapped.contains(&"customer".to_string()), "{unmapped:?}");
}

#[tokio::test]
async fn d76_a_cart_is_bought_open_or_abandoned() {
    let lake = empty_lake().await;
    let event = |session: &str, visitor: &str, at: &str, name: &str, rest: Value| {
        let row = json!({ "client_event_id": format!("{session}{at}"), "session_id": session, "anonymous_id": visitor,
            "event_name": name, "event_time": format!("{at}:00Z"), "business_date": &at[..10], "channel_id": "web" });
        and(row, rest)
    };
    let put = |product: &str, quantity: i64, price: i64| json!({ "product_id": product, "quantity": quantity, "item_price": price, "currency": "GBP" });
    let events = [
        event("s1", "v1", "2026-03-01T10:00", "add_to_cart", put("P1", 2, 5)),
        event("s1", "v1", "2026-03-01T12:00", "purchase", json!({})),
        event("s2", "v2", "2026-03-02T10:00", "add_to_cart", put("P2", 1, 10)),
        event("s3", "v2", "2026-03-03T16:00", "purchase", json!({})),
        event("s4", "v4", "2026-03-19T10:00", "add_to_cart", put("P1", 1, 5)),
        event("s5", "v5", "2026-03-05T10:00", "add_to_cart", put("P1", 3, 5)),
        event("s5", "v5", "2026-03-05T10:05", "remove_from_cart", put("P1", 1, 5)),
        event("s6", "v6", "2026-03-05T10:00", "add_to_cart", and(put("P1", 9, 5), json!({ "is_bot": true }))),
    ];
    land(&lake, &CUSTOMER_EVENT, json!({ "source_system": "w" }), &events).await;
    dimensions(&lake).await;
    let shop = over(lake).await;
    let id = "cart-abandonment";
    let columns =
        ["group_id", "carts", "bought_carts", "open_carts", "abandoned_carts", "abandoned_units", "abandoned_value"];
    assert_eq!(shop.rows(id, &[], &columns).await, ["|4|1|1|2|3.000|20.0000"]);
    assert_eq!(shop.rows(id, &[("timeout", "48")], &columns).await, ["|4|2|1|1|2.000|10.0000"]);
    assert_eq!(
        shop.rows(id, &[("level", "product")], &columns).await,
        ["P1|3|1|1|1|2.000|10.0000", "P2|1|0|0|1|1.000|10.0000"]
    );
    assert_eq!(shop.rows(id, &[("where.product", "Two")], &columns).await, ["|1|0|0|1|1.000|10.0000"]);

    // Euros are never added to pounds, also not where one cart has both (D32): it counts once in each currency.
    let of = |currency: Option<&str>, row: Value| and(row, json!({ "currency": currency }));
    let more = [
        event("s7", "v7", "2026-03-06T10:00", "add_to_cart", of(Some("EUR"), put("P1", 2, 5))),
        event("s8", "v8", "2026-03-07T10:00", "add_to_cart", put("P2", 3, 10)),
        event("s8", "v8", "2026-03-07T10:05", "add_to_cart", of(Some("EUR"), put("P2", 1, 11))),
        // Without a currency it is in that of the cart's first price.
        event("s8", "v8", "2026-03-07T10:10", "remove_from_cart", of(None, put("P2", 1, 10))),
    ];
    land(&shop.lake, &CUSTOMER_EVENT, json!({ "source_system": "w" }), &more).await;
    assert!(shop.engine.refresh().await.unwrap());
    let columns = ["cart_currency", "carts", "abandoned_carts", "abandoned_units", "abandoned_value"];
    assert_eq!(shop.rows(id, &[], &columns).await, ["GBP|5|3|5.000|40.0000", "EUR|2|2|3.000|21.0000"]);
    let items = "SELECT cart_currency, quantity, cart_value FROM cart_item WHERE cart_key = 'w:s8' ORDER BY 1";
    let columns = ["cart_currency", "quantity", "cart_value"];
    assert_eq!(shop.sql(items, &columns).await, ["EUR|1.000|11.0000", "GBP|2.000|20.0000"]);
}

#[tokio::test]
async fn what_customers_say() {
    let lake = empty_lake().await;
    let said = |id: &str, kind: &str, rest: Value| {
        let row = json!({ "feedback_id": id, "feedback_type": kind, "business_date": "2026-02-01",
            "opened_at": "2026-02-01T10:00:00Z", "channel_id": "web" });
        and(row, rest)
    };
    let rated = |rating: i64, scale: i64| json!({ "rating": rating, "rating_scale": scale });
    let late = |rest: Value| and(json!({ "topic_code": "late" }), rest);
    let feedback = [
        said("1", "csat", rated(5, 5)),
        said("2", "csat", rated(3, 5)),
        said("3", "csat", rated(8, 10)),
        said("4", "csat", and(rated(5, 5), json!({ "is_test": true }))),
        said("5", "nps", json!({ "nps_score": 10 })),
        said("6", "nps", json!({ "nps_score": 9 })),
        said("7", "nps", json!({ "nps_score": 3 })),
        said("8", "review", and(rated(4, 5), json!({ "product_id": "P1" }))),
        said("9", "review", and(rated(5, 10), json!({ "product_id": "ZZ" }))),
        said(
            "10",
            "complaint",
            late(json!({ "first_response_at": "2026-02-01T10:30:00Z", "resolved_at": "2026-02-01T11:00:00Z",
                "is_first_contact_resolved": true })),
        ),
        said(
            "11",
            "complaint",
            late(json!({ "first_response_at": "2026-02-01T12:00:00Z", "resolved_at": "2026-02-02T10:00:59Z",
                "is_first_contact_resolved": false })),
        ),
        said("12", "complaint", late(json!({}))),
        said("13", "ticket", json!({ "topic_code": "price" })),
    ];
    land(&lake, &FEEDBACK, json!({ "source_system": "f" }), &feedback).await;
    dimensions(&lake).await;
    let shop = over(lake).await;
    let columns = [
        "csat_answers",
        "csat_satisfied",
        "nps_answers",
        "promoters",
        "detractors",
        "ratings",
        "rating_points",
        "mean_rating",
    ];
    assert_eq!(
        shop.rows("customer-satisfaction", &[("grain", "all")], &columns).await,
        ["3|2|3|2|1|2|6.5000|3.25"],
        "eight of ten is content; five of ten is two and a half of five"
    );
    let by_product = [("grain", "all"), ("level", "product")];
    assert_eq!(
        shop.rows("customer-satisfaction", &by_product, &["group_id", "group_name", "ratings"]).await,
        ["N/A|N/A|0", "P1|One|1", "UNK|UNK|1"]
    );
    let columns = [
        "group_id",
        "complaints",
        "orders",
        "answered",
        "resolved",
        "open_complaints",
        "first_contact_resolved",
        "response_minutes_p50",
        "resolution_minutes_p50",
        "resolution_minutes_p90",
    ];
    let both = [("kind", "both")];
    assert_eq!(
        shop.rows("complaints-analysis", &both, &columns).await,
        ["late|3|0|2|2|1|1|30|60|1440", "price|1|0|0|0|1|0|||"]
    );
}

#[tokio::test]
async fn what_is_said_of_the_data() {
    let lake = empty_lake().await;
    let file = |id: &str, source: &str, read: i64, rest: Value| {
        let row = json!({ "batch_id": "b", "source_file_id": id, "source": source, "source_system": "s", "read": read,
            "finished_at": "2026-03-01T08:00:00Z", "status": "landed" });
        and(row, rest)
    };
    let files = [
        file("f1", "pos", 10, json!({ "landed": 7, "duplicate": 2, "quarantined": 1 })),
        file("f2", "pos", 4, json!({ "landed": 4 })),
        // The same records again, after a correction: it adds nothing but what left the quarantine.
        file("f1", "pos", 0, json!({ "batch_id": "c", "landed": 1, "quarantined": -1, "status": "retried" })),
    ];
    land(&lake, &INGEST_FILE, json!({}), &files).await;
    let rows = |batch: &str, file: &str, new: i64, replaced: i64, duplicate: i64, late: i64| {
        json!({ "batch_id": batch, "source_file_id": file, "table_name": "order_line", "new": new, "replaced": replaced,
            "duplicate": duplicate, "late_ignored": late })
    };
    let tables = [rows("b", "f1", 6, 1, 2, 0), rows("b", "f2", 3, 0, 0, 1), rows("c", "f1", 1, 0, 0, 0)];
    land(&lake, &INGEST_TABLE, json!({}), &tables).await;
    let stopped = |line: i64, rule: &str, rest: Value| {
        let row = json!({ "source": "pos", "table_name": "order_line", "file": "a.csv", "line": line, "rule": rule,
            "severity": "quarantine", "message": "m", "source_file_id": "f1", "raw": "x", "detected_at": "2026-03-01T08:00:00Z" });
        and(row, rest)
    };
    let quarantine = [
        stopped(1, "V03", json!({ "resolved_at": "2026-03-02T08:00:00Z", "resolution": "landed" })),
        stopped(2, "V19", json!({})),
    ];
    land(&lake, &QUARANTINE, json!({}), &quarantine).await;
    let line = |order: &str, day: &str, landed: &str| {
        json!({ "order_id": order, "canonical_order_id": order, "business_date": day, "event_time": format!("{day}T10:00:00Z"),
            "ingested_at": landed, "product_id": "ZZ" })
    };
    let lines = [
        line("1", "2026-02-26", "2026-03-01T08:00:00Z"),
        line("2", "2026-02-28", "2026-03-01T08:00:00Z"),
        line("3", "2026-02-28", "2026-02-28T23:00:00Z"),
    ];
    land(&lake, &ORDER_LINE, order(), &lines).await;
    dimensions(&lake).await;
    let shop = over(lake).await;
    let columns =
        ["rows_arrived", "rows_new", "rows_replaced", "rows_duplicate", "rows_late_ignored", "conflicts", "files"];
    assert_eq!(shop.rows("dq-duplicates", &[], &columns).await, ["14|10|1|2|1|1|2"]);
    let columns =
        ["rows_landed", "newest_date", "days_behind", "late_days_p50", "late_days_p95", "late_days_most", "beyond_sla"];
    assert_eq!(shop.rows("dq-freshness-lateness", &[], &columns).await, ["3|2026-02-28|19|1|3|3|1"]);
    let columns = ["aspect", "rule", "checked", "failed"];
    let rules = shop.rows("dq-scorecard", &[("level", "rule")], &columns).await;
    for expected in [
        "validity|V03|14|1",
        "validity|V00|14|0",
        "uniqueness|V19|3|1",
        "timeliness|lateness|3|1",
        "consistency|V12|6|3",
        "completeness|sequence|0|0",
    ] {
        assert!(rules.contains(&expected.to_string()), "{expected} is not in {rules:#?}");
    }
    let aspects = shop.rows("dq-scorecard", &[("state", "open")], &columns).await;
    assert_eq!(aspects[4], "validity||14|0", "what was stopped has landed since");
    assert_eq!(aspects.len(), 5);
}
