//! Landing, pushing and compaction at once, each with a lake of its own as separate processes have, on one store in a storm:
//! time-outs (some puts arrive later), slow reads, conflicts where there are none. What fails is tried again until it is
//! acknowledged; then every row is there once, in its last version, and nothing is hidden or left over.
//!
//! `SALESLAKE_ALL_CRASHES=1` goes through many more storms.

mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use chrono::TimeDelta;
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use tokio_util::sync::CancellationToken;

use super::columns::texts;
use super::testing::source;
use super::{Ingest, InputFile, Push, PushLimits, Pusher, Silent, Sources};
use crate::clock::Clock;
use crate::config::LakeConfig;
use crate::error::{ErrorKind, Result};
use crate::lake::testing::{bury, over};
use crate::lake::{Compaction, Lake};
use crate::model::{INGEST_FILE, ORDER_LINE, PRODUCT, TABLES};
use store::{Storm, Weather};

const ORDERS: &str = r#"-- ---
-- source_system = "shop"
-- [read]
-- path = "orders/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "web"
-- tz = "UTC"
-- currency = "USD"
-- ---
-- into = "order_line"
SELECT id AS order_id, '1' AS order_line_id, CAST(version AS BIGINT) AS source_version, instant(at) AS created_at, sku,
       CAST(version AS DECIMAL(18,3)) AS quantity, CAST('3.50' AS DECIMAL(18,4)) AS unit_price
FROM   raw
-- into = "product", reference = true
SELECT sku FROM raw WHERE sku <> ''
"#;

/// Files, and as many pushes.
const PIECES: u64 = 5;
/// How often a piece is tried, and the others' work.
const TRIES: usize = 60;
/// Time-outs now and then, more slow reads.
const ROUGH: Weather = Weather { timed_out: 150, late: 100, conflict: 20, slow: 6 };
/// Hardly anything but conflicts.
const CONFLICTS: Weather = Weather { timed_out: 0, late: 0, conflict: 3, slow: 10 };

/// Piece number `n` of `who`: a version of an order that everybody changes, and an order of its own. Neighbours put the
/// shared one into different months.
fn piece(who: u64, n: u64) -> (u64, String) {
    let version = 2 * n + who + 1;
    let month = 1 + version % 3;
    let at = format!("2026-0{month}-05T10:00:00Z");
    (version, format!("id,version,at,sku\nshared,{version},{at},A\nown-{who}-{n},1,{at},B{who}\n"))
}

/// Order → version, when all is there.
fn model() -> BTreeMap<String, i64> {
    let pieces = (0..2).flat_map(|who| (0..PIECES).map(move |n| (who, n)));
    let last = pieces.clone().map(|(who, n)| piece(who, n).0).max().unwrap_or(0);
    let own = pieces.map(|(who, n)| (format!("own-{who}-{n}"), 1));
    own.chain([("shared".to_string(), i64::try_from(last).expect("small"))]).collect()
}

fn ingest(lake: &Lake) -> Ingest {
    let clock = Clock::fixed("2026-07-01T12:00:00Z".parse().expect("a constant"));
    Ingest::new(lake, Sources::from_list([source("orders", ORDERS)]), clock)
}

/// Tries until it is done; only what a storm can do to it is forgiven.
async fn insist<T>(what: &str, mut attempt: impl AsyncFnMut() -> Result<T>) -> T {
    let mut last = None;
    for _ in 0..TRIES {
        match attempt().await {
            Ok(done) => return done,
            Err(e) => {
                let honest = matches!(e.kind(), ErrorKind::Unavailable | ErrorKind::Conflict);
                assert!(honest, "{what}: {:?} {e}", e.kind());
                last = Some(e);
            }
        }
    }
    panic!("{what} failed {TRIES} times, the last time so: {last:?}");
}

fn config() -> LakeConfig {
    LakeConfig { url: "memory://".into(), ..LakeConfig::default() }
}

async fn open(store: &Arc<dyn ObjectStore>) -> Lake {
    insist("opening", async || over(store.clone(), &config()).await).await
}

async fn land(store: &Arc<dyn ObjectStore>, folder: &Path) {
    let ingest = ingest(&open(store).await);
    for n in 0..PIECES {
        let path = folder.join(format!("{n}.csv"));
        std::fs::write(&path, piece(0, n).1).expect("written");
        let file = InputFile::open(&path, format!("{n}.csv")).expect("opened");
        insist("landing", async || ingest.run("orders", std::slice::from_ref(&file), &Silent).await).await;
    }
}

async fn push(store: &Arc<dyn ObjectStore>) {
    let limits = PushLimits { pushes: 10, bytes: 1 << 20, group: Duration::ZERO, group_pushes: 10 };
    let pusher = Pusher::new(ingest(&open(store).await), limits);
    for n in 0..PIECES {
        let body = piece(1, n).1;
        let send = async || {
            let mut receiving = pusher.receive("orders", body.len() as u64)?;
            receiving.add(body.as_bytes())?;
            let (source, key, caller) = ("orders".into(), Some(n.to_string()), "test".into());
            pusher.push(Push { source, key, caller, body: receiving.end() }).await
        };
        let account = insist("pushing", send).await;
        assert_eq!(account.file.read, 2);
    }
    pusher.close().await;
}

/// Joins whatever can be joined.
async fn compact(lake: &Lake) -> Result<()> {
    let (file_bytes, memory_bytes) = (1 << 27, 1 << 28);
    let how = Compaction { file_bytes, memory_bytes, month: None, least: 2, thorough: true, dry_run: false };
    for table in TABLES {
        lake.optimize(table, &how, &CancellationToken::new()).await?;
    }
    Ok(())
}

async fn keep(store: &Arc<dyn ObjectStore>) {
    let lake = open(store).await;
    for _ in 0..PIECES {
        insist("compacting", async || compact(&lake).await).await;
        let vacuum = async || {
            let now = lake.now().await?;
            lake.vacuum(None, now - TimeDelta::hours(2), now, false).await
        };
        insist("vacuum", vacuum).await;
    }
}

/// The rows of order_line: order → version, each once.
async fn orders(lake: &Lake) -> BTreeMap<String, i64> {
    let state = lake.state(&ORDER_LINE).await.expect("a state");
    let mut found = BTreeMap::new();
    for file in &state.files {
        for batch in lake.read(&state, file, Some(&["order_id", "source_version"])).await.expect("read") {
            let versions = batch.column_by_name("source_version").expect("there").as_primitive::<Int64Type>();
            for (row, order) in texts(&batch, "order_id").expect("texts").iter().flatten().enumerate() {
                let twice = found.insert(order.to_string(), versions.value(row));
                assert_eq!(twice, None, "{order} is there twice");
            }
        }
    }
    found
}

/// What the audit says has landed.
async fn accounted(lake: &Lake) -> BTreeSet<String> {
    let state = lake.state(&INGEST_FILE).await.expect("a state");
    let mut files = BTreeSet::new();
    for file in &state.files {
        for batch in lake.read(&state, file, Some(&["file_uri"])).await.expect("read") {
            files.extend(texts(&batch, "file_uri").expect("texts").iter().flatten().map(String::from));
        }
    }
    files
}

/// Everything is there once, and shows; after a vacuum there is no data file that no table names, and no note of commits.
async fn is_right(store: &Arc<dyn ObjectStore>) {
    bury(store).await;
    let lake = over(store.clone(), &config()).await.expect("opened");
    lake.catch_up().await.expect("shown");
    assert_eq!(orders(&lake).await, model());
    assert_eq!(lake.state(&PRODUCT).await.expect("a state").rows(), 3);
    // Not how often: a commit that arrives after its writer has given it up accounts for the file once more.
    assert_eq!(accounted(&lake).await.len() as u64, 2 * PIECES);
    compact(&lake).await.expect("compacted");
    assert_eq!(orders(&lake).await, model());
    for shown in lake.states().await.expect("a head") {
        let newest = lake.state(shown.table).await.expect("a state");
        assert_eq!(shown.version, newest.version, "{}", shown.table.name);
    }
    let now = lake.now().await.expect("a time") + TimeDelta::days(2);
    lake.vacuum(None, now - TimeDelta::days(1), now, false).await.expect("swept");
    let all: Vec<_> = store.list(None).try_collect().await.expect("listed");
    let names = all.iter().map(|o| o.location.as_ref());
    let notes: Vec<_> = names.clone().filter(|n| n.starts_with("_heads/intents")).collect();
    assert!(notes.is_empty(), "{notes:?}");
    let files = names.filter(|n| n.ends_with(".parquet") && !n.contains("_delta_log")).count();
    let states = futures::future::try_join_all(TABLES.iter().map(|t| lake.state(t))).await.expect("states");
    assert_eq!(files, states.iter().map(|s| s.files.len()).sum::<usize>(), "files that nothing names");
}

async fn storms(weather: Weather) {
    let many = std::env::var_os("SALESLAKE_ALL_CRASHES").is_some_and(|v| !v.is_empty());
    let mut hit = 0;
    for seed in 0..if many { 100 } else { 4 } {
        let kept: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let storm = Storm::new(kept.clone(), seed, weather);
        let store: Arc<dyn ObjectStore> = storm.clone();
        let folder = tempfile::tempdir().expect("a folder");
        futures::join!(land(&store, folder.path()), push(&store), keep(&store));
        storm.end().await;
        println!("storm {seed}: {} requests hit", storm.hit.load(Ordering::SeqCst));
        hit += storm.hit.load(Ordering::SeqCst);
        is_right(&kept).await;
    }
    assert!(hit > 100, "that was no storm: {hit} requests were hit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_outs_and_slow_reads_lose_nothing() {
    storms(ROUGH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_conflicts_loses_nothing() {
    storms(CONFLICTS).await;
}
