//! Types of parameters that DataFusion does not tell: what a placeholder is cast to, and the list in which something is
//! looked for. It must not change plans.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};

/// Types by the placeholders' names, `$1`.
pub fn from_places(plan: &LogicalPlan) -> DfResult<BTreeMap<String, DataType>> {
    let mut found = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        let mut schema = DFSchema::empty();
        node.inputs().iter().for_each(|input| schema.merge(input.schema()));
        if let LogicalPlan::TableScan(scan) = node {
            schema.merge(&scan.projected_schema);
        }
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Some((placeholder, kind)) = told(expr, &schema) {
                    found.entry(placeholder).or_insert(kind);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(found)
}

fn told(expr: &Expr, schema: &DFSchema) -> Option<(String, DataType)> {
    match expr {
        Expr::Cast(cast) => Some((placeholder(&cast.expr)?, cast.field.data_type().clone())),
        Expr::TryCast(cast) => Some((placeholder(&cast.expr)?, cast.field.data_type().clone())),
        Expr::ScalarFunction(call) if call.func.name() == "array_has" => match call.args.as_slice() {
            [list, item] => {
                let item = item.get_type(schema).ok()?;
                Some((placeholder(list)?, DataType::List(Arc::new(Field::new_list_field(item, true)))))
            }
            _ => None,
        },
        _ => None,
    }
}

fn placeholder(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Placeholder(placeholder) => Some(placeholder.id.clone()),
        _ => None,
    }
}
