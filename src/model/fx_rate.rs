//! fx_rate: how much of the quote currency one unit of the base currency costs, per day (domain 3.8).

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::REFERENCE;

pub const TABLE: Table = Table {
    name: "fx_rate",
    about: "Exchange rates per day; days between two known rates take the earlier one.",
    kind: TableKind::Reference,
    key: &["rate_date", "base_currency", "quote_currency", "rate_type"],
    parts: &[REFERENCE, RATE],
    event: EventTime::None,
    month_of: None,
    sort: &["base_currency", "quote_currency", "rate_date"],
    stats: &["rate_date", "base_currency", "quote_currency"],
    checks: &[Check { rule: "V03", severity: Reject, column: "rate", holds: "rate > 0", says: "a rate is above 0" }],
};

const RATE: &[Column] = &[
    Column::new("rate_date", Date, "the day"),
    Column::new("base_currency", UpperCode, "one unit of this"),
    Column::new("quote_currency", UpperCode, "costs this much of that"),
    Column::new("rate_type", Code, "which rate").or("'spot_close'").one_of(&[
        "spot_close",
        "monthly_avg",
        "budget",
        "contract",
    ]),
    Column::new("rate", Rate, "quote per base"),
];
