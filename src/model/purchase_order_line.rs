//! purchase_order_line: one row = the current version of a line ordered from a supplier (domain 3.5). What is still to come is
//! ordered_qty − received_qty; a line that will not be completed says so in its status, its quantities stay.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::{CURRENCY, FACT};

pub const TABLE: Table = Table {
    name: "purchase_order_line",
    about: "Lines ordered from suppliers, current versions, quantities in stock units.",
    kind: TableKind::Fact,
    key: &["source_system", "po_id", "po_line_id"],
    parts: &[FACT, LINE],
    event: EventTime::At("ordered_at"),
    month_of: Some("business_date"),
    sort: &["location_id", "product_id", "business_date"],
    stats: &["business_date", "location_id", "product_id", "supplier_id"],
    checks: CHECKS,
};

const LINE: &[Column] = &[
    Column::new("po_id", Text, "the order's id at the source"),
    Column::new("po_line_id", Text, "the line's id in its order").or("'1'"),
    Column::new("supplier_id", Code, "the supplier"),
    Column::new("sku", UpperCode, "the seller's article number").input().nullable(),
    Column::new("product_id", UpperCode, "the product").or("sku"),
    Column::new("location_id", Code, "the place that it is for"),
    Column::new("ordered_qty", Quantity, "ordered, in stock units"),
    Column::new("confirmed_qty", Quantity, "confirmed by the supplier, in stock units").nullable(),
    Column::new("received_qty", Quantity, "received, in stock units").or("0"),
    CURRENCY,
    Column::new("unit_cost", Money, "agreed cost per stock unit, in currency"),
    Column::new("ordered_at", Instant, "when it was ordered"),
    Column::new("expected_at", Instant, "when it is to come").nullable(),
    Column::new("first_received_at", Instant, "when something of it came first").nullable(),
    Column::new("last_received_at", Instant, "when something of it came last").nullable(),
    Column::new("expected_date", Date, "local date of expected_at").nullable().engine(),
    Column::new("first_received_date", Date, "local date of first_received_at").nullable().engine(),
    Column::new("last_received_date", Date, "local date of last_received_at").nullable().engine(),
    Column::new("status", Code, "closed = nothing more will come")
        .or("CASE WHEN received_qty = 0 THEN 'open' WHEN received_qty < ordered_qty THEN 'partially_received' ELSE 'received' END")
        .one_of(&["open", "confirmed", "partially_received", "received", "closed", "cancelled"]),
];

const CHECKS: &[Check] = &[
    Check {
        rule: "V03",
        severity: Quarantine,
        column: "ordered_qty",
        holds: "ordered_qty > 0 AND ordered_qty <= 1000000",
        says: "an ordered quantity is above 0 and at most 1,000,000",
    },
    Check {
        rule: "V03",
        severity: Quarantine,
        column: "received_qty",
        holds: "received_qty >= 0 AND received_qty <= 1000000",
        says: "a received quantity is from 0 to 1,000,000",
    },
    Check {
        rule: "V03",
        severity: Quarantine,
        column: "unit_cost",
        holds: "unit_cost >= 0",
        says: "a cost is not below 0",
    },
];
