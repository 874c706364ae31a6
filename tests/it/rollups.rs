//! Rollups change no answer: whatever is refreshed, lands meanwhile, is compacted or redefined, an engine with rollups says
//! what one without them says. `random` asks what nobody thought of, `reports` the catalogue. Refreshes that fail or are given
//! up are tested beside the engine (src/engine/tests/rollups.rs), where a store can be made to fail.

mod command;
mod lake;
mod questions;
mod racing;
mod random;
mod reports;
mod shown;
mod split;
mod words;

use arrow::datatypes::DataType;
use saleslake::access::Caller;
use saleslake::engine::{Answer as By, Engine, QueryOptions};
use saleslake::error::Result;

use crate::common::Answer;

/// An answer with its types, and what rollups had to do with it.
#[derive(Debug)]
pub struct Told {
    pub answer: Answer,
    pub types: Vec<DataType>,
    pub by: Vec<By>,
}

impl Told {
    /// Whether a rollup answered an aggregate of it.
    pub fn is_by_rollup(&self) -> bool {
        self.by.iter().any(|by| by.why_not.is_none())
    }

    /// What the receipt would say.
    pub fn says(&self) -> String {
        self.by.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    /// The only value.
    pub fn value(&self) -> &str {
        &self.answer.rows[0][0]
    }
}

pub async fn ask(engine: &Engine, sql: &str, options: QueryOptions) -> Result<Told> {
    let rows = engine.query(sql, QueryOptions { label: "test".into(), ..options }, &Caller::local()).await?;
    let columns = rows.schema.fields().iter().map(|field| field.name().clone()).collect();
    let types = rows.schema.fields().iter().map(|field| field.data_type().clone()).collect();
    let by = rows.answers.clone();
    Ok(Told { answer: Answer::of(&rows.collect().await?, columns), types, by })
}

/// What both engines say, which read the same state; rows of no order.
///
/// # Errors
/// They do not say the same: both answers, told.
///
/// # Panics
/// The statement does not run without rollups.
pub async fn both(on: &Engine, off: &Engine, sql: &str, options: &QueryOptions) -> Result<Told, String> {
    let (with, without) = tokio::join!(ask(on, sql, options.clone()), ask(off, sql, options.clone()));
    let without = without.unwrap_or_else(|e| panic!("{sql}\n{e} ({:?})", e.hint_text()));
    assert!(without.by.is_empty(), "rollups are off there: {}", without.says());
    let with = with.map_err(|e| format!("{sql}\nfails with rollups: {e} ({:?})", e.hint_text()))?;
    let sorted = |told: &Told| {
        let mut rows = told.answer.rows.clone();
        rows.sort();
        rows
    };
    let (got, expected) = (sorted(&with), sorted(&without));
    if got == expected && with.answer.columns == without.answer.columns && with.types == without.types {
        return Ok(with);
    }
    let only = |these: &[Vec<String>], others: &[Vec<String>]| {
        let found = these.iter().filter(|row| !others.contains(row)).take(6).map(|row| format!("    {row:?}"));
        found.collect::<Vec<_>>().join("\n")
    };
    Err(format!(
        "{sql}\n  {}\n  with rollups {} rows of {:?} {:?}, only there\n{}\n  without {} rows of {:?} {:?}, only there\n{}",
        with.says(),
        got.len(),
        with.answer.columns,
        with.types,
        only(&got, &expected),
        expected.len(),
        without.answer.columns,
        without.types,
        only(&expected, &got)
    ))
}

/// As [`both`], where they must agree.
///
/// # Panics
/// They do not.
pub async fn agreed(on: &Engine, off: &Engine, sql: &str) -> Told {
    both(on, off, sql, &QueryOptions::default()).await.unwrap_or_else(|told| panic!("{told}"))
}
