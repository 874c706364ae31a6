//! supplier: a dimension, SCD type 2, key (supplier_id, valid_from) (domain 3.8).

use super::contract::{Check, Column, Kind::*, Severity::*, Table};
use super::dimension::dimension;

pub const TABLE: Table = dimension(
    "supplier",
    "Suppliers and how long they usually take.",
    &["supplier_id", "valid_from"],
    &["supplier_id"],
    COLUMNS,
    &[Check {
        rule: "V03",
        severity: Reject,
        column: "default_lead_time_days",
        holds: "default_lead_time_days >= 0 AND default_lead_time_days <= 730",
        says: "a lead time is from 0 to 730 days",
    }],
);

const COLUMNS: &[&[Column]] = &[super::envelope::DIMENSION, OWN];

const OWN: &[Column] = &[
    Column::new("supplier_id", Code, "the supplier"),
    Column::new("supplier_name", Text, "name").or("supplier_id"),
    Column::new("country", UpperCode, "ISO 3166-1 alpha-2").nullable(),
    Column::new("payment_terms", Text, "terms of payment").nullable(),
    Column::new("default_lead_time_days", Rate, "days from order to receipt where nothing else is known").nullable(),
];
