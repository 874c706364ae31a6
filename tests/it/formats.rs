//! The same ten records in every format and encoding give the same rows; what cannot be read is told, and leaves the lake as
//! it was; changed columns are told. The files are other programs' (`tests/data/formats/README.md`).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use saleslake::clock::Clock;
use saleslake::engine::{Engine, QueryOptions};
use saleslake::error::Result;
use saleslake::ingest::{Account, Ingest, InputFile, Silent, Source, Sources};
use saleslake::lake::Lake;
use saleslake::queryfile::QueryFile;

use crate::common::{self, Answer, query};

/// A definition for the ten records; `read` is the rest of its `[read]`.
fn definition(read: &str) -> String {
    let read: String = read.lines().map(|l| format!("-- {l}\n")).collect();
    format!(
        r#"-- ---
-- source_system = "shop"
-- [read]
-- path = "orders/*"
{read}-- [defaults]
-- channel_id = "web"
-- currency = "GBP"
-- tz = "UTC"
-- ---
-- into = "order_line"
SELECT order_id, line AS order_line_id, local_time(sold_at, '%Y-%m-%dT%H:%M:%S') AS created_at, sku,
       CAST(quantity AS DECIMAL(18,3)) AS quantity, CAST(price AS DECIMAL(18,4)) AS unit_price
FROM   raw;
-- into = "product", reference = true
SELECT sku, name AS product_name FROM raw;
"#
    )
}

/// An empty lake in memory and one source, called orders.
struct Shop {
    lake: Lake,
    sources: Sources,
    engine: Engine,
    dir: tempfile::TempDir,
    /// Each landing is a minute later than the one before.
    landings: Cell<i64>,
}

impl Shop {
    async fn open(read: &str) -> Shop {
        let file = QueryFile::parse("sources/orders.sql", &definition(read)).expect("a query file");
        let source = Source::parse(&file).unwrap_or_else(|e| panic!("{read}: {e} ({:?})", e.hint_text()));
        let config = common::config();
        let lake = Lake::open(&config.lake).await.expect("a lake");
        let engine = Engine::open(&lake, &config.engine, &BTreeMap::new(), common::clock()).await.expect("an engine");
        let (sources, dir) = (Sources::from_list([source]), tempfile::tempdir().expect("a folder"));
        Shop { lake, sources, engine, dir, landings: Cell::new(0) }
    }

    async fn land(&self, path: &Path) -> Result<Account> {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let file = InputFile::open(path, name).expect("the file opens");
        self.landings.set(self.landings.get() + 1);
        let clock = Clock::fixed(common::clock().now() + chrono::Duration::minutes(self.landings.get()));
        Ingest::new(&self.lake, self.sources.clone(), clock).run("orders", &[file], &Silent).await
    }

    async fn land_bytes(&self, name: &str, bytes: &[u8]) -> Result<Account> {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        self.land(&path).await
    }

    async fn sql(&self, sql: &str) -> Answer {
        self.engine.refresh().await.expect("refresh");
        query(&self.engine, sql, QueryOptions::default()).await.unwrap_or_else(|e| panic!("{sql}\n{e}"))
    }

    async fn rows(&self) -> Vec<Vec<String>> {
        let sql =
            "SELECT order_id, order_line_id, created_at, sku, quantity, unit_price FROM base.order_line ORDER BY 1, 2";
        self.sql(sql).await.rows
    }

    async fn names(&self) -> Vec<Vec<String>> {
        self.sql("SELECT sku, product_name FROM base.product ORDER BY 1").await.rows
    }
}

fn fixture(name: &str) -> PathBuf {
    common::repo("tests/data/formats").join(name)
}

/// The ten records as `make.py` says them.
fn expected() -> Vec<Vec<String>> {
    let row = |i: usize| {
        vec![
            format!("O{}", i / 2 + 1),
            format!("{}", i % 2 + 1),
            format!("2026-01-{:02}T{:02}:30:00Z", 5 + i, 9 + i),
            ["A-1", "A-2", "B-7"][i % 3].to_string(),
            format!("{}.000", i % 4 + 1),
            format!("{}.9900", 10 + i),
        ]
    };
    (0..10).map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_records_in_every_format_and_encoding() {
    let cases = [
        ("orders.csv", "format = \"csv\""),
        ("orders_bom.csv", "format = \"csv\""),
        ("orders_gb18030.csv", "format = \"csv\"\nencoding = \"gb18030\""),
        ("orders_utf16le.csv", "format = \"csv\""),
        ("orders_utf16be.csv", "format = \"csv\"\nencoding = \"utf-16\""),
        ("orders_windows1252.csv", "format = \"csv\"\nencoding = \"windows-1252\""),
        ("orders_semicolon.csv", "format = \"csv\"\ndelimiter = \";\"\ncomment = \"#\""),
        ("orders.tsv", "format = \"csv\"\ndelimiter = \"tab\"\nquote = \"none\"\nescape = \"\\\\\""),
        ("orders.csv.gz", "format = \"csv\""),
        ("orders.csv.zst", "format = \"csv\""),
        ("orders.ndjson", "format = \"ndjson\""),
        ("orders.json", "format = \"json\""),
        ("orders_keyed.json", "format = \"json\"\nrecords = \"data.orders\""),
        ("orders.parquet", "format = \"parquet\""),
        ("orders.arrow", "format = \"arrow\""),
        ("orders.arrows", "format = \"arrow\""),
        ("orders_lz4.arrow", "format = \"arrow\""),
        ("orders.xlsx", "format = \"excel\""),
        ("orders.xls", "format = \"excel\"\nsheet = \"Orders\""),
    ];
    for (name, read) in cases {
        let shop = Shop::open(read).await;
        let account = shop.land(&fixture(name)).await.unwrap_or_else(|e| panic!("{name}: {e} ({:?})", e.hint_text()));
        let total = account.total();
        let waiting = shop.sql("SELECT rule, line, message FROM base.quarantine").await.rows;
        assert_eq!((total.read, total.landed), (10, 10), "{name}: {account}\n{waiting:?}");
        assert_eq!(shop.rows().await, expected(), "{name}");
        let shirt = if name.contains("1252") { "chemise" } else { "衬衫" };
        let names = [["A-1", shirt], ["A-2", "Größe M, \"weit\""], ["B-7", "café"]];
        assert_eq!(shop.names().await, names, "{name}");
    }
}

#[test]
fn a_file_may_be_given_as_url() {
    let dir = tempfile::tempdir().expect("a folder");
    let sources = dir.path().join("queries/sources");
    std::fs::create_dir_all(&sources).expect("made");
    std::fs::write(sources.join("orders.sql"), definition("format = \"csv\"")).expect("written");
    let landing = dir.path().join("landing/new orders");
    std::fs::create_dir_all(&landing).expect("made");
    std::fs::copy(fixture("orders.csv"), landing.join("orders.csv")).expect("copied");
    let ingest = |url: &str| {
        let landing = format!("landing.path={}", dir.path().join("landing").display());
        let args =
            ["ingest", "orders", url, "--set", "queries_dir=queries", "--set", "lake.currency=GBP", "--set", &landing];
        common::saleslake(dir.path(), &args)
    };
    let folder = format!("file://{}", dir.path().join("landing/new%20orders").display());
    let first = ingest(&format!("{folder}/orders.csv"));
    let (told, failed) = (String::from_utf8_lossy(&first.stdout), String::from_utf8_lossy(&first.stderr));
    assert!(told.contains("10 read = 10 landed"), "{told}{failed}");
    let again = ingest(&folder);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let told = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(!told.contains("10 landed"), "the same file: {told}");
    let other = ingest("s3://bucket/landing/orders.csv");
    let told = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(!other.status.success() && told.contains("landing.path=s3://bucket/landing"), "{told}");
}

/// Bad records stand alone (V00), with where they are; all the others land.
#[tokio::test(flavor = "multi_thread")]
async fn v00_one_bad_record_harms_no_other() {
    let whole = std::fs::read(fixture("orders.csv")).expect("a fixture");
    let mut lines: Vec<Vec<u8>> = whole.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    lines.insert(2, b"O9,1,2026-01-05T09:30:00,A-1,\xff,1,1\n".to_vec());
    lines.insert(4, b"O9,2,2026-01-05T09:30:00,A-1,\0,1,1\n".to_vec());
    lines.insert(6, [&b"O9,3,2026-01-05T09:30:00,A-1,"[..], &vec![b'x'; 4 << 20], b",1,1\n"].concat());
    let shop = Shop::open("format = \"csv\"").await;
    let account = shop.land_bytes("bad.csv", &lines.concat()).await.expect("landed");
    assert_eq!((account.total().landed, account.total().quarantined), (10, 3), "{account}");
    assert_eq!(shop.rows().await, expected());
    let held = shop.sql("SELECT line, rule, message FROM base.quarantine ORDER BY line").await.rows;
    let says = ["not UTF-8, from byte 30", "a NUL byte, at byte 30", "longer than 1048576 bytes"];
    for ((row, line), says) in held.iter().zip(["3", "5", "7"]).zip(says) {
        assert_eq!((row[0].as_str(), row[1].as_str()), (line, "V00"), "{held:?}");
        assert!(row[2].starts_with(says), "{}", row[2]);
    }
}

/// What is cut off, damaged or something else is an error that names the file and the place; nothing of it lands.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_and_changes_nothing() {
    let cut = |name: &str, keep: usize| {
        let mut bytes = std::fs::read(fixture(name)).expect("a fixture");
        bytes.truncate(bytes.len() * keep / 100);
        bytes
    };
    let cases = [
        (
            "a.csv.gz",
            cut("orders.csv.gz", 80),
            "format = \"csv\"",
            "the gzip data is cut off at byte 202 of the packed file",
        ),
        (
            "a.csv.zst",
            cut("orders.csv.zst", 80),
            "format = \"csv\"",
            "the zstd data is cut off at byte 272 of the packed file",
        ),
        ("a.json", cut("orders.json", 50), "format = \"json\"", "the file ends inside what begins at line"),
        ("a.parquet", cut("orders.parquet", 50), "format = \"parquet\"", "cut off after byte 1198"),
        ("a.arrow", cut("orders.arrow", 50), "format = \"arrow\"", "an Arrow file or stream that cannot be read"),
        ("a.xlsx", cut("orders.xlsx", 50), "format = \"excel\"", "the workbook cannot be read"),
        ("b.parquet", cut("orders.csv.gz", 100), "format = \"parquet\"", "it looks like gzip"),
        ("c.csv", cut("orders.xlsx", 100), "format = \"csv\"", "it looks like a zip archive or a workbook"),
        ("d.csv", cut("orders_gb18030.csv", 100), "format = \"csv\"\nskip_lines = 1", "the header line: not UTF-8"),
        ("e.ndjson", cut("orders.json", 100), "format = \"ndjson\"", "a JSON array, not one object a line"),
    ];
    for (name, bytes, read, says) in cases {
        let shop = Shop::open(read).await;
        let e = shop.land_bytes(name, &bytes).await.expect_err(name);
        assert!(e.message().contains(says) && e.message().contains(name), "{name}: {e}");
        assert!(e.hint_text().is_some(), "{name}: {e}");
        assert!(shop.rows().await.is_empty(), "{name}");
        assert!(shop.sql("SELECT * FROM base.ingest_file").await.rows.is_empty(), "{name}");
    }
}

/// A file that lacks columns is refused with all their names.
#[tokio::test(flavor = "multi_thread")]
async fn missing_columns_are_all_named() {
    let shop = Shop::open("format = \"csv\"").await;
    let e =
        shop.land_bytes("a.csv", b"order_id,line,sold_at,sku\n1,1,2026-01-05T09:30:00,A\n").await.expect_err("refused");
    for name in ["\"name\"", "\"quantity\"", "\"price\""] {
        assert!(e.message().contains(name), "{e}");
    }
    assert!(!e.message().contains("\"sku\""), "{e}");
}

/// Columns that come and go are told once each, across landings, or stop the file.
#[tokio::test(flavor = "multi_thread")]
async fn drift_is_told_or_stops_the_file() {
    let file = |more: &str, id: &str| {
        format!(
            "order_id,line,sold_at,sku,name,quantity,price{more}\n{id},1,2026-01-05T09:30:00,A-1,x,1,2{}\n",
            ",".repeat(more.matches(',').count())
        )
    };
    let warn = Shop::open("format = \"csv\"\nignored = [\"spare\"]").await;
    for (id, more, told) in [
        ("1", ",till", ""),
        ("2", ",till,spare", ""),
        ("3", ",till,colour", "new column \"colour\""),
        ("4", ",till,colour", ""),
        ("5", ",colour", "column \"till\" is missing, the file before had it"),
    ] {
        let account = warn.land_bytes(&format!("{id}.csv"), file(more, id).as_bytes()).await.expect("landed");
        assert_eq!(account.files[0].drift.join("; "), told, "{id}: {account}");
        assert_eq!(account.to_string().contains("have changed"), !told.is_empty(), "{account}");
        assert_eq!(account.total().landed, 1, "{account}");
    }
    let stop = Shop::open("format = \"csv\"\ndrift = \"stop\"").await;
    stop.land_bytes("1.csv", file("", "1").as_bytes()).await.expect("landed");
    let e = stop.land_bytes("2.csv", file(",till", "2").as_bytes()).await.expect_err("stopped");
    assert!(e.message().contains("file 2.csv") && e.message().contains("new column \"till\""), "{e}");
    assert_eq!(stop.rows().await.len(), 1);
}

/// Of JSON the fields at the top of the records are its columns. One that some records lack may be missing; one that each of
/// many has had may not.
#[tokio::test(flavor = "multi_thread")]
async fn drift_of_json_is_told_or_stops_the_file() {
    // `every` and `first`: further fields of each record, and of the first one alone.
    let records = |id: &str, count: usize, every: &str, first: &str| -> Vec<String> {
        let record = |line: usize| {
            let more = if line == 1 { first } else { "" };
            format!(
                r#"{{"order_id":"{id}","line":{line},"sold_at":"2026-01-05T09:30:00","sku":"A-1","name":"x","quantity":1,"price":2{every}{more}}}"#
            )
        };
        (1..=count).map(record).collect()
    };
    let (till, colour) = (r#","till":"7""#, r#","colour":"red""#);
    for (read, around, between) in [
        ("format = \"json\"", ("[\n", "]"), ",\n  "),
        ("format = \"json\"", ("", ""), "\n\n"),
        ("format = \"json\"\nrecords = \"data.orders\"", (r#"{"n":[1],"data":{"orders":["#, "]}}"), ", "),
        ("format = \"ndjson\"", ("", "\n"), "\n"),
    ] {
        let file = |records: Vec<String>| format!("{}{}{}", around.0, records.join(between), around.1).into_bytes();
        let warn = Shop::open(&format!("{read}\nignored = [\"spare\"]")).await;
        for (id, count, every, first, told) in [
            ("1", 30, till, colour, ""),
            ("2", 30, till, r#","spare":1"#, ""),
            ("3", 1, "", "", ""),
            ("4", 1, "", r#","gift":true"#, "new column \"gift\""),
            ("5", 30, "", r#","gift":false"#, "column \"till\" is missing, the file before had it"),
            ("6", 30, r#","gift":{"to":"A"}"#, "", "column \"gift\" was json value and is json object"),
            ("7", 30, r#","gift":{"to":"A"}"#, colour, ""),
        ] {
            let bytes = file(records(id, count, every, first));
            let account = warn.land_bytes(&format!("{id}.json"), &bytes).await.expect("landed");
            assert_eq!(account.files[0].drift.join("; "), told, "{read}, file {id}: {account}");
            assert_eq!(account.total().landed, count as u64, "{account}");
        }
        let land = Shop::open(&format!("{read}\ndrift = \"land\"")).await;
        let stop = Shop::open(&format!("{read}\ndrift = \"stop\"")).await;
        for shop in [&land, &stop] {
            shop.land_bytes("1.json", &file(records("1", 2, "", ""))).await.expect("landed");
        }
        let other = file(records("2", 2, till, ""));
        let account = land.land_bytes("2.json", &other).await.expect("landed");
        assert!(account.files[0].drift.is_empty(), "{account}");
        let e = stop.land_bytes("2.json", &other).await.expect_err("stopped");
        assert!(e.message().contains("file 2.json") && e.message().contains("new column \"till\""), "{read}: {e}");
        assert_eq!((land.rows().await.len(), stop.rows().await.len()), (4, 2), "{read}");
    }
}
