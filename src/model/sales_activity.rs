//! sales_activity: what representatives do: visits, calls, meetings (domain 3.7).

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::{CUSTOMER_GIVEN, FACT};

pub const TABLE: Table = Table {
    name: "sales_activity",
    about: "Visits, calls, meetings and tasks of representatives, current versions.",
    kind: TableKind::Fact,
    key: &["source_system", "activity_id"],
    parts: &[FACT, ACTIVITY],
    event: EventTime::At("coalesce(started_at, planned_at, ended_at)"),
    month_of: Some("business_date"),
    sort: &["sales_rep_id", "business_date"],
    stats: &["business_date", "sales_rep_id", "customer_key", "location_id", "customer_given"],
    checks: &[Check {
        rule: "V01",
        severity: Reject,
        column: "started_at",
        holds: "coalesce(started_at, planned_at, ended_at) IS NOT NULL",
        says: "an activity has at least one of started_at, planned_at, ended_at",
    }],
};

const ACTIVITY: &[Column] = &[
    Column::new("activity_id", Text, "the activity"),
    Column::new("activity_type", Code, "what was done").one_of(&[
        "visit",
        "call",
        "email",
        "meeting",
        "task",
        "demo",
        "store_audit",
    ]),
    Column::new("sales_rep_id", Code, "who did it"),
    Column::new("customer_key", Text, "with whom").nullable(),
    CUSTOMER_GIVEN,
    Column::new("location_id", Code, "where").nullable(),
    Column::new("planned_at", Instant, "when it was meant to be").nullable(),
    Column::new("started_at", Instant, "when it began; NULL = it has not").nullable(),
    Column::new("ended_at", Instant, "when it was over").nullable(),
    Column::new("outcome", Code, "what came of it").nullable(),
    Column::new("order_id", Text, "the order that came of it").nullable(),
    Column::new("opportunity_id", Text, "the opportunity that it was about").nullable(),
    Column::new("sku_seen_count", Int, "of a store audit: articles that were there").nullable(),
    Column::new("sku_target_count", Int, "of a store audit: articles that should be there").nullable(),
];
