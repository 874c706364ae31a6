//! From SQL text to a bound logical plan: one reading statement, typed `$name` parameters, tables found in a snapshot.
//! It must not execute anything, nor know slicers, policies or views.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::catalog::TableFunctionArgs;
use datafusion::catalog::cte_worktable::CteWorkTable;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{DFSchema, ParamValues, ResolvedTableReference, Result as DfResult, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, RelationPlanner, TypePlanner};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    AggregateUDF, ExplainOption, Expr, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF,
};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::scalar::ScalarValue;
use datafusion::sql::parser::{DFParserBuilder, Statement as DfStatement};
use datafusion::sql::planner::{ParserOptions, PlannerContext, SqlToRel, object_name_to_table_reference};
use datafusion::sql::sqlparser::ast::{
    self, ObjectName, Select, Statement, Value, ValueWithSpan, Visit, VisitMut, Visitor, VisitorMut,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;

use super::classify::classify;
use super::options::{Dialect, Param};
use super::params::{any_loose, fitted, kind_of, scalar};
use super::{calls, growth, meaning, size, weight};
use crate::error::{Error, Result, did_you_mean};

/// One parsed reading statement.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// A query: SELECT, WITH, VALUES.
    pub statement: Statement,
    /// Set when the text was `EXPLAIN …` of it.
    pub explain: Option<ExplainOption>,
    /// Parameters that were written, but only in what a dialect's rewrites took out.
    pub dropped: BTreeSet<String>,
}

impl Parsed {
    /// The query, refusing EXPLAIN (views).
    pub fn query_only(self) -> Result<Statement> {
        match self.explain {
            None => Ok(self.statement),
            Some(_) => Err(Error::invalid("EXPLAIN is not a query").hint("write a SELECT")),
        }
    }
}

/// Parses `sql`, which must be one statement that only reads. Placeholders `?` become `$1`, `$2` … in order.
///
/// # Errors
/// `Invalid`: syntax, several statements, one that is larger than [`size`] takes. `Denied`: any statement that is neither a
/// query nor EXPLAIN of one.
pub fn parse(sql: &str) -> Result<Parsed> {
    size::check(sql, &GenericDialect {})?;
    let parser = DFParserBuilder::new(sql).build().and_then(|mut p| p.parse_statements());
    let mut statements = parser.map_err(classify)?;
    if statements.len() > 1 {
        return Err(Error::invalid("more than one statement").hint("send one SELECT at a time"));
    }
    let statement = statements.pop_front().ok_or_else(|| Error::invalid("no statement").hint("write a SELECT"))?;
    let mut parsed = read(statement, Dialect::Own)?;
    number(&mut parsed.statement)?;
    Ok(parsed)
}

/// A parsed statement, if it only reads; it means what it says.
pub fn read(statement: DfStatement, dialect: Dialect) -> Result<Parsed> {
    let reading = |statement| {
        let mut statement = reading(statement)?;
        meaning::keep(&mut statement, dialect)?;
        Ok::<_, Error>(statement)
    };
    match statement {
        DfStatement::Statement(inner) => Ok(parsed(reading(*inner)?, None)),
        DfStatement::Explain(explain) => {
            let DfStatement::Statement(inner) = *explain.statement else { return Err(not_reading("EXPLAIN of it")) };
            let given = explain.options;
            let option = ExplainOption {
                verbose: given.verbose,
                analyze: given.analyze,
                show_statistics: given.show_statistics,
                analyze_level: given.analyze_level,
                analyze_categories: given.analyze_categories,
                ..ExplainOption::default()
            };
            let option = match given.format {
                Some(format) => option.with_format(format),
                None => option,
            };
            Ok(parsed(reading(*inner)?, Some(option)))
        }
        other => Err(not_reading(&first_word(&other.to_string()))),
    }
}

fn parsed(statement: Statement, explain: Option<ExplainOption>) -> Parsed {
    Parsed { statement, explain, dropped: BTreeSet::new() }
}

fn reading(statement: Statement) -> Result<Statement> {
    match statement {
        Statement::Query(_) => match writing_inside(&statement) {
            None => Ok(statement),
            Some(word) => Err(not_reading(&word)),
        },
        other => Err(not_reading(&first_word(&other.to_string()))),
    }
}

/// What the query would write: the first word of a statement in it that is none that reads (`WITH a AS (DELETE …) SELECT …`), or
/// `SELECT INTO`, which makes a table.
fn writing_inside(query: &Statement) -> Option<String> {
    struct Find;
    impl Visitor for Find {
        type Break = String;
        fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<String> {
            match statement {
                Statement::Query(_) => ControlFlow::Continue(()),
                other => ControlFlow::Break(first_word(&other.to_string())),
            }
        }
        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
            match select.into {
                Some(_) => ControlFlow::Break("SELECT INTO".into()),
                None => ControlFlow::Continue(()),
            }
        }
    }
    Visit::visit(query, &mut Find).break_value()
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_uppercase()
}

fn not_reading(what: &str) -> Error {
    Error::new(crate::error::ErrorKind::Denied, format!("{what}: only one statement that reads is taken")).hint(
        "SELECT, WITH, VALUES or EXPLAIN; tables and columns are listed in information_schema.tables and .columns",
    )
}

/// The names of the `$name` placeholders in `statement`, without the `$`.
pub fn placeholders(statement: &Statement) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let _ = visit_placeholders(&mut statement.clone(), &mut |name| {
        names.insert(name.trim_start_matches('$').to_string());
    });
    names
}

/// Gives every `?` its number.
pub fn number(statement: &mut Statement) -> Result<()> {
    let (mut marks, mut named) = (0, false);
    let _ = visit_placeholders(statement, &mut |text| match text.as_str() {
        "?" => {
            marks += 1;
            *text = format!("${marks}");
        }
        _ => named = true,
    });
    match marks > 0 && named {
        true => Err(Error::invalid("parameters as ? and with names in one statement").hint("write $1, $2 or $name")),
        false => Ok(()),
    }
}

/// Calls `each` on every placeholder's text (`$name`, `$1`, `?`), which it may change.
fn visit_placeholders(statement: &mut Statement, each: &mut dyn FnMut(&mut String)) -> ControlFlow<()> {
    struct Walk<'a>(&'a mut dyn FnMut(&mut String));
    impl VisitorMut for Walk<'_> {
        type Break = ();
        fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<()> {
            if let Value::Placeholder(name) = &mut value.value {
                (self.0)(name);
            }
            ControlFlow::Continue(())
        }
    }
    VisitMut::visit(statement, &mut Walk(each))
}

/// Plans statements over the tables of one session; the tables of a statement are looked up once.
pub struct Planner<'a> {
    state: &'a SessionState,
    tables: HashMap<ResolvedTableReference, Arc<dyn TableSource>>,
    /// What the statement's calls of `report()` stand for, by their numbers.
    calls: Vec<Arc<dyn TableSource>>,
    options: Arc<ConfigOptions>,
}

impl<'a> Planner<'a> {
    /// A planner that knows every table that `statement` names.
    pub async fn over(state: &'a SessionState, statement: &Statement) -> Result<Planner<'a>> {
        let mut tables = HashMap::new();
        for resolved in Planner::names(state, statement)? {
            let Ok(schema) = state.schema_for_ref(resolved.clone()) else { continue };
            if let Some(table) = schema.table(&resolved.table).await.map_err(classify)? {
                tables.insert(resolved, provider_as_source(table));
            }
        }
        Ok(Planner { state, tables, calls: Vec::new(), options: Arc::clone(state.config_options()) })
    }

    /// The same with reports that the statement reads: see [`super::calls`].
    pub fn with_calls(self, calls: Vec<Arc<dyn TableSource>>) -> Planner<'a> {
        let mut options = self.options;
        // A report's rows come in the report's order, also below a LIMIT.
        if !calls.is_empty() {
            Arc::make_mut(&mut options).sql_parser.enable_subquery_sort_elimination = false;
        }
        Planner { calls, options, ..self }
    }

    /// The tables and views that `statement` names, CTEs left out.
    pub fn names(state: &SessionState, statement: &Statement) -> Result<Vec<ResolvedTableReference>> {
        let wrapped = DfStatement::Statement(Box::new(statement.clone()));
        let references = state.resolve_table_references(&wrapped).map_err(classify)?;
        Ok(references.into_iter().map(|r| resolve(state, r)).collect())
    }

    /// The statement with its parameters bound: every placeholder has a value in `params`, and every value a placeholder.
    pub fn plan(&self, statement: &Statement, params: &BTreeMap<String, Param>) -> Result<LogicalPlan> {
        let used = placeholders(statement);
        if let Some(unused) = params.keys().find(|p| !used.contains(*p)) {
            let hint = if used.is_empty() {
                "it has none".into()
            } else {
                did_you_mean(unused, used.iter().map(String::as_str))
            };
            return Err(Error::invalid(format!("the statement has no parameter ${unused}")).hint(hint));
        }
        let fitted = match any_loose(params) {
            true => {
                Some(self.plan_inferring(statement, &BTreeMap::new()).and_then(|(_, kinds)| fitted(params, &kinds))?)
            }
            false => None,
        };
        let params = fitted.as_ref().unwrap_or(params);
        let plan = self.plan_unbound(statement, params)?;
        if params.is_empty() {
            return Ok(plan);
        }
        let values: Vec<ScalarValue> = params.iter().map(|(name, p)| scalar(name, p)).collect::<Result<_>>()?;
        plan.replace_params_with_values(&ParamValues::from(values)).map_err(classify)
    }

    /// The statement with typed placeholders `$1 …`, numbered in the order of `params`' names.
    ///
    /// # Errors
    /// A placeholder that is not in `params`; anything wrong with the SQL.
    pub fn plan_unbound(&self, statement: &Statement, params: &BTreeMap<String, Param>) -> Result<LogicalPlan> {
        let fields =
            params.iter().map(|(name, p)| Ok(Some(field(name, kind_of(name, p)?)))).collect::<Result<Vec<_>>>()?;
        let names: Vec<&str> = params.keys().map(String::as_str).collect();
        self.plan_numbered(statement, &names, fields)
    }

    /// The statement with untyped placeholders where `params` has none, and the types that the plan gives each.
    pub fn plan_inferring(
        &self,
        statement: &Statement,
        params: &BTreeMap<String, Param>,
    ) -> Result<(LogicalPlan, BTreeMap<String, Option<DataType>>)> {
        let names = placeholders(statement);
        let fields = names
            .iter()
            .map(|n| params.get(n).map(|p| Ok(field(n, kind_of(n, p)?))).transpose())
            .collect::<Result<Vec<_>>>()?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let plan = self.plan_numbered(statement, &names, fields)?;
        let found = plan.get_parameter_types().map_err(classify)?;
        let more = super::infer::from_places(&plan).map_err(classify)?;
        let typed = names.iter().enumerate().map(|(i, n)| {
            let id = format!("${}", i + 1);
            (n.to_string(), found.get(&id).cloned().flatten().or_else(|| more.get(&id).cloned()))
        });
        let typed = typed.collect();
        Ok((plan, typed))
    }

    fn plan_numbered(
        &self,
        statement: &Statement,
        names: &[&str],
        fields: Vec<Option<FieldRef>>,
    ) -> Result<LogicalPlan> {
        let mut statement = statement.clone();
        let mut unknown = None;
        let _ = visit_placeholders(&mut statement, &mut |text| match names
            .iter()
            .position(|n| Some(*n) == text.strip_prefix('$'))
        {
            Some(at) => *text = format!("${}", at + 1),
            None => unknown = Some(text.clone()),
        });
        if let Some(text) = unknown {
            return Err(missing(&text));
        }
        weight::check(&statement, &|name, args| self.relations(name, args))?;
        let options = ParserOptions::from(&self.options.sql_parser);
        let mut context = PlannerContext::new().with_prepare_param_data_types(fields);
        let plan = SqlToRel::new_with_options(self, options)
            .sql_statement_to_plan_with_context(statement, &mut context)
            .map_err(classify)?;
        let only_reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        only_reads.verify_plan(&plan).map_err(|_| not_reading("a statement inside the query"))?;
        growth::check(&plan)?;
        Ok(plan)
    }

    /// How many relations a name in FROM is.
    fn relations(&self, name: &ObjectName, args: Option<&ast::TableFunctionArgs>) -> u64 {
        let source = match args {
            Some(args) => calls::numbered(name, args).and_then(|n| self.calls.get(n)),
            None => object_name_to_table_reference(name.clone(), self.options.sql_parser.enable_ident_normalization)
                .ok()
                .and_then(|name| self.tables.get(&resolve(self.state, name))),
        };
        source.map_or(1, weight::of_source)
    }

    /// `arg` worked out as far as can be: table functions take constants.
    fn constant(&self, arg: Expr) -> DfResult<Expr> {
        let context = SimplifyContext::builder()
            .with_config_options(Arc::clone(self.state.config_options()))
            .with_query_execution_start_time(self.state.execution_props().query_execution_start_time);
        let simplifier = ExprSimplifier::new(context.build());
        simplifier.coerce(arg, &DFSchema::empty()).and_then(|arg| simplifier.simplify(arg))
    }

    /// Every table and view by the name under which a statement may use it, for "did you mean".
    fn known(&self) -> Vec<String> {
        let options = &self.state.config_options().catalog;
        let Some(catalog) = self.state.catalog_list().catalog(&options.default_catalog) else { return Vec::new() };
        let mut known = Vec::new();
        for schema_name in catalog.schema_names() {
            let names = catalog.schema(&schema_name).map(|s| s.table_names()).unwrap_or_default();
            let default = schema_name == options.default_schema;
            known.extend(names.into_iter().map(|n| if default { n } else { format!("{schema_name}.{n}") }));
        }
        known.sort();
        known
    }
}

fn field(name: &str, kind: DataType) -> FieldRef {
    Arc::new(Field::new(name, kind, true))
}

fn missing(placeholder: &str) -> Error {
    Error::invalid(format!("parameter {placeholder} has no value")).hint(format!("give a value for {placeholder}"))
}

fn resolve(state: &SessionState, reference: TableReference) -> ResolvedTableReference {
    let catalog = &state.config_options().catalog;
    reference.resolve(&catalog.default_catalog, &catalog.default_schema)
}

/// What `SqlToRel` asks the session for.
impl ContextProvider for Planner<'_> {
    fn get_table_source(&self, name: TableReference) -> DfResult<Arc<dyn TableSource>> {
        let resolved = resolve(self.state, name.clone());
        if let Some(source) = self.tables.get(&resolved) {
            return Ok(Arc::clone(source));
        }
        let known = self.known();
        let hint = did_you_mean(&name.to_string(), known.iter().map(String::as_str));
        Err(DataFusionError::External(Box::new(Error::not_found(format!("no table or view {name}")).hint(hint))))
    }
    fn get_table_function_source(&self, name: &str, args: Vec<Expr>) -> DfResult<Arc<dyn TableSource>> {
        if let Some(call) = calls::number(name, &args).and_then(|n| self.calls.get(n)) {
            return Ok(Arc::clone(call));
        }
        let function = self.state.table_functions().get(name).ok_or_else(|| {
            let known = self.state.table_functions().keys().map(String::as_str).chain(["report"]);
            let known: Vec<&str> = known.collect();
            let none = Error::not_found(format!("no table function {name}"));
            DataFusionError::External(Box::new(none.hint(did_you_mean(name, known))))
        })?;
        let args = args.into_iter().map(|arg| self.constant(arg)).collect::<DfResult<Vec<_>>>()?;
        let table = function.create_table_provider_with_args(TableFunctionArgs::new(&args, self.state))?;
        Ok(provider_as_source(table))
    }
    fn create_cte_work_table(&self, name: &str, schema: SchemaRef) -> DfResult<Arc<dyn TableSource>> {
        Ok(provider_as_source(Arc::new(CteWorkTable::new(name, schema))))
    }
    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }
    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        self.state.relation_planners()
    }
    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        super::postgres::type_planner(self.state)
    }
    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.state.scalar_functions().get(name).cloned()
    }
    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }
    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }
    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }
    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }
    fn options(&self) -> &ConfigOptions {
        &self.options
    }
    fn udf_names(&self) -> Vec<String> {
        self.state.scalar_functions().keys().cloned().collect()
    }
    fn higher_order_function_names(&self) -> Vec<String> {
        self.state.higher_order_functions().keys().cloned().collect()
    }
    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }
    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}
