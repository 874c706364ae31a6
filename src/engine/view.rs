//! A semantic view as an opaque table: planned once per snapshot, its policies bound when a query expands it.
//! It gives no logical plan to DataFusion (which would inline it before slicers and policies are known), and it never scans:
//! a view that no rule expanded is an error, not a leak.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{ParamValues, Result as DfResult, TableReference, internal_err};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, TableType, Volatility};
use datafusion::optimizer::eliminate_filter::EliminateFilter;
use datafusion::optimizer::propagate_empty_relation::PropagateEmptyRelation;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;
use datafusion::optimizer::{Analyzer, Optimizer, OptimizerContext, OptimizerRule};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;
use serde::Deserialize;

use super::options::{Param, Policies};
use super::planner::Planner;
use crate::error::{Error, Result, did_you_mean};
use crate::queryfile::QueryFile;

/// The header of `queries/views/*.sql`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// A text, or one per language.
    #[serde(rename = "title")]
    _title: Option<toml::Value>,
    about: Option<String>,
    #[serde(default)]
    params: BTreeMap<String, Policy>,
    /// `false`: slicers do not enter this view (a customer's first purchase ever).
    sliced: Option<bool>,
    /// Tables and columns (`order_line.unit_cost`) without which it has nothing to tell.
    #[serde(default)]
    needs: Vec<String>,
    /// What a column means, in a line.
    #[serde(default)]
    columns: BTreeMap<String, String>,
}

/// A policy as a view declares it: a closed set of values, one of them the default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub values: Vec<String>,
    pub default: String,
    #[serde(default)]
    pub about: String,
}

/// A view as written, before any snapshot: its text and what its header declares.
#[derive(Debug, Clone)]
pub struct ViewDefinition {
    pub name: String,
    /// The file, for messages.
    pub path: String,
    pub about: String,
    pub sql: String,
    /// The whole file.
    pub text: String,
    pub policies: BTreeMap<String, Policy>,
    pub sliced: bool,
    /// Tables and columns (`order_line.unit_cost`) without which it has nothing to tell.
    pub needs: Vec<String>,
    /// Column name → its meaning.
    pub columns: BTreeMap<String, String>,
}

impl ViewDefinition {
    /// Reads a view's file. Errors: no query file, mistakes of the header, a default that is not among the values.
    pub fn read(file: &QueryFile) -> Result<ViewDefinition> {
        let header: Header = file.header()?;
        for (name, policy) in &header.params {
            if !policy.values.contains(&policy.default) {
                let message = format!("{}: policy {name} has the default {:?}", file.path, policy.default);
                return Err(Error::invalid(message).hint(format!("its values are {}", policy.values.join(", "))));
            }
        }
        Ok(ViewDefinition {
            name: file.name.clone(),
            path: file.path.clone(),
            about: header.about.unwrap_or_default(),
            sql: file.sql.clone(),
            text: file.text.clone(),
            policies: header.params,
            sliced: header.sliced.unwrap_or(true),
            needs: header.needs,
            columns: header.columns,
        })
    }

    /// What the view is, as a text that differs whenever its rows may.
    pub fn meaning(&self) -> String {
        format!("{} {}\n{:?}\n", self.name, self.sql, self.policies)
    }

    /// Every policy at its default.
    pub fn defaults(&self) -> BTreeMap<String, Param> {
        self.policies.iter().map(|(name, p)| (name.clone(), Param::Text(p.default.clone()))).collect()
    }
}

/// A view under policies.
#[derive(Clone)]
struct Bound {
    /// Analysed.
    plan: Arc<LogicalPlan>,
    /// Without what the policies leave no row of.
    lean: Arc<LogicalPlan>,
}

/// A view over one snapshot.
pub struct ViewProvider {
    definition: Arc<ViewDefinition>,
    schema: SchemaRef,
    /// Planned, policies still placeholders `$1 …` in the order of their names; nested views opaque.
    unbound: LogicalPlan,
    /// How many relations it reads, through the views in it.
    relations: u64,
    analyzer: Analyzer,
    config: Arc<datafusion::config::ConfigOptions>,
    /// Plans by the values of the declared policies, in the order of their names.
    bound: Mutex<HashMap<Vec<String>, Bound>>,
}

impl std::fmt::Debug for ViewProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ViewProvider({})", self.definition.name)
    }
}

impl ViewProvider {
    /// Plans the view's SQL over the tables (and earlier views) that `state` knows, and binds the default policies for its schema.
    ///
    /// # Errors
    /// Whatever is wrong with the SQL, named by the view's file.
    pub async fn plan_over(definition: Arc<ViewDefinition>, state: &SessionState) -> Result<ViewProvider> {
        let statement = super::planner::parse(&definition.sql).and_then(|parsed| parsed.query_only());
        let statement = statement.map_err(|e| e.context(&definition.path))?;
        let planner = Planner::over(state, &statement).await.map_err(|e| e.context(&definition.path))?;
        let unbound =
            planner.plan_unbound(&statement, &definition.defaults()).map_err(|e| e.context(&definition.path))?;
        let mut view = ViewProvider {
            schema: Arc::new(unbound.schema().as_arrow().clone()),
            relations: super::weight::of_plan(&unbound),
            unbound,
            analyzer: state.analyzer().clone(),
            config: Arc::clone(state.config_options()),
            bound: Mutex::default(),
            definition,
        };
        let plan =
            view.plan(&Policies::new()).map_err(|e| super::classify::classify(e).context(&view.definition.path))?;
        view.schema = Arc::new(plan.schema().as_arrow().clone());
        Ok(view)
    }

    pub fn name(&self) -> &str {
        &self.definition.name
    }
    /// The policies that this view itself declares, not those of views it reads.
    pub fn policies_declared(&self) -> &BTreeMap<String, Policy> {
        &self.definition.policies
    }
    pub fn relations(&self) -> u64 {
        self.relations
    }
    /// The tables and views that its SQL names, in the order of their names.
    pub fn reads(&self) -> BTreeSet<TableReference> {
        let mut named = BTreeSet::new();
        let walked = self.unbound.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                named.insert(scan.table_name.clone());
            }
            Ok(TreeNodeRecursion::Continue)
        });
        // Nothing above fails.
        debug_assert!(walked.is_ok());
        named
    }
    /// Whether slicers may enter the view.
    pub fn sliced(&self) -> bool {
        self.definition.sliced
    }
    pub fn definition(&self) -> &Arc<ViewDefinition> {
        &self.definition
    }

    /// The view under `policies` (those it declares; its defaults for the rest), analysed: grouping functions resolved, types
    /// coerced. Views that it reads are still opaque scans; whoever expands this one expands those with the same `policies`.
    ///
    /// # Errors
    /// A value that the view does not declare; a plan whose columns differ from the default policies' plan.
    pub fn plan(&self, policies: &Policies) -> DfResult<Arc<LogicalPlan>> {
        self.bound(policies).map(|bound| bound.plan)
    }

    /// The same rows by a shorter plan, without branches that the policies leave no row of: what runs.
    ///
    /// # Errors
    /// As [`ViewProvider::plan`].
    pub fn lean(&self, policies: &Policies) -> DfResult<Arc<LogicalPlan>> {
        self.bound(policies).map(|bound| bound.lean)
    }

    fn bound(&self, policies: &Policies) -> DfResult<Bound> {
        let binding = self.binding(policies)?;
        if let Some(bound) = self.cached().get(&binding) {
            return Ok(bound.clone());
        }
        let values: Vec<ScalarValue> = binding.iter().map(|v| ScalarValue::Utf8View(Some(v.clone()))).collect();
        let plan = self.unbound.clone().replace_params_with_values(&ParamValues::from(values))?;
        let plan = self.analyzer.execute_and_check(plan, &self.config, |_, _| {})?;
        let lean = self.leaner(&plan)?;
        let bound = Bound { plan: Arc::new(plan), lean: Arc::new(lean) };
        self.cached().insert(binding, bound.clone());
        Ok(bound)
    }

    /// Folds what is constant, once for all queries: only of a plan whose constants are the same for all of them.
    fn leaner(&self, plan: &LogicalPlan) -> DfResult<LogicalPlan> {
        let mut constant = true;
        plan.apply_with_subqueries(|node| {
            node.apply_expressions(|expr| {
                constant &= is_immutable(expr)?;
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        if !constant {
            return Ok(plan.clone());
        }
        let rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> = vec![
            Arc::new(SimplifyExpressions::new()),
            Arc::new(EliminateFilter::new()),
            Arc::new(PropagateEmptyRelation::new()),
        ];
        let config = OptimizerContext::new_with_config_options(Arc::clone(&self.config));
        Optimizer::with_rules(rules).optimize(plan.clone(), &config, |_, _| {})
    }

    fn cached(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<String>, Bound>> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn binding(&self, policies: &Policies) -> DfResult<Vec<String>> {
        let declared = &self.definition.policies;
        declared
            .iter()
            .map(|(name, policy)| match policies.get(name) {
                None => Ok(policy.default.clone()),
                Some(value) if policy.values.contains(value) => Ok(value.clone()),
                Some(value) => Err(DataFusionError::External(Box::new(unknown_value(name, value, policy)))),
            })
            .collect()
    }
}

/// Whether it is the same for every query: `now()` is not.
fn is_immutable(expr: &Expr) -> DfResult<bool> {
    let other = expr.exists(|part| {
        Ok(match part {
            Expr::ScalarFunction(call) => call.func.signature().volatility != Volatility::Immutable,
            Expr::HigherOrderFunction(call) => call.func.signature().volatility != Volatility::Immutable,
            Expr::ScalarVariable(..) | Expr::Placeholder(_) => true,
            _ => false,
        })
    })?;
    Ok(!other)
}

/// The error for a policy value that is not declared.
pub(super) fn unknown_value(name: &str, value: &str, policy: &Policy) -> Error {
    Error::invalid(format!("policy {name} has no value {value:?}"))
        .hint(did_you_mean(value, policy.values.iter().map(String::as_str)))
}

#[async_trait]
impl TableProvider for ViewProvider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
    fn table_type(&self) -> TableType {
        TableType::View
    }
    fn get_table_definition(&self) -> Option<&str> {
        Some(&self.definition.sql)
    }
    async fn scan(
        &self,
        _state: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        internal_err!("view {} was not expanded", self.definition.name)
    }
}
