//! The sample as a whole: reproducible, adding up, its dirt where the list says.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use super::*;

fn make(dir: &Path, seed: u64) -> Summary {
    generate(&Options { seed, lines: 4_000, dir: dir.to_path_buf() }).expect("generated")
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).expect("below").to_string_lossy().into_owned();
                found.insert(name, std::fs::read(&path).expect("read"));
            }
        }
    }
    found
}

fn lines(bytes: &[u8], name: &str) -> Vec<String> {
    let mut text = Vec::new();
    if name.ends_with(".gz") {
        flate2::read::GzDecoder::new(bytes).read_to_end(&mut text).expect("gzip");
    } else {
        text = bytes.to_vec();
    }
    String::from_utf8(text).expect("UTF-8").lines().map(String::from).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (a, b, c) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"), tempfile::tempdir().expect("c"));
    assert_eq!(make(a.path(), 1), make(b.path(), 1));
    assert_eq!(files(a.path()), files(b.path()));
    make(c.path(), 2);
    assert_ne!(files(a.path()), files(c.path()));
    assert!(
        generate(&Options { seed: 1, lines: 4_000, dir: a.path().into() }).is_err(),
        "a second sample is not mixed in"
    );
}

#[test]
fn the_summary_adds_up() {
    let dir = tempfile::tempdir().expect("a folder");
    let summary = make(dir.path(), 1);
    let found = files(&dir.path().join("landing"));
    assert_eq!(found.keys().collect::<Vec<_>>(), summary.files.iter().map(|f| &f.file).collect::<Vec<_>>());
    for file in &summary.files {
        assert_eq!(file.records, file.first + file.repeats + file.revisions + file.warned + file.held, "{file:?}");
        let bytes = &found[&file.file];
        assert_eq!(bytes.len() as u64, file.bytes);
        if !file.file.ends_with(".parquet") {
            let header = u64::from(file.file.contains(".csv"));
            assert_eq!(lines(bytes, &file.file).len() as u64, file.records + header, "{}", file.file);
        }
    }
    let c = &summary.counts;
    assert!((3_000..6_000).contains(&c.order_lines), "{c:?}");
    assert!(
        c.return_lines > 50 && c.events > 500 && c.feedback > 20 && c.stock_rows > 10_000 && c.order_charges > 100,
        "{c:?}"
    );
    assert!(c.order_headers > 500 && c.status_events > 2_000 && c.fulfilment_lines > 1_000, "{c:?}");
    assert!(c.payments > 1_000, "{c:?}");
    assert!(c.movements > 10_000 && c.purchase_lines > 500, "{c:?}");
}

#[test]
fn every_dirty_record_is_where_the_list_says() {
    let dir = tempfile::tempdir().expect("a folder");
    let summary = make(dir.path(), 1);
    let found = files(dir.path());
    let list = lines(&found["dirt.csv"], "dirt.csv");
    assert_eq!(list.len(), summary.dirty() + 1);
    let mut rules = BTreeSet::new();
    for row in &list[1..] {
        let fields: Vec<&str> = row.splitn(7, ',').collect();
        let (file, line): (_, usize) = (fields[0], fields[1].parse().expect("a line"));
        rules.insert(fields[2].to_string());
        assert!(["reject", "quarantine", "warn"].contains(&fields[3]), "{row}");
        if !file.ends_with(".parquet") {
            let text = lines(&found[&format!("landing/{file}")], file);
            let dirty = &text[line - 1];
            // A few that can be seen in the text itself.
            let seen = match fields[6].trim_matches('"') {
                "a negative price" => ";-5.00;",
                "a card number in a note" => "4111 1111 1111 1111",
                "not a status of the platform" if file.contains("_cn") => "已丢失",
                "an error page instead of an order" => "502 Bad Gateway",
                _ => "",
            };
            assert!(dirty.contains(seen), "{row}\n{dirty}");
        }
    }
    let expected = ["V00", "V01", "V02", "V03", "V04", "V09", "V10", "V11", "V12", "V13", "V17", "V18", "V19", "V20"];
    assert_eq!(rules.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn the_desk_tells_of_orders_that_were_made() {
    let dir = tempfile::tempdir().expect("a folder");
    make(dir.path(), 1);
    let found = files(&dir.path().join("landing"));
    let of = |prefix: &str| -> Vec<String> {
        let named = found.iter().filter(|(name, _)| name.starts_with(prefix));
        named.flat_map(|(name, bytes)| lines(bytes, name)).collect()
    };
    let id = |order: &String| Some(order.strip_prefix("{\"id\":\"")?.get(..8)?.to_string());
    let made: BTreeSet<String> = of("web/").iter().filter_map(id).collect();
    let field = |records: &[String], at: usize| -> Vec<String> {
        records.iter().map(|r| r.split(',').nth(at).unwrap_or_default().to_string()).collect()
    };
    // Those that are wrong on purpose are of nobody's orders.
    let clean = |id: &String| id.starts_with('W') && !id.starts_with("W95");
    for (prefix, at) in [("orders/steps_web", 1), ("orders/parcels_web", 4)] {
        let orders = field(&of(prefix), at);
        assert!(orders.len() > made.len(), "{prefix}");
        assert!(orders.iter().filter(|id| clean(id)).all(|id| made.contains(id)), "{prefix}");
    }
    // A few headers are missing, and a few are of no order.
    let told: BTreeSet<String> = field(&of("orders/orders_web"), 1).into_iter().filter(clean).collect();
    assert!(told.intersection(&made).count() * 100 > made.len() * 95);
    assert!(told.difference(&made).count() * 100 < made.len());
    // What is captured was authorized.
    let payments = of("payments/payments_web");
    let known: BTreeSet<String> = field(&payments, 1).into_iter().collect();
    let captured: Vec<String> = field(&payments, 5).into_iter().filter(|id| id.starts_with('W')).collect();
    assert!(captured.len() > 100 && captured.iter().all(|id| known.contains(id)));
}

#[test]
fn the_committed_sample_is_seed_one() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data");
    let dir = tempfile::tempdir().expect("a folder");
    generate(&Options { seed: 1, lines: DEFAULT_LINES, dir: dir.path().into() }).expect("generated");
    let (made, mut kept) = (files(dir.path()), files(&committed));
    kept.retain(|name, _| name.starts_with("landing/") || made.contains_key(name));
    let names = |of: &BTreeMap<String, Vec<u8>>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&made), names(&kept), "make it anew with saleslake sample --seed 1");
    for (name, bytes) in &made {
        assert!(kept[name] == *bytes, "{name} differs: make it anew with saleslake sample --seed 1");
    }
    let size: usize = kept.values().map(Vec::len).sum();
    assert!(size < 25 << 20, "{size} bytes are too many to keep");
}
