//! How many relations a statement reads once its CTEs and views are put in their places: every use of a CTE is planned and
//! optimized anew, so that a few lines of SQL become millions of relations, and planning cannot be interrupted. It counts
//! over the parsed statement, before it is planned, and must not plan anything.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{LogicalPlan, TableSource};
use datafusion::sql::sqlparser::ast::{
    Ident, ObjectName, Query, Select, SetExpr, SetOperator, Statement, TableFactor, TableFunctionArgs, TableWithJoins,
    Visit, Visitor,
};

use super::view::ViewProvider;
use crate::error::{Error, Result};

/// Relations in all. Planning takes milliseconds for some hundred, and grows faster than their number; the largest report
/// shipped reads some hundred.
pub const MOST_RELATIONS: u64 = 1_000;
/// Relations joined in one FROM, or by EXCEPT and INTERSECT: each join holds the columns of all before it.
pub const MOST_JOINED: usize = 100;

/// What a name in FROM stands for, CTEs left out: how many relations it is.
pub type OfName<'a> = &'a dyn Fn(&ObjectName, Option<&TableFunctionArgs>) -> u64;

/// Refuses a statement that is too large to be planned.
///
/// # Errors
/// `Invalid`, with what was found, the limit, and what works instead.
pub fn check(statement: &Statement, of_name: OfName<'_>) -> Result<()> {
    let mut walk = Walk { of_name, open: Vec::new(), relations: 0, joined: 0 };
    let _ = Visit::visit(statement, &mut walk);
    if walk.relations > MOST_RELATIONS {
        let (found, most) = (walk.relations, MOST_RELATIONS);
        let message =
            format!("{found} relations are read here with those in CTEs and views, and at most {most} are taken");
        return Err(Error::invalid(message).hint(
            "a CTE counts as often as it is named, with all that it reads: name it once, or ask in several statements",
        ));
    }
    if walk.joined > MOST_JOINED {
        let message = format!("{} relations are joined here, and at most {MOST_JOINED} are taken", walk.joined);
        return Err(Error::invalid(message).hint("join fewer, put them together by UNION ALL, or write x IN (…)"));
    }
    Ok(())
}

/// The relations that a plan reads.
pub fn of_plan(plan: &LogicalPlan) -> u64 {
    let mut relations: u64 = 0;
    let counted = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            relations = relations.saturating_add(of_source(&scan.source));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    // Nothing above fails.
    if counted.is_err() { u64::MAX } else { relations }
}

/// A table is one; a view or a report is one more than it reads.
pub fn of_source(source: &Arc<dyn TableSource>) -> u64 {
    if let Some(plan) = source.get_logical_plan() {
        return of_plan(&plan).saturating_add(1);
    }
    let Ok(provider) = source_as_provider(source) else { return 1 };
    provider.downcast_ref::<ViewProvider>().map_or(1, |view| view.relations().saturating_add(1))
}

struct Walk<'a> {
    of_name: OfName<'a>,
    /// The queries around the place where we are.
    open: Vec<Scope>,
    /// The most that the statement or one of its CTEs has.
    relations: u64,
    joined: usize,
}

#[derive(Default)]
struct Scope {
    relations: u64,
    /// The CTEs that can be named here by now, with their relations.
    ctes: HashMap<String, u64>,
    /// The queries of the CTEs that are yet to come. Their addresses are only compared.
    coming: Vec<Coming>,
}

struct Coming {
    query: *const Query,
    name: String,
    recursive: bool,
}

impl Walk<'_> {
    fn add(&mut self, relations: u64) {
        if let Some(scope) = self.open.last_mut() {
            scope.relations = scope.relations.saturating_add(relations);
        }
    }

    fn cte(&self, name: &ObjectName) -> Option<u64> {
        let parts: Option<Vec<String>> = name.0.iter().map(|part| part.as_ident().map(folded)).collect();
        // So it looks them up: `WITH "a.b" AS …` is found by `a.b`, too.
        let name = parts?.join(".");
        self.open.iter().rev().find_map(|scope| scope.ctes.get(&name)).copied()
    }
}

impl Visitor for Walk<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let Some(outer) = self.open.last_mut()
            && let Some(cte) = outer.coming.iter().find(|cte| std::ptr::eq(cte.query, query))
            && cte.recursive
        {
            // Within itself it is the rows of the last round.
            outer.ctes.insert(cte.name.clone(), 0);
        }
        let coming = query.with.iter().flat_map(|with| {
            with.cte_tables.iter().map(move |cte| Coming {
                query: std::ptr::from_ref(cte.query.as_ref()),
                name: folded(&cte.alias.name),
                recursive: with.recursive,
            })
        });
        let (relations, joined) = operands(&query.body);
        self.joined = self.joined.max(joined);
        self.open.push(Scope { relations, ctes: HashMap::new(), coming: coming.collect() });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let Some(done) = self.open.pop() else { return ControlFlow::Continue(()) };
        self.relations = self.relations.max(done.relations);
        let Some(outer) = self.open.last_mut() else { return ControlFlow::Continue(()) };
        match outer.coming.iter().position(|cte| std::ptr::eq(cte.query, query)) {
            Some(at) => {
                let cte = outer.coming.swap_remove(at);
                outer.ctes.insert(cte.name, done.relations);
            }
            None => outer.relations = outer.relations.saturating_add(done.relations),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.joined = self.joined.max(joined(&select.from));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        let relations = match factor {
            TableFactor::Table { name, args, .. } => match self.cte(name).filter(|_| args.is_none()) {
                Some(relations) => relations.saturating_add(1),
                None => (self.of_name)(name, args.as_ref()),
            },
            // What is in it is counted where it is.
            TableFactor::NestedJoin { .. } | TableFactor::Pivot { .. } | TableFactor::Unpivot { .. } => 0,
            _ => 1,
        };
        self.add(relations);
        ControlFlow::Continue(())
    }
}

/// The parts of a UNION that read nothing, each of which is a relation itself; and how many are joined by EXCEPT or INTERSECT.
fn operands(body: &SetExpr) -> (u64, usize) {
    let (mut relations, mut joins) = (0, 0);
    let mut open = vec![body];
    while let Some(part) = open.pop() {
        match part {
            SetExpr::SetOperation { left, right, op, .. } => {
                open.extend([left.as_ref(), right.as_ref()]);
                joins += usize::from(*op != SetOperator::Union);
            }
            SetExpr::Select(select) if !select.from.is_empty() => {}
            SetExpr::Query(_) => {}
            _ => relations += 1,
        }
    }
    (relations, joins + 1)
}

fn joined(from: &[TableWithJoins]) -> usize {
    let mut relations = 0;
    let mut open: Vec<&TableWithJoins> = from.iter().collect();
    while let Some(table) = open.pop() {
        for factor in std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation)) {
            match factor {
                TableFactor::NestedJoin { table_with_joins, .. } => open.push(table_with_joins),
                _ => relations += 1,
            }
        }
    }
    relations
}

/// What is not quoted is in lower case.
fn folded(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_ascii_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::planner::parse;

    /// `ten` is a view of nine relations.
    fn of_name(name: &ObjectName, _: Option<&TableFunctionArgs>) -> u64 {
        if name.to_string() == "ten" { 10 } else { 1 }
    }

    fn walked(sql: &str) -> (u64, usize) {
        let mut walk = Walk { of_name: &of_name, open: Vec::new(), relations: 0, joined: 0 };
        let _ = Visit::visit(&parse(sql).unwrap().statement, &mut walk);
        (walk.relations, walk.joined)
    }

    fn checked(sql: &str) -> Result<()> {
        check(&parse(sql).unwrap().statement, &of_name)
    }

    fn relations(sql: &str) -> u64 {
        walked(sql).0
    }

    #[test]
    fn every_use_of_a_relation_counts() {
        assert_eq!(relations("SELECT 1"), 1);
        assert_eq!(relations("SELECT * FROM a"), 1);
        assert_eq!(relations("SELECT * FROM a JOIN b ON a.x = b.x, ten"), 12);
        assert_eq!(relations("SELECT (SELECT max(x) FROM b) FROM a WHERE x IN (SELECT x FROM ten)"), 12);
        assert_eq!(relations("SELECT * FROM (SELECT * FROM a) AS d"), 2);
        assert_eq!(relations("SELECT 1 UNION ALL SELECT 2 UNION ALL (SELECT x FROM a) UNION ALL VALUES (1), (2)"), 4);
        assert_eq!(relations("SELECT * FROM (a JOIN b ON a.x = b.x) JOIN generate_series(1, 2) ON true"), 3);
    }

    #[test]
    fn ctes_count_where_they_are_named() {
        let twice = "WITH c AS (SELECT * FROM a, b) SELECT * FROM c x JOIN C y ON true";
        assert_eq!(relations(twice), 6, "three each: two, and itself");
        assert_eq!(relations("WITH c AS (SELECT * FROM a), d AS (SELECT * FROM c, c) SELECT * FROM d, c"), 7);
        assert_eq!(relations("WITH c AS (SELECT * FROM a, b) SELECT 1 FROM a"), 2, "the largest of its parts");
    }

    #[test]
    fn ctes_have_their_scopes() {
        // `c` within itself is the table.
        assert_eq!(relations("WITH ten AS (SELECT * FROM ten) SELECT * FROM ten"), 11);
        // An inner WITH is gone behind its query, and hides while it lasts.
        let inner = "SELECT * FROM (WITH ten AS (SELECT * FROM a) SELECT * FROM ten) AS d, ten";
        assert_eq!(relations(inner), 2 + 1 + 10);
        let hides = "WITH c AS (SELECT * FROM ten) SELECT (WITH c AS (SELECT 1) SELECT max(1) FROM c), x FROM c";
        assert_eq!(relations(hides), 2 + 11);
        assert_eq!(relations("WITH c AS (SELECT 1) SELECT * FROM a WHERE x IN (SELECT x FROM c)"), 3);
        assert_eq!(relations("WITH c AS (SELECT * FROM a) SELECT * FROM \"C\""), 1, "another name");
        assert_eq!(relations("WITH \"a.b\" AS (SELECT * FROM ten) SELECT * FROM a.b"), 11);
        let recursive = "WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n WHERE x < 9) SELECT * FROM n";
        assert_eq!(relations(recursive), 3);
    }

    #[test]
    fn doubling_is_seen_at_once() {
        let doubled = |n: usize| {
            let ctes = (1..=n).map(|i| format!(", a{i} AS (SELECT * FROM a{0} UNION ALL SELECT * FROM a{0})", i - 1));
            format!("WITH a0 AS (SELECT 1 AS x){} SELECT * FROM a{n}", ctes.collect::<String>())
        };
        assert_eq!(relations(&doubled(3)), 23);
        assert_eq!(relations(&doubled(200)), u64::MAX);
        checked(&doubled(8)).unwrap();
        let error = checked(&doubled(9)).unwrap_err();
        assert!(error.to_string().contains("1535 relations") && error.to_string().contains("1000"), "{error}");
    }

    #[test]
    fn joins_have_a_limit_of_their_own() {
        let tables = |n: usize| format!("SELECT 1 FROM {}", vec!["a"; n].join(", "));
        assert_eq!(walked(&tables(7)).1, 7);
        assert_eq!(walked("SELECT 1 FROM a JOIN (b CROSS JOIN c) ON true").1, 3);
        assert_eq!(walked("SELECT x FROM a EXCEPT SELECT x FROM b INTERSECT SELECT x FROM c").1, 3);
        checked(&tables(MOST_JOINED)).unwrap();
        assert!(checked(&tables(MOST_JOINED + 1)).is_err());
    }
}
