//! campaign: a dimension, SCD type 2, key (campaign_id, valid_from) (domain 3.8).

use super::contract::{Column, Kind::*, Table};
use super::dimension::dimension;

pub const TABLE: Table = dimension(
    "campaign",
    "Marketing campaigns with their channel, time and budget.",
    &["campaign_id", "valid_from"],
    &["campaign_id"],
    COLUMNS,
    &[],
);

const COLUMNS: &[&[Column]] = &[super::envelope::DIMENSION, OWN];

const OWN: &[Column] = &[
    Column::new("campaign_id", Code, "the campaign"),
    Column::new("campaign_name", Text, "name").or("campaign_id"),
    Column::new("marketing_channel", Code, "by which means: paid_search, email …"),
    Column::new("starts_at", Instant, "when it begins").nullable(),
    Column::new("ends_at", Instant, "when it ends").nullable(),
    Column::new("objective", Code, "what it is for").nullable(),
    Column::new("budget_rc", Money, "what it may cost, in the reporting currency").nullable(),
];
