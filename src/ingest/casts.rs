//! Makes every conversion in source SQL answerable: a value that cannot be converted exactly becomes NULL, and beside
//! each expression stands another that gives the text of that value. The second follows the structure of the first:
//! what a CASE, COALESCE, AND or OR does not use cannot fail. TRY_CAST is the author's own NULL and never fails.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{BinaryExpr, ExprSchemable, Operator};
use datafusion::prelude::Expr;
use datafusion::scalar::ScalarValue;

use super::functions;
use super::strict::{failing_expr, first_expr, lossy, strict_expr};

/// An expression that never stops a file, and the one that says which value failed (`None`: nothing can).
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) value: Expr,
    pub(crate) error: Option<Expr>,
}

/// `expr` must have passed the analyzer, so that the conversions that SQL implies are written out.
pub(crate) fn check(expr: &Expr, schema: &DFSchema) -> Result<Checked> {
    Ok(Checked { value: value_of(expr, schema)?, error: error_of(expr, schema)? })
}

/// Converts `checked` to another type, exactly.
pub(crate) fn convert(
    checked: Checked,
    from: &datafusion::arrow::datatypes::DataType,
    to: datafusion::arrow::datatypes::DataType,
) -> Checked {
    if !lossy(from, &to) {
        return Checked { value: datafusion::logical_expr::cast(checked.value, to), error: checked.error };
    }
    let value = strict_expr(checked.value.clone(), to);
    let failed = failing_expr(checked.value, value.clone());
    Checked { value, error: first_expr(checked.error.into_iter().chain([failed]).collect()) }
}

/// The expression holds a conversion that can fail.
pub(crate) fn can_fail(expr: &Expr, schema: &DFSchema) -> Result<bool> {
    Ok(error_of(expr, schema)?.is_some())
}

fn value_of(expr: &Expr, schema: &DFSchema) -> Result<Expr> {
    let done = expr.clone().transform_up(|e| {
        Ok(match e {
            Expr::Cast(cast) if fallible(&cast.expr, cast.field.data_type(), schema)? => {
                Transformed::yes(strict_expr(*cast.expr, cast.field.data_type().clone()))
            }
            e => Transformed::no(e),
        })
    });
    Ok(done?.data)
}

/// Constants fail when the source is loaded, not when it runs.
fn fallible(inner: &Expr, to: &datafusion::arrow::datatypes::DataType, schema: &DFSchema) -> Result<bool> {
    Ok(!matches!(inner, Expr::Literal(..)) && lossy(&inner.get_type(schema)?, to))
}

fn error_of(expr: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    match expr {
        Expr::Cast(cast) => {
            let inner = error_of(&cast.expr, schema)?;
            let own = fallible(&cast.expr, cast.field.data_type(), schema)?
                .then(|| {
                    Ok::<_, datafusion::error::DataFusionError>(failing_expr(
                        value_of(&cast.expr, schema)?,
                        value_of(expr, schema)?,
                    ))
                })
                .transpose()?;
            Ok(first_expr(inner.into_iter().chain(own).collect()))
        }
        Expr::ScalarFunction(call) if functions::reads(call.func.name()) => {
            let mut errors = children(expr, schema)?;
            errors.push(failing_expr(value_of(&call.args[0], schema)?, value_of(expr, schema)?));
            Ok(first_expr(errors))
        }
        Expr::ScalarFunction(call) if matches!(call.func.name(), "coalesce" | "nvl" | "ifnull") => {
            let steps =
                call.args.iter().map(|arg| Ok((error_of(arg, schema)?, value_of(arg, schema)?.is_not_null(), None)));
            in_turn(steps.collect::<Result<_>>()?, None)
        }
        Expr::Case(case) => error_of_case(case, schema),
        Expr::HigherOrderFunction(_) | Expr::Lambda(_) if value_of(expr, schema)? != *expr => {
            plan_err!("a conversion inside a lambda cannot be checked; convert outside of it, or use TRY_CAST")
        }
        Expr::BinaryExpr(BinaryExpr { op: Operator::And | Operator::Or, .. }) => {
            let errors = first_expr(children(expr, schema)?);
            // A side that fails does not matter where the other one decides.
            errors.map(|e| when(vec![(value_of(expr, schema)?.is_null(), e)], None)).transpose()
        }
        _ => Ok(first_expr(children(expr, schema)?)),
    }
}

/// The errors of an expression's own arguments.
fn children(expr: &Expr, schema: &DFSchema) -> Result<Vec<Expr>> {
    let mut errors = Vec::new();
    expr.apply_children(|child| {
        errors.extend(error_of(child, schema)?);
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(errors)
}

fn error_of_case(case: &Case, schema: &DFSchema) -> Result<Option<Expr>> {
    let operand = case
        .expr
        .as_deref()
        .map(|o| Ok::<_, datafusion::error::DataFusionError>((error_of(o, schema)?, value_of(o, schema)?)))
        .transpose()?;
    let mut steps = Vec::new();
    let mut value = None;
    if let Some((error, v)) = operand {
        steps.push((error, Expr::Literal(ScalarValue::Boolean(Some(false)), None), None));
        value = Some(v);
    }
    for (condition, result) in &case.when_then_expr {
        let holds = value_of(condition, schema)?;
        let holds = value.clone().map_or(holds.clone(), |v| v.eq(holds));
        steps.push((error_of(condition, schema)?, holds, error_of(result, schema)?));
    }
    let otherwise = case.else_expr.as_deref().map(|e| error_of(e, schema)).transpose()?.flatten();
    in_turn(steps, otherwise)
}

/// Steps that are taken in turn: (what can fail in looking, whether it ends here, what can fail then).
fn in_turn(steps: Vec<(Option<Expr>, Expr, Option<Expr>)>, otherwise: Option<Expr>) -> Result<Option<Expr>> {
    if otherwise.is_none() && steps.iter().all(|(looking, _, then)| looking.is_none() && then.is_none()) {
        return Ok(None);
    }
    let mut branches = Vec::new();
    for (looking, ends, then) in steps {
        if let Some(error) = looking {
            branches.push((error.clone().is_not_null(), error));
        }
        branches.push((ends, then.unwrap_or_else(nothing)));
    }
    when(branches, otherwise).map(Some)
}

fn when(branches: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Result<Expr> {
    let branches = branches.into_iter().map(|(c, r)| (Box::new(c), Box::new(r))).collect();
    Ok(Expr::Case(Case::new(None, branches, Some(Box::new(otherwise.unwrap_or_else(nothing))))))
}

fn nothing() -> Expr {
    Expr::Literal(ScalarValue::Utf8(None), None)
}
