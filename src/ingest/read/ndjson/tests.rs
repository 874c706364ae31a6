//! One object a line: nesting, odd lines, packed files.

use std::io::Write;

use arrow::array::{Array, AsArray};
use flate2::write::GzEncoder;

use super::super::Input;
use super::*;

const SHAPE: &str = r#"{"id":"","paid":"","customer":{"key":""},"lines":[{"sku":"","qty":""}]}"#;

fn chunks(text: &[u8]) -> Vec<Chunk> {
    let text = Text::open(Input::Bytes(text.to_vec().into()), None).expect("opens");
    let mut reader = NdjsonReader::open(text, fields_of_shape(SHAPE).expect("shape")).expect("opens");
    std::iter::from_fn(|| reader.next().expect("reads")).collect()
}

#[test]
fn nesting_and_numbers_stay_as_written() {
    let text = b"\xef\xbb\xbf{\"id\":00.10,\"x\":1}\n\n {\"id\":1.10,\"paid\":true,\"customer\":{\"key\":\"k\"},\"lines\":[{\"sku\":\"a\",\"qty\":1.50},{\"sku\":\"b\"}]}\r\n{\"id\":12345678901234567890123}";
    let chunk = &chunks(text)[0];
    assert_eq!(chunk.bad.len(), 1, "00.10 is no JSON");
    assert_eq!(chunk.lines, [3, 4]);
    let ids = chunk.data.column(0).as_string::<i32>();
    assert_eq!((ids.value(0), ids.value(1)), ("1.10", "12345678901234567890123"));
    assert_eq!(chunk.data.column(1).as_string::<i32>().value(0), "true");
    let lines = chunk.data.column(3).as_list::<i32>().value(0);
    assert_eq!(lines.as_struct().column(1).as_string::<i32>().value(0), "1.50");
    assert!(chunk.data.column(3).is_null(1));
    assert!(chunk.raws.raw(0).starts_with("{\"id\":1.10"));
}

#[test]
fn v00_lines_that_are_no_object_or_another_shape() {
    let text = b"{\"id\":1}\n{\"id\":{\"a\":1}}\n[1]\n{\"id\":2} {\"id\":3}\n{\"id\":\n4}\n\xff\n{\"id\":5}\n";
    let chunk = &chunks(text)[0];
    assert_eq!(chunk.lines, [1, 8]);
    let mut bad: Vec<i64> = chunk.bad.iter().map(|b| b.line).collect();
    bad.sort_unstable();
    assert_eq!(bad, [2, 3, 4, 5, 6, 7]);
    assert_eq!(chunk.data.num_rows(), 2);
    assert_eq!(chunk.raws.raw(1), "{\"id\":5}");
}

#[test]
fn v00_a_key_that_stands_twice_loses_no_value_silently() {
    let text = b"{\"id\":\"6\",\"id\":\"7\"}\n{\"id\":8,\"lines\":[{\"sku\":\"a\",\"sku\":\"b\"}]}\n{\"id\":9,\"lines\":[{\"sku\":\"a\"},{\"sku\":\"b\"}]}\n";
    let chunk = &chunks(text)[0];
    assert_eq!((chunk.lines.as_slice(), chunk.data.num_rows()), (&[3_i64][..], 1));
    let bad: Vec<(i64, &str)> = chunk.bad.iter().map(|b| (b.line, b.message.as_str())).collect();
    assert_eq!(
        bad,
        [(1, "the key \"id\" stands twice in one object"), (2, "the key \"sku\" stands twice in one object")]
    );
}

#[test]
fn gzip_of_several_members() {
    let mut text = Vec::new();
    for record in ["{\"id\":1}\n", "{\"id\":2}\n"] {
        let mut gz = GzEncoder::new(&mut text, flate2::Compression::fast());
        gz.write_all(record.as_bytes()).expect("packed");
        gz.finish().expect("packed");
    }
    assert_eq!(chunks(&text)[0].lines, [1, 2]);
    let e = Text::open(Input::Bytes(text[..text.len() - 4].to_vec().into()), None).err().expect("cut off");
    assert!(e.message().contains("the gzip data is cut off at byte"), "a cut file is an error, not an end: {e}");
}

#[test]
fn v00_a_long_line_and_a_nul_byte_stand_alone() {
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(LONGEST_RECORD));
    let text = format!("{{\"id\":1}}\n{long}\n{{\"id\":\"a\0\"}}\n{{\"id\":4}}");
    let chunks = chunks(text.as_bytes());
    let lines: Vec<i64> = chunks.iter().flat_map(|c| c.lines.clone()).collect();
    assert_eq!(lines, [1, 4]);
    let bad: Vec<&Bad> = chunks.iter().flat_map(|c| &c.bad).collect();
    assert_eq!((bad[0].line, bad[0].raw.len()), (2, 64 << 10));
    assert!(bad[0].message.starts_with("longer than 16777216 bytes, from byte 10 of the text"), "{}", bad[0].message);
    assert_eq!(bad[1].line, 3);
    assert!(bad[1].message.starts_with("a NUL byte, at byte 9"), "{}", bad[1].message);
}

#[test]
fn the_names_of_the_first_objects() {
    let text = Text::open(Input::Bytes((&b"{\"b\":1,\"c\":{}}\n{\"a\":2}"[..]).into()), None).expect("opens");
    let reader = NdjsonReader::open(text, fields_of_shape(SHAPE).expect("shape")).expect("opens");
    assert_eq!(reader.columns().into_iter().map(|(n, _)| n).collect::<Vec<_>>(), ["b", "c", "a"]);
    let array = Text::open(Input::Bytes((&b"[{\"id\":1}]"[..]).into()), None).expect("opens");
    let e = NdjsonReader::open(array, fields_of_shape(SHAPE).expect("shape")).err().expect("an array");
    assert!(e.hint_text().is_some_and(|h| h.contains("\"json\"")));
}

#[test]
fn shapes_are_checked() {
    for bad in ["[]", "{}", "{\"a\":[]}", "{"] {
        assert!(fields_of_shape(bad).is_err(), "{bad}");
    }
}
