//! fulfilment_line: one row = the current version of (a part of) an order line on its way to the buyer (domain 3.5).
//! A line that is sent in two parcels has two rows; quantities are in stock units, as `order_line.base_quantity`.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::{CURRENCY, FACT, FX_DATE, FX_RATE};

pub const TABLE: Table = Table {
    name: "fulfilment_line",
    about: "What of an order line is to be handed over in one go, and when that happened.",
    kind: TableKind::Fact,
    key: &["source_system", "fulfilment_id", "fulfilment_line_id"],
    parts: &[FACT, PARCEL],
    event: EventTime::At("planned_at"),
    month_of: Some("business_date"),
    sort: &["fulfil_location_id", "business_date", "order_id"],
    stats: &[
        "business_date",
        "order_id",
        "fulfil_location_id",
        "promised_business_date",
        "shipped_business_date",
        "delivered_business_date",
    ],
    checks: &[Check {
        rule: "V03",
        severity: Quarantine,
        column: "quantity",
        holds: "quantity > 0 AND quantity <= 1000000",
        says: "a quantity to be sent is above 0 and at most 1,000,000",
    }],
};

const PARCEL: &[Column] = &[
    Column::new("fulfilment_id", Text, "the parcel's or pick-up's id at the source"),
    Column::new("fulfilment_line_id", Text, "the line's id in it"),
    Column::new("order_id", Text, "the order"),
    Column::new("order_line_id", Text, "its line"),
    Column::new("fulfil_location_id", Code, "the place that ships or hands over"),
    Column::new("method", Code, "how it gets to the buyer").or("'ship'").one_of(&[
        "ship",
        "pickup",
        "ship_from_store",
        "dropship",
    ]),
    Column::new("quantity", Quantity, "stock units"),
    Column::new("shipped_at", Instant, "when it left; NULL = not yet").nullable(),
    Column::new("delivered_at", Instant, "when it arrived or was picked up; NULL = not yet, or not known").nullable(),
    Column::new("promised_at", Instant, "until when it was to arrive").nullable(),
    Column::new("planned_at", Instant, "when it was asked for").or("shipped_at"),
    Column::new("carrier", Code, "who carries it").nullable(),
    Column::new("status", Code, "how far it has come")
        .or("CASE WHEN delivered_at IS NOT NULL THEN 'delivered' WHEN shipped_at IS NOT NULL THEN 'shipped' ELSE 'planned' END")
        .one_of(&["planned", "picked", "shipped", "delivered", "lost", "cancelled"]),
    CURRENCY.nullable(),
    FX_RATE.nullable(),
    FX_DATE.nullable(),
    Column::new("shipping_cost", Money, "what sending it cost the seller, in currency").input().nullable(),
    Column::new("shipping_cost_rc", Money, "the same in the reporting currency, frozen").nullable().engine(),
    Column::new("shipped_business_date", Date, "local date of shipped_at").nullable().engine(),
    Column::new("delivered_business_date", Date, "local date of delivered_at").nullable().engine(),
    Column::new("promised_business_date", Date, "local date of promised_at").nullable().engine(),
];
