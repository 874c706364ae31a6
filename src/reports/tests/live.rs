//! Changed and broken files of `queries_dir`.

use super::*;
use crate::reports::live::{LiveReports, Texts};

/// design.md 1: a running server reloads a changed file once it passes its check.
#[tokio::test]
async fn changed_files_are_taken_once_they_pass() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("reports").join("test");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |title: &str, sql: &str| {
        let header = format!("-- title = {{ en = \"{title}\", zh = \"甲\" }}\n-- about = \"a\"\n-- key = [\"k\"]\n");
        let columns = "-- [columns]\n-- k = \"k\"\n-- n = \"n\"\n";
        let text = format!("-- ---\n{header}{columns}-- ---\n{sql}\n");
        std::fs::write(folder.join("mine.sql"), text).unwrap();
    };
    let shop = over(empty_lake().await).await;
    let live = LiveReports::new(Arc::new(shop.reports), &shop.engine);
    let good = "SELECT channel_id AS k, sum(net_rc) AS n FROM sales_event GROUP BY 1 ORDER BY k";
    let mut seen = Texts::new();
    let title = || live.now().get("mine").map(|r| r.info().title.en.clone()).unwrap_or_default();
    write("one", good);
    assert!(live.look(&shop.engine, dir.path(), &mut seen).await.unwrap());
    assert_eq!(title(), "one");
    assert!(!live.look(&shop.engine, dir.path(), &mut seen).await.unwrap(), "nothing changed");
    write("two", "SELECT k FROM nowhere");
    assert!(live.look(&shop.engine, dir.path(), &mut seen).await.unwrap());
    assert_eq!((title().as_str(), live.now().broken().len()), ("one", 1), "the last that worked is served");
    write("three", good);
    live.look(&shop.engine, dir.path(), &mut seen).await.unwrap();
    assert_eq!((title().as_str(), live.now().broken().len()), ("three", 0));
    // Views, one that does not plan and one that is no query file: the one that worked stays, the other never was, and a
    // report that is changed with them is taken.
    std::fs::create_dir_all(dir.path().join("views")).unwrap();
    let view = |name: &str, text: &str| std::fs::write(dir.path().join("views").join(name), text).unwrap();
    view("sales_event.sql", "-- ---\n-- ---\nSELECT 1 AS x FROM gone\n");
    view("headless.sql", "SELECT 1 AS x\n");
    write("four", good);
    assert!(live.look(&shop.engine, dir.path(), &mut seen).await.unwrap());
    assert_eq!((title().as_str(), live.now().broken().len()), ("four", 0));
    let rows = live.now().run("mine", Request::new(), &Caller::local()).await.unwrap().rows;
    assert!(rows.collect().await.is_ok());
    assert!(!live.look(&shop.engine, dir.path(), &mut seen).await.unwrap(), "a mistake is told once");

    // A report that is kept as it was has the hash of the views as they are now: else an ETag would outlive its answer.
    let hash = || live.now().get("mine").unwrap().info().hash.clone();
    let before = hash();
    let shipped = load_folder("views", None).unwrap();
    view("sales_event.sql", &format!("{}-- changed\n", shipped["sales_event"].text));
    write("five", "SELECT k FROM nowhere");
    assert!(live.look(&shop.engine, dir.path(), &mut seen).await.unwrap());
    assert_eq!(title(), "four");
    assert_ne!(hash(), before);
}

/// A view's file that cannot be read breaks the reports that read it, and no other.
#[tokio::test]
async fn a_broken_view_breaks_its_readers_only() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("views")).unwrap();
    std::fs::write(dir.path().join("views").join("session_funnel.sql"), "SELECT 1\n").unwrap();
    let views = load_folder("views", Some(dir.path())).unwrap();
    let engine = Engine::open(&empty_lake().await, &EngineConfig::default(), &views, Clock::system()).await.unwrap();
    let reports = Reports::load(Some(dir.path()), &engine, &Wanted::All).await.unwrap();
    let broken: Vec<(&str, bool)> = reports
        .broken()
        .iter()
        .map(|b| (b.id.as_str(), b.reason.contains("views/session_funnel.sql, line 1")))
        .collect();
    let readers = ["campaign-performance", "customer-360", "traffic-conversion-funnel"];
    assert_eq!(broken, readers.map(|id| (id, true)));
    assert!(reports.get("sales-summary").is_ok());
}
