//! product_location_policy: how a product is kept in stock in a place, since when (domain 3.6). Keyed by two ids, so not a
//! dimension: what holds on a day is the row with the last valid_from up to it, which the reports look for.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::REFERENCE;

pub const TABLE: Table = Table {
    name: "product_location_policy",
    about: "Lead times, service levels and order rules per product and place; the last valid_from up to a day holds on it.",
    kind: TableKind::Reference,
    key: &["product_id", "location_id", "valid_from"],
    parts: &[REFERENCE, POLICY],
    event: EventTime::None,
    month_of: None,
    sort: &["location_id", "product_id", "valid_from"],
    stats: &["location_id", "product_id"],
    checks: CHECKS,
};

const POLICY: &[Column] = &[
    Column::new("sku", UpperCode, "the seller's article number").input().nullable(),
    Column::new("product_id", UpperCode, "the product").or("sku"),
    Column::new("location_id", Code, "the place"),
    Column::new("valid_from", Date, "the first day on which it holds").or("CAST('1970-01-01' AS DATE)"),
    Column::new("lead_time_days", Rate, "mean days from order to receipt").nullable(),
    Column::new("lead_time_sd", Rate, "their standard deviation, days").nullable(),
    Column::new("review_period_days", Int, "days between two looks at the stock; 0 = always").nullable(),
    Column::new("service_level", Share, "share of order cycles without running out, between 0 and 1").nullable(),
    Column::new("min_order_qty", Quantity, "least quantity of an order, stock units").nullable(),
    Column::new("pack_size", Quantity, "orders are multiples of it, stock units").nullable(),
    Column::new("max_stock", Quantity, "most that the place can hold, stock units").nullable(),
    Column::new("min_display_qty", Quantity, "least that has to be seen, stock units").nullable(),
    Column::new("currency", UpperCode, "ISO 4217 currency of order_cost").nullable(),
    Column::new("order_cost", Money, "cost of an order, whatever its size, in currency").nullable(),
    Column::new("holding_cost_rate", Share, "cost of holding stock for a year, share of its cost").nullable(),
    Column::new("abc_class", UpperCode, "A, B or C").nullable(),
    Column::new("is_ranged", Bool, "the product is supposed to be there").or("true"),
];

const CHECKS: &[Check] = &[
    Check {
        rule: "V03",
        severity: Reject,
        column: "lead_time_days",
        holds: "lead_time_days >= 0 AND lead_time_days <= 730",
        says: "a lead time is from 0 to 730 days",
    },
    Check {
        rule: "V03",
        severity: Reject,
        column: "lead_time_sd",
        holds: "lead_time_sd >= 0 AND lead_time_sd <= 730",
        says: "a standard deviation is from 0 to 730 days",
    },
    Check {
        rule: "V03",
        severity: Reject,
        column: "review_period_days",
        holds: "review_period_days >= 0 AND review_period_days <= 730",
        says: "a review period is from 0 to 730 days",
    },
    Check {
        rule: "V03",
        severity: Reject,
        column: "service_level",
        holds: "service_level > 0 AND service_level < 1",
        says: "a service level lies between 0 and 1, both excluded",
    },
    Check {
        rule: "V03",
        severity: Reject,
        column: "pack_size",
        holds: "pack_size > 0",
        says: "a pack holds more than nothing",
    },
    Check {
        rule: "V03",
        severity: Reject,
        column: "min_order_qty",
        holds: "min_order_qty >= 0 AND coalesce(max_stock, 0) >= 0 AND coalesce(min_display_qty, 0) >= 0 \
            AND coalesce(order_cost, 0) >= 0 AND coalesce(holding_cost_rate, 0) >= 0",
        says: "quantities and costs of a policy are not below 0",
    },
];
