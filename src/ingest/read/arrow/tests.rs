//! Arrow as its own writers write it, and what of it is refused: cut off, packed badly, or something else.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, DictionaryArray, StringArray};
use arrow::datatypes::Int32Type;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use arrow::record_batch::RecordBatch;

use super::*;
use crate::ingest::read::{CHUNK_RECORDS, Reader};

fn batch(rows: usize) -> RecordBatch {
    let price = Decimal128Array::from(vec![12_345_000; rows]).with_precision_and_scale(18, 4).expect("decimals");
    let sku: DictionaryArray<Int32Type> = vec!["00123"; rows].into_iter().collect();
    let note = StringArray::from(vec![Option::<&str>::None; rows]);
    let columns: Vec<(&str, ArrayRef)> =
        vec![("sku", Arc::new(sku)), ("price", Arc::new(price)), ("note", Arc::new(note))];
    RecordBatch::try_from_iter(columns).expect("batch")
}

fn stream(rows: usize) -> Vec<u8> {
    let batch = batch(rows);
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).expect("writer");
    writer.write(&batch).expect("written");
    writer.finish().expect("finished");
    writer.into_inner().expect("bytes")
}

/// Three batches of one row each; with where each message ends: the schema, then (dictionaries and) batch by batch.
fn messages() -> (Vec<u8>, Vec<usize>) {
    let batch = batch(1);
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).expect("writer");
    let mut ends = vec![writer.get_ref().len()];
    for _ in 0..3 {
        writer.write(&batch).expect("written");
        ends.push(writer.get_ref().len());
    }
    writer.finish().expect("finished");
    (writer.into_inner().expect("bytes"), ends)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).expect("packed");
    gz.finish().expect("packed")
}

fn read(bytes: Vec<u8>) -> Result<(usize, i64)> {
    let mut reader = open(Input::Bytes(bytes.into()), &["absent".into()])?;
    let (mut rows, mut last) = (0, 0);
    while let Some(chunk) = reader.next()? {
        assert_eq!(chunk.data.column(0).as_string::<i32>().value(0), "00123");
        assert_eq!(chunk.data.column(1).as_string::<i32>().value(0), "1234.5000");
        assert_eq!(chunk.data.column(3).null_count(), chunk.data.num_rows());
        assert!(chunk.data.num_rows() <= CHUNK_RECORDS);
        rows += chunk.data.num_rows();
        last = chunk.lines.last().copied().unwrap_or_default();
    }
    Ok((rows, last))
}

#[test]
fn files_and_streams_packed_or_not() {
    let rows = CHUNK_RECORDS + 3;
    assert_eq!(read(stream(rows)).expect("reads"), (rows, rows as i64));
    let packed = zstd::stream::encode_all(&stream(2)[..], 1).expect("packed");
    assert_eq!(read(packed).expect("reads"), (2, 2));
    let batch = batch(2);
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).expect("writer");
    writer.write(&batch).expect("written");
    writer.finish().expect("finished");
    let file = writer.into_inner().expect("bytes");
    assert_eq!(read(file.clone()).expect("reads"), (2, 2));
    let e = read(file[..file.len() - 30].to_vec()).expect_err("cut off");
    assert!(e.message().contains("cannot be read"), "{e}");
}

#[test]
fn what_is_no_arrow_is_told() {
    let bytes = stream(1000);
    assert!(read(bytes[..bytes.len() / 2].to_vec()).is_err(), "cut off");
    let e = read(b"PAR1\x15\x04".to_vec()).expect_err("Parquet");
    assert!(e.message().contains("it looks like a Parquet file"), "{e}");
    assert!(read(b"id,sku\n1,2\n".to_vec()).expect_err("CSV").message().contains("it looks like text"));
}

/// Between two messages no length is wrong, and nothing is missing but the mark of the end.
#[test]
fn a_stream_that_is_cut_off_between_two_messages_is_refused() {
    let (whole, ends) = messages();
    assert_eq!(read(whole.clone()).expect("reads"), (3, 3));
    // The mark: a continuation and a length of nothing.
    assert_eq!(whole[ends[3]..], [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
    for (rows, end) in ends.into_iter().enumerate() {
        for packed in [false, true] {
            let cut = whole[..end].to_vec();
            let e = read(if packed { gzip(&cut) } else { cut }).expect_err("cut off");
            let says = [format!("reading stopped after row {rows}:"), "the mark that ends a stream is missing".into()];
            assert!(says.iter().all(|said| e.message().contains(said)), "{e}");
            assert!(e.hint_text().is_some_and(|h| h.contains("deliver it again")), "{e}");
        }
        // In the mark, too.
        for part in [2, 4, 6] {
            read([&whole[..end], &whole[whole.len() - 8..][..part]].concat()).expect_err("cut off");
        }
    }
}

#[test]
fn what_follows_a_stream_is_refused() {
    let (whole, _) = messages();
    for more in [whole.as_slice(), b"\0"] {
        let e = read([whole.as_slice(), more].concat()).expect_err("the second would be left out");
        assert!(e.message().contains("after row 3:") && e.message().contains("more follows the end"), "{e}");
    }
    // Packed in parts it is still one stream.
    let (a, b) = whole.split_at(whole.len() / 2);
    assert_eq!(read([gzip(a), gzip(b)].concat()).expect("reads"), (3, 3));
}

/// What packed a stream has its checksum behind the mark of the end.
#[test]
fn a_packed_stream_is_read_to_its_checksum() {
    let (whole, _) = messages();
    let gz = gzip(&whole);
    let mut wrong = gz.clone();
    let checksum = wrong.len() - 8;
    wrong[checksum] ^= 1;
    let mut zst = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("a packer");
    zst.include_checksum(true).and_then(|()| zst.write_all(&whole)).expect("packed");
    let mut zst = zst.finish().expect("packed");
    assert_eq!(read(zst.clone()).expect("reads"), (3, 3));
    *zst.last_mut().expect("bytes") ^= 1;
    for (bytes, says) in [
        (wrong, "the gzip data is damaged"),
        (gz[..gz.len() - 8].to_vec(), "the gzip data is cut off"),
        (zst, "the zstd data is damaged"),
    ] {
        let e = read(bytes).expect_err("damaged");
        assert!(e.message().contains(says), "{e}");
    }
}
