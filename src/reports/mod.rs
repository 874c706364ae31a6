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
mod needs;
mod params;
mod receipt;
mod request;
mod run;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDate;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};

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

use check::Depth;
use choices::Choices;
use header::Header;
use needs::{Need, Needs};

/// Files by name.
type Files = BTreeMap<String, QueryFile>;

/// Reports that are planned at once, on the engine's threads.
const AT_ONCE: usize = 4;

/// The reports of one engine.
#[derive(Debug)]
pub struct Reports {
    engine: Engine,
    reports: BTreeMap<String, Arc<Report>>,
    broken: BTreeMap<String, Broken>,
    /// All that there are, loaded or not.
    names: Vec<String>,
    choices: Choices,
    found: Needs,
}

/// A report that kept its promises.
#[derive(Debug)]
pub struct Report {
    info: ReportInfo,
    header: Header,
    needs: Vec<Need>,
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

/// Which reports are loaded, and how closely they are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All, and every promise of every file is checked.
    Checked,
    /// All. What was shipped with this program was checked when that was built, and is only described.
    All,
    /// Only these, as `All`: for one command. The others are known by their names.
    Only(BTreeSet<String>),
}

impl Reports {
    /// Loads the embedded reports and those of `queries_dir`, which add and override by name.
    ///
    /// # Errors
    /// Folders that cannot be read. A file that is no report is no error: see [`Reports::broken`].
    pub async fn load(queries_dir: Option<&Path>, engine: &Engine, wanted: &Wanted) -> Result<Reports> {
        let views = engine.view_texts();
        let today = engine.today().await?;
        let files = load_folder("reports", queries_dir)?;
        let shipped = shipped(queries_dir, wanted)?;
        let reads: Vec<BoxFuture<'_, _>> = chosen(&files, wanted)
            .map(|(id, file)| {
                let depth =
                    if shipped.get(id).is_some_and(|s| s.text == file.text) { Depth::Described } else { Depth::Whole };
                let read = Report::read(file, &views, engine, today, depth);
                async move { (id, file, read.await) }.boxed()
            })
            .collect();
        let (mut reports, mut broken) = (BTreeMap::new(), BTreeMap::new());
        let mut read = stream::iter(reads).buffer_unordered(AT_ONCE);
        while let Some((id, file, read)) = read.next().await {
            match read {
                Ok(report) => drop(reports.insert(id.clone(), Arc::new(report))),
                Err(error) => {
                    let (path, hint) = (file.path.clone(), error.hint_text().map(String::from));
                    broken.insert(id.clone(), Broken { id: id.clone(), path, reason: error.to_string(), hint });
                }
            }
        }
        drop(read);
        let names = files.into_keys().collect();
        Ok(Reports {
            engine: engine.clone(),
            reports,
            broken,
            names,
            choices: Choices::default(),
            found: Needs::default(),
        })
    }

    /// Loads everything anew; a report that is broken now stays as it was here.
    pub(super) async fn reloaded(&self, queries_dir: Option<&Path>) -> Result<Reports> {
        let mut next = Reports::load(queries_dir, &self.engine, &Wanted::All).await?;
        let (views, today) = (self.engine.view_texts(), self.engine.today().await?);
        for id in next.broken.keys() {
            let Some(report) = self.reports.get(id) else { continue };
            // Its text is the old one, the views that it reads may be new: its hash must tell.
            let again = Report::read(&report.file, &views, &self.engine, today, Depth::Whole).boxed().await;
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
                .hint(did_you_mean(id, self.names.iter().map(String::as_str)))),
        }
    }
}

/// The files that are wanted. A report that calls others needs all of them.
fn chosen<'a>(files: &'a Files, wanted: &Wanted) -> impl Iterator<Item = (&'a String, &'a QueryFile)> {
    let only = match wanted {
        Wanted::Only(ids) if !ids.iter().filter_map(|id| files.get(id)).any(|f| calls_reports(&f.sql)) => {
            Some(ids.clone())
        }
        _ => None,
    };
    files.iter().filter(move |(id, _)| only.as_ref().is_none_or(|ids| ids.contains(*id)))
}

/// Whether `sql` may name reports: in a call, `report('…')`, or in the lists of them, which are in `system`.
pub fn calls_reports(sql: &str) -> bool {
    let sql = sql.to_ascii_lowercase();
    let called = |(at, word): (usize, &str)| {
        let behind = sql.get(at + word.len()..).unwrap_or_default();
        behind.trim_start_matches(|c: char| c == '"' || c.is_whitespace()).starts_with('(')
    };
    sql.contains("system") || sql.match_indices("report").any(called)
}

/// The files that came with this program and need no further look: none where a view is not the shipped one.
fn shipped(queries_dir: Option<&Path>, wanted: &Wanted) -> Result<Files> {
    let texts =
        |dir| Ok::<_, Error>(load_folder("views", dir)?.into_values().map(|file| file.text).collect::<Vec<_>>());
    match *wanted != Wanted::Checked && (queries_dir.is_none() || texts(queries_dir)? == texts(None)?) {
        true => load_folder("reports", None),
        false => Ok(Files::new()),
    }
}

impl Report {
    async fn read(
        file: &QueryFile,
        views: &BTreeMap<String, String>,
        engine: &Engine,
        today: NaiveDate,
        depth: Depth,
    ) -> Result<Report> {
        let header: Header = file.header()?;
        let described = check::check(file, &header, engine, today, depth).await?;
        let read = described.relations.iter().filter_map(|name| views.get_key_value(name));
        let hash = receipt::report_hash(file, read);
        let info = ReportInfo::new(file, &header, &described, hash);
        beside::check(&header, &info, today)?;
        let needs = info.needs.iter().map(|need| Need::read(need)).collect::<Result<_>>()?;
        Ok(Report { info, header, needs, file: file.clone() })
    }
}
