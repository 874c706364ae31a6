//! The lakes of these tests: one generated retailer, landed once, of which every test has a copy of its own; and a market
//! stall, whose receipts land beside it.

use std::collections::BTreeMap;
use std::path::Path as File;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStore, PutOptions};
use saleslake::config::LakeConfig;
use saleslake::engine::{Engine, Kept};
use saleslake::ingest::{Ingest, InputFile, Silent, Source, Sources};
use saleslake::lake::Lake;
use saleslake::queryfile::{QueryFile, load_folder};
use saleslake::sample::{self, Options};
use url::Url;

use crate::common::{self, clock};

/// Not the committed sample's.
const SEED: u64 = 20_260_131;
const LINES: u64 = 3_000;

/// All objects of a lake.
pub struct Landed(Vec<(Path, Bytes)>);

/// The retailer; the first test that asks for it lands it.
pub fn landed() -> &'static Landed {
    static LANDED: OnceLock<Landed> = OnceLock::new();
    // On a thread of its own: the test that comes first may have a runtime.
    LANDED.get_or_init(|| std::thread::spawn(land).join().expect("the files land"))
}

fn land() -> Landed {
    let dir = tempfile::tempdir().expect("a folder");
    sample::generate(&Options { seed: SEED, lines: LINES, dir: dir.path().into() }).expect("generated");
    let landing = dir.path().join("landing");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let lake = Lake::open(&common::config().lake).await.expect("a lake");
        let ingest = Ingest::new(&lake, Sources::load(None).expect("sources load"), clock());
        ingest.run_all(&landing, &Silent).await.expect("the files land");
        let store = lake.object_store();
        let listed: Vec<ObjectMeta> = store.list(None).try_collect().await.expect("listed");
        let mut objects = Vec::new();
        for object in listed {
            let got = store.get_opts(&object.location, GetOptions::default()).await.expect("an object");
            objects.push((object.location, got.bytes().await.expect("read")));
        }
        Landed(objects)
    })
}

impl Landed {
    /// A copy in memory.
    pub async fn in_memory(&self) -> Lake {
        let lake = Lake::open(&common::config().lake).await.expect("a lake");
        let store = lake.object_store();
        for (path, bytes) in &self.0 {
            store.put_opts(path, bytes.clone().into(), PutOptions::default()).await.expect("put");
        }
        lake
    }

    /// A copy in the folder `lake` below `dir`, where the program looks for one.
    pub fn write(&self, dir: &File) {
        for (path, bytes) in &self.0 {
            let file = dir.join("lake").join(path.to_string());
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(file, bytes).expect("written");
        }
    }
}

/// The lake below `dir`, as another process would open it.
pub async fn open(dir: &File) -> Lake {
    let config = LakeConfig { url: dir.join("lake").to_string_lossy().into_owned(), ..common::config().lake };
    Lake::open(&config).await.expect("the lake opens")
}

/// An engine over `lake`, with or without rollups. It keeps no answers: what was asked before is asked again.
pub async fn engine(lake: &Lake, rollups: bool) -> Engine {
    engine_with(lake, rollups, None).await
}

/// The same, with the queries of a folder beside the shipped ones.
pub async fn engine_with(lake: &Lake, rollups: bool, queries: Option<&File>) -> Engine {
    let mut config = common::config().engine;
    config.result_cache_mb = 0;
    let views = load_folder("views", queries).expect("the views");
    let rollups = match rollups {
        true => load_folder("rollups", queries).expect("the rollups"),
        false => BTreeMap::new(),
    };
    let engine = Engine::open_with_rollups(lake, &config, &views, &rollups, clock()).await.expect("an engine");
    assert!(engine.broken_rollups().is_empty(), "{:?}", engine.broken_rollups());
    assert_eq!(engine.rollups().len(), rollups.len());
    engine
}

/// Makes months anew: of the rollups in `names`, the newest `months` that are not current.
pub async fn refresh(engine: &Engine, names: &[&str], months: usize) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let done = engine.refresh_rollups(&names, months).await.expect("refreshed");
    assert!(done.failed.is_empty(), "{:?}", done.failed);
}

/// How a rollup is kept.
pub fn kept(engine: &Engine, name: &str) -> Kept {
    engine.rollups().into_iter().find(|kept| kept.name == name).unwrap_or_else(|| panic!("no rollup {name}"))
}

/// The months of a rollup that are not current.
pub fn stale(engine: &Engine, name: &str) -> Vec<String> {
    kept(engine, name).stale.iter().map(ToString::to_string).collect()
}

/// How many files the tables of rollups have of each month, by their Delta logs: table and month.
pub async fn live(lake: &Lake) -> BTreeMap<(String, String), usize> {
    let root = Url::parse(lake.url()).expect("a URL");
    let root = Path::from_url_path(root.path()).expect("a path");
    let store = lake.object_store();
    let mut listed: Vec<ObjectMeta> = store.list(Some(&root)).try_collect().await.expect("listed");
    listed.sort_by(|a, b| a.location.cmp(&b.location));
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for object in listed {
        let parts: Vec<String> = object.location.parts().map(|part| part.as_ref().to_string()).collect();
        let [.., table, log, commit] = parts.as_slice() else { continue };
        if log != "_delta_log" || !commit.ends_with(".json") || !table.starts_with("rollup_") {
            continue;
        }
        let got = store.get_opts(&object.location, GetOptions::default()).await.expect("a commit");
        let text = got.bytes().await.expect("read");
        for line in String::from_utf8_lossy(&text).lines() {
            let action: serde_json::Value = serde_json::from_str(line).expect("an action");
            let path = |kind: &str| action[kind]["path"].as_str().map(|path| format!("{table}/{path}"));
            if let Some(path) = path("add") {
                files.insert(path, table.clone());
            }
            if let Some(path) = path("remove") {
                assert!(files.remove(&path).is_some(), "{path} is removed and was not there");
            }
        }
    }
    let mut months = BTreeMap::new();
    for (path, table) in files {
        if let Some(month) = path.split('/').find_map(|part| part.strip_prefix("business_month=")) {
            *months.entry((table, month.to_string())).or_default() += 1;
        }
    }
    months
}

const STALL: &str = r#"-- ---
-- title = { en = "Stall", zh = "摊位" }
-- about = "Receipts of a market stall."
-- order = 20
-- [read]
-- path = "stall/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "stall"
-- currency = "GBP"
-- tz = "Europe/London"
-- price_includes_tax = false
-- ---
-- into = "order_line"
SELECT order_no AS order_id, line AS order_line_id, shop AS location_id, buyer AS customer_key,
       local_time(sold, '%Y-%m-%d') AS created_at, local_time(sold, '%Y-%m-%d') AS confirmed_at,
       local_time(sold, '%Y-%m-%d') AS paid_at, sku, CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(price AS DECIMAL(18,4)) AS unit_price
FROM raw;
"#;

/// A stall that sells beside the shops.
pub struct Stall {
    ingest: Ingest,
    dir: tempfile::TempDir,
    files: AtomicUsize,
}

impl Stall {
    pub fn over(lake: &Lake) -> Stall {
        let source = QueryFile::parse("sources/stall.sql", STALL).and_then(|file| Source::parse(&file));
        let sources = Sources::from_list([source.unwrap_or_else(|e| panic!("{e} ({:?})", e.hint_text()))]);
        let ingest = Ingest::new(lake, sources, clock());
        Stall { ingest, dir: tempfile::tempdir().expect("a folder"), files: AtomicUsize::new(0) }
    }

    /// Lands a file of these lines: order, line, shop, buyer, day, article, quantity, price.
    pub async fn land(&self, lines: &[String]) {
        let file = self.dir.path().join(format!("{}.csv", self.files.fetch_add(1, Ordering::Relaxed)));
        let text = format!("order_no,line,shop,buyer,sold,sku,qty,price\n{}\n", lines.join("\n"));
        std::fs::write(&file, text).expect("written");
        let file = InputFile::open(&file, file.to_string_lossy()).expect("the file opens");
        let account = self.ingest.run("stall", &[file], &Silent).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(account.total().landed, lines.len() as u64, "{account}");
    }
}
