//! What the tests share: a lake in memory, landing, questions, and answers as text.

use std::ffi::OsString;
use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::sync::OnceLock;

use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use saleslake::access::Caller;
use saleslake::app::App;
use saleslake::clock::Clock;
use saleslake::config::Config;
use saleslake::engine::{Engine, QueryOptions};
use saleslake::error::Result;
pub use saleslake::ingest::Silent;
use saleslake::ingest::{Account, InputFile};
use saleslake::reports::Request;

/// A path below the repository's root.
pub fn repo(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// Noon UTC on 2026-07-01: after every event of the sample data.
pub fn clock() -> Clock {
    Clock::fixed("2026-07-01T12:00:00Z".parse().expect("a constant"))
}

/// A configuration with a fresh lake in memory, like the quickstart's but for the place.
pub fn config() -> Config {
    let mut config = Config::default();
    config.lake.url = "memory://".into();
    config.lake.currency = "GBP".into();
    config.lake.zone = "Europe/London".into();
    config.lake.today = "data".into();
    config.http.bind = "127.0.0.1:0".into();
    config.flight.bind = "127.0.0.1:0".into();
    config.postgres.bind = "127.0.0.1:0".into();
    config.landing.path = repo("sample-data/landing");
    config
}

pub async fn empty_app() -> App {
    App::open(config(), clock()).await.expect("an empty lake opens")
}

/// An app over a fresh lake in memory that holds the whole sample.
pub async fn sample_app() -> App {
    landed_app(config()).await
}

/// An app over a fresh lake that holds what the sources find below the configuration's landing path.
pub async fn landed_app(config: Config) -> App {
    let app = App::open(config, clock()).await.expect("an empty lake opens");
    let landing = app.config.landing.path.clone();
    app.ingest().expect("sources load").run_all(&landing, &Silent).await.expect("the files land");
    app.engine.refresh().await.expect("refresh");
    app
}

/// A lake that tests share, and the runtime on which it lives. It is only read.
pub struct Shared {
    runtime: tokio::runtime::Runtime,
    pub app: App,
}

impl Shared {
    /// The app that is opened, on a runtime of its own.
    pub fn open(opened: impl Future<Output = App>) -> Shared {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        let app = runtime.block_on(opened);
        Shared { runtime, app }
    }

    /// Waits for an answer, from a test that has no runtime of its own.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

/// The whole sample, landed once for all tests of the binary; the first test that asks for it lands it.
pub fn shared_sample() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| Shared::open(sample_app()))
}

/// Lands files of one source and refreshes.
pub async fn land(app: &App, source: &str, files: &[PathBuf]) -> Account {
    let files: Vec<InputFile> =
        files.iter().map(|f| InputFile::open(f, f.to_string_lossy()).expect("the file opens")).collect();
    let account = app.ingest().expect("sources load").run(source, &files, &Silent).await.expect("the files land");
    app.engine.refresh().await.expect("refresh");
    account
}

/// Column names and rows, every value as text, NULL as "NULL".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Answer {
    pub fn of(batches: &[RecordBatch], columns: Vec<String>) -> Answer {
        let options =
            FormatOptions::default().with_null("NULL").with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.fZ"));
        let mut rows = Vec::new();
        for batch in batches {
            let shown: Vec<_> = batch
                .columns()
                .iter()
                .map(|c| ArrayFormatter::try_new(c, &options).expect("every type can be shown"))
                .collect();
            rows.extend((0..batch.num_rows()).map(|i| shown.iter().map(|f| f.value(i).to_string()).collect()));
        }
        Answer { columns, rows }
    }

    /// The values of one column.
    pub fn column(&self, name: &str) -> Vec<&str> {
        let at = self.position(name);
        self.rows.iter().map(|r| r[at].as_str()).collect()
    }

    fn position(&self, name: &str) -> usize {
        self.columns.iter().position(|c| c == name).unwrap_or_else(|| panic!("no column {name} in {:?}", self.columns))
    }

    /// Only these columns, in this order.
    pub fn select(&self, names: &[&str]) -> Answer {
        let at: Vec<usize> = names.iter().map(|n| self.position(n)).collect();
        let rows = self.rows.iter().map(|r| at.iter().map(|i| r[*i].clone()).collect()).collect();
        Answer { columns: names.iter().map(|n| n.to_string()).collect(), rows }
    }
}

/// What the engine answers under its defaults but for `options`.
pub async fn query(engine: &Engine, sql: &str, options: QueryOptions) -> Result<Answer> {
    let rows = engine.query(sql, QueryOptions { label: "test".into(), ..options }, &Caller::local()).await?;
    let columns = rows.schema.fields().iter().map(|f| f.name().clone()).collect();
    Ok(Answer::of(&rows.collect().await?, columns))
}

pub async fn try_sql(app: &App, sql: &str) -> Result<Answer> {
    query(&app.engine, sql, QueryOptions::default()).await
}

pub async fn sql(app: &App, sql: &str) -> Answer {
    try_sql(app, sql).await.unwrap_or_else(|e| panic!("{sql}\n{e}"))
}

pub fn request(values: &[(&str, &str)]) -> Request {
    Request { values: values.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect() }
}

pub async fn try_report(app: &App, id: &str, values: &[(&str, &str)]) -> Result<Answer> {
    let run = app.reports.run(id, request(values), &Caller::local()).await?;
    let columns = run.rows.schema.fields().iter().map(|f| f.name().clone()).collect();
    Ok(Answer::of(&run.rows.collect().await?, columns))
}

pub async fn report(app: &App, id: &str, values: &[(&str, &str)]) -> Answer {
    try_report(app, id, values).await.unwrap_or_else(|e| panic!("{id} {values:?}\n{e} ({:?})", e.hint_text()))
}

/// A decimal's text in units of 0.0001, so that sums are exact; trailing zeros beyond four places are cut.
pub fn units(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |d| (-1, d));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = format!("{part:0<4}");
    assert!(part[4..].chars().all(|c| c == '0'), "{text} has more than four decimals");
    let parse = |s: &str| s.parse::<i128>().unwrap_or_else(|_| panic!("{text} is no decimal"));
    sign * (parse(whole) * 10_000 + parse(&part[..4]))
}

/// A golden CSV: header and rows as text.
pub fn golden(below: &str) -> Answer {
    let path = repo("tests/golden").join(below);
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_path(&path)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let columns = reader.headers().expect("a header").iter().map(String::from).collect();
    let rows = reader.records().map(|r| r.expect("a row").iter().map(String::from).collect()).collect();
    Answer { columns, rows }
}

/// The Python with which `test` runs another engine's reader (packages of tests/oracles/requirements.txt), or `None` after
/// saying that the test is skipped: to standard error itself, for cargo hides what a passing test prints.
///
/// # Panics
/// In CI without a word about Python: nobody would see there that a test never runs.
pub fn python(test: &str) -> Option<OsString> {
    let found = find_python(std::env::var_os("SALESLAKE_PYTHON"), std::env::var_os("CI"));
    let python = found.unwrap_or_else(|e| panic!("{test}: {e}"));
    if python.is_none() {
        // Where standard error is closed there is nobody to tell.
        let _ = writeln!(std::io::stderr(), "SKIPPED {test}: SALESLAKE_PYTHON names no Python (see CONTRIBUTING.md)");
    }
    python
}

/// `python`: SALESLAKE_PYTHON, where `none` says that the machine has none, as .ci/run does where it cannot make one.
fn find_python(python: Option<OsString>, ci: Option<OsString>) -> Result<Option<OsString>, String> {
    let is_set = |value: &OsString| !value.is_empty();
    match python.filter(is_set) {
        Some(python) if python == "none" => Ok(None),
        None if ci.filter(is_set).is_some() => {
            Err("CI is set and SALESLAKE_PYTHON is not: name a Python with the packages of \
            tests/oracles/requirements.txt, or say SALESLAKE_PYTHON=none to do without"
                .into())
        }
        python => Ok(python),
    }
}

/// What the scripts below tests/ end with where what they drive cannot be installed.
const UNAVAILABLE: i32 = 69;

/// Whether a script ended as `tool` cannot be installed here, after saying that `test` is skipped.
///
/// # Panics
/// In CI, unless SALESLAKE_MAY_MISS names the tool among others: nobody would see there that a test never runs.
pub fn is_missing(test: &str, tool: &str, ended: ExitStatus, told: &str) -> bool {
    if ended.code() != Some(UNAVAILABLE) {
        return false;
    }
    let may = may_miss(tool, std::env::var_os("CI"), std::env::var_os("SALESLAKE_MAY_MISS"));
    assert!(may, "{test}: {tool} cannot be installed here, and SALESLAKE_MAY_MISS does not name it: {told}");
    // To standard error itself, for cargo hides what a passing test prints.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {tool} cannot be installed here: {told}");
    true
}

fn may_miss(tool: &str, ci: Option<OsString>, named: Option<OsString>) -> bool {
    ci.is_none_or(|ci| ci.is_empty())
        || named.is_some_and(|named| named.to_string_lossy().split_whitespace().any(|name| name == tool))
}

/// Runs the program in `dir`.
pub fn saleslake(dir: &Path, args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_saleslake");
    Command::new(program).current_dir(dir).args(args).output().unwrap_or_else(|e| panic!("{program}: {e}"))
}

/// What the program prints in `dir`, where it must succeed.
pub fn succeeded(dir: &Path, args: &[&str]) -> String {
    let out = saleslake(dir, args);
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("UTF-8")
}

/// A folder like a fresh clone: the sample data and nothing else.
pub fn clone() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(repo("sample-data"), dir.path().join("sample-data")).expect("linked");
    dir
}

/// A source of receipts with one line each (order_no, channel, sold, sku, qty, price), in files of `format`.
pub fn till(format: &str) -> String {
    format!(
        r#"-- ---
-- title = {{ en = "Till", zh = "收银" }}
-- about = "Receipts of a line each."
-- order = 20
-- [read]
-- path = "till/*.{format}"
-- format = "{format}"
-- [defaults]
-- currency = "GBP"
-- tz = "Europe/London"
-- price_includes_tax = false
-- ---
-- into = "order_line"
SELECT order_no AS order_id, '1' AS order_line_id, channel AS channel_id, local_time(sold, '%Y-%m-%d') AS created_at,
       local_time(sold, '%Y-%m-%d') AS confirmed_at, local_time(sold, '%Y-%m-%d') AS paid_at, sku,
       CAST(qty AS DECIMAL(18,3)) AS quantity, CAST(price AS DECIMAL(18,4)) AS unit_price
FROM raw;
"#
    )
}

#[test]
fn only_ci_insists_on_tools_that_are_not_named() {
    let may = |ci: Option<&str>, named: Option<&str>| may_miss("jdbc", ci.map(Into::into), named.map(Into::into));
    assert!(may(None, None) && may(Some(""), None));
    assert!(!may(Some("true"), None) && !may(Some("true"), Some("odbc jdbc2")));
    assert!(may(Some("true"), Some("odbc jdbc")));
}

#[test]
fn only_ci_insists_on_python() {
    let find = |python: Option<&str>, ci: Option<&str>| find_python(python.map(OsString::from), ci.map(OsString::from));
    for ci in [None, Some(""), Some("true")] {
        assert_eq!(find(Some("/usr/bin/python3"), ci), Ok(Some("/usr/bin/python3".into())), "{ci:?}");
        assert_eq!(find(Some("none"), ci), Ok(None), "{ci:?}");
    }
    for missing in [None, Some("")] {
        assert_eq!(find(missing, None), Ok(None));
        assert_eq!(find(missing, Some("")), Ok(None));
        let error = find(missing, Some("true")).expect_err("CI does not skip in silence");
        assert!(error.contains("SALESLAKE_PYTHON") && error.contains("requirements.txt"), "{error}");
    }
}
