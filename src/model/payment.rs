//! payment: one row = the current version of one movement of money, or the promise of one, for an order (domain 3.3). It is
//! for the mix of tenders and for reconciliation; sales are never counted by it. Amounts are positive, the kind says which way.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::{CURRENCY, CUSTOMER_GIVEN, FACT, FX_DATE, FX_RATE};

pub const TABLE: Table = Table {
    name: "payment",
    about: "Authorizations, captures, sales, refunds and voids of tenders, one row each; amounts positive.",
    kind: TableKind::Fact,
    key: &["source_system", "payment_id"],
    parts: &[FACT, PAYMENT],
    event: EventTime::At("processed_at"),
    month_of: Some("business_date"),
    sort: &["channel_id", "location_id", "tender_type", "business_date"],
    stats: &["business_date", "channel_id", "location_id", "tender_type", "order_id", "customer_key", "customer_given"],
    checks: &[Check {
        rule: "V03",
        severity: Quarantine,
        column: "amount",
        holds: "amount >= 0",
        says: "an amount is given as positive; payment_kind says which way it went",
    }],
};

const PAYMENT: &[Column] = &[
    Column::new("payment_id", Text, "the payment's id at the source"),
    Column::new("order_id", Text, "the order that it is for; NULL = none, as of a blind return").nullable(),
    Column::new(
        "payment_kind",
        Code,
        "authorization and void move no money, capture and sale bring it, refund gives it back",
    )
    .or("'sale'")
    .one_of(&["authorization", "capture", "sale", "refund", "void"]),
    Column::new("authorization_id", Text, "of a capture or void: the payment_id of its authorization").nullable(),
    Column::new("tender_type", Code, "cash, card, invoice …"),
    Column::new("status", Code, "only successful ones count").or("'success'").one_of(&[
        "pending",
        "success",
        "failed",
        "cancelled",
    ]),
    Column::new("gateway", Code, "who carried it out").nullable(),
    Column::new("processed_at", Instant, "when"),
    Column::new("amount", Money, "positive, with tax"),
    CURRENCY,
    FX_RATE,
    FX_DATE,
    Column::new("amount_rc", Money, "in the reporting currency, frozen").engine(),
    Column::new("channel_id", Code, "where it was paid or paid back: the channel"),
    Column::new("location_id", Code, "where it was paid or paid back: the place; NULL = does not apply").nullable(),
    Column::new("ship_region_id", Code, "region that the order ships to").nullable(),
    Column::new("customer_key", Text, "pseudonymous customer; NULL = anonymous").nullable(),
    CUSTOMER_GIVEN,
    Column::new("is_test", Bool, "test or training; never counted").or("false"),
    Column::new("is_staff_order", Bool, "bought by staff").or("false"),
];
