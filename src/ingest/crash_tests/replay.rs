//! A process that dies at any request of a replay: readers see the old mapping or the new one, and the next replay ends in
//! the tables of one that nothing happened to.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;

use super::answer::{BOOKKEEPING, rows};
use super::{ORDERS, RATES, RETURNS, all, config, run, sources, write_files};
use crate::clock::Clock;
use crate::ingest::testing::source;
use crate::ingest::{Found, Ingest, InputFile, Silent, Sources};
use crate::lake::testing::{Act, Unreliable, bury, over};
use crate::lake::{Lake, TableState};
use crate::model::{ORDER_LINE, PRODUCT, RETURN_LINE, Table};

const MAPPED: [&Table; 3] = [&ORDER_LINE, &PRODUCT, &RETURN_LINE];

/// Twice as much of everything.
fn changed() -> Sources {
    let orders = ORDERS.replace("CAST(qty AS DECIMAL(18,3)) AS quantity", "CAST(qty AS DECIMAL(18,3)) * 2 AS quantity");
    assert_ne!(orders, ORDERS);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_during_a_replay_shows_all_or_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    write_files(folder.path());
    let landed = Arc::new(InMemory::new());
    run(landed.clone(), folder.path(), &sources()).await.expect("landed");
    let old = shown(&(landed.clone() as Arc<dyn ObjectStore>)).await;
    let reference = Unreliable::new(Arc::new(landed.fork()), |_, _| Act::Go);
    replay(reference.clone(), folder.path()).await.expect("replayed");
    let requests = reference.made();
    let new = shown(&(reference as Arc<dyn ObjectStore>)).await;
    assert_ne!(old["order_line"], new["order_line"]);
    assert_eq!(old["product"], new["product"]);
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
        let again = replay(store.clone(), folder.path()).await;
        again.unwrap_or_else(|e| panic!("{act:?} request {at}: replaying again: {e} (before: {first:?})"));
        assert_eq!(shown(&store).await, new, "{act:?} request {at} ({first:?})");
    }
}
