//! One person who buys in several channels is one customer (domain 3.2): what identifiers say is written into the rows of every
//! table that names a customer, whichever came first; it is asked about where it is no proof, taken back with its rows, and
//! kept version by version.

use std::sync::LazyLock;
use std::time::Duration;

use saleslake::access::Caller;
use saleslake::clock::Clock;
use saleslake::encode::{self, Format};
use saleslake::error::Error;
use saleslake::reports::{Reports, Request, Wanted};

use crate::exactly_once::world::{Layouts, World};

const IDS: &str = r#"-- ---
-- source_system = "crm"
-- [read]
-- path = "ids/*.csv"
-- format = "csv"
-- ---
-- into = "customer_identity"
SELECT customer AS customer_key, type AS id_type, value AS id_value, nullif(hash, '') AS id_value_hash, channel AS channel_id,
       instant(since) AS first_seen, CAST(sure AS DECIMAL(9,6)) AS confidence, CAST(rev AS BIGINT) AS source_version,
       CAST(gone AS BOOLEAN) AS is_deleted
FROM raw;
"#;
const ORDERS: &str = r#"-- ---
-- source_system = "shop"
-- [read]
-- path = "orders/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "web"
-- currency = "GBP"
-- tz = "UTC"
-- ---
-- into = "order_line"
SELECT no AS order_id, '1' AS order_line_id, instant('2026-01-30T10:00:00Z') AS created_at, 'sku' AS sku,
       CAST(price AS DECIMAL(18,4)) AS unit_price, buyer AS customer_key
FROM raw;
"#;
const SAID: &str = r#"-- ---
-- source_system = "shop"
-- [read]
-- path = "said/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "web"
-- tz = "UTC"
-- ---
-- into = "feedback"
SELECT no AS feedback_id, 'complaint' AS feedback_type, buyer AS customer_key, instant('2026-02-02T10:00:00Z') AS opened_at
FROM raw;
"#;

static LAYOUTS: LazyLock<Layouts> = LazyLock::new(|| {
    Layouts::new(&[
        ("ids", "customer,type,value,hash,channel,since,sure,rev,gone", IDS),
        ("orders", "no,buyer,price", ORDERS),
        ("said", "no,buyer", SAID),
    ])
});
/// What must not depend on arrival.
const TABLES: &[&str] = &["order_line", "feedback", "customer_identity"];

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|l| l.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_in_two_channels_is_one_customer() {
    let ids = lines(&[
        "web-7,email_hash,Ada@Example.com,,,2025-03-01T00:00:00Z,1,0,false",
        "pos-3,email_hash,ada@example.com,,,2024-03-01T00:00:00Z,1,0,false",
        // The same device, a guess, an id of another platform's: nobody is one because of these.
        "web-7,device_id,phone-1,,,2025-03-01T00:00:00Z,1,0,false",
        "web-8,device_id,phone-1,,,2025-03-01T00:00:00Z,1,0,false",
        "web-8,phone_hash,+44 20 7946 0001,,,2025-03-01T00:00:00Z,0.8,0,false",
        "web-9,phone_hash,0044 20 7946 0001,,,2025-03-01T00:00:00Z,1,0,false",
        "web-8,platform_uid,77,,web,2025-03-01T00:00:00Z,1,0,false",
        "eu-1,platform_uid,77,,market_eu,2025-03-01T00:00:00Z,1,0,false",
    ]);
    let orders = lines(&["O1,pos-3,7.00", "O2,web-7,3.00", "O3,web-8,5.00", "O4,,1.00"]);
    let said = lines(&["F1,web-7", "F2,web-8"]);
    let deliveries = [("ids", &ids), ("orders", &orders), ("said", &said), ("orders", &orders)];
    let mut states = Vec::new();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0]] {
        let world = World::with_views(&LAYOUTS).await;
        for at in order {
            let (source, records) = deliveries[at];
            world.land(source, std::slice::from_ref(records)).await;
        }
        let sales = "SELECT coalesce(customer_key, '-'), CAST(sum(net_rc) AS DECIMAL(18,2)), count(DISTINCT sale_order_id) \
            FROM sales_event GROUP BY 1 ORDER BY 1";
        assert_eq!(
            world.sql(sales).await.rows,
            [["-", "1.00", "1"], ["pos-3", "10.00", "2"], ["web-8", "5.00", "1"]],
            "{order:?}"
        );
        let given = "SELECT feedback_id, customer_key, customer_given FROM base.feedback ORDER BY 1";
        assert_eq!(world.sql(given).await.rows, [["F1", "pos-3", "web-7"], ["F2", "web-8", "NULL"]], "{order:?}");
        let now = "SELECT customer_key, canonical_customer_key, match_rule, version FROM customer_key_now";
        assert_eq!(world.sql(now).await.rows, [["web-7", "pos-3", "same_identifier", "1"]], "{order:?}");
        let review = "SELECT reason, customer_key, customers FROM customer_identity_review ORDER BY 1, 2";
        let asked = [
            ["device", "web-7", "2"],
            ["device", "web-8", "2"],
            ["low_confidence", "web-8", "2"],
            ["low_confidence", "web-9", "2"],
        ];
        assert_eq!(world.sql(review).await.rows, asked, "{order:?}");
        states.push(world.state(TABLES).await);

        world.land("ids", &[lines(&["web-7,email_hash,ada@example.com,,,2025-03-01T00:00:00Z,1,1,true"])]).await;
        let marks = "SELECT count(*) FROM base.order_line WHERE customer_given IS NOT NULL OR customer_key = 'pos-3' AND order_id = 'O2'";
        assert_eq!(world.sql(marks).await.rows[0][0], "0", "rows are as their sources gave them again");
        let versions = "SELECT version, canonical_customer_key, match_rule FROM base.customer_key_history ORDER BY 1";
        let expected = [["1", "pos-3", "same_identifier"], ["2", "web-7", "withdrawn"]];
        assert_eq!(world.sql(versions).await.rows, expected, "{order:?}");
        assert!(world.sql(now).await.rows.is_empty());
    }
    assert_eq!(states[0], states[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_placeholder_is_asked_about_and_a_replay_changes_nothing() {
    let world = World::with_views(&LAYOUTS).await;
    let shared = |n: usize| format!("web-{n:02},email_hash,till@example.com,,,2025-03-01T00:00:00Z,1,0,false");
    let hashed = "0123456789abcdef0123456789abcdef";
    let mut ids: Vec<String> = (1..=11).map(shared).collect();
    ids.extend(["web-01", "pos-1"].map(|key| format!("{key},loyalty_no,,{hashed},,2025-03-01T00:00:00Z,1,0,false")));
    // Not hashed, and of a platform without its channel.
    ids.extend(["web-02,phone_hash,,02079460001,,2025-03-01T00:00:00Z,1,0,false".to_string()]);
    ids.extend(["web-02,wechat_openid,o-77,,,2025-03-01T00:00:00Z,1,0,false".to_string()]);
    world.land("orders", &[lines(&["O1,web-01,7.00", "O2,pos-1,3.00", "O3,web-02,3.00"])]).await;
    world.land("ids", &[ids]).await;
    let buyers = "SELECT order_id, customer_key FROM base.order_line ORDER BY 1";
    let merged = [["O1", "pos-1"], ["O2", "pos-1"], ["O3", "web-02"]];
    assert_eq!(world.sql(buyers).await.rows, merged, "equal since when: the smaller key");
    let review = "SELECT reason, count(*), min(customers) FROM customer_identity_review GROUP BY 1";
    assert_eq!(world.sql(review).await.rows, [["placeholder", "11", "11"]]);
    let waiting = world.waiting().await.rows;
    let stopped: Vec<_> = waiting.iter().map(|row| [row[1].as_str(), row[2].as_str(), row[3].as_str()]).collect();
    assert_eq!(stopped, [["V20", "id_value_hash", "NULL"], ["V01", "channel_id", ""]]);
    assert!(waiting.iter().all(|row| !row[4].contains("7946") && !row[4].contains("o-77")), "{waiting:?}");

    let before = world.state(TABLES).await;
    world.replay("orders").await;
    world.replay("ids").await;
    assert_eq!(world.sql(buyers).await.rows, merged);
    assert_eq!(world.state(TABLES).await, before);
    let versions = "SELECT customer_key, version FROM base.customer_key_history";
    assert_eq!(world.sql(versions).await.rows, [["web-01", "1"]], "no version twice");
}

/// A report that is asked what was known before a merge finds the customers of that time.
#[tokio::test(flavor = "multi_thread")]
async fn known_at_an_earlier_instant_they_were_two() {
    let world = World::with_views(&LAYOUTS).await;
    world.land("orders", &[lines(&["O1,pos-3,7.00", "O2,web-7,3.00"])]).await;
    let instant = async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = Clock::system().now().to_rfc3339();
        tokio::time::sleep(Duration::from_millis(100)).await;
        now
    };
    let two = instant().await;
    let same = ["web-7", "pos-3"].map(|key| format!("{key},email_hash,a@example.com,,,2025-03-01T00:00:00Z,1,0,false"));
    world.land("ids", &[same.to_vec()]).await;
    world.engine.refresh().await.expect("refresh");
    let only = Wanted::Only(["top-customers".to_string()].into());
    let reports = Reports::load(None, &world.engine, &only).await.expect("a report");
    let ask = async |known_at: &str| {
        let values = [("from", "2026-01-01"), ("to", "2026-03-01"), ("known_at", known_at)];
        let values = values.iter().filter(|(_, value)| !value.is_empty());
        let values = values.map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let run = reports.run("top-customers", Request { values }, &Caller::local()).await?;
        assert_eq!(run.receipt.known_at.is_some(), !known_at.is_empty());
        let mut csv = Vec::new();
        encode::write(run.rows, Format::Csv, &mut csv, &encode::Options::default()).await.expect("encoded");
        let csv = String::from_utf8(csv).expect("UTF-8");
        Ok::<_, Error>(["pos-3", "web-7"].map(|key| csv.contains(key)))
    };
    assert_eq!(ask("").await.expect("an answer"), [true, false]);
    assert_eq!(ask(&two).await.expect("an answer"), [true, true], "known at {two}");
    let later = instant().await;
    assert_eq!(ask(&later).await.expect("an answer"), [true, false]);
    let error = ask("2020-01-01").await.expect_err("before there was a lake");
    assert!(error.message().contains("2020-01-01") && error.hint_text().is_some(), "{error}");
    let error = ask("long ago").await.expect_err("no instant");
    assert!(error.message().contains("known_at") && error.message().contains("long ago"), "{error}");
}
