//! A small retailer in memory for the tests of the rules: facts under `base`, views and dimensions under `main`.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};

use super::{assemble, expand, members, slicers};
use crate::engine::classify::classify;
use crate::engine::options::{OrderBy, Param, QueryOptions, Slice};
use crate::engine::planner::{Planner, parse};
use crate::engine::view::{ViewDefinition, ViewProvider};
use crate::error::Result;
use crate::queryfile::QueryFile;

/// business_date, channel, region, product, amount
const SALES: &str = "SELECT CAST(column1 AS DATE) AS business_date, column2 AS channel_id, column3 AS region_id, \
    column4 AS product_id, CAST(column5 AS DECIMAL(18,4)) AS net_amount_rc, CAST(column5 AS DECIMAL(18,4)) AS gross_amount_rc \
    FROM (VALUES ('2026-03-02', 'web', 'r1', 'p1', 100), ('2026-03-09', 'pos', 'r2', 'p2', 50), ('2026-03-20', 'web', NULL, 'p1', 30), \
    ('2026-02-03', 'web', 'r1', 'p1', 80), ('2026-02-10', 'pos', 'r9', 'p3', 20), ('2025-03-05', 'web', 'r1', 'p1', -40), \
    ('2025-03-30', 'pos', 'r2', 'p3', 10))";
const RETURNS: &str = "SELECT CAST(column1 AS DATE) AS business_date, column2 AS channel_id, column3 AS sale_channel_id, \
    CAST(column4 AS DECIMAL(18,4)) AS refund_net_amount_rc, 'p1' AS product_id, 'r1' AS region_id \
    FROM (VALUES ('2026-03-12', 'pos', 'web', 25), ('2026-02-12', 'web', 'web', 5))";
const TARGET: &str = "SELECT 'net_sales' AS metric, CAST(100 AS DECIMAL(18,4)) AS target_value";
const STOCK: &str = "SELECT 'l1' AS location_id, 'p1' AS product_id, 4 AS on_hand";
const CHANNEL: &str = "SELECT column1 AS channel_id, column2 AS channel_name \
    FROM (VALUES ('web', 'Web shop'), ('pos', 'Tills'), ('app', 'App'))";
const REGION: &str = "SELECT column1 AS region_id, column2 AS region_name, CAST(1 AS INT) AS region_level, column1 AS level1_id, \
    column2 AS level1_name, NULL AS level2_id, NULL AS level2_name, NULL AS level3_id, NULL AS level3_name, NULL AS level4_id, \
    NULL AS level4_name, NULL AS level5_id, NULL AS level5_name FROM (VALUES ('r1', 'East'), ('r2', 'West'))";

const VIEWS: &[(&str, &str)] = &[
    (
        "sales_event",
        "-- ---\n-- [params.return_basis]\n-- values = [\"return_date\", \"none\"]\n-- default = \"return_date\"\n-- ---\n\
         SELECT business_date, channel_id, CAST(NULL AS VARCHAR) AS return_channel_id, region_id, product_id, net_amount_rc AS net_rc \
         FROM base.order_line UNION ALL \
         SELECT business_date, sale_channel_id, channel_id, region_id, product_id, -refund_net_amount_rc \
         FROM base.return_line WHERE $return_basis = 'return_date'",
    ),
    ("by_day", "-- ---\n-- ---\nSELECT business_date, sum(net_rc) AS net_rc FROM sales_event GROUP BY business_date"),
    (
        "first_sale",
        "-- ---\n-- sliced = false\n-- ---\nSELECT product_id, min(business_date) AS day FROM sales_event GROUP BY product_id",
    ),
    ("first_days", "-- ---\n-- ---\nSELECT day, count(*) AS n FROM first_sale GROUP BY day"),
    ("channel_names", "-- ---\n-- ---\nSELECT channel_id, channel_name FROM channel"),
];

/// The retailer.
pub struct Shop {
    pub state: SessionState,
    dimensions: BTreeMap<&'static str, Vec<RecordBatch>>,
}

pub async fn shop() -> Shop {
    let config = SessionConfig::new()
        .with_default_catalog_and_schema("lake", "main")
        .with_create_default_catalog_and_schema(false)
        .with_target_partitions(2);
    let builder = SessionStateBuilder::new().with_config(config).with_default_features();
    let mut state = builder.with_optimizer_rules(super::stock::optimizer_rules()).build();
    crate::engine::functions::register(&mut state).unwrap();
    let (main, base) = (Arc::new(MemorySchemaProvider::new()), Arc::new(MemorySchemaProvider::new()));
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema("main", Arc::clone(&main) as _).unwrap();
    catalog.register_schema("base", Arc::clone(&base) as _).unwrap();
    state.catalog_list().register_catalog("lake".into(), Arc::new(catalog));
    let mut dimensions = BTreeMap::new();
    for (schema, name, sql) in [
        (&base, "order_line", SALES),
        (&base, "return_line", RETURNS),
        (&base, "inventory_snapshot", STOCK),
        (&base, "target", TARGET),
        (&main, "channel", CHANNEL),
        (&main, "region", REGION),
    ] {
        let batches = SessionContext::new().sql(sql).await.unwrap().collect().await.unwrap();
        let table = MemTable::try_new(batches[0].schema(), vec![batches.clone()]).unwrap();
        schema.register_table(name.into(), Arc::new(table)).unwrap();
        dimensions.insert(name, batches);
    }
    for (name, text) in VIEWS {
        let file = QueryFile::parse(&format!("views/{name}.sql"), text).unwrap();
        let view = ViewProvider::plan_over(Arc::new(ViewDefinition::read(&file).unwrap()), &state).await.unwrap();
        main.register_table(name.to_string(), Arc::new(view)).unwrap();
    }
    Shop { state, dimensions }
}

impl Shop {
    /// Runs `sql` as the engine does.
    pub async fn run(&self, sql: &str, options: &QueryOptions) -> Result<Vec<RecordBatch>> {
        let statement = parse(sql)?.statement;
        let planner = Planner::over(&self.state, &statement).await?;
        let plan = assemble(&planner, &statement, options)?;
        let members = members::resolve(&options.slices, &|name| self.dimensions.get(name).cloned())?;
        let plan = slicers::sliced(plan, &members, &options.policies, &options.spine).map_err(classify)?;
        let plan = expand::expanded(plan, &options.policies).map_err(classify)?;
        DataFrame::new(self.state.clone(), plan).collect().await.map_err(classify)
    }

    /// The rows, one text each, cells joined by `|`, NULL as nothing.
    pub async fn lines(&self, sql: &str, options: &QueryOptions) -> Vec<String> {
        let batches = self.run(sql, options).await.unwrap_or_else(|e| panic!("{e}: {:?}", e.hint_text()));
        let table = pretty_format_batches(&batches).unwrap().to_string();
        let cells = |line: &str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join("|");
        let lines = table.lines().filter(|l| l.starts_with('|')).skip(1);
        lines.map(cells).collect()
    }

    pub async fn error(&self, sql: &str, options: &QueryOptions) -> String {
        let error = self.run(sql, options).await.unwrap_err();
        format!("{error}; {}", error.hint_text().unwrap_or_default())
    }
}

pub fn options() -> QueryOptions {
    QueryOptions::default()
}

pub fn slice(slicer: &str, values: &[&str]) -> Slice {
    Slice { slicer: slicer.into(), values: values.iter().map(|v| v.to_string()).collect(), level: None }
}

pub fn sliced_by(slicer: &str, values: &[&str]) -> QueryOptions {
    QueryOptions { slices: vec![slice(slicer, values)], ..options() }
}

pub fn between(from: &str, to: &str) -> BTreeMap<String, Param> {
    [("from", from), ("to", to)].map(|(name, day)| (name.to_string(), Param::Date(day.parse().unwrap()))).into()
}

pub fn by(column: &str, descending: bool) -> Vec<OrderBy> {
    vec![OrderBy { column: column.into(), descending }]
}
