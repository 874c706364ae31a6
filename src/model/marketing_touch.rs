//! marketing_touch: one contact of marketing with a customer or visitor (domain 3.7).

use super::contract::{Column, EventTime, Kind::*, Table, TableKind};
use super::envelope::{CURRENCY, CUSTOMER_GIVEN, FACT, FX_DATE, FX_RATE};

pub const TABLE: Table = Table {
    name: "marketing_touch",
    about: "Impressions, clicks, mails, calls and issued coupons, one row per contact.",
    kind: TableKind::Fact,
    key: &["source_system", "touch_id"],
    parts: &[FACT, TOUCH],
    event: EventTime::At("touched_at"),
    month_of: Some("business_date"),
    sort: &["customer_key", "business_date"],
    stats: &["business_date", "customer_key", "campaign_id", "promotion_id", "touch_type", "customer_given"],
    checks: &[],
};

const TOUCH: &[Column] = &[
    Column::new("touch_id", Text, "the contact's id"),
    Column::new("touch_type", Code, "what it was").one_of(&[
        "impression",
        "click",
        "email_sent",
        "email_delivered",
        "email_open",
        "email_click",
        "sms_sent",
        "push",
        "call",
        "event",
        "coupon_issued",
        "unsubscribe",
        "bounce",
        "spam",
    ]),
    Column::new("touched_at", Instant, "when it was"),
    Column::new("customer_key", Text, "pseudonymous customer; NULL = not recognised").nullable(),
    CUSTOMER_GIVEN,
    Column::new("anonymous_id", Text, "the device or browser").nullable(),
    Column::new("campaign_id", Code, "the campaign").nullable(),
    Column::new("marketing_channel", Code, "by which means: paid_search, email …"),
    Column::new("promotion_id", Code, "of an issued coupon: the promotion").nullable(),
    Column::new("coupon_code_hash", Text, "of an issued coupon: its code, hashed").nullable(),
    Column::new("cost", Money, "what the contact cost, in currency").input().nullable(),
    // A contact without a cost of its own has no currency either.
    CURRENCY.nullable(),
    FX_RATE.nullable(),
    FX_DATE.nullable(),
    Column::new("cost_rc", Money, "what the contact cost, in the reporting currency, frozen").nullable().engine(),
];
