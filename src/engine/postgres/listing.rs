//! Everything that has a place in PostgreSQL's catalogue, with its id: relations, their columns and keys.

use arrow::datatypes::SchemaRef;

use super::PG_CATALOG;
use super::oids::{Kind, Oids};
use super::types::PgType;
use crate::engine::information::INFORMATION_SCHEMA;
use crate::engine::relations::{ForeignKey, Relation, RelationKind};
use crate::engine::session::{BASE, CATALOG, MAIN, SYSTEM};

/// The lake as PostgreSQL's clients see it.
pub struct Listing {
    pub database: i32,
    /// Name and id.
    pub schemas: Vec<(&'static str, i32)>,
    pub relations: Vec<Entry>,
    pub constraints: Vec<Constraint>,
}

/// A table or view.
pub struct Entry {
    pub oid: i32,
    pub schema: String,
    pub schema_oid: i32,
    pub name: String,
    pub view: bool,
    pub about: String,
    pub columns: Vec<EntryColumn>,
    /// Whether a primary key is declared, which then has an index.
    pub indexed: bool,
}

pub struct EntryColumn {
    pub name: String,
    pub kind: PgType,
    pub nullable: bool,
    pub about: String,
}

/// A primary or foreign key. Columns are numbered from 1.
pub struct Constraint {
    pub oid: i32,
    pub name: String,
    pub schema: String,
    pub schema_oid: i32,
    pub table: String,
    pub table_oid: i32,
    pub columns: Vec<i16>,
    pub column_names: Vec<String>,
    /// The index of a primary key, or of the key that a foreign key refers to.
    pub index_oid: i32,
    pub refers: Option<Reference>,
}

/// Where a foreign key points.
pub struct Reference {
    pub schema: String,
    pub table: String,
    pub table_oid: i32,
    pub columns: Vec<i16>,
    pub column_names: Vec<String>,
}

impl Listing {
    /// `relations` of the lake, and the tables of `pg_catalog` with their columns.
    pub fn new(relations: &[Relation], system: &[(String, SchemaRef)]) -> Listing {
        let mut oids = Oids::default();
        let database = oids.give(Kind::Database, CATALOG);
        let schemas = [MAIN, BASE, SYSTEM, PG_CATALOG, INFORMATION_SCHEMA].map(|s| (s, oids.give(Kind::Schema, s)));
        let mut entries: Vec<Entry> = relations.iter().map(|r| entry(r, &mut oids)).collect();
        entries.extend(system.iter().map(|(name, schema)| system_entry(name, schema, &mut oids)));
        let mut constraints: Vec<Constraint> =
            relations.iter().filter_map(|r| primary(r, &entries, &mut oids)).collect();
        let foreign: Vec<Constraint> =
            relations.iter().flat_map(|r| foreign(r, &entries, &constraints, &mut oids)).collect();
        constraints.extend(foreign);
        Listing { database, schemas: schemas.into(), relations: entries, constraints }
    }

    /// The primary keys, each of which has an index of its name.
    pub fn primary_keys(&self) -> impl Iterator<Item = &Constraint> {
        self.constraints.iter().filter(|c| c.refers.is_none())
    }
}

impl Constraint {
    /// How it would be declared.
    pub fn definition(&self) -> String {
        let columns = self.column_names.join(", ");
        match &self.refers {
            None => format!("PRIMARY KEY ({columns})"),
            Some(to) => {
                let schema = if to.schema == MAIN { String::new() } else { format!("{}.", to.schema) };
                format!("FOREIGN KEY ({columns}) REFERENCES {schema}{}({})", to.table, to.column_names.join(", "))
            }
        }
    }
}

fn entry(relation: &Relation, oids: &mut Oids) -> Entry {
    let columns = relation.columns.iter().zip(relation.arrow.fields()).map(|(column, field)| EntryColumn {
        name: column.name.clone(),
        kind: PgType::of(field.data_type()),
        nullable: column.nullable,
        about: column.about.clone(),
    });
    Entry {
        oid: oids.give(Kind::Relation, &format!("{}.{}", relation.schema, relation.name)),
        schema: relation.schema.clone(),
        schema_oid: oids.give(Kind::Schema, &relation.schema),
        name: relation.name.clone(),
        view: relation.kind == RelationKind::View,
        about: relation.about.clone(),
        columns: columns.collect(),
        indexed: !relation.primary_key.is_empty(),
    }
}

fn system_entry(name: &str, schema: &SchemaRef, oids: &mut Oids) -> Entry {
    let columns = schema.fields().iter().map(|field| EntryColumn {
        name: field.name().clone(),
        kind: PgType::of(field.data_type()),
        nullable: field.is_nullable(),
        about: String::new(),
    });
    Entry {
        oid: oids.give(Kind::Relation, &format!("{PG_CATALOG}.{name}")),
        schema: PG_CATALOG.into(),
        schema_oid: oids.give(Kind::Schema, PG_CATALOG),
        name: name.into(),
        view: false,
        about: String::new(),
        columns: columns.collect(),
        indexed: false,
    }
}

/// The numbers of `columns`; `None` if one is missing.
fn numbers(entry: &Entry, columns: &[String]) -> Option<Vec<i16>> {
    let number = |name: &String| {
        let at = entry.columns.iter().position(|c| c.name == *name)?;
        i16::try_from(at + 1).ok()
    };
    columns.iter().map(number).collect()
}

fn find<'a>(entries: &'a [Entry], schema: &str, name: &str) -> Option<&'a Entry> {
    entries.iter().find(|e| e.schema == schema && e.name == name)
}

fn primary(relation: &Relation, entries: &[Entry], oids: &mut Oids) -> Option<Constraint> {
    if relation.primary_key.is_empty() {
        return None;
    }
    let entry = find(entries, &relation.schema, &relation.name)?;
    let name = format!("{}_pkey", relation.name);
    let qualified = format!("{}.{name}", relation.schema);
    Some(Constraint {
        oid: oids.give(Kind::Constraint, &qualified),
        name,
        schema: entry.schema.clone(),
        schema_oid: entry.schema_oid,
        table: entry.name.clone(),
        table_oid: entry.oid,
        columns: numbers(entry, &relation.primary_key)?,
        column_names: relation.primary_key.clone(),
        index_oid: oids.give(Kind::Index, &qualified),
        refers: None,
    })
}

fn foreign(relation: &Relation, entries: &[Entry], keys: &[Constraint], oids: &mut Oids) -> Vec<Constraint> {
    let constraint = |key: &ForeignKey| {
        let entry = find(entries, &relation.schema, &relation.name)?;
        let target = find(entries, &key.schema, &key.table)?;
        let primary = keys.iter().find(|k| k.table_oid == target.oid)?;
        let (from, to) = (vec![key.column.clone()], vec![key.key.clone()]);
        let name = format!("{}_{}_fkey", relation.name, key.column);
        Some(Constraint {
            oid: oids.give(Kind::Constraint, &format!("{}.{name}", relation.schema)),
            name,
            schema: entry.schema.clone(),
            schema_oid: entry.schema_oid,
            table: entry.name.clone(),
            table_oid: entry.oid,
            columns: numbers(entry, &from)?,
            column_names: from,
            index_oid: primary.index_oid,
            refers: Some(Reference {
                schema: target.schema.clone(),
                table: target.name.clone(),
                table_oid: target.oid,
                columns: numbers(target, &to)?,
                column_names: to,
            }),
        })
    };
    relation.foreign_keys.iter().filter_map(constraint).collect()
}
