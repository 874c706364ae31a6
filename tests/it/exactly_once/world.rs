//! A small lake in memory for one case of a property: files of given lines land, whole tables come back. Sentence 1 is held
//! to at every landing; what else should hold is the properties' to say.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::test_runner::Config;
use saleslake::engine::{Engine, QueryOptions};
use saleslake::ingest::{Account, Filter, Found, Ingest, InputFile, Replayed, Silent, Source, Sources, TableAccount};
use saleslake::lake::Lake;
use saleslake::model::{self, TableKind};
use saleslake::queryfile::{QueryFile, load_folder};

use crate::common::{self, Answer, query};

/// How many cases a property runs; a failing one is made smaller for a while.
pub fn cases(cases: u32) -> Config {
    Config { cases, max_shrink_iters: 60, failure_persistence: None, ..Config::default() }
}

/// Waits for a property's case, which has no runtime of its own.
pub fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

/// Source definitions, read once for all cases, each with the header line of its files. Of every record that they take, one
/// row counts: the others are gleaned.
pub struct Layouts {
    sources: Sources,
    heads: BTreeMap<String, &'static str>,
}

impl Layouts {
    /// `layouts`: name, header line, definition.
    pub fn new(layouts: &[(&str, &'static str, &str)]) -> Layouts {
        let source = |(name, _, sql): &(&str, &str, &str)| {
            let file = QueryFile::parse(&format!("sources/{name}.sql"), sql).expect("a query file");
            Source::parse(&file).unwrap_or_else(|e| panic!("{e} ({:?})", e.hint_text()))
        };
        Layouts {
            sources: Sources::from_list(layouts.iter().map(source)),
            heads: layouts.iter().map(|(name, head, _)| (name.to_string(), *head)).collect(),
        }
    }
}

/// One file to land: its source, and its lines without the header.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub source: &'static str,
    pub lines: Vec<String>,
}

pub struct World {
    layouts: &'static Layouts,
    lake: Lake,
    pub ingest: Ingest,
    pub engine: Engine,
    dir: tempfile::TempDir,
    files: AtomicUsize,
}

impl World {
    /// An empty lake. Nothing but the lake, its ingest and the tables' SQL: a case costs milliseconds.
    pub async fn open(layouts: &'static Layouts) -> World {
        World::over(layouts, BTreeMap::new()).await
    }

    /// The same, with the shipped views.
    pub async fn with_views(layouts: &'static Layouts) -> World {
        World::over(layouts, load_folder("views", None).expect("the views")).await
    }

    async fn over(layouts: &'static Layouts, views: BTreeMap<String, QueryFile>) -> World {
        let config = common::config();
        let lake = Lake::open(&config.lake).await.expect("a lake");
        let engine = Engine::open(&lake, &config.engine, &views, common::clock()).await.expect("an engine");
        let ingest = Ingest::new(&lake, layouts.sources.clone(), common::clock());
        World { layouts, lake, ingest, engine, dir: tempfile::tempdir().expect("a folder"), files: AtomicUsize::new(0) }
    }

    /// The same lake and files, under other definitions of the sources.
    pub fn redefine(&mut self, layouts: &'static Layouts) {
        self.layouts = layouts;
        self.ingest = Ingest::new(&self.lake, layouts.sources.clone(), common::clock());
    }

    /// The files of a source that were ever landed, as they are found now.
    pub fn found(&self, source: &str) -> Vec<Found> {
        let mut paths: Vec<_> = std::fs::read_dir(self.dir.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&format!("{source}-"))))
            .collect();
        paths.sort();
        let open = |p: PathBuf| Found::Local(InputFile::open(&p, p.to_string_lossy()).expect("the file opens"));
        paths.into_iter().map(open).collect()
    }

    /// Replays all of a source.
    pub async fn replay(&self, source: &str) -> Replayed {
        let found = self.found(source);
        self.ingest.replay(source, &found, false, &Silent).await.unwrap_or_else(|e| panic!("{source}: {e}"))
    }

    /// The version of every table, which nothing but a commit changes.
    pub async fn versions(&self) -> Vec<i64> {
        self.lake.states().await.expect("states").iter().map(|s| s.version).collect()
    }

    /// The same, each file in a commit of its own, also where several land by one call.
    pub fn a_commit_per_file(mut self) -> World {
        self.ingest = self.ingest.batch_records(1);
        self
    }

    /// Lands the deliveries as they come, each by a call of its own.
    pub async fn land_each(&self, deliveries: &[Delivery]) {
        for delivery in deliveries {
            self.land(delivery.source, std::slice::from_ref(&delivery.lines)).await;
        }
    }

    /// Lands deliveries of one source that stand together by one call.
    pub async fn land_together(&self, deliveries: &[Delivery]) -> Vec<Account> {
        let mut accounts = Vec::new();
        for together in deliveries.chunk_by(|a, b| a.source == b.source) {
            let files: Vec<Vec<String>> = together.iter().map(|d| d.lines.clone()).collect();
            accounts.extend(self.land(together[0].source, &files).await);
        }
        accounts
    }

    /// Lands files by one call; those without lines are left out. `None`: there was no other.
    pub async fn land(&self, source: &str, files: &[Vec<String>]) -> Option<Account> {
        let head = self.layouts.heads[source];
        let files: Vec<&Vec<String>> = files.iter().filter(|lines| !lines.is_empty()).collect();
        let texts: Vec<String> = files.iter().map(|lines| format!("{head}\n{}\n", lines.join("\n"))).collect();
        if files.is_empty() {
            return None;
        }
        let account = self.land_texts(source, &texts).await;
        for (lines, file) in files.iter().zip(&account.files).filter(|(_, file)| !file.already) {
            assert_eq!(file.read, lines.len() as u64, "{account}");
        }
        Some(account)
    }

    /// Lands files with these contents by one call, and holds the account to sentence 1. They are called `<source>-<n>.csv`.
    pub async fn land_texts(&self, source: &str, texts: &[String]) -> Account {
        let file = |text: &String| {
            let n = self.files.fetch_add(1, Ordering::Relaxed);
            let path = self.dir.path().join(format!("{source}-{n}.csv"));
            std::fs::write(&path, text).expect("written");
            InputFile::open(&path, path.to_string_lossy()).expect("the file opens")
        };
        let files: Vec<InputFile> = texts.iter().map(file).collect();
        let account = self.ingest.run(source, &files, &Silent).await.unwrap_or_else(|e| panic!("{source}: {e}"));
        adds_up(&account);
        account
    }

    pub async fn sql(&self, sql: &str) -> Answer {
        self.engine.refresh().await.expect("refresh");
        query(&self.engine, sql, QueryOptions::default()).await.unwrap_or_else(|e| panic!("{sql}\n{e}"))
    }

    /// What must be equal whatever the arrival: the tables but for the columns that say when and from where a row landed, and
    /// who waits in quarantine for which rule. Every delivery quarantines the records of its own files: what counts is which
    /// records wait, and for which rule.
    pub async fn state(&self, tables: &[&str]) -> Vec<Answer> {
        let mut state = Vec::new();
        for table in tables {
            let bookkeeping = "ingested_at, ingest_batch_id, source_file_id";
            state.push(self.sql(&format!("SELECT * EXCLUDE ({bookkeeping}) FROM base.{table} ORDER BY row_key")).await);
        }
        let held = "SELECT DISTINCT table_name, rule, CASE WHEN rule = 'V19' THEN value ELSE raw END AS what \
            FROM base.quarantine WHERE resolved_at IS NULL ORDER BY 1, 2, 3";
        state.push(self.sql(held).await);
        state
    }

    /// Every key is there once, and rows do not come or go unaccounted: as many are there as were ever new.
    pub async fn rows_are_accounted_for(&self, tables: &[&str]) {
        for table in tables {
            let sql = format!(
                "SELECT held.n, held.ids, told.n \
                FROM (SELECT count(*) AS n, count(DISTINCT row_key) AS ids FROM base.{table}) held \
                CROSS JOIN (SELECT coalesce(sum(\"new\"), 0) AS n FROM base.ingest_table WHERE table_name = '{table}') told"
            );
            let counts = &self.sql(&sql).await.rows[0];
            assert!(counts.iter().all(|n| *n == counts[0]), "{table}: rows, keys and new rows: {counts:?}");
        }
    }

    /// What still waits in quarantine: line, rule, field, value, raw, file, by line.
    pub async fn waiting(&self) -> Answer {
        let filter = Filter { resolved: Some(false), ..Default::default() };
        let held = self.ingest.quarantined(&filter).await.expect("the quarantine");
        let columns = held.schema().fields().iter().map(|f| f.name().clone()).collect();
        let mut answer = Answer::of(&[held], columns).select(&["line", "rule", "field", "value", "raw", "file"]);
        answer.rows.iter_mut().for_each(|r| r[4] = r[4].trim_end().to_string());
        answer.rows.sort_by_key(|r| r[0].parse::<i64>().expect("a line"));
        answer
    }
}

/// Sentence 1, per file, and over all files against the rows that count: one of each record that landed or could have.
fn adds_up(account: &Account) {
    for f in &account.files {
        let accounted = f.landed + f.duplicate + f.late_ignored + f.skipped + f.quarantined;
        assert_eq!(f.read, accounted, "{}: {account}", f.file);
        assert!(!f.already || f.read == 0, "{}: {account}", f.file);
    }
    let is_fact = |name: &str| model::table(name).is_some_and(|t| t.kind == TableKind::Fact);
    let has_facts = account.tables.keys().any(|name| is_fact(name));
    let mut rows = TableAccount::default();
    account.tables.iter().filter(|(name, _)| is_fact(name) || !has_facts).for_each(|(_, table)| rows.add(table));
    let total = account.total();
    assert_eq!(
        [total.landed, total.duplicate, total.late_ignored],
        [rows.new + rows.replaced, rows.duplicate, rows.late_ignored],
        "records and their rows: {account}"
    );
    for r in &account.retried {
        assert_eq!(r.tried, r.landed + r.duplicate + r.late_ignored + r.skipped + r.quarantined + r.waiting, "{r}");
    }
}
