//! Sentence 4, and records that wait for a rate.

use std::sync::LazyLock;

use super::arrival::ORDERS;
use super::ordinals::RATES;
use super::world::{Layouts, World};

static LAYOUTS: LazyLock<Layouts> = LazyLock::new(|| Layouts::new(&[ORDERS, RATES]));

/// A quarantined record is there with its file, line, field, value, rule and raw content.
#[tokio::test(flavor = "multi_thread")]
async fn a_quarantined_record_is_kept_whole() {
    let world = World::open(&LAYOUTS).await;
    let bad = "O1,2,0,2026-01-30,sku1,many,10.50,GBP,n,";
    let lines = ["O1,1,0,2026-01-30,sku1,1,10.50,GBP,n,", bad, "O1,3,0,2026-01-30,sku1,-4,10.50,GBP,n,", "short,row"];
    let account = world.land("orders", &[lines.map(String::from).to_vec()]).await.expect("a file");
    assert_eq!((account.total().landed, account.total().quarantined), (1, 3), "{account}");
    let held = world.waiting().await;
    let told: Vec<Vec<&str>> = held.rows.iter().map(|r| r[..5].iter().map(String::as_str).collect()).collect();
    assert_eq!(told[0], ["3", "V01", "quantity", "many", bad]);
    assert_eq!(told[1][..3], ["4", "V03", "quantity"]);
    assert_eq!(told[2][..2], ["5", "V00"]);
    assert!(held.rows.iter().all(|r| r[5].ends_with("orders-0.csv")), "{held:?}");
}

/// Records wait for a rate, and land by themselves when it comes (V18); a later rate changes nothing that has landed (D33).
#[tokio::test(flavor = "multi_thread")]
async fn records_wait_for_their_rate() {
    let world = World::open(&LAYOUTS).await;
    let orders = vec!["O1,1,0,2026-01-30,sku1,2,10.00,EUR,n,".to_string()];
    world.land("orders", std::slice::from_ref(&orders)).await;
    assert_eq!(world.sql("SELECT count(*) FROM base.order_line").await.rows[0][0], "0");

    let account = world.land("rates", &[vec!["2026-01-30,EUR,GBP,0.85".into()]]).await.expect("a file");
    assert_eq!(account.retried.iter().map(|r| (r.tried, r.landed)).collect::<Vec<_>>(), [(1, 1)], "{account}");
    assert_eq!(world.sql("SELECT net_amount_rc FROM base.order_line").await.rows[0][0], "17.0000");
    let waiting = world.waiting().await;
    assert!(waiting.rows.is_empty(), "{waiting:?}");

    world.land_texts("rates", &["day,base,quote,rate,v\n2026-01-30,EUR,GBP,0.95,1\n".into()]).await;
    assert_eq!(world.sql("SELECT rate FROM base.fx_rate").await.rows[0][0], "0.95000000");
    let later = "O2,1,0,2026-01-30,sku1,2,10.00,EUR,n,".to_string();
    world.land("orders", &[vec![orders[0].clone(), later]]).await;
    let amounts = world.sql("SELECT order_id, net_amount_rc FROM base.order_line ORDER BY 1").await;
    assert_eq!(amounts.rows, [["O1", "17.0000"], ["O2", "19.0000"]]);
}
