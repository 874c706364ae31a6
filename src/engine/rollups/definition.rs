//! A rollup as its file says: a GROUP BY over one view. What it may say is narrow, so that it can be matched exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Date32Type;
use datafusion::common::{Column, TableReference};
use datafusion::datasource::source_as_provider;
use datafusion::execution::SessionState;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, lit};
use serde::Deserialize;

use super::contract;
use super::days::{days_of, on_days};
use super::month::Month;
use super::sources::{Source, sources};
use crate::access::Scope;
use crate::engine::cache::is_steady;
use crate::engine::classify::classify;
use crate::engine::options::Policies;
use crate::engine::planner::{Planner, parse};
use crate::engine::reading::Reading;
use crate::engine::snapshot::Snapshot;
use crate::engine::view::{Policy, ViewProvider};
use crate::error::{Error, Result};
use crate::model::Table;
use crate::queryfile::QueryFile;

/// The date by which a rollup is kept, if its header names no other.
const DATE: &str = "business_date";

/// Months of which each day has to be told by the first, in a rollup that is kept by the month: of all lengths, in and out of
/// leap years, before and after 1970.
const PROVED: [(i32, u32); 8] =
    [(1969, 12), (1970, 1), (2000, 2), (2023, 2), (2023, 6), (2024, 2), (2024, 12), (2100, 2)];

/// The header of `queries/rollups/*.sql`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    #[serde(rename = "title")]
    _title: Option<toml::Value>,
    about: Option<String>,
    /// The key whose months are kept each by itself.
    date: Option<String>,
    /// Columns of which each value lies in one row, whatever the month: their distinct counts add up. Checked whenever a month is made.
    #[serde(default)]
    once: Vec<String>,
    /// Columns whose distinct values are kept as sets.
    #[serde(default)]
    sets: Vec<String>,
}

/// A rollup as written.
#[derive(Debug, Clone)]
pub struct Definition {
    pub name: String,
    /// The file, for messages.
    pub path: String,
    pub about: String,
    sql: String,
    pub(super) date: String,
    once: Vec<String>,
    sets: Vec<String>,
}

impl Definition {
    /// Reads a file of `queries/rollups/`.
    ///
    /// # Errors
    /// No query file; mistakes of the header.
    pub fn read(file: &QueryFile) -> Result<Definition> {
        let header: Header = file.header()?;
        Ok(Definition {
            name: file.name.clone(),
            path: file.path.clone(),
            about: header.about.unwrap_or_default(),
            sql: file.sql.clone(),
            date: header.date.unwrap_or_else(|| DATE.into()),
            once: header.once,
            sets: header.sets,
        })
    }
}

/// What a column of a rollup tells of the rows that are added up in a row of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What they all have.
    Key,
    /// Their number.
    Rows,
    Sum,
    /// How many are not NULL.
    Count,
    Min,
    Max,
    /// How many distinct values, each of which is in no other row.
    Once,
    /// The distinct values, as a set of their numbers.
    Set,
}

/// A column of a rollup.
#[derive(Debug, Clone)]
pub struct Told {
    pub name: String,
    pub kind: Kind,
    /// Over the view's columns, without its name.
    pub of: Expr,
}

/// A rollup over the views of a snapshot; it holds nothing of the snapshot's data.
#[derive(Debug)]
pub struct Rollup {
    definition: Arc<Definition>,
    view: String,
    columns: Vec<Told>,
    /// Its date is the first day of a month.
    by_month: bool,
    policies: BTreeMap<String, Policy>,
    sources: Vec<Source>,
    /// The views that read its view, through others too.
    readers: BTreeSet<String>,
    table: &'static Table,
    /// Of the texts that decide its rows.
    texts: u128,
}

impl Rollup {
    /// Plans the rollup over the views of `snapshot`.
    ///
    /// # Errors
    /// Whatever is wrong with it, named by its file.
    pub async fn plan(definition: Arc<Definition>, snapshot: &Snapshot) -> Result<Rollup> {
        let path = definition.path.clone();
        Rollup::planned(definition, snapshot).await.map_err(|e| e.context(path))
    }

    async fn planned(definition: Arc<Definition>, snapshot: &Snapshot) -> Result<Rollup> {
        let state = &snapshot.session(&Scope::All);
        let plan = planned(&definition, state).await?;
        let (view, columns) = read(&definition, &plan)?;
        let by_month = is_by_month(&definition.date, &columns, state)?;
        let Reading { policies, relations, .. } = Reading::of(&plan.scan, &Policies::new())?;
        let steady = is_steady(&plan.scan, &Policies::new()).map_err(classify)?
            && is_steady(&LogicalPlan::Aggregate(plan.aggregate.clone()), &Policies::new()).map_err(classify)?;
        if !steady {
            return Err(Error::invalid(format!(
                "{view} has rows that change by themselves: a clock, chance, other sources"
            ))
            .hint("a rollup is made of tables of the lake alone"));
        }
        let sources = sources(&plan, &definition.date, state)?;
        let table = contract::of(&definition, &columns, &plan)?;
        let mut texts = format!("{}\n{}\n{}\n", env!("CARGO_PKG_VERSION"), definition.name, definition.sql);
        for view in relations.iter().filter_map(|name| snapshot.views().get(name)) {
            texts.push_str(&view.definition().meaning());
        }
        let texts = xxhash_rust::xxh3::xxh3_128(texts.as_bytes());
        let readers = readers(&view, snapshot);
        Ok(Rollup { definition, view, columns, by_month, policies, sources, readers, table, texts })
    }

    pub fn name(&self) -> &str {
        &self.definition.name
    }
    pub fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }
    /// The view that it is of.
    pub fn view(&self) -> &str {
        &self.view
    }
    /// Whether `name` is the view, or one that reads it.
    pub fn is_read_by(&self, name: &str) -> bool {
        self.view == name || self.readers.contains(name)
    }
    /// The view's date by whose months it is kept.
    pub fn date(&self) -> &str {
        &self.definition.date
    }
    /// Whether it tells months only, by their first days.
    pub fn is_by_month(&self) -> bool {
        self.by_month
    }
    pub fn table(&self) -> &'static Table {
        self.table
    }
    pub fn columns(&self) -> &[Told] {
        &self.columns
    }
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }
    /// Whether it keeps sets, whose numbers mean something with their dictionary only.
    pub fn has_sets(&self) -> bool {
        self.columns.iter().any(|told| told.kind == Kind::Set)
    }
    pub(super) fn texts(&self) -> u128 {
        self.texts
    }

    /// The column that tells `kind` of `of`, an expression over the view's columns without its name.
    pub fn column(&self, kind: Kind, of: &Expr) -> Option<&str> {
        self.columns.iter().find(|c| c.kind == kind && c.of == *of).map(|c| c.name.as_str())
    }

    /// The first of `policies` that the view does not have by default: other rows than the rollup's.
    pub fn default_policies<'a>(&self, policies: &'a Policies) -> Option<&'a str> {
        let other = |(name, value): &(&String, &String)| self.policies.get(*name).is_some_and(|p| p.default != **value);
        policies.iter().find(other).map(|(name, _)| name.as_str())
    }
}

/// Whether the rollup's date is the first day of the month of the view's, and not that day itself.
fn is_by_month(date: &str, columns: &[Told], state: &SessionState) -> Result<bool> {
    let own = Expr::Column(Column::new_unqualified(date));
    let of = columns.iter().find(|c| c.kind == Kind::Key && c.name == date).map(|told| &told.of);
    match of {
        Some(of) if *of == own => return Ok(false),
        Some(of) if of.column_refs().iter().all(|column| column.name == date) => {
            let days = days_of(PROVED.into_iter().map(|(year, month)| Month::new(year, month)));
            let firsts = on_days(of, date, days.iter().map(|(_, day)| *day).collect(), state).map_err(classify)?;
            let told = firsts.as_primitive_opt::<Date32Type>().into_iter().flatten();
            if told.eq(days.iter().map(|(month, _)| Some(month.first_day()))) {
                return Ok(true);
            }
        }
        _ => {}
    }
    Err(Error::invalid(format!("its date {date} is not one of its keys under that name")).hint(format!(
        "GROUP BY it, or by period_start({date}, 'month', 'iso') AS {date}, or name another: date = \"…\" in the header"
    )))
}

/// The views that read `view`, through others too.
fn readers(view: &str, snapshot: &Snapshot) -> BTreeSet<String> {
    let mut found = BTreeSet::from([view.to_string()]);
    loop {
        let reads = |other: &ViewProvider| other.reads().iter().any(|read| found.contains(read.table()));
        let new: Vec<String> = snapshot
            .views()
            .iter()
            .filter(|(name, other)| !found.contains(*name) && reads(other))
            .map(|(name, _)| name.clone())
            .collect();
        if new.is_empty() {
            return found;
        }
        found.extend(new);
    }
}

/// The parts of a rollup's statement.
pub struct Parts {
    /// Names of the result's columns and the places of the aggregate's that they are.
    pub names: Vec<(String, usize)>,
    pub aggregate: Aggregate,
    /// The view's scan.
    pub scan: LogicalPlan,
    pub relation: TableReference,
}

/// Plans the statement and takes it apart.
pub async fn planned(definition: &Definition, state: &SessionState) -> Result<Parts> {
    let shape = || {
        Error::invalid("a rollup is SELECT keys, aggregates FROM one view GROUP BY keys")
            .hint("without WHERE, HAVING, joins and expressions around aggregates: views have those")
    };
    let statement = parse(&definition.sql)?.query_only()?;
    let plan = Planner::over(state, &statement).await?.plan(&statement, &BTreeMap::new())?;
    let LogicalPlan::Projection(projection) = plan else { return Err(shape()) };
    let LogicalPlan::Aggregate(aggregate) = projection.input.as_ref().clone() else { return Err(shape()) };
    let mut names = Vec::new();
    for (expr, field) in projection.expr.iter().zip(projection.schema.fields()) {
        let mut inner = expr;
        while let Expr::Alias(alias) = inner {
            inner = &alias.expr;
        }
        let Expr::Column(column) = inner else { return Err(shape()) };
        names.push((field.name().clone(), aggregate.schema.index_of_column(column).map_err(classify)?));
    }
    let (scan, relation) = match aggregate.input.as_ref() {
        scan @ LogicalPlan::TableScan(of) => (scan.clone(), of.table_name.clone()),
        LogicalPlan::SubqueryAlias(alias) => (alias.input.as_ref().clone(), alias.alias.clone()),
        _ => return Err(shape()),
    };
    if view_of(&scan).is_none() {
        return Err(shape());
    }
    Ok(Parts { names, aggregate, scan, relation })
}

fn view_of(scan: &LogicalPlan) -> Option<String> {
    let LogicalPlan::TableScan(scan) = scan else { return None };
    let provider = source_as_provider(&scan.source).ok()?;
    provider.downcast_ref::<ViewProvider>().map(|view| view.name().to_string())
}

/// The view, and what the rollup tells of it.
fn read(definition: &Definition, parts: &Parts) -> Result<(String, Vec<Told>)> {
    let groups = parts.aggregate.group_expr.len();
    let mut columns = Vec::new();
    for (name, at) in &parts.names {
        let (kind, of) = match at.checked_sub(groups) {
            None => (Kind::Key, parts.aggregate.group_expr[*at].clone()),
            Some(at) => aggregated(definition, &parts.aggregate.aggr_expr[at])?,
        };
        columns.push(Told { name: name.clone(), kind, of: super::answer::bare(&of) });
    }
    let view = view_of(&parts.scan).unwrap_or_default();
    Ok((view, columns))
}

/// What an aggregate of a rollup tells, of what.
pub fn aggregated(definition: &Definition, expr: &Expr) -> Result<(Kind, Expr)> {
    let unknown = || {
        Error::invalid(format!("{expr} cannot be kept"))
            .hint("sum(x), count(*), count(x), min(x), max(x), or count(DISTINCT x) of a column that the header lists in once or sets")
    };
    let Expr::AggregateFunction(AggregateFunction { func, params }) = expr else { return Err(unknown()) };
    let [arg] = params.args.as_slice() else { return Err(unknown()) };
    if params.filter.is_some() || !params.order_by.is_empty() {
        return Err(unknown());
    }
    let listed = |list: &[String]| matches!(arg, Expr::Column(column) if list.contains(&column.name));
    let kind = match (func.name(), params.distinct) {
        ("count", false) if matches!(arg, Expr::Literal(value, _) if !value.is_null()) => {
            return Ok((Kind::Rows, lit(1_i64)));
        }
        ("count", false) => Kind::Count,
        ("count", true) if listed(&definition.once) => Kind::Once,
        ("count", true) if listed(&definition.sets) => Kind::Set,
        ("sum", false) => Kind::Sum,
        ("min", _) => Kind::Min,
        ("max", _) => Kind::Max,
        _ => return Err(unknown()),
    };
    Ok((kind, arg.clone()))
}
