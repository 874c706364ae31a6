//! Arrow's batches as PostgreSQL's rows, one batch at a time. It must not collect results.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Field, Schema, SchemaRef, TimeUnit};
use arrow_pg::datatypes::field_into_pg_type;
use arrow_pg::encoder::{Encoder, encode_value};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use pgwire::api::Type;
use pgwire::api::portal::Format;
use pgwire::api::results::{DataRowEncoder, FieldFormat, FieldInfo, QueryResponse};
use pgwire::error::PgWireResult;
use pgwire::messages::data::DataRow;

use super::error::{NOT_SUPPORTED, coded, wire};
use super::numeric::{Numeric, is_small};
use super::reach::in_reach;
use crate::error::{Error, Result};

/// Batches as the engine gives them.
pub type Batches = BoxStream<'static, Result<RecordBatch>>;

/// The columns in the types in which they travel.
pub fn travelling(schema: &Schema) -> SchemaRef {
    let field = |field: &Arc<Field>| {
        let kind = travelling_type(field);
        Field::new(field.name(), kind, field.is_nullable()).with_metadata(field.metadata().clone())
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

fn travelling_type(field: &Arc<Field>) -> DataType {
    match field.data_type() {
        DataType::Int8 => DataType::Int16,
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) => DataType::Decimal128(*p, *s),
        // Where that does not fit, arrow-pg would wrap.
        DataType::Duration(_) => DataType::Duration(TimeUnit::Microsecond),
        // What is less than a microsecond is cut off: arrow-pg would round it in binary and not in text.
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Null => DataType::Utf8,
        // What PostgreSQL has no type for is sent as text.
        kind if pg_type(field).is_err() => match kind {
            DataType::Dictionary(_, value) => {
                travelling_type(&Arc::new(Field::new(field.name(), value.as_ref().clone(), field.is_nullable())))
            }
            _ => DataType::Utf8,
        },
        kind => kind.clone(),
    }
}

/// The type that a client is told.
fn pg_type(field: &Arc<Field>) -> PgWireResult<Type> {
    match field.data_type() {
        DataType::Decimal256(..) => Ok(Type::NUMERIC),
        _ => field_into_pg_type(field),
    }
}

/// What a client is told of `schema`'s columns.
pub fn fields(schema: &Schema, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
    let info = |(at, field): (usize, &Arc<Field>)| {
        let kind = pg_type(field)?;
        let size = size(&kind);
        let modifier = match field.data_type() {
            DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => {
                ((i32::from(*p) << 16) | (i32::from(*s) & 0x7FF)) + 4
            }
            _ => -1,
        };
        let info = FieldInfo::new(field.name().clone(), None, None, kind, format.format_for(at));
        Ok(info.with_type_size(size).with_type_modifier(modifier))
    };
    schema.fields().iter().enumerate().map(info).collect()
}

/// Bytes of a value; −1 = it varies.
fn size(kind: &Type) -> i16 {
    match *kind {
        Type::BOOL | Type::CHAR => 1,
        Type::INT2 => 2,
        Type::INT4 | Type::FLOAT4 | Type::DATE | Type::OID => 4,
        Type::INT8 | Type::FLOAT8 | Type::TIME | Type::TIMESTAMP | Type::TIMESTAMPTZ => 8,
        Type::INTERVAL => 16,
        _ => -1,
    }
}

/// Fails if rows of `schema` are not those that were `promised`: the lake's views changed in between.
pub fn kept(promised: &Schema, schema: &Schema) -> PgWireResult<()> {
    let types = |schema: &Schema| schema.fields().iter().map(pg_type).collect::<PgWireResult<Vec<_>>>();
    if types(promised)? == types(schema)? {
        return Ok(());
    }
    Err(coded(NOT_SUPPORTED, "cached plan must not change result type"))
}

/// The rows of `batches`, whose columns travel as `schema`.
pub fn response(batches: Batches, schema: &SchemaRef, format: &Format) -> PgWireResult<QueryResponse> {
    let fields = Arc::new(fields(schema, format)?);
    Ok(QueryResponse::new(Arc::clone(&fields), rows(batches, Arc::clone(schema), fields)))
}

fn rows(
    batches: Batches,
    schema: SchemaRef,
    fields: Arc<Vec<FieldInfo>>,
) -> impl Stream<Item = PgWireResult<DataRow>> + Send + 'static {
    let encoded = move |batch: Result<RecordBatch>| {
        let rows: Box<dyn Iterator<Item = PgWireResult<DataRow>> + Send> =
            match batch.and_then(|batch| travel(&batch, &schema)) {
                Ok(batch) => Box::new(data_rows(batch, Arc::clone(&fields))),
                Err(error) => Box::new(std::iter::once(Err(wire(&error)))),
            };
        stream::iter(rows)
    };
    batches.map(encoded).flatten()
}

fn data_rows(
    batch: RecordBatch,
    fields: Arc<Vec<FieldInfo>>,
) -> impl Iterator<Item = PgWireResult<DataRow>> + Send + 'static {
    let mut encoder = DataRowEncoder::new(Arc::clone(&fields));
    (0..batch.num_rows()).map(move |row| {
        write_row(&mut encoder, &batch, row, &fields)?;
        Ok(encoder.take_row())
    })
}

/// Writes the cells of a row of a batch in the types in which it travels.
pub fn write_row<T: Encoder>(
    encoder: &mut T,
    batch: &RecordBatch,
    row: usize,
    fields: &[FieldInfo],
) -> PgWireResult<()> {
    for ((column, field), info) in batch.columns().iter().zip(batch.schema_ref().fields()).zip(fields) {
        // arrow-pg takes a NULL interval for one that lasts no time.
        if column.is_null(row) {
            encoder.encode_field(&None::<&str>, info)?;
            continue;
        }
        match number(column, row) {
            None => encode_value(encoder, column, row, field, info)?,
            Some(number) if info.format() == FieldFormat::Text => encoder.encode_field(&number.text(), info)?,
            // Bytes are sent as they are.
            Some(number) => encoder.encode_field(&number.binary(), info)?,
        }
    }
    Ok(())
}

/// A number that arrow-pg has no room for.
fn number(column: &ArrayRef, row: usize) -> Option<Numeric> {
    match column.data_type() {
        DataType::Decimal128(_, scale) => {
            let value = column.as_primitive::<Decimal128Type>().value(row);
            (!is_small(value, *scale)).then(|| Numeric::new(&value.to_string(), *scale))
        }
        DataType::Decimal256(_, scale) => {
            Some(Numeric::new(&column.as_primitive::<Decimal256Type>().value(row).to_string(), *scale))
        }
        _ => None,
    }
}

/// `batch` in the types in which it travels.
///
/// # Errors
/// `Invalid`: a value cannot be told in them. None becomes NULL.
pub fn travel(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
        let untold = |why: &str| {
            let what = format!("a value of the column {} has no counterpart in PostgreSQL: {why}", field.name());
            Error::invalid(what).hint("write it as a text: CAST(… AS VARCHAR)")
        };
        let column = match field.data_type() {
            kind if kind == column.data_type() => Arc::clone(column),
            kind => cast_with_options(column, kind, &strict).map_err(|e| untold(&e.to_string()).caused_by(e))?,
        };
        if in_reach(&column) { Ok(column) } else { Err(untold(&format!("{} out of range", field.data_type()))) }
    });
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_>>()?)?)
}

/// A few rows of texts, for what the connection itself answers.
pub fn texts(names: &[&str], cells: Vec<Vec<String>>) -> PgWireResult<QueryResponse> {
    let fields = Arc::new(fields(&text_schema(names), &Format::UnifiedText)?);
    let mut encoder = DataRowEncoder::new(Arc::clone(&fields));
    let mut rows = Vec::new();
    for row in cells {
        row.iter().try_for_each(|cell| encoder.encode_field(cell))?;
        rows.push(Ok(encoder.take_row()));
    }
    Ok(QueryResponse::new(fields, stream::iter(rows)))
}

pub fn text_schema(names: &[&str]) -> Schema {
    Schema::new(names.iter().map(|name| Field::new(*name, DataType::Utf8, false)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        Date32Array, Decimal128Array, Decimal256Array, DurationSecondArray, FixedSizeBinaryArray, Int8Array, NullArray,
        StringArray, TimestampNanosecondArray, new_null_array,
    };
    use arrow::datatypes::{IntervalUnit, i256};

    use super::*;

    fn batch() -> RecordBatch {
        let money = Decimal128Array::from(vec![Some(12_345)]).with_precision_and_scale(18, 4).unwrap();
        RecordBatch::try_from_iter_with_nullable([
            ("a", Arc::new(StringArray::from(vec!["x"])) as ArrayRef, true),
            ("b", Arc::new(money), true),
            ("c", Arc::new(Int8Array::from(vec![7])), true),
            ("d", Arc::new(NullArray::new(1)), true),
        ])
        .unwrap()
    }

    #[tokio::test]
    async fn batches_become_rows() {
        let batch = batch();
        let schema = travelling(batch.schema_ref());
        let mut answer = response(stream::iter([Ok(batch)]).boxed(), &schema, &Format::UnifiedText).unwrap();
        let kinds: Vec<Type> = answer.row_schema().iter().map(|f| f.datatype().clone()).collect();
        assert_eq!(kinds, [Type::TEXT, Type::NUMERIC, Type::INT2, Type::TEXT]);
        let row = answer.data_rows().next().await.unwrap().unwrap();
        let text = String::from_utf8_lossy(&row.data).to_string();
        assert!(text.contains("1.2345") && text.contains('7'), "{text:?}");
        assert!(answer.data_rows().next().await.is_none());
    }

    /// The cells of the rows that a column becomes.
    async fn told(column: ArrayRef, format: Format) -> PgWireResult<Vec<Option<Vec<u8>>>> {
        let batch = RecordBatch::try_from_iter_with_nullable([("a", column, true)]).unwrap();
        let schema = travelling(batch.schema_ref());
        let mut answer = response(stream::iter([Ok(batch)]).boxed(), &schema, &format)?;
        let mut cells = Vec::new();
        while let Some(row) = answer.data_rows().next().await {
            cells.extend(crate::surfaces::postgres::csv::cells(&row?.data).map(|cell| cell.map(Vec::from)));
        }
        Ok(cells)
    }

    fn text(text: &str) -> Option<Vec<u8>> {
        Some(text.as_bytes().to_vec())
    }

    /// Beyond 128 bits, and beyond the 96 that arrow-pg has: neither NULL nor an error, in text and in binary.
    #[tokio::test]
    async fn decimals_of_any_size_arrive_exactly() {
        let digits = "123456789012345678901234567890123456789012345678901234567890";
        let large = [i256::from_string(digits), None, Some(i256::from_i128(-5))];
        let large: ArrayRef = Arc::new(Decimal256Array::from_iter(large).with_precision_and_scale(76, 2).unwrap());
        let texts = [text(&format!("{}.{}", &digits[..58], &digits[58..])), None, text("-0.05")];
        assert_eq!(told(Arc::clone(&large), Format::UnifiedText).await.unwrap(), texts);
        let binary = told(Arc::clone(&large), Format::UnifiedBinary).await.unwrap();
        assert_eq!(binary[0].as_ref().unwrap().len(), 8 + 2 * 16, "15 digits before the point, one behind");
        assert_eq!((&binary[1], &binary[2]), (&None, &Some(vec![0, 1, 255, 255, 0x40, 0, 0, 2, 1, 0xF4])));
        let most = i128::from(u64::MAX) * i128::from(u32::MAX) * 1000;
        let medium = Decimal128Array::from(vec![most, 12_345]).with_precision_and_scale(38, 4).unwrap();
        let told = told(Arc::new(medium), Format::UnifiedText).await.unwrap();
        let digits = most.to_string();
        let (whole, part) = digits.split_at(digits.len() - 4);
        assert_eq!(told, [text(&format!("{whole}.{part}")), text("1.2345")]);
    }

    #[tokio::test]
    async fn null_is_null_and_nothing_else_is() {
        let interval = new_null_array(&DataType::Interval(IntervalUnit::MonthDayNano), 1);
        assert_eq!(told(interval, Format::UnifiedText).await.unwrap(), [None]);
        let bytes = FixedSizeBinaryArray::try_from_iter([[1_u8, 2]].into_iter()).unwrap();
        assert_eq!(told(Arc::new(bytes), Format::UnifiedText).await.unwrap(), [text("\\x0102")]);
        let instant: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![946_684_799_999_999_500]));
        let binary = told(Arc::clone(&instant), Format::UnifiedBinary).await.unwrap();
        assert_eq!(binary, [Some((-1_i64).to_be_bytes().to_vec())], "microseconds before 2000");
        assert_eq!(told(instant, Format::UnifiedText).await.unwrap(), [text("1999-12-31 23:59:59.999999")]);
        let never = [
            Arc::new(Date32Array::from(vec![i32::MAX])) as ArrayRef,
            Arc::new(DurationSecondArray::from(vec![i64::MAX / 1000])),
        ];
        for column in never {
            let error = told(Arc::clone(&column), Format::UnifiedText).await.unwrap_err().to_string();
            assert!(error.contains("column a has no counterpart"), "{column:?}: {error}");
        }
    }

    #[test]
    fn a_promise_is_kept_or_broken_aloud() {
        let schema = travelling(batch().schema_ref());
        assert!(kept(&schema, &schema).is_ok());
        assert!(kept(&schema, &text_schema(&["a"])).is_err());
    }
}
