//! Vacuum: what is needed stays, what is not goes; and so for the log.

use std::fs::File;
use std::path::Path as FilePath;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::super::{Lake, Vacuumed};
use super::compact::{all, optimize};
use super::rows::{append, config, ids, memory};
use crate::error::ErrorKind;
use crate::model::{ORDER_LINE, REGION};

/// Everything that is old in two days.
pub async fn later(lake: &Lake, dry_run: bool) -> Vec<Vacuumed> {
    let now = lake.now().await.unwrap() + TimeDelta::days(3);
    lake.vacuum(None, now - TimeDelta::days(1), now, dry_run).await.unwrap()
}

pub fn of<'a>(places: &'a [Vacuumed], place: &str) -> Vec<&'a str> {
    let found = places.iter().filter(|p| p.place == place).flat_map(|p| &p.leftovers);
    found.map(|l| l.path.as_str()).collect()
}

async fn three_files(lake: &Lake) {
    for i in 0..3 {
        append(lake, &lake.state(&REGION).await.unwrap(), "b", i * 4..i * 4 + 4).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_held_keeps_its_files() {
    let lake = memory().await;
    three_files(&lake).await;
    let held = lake.state(&REGION).await.unwrap();
    optimize(&lake, &REGION, &all()).await;
    assert!(of(&later(&lake, false).await, "region").is_empty());
    assert_eq!(ids(&lake, &held).await, (0..12).collect::<Vec<_>>());
    let gone: Vec<String> = held.files.iter().map(|f| f.location.to_string()).collect();
    drop(held);
    assert_eq!(of(&later(&lake, true).await, "region"), gone);
    assert_eq!(of(&later(&lake, false).await, "region"), gone);
    assert!(of(&later(&lake, false).await, "region").is_empty());
    let state = lake.state(&REGION).await.unwrap();
    assert_eq!((state.files.len(), ids(&lake, &state).await), (1, (0..12).collect()));
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_go_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(&config(dir.path().to_str().unwrap())).await.unwrap();
    three_files(&lake).await;
    append(&lake, &lake.state(&ORDER_LINE).await.unwrap(), "b", 0..8).await;
    let put = |name: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    };
    let orphans = [
        "order_line/business_month=2026-01/part-1.zstd.parquet",
        "order_line/business_month=2026-02/part-2.zstd.parquet#1",
        "order_line/_delta_log/00000000000000000001.json#1",
        "region/part-3.zstd.parquet",
    ];
    orphans.iter().for_each(|name| put(name));
    let others = ["region/notes.txt", "region/_side/part-4.zstd.parquet", "region/.trash/part-5.zstd.parquet"];
    others.iter().for_each(|name| put(name));
    // Young as they are, they may be a writer's.
    let now = lake.now().await.unwrap();
    assert!(lake.vacuum(None, now - TimeDelta::hours(24), now, false).await.unwrap().is_empty());
    let found = later(&lake, false).await;
    assert_eq!(of(&found, "order_line").len(), 3, "{found:?}");
    assert_eq!(of(&found, "region").len(), 1, "{found:?}");
    assert!(orphans.iter().all(|name| !dir.path().join(name).exists()));
    assert!(others.iter().all(|name| dir.path().join(name).exists()));
    let lake = Lake::open(&config(dir.path().to_str().unwrap())).await.unwrap();
    assert_eq!(ids(&lake, &lake.state(&REGION).await.unwrap()).await, (0..12).collect::<Vec<_>>());
    assert_eq!(ids(&lake, &lake.state(&ORDER_LINE).await.unwrap()).await, (0..8).collect::<Vec<_>>());
}

/// Makes every file below `folder` whose name `which` takes as old as `hours`.
fn age(folder: &FilePath, hours: u64, which: &dyn Fn(&str) -> bool) {
    let old = SystemTime::from(file_now(folder)) - Duration::from_secs(hours * 3600);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            age(&path, hours, which);
        } else if which(path.file_name().unwrap().to_str().unwrap()) {
            File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        }
    }
}

/// The time that the file system gives a new file.
fn file_now(folder: &FilePath) -> DateTime<Utc> {
    let probe = folder.join("probe");
    std::fs::write(&probe, "").unwrap();
    let now = std::fs::metadata(&probe).unwrap().modified().unwrap();
    std::fs::remove_file(&probe).unwrap();
    now.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_needed_lately_stays() {
    let dir = tempfile::tempdir().unwrap();
    let cfg = config(dir.path().to_str().unwrap());
    let lake = Lake::open(&cfg).await.unwrap();
    three_files(&lake).await;
    age(dir.path(), 48, &|_| true);
    optimize(&lake, &REGION, &all()).await;
    // Three old files that a commit of just now has removed: other processes may still read them.
    let sweep = async || {
        let lake = Lake::open(&cfg).await.unwrap();
        let now = lake.now().await.unwrap();
        let found = lake.vacuum(Some(&REGION), now - TimeDelta::hours(24), now, false).await.unwrap();
        of(&found, "region").len()
    };
    drop(lake);
    assert_eq!(sweep().await, 0);
    age(dir.path(), 30, &|name| name == "00000000000000000003.json");
    assert_eq!(sweep().await, 3);
    assert_eq!(sweep().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_head_shows_stays() {
    let dir = tempfile::tempdir().unwrap();
    let cfg = config(dir.path().to_str().unwrap());
    let lake = Lake::open(&cfg).await.unwrap();
    three_files(&lake).await;
    lake.begin("shown").await.unwrap().publish().await.unwrap();
    // Another program rewrites the table: readers of ours are still shown version 2.
    let base = lake.state(&REGION).await.unwrap();
    let mut rewrite = super::rows::change("alien", vec![super::rows::rows(&REGION, 0..12)]);
    rewrite.remove = base.files.clone();
    lake.commit(&base, rewrite).await.unwrap();
    drop((base, lake));
    age(dir.path(), 48, &|_| true);
    let lake = Lake::open(&cfg).await.unwrap();
    let now = lake.now().await.unwrap();
    let before = now - TimeDelta::hours(24);
    assert!(lake.vacuum(None, before, now, false).await.unwrap().is_empty());
    let states = lake.states().await.unwrap();
    let region = states.iter().find(|s| s.table.name == "region").unwrap();
    assert_eq!((region.version, ids(&lake, region).await), (2, (0..12).collect()));
    drop(states);
    drop(lake);
    // Shown, and then shown by no head since a day.
    let lake = Lake::open(&cfg).await.unwrap();
    lake.begin("next").await.unwrap().publish().await.unwrap();
    age(dir.path(), 48, &|_| true);
    drop(lake);
    let lake = Lake::open(&cfg).await.unwrap();
    let found = lake.vacuum(None, before, now, false).await.unwrap();
    assert_eq!((of(&found, "region").len(), of(&found, "_heads").len()), (3, 1), "{found:?}");
    assert_eq!(lake.head().await.unwrap().unwrap().number, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_heads_and_dead_markers_go() {
    let lake = memory().await;
    for i in 0..3 {
        let unit = lake.begin(&format!("b{i}")).await.unwrap();
        append(&lake, &lake.state(&REGION).await.unwrap(), &format!("b{i}"), i * 4..i * 4 + 4).await;
        unit.publish().await.unwrap();
    }
    drop(lake.begin("dead").await.unwrap());
    let now = lake.now().await.unwrap();
    let error = lake.vacuum(None, now, now, false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("dead"), "{error}");
    // Three days later its lease is over, and the first two heads are history, as is that of the empty lake.
    assert_eq!(of(&later(&lake, false).await, "_heads").len(), 4);
    assert_eq!(lake.head().await.unwrap().unwrap().number, 3);
    assert!(of(&later(&lake, false).await, "_heads").is_empty());
}

/// What a batch is about to commit is needed as long as it has its marker.
#[tokio::test(flavor = "multi_thread")]
async fn notes_of_batches_that_have_ended_go() {
    let lake = memory().await;
    let note = |batch: &str| Path::from(format!("_heads/intents/{batch}.json"));
    let store = lake.object_store();
    for batch in ["ended", "dead"] {
        store.put(&note(batch), "[]".into()).await.unwrap();
    }
    drop(lake.begin("dead").await.unwrap());
    assert_eq!(of(&later(&lake, true).await, "_heads"), [note("ended").as_ref(), "_heads/open/dead.json"]);
    // The dead one is ended first, and takes its own with it.
    later(&lake, false).await;
    let left: Vec<_> = store.list(Some(&Path::from("_heads"))).try_collect().await.unwrap();
    assert!(left.iter().all(|o| !o.location.as_ref().contains("intents")), "{left:?}");
}

fn log_files(dir: &FilePath) -> Vec<String> {
    let entries = std::fs::read_dir(dir.join("region/_delta_log")).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.retain(|n| n.ends_with(".json"));
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_commits_go_unless_a_head_needs_them() {
    let dir = tempfile::tempdir().unwrap();
    let cfg = config(dir.path().to_str().unwrap());
    let lake = Lake::open(&cfg).await.unwrap();
    for i in 0..110u64 {
        append(&lake, &lake.state(&REGION).await.unwrap(), "b", i..i + 1).await;
        if i == 20 {
            lake.begin("shown").await.unwrap().publish().await.unwrap();
        }
    }
    age(dir.path(), 24 * 60, &|_| true);
    let before = lake.now().await.unwrap() - TimeDelta::days(30);
    // Readers are shown version 20, which has no checkpoint before it.
    assert_eq!(lake.keep_log(&REGION, before).await.unwrap(), 0);
    assert_eq!(log_files(dir.path()).len(), 110);
    lake.begin("all").await.unwrap().publish().await.unwrap();
    // Checkpoints are those of versions 49 and 99: 0 to 98 and the checkpoint of 49 go.
    lake.keep_log(&REGION, before).await.unwrap();
    let left = log_files(dir.path());
    assert_eq!((left.len(), left[0].as_str()), (11, "00000000000000000099.json"));
    let lake = Lake::open(&cfg).await.unwrap();
    assert_eq!(ids(&lake, &lake.state(&REGION).await.unwrap()).await, (0..110).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_checkpoint_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let cfg = config(dir.path().to_str().unwrap());
    let lake = Lake::open(&cfg).await.unwrap();
    for i in 0..50u64 {
        append(&lake, &lake.state(&REGION).await.unwrap(), "b", i..i + 1).await;
    }
    let file = dir.path().join("region/_delta_log/00000000000000000049.checkpoint.parquet");
    std::fs::remove_file(&file).unwrap();
    // A process that has not read the table yet.
    let lake = Lake::open(&cfg).await.unwrap();
    assert!(lake.state(&REGION).await.is_err(), "it starts from the checkpoint");
    let slot = lake.slot(&REGION).unwrap();
    assert!(!slot.checkpoint().await.unwrap().unwrap().there);
    let long_ago = lake.now().await.unwrap() - TimeDelta::days(30);
    lake.keep_log(&REGION, long_ago).await.unwrap();
    assert!(slot.checkpoint().await.unwrap().is_some_and(|c| c.there && c.version == 49));
    assert!(file.exists());
    let lake = Lake::open(&cfg).await.unwrap();
    assert_eq!(ids(&lake, &lake.state(&REGION).await.unwrap()).await, (0..50).collect::<Vec<_>>());
}
