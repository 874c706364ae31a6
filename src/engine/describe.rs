//! A statement described without running it: columns, parameters, what it reads, what may be asked of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::options::{ParamType, QueryOptions};
use super::params::param_type;
use super::planner::{Planner, parse, placeholders};
use super::reading::Reading;
use super::rows::plain_schema;
use super::snapshot::Snapshot;
use super::view::Policy;
use super::{query, rules};
use crate::access::Scope;
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
    /// Slicers that apply, by name.
    pub slicers: Vec<&'static str>,
    /// The output columns of the statement's own topmost ORDER BY; other expressions are left out.
    pub order_by: Vec<String>,
    /// The order is total: it names every column of `options.key`, or there is at most one row.
    pub totally_ordered: bool,
    /// Whether `totals` can be asked for: there is exactly one topmost Aggregate.
    pub can_total: bool,
    /// The snapshot's id, and the Delta versions of the tables read (by slices too).
    pub snapshot: String,
    pub versions: BTreeMap<String, i64>,
}

/// A `$name` of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    /// As given, else as the plan needs it; `None` where it cannot be told.
    pub kind: Option<ParamType>,
}

pub async fn describe(snapshot: &Arc<Snapshot>, sql: &str, options: &QueryOptions) -> Result<Described> {
    let parsed = parse(sql)?;
    let session = snapshot.session(&Scope::All);
    snapshot.whole(&parsed.statement)?;
    let planner = Planner::over(&session, &parsed.statement).await?;
    let (inferred, kinds) = planner.plan_inferring(&parsed.statement, &options.params)?;
    let reading = Reading::of(&inferred, &options.policies)?;
    reading.check(&options.policies)?;
    let bound = placeholders(&parsed.statement).iter().all(|name| options.params.contains_key(name));
    let (schema, versions) = match bound {
        true => {
            let planned = query::plan(snapshot, &session, &parsed, options).await?;
            (planned.plan.schema().as_arrow().clone(), planned.versions)
        }
        false => (inferred.schema().as_arrow().clone(), reading.versions.clone()),
    };
    let order_by = order_of(&inferred);
    let key_ordered = !options.key.is_empty() && options.key.iter().all(|k| order_by.contains(k));
    let parameter = |(name, kind): (String, Option<_>)| Parameter {
        kind: options.params.get(&name).map(|p| p.kind()).or_else(|| kind.as_ref().and_then(param_type)),
        name,
    };
    let slicers = SLICERS.iter().filter(|s| rules::slicers::applies(&inferred, s, &options.policies, &options.spine));
    Ok(Described {
        schema: plain_schema(&schema),
        parameters: kinds.into_iter().map(parameter).collect(),
        slicers: slicers.map(|s| s.name).collect(),
        totally_ordered: key_ordered || inferred.max_rows().is_some_and(|n| n <= 1),
        can_total: rules::totals::possible(&inferred),
        order_by,
        relations: reading.relations,
        policies: reading.policies,
        snapshot: snapshot.id.clone(),
        versions,
    })
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
