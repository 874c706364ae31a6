//! Arrow IPC, as file or as stream; a stream may be packed. What its values become is `typed`'s to say.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};

use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};

use super::typed::TypedReader;
use super::unpack::{peek, unpack};
use super::{Input, looks};
use crate::error::{Error, Result};

/// What the file format begins with.
const MAGIC: &[u8] = b"ARROW1";
/// What every message of a stream begins with (since Arrow 0.15).
const CONTINUATION: &[u8] = b"\xff\xff\xff\xff";

pub(super) fn open(input: Input, optional: &[String]) -> Result<TypedReader> {
    let first = match &input {
        Input::Path(path) => peek::<64>(&mut File::open(path)?)?,
        Input::Bytes(bytes) => bytes[..bytes.len().min(64)].to_vec(),
    };
    if first.starts_with(MAGIC) {
        return match input {
            Input::Path(path) => {
                let rows =
                    FileReader::try_new(BufReader::new(File::open(path)?), None).map_err(|e| damaged(&e, &first))?;
                let schema = rows.schema();
                TypedReader::new(Box::new(rows), schema, optional)
            }
            Input::Bytes(bytes) => {
                let rows = FileReader::try_new(Cursor::new(bytes), None).map_err(|e| damaged(&e, &first))?;
                let schema = rows.schema();
                TypedReader::new(Box::new(rows), schema, optional)
            }
        };
    }
    let mut unpacked = unpack(input)?;
    let first = peek::<64>(&mut unpacked)?;
    if first.starts_with(MAGIC) {
        return Err(Error::invalid("an Arrow file that is packed").hint("unpack it: only streams can be read packed"));
    }
    // Anything else would be taken for a length, and so much memory asked for.
    if !first.is_empty() && !first.starts_with(CONTINUATION) {
        return Err(no_arrow(&first));
    }
    let whole = BufReader::with_capacity(1 << 20, Cursor::new(first.clone()).chain(unpacked));
    let rows = StreamReader::try_new(whole, None).map_err(|e| damaged(&e, &first))?;
    let schema = rows.schema();
    TypedReader::new(Box::new(rows), schema, optional)
}

fn no_arrow(first: &[u8]) -> Error {
    let hint = looks::binary(first).map_or("say the format that it has in [read] format", |kind| kind.hint);
    Error::invalid(format!("neither an Arrow file nor a stream: {}", looks::like(first))).hint(hint)
}

fn damaged(e: &ArrowError, first: &[u8]) -> Error {
    if first.starts_with(MAGIC) || first.starts_with(CONTINUATION) {
        Error::invalid(format!("an Arrow file or stream that cannot be read: {e}"))
            .hint("it may be cut off or damaged; deliver it again")
    } else {
        no_arrow(first)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, DictionaryArray, StringArray};
    use arrow::datatypes::Int32Type;
    use arrow::ipc::writer::{FileWriter, StreamWriter};
    use arrow::record_batch::RecordBatch;

    use super::super::{CHUNK_RECORDS, Reader};
    use super::*;

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
}
