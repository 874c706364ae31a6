//! Round trips: what each format writes is read back with another reader and compared.

use std::io::Cursor;
use std::sync::Arc;

use ::arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
    ListArray, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use ::arrow::datatypes::{DataType, Int32Type, SchemaRef};
use ::arrow::ipc::reader::{FileReader, StreamReader};
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use futures::stream;

use super::*;

const TEXTS: [Option<&str>; 5] = [Some("plain"), Some("a \"quoted\", field"), Some("two\nlines\r\n"), None, Some("")];

fn batch() -> RecordBatch {
    let money =
        Decimal128Array::from(vec![Some(12_345_000), Some(-1), Some(0), None, Some(i128::from(i64::MAX) * 10_000)]);
    let big = Decimal128Array::from(vec![Some(10i128.pow(37)), None, Some(-(10i128.pow(37))), Some(1), Some(0)]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("name", Arc::new(StringArray::from(TEXTS.to_vec()))),
        ("地区", Arc::new(StringViewArray::from(vec![Some("华东"), None, Some("ÆØÅ"), Some("🛒"), Some("N/A")]))),
        ("net_sales", Arc::new(money.with_precision_and_scale(28, 4).unwrap())),
        ("big", Arc::new(big.with_precision_and_scale(38, 0).unwrap())),
        ("orders", Arc::new(Int64Array::from(vec![Some(1234), Some(-5), None, Some(0), Some(i64::MAX)]))),
        ("growth", Arc::new(Float64Array::from(vec![Some(0.1), Some(f64::NAN), None, Some(1e300), Some(-2.0)]))),
        ("day", Arc::new(Date32Array::from(vec![Some(20_454), Some(-1), None, Some(0), Some(59)]))),
        (
            "at",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1), Some(0), None, Some(-1), Some(1_767_225_600_000_000)])
                    .with_timezone("+00:00"),
            ),
        ),
        ("local", Arc::new(TimestampMicrosecondArray::from(vec![Some(60_000_000), None, None, None, Some(0)]))),
        ("ok", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, None, Some(true)]))),
        (
            "channel",
            Arc::new(DictionaryArray::<Int32Type>::from_iter([
                Some("web"),
                None,
                Some("pos"),
                Some("web"),
                Some("app"),
            ])),
        ),
        (
            "tags",
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([
                Some(vec![Some(1), None]),
                None,
                Some(vec![]),
                None,
                None,
            ])),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap()
}

fn write_parts(parts: Vec<RecordBatch>, schema: SchemaRef, format: Format, options: &Options) -> (Vec<u8>, Written) {
    let mut out = Vec::new();
    let batches = stream::iter(parts.into_iter().map(Ok));
    let written = futures::executor::block_on(write_stream(schema, batches, format, &mut out, options)).unwrap();
    assert_eq!(written.bytes, out.len() as u64);
    (out, written)
}

fn write_one(format: Format, options: &Options) -> (Vec<u8>, Written) {
    write_parts(vec![batch()], batch().schema(), format, options)
}

fn with_receipt() -> Options {
    Options {
        receipt: Some(Arc::new(|w: &Written| serde_json::json!({ "rows": w.rows, "checksum": w.checksum }))),
        ..Options::default()
    }
}

#[test]
fn d80_csv_keeps_every_digit_and_tells_null_from_empty() {
    let (out, _) = write_one(Format::Csv, &Options::default());
    let text = String::from_utf8(out.clone()).unwrap();
    let last = "\"\",N/A,9223372036854775807.0000,0,9223372036854775807,-2.0,1970-03-01,2026-01-01T00:00:00Z,1970-01-01T00:00:00,true,app,\n";
    assert!(text.ends_with(last), "{text}");
    let mut reader = ::csv::Reader::from_reader(out.as_slice());
    assert_eq!(reader.headers().unwrap().get(1), Some("地区"));
    let rows: Vec<::csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.len(), 5);
    for (row, text) in rows.iter().zip(TEXTS) {
        assert_eq!(row.get(0), Some(text.unwrap_or("")));
    }
    let column = |i: usize| rows.iter().map(|r| r[i].to_string()).collect::<Vec<_>>();
    assert_eq!(column(2)[..4], ["1234.5000", "-0.0001", "0.0000", ""]);
    assert_eq!(column(3)[0], "1".to_string() + &"0".repeat(37));
    assert_eq!(column(5), ["0.1", "NaN", "", "1e300", "-2.0"]);
    assert_eq!(column(6), ["2026-01-01", "1969-12-31", "", "1970-01-01", "1970-03-01"]);
    assert_eq!(
        column(7)[..4],
        ["1970-01-01T00:00:00.000001Z", "1970-01-01T00:00:00Z", "", "1969-12-31T23:59:59.999999Z"]
    );
    assert_eq!(column(8)[0], "1970-01-01T00:01:00");
    assert_eq!(column(11)[..3], ["[1,null]", "", "[]"]);
}

#[test]
fn a_lone_null_is_still_a_row_of_csv() {
    let lone = RecordBatch::try_from_iter_with_nullable([(
        "a",
        Arc::new(Int64Array::from(vec![None, Some(1)])) as ArrayRef,
        true,
    )])
    .unwrap();
    let (out, _) = write_parts(vec![lone.clone()], lone.schema(), Format::Csv, &Options::default());
    assert_eq!(String::from_utf8(out).unwrap(), "a\n\"\"\n1\n");
}

#[test]
fn d80_json_has_money_as_strings_and_ends_in_the_receipt() {
    let (out, written) = write_one(Format::Json, &with_receipt());
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["columns", "rows", "receipt"]);
    assert_eq!(value["columns"][2], serde_json::json!({ "name": "net_sales", "type": "DECIMAL(28,4)" }));
    assert_eq!(value["columns"][7]["type"], "TIMESTAMP WITH TIME ZONE");
    assert_eq!(value["columns"][8]["type"], "TIMESTAMP");
    let rows = value["rows"].as_array().unwrap();
    for (row, text) in rows.iter().zip(TEXTS) {
        assert_eq!(row["name"], serde_json::json!(text));
    }
    assert_eq!(rows[0]["net_sales"], "1234.5000");
    assert_eq!(rows[1]["net_sales"], "-0.0001");
    assert_eq!(rows[0]["orders"], 1234);
    assert_eq!(rows[0]["growth"], 0.1);
    assert_eq!(rows[1]["growth"], serde_json::Value::Null, "JSON has no NaN");
    assert_eq!(rows[0]["day"], "2026-01-01");
    assert_eq!(rows[3]["地区"], "🛒");
    assert_eq!(rows[0]["tags"], serde_json::json!([1, null]));
    assert_eq!(rows[3]["ok"], serde_json::Value::Null);
    assert_eq!(value["receipt"]["rows"], 5);
    assert_eq!(value["receipt"]["checksum"], written.checksum.as_str());
}

#[test]
fn ndjson_is_the_rows_of_json() {
    let (json, _) = write_one(Format::Json, &Options::default());
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let (lines, _) = write_one(Format::Ndjson, &with_receipt());
    let lines: Vec<serde_json::Value> =
        String::from_utf8(lines).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(serde_json::Value::Array(lines), json["rows"]);
}

#[test]
fn arrow_and_parquet_read_back_as_they_were() {
    let (stream, _) = write_one(Format::Arrow, &Options::default());
    let read: Vec<_> = StreamReader::try_new(Cursor::new(stream), None).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(read, [batch()]);
    let (file, _) = write_one(Format::Arrow, &Options { file: true, ..Options::default() });
    let read: Vec<_> = FileReader::try_new(Cursor::new(file), None).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(read, [batch()]);

    let (parquet, _) = write_one(Format::Parquet, &with_receipt());
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(parquet)).unwrap();
    let metadata = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    assert!(metadata.iter().any(|kv| kv.key == "saleslake.receipt"), "{metadata:?}");
    let read: Vec<_> = builder.build().unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(read[0].columns(), batch().columns());
    assert_eq!(read[0].column(1).as_string_view().value(3), "🛒");
}

#[test]
fn an_empty_result_is_valid_in_every_format() {
    let schema = batch().schema();
    let empty = |format| write_parts(vec![], schema.clone(), format, &Options::default());
    assert_eq!(empty(Format::Csv).0.iter().filter(|b| **b == b'\n').count(), 1, "the header alone");
    assert_eq!(empty(Format::Ndjson).0, b"");
    let json: serde_json::Value = serde_json::from_slice(&empty(Format::Json).0).unwrap();
    assert_eq!((json["rows"].as_array().map(Vec::len), json["columns"].as_array().map(Vec::len)), (Some(0), Some(12)));
    assert_eq!(StreamReader::try_new(Cursor::new(empty(Format::Arrow).0), None).unwrap().count(), 0);
    let parquet = bytes::Bytes::from(empty(Format::Parquet).0);
    let parquet = ParquetRecordBatchReaderBuilder::try_new(parquet).unwrap();
    assert_eq!(parquet.metadata().file_metadata().num_rows(), 0);
    assert!(String::from_utf8(empty(Format::Table).0).unwrap().ends_with("no rows\n"));
    let sums: Vec<String> = Format::ALL.into_iter().map(|f| empty(f).1.checksum).collect();
    assert!(sums.iter().all(|s| *s == sums[0]));
}

#[test]
fn the_checksum_depends_on_rows_alone() {
    let sums: Vec<Written> = Format::ALL.into_iter().map(|f| write_one(f, &Options::default()).1).collect();
    assert!(sums.iter().all(|w| w.checksum == sums[0].checksum && w.rows == 5), "{sums:?}");
    let (schema, all) = (batch().schema(), batch());
    let parts = vec![all.slice(0, 2), all.slice(2, 0), all.slice(2, 3)];
    let (_, in_parts) = write_parts(parts, schema.clone(), Format::Csv, &Options::default());
    assert_eq!(in_parts.checksum, sums[0].checksum, "batch borders do not count");
    let mut columns = all.columns().to_vec();
    columns[1] = ::arrow::compute::cast(&columns[1], &DataType::Utf8).unwrap();
    columns[10] = ::arrow::compute::cast(&columns[10], &DataType::Utf8).unwrap();
    let names = schema.fields().iter().map(|f| f.name().as_str());
    let plain = RecordBatch::try_from_iter_with_nullable(names.zip(columns).map(|(n, c)| (n, c, true))).unwrap();
    let (_, of_plain) = write_parts(vec![plain.clone()], plain.schema(), Format::Csv, &Options::default());
    assert_eq!(of_plain.checksum, sums[0].checksum, "nor does how Arrow holds a text");
    let (_, swapped) = write_parts(vec![all.slice(2, 3), all.slice(0, 2)], schema, Format::Csv, &Options::default());
    assert_ne!(swapped.checksum, sums[0].checksum, "the order of rows counts");
}

#[test]
fn an_error_in_the_stream_is_the_result() {
    let parts = vec![Ok(batch()), Err(Error::new(ErrorKind::Timeout, "too slow"))];
    let mut out = Vec::new();
    let options = Options::default();
    let writing = write_stream(batch().schema(), stream::iter(parts), Format::Json, &mut out, &options);
    let error = futures::executor::block_on(writing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(serde_json::from_slice::<serde_json::Value>(&out).is_err(), "what was written does not look whole");
}

fn sales(rows: usize) -> RecordBatch {
    let name = |i: usize| if i.is_multiple_of(2) { "上海 Shanghai".to_string() } else { format!("Store {i}") };
    let mut names: Vec<Option<String>> = (0..rows).map(name).map(Some).collect();
    let mut money: Vec<Option<i128>> = (0..rows).map(|i| Some(i as i128 * 12_345_600)).collect();
    let mut kinds = vec!["row"; rows];
    names.push(None);
    money.push(Some(99_999_999_900));
    kinds.push("total");
    let money = Decimal128Array::from(money).with_precision_and_scale(28, 4).unwrap();
    RecordBatch::try_from_iter_with_nullable([
        ("location_name", Arc::new(StringArray::from(names)) as ArrayRef, true),
        ("net_sales", Arc::new(money), true),
        ("row_kind", Arc::new(StringArray::from(kinds)), true),
    ])
    .unwrap()
}

#[test]
fn a_table_aligns_sets_totals_apart_and_says_what_it_hides() {
    let options = Options { max_rows: 2, ..Options::default() };
    let batch = sales(3);
    let (out, written) = write_parts(vec![batch.clone()], batch.schema(), Format::Table, &options);
    let text = String::from_utf8(out).unwrap();
    let expected = " location_name      net_sales
───────────────────────────────
 上海 Shanghai           0.00
 Store 1             1,234.56
───────────────────────────────
 Total           9,999,999.99
… 1 more (of 4 rows)
";
    assert_eq!(written.rows, 4);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_narrow_terminal_wraps_texts_and_never_numbers() {
    let batch = sales(2);
    let options = Options { width: Some(26), ..Options::default() };
    let (out, _) = write_parts(vec![batch.clone()], batch.schema(), Format::Table, &options);
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("9,999,999.99"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 26), "{text}");
}
