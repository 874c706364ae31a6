//! Large files that are damaged behind their first batch: an error that says where, and the lake as it was.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::ingest::read::CHUNK_RECORDS;

/// More than two blocks of text beyond a chunk: what is damaged at the end is not met while the first chunk is read.
const ROWS: usize = CHUNK_RECORDS * 3 / 2;
const NAMES: [&str; 9] = ["id", "line", "version", "at", "sku", "qty", "price", "currency", "status"];

fn order(n: usize) -> [String; 9] {
    let id = format!("o{n}");
    [&id, "1", "1", "2026-01-05T10:00:00Z", "X", "1", "1.00", "USD", "paid"].map(String::from)
}

fn packed_csv() -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writeln!(gz, "{}", NAMES.join(",")).expect("packed");
    (0..ROWS).for_each(|n| writeln!(gz, "{}", order(n).join(",")).expect("packed"));
    gz.finish().expect("packed")
}

fn json() -> Vec<u8> {
    let field = |(name, value): (&&str, String)| format!("\"{name}\":\"{value}\"");
    let record = |n| format!("{{{}}}", NAMES.iter().zip(order(n)).map(field).collect::<Vec<_>>().join(","));
    format!("[\n{}\n]\n", (0..ROWS).map(record).collect::<Vec<_>>().join(",\n")).into()
}

fn batch(from: usize, rows: usize) -> RecordBatch {
    let orders: Vec<[String; 9]> = (from..from + rows).map(order).collect();
    let column = |(i, name): (usize, &&str)| {
        let values: ArrayRef = Arc::new(StringArray::from_iter_values(orders.iter().map(|o| &o[i])));
        (name.to_string(), values)
    };
    RecordBatch::try_from_iter(NAMES.iter().enumerate().map(column)).expect("a batch")
}

/// Two row groups, a chunk of records in the first.
fn parquet() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch(0, 1).schema(), None).expect("a writer");
    writer.write(&batch(0, CHUNK_RECORDS)).and_then(|()| writer.flush()).expect("written");
    writer.write(&batch(CHUNK_RECORDS, 1000)).expect("written");
    writer.close().expect("closed");
    bytes
}

/// Batches of one record each: a tiny file of several chunks.
fn arrow_stream() -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch(0, 1).schema()).expect("a writer");
    (0..3).for_each(|n| writer.write(&batch(n, 1)).expect("written"));
    writer.finish().expect("finished");
    writer.into_inner().expect("bytes")
}

/// Lands the bytes, chunk by chunk, in a lake that holds something; they must fail and change nothing.
async fn fails(format: &str, bytes: &[u8], says: &str) {
    let (before, folder) = (ingest().await, Folder::new());
    before.run("orders", &folder.orders("one", &[A]), &Silent).await.expect("landed");
    let versions = async || before.lake.states().await.expect("states").iter().map(|s| s.version).collect::<Vec<_>>();
    let held = versions().await;
    let definition = source("typed", &ORDERS.replace("format = \"csv\"", &format!("format = \"{format}\"")));
    let ingest = Ingest::new(&before.lake, Sources::from_list([definition]), Clock::system()).batch_records(1);
    let path = folder.path().join("large");
    std::fs::write(&path, bytes).expect("written");
    let file = Found::Local(InputFile::open(&path, "large").expect("opened"));
    let account = ingest.land_each("typed", &[file], &Silent).await.expect("told in the account");
    assert_eq!(versions().await, held, "{format}: {account}");
    assert_eq!((rows(&before.lake, &ORDER_LINE).await, account.total().read), (1, 0), "{format}: {account}");
    let [failed] = account.failed.as_slice() else { panic!("{format}: {account}") };
    assert!(failed.reason.contains("file large, source typed") && failed.reason.contains(says), "{}", failed.reason);
    assert!(failed.hint.as_ref().is_some_and(|h| h.contains("nothing of it has landed")), "{:?}", failed.hint);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_file_that_is_cut_off_lands_nothing() {
    let mut bytes = packed_csv();
    bytes.truncate(bytes.len() - 9);
    fails("csv", &bytes, &format!("the gzip data is cut off at byte {} of the packed file", bytes.len())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_json_array_that_is_cut_off_lands_nothing() {
    let mut bytes = json();
    // Inside the last record; the first stands on line 2.
    bytes.truncate(bytes.len() - 10);
    fails("json", &bytes, &format!("the file ends inside what begins at line {}", ROWS + 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parquet_file_with_a_damaged_page_lands_nothing() {
    let mut bytes = parquet();
    let whole = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes.clone())).expect("whole");
    let (page, _) = whole.metadata().row_group(1).column(0).byte_range();
    bytes[page as usize..page as usize + 20].fill(0xff);
    fails("parquet", &bytes, &format!("reading stopped after row {CHUNK_RECORDS}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arrow_stream_that_is_cut_off_lands_nothing() {
    let mut bytes = arrow_stream();
    // Behind the last batch are 8 bytes that end the stream.
    bytes.truncate(bytes.len() - 40);
    fails("arrow", &bytes, "reading stopped after row 2").await;
}

/// The last batch claims to unpack to a pebibyte: room for it would end the process.
#[tokio::test(flavor = "multi_thread")]
async fn an_arrow_stream_with_a_forged_length_lands_nothing() {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).expect("known");
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch(0, 1).schema(), options).expect("a writer");
    (0..2).for_each(|n| writer.write(&batch(n, 1)).expect("written"));
    writer.write(&batch(2, 1000)).expect("written");
    let mut bytes = writer.into_inner().expect("bytes");
    // Where the texts of a column begin and end: 4 bytes each.
    let length = (4_i64 * 1001).to_le_bytes();
    let place = bytes.windows(8).position(|bytes| bytes == length).expect("a packed buffer");
    bytes[place..place + 8].copy_from_slice(&(1_i64 << 50).to_le_bytes());
    fails("arrow", &bytes, "reading stopped after row 2: a record batch, or the dictionaries, of 107374182").await;
}

/// Only the 8 bytes that end the stream are missing, and no message is.
#[tokio::test(flavor = "multi_thread")]
async fn an_arrow_stream_without_its_end_lands_nothing() {
    let mut bytes = arrow_stream();
    bytes.truncate(bytes.len() - 8);
    fails("arrow", &bytes, "reading stopped after row 3: Ipc error: the mark that ends a stream is missing").await;
}
