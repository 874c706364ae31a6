//! rep_assignment: who looks after a customer, place or region since when, and with which share of the credit (domain 3.8).
//! Rows of one `valid_from` are one set: together they replace the set before, so a row has no end of its own.
//! That the shares of a set add up to 1 (V17) needs all its rows, so landing does not judge it.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::REFERENCE;

pub const TABLE: Table = Table {
    name: "rep_assignment",
    about: "Representatives of customers, places and regions with their shares; the rows of a day replace those of the day before.",
    kind: TableKind::Reference,
    key: &["assigned_type", "assigned_id", "valid_from", "sales_rep_id"],
    parts: &[REFERENCE, ASSIGNMENT],
    event: EventTime::None,
    month_of: None,
    sort: &["assigned_type", "assigned_id", "valid_from"],
    stats: &["assigned_id", "sales_rep_id", "valid_from"],
    checks: &[Check {
        rule: "V03",
        severity: Reject,
        column: "share",
        holds: "share > 0 AND share <= 1",
        says: "a share lies above 0 and is at most 1",
    }],
};

const ASSIGNMENT: &[Column] = &[
    Column::new("assigned_type", Code, "what is looked after")
        .or("'customer'")
        .one_of(&["customer", "location", "region"]),
    Column::new("assigned_id", Text, "the customer, place or region"),
    Column::new("sales_rep_id", Code, "who looks after it"),
    Column::new("share", Share, "share of the credit, 0 to 1").or("1"),
    Column::new("valid_from", Date, "first day of the set that the row is part of").or("CAST('2000-01-01' AS DATE)"),
];
