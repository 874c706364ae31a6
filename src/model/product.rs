//! product: a dimension, SCD type 2, key (product_id, valid_from) (domain 3.8).

use super::contract::{Check, Column, Kind::*, Severity::*, Table};
use super::dimension::dimension;

pub const TABLE: Table = dimension(
    "product",
    "Products with their brand and category path.",
    &["product_id", "valid_from"],
    &["product_id"],
    COLUMNS,
    CHECKS,
);

const COLUMNS: &[&[Column]] = &[super::envelope::DIMENSION, OWN];

const OWN: &[Column] = &[
    Column::new("sku", UpperCode, "the seller's article number").or("product_id"),
    Column::new("product_id", UpperCode, "the product").or("sku"),
    Column::new("gtin", Code, "14 digits with check digit").nullable(),
    Column::new("product_name", Text, "name").or("product_id"),
    Column::new("parent_product_id", UpperCode, "the style of a variant").nullable(),
    Column::new("brand", Text, "brand").nullable(),
    Column::new("manufacturer", Text, "manufacturer").nullable(),
    Column::new("supplier_id", Code, "supplier").nullable(),
    Column::new("category_l1_id", Code, "top category").nullable(),
    Column::new("category_l1_name", Text, "top category").nullable(),
    Column::new("category_l2_id", Code, "second level").nullable(),
    Column::new("category_l2_name", Text, "second level").nullable(),
    Column::new("category_l3_id", Code, "third level").nullable(),
    Column::new("category_l3_name", Text, "third level").nullable(),
    Column::new("category_l4_id", Code, "fourth level").nullable(),
    Column::new("category_l4_name", Text, "fourth level").nullable(),
    Column::new("category_l5_id", Code, "fifth level").nullable(),
    Column::new("category_l5_name", Text, "fifth level").nullable(),
    Column::new("category_path", Text, "the levels' names, joined").nullable()
        .or("nullif(concat_ws(' / ', category_l1_name, category_l2_name, category_l3_name, category_l4_name, category_l5_name), '')"),
    Column::new("product_type", Code, "what kind of product").or("'stocked'").one_of(&["stocked", "non_stocked", "service", "gift_card", "bundle"]),
    Column::new("uom", UpperCode, "stock unit").or("'EA'"),
    Column::new("pack_qty", Quantity, "stock units in a pack").nullable(),
    Column::new("net_weight", Quantity, "kg").nullable(),
    Column::new("shelf_life_days", Int, "days").nullable(),
    Column::new("launch_date", Date, "first sold").nullable(),
    Column::new("discontinue_date", Date, "last sold").nullable(),
    Column::new("season", Text, "season").nullable(),
    Column::new("lifecycle", Code, "stage of life").nullable(),
    Column::new("tax_code", Code, "tax class").nullable(),
    Column::new("msrp", Money, "recommended price").nullable(),
    Column::new("is_active", Bool, "still sold").or("true"),
    Column::new("attributes", Text, "JSON bag").or("'{}'"),
];

const CHECKS: &[Check] = &[
    Check { rule: "V11", severity: Reject, column: "sku", holds: "sku <> ''", says: "a sku is not empty" },
    Check {
        rule: "V11",
        severity: Warn,
        column: "gtin",
        holds: "gtin_ok(gtin)",
        says: "a GTIN has 14 digits and a right check digit",
    },
];
