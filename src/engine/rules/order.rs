//! ORDER BY and LIMIT of a whole result: taken off the statement where something else comes between (compare, totals, an
//! order asked for), and put on the plan. It must not touch the ORDER BY and LIMIT of subqueries.

use std::collections::BTreeMap;

use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Fetch, Ident, LimitClause, OrderBy as SqlOrderBy, OrderByExpr, OrderByKind, Query, Statement,
    Value,
};

use crate::engine::classify::classify;
use crate::engine::options::{OrderBy, Param, QueryOptions};
use crate::error::{Error, Result, did_you_mean};

/// The most rows that `limit` may ask for (domain 4.1).
pub const MOST_ROWS: u64 = 100_000;

/// A statement without its outer ORDER BY and LIMIT, and what they were.
#[derive(Debug)]
pub struct Bare {
    pub statement: Statement,
    order: Vec<OrderByExpr>,
    skip: u64,
    fetch: Option<u64>,
}

/// Takes the outer ORDER BY, LIMIT and OFFSET off `statement`. `params` gives the value of `LIMIT $n`.
///
/// # Errors
/// `Invalid`: forms that cannot be put back on (ORDER BY ALL, LIMIT BY, FETCH … PERCENT, computed limits).
pub fn strip(statement: &Statement, params: &BTreeMap<String, Param>) -> Result<Bare> {
    let mut statement = statement.clone();
    let Statement::Query(query) = &mut statement else {
        return Err(Error::invalid("only a query can be compared, totalled or put in order"));
    };
    let order = query.order_by.take().map(expressions).transpose()?.unwrap_or_default();
    let (skip, fetch) = bounds(query, params)?;
    Ok(Bare { statement, order, skip, fetch })
}

fn expressions(order: SqlOrderBy) -> Result<Vec<OrderByExpr>> {
    match order.kind {
        OrderByKind::Expressions(expressions) => Ok(expressions),
        OrderByKind::All(_) => Err(Error::invalid("ORDER BY ALL cannot be kept here").hint("name the columns")),
    }
}

fn bounds(query: &mut Query, params: &BTreeMap<String, Param>) -> Result<(u64, Option<u64>)> {
    let (skip, limit) = match query.limit_clause.take() {
        None => (None, None),
        Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
            (offset.map(|o| o.value), limit)
        }
        Some(LimitClause::OffsetCommaLimit { offset, limit }) => (Some(offset), Some(limit)),
        Some(other) => return Err(Error::invalid(format!("{other} cannot be kept here")).hint("write LIMIT n")),
    };
    let fetch = match query.fetch.take() {
        None => None,
        Some(Fetch { with_ties: false, percent: false, quantity }) => {
            Some(quantity.map_or(Ok(Some(1)), |q| number(&q, params))?.unwrap_or(1))
        }
        Some(other) => return Err(Error::invalid(format!("{other} cannot be kept here")).hint("write LIMIT n")),
    };
    let limit = limit.map(|l| number(&l, params)).transpose()?.flatten();
    let skip = skip.map(|s| number(&s, params)).transpose()?.flatten().unwrap_or(0);
    Ok((skip, [limit, fetch].into_iter().flatten().min()))
}

/// A literal, or the value of an integer parameter; `None` for NULL.
fn number(expr: &SqlExpr, params: &BTreeMap<String, Param>) -> Result<Option<u64>> {
    let refuse = || {
        Error::invalid(format!("LIMIT or OFFSET {expr} cannot be kept here"))
            .hint("a number or a parameter of type int")
    };
    let SqlExpr::Value(value) = expr else { return Err(refuse()) };
    match &value.value {
        Value::Number(text, _) => text.parse().map(Some).map_err(|_| refuse()),
        Value::Null => Ok(None),
        Value::Placeholder(name) => match params.get(name.trim_start_matches('$')) {
            Some(Param::Int(n)) => u64::try_from(*n).map(Some).map_err(|_| refuse()),
            Some(Param::Null(_)) => Ok(None),
            _ => Err(refuse()),
        },
        _ => Err(refuse()),
    }
}

/// How a result is ordered and cut.
#[derive(Debug, Clone)]
pub struct Order {
    sorts: Vec<SortExpr>,
    skip: u64,
    fetch: Option<u64>,
}

impl Order {
    /// The order asked for, else the statement's own; then the key, so that equal rows have one order. NULLs come last, except
    /// where the statement's own order says otherwise. The statement's LIMIT stays and the limit asked for can only lower it.
    ///
    /// # Errors
    /// `Invalid`: columns that `schema`, the result's, does not have; a statement's own ORDER BY over anything but its columns.
    pub fn of(schema: &DFSchema, bare: &Bare, options: &QueryOptions) -> Result<Order> {
        let asked = |o: &OrderBy| Ok(column(schema, &o.column)?.sort(!o.descending, false));
        let mut sorts: Vec<SortExpr> = match options.order_by.is_empty() {
            true => bare.order.iter().map(|o| own(schema, o)).collect::<Result<_>>()?,
            false => options.order_by.iter().map(asked).collect::<Result<_>>()?,
        };
        for name in &options.key {
            let tie = column(schema, name)?;
            if sorts.iter().all(|s| s.expr != tie) {
                sorts.push(tie.sort(true, false));
            }
        }
        Ok(Order { sorts, skip: bare.skip, fetch: [bare.fetch, options.limit].into_iter().flatten().min() })
    }

    /// `first`, then this order: for rows that must stay together.
    pub fn after(&self, first: Expr) -> Order {
        let sorts = std::iter::once(first.sort(true, false)).chain(self.sorts.clone()).collect();
        Order { sorts, skip: 0, fetch: None }
    }

    pub fn cuts(&self) -> bool {
        self.skip > 0 || self.fetch.is_some()
    }

    /// Sorts `plan` and cuts it.
    pub fn apply(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let mut builder = LogicalPlanBuilder::from(plan);
        if !self.sorts.is_empty() {
            builder = builder.sort(self.sorts.clone()).map_err(classify)?;
        }
        if self.cuts() {
            let fetch = self.fetch.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
            builder = builder.limit(usize::try_from(self.skip).unwrap_or(usize::MAX), fetch).map_err(classify)?;
        }
        builder.build().map_err(classify)
    }
}

/// Cuts a plan that keeps its own order.
pub fn limited(plan: LogicalPlan, limit: Option<u64>) -> Result<LogicalPlan> {
    let Some(limit) = limit else { return Ok(plan) };
    let fetch = usize::try_from(limit).unwrap_or(usize::MAX);
    LogicalPlanBuilder::from(plan).limit(0, Some(fetch)).and_then(LogicalPlanBuilder::build).map_err(classify)
}

/// # Errors
/// `Invalid`: 0, or more than [`MOST_ROWS`].
pub fn check_limit(limit: Option<u64>) -> Result<()> {
    match limit {
        Some(n) if n == 0 || n > MOST_ROWS => {
            Err(Error::invalid(format!("limit = {n}")).hint(format!("1 to {MOST_ROWS}; without a limit all rows come")))
        }
        _ => Ok(()),
    }
}

/// A result's column by its name.
pub fn column(schema: &DFSchema, name: &str) -> Result<Expr> {
    let mut found = schema.iter().filter(|(_, field)| field.name() == name);
    match (found.next(), found.next()) {
        (Some(field), None) => Ok(Expr::Column(Column::from(field))),
        (Some(_), Some(_)) => {
            Err(Error::invalid(format!("the result has two columns {name}")).hint("give one an alias"))
        }
        (None, _) => {
            let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            Err(Error::invalid(format!("the result has no column '{name}'")).hint(did_you_mean(name, names)))
        }
    }
}

/// One term of the statement's own ORDER BY, which must be a column of the result, by name or by number.
fn own(schema: &DFSchema, term: &OrderByExpr) -> Result<SortExpr> {
    let name = |ident: &Ident| match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    };
    let refuse = || {
        let message = format!("ORDER BY {}: not a column of the result, so it cannot be kept here", term.expr);
        Error::invalid(message).hint("give it an alias in the SELECT, or ask for another order")
    };
    let expr = match &term.expr {
        SqlExpr::Identifier(ident) => column(schema, &name(ident)).map_err(|_| refuse())?,
        SqlExpr::CompoundIdentifier(parts) => {
            column(schema, &parts.last().map(name).unwrap_or_default()).map_err(|_| refuse())?
        }
        SqlExpr::Value(value) => match &value.value {
            Value::Number(text, _) => {
                let at =
                    text.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < schema.fields().len());
                Expr::Column(Column::from(schema.qualified_field(at.ok_or_else(refuse)?)))
            }
            _ => return Err(refuse()),
        },
        _ => return Err(refuse()),
    };
    let ascending = term.options.asc.unwrap_or(true);
    // DataFusion's own default: NULLs last when ascending, first when descending.
    Ok(expr.sort(ascending, term.options.nulls_first.unwrap_or(!ascending)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{by, options, shop};
    use crate::engine::options::{Param, QueryOptions};

    const SQL: &str = "SELECT product_id AS product, region_id AS region, sum(net_rc) AS net FROM sales_event \
         GROUP BY product_id, region_id ORDER BY sum(net_rc) DESC";

    fn ordered(column: &str, descending: bool, limit: Option<u64>) -> QueryOptions {
        QueryOptions {
            order_by: by(column, descending),
            limit,
            key: vec!["product".into(), "region".into()],
            ..options()
        }
    }

    #[tokio::test]
    async fn asked_order_replaces_the_own_one_and_the_key_breaks_ties() {
        let shop = shop().await;
        let lines = shop.lines(SQL, &ordered("region", true, None)).await;
        assert_eq!(
            lines,
            ["p3|r9|20.0000", "p2|r2|50.0000", "p3|r2|10.0000", "p1|r1|110.0000", "p1||30.0000"],
            "NULL last"
        );
        assert_eq!(shop.lines(SQL, &ordered("net", false, Some(2))).await, ["p3|r2|10.0000", "p3|r9|20.0000"]);
    }

    #[tokio::test]
    async fn a_limit_alone_keeps_the_order() {
        let shop = shop().await;
        let limit = |n| QueryOptions { limit: Some(n), ..options() };
        assert_eq!(shop.lines(SQL, &limit(1)).await, ["p1|r1|110.0000"]);
        let own = format!("{SQL} LIMIT $n");
        let both = |n| QueryOptions { params: [("n".to_string(), Param::Int(2))].into(), ..limit(n) };
        assert_eq!(shop.lines(&own, &both(5)).await.len(), 2, "the statement's own limit stays");
        let asked = QueryOptions { params: both(5).params, ..ordered("product", false, Some(5)) };
        assert_eq!(shop.lines(&own, &asked).await, ["p1|r1|110.0000", "p1||30.0000"]);
        for n in [0, 100_001] {
            assert!(shop.error(SQL, &limit(n)).await.contains("100000"));
        }
    }

    #[tokio::test]
    async fn unknown_columns_have_near_names() {
        let shop = shop().await;
        let error = shop.error(SQL, &ordered("prodct", false, None)).await;
        assert!(error.contains("'prodct'") && error.contains("product"), "{error}");
    }
}
