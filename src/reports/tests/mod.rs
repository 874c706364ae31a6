//! The shipped views and reports over a small `memory://` lake whose answers are worked out by hand.

mod beside;
mod customers;
mod events;
mod in_sql;
mod live;
mod others;
mod people;
mod quality;
mod reconciliation;
mod runs;
mod supply;
mod years;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::json::ReaderBuilder;
use arrow::util::display::array_value_to_string;
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::{Reports, Request, Wanted};
use crate::access::Caller;
use crate::clock::Clock;
use crate::config::{EngineConfig, LakeConfig};
use crate::engine::{Engine, QueryOptions};
use crate::lake::{Change, Commit, Lake};
use crate::model::{CHANNEL, LOCATION, ORDER_CHARGE, ORDER_LINE, PRODUCT, REGION, RETURN_LINE, Table};
use crate::queryfile::load_folder;

/// A lake with its engine and reports; today is 2026-03-20.
struct Shop {
    lake: Lake,
    engine: Engine,
    reports: Reports,
}

/// A value for every column that a row leaves out and that may not be NULL.
fn filler(field: &Field, row: usize) -> Value {
    match field.data_type() {
        DataType::Utf8 => json!(""),
        DataType::Boolean => json!(false),
        DataType::Binary => json!(format!("{row:032x}")),
        DataType::Date32 => json!("1970-01-01"),
        DataType::Timestamp(_, _) => json!("1970-01-01T00:00:00Z"),
        _ => json!(0),
    }
}

/// Rows of `table` from JSON objects laid over `common`.
fn batch(table: &Table, common: &Value, rows: &[Value]) -> RecordBatch {
    let schema = table.schema();
    let full = rows.iter().enumerate().map(|(at, row)| {
        let given = |name: &str| row.get(name).or_else(|| common.get(name)).cloned();
        let month = || given(table.month_of?).and_then(|d| Some(json!(d.as_str()?.get(..7)?)));
        let value = |field: &Field| match given(field.name()) {
            Some(value) => value,
            None if field.name() == crate::model::MONTH => month().unwrap(),
            None if field.is_nullable() => Value::Null,
            None => filler(field, at),
        };
        Value::Object(schema.fields().iter().map(|f| (f.name().clone(), value(f))).collect())
    });
    let full: Vec<Value> = full.collect();
    let mut decoder =
        ReaderBuilder::new(Arc::new(Schema::clone(&schema))).with_batch_size(1000).build_decoder().unwrap();
    decoder.serialize(&full).unwrap();
    decoder.flush().unwrap().unwrap()
}

async fn land(lake: &Lake, table: &'static Table, common: Value, rows: &[Value]) {
    let base = lake.state(table).await.unwrap();
    let add = vec![batch(table, &common, rows)];
    let change = Change { batch_id: "b", app: "test", add, remove: vec![], keep: vec![], info: Map::new() };
    assert!(matches!(lake.commit(&base, change).await.unwrap(), Commit::Done { .. }));
}

async fn empty_lake() -> Lake {
    let cfg = LakeConfig { url: "memory://".into(), today: "2026-03-20".into(), ..LakeConfig::default() };
    Lake::open(&cfg).await.unwrap()
}

async fn over(lake: Lake) -> Shop {
    let views = load_folder("views", None).unwrap();
    let engine = Engine::open(&lake, &EngineConfig::default(), &views, Clock::system()).await.unwrap();
    let reports = Reports::load(None, &engine, &Wanted::All).await.unwrap();
    Shop { lake, engine, reports }
}

fn order() -> Value {
    json!({ "source_system": "s", "is_primary": true, "order_type": "sale", "flow": "own", "order_status": "confirmed",
        "confirmed_at": "2026-01-05T10:00:00Z", "channel_id": "web" })
}

/// Sales, returns, charges and dimensions with every case that the views tell apart.
async fn shop() -> Shop {
    let lake = empty_lake().await;
    let line = |order: &str, day: &str, net: i64, rest: Value| {
        let mut row = json!({ "order_id": order, "canonical_order_id": order, "business_date": day, "order_business_date": day,
            "gross_amount_rc": net, "net_amount_rc": net, "tax_amount_rc": net as f64 / 10.0, "base_quantity": 1,
            "product_id": "P1", "customer_key": format!("C{order}"), "line_type": "product", "line_status": "active" });
        row.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        row
    };
    let lines = [
        line("1", "2026-01-05", 100, json!({ "gross_amount_rc": 110, "discount_amount_rc": 10, "cost_amount_rc": 60 })),
        line("1", "2026-01-05", 50, json!({ "product_id": "P2" })),
        line(
            "2",
            "2026-02-05",
            200,
            json!({ "channel_id": "pos", "location_id": "L1", "paid_business_date": "2026-02-07", "is_staff_order": true }),
        ),
        line("3", "2026-02-06", 300, json!({ "order_status": "cancelled", "cancelled_business_date": "2026-03-01" })),
        line("4", "2026-02-06", 1000, json!({ "is_test": true })),
        line("5", "2026-02-06", 1000, json!({ "line_type": "gift_card" })),
        line("6", "2026-02-06", 1000, json!({ "confirmed_at": null })),
        line("6", "2026-02-06", 1000, json!({ "order_type": "draft" })),
        line("6", "2026-02-06", 1000, json!({ "is_deleted": true })),
        line("6", "2026-02-06", 1000, json!({ "is_primary": false })),
        line("6", "2026-02-06", 1000, json!({ "line_status": "removed" })),
        line("7", "2026-02-06", 70, json!({ "flow": "sell_out", "channel_id": "pos", "location_id": "L9" })),
        line(
            "8",
            "2026-02-06",
            7,
            json!({ "product_id": "ZZ", "location_id": "L9", "channel_id": "zzz", "customer_key": null }),
        ),
        line("9", "2026-02-06", 5, json!({ "line_type": "fee" })),
    ];
    land(&lake, &ORDER_LINE, order(), &lines).await;
    let returned = json!({ "source_system": "s", "is_primary": true, "flow": "own", "return_status": "refunded", "return_type": "refund",
        "refund_tax_amount_rc": 1, "refund_shipping_amount_rc": 2, "quantity": 1, "channel_id": "pos", "product_id": "P1",
        "business_date": "2026-02-20", "order_business_date": "2026-02-20" });
    let returns = [
        json!({ "return_id": "r1", "order_id": "1", "is_sale_known": true, "refund_net_amount_rc": 40, "cost_amount_rc": 25,
            "sale_channel_id": "web", "sale_order_type": "sale", "order_business_date": "2026-01-05" }),
        json!({ "return_id": "r2", "order_id": "x", "refund_net_amount_rc": 8, "return_type": "exchange" }),
        json!({ "return_id": "r3", "is_blind": true, "refund_net_amount_rc": 3 }),
        json!({ "return_id": "r4", "order_id": "1", "return_status": "requested", "refund_net_amount_rc": 900 }),
        json!({ "return_id": "r5", "order_id": "5", "sale_order_type": "internal", "refund_net_amount_rc": 900 }),
        json!({ "return_id": "r6", "order_id": "6", "sale_order_type": "draft", "refund_net_amount_rc": 900 }),
        json!({ "return_id": "r7", "order_id": "6", "sale_order_type": "quote", "refund_net_amount_rc": 900 }),
    ];
    land(&lake, &RETURN_LINE, returned, &returns).await;
    let mut of_order = order();
    of_order.as_object_mut().unwrap().extend(
        json!({ "order_id": "1", "canonical_order_id": "1", "business_date": "2026-01-05", "order_business_date": "2026-01-05" })
            .as_object().unwrap().clone(),
    );
    let charges = [("1", "shipping", 4), ("2", "adjustment", -6), ("3", "payment_fee", 9), ("4", "tip", 9)]
        .map(|(seq, kind, amount)| json!({ "charge_seq": seq, "charge_type": kind, "amount_rc": amount }));
    land(&lake, &ORDER_CHARGE, of_order, &charges).await;
    dimensions(&lake).await;
    over(lake).await
}

async fn dimensions(lake: &Lake) {
    let channel =
        |id: &str, name: &str, kind: &str| json!({ "channel_id": id, "channel_name": name, "channel_type": kind });
    let channels =
        [channel("web", "Web", "own_web"), channel("pos", "Shops", "pos_store"), channel("app", "App", "own_app")];
    land(lake, &CHANNEL, json!({}), &channels).await;
    let region =
        |id: &str, name: &str| json!({ "region_id": id, "region_name": name, "level1_id": "X", "level1_name": "Land" });
    land(lake, &REGION, json!({}), &[region("N", "North"), region("S", "South")]).await;
    land(lake, &LOCATION, json!({}), &[json!({ "location_id": "L1", "location_name": "Shop 1", "region_id": "N" })])
        .await;
    let product = |id: &str, name: &str, style: Option<&str>| json!({ "product_id": id, "sku": id, "product_name": name, "parent_product_id": style });
    let products = [product("P1", "One", Some("PP")), product("P2", "Two", Some("PP")), product("PP", "Style", None)];
    land(lake, &PRODUCT, json!({}), &products).await;
}

/// Rows as `a|b|c` of the named columns; NULL is empty.
fn shown(batches: &[RecordBatch], columns: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cell = |name: &&str| {
                let column =
                    batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name} in {}", batch.schema()));
                array_value_to_string(column, row).unwrap()
            };
            lines.push(columns.iter().map(cell).collect::<Vec<_>>().join("|"));
        }
    }
    lines
}

impl Shop {
    /// Report `id` for all of 2026's first quarter unless asked otherwise: the named columns of its rows.
    async fn rows(&self, id: &str, asked: &[(&str, &str)], columns: &[&str]) -> Vec<String> {
        let run = self.reports.run(id, self.request(id, asked), &Caller::local()).await;
        let run = run.unwrap_or_else(|e| panic!("{id} {asked:?}: {e} ({:?})", e.hint_text()));
        let batches = run.rows.collect().await.unwrap_or_else(|e| panic!("{id} {asked:?}: {e}"));
        shown(&batches, columns)
    }

    fn request(&self, id: &str, asked: &[(&str, &str)]) -> Request {
        let params = &self.reports.get(id).unwrap().info().params;
        let quarter = [("from", "2026-01-01"), ("to", "2026-04-01")];
        let free = |name: &str| {
            params.iter().any(|p| p.name == name && p.default.is_some()) && asked.iter().all(|a| a.0 != name)
        };
        let window = quarter.into_iter().filter(|(name, _)| free(name));
        window.chain(asked.iter().copied()).fold(Request::new(), |r, (name, value)| r.with(name, value))
    }

    async fn refusal(&self, id: &str, asked: &[(&str, &str)]) -> String {
        let error = self.reports.run(id, self.request(id, asked), &Caller::local()).await.unwrap_err();
        format!("{error} ({})", error.hint_text().unwrap_or_default())
    }

    async fn sql(&self, sql: &str, columns: &[&str]) -> Vec<String> {
        let rows = self.engine.query(sql, QueryOptions::default(), &Caller::local()).await.unwrap();
        shown(&rows.collect().await.unwrap(), columns)
    }
}
