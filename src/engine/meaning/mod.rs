//! What a statement says, where parser and planner would have it say something else or leave a part out without a word: it is
//! put right here, or refused. It works on the parsed statement and must not plan anything.

mod bags;
mod distinct;
pub mod patterns;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, Statement, TableFactor, VisitMut, VisitorMut};

use super::options::Dialect;
use crate::error::{Error, Result};

/// Has `statement` mean what it says.
///
/// # Errors
/// `Invalid`: what would be answered wrongly.
pub fn keep(statement: &mut Statement, dialect: Dialect) -> Result<()> {
    VisitMut::visit(statement, &mut Keep(dialect)).break_value().map_or(Ok(()), Err)
}

struct Keep(Dialect);

impl VisitorMut for Keep {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        or_stop(bags::counted(&query.body))
    }
    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        or_stop(bags::whole(factor))
    }
    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        or_stop(patterns::translate(expr, self.0))
    }
    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        distinct::lift(expr);
        ControlFlow::Continue(())
    }
}

fn or_stop(checked: Result<()>) -> ControlFlow<Error> {
    checked.map_or_else(ControlFlow::Break, ControlFlow::Continue)
}
