//! Sentences 2 and 3: files shuffled, split, repeated and interleaved, with new, equal, older and conflicting versions,
//! tombstones first, rows that move to another month and returns before their sales.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::world::{Delivery, Layouts, World, cases, run};

pub const ORDERS: (&str, &str, &str) = (
    "orders",
    "order_no,line,version,sold,sku,qty,price,currency,gone,place",
    r#"-- ---
-- title = { en = "Orders", zh = "订单" }
-- about = "Order lines with explicit versions."
-- order = 20
-- [read]
-- path = "orders/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "shop"
-- currency = "GBP"
-- tz = "Europe/London"
-- [[skip]]
-- where = "gone = 'd'"
-- reason = "drafts are no orders"
-- ---
-- into = "order_line"
SELECT order_no AS order_id, line AS order_line_id, CAST(version AS BIGINT) AS source_version,
       local_time(sold, '%Y-%m-%d') AS created_at, sku, CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(price AS DECIMAL(18,4)) AS unit_price, currency, gone = 'y' AS is_deleted, place AS location_id
FROM raw;
-- into = "product", reference = true
SELECT sku, 'Product ' || sku AS product_name, CAST(version AS BIGINT) AS source_version FROM raw;
"#,
);

pub const RETURNS: (&str, &str, &str) = (
    "returns",
    "return_no,order_no,line,version,back,sku,qty,amount",
    r#"-- ---
-- title = { en = "Returns", zh = "退货" }
-- about = "Return lines with explicit versions."
-- source_system = "orders"
-- order = 30
-- [read]
-- path = "returns/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "shop"
-- currency = "GBP"
-- tz = "Europe/London"
-- ---
-- into = "return_line"
SELECT return_no AS return_id, '1' AS return_line_id, order_no AS order_id, line AS order_line_id,
       CAST(version AS BIGINT) AS source_version, local_time(back, '%Y-%m-%d') AS refunded_at, sku,
       CAST(qty AS DECIMAL(18,3)) AS quantity, CAST(amount AS DECIMAL(18,4)) AS refund_net_amount
FROM raw;
"#,
);

static LAYOUTS: LazyLock<Layouts> = LazyLock::new(|| Layouts::new(&[ORDERS, RETURNS]));
const TABLES: &[&str] = &["order_line", "return_line", "product"];

fn order_line() -> impl Strategy<Value = String> {
    let sold = prop::sample::select(vec!["2026-01-30", "2026-01-31", "2026-02-01", "2026-03-15"]);
    (
        0..6u8,
        1..3u8,
        0..3u8,
        sold,
        0..4u8,
        prop::sample::select(vec!["1", "2", "3", "-1", "x"]),
        prop::sample::select(vec!["n", "n", "n", "n", "n", "y", "d"]),
        0..3u8,
    )
        .prop_map(|(order, line, version, sold, sku, qty, gone, place)| {
            let place = if place == 0 { String::new() } else { format!("S{place}") };
            format!("O{order},{line},{version},{sold},sku{sku},{qty},10.50,GBP,{gone},{place}")
        })
}

fn return_line() -> impl Strategy<Value = String> {
    let back = prop::sample::select(vec!["2026-02-10", "2026-03-20"]);
    (0..5u8, 0..7u8, 1..3u8, 0..3u8, back, 1..3u8).prop_map(|(ret, order, line, version, back, qty)| {
        format!("R{ret},O{order},{line},{version},{back},sku1,{qty},{}.25", qty * 10)
    })
}

/// The same records as deliveries of one file each kind, and as another split, order and repetition of the same records.
pub fn deliveries() -> impl Strategy<Value = (Vec<Delivery>, Vec<Delivery>)> {
    (prop::collection::vec(order_line(), 1..25), prop::collection::vec(return_line(), 0..10)).prop_flat_map(
        |(orders, returns)| {
            let straight = vec![
                Delivery { source: "orders", lines: orders.clone() },
                Delivery { source: "returns", lines: returns.clone() },
            ];
            let (n, m) = (orders.len(), returns.len());
            (
                Just(straight),
                Just(orders).prop_shuffle(),
                Just(returns).prop_shuffle(),
                prop::collection::vec(0..3usize, n),
                prop::collection::vec(0..2usize, m),
                0..n,
                any::<bool>(),
            )
                .prop_map(|(straight, orders, returns, file_of, return_file_of, repeat, returns_first)| {
                    let [a, b, mut c] = [0, 1, 2].map(|k| part("orders", &orders, &file_of, k));
                    c.lines.push(orders[repeat].clone());
                    let [r, s] = [0, 1].map(|k| part("returns", &returns, &return_file_of, k));
                    (straight, if returns_first { vec![r, a, b, s, c] } else { vec![a, r, b, c, s] })
                })
        },
    )
}

fn part(source: &'static str, lines: &[String], file_of: &[usize], k: usize) -> Delivery {
    let lines = lines.iter().zip(file_of).filter(|(_, f)| **f == k).map(|(l, _)| l.clone()).collect();
    Delivery { source, lines }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn arrival_order_splits_and_repeats_change_nothing((straight, shuffled) in deliveries()) {
        run(async {
            let (one, two) = (World::open(&LAYOUTS).await, World::open(&LAYOUTS).await);
            one.land_together(&straight).await;
            two.land_each(&shuffled).await;
            let first = one.state(TABLES).await;
            assert_eq!(first, two.state(TABLES).await, "the order of arrival changed the tables");
            for world in [&one, &two] {
                world.rows_are_accounted_for(TABLES).await;
            }
            one.land_together(&shuffled).await;
            assert_eq!(first, one.state(TABLES).await, "landing the same records again changed the tables");
            one.rows_are_accounted_for(TABLES).await;
            for account in two.land_together(&shuffled).await {
                assert!(account.files.iter().all(|f| f.already), "the same bytes were read again: {account}");
            }
            assert_eq!(first, two.state(TABLES).await, "landing the same bytes again changed the tables");
        });
    }
}
