//! What every query's session shares: configuration, memory pool, caches, functions. No tables: those are a snapshot's.

use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::catalog::{CatalogProviderList, MemoryCatalogProviderList};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::memory_pool::{MemoryPool, TrackConsumersPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;

use super::bounded::{self, Bounding, Limits, Operators};
use super::classify::classify;
use super::exact::Exact;
use super::moments::Moments;
use super::pool::RoomyPool;
use crate::config::EngineConfig;
use crate::error::Result;
use crate::lake::Lake;

/// The one catalog, and its schemas.
pub const CATALOG: &str = "lake";
/// Views and current dimensions: what a bare name means.
pub const MAIN: &str = "main";
/// Every table of the model as it is stored.
pub const BASE: &str = "base";
/// The engine about itself.
pub const SYSTEM: &str = "system";
/// The one role of catalogues, to which everything belongs.
pub const OWNER: &str = "saleslake";

/// Parquet footers and page indexes, beside the memory pool.
const METADATA_CACHE: usize = 256 << 20;
/// `IN` lists up to this length prune row groups; longer ones still prune files.
const PRUNING_IN_LIST: usize = 512;
/// Sorting operators of one query, per thread, that the memory pool should serve.
const SORTS_AT_ONCE: usize = 8;
/// The consumers that an out-of-memory message names.
const NAMED_CONSUMERS: NonZeroUsize = NonZeroUsize::new(3).unwrap();

/// Builds sessions over one lake: all share one memory pool, one footer cache and the lake's store.
pub struct Sessions {
    runtime: Arc<RuntimeEnv>,
    config: SessionConfig,
    store: ObjectStoreUrl,
    /// What one function may make.
    limits: Arc<Limits>,
    /// The lake's reporting currency.
    currency: String,
    /// The lake's zone.
    zone: Tz,
}

impl Sessions {
    pub fn new(lake: &Lake, cfg: &EngineConfig) -> Result<Sessions> {
        let pool = TrackConsumersPool::new(RoomyPool::new(pool_bytes(cfg)), NAMED_CONSUMERS);
        let pool: Arc<dyn MemoryPool> = Arc::new(pool);
        let limits = Limits::new(Arc::clone(&pool), pool_bytes(cfg));
        let mut runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).with_metadata_cache_limit(METADATA_CACHE);
        if let Some(dir) = &cfg.spill_dir {
            std::fs::create_dir_all(dir)
                .map_err(|e| crate::error::Error::from(e).context(format!("engine.spill_dir {}", dir.display())))?;
            runtime = runtime.with_temp_file_path(dir);
        }
        let runtime = runtime.build_arc().map_err(classify)?;
        let url = lake.store_url();
        let store = ObjectStoreUrl::parse(&url[..url::Position::BeforePath]).map_err(classify)?;
        runtime.register_object_store(store.as_ref(), lake.object_store());
        let (currency, zone) = (lake.properties().currency.clone(), lake.properties().zone);
        Ok(Sessions { runtime, config: config(cfg), store, limits, currency, zone })
    }

    /// The store that scans read.
    pub fn store(&self) -> &ObjectStoreUrl {
        &self.store
    }

    /// A session over no tables yet: register catalogs in its catalog list.
    pub fn state(&self) -> Result<SessionState> {
        let catalogs: Arc<dyn CatalogProviderList> = Arc::new(MemoryCatalogProviderList::new());
        let mut state = SessionStateBuilder::new()
            .with_config(self.config.clone())
            .with_runtime_env(Arc::clone(&self.runtime))
            .with_catalog_list(catalogs)
            // Before the stock ones, which come with the features.
            .with_expr_planners(vec![Arc::new(Exact), Arc::new(Moments), Arc::new(Operators(Arc::clone(&self.limits)))])
            .with_default_features()
            .with_query_planner(Arc::new(Bounding(Arc::clone(&self.limits))))
            .with_optimizer_rules(super::rules::stock::optimizer_rules())
            .with_physical_optimizer_rules(super::rules::stock::physical_rules());
        for rule in super::rules::stock::analyzer_rules() {
            state = state.with_analyzer_rule(rule);
        }
        let mut state = state.build();
        bounded::bound_functions(&mut state, &self.limits).map_err(classify)?;
        super::functions::register(&mut state).map_err(classify)?;
        for function in [super::functions::reporting_currency(&self.currency), super::functions::lake_date(self.zone)] {
            state.register_udf(Arc::new(function)).map_err(classify)?;
        }
        Ok(state)
    }
}

fn pool_bytes(cfg: &EngineConfig) -> usize {
    usize::try_from(cfg.memory_mb).unwrap_or(usize::MAX >> 20).saturating_mul(1 << 20)
}

/// Slicers and view expansion run before the analyzer, by hand, because they need the query's own slices and policies;
/// the analyzer is the stock one, and so is the optimizer but for rules that answer wrongly ([`super::rules::stock`]).
fn config(cfg: &EngineConfig) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, MAIN)
        .with_create_default_catalog_and_schema(false);
    if cfg.threads > 0 {
        config = config.with_target_partitions(cfg.threads);
    }
    let options = config.options_mut();
    // Each sort keeps this much aside for merging what it spilled; the default would be all of a small pool.
    let partitions = options.execution.target_partitions.max(1);
    let aside = pool_bytes(cfg) / (SORTS_AT_ONCE * partitions);
    options.execution.sort_spill_reservation_bytes = options.execution.sort_spill_reservation_bytes.min(aside);
    options.execution.parquet.max_in_list_size = PRUNING_IN_LIST;
    // A dropped row filter would let rows through: pruning only, the FilterExec above decides.
    options.execution.parquet.pushdown_filters = false;
    // The optimizer may find that a column is never NULL, and the planner not: no reason to refuse the statement.
    options.execution.skip_physical_aggregate_schema_check = true;
    config
}
