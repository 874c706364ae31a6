//! Source definitions for tests.

use super::Source;
use crate::queryfile::QueryFile;

/// Exchange rates, from `rates/*.csv` with day, base, quote and rate.
pub const RATES: &str = r#"-- ---
-- order = 5
-- [read]
-- path = "rates/*.csv"
-- format = "csv"
-- ---
-- into = "fx_rate"
SELECT CAST(day AS DATE) AS rate_date, base AS base_currency, quote AS quote_currency, CAST(rate AS DECIMAL(18,8)) AS rate FROM raw
"#;

/// The definition `text` under `name`.
pub fn source(name: &str, text: &str) -> Source {
    let file = QueryFile::parse(&format!("sources/{name}.sql"), text).expect("a query file");
    Source::parse(&file).expect("a source")
}
