//! Columns without an alias are named as PostgreSQL does: after the function, the column below a cast, or `?column?`.
//! Only the outermost SELECT is touched, and no name is given twice, which DataFusion would refuse: `NULL, NULL` of JDBC gets
//! a number behind the second.

use datafusion::sql::sqlparser::ast::{Expr, Ident, Query, Select, SelectItem, SetExpr, Statement};

/// Names the columns of `statement`'s result.
pub fn name_columns(statement: &mut Statement) {
    if let Statement::Query(query) = statement
        && let Some(select) = outermost(query)
    {
        name(select);
    }
}

fn outermost(query: &mut Query) -> Option<&mut Select> {
    let mut body = query.body.as_mut();
    loop {
        match body {
            SetExpr::Select(select) => return Some(select),
            SetExpr::Query(query) => body = query.body.as_mut(),
            SetExpr::SetOperation { left, .. } => body = left.as_mut(),
            _ => return None,
        }
    }
}

fn name(select: &mut Select) {
    // What the other columns of `*` are called is not known here.
    if select.projection.iter().any(|i| matches!(i, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))) {
        return;
    }
    let names: Vec<Option<String>> = select.projection.iter().map(of_item).collect();
    let once = |name: &String| names.iter().flatten().filter(|n| *n == name).count() == 1;
    let mut seen: Vec<String> = Vec::new();
    for (item, name) in select.projection.iter_mut().zip(&names) {
        if let (SelectItem::UnnamedExpr(expr @ Expr::Value(_)), Some(name)) = (&*item, name) {
            let shown = expr.to_string();
            let nth = seen.iter().filter(|earlier| **earlier == shown).count();
            if nth > 0 {
                let alias = Ident::with_quote('"', format!("{name}{}", nth + 1));
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
            }
            seen.push(shown);
        }
        if let (SelectItem::UnnamedExpr(expr), Some(name)) = (&*item, name)
            && !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
            && once(name)
        {
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', name) };
        }
    }
}

fn of_item(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(expr) => Some(of(expr).unwrap_or_else(|| "?column?".into())),
        SelectItem::ExprWithAlias { alias, .. } => Some(folded(alias)),
        _ => None,
    }
}

fn of(expr: &Expr) -> Option<String> {
    Some(match expr {
        Expr::Identifier(ident) => folded(ident),
        Expr::CompoundIdentifier(parts) => folded(parts.last()?),
        Expr::Function(function) => folded(function.name.0.last()?.as_ident()?),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => of(inner)?,
        Expr::Cast { expr: inner, data_type, .. } => of(inner).unwrap_or_else(|| data_type.to_string().to_lowercase()),
        Expr::Case { .. } => "case".into(),
        Expr::Exists { .. } => "exists".into(),
        Expr::Extract { .. } => "extract".into(),
        Expr::Substring { .. } => "substring".into(),
        Expr::Position { .. } => "position".into(),
        Expr::Floor { .. } => "floor".into(),
        Expr::Ceil { .. } => "ceil".into(),
        Expr::Trim { .. } => "btrim".into(),
        Expr::Array(_) => "array".into(),
        _ => return None,
    })
}

/// What is not quoted is in lower case.
fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}
