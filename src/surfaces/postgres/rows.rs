//! Arrow's batches as PostgreSQL's rows, one batch at a time. It must not collect results.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow_pg::datatypes::{encode_recordbatch, field_into_pg_type};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use pgwire::api::Type;
use pgwire::api::portal::Format;
use pgwire::api::results::{DataRowEncoder, FieldInfo, QueryResponse};
use pgwire::error::PgWireResult;
use pgwire::messages::data::DataRow;

use super::error::{NOT_SUPPORTED, coded, wire};
use crate::error::Result;

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
        DataType::Decimal256(p, s) => DataType::Decimal128((*p).min(38), *s),
        DataType::Null => DataType::Utf8,
        // What PostgreSQL has no type for is sent as text.
        kind if field_into_pg_type(field).is_err() => match kind {
            DataType::Dictionary(_, value) => value.as_ref().clone(),
            _ => DataType::Utf8,
        },
        kind => kind.clone(),
    }
}

/// What a client is told of `schema`'s columns.
pub fn fields(schema: &Schema, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
    let info = |(at, field): (usize, &Arc<Field>)| {
        let kind = field_into_pg_type(field)?;
        let size = size(&kind);
        let modifier = match field.data_type() {
            DataType::Decimal128(p, s) => ((i32::from(*p) << 16) | i32::from(*s)) + 4,
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
    let types = |schema: &Schema| schema.fields().iter().map(field_into_pg_type).collect::<PgWireResult<Vec<_>>>();
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
                Ok(batch) => encode_recordbatch(Arc::clone(&fields), batch),
                Err(error) => Box::new(std::iter::once(Err(wire(&error)))),
            };
        stream::iter(rows)
    };
    batches.map(encoded).flatten()
}

/// `batch` in the types in which it travels.
pub fn travel(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| match field.data_type() {
        kind if kind == column.data_type() => Ok(Arc::clone(column)),
        kind => Ok(cast(column, kind)?),
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
    use arrow::array::{ArrayRef, Decimal128Array, Int8Array, NullArray, StringArray};

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

    #[test]
    fn a_promise_is_kept_or_broken_aloud() {
        let schema = travelling(batch().schema_ref());
        assert!(kept(&schema, &schema).is_ok());
        assert!(kept(&schema, &text_schema(&["a"])).is_err());
    }
}
