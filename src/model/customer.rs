//! customer: a dimension, SCD type 2, key (customer_key, valid_from) (domain 3.8).

use super::contract::{Column, Kind::*, Table};
use super::dimension::dimension;

pub const TABLE: Table = dimension(
    "customer",
    "Pseudonymous customers; no personal data.",
    &["customer_key", "valid_from"],
    &["customer_key"],
    COLUMNS,
    &[],
);

const COLUMNS: &[&[Column]] = &[super::envelope::DIMENSION, OWN];

const OWN: &[Column] = &[
    Column::new("customer_key", Text, "pseudonymous customer"),
    Column::new("customer_type", Code, "consumer or business").or("'b2c'").one_of(&["b2c", "b2b"]),
    Column::new("acquired_at", Instant, "first known").nullable(),
    Column::new("acquisition_channel_id", Code, "first channel").nullable(),
    Column::new("acquisition_campaign_id", Code, "first campaign").nullable(),
    Column::new("home_region_id", Code, "home region").nullable(),
    Column::new("customer_group", Code, "group").nullable(),
    Column::new("membership_tier", Code, "tier").nullable(),
    Column::new("membership_no_hash", Text, "hashed membership number").nullable(),
    Column::new("points_balance", Long, "points").nullable(),
    Column::new("birth_year", Int, "year").nullable(),
    Column::new("gender", Code, "gender").nullable(),
    Column::new("consent_marketing_email", Bool, "agreed to e-mail").or("false"),
    Column::new("consent_marketing_sms", Bool, "agreed to SMS").or("false"),
    Column::new("consent_marketing_profiling", Bool, "agreed to profiling").or("false"),
    Column::new("consent_updated_at", Instant, "when consent last changed").nullable(),
    Column::new("owner_rep_id", Code, "whose customer").nullable(),
    Column::new("is_anonymised", Bool, "erased").or("false"),
];
