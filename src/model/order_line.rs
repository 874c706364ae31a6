//! order_line: one row = the current version of a line of an order, with its order's columns (domain 3.3).
//! Amounts are tax exclusive; ingest completes gross, net and tax (`ingest/money.rs`) from unit price and quantity.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::{CURRENCY, FACT, FX_DATE, FX_RATE, ORDER, ORDER_STATUS};

pub const TABLE: Table = Table {
    name: "order_line",
    about: "Lines of orders, current versions, one row per line.",
    kind: TableKind::Fact,
    key: &["source_system", "order_id", "order_line_id"],
    parts: &[FACT, ORDER_STATUS, ORDER, LINE],
    event: EventTime::At("coalesce(confirmed_at, created_at)"),
    month_of: Some("business_date"),
    sort: &["channel_id", "location_id", "product_id", "business_date"],
    stats: &[
        "business_date",
        "order_business_date",
        "channel_id",
        "location_id",
        "product_id",
        "customer_key",
        "order_id",
        "paid_business_date",
        "cancelled_business_date",
        "ship_region_id",
        "bill_region_id",
        "as_given",
        "customer_given",
    ],
    checks: CHECKS,
};

const LINE: &[Column] = &[
    Column::new("order_line_id", Text, "the line's id in its order"),
    Column::new("line_no", Int, "position in the order").or("0"),
    Column::new("sku", UpperCode, "the seller's article number"),
    Column::new("product_id", UpperCode, "the product").or("sku"),
    Column::new("line_type", Code, "what the line sells").or("'product'").one_of(&[
        "product",
        "bundle_parent",
        "bundle_component",
        "gift_card",
        "service",
        "deposit",
        "tip",
        "fee",
    ]),
    Column::new("bundle_parent_line_id", Text, "the bundle's line").nullable(),
    Column::new("quantity", Quantity, "sold quantity in uom, above 0").or("1"),
    Column::new("uom", UpperCode, "UN/ECE Rec 20 unit of quantity").or("'EA'"),
    Column::new("base_quantity", Quantity, "quantity in the stock unit").or("quantity"),
    Column::new("list_unit_price", Money, "price before any reduction").nullable(),
    Column::new("price_includes_tax", Bool, "the source's prices and discounts include tax").input().or("false"),
    Column::new("unit_price", Money, "price per unit as the source gives it"),
    Column::new("tax_rate", Rate, "tax as a share of the net amount").nullable(),
    Column::new("line_discount_amount", Money, "discount of this line, tax exclusive").or("0"),
    Column::new("order_discount_allocated", Money, "this line's share of the order's discount, tax exclusive").or("0"),
    Column::new("gross_amount", Money, "unit price × quantity, tax exclusive; completed by ingest").nullable(),
    Column::new("net_amount", Money, "gross − both discounts, tax exclusive; completed by ingest").nullable(),
    Column::new("tax_amount", Money, "tax of the line; completed by ingest").nullable(),
    CURRENCY,
    FX_RATE,
    FX_DATE,
    Column::new("gross_amount_rc", Money, "gross in the reporting currency, frozen").engine(),
    Column::new("discount_amount_rc", Money, "both discounts in the reporting currency, frozen").engine(),
    Column::new("net_amount_rc", Money, "net in the reporting currency = gross_rc − discount_rc").engine(),
    Column::new("tax_amount_rc", Money, "tax in the reporting currency, frozen").engine(),
    Column::new("unit_cost", Money, "cost per unit, in currency").nullable(),
    Column::new("cost_amount", Money, "cost of the line, in currency")
        .nullable()
        .or("CAST(round(unit_cost * base_quantity, 4) AS DECIMAL(18,4))"),
    Column::new("cost_amount_rc", Money, "cost in the reporting currency, frozen at sale").nullable().engine(),
    Column::new("cost_method", Code, "how unit_cost was found").nullable(),
    Column::new("fulfil_location_id", Code, "the place that ships").nullable(),
    Column::new("line_status", Code, "active, removed by an edit, or cancelled").or("'active'").one_of(&[
        "active",
        "removed",
        "cancelled",
    ]),
];

const CHECKS: &[Check] = &[
    Check {
        rule: "V03",
        severity: Quarantine,
        column: "quantity",
        holds: "quantity > 0 AND quantity <= 1000000",
        says: "a sold quantity is above 0 and at most 1,000,000; negatives are returns",
    },
    Check {
        rule: "V03",
        severity: Quarantine,
        column: "unit_price",
        holds: "unit_price >= 0",
        says: "a unit price is 0 or more; negatives are charges or returns",
    },
    Check {
        rule: "V04",
        severity: Quarantine,
        column: "net_amount",
        holds: "abs(net_amount - (gross_amount - line_discount_amount - order_discount_allocated)) <= 0.01",
        says: "net = gross − line discount − order discount, within 0.01",
    },
    Check { rule: "V11", severity: Reject, column: "sku", holds: "sku <> ''", says: "a sku is not empty" },
    Check {
        rule: "V13",
        severity: Warn,
        column: "unit_cost",
        holds: "unit_cost >= 0 AND unit_cost <= 5 * unit_price",
        says: "a unit cost lies between 0 and 5 × the unit price",
    },
];
