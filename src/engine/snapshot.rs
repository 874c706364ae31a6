//! One state of all tables: versions pinned, dimensions loaded, views planned. Immutable; queries clone an `Arc` of it.
//! It must not run a caller's SQL.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider,
};
use datafusion::execution::SessionState;
use datafusion::physical_plan::collect;

use super::classify::classify;
use super::dims::{CurrentDimension, calendars, current_sql, dimensions, history};
use super::planner::{Planner, parse};
use super::scan::{SessionScope, SnapshotTable};
use super::session::{BASE, CATALOG, MAIN, SYSTEM, Sessions};
use super::view::{ViewDefinition, ViewProvider};
use crate::access::Scope;
use crate::config::EngineConfig;
use crate::error::{Error, Result};
use crate::lake::{Lake, TableState};
use crate::model::Table;

/// A state of all tables.
pub struct Snapshot {
    /// Differs whenever an answer may: a hash of the lake's place, the tables' versions, the views' texts and the program's
    /// version.
    pub id: String,
    /// Delta version per table; −1 = never written.
    pub versions: BTreeMap<String, i64>,
    state: SessionState,
    tables: BTreeMap<&'static str, Arc<SnapshotTable>>,
    dimensions: BTreeMap<&'static str, Arc<CurrentDimension>>,
    views: BTreeMap<String, Arc<ViewProvider>>,
    /// The lake's states, for statistics.
    states: Vec<Arc<TableState>>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("id", &self.id).field("versions", &self.versions).finish_non_exhaustive()
    }
}

impl Snapshot {
    /// A session for one query of a caller with `scope`.
    pub(super) fn session(&self, scope: &Scope) -> SessionState {
        let mut state = self.state.clone();
        state.config_mut().set_extension(Arc::new(SessionScope(scope.clone())));
        state.mark_start_execution();
        state
    }
    pub(super) fn views(&self) -> &BTreeMap<String, Arc<ViewProvider>> {
        &self.views
    }
    pub(super) fn table(&self, name: &str) -> Option<&Arc<SnapshotTable>> {
        self.tables.get(name)
    }
    /// The current rows of a dimension.
    pub(super) fn dimension(&self, name: &str) -> Option<&Arc<CurrentDimension>> {
        self.dimensions.get(name)
    }
    pub(super) fn lake_state(&self, table: &Table) -> Option<&Arc<TableState>> {
        self.states.iter().find(|s| s.table.name == table.name)
    }
    /// The session without a caller.
    #[cfg(test)]
    pub(super) fn state(&self) -> &SessionState {
        &self.state
    }
}

/// Builds snapshots; what did not change since the last one is taken over from it.
pub struct Snapshots {
    lake: String,
    sessions: Sessions,
    views: Vec<Arc<ViewDefinition>>,
    /// `system.queries` and the like.
    system: Vec<(&'static str, Arc<dyn TableProvider>)>,
    calendars: Vec<(&'static str, Arc<dyn TableProvider>)>,
}

impl Snapshots {
    pub fn new(
        lake: &Lake,
        cfg: &EngineConfig,
        views: Vec<ViewDefinition>,
        system: Vec<(&'static str, Arc<dyn TableProvider>)>,
    ) -> Result<Snapshots> {
        let views = views.into_iter().chain(dimensions().filter_map(history)).map(Arc::new).collect();
        let sessions = Sessions::new(lake, cfg)?;
        Ok(Snapshots { lake: lake.url().into(), sessions, views, system, calendars: calendars()? })
    }

    /// A snapshot of `states`, one per table of the model.
    ///
    /// # Errors
    /// A view that does not plan, named by its file; storage errors while dimensions are read.
    pub async fn build(&self, states: Vec<Arc<TableState>>, last: Option<&Snapshot>) -> Result<Snapshot> {
        let state = self.sessions.state()?;
        let catalog = Arc::new(MemoryCatalogProvider::new());
        let [base, system, main] = [BASE, SYSTEM, MAIN].map(|name| (name, Arc::new(MemorySchemaProvider::new())));
        for (name, schema) in [&base, &system, &main] {
            catalog.register_schema(name, Arc::clone(schema) as Arc<dyn SchemaProvider>).map_err(classify)?;
        }
        state.catalog_list().register_catalog(CATALOG.into(), catalog);

        let mut tables = BTreeMap::new();
        for table_state in &states {
            let name = table_state.table.name;
            let same = last.and_then(|s| s.table(name)).filter(|t| t.version() == table_state.version);
            let table = match same {
                Some(table) => Arc::clone(table),
                None => Arc::new(SnapshotTable::new(table_state, self.sessions.store())?),
            };
            register(&base.1, name, Arc::clone(&table) as Arc<dyn TableProvider>)?;
            tables.insert(name, table);
        }
        for (name, table) in &self.system {
            register(&system.1, name, Arc::clone(table))?;
        }
        for (name, table) in &self.calendars {
            register(&main.1, name, Arc::clone(table))?;
        }

        let versions: BTreeMap<String, i64> = states.iter().map(|s| (s.table.name.to_string(), s.version)).collect();
        let id = identify(&self.lake, &versions, &self.views);
        let views = BTreeMap::new();
        let mut snapshot = Snapshot { id, versions, state, tables, dimensions: BTreeMap::new(), views, states };
        for table in dimensions() {
            let dimension = current(table, &snapshot, last).await?;
            register(&main.1, table.name, Arc::clone(&dimension) as Arc<dyn TableProvider>)?;
            snapshot.dimensions.insert(table.name, dimension);
        }
        let mut open = Vec::new();
        for view in &self.views {
            self.add_view(view, &mut snapshot, &main.1, &mut open).await?;
        }
        Ok(snapshot)
    }

    /// Plans `view` after the views that it reads.
    async fn add_view(
        &self,
        view: &Arc<ViewDefinition>,
        snapshot: &mut Snapshot,
        main: &MemorySchemaProvider,
        open: &mut Vec<String>,
    ) -> Result<()> {
        if snapshot.views.contains_key(&view.name) {
            return Ok(());
        }
        if open.contains(&view.name) {
            return Err(Error::invalid(format!(
                "{}: views read each other: {} → {}",
                view.path,
                open.join(" → "),
                view.name
            )));
        }
        if main.table_exist(&view.name) {
            return Err(Error::invalid(format!("{}: the name {} is taken by a table", view.path, view.name)));
        }
        open.push(view.name.clone());
        for needed in self.read_by(view, snapshot)? {
            Box::pin(self.add_view(&needed, snapshot, main, open)).await?;
        }
        open.pop();
        let planned = Arc::new(ViewProvider::plan_over(Arc::clone(view), &snapshot.state).await?);
        register(main, &view.name, Arc::clone(&planned) as Arc<dyn TableProvider>)?;
        snapshot.views.insert(view.name.clone(), planned);
        Ok(())
    }

    /// The views that `view`'s SQL names.
    fn read_by(&self, view: &ViewDefinition, snapshot: &Snapshot) -> Result<Vec<Arc<ViewDefinition>>> {
        let named = parse(&view.sql).and_then(|p| p.query_only()).and_then(|s| Planner::names(&snapshot.state, &s));
        let named = named.map_err(|e| e.context(&view.path))?;
        let in_main = named.iter().filter(|n| &*n.schema == MAIN).map(|n| n.table.to_string());
        Ok(in_main.filter_map(|n| self.views.iter().find(|v| v.name == n).cloned()).collect())
    }
}

fn register(schema: &MemorySchemaProvider, name: &str, table: Arc<dyn TableProvider>) -> Result<()> {
    schema.register_table(name.into(), table).map_err(classify)?;
    Ok(())
}

/// The dimension's current rows: those of the last snapshot if the version is the same.
async fn current(table: &'static Table, snapshot: &Snapshot, last: Option<&Snapshot>) -> Result<Arc<CurrentDimension>> {
    let version = snapshot.versions.get(table.name).copied().unwrap_or(-1);
    if let Some(same) = last.and_then(|s| s.dimension(table.name)).filter(|d| d.version() == version) {
        return Ok(Arc::clone(same));
    }
    let sql = current_sql(table).ok_or_else(|| Error::internal(format!("{} is no dimension", table.name)))?;
    let rows = internal(snapshot, &sql).await.map_err(|e| e.context(format!("reading {}", table.name)))?;
    Ok(Arc::new(CurrentDimension::new(table, version, rows)?))
}

/// Runs the engine's own SQL over `snapshot`, which may still lack views.
pub(super) async fn internal(snapshot: &Snapshot, sql: &str) -> Result<Vec<RecordBatch>> {
    let session = snapshot.session(&Scope::All);
    let statement = parse(sql)?.query_only()?;
    let plan = Planner::over(&session, &statement).await?.plan(&statement, &BTreeMap::new())?;
    let physical = session.create_physical_plan(&plan).await.map_err(classify)?;
    collect(physical, session.task_ctx()).await.map_err(classify)
}

fn identify(lake: &str, versions: &BTreeMap<String, i64>, views: &[Arc<ViewDefinition>]) -> String {
    let mut text = format!("saleslake {} {lake}\n", env!("CARGO_PKG_VERSION"));
    for (table, version) in versions {
        text.push_str(&format!("{table} {version}\n"));
    }
    for view in views {
        text.push_str(&format!("{} {}\n{:?}\n", view.name, view.sql, view.policies));
    }
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
}
