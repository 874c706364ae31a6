//! Sets as bytes: what a row of a rollup keeps, so that "how many different ones" is exact over any rows. None of these
//! functions is registered: plans are built with them. They must not look anything up but in the dictionary given to them.
//!
//! | function | result |
//! |---|---|
//! | `numbered(text)` | Binary: the text's number, as a set of one; NULL where the text is NULL |
//! | `set_union(set)` | Binary: the numbers that are in any of the sets; NULL if there are none |
//! | `set_size(set)` | Int64: how many numbers are in any of the sets; 0 if there are none, never NULL |
//! | `value_hashes(text)` | Binary: the hashes of the distinct values, see [`hashes()`]; NULL if there are none |
//!
//! A set is Binary: 4 bytes are one number (little endian), more are a roaring bitmap in its portable form. Sets and hashes
//! are stored, so what they are made of must never change.

mod aggregate;
mod column;
mod distinct;
mod groups;
mod hashes;
mod numbered;
mod set;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use crate::engine::rollups::numbers::Numbers;
use aggregate::{Aggregate, Kind};
use numbered::Numbered;

pub use groups::takes;
pub use hashes::hashes;

/// `numbered(text)` → Binary: the text's number in `numbers`, 4 bytes, little endian. Two are equal if they share `numbers`.
pub fn numbered(numbers: Arc<Numbers>) -> ScalarUDF {
    ScalarUDF::from(Numbered::new(numbers))
}

/// `set_union(set)` → Binary: the numbers that are in any of the sets; NULL if there are none.
pub fn set_union() -> AggregateUDF {
    AggregateUDF::from(Aggregate::new(Kind::Union))
}

/// `set_size(set)` → Int64: how many numbers are in any of the sets; never NULL.
pub fn set_size() -> AggregateUDF {
    AggregateUDF::from(Aggregate::new(Kind::Size))
}

/// `value_hashes(text)` → Binary: the distinct values' xxh3-64, ascending, 8 bytes each, little endian; NULL if there are
/// none. [`hashes()`] reads them.
pub fn value_hashes() -> AggregateUDF {
    AggregateUDF::from(Aggregate::new(Kind::Hashes))
}
