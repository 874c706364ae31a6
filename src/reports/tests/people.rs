//! Credit, plans, promotions and contacts, over rows whose answers are worked out by hand.

use super::*;
use crate::model::{MARKETING_TOUCH, OPPORTUNITY, ORDER_LINE_DISCOUNT, PROMOTION, REP_ASSIGNMENT, SALES_REP, TARGET};

/// Four orders: A and B of one customer, sold by R1 and R2; C by nobody; D by somebody whom the list does not have.
async fn sold() -> Lake {
    let lake = empty_lake().await;
    let line = |order: &str, day: &str, net: i64, customer: &str, rep: Option<&str>| {
        json!({ "order_id": order, "canonical_order_id": order, "order_line_id": "1", "business_date": day, "order_business_date": day,
            "confirmed_at": format!("{day}T10:00:00Z"), "gross_amount_rc": net, "net_amount_rc": net, "base_quantity": 1, "product_id": "P1",
            "customer_key": customer, "sales_rep_id": rep, "line_type": "product", "line_status": "active" })
    };
    let lines = [
        line("A", "2026-01-05", 100, "C1", Some("R1")),
        line("B", "2026-02-10", 50, "C1", Some("R2")),
        line("C", "2026-02-10", 30, "C2", None),
        line("D", "2026-02-11", 7, "C3", Some("R9")),
    ];
    land(&lake, &ORDER_LINE, order(), &lines).await;
    dimensions(&lake).await;
    let rep = |id: &str| json!({ "sales_rep_id": id, "name_masked": format!("{id}***"), "team_id": "T" });
    land(&lake, &SALES_REP, json!({}), &[rep("R1"), rep("R2")]).await;
    lake
}

#[tokio::test]
async fn d61_credit_is_shared_by_the_day_of_the_sale() {
    let lake = sold().await;
    let share = |rep: &str, share: f64, since: &str| json!({ "assigned_type": "customer", "assigned_id": "C1", "sales_rep_id": rep, "share": share, "valid_from": since });
    let shares = [share("R1", 0.6, "2026-01-01"), share("R2", 0.4, "2026-01-01"), share("R2", 1.0, "2026-02-01")];
    land(&lake, &REP_ASSIGNMENT, json!({}), &shares).await;
    let shop = over(lake).await;
    let columns = ["sales_rep_id", "team_id", "orders", "new_customers", "net_sales"];
    let sellers = shop.rows("rep-leaderboard", &[], &columns).await;
    assert_eq!(sellers, ["R1|T|1|1|100.0000", "R2|T|1|0|50.0000", "UNK|UNK|1|1|7.0000"]);
    // Of A 60 and 40, of B all: the second set replaces the first one whole.
    let assigned = shop.rows("rep-leaderboard", &[("rep_credit", "assigned")], &columns).await;
    assert_eq!(assigned, ["R2|T|2|1|90.0000", "R1|T|1|1|60.0000", "UNK|UNK|1|1|7.0000"]);
    let sliced = shop.rows("rep-leaderboard", &[("where.sales_rep", "R1***")], &columns).await;
    assert_eq!(sliced, ["R1|T|1|1|100.0000"]);
}

/// A set that another file adds to gives no more credit than there is, and a customer's key keeps its representatives when
/// another key stands for it.
#[tokio::test]
async fn d61_credit_stays_whole() {
    let lake = sold().await;
    let share = |rep: &str| json!({ "assigned_type": "customer", "assigned_id": "C1", "sales_rep_id": rep, "share": 1, "valid_from": "2026-01-01" });
    let third = json!({ "sales_rep_id": "R3", "name_masked": "R3***", "team_id": "T" });
    land(&lake, &SALES_REP, json!({}), &[third]).await;
    for rep in ["R1", "R2", "R3"] {
        land(&lake, &REP_ASSIGNMENT, json!({}), &[share(rep)]).await;
    }
    let line = json!({ "order_id": "E", "canonical_order_id": "E", "order_line_id": "1", "business_date": "2026-02-12",
        "order_business_date": "2026-02-12", "gross_amount_rc": 10, "net_amount_rc": 10, "base_quantity": 1,
        "product_id": "P1", "customer_key": "C7", "customer_given": "C1", "line_type": "product", "line_status": "active" });
    land(&lake, &ORDER_LINE, order(), &[line]).await;
    let shop = over(lake).await;
    let assigned = shop.rows("rep-leaderboard", &[("rep_credit", "assigned")], &["sales_rep_id", "net_sales"]).await;
    // The millionth that thirds leave is the first one's (D35): else a ten-thousandth of the 160 would be nobody's.
    assert_eq!(assigned, ["R1|53.3334", "R2|53.3333", "R3|53.3333", "UNK|7.0000"]);
}

/// Where nobody looks after the customer, whoever sold has the credit, else the place's, the region's, those of the region above.
#[tokio::test]
async fn d61_the_narrowest_assignment_has_the_credit() {
    let lake = sold().await;
    let line = |order: &str, day: &str, net: i64, rest: Value| {
        let mut row = json!({ "order_id": order, "canonical_order_id": order, "order_line_id": "1", "business_date": day,
            "order_business_date": day, "gross_amount_rc": net, "net_amount_rc": net, "base_quantity": 1, "product_id": "P1",
            "location_id": "L1", "line_type": "product", "line_status": "active" });
        row.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        row
    };
    // L1 lies in N, and N and S in X.
    let lines = [
        line("E", "2026-02-10", 40, json!({})),
        line("F", "2026-01-20", 16, json!({})),
        line("G", "2026-01-10", 9, json!({})),
        line("H", "2026-02-11", 5, json!({ "sales_rep_id": "R2" })),
        line("I", "2026-02-12", 20, json!({ "sales_rep_id": "R2", "customer_key": "C1" })),
        line("K", "2026-02-10", 3, json!({ "location_id": null, "ship_region_id": "S" })),
    ];
    land(&lake, &ORDER_LINE, order(), &lines).await;
    let back = json!({ "source_system": "s", "is_primary": true, "flow": "own", "return_status": "refunded", "return_type": "refund",
        "return_id": "r", "order_id": "E", "is_sale_known": true, "refund_net_amount_rc": 4, "quantity": 1, "channel_id": "pos",
        "product_id": "P1", "sale_channel_id": "web", "sale_location_id": "L1", "sale_order_type": "sale",
        "business_date": "2026-02-20", "order_business_date": "2026-02-10" });
    land(&lake, &RETURN_LINE, json!({}), &[back]).await;
    let set = |of: &str, id: &str, rep: &str, share: f64, since: &str| json!({ "assigned_type": of, "assigned_id": id, "sales_rep_id": rep, "share": share, "valid_from": since });
    let sets = [
        set("region", "X", "R1", 1.0, "2026-01-01"),
        set("region", "N", "R2", 1.0, "2026-01-15"),
        set("location", "L1", "R1", 0.25, "2026-02-01"),
        set("location", "L1", "R2", 0.75, "2026-02-01"),
        set("customer", "C1", "R1", 1.0, "2026-02-12"),
    ];
    land(&lake, &REP_ASSIGNMENT, json!({}), &sets).await;
    let shop = over(lake).await;
    // R1: A 100, E 10 − 1, G 9 by X, I 20 as C1's, K 3 by X. R2: B 50, E 30 − 3, F 16 by N, H 5 sold.
    let assigned = shop.rows("rep-leaderboard", &[("rep_credit", "assigned")], &["sales_rep_id", "net_sales"]).await;
    assert_eq!(assigned, ["R1|141.0000", "R2|98.0000", "UNK|7.0000"]);
    let sellers = shop.rows("rep-leaderboard", &[], &["sales_rep_id", "net_sales"]).await;
    assert_eq!(sellers, ["R1|100.0000", "R2|75.0000", "UNK|7.0000"]);
    // C, of no place and region, is nobody's; all together have what was sold.
    let credited = "SELECT sales_rep_id, CAST(sum(net_rc) AS DECIMAL(18,4)) AS net, count(*) AS events FROM rep_sale GROUP BY 1 ORDER BY 1 NULLS FIRST";
    let options =
        QueryOptions { policies: [("rep_credit".into(), "assigned".into())].into(), ..QueryOptions::default() };
    let rows = shop.engine.query(credited, options, &Caller::local()).await.unwrap().collect().await.unwrap();
    let rows = shown(&rows, &["sales_rep_id", "net", "events"]);
    assert_eq!(rows, ["|30.0000|1", "R1|141.0000|6", "R2|98.0000|5", "R9|7.0000|1"]);
    let regions = "SELECT region_id, sales_rep_id, valid_from, valid_to FROM rep_region ORDER BY region_id, valid_from";
    let columns = ["region_id", "sales_rep_id", "valid_from", "valid_to"];
    let reaches = ["N|R1|2026-01-01|2026-01-15", "N|R2|2026-01-15|", "S|R1|2026-01-01|", "X|R1|2026-01-01|"];
    assert_eq!(shop.sql(regions, &columns).await, reaches);
}

#[tokio::test]
async fn d60_the_last_approved_version_is_split_by_days() {
    let lake = sold().await;
    let version = |no: i64, value: i64, approved: Option<&str>| {
        json!({ "target_set_id": "P", "grain": "month", "period_start": "2026-01-01", "period_end": "2026-02-01", "dim_type": "company",
            "dim_id": "all", "metric": "net_sales", "version": no, "target_value": value, "approved_at": approved })
    };
    let approved = Some("2025-12-01T00:00:00Z");
    land(&lake, &TARGET, json!({}), &[version(1, 310, approved), version(2, 620, approved), version(3, 999, None)])
        .await;
    let shop = over(lake).await;
    let columns = ["target_set_id", "target_grain", "dim_id", "target", "actual"];
    let of = async |to: &str, more: &[(&str, &str)]| {
        let asked = [&[("from", "2026-01-01"), ("to", to), ("dim_type", "company")][..], more].concat();
        shop.rows("target-attainment", &asked, &columns).await
    };
    assert_eq!(of("2026-02-01", &[]).await, ["P|month|all|620.0000|100.0000"]);
    assert_eq!(of("2026-01-16", &[]).await, ["P|month|all|300.0000|100.0000"]);
    // February has no target, so what was sold in it is not held against January's.
    assert_eq!(of("2026-03-01", &[("version", "1")]).await, ["P|month|all|310.0000|100.0000"]);
    assert_eq!(of("2026-01-16", &[("version", "3")]).await, ["P|month|all|483.3871|100.0000"]);
    assert!(shop.refusal("target-attainment", &[("where.channel", "web")]).await.contains("cannot be sliced"));
}

/// A projection that has seen the days it projects is always right (D55).
#[tokio::test]
async fn d55_a_projection_knows_nothing_of_later_days() {
    let lake = sold().await;
    let target = json!({ "target_set_id": "P", "grain": "month", "period_start": "2026-02-01",
        "period_end": "2026-03-01", "dim_type": "company", "dim_id": "all", "metric": "net_sales", "version": 1,
        "target_value": 280, "approved_at": "2025-12-01T00:00:00Z" });
    land(&lake, &TARGET, json!({}), &[target]).await;
    let shop = over(lake).await;
    let columns = ["day", "actual_to_date", "forecast", "projected_to_date", "projected_attainment"];
    let pace = async |as_of: &str| shop.rows("target-pacing", &[("as_of", as_of)], &columns).await;
    let before = pace("2026-02-11").await;
    assert_eq!(before.len(), 28);
    // D sold 7 on the 11th itself; the 80 of the 10th come again on the 17th and on the 24th.
    assert_eq!(before[9], "2026-02-10|80.0000||80.0000|0.2857142857142857");
    assert_eq!(before[10], "2026-02-11||0.0000|80.0000|0.2857142857142857");
    assert_eq!(before[27], "2026-02-28||0.0000|240.0000|0.8571428571428571");
    let later = json!({ "order_id": "E", "canonical_order_id": "E", "business_date": "2026-02-12",
        "order_business_date": "2026-02-12", "gross_amount_rc": 500, "net_amount_rc": 500, "product_id": "P1",
        "line_type": "product", "line_status": "active" });
    land(&shop.lake, &ORDER_LINE, order(), &[later]).await;
    assert!(shop.engine.refresh().await.unwrap());
    assert_eq!(pace("2026-02-11").await, before);
    let after = pace("2026-02-13").await;
    assert!(after[11].starts_with("2026-02-12|587.0000||"), "{after:?}");
}

/// An opportunity has a row per version: it counts once, as its last one stands, whichever landed last (D59).
#[tokio::test]
async fn d59_an_opportunity_counts_once() {
    let lake = sold().await;
    let version = |id: &str, rep: &str, no: i64, day: &str, status: &str, amount: i64| {
        json!({ "opportunity_id": id, "owner_rep_id": rep, "source_version": no, "business_date": day, "status": status,
            "amount_rc": amount })
    };
    let versions = [
        version("O1", "R1", 3, "2026-02-03", "won", 300),
        version("O1", "R1", 1, "2026-01-10", "open", 100),
        version("O1", "R1", 2, "2026-01-20", "open", 200),
        // Booked as won, then lost after all: it is not both.
        version("O2", "R2", 1, "2026-01-10", "won", 500),
        version("O2", "R2", 2, "2026-01-20", "lost", 500),
    ];
    land(&lake, &OPPORTUNITY, json!({ "source_system": "c" }), &versions).await;
    let shop = over(lake).await;
    let columns = ["sales_rep_id", "orders", "net_sales", "won", "lost", "closed", "won_amount"];
    assert_eq!(
        shop.rows("rep-leaderboard", &[], &columns).await,
        ["R1|1|100.0000|1|0|1|300.0000", "R2|1|50.0000|0|1|1|0.0000", "UNK|1|7.0000|0|0|0|0.0000"]
    );
}

#[tokio::test]
async fn d07_a_line_of_two_promotions_stays_one_line() {
    let lake = sold().await;
    let taken = |seq: &str, promotion: &str, amount: i64| {
        json!({ "order_id": "A", "order_line_id": "1", "discount_seq": seq, "promotion_id": promotion, "discount_type": "auto",
            "funded_by": "merchant", "amount_rc": amount, "business_date": "2026-01-05" })
    };
    let reductions = [taken("1", "PR1", 5), taken("2", "PR2", 3), taken("3", "PR1", 2)];
    land(&lake, &ORDER_LINE_DISCOUNT, json!({ "source_system": "s" }), &reductions).await;
    land(&lake, &PROMOTION, json!({}), &[json!({ "promotion_id": "PR1", "promotion_name": "One" })]).await;
    let shop = over(lake).await;
    let columns = ["promotion_id", "promotion_name", "orders", "orders_all", "promotion_discounts", "net_sales"];
    let rows = shop.rows("promotion-performance", &[], &columns).await;
    assert_eq!(rows, ["PR1|One|1|4|7.0000|100.0000", "UNK|UNK|1|4|3.0000|100.0000"]);
    let one = shop.rows("promotion-performance", &[("promotion", "PR1")], &["promotion_id"]).await;
    assert_eq!(one, ["PR1"]);
}

#[tokio::test]
async fn d57_contacts_before_the_order_get_its_credit() {
    let lake = sold().await;
    let touch = |id: &str, kind: &str, channel: &str, at: &str| {
        json!({ "touch_id": id, "touch_type": kind, "marketing_channel": channel, "touched_at": at, "customer_key": "C1",
            "business_date": &at[..10] })
    };
    let touches = [
        touch("1", "click", "search", "2026-01-01T09:00:00Z"),
        touch("2", "email_click", "email", "2026-01-04T09:00:00Z"),
        // After the order; shown too long before it; told, not clicked.
        touch("3", "click", "social", "2026-01-05T10:00:00Z"),
        touch("4", "impression", "display", "2026-01-03T09:00:00Z"),
        touch("5", "email_sent", "email", "2026-01-05T09:00:00Z"),
    ];
    land(&lake, &MARKETING_TOUCH, json!({ "source_system": "m" }), &touches).await;
    let shop = over(lake).await;
    let columns = ["marketing_channel", "attributed_sales", "attributed_new_customers", "all_sales"];
    let by = async |model: &str| shop.rows("roas-cac", &[("grain", "all"), ("attribution", model)], &columns).await;
    // B came more than 30 days after the last click.
    assert_eq!(by("last").await, ["(unattributed)|87.0000|2.000000|187.0000", "email|100.0000|1.000000|187.0000"]);
    assert_eq!(by("first").await, ["(unattributed)|87.0000|2.000000|187.0000", "search|100.0000|1.000000|187.0000"]);
    assert_eq!(
        by("linear").await,
        [
            "(unattributed)|87.0000|2.000000|187.0000",
            "email|50.0000|0.500000|187.0000",
            "search|50.0000|0.500000|187.0000"
        ]
    );
}
