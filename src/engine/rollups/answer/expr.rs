//! Expressions seen from another node of a plan. It must not know rollups.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable, SubqueryAlias, lit};

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

/// A number that is written, if it is one that adds nothing: 0 or NULL.
pub fn adds_nothing(expr: &Expr) -> bool {
    match unaliased(expr) {
        Expr::Literal(value, _) => value.is_null() || is_zero(value),
        Expr::Cast(cast) => adds_nothing(&cast.expr),
        _ => false,
    }
}

fn is_zero(value: &ScalarValue) -> bool {
    matches!(value, ScalarValue::Int32(Some(0)) | ScalarValue::Int64(Some(0)) | ScalarValue::Decimal128(Some(0), ..))
}

/// A whole number that is written.
pub fn whole(expr: &Expr) -> bool {
    matches!(unaliased(expr), Expr::Literal(ScalarValue::Int32(Some(_)) | ScalarValue::Int64(Some(_)), _))
}

/// Whether the cast keeps every digit.
pub fn keeps(cast: &Cast, schema: &DFSchema) -> bool {
    let Ok(from) = cast.expr.get_type(schema) else { return false };
    match (from, cast.field.data_type()) {
        (DataType::Decimal128(_, from), DataType::Decimal128(_, to)) => *to >= from,
        (DataType::Int32 | DataType::Int64, DataType::Decimal128(..) | DataType::Int64) => true,
        _ => false,
    }
}

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
