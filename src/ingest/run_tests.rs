//! Files end to end: read, mapped, landed and audited on a `memory://` lake.

mod changed;
mod damaged;
mod full;
mod once_more;

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;

use super::batch::Batch;
use super::columns::{instants, longs, texts};
use super::commit::Writer;
use super::land::BatchFile;
use super::testing::{RATES, source};
use super::{Filter, Found, Ingest, Input, InputFile, Silent, Sources, TableAccount, draft, find, name_of};
use crate::clock::Clock;
use crate::config::LakeConfig;
use crate::lake::Lake;
use crate::model::{INGEST_FILE, INGEST_TABLE, ORDER_LINE, Table};

const ORDERS: &str = r#"-- ---
-- source_system = "shop"
-- [read]
-- path = "orders/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "web"
-- tz = "UTC"
-- [[skip]]
-- where = "status = 'draft'"
-- reason = "drafts are no orders"
-- ---
-- into = "order_line"
SELECT id AS order_id, line AS order_line_id, CAST(version AS BIGINT) AS source_version, instant(at) AS created_at,
       sku, CAST(qty AS DECIMAL(18,3)) AS quantity, CAST(price AS DECIMAL(18,4)) AS unit_price, currency
FROM   raw
-- into = "product", reference = true
SELECT sku FROM raw WHERE sku <> ''
"#;

async fn ingest() -> Ingest {
    let config = LakeConfig { url: "memory://".into(), ..LakeConfig::default() };
    let lake = Lake::open(&config).await.expect("a lake");
    Ingest::new(&lake, Sources::from_list([source("orders", ORDERS), source("rates", RATES)]), Clock::system())
}

/// A landing folder with the given files.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a folder"))
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(&path, text).expect("written");
        path
    }
    fn orders(&self, name: &str, lines: &[&str]) -> Vec<InputFile> {
        let text = format!("id,line,version,at,sku,qty,price,currency,status\n{}\n", lines.join("\n"));
        let path = self.put(&format!("orders/{name}.csv"), &text);
        vec![InputFile::open(&path, format!("orders/{name}.csv")).expect("opened")]
    }
}

async fn sum(lake: &Lake, table: &'static Table, column: &str) -> i64 {
    let state = lake.state(table).await.expect("a state");
    let mut sum = 0;
    for file in &state.files {
        for batch in lake.read(&state, file, None).await.expect("read") {
            sum += longs(&batch, column).expect("longs").iter().flatten().sum::<i64>();
        }
    }
    sum
}

async fn rows(lake: &Lake, table: &'static Table) -> u64 {
    lake.state(table).await.expect("a state").files.iter().map(|f| f.rows).sum()
}

const A: &str = "a,1,1,2026-01-05T10:00:00Z,X,2,3.50,USD,paid";
const B: &str = "b,1,1,2026-02-05T10:00:00Z,Y,1,4,USD,paid";
const DRAFT: &str = "c,1,1,2026-02-05T10:00:00Z,Y,1,4,USD,draft";
const BAD: &str = "d,1,1,2026-02-05T10:00:00Z,Y,minus one,4,USD,paid";
const EURO: &str = "e,1,1,2026-02-05T10:00:00Z,Z,1,4,EUR,paid";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_lands_once_and_its_account_adds_up() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let files = folder.orders("one", &[A, B, B, DRAFT, BAD]);
    let account = ingest.run("orders", &files, &Silent).await.expect("landed");
    let first = "5 read = 2 landed + 1 duplicate + 0 late + 1 skipped + 1 quarantined";
    assert!(account.to_string().starts_with(first), "{account}");
    assert_eq!(account.tables["order_line"].new, 2);
    assert_eq!(account.tables["product"].new, 2);
    let again = ingest.run("orders", &files, &Silent).await.expect("landed");
    assert!(again.files[0].already && again.files[0].read == 0 && again.batch_id.is_empty());
    let changed = folder.orders("two", &[A, B, DRAFT, BAD]);
    let more = ingest.run("orders", &changed, &Silent).await.expect("landed");
    assert!(
        more.to_string().starts_with("4 read = 0 landed + 2 duplicate + 0 late + 1 skipped + 1 quarantined"),
        "{more}"
    );
    assert_eq!(rows(&ingest.lake, &ORDER_LINE).await, 2);
    let bad = ingest.quarantined(&Filter { rule: Some("V01".into()), ..Filter::default() }).await.expect("listed");
    assert_eq!(bad.num_rows(), 2);
    assert_eq!(texts(&bad, "file").expect("files").value(0), "orders/one.csv");
    assert_eq!(longs(&bad, "line").expect("lines").value(0), 6);
    assert_eq!(texts(&bad, "value").expect("values").value(0), "minus one");
    assert_eq!(texts(&bad, "raw").expect("raw").value(0), BAD);
    assert_eq!(sum(&ingest.lake, &INGEST_FILE, "read").await, 9);
    assert_eq!(sum(&ingest.lake, &INGEST_TABLE, "new").await, 4);
    let three = folder.put("orders/three.csv", "id,line,version,at,sku,qty,price,currency,status\n");
    let four = folder.put("orders/four.csv", &std::fs::read_to_string(&three).expect("read"));
    let equal = [three, four].map(|path| InputFile::open(&path, path.to_string_lossy()).expect("opened"));
    let account = ingest.run("orders", &[&equal[..], &files].concat(), &Silent).await.expect("landed");
    assert_eq!((account.already(), account.repeated), (2, 1), "one had landed before, one is there twice: {account}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_let_waiting_records_land() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let account = ingest.run("orders", &folder.orders("one", &[A, EURO]), &Silent).await.expect("landed");
    assert!(
        account.to_string().starts_with("2 read = 1 landed + 0 duplicate + 0 late + 0 skipped + 1 quarantined"),
        "{account}"
    );
    let path = folder.put("rates/r.csv", "day,base,quote,rate\n2026-02-05,EUR,USD,1.25\n");
    let rates = vec![InputFile::open(&path, "rates/r.csv").expect("opened")];
    let account = ingest.run("rates", &rates, &Silent).await.expect("landed");
    assert_eq!(account.retried.len(), 1);
    assert_eq!((account.retried[0].tried, account.retried[0].landed, account.retried[0].waiting), (1, 1, 0));
    assert_eq!(rows(&ingest.lake, &ORDER_LINE).await, 2);
    let all = ingest.quarantined(&Filter::default()).await.expect("listed");
    assert!(all.num_rows() == 1 && instants(&all, "resolved_at").expect("resolved").is_valid(0));
    // The sums over a file's rows are its account now: 2 + 1 read, all landed.
    assert_eq!(sum(&ingest.lake, &INGEST_FILE, "read").await, 3);
    assert_eq!(sum(&ingest.lake, &INGEST_FILE, "landed").await, 3);
    assert_eq!(sum(&ingest.lake, &INGEST_FILE, "quarantined").await, 0);
    assert!(ingest.retry(&Silent).await.expect("retried").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_landing_that_was_cut_off_is_completed() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let files = folder.orders("one", &[A, BAD, B]);
    // As far as a landing gets that dies before its audit: the tables and the quarantine are committed.
    let orders = ingest.sources.get("orders").expect("known");
    let rates = ingest.rates().await.expect("read");
    let id = files[0].id("orders");
    let writer = Writer { lake: &ingest.lake, source: "orders", batch_id: "cut off", clock: ingest.clock };
    let mut batch = Batch::new(writer, &Silent);
    let number = batch.file(BatchFile { id: id.clone(), uri: files[0].uri.clone() });
    let mut mapper = ingest.mapper(&orders, &rates, id, &files[0].uri, files[0].modified_micros);
    let mut records = mapper.open(Input::Path(files[0].path.clone())).await.expect("opened");
    while let Some(mapped) = records.next().await.expect("mapped") {
        batch.push(number, mapped).expect("pushed");
    }
    batch.flush().await.expect("flushed");
    let account = ingest.run("orders", &files, &Silent).await.expect("landed");
    assert!(
        account.to_string().starts_with("3 read = 0 landed + 2 duplicate + 0 late + 0 skipped + 1 quarantined"),
        "{account}"
    );
    assert_eq!(rows(&ingest.lake, &ORDER_LINE).await, 2);
    assert_eq!(ingest.quarantined(&Filter::default()).await.expect("listed").num_rows(), 1);
    assert!(ingest.run("orders", &files, &Silent).await.expect("landed").files[0].already);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mended_definition_frees_its_records() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let worse = "f,1,1,2026-02-05T10:00:00Z,Y,two,4,USD,paid";
    let files = folder.orders("one", &[A, BAD, EURO, worse]);
    let account = ingest.run("orders", &files, &Silent).await.expect("landed");
    assert_eq!((account.total().quarantined, account.freed), (3, 0));
    let mended = ORDERS.replace("CAST(qty AS DECIMAL(18,3))", "CAST(replace(qty, 'minus one', '1') AS DECIMAL(18,3))");
    let sources = Sources::from_list([source("orders", &mended), source("rates", RATES)]);
    let mended = Ingest::new(&ingest.lake, sources, Clock::system());
    assert!(mended.run("orders", &files, &Silent).await.expect("landed").files[0].already, "known bytes");
    assert_eq!(mended.outdated("orders").await.expect("counted"), 1);
    let found: Vec<Found> = files.into_iter().map(Found::Local).collect();
    let replayed = mended.replay("orders", &found, false, &Silent).await.expect("replayed");
    let all = "4 read = 2 landed + 0 duplicate + 0 late + 0 skipped + 2 quarantined";
    assert!(replayed.to_string().starts_with(all) && replayed.account.freed == 1, "{replayed}");
    let TableAccount { new, replaced, duplicate, .. } = replayed.account.tables["order_line"];
    assert_eq!((new, replaced, duplicate), (1, 0, 1), "{replayed}");
    assert_eq!(mended.outdated("orders").await.expect("counted"), 0);
    // The sums over the file's rows are its account now.
    for (column, records) in [("read", 4), ("landed", 2), ("duplicate", 0), ("quarantined", 2)] {
        assert_eq!(sum(&ingest.lake, &INGEST_FILE, column).await, records, "{column}");
    }
    let waits = ingest.quarantined(&Filter { resolved: Some(false), ..Filter::default() }).await.expect("listed");
    assert_eq!(longs(&waits, "line").expect("lines").values(), &[4, 5], "without a rate, and 'two'");
}

#[tokio::test(flavor = "multi_thread")]
async fn landing_commits_before_it_takes_more_memory() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let one = folder.orders("one", &[A]);
    let two = folder.orders("two", &[B]);
    let files = [one, two].concat();
    // No room at all: every chunk is a commit of its own.
    ingest.clone().memory(0).run("orders", &files, &Silent).await.expect("landed");
    assert_eq!(ingest.lake.state(&ORDER_LINE).await.expect("a state").version, 1);
    assert_eq!(rows(&ingest.lake, &ORDER_LINE).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_below_the_landing_path_in_order() {
    let (ingest, folder) = (ingest().await.batch_records(1), Folder::new());
    folder.orders("2", &[EURO]);
    folder.orders("1", &[A, B]);
    folder.put("rates/r.csv", "day,base,quote,rate\n2026-02-05,EUR,USD,1.25\n");
    let accounts = ingest.run_all(folder.path(), &Silent).await.expect("landed");
    assert_eq!(accounts.iter().map(|a| a.source.as_str()).collect::<Vec<_>>(), ["rates", "orders"]);
    assert_eq!(accounts[1].files.iter().map(|f| f.landed).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(accounts[1].files[0].file, "orders/1.csv");
    let again = ingest.run_all(folder.path(), &Silent).await.expect("landed");
    assert!(again.iter().all(|a| a.already() == a.files.len()));
    let versions =
        |states: Vec<std::sync::Arc<crate::lake::TableState>>| states.iter().map(|s| s.version).collect::<Vec<_>>();
    let before = versions(ingest.lake.states().await.expect("states"));
    ingest.run_all(folder.path(), &Silent).await.expect("landed");
    assert_eq!(before, versions(ingest.lake.states().await.expect("states")), "a second run commits nothing");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_opened_keeps_no_other_out() {
    let (ingest, folder) = (ingest().await, Folder::new());
    folder.orders("b", &[A]);
    folder.put("orders/c.csv", "");
    folder.put("rates/r.csv", "day,base,quote,rate\n2026-02-05,EUR,USD,1.25\n");
    for link in ["orders/a.csv", "rates/a.csv"] {
        std::os::unix::fs::symlink("nowhere", folder.path().join(link)).expect("linked");
    }
    let accounts = ingest.run_all(folder.path(), &Silent).await.expect("landed");
    let failed: Vec<_> = accounts.iter().flat_map(|a| &a.failed).map(|f| f.file.as_str()).collect();
    assert_eq!(failed, ["rates/a.csv", "orders/a.csv"]);
    assert_eq!(accounts.iter().map(|a| a.total().landed).collect::<Vec<_>>(), [1, 1]);
    let text = accounts[1].to_string();
    assert!(text.contains("failed: file orders/a.csv: "), "{text}");
    assert!(text.contains("\n  orders/c.csv is empty: no header, no record"), "{text}");
    assert_eq!(accounts[1].empty().count(), 1, "a file with records is not empty");
    assert_eq!(accounts[0].empty().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_lands_unedited() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let texts = [
        ("plain.csv", "date,sku,quantity,price\n2026-01-31,0012,2,3.50\n2026-02-01,13,1,4\n2026-02-01,13,1,4\n"),
        (
            "german.csv",
            "Datum;Artikel;Menge;Preis\n31.01.2026;0012;2;1.250,50\n01.02.2026;13;1;4,00\n01.02.2026;14;1;4,00\n",
        ),
        (
            "nested.ndjson",
            "{\"order_id\":\"A\",\"created_at\":\"2026-01-31T10:00:00Z\",\"lines\":[{\"line_no\":1,\"sku\":\"X\",\"qty\":\"2\",\"price\":3.5},{\"line_no\":2,\"sku\":\"Y\",\"qty\":1,\"price\":1}]}\n{\"order_id\":\"B\",\"created_at\":\"2026-01-31T10:00:00Z\",\"lines\":[{\"line_no\":1,\"sku\":\"X\",\"qty\":\"2\",\"price\":3.5}]}\n",
        ),
    ];
    for (name, text) in texts {
        let path = folder.put(name, text);
        let drafted = draft(&path, &name_of(&path), ingest.lake.properties()).expect("drafted");
        let drafted = source(&name_of(&path), &drafted.text);
        let name = drafted.name.clone();
        let ingest = Ingest::new(&ingest.lake, Sources::from_list([drafted]), Clock::system());
        let before = rows(&ingest.lake, &ORDER_LINE).await;
        let files = [InputFile::open(&path, name.as_str()).expect("opened")];
        let account = ingest.run(&name, &files, &Silent).await.expect("landed");
        assert_eq!(account.total().landed, account.total().read, "{account}");
        assert_eq!(rows(&ingest.lake, &ORDER_LINE).await - before, 3, "{name}");
    }
    assert!(find(folder.path(), "*.csv").expect("found").len() == 2);
    let state = ingest.lake.state(&ORDER_LINE).await.expect("a state");
    let read = ingest.lake.read(&state, &state.files[0], Some(&["source_version"])).await.expect("read");
    assert!(read[0].column(0).as_primitive::<Int64Type>().values().iter().all(|v| *v == 0));
}
