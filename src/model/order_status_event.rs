//! order_status_event: one row = one step of an order from a status to the next (domain 3.5). How long orders take is told by
//! these, for an order's own row keeps the last status only.

use super::contract::{Column, EventTime, Kind::*, Table, TableKind};
use super::envelope::{FACT, STATUSES};

pub const TABLE: Table = Table {
    name: "order_status_event",
    about: "Steps of orders from one status to the next, one row per step.",
    kind: TableKind::Fact,
    key: &["source_system", "order_id", "status_seq"],
    parts: &[FACT, STEP],
    event: EventTime::At("changed_at"),
    month_of: Some("business_date"),
    sort: &["order_id", "status_seq"],
    stats: &["business_date", "order_id", "to_status"],
    checks: &[],
};

const STEP: &[Column] = &[
    Column::new("order_id", Text, "the order's id at the source"),
    Column::new("status_seq", Text, "the step's id in its order"),
    Column::new("from_status", Code, "the status before; NULL = the first").nullable().one_of(STATUSES),
    Column::new("to_status", Code, "the status from then on").one_of(STATUSES),
    Column::new("changed_at", Instant, "when"),
    Column::new("actor", Code, "who or what did it").nullable(),
];
