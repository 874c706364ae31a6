//! The program as people run it: the README's first command, and the same rows by library, command line and HTTP.

use std::path::Path;
use std::process::Command;

use saleslake::access::Caller;
use saleslake::app::App;
use saleslake::config::Config;
use saleslake::encode::{self, Format};

use crate::common::{self, clone, saleslake, succeeded};

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

    surfaces_agree(dir.path()).await;
    let checked = succeeded(dir.path(), &["check"]);
    assert!(checked.contains("sources, ") && checked.contains("views and "), "{checked}");
    assert!(checked.contains("10 reports checked, 0 broken"), "{checked}");
}

/// Each report through the library, the command line and HTTP gives the same CSV.
async fn surfaces_agree(dir: &Path) {
    let mut config = Config::default();
    config.lake.url = dir.join("lake").to_string_lossy().into_owned();
    config.http.bind = "127.0.0.1:0".into();
    let app = App::open(config, common::clock()).await.expect("the lake opens");
    let reports = app.reports.clone();
    let serving = app.build().await.expect("a free port");
    let url = format!("http://{}/api/v1/reports", serving.http_addr());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serving.run(async move {
        let _ = stopped.await;
    }));
    for info in reports.list() {
        let run = reports.run(&info.id, common::request(&[]), &Caller::local()).await.expect("a run");
        let mut by_library = Vec::new();
        encode::write(run.rows, Format::Csv, &mut by_library, &encode::Options::default()).await.expect("encoded");
        let by_library = String::from_utf8(by_library).expect("UTF-8");
        let by_http = reqwest::get(format!("{url}/{}/run?format=csv", info.id)).await.expect("answered");
        assert_eq!(by_http.text().await.expect("a body"), by_library, "{} by HTTP", info.id);
        let by_cli = succeeded(dir, &["report", "run", &info.id, "--format", "csv"]);
        assert_eq!(by_cli, by_library, "{} by command line", info.id);
        assert!(by_library.lines().count() > 1, "{} has no rows", info.id);
    }
    stop.send(()).expect("still serving");
    served.await.expect("ended").expect("well");
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

#[test]
fn plans_are_text() {
    let dir = tempfile::tempdir().expect("a folder");
    let plan = succeeded(dir.path(), &["sql", "EXPLAIN SELECT order_id FROM base.order_line WHERE order_id = 'a'"]);
    assert!(plan.starts_with("logical_plan\n  ") && plan.contains("\n\nphysical_plan\n  "), "{plan}");
    assert!(!plan.contains("\\n"), "{plan}");
}

#[test]
fn a_check_names_every_broken_source() {
    let dir = tempfile::tempdir().expect("a folder");
    let sources = dir.path().join("queries/sources");
    std::fs::create_dir_all(&sources).expect("made");
    std::fs::write(sources.join("headless.sql"), "SELECT 1\n").expect("written");
    std::fs::write(sources.join("pathless.sql"), "-- ---\n-- order = 1\n-- ---\n").expect("written");
    let out = saleslake(dir.path(), &["check", "--set", "queries_dir=queries"]);
    let told = String::from_utf8_lossy(&out.stderr);
    assert!(told.contains("sources/headless.sql") && told.contains("sources/pathless.sql"), "{told}");
    assert!(String::from_utf8_lossy(&out.stdout).contains("2 broken"), "{told}");
    assert_eq!(out.status.code(), Some(2), "{told}");
}

/// Another engine's reader opens the tables and finds the same counts and sums.
#[test]
fn other_readers_find_the_same_rows() {
    let Some(python) = common::python("other_readers_find_the_same_rows") else { return };
    let dir = clone();
    succeeded(dir.path(), &["quickstart"]);
    let query = "SELECT 'order_line' AS t, count(*) AS n, sum(net_amount_rc) AS s FROM base.order_line UNION ALL \
        SELECT 'return_line', count(*), sum(refund_net_amount_rc) FROM base.return_line UNION ALL \
        SELECT 'order_charge', count(*), sum(amount_rc) FROM base.order_charge UNION ALL \
        SELECT 'inventory_snapshot', count(*), sum(on_hand) FROM base.inventory_snapshot ORDER BY 1";
    let ours = succeeded(dir.path(), &["sql", query, "--format", "csv"]);
    let theirs =
        Command::new(python).arg(common::repo("tests/oracles/delta_sums.py")).arg(dir.path().join("lake")).output();
    let theirs = theirs.expect("Python runs");
    assert!(theirs.status.success(), "{}", String::from_utf8_lossy(&theirs.stderr));
    let number = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_string();
    let rows = |text: &str| -> Vec<Vec<String>> {
        text.lines()
            .skip(1)
            .map(|l| l.split(',').enumerate().map(|(i, v)| if i == 2 { number(v) } else { v.into() }).collect())
            .collect()
    };
    assert_eq!(rows(&ours), rows(&String::from_utf8_lossy(&theirs.stdout)));
}
