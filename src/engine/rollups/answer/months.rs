//! In which months an expression over a view's date is not the same on every day. A rollup that is kept by the month answers for
//! the others, whatever the expression: it is worked out for every day that the rollup knows.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use arrow::compute::kernels::cmp::not_distinct;
use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::SessionState;
use datafusion::logical_expr::Expr;

use super::super::days::{days_of, on_days};
use super::super::{Month, Ready};

/// The months of one rollup, for one aggregate.
pub struct Months<'a> {
    ready: &'a Ready,
    session: &'a SessionState,
    known: RefCell<HashMap<Expr, Option<BTreeSet<Month>>>>,
    changing: RefCell<BTreeSet<Month>>,
}

impl<'a> Months<'a> {
    pub fn new(ready: &'a Ready, session: &'a SessionState) -> Months<'a> {
        Months { ready, session, known: RefCell::default(), changing: RefCell::default() }
    }

    /// Whether `of`, over the view's columns without its name, can be told by the rollup's date: it is one of days, or `of` is the
    /// same on all days of at least every second month. The other months are kept in mind.
    pub fn hold(&self, of: &Expr) -> bool {
        let rollup = self.ready.rollup();
        if !rollup.is_by_month() {
            return true;
        }
        let columns = of.column_refs();
        let dates = columns.iter().filter(|column| column.name == rollup.date()).count();
        if dates == 0 {
            return true;
        }
        if dates < columns.len() {
            let mut all = true;
            let walked = of.apply_children(|part| {
                all &= self.hold(part);
                Ok(if all { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
            });
            return all && walked.is_ok();
        }
        let known = self.known.borrow().get(of).cloned();
        let changing = known.unwrap_or_else(|| {
            let changing = self.of_days(of).ok().flatten();
            self.known.borrow_mut().insert(of.clone(), changing.clone());
            changing
        });
        match changing {
            Some(months) => {
                self.changing.borrow_mut().extend(months);
                true
            }
            None => false,
        }
    }

    /// The months that have to be told by the day, of all expressions so far.
    pub fn changing(&self) -> BTreeSet<Month> {
        self.changing.borrow().clone()
    }

    /// The months in which `of` changes from one day to the next; `None`: most.
    fn of_days(&self, of: &Expr) -> Result<Option<BTreeSet<Month>>> {
        let months = self.ready.months(&(i32::MIN..=i32::MAX));
        let days = days_of(months.iter().copied());
        let date = self.ready.rollup().date();
        let values = on_days(of, date, days.iter().map(|(_, day)| *day).collect(), self.session)?;
        let Some(pairs) = days.len().checked_sub(1) else { return Ok(Some(BTreeSet::new())) };
        let same = not_distinct(&values.slice(0, pairs), &values.slice(1, pairs))?;
        let changes = days.windows(2).zip(same.values().iter()).filter(|(pair, same)| !same && pair[0].0 == pair[1].0);
        let changing: BTreeSet<Month> = changes.map(|(pair, _)| pair[0].0).collect();
        Ok((changing.len() * 2 <= months.len()).then_some(changing))
    }
}
