//! Parquet: opens a file and says what is wrong with it if it is none. What its values become is `typed`'s to say.

mod footer;

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::typed::TypedReader;
use super::{CHUNK_RECORDS, Input, looks};
use crate::error::{Error, Result};

/// What a Parquet file begins and ends with.
const MAGIC: &[u8] = b"PAR1";

pub(super) fn open(input: Input, optional: &[String]) -> Result<TypedReader> {
    let (rows, stored) = match input {
        Input::Path(path) => {
            let mut file = File::open(path)?;
            let (first, last, size) = ends(&mut file)?;
            check(&first, &last, size)?;
            check_footer(&mut file, size)?;
            build(ParquetRecordBatchReaderBuilder::try_new(file), size)?
        }
        Input::Bytes(bytes) => {
            let size = bytes.len() as u64;
            check(&bytes[..bytes.len().min(64)], &bytes[bytes.len().saturating_sub(MAGIC.len())..], size)?;
            check_footer(&mut Cursor::new(&bytes), size)?;
            build(ParquetRecordBatchReaderBuilder::try_new(bytes), size)?
        }
    };
    TypedReader::new(Box::new(rows), stored, optional)
}

/// The first and last bytes, and the length.
fn ends(file: &mut File) -> Result<(Vec<u8>, Vec<u8>, u64)> {
    let size = file.metadata()?.len();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    file.by_ref().take(64).read_to_end(&mut first)?;
    file.seek(SeekFrom::Start(size.saturating_sub(MAGIC.len() as u64)))?;
    file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut last)?;
    file.seek(SeekFrom::Start(0))?;
    Ok((first, last, size))
}

fn check(first: &[u8], last: &[u8], size: u64) -> Result<()> {
    if !first.starts_with(MAGIC) {
        let hint = looks::binary(first).map_or("say the format that it has in [read] format", |kind| kind.hint);
        return Err(Error::invalid(format!("no Parquet file: {}", looks::like(first))).hint(hint));
    }
    if last != MAGIC || size < 12 {
        return Err(Error::invalid(format!("it begins like Parquet and has no end: cut off after byte {size}"))
            .hint("deliver it again, whole"));
    }
    Ok(())
}

/// The footer's length and the magic come last; a length that cannot be is left to the library to tell.
fn check_footer(file: &mut (impl Read + Seek), size: u64) -> Result<()> {
    let mut length = [0; 4];
    file.seek(SeekFrom::Start(size.saturating_sub(8)))?;
    file.read_exact(&mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    let mut footer = Vec::new();
    if let Some(begin) = size.checked_sub(8 + length) {
        file.seek(SeekFrom::Start(begin))?;
        file.by_ref().take(length).read_to_end(&mut footer)?;
    }
    file.rewind()?;
    if footer::can_be_read(&footer) {
        return Ok(());
    }
    Err(Error::invalid(format!("a Parquet file of {size} bytes that claims more row groups than there may be"))
        .hint("it may be damaged, deliver it again; or write larger row groups"))
}

fn build<T: parquet::file::reader::ChunkReader + 'static>(
    opened: parquet::errors::Result<ParquetRecordBatchReaderBuilder<T>>,
    size: u64,
) -> Result<(ParquetRecordBatchReader, SchemaRef)> {
    let damaged = |e: parquet::errors::ParquetError| {
        Error::invalid(format!("a Parquet file of {size} bytes whose footer cannot be read: {e}"))
            .hint("it may be damaged; deliver it again")
    };
    let builder = opened.map_err(damaged)?;
    let schema = Arc::clone(builder.schema());
    Ok((builder.with_batch_size(CHUNK_RECORDS).build().map_err(damaged)?, schema))
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Int64Array, StringArray, TimestampMicrosecondArray,
    };
    use arrow::record_batch::RecordBatch;
    use parquet::arrow::ArrowWriter;

    use super::super::Reader;
    use super::*;

    #[test]
    fn values_lose_nothing() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("code", Arc::new(StringArray::from(vec![Some("00123"), None]))),
            (
                "price",
                Arc::new(
                    Decimal128Array::from(vec![12_345_000, -1]).with_precision_and_scale(18, 4).expect("decimals"),
                ),
            ),
            ("at", Arc::new(TimestampMicrosecondArray::from(vec![1_500_000, 0]).with_timezone("Europe/Berlin"))),
            ("local", Arc::new(TimestampMicrosecondArray::from(vec![1_500_000, 0]))),
            ("day", Arc::new(Date32Array::from(vec![1, 2]))),
            ("n", Arc::new(Int64Array::from(vec![i64::MAX, 0]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).expect("batch");
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("writer");
        writer.write(&batch).expect("written");
        writer.close().expect("closed");
        let mut reader = open(Input::Bytes(bytes.clone().into()), &["absent".into()]).expect("opens");
        let chunk = reader.next().expect("reads").expect("rows");
        let row: Vec<&str> = chunk.data.columns()[..6].iter().map(|c| c.as_string::<i32>().value(0)).collect();
        assert_eq!(
            row,
            [
                "00123",
                "1234.5000",
                "1970-01-01T00:00:01.500Z",
                "1970-01-01T00:00:01.500",
                "1970-01-02",
                "9223372036854775807"
            ]
        );
        assert_eq!(chunk.lines, [1, 2]);
        assert_eq!(chunk.data.column(6).null_count(), 2);
        assert!(chunk.raws.raw(1).contains("\"day\":\"1970-01-03\""), "{}", chunk.raws.raw(1));
        assert!(reader.next().expect("ends").is_none());
        assert_eq!(reader.columns()[1], ("price".to_string(), "Decimal128(18, 4)".to_string()));
        let refused = |bytes: Vec<u8>| open(Input::Bytes(bytes.into()), &[]).err().expect("refused").to_string();
        let cut = bytes.len() - 100;
        assert_eq!(
            refused(bytes[..cut].to_vec()),
            format!("it begins like Parquet and has no end: cut off after byte {cut}")
        );
        assert_eq!(refused(b"\x1f\x8b\x08\0gzip".to_vec()), "no Parquet file: it looks like gzip");
        assert_eq!(refused(b"id,sku".to_vec()), "no Parquet file: it looks like text");
        let mut damaged = bytes.clone();
        let end = damaged.len();
        let length = [0, 1, 2, 3].map(|i| damaged[end - 8 + i]);
        let footer = end - 8 - u32::from_le_bytes(length) as usize;
        damaged[footer..footer + 20].fill(0xff);
        assert!(refused(damaged).contains("whose footer cannot be read"));
        // The list of row groups, which is a field after the rows, has one that is a structure: now it has 2^31 - 1.
        let place = (footer..end).find(|at| bytes[*at..*at + 4] == [0x16, 4, 0x19, 0x1c]).expect("two rows");
        let (before, after) = (bytes[..place + 3].to_vec(), bytes[place + 4..end - 8].to_vec());
        let forged = [before, vec![0xfc, 0xff, 0xff, 0xff, 0xff, 7], after].concat();
        let length = (forged.len() - footer) as u32;
        let forged = [forged, length.to_le_bytes().to_vec(), MAGIC.to_vec()].concat();
        assert!(refused(forged).contains("claims more row groups"));
    }
}
