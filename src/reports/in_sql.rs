//! Reports as SQL names them: `SELECT * FROM report('sales-by-region', 'from=2026-01-01')`, and the lists `system.reports`
//! and `system.report_params`. A report that is asked this way is checked as any other request; it must not be run here.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::live::Shelf;
use super::{ReportInfo, Reports, Request};
use crate::access::Caller;
use crate::engine::{QueryOptions, ReportParam, ReportRow, ReportSource};
use crate::error::{Error, Result};
use crate::model::slicer::slicer;

impl ReportSource for Reports {
    fn asked<'a>(
        &'a self,
        id: &'a str,
        values: Vec<(String, String)>,
        caller: &'a Caller,
    ) -> BoxFuture<'a, Result<(String, QueryOptions)>> {
        async move {
            let report = self.get(id)?;
            let asked = self.understand(report, &Request { values }, caller).await?;
            if asked.options.at.is_some() {
                return Err(Error::invalid(
                    "known_at: a statement reads one state of the lake, so a report in it cannot ask for another",
                )
                .hint(format!("saleslake report run {id} known_at=…, or GET /api/v1/reports/{id}/run?known_at=…")));
            }
            Ok((report.sql().to_string(), asked.options))
        }
        .boxed()
    }

    fn rows(&self) -> Vec<ReportRow> {
        self.list().into_iter().map(row).collect()
    }
}

impl ReportSource for Shelf {
    fn asked<'a>(
        &'a self,
        id: &'a str,
        values: Vec<(String, String)>,
        caller: &'a Caller,
    ) -> BoxFuture<'a, Result<(String, QueryOptions)>> {
        async move { self.now().asked(id, values, caller).await }.boxed()
    }

    fn rows(&self) -> Vec<ReportRow> {
        self.now().rows()
    }
}

fn row(info: &ReportInfo) -> ReportRow {
    let params = info.params.iter().map(|p| ReportParam {
        name: p.name.clone(),
        kind: p.kind.into(),
        default: p.default.clone(),
        values: p.values.as_ref().map(|values| values.join(",")),
        about: p.about.clone(),
    });
    let policies = info.policies.iter().map(|p| ReportParam {
        name: p.name.clone(),
        kind: "policy".into(),
        default: Some(p.default.clone()),
        values: Some(p.values.join(",")),
        about: p.about.clone(),
    });
    let slicers = info.slicers.iter().map(|name| ReportParam {
        name: format!("where.{name}"),
        kind: "slicer".into(),
        about: match slicer(name).and_then(|s| s.dimension) {
            Some(dimension) => format!("ids or names of {dimension}, with commas"),
            None => "true or false".into(),
        },
        ..ReportParam::default()
    });
    ReportRow {
        id: info.id.clone(),
        folder: info.folder.clone(),
        title: info.title.en.clone(),
        title_zh: info.title.zh.clone(),
        about: info.about.clone(),
        params: params.chain(policies).chain(slicers).collect(),
    }
}
