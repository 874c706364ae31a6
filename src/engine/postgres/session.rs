//! A snapshot's session for PostgreSQL's clients: the tables of the other, with `pg_catalog` beside them, its functions and
//! its type names. Made when the first such query comes; the other surfaces' session does not change.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::SchemaRef;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, SchemaProvider,
    TableFunction, TableProvider,
};
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_pg_catalog::setup_pg_catalog;
use futures::FutureExt;

use super::functions::functions;
use super::listing::Listing;
use super::schema::Overlay;
use super::types::PgTypes;
use super::{PG_CATALOG, catalogue, standard};
use crate::access::Scope;
use crate::engine::classify::classify;
use crate::engine::information::INFORMATION_SCHEMA;
use crate::engine::session::{CATALOG, MAIN};
use crate::engine::snapshot::{Snapshot, scoped};
use crate::error::{Error, Result};

impl Snapshot {
    /// A session for one query of a PostgreSQL client with `scope`.
    pub(in crate::engine) fn postgres_session(&self, scope: &Scope) -> Result<SessionState> {
        let with_catalogue = match self.postgres.get() {
            Some(made) => made,
            None => {
                let made = build(self)?;
                self.postgres.get_or_init(|| made)
            }
        };
        Ok(scoped(with_catalogue, scope))
    }
}

fn build(snapshot: &Snapshot) -> Result<SessionState> {
    let stock = Stock::get()?;
    let views: BTreeMap<String, String> =
        snapshot.views().iter().map(|(name, view)| (name.clone(), view.definition().sql.clone())).collect();
    let listing = Arc::new(Listing::new(snapshot.relations(), &stock.system_tables()?));
    let mut state = snapshot.state().clone();
    state.register_catalog_list(catalogs(&state, &stock, &listing, &views)?);
    state.config_mut().set_extension(Arc::new(PgTypes::new()));
    // TIMESTAMP WITH TIME ZONE has one, as clients expect.
    state.config_mut().options_mut().execution.time_zone = Some("UTC".into());
    let functions = stock.functions.iter().cloned().chain(functions(&listing, &views).into_iter().map(Arc::new));
    for function in functions {
        state.register_udf(function).map_err(classify)?;
    }
    for table in &stock.table_functions {
        state.register_udtf(table.name(), Arc::clone(table.function()));
    }
    Ok(state)
}

/// The snapshot's schemas, `pg_catalog`, and `information_schema` with what PostgreSQL's has.
fn catalogs(
    state: &SessionState,
    stock: &Stock,
    listing: &Listing,
    views: &BTreeMap<String, String>,
) -> Result<Arc<dyn CatalogProviderList>> {
    let lake = state.catalog_list().catalog(CATALOG).ok_or_else(|| Error::internal("there is no catalog"))?;
    let catalog = MemoryCatalogProvider::new();
    for name in lake.schema_names() {
        let Some(schema) = lake.schema(&name) else { continue };
        let schema: Arc<dyn SchemaProvider> = match name == INFORMATION_SCHEMA {
            true => Arc::new(Overlay::new(standard::tables(listing)?, schema)),
            false => schema,
        };
        catalog.register_schema(&name, schema).map_err(classify)?;
    }
    let system = Overlay::new(catalogue::tables(listing, views)?, Arc::clone(&stock.schema));
    catalog.register_schema(PG_CATALOG, Arc::new(system)).map_err(classify)?;
    let list = MemoryCatalogProviderList::new();
    list.register_catalog(CATALOG.into(), Arc::new(catalog));
    Ok(Arc::new(list))
}

/// What `datafusion-pg-catalog` brings that does not depend on a lake: read once.
struct Stock {
    schema: Arc<dyn SchemaProvider>,
    functions: Vec<Arc<ScalarUDF>>,
    table_functions: Vec<Arc<TableFunction>>,
}

impl Stock {
    fn get() -> Result<Arc<Stock>> {
        static STOCK: OnceLock<Arc<Stock>> = OnceLock::new();
        match STOCK.get() {
            Some(stock) => Ok(Arc::clone(stock)),
            None => {
                let stock = Arc::new(Stock::read()?);
                Ok(Arc::clone(STOCK.get_or_init(|| stock)))
            }
        }
    }

    fn read() -> Result<Stock> {
        let config = SessionConfig::new().with_default_catalog_and_schema(CATALOG, MAIN);
        let context = SessionContext::new_with_config(config);
        let before = context.state().scalar_functions().clone();
        setup_pg_catalog(&context, CATALOG, EmptyContextProvider).map_err(|e| classify(*e))?;
        let schema = context.catalog(CATALOG).and_then(|c| c.schema(PG_CATALOG));
        let schema = schema.ok_or_else(|| Error::internal("pg_catalog was not set up"))?;
        let state = context.state();
        let functions = state.scalar_functions().iter().filter(|(name, _)| !before.contains_key(*name));
        let functions = functions.map(|(_, function)| Arc::clone(function)).collect();
        let tables = ["pg_get_keywords", "generate_series", "range"];
        let table_functions = tables.iter().filter_map(|name| state.table_functions().get(*name).cloned()).collect();
        Ok(Stock { schema, functions, table_functions })
    }

    /// The tables of `pg_catalog` with their columns: those of the lake, then the stock's others.
    fn system_tables(&self) -> Result<Vec<(String, SchemaRef)>> {
        let all = Overlay::new(catalogue::schemas()?, Arc::clone(&self.schema));
        let table = |name: String| {
            // They are in memory: nothing is waited for.
            let table: Option<Arc<dyn TableProvider>> = all.table(&name).now_or_never()?.ok()?;
            Some((name, table?.schema()))
        };
        Ok(all.table_names().into_iter().filter_map(table).collect())
    }
}
