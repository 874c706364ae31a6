//! A disk that fills up while files land: the error names them, and what had landed of them before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use object_store::memory::InMemory;

use super::*;
use crate::ingest::read::CHUNK_RECORDS;
use crate::lake::testing::{Act, Unreliable, over};

/// The lines `from` up to `to`.
fn lines(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| format!("o{n},1,1,2026-01-05T10:00:00Z,X,1,1.00,USD,paid")).collect()
}

/// A lake with room for so many files of order lines, until `full` is false.
async fn with_room(files: usize) -> (Ingest, Arc<AtomicBool>) {
    let (full, met) = (Arc::new(AtomicBool::new(true)), AtomicUsize::new(0));
    let now = full.clone();
    let store = Unreliable::new(Arc::new(InMemory::new()), move |_, put| {
        let file = put.is_some_and(|p| p.as_ref().starts_with("order_line/") && p.as_ref().ends_with(".parquet"));
        let room = !file || !now.load(Ordering::SeqCst) || met.fetch_add(1, Ordering::SeqCst) < files;
        if room { Act::Go } else { Act::Lost }
    });
    let config = LakeConfig { url: "memory://".into(), ..LakeConfig::default() };
    let lake = over(store, &config).await.expect("a lake");
    let ingest = Ingest::new(&lake, Sources::from_list([source("orders", ORDERS)]), Clock::system());
    (ingest, full)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_lands_in_part_is_named_with_how_much_of_it() {
    let (total, folder) = (CHUNK_RECORDS + 10, Folder::new());
    let all = lines(0, total);
    let files = folder.orders("big", &all.iter().map(String::as_str).collect::<Vec<_>>());
    let (ingest, full) = with_room(1).await;
    // A chunk is a commit: the first has room, the second has none.
    let ingest = ingest.batch_records(1);
    let error = ingest.run("orders", &files, &Silent).await.expect_err("no room");
    let landed = rows(&ingest.lake, &ORDER_LINE).await;
    assert!(landed > 0 && landed < total as u64, "{landed}");
    let digits = landed.to_string();
    let (thousands, rest) = digits.split_at(digits.len() - 3);
    let named =
        format!("landing file orders/big.csv ({thousands} {rest} records of it landed before): writing order_line/");
    assert!(error.message().contains(&named), "{error}");
    let hint = error.hint_text().unwrap_or_default();
    assert!(hint.contains("land the same again: it is completed, and nothing counts twice"), "{hint}");

    full.store(false, Ordering::SeqCst);
    let account = ingest.run("orders", &files, &Silent).await.expect("landed").total();
    assert_eq!((account.read, account.landed, account.duplicate), (total as u64, total as u64, 0));
    assert_eq!(rows(&ingest.lake, &ORDER_LINE).await, total as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_which_nothing_landed_are_named() {
    let (ingest, _) = with_room(0).await;
    let folder = Folder::new();
    let files: Vec<InputFile> = ["1", "2", "3", "4"]
        .iter()
        .flat_map(|name| folder.orders(name, &[format!("o{name},1,1,2026-01-05T10:00:00Z,X,1,1.00,USD,paid").as_str()]))
        .collect();
    let error = ingest.run("orders", &files, &Silent).await.expect_err("no room");
    let named = "landing files orders/1.csv, orders/2.csv, orders/3.csv, 1 more: writing order_line/";
    assert!(error.message().contains(named), "{error}");
    assert_eq!(rows(&ingest.lake, &ORDER_LINE).await, 0);
}
