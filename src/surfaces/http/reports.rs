//! `GET /api/v1/reports` and `GET /api/v1/reports/{id}`: what can be asked, and how.

use axum::extract::{Path, RawQuery, State};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use super::{HttpState, params};
use crate::access::Caller;
use crate::reports::{Broken, ReportInfo, Title};

/// All reports in brief, and those whose file is broken with what is wrong.
#[derive(Serialize, ToSchema)]
pub struct ReportList {
    reports: Vec<ReportBrief>,
    broken: Vec<Broken>,
}

#[derive(Serialize, ToSchema)]
struct ReportBrief {
    id: String,
    folder: String,
    title: Title,
    about: String,
    /// Where the report is told in full.
    href: String,
}

/// One report: parameters with types, defaults and the values that the data has, policies, slicers, columns.
#[derive(Serialize, ToSchema)]
pub struct Report {
    #[serde(flatten)]
    info: ReportInfo,
    /// Where it runs.
    run: String,
}

pub async fn list(State(state): State<HttpState>, RawQuery(query): RawQuery) -> Result<Json<ReportList>, Problem> {
    params::nothing_but(&params::pairs(query.as_deref())?, &[])?;
    let reports = state.reports.now();
    let brief = reports.list().into_iter().map(|report| ReportBrief {
        id: report.id.clone(),
        folder: report.folder.clone(),
        title: report.title.clone(),
        about: report.about.clone(),
        href: format!("/api/v1/reports/{}", report.id),
    });
    Ok(Json(ReportList { reports: brief.collect(), broken: reports.broken().into_iter().cloned().collect() }))
}

pub async fn show(
    State(state): State<HttpState>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Report>, Problem> {
    params::nothing_but(&params::pairs(query.as_deref())?, &[])?;
    let reports = state.reports.now();
    let mut info = reports.get(&id)?.info().clone();
    for param in info.params.iter_mut().filter(|p| p.values_from_data) {
        param.values = reports.values(&id, &param.name, &caller).await?;
    }
    Ok(Json(Report { info, run: format!("/api/v1/reports/{id}/run") }))
}
