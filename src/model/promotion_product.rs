//! promotion_product: the articles or categories that a promotion is about (domain 3.8).

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::REFERENCE;

pub const TABLE: Table = Table {
    name: "promotion_product",
    about: "Articles and categories of promotions: promoted, held back for comparison, or left out.",
    kind: TableKind::Reference,
    // A row is about an article or about a category: NULL is one more value of the key.
    key: &["promotion_id", "product_id", "category_id"],
    parts: &[REFERENCE, ITEM],
    event: EventTime::None,
    month_of: None,
    sort: &["promotion_id", "product_id"],
    stats: &["promotion_id"],
    checks: &[Check {
        rule: "V01",
        severity: Reject,
        column: "product_id",
        holds: "(product_id IS NULL) <> (category_id IS NULL)",
        says: "a row names an article or a category, not both",
    }],
};

const ITEM: &[Column] = &[
    Column::new("promotion_id", Code, "the promotion"),
    Column::new("product_id", UpperCode, "the article; NULL = the row is about a category").nullable(),
    Column::new("category_id", Code, "the category, of any level; NULL = the row is about an article").nullable(),
    Column::new("role", Code, "what it is in the promotion")
        .or("'promoted'")
        .one_of(&["promoted", "control", "excluded"]),
];
