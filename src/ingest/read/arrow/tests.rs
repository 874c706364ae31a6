//! Arrow as its own writers write it, and what of it is refused: cut off, packed badly, or something else.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, DictionaryArray, Int32Array, Int64Array, LargeStringArray, NullArray,
    RunArray, StringArray, StringViewArray, UInt32Array,
};
use arrow::datatypes::Int32Type;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
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

/// As a number, nothing else in these messages is the same.
const MANY: usize = 123_456;

/// The column as a stream and as a file.
fn both(column: ArrayRef, packing: Option<CompressionType>) -> [Vec<u8>; 2] {
    let batch = RecordBatch::try_from_iter_with_nullable([("n", column, true)]).expect("batch");
    let options = IpcWriteOptions::default().try_with_compression(packing).expect("known");
    let schema = batch.schema();
    let mut stream = StreamWriter::try_new_with_options(Vec::new(), &schema, options.clone()).expect("writer");
    stream.write(&batch).expect("written");
    let mut file = FileWriter::try_new_with_options(Vec::new(), &schema, options).expect("writer");
    file.write(&batch).expect("written");
    [stream.into_inner().expect("bytes"), file.into_inner().expect("bytes")]
}

/// Writes another number wherever the bytes have `from`.
fn forge(bytes: &mut [u8], from: i64, to: i64) {
    let mut changed = 0;
    for at in 0..bytes.len() - 7 {
        if bytes[at..at + 8] == from.to_le_bytes() {
            bytes[at..at + 8].copy_from_slice(&to.to_le_bytes());
            changed += 1;
        }
    }
    assert!(changed > 0, "{from} is not there");
}

fn count(bytes: Vec<u8>, limit: &Limit) -> Result<usize> {
    let mut reader = open_within(Input::Bytes(bytes.into()), &[], limit)?;
    let mut rows = 0;
    while let Some(chunk) = reader.next()? {
        rows += chunk.data.num_rows();
    }
    Ok(rows)
}

fn numbers() -> ArrayRef {
    Arc::new(Int64Array::from(vec![7; MANY]))
}

#[test]
fn packed_buffers_are_read_as_far_as_there_is_room() {
    for packing in [CompressionType::ZSTD, CompressionType::LZ4_FRAME] {
        for bytes in both(numbers(), Some(packing)) {
            assert!(bytes.len() < 64 << 10, "{}", bytes.len());
            assert_eq!(count(bytes.clone(), &Limit::none()).expect("reads"), MANY);
            let e = count(bytes, &Limit::none().at_once(8 * MANY as u64 - 1)).expect_err("too large");
            assert!(e.message().contains("that are read at once"), "{e}");
            assert!(e.hint_text().is_some_and(|h| h.contains("smaller record batches")), "{e}");
        }
    }
}

/// Room for so much would end the process.
#[test]
fn a_forged_length_is_an_error() {
    for mut bytes in both(numbers(), Some(CompressionType::ZSTD)) {
        forge(&mut bytes, 8 * MANY as i64, 1 << 50);
        let e = count(bytes, &Limit::none()).expect_err("forged");
        assert!(e.message().contains("1073741824 MiB: more than the 1024 MiB"), "{e}");
    }
    // What is not packed says so of its buffers, and of its body: in a file, the footer does, too.
    for mut bytes in both(numbers(), None) {
        forge(&mut bytes, 8 * MANY as i64, 1 << 50);
        count(bytes, &Limit::none()).expect_err("forged");
    }
    // 10 bytes from its end a file says how long its footer is.
    let [_, mut file] = both(numbers(), None);
    let end = file.len() - 10;
    file[end..end + 4].copy_from_slice(&i32::MAX.to_le_bytes());
    assert!(count(file, &Limit::none()).expect_err("forged").message().contains("a footer of 2147483647 bytes"));
}

#[test]
fn rows_without_bytes_are_counted() {
    for mut bytes in both(Arc::new(NullArray::new(MANY)), None) {
        assert_eq!(count(bytes.clone(), &Limit::none()).expect("reads"), MANY);
        forge(&mut bytes, MANY as i64, i64::MAX);
        let e = count(bytes, &Limit::none()).expect_err("forged");
        assert!(e.hint_text().is_some_and(|h| h.contains("a row counts as a byte at least")), "{e}");
    }
}

/// Few values may be long, and every row may show them.
#[test]
fn values_that_rows_share_are_spread_out_as_far_as_there_is_room() {
    let long = "x".repeat(1 << 20);
    let shared = |rows: usize| -> [ArrayRef; 3] {
        let keys = Int32Array::from(vec![0; rows]);
        let large = LargeStringArray::from_iter_values([&long]);
        let values = Arc::new(large.clone());
        let views = StringViewArray::from_iter_values([&long]);
        let all = UInt32Array::from(vec![0; rows]);
        [
            Arc::new(DictionaryArray::try_new(keys, values).expect("a dictionary")),
            arrow::compute::take(&views, &all, None).expect("views"),
            Arc::new(RunArray::try_new(&Int32Array::from(vec![rows as i32]), &large).expect("a run")),
        ]
    };
    for column in shared(3) {
        assert_eq!(count(both(column, None).into_iter().next().expect("a stream"), &Limit::none()).expect("reads"), 3);
    }
    for column in shared(CHUNK_RECORDS) {
        let [stream, _] = both(column, None);
        assert!(stream.len() < 4 << 20, "{}", stream.len());
        count(stream, &Limit::none()).expect_err("64 GiB of text");
    }
}
