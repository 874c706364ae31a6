//! `information_schema` as PostgreSQL's clients read it: the types' names are PostgreSQL's, and tables that they expect
//! are there, if only empty.

use std::sync::Arc;

use datafusion::catalog::TableProvider;

use super::PG_CATALOG;
use super::listing::Listing;
use super::table::{Table, Value};
use crate::engine::session::CATALOG;
use crate::error::Result;

const COLUMNS: &str = "table_catalog text=lake, table_schema text, table_name text, column_name text, \
    ordinal_position int4, column_default text, is_nullable text, data_type text, character_maximum_length int4, \
    character_octet_length int4, numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, \
    datetime_precision int4, interval_type text, character_set_name text, collation_name text, domain_catalog text, \
    domain_schema text, domain_name text, udt_catalog text=lake, udt_schema text=pg_catalog, udt_name text, \
    is_self_referencing text=NO, is_identity text=NO, identity_generation text, is_generated text=NEVER, \
    generation_expression text, is_updatable text=NO";

/// The tables that differ from the engine's own.
pub fn tables(listing: &Listing) -> Result<Vec<(&'static str, Arc<dyn TableProvider>)>> {
    Ok(vec![
        ("columns", columns(listing).build()?),
        ("constraint_column_usage", constraint_columns(listing).build()?),
        ("character_sets", character_sets().build()?),
        ("sequences", Table::new("sequence_catalog text, sequence_schema text, sequence_name text").build()?),
        ("triggers", Table::new("trigger_catalog text, trigger_schema text, trigger_name text").build()?),
    ])
}

fn columns(listing: &Listing) -> Table {
    let mut table = Table::new(COLUMNS);
    for entry in listing.relations.iter().filter(|e| e.schema != PG_CATALOG) {
        for (number, column) in (1..).zip(&entry.columns) {
            let (precision, scale) = match column.kind.name.as_str() {
                "int2" => (Some(16), Some(0)),
                "int4" => (Some(32), Some(0)),
                "int8" => (Some(64), Some(0)),
                _ => column.kind.numeric.unzip(),
            };
            table.row([
                ("table_schema", entry.schema.as_str().into()),
                ("table_name", entry.name.as_str().into()),
                ("column_name", column.name.as_str().into()),
                ("ordinal_position", Value::Int(number)),
                ("is_nullable", if column.nullable { "YES" } else { "NO" }.into()),
                ("data_type", column.kind.standard_name().into()),
                ("numeric_precision", precision.into()),
                (
                    "numeric_precision_radix",
                    precision.map(|_| if column.kind.numeric.is_some() { 10 } else { 2 }).into(),
                ),
                ("numeric_scale", scale.into()),
                ("datetime_precision", column.kind.name.starts_with("timestamp").then_some(6).into()),
                ("udt_name", column.kind.name.as_str().into()),
            ]);
        }
    }
    table
}

fn character_sets() -> Table {
    let mut table = Table::new(
        "character_set_catalog text, character_set_schema text, character_set_name text, \
        character_repertoire text=UCS, form_of_use text=UTF8, default_collate_catalog text=lake, \
        default_collate_schema text=pg_catalog, default_collate_name text=C",
    );
    table.row([("character_set_name", "UTF8".into())]);
    table
}

/// The columns that a key uses: its own, or those that it refers to.
fn constraint_columns(listing: &Listing) -> Table {
    let mut table = Table::new(
        "table_catalog text=lake, table_schema text, table_name text, column_name text, \
        constraint_catalog text=lake, constraint_schema text, constraint_name text",
    );
    for key in &listing.constraints {
        let (schema, name, columns) = match &key.refers {
            Some(to) => (&to.schema, &to.table, &to.column_names),
            None => (&key.schema, &key.table, &key.column_names),
        };
        for column in columns {
            table.row([
                ("table_catalog", CATALOG.into()),
                ("table_schema", schema.as_str().into()),
                ("table_name", name.as_str().into()),
                ("column_name", column.as_str().into()),
                ("constraint_schema", key.schema.as_str().into()),
                ("constraint_name", key.name.as_str().into()),
            ]);
        }
    }
    table
}
