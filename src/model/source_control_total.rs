//! source_control_total: what a source says it has sent for a day, to be compared with what landed (domain 3.2, loss detection).
//! One row per place, metric and currency; a source tells only what it knows. It never decides whether anything lands.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::FACT;

pub const TABLE: Table = Table {
    name: "source_control_total",
    about: "Counts and sums per day that sources send beside their records; a newer version replaces an older one.",
    kind: TableKind::Fact,
    // Where and in which currency may be left out: NULL is one more value of the key.
    key: &["source_system", "business_date", "channel_id", "location_id", "metric", "currency"],
    parts: &[FACT, TOTAL],
    event: EventTime::EndOf("total_date"),
    month_of: Some("business_date"),
    sort: &["channel_id", "location_id", "business_date", "metric"],
    stats: &["business_date", "channel_id", "location_id", "metric"],
    checks: CHECKS,
};

const TOTAL: &[Column] = &[
    Column::new("total_date", Date, "the business date that is totalled; stored as business_date").input(),
    Column::new("channel_id", Code, "the channel"),
    Column::new("location_id", Code, "the place; NULL = the source totals the whole channel").nullable(),
    Column::new("metric", Code, "what is counted or added, over all lines sent for the day (view landed_total)")
        .one_of(&["order_count", "line_count", "units", "gross_amount", "net_amount", "tax_amount", "total_amount"]),
    Column::new("value", Money, "the count or the sum; amounts in currency"),
    Column::new("currency", UpperCode, "ISO 4217 currency of an amount; of a count NULL = over all currencies")
        .nullable(),
    Column::new("received_at", Instant, "when the source made or sent the total").nullable(),
];

const CHECKS: &[Check] = &[
    Check {
        rule: "V01",
        severity: Reject,
        column: "currency",
        holds: "currency IS NOT NULL OR metric IN ('order_count', 'line_count', 'units')",
        says: "an amount has a currency",
    },
    Check {
        rule: "V03",
        severity: Quarantine,
        column: "value",
        holds: "metric NOT IN ('order_count', 'line_count') OR (value >= 0 AND value % 1 = 0)",
        says: "orders and lines are counted in whole numbers from 0 on",
    },
];
