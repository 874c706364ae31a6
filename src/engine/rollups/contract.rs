//! A rollup's table contract, made from its definition. Contracts live as long as the program: definitions are few.

use arrow::datatypes::DataType;
use datafusion::logical_expr::{ExprSchemable, LogicalPlan};

use super::definition::{Definition, Kind, Parts, Told};
use crate::engine::classify::classify;
use crate::error::{Error, Result};
use crate::model::{Column, EventTime, Kind as Stored, Table, TableKind};

/// What each file was made from; one value per file.
pub const BUILT_FROM: &str = "built_from";
/// The hashes of the values that [`Kind::Once`] counts, beside each such column.
pub const HASHES: &str = "_hashes";

/// The contract. Its name, and so its folder, changes with its columns: a table is never read as if it had others.
pub fn of(definition: &Definition, columns: &[Told], parts: &Parts) -> Result<&'static Table> {
    let input: &LogicalPlan = &parts.aggregate.input;
    let groups = parts.aggregate.group_expr.len();
    let mut stored = Vec::new();
    for (told, (name, at)) in columns.iter().zip(&parts.names) {
        let kind = match told.kind {
            Kind::Rows | Kind::Count | Kind::Once => Stored::Long,
            Kind::Set => Stored::Hash128,
            Kind::Key => kept(name, &parts.aggregate.group_expr[*at].get_type(input.schema()).map_err(classify)?)?,
            Kind::Sum | Kind::Min | Kind::Max => {
                let (_, arg) = super::definition::aggregated(definition, &parts.aggregate.aggr_expr[at - groups])?;
                kept(name, &arg.get_type(input.schema()).map_err(classify)?)?
            }
        };
        let column = Column::new(leaked(name), kind, about(told.kind));
        stored.push(if *name == definition.date { column } else { column.nullable() });
        if told.kind == Kind::Once {
            let name = leaked(&format!("{name}{HASHES}"));
            stored.push(Column::new(name, Stored::Hash128, "hashes of those values, sorted").nullable());
        }
    }
    stored.push(Column::new(BUILT_FROM, Stored::Text, "what the file was made from"));
    let shape: Vec<String> = stored.iter().map(|c| format!("{} {:?} {}", c.name, c.kind, c.nullable)).collect();
    let digest = xxhash_rust::xxh3::xxh3_64(shape.join("\n").as_bytes()) as u32;
    let date = leaked(&definition.date);
    let parts: &'static [&'static [Column]] = Box::leak(Box::new([&*Box::leak(stored.into_boxed_slice())]));
    Ok(Box::leak(Box::new(Table {
        name: leaked(&format!("rollup_{}_{digest:08x}", definition.name)),
        about: leaked(&definition.about),
        kind: TableKind::Derived,
        key: &[],
        parts,
        event: EventTime::None,
        month_of: Some(date),
        sort: Box::leak(Box::new([date])),
        stats: Box::leak(Box::new([date, BUILT_FROM])),
        checks: &[],
    })))
}

fn leaked(text: &str) -> &'static str {
    Box::leak(text.to_string().into_boxed_str())
}

fn about(kind: Kind) -> &'static str {
    match kind {
        Kind::Key => "a key",
        Kind::Rows => "rows of the view",
        Kind::Sum => "a sum",
        Kind::Count => "values that are not NULL",
        Kind::Min => "the least value",
        Kind::Max => "the greatest value",
        Kind::Once => "distinct values, each in this row only",
        Kind::Set => "distinct values, as a set of their numbers",
    }
}

/// How values of a type are stored.
fn kept(name: &str, of: &DataType) -> Result<Stored> {
    Ok(match of {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Stored::Text,
        DataType::Int32 => Stored::Int,
        DataType::Int64 => Stored::Long,
        DataType::Boolean => Stored::Bool,
        DataType::Date32 => Stored::Date,
        DataType::Decimal128(18, 4) => Stored::Money,
        DataType::Decimal128(18, 3) => Stored::Quantity,
        DataType::Decimal128(18, 8) => Stored::Rate,
        DataType::Decimal128(9, 6) => Stored::Share,
        other => {
            return Err(Error::invalid(format!("{name} is {other}, which a rollup does not keep"))
                .hint("texts, whole numbers, BOOLEAN, DATE, DECIMAL(18,4), DECIMAL(18,3), DECIMAL(18,8): CAST it"));
        }
    })
}
