//! What PostgreSQL's clients write and neither DataFusion nor the stock rewrites know. Every rule names who writes it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, ArrayElemTypeDef, BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, Query, SelectItem, SetExpr, Statement, Subscript,
    TableFactor, Value, ValueWithSpan, Visit, VisitMut, Visitor, VisitorMut, visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::PG_CATALOG;
use super::absent::ABSENT;
use crate::engine::options::QueryOptions;
use crate::engine::session::MAIN;

/// Tables that the stock rewrites do not know by their bare names.
const MORE_TABLES: [&str; 2] = ["pg_user", "pg_indexes"];
/// Columns of `pg_type` that hold functions by their names, where PostgreSQL has ids.
const FUNCTIONS: [&str; 4] = ["typreceive", "typinput", "typoutput", "typsend"];

/// Rewrites `statement`; `catalogue`: it asks the system tables, not the lake.
pub fn rewrite(statement: &mut Statement, catalogue: bool, options: &QueryOptions) {
    let mut quirks = Quirks { catalogue, options, open: Vec::new() };
    let _ = VisitMut::visit(statement, &mut quirks);
}

struct Quirks<'a> {
    catalogue: bool,
    options: &'a QueryOptions,
    /// The queries around the place where we are.
    open: Vec<Scope>,
}

/// The common table expressions of one query, which are in no schema.
struct Scope {
    names: Vec<String>,
    /// So many of them can be named by now, beginning with the first.
    known: usize,
    recursive: bool,
}

impl Scope {
    fn of(query: &Query) -> Scope {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        let names = ctes.map(|cte| folded(&cte.alias.name)).collect();
        Scope { names, known: 0, recursive: query.with.as_ref().is_some_and(|with| with.recursive) }
    }

    fn has(&self, name: &str) -> bool {
        let known = if self.recursive { self.names.len() } else { self.known };
        self.names[..known].iter().any(|own| own == name)
    }
}

impl VisitorMut for Quirks<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if self.catalogue
            && let SetExpr::Select(select) = query.body.as_mut()
        {
            select.projection.iter_mut().for_each(without_outer_rows);
            select.projection.iter_mut().for_each(with_rows_of_series);
            select.selection.iter_mut().for_each(with_one_row);
        }
        self.open.push(Scope::of(query));
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.open.pop();
        // Those of WITH are visited before all others in a query, and a name is known behind its own.
        if let Some(outer) = self.open.last_mut() {
            outer.known = outer.names.len().min(outer.known + 1);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: None, .. } = factor
            && let [part] = name.0.as_slice()
            && let Some(ident) = part.as_ident()
            && let Some(schema) = self.schema_of(ident)
        {
            *name = ObjectName::from(vec![Ident::new(schema), ident.clone()]);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let changed = match expr {
            Expr::Function(function) => self.call(function),
            Expr::Identifier(ident) if ident.quote_style.is_none() && self.is_current_schema(&ident.value) => {
                self.schema()
            }
            Expr::Cast { expr: inner, data_type, .. } => named(inner, data_type),
            Expr::BinaryOp { left, op, right } if self.catalogue => {
                compared(left, right).map(|(left, right)| binary(left, op.clone(), right))
            }
            Expr::CompoundFieldAccess { root, access_chain } if self.catalogue => {
                count_from_one(root, access_chain);
                expanded(root, access_chain)
            }
            Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } => {
                with_backslashes(pattern, escape_char);
                None
            }
            // Grafana: the stock rewrites leave nothing of the search path.
            Expr::InList { expr: inner, list, .. } if self.catalogue && is_call(inner, "quote_ident") => {
                if let [Expr::Value(value)] = list.as_mut_slice()
                    && value.value == Value::SingleQuotedString(String::new())
                {
                    value.value = Value::SingleQuotedString(MAIN.into());
                }
                None
            }
            _ => None,
        };
        if let Some(changed) = changed {
            *expr = changed;
        }
        ControlFlow::Continue(())
    }
}

impl Quirks<'_> {
    /// The schema that a bare name is given: the search path's, or that of system tables.
    fn schema_of(&self, name: &Ident) -> Option<&str> {
        let is = |known: &&str| name.value.eq_ignore_ascii_case(known);
        if MORE_TABLES.iter().chain(ABSENT.iter().map(|(absent, _)| absent)).any(is) {
            return Some(PG_CATALOG);
        }
        let cte = || self.open.iter().any(|scope| scope.has(&folded(name)));
        let own = !name.value.to_ascii_lowercase().starts_with("pg_") && !cte();
        self.options.schema.as_deref().filter(|_| own)
    }

    fn is_current_schema(&self, word: &str) -> bool {
        self.options.schema.is_some() && word.eq_ignore_ascii_case("current_schema")
    }

    fn schema(&self) -> Option<Expr> {
        self.options.schema.as_deref().map(text)
    }

    fn call(&self, function: &Function) -> Option<Expr> {
        let name = function.name.0.last()?.as_ident()?.value.to_ascii_lowercase();
        match name.as_str() {
            "session_user" | "current_user" | "user" => self.options.user.as_deref().map(text),
            "current_schema" => self.schema(),
            "set_config" => self.schema().and_then(|schema| with_argument(function, schema)),
            // psql joins options of toast tables and members of roles, of which there are none.
            "array" if self.catalogue && matches!(function.args, FunctionArguments::Subquery(_)) => Some(no_texts()),
            "generate_subscripts" => first(function).map(subscripts),
            "_pg_expandarray" => first(function).map(|array| call("unnest", vec![array])),
            "to_regtype" => first(function).and_then(type_oid),
            _ => None,
        }
    }
}

/// As DataFusion compares names: what is not quoted is in lower case.
fn folded(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_ascii_lowercase() }
}

/// SQLAlchemy and Npgsql look up single values of the outer row below a CASE, which DataFusion cannot: NULL, as the stock
/// rewrites do it where such a subquery stands alone.
fn without_outer_rows(item: &mut SelectItem) {
    let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else { return };
    let _ = visit_expressions_mut(expr, |inner| {
        if let Expr::Subquery(query) = inner
            && reads_outer_row(query)
        {
            *inner = Expr::Value(Value::Null.into());
        }
        ControlFlow::<()>::Continue(())
    });
}

fn reads_outer_row(query: &Query) -> bool {
    let SetExpr::Select(select) = query.body.as_ref() else { return false };
    let factors =
        select.from.iter().flat_map(|t| std::iter::once(&t.relation).chain(t.joins.iter().map(|j| &j.relation)));
    let own: BTreeSet<String> = factors
        .filter_map(|factor| match factor {
            TableFactor::Table { name, alias, .. } => {
                let bare = name.0.last()?.as_ident()?;
                Some(alias.as_ref().map_or(bare, |alias| &alias.name).value.clone())
            }
            TableFactor::Derived { alias, .. } => Some(alias.as_ref()?.name.value.clone()),
            _ => None,
        })
        .collect();
    struct Find<'a>(&'a BTreeSet<String>);
    impl Visitor for Find<'_> {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                // `alias.column` or `schema.table.column`
                Expr::CompoundIdentifier(parts) => match parts.iter().rev().nth(1) {
                    Some(table) if !self.0.contains(&table.value) => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                },
                _ => ControlFlow::Continue(()),
            }
        }
    }
    Visit::visit(query, &mut Find(&own)).is_break()
}

/// psqlODBC numbers the columns of foreign keys by `generate_series(…)` in the SELECT list, which is an array here.
fn with_rows_of_series(item: &mut SelectItem) {
    let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else { return };
    if is_call(expr, "generate_series") {
        *expr = call("unnest", vec![expr.clone()]);
    }
}

/// psql's \dT and JDBC look up one value of the outer row in WHERE: DataFusion wants to see that it is one. PostgreSQL
/// would refuse more than one row, so the greatest is the only one.
fn with_one_row(condition: &mut Expr) {
    let _ = visit_expressions_mut(condition, |inner| {
        if let Expr::Subquery(query) = inner
            && reads_outer_row(query)
            && query.limit_clause.is_none()
            && let SetExpr::Select(select) = query.body.as_mut()
            && let [SelectItem::UnnamedExpr(value)] = select.projection.as_mut_slice()
            && !calls_anything(value)
        {
            *value = call("max", vec![value.clone()]);
        }
        ControlFlow::<()>::Continue(())
    });
}

/// An aggregate would not bear another around it.
fn calls_anything(expr: &Expr) -> bool {
    struct Find;
    impl Visitor for Find {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if matches!(expr, Expr::Function(_)) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    Visit::visit(expr, &mut Find).is_break()
}

/// SQLAlchemy and psycopg ask for the id of a type that may not be there.
fn type_oid(name: Expr) -> Option<Expr> {
    if !matches!(name, Expr::Value(_) | Expr::Cast { .. }) {
        return None;
    }
    let ours = format!(
        "SELECT max(oid) FROM {PG_CATALOG}.pg_type \
         WHERE typname = lower({name}) OR format_type(oid, NULL) = lower({name})"
    );
    let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, &ours).ok()?;
    match statements.pop()? {
        Statement::Query(query) => Some(Expr::Subquery(query)),
        _ => None,
    }
}

/// psqlODBC reads the columns of an index: PostgreSQL counts the items of `indkey` and its like from 0, arrays from 1.
fn count_from_one(root: &Expr, chain: &mut [AccessExpr]) {
    const VECTORS: [&str; 5] = ["indkey", "indoption", "indclass", "indcollation", "i_indoption"];
    let Some((AccessExpr::Subscript(Subscript::Index { index }), before)) = chain.split_last_mut() else { return };
    let name = match before.last() {
        None => column(root),
        Some(AccessExpr::Dot(field)) => column(field),
        Some(AccessExpr::Subscript(_)) => None,
    };
    if name.is_some_and(|name| VECTORS.iter().any(|vector| name.eq_ignore_ascii_case(vector))) {
        let one = Expr::Value(Value::Number("1".into(), false).into());
        *index = binary(Expr::Nested(Box::new(index.clone())), BinaryOperator::Plus, one);
    }
}

/// SQLAlchemy escapes patterns with `/`; DataFusion knows the backslash only.
fn with_backslashes(pattern: &mut Expr, escape: &mut Option<ValueWithSpan>) {
    let Some(Value::SingleQuotedString(letter)) = escape.as_ref().map(|escape| &escape.value) else { return };
    if letter.chars().count() != 1 || letter == "\\" {
        return;
    }
    let replaced = |from: Expr, what: &str, by: &str| call("replace", vec![from, text(what), text(by)]);
    // The letter twice is the letter itself; what holds its place is in no pattern.
    let plain = replaced(Expr::Nested(Box::new(pattern.clone())), "\\", "\\\\");
    let kept = replaced(plain, &letter.repeat(2), "\u{1}");
    *pattern = replaced(replaced(kept, letter, "\\"), "\u{1}", letter);
    *escape = None;
}

/// `'pg_class'::regclass`, `format('%I.%I', …)::regclass` (Metabase), and names of functions, which are texts here.
fn named(operand: &Expr, kind: &DataType) -> Option<Expr> {
    let literal = match operand {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.as_str()),
            Value::Placeholder(_) => None,
            _ => return None,
        },
        Expr::Function(_) => None,
        _ => return None,
    };
    let kind = kind.to_string().to_ascii_lowercase().replace('"', "");
    match (kind.strip_prefix("pg_catalog.").unwrap_or(&kind), literal) {
        ("regclass", _) => Some(call("to_regclass", vec![operand.clone()])),
        ("regproc", Some(name)) => Some(text(name.rsplit('.').next().unwrap_or(name))),
        _ => None,
    }
}

/// Npgsql and ADBC join `pg_proc.oid = typreceive` and ask whether it is not 0; SQLAlchemy writes `indisprimary = 'f'`.
fn compared(left: &Expr, right: &Expr) -> Option<(Expr, Expr)> {
    let is_function = |e: &Expr| column(e).is_some_and(|c| FUNCTIONS.contains(&c));
    let turned = |other: &Expr| match other {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => Some(text(digits)),
            _ => None,
        },
        other if column(other) == Some("oid") => renamed(other, "proname"),
        _ => None,
    };
    let truth = |e: &Expr| match e {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(letter) if letter == "t" || letter == "f" => {
                Some(Expr::Value(Value::Boolean(letter == "t").into()))
            }
            _ => None,
        },
        _ => None,
    };
    if is_function(left) {
        turned(right).map(|right| (left.clone(), right))
    } else if is_function(right) {
        turned(left).map(|left| (left, right.clone()))
    } else if column(left).is_some_and(|c| c.starts_with("indis")) {
        truth(right).map(|right| (left.clone(), right))
    } else {
        None
    }
}

/// JDBC's `(information_schema._pg_expandarray(keys)).n`, and `(result.keys).x` of it.
fn expanded(root: &Expr, chain: &[AccessExpr]) -> Option<Expr> {
    let [AccessExpr::Dot(Expr::Identifier(field))] = chain else { return None };
    let Expr::Nested(inner) = root else { return None };
    match (inner.as_ref(), field.value.as_str()) {
        (Expr::Function(function), "n") if is_call(inner, "_pg_expandarray") => first(function).map(subscripts),
        (Expr::Function(_), "x") if is_call(inner, "_pg_expandarray") => Some(inner.as_ref().clone()),
        (Expr::CompoundIdentifier(_) | Expr::Identifier(_), "x") => Some(inner.as_ref().clone()),
        _ => None,
    }
}

/// `generate_subscripts(a, 1)` beside `unnest(a)`: `unnest(range(1, array_length(a) + 1))`.
fn subscripts(array: Expr) -> Expr {
    let one = || Expr::Value(Value::Number("1".into(), false).into());
    let length = cast(call("array_length", vec![array]), DataType::BigInt(None));
    call("unnest", vec![call("range", vec![one(), binary(length, BinaryOperator::Plus, one())])])
}

/// `NULL::text[]`
fn no_texts() -> Expr {
    let texts = DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(DataType::Text), None));
    cast(Expr::Value(Value::Null.into()), texts)
}

/// The column that an expression is.
fn column(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Identifier(ident) => Some(&ident.value),
        Expr::CompoundIdentifier(parts) => parts.last().map(|p| p.value.as_str()),
        _ => None,
    }
}

fn renamed(expr: &Expr, name: &str) -> Option<Expr> {
    let Expr::CompoundIdentifier(parts) = expr else { return None };
    let mut parts = parts.clone();
    *parts.last_mut()? = Ident::new(name);
    Some(Expr::CompoundIdentifier(parts))
}

fn is_call(expr: &Expr, name: &str) -> bool {
    let Expr::Function(function) = expr else { return false };
    let last = function.name.0.last().and_then(|part| part.as_ident());
    last.is_some_and(|ident| ident.value.eq_ignore_ascii_case(name))
}

fn first(function: &Function) -> Option<Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.first()? {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    }
}

fn with_argument(function: &Function, added: Expr) -> Option<Expr> {
    let mut function = function.clone();
    let FunctionArguments::List(list) = &mut function.args else { return None };
    list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(added)));
    Some(Expr::Function(function))
}

fn text(text: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.into()).into())
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None }
}

fn call(name: &str, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
