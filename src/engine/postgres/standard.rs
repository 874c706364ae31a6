//! `information_schema.columns` as PostgreSQL's clients read it: the types' names are PostgreSQL's.

use std::sync::Arc;

use datafusion::catalog::TableProvider;

use super::PG_CATALOG;
use super::listing::{EntryColumn, Listing};
use super::table::{Table, Value};
use super::types::PgType;
use crate::engine::classify::classify;
use crate::engine::information;
use crate::error::Result;

const TABLE: &str = "columns";

const COLUMNS: &str = "table_catalog text=lake, table_schema text, table_name text, column_name text, \
    ordinal_position int4, column_default text, is_nullable text, data_type text, character_maximum_length int4, \
    character_octet_length int4, numeric_precision int4, numeric_precision_radix int4, numeric_scale int4, \
    datetime_precision int4, interval_type text, interval_precision int4, character_set_catalog text, \
    character_set_schema text, character_set_name text, collation_catalog text, collation_schema text, \
    collation_name text, domain_catalog text, domain_schema text, domain_name text, udt_catalog text=lake, \
    udt_schema text=pg_catalog, udt_name text, scope_catalog text, scope_schema text, scope_name text, \
    maximum_cardinality int4, dtd_identifier text, is_self_referencing text=NO, is_identity text=NO, \
    identity_generation text, identity_start text, identity_increment text, identity_maximum text, \
    identity_minimum text, identity_cycle text=NO, is_generated text=NEVER, generation_expression text, \
    is_updatable text=NO, column_comment text";

/// The table that differs from the engine's own.
pub fn tables(listing: &Listing) -> Result<Vec<(&'static str, Arc<dyn TableProvider>)>> {
    Ok(vec![(TABLE, columns(listing)?.build()?)])
}

fn columns(listing: &Listing) -> Result<Table> {
    let mut table = Table::new(COLUMNS);
    for entry in listing.relations.iter().filter(|e| e.schema != PG_CATALOG) {
        for (number, column) in (1..).zip(&entry.columns) {
            row(&mut table, &entry.schema, &entry.name, number, column);
        }
    }
    let this = Table::new(COLUMNS).build()?.schema();
    for relation in information::own().map_err(classify)? {
        let schema = if relation.name == TABLE { &this } else { &relation.arrow };
        for (number, field) in (1..).zip(schema.fields()) {
            let column = EntryColumn {
                name: field.name().clone(),
                kind: PgType::of(field.data_type()),
                nullable: field.is_nullable(),
                about: String::new(),
            };
            row(&mut table, &relation.schema, &relation.name, number, &column);
        }
    }
    Ok(table)
}

fn row(table: &mut Table, schema: &str, relation: &str, number: i64, column: &EntryColumn) {
    let (precision, scale) = match column.kind.name.as_str() {
        "int2" => (Some(16), Some(0)),
        "int4" => (Some(32), Some(0)),
        "int8" => (Some(64), Some(0)),
        "float4" => (Some(24), None),
        "float8" => (Some(53), None),
        _ => column.kind.numeric.unzip(),
    };
    let radix: i32 = if column.kind.numeric.is_some() { 10 } else { 2 };
    table.row([
        ("table_schema", schema.into()),
        ("table_name", relation.into()),
        ("column_name", column.name.as_str().into()),
        ("ordinal_position", Value::Int(number)),
        ("is_nullable", if column.nullable { "YES" } else { "NO" }.into()),
        ("data_type", column.kind.standard_name().into()),
        ("numeric_precision", precision.into()),
        ("numeric_precision_radix", precision.map(|_| radix).into()),
        ("numeric_scale", scale.into()),
        ("datetime_precision", column.kind.name.starts_with("timestamp").then_some(6).into()),
        ("udt_name", column.kind.name.as_str().into()),
        ("dtd_identifier", number.to_string().into()),
        ("column_comment", column.about.as_str().into()),
    ]);
}
