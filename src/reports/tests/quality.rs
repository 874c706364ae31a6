//! The rules of the data that compare what landed with what else landed (domain 3.14), over rows with known mistakes.

use super::*;
use crate::model::{
    INGEST_TABLE, INVENTORY_MOVEMENT, INVENTORY_SNAPSHOT, ORDER_HEADER, ORDER_LINE_DISCOUNT, PRODUCT_BUNDLE,
    REP_ASSIGNMENT,
};

fn and(mut row: Value, rest: Value) -> Value {
    row.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    row
}

fn of(order: &str, day: &str) -> Value {
    json!({ "order_id": order, "canonical_order_id": order, "business_date": day, "order_business_date": day })
}

/// Orders A to F of one article; A and B have headers, A has charges.
async fn orders(lake: &Lake) {
    let line = |order: &str, day: &str, price: i64, rest: Value| {
        let row = json!({ "order_line_id": "1", "product_id": "P1", "currency": "GBP", "unit_price": price, "quantity": 1, "base_quantity": 1,
            "net_amount": 10, "tax_amount": 2, "line_type": "product", "line_status": "active" });
        and(and(of(order, day), row), rest)
    };
    let lines = [
        line(
            "A",
            "2026-01-10",
            10,
            json!({ "unit_cost": 4, "line_discount_amount": 0.7, "order_discount_allocated": 0.3, "sales_rep_id": "R1",
                "location_id": "L1" }),
        ),
        line("B", "2026-01-10", 10, json!({})),
        line("C", "2026-01-20", 60, json!({ "line_discount_amount": 2 })),
        // Twelve pieces by the case: a piece is 1.
        line("D", "2026-01-25", 12, json!({ "quantity": 2, "base_quantity": 24 })),
        line("E", "2026-02-01", 50, json!({ "unit_cost": 251 })),
        line("F", "2026-06-01", 999, json!({})),
    ];
    land(lake, &ORDER_LINE, order(), &lines).await;
    let charge = |seq: &str, kind: &str, amount: i64, rep: Option<&str>| {
        let row = json!({ "charge_seq": seq, "charge_type": kind, "amount": amount, "sales_rep_id": rep });
        and(of("A", "2026-01-10"), row)
    };
    let charges = [charge("1", "shipping", 1, None), charge("2", "adjustment", 5, Some("R1"))];
    land(lake, &ORDER_CHARGE, order(), &charges).await;
    let headers = [
        and(of("A", "2026-01-10"), json!({ "order_total_amount": 13.01, "sales_rep_id": "R1" })),
        and(of("B", "2026-01-10"), json!({ "order_total_amount": 12.02, "order_status": "completed" })),
    ];
    land(lake, &ORDER_HEADER, order(), &headers).await;
    let reason = |order: &str, seq: &str, amount: f64| json!({ "order_id": order, "order_line_id": "1", "discount_seq": seq, "amount": amount, "business_date": "2026-01-10" });
    let reasons = [reason("A", "1", 0.5), reason("A", "2", 0.5), reason("D", "1", 1.0)];
    land(lake, &ORDER_LINE_DISCOUNT, json!({ "source_system": "s" }), &reasons).await;
}

/// Two shops' counts and the ledger of one of them; a distributor's place is nobody's to count.
async fn stock(lake: &Lake) {
    let place = |id: &str, party: &str, opened: Option<&str>| json!({ "location_id": id, "location_type": "store", "party_type": party, "region_id": "N", "opened_on": opened });
    let places = [place("L1", "own", None), place("L2", "own", Some("2026-02-02")), place("L3", "distributor", None)];
    land(lake, &LOCATION, json!({}), &places).await;
    let count = |place: &str, day: &str, on_hand: i64| json!({ "location_id": place, "snapshot_date": day, "business_date": day, "on_hand": on_hand });
    let counts = [
        count("L1", "2026-02-01", 10),
        count("L1", "2026-02-02", 8),
        count("L1", "2026-02-03", 8),
        count("L1", "2026-02-04", 5),
        count("L2", "2026-02-03", 4),
        count("L2", "2026-02-04", 9),
    ];
    let common = json!({ "source_system": "w", "product_id": "P1" });
    land(lake, &INVENTORY_SNAPSHOT, common.clone(), &counts).await;
    let moved = |id: &str, day: &str, quantity: i64, cost: Option<i64>| json!({ "movement_id": id, "location_id": "L1", "business_date": day, "quantity": quantity, "unit_cost": cost });
    let movements = [
        moved("1", "2026-02-01", -1, Some(3)),
        moved("2", "2026-02-02", -2, Some(-1)),
        moved("3", "2026-02-04", -2, None),
    ];
    land(lake, &INVENTORY_MOVEMENT, common, &movements).await;
}

#[tokio::test]
async fn rules_of_the_lake_find_what_does_not_fit() {
    let lake = empty_lake().await;
    orders(&lake).await;
    stock(&lake).await;
    let part = |bundle: &str, of: &str, share: f64| json!({ "bundle_product_id": bundle, "component_product_id": of, "revenue_share": share });
    let third = |of: &str| part("B1", of, 0.333333);
    let parts = [third("P1"), third("P2"), third("P3"), part("B2", "P1", 0.5), part("B2", "P2", 0.4)];
    land(&lake, &PRODUCT_BUNDLE, json!({}), &parts).await;
    let looks_after = |customer: &str, rep: &str| json!({ "assigned_type": "customer", "assigned_id": customer, "sales_rep_id": rep, "share": 1, "valid_from": "2026-01-01" });
    // Each whole within its file, not together.
    land(&lake, &REP_ASSIGNMENT, json!({}), &[looks_after("C1", "R1"), looks_after("C2", "R1")]).await;
    land(&lake, &REP_ASSIGNMENT, json!({}), &[looks_after("C1", "R2")]).await;
    let told = json!({ "batch_id": "b", "source_file_id": "f", "table_name": "inventory_movement" });
    land(&lake, &INGEST_TABLE, json!({}), &[told]).await;
    let shop = over(lake).await;
    let columns = ["rule", "checked", "failed"];
    let rules = shop.rows("dq-scorecard", &[("level", "rule")], &columns).await;
    for (expected, why) in [
        ("V05|2|1", "a cent of A is within, two of B are not; an adjustment is not billed"),
        ("V06|3|2", "C has no reason for its discount, D a reason for none"),
        ("V13|4|2", "E costs more than five prices, a movement less than nothing"),
        ("V14|3|2", "C beside 10 and 10, D beside 10, 10 and 60; E fits, F has no history"),
        ("V15|3|1", "5 of 8 − 2; L2 has no ledger"),
        ("V16|7|1", "four days of L1, three of L2, of which one is missing"),
        ("V17|4|2", "three thirds are whole; 0.9 and two whole ones are not"),
        ("V21|4|2", "B is completed, and A's shipping has no representative; A's header names no place"),
    ] {
        assert!(rules.iter().any(|rule| rule == expected), "{expected}: {why}; {rules:#?}");
    }
    let days = [("level", "rule"), ("from", "2026-02-02"), ("to", "2026-02-04")];
    let rules = shop.rows("dq-scorecard", &days, &columns).await;
    for expected in ["V14|0|0", "V15|2|0", "V16|4|1"] {
        assert!(rules.iter().any(|rule| rule == expected), "{expected} of two days; {rules:#?}");
    }
    let tables = [("level", "rule"), ("table_name", "inventory_movement")];
    assert!(shop.rows("dq-scorecard", &tables, &columns).await.contains(&"V13|2|1".to_string()));
}
