//! What readers see while batches over several tables land.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::super::testing::{Act, Unreliable, bury, over};
use super::super::{Commit, CutOff, Lake, UnfinishedFile};
use super::rows::{append, change, config, memory, rows};
use crate::model::{ORDER_LINE, REGION};

async fn shown(lake: &Lake) -> (u64, u64) {
    let states = lake.states().await.unwrap();
    let rows = |name: &str| states.iter().find(|s| s.table.name == name).unwrap().rows();
    (rows("order_line"), rows("region"))
}

async fn land(lake: &Lake, table: &'static crate::model::Table, batch: &str, ids: std::ops::Range<u64>) {
    append(lake, &lake.state(table).await.unwrap(), batch, ids).await;
}

/// Two handles on one folder, as two processes have.
fn two(dir: &tempfile::TempDir) -> impl Future<Output = (Lake, Lake)> {
    let config = config(dir.path().to_str().unwrap());
    async move { (Lake::open(&config).await.unwrap(), Lake::open(&config).await.unwrap()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_over_several_tables_shows_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = two(&dir).await;
    let first = writer.begin("one").await.unwrap();
    land(&writer, &REGION, "one", 0..3).await;
    first.publish().await.unwrap();
    assert_eq!(shown(&reader).await, (0, 3));
    let unit = writer.begin("two").await.unwrap();
    land(&writer, &ORDER_LINE, "two", 0..8).await;
    assert_eq!(shown(&reader).await, (0, 3), "not in part");
    assert_eq!(reader.state(&ORDER_LINE).await.unwrap().rows(), 8, "single tables are as Delta has them");
    land(&writer, &REGION, "two", 3..5).await;
    unit.publish().await.unwrap();
    assert_eq!(shown(&reader).await, (8, 5));
    assert_eq!(shown(&writer).await, (8, 5));
    assert_eq!(reader.head().await.unwrap().unwrap().number, 2);
    // Nothing new: no head.
    writer.begin("three").await.unwrap().publish().await.unwrap();
    assert_eq!(reader.head().await.unwrap().unwrap().number, 2);
}

/// Not even where nothing was shown before.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_batch_of_a_lake_shows_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, reader) = two(&dir).await;
    let first = writer.begin("one").await.unwrap();
    land(&writer, &REGION, "one", 0..3).await;
    assert_eq!(shown(&reader).await, (0, 0), "not in part");
    land(&writer, &ORDER_LINE, "one", 0..8).await;
    first.publish().await.unwrap();
    assert_eq!(shown(&reader).await, (8, 3));
}

/// Another program has written it.
#[tokio::test(flavor = "multi_thread")]
async fn tables_that_were_there_before_the_first_head_show() {
    let lake = memory().await;
    land(&lake, &REGION, "other", 0..3).await;
    let first = lake.begin("one").await.unwrap();
    assert_eq!(shown(&lake).await, (0, 3));
    first.publish().await.unwrap();
    assert_eq!((shown(&lake).await, lake.head().await.unwrap().unwrap().number), ((0, 3), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_ends_does_not_show_another_one_in_part() {
    let dir = tempfile::tempdir().unwrap();
    let (slow, quick) = two(&dir).await;
    let first = slow.begin("slow").await.unwrap();
    land(&slow, &ORDER_LINE, "slow", 0..4).await;
    let second = quick.begin("quick").await.unwrap();
    land(&quick, &ORDER_LINE, "quick", 4..6).await;
    land(&quick, &REGION, "quick", 0..2).await;
    second.publish().await.unwrap();
    // Its order lines stand on those of `slow`, and its regions belong to its order lines.
    assert_eq!(shown(&quick).await, (0, 0));
    land(&slow, &REGION, "slow", 2..4).await;
    first.publish().await.unwrap();
    assert_eq!(shown(&quick).await, (6, 4));
}

/// Batches that begin and end while others look: no head, of all that were ever put, shows one in part.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_crowd_of_batches_no_head_shows_one_in_part() {
    let lake = memory().await;
    let slow = |n: u64, _: Option<&Path>| if n.is_multiple_of(5) { Act::Slow } else { Act::Go };
    let store: Arc<dyn ObjectStore> = Unreliable::new(lake.object_store(), slow);
    // Before the crowd, so that nobody has to make the tables.
    for table in [&ORDER_LINE, &REGION] {
        land(&lake, table, "first", 0..1).await;
    }
    let crowd = (0..6).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let lake = over(store, &config("memory://")).await.expect("a lake");
            for round in 0..6 {
                let batch = format!("{n}-{round}");
                let unit = lake.begin(&batch).await.expect("begun");
                for table in [&ORDER_LINE, &REGION] {
                    insist(&lake, table, &batch).await;
                }
                unit.publish().await.expect("published");
            }
        })
    });
    for writer in crowd.collect::<Vec<_>>() {
        writer.await.expect("a writer");
    }
    let mut commits = Vec::new();
    for table in [&ORDER_LINE, &REGION] {
        commits.push((table.name, lake.commits_since(table, -1).await.expect("commits")));
    }
    let heads: Vec<_> = store.list(Some(&"_heads".into())).try_collect().await.expect("listed");
    let mut checked = 0;
    for head in heads.iter().filter(|h| h.location.as_ref().ends_with(".json") && h.location.parts_count() == 2) {
        let bytes = store.get(&head.location).await.expect("a head").bytes().await.expect("read");
        let head: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        let mut shown: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
        for (table, commits) in &commits {
            let version = head["tables"][table].as_i64().unwrap_or(-1);
            for commit in commits {
                let batch = commit.batch_id.as_deref().expect("a batch");
                shown.entry(batch).or_default().insert(commit.version <= version);
            }
        }
        shown.remove("first");
        let parts: Vec<_> = shown.iter().filter(|(_, is)| is.len() > 1).collect();
        assert!(parts.is_empty(), "{head} shows in part {parts:?}");
        checked += 1;
    }
    assert!(checked > 6, "{checked} heads");
}

async fn insist(lake: &Lake, table: &'static crate::model::Table, batch: &str) {
    loop {
        let base = lake.state(table).await.expect("a state");
        let change = change(batch, vec![rows(table, [0])]);
        if let Commit::Done { .. } = lake.commit(&base, change).await.expect("committed") {
            return;
        }
    }
}

/// A writer that dies after its commit to the first of two tables, with both noted; what `between` does comes after that.
async fn dies_between(lake: &Lake, between: impl AsyncFnOnce(&Lake)) {
    let file = UnfinishedFile {
        file_id: "f".into(),
        source: "till".into(),
        uri: "1.csv".into(),
        waited: false,
        replayed: false,
    };
    let unit = lake.begin_landing("dead", vec![file]).await.unwrap();
    let (lines, regions) = (lake.state(&ORDER_LINE).await.unwrap(), lake.state(&REGION).await.unwrap());
    let first = lake.prepare(&lines, change("dead", vec![rows(&ORDER_LINE, 0..4)])).await.unwrap().unwrap();
    let second = lake.prepare(&regions, change("dead", vec![rows(&REGION, 0..2)])).await.unwrap().unwrap();
    lake.intend("dead", &[(&lines, &first), (&regions, &second)]).await.unwrap();
    lake.commit_prepared(&lines, first).await.unwrap();
    between(lake).await;
    drop(unit);
    bury(&lake.object_store()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_died_between_two_tables_is_finished_by_the_next_one() {
    let lake = memory().await;
    lake.begin("ok").await.unwrap().publish().await.unwrap();
    dies_between(&lake, async |_| ()).await;
    assert_eq!(shown(&lake).await, (0, 0));
    lake.begin("next").await.unwrap().publish().await.unwrap();
    assert_eq!(shown(&lake).await, (4, 2));
    let left: Vec<_> = lake.object_store().list(Some(&"_heads/intents".into())).try_collect().await.unwrap();
    assert!(left.is_empty(), "{left:?}");
    // What it was landing is still noted: it has no account.
    assert_eq!(lake.cut_off().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_batch_is_not_finished_on_what_others_have_changed() {
    let lake = memory().await;
    lake.begin("ok").await.unwrap().publish().await.unwrap();
    // Another batch may have put the same keys there.
    dies_between(&lake, async |lake| land(lake, &REGION, "other", 0..1).await).await;
    lake.begin("next").await.unwrap().publish().await.unwrap();
    assert_eq!(shown(&lake).await, (4, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_writer_left_does_not_hold_others_up() {
    let lake = memory().await;
    lake.begin("ok").await.unwrap().publish().await.unwrap();
    let file = UnfinishedFile {
        file_id: "f".into(),
        source: "till".into(),
        uri: "1.csv".into(),
        waited: false,
        replayed: false,
    };
    let dead = lake.begin_landing("dead", vec![file.clone()]).await.unwrap();
    land(&lake, &ORDER_LINE, "dead", 0..4).await;
    drop(dead);
    assert_eq!(shown(&lake).await, (0, 0));
    let unit = lake.begin("next").await.unwrap();
    land(&lake, &ORDER_LINE, "next", 4..6).await;
    unit.publish().await.unwrap();
    assert_eq!(shown(&lake).await, (0, 0), "this process lives, so its marker counts");
    // As it stands when the process that wrote it is gone.
    let marker = lake.inner.root.prefix.clone().join("_heads").join("open").join("dead.json");
    let store = lake.object_store();
    let text = store.get(&marker).await.unwrap().bytes().await.unwrap();
    let mut holder: serde_json::Value = serde_json::from_slice(&text).unwrap();
    if holder["among"].is_null() {
        return; // Processes cannot be told here; the lease's time is all there is.
    }
    holder["pid"] = u32::MAX.into();
    store.put(&marker, holder.to_string().into()).await.unwrap();
    lake.begin("after").await.unwrap().publish().await.unwrap();
    assert_eq!(shown(&lake).await, (6, 0));
    // Its marker is gone, and what it was landing is known until that has its account.
    assert!(store.head(&marker).await.is_err());
    let next = async |batch: &str| {
        let lake = over(store.clone(), &config("memory://")).await.unwrap();
        let unit = lake.begin_landing(batch, vec![file.clone()]).await.unwrap();
        (lake, unit)
    };
    let (other, unit) = next("again").await;
    assert_eq!(other.cut_off(), [CutOff { batch_id: "dead".into(), files: vec![file.clone()] }]);
    other.settle(&HashSet::from(["f"])).await.unwrap();
    unit.publish().await.unwrap();
    let (other, unit) = next("once more").await;
    assert_eq!(other.cut_off(), []);
    unit.publish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_put_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path().to_str().unwrap());
    let writers = (0..8).map(|w: u64| {
        let config = config.clone();
        tokio::spawn(async move {
            let lake = Lake::open(&config).await.unwrap();
            for i in 0..5 {
                let batch = format!("{w}-{i}");
                let unit = lake.begin(&batch).await.unwrap();
                let rows = super::rows::rows(&REGION, [w * 5 + i]);
                loop {
                    let base = lake.state(&REGION).await.unwrap();
                    let change = super::rows::change(&batch, vec![rows.clone()]);
                    if matches!(lake.commit(&base, change).await.unwrap(), super::super::Commit::Done { .. }) {
                        break;
                    }
                }
                unit.publish().await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let lake = Lake::open(&config).await.unwrap();
    lake.begin("last").await.unwrap().publish().await.unwrap();
    assert_eq!(shown(&lake).await, (0, 40));
    let head = lake.head().await.unwrap().unwrap();
    assert_eq!(head.version("region"), 39);
}

/// A process that was stopped for hours, and knows a head whose successors have been removed.
#[tokio::test(flavor = "multi_thread")]
async fn who_slept_puts_no_head_among_old_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let (sleeper, writer) = two(&dir).await;
    for (lake, batch, ids) in
        [(&sleeper, "one", 0..1), (&writer, "two", 1..2), (&writer, "three", 2..3), (&writer, "four", 3..4)]
    {
        let unit = lake.begin(batch).await.unwrap();
        land(lake, &REGION, batch, ids).await;
        unit.publish().await.unwrap();
    }
    let newest = writer.head().await.unwrap().unwrap().number;
    assert!(newest >= 4, "{newest}");
    let store = writer.object_store();
    for number in 0..newest {
        store
            .delete(&writer.inner.root.prefix.clone().join("_heads").join(format!("{number:020}.json")))
            .await
            .unwrap();
    }
    let unit = sleeper.begin("five").await.unwrap();
    land(&sleeper, &REGION, "five", 4..5).await;
    unit.publish().await.unwrap();
    let (reader, _) = two(&dir).await;
    assert_eq!(shown(&reader).await, (0, 5));
    assert_eq!(reader.head().await.unwrap().unwrap().number, newest + 1);
}
