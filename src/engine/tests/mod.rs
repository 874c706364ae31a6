//! The engine over `memory://` lakes. Here: the lake, the views and how to ask.

mod bound;
mod cache;
mod data;
mod multiplied;
mod postgres;
mod rollup_months;
mod rollups;
mod size;
mod sql;
mod stop;
mod turns;
mod views;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Int64Array, StringArray, new_null_array};
use arrow::array::{BooleanArray, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, Schema};
use arrow::util::pretty::pretty_format_batches;
use chrono::NaiveDate;

use super::options::{Param, ParamType, QueryOptions};
use super::{Engine, Rows};
use crate::access::{Caller, Class};
use crate::clock::Clock;
use crate::config::{EngineConfig, LakeConfig};
use crate::error::{ErrorKind, Result};
use crate::lake::{Change, Commit, Lake};
use crate::model::{CHANNEL, LOCATION, MONTH, ORDER_LINE, PRODUCT, Table};
use crate::queryfile::QueryFile;

/// Two branches, each with dimension joins that most queries do not use, and one policy.
const SALES: &str = r#"-- ---
-- about = "Sales and returns."
-- [params.return_basis]
-- values = ["return_date", "sale_date"]
-- default = "return_date"
-- [columns]
-- net = "net sales"
-- ---
SELECT s.channel_id, s.location_id, s.product_id, s.business_date, s.net_amount_rc AS net, l.region_id, p.brand,
       CASE WHEN $return_basis = 'sale_date' THEN 'S' ELSE 'R' END AS basis
FROM base.order_line s LEFT JOIN location l ON l.location_id = s.location_id LEFT JOIN product p ON p.product_id = s.product_id
UNION ALL
SELECT s.channel_id, s.location_id, s.product_id, s.business_date, -s.net_amount_rc AS net, l.region_id, p.brand, 'x' AS basis
FROM base.order_line s LEFT JOIN location l ON l.location_id = s.location_id LEFT JOIN product p ON p.product_id = s.product_id
WHERE s.is_test
"#;

/// A view over a view.
const TOTAL: &str =
    "-- ---\n-- about = \"By channel.\"\n-- ---\nSELECT channel_id, basis, sum(net) AS net FROM sales GROUP BY 1, 2\n";

fn views() -> BTreeMap<String, QueryFile> {
    // By name, so that the view over a view comes first.
    [("views/by_channel.sql", TOTAL), ("views/sales.sql", SALES)]
        .into_iter()
        .map(|(path, text)| QueryFile::parse(path, text).unwrap())
        .map(|f| (f.name.clone(), f))
        .collect()
}

fn day(text: &str) -> i32 {
    text.parse::<NaiveDate>().unwrap().to_epoch_days()
}

/// Rows of `table`: the given columns, zeros and empty texts (NULL where allowed) for the rest.
fn rows(table: &'static Table, given: &[(&str, ArrayRef)]) -> RecordBatch {
    let schema = table.schema();
    let count = given[0].1.len();
    let columns = schema.fields().iter().map(|field| {
        if let Some((_, array)) = given.iter().find(|(name, _)| name == field.name()) {
            return cast(array, field.data_type()).unwrap();
        }
        if field.is_nullable() {
            return new_null_array(field.data_type(), count);
        }
        match field.data_type() {
            DataType::Utf8 => Arc::new(StringArray::from(vec![""; count])) as ArrayRef,
            DataType::Binary => Arc::new(arrow::array::BinaryArray::from_iter_values(vec![[0u8; 16]; count])),
            DataType::Boolean => Arc::new(BooleanArray::from(vec![false; count])),
            kind => cast(&Int64Array::from(vec![0; count]), kind)
                .or_else(|_| cast(&cast(&Int64Array::from(vec![0; count]), &DataType::Int32).unwrap(), kind))
                .unwrap(),
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn money(values: &[i128]) -> ArrayRef {
    Arc::new(Decimal128Array::from(values.to_vec()).with_precision_and_scale(18, 4).unwrap())
}

fn lines(
    dates: &[&str],
    channels: &[&str],
    locations: &[Option<&str>],
    products: &[&str],
    net: &[i128],
) -> RecordBatch {
    let days: ArrayRef = Arc::new(Date32Array::from(dates.iter().map(|d| day(d)).collect::<Vec<_>>()));
    let months: Vec<&str> = dates.iter().map(|d| &d[..7]).collect();
    let ids: Vec<String> = (0..dates.len()).map(|i| format!("L{i}")).collect();
    rows(
        &ORDER_LINE,
        &[
            ("business_date", days),
            (MONTH, texts(&months)),
            ("order_line_id", Arc::new(StringArray::from(ids))),
            ("channel_id", texts(channels)),
            ("location_id", Arc::new(StringArray::from(locations.to_vec()))),
            ("product_id", texts(products)),
            ("net_amount_rc", money(net)),
        ],
    )
}

async fn land(lake: &Lake, table: &'static Table, batch: RecordBatch) {
    let base = lake.state(table).await.unwrap();
    let change = Change {
        batch_id: "b",
        app: "test",
        add: vec![batch],
        remove: vec![],
        keep: vec![],
        info: serde_json::Map::new(),
    };
    assert!(matches!(lake.commit(&base, change).await.unwrap(), Commit::Done { .. }));
}

async fn memory_lake(today: &str) -> Lake {
    let cfg = LakeConfig { url: "memory://".into(), today: today.into(), ..LakeConfig::default() };
    Lake::open(&cfg).await.unwrap()
}

/// Three lines in two months, two places, two products (one without a row).
async fn small_lake() -> Lake {
    let lake = memory_lake("data").await;
    let batch = lines(
        &["2026-01-05", "2026-01-20", "2026-02-03"],
        &["web", "pos", "web"],
        &[None, Some("S1"), Some("S9")],
        &["P1", "P1", "P2"],
        &[100_000, 250_000, 5_000],
    );
    land(&lake, &ORDER_LINE, batch).await;
    let at = |us: &[i64]| -> ArrayRef { Arc::new(TimestampMicrosecondArray::from(us.to_vec()).with_timezone("UTC")) };
    let location =
        rows(&LOCATION, &[("location_id", texts(&["S1"])), ("region_id", texts(&["R1"])), ("valid_from", at(&[0]))]);
    land(&lake, &LOCATION, location).await;
    let deleted: ArrayRef = Arc::new(BooleanArray::from(vec![false, false, false, true]));
    let product = rows(
        &PRODUCT,
        &[
            ("product_id", texts(&["P1", "P1", "P3", "P3"])),
            ("product_name", texts(&["old", "new", "gone", "gone"])),
            ("brand", texts(&["B", "B", "B", "B"])),
            ("valid_from", at(&[0, 86_400_000_000, 0, 86_400_000_000])),
            ("is_deleted", deleted),
        ],
    );
    land(&lake, &PRODUCT, product).await;
    land(
        &lake,
        &CHANNEL,
        rows(&CHANNEL, &[("channel_id", texts(&["web", "pos"])), ("channel_name", texts(&["Web", "Shops"]))]),
    )
    .await;
    lake
}

async fn engine(lake: &Lake) -> Engine {
    Engine::open(lake, &EngineConfig::default(), &views(), Clock::system()).await.unwrap()
}

async fn ask(engine: &Engine, sql: &str, options: QueryOptions) -> Result<String> {
    let rows = engine.query(sql, options, &Caller::local()).await?;
    let batches = rows.collect().await?;
    Ok(pretty_format_batches(&batches).unwrap().to_string())
}

/// The cells of the one row of `sql`'s result.
async fn one(engine: &Engine, sql: &str, options: QueryOptions) -> String {
    let table = ask(engine, sql, options).await.unwrap_or_else(|e| panic!("{sql}: {e} ({:?})", e.hint_text()));
    let line = table.lines().nth(3).unwrap_or_default();
    line.split('|').map(str::trim).filter(|c| !c.is_empty()).collect::<Vec<_>>().join(" ")
}

fn with(params: &[(&str, Param)]) -> QueryOptions {
    let params = params.iter().map(|(name, p)| (name.to_string(), p.clone())).collect();
    QueryOptions { params, ..QueryOptions::default() }
}

async fn limited(lake: &Lake, change: impl FnOnce(&mut EngineConfig)) -> Engine {
    let mut cfg = EngineConfig::default();
    change(&mut cfg);
    Engine::open(lake, &cfg, &views(), Clock::system()).await.unwrap()
}
