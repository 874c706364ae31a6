//! Holds a report file to its promises before it is served: header against SQL, SQL against the engine's plan.
//! It must not run the report.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::header::{Allowed, Header, ParamKind};
use super::{lint, params, request};
use crate::access::Caller;
use crate::engine::{CompareMode, Described, Engine, Param, QueryOptions};
use crate::error::{Error, Result, did_you_mean};
use crate::queryfile::QueryFile;

/// Who asks when a report is checked.
const CHECKER: &str = "check";

/// How far a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The statement is planned once, under its defaults.
    Described,
    /// Everything that can be known before it runs.
    Whole,
}

/// One report file; gives what the engine says of the statement.
///
/// # Errors
/// The first broken promise, with what would keep it.
pub async fn check(
    file: &QueryFile,
    header: &Header,
    engine: &Engine,
    today: NaiveDate,
    depth: Depth,
) -> Result<Described> {
    lint::check(&file.sql)?;
    declared_are_used(header, &file.sql)?;
    let options = options(header, today)?;
    let described = engine.describe(&file.sql, &options, &Caller::named(CHECKER)).await?;
    columns_exist(header, &described)?;
    period_is_declared(header)?;
    policies_and_spine_exist(header, &described)?;
    if !described.totally_ordered {
        return Err(Error::invalid("the order is not total: equal rows would change places from run to run")
            .hint(format!("end the ORDER BY with the key: {}", header.key.join(", "))));
    }
    if header.totals == Some(true) && !described.can_total {
        return Err(
            Error::invalid("totals = true, but the statement has not one topmost aggregate").hint("say totals = false")
        );
    }
    if depth == Depth::Whole {
        types_agree(file, header, engine).await?;
        value_queries(header, engine).await?;
        variants(file, header, engine, &described, options).await?;
    }
    Ok(described)
}

/// The statement's options under the defaults.
fn options(header: &Header, today: NaiveDate) -> Result<QueryOptions> {
    let mut options = QueryOptions {
        policies: header.fixed.clone(),
        key: header.key.clone(),
        spine: header.spine.clone(),
        ..QueryOptions::default()
    };
    for (name, param) in &header.params.0 {
        let value = match (&param.default, param.optional) {
            (None, false) => Param::Null(param.kind.engine()),
            _ => params::value(name, param, None, today)?,
        };
        options.params.insert(name.clone(), value);
    }
    Ok(options)
}

fn declared_are_used(header: &Header, sql: &str) -> Result<()> {
    let used = lint::parameters(sql);
    let mut declared = BTreeSet::new();
    for (name, param) in &header.params.0 {
        if request::RESERVED.contains(&name.as_str()) || name.contains('.') {
            return Err(Error::invalid(format!("parameter {name}: the name means something else in requests")));
        }
        if !declared.insert(name.clone()) {
            return Err(Error::invalid(format!("parameter {name} is declared twice")));
        }
        if !used.contains(name) {
            return Err(Error::invalid(format!("parameter {name} is declared and not used"))
                .hint(format!("use ${name} or remove it")));
        }
        if matches!(param.values, Some(Allowed::Query(_)))
            && !matches!(param.kind, ParamKind::Text | ParamKind::TextList)
        {
            return Err(Error::invalid(format!("parameter {name}: only texts take their values from a query")));
        }
    }
    match used.difference(&declared).next() {
        None => Ok(()),
        Some(name) => Err(Error::invalid(format!("parameter ${name} is used and not declared"))
            .hint(did_you_mean(name, declared.iter().map(String::as_str)))),
    }
}

/// Where the plan alone tells a parameter's type, the header says the same.
async fn types_agree(file: &QueryFile, header: &Header, engine: &Engine) -> Result<()> {
    let free = QueryOptions { policies: header.fixed.clone(), ..QueryOptions::default() };
    // Some statements cannot be planned without types; with the declared ones they can, as was seen above.
    let Ok(described) = engine.describe(&file.sql, &free, &Caller::named(CHECKER)).await else { return Ok(()) };
    for found in &described.parameters {
        let (Some(kind), Some(declared)) = (found.kind, header.params.get(&found.name)) else { continue };
        if kind != declared.kind.engine() {
            let message = format!(
                "parameter {} is declared as {}, the statement uses it as {kind:?}",
                found.name,
                declared.kind.name()
            );
            return Err(Error::invalid(message));
        }
    }
    Ok(())
}

fn columns_exist(header: &Header, described: &Described) -> Result<()> {
    let names: Vec<&str> = described.schema.fields().iter().map(|f| f.name().as_str()).collect();
    let known = |what: &str, name: &str| match names.contains(&name) {
        true => Ok(()),
        false => Err(Error::invalid(format!("{what} names {name}, which is no column"))
            .hint(did_you_mean(name, names.iter().copied()))),
    };
    if header.key.is_empty() {
        return Err(Error::invalid("the key is empty").hint("name the columns that identify a row"));
    }
    header.key.iter().try_for_each(|name| known("key", name))?;
    header.columns.names().try_for_each(|name| known("[columns]", name))?;
    if let Some(chart) = &header.chart {
        chart.x.iter().chain(&chart.y).chain(&chart.series).try_for_each(|name| known("[chart]", name))?;
    }
    for measure in header.period.iter().flat_map(|p| &p.measures) {
        known("[period]", measure)?;
        if !described.schema.field_with_name(measure).is_ok_and(|f| f.data_type().is_numeric()) {
            return Err(Error::invalid(format!("[period] compares {measure}, which is no number")));
        }
    }
    match names.iter().find(|name| header.columns.get(name).is_none()) {
        None => Ok(()),
        Some(name) => Err(Error::invalid(format!("column {name} has no meaning"))
            .hint(format!("add {name} = \"meaning (unit)\" to [columns]"))),
    }
}

fn period_is_declared(header: &Header) -> Result<()> {
    let Some(period) = &header.period else { return Ok(()) };
    let declared = |name: &str, kind: ParamKind| match header.params.get(name) {
        Some(param) if param.kind == kind => Ok(()),
        Some(_) => Err(Error::invalid(format!("[period] names parameter {name}, which is no {}", kind.name()))),
        None => Err(Error::invalid(format!("[period] names parameter {name}, which is not declared"))
            .hint(did_you_mean(name, header.params.names()))),
    };
    declared(&period.from, ParamKind::Date)?;
    declared(&period.to, ParamKind::Date)?;
    period.grain.iter().try_for_each(|grain| declared(grain, ParamKind::Text))?;
    match &period.bucket {
        Some(bucket) if !header.key.contains(bucket) => {
            Err(Error::invalid(format!("[period] has the bucket {bucket}, which is not part of the key")))
        }
        _ if period.measures.is_empty() => Err(Error::invalid("[period] compares nothing").hint("name its measures")),
        _ => Ok(()),
    }
}

fn policies_and_spine_exist(header: &Header, described: &Described) -> Result<()> {
    for (name, value) in &header.fixed {
        let Some(policy) = described.policies.get(name) else {
            return Err(Error::invalid(format!("[fixed] names {name}, which no view of the report declares"))
                .hint(did_you_mean(name, described.policies.keys().map(String::as_str))));
        };
        if !policy.values.contains(value) {
            return Err(Error::invalid(format!("[fixed] {name} = {value:?}"))
                .hint(did_you_mean(value, policy.values.iter().map(String::as_str))));
        }
    }
    if let Some(name) = header.params.names().find(|name| described.policies.contains_key(*name)) {
        return Err(Error::invalid(format!("parameter {name} has the name of a policy"))
            .hint("policies come from views; remove it"));
    }
    match header.spine.iter().find(|table| !described.relations.contains(*table)) {
        None => Ok(()),
        Some(table) => Err(Error::invalid(format!("spine names {table}, which the statement does not read"))
            .hint(did_you_mean(table, described.relations.iter().map(String::as_str)))),
    }
}

/// Queries that give a parameter's values: they read, take no parameters, and their first column is a text.
async fn value_queries(header: &Header, engine: &Engine) -> Result<()> {
    for (name, param) in &header.params.0 {
        let Some(Allowed::Query(sql)) = &param.values else { continue };
        let described = engine.describe(sql, &QueryOptions::default(), &Caller::named(CHECKER)).await;
        let described = described.map_err(|e| e.context(format!("values of {name}")))?;
        if !described.parameters.is_empty() || described.schema.fields().len() != 1 {
            return Err(Error::invalid(format!("values of {name}: a query without parameters and with one column")));
        }
    }
    Ok(())
}

/// What may be asked beside the statement plans too: compare and totals.
async fn variants(
    file: &QueryFile,
    header: &Header,
    engine: &Engine,
    described: &Described,
    options: QueryOptions,
) -> Result<()> {
    let compare = header.period.as_ref().map(|p| request::compare_of(p, CompareMode::PreviousPeriod, &options.params));
    let totals = header.totals.unwrap_or(described.can_total);
    if compare.is_none() && !totals {
        return Ok(());
    }
    let asked = QueryOptions { compare, totals, ..options };
    let described = engine.describe(&file.sql, &asked, &Caller::named(CHECKER)).await;
    described.map(|_| ()).map_err(|e| e.context("with compare and totals"))
}
