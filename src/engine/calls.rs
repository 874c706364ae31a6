//! `report('sales-by-region', 'from=2026-01-01', 'where.channel=web')` in any statement, also as `main.report(…)`,
//! `"report"(…)` and `LATERAL report(…)`: what is asked becomes the report's
//! own statement and options, planned on the same snapshot, and stands where the call stood. It must not know what a
//! report is: [`ReportSource`] tells.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result as DfResult, internal_err};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, TableSource, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, FunctionArg, FunctionArgExpr, Ident, ObjectName, Statement, TableFactor, TableFunctionArgs, Value,
    VisitMut, VisitorMut,
};
use futures::future::BoxFuture;

use super::listed::ReportRow;
use super::options::{Param, QueryOptions};
use super::planner::{Parsed, parse, placeholders};
use super::query;
use super::rollups::Answer;
use super::session::{CATALOG, MAIN};
use super::snapshot::Snapshot;
use crate::access::Caller;
use crate::error::{Error, Result};

/// The function's name.
const REPORT: &str = "report";
/// Calls in one statement: each is planned for itself.
const MOST_CALLS: usize = 50;
/// What is said to somebody who writes it otherwise.
const SHAPE: &str = "write report('sales-by-region', 'from=2026-01-01', 'where.channel=web')";

/// The reports that SQL may name.
pub trait ReportSource: Send + Sync {
    /// The statement of report `id`, and what `values` (`from` = `2026-01-01`) ask of it.
    ///
    /// # Errors
    /// `NotFound`: the report, a member. `Invalid`: a value, with its name and what works.
    fn asked<'a>(
        &'a self,
        id: &'a str,
        values: Vec<(String, String)>,
        caller: &'a Caller,
    ) -> BoxFuture<'a, Result<(String, QueryOptions)>>;

    /// Every report, for `system.reports` and `system.report_params`.
    fn rows(&self) -> Vec<ReportRow>;
}

/// What one call asks.
struct Asked {
    sql: String,
    parsed: Parsed,
    options: QueryOptions,
}

/// The calls of one statement, understood; its text now names them by number.
#[derive(Default)]
pub(super) struct Calls {
    asked: Vec<Asked>,
    /// Parameters that only the calls used, or what was taken out of the statement: they hold texts.
    pub params: Vec<String>,
}

impl Calls {
    /// Takes the calls out of `parsed`, and out of `params` what only they used. A placeholder without a value leaves its
    /// argument out: then the statement is described, not run.
    ///
    /// # Errors
    /// As [`ReportSource::asked`]; an argument that is neither text nor a parameter.
    pub async fn take(
        parsed: &mut Parsed,
        params: &mut BTreeMap<String, Param>,
        source: Option<Arc<dyn ReportSource>>,
        caller: &Caller,
    ) -> Result<Calls> {
        let before = placeholders(&parsed.statement);
        let written = written(&mut parsed.statement, params)?;
        let after = placeholders(&parsed.statement);
        let only_theirs: Vec<String> = before.difference(&after).chain(&parsed.dropped).cloned().collect();
        params.retain(|name, _| !only_theirs.contains(name));
        if written.is_empty() {
            return Ok(Calls { params: only_theirs, ..Calls::default() });
        }
        if written.len() > MOST_CALLS {
            let found = format!("report() is called {} times here, and at most {MOST_CALLS} are taken", written.len());
            return Err(
                Error::invalid(found).hint("call it once in a WITH and name that, or ask in several statements")
            );
        }
        let source = source.ok_or_else(|| Error::invalid("report() cannot be used here"))?;
        let mut asked = Vec::new();
        for Written { id, values } in written {
            let (sql, options) = source.asked(&id, values, caller).await?;
            asked.push(Asked { parsed: parse(&sql)?, sql, options });
        }
        Ok(Calls { asked, params: only_theirs })
    }

    /// The reports' statements, with what is asked of them.
    pub fn asked(&self) -> impl Iterator<Item = (&str, &QueryOptions)> {
        self.asked.iter().map(|asked| (asked.sql.as_str(), &asked.options))
    }

    /// The reports' plans as tables, the versions of the dimensions in which their slicers were looked up, and what rollups
    /// answered of them.
    pub async fn plan(
        &self,
        snapshot: &Arc<Snapshot>,
        session: &SessionState,
    ) -> Result<(Vec<Arc<dyn TableSource>>, BTreeMap<String, i64>, Vec<Answer>)> {
        let (mut sources, mut versions, mut answers) = (Vec::new(), BTreeMap::new(), Vec::new());
        for Asked { parsed, options, .. } in &self.asked {
            let planned = Box::pin(query::plan(snapshot, session, parsed, options, &Calls::default())).await?;
            versions.extend(planned.versions);
            answers.extend(planned.answers);
            let schema = Arc::new(planned.plan.schema().as_arrow().clone());
            sources.push(provider_as_source(Arc::new(ReportTable { plan: planned.plan, schema })));
        }
        Ok((sources, versions, answers))
    }
}

/// One call as it was written.
struct Written {
    id: String,
    values: Vec<(String, String)>,
}

/// Finds the calls and leaves their numbers where their arguments were.
fn written(statement: &mut Statement, params: &BTreeMap<String, Param>) -> Result<Vec<Written>> {
    struct Walk<'a> {
        params: &'a BTreeMap<String, Param>,
        found: Vec<Written>,
    }
    impl VisitorMut for Walk<'_> {
        type Break = Error;
        fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
            without_lateral(factor);
            let TableFactor::Table { name, args: Some(args), .. } = factor else { return ControlFlow::Continue(()) };
            if !is_report(name) {
                return ControlFlow::Continue(());
            }
            match read(&args.args, self.params) {
                Ok(call) => self.found.push(call),
                Err(error) => return ControlFlow::Break(error),
            }
            let number = Value::Number((self.found.len() - 1).to_string(), false);
            *name = ObjectName::from(vec![Ident::new(REPORT)]);
            args.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(SqlExpr::Value(number.into())))];
            ControlFlow::Continue(())
        }
    }
    let mut walk = Walk { params, found: Vec::new() };
    match statement.visit(&mut walk) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(walk.found),
    }
}

/// `report`, `"report"`, `main.report`, `lake.main.report`.
fn is_report(name: &ObjectName) -> bool {
    let is = |ident: &Ident, known: &str| match ident.quote_style {
        Some(_) => ident.value == known,
        None => ident.value.eq_ignore_ascii_case(known),
    };
    let mut parts = name.0.iter().rev();
    let known = [REPORT, MAIN, CATALOG];
    let fits = known
        .into_iter()
        .zip(parts.by_ref())
        .all(|(known, part)| part.as_ident().is_some_and(|ident| is(ident, known)));
    fits && parts.next().is_none() && !name.0.is_empty()
}

/// `LATERAL report(…)` as `report(…)`: its arguments are constants, so that there is nothing that it could look at.
fn without_lateral(factor: &mut TableFactor) {
    let TableFactor::Function { name, args, with_ordinality: false, alias, .. } = factor else { return };
    if is_report(name) {
        *factor = TableFactor::Table {
            name: name.clone(),
            alias: alias.take(),
            args: Some(TableFunctionArgs { args: std::mem::take(args), settings: None }),
            with_hints: Vec::new(),
            version: None,
            with_ordinality: false,
            partitions: Vec::new(),
            json_path: None,
            sample: None,
            index_hints: Vec::new(),
        };
    }
}

fn read(args: &[FunctionArg], params: &BTreeMap<String, Param>) -> Result<Written> {
    let mut texts = args.iter().map(|arg| text(arg, params));
    let id = texts.next().transpose()?.flatten();
    let id = id.ok_or_else(|| Error::invalid("report() without a report's id").hint(SHAPE))?;
    let mut values = Vec::new();
    for given in texts {
        let Some(given) = given? else { continue };
        let (name, value) = given
            .split_once('=')
            .ok_or_else(|| Error::invalid(format!("report('{id}', '{given}'): no value")).hint(SHAPE))?;
        values.push((name.trim().to_string(), value.trim().to_string()));
    }
    Ok(Written { id, values })
}

/// The text of an argument; `None` for a parameter that has no value yet.
fn text(arg: &FunctionArg, params: &BTreeMap<String, Param>) -> Result<Option<String>> {
    let refuse = || Error::invalid(format!("report(… {arg} …): its arguments are texts")).hint(SHAPE);
    let FunctionArg::Unnamed(FunctionArgExpr::Expr(SqlExpr::Value(value))) = arg else { return Err(refuse()) };
    match &value.value {
        Value::SingleQuotedString(text) => Ok(Some(text.clone())),
        Value::Placeholder(name) => match params.get(name.trim_start_matches('$')) {
            None => Ok(None),
            Some(Param::Text(text)) => Ok(Some(text.clone())),
            Some(param) => match super::params::scalar(name, param)?.try_as_str().flatten() {
                Some(text) => Ok(Some(text.to_string())),
                None => Err(Error::invalid(format!("parameter {name} of report(): not a text")).hint(SHAPE)),
            },
        },
        _ => Err(refuse()),
    }
}

/// The number of a call that [`Calls::take`] has numbered, as it stands in the statement.
pub(super) fn numbered(name: &ObjectName, args: &TableFunctionArgs) -> Option<usize> {
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(SqlExpr::Value(value)))] = args.args.as_slice() else {
        return None;
    };
    match &value.value {
        Value::Number(number, _) if is_report(name) => number.parse().ok(),
        _ => None,
    }
}

/// The number of a call that [`Calls::take`] has numbered, as it is planned.
pub(super) fn number(name: &str, args: &[Expr]) -> Option<usize> {
    match args {
        [Expr::Literal(ScalarValue::Int64(Some(number)), _)] if name.eq_ignore_ascii_case(REPORT) => {
            usize::try_from(*number).ok()
        }
        _ => None,
    }
}

/// A report's plan in the place of a table: DataFusion puts the plan there when it plans the statement.
#[derive(Debug)]
struct ReportTable {
    plan: LogicalPlan,
    schema: SchemaRef,
}

#[async_trait]
impl TableProvider for ReportTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
    fn table_type(&self) -> TableType {
        TableType::View
    }
    fn get_logical_plan(&self) -> Option<Cow<'_, LogicalPlan>> {
        Some(Cow::Borrowed(&self.plan))
    }
    async fn scan(
        &self,
        _session: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        internal_err!("a report's plan was not put in its place")
    }
}
