//! What a statement says, where parser and planner would have it say something else or leave a part out without a word: it is
//! put right here, or refused. It works on the parsed statement and must not plan anything.

mod bags;
mod distinct;
pub mod patterns;

use datafusion::sql::sqlparser::ast::Statement;

use super::options::Dialect;
use crate::error::Result;

/// Has `statement` mean what it says.
///
/// # Errors
/// `Invalid`: what would be answered wrongly.
pub fn keep(statement: &mut Statement, dialect: Dialect) -> Result<()> {
    bags::check(statement)?;
    distinct::regroup(statement);
    patterns::translate(statement, dialect)
}
