//! DataFusion 55 finds the columns of a filter that it pushes down by their names: of two columns with one name, as joins have
//! them, the first is filtered, and rows are lost (mended upstream by apache/datafusion#25259, in no release that we may use
//! yet). This wraps the stock rule: for its time, gates stand in the plan wherever a name does not tell a column, and let
//! through what is safe.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::filter_pushdown::{ChildFilterDescription, FilterDescription, FilterPushdownPhase};
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions,
    replace_children_if_necessary,
};

type Plan = Arc<dyn ExecutionPlan>;

/// The stock rule behind gates.
#[derive(Debug)]
pub struct Gated(pub Arc<dyn PhysicalOptimizerRule + Send + Sync>);

impl PhysicalOptimizerRule for Gated {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
    fn optimize(&self, plan: Plan, config: &ConfigOptions) -> Result<Plan> {
        let gated = plan.transform_up(gate).map(|t| t.data)?;
        let pushed = self.0.optimize(gated, config)?;
        pushed.transform_up(open).map(|t| t.data)
    }
}

/// A gate before each input whose columns a name does not tell.
fn gate(node: Plan) -> Result<Transformed<Plan>> {
    let names = node.schema();
    let inputs: Vec<Plan> = node.children().into_iter().cloned().collect();
    let join = node.downcast_ref::<HashJoinExec>();
    let gated = inputs.iter().enumerate().map(|(no, input)| {
        let mut told = told(input);
        if node.is::<UnionExec>() {
            told = &told & &safe(&input.schema(), &names);
        }
        if let Some(join) = join {
            told = &told - &mistaken(join, no, &input.schema());
        }
        Gate::before(input, told)
    });
    let gated: Vec<Option<Plan>> = gated.collect();
    if gated.iter().all(Option::is_none) {
        return Ok(Transformed::no(node));
    }
    let inputs = inputs.into_iter().zip(gated).map(|(input, gated)| gated.unwrap_or(input));
    replace_children_if_necessary(node, inputs.collect()).map(Transformed::yes)
}

fn open(node: Plan) -> Result<Transformed<Plan>> {
    Ok(match node.downcast_ref::<Gate>() {
        Some(gate) => Transformed::yes(Arc::clone(&gate.input)),
        None => Transformed::no(node),
    })
}

/// A semi join also hands filters about its keys to the side that is not shown, by the names of the keys that are shown: the
/// columns of input `no` that such a name finds though another one is the key's partner.
fn mistaken(join: &HashJoinExec, no: usize, schema: &Schema) -> HashSet<usize> {
    let pairs = join.on().iter().map(|(left, right)| match no {
        0 => (right, left),
        _ => (left, right),
    });
    let is_hidden = matches!((join.join_type(), no), (JoinType::LeftSemi, 1) | (JoinType::RightSemi, 0));
    let pairs = pairs.filter(|_| is_hidden).filter_map(|(shown, partner)| {
        let named = schema.index_of(shown.downcast_ref::<Column>()?.name()).ok()?;
        let is_partner = partner.downcast_ref::<Column>().is_some_and(|partner| partner.index() == named);
        (!is_partner).then_some(named)
    });
    pairs.collect()
}

/// The columns of `input` that filters from above may be about.
fn told(input: &Plan) -> HashSet<usize> {
    let schema = input.schema();
    let told = safe(&schema, &schema);
    // A filter with a projection looks names up among its own input's columns.
    match input.downcast_ref::<FilterExec>() {
        Some(filter) if filter.projection().is_some() => {
            let below = filter.input().schema();
            let unique = safe(&below, &below).len() == below.fields().len();
            if unique { told } else { HashSet::new() }
        }
        _ => told,
    }
}

/// The columns of `schema` whose name no other has, and that stand at the same place in `above`.
fn safe(schema: &Schema, above: &Schema) -> HashSet<usize> {
    let once = |schema: &Schema, name: &str| schema.fields().iter().filter(|f| f.name() == name).count() == 1;
    let pairs = schema.fields().iter().zip(above.fields()).map(|(own, other)| (own.name(), other.name()));
    let safe = pairs.enumerate().filter(|(_, (own, other))| own == other && once(schema, own) && once(above, own));
    safe.map(|(at, _)| at).collect()
}

/// Lets filters about some columns through.
#[derive(Debug)]
struct Gate {
    input: Plan,
    safe: HashSet<usize>,
}

impl Gate {
    /// `None`: every column is safe.
    fn before(input: &Plan, safe: HashSet<usize>) -> Option<Plan> {
        let needed = safe.len() < input.schema().fields().len();
        needed.then(|| Arc::new(Gate { input: Arc::clone(input), safe }) as Plan)
    }
}

impl DisplayAs for Gate {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

impl ExecutionPlan for Gate {
    fn name(&self) -> &str {
        "Gate"
    }
    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }
    fn children(&self) -> Vec<&Plan> {
        vec![&self.input]
    }
    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }
    fn replace_children(self: Arc<Self>, mut children: Vec<Plan>, _: ReplaceChildrenOptions) -> Result<Plan> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Gate { input, safe: self.safe.clone() })),
            _ => internal_err!("a gate has one input"),
        }
    }
    fn with_new_children(self: Arc<Self>, children: Vec<Plan>) -> Result<Plan> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }
    fn gather_filters_for_pushdown(
        &self,
        _: FilterPushdownPhase,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        _: &ConfigOptions,
    ) -> Result<FilterDescription> {
        let safe = ChildFilterDescription::from_child_with_allowed_indices(&filters, self.safe.clone(), &self.input)?;
        Ok(FilterDescription::new().with_child(safe))
    }
    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        internal_err!("a gate was left in the plan")
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};
    use datafusion::common::NullEquality;
    use datafusion::physical_plan::empty::EmptyExec;
    use datafusion::physical_plan::joins::PartitionMode;

    use super::*;

    fn of(columns: &[&str]) -> Plan {
        let fields: Vec<Field> = columns.iter().map(|name| Field::new(*name, DataType::Utf8View, true)).collect();
        Arc::new(EmptyExec::new(Arc::new(Schema::new(fields))))
    }

    /// Which columns of the right side a semi join that shows its left side must not be asked about.
    fn not_of_the_right(left: &[&str], right: &[&str], pairs: &[(&str, &str)]) -> Vec<usize> {
        let (left, right) = (of(left), of(right));
        let key = |side: &Plan, name: &str| Arc::new(Column::new_with_schema(name, &side.schema()).unwrap()) as _;
        let on = pairs.iter().map(|(l, r)| (key(&left, l), key(&right, r))).collect();
        let (kind, mode) = (JoinType::LeftSemi, PartitionMode::CollectLeft);
        let names = right.schema();
        let join =
            HashJoinExec::try_new(left, right, on, None, &kind, None, mode, NullEquality::NullEqualsNothing, false);
        let mut columns: Vec<usize> = mistaken(&join.unwrap(), 1, &names).into_iter().collect();
        columns.sort_unstable();
        columns
    }

    #[test]
    fn a_semi_joins_hidden_side_is_not_asked_about_namesakes_of_the_keys() {
        let movement = ["counterparty_location_id", "location_id", "product_id"];
        let partner = ("location_id", "counterparty_location_id");
        assert_eq!(not_of_the_right(&["location_id"], &movement, &[partner]), [1]);
        assert_eq!(not_of_the_right(&["location_id"], &movement, &[("location_id", "location_id")]), [0; 0]);
        let both = [partner, ("product_id", "product_id")];
        assert_eq!(not_of_the_right(&["location_id", "product_id"], &movement, &both), [1]);
    }
}
