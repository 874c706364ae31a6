//! Files that somebody writes while they are read: nothing of them lands under the sha256 of what was there before, and the
//! next run lands them as they are then.

use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::ingest::progress::Progress;
use crate::ingest::read::CHUNK_RECORDS;

/// Does something when the first records have been read.
struct Meanwhile<F>(AtomicBool, F);

impl<F: Fn() + Send + Sync> Progress for Meanwhile<F> {
    fn records(&self, _: u64) {
        if !self.0.swap(true, Ordering::SeqCst) {
            (self.1)();
        }
    }
}

fn meanwhile<F: Fn() + Send + Sync>(what: F) -> Meanwhile<F> {
    Meanwhile(AtomicBool::new(false), what)
}

/// Adds `text` at the end of the file.
fn append(path: &Path, text: &str) {
    File::options().append(true).open(path).expect("opened").write_all(text.as_bytes()).expect("written");
}

/// Lands the files while `what` happens: `refused` are refused, and `left` rows of order_line are there.
async fn refuses(ingest: &Ingest, files: &[InputFile], what: impl Fn() + Send + Sync, refused: &[&str], left: u64) {
    let found: Vec<Found> = files.iter().cloned().map(Found::Local).collect();
    let account = ingest.land_each("orders", &found, &meanwhile(what)).await.expect("told in the account");
    assert_eq!(account.failed.iter().map(|f| f.file.as_str()).collect::<Vec<_>>(), refused, "{account}");
    for failed in &account.failed {
        assert!(failed.reason.contains("was written while it was read"), "{}", failed.reason);
        assert!(failed.hint.as_ref().is_some_and(|h| h.contains("rename files into place")), "{:?}", failed.hint);
    }
    assert_eq!(rows(&ingest.lake, &ORDER_LINE).await, left, "{account}");
    assert_eq!(sum(&ingest.lake, &INGEST_FILE, "read").await as u64, left, "{account}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_grows_while_it_is_read_does_not_land() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let files = [folder.orders("one", &[A]), folder.orders("two", &[EURO.replace("EUR", "USD").as_str()])].concat();
    refuses(&ingest, &files, || append(&files[0].path, &format!("{B}\n")), &["orders/one.csv"], 1).await;
    let again = InputFile::open(&files[0].path, "orders/one.csv").expect("opened");
    let account = ingest.run("orders", &[again], &Silent).await.expect("landed").total();
    assert_eq!((account.read, account.landed), (2, 2), "as it is now, whole");
}

/// As where times are coarse.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_same_size_and_time_is_known_by_its_bytes() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let files = folder.orders("one", &[A]);
    let rewrite = || {
        let path = &files[0].path;
        let modified = path.metadata().and_then(|m| m.modified()).expect("a time");
        let other = std::fs::read_to_string(path).expect("read").replace("3.50", "9.50");
        std::fs::write(path, other).expect("written");
        File::options().append(true).open(path).and_then(|f| f.set_modified(modified)).expect("set back");
    };
    refuses(&ingest, &files, rewrite, &["orders/one.csv"], 0).await;
}

/// Each chunk is a commit: the first must not land either.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_lands_of_a_large_file_that_grows() {
    let (ingest, folder) = (ingest().await.batch_records(1), Folder::new());
    let lines: Vec<String> =
        (0..CHUNK_RECORDS + 10).map(|n| format!("o{n},1,1,2026-01-05T10:00:00Z,X,1,1.00,USD,paid")).collect();
    let files = folder.orders("big", &lines.iter().map(String::as_str).collect::<Vec<_>>());
    refuses(&ingest, &files, || append(&files[0].path, &format!("{B}\n")), &["orders/big.csv"], 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_member_lands_of_an_archive_that_grows() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let (path, text) =
        (folder.path().join("all.zip"), format!("id,line,version,at,sku,qty,price,currency,status\n{A}\n"));
    let mut zip = zip::ZipWriter::new(File::create(&path).expect("made"));
    zip.start_file("a.csv", zip::write::SimpleFileOptions::default()).expect("begun");
    zip.write_all(text.as_bytes()).expect("written");
    zip.finish().expect("finished");
    let orders = source("orders", &ORDERS.replace("orders/*.csv", "*.zip!*.csv"));
    let ingest = Ingest::new(&ingest.lake, Sources::from_list([orders]), Clock::system());
    let files = [InputFile::open(&path, "all.zip").expect("opened")];
    refuses(&ingest, &files, || append(&path, "more"), &["all.zip!a.csv", "all.zip"], 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_refuses_a_file_that_grows() {
    let (ingest, folder) = (ingest().await, Folder::new());
    let files = folder.orders("one", &[A]);
    ingest.run("orders", &files, &Silent).await.expect("landed");
    let versions = async || ingest.lake.states().await.expect("states").iter().map(|s| s.version).collect::<Vec<_>>();
    let before = versions().await;
    let found = [Found::Local(files[0].clone())];
    let progress = meanwhile(|| append(&files[0].path, &format!("{B}\n")));
    let error = ingest.replay("orders", &found, false, &progress).await.expect_err("refused");
    assert!(error.message().contains("was written while it was read"), "{error}");
    assert_eq!(versions().await, before);
}
