//! What there is to read: tables and views with their columns and meanings, for catalogues.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;

use super::dims::{dimensions, type_name};
use super::listed::LISTS;
use super::rows::plain_schema;
use super::session::{BASE, MAIN, SYSTEM};
use super::snapshot::Snapshot;
use crate::model::calendar::{CALENDAR, FISCAL_CALENDAR, HOLIDAY_CALENDAR};
use crate::model::{Column, MONTH, TABLES, Table};

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// `main` (names need no prefix), `base` or `system`.
    pub schema: String,
    pub name: String,
    pub kind: RelationKind,
    pub columns: Vec<RelationColumn>,
    pub about: String,
    /// The columns with the types in which rows of it are answered.
    pub arrow: SchemaRef,
    /// The columns of which no two rows have equal values; empty = none are known.
    pub primary_key: Vec<String>,
    pub foreign_keys: Vec<ForeignKey>,
}

/// A column that names a row of another relation, where there is such a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    pub column: String,
    /// Schema, name and key column of that relation.
    pub schema: String,
    pub table: String,
    pub key: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    Table,
    View,
}

impl RelationKind {
    pub fn name(self) -> &'static str {
        match self {
            RelationKind::Table => "table",
            RelationKind::View => "view",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationColumn {
    pub name: String,
    /// `TEXT`, `DECIMAL(18,4)`, `DATE` …
    pub kind: String,
    pub nullable: bool,
    /// Meaning and unit; empty where nobody said.
    pub about: String,
}

const MONTH_MEANS: &str = "month of the business date, YYYY-MM; the partition";

/// Everything that SQL may name, views first.
pub fn relations(snapshot: &Snapshot) -> Vec<Relation> {
    let mut all = Vec::new();
    for view in snapshot.views().values() {
        let definition = view.definition();
        let about = |column: &str| definition.columns.get(column).cloned().unwrap_or_else(|| meaning(column));
        let history = dimensions().find(|d| definition.name == format!("{}_history", d.name));
        let key = history.map(|d| d.key).unwrap_or_default();
        all.push(relation(MAIN, view.name(), RelationKind::View, &view.schema(), key, &definition.about, about));
    }
    for table in dimensions() {
        let Some(current) = snapshot.dimension(table.name) else { continue };
        let about = format!("{} The current row of each.", table.about);
        let id: Vec<&str> = table.id_column().into_iter().collect();
        let schema = current.schema();
        all.push(relation(MAIN, table.name, RelationKind::Table, &schema, &id, &about, |c| of_table(table, c)));
    }
    for (name, columns, key, about) in [
        ("calendar", CALENDAR, &["date_key"][..], "One row per day, 2000 to 2050."),
        ("fiscal_calendar", FISCAL_CALENDAR, &["calendar_code", "date_key"], "One row per day and retail calendar."),
        ("holiday_calendar", HOLIDAY_CALENDAR, &["holiday_set", "date_key"], "One row per day and set of feasts."),
    ] {
        all.push(relation(MAIN, name, RelationKind::Table, &contract_schema(columns), key, about, |c| {
            of_columns(columns.iter(), c)
        }));
    }
    for table in TABLES {
        let Some(stored) = snapshot.table(table.name) else { continue };
        let schema = stored.schema();
        all.push(relation(BASE, table.name, RelationKind::Table, &schema, table.key, table.about, |c| {
            of_table(table, c)
        }));
    }
    let log: BTreeMap<_, _> = super::log::COLUMNS.into();
    let about = |c: &str| log.get(c).copied().unwrap_or_default().to_string();
    let schema = super::log::schema();
    all.push(relation(SYSTEM, "queries", RelationKind::Table, &schema, &[], "The last queries, newest last.", about));
    for (name, what, columns) in LISTS {
        let about = |c: &str| columns.iter().find(|(n, ..)| *n == c).map(|(.., a)| a.to_string()).unwrap_or_default();
        all.push(relation(SYSTEM, name, RelationKind::Table, &super::listed::schema(columns), &[], what, about));
    }
    all
}

fn relation(
    schema: &str,
    name: &str,
    kind: RelationKind,
    columns: &Schema,
    key: &[&str],
    about: &str,
    meaning: impl Fn(&str) -> String,
) -> Relation {
    let (arrow, foreign_keys) = (plain_schema(columns), foreign_keys(name, columns));
    let columns = columns.fields().iter().map(|f| RelationColumn {
        name: f.name().clone(),
        kind: type_name(f.data_type()),
        nullable: f.is_nullable(),
        about: meaning(f.name()),
    });
    Relation {
        schema: schema.into(),
        name: name.into(),
        kind,
        columns: columns.collect(),
        about: about.into(),
        arrow,
        primary_key: key.iter().map(ToString::to_string).collect(),
        foreign_keys,
    }
}

/// Columns are named after the dimension that they point at: `location_id`, `fulfil_location_id`. A dimension does not
/// point at itself by its own id.
fn foreign_keys(relation: &str, columns: &Schema) -> Vec<ForeignKey> {
    let points_at = |column: &str| {
        let named = |id: &str| column == id || column.strip_suffix(id).is_some_and(|before| before.ends_with('_'));
        dimensions().find_map(|d| d.id_column().filter(|id| named(id)).map(|id| (d.name, id)))
    };
    let keys = columns.fields().iter().filter_map(|field| {
        let (table, key) = points_at(field.name())?;
        let itself = relation.strip_suffix("_history").unwrap_or(relation) == table && field.name() == key;
        (!itself).then(|| ForeignKey {
            column: field.name().clone(),
            schema: MAIN.into(),
            table: table.into(),
            key: key.into(),
        })
    });
    keys.collect()
}

fn contract_schema(columns: &[Column]) -> Schema {
    Schema::new(columns.iter().map(Column::field).collect::<Vec<Field>>())
}

fn of_table(table: &'static Table, column: &str) -> String {
    match column {
        MONTH => MONTH_MEANS.into(),
        _ => of_columns(table.stored_columns(), column),
    }
}

fn of_columns<'a>(mut columns: impl Iterator<Item = &'a Column>, name: &str) -> String {
    columns.find(|c| c.name == name).map(|c| c.about.to_string()).unwrap_or_default()
}

/// What the contracts say of a column of this name, for views that pass it on.
fn meaning(column: &str) -> String {
    static MEANINGS: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
        let all = TABLES.iter().rev().flat_map(|t| t.stored_columns()).filter(|c| !c.about.is_empty());
        all.map(|c| (c.name, c.about)).chain([(MONTH, MONTH_MEANS)]).collect()
    });
    MEANINGS.get(column).copied().unwrap_or_default().to_string()
}
