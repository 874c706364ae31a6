//! The ten records of `tests/data/formats` look the same in every format.

use std::path::PathBuf;

use super::*;

fn sniffed(name: &str) -> Sniffed {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/data/formats", name].iter().collect();
    sniff(&path).unwrap_or_else(|e| panic!("{name}: {e} ({:?})", e.hint_text()))
}

#[test]
fn the_same_columns_whatever_the_format() {
    let names = ["order_id", "line", "sold_at", "sku", "name", "quantity", "price"];
    let first = ["O1", "1", "2026-01-05T09:30:00", "A-1", "衬衫", "1", "10.99"];
    let csv = |delimiter| Format::Csv { delimiter, header: true };
    for (name, format, encoding) in [
        ("orders.csv", Some(csv(',')), None),
        ("orders_bom.csv", Some(csv(',')), None),
        ("orders_gb18030.csv", Some(csv(',')), Some("gb18030")),
        ("orders_utf16le.csv", Some(csv(',')), Some("utf-16")),
        ("orders_utf16be.csv", Some(csv(',')), Some("utf-16be")),
        ("orders_windows1252.csv", Some(csv(',')), Some("windows-1252")),
        ("orders.tsv", Some(csv('\t')), None),
        ("orders.csv.gz", Some(csv(',')), None),
        ("orders.csv.zst", Some(csv(',')), None),
        ("orders.ndjson", None, None),
        ("orders.json", None, None),
        ("orders.parquet", Some(Format::Parquet), None),
        ("orders.arrow", Some(Format::Arrow), None),
        ("orders.arrows", Some(Format::Arrow), None),
        ("orders.xlsx", Some(Format::Excel), None),
        ("orders.xls", Some(Format::Excel), None),
    ] {
        let file = sniffed(name);
        assert_eq!(file.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), names, "{name}");
        assert_eq!(file.encoding.map(|e| e.label), encoding, "{name}");
        match format {
            Some(format) => assert_eq!(file.format, format, "{name}"),
            None => {
                assert_eq!(matches!(file.format, Format::Json { records: None, .. }), name == "orders.json", "{name}")
            }
        }
        for (column, first) in file.columns.iter().zip(first) {
            // Typed numbers show their scale; one encoding has no Chinese.
            let cell = column.cells[0].replace("chemise", "衬衫");
            let plain = if cell.contains('.') { cell.trim_end_matches('0').trim_end_matches('.') } else { &cell };
            assert_eq!(plain, first, "{name}: {}", column.name);
            assert_eq!(column.cells.len(), 10, "{name}");
        }
    }
}

#[test]
fn what_cannot_be_drafted_from_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    for (bytes, says) in [
        (&b"%PDF-1.7 ..."[..], "it looks like a PDF"),
        (b"", "empty"),
        (b"[]", "no JSON object"),
        (b"a\0,\0b\0", "NUL bytes"),
        (b"PAR1\x15\x04\x15", "cut off after byte 7"),
    ] {
        let path = dir.path().join("x");
        std::fs::write(&path, bytes).expect("written");
        let e = sniff(&path).expect_err(says);
        assert!(e.message().contains(says), "{says}: {e}");
    }
}
