//! Reports: SQL files with a header, loaded, checked against the engine's plans, run with bound parameters.
//!
//! ```text
//! file ─ header ─ check (lint · describe) ─ Report          Request ─ request + params + dates ─ QueryOptions ─ engine ─ Run
//! ```
//!
//! A file that breaks a promise is listed as broken and the others are served. Nothing here executes SQL behind the engine's
//! back, and no report knows who asked or in which format.

mod beside;
pub mod catalogue;
mod check;
mod choices;
mod dates;
mod header;
mod in_sql;
mod info;
mod lint;
mod live;
mod params;
mod receipt;
mod request;
mod run;
#[cfg(test)]
mod tests;

use futures::FutureExt;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;

use crate::engine::Engine;
use crate::error::{Error, Result, did_you_mean};
use crate::queryfile::{QueryFile, load_folder};

pub use beside::Outcome;
pub use header::{Chart, ChartKind, Title};
pub use info::{Broken, ColumnInfo, ParamInfo, PolicyInfo, ReportInfo};
pub use live::LiveReports;
pub use params::MOST_ROWS;
pub use receipt::{Receipt, ReceiptHead};
pub use request::{COMPARISONS, Request};
pub use run::Run;

use choices::Choices;
use header::Header;

/// The reports of one engine.
#[derive(Debug)]
pub struct Reports {
    engine: Engine,
    reports: BTreeMap<String, Arc<Report>>,
    broken: BTreeMap<String, Broken>,
    choices: Choices,
}

/// A report that kept its promises.
#[derive(Debug)]
pub struct Report {
    info: ReportInfo,
    header: Header,
    file: QueryFile,
}

impl Report {
    pub fn info(&self) -> &ReportInfo {
        &self.info
    }
    /// The statement, parameters as `$name`.
    pub fn sql(&self) -> &str {
        self.file.sql.trim()
    }
}

impl Reports {
    /// Loads the embedded reports and those of `queries_dir`, which add and override by name, and checks each.
    ///
    /// # Errors
    /// Folders that cannot be read. A file that is no report is no error: see [`Reports::broken`].
    pub async fn load(queries_dir: Option<&Path>, engine: &Engine) -> Result<Reports> {
        let views = engine.view_texts();
        let today = engine.today().await?;
        let (mut reports, mut broken) = (BTreeMap::new(), BTreeMap::new());
        for (id, file) in load_folder("reports", queries_dir)? {
            match Report::read(&file, &views, engine, today).boxed().await {
                Ok(report) => drop(reports.insert(id, Arc::new(report))),
                Err(error) => {
                    let hint = error.hint_text().map(String::from);
                    broken.insert(id.clone(), Broken { id, path: file.path, reason: error.to_string(), hint });
                }
            }
        }
        Ok(Reports { engine: engine.clone(), reports, broken, choices: Choices::default() })
    }

    /// Loads everything anew; a report that is broken now stays as it was here.
    pub(super) async fn reloaded(&self, queries_dir: Option<&Path>) -> Result<Reports> {
        let mut next = Reports::load(queries_dir, &self.engine).await?;
        let (views, today) = (self.engine.view_texts(), self.engine.today().await?);
        for id in next.broken.keys() {
            let Some(report) = self.reports.get(id) else { continue };
            // Its text is the old one, the views that it reads may be new: its hash must tell.
            let again = Report::read(&report.file, &views, &self.engine, today).boxed().await;
            next.reports.insert(id.clone(), again.map_or_else(|_| Arc::clone(report), Arc::new));
        }
        Ok(next)
    }

    /// Every report that can be run, by folder and id.
    pub fn list(&self) -> Vec<&ReportInfo> {
        let mut list: Vec<&ReportInfo> = self.reports.values().map(|r| r.info()).collect();
        list.sort_by(|a, b| (&a.folder, &a.id).cmp(&(&b.folder, &b.id)));
        list
    }

    /// Report files that cannot be run, with their reasons.
    pub fn broken(&self) -> Vec<&Broken> {
        self.broken.values().collect()
    }

    /// The report `id`.
    ///
    /// # Errors
    /// `NotFound` with near names; `Unavailable` with the reason if its file is broken.
    pub fn get(&self, id: &str) -> Result<&Report> {
        if let Some(report) = self.reports.get(id) {
            return Ok(report);
        }
        match self.broken.get(id) {
            Some(broken) => Err(Error::unavailable(format!("report {id} is broken: {}", broken.reason))
                .hint(broken.hint.clone().unwrap_or_else(|| format!("mend {}", broken.path)))),
            None => Err(Error::not_found(format!("there is no report {id}"))
                .hint(did_you_mean(id, self.reports.keys().map(String::as_str)))),
        }
    }
}

impl Report {
    async fn read(
        file: &QueryFile,
        views: &BTreeMap<String, String>,
        engine: &Engine,
        today: NaiveDate,
    ) -> Result<Report> {
        let header: Header = file.header()?;
        let described = check::check(file, &header, engine, today).await?;
        let read = described.relations.iter().filter_map(|name| views.get_key_value(name));
        let hash = receipt::report_hash(file, read);
        let info = ReportInfo::new(file, &header, &described, hash);
        beside::check(&header, &info, today)?;
        Ok(Report { info, header, file: file.clone() })
    }
}
