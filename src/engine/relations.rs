//! What there is to read: tables and views with their columns and meanings, for catalogues.

use arrow::datatypes::{Field, Schema};
use datafusion::catalog::TableProvider;
use std::collections::BTreeMap;

use super::dims::{dimensions, type_name};
use super::session::{BASE, MAIN, SYSTEM};
use super::snapshot::Snapshot;
use crate::model::calendar::{CALENDAR, FISCAL_CALENDAR};
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

/// Everything that SQL may name, views first.
pub fn relations(snapshot: &Snapshot) -> Vec<Relation> {
    let mut all = Vec::new();
    for view in snapshot.views().values() {
        let definition = view.definition();
        let about = |column: &str| definition.columns.get(column).cloned().unwrap_or_else(|| meaning(column));
        all.push(relation(MAIN, view.name(), RelationKind::View, &view.schema(), &definition.about, about));
    }
    for table in dimensions() {
        let Some(current) = snapshot.dimension(table.name) else { continue };
        let about = format!("{} The current row of each.", table.about);
        all.push(relation(MAIN, table.name, RelationKind::Table, &current.schema(), &about, |c| of_table(table, c)));
    }
    for (name, columns, about) in [
        ("calendar", CALENDAR, "One row per day, 2000 to 2050."),
        ("fiscal_calendar", FISCAL_CALENDAR, "One row per day and retail calendar."),
    ] {
        all.push(relation(MAIN, name, RelationKind::Table, &contract_schema(columns), about, |c| {
            of_columns(columns.iter(), c)
        }));
    }
    for table in TABLES {
        let Some(stored) = snapshot.table(table.name) else { continue };
        all.push(relation(BASE, table.name, RelationKind::Table, &stored.schema(), table.about, |c| {
            of_table(table, c)
        }));
    }
    let log: BTreeMap<_, _> = super::log::COLUMNS.into();
    let about = |c: &str| log.get(c).copied().unwrap_or_default().to_string();
    let schema = super::log::schema();
    all.push(relation(SYSTEM, "queries", RelationKind::Table, &schema, "The last queries, newest last.", about));
    all
}

fn relation(
    schema: &str,
    name: &str,
    kind: RelationKind,
    columns: &Schema,
    about: &str,
    meaning: impl Fn(&str) -> String,
) -> Relation {
    let columns = columns.fields().iter().map(|f| RelationColumn {
        name: f.name().clone(),
        kind: type_name(f.data_type()),
        nullable: f.is_nullable(),
        about: meaning(f.name()),
    });
    Relation { schema: schema.into(), name: name.into(), kind, columns: columns.collect(), about: about.into() }
}

fn contract_schema(columns: &[Column]) -> Schema {
    Schema::new(columns.iter().map(Column::field).collect::<Vec<Field>>())
}

fn of_table(table: &'static Table, column: &str) -> String {
    match column {
        MONTH => "month of the business date, YYYY-MM; the partition".into(),
        _ => of_columns(table.stored_columns(), column),
    }
}

fn of_columns<'a>(mut columns: impl Iterator<Item = &'a Column>, name: &str) -> String {
    columns.find(|c| c.name == name).map(|c| c.about.to_string()).unwrap_or_default()
}

/// What the contracts say of a column of this name, for views that pass it on.
fn meaning(column: &str) -> String {
    TABLES.iter().map(|t| of_table(t, column)).find(|about| !about.is_empty()).unwrap_or_default()
}
