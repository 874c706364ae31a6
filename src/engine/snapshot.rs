//! One state of all tables: versions pinned, dimensions ready, views planned. Immutable; queries clone an `Arc` of it.
//! It must not run a caller's SQL.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider,
};
use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::ast::Statement;

use super::classify::classify;
use super::dims::{CurrentDimension, calendars, dimensions, history};
use super::information::{INFORMATION_SCHEMA, InformationSchema};
use super::listed::{Known, lists};
use super::options::Pin;
use super::planner::{Planner, parse};
use super::relations::{self, Relation};
use super::rollups::{self, Definition, Ready};
use super::scan::{SessionScope, SnapshotTable};
use super::session::{BASE, CATALOG, MAIN, SYSTEM, Sessions};
use super::view::{ViewDefinition, ViewProvider};
use crate::access::Scope;
use crate::config::EngineConfig;
use crate::error::{Error, Result};
use crate::lake::{Lake, TableState};
use crate::model::Table;
use crate::queryfile::QueryFile;

/// A view's file that cannot be used, and why. Everything that does not read it works.
#[derive(Debug, Clone)]
pub struct BrokenView {
    pub name: String,
    /// The file.
    pub path: String,
    pub reason: String,
    pub hint: Option<String>,
}

impl BrokenView {
    pub(super) fn new(name: &str, path: &str, error: &Error) -> BrokenView {
        let hint = error.hint_text().map(String::from);
        BrokenView { name: name.into(), path: path.into(), reason: error.to_string(), hint }
    }
    /// What a query that reads it is told.
    pub(super) fn error(&self) -> Error {
        let error = Error::unavailable(format!("the view {} is broken: {}", self.name, self.reason));
        error.hint(self.hint.clone().unwrap_or_else(|| format!("mend {}", self.path)))
    }
}

/// The files of `queries/views/`, read.
#[derive(Debug, Default, Clone)]
pub struct Views {
    definitions: Vec<Arc<ViewDefinition>>,
    /// Those that are no query files or have a wrong header.
    broken: Vec<BrokenView>,
    rollups: Vec<Arc<Definition>>,
    broken_rollups: Vec<BrokenView>,
}

impl Views {
    /// Reads `files`, and adds the dimensions' histories.
    pub fn read(files: &BTreeMap<String, QueryFile>) -> Views {
        let mut views = Views::default();
        for file in files.values() {
            match ViewDefinition::read(file) {
                Ok(view) => views.definitions.push(Arc::new(view)),
                Err(error) => views.broken.push(BrokenView::new(&file.name, &file.path, &error)),
            }
        }
        views.definitions.extend(dimensions().filter_map(history).map(Arc::new));
        views
    }

    /// With the rollups of `files`, those of `queries/rollups/`.
    pub fn with_rollups(mut self, files: &BTreeMap<String, QueryFile>) -> Views {
        (self.rollups, self.broken_rollups) = (Vec::new(), Vec::new());
        for file in files.values() {
            match Definition::read(file) {
                Ok(definition) => self.rollups.push(Arc::new(definition)),
                Err(error) => self.broken_rollups.push(BrokenView::new(&file.name, &file.path, &error)),
            }
        }
        self
    }

    /// With the rollups of `other`.
    pub fn with_rollups_of(mut self, other: &Views) -> Views {
        (self.rollups, self.broken_rollups) = (other.rollups.clone(), other.broken_rollups.clone());
        self
    }

    /// `view` in the place of what its file says.
    pub(super) fn keep(&mut self, view: Arc<ViewDefinition>) {
        self.broken.retain(|broken| broken.name != view.name);
        match self.definitions.iter_mut().find(|definition| definition.name == view.name) {
            Some(definition) => *definition = view,
            None => self.definitions.push(view),
        }
    }
}

/// A state of all tables.
pub struct Snapshot {
    /// Differs whenever an answer may: a hash of the lake's place, the tables' versions, the views' texts and the program's
    /// version.
    pub id: String,
    /// Delta version per table; −1 = never written.
    pub versions: BTreeMap<String, i64>,
    /// See [`Snapshot::meaning`].
    meaning: String,
    state: SessionState,
    tables: BTreeMap<&'static str, Arc<SnapshotTable>>,
    dimensions: BTreeMap<&'static str, Arc<CurrentDimension>>,
    views: BTreeMap<String, Arc<ViewProvider>>,
    /// Views that cannot be read or do not plan, by name.
    broken: BTreeMap<String, BrokenView>,
    /// The lake's states, for statistics.
    states: Vec<Arc<TableState>>,
    /// What there is to read, for catalogues.
    relations: Arc<Vec<Relation>>,
    /// The session for PostgreSQL's clients, once one has asked.
    pub(super) postgres: OnceLock<SessionState>,
    /// The shortest first.
    pub(super) rollups: Vec<Arc<Ready>>,
    /// Rollups that cannot be used, by name.
    pub(super) broken_rollups: BTreeMap<String, BrokenView>,
    /// How many there should be: one that could not be read is tried again.
    pub(super) rollups_wanted: usize,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("id", &self.id).field("versions", &self.versions).finish_non_exhaustive()
    }
}

impl Snapshot {
    /// A session for one query of a caller with `scope`.
    pub(super) fn session(&self, scope: &Scope) -> SessionState {
        scoped(&self.state, scope)
    }
    /// The state's name, for asking again later.
    pub fn pin(&self) -> Pin {
        Pin { snapshot: self.id.clone(), versions: self.versions.clone() }
    }
    /// Differs whenever an answer from tables of the same versions may: the lake's place, the views' files, the program's version.
    pub(super) fn meaning(&self) -> &str {
        &self.meaning
    }
    pub(super) fn relations(&self) -> &Arc<Vec<Relation>> {
        &self.relations
    }
    pub(super) fn views(&self) -> &BTreeMap<String, Arc<ViewProvider>> {
        &self.views
    }
    pub(super) fn broken(&self) -> &BTreeMap<String, BrokenView> {
        &self.broken
    }
    /// Fails if `statement` names a broken view.
    pub(super) fn whole(&self, statement: &Statement) -> Result<()> {
        if self.broken.is_empty() {
            return Ok(());
        }
        let named = Planner::names(&self.state, statement)?;
        let mut broken = named.iter().filter(|n| &*n.schema == MAIN).filter_map(|n| self.broken.get(&*n.table));
        broken.next().map_or(Ok(()), |view| Err(view.error()))
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
    /// Whether no rollup has been made anew since, and all are there.
    pub(super) async fn has_newest_rollups(&self, lake: &Lake) -> bool {
        let Some(first) = self.rollups.first() else { return self.rollups_wanted == 0 };
        let tables = self.rollups.iter().map(|ready| (ready.rollup().table(), ready.version()));
        let dictionary = (&rollups::NUMBERS, first.dictionary().version);
        let looks = tables.chain([dictionary]).map(async |(table, version)| match lake.derived(table).await {
            Ok(state) => state.version == version,
            Err(_) => true,
        });
        self.rollups.len() == self.rollups_wanted && futures::future::join_all(looks).await.into_iter().all(|same| same)
    }
    pub(super) fn states(&self) -> &[Arc<TableState>] {
        &self.states
    }
    /// The session without a caller.
    pub(super) fn state(&self) -> &SessionState {
        &self.state
    }
}

/// `state` for one query of a caller with `scope`.
pub(super) fn scoped(state: &SessionState, scope: &Scope) -> SessionState {
    let mut state = state.clone();
    state.config_mut().set_extension(Arc::new(SessionScope(scope.clone())));
    state.mark_start_execution();
    state
}

/// Builds snapshots; what did not change since the last one is taken over from it.
pub struct Snapshots {
    lake: Lake,
    known: rollups::Known,
    sessions: Sessions,
    /// `system.queries` and the like.
    system: Vec<(&'static str, Arc<dyn TableProvider>)>,
    calendars: Vec<(&'static str, Arc<dyn TableProvider>)>,
    /// The reports that SQL may name.
    reports: Known,
}

impl Snapshots {
    pub fn new(
        lake: &Lake,
        cfg: &EngineConfig,
        system: Vec<(&'static str, Arc<dyn TableProvider>)>,
        reports: Known,
    ) -> Result<Snapshots> {
        let sessions = Sessions::new(lake, cfg)?;
        let known = rollups::Known::new(cfg.rollups_mb);
        Ok(Snapshots { lake: lake.clone(), known, sessions, system, calendars: calendars()?, reports })
    }

    /// What rollups are put together from.
    pub fn rollups(&self) -> rollups::Parts<'_> {
        rollups::Parts { lake: &self.lake, sessions: &self.sessions, known: &self.known }
    }

    /// What names a snapshot of these versions with `views`.
    pub fn pin(&self, views: &Views, versions: BTreeMap<String, i64>) -> Pin {
        Pin { snapshot: identify(self.lake.url(), &versions, &views.definitions), versions }
    }

    /// A snapshot of `states`, one per table of the model, with `views`; those that do not plan are set aside.
    pub async fn build(
        &self,
        views: &Views,
        states: Vec<Arc<TableState>>,
        last: Option<&Snapshot>,
    ) -> Result<Snapshot> {
        let state = self.sessions.state()?;
        let catalog = Arc::new(MemoryCatalogProvider::new());
        let [base, system, main] = [BASE, SYSTEM, MAIN].map(|name| (name, Arc::new(MemorySchemaProvider::new())));
        for (name, schema) in [&base, &system, &main] {
            catalog.register_schema(name, Arc::clone(schema) as Arc<dyn SchemaProvider>).map_err(classify)?;
        }
        state.catalog_list().register_catalog(CATALOG.into(), Arc::clone(&catalog) as Arc<dyn CatalogProvider>);

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
        let id = self.pin(views, versions.clone()).snapshot;
        let broken = views.broken.iter().map(|b| (b.name.clone(), b.clone())).collect();
        let (dims, planned) = (BTreeMap::new(), BTreeMap::new());
        let relations = Arc::default();
        let mut snapshot = Snapshot {
            id,
            versions,
            meaning: meaning(self.lake.url(), &views.definitions),
            state,
            tables,
            dimensions: dims,
            views: planned,
            broken,
            states,
            relations,
            postgres: OnceLock::new(),
            rollups: Vec::new(),
            rollups_wanted: 0,
            broken_rollups: views.broken_rollups.iter().map(|b| (b.name.clone(), b.clone())).collect(),
        };
        for table in dimensions() {
            let dimension = current(table, &snapshot, last)?;
            register(&main.1, table.name, Arc::clone(&dimension) as Arc<dyn TableProvider>)?;
            snapshot.dimensions.insert(table.name, dimension);
        }
        for view in &views.definitions {
            if let Err(error) = add_view(view, &views.definitions, &mut snapshot, &main.1, &mut Vec::new()).await {
                snapshot.broken.insert(view.name.clone(), BrokenView::new(&view.name, &view.path, &error));
            }
        }
        rollups::attach(&mut snapshot, &views.rollups, last, self.rollups()).await;
        snapshot.relations = Arc::new(relations::relations(&snapshot));
        for (name, list) in lists(&self.reports, &snapshot.relations) {
            register(&system.1, name, list)?;
        }
        let information = InformationSchema::of(&snapshot).map_err(classify)?;
        catalog.register_schema(INFORMATION_SCHEMA, Arc::new(information)).map_err(classify)?;
        Ok(snapshot)
    }
}

/// Plans `view` after those of `views` that it reads.
async fn add_view(
    view: &Arc<ViewDefinition>,
    views: &[Arc<ViewDefinition>],
    snapshot: &mut Snapshot,
    main: &MemorySchemaProvider,
    open: &mut Vec<String>,
) -> Result<()> {
    if snapshot.views.contains_key(&view.name) {
        return Ok(());
    }
    if open.contains(&view.name) {
        let circle = open.join(" → ");
        return Err(Error::invalid(format!("{}: views read each other: {circle} → {}", view.path, view.name)));
    }
    if main.table_exist(&view.name) {
        return Err(Error::invalid(format!("{}: the name {} is taken by a table", view.path, view.name)));
    }
    open.push(view.name.clone());
    for needed in read_by(view, views, snapshot)? {
        Box::pin(add_view(&needed, views, snapshot, main, open)).await?;
    }
    open.pop();
    let planned = Arc::new(ViewProvider::plan_over(Arc::clone(view), &snapshot.state).await?);
    register(main, &view.name, Arc::clone(&planned) as Arc<dyn TableProvider>)?;
    snapshot.views.insert(view.name.clone(), planned);
    Ok(())
}

/// The views that `view`'s SQL names.
fn read_by(
    view: &ViewDefinition,
    views: &[Arc<ViewDefinition>],
    snapshot: &Snapshot,
) -> Result<Vec<Arc<ViewDefinition>>> {
    let statement = parse(&view.sql).and_then(|p| p.query_only());
    let named = statement.and_then(|s| snapshot.whole(&s).and_then(|()| Planner::names(&snapshot.state, &s)));
    let named = named.map_err(|e| e.context(&view.path))?;
    let in_main = named.iter().filter(|n| &*n.schema == MAIN).map(|n| n.table.to_string());
    Ok(in_main.filter_map(|n| views.iter().find(|v| v.name == n).cloned()).collect())
}

fn register(schema: &MemorySchemaProvider, name: &str, table: Arc<dyn TableProvider>) -> Result<()> {
    schema.register_table(name.into(), table).map_err(classify)?;
    Ok(())
}

/// The dimension's current rows: those of the last snapshot, which may have been read already, if the version is the same.
fn current(table: &'static Table, snapshot: &Snapshot, last: Option<&Snapshot>) -> Result<Arc<CurrentDimension>> {
    let versions = snapshot.table(table.name).ok_or_else(|| Error::internal(format!("{} has no state", table.name)))?;
    match last.and_then(|s| s.dimension(table.name)).filter(|d| d.version() == versions.version()) {
        Some(same) => Ok(Arc::clone(same)),
        None => Ok(Arc::new(CurrentDimension::new(Arc::clone(versions))?)),
    }
}

fn identify(lake: &str, versions: &BTreeMap<String, i64>, views: &[Arc<ViewDefinition>]) -> String {
    let mut text = format!("saleslake {} {lake}\n", env!("CARGO_PKG_VERSION"));
    for (table, version) in versions {
        text.push_str(&format!("{table} {version}\n"));
    }
    for view in views {
        text.push_str(&view.meaning());
    }
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
}

/// Of the whole files: their headers say what slicers and policies do.
fn meaning(lake: &str, views: &[Arc<ViewDefinition>]) -> String {
    let mut text = identify(lake, &BTreeMap::new(), views);
    for view in views {
        text.push_str(&format!("\n{} {} {}", view.name, view.text.len(), view.text));
    }
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
}
