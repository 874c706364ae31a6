//! Pushes without HTTP: groups, room, storage that fails, the audit rewritten. Nothing here waits for a clock: groups end
//! when they are full or when the pusher is closed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::TryStreamExt;
use futures::future::{join, join_all};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;

use super::received::Room;
use super::{Push, PushAccount, PushLimits, Pusher};
use crate::clock::Clock;
use crate::config::LakeConfig;
use crate::error::{ErrorKind, Result};
use crate::ingest::columns::texts;
use crate::ingest::testing::{RATES, source};
use crate::ingest::{Filter, Ingest, Sources};
use crate::lake::testing::{Act, Unreliable, over};
use crate::lake::{Change, Commit, Lake};
use crate::model::{INGEST_FILE, ORDER_LINE, PRODUCT};

const ORDERS: &str = r#"-- ---
-- source_system = "shop"
-- [read]
-- path = "orders/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "web"
-- tz = "UTC"
-- ---
-- into = "order_line"
SELECT id AS order_id, '1' AS order_line_id, instant(at) AS created_at, sku, CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(price AS DECIMAL(18,4)) AS unit_price, currency
FROM   raw
-- into = "product", reference = true
SELECT sku FROM raw WHERE sku <> ''
"#;

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3600);

fn pusher(lake: &Lake, group: Duration) -> Pusher {
    let clock = Clock::fixed("2026-07-01T12:00:00Z".parse().expect("a constant"));
    let ingest = Ingest::new(lake, Sources::from_list([source("orders", ORDERS), source("rates", RATES)]), clock);
    Pusher::new(ingest, PushLimits { pushes: 100, bytes: 1 << 20, group, group_pushes: 100 })
}

async fn memory() -> Lake {
    Lake::open(&LakeConfig { url: "memory://".into(), ..LakeConfig::default() }).await.expect("a lake")
}

fn order(id: &str, currency: &str) -> String {
    format!("id,at,sku,qty,price,currency\n{id},2026-02-05T10:00:00Z,X,2,3.50,{currency}\n")
}

async fn send(pusher: &Pusher, source: &str, key: &str, body: &str) -> Result<PushAccount> {
    let mut receiving = pusher.receive(source, body.len() as u64)?;
    receiving.add(body.as_bytes())?;
    let (source, key, caller) = (source.into(), Some(key.into()), "test".into());
    pusher.push(Push { source, key, caller, body: receiving.end() }).await
}

/// The orders that the lake holds, each as often as it is there.
async fn orders(lake: &Lake) -> Vec<String> {
    let state = lake.state(&ORDER_LINE).await.expect("a state");
    let mut ids = Vec::new();
    for file in &state.files {
        for batch in lake.read(&state, file, Some(&["order_id"])).await.expect("read") {
            ids.extend(texts(&batch, "order_id").expect("texts").iter().flatten().map(String::from));
        }
    }
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_lands_what_waits_as_one_batch() {
    let lake = memory().await;
    let pusher = pusher(&lake, NEVER);
    let names: Vec<String> = (0..50).map(|n| format!("o{n:02}")).collect();
    let bodies: Vec<String> = names.iter().map(|n| order(n, "USD")).collect();
    let mut waiting = Box::pin(join_all(names.iter().zip(&bodies).map(|(n, body)| send(&pusher, "orders", n, body))));
    // All are in the queue after one poll, and none is answered.
    assert!(futures::poll!(&mut waiting).is_pending());
    let (answers, ()) = join(waiting, pusher.close()).await;
    let batches: BTreeSet<String> = answers.into_iter().map(|a| a.expect("landed").batch_id).collect();
    assert_eq!(batches.len(), 1);
    assert_eq!(orders(&lake).await, names);
    for table in [&ORDER_LINE, &INGEST_FILE] {
        assert_eq!(lake.state(table).await.expect("a state").version, 0, "{}", table.name);
    }
    let refused = send(&pusher, "orders", "late", &bodies[0]).await.expect_err("closed");
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
}

#[test]
fn room_is_never_exceeded_and_given_back() {
    let room = Arc::new(Room::new(2, 100));
    let kind = |r: Result<super::received::Place>| r.err().map(|e| e.kind());
    let one = room.enter(60).expect("room");
    let two = room.enter(100).expect("what was announced is taken when it comes");
    assert_eq!(kind(room.enter(0)), Some(ErrorKind::Busy), "a third push");
    drop(two);
    assert_eq!(kind(room.enter(101)), Some(ErrorKind::Busy), "it would never fit");
    let temp = std::env::temp_dir();
    let mut one = super::Receiving::new(one, temp.clone());
    one.add(&[0; 60]).expect("room");
    let mut two = super::Receiving::new(room.enter(40).expect("room"), temp);
    assert_eq!(two.add(&[0; 41]).expect_err("full").kind(), ErrorKind::Busy);
    drop(one);
    two.add(&[0; 100]).expect("room again");
    assert_eq!(two.end().size(), 100);
    assert!(room.enter(100).is_ok(), "all of it is back");
}

#[tokio::test(flavor = "multi_thread")]
async fn v18_pushed_rates_let_waiting_pushes_land() {
    let lake = memory().await;
    let pusher = pusher(&lake, Duration::ZERO);
    let waits = send(&pusher, "orders", "1", &order("e", "EUR")).await.expect("answered");
    assert_eq!((waits.file.read, waits.file.quarantined), (1, 1));
    assert_eq!(waits.quarantined_records[0].rule, "V18");
    let rates = "day,base,quote,rate\n2026-02-05,EUR,USD,1.25\n";
    send(&pusher, "rates", "r", rates).await.expect("landed");
    assert_eq!(orders(&lake).await, ["e"]);
    // Rates that have come since are used: this one does not wait.
    let next = send(&pusher, "orders", "2", &order("f", "EUR")).await.expect("landed");
    assert_eq!(next.file.landed, 1);
    pusher.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v19_a_conflict_is_told_though_no_rule_stopped_the_record() {
    let lake = memory().await;
    let pusher = pusher(&lake, Duration::ZERO);
    let dear = order("a", "USD").replace("3.50", "3.51");
    let first = send(&pusher, "orders", "1", &order("a", "USD")).await.expect("landed");
    let second = send(&pusher, "orders", "2", &dear).await.expect("answered");
    assert_eq!(first.file.landed, 1);
    // The greater content hash stays: either the second lost, or it displaced the first, whose account holds all the same.
    match second.file.quarantined {
        0 => assert_eq!(second.file.landed, 1),
        _ => assert_eq!(second.quarantined_records[0].rule, "V19"),
    }
    let all = pusher.0.ingest.quarantined(&Filter::default()).await.expect("listed");
    assert_eq!((all.num_rows(), orders(&lake).await.len()), (1, 1));
    pusher.close().await;
}

/// Storage that fails from some request on, for as long as the push is tried: it is refused, and lands once when it is sent
/// again, whichever request it was. What is acknowledged shows.
#[tokio::test(flavor = "multi_thread")]
async fn storage_that_fails_acknowledges_nothing_and_loses_nothing() {
    for act in [Act::Lost, Act::Unanswered] {
        let from = Arc::new(AtomicU64::new(u64::MAX));
        let fails = from.clone();
        let fate = move |n, _: Option<&Path>| if n >= fails.load(Ordering::SeqCst) { act } else { Act::Go };
        let store = Unreliable::new(Arc::new(InMemory::new()), fate);
        let lake = over(store.clone(), &LakeConfig::default()).await.expect("a lake");
        let pusher = pusher(&lake, Duration::ZERO);
        send(&pusher, "orders", "first", &order("first", "USD")).await.expect("landed");
        let (mut names, mut refused) = (vec!["first".to_string()], 0);
        for request in (1..80).step_by(3) {
            let name = format!("o{request:02}");
            let body = order(&name, "USD");
            from.store(store.made() + request, Ordering::SeqCst);
            let tried = send(&pusher, "orders", &name, &body).await;
            from.store(u64::MAX, Ordering::SeqCst);
            if let Err(e) = &tried {
                assert_eq!(e.kind(), ErrorKind::Unavailable, "{e}");
                refused += 1;
            }
            let again = send(&pusher, "orders", &name, &body).await.expect("storage works");
            let told = (again.file.read, again.file.landed, again.file.duplicate);
            assert_eq!(told, (1, 1, 0), "{act:?} from {request}: what the first try landed is its own");
            names.push(name);
            let shown = lake.states().await.expect("states");
            let shown = shown.iter().find(|s| s.table.name == ORDER_LINE.name).expect("there").rows();
            assert_eq!(shown, names.len() as u64, "{act:?} from {request}: what is acknowledged shows");
        }
        assert!(refused > 5, "the storage did fail");
        names.sort();
        assert_eq!(orders(&lake).await, names);
        pusher.close().await;
    }
}

/// Articles come before the lines that they are gleaned from: those of the second push cannot be committed, however often it
/// is tried. The next push, of whatever source, commits them before its own, so that no head shows a part.
#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_stops_between_two_tables_shows_whole() {
    let stopped = Arc::new(AtomicBool::new(false));
    let now = stopped.clone();
    let store = Unreliable::new(Arc::new(InMemory::new()), move |_, put| {
        let lines = put.is_some_and(|p| p.as_ref().starts_with("order_line/_delta_log/"));
        if lines && now.load(Ordering::SeqCst) { Act::Lost } else { Act::Go }
    });
    let lake = over(store.clone(), &LakeConfig::default()).await.expect("a lake");
    let pusher = pusher(&lake, Duration::ZERO);
    // An article of its own for each order.
    let body = |id: &str| order(id, "USD").replace(",X,", &format!(",X{id},"));
    let shown = async || {
        let states = lake.states().await.expect("states");
        [&PRODUCT, &ORDER_LINE].map(|t| states.iter().find(|s| s.table.name == t.name).expect("there").rows())
    };
    send(&pusher, "orders", "a", &body("a")).await.expect("landed");
    stopped.store(true, Ordering::SeqCst);
    let refused = send(&pusher, "orders", "b", &body("b")).await.expect_err("no order lines");
    assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused}");
    stopped.store(false, Ordering::SeqCst);
    assert_eq!(lake.state(&PRODUCT).await.expect("a state").rows(), 2, "it stopped after the articles");
    assert_eq!(shown().await, [1, 1]);
    send(&pusher, "rates", "r", "day,base,quote,rate\n2026-02-05,EUR,USD,1.25\n").await.expect("landed");
    assert_eq!(shown().await, [2, 2], "finished, and shown");
    send(&pusher, "orders", "c", &body("c")).await.expect("landed");
    assert_eq!(shown().await, [3, 3]);
    let again = send(&pusher, "orders", "b", &body("b")).await.expect("landed").file;
    assert_eq!((again.landed, again.duplicate), (1, 0), "what the first try landed is its own");
    assert_eq!(orders(&lake).await, ["a", "b", "c"]);
    pusher.close().await;
    for folder in ["_heads/open", "_heads/intents", "_heads/unfinished"] {
        let left: Vec<_> = store.list(Some(&Path::from(folder))).try_collect().await.expect("listed");
        assert!(left.is_empty(), "{folder}: {left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_known_when_the_audit_has_been_rewritten() {
    let lake = memory().await;
    let first = pusher(&lake, Duration::ZERO);
    let mut told = Vec::new();
    for name in ["a", "b", "c"] {
        told.push(send(&first, "orders", name, &order(name, "USD")).await.expect("landed"));
    }
    // As compaction does: the rows of all files in one.
    let state = lake.state(&INGEST_FILE).await.expect("a state");
    assert_eq!(state.files.len(), 3);
    let mut rows = Vec::new();
    for file in &state.files {
        rows.extend(lake.read(&state, file, None).await.expect("read"));
    }
    let change = Change {
        batch_id: "compaction",
        app: "compaction",
        add: rows,
        remove: state.files.clone(),
        keep: Vec::new(),
        info: Default::default(),
    };
    assert!(matches!(lake.commit(&state, change).await.expect("committed"), Commit::Done { .. }));
    // The one that has read the files before, and one that begins with the new one.
    for pusher in [first, pusher(&lake, Duration::ZERO)] {
        for (name, told) in ["a", "b", "c"].iter().zip(&told) {
            let again = send(&pusher, "orders", name, &order(name, "USD")).await.expect("known");
            assert!(again.file.already);
            assert_eq!((&again.batch_id, again.file.landed), (&told.batch_id, 1));
        }
        let other = send(&pusher, "orders", "a", &order("z", "USD")).await.expect_err("other bytes");
        assert_eq!(other.kind(), ErrorKind::Conflict);
        pusher.close().await;
    }
    assert_eq!(orders(&lake).await, ["a", "b", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_definition_reads_the_next_push_and_a_broken_one_does_not() {
    let (lake, dir) = (memory().await, tempfile::tempdir().expect("a folder"));
    let folder = dir.path().join("sources");
    std::fs::create_dir(&folder).expect("made");
    let pusher = pusher(&lake, Duration::ZERO);
    let mut seen = std::collections::BTreeMap::new();
    let mut define = |text: &str| {
        std::fs::write(folder.join("orders.sql"), text).expect("written");
        pusher.0.ingest.sources.look(dir.path(), &mut seen).expect("looked")
    };
    let push = async |id: &str| {
        let account = send(&pusher, "orders", id, &order(id, "USD")).await.expect("landed");
        (account.file.landed, account.file.already)
    };
    // A worker is running by then, with plans of its own.
    assert_eq!(push("a").await, (1, false));
    define(&ORDERS.replace("\"web\"", "\"app\""));
    assert_eq!(push("b").await, (1, false));
    define("half of a fi");
    assert_eq!(push("c").await, (1, false));
    assert_eq!(push("a").await, (1, true), "what has landed is known by its key, whatever reads it now");
    pusher.close().await;
    let state = lake.state(&ORDER_LINE).await.expect("a state");
    let mut rows = BTreeSet::new();
    for file in &state.files {
        for batch in lake.read(&state, file, Some(&["order_id", "channel_id"])).await.expect("read") {
            let (ids, channels) =
                (texts(&batch, "order_id").expect("texts"), texts(&batch, "channel_id").expect("texts"));
            rows.extend((0..batch.num_rows()).map(|i| format!("{} {}", ids.value(i), channels.value(i))));
        }
    }
    assert_eq!(rows.into_iter().collect::<Vec<_>>(), ["a web", "b app", "c app"]);
}
