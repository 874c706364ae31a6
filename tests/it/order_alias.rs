//! Orders of two systems that may be one (D21): asked, never left out, and answered by a landed alias or by one external
//! number; what is decided is written into the orders' rows, whichever came first, and taken back with the decision.

use std::sync::LazyLock;

use crate::exactly_once::world::{Layouts, World};

const HEAD: &str = "order_no,line,made,price,buyer";
const MARKET: &str = r#"-- ---
-- [read]
-- path = "market/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "web"
-- currency = "GBP"
-- tz = "UTC"
-- ---
-- into = "order_line"
SELECT order_no AS order_id, line AS order_line_id, instant(made) AS created_at, 'sku' AS sku,
       CAST(price AS DECIMAL(18,4)) AS unit_price, buyer AS customer_key
FROM raw;
"#;
const ALIASES: &str = r#"-- ---
-- [read]
-- path = "aliases/*.csv"
-- format = "csv"
-- ---
-- into = "order_alias"
SELECT system AS source_system, order_no AS source_order_id, canonical AS canonical_order_id, instant(at) AS decided_at,
       who AS decided_by, CAST(rev AS BIGINT) AS source_version, CAST(gone AS BOOLEAN) AS is_deleted
FROM raw;
"#;
const HEADERS: &str = r#"-- ---
-- [read]
-- path = "heads/*.csv"
-- format = "csv"
-- [defaults]
-- currency = "GBP"
-- tz = "UTC"
-- ---
-- into = "order_header"
SELECT system AS source_system, order_no AS order_id, channel AS channel_id, number AS external_order_no,
       CAST(rev AS BIGINT) AS source_version, CAST(priority AS INT) AS source_priority,
       instant('2026-01-30T10:00:00Z') AS created_at, CAST('10' AS DECIMAL(18,4)) AS order_total_amount
FROM raw;
"#;
const RETURNS: &str = r#"-- ---
-- [read]
-- path = "returns/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "web"
-- currency = "GBP"
-- tz = "UTC"
-- ---
-- into = "return_line"
SELECT return_no AS return_id, '1' AS return_line_id, system AS source_system, order_no AS order_id, '1' AS order_line_id,
       instant('2026-02-02T10:00:00Z') AS refunded_at, CAST('1' AS DECIMAL(18,3)) AS quantity,
       CAST('5' AS DECIMAL(18,4)) AS refund_net_amount
FROM raw;
"#;
/// What is written into the facts.
const FACTS: &[&str] = &["order_line", "order_header", "return_line", "order_alias"];

static LAYOUTS: LazyLock<Layouts> = LazyLock::new(|| {
    Layouts::new(&[
        ("market", HEAD, MARKET),
        ("erp", HEAD, MARKET),
        ("aliases", "system,order_no,canonical,at,who,rev,gone", ALIASES),
        ("heads", "system,order_no,channel,number,rev,priority", HEADERS),
        ("returns", "return_no,system,order_no", RETURNS),
    ])
});

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|l| l.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn d21_the_same_order_from_two_systems_is_a_question() {
    let world = World::with_views(&LAYOUTS).await;
    let market = [
        "M1,1,2026-01-30T10:00:00Z,7.00,ada",
        "M1,2,2026-01-30T10:00:00Z,3.00,ada",
        "M2,1,2026-01-30T10:00:00Z,10.00,bob",
        "M3,1,2026-01-30T10:00:00Z,10.00,",
        "M4,1,2026-01-30T10:00:00Z,10.00,eve",
    ];
    let erp = [
        // One line of 10.00 is as much as 7.00 and 3.00, five minutes later to the second.
        "E1,1,2026-01-30T10:05:00Z,10.00,ada",
        // A second too late, an unknown buyer, another amount.
        "E2,1,2026-01-30T10:05:01Z,10.00,bob",
        "E3,1,2026-01-30T10:00:00Z,10.00,",
        "E4,1,2026-01-30T10:00:00Z,10.01,eve",
    ];
    world.land("market", &[lines(&market)]).await;
    world.land("erp", &[lines(&erp)]).await;
    let pairs =
        "SELECT source_system, order_id, other_source_system, other_order_id, total_amount FROM order_alias_candidate";
    assert_eq!(world.sql(pairs).await.rows, [["erp", "E1", "market", "M1", "10.0000"]]);
    let counted = "SELECT count(DISTINCT canonical_order_id) FROM base.order_line WHERE is_primary";
    assert_eq!(world.sql(counted).await.rows[0][0], "8", "a question leaves nothing out");

    let one = ["erp,E1,C1,2026-02-01T00:00:00Z,Ada,0,false", "market,M1,C1,2026-02-01T00:00:00Z,Ada,0,false"];
    world.land("aliases", &[lines(&one)]).await;
    assert!(world.sql(pairs).await.rows.is_empty(), "answered");
    assert_eq!(world.sql(counted).await.rows[0][0], "7", "one order is counted once");
    let aliases =
        "SELECT source_system, source_order_id, match_rule, confidence, decided_by FROM base.order_alias ORDER BY 1";
    let expected = [["erp", "E1", "manual", "1.000000", "Ada"], ["market", "M1", "manual", "1.000000", "Ada"]];
    assert_eq!(world.sql(aliases).await.rows, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn d21_what_is_decided_is_written_into_the_rows_whichever_came_first() {
    let market = lines(&["M1,1,2026-01-30T10:00:00Z,7.00,ada", "M1,2,2026-01-30T10:00:00Z,3.00,ada"]);
    let erp = lines(&["E1,1,2026-01-30T10:05:00Z,10.00,ada", "E2,1,2026-01-30T11:00:00Z,4.00,bob"]);
    let returns = lines(&["R1,market,M1", "R2,erp,E1"]);
    let one = lines(&["erp,E1,C1,2026-02-01T00:00:00Z,Ada,0,false", "market,M1,C1,2026-02-01T00:00:00Z,Ada,0,false"]);
    let deliveries =
        [("market", &market), ("erp", &erp), ("returns", &returns), ("aliases", &one), ("market", &market)];
    let mut states = Vec::new();
    for order in [[0, 1, 2, 3, 4], [3, 2, 1, 0, 4], [0, 3, 4, 2, 1]] {
        let world = World::open(&LAYOUTS).await;
        for at in order {
            let (source, records) = deliveries[at];
            world.land(source, std::slice::from_ref(records)).await;
        }
        let sql = "SELECT source_system, order_id, canonical_order_id, is_primary FROM base.order_line \
            GROUP BY 1, 2, 3, 4 ORDER BY 1, 2";
        let rows = world.sql(sql).await.rows;
        // Nobody says which system comes first, so it is the first by name.
        let expected = [["erp", "E1", "C1", "true"], ["erp", "E2", "erp:E2", "true"], ["market", "M1", "C1", "false"]];
        assert_eq!(rows, expected, "{order:?}");
        let back = world.sql("SELECT return_id, is_primary FROM base.return_line ORDER BY 1").await.rows;
        assert_eq!(back, [["R1", "false"], ["R2", "true"]], "returns count as their order does");
        states.push(world.state(FACTS).await);

        let gone =
            lines(&["erp,E1,C1,2026-02-03T00:00:00Z,Ada,1,true", "market,M1,C1,2026-02-03T00:00:00Z,Ada,1,true"]);
        world.land("aliases", &[gone]).await;
        let marks = "SELECT count(*) FROM base.order_line WHERE as_given IS NOT NULL OR NOT is_primary";
        assert_eq!(world.sql(marks).await.rows[0][0], "0", "rows are as their sources gave them again");
    }
    assert_eq!(states[0], states[1]);
    assert_eq!(states[0], states[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn d21_orders_with_one_number_in_a_channel_are_one() {
    let market = lines(&["M1,1,2026-01-30T10:00:00Z,7.00,ada", "M2,1,2026-01-30T10:00:00Z,3.00,bob"]);
    let erp = lines(&["E1,1,2026-01-31T10:00:00Z,7.50,", "E2,1,2026-01-31T10:00:00Z,3.00,"]);
    let heads = [
        // One number and one channel, though amounts and buyers differ; one number in two channels is a coincidence.
        "market,M1,web,N1,1,10",
        "erp,E1,web,N1,1,20",
        "market,M2,web,N2,1,10",
        "erp,E2,b2b,N2,1,20",
    ];
    let counted = "SELECT source_system, order_id, canonical_order_id, is_primary FROM base.order_line ORDER BY 1, 2";
    let one = [
        ["erp", "E1", "market:M1", "false"],
        ["erp", "E2", "erp:E2", "true"],
        ["market", "M1", "market:M1", "true"],
        ["market", "M2", "market:M2", "true"],
    ];
    let world = World::open(&LAYOUTS).await;
    world.land("heads", &[lines(&heads)]).await;
    world.land("erp", std::slice::from_ref(&erp)).await;
    let alone = world.sql(counted).await.rows;
    assert_eq!(alone[0], ["erp", "E1", "erp:E1", "true"], "an order without lines counts for none that has some");
    world.land("market", std::slice::from_ref(&market)).await;
    assert_eq!(world.sql(counted).await.rows, one);
    let other = World::open(&LAYOUTS).await;
    for (source, records) in [("market", market), ("erp", erp), ("heads", lines(&heads))] {
        other.land(source, &[records]).await;
    }
    assert_eq!(other.state(FACTS).await, world.state(FACTS).await);

    // The number was a mistake.
    world.land("heads", &[lines(&["erp,E1,web,N9,2,20"])]).await;
    let rows = world.sql(counted).await.rows;
    assert_eq!(rows[0], ["erp", "E1", "erp:E1", "true"]);
    let marks = "SELECT count(*) FROM base.order_header WHERE as_given IS NOT NULL";
    assert_eq!(world.sql(marks).await.rows[0][0], "0");
}
