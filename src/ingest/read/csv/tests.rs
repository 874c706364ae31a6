//! CSV as it is met; the `csv` crate is the reference where the two agree on the meaning.

use std::io::Write;

use arrow::array::{Array, AsArray};
use proptest::prelude::*;

use super::super::Input;
use super::*;

fn text(text: &[u8]) -> Text {
    Text::open(Input::Bytes(text.to_vec().into()), None).expect("opens")
}

fn open(bytes: &[u8]) -> CsvReader {
    CsvReader::open(text(bytes), Dialect::default(), None, &[]).expect("opens")
}

/// The rows of a file in another dialect; nothing is bad.
fn values(bytes: &[u8], dialect: Dialect) -> (Vec<Vec<String>>, Vec<i64>) {
    let (values, lines, _, bad) = rows(&mut CsvReader::open(text(bytes), dialect, None, &[]).expect("opens"));
    assert!(bad.is_empty(), "{bad:?}");
    (values, lines)
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
    let message =
        "not UTF-8, from byte 1 (byte 17 of the file's text); if it is in another encoding, say so in [read] encoding";
    assert_eq!(found[2], (5, "\u{fffd},1", message));
    assert_eq!(found[3], (7, "7,\"open", "a quote that is never closed"));
}

#[test]
fn empty_files_and_headers() {
    for text in ["", "a,b", "a,b\n", "\u{feff}"] {
        assert!(open(text.as_bytes()).next().expect("reads").is_none(), "{text:?}");
    }
    assert_eq!(open(b"a,,\n").schema.field(2).name(), "column_3");
    let twice = CsvReader::open(text(b"a, a\n"), Dialect::default(), None, &[]).err().expect("refused");
    assert!(twice.message().contains("two columns are called \"a\""), "{twice}");
}

#[test]
fn columns_by_position_and_optional_ones() {
    let names = Some(vec!["x".to_string(), "y".to_string()]);
    let dialect = Dialect { delimiter: b';', ..Dialect::default() };
    let mut reader = CsvReader::open(text(b"1;2\n"), dialect, names, &["z".into(), "y".into()]).expect("opens");
    assert_eq!(reader.columns().len(), 2, "z is not in the file");
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

#[test]
fn dialects() {
    let plain = Dialect::default();
    let tab = Dialect { delimiter: b'\t', quote: None, ..plain.clone() };
    assert_eq!(values(b"a\tb\n5\" nail\t\"x\n", tab).0, [["5\" nail", "\"x"]]);
    let single = Dialect { quote: Some(b'\''), ..plain.clone() };
    assert_eq!(values(b"a,b\n'x,''y',\"z\"\n", single).0, [["x,'y", "\"z\""]]);
    let escaped = Dialect { escape: Some(b'\\'), ..plain.clone() };
    let text = b"a,b\n\"say \\\"no\\\", \\\\\",C:\\temp\nx\\,y,\"1\\\n2\"\np,q\n";
    let (found, lines) = values(text, escaped);
    assert_eq!(found, [["say \"no\", \\", "C:\\temp"], ["x,y", "1\n2"], ["p", "q"]]);
    assert_eq!(lines, [2, 3, 5]);
    let commented = Dialect { comment: Some("//".into()), skip_lines: 2, ..plain };
    let (found, lines) = values(b"Report\r\n\"of May\r\n// names\na,b\n//1,2\n/,3\n// the end", commented);
    assert_eq!((found, lines), (vec![vec!["/".to_string(), "3".into()]], vec![6]));
}

#[test]
fn v00_a_line_of_any_length_is_one_bad_record() {
    let mut long = b"a,b\n1,2\n3,".to_vec();
    long.extend(vec![b'x'; 5 * LONGEST_RECORD]);
    long.extend(b",\"open\n5,6\n7,\"");
    long.extend(vec![b'y'; 2 * LONGEST_RECORD]);
    let (values, lines, _, bad) = rows(&mut open(&long));
    assert_eq!(values, [["1", "2"], ["5", "6"]]);
    assert_eq!(lines, [2, 4]);
    let found: Vec<_> = bad.iter().map(|b| (b.line, b.raw.len())).collect();
    assert_eq!(found, [(3, 64 << 10), (5, 64 << 10)]);
    assert!(bad[0].message.starts_with("longer than 1048576 bytes, from byte 9 of the text"), "{}", bad[0].message);
    let e =
        CsvReader::open(text(&vec![b'x'; 3 * LONGEST_RECORD]), Dialect::default(), None, &[]).err().expect("no header");
    assert!(e.message().contains("the header does not end"), "{e}");
}

#[test]
fn v00_nul_bytes_and_other_encodings() {
    let (values, _, _, bad) = rows(&mut open(b"a,b\n1,\0\n3,4\n"));
    assert_eq!(values, [["3", "4"]]);
    assert!(bad[0].message.starts_with("a NUL byte, at byte 3 (byte 7 of the text)"), "{}", bad[0].message);
    let gb18030 = encoding_rs::Encoding::for_label(b"gb18030");
    let bytes = b"sku,\xc3\xfb\xb3\xc6\n1,\xb3\xc4\xc9\xc0\n2,\xb3\n3,\xb3\xc4\n";
    let text = Text::open(Input::Bytes(bytes.to_vec().into()), gb18030).expect("opens");
    let mut reader = CsvReader::open(text, Dialect::default(), None, &[]).expect("opens");
    assert_eq!(reader.schema.field(1).name(), "名称");
    let (values, lines, raws, bad) = rows(&mut reader);
    assert_eq!(
        (values, lines),
        (vec![vec!["1".to_string(), "衬衫".into()], vec!["3".into(), "衬".into()]], vec![2, 4])
    );
    assert_eq!(raws[0], "1,衬衫");
    assert_eq!((bad[0].line, bad[0].message.as_str()), (3, "not gb18030, at byte 19 of the file's text"));
    let e = CsvReader::open(self::text(b"sku,\xc3\xfb\n"), Dialect::default(), None, &[]).err().expect("no UTF-8");
    assert!(e.hint_text().is_some_and(|h| h.contains("gb18030")), "{e}");
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
