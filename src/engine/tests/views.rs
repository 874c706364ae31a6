//! Files of views: broken ones, changed ones, the shipped ones.

use super::*;
use crate::queryfile::load_folder;

#[tokio::test]
async fn broken_views_are_named() {
    let lake = memory_lake("clock").await;
    let broken = |path: &str, text: &str| {
        let file = QueryFile::parse(path, text).unwrap();
        BTreeMap::from([(file.name.clone(), file)])
    };
    for (path, sql, says) in [
        ("views/wrong.sql", "SELECT nothing FROM base.order_line", "nothing"),
        ("views/self.sql", "SELECT * FROM self", "read each other"),
        ("views/product.sql", "SELECT 1 AS x", "taken"),
    ] {
        let files = broken(path, &format!("-- ---\n-- ---\n{sql}\n"));
        let engine = Engine::open(&lake, &EngineConfig::default(), &files, Clock::system()).await.unwrap();
        let broken = engine.broken_views();
        assert_eq!((broken.len(), broken[0].path.as_str()), (1, path));
        assert!(broken[0].reason.contains(path) && broken[0].reason.contains(says), "{}", broken[0].reason);
        let name = &broken[0].name;
        let error = ask(&engine, &format!("SELECT * FROM {name}"), QueryOptions::default()).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Unavailable && error.to_string().contains(says), "{error}");
        assert_eq!(one(&engine, "SELECT count(*) FROM channel", QueryOptions::default()).await, "0");
    }
}

/// A file that is no query file or whose header is wrong is as broken as one that does not plan, and so is what reads it.
#[tokio::test]
async fn a_view_that_cannot_be_read_breaks_only_what_reads_it() {
    let dir = folder(&[
        ("headless", "SELECT 1 AS x\n"),
        ("misspelt", "-- ---\n-- abuot = \"a\"\n-- ---\nSELECT 1 AS x\n"),
        ("reader", "-- ---\n-- ---\nSELECT * FROM headless\n"),
        ("fine", "-- ---\n-- ---\nSELECT count(*) AS n FROM channel\n"),
    ]);
    let files = load_folder("views", Some(dir.path())).unwrap();
    let engine =
        Engine::open(&memory_lake("clock").await, &EngineConfig::default(), &files, Clock::system()).await.unwrap();
    let broken: Vec<String> = engine.broken_views().into_iter().map(|view| view.path).collect();
    assert_eq!(broken, ["views/headless.sql", "views/misspelt.sql", "views/reader.sql"]);
    for (name, says) in
        [("headless", "headless.sql, line 1"), ("misspelt", "abuot"), ("reader", "headless.sql, line 1")]
    {
        let error = ask(&engine, &format!("SELECT * FROM {name}"), QueryOptions::default()).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Unavailable && error.to_string().contains(says), "{name}: {error}");
    }
    assert_eq!(one(&engine, "SELECT n FROM fine", QueryOptions::default()).await, "0");
}

/// A folder with these files in `views/`.
fn folder(views: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("views")).unwrap();
    for (name, text) in views {
        std::fs::write(dir.path().join("views").join(format!("{name}.sql")), text).unwrap();
    }
    dir
}

#[tokio::test]
async fn changed_views_are_taken_once_they_plan() {
    let engine = engine(&small_lake().await).await;
    let before = engine.snapshot().id.clone();
    let with = |sales: &str| {
        let mut files = views();
        files.insert("sales".into(), QueryFile::parse("views/sales.sql", sales).unwrap());
        files
    };
    let count = "SELECT count(*) FROM sales";
    let broken = engine.set_views(&with(&SALES.replace("l.region_id", "l.regoin"))).await.unwrap();
    assert!(broken[0].reason.contains("views/sales.sql"), "{broken:?}");
    assert_eq!((one(&engine, count, QueryOptions::default()).await, &engine.snapshot().id), ("3".into(), &before));
    let broken = engine.set_views(&with(&SALES.replace("UNION ALL", "WHERE s.channel_id = 'pos' UNION ALL"))).await;
    assert!(broken.unwrap().is_empty());
    assert_eq!(one(&engine, count, QueryOptions::default()).await, "1");
    assert_ne!(engine.snapshot().id, before, "answers may differ, so tags must");
}

/// Of several changed files those are taken that can be; a view that worked stays as it was, one that never did is broken.
#[tokio::test]
async fn a_broken_file_keeps_no_other_from_being_taken() {
    let engine = engine(&small_lake().await).await;
    let headless = folder(&[
        ("sales", "SELECT 1\n"),
        ("new", "SELECT 1\n"),
        ("by_channel", "-- ---\n-- ---\nSELECT count(*) AS n FROM channel\n"),
    ]);
    let files = load_folder("views", Some(headless.path())).unwrap();
    let own = |name: &str| (name.to_string(), files[name].clone());
    let broken = engine.set_views(&BTreeMap::from(["sales", "new", "by_channel"].map(own))).await.unwrap();
    let names: Vec<&str> = broken.iter().map(|view| view.name.as_str()).collect();
    assert_eq!(names, ["sales", "new"]);
    assert_eq!(one(&engine, "SELECT count(*) FROM sales", QueryOptions::default()).await, "3", "as it was");
    assert_eq!(one(&engine, "SELECT n FROM by_channel", QueryOptions::default()).await, "2", "as it is now");
    let error = ask(&engine, "SELECT * FROM new", QueryOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("views/new.sql"), "{error}");

    // A column goes that another view reads: what worked goes on working, so nothing changes.
    let mut files = views();
    engine.set_views(&files).await.unwrap();
    let before = engine.snapshot().id.clone();
    let renamed = SALES.replace("AS net,", "AS nett,");
    files.insert("sales".into(), QueryFile::parse("views/sales.sql", &renamed).unwrap());
    let broken = engine.set_views(&files).await.unwrap();
    assert_eq!((broken.len(), broken[0].path.as_str()), (1, "views/by_channel.sql"), "{broken:?}");
    assert_eq!(engine.snapshot().id, before);
}

#[tokio::test]
async fn the_shipped_views_plan_and_run_on_an_empty_lake() {
    let shipped = load_folder("views", None).unwrap();
    let engine = Engine::open(&memory_lake("clock").await, &EngineConfig::default(), &shipped, Clock::system()).await;
    let engine = engine.unwrap_or_else(|e| panic!("{e}"));
    assert!(engine.broken_views().is_empty(), "{:?}", engine.broken_views());
    for name in shipped.keys() {
        let sql = format!("SELECT count(*) FROM {name}");
        ask(&engine, &sql, QueryOptions::default()).await.unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
