//! The way from an aggregate down to its view: projections, aliases, filters, joins to other relations, unions. Each node is
//! made anew with what is needed of it, and hands the items through. What may stand there, and what not:
//!
//! | node | |
//! |---|---|
//! | projection, alias, sort | yes |
//! | filter, by keys | yes |
//! | inner join, left join of something to the view | yes, by keys; a join that may double rows only where nothing is counted once |
//! | `IN`, `EXISTS` and their negations, as joins | yes, by keys |
//! | union | yes: a branch without the view tells the items of each of its rows |
//! | anything else: another aggregate, DISTINCT, a window, a limit, the view on both sides of a join | no |

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{
    Expr, ExprSchemable, Filter, LogicalPlan, Projection, SubqueryAlias, TableScan, Union, lit, when,
};

use super::super::Kind;
use super::items::Item;
use super::translate::Translator;
use super::{Chosen, Need, Rewrite, expr, no};
use crate::engine::functions::sets;
use crate::engine::rules::expand::with_view;
use crate::engine::view::ViewProvider;

/// What an expression is in the view of a rollup.
pub struct Trace<'a> {
    pub rollup: &'a Chosen<'a>,
    pub scan: &'a TableScan,
    /// Over the view's columns, without its name.
    pub of: Expr,
}

impl Trace<'_> {
    pub fn translator(&self) -> Translator<'_> {
        self.rollup.translator(self.scan)
    }
}

/// Whether a view that `is` says stands in `plan` where an aggregate of it could be answered from a rollup: below nothing but
/// what [`Rewrite::path`] goes through.
pub fn meets(plan: &LogicalPlan, is: &dyn Fn(&ViewProvider) -> bool) -> Result<bool> {
    Ok(match plan {
        LogicalPlan::TableScan(scan) => with_view(scan, |view| Ok(is(view)))?.unwrap_or(false),
        LogicalPlan::Projection(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::Join(_) => {
            for input in plan.inputs() {
                if meets(input, is)? {
                    return Ok(true);
                }
            }
            false
        }
        _ => false,
    })
}

impl<'a> Rewrite<'a> {
    /// The rollup of the view that is scanned.
    fn rollup_of(&self, scan: &TableScan) -> Result<Option<&Chosen<'a>>> {
        let found =
            with_view(scan, |view| Ok(self.rollups.iter().find(|chosen| chosen.ready.rollup().view() == view.name())))?;
        Ok(found.flatten())
    }

    pub fn has_view(&self, plan: &LogicalPlan) -> bool {
        meets(plan, &|view| self.rollups.iter().any(|chosen| chosen.ready.rollup().view() == view.name()))
            .unwrap_or(false)
    }

    /// `of`, over the columns of `node`, in terms of each view that tells it (one for each branch of unions); `None` where
    /// other relations have a part in it.
    pub fn traces<'b>(&'b self, of: &Expr, node: &'b LogicalPlan) -> Option<Vec<Trace<'b>>> {
        match node {
            LogicalPlan::Projection(projection) => {
                let below = expr::below_projection(of, &projection.expr, &projection.schema)?;
                self.traces(&below, &projection.input)
            }
            LogicalPlan::SubqueryAlias(alias) => self.traces(&expr::below_alias(of, alias)?, &alias.input),
            LogicalPlan::Filter(filter) => self.traces(of, &filter.input),
            LogicalPlan::Sort(sort) => self.traces(of, &sort.input),
            LogicalPlan::Union(union) => {
                let mut all = Vec::new();
                for branch in union.inputs.iter().filter(|input| self.has_view(input)) {
                    all.extend(self.traces(&expr::by_place(of, &union.schema, branch.schema())?, branch)?);
                }
                Some(all)
            }
            LogicalPlan::Join(join) => {
                let side = if self.has_view(&join.left) { &join.left } else { &join.right };
                let own = expr::columns(of).all(|column| side.schema().maybe_index_of_column(&column).is_some());
                own.then(|| self.traces(of, side)).flatten()
            }
            LogicalPlan::TableScan(scan) => {
                let rollup = self.rollup_of(scan).ok()??;
                Some(vec![Trace { rollup, scan, of: expr::bare(of) }])
            }
            _ => None,
        }
    }

    /// `node` over the rollup, with what is needed of it.
    pub fn path(&self, node: &LogicalPlan, need: Need) -> Result<LogicalPlan> {
        match node {
            LogicalPlan::Projection(projection) => self.projection(projection, need),
            LogicalPlan::SubqueryAlias(alias) => self.alias(alias, need),
            LogicalPlan::Filter(filter) => self.filter(filter, need),
            LogicalPlan::Sort(sort) if sort.fetch.is_none() => self.path(&sort.input, need),
            LogicalPlan::Union(union) => self.union(union, need),
            LogicalPlan::Join(join) => self.join(join, need),
            LogicalPlan::TableScan(scan) => match self.rollup_of(scan)? {
                Some(rollup) => self.leaf(rollup, scan, &need),
                None => no(format!("{} is read instead of the view", scan.table_name)),
            },
            other => no(format!("{} stands between the aggregate and the view", named(other))),
        }
    }

    fn projection(&self, projection: &Projection, need: Need) -> Result<LogicalPlan> {
        let Projection { expr: exprs, input, schema, .. } = projection;
        let (mut below, mut columns) = (Need::default(), Vec::new());
        for column in &need.columns {
            let at = schema.index_of_column(column)?;
            let of = expr::unaliased(&exprs[at]);
            let value = match self.passes(of, input) {
                true => of.clone(),
                false => self.keyed(of.clone(), input, &mut below.items)?,
            };
            below.columns_of(&value);
            columns.push(value.alias_qualified(column.relation.clone(), &column.name));
        }
        for item in need.items {
            columns.push(item.column());
            let Some(of) = expr::below_projection(&item.expr, exprs, schema) else {
                return no(format!("{} cannot be told below", item.expr));
            };
            below.items.push(Item { expr: of, ..item });
        }
        below.filters = need.filters.iter().filter_map(|f| expr::below_projection(f, exprs, schema)).collect();
        project(columns, self.path(input, below)?)
    }

    fn alias(&self, alias: &SubqueryAlias, need: Need) -> Result<LogicalPlan> {
        let (outer, inner) = (&alias.schema, alias.input.schema());
        let mut below = Need::default();
        let mut columns = Vec::new();
        for column in &need.columns {
            let own = Column::from(inner.qualified_field(outer.index_of_column(column)?));
            columns.push(Expr::Column(own.clone()).alias_qualified(column.relation.clone(), &column.name));
            below.columns.insert(own);
        }
        below.items = by_place(need.items, outer, inner)?;
        columns.extend(below.items.iter().map(Item::column));
        below.filters = need.filters.iter().filter_map(|f| expr::by_place(f, outer, inner)).collect();
        project(columns, self.path(&alias.input, below)?)
    }

    fn filter(&self, filter: &Filter, mut need: Need) -> Result<LogicalPlan> {
        let predicate = self.keyed(filter.predicate.clone(), &filter.input, &mut need.items)?;
        need.columns_of(&predicate);
        need.filters.push(filter.predicate.clone());
        let input = self.path(&filter.input, need)?;
        Ok(LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input))?))
    }

    fn union(&self, union: &Union, need: Need) -> Result<LogicalPlan> {
        // Each value is in one row of a rollup; of two branches it might be in both.
        let mut counted = BTreeSet::new();
        let branches = union.inputs.iter().map(|input| {
            let (outer, inner) = (&union.schema, input.schema());
            let mut below = Need { items: by_place(need.items.clone(), outer, inner)?, ..Need::default() };
            let mut columns = Vec::new();
            for column in &need.columns {
                let own = Column::from(inner.qualified_field(outer.index_of_column(column)?));
                columns.push(Expr::Column(own.clone()).alias(&column.name));
                below.columns.insert(own);
            }
            if !self.has_view(input) {
                for item in &below.items {
                    columns.push(self.of_one_row(item, input)?.alias(&item.name));
                }
                return project(columns, LogicalPlan::clone(input)).map(Arc::new);
            }
            let once = |item: &&Item| item.kind == Kind::Once && !expr::always_null(&item.expr, input);
            for item in below.items.iter().filter(once) {
                if !counted.insert(item.name.clone()) {
                    return no(format!("{} is counted in two branches of a union", expr::bare(&item.expr)));
                }
            }
            columns.extend(below.items.iter().map(Item::column));
            below.filters = need.filters.iter().filter_map(|f| expr::by_place(f, outer, inner)).collect();
            project(columns, self.path(input, below)?).map(Arc::new)
        });
        let branches = branches.collect::<Result<Vec<_>>>()?;
        united(branches, &need)
    }

    /// What one row of `node`, which is not of a rollup, adds to an item. A row of the view itself may have values for sets.
    pub fn of_one_row(&self, item: &Item, node: &LogicalPlan) -> Result<Expr> {
        let of = item.expr.clone();
        match item.kind {
            Kind::Sum if !expr::is_exact(&of.get_type(node.schema())?) => no("sums of doubles depend on their order"),
            Kind::Sum | Kind::Min | Kind::Max | Kind::Key => Ok(of),
            Kind::Rows => Ok(expr::one()),
            Kind::Count => when(of.is_not_null(), lit(1_i64)).otherwise(lit(0_i64)),
            Kind::Set if expr::always_null(&of, node) => Ok(lit(ScalarValue::Binary(None))),
            Kind::Set if matches!(node, LogicalPlan::TableScan(_)) => {
                Ok(sets::numbered(Arc::clone(&self.numbers)).call(vec![of]))
            }
            Kind::Once if expr::always_null(&of, node) => Ok(lit(0_i64)),
            Kind::Set | Kind::Once => no("rows that are not of the rollup have values that are told apart"),
        }
    }
}

/// The union of `parts`, each with what is needed.
pub fn united(parts: Vec<Arc<LogicalPlan>>, need: &Need) -> Result<LogicalPlan> {
    let union = LogicalPlan::Union(Union::try_new_with_loose_types(parts)?);
    // A union's columns have no relation; those above may have been planned with one.
    let columns = need
        .columns
        .iter()
        .map(|column| expr::item(&column.name).alias_qualified(column.relation.clone(), &column.name));
    project(columns.chain(need.items.iter().map(Item::column)).collect(), union)
}

pub fn project(columns: Vec<Expr>, input: LogicalPlan) -> Result<LogicalPlan> {
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(input))?))
}

fn by_place(items: Vec<Item>, outer: &DFSchema, inner: &DFSchema) -> Result<Vec<Item>> {
    let below = |item: Item| match expr::by_place(&item.expr, outer, inner) {
        Some(of) => Ok(Item { expr: of, ..item }),
        None => no(format!("{} cannot be told below", item.expr)),
    };
    items.into_iter().map(below).collect()
}

fn named(node: &LogicalPlan) -> String {
    match node {
        LogicalPlan::Aggregate(_) => "another aggregate".into(),
        LogicalPlan::Distinct(_) => "DISTINCT".into(),
        LogicalPlan::Window(_) => "a window function".into(),
        LogicalPlan::Limit(_) | LogicalPlan::Sort(_) => "a limit".into(),
        other => other.display().to_string(),
    }
}
