//! `GET /api/v1/tables`: what SQL can read, with columns and their meaning.

use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::{Value, json};

use super::problem::Problem;
use super::{HttpState, params};
use crate::engine::Relation;

pub async fn tables(State(state): State<HttpState>, RawQuery(query): RawQuery) -> Result<Json<Value>, Problem> {
    params::nothing_but(&params::pairs(query.as_deref())?, &[])?;
    let tables: Vec<Value> = state.engine.relations().iter().map(relation).collect();
    Ok(Json(json!({ "snapshot": state.engine.snapshot().id, "tables": tables })))
}

fn relation(relation: &Relation) -> Value {
    let columns = relation
        .columns
        .iter()
        .map(|c| json!({ "name": c.name, "type": c.kind, "nullable": c.nullable, "about": c.about }));
    json!({
        "schema": relation.schema,
        "name": relation.name,
        "kind": relation.kind.name(),
        "about": relation.about,
        "columns": columns.collect::<Vec<_>>(),
    })
}
