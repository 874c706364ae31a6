//! customer_identity: by which identifiers a customer is known (domain 3.2). Customers of one identifier are one person: ingest
//! writes the key that stands for all of them into the facts (`ingest/identity.rs`); a tombstone withdraws a row. Identifiers
//! land as hashes only: what they were is in no table, and of records that cannot land nothing is kept.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::REFERENCE;

pub const TABLE: Table = Table {
    name: "customer_identity",
    about: "Hashed identifiers of customers, one row per customer and identifier; customers of one identifier are one person.",
    kind: TableKind::Reference,
    key: &["source_system", "customer_key", "id_type", "id_value_hash", "channel_id"],
    parts: &[REFERENCE, IDENTITY],
    event: EventTime::None,
    month_of: None,
    sort: &["id_type", "id_value_hash", "customer_key"],
    stats: &["customer_key", "id_type", "id_value_hash"],
    checks: CHECKS,
};

const IDENTITY: &[Column] = &[
    Column::new("customer_key", Text, "pseudonymous customer, as the source gives it"),
    Column::new("id_type", Code, "what kind of identifier").one_of(&[
        "email_hash",
        "phone_hash",
        "loyalty_no",
        "platform_uid",
        "device_id",
        "wechat_openid",
    ]),
    Column::new("id_value", Text, "the identifier in clear: hashed and forgotten").input().nullable().personal(),
    Column::new(
        "id_value_hash",
        Text,
        "the identifier's hash: given, else made of id_value (an address with @, or a phone number beginning with + or 00)",
    )
    .or("identifier_hash(id_type, id_value)"),
    Column::new("channel_id", Code, "the channel that knows it; '' = any").or("''"),
    Column::new("first_seen", Instant, "since when the customer is known by it"),
    Column::new("last_seen", Instant, "when it was last seen").or("first_seen"),
    Column::new("confidence", Share, "0 to 1; below 1 it makes nobody one, but is listed for review").or("1"),
    Column::new("match_rule", Code, "how it was found").or("'same_identifier'"),
];

const CHECKS: &[Check] = &[
    Check {
        rule: "V03",
        severity: Reject,
        column: "confidence",
        holds: "confidence >= 0 AND confidence <= 1",
        says: "a confidence lies between 0 and 1",
    },
    Check {
        rule: "V03",
        severity: Reject,
        column: "last_seen",
        holds: "first_seen <= last_seen",
        says: "an identifier is not last seen before it is first seen",
    },
    Check {
        rule: "V20",
        severity: Quarantine,
        column: "id_value_hash",
        holds: "length(id_value_hash) >= 16",
        says: "a hash has at least 16 characters; an identifier in clear goes into id_value",
    },
    Check {
        rule: "V01",
        severity: Reject,
        column: "channel_id",
        holds: "id_type NOT IN ('platform_uid', 'wechat_openid') OR channel_id <> ''",
        says: "an identifier of a platform has the channel_id within which it is one customer's",
    },
];
