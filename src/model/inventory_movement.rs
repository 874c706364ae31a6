//! inventory_movement: the ledger of stock, one row per movement, signed (domain 3.6, EPCIS-compatible). What a place had at a close
//! plus what moved since is what it has at the next one; the ledger never says what is there.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::{CURRENCY, FACT};

pub const TABLE: Table = Table {
    name: "inventory_movement",
    about: "Movements of stock, signed: above 0 into the place, below 0 out of it.",
    kind: TableKind::Fact,
    key: &["source_system", "movement_id"],
    parts: &[FACT, MOVEMENT],
    event: EventTime::At("moved_at"),
    month_of: Some("business_date"),
    sort: &["business_date", "location_id", "product_id"],
    stats: &["business_date", "location_id", "product_id"],
    checks: CHECKS,
};

pub const MOVEMENT_TYPES: &[&str] = &[
    "receipt",
    "sale",
    "sale_return",
    "transfer_out",
    "transfer_in",
    "adjust_up",
    "adjust_down",
    "damage",
    "theft",
    "write_off",
    "count",
    "production_in",
    "production_out",
    "supplier_return",
];

const MOVEMENT: &[Column] = &[
    Column::new("movement_id", Text, "the movement's id at the source"),
    Column::new("moved_at", Instant, "when the goods moved"),
    Column::new("movement_type", Code, "why they moved").one_of(MOVEMENT_TYPES),
    Column::new("sku", UpperCode, "the seller's article number").input().nullable(),
    Column::new("product_id", UpperCode, "the product").or("sku"),
    Column::new("location_id", Code, "the place"),
    Column::new("counterparty_location_id", Code, "the other place of a transfer").nullable(),
    Column::new("quantity", Quantity, "stock units, below 0 = out of the place"),
    CURRENCY,
    Column::new("unit_cost", Money, "cost per unit, in currency").nullable(),
    Column::new("cost_amount_rc", Money, "quantity × unit_cost in the reporting currency, signed as quantity")
        .nullable()
        .engine(),
    Column::new("lot_no", Text, "the lot; '' when untracked").or("''"),
    Column::new("serial_no", Text, "the piece's own number").nullable(),
    Column::new("expiry_date", Date, "best before").nullable(),
    Column::new("ref_type", Code, "what the movement belongs to: purchase_order, order, return …").nullable(),
    Column::new("ref_id", Text, "that document's id").nullable(),
    Column::new("biz_step", Code, "EPCIS business step").nullable(),
    Column::new("disposition", Code, "EPCIS disposition").nullable(),
    Column::new("corrects_movement_id", Text, "the movement that this one takes back (EPCIS errorDeclaration)")
        .nullable(),
    Column::new("reason_code", Code, "why, in the source's words").nullable(),
];

const CHECKS: &[Check] = &[
    Check {
        rule: "V03",
        severity: Quarantine,
        column: "quantity",
        holds: "quantity <> 0 AND abs(quantity) <= 1000000",
        says: "a movement is not 0 and at most 1,000,000 either way",
    },
    Check {
        rule: "V03",
        severity: Quarantine,
        column: "quantity",
        // Corrections are written against the direction of what they take back.
        holds: "corrects_movement_id IS NOT NULL \
            OR (movement_type IN ('receipt', 'sale_return', 'transfer_in', 'adjust_up', 'production_in') AND quantity > 0) \
            OR (movement_type IN ('sale', 'transfer_out', 'adjust_down', 'damage', 'theft', 'write_off', 'production_out', \
            'supplier_return') AND quantity < 0) \
            OR movement_type = 'count'",
        says: "what comes in is above 0 and what goes out below 0",
    },
    Check { rule: "V13", severity: Warn, column: "unit_cost", holds: "unit_cost >= 0", says: "a cost is not below 0" },
];
