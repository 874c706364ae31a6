//! What arrives on object stores and in archives: known again without being read, landed file by file.

use std::io::Write;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::columns::{longs, text_at, texts};
use super::{Account, Found, Ingest, Landing, Silent, Source, Sources};
use crate::clock::Clock;
use crate::config::LakeConfig;
use crate::lake::{Folder, Lake};
use crate::model::{INGEST_FILE, ORDER_LINE};
use crate::queryfile::QueryFile;

mod damaged;

const TILL: &str = r#"-- ---
-- [read]
-- path = "till/*"
-- format = "csv"
-- members = "**/*.csv"
-- [defaults]
-- channel_id = "pos"
-- currency = "USD"
-- tz = "UTC"
-- ---
-- into = "order_line"
SELECT id AS order_id, line AS order_line_id, CAST(version AS BIGINT) AS source_version, instant(at) AS created_at,
       sku, CAST(qty AS DECIMAL(18,3)) AS quantity, CAST(price AS DECIMAL(18,4)) AS unit_price
FROM   raw
"#;

fn csv(orders: &[&str]) -> String {
    let line = |id: &&str| format!("{id},1,1,2026-01-05T10:00:00Z,X,2,3.50\n");
    format!("id,line,version,at,sku,qty,price\n{}", orders.iter().map(line).collect::<String>())
}

fn zip(members: &[(&str, String)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("begun");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

/// A lake in memory, a landing place in memory and an own folder for temporary files.
struct Inbox {
    ingest: Ingest,
    source: Arc<Source>,
    folder: Folder,
    store: Arc<dyn ObjectStore>,
    temp: tempfile::TempDir,
}

impl Inbox {
    async fn new() -> Inbox {
        let config = LakeConfig { url: "memory://".into(), ..LakeConfig::default() };
        let lake = Lake::open(&config).await.expect("a lake");
        let file = QueryFile::parse("sources/till.sql", TILL).expect("a query file");
        let sources = Sources::from_list([Source::parse(&file).expect("a source")]);
        let source = sources.get("till").expect("known");
        let temp = tempfile::tempdir().expect("a folder");
        let ingest = Ingest::new(&lake, sources, Clock::system()).temp_dir(Some(temp.path().into()));
        let (folder, store) = Folder::memory();
        Inbox { ingest, source, folder, store, temp }
    }
    async fn put(&self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.store.put(&Path::from(name), bytes.into().into()).await.expect("put");
    }
    async fn find(&self) -> Vec<Found> {
        Landing::from(&self.folder).find(&self.source).await.expect("found")
    }
    async fn land(&self) -> Account {
        let account = self.ingest.land("till", &self.find().await, &Silent).await.expect("landed");
        assert_eq!(std::fs::read_dir(self.temp.path()).expect("listed").count(), 0, "temporary files stay");
        account
    }
    /// As [`Inbox::land`], where whatever is fetched or unpacked is an error.
    async fn land_nothing(&self) {
        let ingest = self.ingest.clone().temp_dir(Some("/nowhere/at/all".into()));
        let account = ingest.land("till", &self.find().await, &Silent).await.expect("nothing to fetch");
        assert!(account.batch_id.is_empty() && account.already() == account.files.len(), "{account}");
    }
    async fn rows(&self) -> u64 {
        self.ingest.lake.state(&ORDER_LINE).await.expect("a state").rows()
    }
    /// Of every row of the audit: file, status, records read, whether it has a version.
    async fn audit(&self) -> Vec<(String, String, i64, bool)> {
        let state = self.ingest.lake.state(&INGEST_FILE).await.expect("a state");
        let mut rows = Vec::new();
        for file in &state.files {
            for batch in self.ingest.lake.read(&state, file, None).await.expect("read") {
                let text = |name: &str| texts(&batch, name).expect("texts");
                let read = longs(&batch, "read").expect("longs");
                rows.extend((0..batch.num_rows()).map(|row| {
                    let (uri, status) = (text("file_uri").value(row), text("status").value(row));
                    (uri.into(), status.into(), read.value(row), text_at(text("version_tag"), row).is_some())
                }));
            }
        }
        rows.sort();
        rows
    }
}

fn files(account: &Account) -> Vec<(&str, u64, bool)> {
    account.files.iter().map(|f| (f.file.as_str(), f.landed, f.already)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_files_are_fetched_once() {
    let inbox = Inbox::new().await;
    inbox.put("till/b.csv", csv(&["b", "c"])).await;
    inbox.put("till/a.csv", csv(&["a"])).await;
    inbox.put("elsewhere/d.csv", csv(&["d"])).await;
    assert_eq!(files(&inbox.land().await), [("till/a.csv", 1, false), ("till/b.csv", 2, false)]);
    inbox.land_nothing().await;
    // Known bytes under another name: fetched once to see that, and then no more.
    inbox.put("till/again.csv", csv(&["a"])).await;
    let again = inbox.land().await;
    assert_eq!(files(&again)[1], ("till/again.csv", 0, true));
    assert_eq!(inbox.rows().await, 3);
    inbox.land_nothing().await;
    // A new version under an old name.
    inbox.put("till/a.csv", csv(&["a", "e"])).await;
    let changed = inbox.land().await;
    assert_eq!(files(&changed)[0], ("till/a.csv", 1, false));
    assert_eq!((changed.total().read, changed.total().duplicate, inbox.rows().await), (2, 1, 4));
    inbox.land_nothing().await;
    let audit = inbox.audit().await;
    let told: Vec<_> = audit.iter().map(|(uri, status, read, _)| (uri.as_str(), status.as_str(), *read)).collect();
    let a = "till/a.csv";
    assert_eq!(told, [(a, "landed", 1), (a, "landed", 2), ("till/again.csv", "seen", 0), ("till/b.csv", "landed", 2)]);
    assert!(inbox.audit().await.iter().all(|row| row.3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_a_url_names_is_the_one_that_the_folder_holds() {
    let inbox = Inbox::new().await;
    inbox.put("till/a.csv", csv(&["a"])).await;
    inbox.put("till/b.csv", csv(&["b", "c"])).await;
    let url = format!("{}till/b.csv", inbox.folder.url());
    let named = Landing::from(&inbox.folder).given(url.as_ref()).await.expect("there");
    let landed = inbox.ingest.land("till", &named, &Silent).await.expect("landed");
    assert_eq!(files(&landed), [("till/b.csv", 2, false)]);
    let all = inbox.land().await;
    assert_eq!(files(&all), [("till/a.csv", 1, false), ("till/b.csv", 0, true)]);
    assert_eq!(inbox.rows().await, 3);
    inbox.land_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_land_as_files_of_their_own() {
    let inbox = Inbox::new().await;
    inbox
        .put(
            "till/2026.zip",
            zip(&[("a.csv", csv(&["a"])), ("x/b.csv", csv(&["b", "c"])), ("readme.txt", "hi".into())]),
        )
        .await;
    inbox.put("till/single.csv", csv(&["c"])).await;
    let landed = inbox.land().await;
    let expected =
        [("till/2026.zip!a.csv", 1, false), ("till/2026.zip!x/b.csv", 2, false), ("till/single.csv", 0, false)];
    assert_eq!(files(&landed), expected);
    assert_eq!((landed.total().read, landed.total().duplicate, inbox.rows().await), (4, 1, 3));
    let told = |uri: &str, status: &str, read, version| (uri.to_string(), status.to_string(), read, version);
    let expected = [
        told("till/2026.zip", "unpacked", 0, true),
        told("till/2026.zip!a.csv", "landed", 1, false),
        told("till/2026.zip!x/b.csv", "landed", 2, false),
        told("till/single.csv", "landed", 1, true),
    ];
    assert_eq!(inbox.audit().await, expected);
    inbox.land_nothing().await;
    // Another archive with one member more: the known ones are not read again.
    inbox.put("till/more.zip", zip(&[("a.csv", csv(&["a"])), ("d.csv", csv(&["d"]))])).await;
    let more = inbox.land().await;
    assert_eq!(files(&more)[1..3], [("till/more.zip!a.csv", 0, true), ("till/more.zip!d.csv", 1, false)]);
    assert_eq!(more.total().read, 1);
    inbox.land_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_cannot_be_read_keeps_no_other_out() {
    let inbox = Inbox::new().await;
    let members = [("a.csv", "id,line\na,1\n".to_string()), ("b.csv", csv(&["b"]))];
    inbox.put("till/x.zip", zip(&members)).await;
    inbox.put("till/none.zip", zip(&[])).await;
    let none = "till/none.zip is an archive without a file";
    for (landed, told) in [(1, true), (0, false)] {
        let account = inbox.ingest.land_each("till", &inbox.find().await, &Silent).await.expect("landed");
        assert_eq!(account.failed.iter().map(|f| f.file.as_str()).collect::<Vec<_>>(), ["till/x.zip!a.csv"]);
        assert_eq!((account.total().landed, inbox.rows().await), (landed, 1), "{account}");
        assert_eq!(account.to_string().contains(none), told, "{account}");
    }
    // The archive is looked at until all its members have landed.
    inbox.put("till/x.zip", zip(&members[1..])).await;
    assert_eq!(inbox.land().await.already(), 2, "the empty archive and the member");
    inbox.land_nothing().await;
}
