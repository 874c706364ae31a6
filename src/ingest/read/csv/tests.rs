//! CSV as it is met; the `csv` crate is the reference where the two agree on the meaning.

use std::io::{Cursor, Write};

use arrow::array::{Array, AsArray};
use proptest::prelude::*;

use super::*;

fn open(text: &[u8]) -> CsvReader {
    CsvReader::open(Box::new(Cursor::new(text.to_vec())), b',', None, &[]).expect("opens")
}

/// All rows as texts, `∅` for NULL.
fn rows(reader: &mut CsvReader) -> (Vec<Vec<String>>, Vec<i64>, Vec<String>, Vec<Bad>) {
    let (mut values, mut lines, mut raws, mut bad) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    while let Some(chunk) = reader.next().expect("reads") {
        for row in 0..chunk.data.num_rows() {
            let text = |c: &ArrayRef| {
                if c.is_null(row) { "∅".to_string() } else { c.as_string::<i32>().value(row).to_string() }
            };
            values.push(chunk.data.columns().iter().map(text).collect());
            raws.push(chunk.raws.raw(row));
        }
        lines.extend(chunk.lines);
        bad.extend(chunk.bad);
    }
    (values, lines, raws, bad)
}

#[test]
fn quotes_lines_blanks_and_nulls() {
    let text = "\u{feff} a ,b\r\n1,\"x\ny\"\r\n\r\n,\"\"\n\"he said \"\"no\"\"\",\"ab\"c\n5,6";
    let (values, lines, raws, bad) = rows(&mut open(text.as_bytes()));
    assert_eq!(values, [["1", "x\ny"], ["∅", ""], ["he said \"no\"", "abc"], ["5", "6"]]);
    assert_eq!(lines, [2, 5, 6, 7]);
    assert_eq!(raws, ["1,\"x\ny\"", ",\"\"", "\"he said \"\"no\"\"\",\"ab\"c", "5,6"]);
    assert!(bad.is_empty());
    assert_eq!(open(text.as_bytes()).schema.field(0).name(), "a");
}

#[test]
fn v00_ragged_rows_bad_bytes_and_open_quotes_stand_alone() {
    let text = b"a,b\n1,2\n1,2,3\nx\n\xff,1\n3,4\n7,\"open\n8,9\n";
    let (values, lines, _, bad) = rows(&mut open(text));
    assert_eq!(values, [["1", "2"], ["3", "4"], ["8", "9"]]);
    assert_eq!(lines, [2, 6, 8]);
    let found: Vec<_> = bad.iter().map(|b| (b.line, b.raw.as_str(), b.message.as_str())).collect();
    assert_eq!(found[0], (3, "1,2,3", "3 fields where the header has 2"));
    assert_eq!(found[1], (4, "x", "1 fields where the header has 2"));
    assert_eq!(found[2], (5, "\u{fffd},1", "not UTF-8, from byte 1"));
    assert_eq!(found[3], (7, "7,\"open", "a quote that is never closed"));
}

#[test]
fn empty_files_and_headers() {
    for text in ["", "a,b", "a,b\n", "\u{feff}"] {
        assert!(open(text.as_bytes()).next().expect("reads").is_none(), "{text:?}");
    }
    assert_eq!(open(b"a,,\n").schema.field(2).name(), "column_3");
    let twice = CsvReader::open(Box::new(Cursor::new(b"a, a\n".to_vec())), b',', None, &[]).err().expect("refused");
    assert!(twice.message().contains("two columns are called \"a\""), "{twice}");
}

#[test]
fn columns_by_position_and_optional_ones() {
    let names = Some(vec!["x".to_string(), "y".to_string()]);
    let mut reader = CsvReader::open(Box::new(Cursor::new(b"1;2\n".to_vec())), b';', names, &["z".into(), "y".into()])
        .expect("opens");
    assert_eq!(rows(&mut reader).0, [["1", "2", "∅"]]);
}

#[test]
fn chunks_keep_lines_and_unwanted_columns_are_null() {
    let mut text = b"a,b\n".to_vec();
    for i in 0..CHUNK_RECORDS + 5 {
        writeln!(text, "{i},\"{}\n\"", i * 2).expect("written");
    }
    let mut reader = open(&text);
    reader.want(&[true, false]);
    let (values, lines, ..) = rows(&mut reader);
    assert_eq!(values.len(), CHUNK_RECORDS + 5);
    let last = CHUNK_RECORDS + 4;
    assert_eq!(values[last], [last.to_string(), "∅".into()]);
    assert_eq!(lines[last], 2 + 2 * last as i64);
}

proptest! {
    #[test]
    fn agrees_with_the_csv_crate(
        records in prop::collection::vec(prop::collection::vec("[a-c \"\n\r,]{0,6}", 3), 1..20),
        end in prop::sample::select(vec!["\n", "\r\n"]),
    ) {
        let terminator = if end == "\n" { ::csv::Terminator::Any(b'\n') } else { ::csv::Terminator::CRLF };
        let mut writer = ::csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).expect("written");
        for record in &records {
            writer.write_record(record).expect("written");
        }
        let text = writer.into_inner().expect("bytes");
        let (values, _, raws, bad) = rows(&mut open(&text));
        prop_assert!(bad.is_empty());
        let values: Vec<Vec<String>> = values.into_iter().map(|r| r.into_iter().map(|v| v.replace('∅', "")).collect()).collect();
        prop_assert_eq!(&values, &records);
        let whole: String = std::iter::once("a,b,c".to_string()).chain(raws).map(|r| r + end).collect();
        prop_assert_eq!(whole.as_bytes(), &text[..]);
    }
}
