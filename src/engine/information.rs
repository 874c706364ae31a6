//! `information_schema`: DataFusion's, with our types' SQL names, what tables and columns mean (`table_comment`,
//! `column_comment`) and the keys of the model's contracts. It must not read tables.

use std::sync::{Arc, Weak};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::DataType;
use async_trait::async_trait;
use datafusion::catalog::information_schema::InformationSchemaProvider;
use datafusion::catalog::{CatalogProviderList, MemTable, SchemaProvider, TableProvider};
use datafusion::common::Result as DfResult;

use super::relations::{ForeignKey, Relation, RelationColumn, RelationKind};
use super::session::CATALOG;

pub const INFORMATION_SCHEMA: &str = "information_schema";
/// DataFusion's tables that stay as they are.
const THEIRS: [&str; 5] = ["views", "schemata", "df_settings", "routines", "parameters"];
const OURS: [&str; 5] = ["tables", "columns", "table_constraints", "key_column_usage", "referential_constraints"];

/// The schema of one snapshot.
pub struct InformationSchema {
    relations: Arc<Vec<Relation>>,
    /// Weak: the list holds this schema.
    catalogs: Weak<dyn CatalogProviderList>,
}

impl std::fmt::Debug for InformationSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InformationSchema")
    }
}

impl InformationSchema {
    pub fn new(relations: Arc<Vec<Relation>>, catalogs: &Arc<dyn CatalogProviderList>) -> InformationSchema {
        InformationSchema { relations, catalogs: Arc::downgrade(catalogs) }
    }
}

#[async_trait]
impl SchemaProvider for InformationSchema {
    fn table_names(&self) -> Vec<String> {
        OURS.iter().chain(&THEIRS).map(ToString::to_string).collect()
    }
    fn table_exist(&self, name: &str) -> bool {
        OURS.contains(&name) || THEIRS.contains(&name)
    }
    async fn table(&self, name: &str) -> DfResult<Option<Arc<dyn TableProvider>>> {
        let all = self.relations.as_slice();
        let batch = match name {
            "tables" => tables(all)?,
            "columns" => columns(all)?,
            "table_constraints" => table_constraints(all)?,
            "key_column_usage" => key_column_usage(all)?,
            "referential_constraints" => referential_constraints(all)?,
            theirs => match self.catalogs.upgrade() {
                Some(catalogs) => return InformationSchemaProvider::new(catalogs).table(theirs).await,
                None => return Ok(None),
            },
        };
        Ok(Some(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?)))
    }
}

/// A table as it is made from rows: column by column.
struct Making<'a, T> {
    rows: &'a [T],
    made: Vec<(&'static str, ArrayRef, bool)>,
}

impl<'a, T> Making<'a, T> {
    fn of(rows: &'a [T]) -> Self {
        Making { rows, made: Vec::new() }
    }
    fn text<'b>(mut self, name: &'static str, pick: impl Fn(&'a T) -> Option<&'b str>) -> Self {
        let values: StringViewArray = self.rows.iter().map(pick).collect();
        self.made.push((name, Arc::new(values), true));
        self
    }
    /// The same text in every row.
    fn all(self, name: &'static str, value: &'static str) -> Self {
        self.text(name, |_| Some(value))
    }
    fn number(mut self, name: &'static str, pick: impl Fn(&T) -> Option<i64>) -> Self {
        let values: Int64Array = self.rows.iter().map(pick).collect();
        self.made.push((name, Arc::new(values), true));
        self
    }
    fn batch(self) -> DfResult<RecordBatch> {
        Ok(RecordBatch::try_from_iter_with_nullable(self.made)?)
    }
}

fn tables(all: &[Relation]) -> DfResult<RecordBatch> {
    let own = OURS.iter().chain(&THEIRS).map(|name| (INFORMATION_SCHEMA, *name, "VIEW", "what there is"));
    let kind = |relation: &Relation| match relation.kind {
        RelationKind::Table => "BASE TABLE",
        RelationKind::View => "VIEW",
    };
    let rows: Vec<_> = all.iter().map(|r| (&*r.schema, &*r.name, kind(r), &*r.about)).chain(own).collect();
    Making::of(&rows)
        .all("table_catalog", CATALOG)
        .text("table_schema", |r| Some(r.0))
        .text("table_name", |r| Some(r.1))
        .text("table_type", |r| Some(r.2))
        .text("table_comment", |r| Some(r.3))
        .batch()
}

fn columns(all: &[Relation]) -> DfResult<RecordBatch> {
    let rows: Vec<_> = all.iter().flat_map(|r| r.columns.iter().enumerate().map(move |(at, c)| (r, at, c))).collect();
    let digits = |(r, at, _): &(&Relation, usize, &RelationColumn)| match r.arrow.field(*at).data_type() {
        DataType::Decimal128(precision, scale) => Some((i64::from(*precision), i64::from(*scale))),
        DataType::Int32 => Some((32, 0)),
        DataType::Int64 => Some((64, 0)),
        _ => None,
    };
    Making::of(&rows)
        .all("table_catalog", CATALOG)
        .text("table_schema", |(r, ..)| Some(&r.schema))
        .text("table_name", |(r, ..)| Some(&r.name))
        .text("column_name", |(.., c)| Some(&c.name))
        .number("ordinal_position", |(_, at, _)| i64::try_from(at + 1).ok())
        .text("column_default", |_| None)
        .text("is_nullable", |(.., c)| Some(if c.nullable { "YES" } else { "NO" }))
        .text("data_type", |(.., c)| Some(&c.kind))
        .number("character_maximum_length", |_| None)
        .number("character_octet_length", |_| None)
        .number("numeric_precision", |row| digits(row).map(|d| d.0))
        .number("numeric_precision_radix", |row| digits(row).map(|_| 10))
        .number("numeric_scale", |row| digits(row).map(|d| d.1))
        .number("datetime_precision", |(r, at, _)| {
            matches!(r.arrow.field(*at).data_type(), DataType::Timestamp(..)).then_some(6)
        })
        .text("interval_type", |_| None)
        .text("column_comment", |(.., c)| Some(&c.about))
        .batch()
}

/// A key of a relation: its name, its columns, and what it points at.
struct Key<'a> {
    relation: &'a Relation,
    name: String,
    columns: Vec<&'a str>,
    points_at: Option<&'a ForeignKey>,
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

fn table_constraints(all: &[Relation]) -> DfResult<RecordBatch> {
    let rows = keys(all);
    Making::of(&rows)
        .all("constraint_catalog", CATALOG)
        .text("constraint_schema", |k| Some(&k.relation.schema))
        .text("constraint_name", |k| Some(&k.name))
        .all("table_catalog", CATALOG)
        .text("table_schema", |k| Some(&k.relation.schema))
        .text("table_name", |k| Some(&k.relation.name))
        .text("constraint_type", |k| Some(if k.points_at.is_some() { "FOREIGN KEY" } else { "PRIMARY KEY" }))
        .all("is_deferrable", "NO")
        .all("initially_deferred", "NO")
        // Landing keeps primary keys; a fact may name a dimension's row that has not landed yet.
        .text("enforced", |k| Some(if k.points_at.is_some() { "NO" } else { "YES" }))
        .batch()
}

fn key_column_usage(all: &[Relation]) -> DfResult<RecordBatch> {
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

fn referential_constraints(all: &[Relation]) -> DfResult<RecordBatch> {
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
