//! Which files are looked at, and which rows change.

use std::path::Path;
use std::sync::Arc;

use object_store::memory::InMemory;

use super::*;
use crate::clock::Clock;
use crate::config::LakeConfig;
use crate::ingest::testing::source;
use crate::ingest::{Ingest, InputFile, Silent, Sources};
use crate::lake::ColumnStats;
use crate::lake::testing::{Act, Unreliable, over};

const ORDERS: &str = r#"-- ---
-- source_system = "shop"
-- [read]
-- path = "orders/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "web"
-- currency = "USD"
-- tz = "UTC"
-- ---
-- into = "order_line"
SELECT id AS order_id, '1' AS order_line_id, instant(at) AS created_at, 'X' AS sku,
       CAST(qty AS DECIMAL(18,3)) AS quantity, CAST('3.50' AS DECIMAL(18,4)) AS unit_price
FROM   raw
"#;

const RETURNS: &str = r#"-- ---
-- source_system = "shop"
-- [read]
-- path = "returns/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "shop"
-- currency = "USD"
-- tz = "UTC"
-- ---
-- into = "return_line"
SELECT id AS return_id, '1' AS return_line_id, order_id, '1' AS order_line_id, instant(at) AS refunded_at,
       'X' AS sku, CAST('1' AS DECIMAL(18,3)) AS quantity, CAST('3.50' AS DECIMAL(18,4)) AS refund_net_amount
FROM   raw
"#;

async fn ingest() -> (Ingest, Arc<Unreliable>) {
    let store = Unreliable::new(Arc::new(InMemory::new()), |_, _| Act::Go);
    let config = LakeConfig { url: "memory://".into(), ..LakeConfig::default() };
    let lake = over(store.clone(), &config).await.expect("a lake");
    let sources = Sources::from_list([source("orders", ORDERS), source("returns", RETURNS)]);
    (Ingest::new(&lake, sources, Clock::system()), store)
}

async fn land(ingest: &Ingest, folder: &Path, source: &str, text: &str) {
    let path = folder.join("file.csv");
    let text: String = text.lines().map(|line| format!("{line},2026-03-01T09:00:00Z\n")).collect();
    let head = if source == "orders" { "id,qty,at" } else { "id,order_id,at" };
    std::fs::write(&path, format!("{head}\n{text}")).expect("written");
    let file = InputFile::open(&path, "file.csv").expect("opened");
    let account = ingest.run(source, &[file], &Silent).await.expect("landed").total();
    assert_eq!(account.landed + account.duplicate, account.read);
}

/// Return, its order's channel if it is known, by return.
async fn returns(lake: &Lake) -> Vec<String> {
    let state = lake.state(&RETURN_LINE).await.expect("a state");
    let mut found = Vec::new();
    for file in &state.files {
        for rows in lake.read(&state, file, None).await.expect("read") {
            let (ids, channels) =
                (texts(&rows, "return_id").expect("texts"), texts(&rows, "sale_channel_id").expect("texts"));
            let known = flags(&rows, "is_sale_known").expect("flags");
            let told = |row| format!("{} {:?} {}", ids.value(row), text_at(channels, row), known.value(row));
            found.extend((0..rows.num_rows()).map(told));
        }
    }
    found.sort();
    found
}

/// How many requests it takes to land a sale whose return is in one of so many files.
async fn requests(files: usize) -> u64 {
    let ((ingest, store), folder) = (ingest().await, tempfile::tempdir().expect("a folder"));
    for n in 0..files {
        land(&ingest, folder.path(), "returns", &format!("r{n:02},o{n:02}\n")).await;
    }
    let before = store.made();
    land(&ingest, folder.path(), "orders", "o00,1\n").await;
    let made = store.made() - before;
    assert_eq!(returns(&ingest.lake).await[0], "r00 Some(\"web\") true");
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_of_other_orders_are_not_read() {
    let (few, many) = (requests(2).await, requests(22).await);
    // A file more may be a request more for other reasons; reading each would be twenty.
    assert!(many < few + 10, "{many} requests with 22 files of returns, {few} with 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_returns_whose_sale_changes_are_written() {
    let ((ingest, _), folder) = (ingest().await, tempfile::tempdir().expect("a folder"));
    land(&ingest, folder.path(), "returns", "r1,a\nr2,b\nr3,e\nr4,a\n").await;
    land(&ingest, folder.path(), "orders", "a,1\nc,1\n").await;
    let known = "Some(\"web\") true";
    let first = [format!("r1 {known}"), "r2 None false".into(), "r3 None false".into(), format!("r4 {known}")];
    assert_eq!(returns(&ingest.lake).await, first);
    let version = async || ingest.lake.state(&RETURN_LINE).await.expect("a state").version;
    let before = version().await;
    land(&ingest, folder.path(), "orders", "d,1\na,1\n").await;
    assert_eq!((version().await, returns(&ingest.lake).await), (before, first.to_vec()), "nothing that returns take");
    land(&ingest, folder.path(), "orders", "b,1\n").await;
    assert_eq!(returns(&ingest.lake).await[1], format!("r2 {known}"));
}

#[test]
fn files_are_left_out_by_their_order_ids() {
    let file = |min: Option<&str>, max: Option<&str>, nulls| {
        let text = |t: Option<&str>| t.map(|t| Stat::Text(t.into()));
        let stats = ColumnStats { min: text(min), max: text(max), nulls: Some(nulls) };
        DataFile {
            path: "p".into(),
            location: "p".into(),
            size: 1,
            modified_ms: 0,
            month: None,
            rows: 3,
            stats: [("order_id".to_string(), stats)].into(),
        }
    };
    let mut orders = Orders::default();
    orders.insert(order_key("shop", "m"), "m");
    assert!(orders.may_be_in(&file(Some("a"), Some("m"), 0)) && !orders.may_be_in(&file(Some("n"), Some("z"), 0)));
    assert!(!orders.may_be_in(&file(None, None, 3)), "blind returns only");
    assert!(orders.may_be_in(&file(None, None, 2)), "texts that are too long for statistics");
    (0..=MOST_IDS).for_each(|n| orders.insert(n as u128, &format!("a{n}")));
    assert!(orders.ids.is_empty() && orders.may_be_in(&file(Some("n"), Some("z"), 0)), "too many to tell");
}
