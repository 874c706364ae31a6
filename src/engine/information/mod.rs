//! `information_schema`: the standard's tables over relations, views and keys of one snapshot, with our types' SQL names and
//! what tables and columns mean (`table_comment`, `column_comment`). Functions and settings are DataFusion's. It must not
//! read tables.

mod absent;
mod keys;
mod making;
mod rights;

use std::sync::{Arc, OnceLock, Weak};

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use async_trait::async_trait;
use datafusion::catalog::information_schema::InformationSchemaProvider;
use datafusion::catalog::{CatalogProviderList, MemTable, MemoryCatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::error::DataFusionError;
use futures::FutureExt;

use self::absent::ABSENT;
use self::making::{Making, empty};
use super::dims::type_name;
use super::relations::{Relation, RelationColumn, RelationKind};
use super::rows::plain_schema;
use super::session::{BASE, CATALOG, MAIN, OWNER, SYSTEM};
use super::snapshot::Snapshot;
use super::view::ViewProvider;

pub const INFORMATION_SCHEMA: &str = "information_schema";
/// What its tables are, all of them.
const ABOUT: &str = "what there is";
/// DataFusion's tables that stay as they are.
const THEIRS: [&str; 3] = ["df_settings", "routines", "parameters"];
/// What is made here, and how.
const OURS: [(&str, Make); 20] = [
    ("tables", |s| tables(s)),
    ("columns", |s| columns(s)),
    ("views", |s| views(s)),
    ("view_table_usage", |s| view_table_usage(&s.views)),
    ("schemata", |_| schemata()),
    ("element_types", |s| element_types(&s.relations)),
    ("table_constraints", |s| keys::table_constraints(&s.relations)),
    ("key_column_usage", |s| keys::key_column_usage(&s.relations)),
    ("referential_constraints", |s| keys::referential_constraints(&s.relations)),
    ("check_constraints", |s| keys::check_constraints(&s.relations)),
    ("constraint_column_usage", |s| keys::constraint_column_usage(&s.relations)),
    ("constraint_table_usage", |s| keys::constraint_table_usage(&s.relations)),
    ("table_privileges", |s| rights::tables(&s.relations, rights::EVERYBODY)),
    ("role_table_grants", |s| rights::tables(&s.relations, rights::ROLES)),
    ("column_privileges", |s| rights::columns(&s.relations, rights::EVERYBODY)),
    ("role_column_grants", |s| rights::columns(&s.relations, rights::ROLES)),
    ("enabled_roles", |_| rights::enabled_roles()),
    ("character_sets", |_| character_sets()),
    ("collations", |_| collations()),
    ("information_schema_catalog_name", |_| Making::of(&[()]).all("catalog_name", CATALOG).batch()),
];

type Make = fn(&InformationSchema) -> DfResult<RecordBatch>;

/// The schema of one snapshot.
pub struct InformationSchema {
    relations: Arc<Vec<Relation>>,
    /// What is in this schema.
    own: &'static [Relation],
    views: Vec<Arc<ViewProvider>>,
    /// Weak: the list holds this schema.
    catalogs: Weak<dyn CatalogProviderList>,
}

impl std::fmt::Debug for InformationSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InformationSchema")
    }
}

impl InformationSchema {
    /// Of `snapshot`, whose relations are known.
    pub fn of(snapshot: &Snapshot) -> DfResult<InformationSchema> {
        Ok(InformationSchema {
            relations: Arc::clone(snapshot.relations()),
            own: own()?,
            views: snapshot.views().values().cloned().collect(),
            catalogs: Arc::downgrade(snapshot.state().catalog_list()),
        })
    }
}

/// The schema's own tables. They have the same columns in every lake: they are looked at once.
pub fn own() -> DfResult<&'static [Relation]> {
    static OWN: OnceLock<Vec<Relation>> = OnceLock::new();
    match OWN.get() {
        Some(own) => Ok(own),
        None => {
            let own = looked_at()?;
            Ok(OWN.get_or_init(|| own))
        }
    }
}

/// The tables of a schema of nothing.
fn looked_at() -> DfResult<Vec<Relation>> {
    let catalogs: Arc<dyn CatalogProviderList> = Arc::new(MemoryCatalogProviderList::new());
    let nothing = InformationSchema {
        relations: Arc::default(),
        own: &[],
        views: Vec::new(),
        catalogs: Arc::downgrade(&catalogs),
    };
    let relation = |name: &'static str| {
        // They are in memory: nothing is waited for.
        let table = nothing.table(name).now_or_never().transpose()?.flatten();
        let none = || DataFusionError::Internal(format!("there is no information_schema.{name}"));
        let schema = table.ok_or_else(none)?.schema();
        let columns = schema.fields().iter().map(|f| RelationColumn {
            name: f.name().clone(),
            kind: type_name(f.data_type()),
            nullable: f.is_nullable(),
            about: String::new(),
        });
        Ok::<_, DataFusionError>(Relation {
            schema: INFORMATION_SCHEMA.into(),
            name: name.into(),
            kind: RelationKind::View,
            columns: columns.collect(),
            about: ABOUT.into(),
            arrow: plain_schema(&schema),
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
        })
    };
    names().map(relation).collect()
}

fn names() -> impl Iterator<Item = &'static str> {
    let ours = OURS.iter().map(|(name, _)| *name);
    ours.chain(ABSENT.iter().map(|(name, _)| *name)).chain(THEIRS)
}

#[async_trait]
impl SchemaProvider for InformationSchema {
    fn table_names(&self) -> Vec<String> {
        names().map(String::from).collect()
    }
    fn table_exist(&self, name: &str) -> bool {
        names().any(|known| known == name)
    }
    async fn table(&self, name: &str) -> DfResult<Option<Arc<dyn TableProvider>>> {
        let made = OURS.iter().find(|(known, _)| *known == name).map(|(_, make)| make(self)).transpose()?;
        let absent = || ABSENT.iter().find(|(known, _)| *known == name).map(|(_, columns)| empty(columns));
        match (made.or_else(absent), self.catalogs.upgrade()) {
            (Some(batch), _) => Ok(Some(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?))),
            (None, Some(catalogs)) if THEIRS.contains(&name) => {
                InformationSchemaProvider::new(catalogs).table(name).await
            }
            (None, _) => Ok(None),
        }
    }
}

fn tables(schema: &InformationSchema) -> DfResult<RecordBatch> {
    let own = names().map(|name| (INFORMATION_SCHEMA, name, "VIEW", ABOUT));
    let kind = |relation: &Relation| match relation.kind {
        RelationKind::Table => "BASE TABLE",
        RelationKind::View => "VIEW",
    };
    let rows: Vec<_> = schema.relations.iter().map(|r| (&*r.schema, &*r.name, kind(r), &*r.about)).chain(own).collect();
    Making::of(&rows)
        .all("table_catalog", CATALOG)
        .text("table_schema", |r| Some(r.0))
        .text("table_name", |r| Some(r.1))
        .text("table_type", |r| Some(r.2))
        .nulls(&["self_referencing_column_name", "reference_generation"])
        .nulls(&["user_defined_type_catalog", "user_defined_type_schema", "user_defined_type_name"])
        .all("is_insertable_into", "NO")
        .all("is_typed", "NO")
        .nulls(&["commit_action"])
        .text("table_comment", |r| Some(r.3))
        .batch()
}

/// Relations with their columns, numbered from 0.
fn each_column<'a>(all: impl IntoIterator<Item = &'a Relation>) -> Vec<(&'a Relation, usize, &'a RelationColumn)> {
    all.into_iter().flat_map(|r| r.columns.iter().enumerate().map(move |(at, c)| (r, at, c))).collect()
}

fn columns(schema: &InformationSchema) -> DfResult<RecordBatch> {
    let rows = each_column(schema.relations.iter().chain(schema.own));
    let numbers: Vec<String> = rows.iter().map(|(_, at, _)| (at + 1).to_string()).collect();
    let numbered: Vec<_> = rows.iter().zip(&numbers).collect();
    // Digits, of which radix, and how many behind the point: as in PostgreSQL, bits where numbers are binary.
    let digits = |(r, at, _): &(&Relation, usize, &RelationColumn)| match r.arrow.field(*at).data_type() {
        DataType::Decimal128(precision, scale) => Some((i64::from(*precision), 10, Some(i64::from(*scale)))),
        DataType::Int32 => Some((32, 2, Some(0))),
        DataType::Int64 | DataType::UInt64 => Some((64, 2, Some(0))),
        DataType::Float32 => Some((24, 2, None)),
        DataType::Float64 => Some((53, 2, None)),
        _ => None,
    };
    Making::of(&numbered)
        .all("table_catalog", CATALOG)
        .text("table_schema", |((r, ..), _)| Some(&r.schema))
        .text("table_name", |((r, ..), _)| Some(&r.name))
        .text("column_name", |((.., c), _)| Some(&c.name))
        .number("ordinal_position", |((_, at, _), _)| i64::try_from(at + 1).ok())
        .text("column_default", |_| None)
        .text("is_nullable", |((.., c), _)| Some(if c.nullable { "YES" } else { "NO" }))
        .text("data_type", |((.., c), _)| Some(&c.kind))
        .number("character_maximum_length", |_| None)
        .number("character_octet_length", |_| None)
        .number("numeric_precision", |(row, _)| digits(row).map(|d| d.0))
        .number("numeric_precision_radix", |(row, _)| digits(row).map(|d| d.1))
        .number("numeric_scale", |(row, _)| digits(row).and_then(|d| d.2))
        .number("datetime_precision", |((r, at, _), _)| {
            matches!(r.arrow.field(*at).data_type(), DataType::Timestamp(..)).then_some(6)
        })
        .text("interval_type", |_| None)
        .text("dtd_identifier", |(_, number)| Some(number.as_str()))
        .all("is_identity", "NO")
        .all("is_generated", "NEVER")
        .all("is_updatable", "NO")
        .text("column_comment", |((.., c), _)| Some(&c.about))
        .batch()
}

/// The types of the items of columns that hold lists.
fn element_types(all: &[Relation]) -> DfResult<RecordBatch> {
    let item = |(r, at, _): &(&Relation, usize, &RelationColumn)| match r.arrow.field(*at).data_type() {
        DataType::List(item) | DataType::LargeList(item) => Some(type_name(item.data_type())),
        _ => None,
    };
    let lists: Vec<_> =
        each_column(all).into_iter().filter_map(|row| Some((row.0, (row.1 + 1).to_string(), item(&row)?))).collect();
    Making::of(&lists)
        .all("object_catalog", CATALOG)
        .text("object_schema", |(r, ..)| Some(&r.schema))
        .text("object_name", |(r, ..)| Some(&r.name))
        .all("object_type", "TABLE")
        .text("collection_type_identifier", |(_, number, _)| Some(number))
        .text("data_type", |(.., kind)| Some(kind))
        .text("dtd_identifier", |(_, number, _)| Some(number))
        .batch()
}

fn views(schema: &InformationSchema) -> DfResult<RecordBatch> {
    let views = schema.views.iter().map(|v| (MAIN, v.name(), Some(v.definition().sql.as_str())));
    // What these are made by is no SQL.
    let own = schema.own.iter().map(|r| (INFORMATION_SCHEMA, r.name.as_str(), None));
    let rows: Vec<_> = views.chain(own).collect();
    Making::of(&rows)
        .all("table_catalog", CATALOG)
        .text("table_schema", |r| Some(r.0))
        .text("table_name", |r| Some(r.1))
        .text("view_definition", |r| r.2)
        .all("check_option", "NONE")
        .all("is_updatable", "NO")
        .all("is_insertable_into", "NO")
        .all("is_trigger_updatable", "NO")
        .all("is_trigger_deletable", "NO")
        .all("is_trigger_insertable_into", "NO")
        .batch()
}

fn view_table_usage(all: &[Arc<ViewProvider>]) -> DfResult<RecordBatch> {
    let rows: Vec<_> = all.iter().flat_map(|v| v.reads().into_iter().map(move |table| (v, table))).collect();
    Making::of(&rows)
        .all("view_catalog", CATALOG)
        .all("view_schema", MAIN)
        .text("view_name", |(v, _)| Some(v.name()))
        .all("table_catalog", CATALOG)
        .text("table_schema", |(_, table)| Some(table.schema().unwrap_or(MAIN)))
        .text("table_name", |(_, table)| Some(table.table()))
        .batch()
}

fn schemata() -> DfResult<RecordBatch> {
    Making::of(&[MAIN, BASE, SYSTEM, INFORMATION_SCHEMA])
        .all("catalog_name", CATALOG)
        .text("schema_name", |name| Some(*name))
        .all("schema_owner", OWNER)
        .nulls(&["default_character_set_catalog", "default_character_set_schema", "default_character_set_name"])
        .nulls(&["sql_path"])
        .batch()
}

fn character_sets() -> DfResult<RecordBatch> {
    Making::of(&[()])
        .nulls(&["character_set_catalog", "character_set_schema"])
        .all("character_set_name", "UTF8")
        .all("character_repertoire", "UCS")
        .all("form_of_use", "UTF8")
        .all("default_collate_catalog", CATALOG)
        .all("default_collate_schema", INFORMATION_SCHEMA)
        .all("default_collate_name", "C")
        .batch()
}

/// Texts are ordered by their bytes.
fn collations() -> DfResult<RecordBatch> {
    Making::of(&[()])
        .all("collation_catalog", CATALOG)
        .all("collation_schema", INFORMATION_SCHEMA)
        .all("collation_name", "C")
        .all("pad_attribute", "NO PAD")
        .batch()
}
