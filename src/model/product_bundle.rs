//! product_bundle: what a bundle consists of, and how its revenue is shared among the components (domain 3.8, 3.13). The shares of
//! a bundle add up to 1 within its file (V17), so a file that tells of a bundle tells all of it.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Sum, Table, TableKind};
use super::envelope::REFERENCE;

pub const TABLE: Table = Table {
    name: "product_bundle",
    about: "Components of bundles: how many of each, and their shares of the revenue, which add up to 1.",
    kind: TableKind::Reference,
    key: &["bundle_product_id", "component_product_id"],
    parts: &[REFERENCE, COMPONENT],
    event: EventTime::None,
    month_of: None,
    sort: &["bundle_product_id", "component_product_id"],
    stats: &["bundle_product_id", "component_product_id"],
    checks: CHECKS,
};

pub const SHARES: Sum = Sum {
    table: "product_bundle",
    rule: "V17",
    of: &["bundle_product_id"],
    share: "revenue_share",
    says: "the shares of a bundle add up to 1 within its file",
};

const COMPONENT: &[Column] = &[
    Column::new("bundle_product_id", UpperCode, "the bundle, a product of its own"),
    Column::new("component_product_id", UpperCode, "a product that is part of it"),
    Column::new("component_qty", Quantity, "stock units of it in one bundle").or("1"),
    Column::new("revenue_share", Share, "its share of the bundle's revenue, 0 to 1"),
];

const CHECKS: &[Check] = &[
    Check {
        rule: "V01",
        severity: Reject,
        column: "component_product_id",
        holds: "component_product_id <> '' AND component_product_id <> bundle_product_id",
        says: "a component is a product, and not the bundle itself",
    },
    Check {
        rule: "V03",
        severity: Reject,
        column: "component_qty",
        holds: "component_qty > 0",
        says: "a component is there with more than nothing",
    },
    Check {
        rule: "V03",
        severity: Reject,
        column: "revenue_share",
        holds: "revenue_share >= 0 AND revenue_share <= 1",
        says: "a share lies between 0 and 1",
    },
];
