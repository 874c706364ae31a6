//! Damaged archives: what of them lands, what is told, and that they are looked at again.

use super::*;

fn members() -> Vec<(&'static str, String)> {
    [("a.csv", "a"), ("b.csv", "b"), ("c.csv", "c")].map(|(name, order)| (name, csv(&[order]))).into()
}

/// Packed as it is, so that one byte of an order can be changed and nothing but the checksum tells.
fn tar_gz() -> Vec<u8> {
    let gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    let mut tar = tar::Builder::new(gz);
    for (name, text) in members() {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, text.as_bytes()).expect("appended");
    }
    tar.into_inner().and_then(|gz| gz.finish()).expect("packed")
}

/// The sisters of a damaged member land. The archive is not known as landed until a whole one has come.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_member_of_a_zip_keeps_no_other_out() {
    let inbox = Inbox::new().await;
    let whole = zip(&members());
    let mut broken = whole.clone();
    // In the packed bytes of the second member, which its checksum notices.
    let second = broken.windows(5).position(|w| w == b"b.csv").expect("its header");
    // Before the name are its length and that of the fields after it.
    let length = |at: usize| usize::from(u16::from_le_bytes([whole[at], whole[at + 1]]));
    broken[second + length(second - 4) + length(second - 2) + 10] ^= 0xff;
    inbox.put("till/x.zip", broken).await;
    let ingest = inbox.ingest.clone().batch_records(1);
    for landed in [2, 0] {
        let account = ingest.land_each("till", &inbox.find().await, &Silent).await.expect("told in the account");
        let [failed] = account.failed.as_slice() else { panic!("{account}") };
        assert_eq!(failed.file, "till/x.zip!b.csv");
        assert!(failed.reason.contains("archive till/x.zip: 'b.csv' cannot be unpacked"), "{}", failed.reason);
        assert_eq!((account.total().landed, inbox.rows().await), (landed, 2), "{account}");
        let names: Vec<_> = inbox.audit().await.into_iter().map(|(uri, ..)| uri).collect();
        assert_eq!(names, ["till/x.zip!a.csv", "till/x.zip!c.csv"]);
        assert_eq!(std::fs::read_dir(inbox.temp.path()).expect("listed").count(), 0);
    }
    let error = ingest.land("till", &inbox.find().await, &Silent).await.expect_err("an error for who wants one");
    assert!(error.message().contains("till/x.zip") && error.message().contains("b.csv"), "{error}");
    inbox.put("till/x.zip", whole).await;
    assert_eq!(inbox.land().await.total().landed, 1);
    assert_eq!(inbox.rows().await, 3);
    inbox.land_nothing().await;
}

/// Only the gzip's checksum tells that an order has another price.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_packed_tar_lands_nothing() {
    let inbox = Inbox::new().await;
    let whole = tar_gz();
    let mut broken = whole.clone();
    let price = broken.windows(4).rposition(|w| w == b"3.50").expect("the last price");
    broken[price] = b'9';
    let twice = [whole.as_slice(), &whole].concat();
    let cut = whole[..whole.len() - 8].to_vec();
    // A commit after each record, so that a member that is given lands.
    let ingest = inbox.ingest.clone().batch_records(1);
    inbox.put("till/y.csv", csv(&["y"])).await;
    for bytes in [broken, twice, cut] {
        inbox.put("till/x.tar.gz", bytes).await;
        let account = ingest.land_each("till", &inbox.find().await, &Silent).await.expect("told in the account");
        let [failed] = account.failed.as_slice() else { panic!("{account}") };
        assert_eq!(failed.file, "till/x.tar.gz");
        assert!(failed.hint.as_ref().is_some_and(|h| h.contains("nothing of it has landed")), "{:?}", failed.hint);
        assert_eq!(inbox.rows().await, 1, "the other file's: {account}");
        assert_eq!(inbox.audit().await.len(), 1);
    }
    inbox.put("till/x.tar.gz", whole).await;
    assert_eq!(inbox.land().await.total().landed, 3);
    inbox.land_nothing().await;
}
