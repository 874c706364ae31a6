//! opportunity: a deal that may be made, one row per version, so that its way is kept (domain 3.7).

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::{CURRENCY, FACT, FX_DATE, FX_RATE};

pub const TABLE: Table = Table {
    name: "opportunity",
    about: "Deals that may be made, every version of each: stage, value, owner, and how it ended.",
    kind: TableKind::Fact,
    key: &["source_system", "opportunity_id", "source_version"],
    parts: &[FACT, OPPORTUNITY],
    // What was won or lost counts on the day on which it was closed.
    event: EventTime::At("coalesce(closed_at, stage_entered_at)"),
    month_of: Some("business_date"),
    sort: &["owner_rep_id", "opportunity_id"],
    stats: &["business_date", "owner_rep_id", "opportunity_id"],
    checks: &[Check {
        rule: "V01",
        severity: Reject,
        column: "closed_at",
        holds: "status = 'open' OR closed_at IS NOT NULL",
        says: "what is won or lost was closed at some time",
    }],
};

const OPPORTUNITY: &[Column] = &[
    Column::new("opportunity_id", Text, "the opportunity"),
    Column::new("stage", Code, "how far it has come"),
    Column::new("stage_order", Int, "place of the stage, counted up").or("0"),
    Column::new("status", Code, "how it stands").or("'open'").one_of(&["open", "won", "lost"]),
    Column::new("amount", Money, "what it is worth, in currency"),
    CURRENCY,
    FX_RATE,
    FX_DATE,
    Column::new("amount_rc", Money, "what it is worth, in the reporting currency, frozen").engine(),
    Column::new("probability", Share, "how likely it is won, 0 to 1").nullable(),
    Column::new("owner_rep_id", Code, "whose it is"),
    Column::new("lead_source", Code, "where it came from").nullable(),
    Column::new("campaign_id", Code, "the campaign that it came from").nullable(),
    Column::new("created_at", Instant, "when it was found"),
    Column::new("stage_entered_at", Instant, "when this version began"),
    Column::new("closed_at", Instant, "when it was won or lost").nullable(),
    Column::new("lost_reason", Code, "why it was lost").nullable(),
];
