//! order_charge: shipping, taxes, fees and adjustments of an order that are not on its lines (domain 3.3). Signed.

use super::contract::{Column, EventTime, Kind::*, Table, TableKind};
use super::envelope::{CURRENCY, FACT, FX_DATE, FX_RATE, ORDER, ORDER_STATUS};

pub const TABLE: Table = Table {
    name: "order_charge",
    about: "Charges of orders that are not lines: shipping, tax, fees, adjustments; signed amounts.",
    kind: TableKind::Fact,
    key: &["source_system", "order_id", "charge_seq"],
    parts: &[FACT, ORDER_STATUS, ORDER, CHARGE],
    event: EventTime::At("coalesce(confirmed_at, created_at)"),
    month_of: Some("business_date"),
    sort: &["channel_id", "location_id", "business_date"],
    stats: &[
        "business_date",
        "order_business_date",
        "channel_id",
        "location_id",
        "charge_type",
        "customer_key",
        "order_id",
        "as_given",
        "customer_given",
    ],
    checks: &[],
};

const CHARGE: &[Column] = &[
    Column::new("charge_seq", Text, "the charge's id in its order"),
    Column::new("charge_type", Code, "what is charged; the last two are the seller's costs").one_of(&[
        "shipping",
        "shipping_discount",
        "tax",
        "duty",
        "fee",
        "tip",
        "rounding",
        "adjustment",
        "platform_commission",
        "payment_fee",
    ]),
    Column::new("tax_code", Code, "which tax").nullable(),
    Column::new("tax_jurisdiction", Text, "whose tax").nullable(),
    Column::new("amount", Money, "signed, tax exclusive"),
    CURRENCY,
    FX_RATE,
    FX_DATE,
    Column::new("amount_rc", Money, "signed, in the reporting currency, frozen").engine(),
];
