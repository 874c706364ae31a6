//! Other engines open the lake's tables and find what we find: the deltalake package over Arrow, DuckDB's delta extension and Spark
//! with Delta (tests/readers). They need Python (see CONTRIBUTING.md), Spark also Java and Maven; what is missing is said.

use std::path::Path;
use std::process::{Command, Stdio};

use saleslake::config::Config;
use saleslake::ingest::{Ingest, InputFile, Silent, Source, Sources};
use saleslake::lake::Lake;
use saleslake::model::{ORDER_LINE, TABLES};
use saleslake::queryfile::QueryFile;

use crate::common::{self, clone, succeeded};

/// In the words of every reader; without `base.` for those that have no schemas. Statistics and partitions decide which files
/// the filtered ones read: wrong ones lose rows. All sums have one type: where they do not, DuckDB rounds a union.
const QUESTIONS: &str = "\
    SELECT 'charges' AS what, count(*) AS n, sum(amount_rc) AS s FROM base.order_charge UNION ALL \
    SELECT 'corrected lines', count(*), sum(CAST(quantity AS DECIMAL(18,4))) FROM base.order_line \
        WHERE source_system = 'corrections' UNION ALL \
    SELECT 'deleted lines', count(*), sum(CAST(quantity AS DECIMAL(18,4))) FROM base.order_line \
        WHERE is_deleted UNION ALL \
    SELECT 'lines', count(*), sum(net_amount_rc) FROM base.order_line UNION ALL \
    SELECT 'lines of a day', count(*), sum(net_amount_rc) FROM base.order_line \
        WHERE business_date = DATE '2026-05-10' UNION ALL \
    SELECT 'lines of a month', count(*), sum(net_amount_rc) FROM base.order_line \
        WHERE business_month = '2024-07' UNION ALL \
    SELECT 'lines of web', count(*), sum(tax_amount_rc) FROM base.order_line WHERE channel_id = 'web' UNION ALL \
    SELECT 'products', count(*), sum(CAST(source_version AS DECIMAL(18,4))) FROM base.product UNION ALL \
    SELECT 'returns', count(*), sum(refund_net_amount_rc) FROM base.return_line UNION ALL \
    SELECT 'stock', count(*), sum(CAST(on_hand AS DECIMAL(18,4))) FROM base.inventory_snapshot ORDER BY 1";

const SOURCE: &str = r#"-- ---
-- title = { en = "Corrections", zh = "更正" }
-- about = "Order lines with explicit versions."
-- order = 20
-- [read]
-- path = "corrections/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "shop"
-- currency = "GBP"
-- tz = "Europe/London"
-- ---
-- into = "order_line"
SELECT order_no AS order_id, '1' AS order_line_id, CAST(version AS BIGINT) AS source_version,
       local_time(sold, '%Y-%m-%d') AS created_at, 'A' AS sku, CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST('5.00' AS DECIMAL(18,4)) AS unit_price, gone = 'y' AS is_deleted
FROM raw;
"#;

/// Enough commits for a checkpoint (one in 50) after the sample's, and a few after it.
const COMMITS: u64 = 60;
/// So many of them after the compaction.
const AFTER: u64 = 5;

/// A lake on which everything was done that its log can tell of: rows that changed, moved to another month or were deleted,
/// files that were joined, checkpoints, a log without its first commits, files that were deleted.
#[tokio::test(flavor = "multi_thread")]
async fn other_readers_find_the_same_rows() {
    let test = "other_readers_find_the_same_rows";
    if common::python(test).is_none() {
        return;
    }
    let dir = clone();
    succeeded(dir.path(), &["quickstart"]);
    let folder = dir.path().join("lake");
    agrees(test, "deltalake", &folder, QUESTIONS, &answers(dir.path(), QUESTIONS));

    work_on(dir.path(), &folder).await;
    let ours = answers(dir.path(), QUESTIONS);
    // By hand: `moved` and `late` in their last version, which is their quantity, and one of each commit's own, six of them deleted.
    let expected = |what: &str, rows: u64, sum: u64| vec![what.to_string(), rows.to_string(), sum.to_string()];
    assert!(ours.contains(&expected("corrected lines", COMMITS + 2, 3 * COMMITS)), "{ours:?}");
    assert!(ours.contains(&expected("deleted lines", COMMITS / 10, COMMITS / 10)), "{ours:?}");
    assert!(ours.iter().all(|row| row[1] != "0"), "a question finds nothing: {ours:?}");
    for reader in ["deltalake", "duckdb", "spark"] {
        agrees(test, reader, &folder, QUESTIONS, &ours);
    }
}

async fn work_on(dir: &Path, folder: &Path) {
    let mut config = Config::default();
    config.lake.url = folder.to_string_lossy().into_owned();
    let lake = Lake::open(&config.lake).await.expect("the lake opens");
    let source = QueryFile::parse("sources/corrections.sql", SOURCE).and_then(|file| Source::parse(&file));
    let sources = Sources::from_list([source.unwrap_or_else(|e| panic!("{e}"))]);
    let ingest = Ingest::new(&lake, sources, common::clock());
    for commit in 1..=COMMITS {
        let file = dir.join(format!("{commit}.csv"));
        std::fs::write(&file, lines(commit)).expect("written");
        let file = InputFile::open(&file, file.to_string_lossy()).expect("opened");
        ingest.run("corrections", &[file], &Silent).await.unwrap_or_else(|e| panic!("{e} ({:?})", e.hint_text()));
        if commit == COMMITS - AFTER {
            succeeded(dir, &["lake", "optimize"]);
        }
    }
    let now = lake.now().await.expect("the store's clock");
    for table in TABLES {
        lake.keep_log(table, now).await.unwrap_or_else(|e| panic!("{}: {e}", table.name));
    }
    succeeded(dir, &["lake", "vacuum", "--hours", "0", "--force"]);

    let log = folder.join(ORDER_LINE.name).join("_delta_log");
    assert!(
        !log.join(format!("{:020}.json", 0)).exists(),
        "the log still has its first commit: nobody needs the checkpoint"
    );
    let names = std::fs::read_dir(&log).expect("listed").map(|f| f.expect("an entry").file_name());
    assert!(names.into_iter().any(|n| n.to_string_lossy().ends_with(".checkpoint.parquet")), "no checkpoint");
    let operations = lake.history(&ORDER_LINE, usize::MAX).await.expect("a history");
    let compacted = operations.iter().any(|entry| entry.operation.starts_with("OPTIMIZE"));
    assert!(compacted, "the readers should see joined files: {operations:?}");
}

/// A line of its own, one that moves between May and June with every version, one whose versions come last one first, and
/// now and then the end of an older one.
fn lines(commit: u64) -> String {
    let month = 5 + commit % 2;
    let late = COMMITS + 1 - commit;
    let mut text = format!(
        "order_no,version,sold,qty,gone\n\
        own-{commit},1,2026-05-10,1,n\n\
        moved,{commit},2026-0{month}-12,{commit},n\n\
        late,{late},2026-05-14,{late},n\n"
    );
    if commit.is_multiple_of(10) {
        text.push_str(&format!("own-{},2,2026-05-10,1,y\n", commit - 1));
    }
    text
}

/// What we answer, as [`rows`].
pub fn answers(dir: &Path, sql: &str) -> Vec<Vec<String>> {
    let csv = succeeded(dir, &["sql", sql, "--format", "csv"]);
    rows(csv.split_once('\n').expect("a header").1)
}

/// Rows of name, count and sum; sums without the zeros at their end, of which engines write different numbers.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let plain = |sum: &str| match sum.contains('.') {
        true => sum.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => sum.to_string(),
    };
    let cells =
        |line: &str| line.split(',').enumerate().map(|(i, v)| if i == 2 { plain(v) } else { v.into() }).collect();
    csv.lines().map(cells).collect()
}

/// The reader finds in the lake what we find, or `test` says that it is skipped.
///
/// # Panics
/// It does not. In CI also where the reader cannot be installed.
pub fn agrees(test: &str, reader: &str, lake: &Path, sql: &str, ours: &[Vec<String>]) {
    let Some(python) = common::python(test) else { return };
    let mut read = Command::new(python);
    read.arg(common::repo("tests/readers/read.py")).arg(reader).arg(lake).arg(sql.replace("base.", ""));
    let out = read.stdin(Stdio::null()).output().expect("Python starts");
    let told = String::from_utf8_lossy(&out.stderr);
    if common::is_missing(test, reader, out.status, &told) {
        return;
    }
    assert!(out.status.success(), "{reader}: {told}");
    assert_eq!(rows(&String::from_utf8_lossy(&out.stdout)), ours, "{reader} and we");
}
