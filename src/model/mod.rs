//! What the data is: table contracts as plain data. It must never do I/O nor name an engine.
//!
//! One file per table, plus `calendar` (generated), `currency` and `slicer`.

pub mod calendar;
mod campaign;
mod channel;
pub mod contract;
mod control;
pub mod currency;
mod customer;
mod customer_event;
mod customer_identity;
mod customer_key_history;
mod dimension;
mod envelope;
mod feedback;
mod fulfilment_line;
mod fx_rate;
mod inventory_movement;
mod inventory_snapshot;
mod location;
mod marketing_cost;
mod marketing_touch;
mod opportunity;
mod order_alias;
mod order_charge;
mod order_header;
mod order_line;
mod order_line_discount;
mod order_status_event;
mod payment;
mod price_list;
mod product;
mod product_bundle;
mod product_cost;
mod product_location_policy;
mod promotion;
mod promotion_product;
mod purchase_order_line;
mod region;
mod rep_assignment;
mod return_line;
mod sales_activity;
mod sales_rep;
pub mod slicer;
mod source_control_total;
mod supplier;
mod target;

pub use contract::{Check, Column, EventTime, Kind, MONTH, Role, Severity, Sum, Table, TableKind};

pub static ORDER_LINE: Table = order_line::TABLE;
pub static ORDER_LINE_DISCOUNT: Table = order_line_discount::TABLE;
pub static RETURN_LINE: Table = return_line::TABLE;
pub static ORDER_CHARGE: Table = order_charge::TABLE;
pub static ORDER_HEADER: Table = order_header::TABLE;
pub static ORDER_STATUS_EVENT: Table = order_status_event::TABLE;
pub static FULFILMENT_LINE: Table = fulfilment_line::TABLE;
pub static PAYMENT: Table = payment::TABLE;
pub static INVENTORY_SNAPSHOT: Table = inventory_snapshot::TABLE;
pub static INVENTORY_MOVEMENT: Table = inventory_movement::TABLE;
pub static PURCHASE_ORDER_LINE: Table = purchase_order_line::TABLE;
pub static CUSTOMER_EVENT: Table = customer_event::TABLE;
pub static FEEDBACK: Table = feedback::TABLE;
pub static MARKETING_TOUCH: Table = marketing_touch::TABLE;
pub static MARKETING_COST: Table = marketing_cost::TABLE;
pub static SALES_ACTIVITY: Table = sales_activity::TABLE;
pub static OPPORTUNITY: Table = opportunity::TABLE;
pub static SOURCE_CONTROL_TOTAL: Table = source_control_total::TABLE;
pub static CUSTOMER: Table = customer::TABLE;
pub static PRODUCT: Table = product::TABLE;
pub static LOCATION: Table = location::TABLE;
pub static REGION: Table = region::TABLE;
pub static CHANNEL: Table = channel::TABLE;
pub static PROMOTION: Table = promotion::TABLE;
pub static CAMPAIGN: Table = campaign::TABLE;
pub static SALES_REP: Table = sales_rep::TABLE;
pub static PROMOTION_PRODUCT: Table = promotion_product::TABLE;
pub static REP_ASSIGNMENT: Table = rep_assignment::TABLE;
pub static TARGET: Table = target::TABLE;
pub static SUPPLIER: Table = supplier::TABLE;
pub static PRODUCT_LOCATION_POLICY: Table = product_location_policy::TABLE;
pub static PRODUCT_COST: Table = product_cost::TABLE;
pub static PRICE_LIST: Table = price_list::TABLE;
pub static PRODUCT_BUNDLE: Table = product_bundle::TABLE;
pub static FX_RATE: Table = fx_rate::TABLE;
pub static ORDER_ALIAS: Table = order_alias::TABLE;
pub static CUSTOMER_IDENTITY: Table = customer_identity::TABLE;
pub static CUSTOMER_KEY_HISTORY: Table = customer_key_history::TABLE;
pub static INGEST_FILE: Table = control::INGEST_FILE;
pub static INGEST_TABLE: Table = control::INGEST_TABLE;
pub static QUARANTINE: Table = control::QUARANTINE;

/// Every table of a lake, dimensions and rates first: the order in which a batch commits.
pub static TABLES: &[&Table] = &[
    &REGION,
    &CHANNEL,
    &LOCATION,
    &PRODUCT,
    &CUSTOMER,
    &PROMOTION,
    &CAMPAIGN,
    &SALES_REP,
    &PROMOTION_PRODUCT,
    &REP_ASSIGNMENT,
    &SUPPLIER,
    &PRODUCT_LOCATION_POLICY,
    &PRODUCT_COST,
    &PRICE_LIST,
    &PRODUCT_BUNDLE,
    &FX_RATE,
    &ORDER_ALIAS,
    &CUSTOMER_IDENTITY,
    &ORDER_LINE,
    &RETURN_LINE,
    &ORDER_CHARGE,
    &ORDER_LINE_DISCOUNT,
    &ORDER_HEADER,
    &ORDER_STATUS_EVENT,
    &FULFILMENT_LINE,
    &PAYMENT,
    &INVENTORY_SNAPSHOT,
    &INVENTORY_MOVEMENT,
    &PURCHASE_ORDER_LINE,
    &CUSTOMER_EVENT,
    &FEEDBACK,
    &MARKETING_TOUCH,
    &MARKETING_COST,
    &SALES_ACTIVITY,
    &OPPORTUNITY,
    &SOURCE_CONTROL_TOTAL,
    &TARGET,
    &CUSTOMER_KEY_HISTORY,
    &INGEST_FILE,
    &INGEST_TABLE,
    &QUARANTINE,
];

/// The rules over rows that make up a whole.
pub static SUMS: &[&Sum] = &[&rep_assignment::SHARES, &product_bundle::SHARES];

/// The contract called `name`.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|t| t.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Floats round what is added up: money, quantities, rates and shares are decimals (D31).
    #[test]
    fn d31_only_degrees_are_floats() {
        let columns = TABLES.iter().flat_map(|t| t.columns().map(move |c| (t.name, c.name, c.kind)));
        let floats: Vec<_> = columns.filter(|c| c.2 == Kind::Float).map(|c| (c.0, c.1)).collect();
        assert_eq!(floats, [("location", "lat"), ("location", "lon")]);
    }

    #[test]
    fn sums_name_columns_of_their_tables() {
        for sum in SUMS {
            let table = table(sum.table).expect("a table");
            assert_eq!(table.column(sum.share).map(|c| (c.kind, c.nullable)), Some((Kind::Share, false)), "{sum:?}");
            assert!(!sum.of.is_empty() && sum.of.iter().all(|c| table.key.contains(c)), "{sum:?}");
        }
    }
}
