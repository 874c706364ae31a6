//! inventory_snapshot: stock at the close of a day per place, product and lot (domain 3.6). Semi-additive: never summed over days.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::{CURRENCY, FACT};

pub const TABLE: Table = Table {
    name: "inventory_snapshot",
    about: "Stock at the close of a day; a (location, date) with any row is complete.",
    kind: TableKind::Fact,
    key: &["source_system", "snapshot_date", "location_id", "product_id", "lot_no"],
    parts: &[FACT, STOCK],
    event: EventTime::EndOf("snapshot_date"),
    month_of: Some("snapshot_date"),
    sort: &["snapshot_date", "location_id", "product_id"],
    stats: &["business_date", "snapshot_date", "location_id", "product_id"],
    checks: &[Check {
        rule: "V03",
        severity: Quarantine,
        column: "on_hand",
        holds: "abs(on_hand) <= 1000000",
        says: "a stock is at most 1,000,000 either way; it may be below 0",
    }],
};

const STOCK: &[Column] = &[
    Column::new("snapshot_date", Date, "close of this day"),
    Column::new("location_id", Code, "the place"),
    Column::new("sku", UpperCode, "the seller's article number").input().nullable(),
    Column::new("product_id", UpperCode, "the product").or("sku"),
    Column::new("lot_no", Text, "the lot; '' when untracked").or("''"),
    Column::new("on_hand", Quantity, "on hand; may be below 0"),
    Column::new("available", Quantity, "free to sell").nullable(),
    Column::new("committed", Quantity, "promised to orders").nullable(),
    Column::new("reserved", Quantity, "set aside").nullable(),
    Column::new("incoming", Quantity, "ordered and not received").nullable(),
    Column::new("in_transit", Quantity, "between places").nullable(),
    Column::new("damaged", Quantity, "not sellable").nullable(),
    Column::new("quality_hold", Quantity, "waits for a check").nullable(),
    CURRENCY,
    Column::new("unit_cost", Money, "cost per unit, in currency").nullable(),
    Column::new("unit_retail", Money, "selling price per unit, in currency").input().nullable(),
    Column::new("on_hand_cost_rc", Money, "on_hand × unit_cost in the reporting currency").nullable().engine(),
    Column::new("retail_value_rc", Money, "on_hand × unit_retail in the reporting currency").nullable().engine(),
    Column::new("expiry_date", Date, "best before").nullable(),
    Column::new("is_ranged", Bool, "the product is supposed to be there").or("true"),
    Column::new("is_tracked", Bool, "its stock is counted").or("true"),
    Column::new("is_sparse", Bool, "the source leaves unchanged products out: absent is not 0").or("false"),
];
