//! A replay after a definition changed = landing everything into a new lake by the new definition: the strongest thing that can
//! be said of it. And records that wait: retried by a mended definition, discarded for good.

use std::sync::LazyLock;

use proptest::prelude::*;
use saleslake::error::ErrorKind;
use saleslake::ingest::{Filter, Silent};

use super::arrival::{ORDERS, RETURNS, deliveries};
use super::ordinals::{RATES, TILL, arrivals};
use super::world::{Layouts, World, cases, run};

static BEFORE: LazyLock<Layouts> = LazyLock::new(|| Layouts::new(&[ORDERS, RETURNS]));

/// What a definition may come to say: (a piece of it, what stands there then).
const CHANGES: &[&[(&str, &str)]] = &[
    // Values, versions as they were: no conflict between the mappings (V19).
    &[("CAST(price AS DECIMAL(18,4))", "CAST(price AS DECIMAL(18,4)) + 1")],
    // Nothing that the SELECTs give: the content's hash is the same.
    &[("channel_id = \"shop\"", "channel_id = \"web\"")],
    // Other keys: every row goes, and the returns lose their sales.
    &[("order_no AS order_id", "'N' || order_no AS order_id")],
    // Other months, and another system's time.
    &[("local_time(sold, '%Y-%m-%d')", "local_time(replace(sold, '2026-01-30', '2026-02-28'), '%Y-%m-%d')")],
    // Versions turned round: older rows come back.
    &[(
        "CAST(version AS BIGINT) AS source_version,\n       local",
        "2 - CAST(version AS BIGINT) AS source_version,\n       local",
    )],
    // What was refused is mended, what was a draft counts, what counted is left out.
    &[("CAST(qty AS", "CAST(replace(qty, 'x', '1') AS"), ("gone = 'd'", "gone = 'y'")],
    // What landed is refused now.
    &[("CAST(qty AS", "CAST(replace(qty, '2', 'two') AS")],
    // A table that is not fed any more.
    &[(
        "-- into = \"product\", reference = true\nSELECT sku, 'Product ' || sku AS product_name, CAST(version AS BIGINT) AS source_version FROM raw;\n",
        "",
    )],
];

static AFTER: LazyLock<Vec<Layouts>> = LazyLock::new(|| {
    let change = |pieces: &&[(&str, &str)]| {
        let mut sql = ORDERS.2.to_string();
        for (old, new) in pieces.iter() {
            assert!(sql.contains(old), "{old}");
            sql = sql.replace(old, new);
        }
        Layouts::new(&[(ORDERS.0, ORDERS.1, sql.as_str()), RETURNS])
    };
    CHANGES.iter().map(change).collect()
});
const TABLES: &[&str] = &["order_line", "return_line", "product"];

/// Every row of the audit adds up, and so do the sums over each file's rows, which are never below 0.
async fn the_audit_adds_up(world: &World) {
    let wrong = "SELECT source_file_id FROM base.ingest_file \
        WHERE \"read\" <> landed + duplicate + late_ignored + skipped + quarantined \
        UNION ALL \
        SELECT source_file_id FROM base.ingest_file GROUP BY 1 \
        HAVING least(sum(\"read\"), sum(landed), sum(duplicate), sum(late_ignored), sum(skipped), sum(quarantined)) < 0";
    assert!(world.sql(wrong).await.rows.is_empty(), "a file's account in the audit does not add up");
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn a_replay_is_a_new_lake_by_the_new_definition((_, deliveries) in deliveries(), change in 0..CHANGES.len()) {
        run(async {
            let (mut old, new) = (World::open(&BEFORE).await, World::open(&AFTER[change]).await);
            old.land_each(&deliveries).await;
            new.land_each(&deliveries).await;
            let before = old.state(TABLES).await;

            let versions = old.versions().await;
            let same = old.replay("orders").await;
            assert!(!same.changed, "the definition is the same: {same}");
            // Returns have taken columns from their sales since: that is no change.
            assert!(!old.replay("returns").await.changed);
            assert_eq!(old.versions().await, versions, "a replay by the same definition committed something");

            old.redefine(&AFTER[change]);
            let replayed = old.replay("orders").await;
            assert_eq!(old.state(TABLES).await, new.state(TABLES).await, "change {change}: {replayed}");
            old.rows_are_accounted_for(TABLES).await;
            the_audit_adds_up(&old).await;
            assert_eq!(old.ingest.outdated("orders").await.expect("counted"), 0);

            let versions = old.versions().await;
            assert!(!old.replay("orders").await.changed, "replaying twice is replaying once");
            assert_eq!(old.versions().await, versions);

            old.redefine(&BEFORE);
            old.replay("orders").await;
            assert_eq!(old.state(TABLES).await, before, "and back: change {change}");
            old.rows_are_accounted_for(TABLES).await;
            the_audit_adds_up(&old).await;
        });
    }
}

static TILLS: LazyLock<[Layouts; 2]> = LazyLock::new(|| {
    let mended = TILL.2.replace("CAST(qty AS", "CAST(replace(qty, 'x', '1') AS");
    assert_ne!(mended, TILL.2);
    [TILL.2, mended.as_str()].map(|sql| Layouts::new(&[(TILL.0, TILL.1, sql), RATES]))
});

proptest! {
    #![proptest_config(cases(10))]

    /// Where keys are made from content and counts, mended lines are counted among those that they now equal; some lines have
    /// waited for a rate meanwhile.
    #[test]
    fn a_replay_makes_keys_anew((_, deliveries) in arrivals()) {
        run(async {
            let tables = &["order_line", "return_line"];
            let (mut old, new) = (World::open(&TILLS[0]).await, World::open(&TILLS[1]).await);
            old.land_each(&deliveries).await;
            new.land_each(&deliveries).await;
            assert!(!old.replay("till").await.changed, "the definition is the same");
            old.redefine(&TILLS[1]);
            let replayed = old.replay("till").await;
            assert_eq!(old.state(tables).await, new.state(tables).await, "{replayed}");
            old.rows_are_accounted_for(tables).await;
            the_audit_adds_up(&old).await;
        });
    }
}

fn orders(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|l| l.to_string()).collect()
}

const GOOD: &str = "O1,1,0,2026-01-30,sku1,1,10.50,GBP,n,";
const MENDABLE: &str = "O1,2,0,2026-01-30,sku1,x,10.50,GBP,n,";
const HOPELESS: &str = "O1,3,0,2026-01-30,sku1,-1,10.50,GBP,n,";

/// Files that are gone stop a replay, which then changes nothing; found_only leaves their rows as they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_misses_files_that_are_gone() {
    let mut world = World::open(&BEFORE).await;
    world.land("orders", &[orders(&[GOOD]), orders(&["O2,1,0,2026-01-30,sku2,1,10.50,GBP,n,"])]).await;
    world.redefine(&AFTER[0]);
    let found = world.found("orders")[..1].to_vec();
    let versions = world.versions().await;
    let error = world.ingest.replay("orders", &found, false, &Silent).await.expect_err("a file is gone");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("orders-1.csv"), "{error}");
    assert_eq!(world.versions().await, versions);
    let replayed = world.ingest.replay("orders", &found, true, &Silent).await.expect("replayed");
    assert_eq!((replayed.missing.len(), replayed.account.tables["order_line"].replaced), (1, 1), "{replayed}");
    let prices = world.sql("SELECT order_id, unit_price FROM base.order_line ORDER BY 1").await;
    assert_eq!(prices.rows, [["O1", "11.5000"], ["O2", "10.5000"]]);
}

/// More rows than the memory that is set: refused by name, and nothing has changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_keeps_to_its_memory() {
    let world = World::open(&BEFORE).await;
    world.land("orders", &[orders(&[GOOD])]).await;
    let versions = world.versions().await;
    let small = world.ingest.clone().memory(0);
    let error = small.replay("orders", &world.found("orders"), false, &Silent).await.expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.hint_text().is_some_and(|h| h.contains("landing.memory_mb")), "{error}");
    assert_eq!(world.versions().await, versions);
}

/// Waiting records land by a mended definition without their file; others wait on, or are discarded with a reason and then stay
/// out whatever is replayed.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_records_are_retried_or_discarded() {
    let mut world = World::open(&BEFORE).await;
    world.land("orders", &[orders(&[GOOD, MENDABLE, HOPELESS])]).await;
    let held = "SELECT count(*) FROM base.order_line";
    assert_eq!(world.sql(held).await.rows[0][0], "1");
    // Mends 'x', and counts what is gone.
    world.redefine(&AFTER[5]);
    let versions = world.versions().await;
    let dry = world.ingest.retry_matching(&Filter::default(), true, &Silent).await.expect("tried");
    assert_eq!((dry[0].tried, dry[0].landed, dry[0].waiting), (2, 1, 1), "{}", dry[0]);
    assert_eq!(world.versions().await, versions, "a dry run commits nothing");
    let other = Filter { rule: Some("V03".into()), ..Filter::default() };
    let none = world.ingest.retry_matching(&other, false, &Silent).await.expect("tried");
    assert_eq!((none[0].tried, none[0].landed, none[0].waiting), (1, 0, 1), "{}", none[0]);
    let all = world.ingest.retry_matching(&Filter::default(), false, &Silent).await.expect("tried");
    assert_eq!((all[0].tried, all[0].landed, all[0].waiting), (2, 1, 1), "{}", all[0]);
    assert_eq!(world.sql(held).await.rows[0][0], "2");
    the_audit_adds_up(&world).await;

    let count = world.ingest.discard(&other, "a typing error (Ada)", true).await.expect("counted");
    assert_eq!((count, world.waiting().await.rows.len()), (1, 1));
    assert_eq!(world.ingest.discard(&other, "a typing error (Ada)", false).await.expect("discarded"), 1);
    assert!(world.waiting().await.rows.is_empty());
    let settled = "SELECT line, resolution, resolution_note FROM base.quarantine ORDER BY 1";
    let expected = [["3", "landed", "NULL"], ["4", "discarded", "a typing error (Ada)"]];
    assert_eq!(world.sql(settled).await.rows, expected);
    world.replay("orders").await;
    assert_eq!(world.sql(settled).await.rows, expected, "what was discarded does not come back");
    assert_eq!(world.sql(held).await.rows[0][0], "2");
    the_audit_adds_up(&world).await;
}
