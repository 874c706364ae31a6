//! The program as people run it: the README's first command, and the same rows by library, command line and HTTP.

use std::collections::BTreeSet;
use std::path::Path;

use saleslake::access::Caller;
use saleslake::app::App;
use saleslake::config::Config;
use saleslake::encode::{self, Format};
use saleslake::reports::{Reports, Request};
use url::Url;

use crate::common::{self, clone, saleslake, succeeded};
use crate::doors;
use crate::golden::surfaces::{arguments, handful};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_command_lands_the_sample_and_every_surface_agrees() {
    let dir = clone();
    let first = succeeded(dir.path(), &["quickstart"]);
    for part in ["sales-summary", "sales-by-channel", "sales-over-time", "saleslake serve"] {
        assert!(first.contains(part), "{part} is not in:\n{first}");
    }
    assert!(dir.path().join("saleslake.toml").is_file() && dir.path().join("lake").is_dir());

    // A second run changes nothing: the same versions of the same tables.
    let tables = succeeded(dir.path(), &["lake", "tables"]);
    succeeded(dir.path(), &["quickstart"]);
    assert_eq!(succeeded(dir.path(), &["lake", "tables"]), tables);

    // Every surface answers from rollups where it can.
    let made = succeeded(dir.path(), &["rollup", "refresh", "--format", "csv"]);
    assert!(made.contains("\nsales_channel,") && made.contains("\ncharge_day,"), "{made}");
    surfaces_agree(dir.path()).await;
    let checked = succeeded(dir.path(), &["check"]);
    assert!(checked.contains("sources, ") && checked.contains("views, "), "{checked}");
    assert!(checked.contains("79 reports checked, 0 broken"), "{checked}");
    let ran = succeeded(dir.path(), &["check", "--run", "sales-by-region", "dq-scorecard"]);
    assert!(
        ran.contains("ok     sales-by-region: regions add up to the total (") && ran.contains("4 tests run, 0 failed"),
        "{ran}"
    );
    let found = succeeded(dir.path(), &["report", "list", "退货", "--group", "returns", "--format", "csv"]);
    assert!(found.contains("\nreturn-reasons,returns,") && !found.contains("sales-by-region"), "{found}");
}

/// Each report through the library, the command line, HTTP, Flight SQL and PostgreSQL gives the same rows: under its defaults,
/// and under the parameters of those golden cases that give one which no case before gave.
async fn surfaces_agree(dir: &Path) {
    let mut config = Config::default();
    config.lake.url = dir.join("lake").to_string_lossy().into_owned();
    config.http.bind = "127.0.0.1:0".into();
    config.flight.bind = "127.0.0.1:0".into();
    config.postgres.bind = "127.0.0.1:0".into();
    config.postgres.enabled = true;
    let app = App::open(config, common::clock()).await.expect("the lake opens");
    let reports = app.reports.clone();
    let serving = app.build().await.expect("a free port");
    let url = format!("http://{}/api/v1/reports", serving.http_addr());
    let (flight, postgres) = (serving.flight_addr().expect("Flight SQL"), serving.postgres_addr().expect("PostgreSQL"));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serving.run(async move {
        let _ = stopped.await;
    }));
    let (flight, postgres) = (doors::flight(flight).await, doors::postgres(postgres).await);
    let surfaces = Surfaces { reports: &reports, url, dir, flight, postgres };
    let mut names = BTreeSet::new();
    for info in reports.list() {
        surfaces.agree(&info.id, &[]).await;
        for case in handful(&info.id) {
            // Each is asked in five ways: only those that give a parameter for the first time.
            let before = names.len();
            names.extend(case.request.iter().map(|(name, _)| name.clone()));
            if names.len() > before {
                surfaces.agree(&info.id, &case.request).await;
            }
        }
    }
    for name in ["where.region", "region_basis", "compare", "totals", "order_by", "limit"] {
        assert!(names.contains(name), "nobody was asked for {name}: {names:?}");
    }
    drop(surfaces);
    stop.send(()).expect("still serving");
    served.await.expect("ended").expect("well");
}

/// The five ways to ask a report over one lake.
struct Surfaces<'a> {
    reports: &'a Reports,
    /// Of the server's reports.
    url: String,
    /// Where the program runs.
    dir: &'a Path,
    flight: doors::Flight,
    postgres: tokio_postgres::Client,
}

impl Surfaces<'_> {
    /// Library, HTTP, Flight SQL, PostgreSQL and the program answer `request` with the same rows.
    async fn agree(&self, report: &str, request: &[(String, String)]) {
        let by_library = async {
            let asked = Request { values: request.to_vec() };
            let run = self.reports.run(report, asked, &Caller::local()).await.expect("a run");
            let mut csv = Vec::new();
            encode::write(run.rows, Format::Csv, &mut csv, &encode::Options::default()).await.expect("encoded");
            String::from_utf8(csv).expect("UTF-8")
        };
        let by_http = async {
            let pairs = request.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain([("format", "csv")]);
            let url = Url::parse_with_params(&format!("{}/{report}/run", self.url), pairs).expect("a URL");
            reqwest::get(url.as_str()).await.expect("answered").text().await.expect("a body")
        };
        let by_cli = async {
            let (dir, mut args) =
                (self.dir.to_path_buf(), ["report", "run", report, "--format", "csv"].map(String::from).to_vec());
            args.extend(arguments(request));
            let run = move || succeeded(&dir, &args.iter().map(String::as_str).collect::<Vec<_>>());
            tokio::task::spawn_blocking(run).await.expect("it ran")
        };
        let call = doors::call(report, request);
        let by_flight = doors::by_flight(self.flight.clone(), &call);
        let by_postgres = doors::by_postgres(&self.postgres, &call);
        let (by_library, by_http, by_cli, by_flight, by_postgres) =
            tokio::join!(by_library, by_http, by_cli, by_flight, by_postgres);
        assert_eq!(by_flight, by_library, "{report} {request:?} by Flight SQL");
        assert_eq!(by_postgres, doors::as_postgres(&by_library), "{report} {request:?} by PostgreSQL");
        assert_eq!(by_http, by_library, "{report} {request:?} by HTTP");
        assert_eq!(by_cli, by_library, "{report} {request:?} by command line");
        // Under their defaults some find nothing, as when no stock is dead.
        assert!(request.is_empty() || by_library.lines().count() > 1, "{report} {request:?} has no rows");
    }
}

/// A file with date, sku, quantity and price lands with the draft as it is.
#[test]
fn a_drafted_source_lands_unedited() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(
        dir.path().join("my-sales.csv"),
        "date,sku,quantity,price\n2026-01-05,A-1,2,9.99\n2026-01-06,B-2,1,20.00\n",
    )
    .expect("written");
    succeeded(dir.path(), &["source", "new", "my-sales.csv"]);
    let queries = ["--set", "queries_dir=queries"];
    let landed = succeeded(dir.path(), &[&["ingest", "my_sales", "my-sales.csv"][..], &queries].concat());
    assert!(landed.contains("2 read = 2 landed"), "{landed}");
    let sum = succeeded(dir.path(), &["sql", "SELECT sum(net_rc) AS net FROM sales_event", "--format", "csv"]);
    assert_eq!(sum, "net\n39.9800\n");
}

#[test]
fn errors_name_the_input_and_what_would_work() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("lake")).expect("an empty lake");
    for (args, code, words) in [
        (&["report", "run", "sales-by-chanel"][..], 3, &["sales-by-chanel", "sales-by-channel"][..]),
        (&["report", "run", "sales-summary", "from=soon"], 2, &["from", "soon"]),
        (&["report", "run", "sales-summary", "grian=month"], 2, &["grian"]),
        (&["report", "run", "sales-summary", "--where", "=x"], 2, &["--where =x", "channel=web,app", "region"]),
        (&["report", "run", "sales-summary", "--where", "channel"], 2, &["--where channel: no =", "channel=web,app"]),
        (&["sql", "DELETE FROM base.order_line"], 5, &[]),
        (&["sql", "SELECT nothing FROM sales_event"], 2, &["nothing"]),
        (&["ingest", "shop_pos_sales", "no-such-file.csv"], 3, &["no-such-file.csv"]),
        (&["--set", "engine.row_limt=1", "config"], 2, &["row_limt"]),
    ] {
        let out = saleslake(dir.path(), args);
        let told = String::from_utf8_lossy(&out.stderr);
        assert!(words.iter().all(|w| told.contains(w)), "{args:?}: {told}");
        assert_eq!(out.status.code(), Some(code), "{args:?}: {told}");
        assert!(out.stdout.is_empty(), "{args:?} wrote to stdout");
    }
}

/// Every list has every format, and an empty one its header; what is said about it goes to standard error.
#[test]
fn lists_have_formats_and_say_when_they_are_empty() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("lake")).expect("an empty lake");
    for (args, header, words) in [
        (&["lake", "tables"][..], "table,version,files,rows,bytes,about\n", "no tables yet"),
        (
            &["lake", "history", "order_line"],
            "version,at,operation,source,batch,rows_added,rows_removed\n",
            "no commits",
        ),
        (&["quarantine", "list"], "source,table,rule,severity,message,records\n", "no quarantined records"),
        (&["quarantine", "show"], "batch_id,", "no quarantined records"),
    ] {
        let out = saleslake(dir.path(), &[args, &["--format", "csv"]].concat());
        let (shown, told) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(shown.starts_with(header) && shown.lines().count() == 1, "{args:?}: {shown}");
        assert!(told.contains(words), "{args:?}: {told}");
    }
    for (args, key, value) in [
        (&["config"][..], "key", "lake.url"),
        (&["source", "list"], "source", "shop_pos_sales"),
        (&["report", "list"], "report", "sales-summary"),
    ] {
        let json = succeeded(dir.path(), &[args, &["--format", "json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let rows = json["rows"].as_array().expect("rows");
        assert!(rows.iter().any(|row| row[key] == value), "{args:?}: {json}");
    }
}

/// A folder with a lake of one's own and no configuration stays as it is: the sample's configuration would lock it.
#[test]
fn quickstart_leaves_the_lake_of_others_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("my.csv"), "date,sku,quantity,price\n2026-01-05,A-1,2,9.99\n").expect("written");
    succeeded(dir.path(), &["source", "new", "my.csv"]);
    succeeded(dir.path(), &["ingest", "my", "my.csv", "--set", "queries_dir=queries"]);
    let out = saleslake(dir.path(), &["quickstart"]);
    let told = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success() && told.contains("./lake") && told.contains("empty folder"), "{told}");
    for made in ["saleslake.toml", "sample-data"] {
        assert!(!dir.path().join(made).exists(), "{made} was made");
    }
    succeeded(dir.path(), &["lake", "tables"]);
}

/// From a folder below, a named configuration means the same lake; settings on both sides of the command hold.
#[test]
fn settings_hold_wherever_they_are_given() {
    let dir = tempfile::tempdir().expect("a folder");
    let sub = dir.path().join("sub");
    std::fs::create_dir(&sub).expect("made");
    std::fs::create_dir(dir.path().join("lake")).expect("an empty lake");
    std::fs::write(dir.path().join("saleslake.toml"), "[lake]\nurl = \"./lake\"\n").expect("written");
    let csv = ["--format", "csv"];
    succeeded(&sub, &["--config", "../saleslake.toml", "sql", "SELECT 1"]);
    let shown = succeeded(&sub, &[&["--config", "../saleslake.toml", "config"][..], &csv].concat());
    assert!(shown.contains("lake.url,../lake,../saleslake.toml\n"), "{shown}");
    let shown = succeeded(dir.path(), &[&["config"][..], &csv].concat());
    assert!(shown.contains("lake.url,./lake,"), "{shown}");
    let both = ["--set", "lake.url=./lakeA", "config", "--set", "engine.row_limit=7"];
    let shown = succeeded(dir.path(), &[&both[..], &csv].concat());
    assert!(shown.contains("lake.url,./lakeA,--set\n") && shown.contains("engine.row_limit,7,--set\n"), "{shown}");
}

/// Whoever only looks is told that there is no lake, and none is made; definitions can be looked at without one.
#[test]
fn looking_makes_no_lake() {
    let dir = tempfile::tempdir().expect("a folder");
    for args in [
        &["report", "run", "sales-summary"][..],
        &["sql", "SELECT 1"],
        &["lake", "tables"],
        &["lake", "doctor"],
        &["quarantine", "list"],
    ] {
        let out = saleslake(dir.path(), args);
        let told = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(3), "{args:?}: {told}");
        assert!(told.contains("there is no lake at ./lake") && told.contains("saleslake quickstart"), "{told}");
    }
    for args in [&["report", "list"][..], &["report", "show", "sales-summary"], &["check"]] {
        succeeded(dir.path(), args);
    }
    assert!(!dir.path().join("lake").exists());
}

#[test]
fn plans_are_text() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("lake")).expect("an empty lake");
    let plan = succeeded(dir.path(), &["sql", "EXPLAIN SELECT order_id FROM base.order_line WHERE order_id = 'a'"]);
    assert!(plan.starts_with("logical_plan\n  ") && plan.contains("\n\nphysical_plan\n  "), "{plan}");
    assert!(!plan.contains("\\n"), "{plan}");
}

/// A test beside a report that does not hold is told with what is there, and ends the check with an error.
#[test]
fn a_check_runs_the_tests_beside_reports() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("lake")).expect("an empty lake");
    let folder = dir.path().join("queries/reports/own");
    std::fs::create_dir_all(&folder).expect("made");
    let text = "-- ---\n-- title = { en = \"A\", zh = \"甲\" }\n-- about = \"a\"\n-- key = [\"channel_id\"]\n-- [columns]\n\
        -- channel_id = \"c\"\n-- net_sales = \"n\"\n-- [[tests]]\n-- name = \"wrong on purpose\"\n-- all = [\"count(*) = 1\"]\n\
        -- [[tests]]\n-- name = \"right\"\n-- all = [\"count(*) = 0\"]\n-- ---\n\
        SELECT channel_id, sum(net_rc) AS net_sales FROM sales_event GROUP BY 1 ORDER BY channel_id NULLS LAST\n";
    std::fs::write(folder.join("mine.sql"), text).expect("written");
    let queries = ["--set", "queries_dir=queries"];
    succeeded(dir.path(), &[&["check"][..], &queries].concat());
    let out = saleslake(dir.path(), &[&["check", "--run", "mine"][..], &queries].concat());
    let (told, why) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(
        told.contains("failed mine: wrong on purpose (0 rows)\n       all count(*) = 1: not so, 0 against 1"),
        "{told}"
    );
    assert!(told.contains("empty  mine: right (0 rows)") && told.contains("2 tests run, 1 failed"), "{told}");
    assert!(why.contains("1 of 2 tests failed") && out.status.code() == Some(2), "{why}");
}

#[test]
fn a_check_names_every_broken_file() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("lake")).expect("an empty lake");
    let queries = dir.path().join("queries");
    for (path, text) in [
        ("sources/headless.sql", &b"SELECT 1\n"[..]),
        ("sources/pathless.sql", b"-- ---\n-- order = 1\n-- ---\n"),
        ("views/headless_view.sql", b"SELECT 1\n"),
        ("views/latin.sql", b"-- ---\n-- about = \"caf\xe9\"\n-- ---\nSELECT 1 AS x\n"),
        ("reports/test/wrong.sql", b"-- ---\n-- titel = \"a\"\n-- totals = 3\n-- ---\nSELECT 1 AS x\n"),
    ] {
        let path = queries.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    let out = saleslake(dir.path(), &["check", "--set", "queries_dir=queries"]);
    let told = String::from_utf8_lossy(&out.stderr);
    for broken in [
        "sources/headless.sql",
        "sources/pathless.sql",
        "views/headless_view.sql, line 1",
        "views/latin.sql, line 2",
        "reports/test/wrong.sql, line 2: unknown field `titel`",
        "; line 3: invalid type",
    ] {
        assert!(told.contains(broken), "{broken} is not in:\n{told}");
    }
    assert!(String::from_utf8_lossy(&out.stdout).contains("5 broken"), "{told}");
    assert_eq!(out.status.code(), Some(2), "{told}");
    let asked = saleslake(dir.path(), &["sql", "SELECT count(*) FROM sales_event", "--set", "queries_dir=queries"]);
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
}
