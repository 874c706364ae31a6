//! Stock over days: averages, availability and what was lost by it, with the golden values of domain 4.5.

use chrono::{Days, NaiveDate};

use super::*;
use crate::model::{FX_RATE, INVENTORY_MOVEMENT, INVENTORY_SNAPSHOT, PRODUCT_COST, PURCHASE_ORDER_LINE};

/// A count of an article in a place, worth 1 a unit.
fn count(day: &str, place: &str, product: &str, on_hand: i64) -> Value {
    json!({ "snapshot_date": day, "business_date": day, "location_id": place, "product_id": product, "on_hand": on_hand,
        "available": on_hand, "on_hand_cost_rc": on_hand, "is_ranged": true, "is_tracked": true })
}

fn sale(day: &str, place: &str, product: &str, units: i64, net: i64) -> Value {
    json!({ "order_id": day, "canonical_order_id": day, "business_date": day, "order_business_date": day, "location_id": place,
        "product_id": product, "base_quantity": units, "gross_amount_rc": net, "net_amount_rc": net, "line_type": "product",
        "line_status": "active" })
}

async fn shops(lake: &Lake) {
    let place =
        |id: &str| json!({ "location_id": id, "location_name": id, "location_type": "store", "region_id": "N" });
    land(lake, &LOCATION, json!({}), &[place("L1"), place("L2")]).await;
    land(lake, &PRODUCT, json!({}), &[json!({ "product_id": "P1", "sku": "P1", "product_name": "One" })]).await;
}

#[tokio::test]
async fn d05_d06_averages_divide_by_days() {
    let lake = empty_lake().await;
    let days = ["09", "10", "11", "12", "13", "14", "15"].map(|d| format!("2026-03-{d}"));
    let mut counts = Vec::new();
    for (day, place) in days.iter().flat_map(|day| (0..10).map(move |place| (day, place))) {
        let (at, missed) = (format!("S{place}"), day == "2026-03-11");
        // On Wednesday the first shop was not counted at all, and the second one counted nothing of the first article.
        if !(missed && place < 2) {
            counts.push(count(day, &at, "A", 20));
        }
        if !(missed && place == 0) {
            counts.push(count(day, &at, "B", 60));
        }
    }
    land(&lake, &INVENTORY_SNAPSHOT, json!({ "source_system": "w" }), &counts).await;
    let shop = over(lake).await;
    let week = [("from", "2026-03-09"), ("to", "2026-03-16"), ("grain", "week")];
    let columns = ["inventory_cost_days", "stock_days"];
    // 2 articles of 20 and 60 in 10 shops are 800 a day, not 40; without the 20 that were not there.
    assert_eq!(shop.rows("inventory-turnover", &week, &columns).await, ["5580.0000|7"]);
    let since_thursday = [("from", "2026-03-12"), week[1], week[2]];
    assert_eq!(shop.rows("inventory-turnover", &since_thursday, &["average_inventory_cost"]).await, ["800.0"]);
    let rate = [week[0], week[1], ("grain", "week")];
    assert_eq!(
        shop.rows("stock-out-rate", &rate, &["listed", "out_of_stock", "carried"]).await,
        ["140|1|2"],
        "an article that a complete count lacks is out; a day without a count is that before"
    );
}

/// 1,000,000 sold that cost 700,000, out of 100,000 in stock: the turn is of costs, of sales it would be 10.
#[tokio::test]
async fn what_the_money_in_stock_earns() {
    let lake = empty_lake().await;
    let first = NaiveDate::from_ymd_opt(2025, 3, 20).unwrap();
    // A count holds until the next one, a week later.
    let days = (0..365).step_by(7).map(|day| (first + Days::new(day)).to_string());
    let counts: Vec<Value> = days.map(|day| count(&day, "L1", "P1", 100_000)).collect();
    land(&lake, &INVENTORY_SNAPSHOT, json!({ "source_system": "w" }), &counts).await;
    let mut sold = sale("2026-01-12", "L1", "P1", 1000, 1_000_000);
    sold["cost_amount_rc"] = json!(700_000);
    land(&lake, &ORDER_LINE, order(), &[sold]).await;
    shops(&lake).await;
    let shop = over(lake).await;
    let year = [("from", "2025-03-20"), ("to", "2026-03-20")];
    let columns = ["stock_days", "average_inventory_cost", "gmroi", "turnover", "sales_to_stock"];
    assert_eq!(shop.rows("gmroi", &year, &columns).await, ["365|100000.0|3.0|7.0|10.0"]);
}

/// Whether a source still tells of its places is seen over all of them, also where only one is asked for (D06).
#[tokio::test]
async fn d06_a_count_holds_for_seven_days_and_no_longer() {
    let lake = empty_lake().await;
    let mut counts = vec![count("2026-03-01", "L1", "P1", 5)];
    counts.extend((1..=19).map(|d| count(&format!("2026-03-{d:02}"), "L2", "P1", 5)));
    land(&lake, &INVENTORY_SNAPSHOT, json!({ "source_system": "w" }), &counts).await;
    shops(&lake).await;
    let shop = over(lake).await;
    let asked = [("from", "2026-03-01"), ("to", "2026-03-20"), ("grain", "month"), ("where.location", "L1")];
    let columns = ["listed", "out_of_stock", "carried"];
    assert_eq!(shop.rows("stock-out-rate", &asked, &columns).await, ["8|0|7"], "the day of the count and seven more");
    assert_eq!(shop.rows("stock-out-rate", &asked[..3], &columns).await, ["27|0|7"]);
}

#[tokio::test]
async fn d48_days_out_of_stock_are_no_days_without_demand() {
    let lake = empty_lake().await;
    let february = (6..=28).map(|d| format!("2026-02-{d:02}"));
    let days: Vec<String> = february.chain((1..=19).map(|d| format!("2026-03-{d:02}"))).collect();
    assert_eq!(days.len(), 42);
    let counts = days.iter().enumerate().map(|(at, day)| count(day, "L1", "P1", if at < 10 { 0 } else { 5 }));
    land(&lake, &INVENTORY_SNAPSHOT, json!({ "source_system": "w" }), &counts.collect::<Vec<_>>()).await;
    land(&lake, &ORDER_LINE, order(), &[sale("2026-03-10", "L1", "P1", 50, 100)]).await;
    shops(&lake).await;
    let shop = over(lake).await;
    let window = [("from", "2026-02-06"), ("to", "2026-03-20")];
    let columns = ["in_stock_days", "out_days", "lost_units", "lost_sales"];
    assert_eq!(shop.rows("lost-sales-estimate", &window, &columns).await, ["32|10|15.625|31.25"]);
    let strict = [window[0], window[1], ("min_in_stock_days", "33")];
    assert_eq!(shop.rows("lost-sales-estimate", &strict, &["items_without_estimate", "lost_units"]).await, ["1|"]);
}

#[tokio::test]
async fn d50_sell_through_of_what_there_was() {
    let lake = empty_lake().await;
    let counts = [count("2026-03-08", "L1", "P1", 100), count("2026-03-15", "L1", "P1", 90)];
    land(&lake, &INVENTORY_SNAPSHOT, json!({ "source_system": "w" }), &counts).await;
    let receipt = json!({ "movement_id": "1", "movement_type": "receipt", "business_date": "2026-03-10", "location_id": "L1",
        "product_id": "P1", "quantity": 50, "cost_amount_rc": 50 });
    land(&lake, &INVENTORY_MOVEMENT, json!({ "source_system": "w" }), &[receipt]).await;
    land(&lake, &ORDER_LINE, order(), &[sale("2026-03-12", "L1", "P1", 60, 60)]).await;
    shops(&lake).await;
    let shop = over(lake).await;
    for (variant, expected) in [("amazon", "0.4"), ("ending", "0.4"), ("opening", "0.6")] {
        let week = [("from", "2026-03-09"), ("to", "2026-03-16"), ("variant", variant)];
        assert_eq!(shop.rows("sell-through", &week, &["sell_through"]).await, [expected], "{variant}");
    }
    let week = [("from", "2026-03-09"), ("to", "2026-03-16")];
    assert_eq!(
        shop.rows("inventory-movement", &week, &["step", "quantity"]).await,
        ["opening|100.000", "receipt|50.000", "unexplained|-60.000", "closing|90.000"],
        "the ledger does not tell of the sale"
    );
}

#[tokio::test]
async fn d51_what_was_received_is_not_on_order() {
    let lake = empty_lake().await;
    let counts: Vec<Value> = (1..=19).map(|d| count(&format!("2026-03-{d:02}"), "L1", "P1", 2)).collect();
    land(&lake, &INVENTORY_SNAPSHOT, json!({ "source_system": "w" }), &counts).await;
    land(&lake, &ORDER_LINE, order(), &[sale("2026-03-10", "L1", "P1", 38, 100)]).await;
    shops(&lake).await;
    let line = |id: &str, place: &str, received: i64, status: &str| {
        json!({ "po_id": id, "po_line_id": "1", "business_date": "2026-03-02", "location_id": place, "product_id": "P1",
            "ordered_qty": 100, "received_qty": received, "status": status, "first_received_date": "2026-03-08",
            "last_received_date": "2026-03-08" })
    };
    let lines = [line("1", "L1", 100, "received"), line("2", "L1", 70, "closed"), line("3", "L2", 0, "open")];
    land(&lake, &PURCHASE_ORDER_LINE, json!({ "source_system": "p" }), &lines).await;
    let shop = over(lake).await;
    let columns = ["available", "on_order", "daily_units", "cover_days", "projected_out_date"];
    assert_eq!(shop.rows("low-stock-alert", &[], &columns).await, ["2.000|0.000|2.0|1.0|2026-03-21"]);
    // Nothing is on its way: two a day for a lead time of 7 days and a review period of 7, no deviation but the one day's.
    let proposed = shop.rows("reorder-proposal", &[], &["order_quantity", "inventory_position"]).await;
    assert_eq!(proposed.len(), 1, "{proposed:?}");
    // √76: of 19 days eighteen sold nothing. Of the one that sold alone there would be no deviation (D49).
    let demand = shop.rows("reorder-proposal", &[], &["daily_units", "daily_deviation"]).await;
    assert_eq!(demand, ["2.0|8.717797887081348"]);
    // Two orders are added up: neither hides the other nor doubles the stock (D52). The reorder point is 67.65, so one of
    // them alone would not be enough.
    let more = ["4", "5"].map(|id| {
        json!({ "po_id": id, "po_line_id": "1", "business_date": "2026-03-19", "location_id": "L1", "product_id": "P1",
            "ordered_qty": 40, "status": "open" })
    });
    land(&shop.lake, &PURCHASE_ORDER_LINE, json!({ "source_system": "p" }), &more).await;
    let shop = over(shop.lake).await;
    assert_eq!(shop.rows("low-stock-alert", &[], &columns).await, ["2.000|80.000|2.0|1.0|2026-03-21"]);
    assert!(shop.rows("reorder-proposal", &[], &["order_quantity"]).await.is_empty(), "ordered once is enough");
}

/// Ten, nothing, nothing, twenty, nothing, ten: without the days of nothing the variation would be 0.433.
#[tokio::test]
async fn d49_days_of_nothing_are_part_of_the_variation() {
    let lake = empty_lake().await;
    let days: Vec<String> = (14..=19).map(|d| format!("2026-03-{d}")).collect();
    let counts: Vec<Value> = days.iter().map(|day| count(day, "L1", "P1", 5)).collect();
    land(&lake, &INVENTORY_SNAPSHOT, json!({ "source_system": "w" }), &counts).await;
    let sold = [(0, 10), (3, 20), (5, 10)].map(|(day, units)| sale(&days[day], "L1", "P1", units, 100));
    land(&lake, &ORDER_LINE, order(), &sold).await;
    shops(&lake).await;
    let shop = over(lake).await;
    let demand = shop.rows("reorder-proposal", &[], &["daily_units", "daily_deviation"]).await;
    let [row] = demand.as_slice() else { panic!("{demand:?}") };
    let (mean, deviation) = row.split_once('|').unwrap();
    let variation = deviation.parse::<f64>().unwrap() / mean.parse::<f64>().unwrap();
    assert!((variation - 1.224_745).abs() < 5e-7, "{variation}");
}

/// At the place's own cost before the general one, at the rate of the day; what has neither has no value. A slicer keeps the
/// general cost.
#[tokio::test]
async fn stock_that_came_without_a_cost_is_at_the_one_that_products_have() {
    let lake = empty_lake().await;
    let day = "2026-03-19";
    let uncosted = |place: &str, product: &str, on_hand: i64| {
        let mut row = count(day, place, product, on_hand);
        row["on_hand_cost_rc"] = Value::Null;
        row
    };
    let counts =
        [uncosted("L1", "P1", 10), count(day, "L1", "P2", 5), uncosted("L2", "P1", 4), uncosted("L2", "P2", 3)];
    land(&lake, &INVENTORY_SNAPSHOT, json!({ "source_system": "w" }), &counts).await;
    let receipt = json!({ "movement_id": "1", "movement_type": "receipt", "business_date": "2026-03-10", "location_id": "L1",
        "product_id": "P1", "quantity": 6, "cost_amount_rc": 12 });
    land(&lake, &INVENTORY_MOVEMENT, json!({ "source_system": "w" }), &[receipt]).await;
    shops(&lake).await;
    let shop = over(lake).await;
    let columns = [
        "location_id",
        "on_hand_cost",
        "units_without_cost",
        "stock_value",
        "units_at_snapshot_cost",
        "units_at_product_cost",
    ];
    assert_eq!(
        shop.rows("inventory-valuation", &[], &columns).await,
        ["L1|5.0000|10.000|5.0000|15.000|0.000", "L2||7.000||7.000|0.000"],
        "nothing is listed"
    );
    let fifo = [("cost_method", "fifo"), ("where.location", "L1")];
    assert_eq!(
        shop.rows("inventory-valuation", &fifo, &columns).await,
        ["L1|5.0000|10.000|17.0000|9.000|0.000"],
        "six came in for 12; what the others cost nobody tells, which takes nothing from these"
    );
    let rate = json!({ "rate_date": "2026-03-18", "base_currency": "EUR", "quote_currency": "USD", "rate_type": "spot_close", "rate": 0.5 });
    land(&shop.lake, &FX_RATE, json!({ "source_system": "t" }), &[rate]).await;
    let cost = |place: Option<&str>, since: &str, cost: f64, currency: &str| json!({ "product_id": "P1", "location_id": place, "valid_from": since, "cost_method": "standard", "unit_cost": cost, "currency": currency });
    let costs = [
        cost(None, "2026-01-01", 2.5, "USD"),
        cost(None, "2026-03-19", 3.0, "USD"),
        cost(None, "2026-03-20", 9.0, "USD"),
        cost(Some("L2"), "2026-01-01", 4.0, "EUR"),
    ];
    land(&shop.lake, &PRODUCT_COST, json!({ "source_system": "m" }), &costs).await;
    let shop = over(shop.lake).await;
    let (first, second) = ("L1|5.0000|10.000|35.0000|5.000|10.000", "L2||7.000|8.0000|3.000|4.000");
    assert_eq!(shop.rows("inventory-valuation", &[], &columns).await, [first, second]);
    assert_eq!(shop.rows("inventory-valuation", &[("where.location", "L1")], &columns).await, [first]);
    assert_eq!(
        shop.rows("inventory-valuation", &fifo, &columns).await,
        ["L1|5.0000|10.000|29.0000|5.000|4.000"],
        "six came in for 12, four are at 3 each"
    );
    let before = [("as_of", "2026-03-19")];
    assert!(shop.rows("inventory-valuation", &before, &columns).await.is_empty(), "nothing was counted before");
}
