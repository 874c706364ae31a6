//! The four ingest sentences as properties: files shuffled, split, repeated and interleaved, with new, equal, older and
//! conflicting versions, tombstones first, rows that move to another month and late dimensions (D19, D20, D22).

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use saleslake::app::App;
use saleslake::ingest::{Filter, InputFile};

use crate::common::{self, Answer, Silent, sql};

const ORDERS: &str = r#"-- ---
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
-- ---
-- into = "order_line"
SELECT order_no AS order_id, line AS order_line_id, CAST(version AS BIGINT) AS source_version,
       local_time(sold, '%Y-%m-%d') AS created_at, sku, CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(price AS DECIMAL(18,4)) AS unit_price, currency, gone = 'y' AS is_deleted, place AS location_id
FROM raw;
-- into = "product", reference = true
SELECT sku, 'Product ' || sku AS product_name, CAST(version AS BIGINT) AS source_version FROM raw;
"#;

const RETURNS: &str = r#"-- ---
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
"#;

const ORDER_HEAD: &str = "order_no,line,version,sold,sku,qty,price,currency,gone,place";
const RETURN_HEAD: &str = "return_no,order_no,line,version,back,sku,qty,amount";

/// An app whose only extra sources are the two above.
async fn app(queries: &Path) -> App {
    let dir = queries.join("sources");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("orders.sql"), ORDERS).unwrap();
    std::fs::write(dir.join("returns.sql"), RETURNS).unwrap();
    let mut config = common::config();
    config.queries_dir = Some(queries.to_path_buf());
    App::open(config, common::clock()).await.unwrap()
}

/// One file to land: source and lines without the header.
#[derive(Debug, Clone)]
struct Delivery {
    source: &'static str,
    lines: Vec<String>,
}

async fn deliver(app: &App, dir: &Path, deliveries: &[Delivery]) {
    for (i, d) in deliveries.iter().enumerate().filter(|(_, d)| !d.lines.is_empty()) {
        let path = dir.join(format!("{}-{i}.csv", d.source));
        let head = if d.source == "orders" { ORDER_HEAD } else { RETURN_HEAD };
        std::fs::write(&path, format!("{head}\n{}\n", d.lines.join("\n"))).unwrap();
        account_adds_up(app, d.source, &[path], d.lines.len() as u64).await;
    }
    app.engine.refresh().await.unwrap();
}

/// Sentence 1: per file, in records, read = landed + duplicate + late-ignored + skipped + quarantined.
async fn account_adds_up(app: &App, source: &str, paths: &[PathBuf], lines: u64) {
    let files: Vec<InputFile> = paths.iter().map(|p| InputFile::open(p, p.to_string_lossy()).unwrap()).collect();
    let account = app.ingest().unwrap().run(source, &files, &Silent).await.unwrap();
    for f in account.files.iter().filter(|f| !f.already) {
        assert_eq!(f.read, lines, "{account}");
        assert_eq!(f.read, f.landed + f.duplicate + f.late_ignored + f.skipped + f.quarantined, "{account}");
    }
}

/// What must be equal: the tables without bookkeeping columns, and who waits in quarantine for which rule.
async fn state(app: &App) -> Vec<Answer> {
    let mut tables = Vec::new();
    for (table, columns) in [
        (
            "order_line",
            "order_id, order_line_id, source_version, content_hash, is_deleted, business_date, business_month, sku, quantity, \
            unit_price, net_amount, net_amount_rc, currency, fx_rate, location_id, product_id",
        ),
        (
            "return_line",
            "return_id, order_id, order_line_id, source_version, content_hash, business_date, business_month, quantity, \
            refund_net_amount, refund_net_amount_rc, sale_channel_id, sale_location_id, order_business_date, is_sale_known",
        ),
        ("product", "product_id, source_version, product_name, content_hash"),
    ] {
        tables.push(sql(app, &format!("SELECT {columns} FROM base.{table} ORDER BY {columns}")).await);
    }
    // Every delivery quarantines the records of its own files: what counts is which records wait, and for which rule.
    let held = "SELECT DISTINCT table_name, rule, CASE WHEN rule = 'V19' THEN value ELSE raw END AS what FROM base.quarantine \
        WHERE resolved_at IS NULL ORDER BY 1, 2, 3";
    tables.push(sql(app, held).await);
    tables
}

async fn keys_are_unique(app: &App) {
    for table in ["order_line", "return_line", "product"] {
        let twice =
            sql(app, &format!("SELECT row_key, count(*) FROM base.{table} GROUP BY 1 HAVING count(*) > 1")).await;
        assert!(twice.rows.is_empty(), "{table} holds a key twice: {twice:?}");
    }
}

fn order_line() -> impl Strategy<Value = String> {
    let sold = prop::sample::select(vec!["2026-01-30", "2026-01-31", "2026-02-01", "2026-03-15"]);
    (
        0..6u8,
        1..3u8,
        0..3u8,
        sold,
        0..4u8,
        prop::sample::select(vec!["1", "2", "3", "-1", "x"]),
        prop::bool::weighted(0.15),
        0..3u8,
    )
        .prop_map(|(order, line, version, sold, sku, qty, gone, place)| {
            let place = if place == 0 { String::new() } else { format!("S{place}") };
            format!(
                "O{order},{line},{version},{sold},sku{sku},{qty},10.50,GBP,{},{place}",
                if gone { "y" } else { "n" }
            )
        })
}

fn return_line() -> impl Strategy<Value = String> {
    let back = prop::sample::select(vec!["2026-02-10", "2026-03-20"]);
    (0..5u8, 0..7u8, 1..3u8, 0..3u8, back, 1..3u8).prop_map(|(ret, order, line, version, back, qty)| {
        format!("R{ret},O{order},{line},{version},{back},sku1,{qty},{}.25", qty * 10)
    })
}

/// The same records as deliveries of one file each kind, and as another split, order and repetition of the same records.
fn deliveries() -> impl Strategy<Value = (Vec<Delivery>, Vec<Delivery>)> {
    (prop::collection::vec(order_line(), 1..25), prop::collection::vec(return_line(), 0..10)).prop_flat_map(
        |(orders, returns)| {
            let straight = vec![
                Delivery { source: "orders", lines: orders.clone() },
                Delivery { source: "returns", lines: returns.clone() },
            ];
            let (n, m) = (orders.len(), returns.len());
            let orders = Just(orders).prop_shuffle();
            let returns = Just(returns).prop_shuffle();
            (
                Just(straight),
                orders,
                returns,
                prop::collection::vec(0..3usize, n),
                prop::collection::vec(0..2usize, m),
                0..n,
                any::<bool>(),
            )
                .prop_map(|(straight, orders, returns, file_of, return_file_of, repeat, returns_first)| {
                    let mut split: Vec<Delivery> =
                        (0..3).map(|k| Delivery { source: "orders", lines: pick(&orders, &file_of, k) }).collect();
                    split[2].lines.push(orders[repeat].clone());
                    let back: Vec<Delivery> = (0..2)
                        .map(|k| Delivery { source: "returns", lines: pick(&returns, &return_file_of, k) })
                        .collect();
                    let [a, b, c]: [Delivery; 3] = split.try_into().unwrap();
                    let [r, s]: [Delivery; 2] = back.try_into().unwrap();
                    (straight, if returns_first { vec![r, a, b, s, c] } else { vec![a, r, b, c, s] })
                })
        },
    )
}

fn pick(lines: &[String], file_of: &[usize], k: usize) -> Vec<String> {
    lines.iter().zip(file_of).filter(|(_, f)| **f == k).map(|(l, _)| l.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Sentences 2 and 3: arrival changes nothing; landing everything again changes nothing.
    #[test]
    fn arrival_order_splits_and_repeats_change_nothing((straight, shuffled) in deliveries()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let dir = tempfile::tempdir().unwrap();
            let (one, two) = (app(&dir.path().join("q1")).await, app(&dir.path().join("q2")).await);
            let (d1, d2, d3) = (dir.path().join("1"), dir.path().join("2"), dir.path().join("3"));
            for d in [&d1, &d2, &d3] {
                std::fs::create_dir_all(d).unwrap();
            }
            deliver(&one, &d1, &straight).await;
            deliver(&two, &d2, &shuffled).await;
            let first = state(&one).await;
            assert_eq!(first, state(&two).await, "the order of arrival changed the tables");
            keys_are_unique(&one).await;
            keys_are_unique(&two).await;
            deliver(&one, &d3, &shuffled).await;
            assert_eq!(first, state(&one).await, "landing the same records again changed the tables");
        });
    }
}

/// Sentence 4: a quarantined record is there with its file, line, field, value, rule and raw content.
#[tokio::test(flavor = "multi_thread")]
async fn a_quarantined_record_is_kept_whole() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path()).await;
    let path = dir.path().join("orders-dirty.csv");
    let bad = "O1,2,0,2026-01-30,sku1,many,10.50,GBP,n,";
    std::fs::write(&path, format!("{ORDER_HEAD}\nO1,1,0,2026-01-30,sku1,1,10.50,GBP,n,\n{bad}\nO1,3,0,2026-01-30,sku1,-4,10.50,GBP,n,\nshort,row\n")).unwrap();
    account_adds_up(&app, "orders", std::slice::from_ref(&path), 4).await;
    let held = waiting(&app).await;
    let told: Vec<Vec<&str>> = held.rows.iter().map(|r| r[..5].iter().map(String::as_str).collect()).collect();
    assert_eq!(told[0], ["3", "V01", "quantity", "many", bad]);
    assert_eq!(told[1][..3], ["4", "V03", "quantity"]);
    assert_eq!(told[2][..2], ["5", "V00"]);
    assert!(held.rows.iter().all(|r| r[5].ends_with("orders-dirty.csv")));
}

/// What still waits in quarantine: line, rule, field, value, raw, file, by line.
async fn waiting(app: &App) -> Answer {
    let filter = Filter { resolved: Some(false), ..Default::default() };
    let held = app.ingest().unwrap().quarantined(&filter).await.unwrap();
    let columns = held.schema().fields().iter().map(|f| f.name().clone()).collect();
    let mut answer = Answer::of(&[held], columns).select(&["line", "rule", "field", "value", "raw", "file"]);
    answer.rows.iter_mut().for_each(|r| r[4] = r[4].trim_end().to_string());
    answer.rows.sort_by_key(|r| r[0].parse::<i64>().unwrap());
    answer
}

/// Records wait for a rate, and land by themselves when it comes (V18); a later rate changes nothing that has landed (D33).
#[tokio::test(flavor = "multi_thread")]
async fn records_wait_for_their_rate() {
    let dir = tempfile::tempdir().unwrap();
    let app = app(dir.path()).await;
    let sources = dir.path().join("sources");
    std::fs::write(sources.join("rates.sql"), RATES).unwrap();
    let orders = dir.path().join("orders-eur.csv");
    std::fs::write(&orders, format!("{ORDER_HEAD}\nO1,1,0,2026-01-30,sku1,2,10.00,EUR,n,\n")).unwrap();
    account_adds_up(&app, "orders", std::slice::from_ref(&orders), 1).await;
    app.engine.refresh().await.unwrap();
    assert_eq!(sql(&app, "SELECT count(*) FROM base.order_line").await.rows[0][0], "0");

    let rates = dir.path().join("rates.csv");
    std::fs::write(&rates, "day,base,quote,rate\n2026-01-30,EUR,GBP,0.85\n").unwrap();
    account_adds_up(&app, "rates", &[rates], 1).await;
    app.engine.refresh().await.unwrap();
    assert_eq!(sql(&app, "SELECT net_amount_rc FROM base.order_line").await.rows[0][0], "17.0000");
    let waiting = waiting(&app).await;
    assert!(waiting.rows.is_empty(), "{waiting:?}");

    let later = dir.path().join("rates2.csv");
    std::fs::write(&later, "day,base,quote,rate,v\n2026-01-30,EUR,GBP,0.95,1\n").unwrap();
    account_adds_up(&app, "rates", &[later], 1).await;
    account_adds_up(&app, "orders", &[orders], 1).await;
    app.engine.refresh().await.unwrap();
    assert_eq!(sql(&app, "SELECT net_amount_rc FROM base.order_line").await.rows[0][0], "17.0000");
}

const RATES: &str = r#"-- ---
-- title = { en = "Rates", zh = "汇率" }
-- about = "Exchange rates."
-- order = 1
-- [read]
-- path = "rates/*.csv"
-- format = "csv"
-- optional = ["v"]
-- ---
-- into = "fx_rate"
SELECT date_of(day, '%Y-%m-%d') AS rate_date, base AS base_currency, quote AS quote_currency, CAST(rate AS DECIMAL(18,8)) AS rate,
       coalesce(CAST(v AS BIGINT), 0) AS source_version
FROM raw;
"#;
