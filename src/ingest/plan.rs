//! From source SQL to plans: each SELECT is planned once per file, checked against its table's contract, and every
//! conversion in it made answerable (`casts`). It must not look at data.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column as Name, DFSchema, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::execution::context::{SessionContext, SessionState};
use datafusion::execution::{SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{ExprSchemable, LogicalPlan, LogicalPlanBuilder, Projection};
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::Expr;

use super::casts::{self, Checked};
use super::complete::Completer;
use super::session::{self, Slot};
use super::source::{Select, Source};
use crate::error::{Error, Result, did_you_mean};
use crate::model::{Column, Kind, Role, TableKind};

/// The hidden column of `raw` that carries each record's position in its chunk through every plan.
const ROW: &str = "__row";
/// What `raw` has besides the source's own columns.
const FILE: &str = "_file";
const LINE: &str = "_line";
const RAW: &str = "_raw";

/// A source, planned for one file's columns.
pub(crate) struct Program {
    slot: Arc<Slot>,
    task: Arc<TaskContext>,
    /// Which of the source's own columns are looked at.
    pub(crate) wanted: Vec<bool>,
    pub(crate) wants_file: bool,
    pub(crate) wants_raw: bool,
    pub(crate) statements: Vec<Statement>,
    /// Gives the number of the first skip that takes each record, or NULL.
    pub(crate) skip: Option<Arc<dyn ExecutionPlan>>,
}

/// One SELECT, planned. Its output: the given columns, `errors` texts, the record's row, the columns that ordinals
/// count within, and what failed in WHERE.
pub(crate) struct Statement {
    /// Which of the source's SELECTs.
    pub(crate) select: usize,
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) given: Vec<Given>,
    pub(crate) row: usize,
    pub(crate) within: std::ops::Range<usize>,
    pub(crate) where_error: Option<usize>,
    pub(crate) ordinal: Option<OrdinalKey>,
    pub(crate) completer: Completer,
}

/// A column that a SELECT gives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    pub(crate) column: &'static Column,
    /// An instant given as a wall-clock time.
    pub(crate) local: bool,
    /// The output column with the texts that could not be converted.
    pub(crate) error: Option<usize>,
}

/// Key columns that nobody gives: made from the row's content and its count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrdinalKey {
    /// The order's own id, if that is missing too: then each row is its own order.
    pub(crate) order: Option<&'static str>,
    pub(crate) line: &'static str,
}

/// Why a source could not be planned.
pub(crate) enum Trouble {
    /// `raw` has no such column.
    Missing { column: String, known: Vec<String> },
    Other(Error),
}

impl From<Error> for Trouble {
    fn from(e: Error) -> Self {
        Trouble::Other(e)
    }
}

/// Plans a source without a file; returns the raw columns that it looks at. A text source's columns are discovered:
/// every name that the SQL does not find becomes a text column.
pub(crate) fn check(source: &Source) -> Result<Vec<String>> {
    let session = session::new();
    futures::executor::block_on(async {
        let declared = source.header.read.shape.is_some();
        let mut fields: Vec<Field> = source.ndjson_fields()?.iter().map(|f| f.as_ref().clone()).collect();
        let names = source.header.read.columns.iter().flatten().chain(&source.header.read.optional);
        fields.extend(names.map(|n| Field::new(n, DataType::Utf8, true)));
        loop {
            match compile(&session, source, &Fields::from(fields.clone())).await {
                Ok(_) => return Ok(fields.iter().map(|f| f.name().clone()).collect()),
                Err(Trouble::Missing { column, .. }) if !declared && source.header.read.columns.is_none() && fields.iter().all(|f| *f.name() != column) => {
                    fields.push(Field::new(column, DataType::Utf8, true));
                }
                Err(Trouble::Missing { column, known }) => {
                    let place = if declared { "[read] shape" } else { "[read] columns" };
                    return Err(Error::invalid(format!("column {column:?} is not in {place}")).hint(did_you_mean(&column, known.iter().map(String::as_str))));
                }
                Err(Trouble::Other(e)) => return Err(e),
            }
        }
    })
}

/// Plans `source` for a file with `fields`.
pub(crate) async fn compile(session: &SessionContext, source: &Source, fields: &Fields) -> Result<Program, Trouble> {
    let hidden = [(FILE, DataType::Utf8), (LINE, DataType::Int64), (RAW, DataType::Utf8), (ROW, DataType::Int64)];
    let all = fields.iter().cloned().chain(hidden.into_iter().map(|(n, t)| Arc::new(Field::new(n, t, true))));
    let schema: SchemaRef = Arc::new(Schema::new(all.collect::<Fields>()));
    let slot = Slot::register(session, schema).map_err(|e| Error::internal(format!("raw: {e}")))?;
    let state = SessionStateBuilder::new_from_existing(session.state()).build();
    let mut wanted = vec![false; slot.columns()];
    let mut drafts = Vec::new();
    for (i, select) in source.selects.iter().enumerate() {
        let place = |e: Error| e.context(format!("line {}, SELECT into {}", select.line, select.table.name));
        drafts.push((i, draft(&state, source, select, &mut wanted).await.map_err(|t| t.map(place))?));
    }
    let skip = skips(&state, source, &mut wanted).await.map_err(|t| t.map(|e| e.context("[[skip]]")))?;
    let statements = drafts.into_iter().map(|(i, draft)| draft.finish(&state, source, i)).collect::<Result<_>>()?;
    let own = fields.len();
    let (wants_file, wants_raw) = (wanted[own], wanted[own + 2]);
    wanted.truncate(own);
    Ok(Program { slot, task: session.task_ctx(), wanted, wants_file, wants_raw, statements, skip })
}

impl Trouble {
    fn map(self, f: impl FnOnce(Error) -> Error) -> Trouble {
        match self {
            Trouble::Other(e) => Trouble::Other(f(e)),
            missing => missing,
        }
    }
}

impl Program {
    /// The schema of `raw`: the source's own columns, `_file`, `_line`, `_raw`, and the hidden row.
    pub(crate) fn raw_schema(&self) -> &SchemaRef {
        self.slot.raw_schema()
    }
    /// Runs one of the program's plans over records of `raw`.
    pub(crate) async fn run(&self, plan: &Arc<dyn ExecutionPlan>, raw: RecordBatch) -> datafusion::error::Result<RecordBatch> {
        self.slot.put(raw);
        let batches = collect(Arc::clone(plan), Arc::clone(&self.task)).await?;
        Ok(match batches.len() {
            1 => batches.into_iter().next().unwrap_or_else(|| RecordBatch::new_empty(plan.schema())),
            _ => arrow::compute::concat_batches(&plan.schema(), &batches)?,
        })
    }
}

/// A SELECT on its way to a [`Statement`].
struct Draft {
    plan: Arc<dyn ExecutionPlan>,
    given: Vec<Given>,
    row: usize,
    within: std::ops::Range<usize>,
    where_error: Option<usize>,
    ordinal: Option<OrdinalKey>,
}

impl Draft {
    fn finish(self, state: &SessionState, source: &Source, select: usize) -> Result<Statement> {
        let Draft { plan, given, row, within, where_error, ordinal } = self;
        let completer = Completer::new(state, source, source.selects[select].table, &given)
            .map_err(|e| e.context(format!("SELECT into {}", source.selects[select].table.name)))?;
        Ok(Statement { select, plan, given, row, within, where_error, ordinal, completer })
    }
}

async fn draft(state: &SessionState, source: &Source, select: &Select, wanted: &mut [bool]) -> Result<Draft, Trouble> {
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

async fn physical(state: &SessionState, plan: &LogicalPlan, wanted: &mut [bool]) -> Result<Arc<dyn ExecutionPlan>, Trouble> {
    let plan = state.optimize(plan).map_err(trouble)?;
    let look = plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            match &scan.projection {
                Some(columns) => columns.iter().for_each(|c| wanted[*c] = true),
                None => wanted.fill(true),
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    look.map_err(trouble)?;
    state.query_planner().create_physical_plan(&plan, state).await.map_err(trouble)
}

/// All skips as one plan over `raw`, giving one number per record.
async fn skips(state: &SessionState, source: &Source, wanted: &mut [bool]) -> Result<Option<Arc<dyn ExecutionPlan>>, Trouble> {
    if source.header.skip.is_empty() {
        return Ok(None);
    }
    let cases: String = source.header.skip.iter().enumerate().map(|(i, s)| format!(" WHEN ({}\n) THEN {i}", s.condition)).collect();
    let plan = state.create_logical_plan(&format!("SELECT CASE{cases} END AS skip FROM raw")).await.map_err(trouble)?;
    let plan = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {}).map_err(trouble)?;
    let LogicalPlan::Projection(top) = &plan else {
        return Err(refused(&plan).into());
    };
    input_is_plain(&top.input)?;
    let value = casts::check(&top.expr[0], top.input.schema()).map_err(trouble)?.value;
    let plan = LogicalPlanBuilder::new_from_arc(Arc::clone(&top.input)).project([value.alias("skip")]).and_then(LogicalPlanBuilder::build);
    Ok(Some(physical(state, &plan.map_err(trouble)?, wanted).await?))
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
            let Checked { value, error } = casts::convert(casts::check(&expr.clone().unalias(), self.schema).map_err(trouble)?, &from, to);
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
                return Err(Error::invalid("an inner SELECT leaves columns of raw out").hint("write `SELECT *, …` inside FROM ( … )").into());
            }
            let known = self.schema.fields().iter().map(|f| f.name().clone()).filter(|n| !n.starts_with('_')).collect();
            return Err(Trouble::Missing { column: name.into(), known });
        };
        self.exprs.push(Expr::Column(Name::new(table.cloned(), name)).alias(format!("__carried_{}_{name}", self.exprs.len())));
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
    let wrong = |hint: &str| Err(Error::invalid(format!("column {} cannot be given as {from}", column.name)).hint(hint));
    match (column.kind, from) {
        (Kind::Instant, DataType::Timestamp(_, None) | DataType::Date32) => Ok((DataType::Timestamp(TimeUnit::Microsecond, None), true)),
        (Kind::Instant, DataType::Timestamp(..) | DataType::Null) => Ok((Kind::Instant.arrow(), false)),
        (Kind::Instant, _) => wrong("read it with instant(text) when it has a zone, with local_time(text, '%Y-%m-%d %H:%M:%S') when not"),
        (Kind::Date, DataType::Timestamp(_, Some(_))) => wrong("an instant has no date without a place: give a local time or date_of(text, '%Y-%m-%d')"),
        (_, DataType::Struct(_) | DataType::List(_) | DataType::LargeList(_) | DataType::Map(..)) => wrong("take one field of it, such as x['name'], or unnest it"),
        (kind, _) => Ok((kind.arrow(), false)),
    }
}

/// Only shapes that keep a record a record, and whose own conversions cannot fail.
fn input_is_plain(input: &LogicalPlan) -> Result<(), Trouble> {
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
                if casts::can_fail(&expr, schema)? {
                    found.get_or_insert_with(|| {
                        Error::invalid(format!("an inner SELECT converts: {expr}")).hint("convert in the outermost SELECT, or use TRY_CAST")
                    });
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walk.map_err(trouble)?;
    found.map_or(Ok(()), |e| Err(e.into()))
}

fn refused(node: &LogicalPlan) -> Error {
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
    let order = table.key[..table.key.len() - 1].iter().copied().find(|k| absent(&k));
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

/// Planning errors: what is missing, else what is wrong.
pub(crate) fn trouble(e: DataFusionError) -> Trouble {
    if let DataFusionError::SchemaError(schema, _) = e.find_root()
        && let SchemaError::FieldNotFound { field, valid_fields } = schema.as_ref()
    {
        let known = valid_fields.iter().map(|f| f.name.clone()).filter(|n| !n.starts_with('_')).collect();
        return Trouble::Missing { column: field.name.clone(), known };
    }
    Trouble::Other(Error::invalid(e.find_root().strip_backtrace()))
}
