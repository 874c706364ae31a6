//! marketing_cost: what a campaign cost on a day on a platform, and what the platform says it brought (domain 3.7).

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::{CURRENCY, FACT, FX_DATE, FX_RATE};

pub const TABLE: Table = Table {
    name: "marketing_cost",
    about: "Spend, impressions and clicks per day, campaign and platform; what platforms claim is never added up.",
    kind: TableKind::Fact,
    key: &["source_system", "cost_date", "campaign_id", "ad_platform"],
    parts: &[FACT, COST],
    event: EventTime::EndOf("cost_date"),
    month_of: Some("cost_date"),
    sort: &["campaign_id", "cost_date"],
    stats: &["business_date", "cost_date", "campaign_id"],
    checks: &[Check {
        rule: "V03",
        severity: Quarantine,
        column: "spend",
        holds: "spend >= 0",
        says: "what was spent is 0 or more",
    }],
};

const COST: &[Column] = &[
    Column::new("cost_date", Date, "the day"),
    Column::new("campaign_id", Code, "the campaign"),
    Column::new("ad_platform", Code, "where it ran"),
    Column::new("spend", Money, "what was spent, in currency"),
    CURRENCY,
    FX_RATE,
    FX_DATE,
    Column::new("spend_rc", Money, "what was spent, in the reporting currency, frozen").engine(),
    Column::new("impressions", Long, "how often it was shown").nullable(),
    Column::new("clicks", Long, "how often it was clicked").nullable(),
    Column::new("platform_conversions", Rate, "purchases that the platform claims").nullable(),
    Column::new("platform_revenue", Money, "sales that the platform claims, in currency").input().nullable(),
    Column::new("platform_revenue_rc", Money, "sales that the platform claims, in the reporting currency, frozen")
        .nullable()
        .engine(),
];
