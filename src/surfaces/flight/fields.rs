//! What Flight SQL says about columns in their metadata: SQL type, precision, where they come from, what they mean. JDBC
//! shows it as `ResultSetMetaData` and in its list of columns.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};

use crate::engine::{CATALOG, Relation, type_name};

/// The columns of a statement's result. With parameters any of them may be NULL in one of its runs.
pub fn of_result(schema: &Schema, has_parameters: bool) -> Schema {
    let fields = schema.fields().iter().map(|f| {
        let nullable = f.is_nullable() || has_parameters;
        field(f, Vec::new()).with_nullable(nullable)
    });
    Schema::new(fields.collect::<Vec<_>>())
}

/// The columns of a table or view.
pub fn of_relation(relation: &Relation) -> Schema {
    let columns = relation.arrow.fields().iter().zip(&relation.columns).map(|(f, column)| {
        let mut from = vec![("CATALOG_NAME", CATALOG.to_string()), ("SCHEMA_NAME", relation.schema.clone())];
        from.push(("TABLE_NAME", relation.name.clone()));
        if !column.about.is_empty() {
            from.push(("REMARKS", column.about.clone()));
        }
        field(f, from)
    });
    Schema::new(columns.collect::<Vec<_>>())
}

fn field(field: &FieldRef, mut said: Vec<(&'static str, String)>) -> Field {
    let kind = field.data_type();
    said.push(("TYPE_NAME", type_name(kind)));
    if let Some((precision, scale)) = digits(kind) {
        said.extend([("PRECISION", precision.to_string()), ("SCALE", scale.to_string())]);
    }
    let text = matches!(kind, DataType::Utf8 | DataType::LargeUtf8);
    let flags =
        [("IS_CASE_SENSITIVE", text), ("IS_AUTO_INCREMENT", false), ("IS_READ_ONLY", true), ("IS_SEARCHABLE", true)];
    said.extend(flags.map(|(name, yes)| (name, if yes { "1" } else { "0" }.to_string())));
    let said = said.into_iter().map(|(name, value)| (format!("ARROW:FLIGHT:SQL:{name}"), value));
    field.as_ref().clone().with_metadata(said.collect::<HashMap<_, _>>())
}

/// Precision and scale of numbers that have exactly so many decimal digits.
fn digits(kind: &DataType) -> Option<(u8, i8)> {
    Some(match kind {
        DataType::Int8 | DataType::UInt8 => (3, 0),
        DataType::Int16 | DataType::UInt16 => (5, 0),
        DataType::Int32 | DataType::UInt32 => (10, 0),
        DataType::Int64 => (19, 0),
        DataType::UInt64 => (20, 0),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => (*p, *s),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_says_its_sql_type() {
        let schema = Schema::new(vec![
            Field::new("net", DataType::Decimal128(18, 4), true),
            Field::new("name", DataType::Utf8, false),
        ]);
        let told = of_result(&schema, false);
        let says = |i: usize, what: &str| told.field(i).metadata().get(&format!("ARROW:FLIGHT:SQL:{what}")).cloned();
        assert_eq!(says(0, "TYPE_NAME").as_deref(), Some("DECIMAL(18,4)"));
        assert_eq!((says(0, "PRECISION").as_deref(), says(0, "SCALE").as_deref()), (Some("18"), Some("4")));
        assert_eq!((says(1, "PRECISION"), says(1, "IS_CASE_SENSITIVE").as_deref()), (None, Some("1")));
        assert!(!told.field(1).is_nullable() && told.field(1).data_type() == &DataType::Utf8);
    }
}
