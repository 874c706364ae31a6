//! Writers that commit to one lake at once: every acknowledged row is there once, in its last version, also where one
//! writer puts a key into May and another into June; no commit is lost; the newest head shows everything.
//!
//! The expected end is a plain model: per key, the row of the greatest version.
//!
//! The issue's full size is 8 writers × 50 commits: `SALESLAKE_RACE_COMMITS=50 cargo test race_on`. By default there are
//! fewer commits, so that the tests stay quick.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use saleslake::config::{Config, EngineConfig};
use saleslake::engine::{Engine, QueryOptions};
use saleslake::error::ErrorKind;
use saleslake::ingest::{Account, Ingest, InputFile, Silent, Source, Sources};
use saleslake::lake::Lake;
use saleslake::model::{ORDER_LINE, TABLES};
use saleslake::queryfile::QueryFile;

use super::server::Server;
use crate::common;

/// Writers in one process, each with a lake of its own: separate handles share no state, as separate processes do not.
const WRITERS: u64 = 8;
const COMMITS: u64 = 6;
/// On the slower servers.
const FEW_WRITERS: u64 = 4;
const FEW_COMMITS: u64 = 3;
/// Writers that are processes of their own, one for each of their commits.
const PROCESSES: u64 = 3;
/// Rows of one commit: one half has keys that nobody else has, the other half has keys that all writers change.
const ROWS: u64 = 8;
/// A conflict is honest, and landing the same file again is what its hint says; but not for ever.
const TRIES: usize = 3;

const SOURCE: &str = r#"-- ---
-- title = { en = "Orders", zh = "订单" }
-- about = "Order lines with explicit versions."
-- order = 20
-- [read]
-- path = "orders/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "shop"
-- currency = "GBP"
-- tz = "Europe/London"
-- ---
-- into = "order_line"
SELECT order_no AS order_id, '1' AS order_line_id, CAST(version AS BIGINT) AS source_version,
       local_time(sold, '%Y-%m-%d %H:%M') AS created_at, 'A' AS sku, CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(price AS DECIMAL(18,4)) AS unit_price
FROM raw;
"#;

#[tokio::test(flavor = "multi_thread")]
async fn race_on_seaweedfs() {
    race("race_on_seaweedfs", "seaweedfs", WRITERS, COMMITS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn race_on_moto() {
    race("race_on_moto", "moto", FEW_WRITERS, FEW_COMMITS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn race_on_google() {
    race("race_on_google", "google", FEW_WRITERS, FEW_COMMITS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn race_on_azurite() {
    race("race_on_azurite", "azurite", FEW_WRITERS, FEW_COMMITS).await;
}

async fn race(test: &str, kind: &str, writers: u64, commits: u64) {
    let Some(server) = Server::start(test, kind) else { return };
    let commits = std::env::var("SALESLAKE_RACE_COMMITS").map_or(commits, |n| n.parse().expect("a number of commits"));
    let (config, work) = (server.config(), Work::new(writers, commits));
    let tasks = (0..writers).map(|writer| {
        let (config, files) = (config.clone(), work.files(writer));
        tokio::spawn(async move { write(&config, &files).await })
    });
    let mut acknowledged = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        acknowledged.extend(task.await.expect("no writer fails"));
    }
    let rows: u64 = acknowledged.iter().map(|a| a.total().read).sum();
    assert_eq!(rows, writers * commits * ROWS, "every row was read by a batch that was acknowledged");
    let batches = acknowledged.iter().filter(|a| a.tables["order_line"].new + a.tables["order_line"].replaced > 0);
    holds(&config, &work, batches.map(|a| a.batch_id.clone()).collect()).await;
}

/// One writer: every file by a call of its own.
async fn write(config: &Config, files: &[PathBuf]) -> Vec<Account> {
    let lake = Lake::open(&config.lake).await.expect("the lake opens");
    let source = QueryFile::parse("sources/orders.sql", SOURCE).and_then(|file| Source::parse(&file));
    let sources = Sources::from_list([source.unwrap_or_else(|e| panic!("{e}"))]);
    let ingest = Ingest::new(&lake, sources, common::clock());
    let mut accounts = Vec::new();
    for path in files {
        let file = InputFile::open(path, path.to_string_lossy()).expect("opened");
        let mut tries = 0;
        let account = loop {
            match ingest.run("orders", std::slice::from_ref(&file), &Silent).await {
                Ok(account) => break account,
                Err(e) if e.kind() == ErrorKind::Conflict && tries < TRIES => tries += 1,
                Err(e) => panic!("{}: {e} ({:?})", path.display(), e.hint_text()),
            }
        };
        accounts.push(account);
    }
    accounts
}

#[tokio::test(flavor = "multi_thread")]
async fn race_of_processes() {
    let Some(server) = Server::start("race_of_processes", "seaweedfs") else { return };
    let (config, work) = (server.config(), Work::new(PROCESSES, FEW_COMMITS));
    work.settings(&config);
    let tasks = (0..PROCESSES).map(|writer| {
        let (dir, files) = (work.dir.path().to_path_buf(), work.files(writer));
        tokio::task::spawn_blocking(move || files.iter().for_each(|file| run_program(&dir, file)))
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no writer fails");
    }
    holds(&config, &work, HashSet::new()).await;
}

fn run_program(dir: &Path, file: &Path) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_saleslake"));
    let out = program.current_dir(dir).args(["ingest", "orders"]).arg(file).output().expect("the program runs");
    let (told, complained) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{}: {complained}", file.display());
    assert!(told.starts_with(&format!("{ROWS} read = ")), "{told}");
}

/// Files for the writers, and what they come to.
struct Work {
    dir: tempfile::TempDir,
    writers: u64,
    commits: u64,
    /// Per key: version, which is the quantity, too, and day.
    model: BTreeMap<String, (u64, String)>,
}

impl Work {
    fn new(writers: u64, commits: u64) -> Work {
        let dir = tempfile::tempdir().expect("a folder");
        let mut work = Work { dir, writers, commits, model: BTreeMap::new() };
        for (writer, commit) in (0..writers).flat_map(|w| (0..commits).map(move |c| (w, c))) {
            let mut text = String::from("order_no,version,sold,qty,price\n");
            // No two commits have a version in common, and neighbours put a key into different months.
            let version = commit * writers + writer + 1;
            let day = format!("2026-0{}-{:02}", 5 + version % 2, 10 + version % 10);
            for row in 0..ROWS {
                let key = if row % 2 == 0 { format!("all-{row}") } else { format!("own-{writer}-{commit}-{row}") };
                text.push_str(&format!("{key},{version},{day} 12:00,{version},5.00\n"));
                let last = work.model.entry(key).or_default();
                if last.0 < version {
                    *last = (version, day.clone());
                }
            }
            std::fs::write(work.file(writer, commit), text).expect("written");
        }
        work
    }

    fn file(&self, writer: u64, commit: u64) -> PathBuf {
        self.dir.path().join(format!("{writer}-{commit}.csv"))
    }

    fn files(&self, writer: u64) -> Vec<PathBuf> {
        (0..self.commits).map(|commit| self.file(writer, commit)).collect()
    }

    /// The configuration of a process that is started in the folder.
    fn settings(&self, config: &Config) {
        let storage = &config.lake.storage;
        let text = |value: &Option<String>| format!("{:?}", value.as_deref().unwrap_or(""));
        let lines = [
            "queries_dir = \"queries\"".to_string(),
            "[lake]".into(),
            format!("url = {:?}", config.lake.url),
            format!("currency = {:?}\nzone = {:?}", config.lake.currency, config.lake.zone),
            format!("today = {:?}", config.lake.today),
            "[lake.storage]".into(),
            "allow_http = true".into(),
            format!("endpoint = {}", text(&storage.endpoint)),
            format!("region = {}", text(&storage.region)),
            format!("access_key_id = {}", text(&storage.access_key_id)),
            format!("secret_access_key = {}", text(&storage.secret_access_key)),
        ];
        let sources = self.dir.path().join("queries/sources");
        std::fs::create_dir_all(&sources).expect("made");
        std::fs::write(sources.join("orders.sql"), SOURCE).expect("written");
        std::fs::write(self.dir.path().join("saleslake.toml"), lines.join("\n")).expect("written");
    }
}

/// What a new reader finds when all writers are done. `batches`: those that were told that rows of theirs had landed.
async fn holds(config: &Config, work: &Work, batches: HashSet<String>) {
    let lake = Lake::open(&config.lake).await.expect("the lake opens");
    // The newest head shows the newest version of every table.
    let shown = lake.states().await.expect("states");
    for (table, shown) in TABLES.iter().zip(&shown) {
        assert_eq!(shown.version, lake.state(table).await.expect("a state").version, "{}", table.name);
    }
    let engine = Engine::open(&lake, &EngineConfig::default(), &BTreeMap::new(), common::clock()).await;
    let engine = engine.expect("an engine");
    let ask = async |sql: &str| common::query(&engine, sql, QueryOptions::default()).await.expect("answered").rows;

    let rows = "SELECT order_id, source_version, business_date, quantity FROM base.order_line ORDER BY order_id, 2";
    let expected = work
        .model
        .iter()
        .map(|(key, (version, day))| vec![key.clone(), version.to_string(), day.clone(), format!("{version}.000")]);
    assert_eq!(ask(rows).await, expected.collect::<Vec<_>>());

    // No commit was lost, and none landed twice.
    let all = work.writers * work.commits;
    let history = lake.history(&ORDER_LINE, usize::MAX).await.expect("a history");
    let committed: Vec<String> = history.into_iter().filter_map(|entry| entry.batch_id).collect();
    let unique: HashSet<String> = committed.iter().cloned().collect();
    assert_eq!(unique.len(), committed.len(), "a batch committed twice");
    assert!(batches.is_subset(&unique), "acknowledged and not there: {:?}", batches.difference(&unique));
    // Of every commit one half of the rows has new keys, so that no batch is without a commit.
    assert_eq!(committed.len() as u64, all);
    let told = "SELECT count(*), sum(\"read\"), sum(landed + duplicate + late_ignored) FROM base.ingest_file";
    assert_eq!(ask(told).await, [[all.to_string(), (all * ROWS).to_string(), (all * ROWS).to_string()]]);
    let told = "SELECT sum(\"new\") FROM base.ingest_table WHERE table_name = 'order_line'";
    assert_eq!(ask(told).await, [[work.model.len().to_string()]]);
}
