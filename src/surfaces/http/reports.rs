//! `GET /api/v1/reports` and `GET /api/v1/reports/{id}`: what can be asked, and how.

use axum::extract::{Path, RawQuery, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::problem::Problem;
use super::{HttpState, params};
use crate::access::Caller;
use crate::error::Error;

/// All reports in brief, and those whose file is broken with what is wrong.
pub async fn list(State(state): State<HttpState>, RawQuery(query): RawQuery) -> Result<Json<Value>, Problem> {
    params::nothing_but(&params::pairs(query.as_deref())?, &[])?;
    let reports = state.reports.now();
    let brief = reports.list().into_iter().map(|report| {
        json!({
            "id": report.id,
            "folder": report.folder,
            "title": report.title,
            "about": report.about,
            "href": format!("/api/v1/reports/{}", report.id),
        })
    });
    Ok(Json(json!({ "reports": brief.collect::<Vec<_>>(), "broken": reports.broken() })))
}

/// One report: parameters with types, defaults and the values that the data has, policies, slicers, columns.
pub async fn show(
    State(state): State<HttpState>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, Problem> {
    params::nothing_but(&params::pairs(query.as_deref())?, &[])?;
    let reports = state.reports.now();
    let info = reports.get(&id)?.info();
    let mut shown = serde_json::to_value(info).map_err(|e| Error::internal(format!("report {id}: {e}")))?;
    for (at, param) in info.params.iter().enumerate().filter(|(_, p)| p.values_from_data) {
        shown["params"][at]["values"] = json!(reports.values(&id, &param.name, &caller).await?);
    }
    shown["run"] = json!(format!("/api/v1/reports/{id}/run"));
    Ok(Json(shown))
}
