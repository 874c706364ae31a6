//! What counts as a sale, a return, a charge, and when: the views' filters and policies through the reports.

use super::*;
use crate::model::FULFILMENT_LINE;

const MONTHS: &[&str] = &["period_start", "net_sales", "returns", "orders", "units_sold", "units_returned"];

async fn months(shop: &Shop, policy: &[(&str, &str)]) -> Vec<String> {
    shop.rows("sales-over-time", policy, MONTHS).await
}

#[tokio::test]
async fn the_ledger_under_every_policy() {
    let shop = shop().await;
    let january = "2026-01-01|144.0000|6.0000|1|2.000|0.000";
    let by_default = [january, "2026-02-01|156.0000|51.0000|2|2.000|3.000", "2026-03-01|0.0000|0.0000|0|0.000|0.000"];
    assert_eq!(months(&shop, &[]).await, by_default);
    assert_eq!(
        months(&shop, &[("cancel_policy", "sale_then_reversal")]).await,
        [january, "2026-02-01|456.0000|51.0000|3|3.000|3.000", "2026-03-01|-300.0000|300.0000|0|0.000|1.000"],
        "sold in February, taken back in March"
    );
    assert_eq!(
        months(&shop, &[("cancel_policy", "include_gross"), ("include_zero", "false")]).await,
        [january, "2026-02-01|456.0000|51.0000|3|3.000|3.000"]
    );
    assert_eq!(
        months(&shop, &[("return_basis", "sale_date"), ("include_zero", "false")]).await,
        ["2026-01-01|104.0000|46.0000|1|2.000|1.000", "2026-02-01|196.0000|11.0000|2|2.000|2.000"],
        "the return is in the month of its sale"
    );
    assert_eq!(
        months(&shop, &[("recognition_basis", "paid"), ("include_zero", "false")]).await,
        ["2026-02-01|149.0000|51.0000|1|1.000|3.000"],
        "only what was paid is a sale"
    );
}

#[tokio::test]
async fn d18_cancel_policies_agree_over_all_time() {
    let shop = shop().await;
    let net = async |policy: &str| shop.rows("sales-summary", &[("cancel_policy", policy)], &["net_sales"]).await;
    assert_eq!(net("exclude").await, net("sale_then_reversal").await);
    let basis = async |basis: &str| shop.rows("sales-summary", &[("return_basis", basis)], &["net_sales"]).await;
    assert_eq!(basis("return_date").await, basis("sale_date").await, "D15");
}

/// Joined to its parcels as they are, the line would be sold three times. It is sold when the last one has left (D07).
#[tokio::test]
async fn d07_a_line_of_several_parcels_stays_one_line() {
    let lake = empty_lake().await;
    let sold = json!({ "order_id": "1", "canonical_order_id": "1", "order_line_id": "1", "business_date": "2026-01-05",
        "order_business_date": "2026-01-05", "gross_amount_rc": 100, "net_amount_rc": 100, "base_quantity": 2,
        "product_id": "P1", "line_type": "product", "line_status": "active" });
    land(&lake, &ORDER_LINE, order(), &[sold]).await;
    let parcel = |id: &str, status: &str, shipped: Option<&str>| {
        json!({ "fulfilment_id": id, "fulfilment_line_id": "1", "quantity": 1, "status": status,
            "shipped_business_date": shipped })
    };
    // What was cancelled never leaves, and is not waited for.
    let parcels = [
        parcel("a", "shipped", Some("2026-01-06")),
        parcel("b", "shipped", Some("2026-01-08")),
        parcel("c", "cancelled", None),
    ];
    let of_line = json!({ "source_system": "s", "order_id": "1", "order_line_id": "1", "business_date": "2026-01-05" });
    land(&lake, &FULFILMENT_LINE, of_line, &parcels).await;
    let shop = over(lake).await;
    let days = async |basis: &str| {
        let asked = [("recognition_basis", basis), ("grain", "day"), ("include_zero", "false")];
        shop.rows("sales-over-time", &asked, &["period_start", "net_sales", "orders", "units_sold"]).await
    };
    assert_eq!(days("shipped").await, ["2026-01-08|100.0000|1|2.000"]);
    assert!(days("delivered").await.is_empty(), "nothing has arrived");
}

#[tokio::test]
async fn keys_of_returns_whose_sale_is_not_known() {
    let shop = shop().await;
    let sql = "SELECT event_kind, channel_id, location_id, return_channel_id, region_id, is_blind, net_rc FROM sales_event \
        WHERE event_kind IN ('return', 'exchange_in', 'adjustment') ORDER BY net_rc, event_kind";
    let columns = ["event_kind", "channel_id", "location_id", "return_channel_id", "region_id", "is_blind", "net_rc"];
    assert_eq!(
        shop.sql(sql, &columns).await,
        [
            "return|web||pos||false|-40.0000",
            "exchange_in|UNK|UNK|pos|UNK|false|-8.0000",
            "adjustment|web||||false|-6.0000",
            "return|||pos||true|-3.0000",
        ]
    );
}

/// The kind of the order decides about its returns, also about their refunded shipping; what is not known of the order does not.
#[tokio::test]
async fn a_credit_note_of_an_internal_order_is_no_return() {
    let shop = shop().await;
    let landed = "SELECT count(*) AS n FROM base.return_line WHERE return_status = 'refunded'";
    assert_eq!(shop.sql(landed, &["n"]).await, ["6"], "of a sale, of an unknown order, blind; internal, draft, quote");
    let counted = "SELECT count(*) AS n, sum(returns) AS returns FROM sales_event WHERE return_channel_id IS NOT NULL";
    assert_eq!(shop.sql(counted, &["n", "returns"]).await, ["3|51.0000"]);
    let shipping = "SELECT count(*) AS n, sum(charge_rc) AS back FROM charge_event WHERE return_channel_id IS NOT NULL";
    assert_eq!(shop.sql(shipping, &["n", "back"]).await, ["3|-6.0000"]);
}

#[tokio::test]
async fn sell_out_is_never_in_net_sales() {
    let shop = shop().await;
    let sql = "SELECT sum(net_rc) AS net, sum(sell_out_rc) AS out, sum(sell_out_units) AS units, count(sale_order_id) AS orders \
        FROM sales_event WHERE flow = 'sell_out'";
    assert_eq!(shop.sql(sql, &["net", "out", "units", "orders"]).await, ["0.0000|70.0000|1.000|0"]);
    let outlets = shop.rows("sales-by-channel", &[("level", "outlet")], &["channel_id", "location_id"]).await;
    assert!(!outlets.contains(&"pos|UNK".to_string()), "{outlets:?}");
}

#[tokio::test]
async fn d39_products_and_charges_are_total_sales() {
    let shop = shop().await;
    let columns =
        ["net_sales", "tax", "charges", "total_sales", "orders", "anonymous_orders", "customers", "aov", "currency"];
    let summary = shop.rows("sales-summary", &[], &columns).await;
    // charges: shipping 4 + fee 5 with tax 0.5 − refunded shipping 3 × 2
    assert_eq!(summary, ["300.0000|32.7000|3.5000|336.2000|3|1|2|119.0|USD"]);
    let channels = shop
        .rows("sales-by-channel", &[("totals", "true")], &["row_kind", "net_sales", "charges", "total_sales"])
        .await;
    assert_eq!(channels.last().unwrap(), "total|300.0000|3.5000|336.2000");
    let products =
        shop.rows("sales-by-product", &[("totals", "true")], &["row_kind", "product_id", "net_sales", "share"]).await;
    assert_eq!(products.last().unwrap(), "total||300.0000|1.0");
}

#[tokio::test]
async fn a_margin_is_over_the_sales_whose_cost_is_known() {
    let shop = shop().await;
    let columns = ["net_sales_with_cost", "cogs", "gross_profit", "cost_coverage", "discount_rate"];
    let summary = shop.rows("sales-summary", &[], &columns).await;
    // Of 357 sold and 51 taken back, 100 and 40 have a cost.
    assert!(summary[0].starts_with("60.0000|35.0000|25.0000|0.3431372549019608|0.027"), "{summary:?}");
}

/// A profit that is not known is neither the best, as NULL is under a bare DESC, nor the worst, as 0 would be (D26).
#[tokio::test]
async fn d26_articles_without_a_cost_are_not_ranked_by_profit() {
    let shop = shop().await;
    let by = async |metric: &str, column: &str| {
        shop.rows("product-top-bottom", &[("metric", metric)], &["product_id", "ranked", column]).await
    };
    // Of P1, 100 were sold at a cost of 60 and 40 taken back at 25; P2 has no cost.
    assert_eq!(by("gross_profit", "gross_profit").await, ["P1|1|25.0000"]);
    assert_eq!(by("net_sales", "net_sales").await, ["P1|2|249.0000", "P2|2|50.0000"]);
}

/// Of net sales it would be 100 / 94 in January, and 100 / 54 with the return.
#[tokio::test]
async fn cost_coverage_is_a_share_whatever_is_taken_back() {
    let lake = empty_lake().await;
    let mut january = order();
    january["business_date"] = json!("2026-01-05");
    january["order_business_date"] = json!("2026-01-05");
    let sold = json!({ "product_id": "P1", "line_type": "product", "line_status": "active", "gross_amount_rc": 100,
        "net_amount_rc": 100, "cost_amount_rc": 60 });
    land(&lake, &ORDER_LINE, january.clone(), &[sold]).await;
    land(&lake, &ORDER_CHARGE, january, &[json!({ "charge_type": "adjustment", "amount_rc": -6 })]).await;
    let back = json!({ "return_status": "refunded", "is_primary": true, "flow": "own", "is_blind": true, "quantity": 1,
        "refund_net_amount_rc": 40, "business_date": "2026-02-20", "order_business_date": "2026-02-20" });
    land(&lake, &RETURN_LINE, json!({}), &[back]).await;
    let shop = over(lake).await;
    let columns = ["net_sales", "goods_amount", "goods_amount_with_cost", "cost_coverage"];
    let january = shop.rows("sales-summary", &[("to", "2026-02-01")], &columns).await;
    assert_eq!(january, ["94.0000|100.0000|100.0000|1.0"], "an adjustment never has a cost");
    let both = shop.rows("sales-summary", &[], &columns).await;
    assert_eq!(both, ["54.0000|140.0000|100.0000|0.7142857142857143"], "a return of unknown cost is not covered");
}
