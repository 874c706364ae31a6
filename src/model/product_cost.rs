//! product_cost: what a unit of a product costs, since when, in a place or everywhere (domain 3.8). Keyed by two ids, so not a
//! dimension: what holds on a day is the row with the last valid_from up to it (view `product_cost`). The cost of a sale is
//! frozen on the order line when it is sold; nothing here changes it.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::REFERENCE;

pub const TABLE: Table = Table {
    name: "product_cost",
    about: "Unit costs per product, in a place or everywhere; the last valid_from up to a day holds on it.",
    kind: TableKind::Reference,
    // A cost is of a place or of all: NULL is one more value of the key.
    key: &["product_id", "location_id", "valid_from"],
    parts: &[REFERENCE, COST],
    event: EventTime::None,
    month_of: None,
    sort: &["product_id", "location_id", "valid_from"],
    stats: &["product_id", "location_id"],
    checks: &[Check {
        rule: "V03",
        severity: Reject,
        column: "unit_cost",
        holds: "unit_cost >= 0",
        says: "a cost is not below 0",
    }],
};

const COST: &[Column] = &[
    Column::new("sku", UpperCode, "the seller's article number").input().nullable(),
    Column::new("product_id", UpperCode, "the product").or("sku"),
    Column::new("location_id", Code, "the place; NULL = every place that has no cost of its own").nullable(),
    Column::new("valid_from", Date, "the first day on which it holds").or("CAST('1970-01-01' AS DATE)"),
    Column::new("cost_method", Code, "how the cost was found").or("'standard'").one_of(&[
        "standard",
        "fifo",
        "moving_avg",
    ]),
    Column::new("currency", UpperCode, "ISO 4217 currency of unit_cost"),
    Column::new("unit_cost", Money, "cost of a stock unit, tax excluded, in currency"),
];
