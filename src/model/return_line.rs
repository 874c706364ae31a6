//! return_line: one row = the current version of a returned line (domain 3.4). Amounts are positive.
//! The *filled* columns come from the current sale row, set by a pass at the end of a batch.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::{AS_GIVEN, CURRENCY, CUSTOMER_GIVEN, FACT, FLOWS, FX_DATE, FX_RATE, ORDER_TYPES};

pub const TABLE: Table = Table {
    name: "return_line",
    about: "Returned lines, current versions, amounts and quantities positive.",
    kind: TableKind::Fact,
    key: &["source_system", "return_id", "return_line_id"],
    parts: &[FACT, RETURN],
    event: EventTime::At("coalesce(refunded_at, received_at, requested_at)"),
    month_of: Some("business_date"),
    sort: &["channel_id", "return_location_id", "product_id", "business_date"],
    stats: &[
        "business_date",
        "order_business_date",
        "channel_id",
        "sale_channel_id",
        "sale_location_id",
        "product_id",
        "customer_key",
        "order_id",
        "as_given",
        "customer_given",
    ],
    checks: CHECKS,
};

const RETURN: &[Column] = &[
    Column::new("return_id", Text, "the return's id at the source"),
    Column::new("return_line_id", Text, "the line's id in its return"),
    Column::new("order_id", Text, "the order that is returned; NULL = blind").nullable(),
    Column::new("order_line_id", Text, "the line that is returned").nullable(),
    Column::new("is_blind", Bool, "no order is known").or("order_id IS NULL"),
    Column::new("return_type", Code, "what kind of return")
        .or("'refund'")
        .one_of(&["refund", "exchange", "warranty", "refusal", "goodwill"]),
    Column::new("return_status", Code, "only refunded ones count").or("'refunded'").one_of(&[
        "requested",
        "approved",
        "received",
        "refunded",
        "rejected",
    ]),
    Column::new("requested_at", Instant, "when it was asked for").nullable(),
    Column::new("approved_at", Instant, "when it was approved").nullable(),
    Column::new("received_at", Instant, "when the goods came back").nullable(),
    Column::new("refunded_at", Instant, "when the money went back").nullable(),
    Column::new("quantity", Quantity, "returned quantity, above 0"),
    Column::new("price_includes_tax", Bool, "refund_net_amount as given includes tax: ingest splits it")
        .input()
        .or("false"),
    Column::new("tax_rate", Rate, "tax as a share of the net amount").nullable(),
    Column::new("refund_net_amount", Money, "refunded, tax exclusive"),
    Column::new("refund_tax_amount", Money, "refunded tax").nullable(),
    Column::new("refund_shipping_amount", Money, "refunded shipping").or("0"),
    CURRENCY,
    FX_RATE,
    FX_DATE,
    Column::new("refund_net_amount_rc", Money, "refunded in the reporting currency").engine(),
    Column::new("refund_tax_amount_rc", Money, "refunded tax in the reporting currency").engine(),
    Column::new("refund_shipping_amount_rc", Money, "refunded shipping in the reporting currency").engine(),
    Column::new("cost_amount", Money, "cost returned to stock, in currency, else 0").input().nullable(),
    Column::new("cost_amount_rc", Money, "cost returned to stock, in the reporting currency").nullable().engine(),
    Column::new("reason_code", Code, "why; `unknown` is allowed").or("'unknown'"),
    Column::new("reason_note", Text, "why, in words").nullable(),
    Column::new("restock_type", Code, "what became of the goods").or("'no_restock'").one_of(&[
        "return_to_stock",
        "damaged",
        "scrap",
        "no_restock",
    ]),
    Column::new("return_location_id", Code, "where the goods came back").nullable(),
    Column::new("channel_id", Code, "the channel where it was returned"),
    Column::new("sku", UpperCode, "the seller's article number").nullable(),
    Column::new("product_id", UpperCode, "the product").nullable().or("sku"),
    Column::new("customer_key", Text, "pseudonymous customer").nullable(),
    CUSTOMER_GIVEN,
    Column::new("sale_channel_id", Code, "where it was sold: the channel").nullable().filled(),
    Column::new("sale_location_id", Code, "where it was sold: the place").nullable().filled(),
    Column::new("sale_order_type", Code, "what kind of order it was").nullable().filled().one_of(ORDER_TYPES),
    Column::new("ship_region_id", Code, "region that the sale shipped to").nullable().filled(),
    Column::new("bill_region_id", Code, "region of the sale's invoice").nullable().filled(),
    Column::new("sales_rep_id", Code, "who sold it").nullable().filled(),
    Column::new("is_sale_known", Bool, "the sale row has been found; false also for blind returns").engine(),
    Column::new("filled_columns", Text, "which columns the sale gave and not the source, comma-separated")
        .nullable()
        .engine(),
    Column::new("flow", Code, "as on the sale").or("'own'").one_of(FLOWS),
    Column::new("is_test", Bool, "test or training; never counted").or("false"),
    Column::new("is_staff_order", Bool, "bought by staff").or("false"),
    Column::new("is_primary", Bool, "the one source that counts, of several that report the return").or("true"),
    AS_GIVEN,
    Column::new(
        "order_business_date",
        Date,
        "of the sale; = business_date when blind or as long as the sale is unknown",
    )
    .engine(),
];

const CHECKS: &[Check] = &[
    Check {
        rule: "V03",
        severity: Quarantine,
        column: "quantity",
        holds: "quantity > 0 AND quantity <= 1000000",
        says: "a returned quantity is above 0 and at most 1,000,000",
    },
    Check {
        rule: "V03",
        severity: Quarantine,
        column: "refund_net_amount",
        holds: "refund_net_amount >= 0",
        says: "a refund is given as a positive amount",
    },
    Check {
        rule: "V01",
        severity: Reject,
        column: "refunded_at",
        holds: "coalesce(refunded_at, received_at, requested_at) IS NOT NULL",
        says: "a return has at least one of refunded_at, received_at, requested_at",
    },
];
