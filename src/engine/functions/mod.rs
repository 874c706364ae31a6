//! SQL functions that reports and views share. All are immutable: equal arguments give equal results, without clock or
//! session. They must not read tables.
//!
//! | function | result |
//! |---|---|
//! | `member(key, column)` | the dimension's column; 'UNK' where the key has no row (or the row no value), 'N/A' where the key is NULL |
//! | `period_start(date, grain, calendar)` | first day of the bucket that holds the date |
//! | `period_end(date, grain, calendar)` | first day after that bucket |
//! | `ratio(a, b)` | a / b as DOUBLE; NULL where b is 0 or either is NULL |
//! | `reporting_currency()` | the lake's reporting currency (ISO 4217); registered per lake |
//! | `lake_date(instant)` | its date in the lake's zone; registered per lake |
//! | `growth(cur, prev)` | (cur − prev) / abs(prev) as DOUBLE; NULL where prev is 0 or either is NULL |
//! | `prorated(amount, part, whole)` | amount × part / whole in four places; NULL where whole is 0 or one is NULL |
//! | `allocated(amount, weight) OVER (…)` | the amount shared out over the rows by weight, by largest remainder: nothing is lost |
//! | `wilson_lower(part, whole, level)`, `wilson_upper(…)` | bounds of the Wilson interval of part / whole |
//! | `rank_score(rank, count, levels)` | score from 1 to levels by the share of lower values; equal values, equal scores |
//! | `lift(both, a, b, all)`, `leverage(…)`, `conviction(…)` | basket affinity, from counts of orders |
//! | `normal_quantile(p)` | z of the standard normal distribution |
//! | `safety_stock(…)`, `order_size(…)`, `order_quantity(…)` | replenishment, see [`replenish`] |
//!
//! [`sets`] and [`averaged`] are not for callers: only plans that read rollups are built with them.

mod affinity;
mod allocated;
mod averaged;
mod count;
mod currency;
#[cfg(test)]
mod golden_tests;
mod member;
mod numbers;
mod period;
mod prorated;
mod quotient;
mod replenish;
pub mod sets;
mod statistics;
mod zone;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{ScalarUDF, WindowUDF};

use affinity::AFFINITY;
use numbers::OfNumbers;
use replenish::REPLENISH;
use statistics::STATISTICS;

pub use allocated::Allocated;
pub use averaged::averaged;
pub use count::count;
pub use currency::reporting_currency;
pub use member::{Member, NOT_APPLICABLE, UNKNOWN};
pub use period::Period;
pub use prorated::Prorated;
pub use quotient::Quotient;
pub use zone::lake_date;

/// Puts every function of this module into a session.
pub fn register(session: &mut dyn FunctionRegistry) -> Result<()> {
    for function in all() {
        session.register_udf(Arc::new(function))?;
    }
    session.register_udaf(count())?;
    session.register_udwf(Arc::new(WindowUDF::from(Allocated::new())))?;
    Ok(())
}

/// Every function of rows.
fn all() -> Vec<ScalarUDF> {
    let mut all = vec![
        ScalarUDF::from(Member::new()),
        ScalarUDF::from(Period::start()),
        ScalarUDF::from(Period::end()),
        ScalarUDF::from(Quotient::ratio()),
        growth(),
        ScalarUDF::from(Prorated::new()),
    ];
    let formulas = STATISTICS.iter().chain(&AFFINITY).chain(&REPLENISH);
    all.extend(formulas.map(|formula| ScalarUDF::from(OfNumbers::new(formula))));
    all
}

/// The function `growth`, for plans that are built without SQL.
pub fn growth() -> ScalarUDF {
    ScalarUDF::from(Quotient::growth())
}
