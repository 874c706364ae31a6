//! A process that dies at any request of a replay, or finds no room: readers see the old mapping or the new one, and the next
//! replay ends in the tables and accounts of one that nothing happened to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;

use super::answer::{BOOKKEEPING, answer, rows};
use super::{ORDERS, RATES, RETURNS, all, config, run, sources, write_files};
use crate::clock::Clock;
use crate::ingest::testing::source;
use crate::ingest::{Found, Ingest, InputFile, Silent, Sources};
use crate::lake::testing::{Act, Unreliable, bury, over};
use crate::lake::{Examination, Lake, TableState};
use crate::model::{ORDER_LINE, PRODUCT, RETURN_LINE, Table};

const MAPPED: [&Table; 3] = [&ORDER_LINE, &PRODUCT, &RETURN_LINE];

/// Twice as much of everything, and other names for what is sold.
fn changed() -> Sources {
    let orders = ORDERS.replace("CAST(qty AS DECIMAL(18,3)) AS quantity", "CAST(qty AS DECIMAL(18,3)) * 2 AS quantity");
    assert_ne!(orders, ORDERS);
    let lines = orders.clone();
    let orders = orders.replace("SELECT sku FROM raw", "SELECT sku, 'article ' || sku AS product_name FROM raw");
    assert_ne!(orders, lines);
    Sources::from_list([("orders", orders.as_str()), ("returns", RETURNS), ("rates", RATES)].map(|(n, t)| source(n, t)))
}

async fn replay(store: Arc<dyn ObjectStore>, folder: &Path) -> crate::error::Result<()> {
    let lake = over(store, &config()).await?;
    let mut found = Vec::new();
    for name in ["1.csv", "2.csv", "3.csv"] {
        let path = folder.join("orders").join(name);
        found.push(Found::Local(InputFile::open(&path, format!("orders/{name}"))?));
    }
    Ingest::new(&lake, changed(), Clock::system()).replay("orders", &found, false, &Silent).await.map(|_| ())
}

type Rows = BTreeMap<&'static str, Vec<String>>;

async fn of(lake: &Lake, states: &[Arc<TableState>]) -> Rows {
    let mut found = Rows::new();
    for state in states.iter().filter(|s| MAPPED.iter().any(|t| t.name == s.table.name)) {
        found.insert(state.table.name, rows(lake, state, &BOOKKEEPING).await);
    }
    found
}

/// What readers see.
async fn shown(store: &Arc<dyn ObjectStore>) -> Rows {
    let lake = over(store.clone(), &config()).await.expect("opened");
    of(&lake, &lake.states().await.expect("a head")).await
}

/// Another process begins a batch and ends it.
async fn another_ends(store: &Arc<dyn ObjectStore>) {
    let lake = over(store.clone(), &config()).await.expect("opened");
    lake.begin("another").await.expect("begun").publish().await.expect("published");
}

/// What the audit says of the replayed files, all their rows taken together.
async fn accounts(store: &Arc<dyn ObjectStore>) -> Vec<String> {
    let lake = over(store.clone(), &config()).await.expect("opened");
    let mut accounts = answer(&lake).await.remove("accounts").expect("accounts");
    accounts.retain(|a| a.starts_with("orders/"));
    accounts
}

/// Which replays `lake doctor` names.
async fn named(store: &Arc<dyn ObjectStore>) -> Vec<(String, Option<String>)> {
    let lake = over(store.clone(), &config()).await.expect("opened");
    let now = lake.now().await.expect("a time");
    let how = Examination { mend: false, deep: false, file_bytes: 1, before: now - TimeDelta::hours(24), now };
    let found = lake.examine(&how).await.expect("examined").findings;
    found.into_iter().filter(|f| f.check == "unfinished").map(|f| (f.detail, f.action)).collect()
}

async fn landed(folder: &Path) -> Arc<InMemory> {
    write_files(folder);
    let landed = Arc::new(InMemory::new());
    run(landed.clone(), folder, &sources()).await.expect("landed");
    landed
}

async fn replayed(landed: &InMemory, folder: &Path) -> Arc<dyn ObjectStore> {
    let store: Arc<dyn ObjectStore> = Arc::new(landed.fork());
    replay(store.clone(), folder).await.expect("replayed");
    store
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_during_a_replay_shows_all_or_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let landed = landed(folder.path()).await;
    let old = shown(&(landed.clone() as Arc<dyn ObjectStore>)).await;
    let reference = Unreliable::new(Arc::new(landed.fork()), |_, _| Act::Go);
    replay(reference.clone(), folder.path()).await.expect("replayed");
    let requests = reference.made();
    let reference: Arc<dyn ObjectStore> = reference;
    let (new, told) = (shown(&reference).await, accounts(&reference).await);
    assert_ne!(old["order_line"], new["order_line"]);
    assert_ne!(old["product"], new["product"]);
    assert_eq!(named(&reference).await, []);
    let step = if all() { 1 } else { 11 };
    for (at, act) in (1..=requests).flat_map(|at| [(at, Act::DieBefore), (at, Act::DieAfter)]) {
        if !(at * 2 + u64::from(act == Act::DieAfter)).is_multiple_of(step) {
            continue;
        }
        let store: Arc<dyn ObjectStore> = Arc::new(landed.fork());
        let dying = Unreliable::new(store.clone(), move |n, _| if n == at { act } else { Act::Go });
        let first = replay(dying, folder.path()).await;
        let seen = shown(&store).await;
        assert!(seen == old || seen == new, "{act:?} request {at} ({first:?}): {seen:#?}");
        bury(&store).await;
        another_ends(&store).await;
        let seen = shown(&store).await;
        let whole = |all: &Rows| ["product", "order_line"].iter().all(|table| seen[table] == all[table]);
        assert!(whole(&old) || whole(&new), "{act:?} request {at} ({first:?}): {seen:#?}");
        let again = replay(store.clone(), folder.path()).await;
        again.unwrap_or_else(|e| panic!("{act:?} request {at}: replaying again: {e} (before: {first:?})"));
        assert_eq!(shown(&store).await, new, "{act:?} request {at} ({first:?})");
        assert_eq!(accounts(&store).await, told, "{act:?} request {at} ({first:?})");
        assert_eq!(named(&store).await, [], "{act:?} request {at} ({first:?})");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_cut_off_between_two_tables_is_whole_and_named_until_it_is_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let landed = landed(folder.path()).await;
    let reference = replayed(&landed, folder.path()).await;
    let (new, told) = (shown(&reference).await, accounts(&reference).await);

    // The products are committed, the lines are not.
    let store: Arc<dyn ObjectStore> = Arc::new(landed.fork());
    let old = shown(&store).await;
    let dying = Unreliable::new(store.clone(), |_, put| {
        let lines = put.is_some_and(|p| p.as_ref().starts_with("order_line/_delta_log/"));
        if lines { Act::DieBefore } else { Act::Go }
    });
    let error = replay(dying, folder.path()).await.expect_err("dead");
    assert!(error.message().contains("the replay stopped half way; the same command completes it"), "{error}");
    assert_eq!(shown(&store).await, old);
    bury(&store).await;
    let found = named(&store).await;
    let [(detail, action)] = &found[..] else { panic!("{found:?}") };
    assert!(detail.starts_with("the replay of 3 files of source orders was cut off"), "{detail}");
    assert_eq!(action.as_deref(), Some("saleslake ingest --replay orders"));

    // Another source lands: what it shows is not half a replay, and whoever asks is told of it.
    let path = folder.path().join("rates").join("more.csv");
    std::fs::write(&path, "day,base,quote,rate\n2026-03-01,GBP,USD,1.3\n").expect("written");
    let lake = over(store.clone(), &config()).await.expect("opened");
    let ingest = Ingest::new(&lake, changed(), Clock::system());
    let file = InputFile::open(&path, "rates/more.csv").expect("opened");
    ingest.run("rates", &[file], &Silent).await.expect("landed");
    let seen = shown(&store).await;
    for table in ["product", "order_line"] {
        assert_eq!(seen[table], new[table], "{table}");
    }
    assert_eq!(named(&store).await.len(), 1);
    assert_eq!(ingest.cut_off_replay("orders").await.expect("looked"), 3);
    assert_eq!(ingest.cut_off_replay("returns").await.expect("looked"), 0);

    replay(store.clone(), folder.path()).await.expect("replayed");
    assert_eq!((shown(&store).await, accounts(&store).await), (new, told));
    assert_eq!(named(&store).await, []);
}

/// Every object but those that come and go with batches.
async fn objects(store: &Arc<dyn ObjectStore>) -> BTreeSet<String> {
    let all: Vec<_> = store.list(None).try_collect().await.expect("listed");
    all.into_iter().map(|o| o.location.to_string()).filter(|o| !o.starts_with("_heads/")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_without_room_for_its_last_table_changes_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let landed = landed(folder.path()).await;
    let new = shown(&replayed(&landed, folder.path()).await).await;
    let kept: Arc<dyn ObjectStore> = Arc::new(landed.fork());
    let (old, there) = (shown(&kept).await, objects(&kept).await);

    // Room for the products, which come first; none for the lines' files.
    let full = Arc::new(AtomicBool::new(true));
    let now = full.clone();
    let store = Unreliable::new(kept.clone(), move |_, put| {
        let file = put.is_some_and(|p| p.as_ref().starts_with("order_line/") && p.as_ref().ends_with(".parquet"));
        if file && now.load(Ordering::SeqCst) { Act::Lost } else { Act::Go }
    });
    let error = replay(store.clone(), folder.path()).await.expect_err("no room");
    assert!(error.message().contains("no table has changed: writing order_line/"), "{error}");
    assert_eq!(objects(&kept).await, there, "nothing is left over");
    assert_eq!(named(&kept).await, [], "there is nothing to complete");
    let lake = over(kept.clone(), &config()).await.expect("opened");
    lake.catch_up().await.expect("shown");
    assert_eq!(shown(&kept).await, old);

    full.store(false, Ordering::SeqCst);
    replay(store, folder.path()).await.expect("replayed");
    assert_eq!(shown(&kept).await, new);
}
