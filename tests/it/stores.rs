//! Lakes and landing places on real object store servers (SeaweedFS, moto, Azurite), each started for one test: rows are as
//! on a local folder, files are known again without being fetched, and concurrent writers lose nothing (`race`). For
//! Google's store a moto stands in that takes Google's headers.
//!
//! They need Python (see CONTRIBUTING.md); Azurite also needs Node. A test says so where it is skipped.

mod race;
mod server;

use object_store::ObjectStoreExt;
use object_store::path::Path;
use saleslake::app::App;
use saleslake::config::Config;
use saleslake::ingest::{Account, Landing, Silent};

use crate::common::{self, sql};
use server::Server;

/// A few files of every format, and what they refer to.
const FILES: &[&str] = &[
    "dimensions/regions.csv",
    "dimensions/channels.csv",
    "dimensions/locations.csv",
    "dimensions/products.csv",
    "dimensions/fx_rates.csv",
    "market_eu/market_eu_2024-Q3.csv",
    "pos/pos_DE_2024-07.csv",
    "returns/returns_market_eu_2024-Q3.csv",
    "stock/stock_2024-07.parquet",
    "web/orders_2024-07.ndjson.gz",
];

/// The tables that they fill.
const TABLES: &[&str] =
    &["region", "channel", "location", "product", "fx_rate", "order_line", "return_line", "inventory_snapshot"];

#[tokio::test(flavor = "multi_thread")]
async fn seaweedfs_has_the_rows_of_a_local_folder() {
    has_the_rows_of_a_local_folder("seaweedfs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moto_has_the_rows_of_a_local_folder() {
    has_the_rows_of_a_local_folder("moto").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_has_the_rows_of_a_local_folder() {
    has_the_rows_of_a_local_folder("google").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn azurite_has_the_rows_of_a_local_folder() {
    has_the_rows_of_a_local_folder("azurite").await;
}

async fn has_the_rows_of_a_local_folder(kind: &str) {
    let Some(server) = Server::start(&format!("{kind}_has_the_rows_of_a_local_folder"), kind) else { return };
    let (temp, nowhere) = (tempfile::tempdir().expect("a folder"), "/nowhere/at/all");
    let mut config = server.config();
    config.landing.path = server.url("landing/here").into();
    config.landing.storage = server.storage();
    config.landing.temp_dir = Some(temp.path().into());

    let app = open(&config).await;
    for file in FILES {
        put(&app, file, &std::fs::read(common::repo("sample-data/landing").join(file)).expect("sample data")).await;
    }
    put(&app, "pos/.hidden.csv", b"not a till's").await;
    put(&app, "pos/old/pos.csv", b"deeper than the pattern").await;
    let accounts = land(&app).await;
    let folder = tempfile::tempdir().expect("a folder");
    let local = local_folder(folder.path()).await;
    assert_eq!(told(&accounts), told(&land(&local).await));
    assert_eq!(accounts.iter().map(|a| a.files.len()).sum::<usize>(), FILES.len());
    assert_eq!(std::fs::read_dir(temp.path()).expect("listed").count(), 0, "temporary files stay");
    for app in [&app, &local] {
        app.engine.refresh().await.expect("refresh");
    }
    for table in TABLES {
        let query = format!("SELECT * EXCLUDE (ingested_at, ingest_batch_id) FROM base.{table} ORDER BY row_key");
        let (here, there) = (sql(&app, &query).await, sql(&local, &query).await);
        assert!(!here.rows.is_empty(), "{table} is empty");
        assert!(here == there, "{table} differs: {} rows and {}", here.rows.len(), there.rows.len());
    }

    // Another process lands nothing, commits nothing, and need not fetch anything: it could not.
    let before = versions(&app).await;
    config.landing.temp_dir = Some(nowhere.into());
    let again = open(&config).await;
    assert!(land(&again).await.iter().all(|a| a.already() == a.files.len() && a.batch_id.is_empty()));
    assert_eq!(versions(&again).await, before);
    let url = server.url(&format!("landing/here/{}", FILES[6]));
    let named = landing(&again).given(url.as_ref()).await.expect("there");
    let known = again.ingest().expect("sources").land("shop_pos_sales", &named, &Silent).await.expect("not fetched");
    assert_eq!(known.files.iter().map(|f| (f.file.as_str(), f.already)).collect::<Vec<_>>(), [(FILES[6], true)]);
    let whole = landing(&again).given(server.url("landing/here/market_eu").as_ref()).await.expect("a folder");
    assert_eq!(whole.iter().map(|f| f.uri()).collect::<Vec<_>>(), [FILES[5]]);

    // The same bytes under another name are fetched, once, and land nothing.
    put(&app, "pos/copy.csv", &std::fs::read(common::repo("sample-data/landing").join(FILES[6])).expect("read")).await;
    let copied = land(&app).await;
    assert!(copied.iter().all(|a| a.already() == a.files.len() && a.total().read == 0));
    assert!(land(&again).await.iter().all(|a| a.already() == a.files.len()));
    // A new version of a file is fetched: here that fails, by name.
    put(&app, FILES[0], b"region_id,name\n").await;
    let error =
        again.ingest().expect("sources").run_all(&landing(&again), &Silent).await.expect_err("cannot be fetched");
    assert!(error.message().contains(nowhere), "{error}");
}

async fn open(config: &Config) -> App {
    App::open(config.clone(), common::clock()).await.expect("the lake opens")
}

/// The same files in `dir`, and a lake in memory.
async fn local_folder(dir: &std::path::Path) -> App {
    for file in FILES {
        let path = dir.join(file);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::copy(common::repo("sample-data/landing").join(file), path).expect("copied");
    }
    let mut config = common::config();
    config.landing.path = dir.into();
    open(&config).await
}

async fn put(app: &App, file: &str, bytes: &[u8]) {
    let path = Path::from(format!("landing/here/{file}"));
    app.lake.object_store().put(&path, bytes.to_vec().into()).await.expect("put");
}

fn landing(app: &App) -> Landing {
    Landing::open(&app.config.landing).expect("a place")
}

async fn land(app: &App) -> Vec<Account> {
    let landed = app.ingest().expect("sources load").run_all(&landing(app), &Silent).await;
    landed.unwrap_or_else(|e| panic!("{e} ({:?})", e.hint_text()))
}

/// What an account says, without ids.
fn told(accounts: &[Account]) -> Vec<(String, Vec<&str>)> {
    accounts.iter().map(|a| (format!("{}: {a}", a.source), a.files.iter().map(|f| f.file.as_str()).collect())).collect()
}

async fn versions(app: &App) -> Vec<(&'static str, i64)> {
    app.lake.states().await.expect("states").iter().map(|s| (s.table.name, s.version)).collect()
}
