//! One SELECT of a source: refused where it does not map record by record, checked against its table's contract, and
//! rewritten into the plan that is really run. It must not look at data.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column as Name, DFSchema};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{ExprSchemable, LogicalPlan, LogicalPlanBuilder, Projection, Volatility};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::Expr;

use super::casts::{self, Checked};
use super::complete::Completer;
use super::plan::{Given, OrdinalKey, ROW, Statement, Trouble, physical, trouble};
use super::source::{Select, Source};
use crate::error::{Error, Result, did_you_mean};
use crate::model::{Column, Kind, Role, TableKind};

/// A SELECT on its way to a [`Statement`].
pub(crate) struct Draft {
    plan: Arc<dyn ExecutionPlan>,
    given: Vec<Given>,
    row: usize,
    within: std::ops::Range<usize>,
    where_error: Option<usize>,
    ordinal: Option<OrdinalKey>,
}

impl Draft {
    pub(crate) fn given(&self) -> &[Given] {
        &self.given
    }

    pub(crate) fn finish(self, state: &SessionState, source: &Source, select: usize) -> Result<Statement> {
        let Draft { plan, given, row, within, where_error, ordinal } = self;
        let completer = Completer::new(state, source, source.selects[select].table, &given)
            .map_err(|e| e.context(format!("SELECT into {}", source.selects[select].table.name)))?;
        Ok(Statement { select, plan, given, row, within, where_error, ordinal, completer })
    }
}

/// Plans one SELECT; marks the columns of `raw` that it looks at.
pub(crate) async fn draft(
    state: &SessionState,
    source: &Source,
    select: &Select,
    wanted: &mut [bool],
) -> Result<Draft, Trouble> {
    let plan = state.create_logical_plan(&select.sql).await.map_err(trouble)?;
    let plan = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {}).map_err(trouble)?;
    let LogicalPlan::Projection(top) = &plan else {
        return Err(refused(&plan).into());
    };
    let (condition, input) = match top.input.as_ref() {
        LogicalPlan::Filter(filter) => (Some(&filter.predicate), &filter.input),
        _ => (None, &top.input),
    };
    input_is_plain(input)?;
    top.expr.iter().chain(condition).try_for_each(expr_is_plain)?;
    let mut outputs = Outputs::new(input)?;
    let mut given = outputs.given(top, select)?;
    let where_error = condition.map(|c| outputs.condition(c)).transpose()?.flatten();
    let row = outputs.carry(ROW)?;
    let ordinal = ordinal_key(source, select, &given)?;
    let names: &[String] = match (&ordinal, &source.header.key) {
        (Some(OrdinalKey { order: None, .. }), Some(key)) => &key.ordinal_within,
        _ => &[],
    };
    let first = outputs.exprs.len();
    names.iter().try_for_each(|n| outputs.carry(n).map(drop))?;
    let within = first..outputs.exprs.len();
    required_are_there(source, select, &given, ordinal)?;
    let offset = given.len();
    given.iter_mut().for_each(|g| g.error = g.error.map(|e| e + offset));
    let plan = outputs.plan(input)?;
    let plan = physical(state, &plan, wanted).await?;
    Ok(Draft { plan, given, row, within, where_error, ordinal })
}

/// The expressions of the plan that is really run.
struct Outputs<'a> {
    schema: &'a DFSchema,
    exprs: Vec<Expr>,
    condition: Option<Expr>,
}

impl<'a> Outputs<'a> {
    fn new(input: &'a LogicalPlan) -> Result<Self> {
        Ok(Outputs { schema: input.schema(), exprs: Vec::new(), condition: None })
    }

    /// The SELECT's own columns in their contract's types, then the texts of what fails. `error` counts from the first text.
    fn given(&mut self, top: &Projection, select: &Select) -> Result<Vec<Given>, Trouble> {
        let mut given = Vec::new();
        let mut errors = Vec::new();
        for (expr, field) in top.expr.iter().zip(top.schema.fields()) {
            let column = target(select, field.name())?;
            let from = expr.get_type(self.schema).map_err(trouble)?;
            let (to, local) = to_kind(column, &from)?;
            let Checked { value, error } =
                casts::convert(casts::check(&expr.clone().unalias(), self.schema).map_err(trouble)?, &from, to);
            self.exprs.push(value.alias(column.name));
            given.push(Given { column, local, error: error.as_ref().map(|_| errors.len()) });
            errors.extend(error.map(|e| e.alias(format!("__error_{}", column.name))));
        }
        self.exprs.extend(errors);
        Ok(given)
    }

    /// Lets through what WHERE takes and what WHERE cannot read; the latter is told by the column returned.
    fn condition(&mut self, predicate: &Expr) -> Result<Option<usize>, Trouble> {
        let Checked { value, error } = casts::check(predicate, self.schema).map_err(trouble)?;
        self.condition = Some(match &error {
            Some(e) => value.or(e.clone().is_not_null()),
            None => value,
        });
        Ok(error.map(|e| {
            self.exprs.push(e.alias("__where"));
            self.exprs.len() - 1
        }))
    }

    /// Carries an input column along.
    fn carry(&mut self, name: &str) -> Result<usize, Trouble> {
        let Some((table, _)) = self.schema.iter().find(|(_, f)| f.name() == name) else {
            if name == ROW {
                return Err(Error::invalid("an inner SELECT leaves columns of raw out")
                    .hint("write `SELECT *, …` inside FROM ( … )")
                    .into());
            }
            let known = self.schema.fields().iter().map(|f| f.name().clone()).filter(|n| !n.starts_with('_')).collect();
            return Err(Trouble::Missing { column: name.into(), known });
        };
        self.exprs.push(
            Expr::Column(Name::new(table.cloned(), name)).alias(format!("__carried_{}_{name}", self.exprs.len())),
        );
        Ok(self.exprs.len() - 1)
    }

    fn plan(self, input: &Arc<LogicalPlan>) -> Result<LogicalPlan, Trouble> {
        let mut builder = LogicalPlanBuilder::new_from_arc(Arc::clone(input));
        if let Some(condition) = self.condition {
            builder = builder.filter(condition).map_err(trouble)?;
        }
        builder.project(self.exprs).and_then(LogicalPlanBuilder::build).map_err(trouble)
    }
}

/// The contract's column called `name`, if a source may give it.
fn target(select: &Select, name: &str) -> Result<&'static Column> {
    let table = select.table;
    let known = || table.columns().filter(|c| c.role != Role::Engine).map(|c| c.name).collect::<Vec<_>>();
    match table.column(name) {
        Some(column) if column.role != Role::Engine => Ok(column),
        Some(_) => Err(Error::invalid(format!("column {name} is set by ingest itself")).hint("leave it out")),
        None => Err(Error::invalid(format!("{} has no column {name}", table.name)).hint(did_you_mean(name, known()))),
    }
}

/// The type in which a SELECT's column is taken, and whether it is a wall-clock time.
fn to_kind(column: &Column, from: &DataType) -> Result<(DataType, bool)> {
    let wrong =
        |hint: &str| Err(Error::invalid(format!("column {} cannot be given as {from}", column.name)).hint(hint));
    match (column.kind, from) {
        (Kind::Instant, DataType::Timestamp(_, None) | DataType::Date32) => {
            Ok((DataType::Timestamp(TimeUnit::Microsecond, None), true))
        }
        (Kind::Instant, DataType::Timestamp(..) | DataType::Null) => Ok((Kind::Instant.arrow(), false)),
        (Kind::Instant, _) => {
            wrong("read it with instant(text) when it has a zone, with local_time(text, '%Y-%m-%d %H:%M:%S') when not")
        }
        (Kind::Date, DataType::Timestamp(_, Some(_))) => {
            wrong("an instant has no date without a place: give a local time or date_of(text, '%Y-%m-%d')")
        }
        (_, DataType::Struct(_) | DataType::List(_) | DataType::LargeList(_) | DataType::Map(..)) => {
            wrong("take one field of it, such as x['name'], or unnest it")
        }
        (kind, _) => Ok((kind.arrow(), false)),
    }
}

/// Only shapes that keep a record a record, and whose own conversions cannot fail.
pub(crate) fn input_is_plain(input: &LogicalPlan) -> Result<(), Trouble> {
    let mut found: Option<Error> = None;
    let walk = input.apply(|node| {
        let inner = match node {
            LogicalPlan::Projection(p) => Some(p.input.schema()),
            LogicalPlan::Filter(f) => Some(f.input.schema()),
            LogicalPlan::SubqueryAlias(_) | LogicalPlan::Unnest(_) => None,
            LogicalPlan::TableScan(scan) if scan.table_name.table() == "raw" => None,
            other => {
                found.get_or_insert_with(|| refused(other));
                None
            }
        };
        if let Some(schema) = inner {
            for expr in node.expressions() {
                if let Err(e) = expr_is_plain(&expr) {
                    found.get_or_insert(e);
                }
                if casts::can_fail(&expr, schema)? {
                    found.get_or_insert_with(|| {
                        Error::invalid(format!("an inner SELECT converts: {expr}"))
                            .hint("convert in the outermost SELECT, or use TRY_CAST")
                    });
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walk.map_err(trouble)?;
    found.map_or(Ok(()), |e| Err(e.into()))
}

/// Only what depends on the record alone.
pub(crate) fn expr_is_plain(expr: &Expr) -> Result<()> {
    let mut found = None;
    let walk = expr.apply(|e| {
        match e {
            Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_) => {
                found = Some("a subquery".to_string())
            }
            Expr::ScalarFunction(f) if f.func.signature().volatility == Volatility::Volatile => {
                found = Some(f.func.name().to_string())
            }
            Expr::ScalarFunction(f) if matches!(f.func.name(), "now" | "current_date" | "current_time" | "today") => {
                found = Some(f.func.name().to_string())
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walk.map_err(|e| Error::internal(e.to_string()))?;
    match found {
        None => Ok(()),
        Some(what) => Err(Error::invalid(format!("a source's row depends on its record alone; it cannot use {what}"))
            .hint("use the record's own columns, _file and _line")),
    }
}

pub(crate) fn refused(node: &LogicalPlan) -> Error {
    let shown = node.display().to_string();
    let word = shown.split([':', ' ']).next().unwrap_or_default().to_string();
    Error::invalid(format!("a source maps record by record; it cannot use {word}"))
        .hint("use SELECT … FROM raw [WHERE …], if need be FROM (SELECT *, unnest(list) AS l FROM raw); write two SELECTs instead of a UNION")
}

/// Which key columns ingest has to make.
fn ordinal_key(source: &Source, select: &Select, given: &[Given]) -> Result<Option<OrdinalKey>> {
    let table = select.table;
    let absent = |name: &&'static str| {
        let column = table.column(name);
        *name != "source_system"
            && !given.iter().any(|g| g.column.name == *name)
            && !source.header.defaults.contains_key(*name)
            && column.is_some_and(|c| c.default.is_none() && c.kind == Kind::Text)
    };
    let Some(line) = table.key.last().copied().filter(absent).filter(|_| table.kind == TableKind::Fact) else {
        return Ok(None);
    };
    let order = table.key[..table.key.len() - 1].iter().copied().find(absent);
    if order.is_none() && table.key.len() > 2 && source.header.key.is_none() {
        return Err(Error::invalid(format!("{} needs {line}", table.name))
            .hint(format!("give {line} in the SELECT, or say [key] ordinal_within = [the raw columns that tell one order from another]")));
    }
    Ok(Some(OrdinalKey { order, line }))
}

/// Every required column has somebody who gives it.
fn required_are_there(source: &Source, select: &Select, given: &[Given], ordinal: Option<OrdinalKey>) -> Result<()> {
    let absent = select.table.columns().find(|c| {
        !c.nullable
            && c.default.is_none()
            && matches!(c.role, Role::Given | Role::Input)
            && c.name != "source_system"
            && !given.iter().any(|g| g.column.name == c.name)
            && !source.header.defaults.contains_key(c.name)
            && !ordinal.is_some_and(|o| o.line == c.name || o.order == Some(c.name))
    });
    match absent {
        None => Ok(()),
        Some(c) => Err(Error::invalid(format!("{} needs {} ({})", select.table.name, c.name, c.about))
            .hint(format!("give it in the SELECT, or as {} = … in [defaults]", c.name))),
    }
}
