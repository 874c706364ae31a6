//! What the engine does to a statement beside planning it. It must not execute anything nor look up tables.
//!
//! In the order of a query:
//! 1. [`assemble()`] plans the statement (for `compare` twice), adds the rows of the others and of totals, orders and limits the result;
//! 2. [`slicers::sliced`] puts a filter above every fact path, or refuses a slicer by name
//!    ([`members::resolve`] turns the slicers' words into keys first);
//! 3. [`expand::expanded`] replaces opaque views by their plans under the query's policies.
//!
//! All take plans as SQL gave them: the stock analyzer (grouping functions, type coercion) runs afterwards.

mod assemble;
pub mod compare;
mod day_map;
mod distinct;
pub mod expand;
mod layers;
pub mod members;
mod nulls;
pub mod order;
mod others;
mod overall;
mod period;
mod pushdown;
pub mod slicers;
mod spans;
pub mod stock;
#[cfg(test)]
mod testing;
pub mod totals;

pub use assemble::{ROW_KIND, assemble};

use datafusion::error::DataFusionError;

use crate::error::Error;

/// One of our errors on its way through DataFusion; `classify` finds it again.
fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
