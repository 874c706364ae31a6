//! Joins between an aggregate and its view: the view's side goes on to the rollup, the other stays as it is. It must not let a join
//! through that makes rows of the view's side count differently over fewer rows.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Dependency, JoinType, Result, ScalarValue};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Join, LogicalPlan, Operator, lit};

use super::super::Kind;
use super::items::Item;
use super::path::project;
use super::{Need, Rewrite, expr, no};

impl Rewrite<'_> {
    pub fn join(&self, join: &Join, mut need: Need) -> Result<LogicalPlan> {
        let (left, right) = (self.has_view(&join.left), self.has_view(&join.right));
        if left && right {
            return no("the view stands on both sides of a join");
        }
        let (side, other) = if left { (&join.left, &join.right) } else { (&join.right, &join.left) };
        let keeps_view = match join.join_type {
            JoinType::Inner => true,
            JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti => left,
            JoinType::Right | JoinType::RightSemi | JoinType::RightAnti => right,
            _ => false,
        };
        if !keeps_view {
            return no(format!("a {} join adds rows to those of the view", join.join_type));
        }
        let only_looks = matches!(
            join.join_type,
            JoinType::LeftSemi | JoinType::LeftAnti | JoinType::RightSemi | JoinType::RightAnti
        );
        let own = |column: &Column| side.schema().maybe_index_of_column(column).is_some();
        let outer = matches!(join.join_type, JoinType::Left | JoinType::Right);
        let nothing = outer && expr::never(other);
        let doubles = !(only_looks || nothing || is_unique(join, left, other));
        if let Some(item) = need.items.iter().find(|item| doubles && item.kind == Kind::Once) {
            return no(format!("a join may double rows, and {} is counted once", self.shown(&item.expr, side)));
        }
        if other_looks_at(other)? {
            return no("a joined relation looks at its rows");
        }
        if need.items.iter().any(|item| !expr::columns(&item.expr).all(|c| own(&c))) {
            return no("what is added up takes columns of a joined relation");
        }
        need.filters.retain(|f| expr::columns(f).all(|c| own(&c)));
        if nothing {
            return self.alone(side, other.schema(), need);
        }
        // A left join to one row at most, of which nothing is needed, changes nothing.
        if outer && !doubles && need.columns.iter().all(own) {
            return self.path(side, need);
        }
        let mut below = Need { items: need.items, ..Need::default() };
        let mut on = Vec::new();
        for (l, r) in &join.on {
            let (l, r) = match left {
                true => (self.keyed(l.clone(), side, &mut below.items)?, r.clone()),
                false => (l.clone(), self.keyed(r.clone(), side, &mut below.items)?),
            };
            below.columns_of(if left { &l } else { &r });
            on.push((l, r));
        }
        let filter = match &join.filter {
            Some(filter) => Some(self.join_filter(filter, side, &mut below)?),
            None => None,
        };
        let filtered = filter.iter().flat_map(expr::columns);
        below.columns.extend(need.columns.iter().cloned().chain(filtered).filter(own));
        below.filters = need.filters;
        let made = self.path(side, below)?;
        let (l, r) = match left {
            true => (Arc::new(made), Arc::clone(other)),
            false => (Arc::clone(other), Arc::new(made)),
        };
        let made =
            Join::try_new(l, r, on, filter, join.join_type, join.join_constraint, join.null_equality, join.null_aware)?;
        Ok(LogicalPlan::Join(made))
    }

    /// A left join to no row at all: the columns of the other side are NULL. Items and filters of `need` are of the view's side.
    fn alone(&self, side: &LogicalPlan, other: &DFSchema, need: Need) -> Result<LogicalPlan> {
        let mut below = Need { items: need.items, filters: need.filters, ..Need::default() };
        let mut columns = Vec::new();
        for column in &need.columns {
            let value = match other.maybe_index_of_column(column) {
                Some(at) => lit(ScalarValue::try_from(other.field(at).data_type())?),
                None => {
                    below.columns.insert(column.clone());
                    Expr::Column(column.clone())
                }
            };
            columns.push(value.alias_qualified(column.relation.clone(), &column.name));
        }
        columns.extend(below.items.iter().map(Item::column));
        project(columns, self.path(side, below)?)
    }

    /// A join's condition: its parts over the view's side by keys.
    fn join_filter(&self, filter: &Expr, side: &LogicalPlan, below: &mut Need) -> Result<Expr> {
        expr::uncorrelated(filter)?;
        let own = |of: &Expr| expr::columns(of).all(|c| side.schema().maybe_index_of_column(&c).is_some());
        if own(filter) {
            return self.keyed(filter.clone(), side, &mut below.items);
        }
        if matches!(filter, Expr::Column(_)) {
            return Ok(filter.clone());
        }
        let made = filter.clone().map_children(|child| self.join_filter(&child, side, below).map(Transformed::yes))?;
        Ok(made.data)
    }
}

/// Whether each row of the view meets one row of the other side at most: the other's columns that are set equal to what the
/// view's side has are a key of the relation that it is made of, or all that it is grouped by.
fn is_unique(join: &Join, view_is_left: bool, other: &LogicalPlan) -> bool {
    let schema = other.schema();
    let own = |of: &Expr| matches!(of, Expr::Column(column) if schema.maybe_index_of_column(column).is_some());
    let foreign = |of: &Expr| expr::columns(of).all(|column| schema.maybe_index_of_column(&column).is_none());
    // As SQL gives it, a join has its equalities among its conditions.
    let of_filter = join.filter.iter().flat_map(split_conjunction).filter_map(|part| match part {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if own(left) && foreign(right) => {
            Some(left.as_ref())
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if own(right) && foreign(left) => {
            Some(right.as_ref())
        }
        _ => None,
    });
    let of_on = join.on.iter().map(|(l, r)| if view_is_left { r } else { l });
    let keys: Vec<Expr> = of_on.chain(of_filter).cloned().collect();
    are_key(other, keys)
}

/// Whether no two rows of `plan` have the same `keys`, as far as that can be told.
fn are_key(plan: &LogicalPlan, keys: Vec<Expr>) -> bool {
    let has = |schema: &DFSchema, at: usize| {
        let column = Expr::Column(Column::from(schema.qualified_field(at)));
        keys.contains(&column)
    };
    match plan {
        LogicalPlan::SubqueryAlias(alias) => {
            are_key(&alias.input, keys.iter().filter_map(|key| expr::below_alias(key, alias)).collect())
        }
        LogicalPlan::Filter(filter) => are_key(&filter.input, keys),
        LogicalPlan::Sort(sort) => are_key(&sort.input, keys),
        LogicalPlan::Projection(projection) => {
            let below = |key: &Expr| expr::below_projection(key, &projection.expr, &projection.schema);
            are_key(&projection.input, keys.iter().filter_map(below).collect())
        }
        LogicalPlan::Aggregate(aggregate) => {
            let groups = aggregate.group_expr.len();
            let sets = aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_)));
            !sets && (0..groups).all(|at| has(&aggregate.schema, at))
        }
        LogicalPlan::TableScan(scan) => scan.projected_schema.functional_dependencies().iter().any(|dependency| {
            dependency.mode == Dependency::Single
                && !dependency.source_indices.is_empty()
                && dependency.source_indices.iter().all(|at| has(&scan.projected_schema, *at))
        }),
        _ => false,
    }
}

/// Whether `other` has a subquery in FROM that names columns of the rows beside it (LATERAL).
fn other_looks_at(other: &LogicalPlan) -> Result<bool> {
    let mut looks = false;
    other.apply(|node| {
        looks |= matches!(node, LogicalPlan::Subquery(subquery) if !subquery.outer_ref_columns.is_empty());
        Ok(if looks { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(looks)
}
