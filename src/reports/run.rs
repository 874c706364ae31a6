//! Running a report: a request becomes options, the engine answers, the receipt says what was asked and read.
//! It must not touch rows.

use chrono::NaiveDate;
use futures::FutureExt;

use super::header::Allowed;
use super::receipt::ReceiptHead;
use super::request::{Asked, Request, understand};
use super::{Report, Reports, params};
use crate::access::Caller;
use crate::engine::{Param, Rows};
use crate::error::{Error, Result, did_you_mean};

/// A report being answered.
#[derive(Debug)]
pub struct Run {
    pub rows: Rows,
    pub receipt: ReceiptHead,
}

impl Reports {
    /// Runs report `id`. Wrong requests and planning errors come from here, execution errors from the rows.
    ///
    /// # Errors
    /// `NotFound`: the report, a member. `Invalid`: a parameter, named with its value and what works. And the engine's.
    pub async fn run(&self, id: &str, request: Request, caller: &Caller) -> Result<Run> {
        self.answer(id, request, caller, false).await
    }

    /// The same, but never answered from the engine's cache.
    ///
    /// # Errors
    /// As [`Reports::run`].
    pub async fn run_anew(&self, id: &str, request: Request, caller: &Caller) -> Result<Run> {
        self.answer(id, request, caller, true).await
    }

    async fn answer(&self, id: &str, request: Request, caller: &Caller, fresh: bool) -> Result<Run> {
        let report = self.get(id)?;
        let mut asked = self.understand(report, &request, caller).boxed().await?;
        let mut notes = self.found.missing(&report.needs, &report.info.id, &self.engine, caller).boxed().await?;
        // Where no sales are, which days they cover says nothing more.
        if notes.is_empty() {
            notes = self.notes(report, &asked).boxed().await?;
        }
        asked.options.fresh = fresh;
        let rows = self.engine.query(report.sql(), asked.options.clone(), caller).await?;
        let mut receipt = ReceiptHead::new(report.info(), &asked, rows.snapshot.clone(), rows.versions.clone());
        receipt.rollups = rows.answers.iter().map(ToString::to_string).collect();
        receipt.cached = rows.cached;
        receipt.notes = notes;
        receipt.known_at = asked.known_at.map(|at| at.instant(self.engine.zone()).to_rfc3339());
        Ok(Run { rows, receipt })
    }

    /// What [`ReceiptHead::etag_key`] of a run would be now, without running: planning tells which tables it reads.
    ///
    /// # Errors
    /// As [`Reports::run`], but for execution.
    pub async fn etag_key(&self, id: &str, request: &Request, caller: &Caller) -> Result<String> {
        let report = self.get(id)?;
        let asked = self.understand(report, request, caller).boxed().await?;
        let described = self.engine.describe(report.sql(), &asked.options, caller).await?;
        Ok(ReceiptHead::new(report.info(), &asked, described.pin.snapshot, described.versions).etag_key(caller))
    }

    /// The values that parameter `name` of report `id` may have; `None` = any of its type.
    ///
    /// # Errors
    /// `NotFound`: the report or the parameter. And the engine's, for values that come from the data.
    pub async fn values(&self, id: &str, name: &str, caller: &Caller) -> Result<Option<Vec<String>>> {
        let report = self.get(id)?;
        let Some(param) = report.header.params.get(name) else {
            return Err(Error::not_found(format!("{id} has no parameter {name}"))
                .hint(did_you_mean(name, report.header.params.names())));
        };
        match &param.values {
            None => Ok(None),
            Some(Allowed::List(values)) => Ok(Some(values.clone())),
            Some(Allowed::Query(sql)) => {
                Ok(Some(self.choices.of(sql, &report.info.id, &self.engine, caller).await?.to_vec()))
            }
        }
    }

    pub(super) async fn understand(&self, report: &Report, request: &Request, caller: &Caller) -> Result<Asked> {
        let mut asked = understand(request, &report.info, &report.header, self.engine.today().await?)?;
        if let Some(known_at) = asked.known_at {
            asked.options.at = Some(self.engine.known_at(known_at.instant(self.engine.zone())).await?);
        }
        for (name, param) in &report.header.params.0 {
            let (Some(Allowed::Query(sql)), Some(value)) = (&param.values, asked.options.params.get(name)) else {
                continue;
            };
            if matches!(value, Param::Null(_)) {
                continue;
            }
            let allowed = self.choices.of(sql, &report.info.id, &self.engine, caller).await?;
            params::one_of(value, &allowed).map_err(|e| {
                let hint = e.hint_text().unwrap_or_default().to_string();
                Error::invalid(format!("parameter {name}: {}", e.message())).hint(hint)
            })?;
        }
        Ok(asked)
    }

    /// Which days the sales cover, when the asked period reaches beyond them.
    async fn notes(&self, report: &Report, asked: &Asked) -> Result<Vec<String>> {
        let Some(period) = &report.header.period else { return Ok(Vec::new()) };
        let bound = |name: &str| match asked.options.params.get(name) {
            Some(Param::Date(date)) => Some(*date),
            _ => None,
        };
        let (Some(from), Some(to)) = (bound(&period.from), bound(&period.to)) else { return Ok(Vec::new()) };
        Ok(coverage(from, to, self.engine.data_range().await?).into_iter().collect())
    }
}

/// A note when `[from, to)` reaches beyond the first and last business date of the sales.
fn coverage(from: NaiveDate, to: NaiveDate, data: Option<(NaiveDate, NaiveDate)>) -> Option<String> {
    let Some((first, last)) = data else { return Some("the lake holds no sales yet".into()) };
    match (to <= first || from > last, from < first || to.pred_opt().is_some_and(|day| day > last)) {
        (true, _) => Some(format!("no sales in {from} to {to} (excluded): the sales cover {first} to {last}")),
        (_, true) => Some(format!("the sales cover {first} to {last}, not all of {from} to {to} (excluded)")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_beyond_the_data_is_noted() {
        let d = |text: &str| text.parse::<NaiveDate>().unwrap();
        let data = Some((d("2024-01-02"), d("2025-12-30")));
        let note = |from: &str, to: &str| coverage(d(from), d(to), data).unwrap_or_default();
        assert_eq!(note("2024-01-02", "2025-12-31"), "");
        assert!(note("2024-01-01", "2025-12-31").starts_with("the sales cover 2024-01-02 to 2025-12-30"));
        assert!(note("2025-12-01", "2026-01-01").starts_with("the sales cover"));
        assert!(note("2023-01-01", "2024-01-02").starts_with("no sales in 2023-01-01 to 2024-01-02"));
        assert!(note("2025-12-31", "2026-02-01").starts_with("no sales"));
        assert_eq!(coverage(d("2024-01-01"), d("2024-02-01"), None).unwrap(), "the lake holds no sales yet");
    }
}
