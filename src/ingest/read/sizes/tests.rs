//! Messages as Arrow's own writer makes them, and what became of them on the way.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int64Array, NullArray, StringViewArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow::record_batch::RecordBatch;

use super::*;

/// As a number, nothing else in a message is the same.
const ROWS: usize = 123_456;
const BYTES: u64 = 8 * ROWS as u64;
const PACKINGS: [Option<CompressionType>; 3] = [None, Some(CompressionType::ZSTD), Some(CompressionType::LZ4_FRAME)];

/// A message and its body.
type Pair = (Vec<u8>, Vec<u8>);

/// The messages of a stream that holds the column once: the schema, a dictionary if it has one, the batch.
fn messages(column: ArrayRef, packing: Option<CompressionType>) -> Vec<Pair> {
    let batch = RecordBatch::try_from_iter_with_nullable([("n", column, true)]).expect("a batch");
    let options = IpcWriteOptions::default().try_with_compression(packing).expect("known");
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).expect("a writer");
    writer.write(&batch).expect("written");
    split(&writer.into_inner().expect("bytes"))
}

fn split(mut stream: &[u8]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    while let Some((begin, rest)) = stream.split_at_checked(8) {
        let length = u32::from_le_bytes(begin[4..].try_into().expect("four bytes")) as usize;
        if length == 0 {
            break;
        }
        let (head, rest) = rest.split_at(length);
        let body = root_as_message(head).expect("a message").bodyLength() as usize;
        let (body, rest) = rest.split_at(body);
        pairs.push((head.to_vec(), body.to_vec()));
        stream = rest;
    }
    pairs
}

fn zeros(packing: Option<CompressionType>) -> Pair {
    messages(Arc::new(Int64Array::from(vec![0; ROWS])), packing).pop().expect("a batch")
}

/// Writes another number wherever the bytes have `from`.
fn forge(bytes: &mut [u8], from: i64, to: i64) {
    let mut changed = 0;
    for at in 0..bytes.len().saturating_sub(7) {
        if bytes[at..at + 8] == from.to_le_bytes() {
            bytes[at..at + 8].copy_from_slice(&to.to_le_bytes());
            changed += 1;
        }
    }
    assert!(changed > 0, "{from} is not there");
}

fn pass(most: u64, (head, body): &Pair) -> Passed<()> {
    Gate::each(most).pass(head, body)
}

fn wrong(passed: Passed<()>) -> String {
    match passed {
        Err(Refused::Wrong(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_batch_takes_what_it_unpacks_to() {
    for packing in PACKINGS {
        let batch = zeros(packing);
        assert_eq!((batch.1.len() as u64) < BYTES / 8, packing.is_some(), "{packing:?}");
        assert_eq!(pass(BYTES + BYTES / 8, &batch), Ok(()), "{packing:?}");
        assert!(matches!(pass(BYTES - 1, &batch), Err(Refused::TooLarge(n)) if n >= BYTES), "{packing:?}");
    }
}

#[test]
fn a_forged_length_is_too_large_or_wrong() {
    for packing in [CompressionType::ZSTD, CompressionType::LZ4_FRAME] {
        for length in [1 << 50, i64::MAX] {
            let mut batch = zeros(Some(packing));
            forge(&mut batch.1, BYTES as i64, length);
            let refused = pass(1 << 40, &batch);
            assert!(matches!(refused, Err(Refused::TooLarge(n)) if n >= length as u64), "{refused:?}");
        }
        let mut batch = zeros(Some(packing));
        forge(&mut batch.1, BYTES as i64, -2);
        assert_eq!(wrong(pass(1 << 40, &batch)), "a length of -2");
        // Stored as it is, it takes no more than its own bytes.
        let mut batch = zeros(Some(packing));
        forge(&mut batch.1, BYTES as i64, -1);
        assert_eq!(pass(BYTES, &batch), Ok(()));
    }
}

#[test]
fn a_buffer_lies_in_its_message() {
    for packing in PACKINGS {
        let (head, mut body) = zeros(packing);
        body.truncate(body.len() / 2);
        assert!(wrong(pass(u64::MAX, &(head, body))).contains("a buffer of"), "{packing:?}");
    }
    let mut batch = zeros(None);
    forge(&mut batch.0, BYTES as i64, -8);
    assert_eq!(wrong(pass(u64::MAX, &batch)), "a length of -8");
    forge(&mut batch.0, -8, i64::MAX);
    assert!(wrong(pass(u64::MAX, &batch)).contains("a buffer of"));
}

/// They take no bytes at all, and each is a record.
#[test]
fn rows_without_bytes_are_counted() {
    let mut nulls = messages(Arc::new(NullArray::new(ROWS)), None).pop().expect("a batch");
    assert!(nulls.1.is_empty());
    assert_eq!(pass(ROWS as u64, &nulls), Ok(()));
    assert_eq!(pass(ROWS as u64 - 1, &nulls), Err(Refused::TooLarge(ROWS as u64)));
    forge(&mut nulls.0, ROWS as i64, i64::MAX);
    assert_eq!(pass(1 << 40, &nulls), Err(Refused::TooLarge(i64::MAX as u64)));
    forge(&mut nulls.0, i64::MAX, -1);
    assert_eq!(wrong(pass(1 << 40, &nulls)), "a length of -1");
}

#[test]
fn views_have_no_more_buffers_than_there_are() {
    let long = StringViewArray::from_iter_values(["a text that is longer than twelve bytes"; 3]);
    let mut batch = messages(Arc::new(long), None).pop().expect("a batch");
    assert_eq!(pass(1 << 20, &batch), Ok(()));
    let message = root_as_message(&batch.0).expect("a message");
    let counts = message.header_as_record_batch().and_then(|b| b.variadicBufferCounts()).expect("counts");
    assert_eq!(counts.len(), 1);
    let place = counts.bytes().as_ptr() as usize - batch.0.as_ptr() as usize;
    batch.0[place..place + 8].copy_from_slice(&i64::MAX.to_le_bytes());
    assert!(wrong(pass(1 << 20, &batch)).contains("buffers of views"));
}

#[test]
fn dictionaries_count_as_long_as_they_are_kept() {
    let values: DictionaryArray<Int32Type> = vec!["x".repeat(1000).as_str()].into_iter().collect();
    let all = messages(Arc::new(values), None);
    let [_, (head, body), _] = all.as_slice() else { panic!("{} messages", all.len()) };
    // Each takes the place of the one before it.
    let mut each = Gate::each(1500);
    assert!((0..5).all(|_| each.pass(head, body) == Ok(())));
    let mut together = Gate::together(1500);
    assert_eq!(together.pass(head, body), Ok(()));
    assert!(matches!(together.pass(head, body), Err(Refused::TooLarge(n)) if n > 2000));
}

fn schema(fields: Vec<Field>) -> Pair {
    let writer = StreamWriter::try_new(Vec::new(), &Schema::new(fields)).expect("a writer");
    let bytes = writer.into_inner().expect("bytes");
    let length = u32::from_le_bytes(bytes[4..8].try_into().expect("four bytes")) as usize;
    (bytes[8..8 + length].to_vec(), Vec::new())
}

#[test]
fn schemas_are_neither_large_nor_deep() {
    let long =
        schema((0..4).map(|n| Field::new(format!("{n}{}", "x".repeat(1 << 18)), DataType::Int64, true)).collect());
    assert_eq!(pass(2 << 20, &long), Ok(()));
    assert!(matches!(pass(1 << 20, &long), Err(Refused::TooLarge(_))));
    let deep = |depth| {
        let nested =
            (0..depth).fold(DataType::Int64, |inner, _| DataType::List(Arc::new(Field::new_list_field(inner, true))));
        schema(vec![Field::new("n", nested, true)])
    };
    assert_eq!(pass(1 << 20, &deep(30)), Ok(()));
    assert!(wrong(pass(1 << 20, &deep(200))).contains("no message of Arrow's"));
}

#[test]
fn what_is_no_message_is_wrong() {
    let none: &[u8] = &[];
    for bytes in [none, &[0xff; 64], b"no message at all"] {
        assert!(wrong(Gate::each(u64::MAX).pass(bytes, &[])).contains("no message of Arrow's"));
    }
}
