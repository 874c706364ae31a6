//! customer_key_history: which key stood for a customer since when (domain 3.2). Ingest appends a version where the key that
//! stands for a given key is another than before; a withdrawn merge appends one that points to the key itself. Rows never
//! change, so a report run at an earlier `known_at` finds the customers of that time.

use super::contract::{Column, EventTime, Kind::*, Table, TableKind};

pub const TABLE: Table = Table {
    name: "customer_key_history",
    about: "Versions of which key stands for a customer: (customer_key, version) is unique; keys that were never merged have no row.",
    kind: TableKind::Control,
    key: &[],
    parts: &[HISTORY],
    event: EventTime::None,
    month_of: None,
    sort: &["customer_key", "version"],
    stats: &["customer_key", "canonical_customer_key"],
    checks: &[],
};

const HISTORY: &[Column] = &[
    Column::new("customer_key", Text, "the customer, as sources give it"),
    Column::new("version", Int, "1, 2, 3 …: the greatest holds"),
    Column::new("canonical_customer_key", Text, "the key that stands for the customer in the facts"),
    Column::new("known_since", Instant, "when the batch that found it landed"),
    Column::new("match_rule", Code, "how it was found; withdrawn = the key stands for itself again"),
    Column::new("ingest_batch_id", Text, "the batch that found it"),
];
