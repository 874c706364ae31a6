//! promotion: a dimension, SCD type 2, key (promotion_id, valid_from) (domain 3.8).

use super::contract::{Column, Kind::*, Table};
use super::dimension::dimension;

pub const TABLE: Table = dimension(
    "promotion",
    "Price reductions, coupons and other offers, with their time and budget.",
    &["promotion_id", "valid_from"],
    &["promotion_id"],
    COLUMNS,
    &[],
);

const COLUMNS: &[&[Column]] = &[super::envelope::DIMENSION, OWN];

const OWN: &[Column] = &[
    Column::new("promotion_id", Code, "the promotion"),
    Column::new("promotion_name", Text, "name").or("promotion_id"),
    Column::new("promotion_type", Code, "what is given").or("'percent_off'").one_of(&[
        "price_off",
        "percent_off",
        "bxgy",
        "bundle",
        "free_ship",
        "gift",
        "coupon",
        "points",
    ]),
    Column::new("starts_at", Instant, "since when it holds"),
    Column::new("ends_at", Instant, "when it ends; NULL = it does not").nullable(),
    Column::new("channel_ids", Text, "the channels in which it holds, separated by blanks; NULL = all").nullable(),
    Column::new("budget_rc", Money, "what it may cost, in the reporting currency").nullable(),
    Column::new("fixed_cost_rc", Money, "what it costs beside the discounts, in the reporting currency").nullable(),
    Column::new("funded_by", Code, "who bears the discounts").or("'merchant'").one_of(FUNDERS),
];

/// Who may bear a discount.
pub const FUNDERS: &[&str] = &["merchant", "platform", "supplier"];
