//! Reports that set one year beside the one before, each with an answer worked out by hand.

use super::*;

/// A shop's sale of `net` on `day`.
fn sale(place: &str, day: &str, net: i64) -> Value {
    json!({ "order_id": day, "canonical_order_id": day, "business_date": day, "order_business_date": day, "location_id": place,
        "gross_amount_rc": net, "net_amount_rc": net, "base_quantity": 1, "product_id": "P1", "line_type": "product",
        "line_status": "active" })
}

/// L1 is rebuilt from 10 to 19 January 2026, L2 was from 5 to 14 January 2025, L3 never was.
#[tokio::test]
async fn days_of_rebuilding_stand_apart_in_both_years() {
    let lake = empty_lake().await;
    let sales = [
        sale("L1", "2026-01-05", 10),
        sale("L1", "2026-01-12", 1),  // in the rebuilding
        sale("L1", "2025-01-12", 20), // its matching day
        sale("L1", "2025-01-25", 40),
        sale("L2", "2026-01-05", 100), // matches a day of the rebuilding
        sale("L2", "2025-01-06", 200), // in it
        sale("L2", "2026-01-15", 400), // matches the first day after it
        sale("L3", "2026-01-12", 1000),
        sale("L3", "2025-01-12", 2000),
    ];
    land(&lake, &ORDER_LINE, order(), &sales).await;
    let places = [
        json!({ "location_id": "L1", "remodel_from": "2026-01-10", "remodel_to": "2026-01-20" }),
        json!({ "location_id": "L2", "remodel_from": "2025-01-05", "remodel_to": "2025-01-15" }),
        json!({ "location_id": "L3" }),
    ];
    land(&lake, &LOCATION, json!({}), &places).await;
    let shop = over(lake).await;
    let columns = ["comp_group", "places", "net_sales", "net_sales_prev"];
    let january = [("to", "2026-02-01")];
    assert_eq!(
        shop.rows("like-for-like-sales", &january, &columns).await,
        ["comparable|3|1410.0000|2040.0000", "remodelled|2|101.0000|220.0000"]
    );
    let asked = [january[0], ("exclude_remodel", "false")];
    assert_eq!(shop.rows("like-for-like-sales", &asked, &columns).await, ["comparable|3|1511.0000|2260.0000"]);
}

/// Net sales of the days and of those beside them, and which those are.
async fn net(shop: &Shop, from: &str, to: &str, more: &[(&str, &str)]) -> String {
    let asked: Vec<(&str, &str)> = [("from", from), ("to", to)].into_iter().chain(more.iter().copied()).collect();
    let columns = ["metric", "value", "value_prev", "days_prev", "first_day_prev", "end_day_prev"];
    shop.rows("sales-period-comparison", &asked, &columns).await[3].clone()
}

/// Easter was on 31 March in 2024 and on 20 April in 2025.
#[tokio::test]
async fn d14_feasts_stand_beside_themselves() {
    let lake = empty_lake().await;
    let sales = [
        sale("L1", "2025-04-20", 100),
        sale("L1", "2024-03-31", 40),
        sale("L1", "2024-04-20", 3),
        sale("L1", "2024-04-21", 7),
    ];
    land(&lake, &ORDER_LINE, order(), &sales).await;
    let shop = over(lake).await;
    let (friday, tuesday) = ("2025-04-18", "2025-04-22");
    assert_eq!(
        net(&shop, friday, tuesday, &[("against", "previous_year_aligned")]).await,
        "net_sales|100.0000|10.0000|4|2024-04-19|2024-04-23"
    );
    let feasts = ("against", "previous_year_holidays");
    assert_eq!(net(&shop, friday, tuesday, &[feasts]).await, "net_sales|100.0000|40.0000|4|2024-03-29|2024-04-02");
    // 364 days before is Easter 2024, which is taken: the day 364 days before Easter 2025.
    assert_eq!(
        net(&shop, "2025-03-30", "2025-04-01", &[feasts]).await,
        "net_sales|0.0000|7.0000|2|2024-04-21|2024-04-23"
    );
    assert_eq!(
        net(&shop, friday, tuesday, &[feasts, ("holidays", "islamic")]).await,
        "net_sales|100.0000|10.0000|4|2024-04-19|2024-04-23",
        "who keeps other feasts has ordinary days"
    );
}
