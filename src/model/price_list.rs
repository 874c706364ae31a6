//! price_list: what a product is offered at in a channel, since when, in a place or everywhere, to a group of customers or to all
//! (domain 3.8). What holds on a day is the row with the last valid_from up to it (view `price_list`).

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::REFERENCE;

pub const TABLE: Table = Table {
    name: "price_list",
    about: "Prices per product and channel, in a place or everywhere, for a group of customers or for all; the last valid_from up to a day holds on it.",
    kind: TableKind::Reference,
    // Of the place and the group of customers NULL is one more value of the key.
    key: &["product_id", "channel_id", "location_id", "customer_group", "currency", "valid_from"],
    parts: &[REFERENCE, PRICE],
    event: EventTime::None,
    month_of: None,
    sort: &["product_id", "channel_id", "valid_from"],
    stats: &["product_id", "channel_id"],
    checks: CHECKS,
};

const PRICE: &[Column] = &[
    Column::new("sku", UpperCode, "the seller's article number").input().nullable(),
    Column::new("product_id", UpperCode, "the product").or("sku"),
    Column::new("channel_id", Code, "where it is offered"),
    Column::new("location_id", Code, "the place; NULL = every place of the channel that has no price of its own")
        .nullable(),
    Column::new("customer_group", Text, "to whom it is offered; NULL = every group that has no price of its own")
        .nullable(),
    Column::new("currency", UpperCode, "ISO 4217 currency of the prices"),
    Column::new("valid_from", Date, "the first day on which it holds").or("CAST('1970-01-01' AS DATE)"),
    Column::new("list_price", Money, "price of a unit, in currency"),
    Column::new("promo_price", Money, "reduced price of a unit, in currency; NULL = not reduced").nullable(),
    Column::new("price_includes_tax", Bool, "the prices include tax").or("false"),
];

const CHECKS: &[Check] = &[
    Check {
        rule: "V03",
        severity: Reject,
        column: "list_price",
        holds: "list_price >= 0",
        says: "a price is not below 0",
    },
    Check {
        rule: "V03",
        severity: Reject,
        column: "promo_price",
        holds: "promo_price >= 0",
        says: "a price is not below 0",
    },
    Check {
        rule: "V03",
        severity: Warn,
        column: "promo_price",
        holds: "promo_price <= list_price",
        says: "a reduced price is not above the list price",
    },
];
