//! Workbooks as other programs write them: `tests/data/formats/README.md` says how these were made.

use std::path::Path;

use arrow::array::{Array, AsArray};

use super::*;

fn input(name: &str) -> Input {
    Input::Path(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/formats").join(name))
}

/// Lines, rows (`∅` for NULL) and what is bad.
type Found = (Vec<i64>, Vec<Vec<String>>, Vec<Bad>);

fn read(name: &str, sheet: Option<Sheet>, header_row: Option<u32>) -> Result<Found> {
    let mut reader = ExcelReader::open(input(name), sheet.as_ref(), header_row, &["absent".into()])?;
    let (mut lines, mut rows, mut bad) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(chunk) = reader.next()? {
        for row in 0..chunk.data.num_rows() {
            let text = |c: &ArrayRef| {
                if c.is_null(row) { "∅".to_string() } else { c.as_string::<i32>().value(row).to_string() }
            };
            rows.push(chunk.data.columns().iter().map(text).collect());
        }
        lines.extend(chunk.lines);
        bad.extend(chunk.bad);
    }
    Ok((lines, rows, bad))
}

#[test]
fn cells_of_every_kind() {
    for name in ["kinds.xlsx", "kinds.xls"] {
        let (lines, rows, bad) = read(name, Some(Sheet::Name("Kinds".into())), Some(3)).expect(name);
        assert_eq!(lines, [4, 6], "{name}: row 5 is empty");
        let first = ["00123", "3", "19.99", "2026-01-31", "2026-01-31T10:05:00", "true", "衬衫", "∅"];
        assert_eq!(rows[0], first, "{name}");
        assert_eq!(rows[1][..4], ["∅", "6901234567892", "-0.5", "2026-02-01"], "{name}");
        // Only .xlsx says how a number is shown.
        let midnight = if name == "kinds.xlsx" { "2026-02-01T00:00:00" } else { "2026-02-01" };
        assert_eq!(rows[1][4..], [midnight, "false", "∅", "∅"], "{name}");
        let found: Vec<_> = bad.iter().map(|b| (b.line, b.message.as_str())).collect();
        assert_eq!(found[0], (7, "cell B7 holds the error #N/A"), "{name}");
        assert_eq!(found[1], (8, "cell I8 is beyond the last column that has a name"), "{name}");
        assert!(bad[1].raw.contains("\"column_9\":\"note\""), "{name}: {}", bad[1].raw);
    }
}

#[test]
fn sheets_are_named_or_counted() {
    for name in ["kinds.xlsx", "kinds.xls"] {
        let second = read(name, Some(Sheet::Number(2)), None).expect(name);
        assert_eq!(second.1, [["1", "∅"]], "{name}");
        let first = read(name, None, Some(3)).expect(name);
        assert_eq!(first.0, [4, 6], "{name}");
        let e = read(name, Some(Sheet::Name("kind".into())), None).expect_err("no such sheet");
        assert!(e.message().contains("no sheet \"kind\"") && e.hint_text().is_some_and(|h| h.contains("Kinds")), "{e}");
        assert!(read(name, Some(Sheet::Number(3)), None).is_err(), "{name}");
        let e = read(name, None, Some(5)).expect_err("an empty row");
        assert!(e.message().contains("row 5 of the sheet has no names"), "{e}");
    }
}

#[test]
fn damaged_and_other_files_are_told() {
    for name in ["kinds.xlsx", "kinds.xls"] {
        let Input::Path(path) = input(name) else { unreachable!("a path") };
        let bytes = std::fs::read(path).expect("a fixture");
        let half = Input::Bytes(bytes[..bytes.len() / 2].to_vec().into());
        let e = ExcelReader::open(half, None, None, &[]).err().expect("cut off");
        assert!(e.message().contains("the workbook cannot be read"), "{name}: {e}");
    }
    let e = ExcelReader::open(Input::Bytes((&b"id,sku"[..]).into()), None, None, &[]).err().expect("CSV");
    assert_eq!(e.message(), "neither .xlsx nor .xls: it looks like text");
}
