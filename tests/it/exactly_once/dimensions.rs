//! Sentence 3 for dimensions: master rows that come after the facts, or between them, and rows gleaned from facts. The greatest
//! version holds, a master's before a gleaned one of the same, and facts are as they came.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::world::{Delivery, Layouts, World, cases, run};

const TICKETS: (&str, &str, &str) = (
    "tickets",
    "ticket,version,sold,sku,place,buyer",
    r#"-- ---
-- title = { en = "Tickets", zh = "小票" }
-- about = "Sales that know names of what they sell, where and to whom."
-- order = 20
-- [read]
-- path = "tickets/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "shop"
-- currency = "GBP"
-- tz = "Europe/London"
-- ---
-- into = "order_line"
SELECT ticket AS order_id, '1' AS order_line_id, CAST(version AS BIGINT) AS source_version,
       local_time(sold, '%Y-%m-%d') AS created_at, sku, CAST(version AS DECIMAL(18,4)) AS unit_price,
       place AS location_id, buyer AS customer_key
FROM raw;
-- into = "product", reference = true
SELECT sku, CAST(version AS BIGINT) AS source_version, 'seen ' || version AS product_name FROM raw;
-- into = "location", reference = true
SELECT place AS location_id, CAST(version AS BIGINT) AS source_version, 'seen ' || version AS location_name,
       'somewhere' AS region_id, 'GB' AS country
FROM raw WHERE place <> '';
-- into = "customer", reference = true
SELECT buyer AS customer_key, CAST(version AS BIGINT) AS source_version, 'seen ' || version AS customer_group
FROM raw WHERE buyer <> '';
"#,
);

const MASTERS: (&str, &str, &str) = (
    "masters",
    "kind,id,version",
    r#"-- ---
-- title = { en = "Masters", zh = "主数据" }
-- about = "Products, places and customers with the master's versions."
-- order = 1
-- [read]
-- path = "masters/*.csv"
-- format = "csv"
-- [defaults]
-- currency = "GBP"
-- tz = "Europe/London"
-- ---
-- into = "product"
SELECT id AS sku, CAST(version AS BIGINT) AS source_version, 'master ' || version AS product_name
FROM raw WHERE kind = 'product';
-- into = "location"
SELECT id AS location_id, CAST(version AS BIGINT) AS source_version, 'master ' || version AS location_name,
       'GB-1' AS region_id, 'GB' AS country
FROM raw WHERE kind = 'location';
-- into = "customer"
SELECT id AS customer_key, CAST(version AS BIGINT) AS source_version, 'master ' || version AS customer_group
FROM raw WHERE kind = 'customer';
"#,
);

static LAYOUTS: LazyLock<Layouts> = LazyLock::new(|| Layouts::new(&[TICKETS, MASTERS]));
const TABLES: &[&str] = &["order_line", "product", "location", "customer"];
/// Each dimension with the column that says whose row holds.
const DIMENSIONS: &[(&str, &str, &str)] = &[
    ("product", "product_id", "product_name"),
    ("location", "location_id", "location_name"),
    ("customer", "customer_key", "customer_group"),
];

/// A row that a dimension could hold: which dimension, id, version, whether a master says it.
type Row = (usize, String, u8, bool);

/// Facts and master rows, each as a line of its file and as the rows that dimensions get from it.
fn ticket() -> impl Strategy<Value = (u8, [u8; 3])> {
    (0..3u8, [1..4u8, 0..3u8, 0..3u8])
}
fn ticket_line(number: usize, (version, [product, place, buyer]): &(u8, [u8; 3])) -> (String, Vec<Row>) {
    // 0: not given.
    let id = |kind: &str, n: u8| if n == 0 { String::new() } else { format!("{kind}{n}") };
    let ids = [id("P", *product), id("S", *place), id("K", *buyer)];
    let line = format!("T{number},{version},2026-01-30,{}", ids.join(","));
    let rows = ids.into_iter().enumerate().filter(|(_, id)| !id.is_empty());
    (line, rows.map(|(kind, id)| (kind, id, *version, false)).collect())
}
fn master() -> impl Strategy<Value = (usize, u8, u8)> {
    (0..DIMENSIONS.len(), 1..4u8, 0..3u8)
}
fn master_line((kind, n, version): &(usize, u8, u8)) -> (String, Vec<Row>) {
    let id = format!("{}{n}", ["P", "S", "K"][*kind]);
    (format!("{},{id},{version}", DIMENSIONS[*kind].0), vec![(*kind, id, *version, true)])
}

#[derive(Debug, Clone)]
struct Arrival {
    tickets: Vec<String>,
    masters: Vec<String>,
    /// Both over several files, in any order, one of them twice.
    mixed: Vec<Delivery>,
    rows: Vec<Row>,
}

fn arrivals() -> impl Strategy<Value = Arrival> {
    (prop::collection::vec(ticket(), 1..12), prop::collection::vec(master(), 1..10)).prop_flat_map(
        |(tickets, masters)| {
            let facts = tickets.iter().enumerate().map(|(i, t)| ticket_line(i, t));
            let (tickets, gleaned): (Vec<String>, Vec<Vec<Row>>) = facts.unzip();
            let (masters, declared): (Vec<String>, Vec<Vec<Row>>) = masters.iter().map(master_line).unzip();
            let rows: Vec<Row> = [gleaned, declared].concat().concat();
            let cut = |source, lines: &[String]| {
                let (a, b) = lines.split_at(lines.len() / 2);
                [a, b].map(|part| Delivery { source, lines: part.to_vec() })
            };
            let again = Delivery { source: "tickets", lines: tickets.iter().rev().take(3).cloned().collect() };
            let mixed = [cut("tickets", &tickets), cut("masters", &masters)].concat().into_iter().chain([again]);
            Just(mixed.collect::<Vec<_>>()).prop_shuffle().prop_map(move |mixed| Arrival {
                tickets: tickets.clone(),
                masters: masters.clone(),
                mixed,
                rows: rows.clone(),
            })
        },
    )
}

/// Id → what its row says, by the rule: the greatest version, and a master's of two equal ones.
fn expected(kind: usize, rows: &[Row]) -> Vec<Vec<String>> {
    let mut best: BTreeMap<&str, (u8, bool)> = BTreeMap::new();
    for (_, id, version, is_master) in rows.iter().filter(|r| r.0 == kind) {
        let best = best.entry(id).or_insert((*version, *is_master));
        *best = (*version, *is_master).max(*best);
    }
    let says = |(version, is_master): (u8, bool)| format!("{} {version}", if is_master { "master" } else { "seen" });
    best.into_iter().map(|(id, row)| vec![id.to_string(), says(row)]).collect()
}

proptest! {
    #![proptest_config(cases(10))]

    #[test]
    fn dimensions_may_come_before_between_or_after_the_facts(arrival in arrivals()) {
        run(async {
            let tickets = Delivery { source: "tickets", lines: arrival.tickets.clone() };
            let masters = Delivery { source: "masters", lines: arrival.masters.clone() };
            let (early, late, mixed) =
                (World::open(&LAYOUTS).await, World::open(&LAYOUTS).await, World::open(&LAYOUTS).await);
            early.land_each(&[masters.clone(), tickets.clone()]).await;
            late.land_each(&[tickets, masters]).await;
            mixed.land_each(&arrival.mixed).await;
            let state = early.state(TABLES).await;
            assert_eq!(state, late.state(TABLES).await, "dimensions after the facts made other tables");
            assert_eq!(state, mixed.state(TABLES).await, "dimensions between the facts made other tables");
            for world in [&early, &late, &mixed] {
                world.rows_are_accounted_for(TABLES).await;
            }
            assert_eq!(state[0].rows.len(), arrival.tickets.len(), "no fact waits for a dimension");
            for (kind, (table, id, name)) in DIMENSIONS.iter().enumerate() {
                let held = mixed.sql(&format!("SELECT {id}, {name} FROM base.{table} ORDER BY 1")).await;
                assert_eq!(held.rows, expected(kind, &arrival.rows), "{table}");
            }
        });
    }
}
