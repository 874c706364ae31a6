//! Rollups: aggregates of a view that the engine keeps up to date and answers from by itself, on every surface.
//!
//! ```text
//! queries/rollups/sales_day.sql ─ definition ─┐
//! Delta tables ── which files are in a month ─┴─ ready ── answer: an aggregate of a statement over the rollup's rows
//!                                                 └────── refresh: the months that are not current, made anew
//! ```
//!
//! A rollup is a Delta table of the lake, kept per month. Each of its files says in `built_from` what it was made from: the
//! files that its sources had in that month, and the texts that define it. A month is current where that is what the snapshot
//! has; of other months the tables tell. So an answer is always that of the snapshot, whoever refreshes and whenever.
//! It must not change an answer.

mod answer;
mod attach;
mod contract;
mod days;
mod definition;
mod dictionary;
mod held;
mod month;
pub mod numbers;
mod ready;
mod refresh;
mod rows;
mod sources;
mod told;

pub use answer::{Answer, answered};
pub use attach::{Known, Parts, attach};
pub use definition::{Definition, Kind, Rollup};
pub use dictionary::NUMBERS;
pub use month::Month;
pub use ready::{Kept, Ready};
pub use refresh::{Made, Refreshed};
pub use rows::RollupRows;
pub use told::explained;
