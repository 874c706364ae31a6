//! `GET /api/v1/tables`: what SQL can read, with columns and their meaning.

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use super::{HttpState, params};
use crate::engine::{Relation, RelationColumn};

#[derive(Serialize, ToSchema)]
pub struct Tables {
    /// The engine's snapshot that has them.
    snapshot: String,
    tables: Vec<Table>,
}

#[derive(Serialize, ToSchema)]
struct Table {
    schema: String,
    name: String,
    /// `table` or `view`.
    kind: &'static str,
    about: String,
    columns: Vec<TableColumn>,
}

#[derive(Serialize, ToSchema)]
struct TableColumn {
    name: String,
    /// The SQL type's name.
    #[serde(rename = "type")]
    kind: String,
    nullable: bool,
    /// Meaning and unit.
    about: String,
}

pub async fn tables(State(state): State<HttpState>, RawQuery(query): RawQuery) -> Result<Json<Tables>, Problem> {
    params::nothing_but(&params::pairs(query.as_deref())?, &[])?;
    let tables = state.engine.relations().iter().map(table).collect();
    Ok(Json(Tables { snapshot: state.engine.snapshot().id.clone(), tables }))
}

fn table(relation: &Relation) -> Table {
    Table {
        schema: relation.schema.clone(),
        name: relation.name.clone(),
        kind: relation.kind.name(),
        about: relation.about.clone(),
        columns: relation.columns.iter().map(column).collect(),
    }
}

fn column(column: &RelationColumn) -> TableColumn {
    TableColumn {
        name: column.name.clone(),
        kind: column.kind.clone(),
        nullable: column.nullable,
        about: column.about.clone(),
    }
}
