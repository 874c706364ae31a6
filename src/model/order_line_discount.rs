//! order_line_discount: why a line is reduced, one row per reason (domain 3.3). A table of its own, so that a line with two
//! reasons stays one line. Σ amount of a line = its line discount + its share of the order's (V06, of the lake).

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::{CURRENCY, FACT, FX_DATE, FX_RATE};
use super::promotion::FUNDERS;

pub const TABLE: Table = Table {
    name: "order_line_discount",
    about: "The reductions of order lines by their reason: promotion, coupon, by hand; tax exclusive.",
    kind: TableKind::Fact,
    key: &["source_system", "order_id", "order_line_id", "discount_seq"],
    parts: &[FACT, DISCOUNT],
    event: EventTime::At("applied_at"),
    month_of: Some("business_date"),
    sort: &["promotion_id", "order_id"],
    stats: &["business_date", "promotion_id", "order_id"],
    checks: &[Check {
        rule: "V03",
        severity: Quarantine,
        column: "amount",
        holds: "amount >= 0",
        says: "a reduction is given as a positive amount",
    }],
};

const DISCOUNT: &[Column] = &[
    Column::new("order_id", Text, "the order's id at the source"),
    Column::new("order_line_id", Text, "the line's id in its order"),
    Column::new("discount_seq", Text, "the reduction's id in its line").or("'1'"),
    Column::new("promotion_id", Code, "the promotion; NULL = none").nullable(),
    Column::new("coupon_code_hash", Text, "the coupon's code, hashed; NULL = no coupon").nullable(),
    Column::new("discount_type", Code, "why")
        .one_of(&["manual", "coupon", "auto", "bundle", "loyalty", "markdown", "staff"]),
    Column::new("funded_by", Code, "who bears it").or("'merchant'").one_of(FUNDERS),
    Column::new("applied_at", Instant, "when the order became a sale, else was made: the day of its rate"),
    Column::new("amount", Money, "the reduction, tax exclusive, in currency"),
    CURRENCY,
    FX_RATE,
    FX_DATE,
    Column::new("amount_rc", Money, "the reduction in the reporting currency, frozen").engine(),
];
