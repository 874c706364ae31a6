//! The checksum of a result: the same for every format, batch size and surface, so that answers can be compared.
//! It must not depend on how Arrow holds a value.

use arrow::datatypes::{DataType, Schema};
use xxhash_rust::xxh3::Xxh3;

use super::columns::{Column, push_prefixed};

/// A running xxh3 (128 bits) over the rows in their order: one hash a column, joined with names and types at the end.
pub(super) struct Checksum {
    names: Vec<(String, String)>,
    hashes: Vec<Xxh3>,
    rows: u64,
    scratch: Vec<u8>,
}

impl Checksum {
    pub fn new(schema: &Schema) -> Checksum {
        let names =
            schema.fields().iter().map(|f| (f.name().clone(), canonical_type(f.data_type()))).collect::<Vec<_>>();
        Checksum { hashes: names.iter().map(|_| Xxh3::new()).collect(), names, rows: 0, scratch: Vec::new() }
    }

    /// Takes in `rows` further rows.
    pub fn update(&mut self, columns: &[Column], rows: usize) {
        for (column, hash) in columns.iter().zip(&mut self.hashes) {
            self.scratch.clear();
            for row in 0..rows {
                column.push_canonical(row, &mut self.scratch);
            }
            hash.update(&self.scratch);
        }
        self.rows += rows as u64;
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// 32 hexadecimal digits for all rows so far.
    pub fn hex(&self) -> String {
        let mut all = Vec::new();
        for ((name, kind), hash) in self.names.iter().zip(&self.hashes) {
            push_prefixed(&mut all, name.as_bytes());
            push_prefixed(&mut all, kind.as_bytes());
            all.extend(hash.digest128().to_le_bytes());
        }
        all.extend(self.rows.to_le_bytes());
        format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&all))
    }
}

/// A column's type: one name for all types that hold the same values.
fn canonical_type(data_type: &DataType) -> String {
    use DataType as T;
    match data_type {
        T::Null => "null".into(),
        T::Boolean => "bool".into(),
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => "int".into(),
        T::Float16 | T::Float32 | T::Float64 => "float".into(),
        T::Decimal32(p, s) | T::Decimal64(p, s) | T::Decimal128(p, s) | T::Decimal256(p, s) => {
            format!("decimal({p},{s})")
        }
        T::Dictionary(_, value) => canonical_type(value),
        T::Date32 | T::Date64 => "date".into(),
        T::Timestamp(_, Some(_)) => "timestamp".into(),
        T::Timestamp(_, None) => "local timestamp".into(),
        T::List(item) | T::LargeList(item) | T::FixedSizeList(item, _) => {
            format!("list<{}>", canonical_type(item.data_type()))
        }
        _ => "text".into(),
    }
}
