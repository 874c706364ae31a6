//! Who may do what: everything may be read, nothing else, by everybody whom a door let in.

use arrow::array::RecordBatch;
use datafusion::common::Result as DfResult;

use super::each_column;
use super::making::Making;
use crate::engine::relations::Relation;
use crate::engine::session::{CATALOG, OWNER};

/// Those to whom something is granted, by the standard's names.
pub const EVERYBODY: &[&str] = &[OWNER, "PUBLIC"];
/// Those of them that are roles.
pub const ROLES: &[&str] = &[OWNER];

pub fn tables(all: &[Relation], to: &[&'static str]) -> DfResult<RecordBatch> {
    let rows: Vec<_> = all.iter().flat_map(|r| to.iter().map(move |grantee| (r, *grantee))).collect();
    Making::of(&rows)
        .all("grantor", OWNER)
        .text("grantee", |(_, grantee)| Some(*grantee))
        .all("table_catalog", CATALOG)
        .text("table_schema", |(r, _)| Some(&r.schema))
        .text("table_name", |(r, _)| Some(&r.name))
        .all("privilege_type", "SELECT")
        .all("is_grantable", "NO")
        .all("with_hierarchy", "YES")
        .batch()
}

pub fn columns(all: &[Relation], to: &[&'static str]) -> DfResult<RecordBatch> {
    let columns = each_column(all);
    let rows: Vec<_> = columns.iter().flat_map(|row| to.iter().map(move |grantee| (row, *grantee))).collect();
    Making::of(&rows)
        .all("grantor", OWNER)
        .text("grantee", |(_, grantee)| Some(*grantee))
        .all("table_catalog", CATALOG)
        .text("table_schema", |((r, ..), _)| Some(&r.schema))
        .text("table_name", |((r, ..), _)| Some(&r.name))
        .text("column_name", |((.., c), _)| Some(&c.name))
        .all("privilege_type", "SELECT")
        .all("is_grantable", "NO")
        .batch()
}

pub fn enabled_roles() -> DfResult<RecordBatch> {
    Making::of(ROLES).text("role_name", |role| Some(*role)).batch()
}
