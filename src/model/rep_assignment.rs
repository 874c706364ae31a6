//! rep_assignment: who looks after a customer, place or region since when, and with which share of the credit (domain 3.8).
//! Rows of one `valid_from` are one set: together they replace the set before, so a row has no end of its own.
//! The shares of a set add up to 1 within its file (V17), so a file that tells of a set tells all of it.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Sum, Table, TableKind};
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

pub const SHARES: Sum = Sum {
    table: "rep_assignment",
    rule: "V17",
    of: &["assigned_type", "assigned_id", "valid_from"],
    share: "share",
    says: "the shares of whom it is assigned to add up to 1 within its file",
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
