//! `a IS DISTINCT FROM b AND c` means `(a IS DISTINCT FROM b) AND c`; the parser takes all of `b AND c` for what `a` is compared
//! with. What was written in brackets stays as it is: it is nested.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};

/// Where the last operand of `expr` is an AND or OR that binds less than `expr` does, its first operand is the last of `expr`,
/// and the rest is around it. The parser makes such a thing of IS DISTINCT FROM only; around that, lifting does. What is in
/// `expr` has been lifted before.
pub fn lift(expr: &mut Expr) {
    let Some(last) = looser(expr) else { return };
    let Expr::BinaryOp { left, op, right } = std::mem::replace(last, Expr::Value(Value::Null.into())) else { return };
    *last = *left;
    lift(expr);
    let first = Box::new(std::mem::replace(expr, Expr::Value(Value::Null.into())));
    *expr = Expr::BinaryOp { left: first, op, right };
}

/// The last operand of `expr`, if it binds less.
fn looser(expr: &mut Expr) -> Option<&mut Expr> {
    use BinaryOperator::{And, Or};
    let (last, and_too) = match expr {
        Expr::IsDistinctFrom(_, last) | Expr::IsNotDistinctFrom(_, last) => (last, true),
        Expr::UnaryOp { op: UnaryOperator::Not, expr: last } => (last, true),
        Expr::BinaryOp { op: And, right, .. } => (right, false),
        _ => return None,
    };
    match last.as_ref() {
        Expr::BinaryOp { op: Or, .. } => Some(last),
        Expr::BinaryOp { op: And, .. } if and_too => Some(last),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use datafusion::sql::sqlparser::ast::{VisitMut, VisitorMut};

    use super::*;
    use crate::engine::planner::parse;

    /// Every operator in brackets.
    fn grouped(sql: &str) -> String {
        struct Brackets;
        impl VisitorMut for Brackets {
            type Break = ();
            fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
                if matches!(
                    expr,
                    Expr::BinaryOp { .. }
                        | Expr::IsDistinctFrom(..)
                        | Expr::IsNotDistinctFrom(..)
                        | Expr::UnaryOp { .. }
                ) {
                    let inner = std::mem::replace(expr, Expr::Value(Value::Null.into()));
                    *expr = Expr::Nested(Box::new(inner));
                }
                ControlFlow::Continue(())
            }
        }
        let mut statement = parse(&format!("SELECT {sql}")).unwrap().statement;
        let _ = VisitMut::visit(&mut statement, &mut Brackets);
        statement.to_string().trim_start_matches("SELECT ").to_string()
    }

    #[test]
    fn what_stands_behind_is_no_part_of_the_comparison() {
        for (sql, means) in [
            ("a IS DISTINCT FROM b AND c", "((a IS DISTINCT FROM b) AND c)"),
            ("a IS NOT DISTINCT FROM b OR c", "((a IS NOT DISTINCT FROM b) OR c)"),
            ("x AND a IS DISTINCT FROM b OR c", "((x AND (a IS DISTINCT FROM b)) OR c)"),
            ("x OR a IS DISTINCT FROM b AND c", "(x OR ((a IS DISTINCT FROM b) AND c))"),
            ("a IS DISTINCT FROM b AND c OR d", "(((a IS DISTINCT FROM b) AND c) OR d)"),
            ("a IS DISTINCT FROM b OR c AND d", "((a IS DISTINCT FROM b) OR (c AND d))"),
            ("NOT a IS DISTINCT FROM b AND c", "((NOT (a IS DISTINCT FROM b)) AND c)"),
            ("a IS DISTINCT FROM b + 1 AND c = d", "((a IS DISTINCT FROM (b + 1)) AND (c = d))"),
            (
                "a IS DISTINCT FROM b AND c IS DISTINCT FROM d OR e",
                "(((a IS DISTINCT FROM b) AND (c IS DISTINCT FROM d)) OR e)",
            ),
        ] {
            assert_eq!(grouped(sql), means, "{sql}");
        }
        assert_eq!(grouped("a IS DISTINCT FROM (b AND c)"), "(a IS DISTINCT FROM ((b AND c)))", "brackets stay");
    }
}
