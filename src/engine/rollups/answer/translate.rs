//! What the view tells of a row, told by the columns of a rollup's row. It must not translate what the sums of rows do not tell
//! exactly.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, TableReference};
use datafusion::functions::expr_fn::coalesce;
use datafusion::logical_expr::expr::{Case, Cast};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, lit, when};
use datafusion::scalar::ScalarValue;

use super::super::{Kind, Rollup};
use super::expr;
use super::months::Months;

/// A rollup's columns as its view's.
pub struct Translator<'a> {
    pub rollup: &'a Rollup,
    pub place: TableReference,
    pub months: &'a Months<'a>,
    /// The view's columns.
    pub schema: &'a DFSchema,
}

impl Translator<'_> {
    /// `kind` of `of`, an expression over the view's columns without its name.
    pub fn item(&self, kind: Kind, of: &Expr) -> Option<Expr> {
        match kind {
            Kind::Key => self.key(of),
            Kind::Rows => self.column(Kind::Rows, &expr::one()),
            Kind::Sum => self.sum(of),
            Kind::Count if expr::is_null(of) => Some(lit(0_i64)),
            Kind::Count => self.column(kind, of).or_else(|| {
                when(self.key(of)?.is_not_null(), self.column(Kind::Rows, &expr::one())?).otherwise(lit(0_i64)).ok()
            }),
            Kind::Min | Kind::Max => self.column(kind, of).or_else(|| self.key(of)),
            Kind::Once if expr::is_null(of) => Some(lit(0_i64)),
            Kind::Set if expr::is_null(of) => Some(lit(ScalarValue::Binary(None))),
            Kind::Once | Kind::Set => self.column(kind, of),
        }
    }

    fn column(&self, kind: Kind, of: &Expr) -> Option<Expr> {
        let name = self.rollup.column(kind, of)?;
        Some(Expr::Column(Column::new(Some(self.place.clone()), name)))
    }

    /// What the keys decide, the same on each day that a row may stand for.
    pub fn key(&self, of: &Expr) -> Option<Expr> {
        self.months.hold(of).then(|| self.by_keys(of)).flatten()
    }

    /// The same of one column, whoever asks for what: a rollup by the month tells a date by the first day of its month.
    pub fn by_keys(&self, of: &Expr) -> Option<Expr> {
        let mut decided = true;
        let made = of.clone().transform_down(|part| {
            if let Some(column) = self.column(Kind::Key, &part) {
                return Ok(Transformed::new(self.typed(column, &part), true, TreeNodeRecursion::Jump));
            }
            if matches!(&part, Expr::Column(column) if column.name == self.rollup.date()) {
                let first = Expr::Column(Column::new(Some(self.place.clone()), self.rollup.date()));
                return Ok(Transformed::new(first, true, TreeNodeRecursion::Jump));
            }
            decided &= !matches!(part, Expr::Column(_));
            Ok(match decided {
                true => Transformed::no(part),
                false => Transformed::new(part, false, TreeNodeRecursion::Stop),
            })
        });
        made.ok().filter(|_| decided).map(|made| made.data)
    }

    /// In the type that the view gives it: texts may be stored otherwise.
    fn typed(&self, column: Expr, of: &Expr) -> Expr {
        match of.get_type(self.schema) {
            Ok(kind) if matches!(kind, DataType::Utf8 | DataType::LargeUtf8) => {
                datafusion::logical_expr::cast(column, kind)
            }
            _ => column,
        }
    }

    /// A sum over the rows that a row of the rollup stands for, of what is linear in the rollup's sums.
    fn sum(&self, of: &Expr) -> Option<Expr> {
        if let Some(column) = self.column(Kind::Sum, of) {
            return Some(column);
        }
        if expr::adds_nothing(of) {
            return Some(of.clone());
        }
        if expr::whole(of) {
            return Some(self.column(Kind::Rows, &expr::one())? * of.clone());
        }
        match of {
            Expr::Negative(inner) => Some(Expr::Negative(Box::new(self.sum(inner)?))),
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::Plus | Operator::Minus), right })
                if expr::never_null(left, self.schema) && expr::never_null(right, self.schema) =>
            {
                let (left, right) = (Box::new(self.sum(left)?), Box::new(self.sum(right)?));
                Some(Expr::BinaryExpr(BinaryExpr { left, op: *op, right }))
            }
            Expr::Cast(cast) if expr::keeps(cast, self.schema) => {
                Some(Expr::Cast(Cast { expr: Box::new(self.sum(&cast.expr)?), ..cast.clone() }))
            }
            Expr::ScalarFunction(function) if expr::is_or_zero(function) => {
                Some(coalesce(vec![self.sum(&function.args[0])?, function.args[1].clone()]))
            }
            Expr::Case(case) => {
                let boxed = |e: Expr| Some(Box::new(e));
                let base = match &case.expr {
                    Some(base) => Some(boxed(self.key(base)?)?),
                    None => None,
                };
                let parts = case.when_then_expr.iter();
                let parts = parts.map(|(when, then)| Some((boxed(self.key(when)?)?, boxed(self.sum(then)?)?)));
                let when_then_expr = parts.collect::<Option<Vec<_>>>()?;
                let else_expr = match &case.else_expr {
                    Some(other) => Some(boxed(self.sum(other)?)?),
                    None => None,
                };
                Some(Expr::Case(Case { expr: base, when_then_expr, else_expr }))
            }
            _ => None,
        }
    }
}
