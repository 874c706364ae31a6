//! Arrays, objects in a row, records under a key; what is bad stands alone, what is cut off is an error.

use super::super::Input;
use super::super::ndjson::fields_of_shape;
use super::*;

fn open(text: &str, records: Option<&str>) -> Result<JsonReader> {
    let text = Text::open(Input::Bytes(text.as_bytes().to_vec().into()), None)?;
    JsonReader::open(text, fields_of_shape(r#"{"id":"","lines":[{"sku":""}]}"#).expect("shape"), records)
}

/// Lines and raw texts of the records, and lines of the bad ones.
type Found = (Vec<i64>, Vec<String>, Vec<(i64, String)>);

fn read(text: &str, records: Option<&str>) -> Result<Found> {
    let mut reader = open(text, records)?;
    let (mut lines, mut raws, mut bad) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(chunk) = reader.next()? {
        raws.extend((0..chunk.lines.len()).map(|i| chunk.raws.raw(i)));
        lines.extend(chunk.lines);
        bad.extend(chunk.bad.into_iter().map(|b| (b.line, b.message)));
    }
    bad.sort();
    Ok((lines, raws, bad))
}

#[test]
fn arrays_pretty_or_not_and_objects_in_a_row() {
    for (text, lines) in [
        ("[{\"id\":1},{\"id\":2}]", [1, 2]),
        ("\u{feff}\n[\n  {\n    \"id\": 1\n  },\n\n  {\"id\":2}\n]\n", [3, 7]),
        ("{\"id\":1}\n{\"id\":\n2}", [1, 2]),
    ] {
        let (found, raws, bad) = read(text, None).expect("reads");
        assert_eq!(found, lines, "{text}");
        assert!(bad.is_empty(), "{bad:?}");
        assert!(raws.iter().all(|r| r.starts_with('{') && r.ends_with('}')), "{raws:?}");
    }
    assert!(read("", None).expect("empty").0.is_empty());
    assert!(read(" [ ] ", None).expect("empty").0.is_empty());
}

#[test]
fn records_under_a_key() {
    let text = r#"{"meta": {"n": "a ] } \" ,"}, "data": {"other": [1, {"orders": []}],
        "orders": [ {"id": "x]}"},
        {"id": 2} ], "more": 1}}"#;
    let (lines, raws, bad) = read(text, Some("data.orders")).expect("reads");
    assert_eq!((lines, bad.len()), (vec![2, 3], 0));
    assert_eq!(raws[0], r#"{"id": "x]}"}"#);
    let e = read(text, Some("orders")).expect_err("not at the top");
    assert!(
        e.message().contains("no key \"orders\"") && e.hint_text() == Some("known: meta, data"),
        "{e} {:?}",
        e.hint_text()
    );
    assert!(read(text, Some("meta")).is_err(), "no array");
    assert!(read("[]", Some("orders")).is_err());
    assert!(read("id,sku", None).expect_err("CSV").message().contains("looks like text"));
}

#[test]
fn v00_bad_records_stand_alone() {
    let text = "[{\"id\":1},\n7,\n{\"id\":},\n{\"id\":{\"a\":1}},\n\"x\", [1],\n{\"id\":2}]\n{";
    let (lines, _, bad) = read(text, None).expect("reads");
    assert_eq!(lines, [1, 7]);
    assert_eq!(bad.iter().map(|b| b.0).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 8]);
    assert_eq!(bad[5].1, "text after the end of the array");
}

#[test]
fn v00_a_key_that_stands_twice_makes_its_record_bad() {
    let (lines, _, bad) = read("[{\"id\":6,\n\"id\":7},\n{\"id\":8}]", None).expect("reads");
    assert_eq!((lines, bad), (vec![3], vec![(1, "the key \"id\" stands twice in one object".to_string())]));
}

#[test]
fn a_file_that_ends_too_soon_is_an_error_that_says_where() {
    let e = read("[{\"id\":1},\n{\"id\":2},", None).expect_err("cut off");
    assert!(e.message().contains("line 2, byte 21"), "{e}");
    let e = read("[{\"id\":1},\n{\"id\":\"", None).expect_err("cut off");
    assert!(e.message().contains("line 2, byte 12"), "{e}");
}
