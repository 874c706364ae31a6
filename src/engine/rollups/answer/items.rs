//! What an aggregate adds up, in parts that a rollup knows. It must accept only what gives the same to the last digit.
//!
//! | in the statement | over the rollup |
//! |---|---|
//! | `sum(x)`, x one of the rollup's sums | `sum` of that sum |
//! | `sum(CASE WHEN p THEN x ELSE 0 END)`, `sum(a - b)`, `sum(coalesce(x, 0))` … | the same over those sums: they are linear in them |
//! | `count(*)`, `count(k)`, `sum(1)` | `sum` of the number of rows |
//! | `min`, `max`, `count(DISTINCT …)` of keys | itself |
//! | `min(x)`, `max(x)`, `count(x)` | over the rollup's |
//! | `count(DISTINCT x)`, each x in one row of the rollup | `sum` of its distinct counts |
//! | `count(DISTINCT x)`, x kept as a set | the size of the union of the sets |
//! | `avg(x)` | its sum by its number, as `avg` divides |

use std::mem::discriminant;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::functions::expr_fn::coalesce;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, Case, Cast};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{
    AggregateUDF, BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF, lit, when,
};

use super::super::Kind;
use super::path::Trace;
use super::{Chosen, ITEM, Rewrite, expr, no};
use crate::engine::functions::{self, averaged, sets};

/// A part of what is added up, carried by a column of its own.
#[derive(Debug, Clone)]
pub struct Item {
    pub name: String,
    pub kind: Kind,
    /// What it is of, over the columns of the node that it stands at.
    pub expr: Expr,
}

impl Item {
    pub fn column(&self) -> Expr {
        expr::item(&self.name)
    }
}

/// What is made of the results of calls.
pub enum Finish {
    /// It is the result.
    Same,
    /// NULL is 0: the sum of no counts.
    Count,
    /// The first by the second, as `avg` divides.
    Average(ScalarUDF),
}

impl Finish {
    pub fn of(self, mut results: Vec<Expr>) -> Result<Expr> {
        match (self, results.len()) {
            (Finish::Same, 1) => Ok(results.remove(0)),
            (Finish::Count, 1) => Ok(coalesce(vec![results.remove(0), lit(0_i64)])),
            (Finish::Average(divide), 2) => Ok(divide.call(results)),
            _ => no("its calls do not fit what is made of them"),
        }
    }
}

impl Rewrite<'_> {
    /// A new item, as the column that will carry it.
    fn item(&self, items: &mut Vec<Item>, kind: Kind, of: Expr) -> Expr {
        if let Some(same) = items.iter().find(|item| item.kind == kind && item.expr == of) {
            return same.column();
        }
        let number = self.next.replace(self.next.get() + 1);
        let item = Item { name: format!("{ITEM}{number}"), kind, expr: of };
        let column = item.column();
        items.push(item);
        column
    }

    /// `expr` over `node`, if the rollup's keys decide it; what is a key as a whole becomes an item.
    pub fn keyed(&self, expr: Expr, node: &LogicalPlan, items: &mut Vec<Item>) -> Result<Expr> {
        expr::uncorrelated(&expr)?;
        self.keyed_part(expr, node, items)
    }

    fn keyed_part(&self, expr: Expr, node: &LogicalPlan, items: &mut Vec<Item>) -> Result<Expr> {
        use datafusion::common::tree_node::{Transformed, TreeNode};
        if self.is_keyed(&expr, node) {
            return Ok(expr);
        }
        if self.looks_like_a_key(&expr) && self.known(Kind::Key, &expr, node) {
            return Ok(self.item(items, Kind::Key, expr));
        }
        if matches!(expr, Expr::Column(_)) {
            return no(format!("it does not tell {}", self.shown(&expr, node)));
        }
        let made = expr.map_children(|child| self.keyed_part(child, node, items).map(Transformed::yes))?;
        Ok(made.data)
    }

    /// Whether a key is written as it is: to look closer at every part of a long condition would take long.
    fn looks_like_a_key(&self, of: &Expr) -> bool {
        let kind = discriminant(expr::unaliased(of));
        let told = |chosen: &Chosen<'_>| {
            chosen.ready.rollup().columns().iter().any(|told| told.kind == Kind::Key && discriminant(&told.of) == kind)
        };
        matches!(of, Expr::Column(_)) || self.rollups.iter().any(told)
    }

    /// Whether every column of it that comes from a view is decided by the rollup's keys. What comes from elsewhere is judged
    /// further down.
    fn is_keyed(&self, of: &Expr, node: &LogicalPlan) -> bool {
        expr::columns(of).all(|column| match self.traces(&Expr::Column(column), node) {
            None => true,
            Some(told) => told.iter().all(|trace| trace.translator().by_keys(&trace.of).is_some()),
        }) && self.holds(of, node)
    }

    /// Whether a rollup that is kept by the month can tell it by its months. Where other relations have a part in it, none of its
    /// columns may be a day.
    fn holds(&self, of: &Expr, node: &LogicalPlan) -> bool {
        let hold = |traces: Vec<Trace<'_>>| traces.iter().all(|trace| trace.rollup.months.hold(&trace.of));
        self.rollups.iter().all(|chosen| !chosen.ready.rollup().is_by_month())
            || self.traces(of, node).map_or_else(
                || expr::columns(of).all(|column| self.traces(&Expr::Column(column), node).is_none_or(hold)),
                hold,
            )
    }

    /// Whether it is a column that the keys tell. What is made of it further up is judged there.
    pub fn passes(&self, of: &Expr, node: &LogicalPlan) -> bool {
        let told = |traces: Vec<Trace<'_>>| {
            !traces.is_empty() && traces.iter().all(|trace| trace.translator().by_keys(&trace.of).is_some())
        };
        matches!(of, Expr::Column(_)) && self.traces(of, node).is_some_and(told)
    }

    /// Whether the rollups have it as `kind`.
    fn known(&self, kind: Kind, of: &Expr, node: &LogicalPlan) -> bool {
        let traces = self.traces(of, node).unwrap_or_default();
        !traces.is_empty() && traces.iter().all(|trace| trace.translator().item(kind, &trace.of).is_some())
    }

    /// What it is in a view, for people.
    pub fn shown(&self, of: &Expr, node: &LogicalPlan) -> Expr {
        let traces = self.traces(of, node).unwrap_or_default();
        traces.into_iter().next().map_or_else(|| expr::bare(of), |trace| trace.of)
    }

    /// What a call of the aggregate is over the rollups' rows: calls, and what is made of their results.
    pub fn call(&self, call: &Expr, node: &LogicalPlan, items: &mut Vec<Item>) -> Result<(Vec<Expr>, Finish)> {
        let Expr::AggregateFunction(AggregateFunction { func, params }) = expr::unaliased(call) else {
            return no("it is no plain aggregate");
        };
        if !params.order_by.is_empty() || params.null_treatment.is_some() {
            return no(format!("{} has an order", func.name()));
        }
        let filter = match &params.filter {
            Some(filter) => Some(Box::new(self.keyed(filter.as_ref().clone(), node, items)?)),
            None => None,
        };
        let of = |func: Arc<AggregateUDF>, distinct: bool, arg: Expr| {
            Expr::AggregateFunction(AggregateFunction::new_udf(func, vec![arg], distinct, filter.clone(), vec![], None))
        };
        let [arg] = params.args.as_slice() else { return no(format!("{} has several arguments", func.name())) };
        expr::uncorrelated(arg)?;
        match (func.name(), params.distinct) {
            ("sum", false) => Ok((vec![of(sum_udaf(), false, self.linear(arg, node, items)?)], Finish::Same)),
            ("count", false) => Ok((vec![of(sum_udaf(), false, self.counted(arg, node, items)?)], Finish::Count)),
            ("avg", false) => {
                let DataType::Decimal128(digits, places) = arg.get_type(node.schema())? else {
                    return no("avg is kept of decimals only");
                };
                let sum = of(sum_udaf(), false, self.linear(arg, node, items)?);
                // What is never NULL counts as often as there are rows.
                let count = match expr::never_null(arg, node.schema()) {
                    true => self.rows(items)?,
                    false => self.counted(arg, node, items)?,
                };
                Ok((vec![sum, of(sum_udaf(), false, count)], Finish::Average(averaged(digits, places))))
            }
            ("count", true) => self.distinct(arg, node, items).map(|(func, distinct, arg, finish)| {
                let func = func.unwrap_or_else(functions::count);
                (vec![of(func, distinct, arg)], finish)
            }),
            ("min" | "max", _) => {
                let kind = if func.name() == "min" { Kind::Min } else { Kind::Max };
                let arg = match self.known(kind, arg, node) {
                    true => self.item(items, kind, arg.clone()),
                    false => self.keyed(arg.clone(), node, items)?,
                };
                Ok((vec![of(Arc::clone(func), false, arg)], Finish::Same))
            }
            (name, true) => no(format!("{name}(DISTINCT …) is not kept")),
            (name, false) => no(format!("{name} is not kept")),
        }
    }

    /// The number of a row's rows of the view, where `arg` is not NULL.
    fn counted(&self, arg: &Expr, node: &LogicalPlan, items: &mut Vec<Item>) -> Result<Expr> {
        if let Expr::Literal(value, _) = expr::unaliased(arg)
            && !value.is_null()
        {
            return self.rows(items);
        }
        if self.known(Kind::Count, arg, node) {
            return Ok(self.item(items, Kind::Count, arg.clone()));
        }
        let arg = self.keyed(arg.clone(), node, items)?;
        when(arg.is_not_null(), self.rows(items)?).end()
    }

    /// The number of a row's rows of the view.
    fn rows(&self, items: &mut Vec<Item>) -> Result<Expr> {
        match self.rollups.iter().all(|chosen| chosen.ready.rollup().column(Kind::Rows, &expr::one()).is_some()) {
            true => Ok(self.item(items, Kind::Rows, expr::one())),
            false => no("it does not tell how many rows there were"),
        }
    }

    /// The function (`None` = count), whether it is DISTINCT, and its argument.
    #[allow(clippy::type_complexity)]
    fn distinct(
        &self,
        arg: &Expr,
        node: &LogicalPlan,
        items: &mut Vec<Item>,
    ) -> Result<(Option<Arc<AggregateUDF>>, bool, Expr, Finish)> {
        if self.is_keyed(arg, node) {
            return Ok((None, true, arg.clone(), Finish::Same));
        }
        let (condition, value) = match expr::unaliased(arg) {
            Expr::Case(Case { expr: None, when_then_expr, else_expr })
                if when_then_expr.len() == 1 && else_expr.as_ref().is_none_or(|e| expr::is_null(e)) =>
            {
                (Some(when_then_expr[0].0.as_ref().clone()), when_then_expr[0].1.as_ref().clone())
            }
            other => (None, other.clone()),
        };
        let kind = match (self.known(Kind::Once, &value, node), self.known(Kind::Set, &value, node)) {
            (true, _) => Kind::Once,
            (false, true) => Kind::Set,
            (false, false) => return no(format!("it does not tell the distinct values of {}", expr::bare(&value))),
        };
        let item = self.item(items, kind, value);
        let item = match condition {
            Some(condition) => when(self.keyed(condition, node, items)?, item).end()?,
            None => item,
        };
        match kind {
            Kind::Once => Ok((Some(sum_udaf()), false, item, Finish::Count)),
            _ => Ok((Some(Arc::new(sets::set_size())), false, item, Finish::Same)),
        }
    }

    /// What `sum` adds up, over the rollups' sums: what is linear in them.
    fn linear(&self, of: &Expr, node: &LogicalPlan, items: &mut Vec<Item>) -> Result<Expr> {
        if expr::adds_nothing(of) {
            return Ok(of.clone());
        }
        if expr::whole(of) {
            return Ok(self.rows(items)? * expr::unaliased(of).clone());
        }
        if self.known(Kind::Sum, of, node) {
            return Ok(self.item(items, Kind::Sum, of.clone()));
        }
        let unknown = || no(format!("it does not tell the sum of {}", self.shown(of, node)));
        match of {
            Expr::Alias(alias) => self.linear(&alias.expr, node, items),
            Expr::Negative(inner) => Ok(Expr::Negative(Box::new(self.linear(inner, node, items)?))),
            // Of a row of which one part is NULL nothing counts: sums of each part could not tell.
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::Plus | Operator::Minus), right })
                if expr::never_null(left, node.schema()) && expr::never_null(right, node.schema()) =>
            {
                let (left, right) = (self.linear(left, node, items)?, self.linear(right, node, items)?);
                Ok(Expr::BinaryExpr(BinaryExpr { left: Box::new(left), op: *op, right: Box::new(right) }))
            }
            Expr::Case(case) => match self.nested(case, node) {
                Some(nested) => self.cases(&nested, node, items),
                None => self.cases(case, node, items),
            },
            Expr::Cast(cast) if expr::keeps(cast, node.schema()) => {
                let inner = self.linear(&cast.expr, node, items)?;
                Ok(Expr::Cast(Cast { expr: Box::new(inner), ..cast.clone() }))
            }
            Expr::ScalarFunction(function) if expr::is_or_zero(function) => {
                Ok(coalesce(vec![self.linear(&function.args[0], node, items)?, function.args[1].clone()]))
            }
            _ => unknown(),
        }
    }

    /// `CASE WHEN a AND b THEN x ELSE y END`, where only `a` is decided by keys, as `CASE WHEN a THEN CASE WHEN b THEN x ELSE y
    /// END ELSE y END`: a rollup may know the inner one.
    fn nested(&self, case: &Case, node: &LogicalPlan) -> Option<Case> {
        let (None, [(when, then)]) = (&case.expr, case.when_then_expr.as_slice()) else { return None };
        let (keyed, rest): (Vec<&Expr>, Vec<&Expr>) =
            split_conjunction(when).into_iter().partition(|part| self.is_keyed(part, node));
        let (keyed, rest) = (conjunction(keyed.into_iter().cloned())?, conjunction(rest.into_iter().cloned())?);
        let inner = Expr::Case(Case {
            expr: None,
            when_then_expr: vec![(Box::new(rest), then.clone())],
            else_expr: case.else_expr.clone(),
        });
        self.known(Kind::Sum, &inner, node).then(|| Case {
            expr: None,
            when_then_expr: vec![(Box::new(keyed), Box::new(inner))],
            else_expr: case.else_expr.clone(),
        })
    }

    fn cases(&self, case: &Case, node: &LogicalPlan, items: &mut Vec<Item>) -> Result<Expr> {
        let expr = match &case.expr {
            Some(expr) => Some(Box::new(self.keyed(expr.as_ref().clone(), node, items)?)),
            None => None,
        };
        let mut when_then_expr = Vec::new();
        for (when, then) in &case.when_then_expr {
            let when = self.keyed(when.as_ref().clone(), node, items)?;
            when_then_expr.push((Box::new(when), Box::new(self.linear(then, node, items)?)));
        }
        let else_expr = match &case.else_expr {
            Some(other) => Some(Box::new(self.linear(other, node, items)?)),
            None => None,
        };
        Ok(Expr::Case(Case { expr, when_then_expr, else_expr }))
    }
}
