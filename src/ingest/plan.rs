//! From source SQL to plans: each SELECT is planned once per file, checked against its table's contract, and every
//! conversion in it made answerable (`casts`). It must not look at data.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::SchemaError;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::context::{SessionContext, SessionState};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::{ExecutionPlan, collect};

use super::casts;
use super::complete::Completer;
use super::functions;
use super::select::{draft, expr_is_plain, input_is_plain, refused};
use super::session::{self, Slot};
use super::source::Source;
use crate::error::{Error, Result, did_you_mean};
use crate::model::Column;

/// The hidden column of `raw` that carries each record's position in its chunk through every plan.
pub(crate) const ROW: &str = "__row";
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
    /// Its records hold identifiers of persons in clear: nothing of those that do not land is kept.
    pub(crate) personal: bool,
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
    Missing {
        column: String,
        known: Vec<String>,
    },
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
                Err(Trouble::Missing { column, .. })
                    if !declared
                        && source.header.read.columns.is_none()
                        && fields.iter().all(|f| *f.name() != column) =>
                {
                    fields.push(Field::new(column, DataType::Utf8, true));
                }
                Err(Trouble::Missing { column, known }) => {
                    let place = if declared { "[read] shape" } else { "[read] columns" };
                    return Err(Error::invalid(format!("column {column:?} is not in {place}"))
                        .hint(did_you_mean(&column, known.iter().map(String::as_str))));
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
    let state = session.state();
    let mut wanted = vec![false; slot.columns()];
    let mut drafts = Vec::new();
    for (i, select) in source.selects.iter().enumerate() {
        let place = |e: Error| e.context(format!("line {}, SELECT into {}", select.line, select.table.name));
        drafts.push((i, draft(&state, source, select, &mut wanted).await.map_err(|t| t.map(place))?));
    }
    let skip = skips(&state, source, &mut wanted).await.map_err(|t| t.map(|e| e.context("[[skip]]")))?;
    let personal = source.selects.iter().any(|s| s.sql.to_lowercase().contains(functions::IDENTIFIER_HASH))
        || drafts.iter().any(|(_, draft)| draft.given().iter().any(|g| g.column.personal));
    let statements: Vec<Statement> =
        drafts.into_iter().map(|(i, draft)| draft.finish(&state, source, i)).collect::<Result<_>>()?;
    let own = fields.len();
    let (wants_file, wants_raw) = (wanted[own], wanted[own + 2]);
    wanted.truncate(own);
    Ok(Program { slot, task: session.task_ctx(), wanted, wants_file, wants_raw, personal, statements, skip })
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
    pub(crate) async fn run(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        raw: RecordBatch,
    ) -> datafusion::error::Result<RecordBatch> {
        self.slot.put(raw);
        let batches = collect(Arc::clone(plan), Arc::clone(&self.task)).await?;
        Ok(match batches.len() {
            1 => batches.into_iter().next().unwrap_or_else(|| RecordBatch::new_empty(plan.schema())),
            _ => arrow::compute::concat_batches(&plan.schema(), &batches)?,
        })
    }
}

/// Optimises and plans; marks the columns of `raw` that are read.
pub(crate) async fn physical(
    state: &SessionState,
    plan: &LogicalPlan,
    wanted: &mut [bool],
) -> Result<Arc<dyn ExecutionPlan>, Trouble> {
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
async fn skips(
    state: &SessionState,
    source: &Source,
    wanted: &mut [bool],
) -> Result<Option<Arc<dyn ExecutionPlan>>, Trouble> {
    if source.header.skip.is_empty() {
        return Ok(None);
    }
    let cases: String =
        source.header.skip.iter().enumerate().map(|(i, s)| format!(" WHEN ({}\n) THEN {i}", s.condition)).collect();
    let plan = state.create_logical_plan(&format!("SELECT CASE{cases} END AS skip FROM raw")).await.map_err(trouble)?;
    let plan = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {}).map_err(trouble)?;
    let LogicalPlan::Projection(top) = &plan else {
        return Err(refused(&plan).into());
    };
    input_is_plain(&top.input)?;
    expr_is_plain(&top.expr[0])?;
    let value = casts::check(&top.expr[0], top.input.schema()).map_err(trouble)?.value;
    let plan = LogicalPlanBuilder::new_from_arc(Arc::clone(&top.input))
        .project([value.alias("skip")])
        .and_then(LogicalPlanBuilder::build);
    Ok(Some(physical(state, &plan.map_err(trouble)?, wanted).await?))
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
