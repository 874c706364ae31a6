//! The other reports, each with an answer worked out by hand.

use super::*;
use crate::model::{CUSTOMER_EVENT, INVENTORY_SNAPSHOT, QUARANTINE};

#[tokio::test]
async fn products_by_article_and_by_style() {
    let shop = shop().await;
    let columns = ["product_id", "sku", "product_name", "net_sales"];
    assert_eq!(
        shop.rows("sales-by-product", &[], &columns).await,
        ["P1|P1|One|249.0000", "P2|P2|Two|50.0000", "UNK|UNK|UNK|7.0000", "N/A|N/A|N/A|-6.0000"]
    );
    let styles = ["PP||Style|299.0000", "UNK||UNK|7.0000", "N/A||N/A|-6.0000"];
    assert_eq!(shop.rows("sales-by-product", &[("level", "product")], &columns).await, styles);
    let sliced = [("level", "product"), ("where.product", "Two"), ("include_zero", "true")];
    assert_eq!(
        shop.rows("sales-by-product", &sliced, &columns).await,
        ["PP||Style|50.0000"],
        "the style keeps its name"
    );
    let all = shop
        .rows("sales-by-product", &[("include_zero", "true"), ("grain", "month")], &["period_start", "product_id"])
        .await;
    assert_eq!(all.iter().filter(|row| row.contains("P")).count(), 9, "three products in three months: {all:?}");
}

#[tokio::test]
async fn regions_drill_and_keep_their_unknowns() {
    let shop = shop().await;
    let columns = ["region_id", "region_name", "net_sales", "orders"];
    assert_eq!(
        shop.rows("sales-by-region", &[("include_zero", "true")], &columns).await,
        ["N|North|200.0000|1", "N/A|N/A|101.0000|1", "S|South|0.0000|0", "UNK|UNK|-1.0000|1"]
    );
    let land = ["X|Land|200.0000|1", "N/A|N/A|101.0000|1", "UNK|UNK|-1.0000|1"];
    assert_eq!(shop.rows("sales-by-region", &[("region_level", "1")], &columns).await, land);
    assert_eq!(shop.rows("sales-by-region", &[("where.region", "Land")], &columns).await, ["N|North|200.0000|1"]);
    assert_eq!(shop.rows("sales-by-region", &[("where.region", "UNK")], &columns).await, ["UNK|UNK|-1.0000|1"]);
    assert_eq!(shop.rows("sales-by-region", &[("where.region", "N/A")], &columns).await, ["N/A|N/A|101.0000|1"]);
}

#[tokio::test]
async fn channels_at_three_levels() {
    let shop = shop().await;
    let columns = ["channel_type", "channel_id", "location_id", "net_sales"];
    let rest = ["UNK|UNK||-1.0000", "N/A|N/A||-3.0000"];
    let channels = ["pos_store|pos||200.0000", "own_web|web||104.0000", "own_app|app||0.0000"];
    assert_eq!(
        shop.rows("sales-by-channel", &[("include_zero", "true")], &columns).await,
        [&channels[..], &rest].concat()
    );
    let kinds = ["pos_store|||200.0000", "own_web|||104.0000", "UNK|||-1.0000", "N/A|||-3.0000"];
    assert_eq!(shop.rows("sales-by-channel", &[("level", "type")], &columns).await, kinds);
    let zero = [("where.channel", "web,app"), ("include_zero", "true")];
    assert_eq!(
        shop.rows("sales-by-channel", &zero, &columns).await,
        &channels[1..],
        "the slicer narrows the list of channels"
    );
    let outlets =
        ["pos_store|pos|L1|200.0000", "own_web|web|N/A|104.0000", "UNK|UNK|UNK|-1.0000", "N/A|N/A|N/A|-3.0000"];
    assert_eq!(
        shop.rows("sales-by-channel", &[("level", "outlet"), ("include_zero", "true")], &columns).await,
        outlets
    );
}

#[tokio::test]
async fn d15_returns_by_both_dates_side_by_side() {
    let shop = shop().await;
    let columns = [
        "period_start",
        "returns",
        "returns_by_sale_date",
        "return_lines",
        "return_lines_by_sale_date",
        "exchange_returns",
    ];
    assert_eq!(
        shop.rows("returns-summary", &[], &columns).await,
        [
            "2026-01-01|6.0000|46.0000|0|1|0.0000",
            "2026-02-01|51.0000|11.0000|3|2|8.0000",
            "2026-03-01|0.0000|0.0000|0|0|0.0000"
        ]
    );
    assert_eq!(
        shop.rows("returns-summary", &[("grain", "all")], &["returns", "returns_by_sale_date", "return_rate_value"])
            .await[0][..22],
        *"57.0000|57.0000|0.1596"
    );
    let pos = [("where.return_channel", "pos"), ("grain", "all")];
    assert_eq!(shop.rows("returns-summary", &pos, &["returns", "sales_before_returns"]).await, ["51.0000|0.0000"]);
}

#[tokio::test]
async fn d05_d06_stock_is_that_of_the_last_count() {
    let lake = empty_lake().await;
    let snap = |day: &str, place: &str, product: &str, lot: &str, on_hand: i64, sparse: bool| {
        json!({ "snapshot_date": day, "business_date": day, "location_id": place, "product_id": product, "lot_no": lot,
            "on_hand": on_hand, "is_sparse": sparse, "is_ranged": true, "is_tracked": true })
    };
    let counts = [
        snap("2026-03-18", "L1", "P1", "", 5, false),
        snap("2026-03-18", "L1", "P2", "", 3, false),
        snap("2026-03-18", "L1", "PP", "x", 5, false),
        snap("2026-03-18", "L1", "PP", "y", 6, false),
        snap("2026-03-19", "L1", "P2", "", 2, false),
        snap("2026-03-19", "L1", "PP", "y", 4, false),
        snap("2026-03-20", "L1", "P2", "", 99, false),
        snap("2026-02-01", "L2", "P1", "", 7, false),
        snap("2026-03-01", "L3", "P1", "", 1, true),
        snap("2026-03-05", "L3", "P2", "", 1, true),
    ];
    land(&lake, &INVENTORY_SNAPSHOT, json!({ "source_system": "w" }), &counts).await;
    dimensions(&lake).await;
    let shop = over(lake).await;
    let columns = ["location_id", "product_id", "snapshot_day", "days_old", "is_stale", "on_hand"];
    assert_eq!(
        shop.rows("stock-on-hand", &[("level", "item"), ("include_zero", "true"), ("where.location", "L1")], &columns)
            .await,
        ["L1|PP|2026-03-19|0|false|4.000", "L1|P2|2026-03-19|0|false|2.000", "L1|P1|2026-03-19|0|false|0.000"],
        "P1 and lot x are missing from a later complete day"
    );
    let one = [("level", "item"), ("include_zero", "true"), ("where.product", "P1"), ("where.location", "L1")];
    let p1 = shop.rows("stock-on-hand", &one, &columns).await;
    assert_eq!(p1, ["L1|P1|2026-03-19|0|false|0.000"], "slicing by product does not hide what else was counted");
    assert_eq!(
        shop.rows(
            "stock-on-hand",
            &[("level", "product")],
            &["product_id", "oldest_snapshot_day", "days_old", "is_stale", "on_hand"]
        )
        .await,
        ["P1|2026-02-01|46|true|8.000", "PP|2026-03-19|0|false|4.000", "P2|2026-03-05|14|true|3.000"],
        "a sparse source's counts hold until the next"
    );
    let places = shop
        .rows("stock-on-hand", &[("as_of", "2026-03-19"), ("totals", "true")], &["row_kind", "location_id", "on_hand"])
        .await;
    assert_eq!(places, ["row|L1|19.000", "row|UNK|9.000", "total||28.000"]);
}

#[tokio::test]
async fn d75_d76_visits_of_people_by_the_day_they_began() {
    let lake = empty_lake().await;
    let event = |session: &str, at: &str, name: &str, rest: Value| {
        let mut row = json!({ "client_event_id": at, "session_id": session, "event_name": name, "event_time": format!("{at}:00Z"),
            "business_date": &at[..10], "channel_id": "web" });
        row.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        row
    };
    let events = [
        event("s1", "2026-01-31T23:50", "session_start", json!({ "device_type": "phone" })),
        event("s1", "2026-01-31T23:55", "view_item", json!({ "channel_id": "app" })),
        event("s1", "2026-02-01T00:05", "purchase", json!({})),
        event("s2", "2026-01-10T10:00", "view_item", json!({})),
        event("s2", "2026-01-10T10:01", "add_to_cart", json!({})),
        event("s2", "2026-01-10T10:02", "begin_checkout", json!({})),
        event("s2", "2026-01-10T10:03", "purchase", json!({})),
        event("s3", "2026-01-11T10:00", "view_item", json!({ "is_bot": true })),
    ];
    land(&lake, &CUSTOMER_EVENT, json!({ "source_system": "w" }), &events).await;
    dimensions(&lake).await;
    let shop = over(lake).await;
    let id = "traffic-conversion-funnel";
    let columns = ["stage", "sessions", "all_sessions"];
    let open = ["session|2|2", "view|2|2", "cart|1|2", "checkout|1|2", "purchase|2|2"];
    assert_eq!(shop.rows(id, &[("to", "2026-02-01")], &columns).await, open);
    let closed = shop.rows(id, &[("funnel", "closed")], &columns).await;
    assert_eq!(closed.last().unwrap(), "purchase|1|2");
    assert_eq!(shop.rows(id, &[("device", "phone")], &columns).await[2], "cart|0|1");
    assert!(shop.refusal(id, &[("device", "fridge")]).await.contains("phone"));
    assert_eq!(
        shop.rows(id, &[("where.channel", "web")], &columns).await,
        open,
        "a visit is of the channel where it began"
    );
    assert_eq!(shop.rows(id, &[("where.channel", "app")], &columns).await[0], "session|0|0");
    assert!(shop.refusal(id, &[("where.product", "P1")]).await.contains("cannot be sliced by product"));
    let months =
        shop.rows(id, &[("grain", "month"), ("to", "2026-03-01")], &["period_start", "stage_no", "sessions"]).await;
    assert_eq!((months.len(), months[0].as_str(), months[5].as_str()), (10, "2026-01-01|1|2", "2026-02-01|1|0"));
}

/// D02: a key that its dimension does not have is UNK, no key is N/A, and every visit is of one of them.
#[tokio::test]
async fn d02_visits_of_unknown_and_of_no_members() {
    let lake = empty_lake().await;
    let visit = |session: &str, keys: Value| {
        let mut row = json!({ "client_event_id": session, "session_id": session, "event_name": "view_item",
            "event_time": "2026-01-10T10:00:00Z", "business_date": "2026-01-10", "channel_id": "web" });
        row.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        row
    };
    let visits = [
        visit("known", json!({ "region_id": "N", "location_id": "L1" })),
        visit("unknown", json!({ "region_id": "Q", "location_id": "L9", "channel_id": "zzz", "customer_key": "C9" })),
        visit("none", json!({})),
        visit("none-either", json!({})),
    ];
    land(&lake, &CUSTOMER_EVENT, json!({ "source_system": "w" }), &visits).await;
    dimensions(&lake).await;
    let shop = over(lake).await;
    for (slicer, value, sessions) in [
        ("region", "North", 1),
        ("region", "UNK", 1),
        ("region", "N/A", 2),
        ("region", "UNK,N/A", 3),
        ("location", "L1", 1),
        ("location", "UNK", 1),
        ("location", "N/A", 2),
        ("channel", "web", 3),
        ("channel", "UNK", 1),
        ("channel", "N/A", 0),
        ("segment", "UNK", 1),
        ("segment", "N/A", 3),
    ] {
        let by = format!("where.{slicer}");
        let rows = shop.rows("traffic-conversion-funnel", &[(by.as_str(), value)], &["stage", "sessions"]).await;
        assert_eq!(rows[..2], [format!("session|{sessions}"), format!("view|{sessions}")], "{slicer} {value}");
    }
}

#[tokio::test]
async fn quarantine_shows_no_content() {
    let lake = empty_lake().await;
    let record = |line: i64, rule: &str, rest: Value| {
        let mut row = json!({ "source": "pos", "table_name": "order_line", "file": "a.csv", "line": line, "rule": rule,
            "severity": "quarantine", "message": "m", "source_file_id": "f", "raw": "secret", "detected_at": "2026-03-01T08:00:00Z" });
        row.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        row
    };
    let mut records: Vec<Value> = (0..4).map(|i| record(12 - i, "V03", json!({}))).collect();
    records.push(record(3, "V20", json!({ "value": "a@b.c" })));
    records.push(record(4, "V18", json!({ "resolved_at": "2026-03-02T08:00:00Z" })));
    land(&lake, &QUARANTINE, json!({}), &records).await;
    let shop = over(lake).await;
    let columns = ["rule", "source", "records", "open_records", "sample_keys"];
    let open = ["V03|pos|4|4|a.csv:9, a.csv:10, a.csv:11", "V20|pos|1|1|a.csv:3"];
    assert_eq!(shop.rows("dq-quarantine", &[], &columns).await, open);
    assert_eq!(shop.rows("dq-quarantine", &[("state", "resolved")], &columns).await, ["V18|pos|1|0|a.csv:4"]);
    assert_eq!(
        shop.rows("dq-quarantine", &[("state", "all"), ("from", "2026-03-02")], &columns).await,
        Vec::<String>::new()
    );
    let columns = shop.sql(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'main' AND table_name = 'quarantine'",
        &["column_name"],
    );
    let columns = columns.await;
    assert!(
        columns.contains(&"line".into()) && !columns.iter().any(|c| c == "raw" || c == "value" || c == "record"),
        "{columns:?}"
    );
}

/// An article that moved, and a shop that was given to another region, in the middle of the quarter (D40).
#[tokio::test]
async fn d40_attributes_as_they_were_on_the_day_of_the_order() {
    let lake = empty_lake().await;
    let line = |order: &str, day: &str, net: i64, product: &str, place: &str| {
        json!({ "order_id": order, "canonical_order_id": order, "business_date": day, "order_business_date": day,
            "gross_amount_rc": net, "net_amount_rc": net, "base_quantity": 1, "product_id": product, "location_id": place,
            "line_type": "product", "line_status": "active" })
    };
    let lines = [
        line("1", "2026-01-31", 100, "M", "L5"),
        line("2", "2026-02-01", 30, "M", "L5"),
        line("3", "2026-02-01", 7, "ZZ", "L9"),
        line("4", "2026-01-10", 2, "GONE", "L5"),
        line("5", "2026-02-10", 4, "GONE", "L5"),
    ];
    land(&lake, &ORDER_LINE, order(), &lines).await;
    // What was sold before the move comes back after it.
    let returned = json!({ "source_system": "s", "is_primary": true, "flow": "own", "return_status": "refunded",
        "return_type": "refund", "quantity": 1, "channel_id": "web", "product_id": "M", "return_id": "r1", "order_id": "1",
        "is_sale_known": true, "refund_net_amount_rc": 40, "sale_channel_id": "web", "sale_location_id": "L5",
        "sale_order_type": "sale", "business_date": "2026-02-20", "order_business_date": "2026-01-31" });
    land(&lake, &RETURN_LINE, json!({}), &[returned]).await;
    dimensions(&lake).await;
    let product = |id: &str, since: &str, brand: &str, category: &str, gone: bool| {
        json!({ "product_id": id, "sku": id, "product_name": id, "valid_from": since, "brand": brand,
            "category_l1_id": category, "category_l1_name": category, "is_deleted": gone })
    };
    let products = [
        product("M", "2020-01-01T00:00:00Z", "Old", "TOY", false),
        product("M", "2026-02-01T00:00:00Z", "New", "GAR", false),
        product("GONE", "2020-01-01T00:00:00Z", "Old", "TOY", false),
        product("GONE", "2026-02-01T00:00:00Z", "Old", "TOY", true),
    ];
    land(&lake, &PRODUCT, json!({}), &products).await;
    let place = |since: &str, region: &str| json!({ "location_id": "L5", "location_name": "Five", "valid_from": since, "region_id": region });
    let places = [place("2020-01-01T00:00:00Z", "N"), place("2026-02-01T00:00:00Z", "S")];
    land(&lake, &LOCATION, json!({}), &places).await;
    let shop = over(lake).await;
    let was = ("attribute_basis", "as_was");

    let categories = ["category_id", "net_sales", "returns"];
    let now = shop.rows("sales-by-category", &[], &categories).await;
    assert_eq!(now, ["GAR|90.0000|40.0000", "UNK|13.0000|0.0000"]);
    let then = shop.rows("sales-by-category", &[was], &categories).await;
    assert_eq!(then, ["TOY|62.0000|40.0000", "GAR|30.0000|0.0000", "UNK|11.0000|0.0000"]);

    // Slicers go by the same, also by what nothing is any more.
    let brands = ["brand", "net_sales"];
    let old = shop.rows("sales-by-brand", &[was, ("where.category", "toy")], &brands).await;
    assert_eq!(old, ["Old|62.0000"]);
    assert_eq!(shop.rows("sales-by-brand", &[was, ("where.brand", "Old")], &brands).await, ["Old|62.0000"]);
    assert_eq!(shop.rows("sales-by-brand", &[was, ("where.brand", "New")], &brands).await, ["New|30.0000"]);
    assert_eq!(shop.rows("sales-by-brand", &[was, ("where.brand", "UNK")], &brands).await, ["UNK|11.0000"]);
    assert_eq!(shop.rows("sales-by-brand", &[("where.brand", "New")], &brands).await, ["New|90.0000"]);
    assert!(shop.refusal("sales-by-brand", &[("where.brand", "Old")]).await.contains("'Old'"));

    let both = shop.rows("sales-by-brand", &[was, ("where.brand", "Old,New")], &brands).await;
    assert_eq!(both, ["Old|62.0000", "New|30.0000"]);

    let regions = ["region_id", "net_sales"];
    assert_eq!(shop.rows("sales-by-region", &[], &regions).await, ["S|96.0000", "UNK|7.0000"]);
    assert_eq!(shop.rows("sales-by-region", &[was], &regions).await, ["N|62.0000", "S|34.0000", "UNK|7.0000"]);
    assert_eq!(shop.rows("sales-by-region", &[was, ("where.region", "North")], &regions).await, ["N|62.0000"]);
}
