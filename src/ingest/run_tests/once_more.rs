//! Records tried once more by two processes at once, and a replay of a source that has received pushes, too.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use object_store::ObjectStore;
use object_store::memory::InMemory;

use super::*;
use crate::ingest::{Push, PushLimits, Pusher};
use crate::lake::testing::{Act, Unreliable, over};
use crate::model::PRODUCT;

/// Another process tries the waiting records (of one line, or all) from beginning to end, at the moment when the first is
/// about to put something into `table`. Returns how many the first says that it tried and landed.
async fn two_at_once(table: &'static str, line: Option<i64>) -> (u64, u64) {
    let config = LakeConfig { url: "memory://".into(), ..LakeConfig::default() };
    let (inner, folder): (Arc<dyn ObjectStore>, _) = (Arc::new(InMemory::new()), Folder::new());
    let open = async |store: Arc<dyn ObjectStore>| over(store, &config).await.expect("a lake");
    let process = |lake: &Lake, orders: &str| {
        Ingest::new(lake, Sources::from_list([source("orders", orders), source("rates", RATES)]), Clock::system())
    };
    let lake = open(inner.clone()).await;
    let files = folder.orders("one", &[A, BAD, "f,1,1,2026-02-05T10:00:00Z,Y,minus one,4,USD,paid"]);
    let account = process(&lake, ORDERS).run("orders", &files, &Silent).await.expect("landed");
    assert_eq!((account.total().landed, account.total().quarantined), (1, 2));

    let mended = ORDERS.replace("CAST(qty AS DECIMAL(18,3))", "CAST(replace(qty, 'minus one', '1') AS DECIMAL(18,3))");
    let (other, met) = (process(&open(inner.clone()).await, &mended), AtomicBool::new(false));
    let store: Arc<dyn ObjectStore> = Unreliable::new(inner.clone(), move |_, put| {
        if put.is_some_and(|path| path.as_ref().contains(table)) && !met.swap(true, Ordering::SeqCst) {
            let other = other.clone();
            let all = std::thread::spawn(move || {
                let runtime = tokio::runtime::Runtime::new().expect("a runtime");
                let filter = Filter { line, ..Filter::default() };
                runtime.block_on(other.retry_matching(&filter, false, &Silent)).expect("retried")
            });
            let retried = all.join().expect("ended");
            assert_eq!(retried[0].landed, if line.is_some() { 1 } else { 2 }, "the other was first to resolve them");
        }
        Act::Go
    });
    let first = process(&open(store).await, &mended);
    let retried = first.retry_matching(&Filter::default(), false, &Silent).await.expect("retried");

    let what = format!("{table} {line:?}");
    let waits = first.quarantined(&Filter { resolved: Some(false), ..Filter::default() }).await.expect("listed");
    assert_eq!(waits.num_rows(), 0, "{what}");
    for (column, records) in [("read", 3), ("landed", 3), ("duplicate", 0), ("late_ignored", 0), ("quarantined", 0)] {
        assert_eq!(sum(&lake, &INGEST_FILE, column).await, records, "{what}: {column}");
    }
    // The landing, and a correction of whoever resolved something.
    assert_eq!(rows(&lake, &INGEST_FILE).await, if line.is_some() { 3 } else { 2 }, "{what}");
    // a, d and f; X and Y.
    assert_eq!((rows(&lake, &ORDER_LINE).await, rows(&lake, &PRODUCT).await), (3, 2), "{what}");
    assert_eq!(sum(&lake, &INGEST_TABLE, "new").await, 5, "{what}");
    (retried[0].tried, retried[0].landed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_try_a_record_one_accounts_for_it() {
    // Nothing of the first has landed; all of it has, and it loses the race for the quarantine.
    for table in ["order_line", "quarantine"] {
        assert_eq!(two_at_once(table, None).await, (0, 0), "{table}");
        assert_eq!(two_at_once(table, Some(3)).await, (1, 1), "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_leaves_pushes_as_they_were_mapped() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let limits = PushLimits { pushes: 10, bytes: 1 << 20, group: Duration::ZERO, group_pushes: 10 };
    let pusher = Pusher::new(ingest.clone(), limits);
    let body = format!("id,line,version,at,sku,qty,price,currency,status\n{B}\n");
    let mut receiving = pusher.receive("orders", body.len() as u64).expect("room");
    receiving.add(body.as_bytes()).expect("received");
    let push =
        Push { source: "orders".into(), key: Some("till-1".into()), caller: "test".into(), body: receiving.end() };
    assert_eq!(pusher.push(push).await.expect("landed").file.landed, 1);
    pusher.close().await;
    let files = folder.orders("one", &[A]);
    ingest.run("orders", &files, &Silent).await.expect("landed");

    let changed = ORDERS.replace("channel_id = \"web\"", "channel_id = \"app\"");
    let sources = Sources::from_list([source("orders", &changed), source("rates", RATES)]);
    let changed = Ingest::new(&ingest.lake, sources, Clock::system());
    let found: Vec<Found> = files.into_iter().map(Found::Local).collect();
    let replayed = changed.replay("orders", &found, false, &Silent).await.expect("replayed");
    assert_eq!((replayed.pushes, replayed.missing.len(), replayed.account.files.len()), (1, 0, 1), "{replayed}");
    assert!(replayed.to_string().contains("1 push stays as it was mapped"), "{replayed}");
    let state = ingest.lake.state(&ORDER_LINE).await.expect("a state");
    let mut orders = BTreeSet::new();
    for file in &state.files {
        for batch in ingest.lake.read(&state, file, Some(&["order_id", "channel_id"])).await.expect("read") {
            let [ids, channels] = ["order_id", "channel_id"].map(|c| texts(&batch, c).expect("texts"));
            orders.extend((0..batch.num_rows()).map(|i| format!("{} {}", ids.value(i), channels.value(i))));
        }
    }
    assert_eq!(orders.into_iter().collect::<Vec<_>>(), ["a app", "b web"]);
    // A file that is gone is still an error, and is not taken for a push.
    let gone = changed.replay("orders", &[], false, &Silent).await.expect_err("not found");
    assert!(gone.to_string().contains("1 file that has landed is not found any more: orders/one.csv"), "{gone}");
}

/// Pushes are known by their keys alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_the_bytes_of_a_push_changes_nothing() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let limits = PushLimits { pushes: 10, bytes: 1 << 20, group: Duration::ZERO, group_pushes: 10 };
    let pusher = Pusher::new(ingest.clone(), limits);
    let files = folder.orders("same", &[B]);
    let mut receiving = pusher.receive("orders", files[0].size).expect("room");
    receiving.add(&std::fs::read(&files[0].path).expect("read")).expect("received");
    let push = Push { source: "orders".into(), key: None, caller: "test".into(), body: receiving.end() };
    assert_eq!(pusher.push(push).await.expect("landed").file.landed, 1);
    pusher.close().await;
    let account = ingest.run("orders", &files, &Silent).await.expect("landed").total();
    assert_eq!((account.read, account.duplicate), (1, 1));
    assert_eq!(rows(&ingest.lake, &ORDER_LINE).await, 1);
    assert!(ingest.run("orders", &files, &Silent).await.expect("landed").files[0].already, "the file is known now");
}

/// The number that the error names is enough for all files, though it is met in the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_is_too_large_says_how_much_memory_is_enough() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let files = ["1", "2", "3"].map(|name| {
        let lines: Vec<String> =
            (0..1000).map(|n| format!("o{name}-{n},1,1,2026-01-05T10:00:00Z,X,1,1.00,USD,paid")).collect();
        folder.orders(name, &lines.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let files = files.concat();
    ingest.run("orders", &files, &Silent).await.expect("landed");
    let found: Vec<Found> = files.into_iter().map(Found::Local).collect();
    let small = ingest.clone().memory(1);
    let error = small.replay("orders", &found, false, &Silent).await.expect_err("too large");
    assert!(error.message().contains("file orders/1.csv, with 2 more to come"), "{error}");
    assert!(error.message().contains("an eighth of landing.memory_mb"), "{error}");
    let hint = error.hint_text().unwrap_or_default();
    let number = hint.split("set landing.memory_mb to ").nth(1).and_then(|rest| rest.split(' ').next());
    let enough: u64 = number.and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{hint}"));
    assert!(enough > 1, "{hint}");
    small.memory(enough).replay("orders", &found, false, &Silent).await.expect("replayed");
}

/// Without any memory each record is a part of its own.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_records_are_tried_part_by_part() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let euro = |id: &str| EURO.replace("e,", &format!("{id},"));
    let lines = [euro("e1"), euro("e2"), euro("e3")];
    let one = folder.orders("one", &[A, &lines[0], &lines[1]]);
    let two = folder.orders("two", &[lines[2].as_str(), BAD]);
    ingest.run("orders", &[one, two].concat(), &Silent).await.expect("landed");
    assert_eq!(sum(&ingest.lake, &INGEST_FILE, "quarantined").await, 4);
    let before = ingest.lake.state(&ORDER_LINE).await.expect("a state").version;
    let path = folder.put("rates/r.csv", "day,base,quote,rate\n2026-02-05,EUR,USD,1.25\n");
    let rates = [InputFile::open(&path, "rates/r.csv").expect("opened")];
    let account = ingest.clone().memory(0).run("rates", &rates, &Silent).await.expect("landed");
    let [retried] = account.retried.as_slice() else { panic!("{account}") };
    assert_eq!((retried.tried, retried.landed, retried.waiting, retried.quarantined), (3, 3, 0, 0), "{account}");
    assert_eq!(ingest.lake.state(&ORDER_LINE).await.expect("a state").version, before + 3, "a commit for each");
    // As if they had been tried at once: every record is accounted for once, the one without a number still waits.
    for (column, records) in [("read", 6), ("landed", 5), ("duplicate", 0), ("quarantined", 1)] {
        assert_eq!(sum(&ingest.lake, &INGEST_FILE, column).await, records, "{column}");
    }
    let waits = ingest.quarantined(&Filter { resolved: Some(false), ..Filter::default() }).await.expect("listed");
    assert_eq!(texts(&waits, "raw").expect("raw").iter().flatten().collect::<Vec<_>>(), [BAD]);
    assert_eq!(ingest.quarantined(&Filter::default()).await.expect("listed").num_rows(), 4);
}

/// How many requests it takes to land a file beside so many files of quarantined records, which have been looked at before.
async fn requests_beside(quarantined: usize) -> u64 {
    let config = LakeConfig { url: "memory://".into(), ..LakeConfig::default() };
    let store = Unreliable::new(Arc::new(InMemory::new()), |_, _| Act::Go);
    let (lake, folder) = (over(store.clone(), &config).await.expect("a lake"), Folder::new());
    let ingest = Ingest::new(&lake, Sources::from_list([source("orders", ORDERS)]), Clock::system());
    for n in 0..quarantined {
        let bad = BAD.replace("d,", &format!("d{n},"));
        ingest.run("orders", &folder.orders(&n.to_string(), &[&bad]), &Silent).await.expect("landed");
    }
    ingest.run("orders", &folder.orders("a", &[A]), &Silent).await.expect("landed");
    let before = store.made();
    ingest.run("orders", &folder.orders("b", &[B]), &Silent).await.expect("landed");
    store.made() - before
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_the_quarantine_are_read_once() {
    let (few, many) = (requests_beside(2).await, requests_beside(22).await);
    // A file more may be a request more for other reasons; reading each would be twenty.
    assert!(many < few + 10, "{many} requests beside 22 files of quarantined records, {few} beside 2");
}
