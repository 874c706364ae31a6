//! A statement described without running it: columns, parameters, what it reads, what may be asked of it.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use tokio::time::timeout;

use super::admission::{Purpose, Turn};
use super::calls::Calls;
use super::classify::classify;
use super::options::{Param, ParamType, Pin, QueryOptions};
use super::params::{any_loose, param_type};
use super::planner::{Planner, placeholders};
use super::reading::Reading;
use super::rows::{plain_schema, plain_type};
use super::stop::late;
use super::view::Policy;
use super::{Inner, pins, query, rules};
use crate::access::Caller;
use crate::error::Result;
use crate::model::slicer::SLICERS;

/// A statement, described.
#[derive(Debug, Clone)]
pub struct Described {
    /// The result's columns, with those that compare and totals add when they are asked for.
    pub schema: SchemaRef,
    pub parameters: Vec<Parameter>,
    /// Tables and views read, through views too: `sales_event`, `product`, `base.order_line`.
    pub relations: BTreeSet<String>,
    /// Policies that may be chosen.
    pub policies: BTreeMap<String, Policy>,
    /// Tables and columns (`order_line.unit_cost`) without which the views that it reads have nothing to tell.
    pub needs: BTreeSet<String>,
    /// Slicers that apply, by name.
    pub slicers: Vec<&'static str>,
    /// The output columns of the statement's own topmost ORDER BY; other expressions are left out.
    pub order_by: Vec<String>,
    /// The order is total: it names every column of `options.key`, or there is at most one row.
    pub totally_ordered: bool,
    /// Whether `totals` can be asked for: there is exactly one topmost Aggregate.
    pub can_total: bool,
    /// The state on which it was planned.
    pub pin: Pin,
    /// The Delta versions of the tables read (by slices too).
    pub versions: BTreeMap<String, i64>,
}

/// A `$name` of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    /// As given, else as the plan needs it; `None` where it cannot be told.
    pub kind: Option<ParamType>,
    /// The type that the plan needs; `None` where it cannot be told.
    pub arrow: Option<DataType>,
}

/// Describes `sql` in the time that a query may take.
pub async fn describe(inner: &Inner, sql: &str, options: &QueryOptions, caller: &Caller) -> Result<Described> {
    let allowed = query::allowed(inner, caller);
    let mut turn = inner.admission.turn(caller.class);
    let planned = timeout(allowed, planned(inner, sql, options, caller, &mut turn)).await;
    planned.unwrap_or_else(|_| Err(late(Some(&turn), allowed)))
}

async fn planned(
    inner: &Inner,
    sql: &str,
    options: &QueryOptions,
    caller: &Caller,
    turn: &mut Turn,
) -> Result<Described> {
    let _room = query::room(inner, sql)?;
    let mut parsed = query::parsed(sql, options)?;
    let mut options = options.clone();
    // Before the turn, as for a query: a report may look up its parameters' values.
    let calls = Calls::take(&mut parsed, &mut options.params, inner.reports.get(), caller).await?;
    turn.take(Purpose::Plan).await?;
    let snapshot = pins::snapshot(inner, options.at.as_ref()).await?;
    let session = query::session(&snapshot, options.dialect, &caller.scope)?;
    snapshot.whole(&parsed.statement)?;
    let (tables, _, _) = calls.plan(&snapshot, &session).await?;
    let planner = Planner::over(&session, &parsed.statement).await?.with_calls(tables);
    let typed = match any_loose(&options.params) {
        true => BTreeMap::new(),
        false => options.params.clone(),
    };
    let (inferred, kinds) = planner.plan_inferring(&parsed.statement, &typed)?;
    let reading = Reading::of(&inferred, &options.policies)?;
    reading.check(&options.policies)?;
    let bound = placeholders(&parsed.statement).iter().all(|name| options.params.contains_key(name));
    let (schema, versions) = match bound {
        true => {
            let planned = query::plan(&snapshot, &session, &parsed, &options, &calls).await?;
            let plan = query::analyzed(&session, planned.plan)?;
            (plan.schema().as_arrow().clone(), planned.versions)
        }
        false => (unbound_schema(&session, &inferred, &options)?, reading.versions.clone()),
    };
    let order_by = order_of(&inferred);
    let key_ordered = !options.key.is_empty() && options.key.iter().all(|k| order_by.contains(k));
    let slicers = SLICERS.iter().filter(|s| rules::slicers::applies(&inferred, s, &options.policies, &options.spine));
    Ok(Described {
        schema: plain_schema(&schema),
        parameters: parameters(kinds, &calls, &options),
        slicers: slicers.map(|s| s.name).collect(),
        totally_ordered: key_ordered || inferred.max_rows().is_some_and(|n| n <= 1),
        can_total: rules::totals::possible(&inferred),
        order_by,
        relations: reading.relations,
        policies: reading.policies,
        needs: reading.needs,
        pin: snapshot.pin(),
        versions,
    })
}

/// The columns of a statement whose parameters have no values yet. What the analyzer cannot tell without them keeps the
/// type that the text gave it.
fn unbound_schema(session: &SessionState, inferred: &LogicalPlan, options: &QueryOptions) -> Result<Schema> {
    let expanded = rules::expand::expanded(inferred.clone(), &options.policies).map_err(classify)?;
    let analyzed = query::analyzed(session, expanded);
    Ok(analyzed.as_ref().unwrap_or(inferred).schema().as_arrow().clone())
}

/// In the order in which clients bind them: `$1`, `$2` … by number, then those with names. Those of report calls are texts.
fn parameters(kinds: BTreeMap<String, Option<DataType>>, calls: &Calls, options: &QueryOptions) -> Vec<Parameter> {
    let of_calls = calls.params.iter().map(|name| (name.clone(), Some(DataType::Utf8)));
    let parameter = |(name, arrow): (String, Option<DataType>)| Parameter {
        kind: options.params.get(&name).map(Param::kind).or_else(|| arrow.as_ref().and_then(param_type)),
        arrow: arrow.as_ref().map(plain_type),
        name,
    };
    let mut all: Vec<Parameter> = kinds.into_iter().chain(of_calls).map(parameter).collect();
    all.sort_by_cached_key(|p| (p.name.parse::<u32>().unwrap_or(u32::MAX), p.name.clone()));
    all
}

/// The columns of the topmost Sort, looking through LIMIT and projections that only pick columns.
fn order_of(plan: &LogicalPlan) -> Vec<String> {
    match plan {
        LogicalPlan::Sort(sort) => {
            let names = sort.expr.iter().filter_map(|e| match &e.expr {
                Expr::Column(column) => Some(column.name.clone()),
                _ => None,
            });
            names.collect()
        }
        LogicalPlan::Limit(limit) => order_of(&limit.input),
        LogicalPlan::Projection(projection) if projection.expr.iter().all(|e| matches!(e, Expr::Column(_))) => {
            order_of(&projection.input)
        }
        _ => Vec::new(),
    }
}
