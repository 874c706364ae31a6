//! Expressions seen from another node of a plan. It must not know rollups.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, JoinType, Result, ScalarValue};
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, SubqueryAlias, Volatility, lit,
};

use super::{ITEM, no};

/// The column that carries an item.
pub fn item(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

fn is_item(column: &Column) -> bool {
    column.relation.is_none() && column.name.starts_with(ITEM)
}

/// The columns that `expr` names, but for items.
pub fn columns(expr: &Expr) -> impl Iterator<Item = Column> {
    expr.column_refs().into_iter().filter(|column| !is_item(column)).cloned()
}

/// `expr` with each column replaced; `None` if there is nothing for one of them.
pub fn replaced(expr: &Expr, by: &dyn Fn(&Column) -> Option<Expr>) -> Option<Expr> {
    let mut whole = true;
    let made = expr.clone().transform_up(|node| {
        let Expr::Column(column) = &node else { return Ok(Transformed::no(node)) };
        if is_item(column) {
            return Ok(Transformed::no(node));
        }
        match by(column) {
            Some(other) => Ok(Transformed::new(other, true, TreeNodeRecursion::Jump)),
            None => {
                whole = false;
                Ok(Transformed::no(node))
            }
        }
    });
    made.ok().filter(|_| whole).map(|made| made.data)
}

/// `expr` over a node with `outer` columns, over its input with `inner` columns at the same places.
pub fn by_place(expr: &Expr, outer: &DFSchema, inner: &DFSchema) -> Option<Expr> {
    replaced(expr, &|column| {
        let at = outer.maybe_index_of_column(column)?;
        Some(Expr::Column(Column::from(inner.qualified_field(at))))
    })
}

/// `expr` over an alias, over what it names.
pub fn below_alias(expr: &Expr, alias: &SubqueryAlias) -> Option<Expr> {
    by_place(expr, &alias.schema, alias.input.schema())
}

/// `expr` over a projection, over its input.
pub fn below_projection(expr: &Expr, exprs: &[Expr], schema: &DFSchema) -> Option<Expr> {
    replaced(expr, &|column| Some(unaliased(exprs.get(schema.maybe_index_of_column(column)?)?).clone()))
}

/// Without its own name.
pub fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
}

/// Without the names of relations, and of its parts: two expressions over one view are the same when these are.
pub fn bare(expr: &Expr) -> Expr {
    let made = expr.clone().transform_up(|node| {
        Ok(match node {
            Expr::Column(column) if column.relation.is_some() => {
                Transformed::yes(Expr::Column(Column::new_unqualified(column.name)))
            }
            Expr::Alias(alias) => Transformed::yes(*alias.expr),
            other => Transformed::no(other),
        })
    });
    made.map_or_else(|_| expr.clone(), |made| made.data)
}

/// Refuses what reads rows of other relations in a way that depends on this row.
pub fn uncorrelated(expr: &Expr) -> Result<()> {
    let correlated = expr.exists(|node| {
        Ok(match node {
            Expr::Exists(exists) => !exists.subquery.outer_ref_columns.is_empty(),
            Expr::InSubquery(within) => !within.subquery.outer_ref_columns.is_empty(),
            Expr::SetComparison(within) => !within.subquery.outer_ref_columns.is_empty(),
            Expr::ScalarSubquery(subquery) => !subquery.outer_ref_columns.is_empty(),
            Expr::OuterReferenceColumn(..) => true,
            _ => false,
        })
    })?;
    if correlated { no("a subquery looks at its rows") } else { Ok(()) }
}

/// Whether it is NULL whatever the row.
pub fn is_null(expr: &Expr) -> bool {
    match unaliased(expr) {
        Expr::Literal(value, _) => value.is_null(),
        Expr::Cast(cast) => is_null(&cast.expr),
        _ => false,
    }
}

/// Whether `of`, over the columns of `node`, is NULL for each of its rows, as far as it is written so.
pub fn always_null(of: &Expr, node: &LogicalPlan) -> bool {
    if is_null(of) {
        return true;
    }
    if !matches!(unaliased(of), Expr::Column(_)) {
        return false;
    }
    match node {
        LogicalPlan::Projection(projection) => below_projection(of, &projection.expr, &projection.schema)
            .is_some_and(|below| always_null(&below, &projection.input)),
        LogicalPlan::SubqueryAlias(alias) => {
            below_alias(of, alias).is_some_and(|below| always_null(&below, &alias.input))
        }
        LogicalPlan::Filter(filter) => always_null(of, &filter.input),
        LogicalPlan::Sort(sort) => always_null(of, &sort.input),
        LogicalPlan::Union(union) => union
            .inputs
            .iter()
            .all(|input| by_place(of, &union.schema, input.schema()).is_some_and(|below| always_null(&below, input))),
        LogicalPlan::Join(join) => [&join.left, &join.right].into_iter().any(|side| {
            let own = columns(of).all(|column| side.schema().maybe_index_of_column(&column).is_some());
            own && always_null(of, side)
        }),
        _ => false,
    }
}

/// Whether `plan` has no row, as far as it is written so: a filter between two constants that are not the same.
pub fn never(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::EmptyRelation(empty) => !empty.produce_one_row,
        LogicalPlan::Projection(projection) => never(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => never(&alias.input),
        LogicalPlan::Sort(sort) => never(&sort.input),
        LogicalPlan::Filter(filter) => {
            split_conjunction(&filter.predicate).into_iter().any(is_false) || never(&filter.input)
        }
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner => never(&join.left) || never(&join.right),
        _ => false,
    }
}

fn is_false(of: &Expr) -> bool {
    match of {
        Expr::Literal(ScalarValue::Boolean(Some(value)), _) => !value,
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let (Expr::Literal(left, _), Expr::Literal(right, _)) = (left.as_ref(), right.as_ref()) else {
                return false;
            };
            let (Some(Some(left)), Some(Some(right))) = (left.try_as_str(), right.try_as_str()) else { return false };
            match op {
                Operator::Eq => left != right,
                Operator::NotEq => left == right,
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether all of `plan` is of expressions that give the same for the same row.
pub fn is_steady(of: &Expr) -> bool {
    of.exists(|node| {
        Ok(match node {
            Expr::ScalarFunction(call) => call.func.signature().volatility == Volatility::Volatile,
            Expr::AggregateFunction(call) => call.func.signature().volatility == Volatility::Volatile,
            Expr::WindowFunction(call) => call.fun.signature().volatility == Volatility::Volatile,
            Expr::HigherOrderFunction(call) => call.func.signature().volatility == Volatility::Volatile,
            Expr::ScalarVariable(..) | Expr::Placeholder(_) => true,
            _ => false,
        })
    })
    .is_ok_and(|found| !found)
}

/// A number that is written, if it is one that adds nothing: 0 or NULL.
pub fn adds_nothing(expr: &Expr) -> bool {
    match unaliased(expr) {
        Expr::Literal(value, _) => value.is_null() || is_zero(value),
        Expr::ScalarFunction(call) if call.name() == "abs" => call.args.iter().all(adds_nothing),
        // Sums of doubles depend on their order.
        Expr::Cast(cast) => adds_nothing(&cast.expr) && is_exact(cast.field.data_type()),
        _ => false,
    }
}

/// Whether sums of this type are the same in any order.
pub fn is_exact(of: &DataType) -> bool {
    of.is_integer() || matches!(of, DataType::Decimal128(..) | DataType::Decimal256(..) | DataType::Null)
}

fn is_zero(value: &ScalarValue) -> bool {
    matches!(value, ScalarValue::Int32(Some(0)) | ScalarValue::Int64(Some(0)) | ScalarValue::Decimal128(Some(0), ..))
}

/// A whole number that is written.
pub fn whole(expr: &Expr) -> bool {
    matches!(unaliased(expr), Expr::Literal(ScalarValue::Int32(Some(_)) | ScalarValue::Int64(Some(_)), _))
}

/// Whether the cast keeps every digit, of a sum as of what is added up.
pub fn keeps(cast: &Cast, schema: &DFSchema) -> bool {
    let Ok(from) = cast.expr.get_type(schema) else { return false };
    let (digits, places) = match from {
        DataType::Decimal128(digits, places) => (i16::from(digits), i16::from(places)),
        DataType::Int32 | DataType::Int64 => (WHOLE_DIGITS, 0),
        _ => return false,
    };
    match cast.field.data_type() {
        DataType::Decimal128(to, kept) => {
            let (to, kept) = (i16::from(*to), i16::from(*kept));
            // A rollup keeps sums in the type of what is added up: what takes one takes the other.
            kept >= places.max(0) && to - kept >= digits - places && to >= digits
        }
        DataType::Int64 => places == 0 && !matches!(from, DataType::Decimal128(..)),
        _ => false,
    }
}

/// Digits of a BIGINT.
const WHOLE_DIGITS: i16 = 19;

/// As far as the columns' types tell.
pub fn never_null(of: &Expr, schema: &DFSchema) -> bool {
    of.nullable(schema).is_ok_and(|nullable| !nullable)
}

/// `coalesce(x, 0)`
pub fn is_or_zero(function: &ScalarFunction) -> bool {
    function.name() == "coalesce" && function.args.len() == 2 && adds_nothing(&function.args[1])
}

/// What counts each row once.
pub fn one() -> Expr {
    lit(1_i64)
}
