//! How large conditions become when the optimizer takes them down to the tables: it puts a column's expression in the place
//! of its name, level by level, so that `x + x AS x` in thirty subqueries becomes a thousand million terms. It counts over
//! the plan as SQL gave it, before it is optimized, and must not change it.

use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::error::{Error, Result};

/// Terms of all conditions together. Each is looked at some dozens of times while a statement is optimized.
const MOST_TERMS: u64 = 50_000;

/// Refuses a plan whose conditions become too large.
///
/// # Errors
/// `Invalid`, with what was found, the limit, and what works instead.
pub fn check(plan: &LogicalPlan) -> Result<()> {
    let mut walk = Walk { terms: 0 };
    walk.columns(plan);
    if walk.terms <= MOST_TERMS {
        return Ok(());
    }
    let found = format!(
        "the conditions here have {} terms when columns are put in, and at most {MOST_TERMS} are taken",
        walk.terms
    );
    Err(Error::invalid(found).hint(
        "a column that is computed from one of a subquery several times, and that from another, multiplies: name each once \
         per level, or ask in several statements",
    ))
}

struct Walk {
    /// Those of the conditions so far.
    terms: u64,
}

impl Walk {
    /// How many terms stand behind each column of `plan`.
    fn columns(&mut self, plan: &LogicalPlan) -> Vec<u64> {
        // Nothing in it fails.
        let _ = plan.apply_subqueries(|inner| {
            self.columns(inner);
            Ok(TreeNodeRecursion::Continue)
        });
        let inputs: Vec<Input<'_>> = plan
            .inputs()
            .into_iter()
            .map(|input| Input { schema: input.schema(), terms: self.columns(input) })
            .collect();
        let terms = match plan {
            LogicalPlan::Projection(projection) => projection.expr.iter().map(|e| computed(e, &inputs)).collect(),
            LogicalPlan::Aggregate(aggregate) => {
                let groups = aggregate.group_expr.iter().map(|e| computed(e, &inputs));
                // No condition goes below what is aggregated.
                groups.chain(aggregate.aggr_expr.iter().map(|_| 1)).collect()
            }
            LogicalPlan::Window(window) => {
                let below = inputs.iter().flat_map(|input| input.terms.iter().copied());
                below.chain(window.window_expr.iter().map(|_| 1)).collect()
            }
            LogicalPlan::Union(_) => {
                let columns = plan.schema().fields().len();
                let most =
                    |at: usize| inputs.iter().filter_map(|input| input.terms.get(at).copied()).max().unwrap_or(1);
                (0..columns).map(most).collect()
            }
            other => {
                let condition = match other {
                    LogicalPlan::Filter(filter) => Some(&filter.predicate),
                    LogicalPlan::Join(join) => join.filter.as_ref(),
                    _ => None,
                };
                self.terms = self.terms.saturating_add(condition.map_or(0, |e| put_in(e, &inputs)));
                inputs.iter().flat_map(|input| input.terms.iter().copied()).collect::<Vec<u64>>()
            }
        };
        fitted(terms, plan.schema().fields().len())
    }
}

struct Input<'a> {
    schema: &'a DFSchema,
    terms: Vec<u64>,
}

/// One per column, also where columns are not told apart here.
fn fitted(terms: Vec<u64>, columns: usize) -> Vec<u64> {
    if terms.len() == columns {
        return terms;
    }
    vec![terms.into_iter().max().unwrap_or(1); columns]
}

/// The terms of a column that is `expr`.
fn computed(expr: &Expr, inputs: &[Input<'_>]) -> u64 {
    match expr {
        Expr::Column(_) => put_in(expr, inputs),
        Expr::Alias(alias) => computed(&alias.expr, inputs),
        _ => {
            let mut own: u64 = 0;
            let _ = expr.apply(|_| {
                own += 1;
                Ok(TreeNodeRecursion::Continue)
            });
            own.saturating_add(put_in(expr, inputs))
        }
    }
}

/// The terms that come in the places of the columns of `expr`.
fn put_in(expr: &Expr, inputs: &[Input<'_>]) -> u64 {
    let counts = expr.column_refs_counts();
    let each = counts.into_iter().map(|(column, count)| {
        let found = inputs
            .iter()
            .find_map(|input| input.schema.maybe_index_of_column(column).and_then(|at| input.terms.get(at).copied()));
        found.unwrap_or(1).saturating_mul(u64::try_from(count).unwrap_or(u64::MAX))
    });
    each.fold(0, u64::saturating_add)
}
