//! Aggregates answered from rollups. It takes plans as SQL gave them, before the analyzer; whatever it does not understand
//! stays as it is and is answered by the tables.
//!
//! A rollup is its view with fewer rows: rows of the view that agree in the rollup's keys are added up into one. So an aggregate
//! over the view, through joins, unions, filters and projections that only look at keys, is the same aggregate over the rollup's
//! rows. What it adds up ([`items`]) is carried from the rollup to it by columns of their own ([`path`]), for a union's other
//! branches (days without sales, months that are not current) have to tell the same of each of their rows.

mod expr;
mod items;
mod joins;
mod leaf;
mod months;
mod path;
mod translate;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, Projection, TableScan, cast};

use super::Ready;
use super::numbers::Numbers;
use crate::engine::options::Policies;
use crate::engine::rules::expand::{expand_lean, replace_scans, with_view};
use items::Item;
use months::Months;
use translate::Translator;

pub use expr::bare;

/// What the columns are called that carry what is added up.
const ITEM: &str = "__item_";

/// Why a rollup does not answer.
#[derive(Debug)]
struct No {
    reason: String,
    /// It would, were it current.
    nearly: bool,
}

impl std::fmt::Display for No {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for No {}

fn no<T>(reason: impl Into<String>) -> Result<T> {
    Err(DataFusionError::External(Box::new(No { reason: reason.into(), nearly: false })))
}

/// It tells all that is asked, but not now.
fn not_now<T>(reason: impl Into<String>) -> Result<T> {
    Err(DataFusionError::External(Box::new(No { reason: reason.into(), nearly: true })))
}

/// What became of one aggregate over a view that has rollups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The rollup that answered; of those that did not, one that only is not current, else the one that was tried first.
    pub rollup: String,
    /// `None`: it answered. Else the first reason why it did not.
    pub why_not: Option<String>,
    /// Months of which the tables told, because the rollup was not current there.
    pub from_tables: usize,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.why_not, self.from_tables) {
            (Some(reason), _) => write!(f, "not by {}: {reason}", self.rollup),
            (None, 0) => write!(f, "by {}", self.rollup),
            (None, 1) => write!(f, "by {}, 1 month from the tables", self.rollup),
            (None, months) => write!(f, "by {}, {months} months from the tables", self.rollup),
        }
    }
}

/// `plan`, whose views are not expanded yet, with every aggregate that rollups can answer over their rows; `answers` gets
/// what became of each.
///
/// # Errors
/// A value that a view does not declare for its policy.
pub fn answered(
    plan: LogicalPlan,
    rollups: &[Arc<Ready>],
    policies: &Policies,
    session: &SessionState,
    answers: &mut Vec<Answer>,
) -> Result<LogicalPlan> {
    if rollups.is_empty() {
        return Ok(plan);
    }
    // From within: what an aggregate reads beside the view has been treated when its turn comes.
    let answered = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::Aggregate(aggregate) = &node else { return Ok(Transformed::no(node)) };
        Ok(match answer(aggregate, rollups, policies, session, answers)? {
            Some(other) => Transformed::yes(other),
            None => Transformed::no(node),
        })
    })?;
    if !answered.transformed {
        return Ok(answered.data);
    }
    let whole = answered.data.transform_up_with_subqueries(|node| node.recompute_schema().map(Transformed::yes))?;
    Ok(whole.data)
}

/// The aggregate over the first rollups that can answer it, of all its months if any can, else of most. `rollups` are in the order
/// of their rows.
fn answer(
    aggregate: &Aggregate,
    rollups: &[Arc<Ready>],
    policies: &Policies,
    session: &SessionState,
    answers: &mut Vec<Answer>,
) -> Result<Option<LogicalPlan>> {
    let (mut first, mut near) = (None, None);
    let mut best: Option<(LogicalPlan, Answer)> = None;
    for chosen in choices(&aggregate.input, rollups)? {
        let name = chosen.iter().map(|ready| ready.rollup().name()).collect::<Vec<_>>().join(" and ");
        let other = chosen.iter().find_map(|ready| ready.rollup().default_policies(policies));
        let tried = match other {
            Some(other) => no(format!("it is kept for the default of the policy {other}")),
            None => over(aggregate, chosen, rollups, policies, session),
        };
        match tried {
            Ok((plan, also, from_tables)) => {
                let rollup = [name].into_iter().chain(also).collect::<Vec<_>>().join(" and ");
                if best.as_ref().is_none_or(|(_, answer)| from_tables < answer.from_tables) {
                    best = Some((plan, Answer { rollup, why_not: None, from_tables }));
                }
                if from_tables == 0 {
                    break;
                }
            }
            Err(DataFusionError::External(error)) if error.is::<No>() => {
                tracing::debug!(rollup = name, reason = %error, "an aggregate is not answered from a rollup");
                let nearly = error.downcast_ref::<No>().is_some_and(|no| no.nearly);
                let answer = Answer { rollup: name, why_not: Some(error.to_string()), from_tables: 0 };
                if nearly {
                    near.get_or_insert(answer)
                } else {
                    first.get_or_insert(answer)
                };
            }
            Err(error) => {
                // The tables can answer: no reason to fail.
                tracing::debug!(rollup = name, %error, "an aggregate could not be planned over a rollup");
                let why_not = Some(format!("it could not be planned: {}", error.strip_backtrace()));
                first.get_or_insert(Answer { rollup: name, why_not, from_tables: 0 });
            }
        }
    }
    let (plan, answer) = best.map_or((None, near.or(first)), |(plan, answer)| (Some(plan), Some(answer)));
    answers.extend(answer);
    Ok(plan)
}

/// Which rollups may be tried for what `plan` reads: one for each view, with fewer views later.
fn choices<'a>(plan: &LogicalPlan, rollups: &'a [Arc<Ready>]) -> Result<Vec<Vec<&'a Ready>>> {
    let mut of_views: BTreeMap<&str, Vec<&Ready>> = BTreeMap::new();
    for ready in rollups {
        if path::meets(plan, &|view| ready.rollup().is_read_by(view.name()))? {
            of_views.entry(ready.rollup().view()).or_default().push(ready);
        }
    }
    let mut choices: Vec<Vec<&Ready>> = vec![vec![]];
    for candidates in of_views.values() {
        let with = choices
            .iter()
            .flat_map(|chosen| candidates.iter().map(|candidate| [chosen.as_slice(), &[*candidate]].concat()));
        choices = with.chain(choices.iter().cloned()).collect();
    }
    choices.retain(|chosen| !chosen.is_empty());
    choices.sort_by_key(|chosen| std::cmp::Reverse(chosen.len()));
    Ok(choices)
}

/// `plan` with the views on its path expanded that read a view of `rollups`, so that it stands there itself.
fn opened(plan: LogicalPlan, rollups: &[&Ready], policies: &Policies) -> Result<LogicalPlan> {
    let is = |name: &str| rollups.iter().any(|ready| ready.rollup().view() == name);
    let reads = |name: &str| rollups.iter().any(|ready| ready.rollup().is_read_by(name));
    replace_scans(plan, &mut |scan| {
        if !with_view(scan, |view| Ok(!is(view.name()) && reads(view.name())))?.unwrap_or(false) {
            return Ok(None);
        }
        let Some(inner) = expand_lean(scan, policies)? else { return Ok(None) };
        let inner = opened(inner, rollups, policies)?;
        Ok(path::meets(&inner, &|view| is(view.name()))?.then_some(inner))
    })
}

/// The aggregate over `rollups`, the others of `all` that tell some of its months, and how many months the tables tell.
fn over<'a>(
    aggregate: &Aggregate,
    rollups: Vec<&'a Ready>,
    all: &'a [Arc<Ready>],
    policies: &Policies,
    session: &'a SessionState,
) -> Result<(LogicalPlan, BTreeSet<String>, usize)> {
    if aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_))) {
        return no("grouping sets are not answered by rollups");
    }
    let input = opened(LogicalPlan::clone(&aggregate.input), &rollups, policies)?;
    check(aggregate, &input)?;
    // A fork: what values of this statement are numbered that have no number yet goes with it.
    let Some(numbers) = rollups.first().map(|ready| Arc::new(ready.numbers().fork())) else {
        return no("there is no rollup");
    };
    let rollups = rollups.into_iter().map(|ready| Chosen::new(ready, session)).collect();
    let (next, also, from_tables) = (Cell::default(), RefCell::default(), Cell::default());
    let rewrite = Rewrite { rollups, all, session, numbers, next, also, from_tables };
    if !rewrite.has_view(&input) {
        return no("the view is read below another aggregate, DISTINCT, a window function or a limit");
    }
    let plan = rewrite.aggregate(aggregate, &input)?;
    Ok((plan, rewrite.also.into_inner(), rewrite.from_tables.get()))
}

/// Refuses what means something else where rows are fewer, or names that ours would be taken for.
fn check(aggregate: &Aggregate, input: &LogicalPlan) -> Result<()> {
    let mut fits = aggregate.group_expr.iter().chain(&aggregate.aggr_expr).all(expr::is_steady);
    let mut ours = false;
    input.apply(|node| {
        node.apply_expressions(|of| {
            fits &= expr::is_steady(of);
            Ok(TreeNodeRecursion::Continue)
        })?;
        ours |= node.schema().fields().iter().any(|field| field.name().starts_with(ITEM));
        Ok(TreeNodeRecursion::Continue)
    })?;
    match (fits, ours) {
        (false, _) => no("it has a function that gives another result each time"),
        (_, true) => no(format!("it has a column whose name begins with {ITEM}")),
        _ => Ok(()),
    }
}

/// One aggregate on its way to rollups.
struct Rewrite<'a> {
    /// One for each view.
    rollups: Vec<Chosen<'a>>,
    /// Every rollup of the snapshot.
    all: &'a [Arc<Ready>],
    session: &'a SessionState,
    /// Of the values in sets.
    numbers: Arc<Numbers>,
    /// The number of the next item.
    next: Cell<usize>,
    /// Other rollups that tell some months.
    also: RefCell<BTreeSet<String>>,
    from_tables: Cell<usize>,
}

/// A rollup that an aggregate is tried over.
struct Chosen<'a> {
    ready: &'a Ready,
    months: Months<'a>,
}

impl<'a> Chosen<'a> {
    fn new(ready: &'a Ready, session: &'a SessionState) -> Chosen<'a> {
        Chosen { ready, months: Months::new(ready, session) }
    }

    fn translator<'b>(&'b self, scan: &'b TableScan) -> Translator<'b> {
        let (rollup, place) = (self.ready.rollup(), self.ready.place());
        Translator { rollup, place, months: &self.months, schema: &scan.projected_schema }
    }
}

/// What a node must give to those above it.
#[derive(Default)]
struct Need {
    /// Of its own columns.
    columns: BTreeSet<Column>,
    /// Beside them, each as a column [`Item::column`].
    items: Vec<Item>,
    /// What is asked of its rows further up, for pruning: `business_date >= …`.
    filters: Vec<Expr>,
}

impl Need {
    /// What `expr` names, but for items.
    fn columns_of(&mut self, expr: &Expr) {
        self.columns.extend(expr::columns(expr));
    }
}

impl Rewrite<'_> {
    fn aggregate(&self, aggregate: &Aggregate, input: &LogicalPlan) -> Result<LogicalPlan> {
        let mut need = Need::default();
        let keyed = |expr: &Expr, need: &mut Need| self.keyed(expr.clone(), input, &mut need.items);
        let groups = aggregate.group_expr.iter().map(|g| keyed(g, &mut need)).collect::<Result<Vec<_>>>()?;
        let (mut calls, mut results) = (Vec::new(), Vec::new());
        for expr in &aggregate.aggr_expr {
            let (made, finish) = self.call(expr, input, &mut need.items)?;
            let mut columns = Vec::new();
            for call in made {
                let name = format!("{ITEM}call_{}", calls.len());
                columns.push(expr::item(&name));
                calls.push(call.alias(name));
            }
            results.push(finish.of(columns)?);
        }
        groups.iter().chain(&calls).for_each(|expr| need.columns_of(expr));
        let input = self.path(input, need)?;
        let made = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), groups, calls)?);
        let of_group = |at: usize| Expr::Column(Column::from(made.schema().qualified_field(at)));
        let groups = aggregate.group_expr.len();
        let columns = aggregate.schema.iter().enumerate().map(|(at, (qualifier, field))| {
            let value = if at < groups { of_group(at) } else { results[at - groups].clone() };
            let value = match value.get_type(made.schema())? == *field.data_type() {
                true => value,
                false => cast(value, field.data_type().clone()),
            };
            Ok(value.alias_qualified(qualifier.cloned(), field.name()))
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(made))?))
    }
}
