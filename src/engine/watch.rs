//! A plan whose work can be stopped. DataFusion stops a query by dropping it, which a task notices when it pauses; it pauses
//! where rows come in. What makes many rows of few (a join on a key that many rows share, a cross join, UNNEST) may compute
//! for hours between two pauses, and a join whose filter takes no pair does so without giving a batch to anybody. So every
//! operator is asked for its batches, and every join's filter evaluated, only while [`Work`] may go on.
//!
//! Watched operators look like those that they watch, in EXPLAIN ANALYZE too. It must not know SQL.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result as DfResult, Statistics};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::lit;
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::{
    ChildStats, ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, RecordBatchStream,
    ReplaceChildrenOptions, SendableRecordBatchStream, StatisticsArgs,
};
use futures::Stream;

use super::stop::Work;

/// `plan`, which is ready to run, watched in all its parts. After that no optimizer may see it.
pub fn watched(plan: Arc<dyn ExecutionPlan>, work: &Arc<Work>) -> DfResult<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|plan| Ok(Transformed::yes(Watched::over(plan, work)?))).data()
}

/// Runs `plan`, and looks like `planned`, which is the same but for its filter.
struct Watched {
    planned: Arc<dyn ExecutionPlan>,
    plan: Arc<dyn ExecutionPlan>,
    work: Arc<Work>,
}

impl Watched {
    fn over(planned: Arc<dyn ExecutionPlan>, work: &Arc<Work>) -> DfResult<Arc<dyn ExecutionPlan>> {
        let plan = asking(&planned, work)?;
        Ok(Arc::new(Watched { planned, plan, work: Arc::clone(work) }))
    }

    fn again(&self, planned: &Arc<dyn ExecutionPlan>, plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(Watched { planned: Arc::clone(planned), plan, work: Arc::clone(&self.work) })
    }

    /// May it give more rows than it takes? Then whoever takes them must pause at times.
    fn multiplies(&self) -> bool {
        let effect = self.plan.cardinality_effect();
        !self.plan.children().is_empty()
            && matches!(effect, CardinalityEffect::Unknown | CardinalityEffect::GreaterEqual)
    }
}

/// `plan`; a join that compares pairs without giving any asks with its filter whether to go on.
fn asking(plan: &Arc<dyn ExecutionPlan>, work: &Arc<Work>) -> DfResult<Arc<dyn ExecutionPlan>> {
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        if let Some(filter) = filter(join.filter(), *join.join_type(), work) {
            return join.builder().with_filter(Some(filter)).build_exec();
        }
    } else if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>()
        && let Some(filter) = filter(join.filter(), *join.join_type(), work)
    {
        return Ok(Arc::new(NestedLoopJoinExecBuilder::from(join).with_filter(Some(filter)).build()?));
    }
    Ok(Arc::clone(plan))
}

/// The filter that asks. Without one, semi, anti and mark joins only note which rows have a partner: they get one that takes
/// every pair.
fn filter(filter: Option<&JoinFilter>, kind: JoinType, work: &Arc<Work>) -> Option<JoinFilter> {
    let asks = |inner| Arc::new(Asks { inner, work: Arc::clone(work) });
    match filter {
        Some(filter) => {
            let (columns, schema) = (filter.column_indices().to_vec(), Arc::clone(filter.schema()));
            Some(JoinFilter::new(asks(Arc::clone(filter.expression())), columns, schema))
        }
        None => match kind {
            JoinType::LeftSemi
            | JoinType::LeftAnti
            | JoinType::LeftMark
            | JoinType::RightSemi
            | JoinType::RightAnti
            | JoinType::RightMark => Some(JoinFilter::new(asks(lit(true)), vec![], Arc::new(Schema::empty()))),
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => None,
        },
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.plan, f)
    }
}

impl DisplayAs for Watched {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.planned.fmt_as(kind, f)
    }
}

impl ExecutionPlan for Watched {
    fn name(&self) -> &str {
        self.plan.name()
    }
    fn downcast_delegate(&self) -> Option<&dyn ExecutionPlan> {
        Some(self.plan.as_ref())
    }
    fn properties(&self) -> &Arc<PlanProperties> {
        // The same allocation as before, by which operators above see that nothing changed.
        self.planned.properties()
    }
    fn dynamic_expressions_produced(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        self.plan.dynamic_expressions_produced()
    }
    fn maintains_input_order(&self) -> Vec<bool> {
        self.plan.maintains_input_order()
    }
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.plan.children()
    }
    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        self.plan.apply_expressions(f)
    }
    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let keeps = matches!(options.children_properties, ChildrenPropertiesMode::Keep);
        let plan = Arc::clone(&self.plan).replace_children(children, options)?;
        let planned = if keeps { Arc::clone(&self.planned) } else { Arc::clone(&plan) };
        Ok(self.again(&planned, plan))
    }
    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> DfResult<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }
    fn reset_state(self: Arc<Self>) -> DfResult<Arc<dyn ExecutionPlan>> {
        // Each round of a recursive query.
        let plan = Arc::clone(&self.plan).reset_state()?;
        Ok(self.again(&self.planned, plan))
    }
    fn with_new_state(&self, state: Arc<dyn Any + Send + Sync>) -> Option<Arc<dyn ExecutionPlan>> {
        let plan = self.plan.with_new_state(state)?;
        Some(self.again(&plan, Arc::clone(&plan)))
    }
    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let stream = self.plan.execute(partition, context)?;
        let stream = if self.multiplies() { make_cooperative(stream) } else { stream };
        Ok(Box::pin(Batches { stream, work: Arc::clone(&self.work), ended: false }))
    }
    fn metrics(&self) -> Option<MetricsSet> {
        self.plan.metrics()
    }
    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> DfResult<Arc<Statistics>> {
        self.plan.statistics_from_inputs(inputs, args)
    }
    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        self.plan.child_stats_requests(partition)
    }
    fn cardinality_effect(&self) -> CardinalityEffect {
        self.plan.cardinality_effect()
    }
}

/// An operator's batches, while its work may go on.
struct Batches {
    stream: SendableRecordBatchStream,
    work: Arc<Work>,
    ended: bool,
}

impl Stream for Batches {
    type Item = DfResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Err(stopped) = go_on(&self.work) {
            self.ended = true;
            return Poll::Ready(Some(Err(stopped)));
        }
        self.stream.as_mut().poll_next(cx)
    }
}

impl RecordBatchStream for Batches {
    fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }
}

fn go_on(work: &Work) -> DfResult<()> {
    work.go_on().map_err(|stopped| DataFusionError::External(Box::new(stopped)))
}

/// Evaluates `inner`, while its work may go on.
#[derive(Debug)]
struct Asks {
    inner: Arc<dyn PhysicalExpr>,
    work: Arc<Work>,
}

impl PartialEq for Asks {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for Asks {}

impl Hash for Asks {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl fmt::Display for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inner)
    }
}

impl PhysicalExpr for Asks {
    fn data_type(&self, input: &Schema) -> DfResult<DataType> {
        self.inner.data_type(input)
    }
    fn nullable(&self, input: &Schema) -> DfResult<bool> {
        self.inner.nullable(input)
    }
    fn return_field(&self, input: &Schema) -> DfResult<FieldRef> {
        self.inner.return_field(input)
    }
    fn evaluate(&self, batch: &RecordBatch) -> DfResult<ColumnarValue> {
        go_on(&self.work)?;
        self.inner.evaluate(batch)
    }
    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }
    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> DfResult<Arc<dyn PhysicalExpr>> {
        let [inner] = <[_; 1]>::try_from(children)
            .map_err(|_| DataFusionError::Internal("a watched filter is of one expression".into()))?;
        Ok(Arc::new(Asks { inner, work: Arc::clone(&self.work) }))
    }
    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}
