//! order_header: one row = the current version of an order as a whole (domain 3.3): how far it has come, what was promised,
//! what it comes to. Sales are added up from order_line; the order columns there must agree with these (V21, a lake rule).

use super::contract::{Column, EventTime, Kind::*, Table, TableKind};
use super::envelope::{CURRENCY, FACT, ORDER, ORDER_STATUS};

pub const TABLE: Table = Table {
    name: "order_header",
    about: "Orders as a whole, current versions: status, promises, control total.",
    kind: TableKind::Fact,
    key: &["source_system", "order_id"],
    parts: &[FACT, ORDER_STATUS, ORDER, HEADER],
    event: EventTime::At("coalesce(confirmed_at, created_at)"),
    month_of: Some("business_date"),
    sort: &["channel_id", "location_id", "business_date"],
    stats: &[
        "business_date",
        "order_business_date",
        "channel_id",
        "location_id",
        "customer_key",
        "order_id",
        "external_order_no",
        "as_given",
        "customer_given",
    ],
    checks: &[],
};

const HEADER: &[Column] = &[
    Column::new("external_order_no", Text, "the number under which other systems know the order").nullable(),
    Column::new("source_priority", Int, "of several systems that tell one order the smallest counts").or("100"),
    Column::new("financial_status", Code, "what became of the money").nullable().one_of(&[
        "pending",
        "authorized",
        "paid",
        "partially_refunded",
        "refunded",
        "voided",
    ]),
    Column::new("fulfilment_status", Code, "what became of the goods").nullable().one_of(&[
        "unfulfilled",
        "partial",
        "fulfilled",
        "delivered",
        "cancelled",
    ]),
    Column::new("completed_at", Instant, "when nothing was left to do").nullable(),
    Column::new("promised_ship_at", Instant, "until when it was to be shipped").nullable(),
    Column::new("promised_delivery_at", Instant, "until when it was to be delivered").nullable(),
    Column::new("promised_business_date", Date, "local date of promised_delivery_at").nullable().engine(),
    Column::new("cancel_reason", Code, "why it was cancelled").nullable(),
    Column::new("price_includes_tax", Bool, "the buyer saw prices with tax").or("false"),
    Column::new("is_gift", Bool, "sent to someone else").nullable(),
    CURRENCY,
    Column::new("order_total_amount", Money, "control: what the buyer is billed, with tax, adjustments apart"),
    Column::new("session_id", Text, "the visit that bought").nullable(),
    Column::new("utm_source", Text, "where the visit came from").nullable(),
    Column::new("utm_medium", Text, "by what kind of link").nullable(),
    Column::new("utm_campaign", Text, "of which campaign").nullable(),
];
