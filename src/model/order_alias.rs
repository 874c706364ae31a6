//! order_alias: which orders of different systems are one and the same (domain 3.2, D21). One row per order of a system; rows
//! with one canonical id are copies of one order. Ingest writes the decisions into `is_primary` and `canonical_order_id` of
//! the orders' own rows (`ingest/alias.rs`); a tombstone withdraws one.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::REFERENCE;

pub const TABLE: Table = Table {
    name: "order_alias",
    about: "Decisions that orders of different systems are one; source_system is the system that has the order.",
    kind: TableKind::Reference,
    key: &["source_system", "source_order_id"],
    parts: &[REFERENCE, ALIAS],
    event: EventTime::None,
    month_of: None,
    sort: &["canonical_order_id", "source_system"],
    stats: &["canonical_order_id", "source_order_id"],
    checks: &[Check {
        rule: "V03",
        severity: Reject,
        column: "confidence",
        holds: "confidence >= 0 AND confidence <= 1",
        says: "a confidence lies between 0 and 1",
    }],
};

const ALIAS: &[Column] = &[
    Column::new("canonical_order_id", Text, "the order over all systems"),
    Column::new("source_order_id", Text, "the order's id at the system"),
    Column::new("match_rule", Code, "how it was found: external_order_no, same_buyer_and_amount, manual …")
        .or("'manual'"),
    Column::new("confidence", Share, "0 to 1").or("1"),
    Column::new("decided_at", Instant, "when it was decided"),
    Column::new("decided_by", Text, "who decided it; NULL = a rule").nullable(),
];
