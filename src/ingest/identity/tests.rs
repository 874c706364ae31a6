//! Which rows change, whichever came first, and what a crash leaves.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::AsArray;
use arrow::datatypes::Int32Type;
use object_store::ObjectStore;
use object_store::memory::InMemory;

use super::*;
use crate::clock::Clock;
use crate::config::LakeConfig;
use crate::ingest::columns::longs;
use crate::ingest::testing::source;
use crate::ingest::{Ingest, InputFile, Silent, Sources};
use crate::lake::testing::{Act, Unreliable, bury, over};
use crate::model::QUARANTINE;

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
SELECT id AS order_id, '1' AS order_line_id, instant('2026-01-05T10:00:00Z') AS created_at, 'X' AS sku,
       buyer AS customer_key, CAST(rev AS BIGINT) AS source_version, CAST('3.50' AS DECIMAL(18,4)) AS unit_price,
       'rep' || rev AS sales_rep_id
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
SELECT id AS return_id, '1' AS return_line_id, order_id, '1' AS order_line_id, instant('2026-02-05T10:00:00Z') AS refunded_at,
       'X' AS sku, CAST('1' AS DECIMAL(18,3)) AS quantity, CAST('3.50' AS DECIMAL(18,4)) AS refund_net_amount
FROM   raw
"#;

const IDS: &str = r#"-- ---
-- source_system = "crm"
-- [read]
-- path = "ids/*.csv"
-- format = "csv"
-- ---
-- into = "customer_identity"
SELECT customer AS customer_key, type AS id_type, value AS id_value, instant(since) AS first_seen,
       CAST(rev AS BIGINT) AS source_version, CAST(gone AS BOOLEAN) AS is_deleted
FROM   raw
"#;

fn config() -> LakeConfig {
    LakeConfig { url: "memory://".into(), ..LakeConfig::default() }
}

async fn open(store: Arc<dyn ObjectStore>) -> Result<Ingest> {
    let lake = over(store, &config()).await?;
    let sources =
        Sources::from_list([("orders", ORDERS), ("returns", RETURNS), ("ids", IDS)].map(|(n, text)| source(n, text)));
    Ok(Ingest::new(&lake, sources, Clock::system()))
}

async fn ingest() -> Ingest {
    open(Arc::new(InMemory::new())).await.expect("opened")
}

async fn run(ingest: &Ingest, folder: &Path, (source, text): (&str, &str)) -> Result<()> {
    let head = match source {
        "orders" => "id,buyer,rev",
        "returns" => "id,order_id",
        _ => "customer,type,value,since,rev,gone",
    };
    let path = folder.join("file.csv");
    std::fs::write(&path, format!("{head}\n{text}"))?;
    ingest.run(source, &[InputFile::open(&path, "file.csv")?], &Silent).await.map(drop)
}

async fn land(ingest: &Ingest, source: &str, text: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    run(ingest, folder.path(), (source, text)).await.expect("landed");
}

/// "order customer (as given)" of a table's rows.
async fn customers(ingest: &Ingest, table: &'static Table) -> Vec<String> {
    let state = ingest.lake.state(table).await.expect("a state");
    let mut found = Vec::new();
    for file in &state.files {
        for rows in ingest.lake.read(&state, file, None).await.expect("read") {
            let ids = texts(&rows, "order_id").expect("texts");
            let given = Given::of(&rows).expect("customers");
            for row in 0..rows.num_rows() {
                let mark = text_at(given.marks, row).map(|mark| format!(" ({mark})")).unwrap_or_default();
                found.push(format!("{} {}{mark}", ids.value(row), text_at(given.keys, row).unwrap_or("nobody")));
            }
        }
    }
    found.sort();
    found
}

/// "key version canonical rule" of customer_key_history.
async fn versions(ingest: &Ingest) -> Vec<String> {
    let state = ingest.lake.state(&CUSTOMER_KEY_HISTORY).await.expect("a state");
    let mut found = Vec::new();
    for file in &state.files {
        for rows in ingest.lake.read(&state, file, None).await.expect("read") {
            let text = |name: &str, row: usize| texts(&rows, name).expect("texts").value(row).to_string();
            let numbers = rows.column_by_name("version").expect("versions").as_primitive::<Int32Type>();
            found.extend((0..rows.num_rows()).map(|row| {
                let (key, canonical) = (text("customer_key", row), text("canonical_customer_key", row));
                format!("{key} {} {canonical} {}", numbers.value(row), text("match_rule", row))
            }));
        }
    }
    found.sort();
    found
}

async fn version_of(ingest: &Ingest, table: &'static Table) -> i64 {
    ingest.lake.state(table).await.expect("a state").version
}

/// Ada in the shop since January, and on the web since February.
const ADA: &str = "ada,email_hash,Ada@example.com,2026-01-01T00:00:00Z,1,false\n\
    lovelace,email_hash,ada@example.com ,2026-02-01T00:00:00Z,1,false\n";
const ADA_GONE: &str = "lovelace,email_hash,ada@example.com,2026-02-01T00:00:00Z,2,true\n";
const MADE: &str = "o1,ada,1\no2,lovelace,1\no3,bob,1\no4,,1\n";
const BACK: &str = "r1,o2\nr2,o3\n";

#[tokio::test(flavor = "multi_thread")]
async fn arrival_order_cannot_matter() {
    let steps = [("orders", MADE), ("returns", BACK), ("ids", ADA)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let ingest = ingest().await;
        for at in order {
            land(&ingest, steps[at].0, steps[at].1).await;
        }
        let made = ["o1 ada", "o2 ada (lovelace)", "o3 bob", "o4 nobody"];
        assert_eq!(customers(&ingest, &ORDER_LINE).await, made, "{order:?}");
        let back = ["o2 ada (lovelace)", "o3 bob"];
        assert_eq!(customers(&ingest, &RETURN_LINE).await, back, "{order:?}: what a sale gave to its return, too");
        assert_eq!(versions(&ingest).await, ["lovelace 1 ada same_identifier"], "{order:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_merge_gives_back_what_sources_gave() {
    let ingest = ingest().await;
    for (source, text) in [("orders", MADE), ("returns", BACK), ("ids", ADA), ("ids", ADA_GONE)] {
        land(&ingest, source, text).await;
    }
    assert_eq!(customers(&ingest, &ORDER_LINE).await, ["o1 ada", "o2 lovelace", "o3 bob", "o4 nobody"]);
    assert_eq!(customers(&ingest, &RETURN_LINE).await, ["o2 lovelace", "o3 bob"]);
    assert_eq!(versions(&ingest).await, ["lovelace 1 ada same_identifier", "lovelace 2 lovelace withdrawn"]);
    land(&ingest, "ids", "lovelace,email_hash,ada@example.com,2026-02-01T00:00:00Z,3,false\n").await;
    assert_eq!(customers(&ingest, &ORDER_LINE).await[1], "o2 ada (lovelace)");
    assert_eq!(versions(&ingest).await[2], "lovelace 3 ada same_identifier");
}

#[tokio::test(flavor = "multi_thread")]
async fn late_facts_follow_and_others_are_left_alone() {
    let ingest = ingest().await;
    land(&ingest, "orders", MADE).await;
    land(&ingest, "ids", ADA).await;
    land(&ingest, "orders", "o5,lovelace,1\n").await;
    land(&ingest, "returns", "r3,o5\n").await;
    assert_eq!(customers(&ingest, &ORDER_LINE).await[4], "o5 ada (lovelace)");
    assert_eq!(customers(&ingest, &RETURN_LINE).await, ["o5 ada (lovelace)"]);
    // A newer version of a sale, by another buyer; then by the same one as before.
    land(&ingest, "orders", "o5,bob,2\n").await;
    assert_eq!(customers(&ingest, &ORDER_LINE).await[4], "o5 bob");
    assert_eq!(customers(&ingest, &RETURN_LINE).await, ["o5 bob"]);
    let before = version_of(&ingest, &ORDER_LINE).await;
    land(&ingest, "orders", "o6,bob,1\n").await;
    assert_eq!(version_of(&ingest, &ORDER_LINE).await, before + 1, "landing is all that is committed");
    assert_eq!(version_of(&ingest, &CUSTOMER_KEY_HISTORY).await, 0, "nothing new about customers");
    land(&ingest, "orders", "o5,lovelace,3\n").await;
    assert_eq!(customers(&ingest, &ORDER_LINE).await[4], "o5 ada (lovelace)");
}

#[tokio::test(flavor = "multi_thread")]
async fn ranks_stay_and_rows_are_found_as_they_landed() {
    let ingest = ingest().await;
    land(&ingest, "orders", MADE).await;
    let ranks = async || {
        let state = ingest.lake.state(&ORDER_LINE).await.expect("a state");
        let mut found = Vec::new();
        for file in &state.files {
            for rows in ingest.lake.read(&state, file, None).await.expect("read") {
                let landed = as_landed(&rows).expect("rows");
                let (hashes, keys) =
                    (longs(&landed, "content_hash").expect("hashes"), Given::of(&landed).expect("keys"));
                let told =
                    |row| (hashes.value(row), text_at(keys.keys, row).map(str::to_string), keys.marks.is_null(row));
                found.extend((0..rows.num_rows()).map(told));
            }
        }
        found.sort();
        found
    };
    let before = ranks().await;
    land(&ingest, "ids", ADA).await;
    assert_eq!(customers(&ingest, &ORDER_LINE).await[1], "o2 ada (lovelace)");
    assert_eq!(ranks().await, before);
    // The same rows in another file are duplicates.
    let lines = version_of(&ingest, &ORDER_LINE).await;
    land(&ingest, "orders", &format!("{MADE}o9,,1\n")).await;
    assert_eq!(version_of(&ingest, &ORDER_LINE).await, lines + 1);
    assert_eq!(customers(&ingest, &ORDER_LINE).await.len(), 5);
}

/// Commit number `version` of a table.
fn commit_of(table: &Table, version: i64) -> String {
    format!("{}/_delta_log/{version:020}.json", table.name)
}

/// Returns are filled after it was asked who was ever merged: another process merges customers in between, and finds nothing
/// to change in returns that have no customer yet.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_merged_while_returns_are_filled_is_merged_there_too() {
    let kept: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    land(&open(kept.clone()).await.expect("opened"), "orders", MADE).await;
    // The first commit is that of the landing.
    let (other, filling, begun) = (kept.clone(), commit_of(&RETURN_LINE, 1), AtomicBool::new(false));
    let meanwhile = move |_: u64, put: Option<&object_store::path::Path>| {
        if put.is_some_and(|put| put.as_ref().ends_with(filling.as_str())) && !begun.swap(true, Ordering::SeqCst) {
            let (store, runtime) = (other.clone(), tokio::runtime::Handle::current());
            let merges = move || {
                runtime.block_on(async { land(&open(store).await.expect("opened"), "ids", ADA).await });
            };
            tokio::task::block_in_place(|| std::thread::spawn(merges).join()).expect("merged");
        }
        Act::Go
    };
    let ingest = open(Unreliable::new(kept, meanwhile)).await.expect("opened");
    land(&ingest, "returns", BACK).await;
    assert_eq!(versions(&ingest).await, ["lovelace 1 ada same_identifier"], "merged in between");
    assert_eq!(customers(&ingest, &RETURN_LINE).await, ["o2 ada (lovelace)", "o3 bob"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn filling_anything_else_leaves_who_is_merged() {
    let kept: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let ingest = open(kept.clone()).await.expect("opened");
    for (source, text) in [("orders", MADE), ("returns", BACK), ("ids", ADA)] {
        land(&ingest, source, text).await;
    }
    let merged = ["o2 ada (lovelace)", "o3 bob"];
    assert_eq!(customers(&ingest, &RETURN_LINE).await, merged);
    // Another representative; the process dies before it looks who the customer is.
    let filling = commit_of(&RETURN_LINE, version_of(&ingest, &RETURN_LINE).await + 1);
    let dies = move |_: u64, put: Option<&object_store::path::Path>| {
        if put.is_some_and(|put| put.as_ref().ends_with(filling.as_str())) { Act::DieAfter } else { Act::Go }
    };
    let store = Unreliable::new(kept.clone(), dies);
    let (dying, folder) = (open(store.clone()).await.expect("opened"), tempfile::tempdir().expect("a folder"));
    run(&dying, folder.path(), ("orders", "o2,lovelace,2\n")).await.expect_err("dead");
    assert!(store.is_dead(), "it was filled");
    let ingest = open(kept).await.expect("opened");
    assert_eq!(customers(&ingest, &RETURN_LINE).await, merged);
}

/// A lake with three files of sales to a customer who is one with another one, and a process that died before it wrote that
/// into any of them.
async fn merged_and_not_written() -> Ingest {
    let kept: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let ingest = open(kept.clone()).await.expect("opened");
    for order in ["o1", "o2", "o3"] {
        land(&ingest, "orders", &format!("{order},lovelace,1\n")).await;
    }
    let told = commit_of(&CUSTOMER_KEY_HISTORY, 0);
    let dies = move |_: u64, put: Option<&object_store::path::Path>| {
        if put.is_some_and(|put| put.as_ref().ends_with(told.as_str())) { Act::DieAfter } else { Act::Go }
    };
    let dying = open(Unreliable::new(kept.clone(), dies)).await.expect("opened");
    let folder = tempfile::tempdir().expect("a folder");
    run(&dying, folder.path(), ("ids", ADA)).await.expect_err("dead");
    bury(&kept).await;
    let ingest = open(kept).await.expect("opened");
    assert_eq!(versions(&ingest).await, ["lovelace 1 ada same_identifier"]);
    assert_eq!(customers(&ingest, &ORDER_LINE).await, ["o1 lovelace", "o2 lovelace", "o3 lovelace"]);
    ingest
}

const WRITTEN: [&str; 3] = ["o1 ada (lovelace)", "o2 ada (lovelace)", "o3 ada (lovelace)"];

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_change_in_portions() {
    let ingest = merged_and_not_written().await;
    let writer = Writer { lake: &ingest.lake, source: "ids", batch_id: "b", clock: Clock::system() };
    let before = version_of(&ingest, &ORDER_LINE).await;
    for _ in 0..2 {
        write_portions(writer, &ORDER_LINE, None, 1).await.expect("written");
        assert_eq!(customers(&ingest, &ORDER_LINE).await, WRITTEN);
        assert_eq!(version_of(&ingest, &ORDER_LINE).await, before + 3, "one a file, none when all is done");
    }
}

const EVE: &str = "eve,email_hash,eve@example.com,2026-01-01T00:00:00Z,1,false\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_left_undone_the_next_one_does() {
    for ids in [ADA, EVE] {
        let ingest = merged_and_not_written().await;
        land(&ingest, "ids", ids).await;
        assert_eq!(customers(&ingest, &ORDER_LINE).await, WRITTEN, "{ids}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_that_change_no_key_go_through_no_facts() {
    let store = Unreliable::new(Arc::new(InMemory::new()), |_, _| Act::Go);
    let ingest = open(store.clone()).await.expect("opened");
    for (source, text) in [("orders", MADE), ("ids", ADA), ("ids", EVE)] {
        land(&ingest, source, text).await;
    }
    let requests = async |ingest: &Ingest, name: &str| {
        let before = store.made();
        land(ingest, "ids", &EVE.replace("eve", name)).await;
        store.made() - before
    };
    let knowing = requests(&ingest, "mallory").await;
    let forgetful = requests(&Ingest { followed: Arc::default(), ..ingest.clone() }, "trent").await;
    let tables = FACTS.len() as u64;
    assert!(forgetful > knowing + tables, "{knowing} requests, {forgetful} when all facts are gone through");
    land(&ingest, "ids", ADA_GONE).await;
    assert_eq!(customers(&ingest, &ORDER_LINE).await[1], "o2 lovelace", "a key changes");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_clear_is_kept() {
    let ingest = ingest().await;
    land(&ingest, "ids", &format!("{ADA}eve,phone_hash,020 7946 0958,2026-01-01T00:00:00Z,1,false\n")).await;
    let mut seen = 0;
    for table in [&CUSTOMER_IDENTITY, &QUARANTINE] {
        let state = ingest.lake.state(table).await.expect("a state");
        for file in &state.files {
            for rows in ingest.lake.read(&state, file, None).await.expect("read") {
                let shown = format!("{rows:?}").to_lowercase();
                assert!(!shown.contains("example.com") && !shown.contains("7946 0958"), "{}: {shown}", table.name);
                seen += rows.num_rows();
            }
        }
    }
    assert_eq!(seen, 3, "two land, a number without its country does not");
}

const STEPS: [(&str, &str); 4] = [("orders", MADE), ("ids", ADA), ("orders", "o5,lovelace,1\n"), ("returns", BACK)];

/// One process: lands every step in order.
async fn land_all(store: Arc<dyn ObjectStore>) -> Result<Ingest> {
    let (ingest, folder) = (open(store).await?, tempfile::tempdir()?);
    for step in STEPS {
        run(&ingest, folder.path(), step).await?;
    }
    Ok(ingest)
}

/// Every few requests of landing and merging; whatever is left, landing the same again ends in the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_leaves_nothing_half_done() {
    let counted = Unreliable::new(Arc::new(InMemory::new()), |_, _| Act::Go);
    land_all(counted.clone()).await.expect("landed");
    let requests = counted.made();
    for at in (1..=requests).step_by(9) {
        let kept: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let dies =
            move |number: u64, _: Option<&object_store::path::Path>| if number == at { Act::DieAfter } else { Act::Go };
        // It may be done before that request: others are made on the side.
        let _ = land_all(Unreliable::new(kept.clone(), dies)).await;
        bury(&kept).await;
        let ingest = land_all(kept).await.expect("landed again");
        let made = ["o1 ada", "o2 ada (lovelace)", "o3 bob", "o4 nobody", "o5 ada (lovelace)"];
        assert_eq!(customers(&ingest, &ORDER_LINE).await, made, "request {at} of {requests}");
        assert_eq!(customers(&ingest, &RETURN_LINE).await, ["o2 ada (lovelace)", "o3 bob"], "request {at}");
        assert_eq!(versions(&ingest).await, ["lovelace 1 ada same_identifier"], "request {at}: no version twice");
    }
}
