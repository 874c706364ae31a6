//! Keys and other constraints of the model's contracts, in the standard's tables.

use arrow::array::RecordBatch;
use datafusion::common::Result as DfResult;

use super::making::Making;
use crate::engine::relations::{ForeignKey, Relation, RelationKind};
use crate::engine::session::CATALOG;

/// A key of a relation: its name, its columns, and what it points at.
struct Key<'a> {
    relation: &'a Relation,
    name: String,
    columns: Vec<&'a str>,
    points_at: Option<&'a ForeignKey>,
}

impl<'a> Key<'a> {
    /// Schema, table and column of what the key needs.
    fn uses(&self) -> Vec<(&'a str, &'a str, &'a str)> {
        let own = |column: &&'a str| (self.relation.schema.as_str(), self.relation.name.as_str(), *column);
        match self.points_at {
            Some(at) => vec![(&at.schema, &at.table, &at.key)],
            None => self.columns.iter().map(own).collect(),
        }
    }
}

fn keys(all: &[Relation]) -> Vec<Key<'_>> {
    all.iter().flat_map(keys_of).collect()
}

fn keys_of(relation: &Relation) -> impl Iterator<Item = Key<'_>> {
    let primary = (!relation.primary_key.is_empty()).then(|| Key {
        relation,
        name: primary_name(&relation.name),
        columns: relation.primary_key.iter().map(String::as_str).collect(),
        points_at: None,
    });
    let foreign = relation.foreign_keys.iter().map(move |key| Key {
        relation,
        name: format!("{}_{}_fkey", relation.name, key.column),
        columns: vec![&key.column],
        points_at: Some(key),
    });
    primary.into_iter().chain(foreign)
}

fn primary_name(relation: &str) -> String {
    format!("{relation}_pkey")
}

/// A column of a stored table that is never NULL: relation, column, and the constraint's name as PostgreSQL gives it.
fn never_null(all: &[Relation]) -> Vec<(&Relation, &str, String)> {
    let stored = all.iter().filter(|r| r.kind == RelationKind::Table);
    let columns = stored.flat_map(|r| r.columns.iter().filter(|c| !c.nullable).map(move |c| (r, c.name.as_str())));
    columns.map(|(r, column)| (r, column, format!("{}_{column}_not_null", r.name))).collect()
}

pub fn table_constraints(all: &[Relation]) -> DfResult<RecordBatch> {
    let (keys, checks) = (keys(all), never_null(all));
    // Landing keeps primary keys and types; a fact may name a dimension's row that has not landed yet.
    let keys = keys.iter().map(|k| match k.points_at {
        Some(_) => (k.relation, &k.name, "FOREIGN KEY", "NO"),
        None => (k.relation, &k.name, "PRIMARY KEY", "YES"),
    });
    let rows: Vec<_> = keys.chain(checks.iter().map(|(r, _, name)| (*r, name, "CHECK", "YES"))).collect();
    Making::of(&rows)
        .all("constraint_catalog", CATALOG)
        .text("constraint_schema", |(r, ..)| Some(&r.schema))
        .text("constraint_name", |(_, name, ..)| Some(name))
        .all("table_catalog", CATALOG)
        .text("table_schema", |(r, ..)| Some(&r.schema))
        .text("table_name", |(r, ..)| Some(&r.name))
        .text("constraint_type", |(_, _, kind, _)| Some(*kind))
        .all("is_deferrable", "NO")
        .all("initially_deferred", "NO")
        .text("enforced", |(.., enforced)| Some(*enforced))
        .batch()
}

pub fn check_constraints(all: &[Relation]) -> DfResult<RecordBatch> {
    let clauses: Vec<_> =
        never_null(all).into_iter().map(|(r, c, name)| (r, name, format!("{c} IS NOT NULL"))).collect();
    Making::of(&clauses)
        .all("constraint_catalog", CATALOG)
        .text("constraint_schema", |(r, ..)| Some(&r.schema))
        .text("constraint_name", |(_, name, _)| Some(name))
        .text("check_clause", |(.., clause)| Some(clause))
        .batch()
}

/// The columns that keys need: a primary key its own, a foreign key those that it points at.
pub fn constraint_column_usage(all: &[Relation]) -> DfResult<RecordBatch> {
    let keys = keys(all);
    let rows: Vec<_> = keys.iter().flat_map(|k| k.uses().into_iter().map(move |used| (k, used))).collect();
    Making::of(&rows)
        .all("table_catalog", CATALOG)
        .text("table_schema", |(_, (schema, ..))| Some(*schema))
        .text("table_name", |(_, (_, table, _))| Some(*table))
        .text("column_name", |(_, (.., column))| Some(*column))
        .all("constraint_catalog", CATALOG)
        .text("constraint_schema", |(k, _)| Some(&k.relation.schema))
        .text("constraint_name", |(k, _)| Some(&k.name))
        .batch()
}

/// The tables that keys need.
pub fn constraint_table_usage(all: &[Relation]) -> DfResult<RecordBatch> {
    let keys = keys(all);
    let rows: Vec<_> = keys.iter().filter_map(|k| Some((k, k.uses().into_iter().next()?))).collect();
    Making::of(&rows)
        .all("table_catalog", CATALOG)
        .text("table_schema", |(_, (schema, ..))| Some(*schema))
        .text("table_name", |(_, (_, table, _))| Some(*table))
        .all("constraint_catalog", CATALOG)
        .text("constraint_schema", |(k, _)| Some(&k.relation.schema))
        .text("constraint_name", |(k, _)| Some(&k.name))
        .batch()
}

pub fn key_column_usage(all: &[Relation]) -> DfResult<RecordBatch> {
    let keys = keys(all);
    let rows: Vec<_> = keys.iter().flat_map(|k| k.columns.iter().enumerate().map(move |(at, c)| (k, at, *c))).collect();
    Making::of(&rows)
        .all("constraint_catalog", CATALOG)
        .text("constraint_schema", |(k, ..)| Some(&k.relation.schema))
        .text("constraint_name", |(k, ..)| Some(&k.name))
        .all("table_catalog", CATALOG)
        .text("table_schema", |(k, ..)| Some(&k.relation.schema))
        .text("table_name", |(k, ..)| Some(&k.relation.name))
        .text("column_name", |(.., column)| Some(column))
        .number("ordinal_position", |(_, at, _)| i64::try_from(at + 1).ok())
        .number("position_in_unique_constraint", |(k, ..)| k.points_at.map(|_| 1))
        .batch()
}

pub fn referential_constraints(all: &[Relation]) -> DfResult<RecordBatch> {
    let keys = keys(all);
    let rows: Vec<_> = keys.iter().filter_map(|k| k.points_at.map(|at| (k, at, primary_name(&at.table)))).collect();
    Making::of(&rows)
        .all("constraint_catalog", CATALOG)
        .text("constraint_schema", |(k, ..)| Some(&k.relation.schema))
        .text("constraint_name", |(k, ..)| Some(&k.name))
        .all("unique_constraint_catalog", CATALOG)
        .text("unique_constraint_schema", |(_, at, _)| Some(&at.schema))
        .text("unique_constraint_name", |(.., name)| Some(name))
        .all("match_option", "NONE")
        .all("update_rule", "NO ACTION")
        .all("delete_rule", "NO ACTION")
        .batch()
}
