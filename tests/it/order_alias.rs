//! Orders of two systems that may be one (D21): asked, never left out, and answered by a landed alias.

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
       who AS decided_by
FROM raw;
"#;

static LAYOUTS: LazyLock<Layouts> = LazyLock::new(|| {
    Layouts::new(&[
        ("market", HEAD, MARKET),
        ("erp", HEAD, MARKET),
        ("aliases", "system,order_no,canonical,at,who", ALIASES),
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

    let one = ["erp,E1,C1,2026-02-01T00:00:00Z,Ada", "market,M1,C1,2026-02-01T00:00:00Z,Ada"];
    world.land("aliases", &[lines(&one)]).await;
    assert!(world.sql(pairs).await.rows.is_empty(), "answered");
    let aliases =
        "SELECT source_system, source_order_id, match_rule, confidence, decided_by FROM base.order_alias ORDER BY 1";
    let expected = [["erp", "E1", "manual", "1.000000", "Ada"], ["market", "M1", "manual", "1.000000", "Ada"]];
    assert_eq!(world.sql(aliases).await.rows, expected);
}
