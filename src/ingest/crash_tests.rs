//! A process that dies at any request to the store, and stores that fail: whatever happens, landing the same files again
//! ends in the tables of a run that nothing happened to, and in its accounts. Nothing lost, nothing twice, no table that
//! cannot be read.
//!
//! `SALESLAKE_ALL_CRASHES=1` kills before and after every request; without it every few requests are tried.

mod answer;
mod replay;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use futures::TryStreamExt;
use tokio_util::sync::CancellationToken;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::columns::texts;
use super::testing::{RATES, source};
use super::{Ingest, InputFile, Silent, Sources};
use crate::clock::Clock;
use crate::config::LakeConfig;
use crate::lake::testing::{Act, Unreliable, bury, over};
use crate::lake::{Compaction, Lake};
use crate::model::TABLES;
use answer::answer;

const ORDERS: &str = r#"-- ---
-- source_system = "shop"
-- [read]
-- path = "orders/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "web"
-- tz = "UTC"
-- ---
-- into = "order_line"
SELECT id AS order_id, line AS order_line_id, CAST(version AS BIGINT) AS source_version, instant(at) AS created_at,
       sku, CAST(qty AS DECIMAL(18,3)) AS quantity, CAST(price AS DECIMAL(18,4)) AS unit_price, currency,
       CAST(gone AS BOOLEAN) AS is_deleted
FROM   raw
-- into = "product", reference = true
SELECT sku FROM raw WHERE sku <> ''
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
SELECT id AS return_id, '1' AS return_line_id, order_id, order_line AS order_line_id, instant(at) AS refunded_at, sku,
       CAST(qty AS DECIMAL(18,3)) AS quantity, CAST(amount AS DECIMAL(18,4)) AS refund_net_amount
FROM   raw
"#;

/// Everything that landing does: new rows, a rate that comes late, a return, a row that moves to another month, a tombstone,
/// a conflict of equal versions, a record that no rule lets in, a record that is there twice.
const STEPS: [(&str, &str, &str); 5] = [
    (
        "orders",
        "1.csv",
        "id,line,version,at,sku,qty,price,currency,gone\n\
         a,1,1,2026-01-05T10:00:00Z,X,2,3.50,USD,false\n\
         b,1,1,2026-02-05T10:00:00Z,Y,1,4,USD,false\n\
         e,1,1,2026-02-05T10:00:00Z,Z,1,4,EUR,false\n\
         d,1,1,2026-02-05T10:00:00Z,Y,minus one,4,USD,false\n",
    ),
    ("rates", "r.csv", "day,base,quote,rate\n2026-02-05,EUR,USD,1.25\n"),
    ("returns", "1.csv", "id,order_id,order_line,at,sku,qty,amount\nr1,a,1,2026-03-01T09:00:00Z,X,1,3.50\n"),
    (
        "orders",
        "2.csv",
        "id,line,version,at,sku,qty,price,currency,gone\n\
         a,1,2,2026-06-05T10:00:00Z,X,2,3.60,USD,false\n\
         b,1,2,2026-02-05T10:00:00Z,Y,1,4,USD,true\n\
         c,1,1,2026-02-07T10:00:00Z,W,1,7,USD,false\n",
    ),
    (
        "orders",
        "3.csv",
        "id,line,version,at,sku,qty,price,currency,gone\nc,1,1,2026-02-07T10:00:00Z,W,1,8,USD,false\n\
         f,1,1,2026-02-08T10:00:00Z,W,3,8,USD,false\n\
         f,1,1,2026-02-08T10:00:00Z,W,3,8,USD,false\n",
    ),
];

fn config() -> LakeConfig {
    LakeConfig { url: "memory://".into(), ..LakeConfig::default() }
}

fn sources() -> Sources {
    Sources::from_list(
        [("orders", ORDERS), ("returns", RETURNS), ("rates", RATES)].map(|(name, text)| source(name, text)),
    )
}

fn write_files(folder: &Path) {
    for (source, name, text) in STEPS {
        std::fs::create_dir_all(folder.join(source)).expect("made");
        std::fs::write(folder.join(source).join(name), text).expect("written");
    }
}

/// One process: lands every step in order.
async fn run(store: Arc<dyn ObjectStore>, folder: &Path, sources: &Sources) -> crate::error::Result<()> {
    let lake = over(store, &config()).await?;
    let ingest = Ingest::new(&lake, sources.clone(), Clock::system());
    for (source, name, _) in STEPS {
        let file = InputFile::open(&folder.join(source).join(name), format!("{source}/{name}"))?;
        ingest.run(source, &[file], &Silent).await?;
    }
    Ok(())
}

/// What readers see is what is there.
async fn everything_shows(lake: &Lake) {
    for shown in lake.states().await.expect("a head") {
        let newest = lake.state(shown.table).await.expect("a state");
        assert_eq!(shown.version, newest.version, "{}", shown.table.name);
    }
}

/// After another batch has ended, articles are shown with the lines that came with them, or neither.
async fn no_batch_shows_in_part(what: &str, store: &Arc<dyn ObjectStore>) {
    let lake = over(store.clone(), &config()).await.expect("opened");
    lake.begin("another").await.expect("begun").publish().await.expect("published");
    let mut skus: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for state in lake.states().await.expect("a head") {
        let found = skus.entry(state.table.name).or_default();
        for file in state.files.iter().filter(|_| ["order_line", "product"].contains(&state.table.name)) {
            for batch in lake.read(&state, file, Some(&["sku"])).await.expect("read") {
                found.extend(texts(&batch, "sku").expect("texts").iter().flatten().map(str::to_string));
            }
        }
    }
    for sku in ["X", "W"] {
        assert_eq!(skus["product"].contains(sku), skus["order_line"].contains(sku), "{what}: {sku} in {skus:?}");
    }
}

/// One process that keeps the lake: joins small files, then deletes what nobody needs, as if two days had passed.
async fn upkeep(store: Arc<dyn ObjectStore>) -> crate::error::Result<()> {
    let lake = over(store, &config()).await?;
    let how = Compaction {
        file_bytes: 1 << 27,
        memory_bytes: 1 << 28,
        month: None,
        least: 2,
        thorough: true,
        dry_run: false,
    };
    for table in TABLES {
        lake.optimize(table, &how, &CancellationToken::new()).await?;
    }
    // A vacuum spares what readers see: first let them see what is there.
    lake.catch_up().await?;
    let now = lake.now().await? + TimeDelta::days(2);
    lake.vacuum(None, now - TimeDelta::days(1), now, false).await?;
    Ok(())
}

/// After a vacuum there is no data file that no table names, and no note of commits.
async fn nothing_is_left_over(store: &Arc<dyn ObjectStore>, lake: &Lake) {
    let all: Vec<_> = store.list(None).try_collect().await.expect("listed");
    let files =
        all.iter().filter(|o| o.location.as_ref().ends_with(".parquet") && !o.location.as_ref().contains("_delta_log"));
    let states = futures::future::try_join_all(TABLES.iter().map(|t| lake.state(t))).await.expect("states");
    assert_eq!(files.count(), states.iter().map(|s| s.files.len()).sum::<usize>());
    let notes: Vec<_> = all.iter().filter(|o| o.location.as_ref().starts_with("_heads/intents")).collect();
    assert!(notes.is_empty(), "{notes:?}");
}

struct World {
    folder: tempfile::TempDir,
    sources: Sources,
    expected: BTreeMap<&'static str, Vec<String>>,
    /// Requests of a run that nothing happens to.
    requests: u64,
}

impl World {
    async fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        write_files(folder.path());
        let sources = sources();
        let store = Unreliable::new(Arc::new(InMemory::new()), |_, _| Act::Go);
        run(store.clone(), folder.path(), &sources).await.expect("landed");
        let requests = store.made();
        let lake = over(store, &config()).await.expect("opened");
        let expected = answer(&lake).await;
        // By hand: a (version 2), b (a tombstone), c, e (with its rate), f.
        assert_eq!(expected["order_line"].len(), 5);
        assert_eq!((expected["return_line"].len(), expected["fx_rate"].len()), (1, 1));
        assert_eq!((expected["product"].len(), expected["ingest_file"].len()), (4, 6));
        // "minus one", the conflict's loser, and what waited for its rate.
        assert_eq!(expected["quarantine"].len(), 3, "{:#?}", expected["quarantine"]);
        // Read, landed, duplicate, late, skipped, quarantined: e waited for its rate, "minus one" waits for ever.
        let account =
            |file: &str| expected["accounts"].iter().find(|a| a.starts_with(file)).expect("an account").as_str();
        assert_eq!(account("orders/1.csv"), "orders/1.csv [4, 3, 0, 0, 0, 1]");
        assert_eq!(account("orders/2.csv"), "orders/2.csv [3, 3, 0, 0, 0, 0]");
        // Which of the two c stays is up to their hashes.
        let third = ["orders/3.csv [3, 2, 1, 0, 0, 0]", "orders/3.csv [3, 1, 1, 0, 0, 1]"];
        assert!(third.contains(&account("orders/3.csv")), "{}", account("orders/3.csv"));
        assert_eq!(account("returns/1.csv"), "returns/1.csv [1, 1, 0, 0, 0, 0]");
        // New, replaced, duplicate, late, warned: a and b in new versions, c.
        let replaced: Vec<_> =
            expected["ingest_table"].iter().filter(|t| t.ends_with("order_line [1, 2, 0, 0, 0]")).collect();
        assert_eq!(replaced.len(), 1, "{:#?}", expected["ingest_table"]);
        everything_shows(&lake).await;
        World { folder, sources, expected, requests }
    }

    /// Runs under `fate` until it is dead or done, then once more on a sound store, and compares.
    async fn survives(&self, what: &str, fate: impl Fn(u64, Option<&ObjectPath>) -> Act + Send + Sync + 'static) {
        let kept: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let store = Unreliable::new(kept.clone(), fate);
        let first = run(store, self.folder.path(), &self.sources).await;
        bury(&kept).await;
        no_batch_shows_in_part(what, &kept).await;
        let again = run(kept.clone(), self.folder.path(), &self.sources).await;
        again.unwrap_or_else(|e| panic!("{what}: running again: {e} (before: {first:?})"));
        self.is_right(what, &kept).await;
        upkeep(kept.clone()).await.unwrap_or_else(|e| panic!("{what}: upkeep: {e}"));
        let lake = self.is_right(what, &kept).await;
        nothing_is_left_over(&kept, &lake).await;
    }

    async fn is_right(&self, what: &str, store: &Arc<dyn ObjectStore>) -> Lake {
        let lake = self.agrees(what, store).await;
        everything_shows(&lake).await;
        lake
    }

    async fn agrees(&self, what: &str, store: &Arc<dyn ObjectStore>) -> Lake {
        let lake = over(store.clone(), &config()).await.expect("opened");
        let found = answer(&lake).await;
        for (table, rows) in &self.expected {
            assert_eq!(&found[table], rows, "{what}: {table}");
        }
        lake
    }
}

fn all() -> bool {
    std::env::var_os("SALESLAKE_ALL_CRASHES").is_some_and(|v| !v.is_empty())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_request_loses_nothing() {
    let world = World::new().await;
    let step = if all() { 1 } else { 17 };
    let mut killed = 0;
    for (at, act) in (1..=world.requests).flat_map(|at| [(at, Act::DieBefore), (at, Act::DieAfter)]) {
        // Odd steps, so that both kinds are met.
        if (at * 2 + u64::from(act == Act::DieAfter)).is_multiple_of(step) {
            world.survives(&format!("{act:?} request {at}"), move |n, _| if n == at { act } else { Act::Go }).await;
            killed += 1;
        }
    }
    println!("{killed} kills in a run of {} requests", world.requests);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_during_upkeep_loses_nothing() {
    let world = World::new().await;
    let landed = || async {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        run(store.clone(), world.folder.path(), &world.sources).await.expect("landed");
        store
    };
    let sound = Unreliable::new(landed().await, |_, _| Act::Go);
    upkeep(sound.clone()).await.expect("kept");
    let requests = sound.made();
    let step = if all() { 1 } else { 17 };
    for (at, act) in (1..=requests).flat_map(|at| [(at, Act::DieBefore), (at, Act::DieAfter)]) {
        if !(at * 2 + u64::from(act == Act::DieAfter)).is_multiple_of(step) {
            continue;
        }
        let what = format!("{act:?} request {at} of upkeep");
        let kept = landed().await;
        let store = Unreliable::new(kept.clone(), move |n, _| if n == at { act } else { Act::Go });
        let first = upkeep(store).await;
        world.agrees(&what, &kept).await;
        bury(&kept).await;
        upkeep(kept.clone()).await.unwrap_or_else(|e| panic!("{what}: again: {e} (before: {first:?})"));
        run(kept.clone(), world.folder.path(), &world.sources).await.expect("nothing new");
        let lake = world.is_right(&what, &kept).await;
        nothing_is_left_over(&kept, &lake).await;
    }
    println!("{requests} requests of upkeep");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_now_and_then_loses_nothing() {
    let world = World::new().await;
    for seed in 0..if all() { 300 } else { 12 } {
        let fate = move |n: u64, _: Option<&ObjectPath>| {
            let mut dice = ChaCha8Rng::seed_from_u64(seed * 1_000_003 + n);
            match dice.random_range(0..120_u32) {
                0 => Act::Lost,
                1 => Act::Unanswered,
                2 => Act::Torn,
                3..6 => Act::Slow,
                _ => Act::Go,
            }
        };
        world.survives(&format!("seed {seed}"), fate).await;
    }
}
