//! The parameters of prepared statements: how they are told to clients, and how bound values come back. Values are bound
//! to names or places, never written into SQL; the engine casts them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use tonic::Status;

use super::errors::{status, unreadable};
use super::sent::{Rows, Sent};
use crate::engine::{Param, Parameter};
use crate::error::{Error, Result};

/// Bound values travel inside handles and tickets, which clients' messages must be able to hold.
const MOST_BYTES: usize = 1 << 20;
/// Each row is a query of its own.
const MOST_ROWS: usize = 1000;

/// The parameters as clients are told them: `$1`, `$from`. One whose type cannot be inferred is told as text.
pub fn schema(parameters: &[Parameter]) -> Schema {
    let field = |p: &Parameter| Field::new(format!("${}", p.name), p.arrow.clone().map_or(DataType::Utf8, told), true);
    Schema::new(parameters.iter().map(field).collect::<Vec<_>>())
}

/// Types that every driver can bind. The Arrow JDBC driver writes milliseconds into times of any unit, and days into
/// `Date64`.
fn told(kind: DataType) -> DataType {
    match kind {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Millisecond, zone),
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time32(TimeUnit::Millisecond),
        DataType::Date64 => DataType::Date32,
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Null => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::Dictionary(_, value) => told(*value),
        DataType::List(item) => DataType::List(Arc::new(Field::new_list_field(told(item.data_type().clone()), true))),
        other => other,
    }
}

/// The rows that a client binds, as one batch; `None`: it sent no schema.
pub async fn receive(sent: Sent) -> Result<Option<RecordBatch>, Status> {
    let mut rows = Rows::within(sent, "the bound values", MOST_BYTES as u64, |_| too_many());
    let (mut batches, mut bytes, mut count) = (Vec::new(), 0, 0);
    while let Some(batch) = rows.next().await? {
        bytes += batch.columns().iter().map(|c| c.to_data().get_slice_memory_size().unwrap_or(0)).sum::<usize>();
        count += batch.num_rows();
        if count > MOST_ROWS || bytes > MOST_BYTES {
            return Err(status(too_many()));
        }
        batches.push(batch);
    }
    let Some(schema) = rows.schema() else { return Ok(None) };
    let all = concat_batches(schema, &batches).map_err(|e| unreadable("the bound values", e))?;
    Ok(Some(all))
}

fn too_many() -> Error {
    Error::invalid(format!("more than {MOST_ROWS} rows or {} KiB of bound values", MOST_BYTES >> 10))
        .hint("the statement runs once for each row: bind fewer at a time, or join a list of values in SQL")
}

/// The batch with its columns called as the parameters that they are for: by name where all names are parameters', else
/// by place.
pub fn named(batch: &RecordBatch, parameters: &[Parameter]) -> Result<RecordBatch> {
    let (given, wanted) = (batch.num_columns(), parameters.len());
    if given != wanted {
        let names: Vec<String> = parameters.iter().map(|p| format!("${}", p.name)).collect();
        return Err(Error::invalid(format!("{given} values were bound, the statement has {wanted} parameters")).hint(
            if names.is_empty() { "bind none".into() } else { format!("bind {}, in this order", names.join(", ")) },
        ));
    }
    if given == 0 {
        // Nothing to call otherwise; a batch without columns could not be made without its number of rows.
        return Ok(batch.clone());
    }
    let schema = batch.schema();
    let bare = |i: usize| schema.field(i).name().trim_start_matches('$').to_string();
    // Drivers number columns as they like, from 0 or 1: numbers mean places.
    let numbered = parameters.iter().any(|p| p.name.bytes().all(|b| b.is_ascii_digit()));
    let by_name = !numbered && parameters.iter().all(|p| (0..given).any(|i| bare(i) == p.name));
    let field = |i: usize| {
        let name = if by_name { bare(i) } else { parameters[i].name.clone() };
        Field::new(name, schema.field(i).data_type().clone(), true)
    };
    let schema: SchemaRef = Arc::new(Schema::new((0..given).map(field).collect::<Vec<_>>()));
    Ok(RecordBatch::try_new(schema, batch.columns().to_vec())?)
}

/// The batch as bytes that fit into a handle.
pub fn packed(batch: &RecordBatch) -> Result<Vec<u8>> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
    writer.write(batch)?;
    let bytes = writer.into_inner()?;
    if bytes.len() > MOST_BYTES { Err(too_many()) } else { Ok(bytes) }
}

/// What the engine is given for each row; one of no values where none were bound.
pub fn unpacked(bytes: &[u8]) -> Result<Vec<BTreeMap<String, Param>>> {
    if bytes.is_empty() {
        return Ok(vec![BTreeMap::new()]);
    }
    let mut rows = Vec::new();
    for batch in StreamReader::try_new(bytes, None)? {
        let batch = batch?;
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            let value = |(i, f): (usize, &Arc<Field>)| (f.name().clone(), Param::Value(batch.column(i).slice(row, 1)));
            rows.push(schema.fields().iter().enumerate().map(value).collect());
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};

    use super::*;

    fn parameters(names: &[&str]) -> Vec<Parameter> {
        names.iter().map(|n| Parameter { name: n.to_string(), kind: None, arrow: None }).collect()
    }

    fn batch(names: [&str; 2]) -> RecordBatch {
        let days: ArrayRef = Arc::new(Date32Array::from(vec![1, 2]));
        let words: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None]));
        RecordBatch::try_from_iter([(names[0], days), (names[1], words)]).unwrap()
    }

    fn names(batch: &RecordBatch) -> Vec<String> {
        batch.schema().fields().iter().map(|f| f.name().clone()).collect()
    }

    #[test]
    fn values_find_their_parameters() {
        // Drivers call them as they like.
        for given in [["0", "1"], ["1", "2"], ["2", "1"], ["a", "b"]] {
            assert_eq!(names(&named(&batch(given), &parameters(&["1", "2"])).unwrap()), ["1", "2"], "{given:?}");
        }
        let by_name = parameters(&["from", "to"]);
        assert_eq!(names(&named(&batch(["$to", "from"]), &by_name).unwrap()), ["to", "from"]);
        assert_eq!(names(&named(&batch(["x", "y"]), &by_name).unwrap()), ["from", "to"]);
        let few = named(&batch(["0", "1"]), &parameters(&["1"])).unwrap_err();
        assert!(few.message().contains("2 values") && few.hint_text().unwrap().contains("$1"), "{few}");
    }

    #[test]
    fn nothing_is_bound_to_a_statement_without_parameters() {
        let none = RecordBatch::new_empty(Arc::new(Schema::empty()));
        assert_eq!(named(&none, &[]).unwrap().num_columns(), 0);
        assert!(named(&none, &parameters(&["1"])).unwrap_err().message().contains("1 parameters"));
    }

    #[test]
    fn every_row_is_a_run() {
        let bytes = packed(&batch(["from", "to"])).unwrap();
        let rows = unpacked(&bytes).unwrap();
        assert_eq!(rows.len(), 2);
        let Param::Value(value) = &rows[1]["from"] else { panic!("no value") };
        assert_eq!(value.as_ref(), &Date32Array::from(vec![2]));
        let Param::Value(value) = &rows[1]["to"] else { panic!("no value") };
        assert_eq!((value.len(), value.null_count()), (1, 1));
        assert_eq!(unpacked(b"").unwrap(), vec![BTreeMap::new()]);
        assert!(unpacked(&packed(&batch(["a", "b"]).slice(0, 0)).unwrap()).unwrap().is_empty());
        let long: ArrayRef = Arc::new(Int64Array::from(vec![0; MOST_BYTES / 8]));
        assert!(packed(&RecordBatch::try_from_iter([("n", long)]).unwrap()).is_err());
    }

    #[test]
    fn types_are_told_as_drivers_bind_them() {
        let mut both = parameters(&["1", "day"]);
        both[0].arrow = Some(DataType::Utf8View);
        both[1].arrow = Some(DataType::Date32);
        let schema = schema(&both);
        assert_eq!((schema.field(0).name().as_str(), schema.field(0).data_type()), ("$1", &DataType::Utf8));
        assert_eq!((schema.field(1).name().as_str(), schema.field(1).data_type()), ("$day", &DataType::Date32));
    }
}
