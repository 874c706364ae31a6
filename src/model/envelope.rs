//! Columns that several contracts share: the envelope of facts and dimensions, and the order columns.

use super::contract::{Column, Kind::*};

const SOURCE_SYSTEM: Column = Column::new("source_system", Code, "the system that the row came from");
const VERSION: Column =
    Column::new("source_version", Long, "the source's revision number, else its updated_at in µs, else 0").or("0");
const ROW_KEY: Column = Column::new("row_key", Hash128, "128-bit hash of the natural key").engine();
const CONTENT_HASH: Column = Column::new(
    "content_hash",
    Long,
    "hash of the columns that the source's SELECT gives; below 0 = gleaned (reference)",
)
.engine();
const DELETED: Column = Column::new("is_deleted", Bool, "tombstone, kept").or("false");
const INGESTED_AT: Column = Column::new("ingested_at", Instant, "when the row landed").engine();
const BATCH: Column = Column::new("ingest_batch_id", Text, "the batch that landed the row").engine();
const FILE: Column = Column::new("source_file_id", Text, "the file or push that the row came from").engine();

/// The envelope of every fact row (domain 3.1).
pub const FACT: &[Column] = &[
    SOURCE_SYSTEM,
    Column::new("source_record_id", Text, "the record's id at the source").or("''"),
    VERSION,
    Column::new("source_seq", Long, "the source's own running number, for gap scans").nullable(),
    ROW_KEY,
    CONTENT_HASH,
    DELETED,
    Column::new("event_time", Instant, "when it happened at the source").engine(),
    Column::new("tz", Text, "IANA zone of the place of business"),
    Column::new("day_cutoff_minutes", Int, "minutes after midnight that still belong to the day before")
        .input()
        .or("0"),
    Column::new("business_date", Date, "local date of the event, minus the day cut-off").engine(),
    Column::new("local_minute", Int, "minute of the local day of the event, 0..1439").engine(),
    INGESTED_AT,
    BATCH,
    FILE,
    Column::new("ext", Text, "JSON bag for source-only fields").nullable(),
];

/// The envelope of every dimension row (domain 3.8). `valid_from` is constant where the source has none.
pub const DIMENSION: &[Column] = &[
    SOURCE_SYSTEM,
    VERSION,
    Column::new("valid_from", Instant, "since when this version holds").or("to_timestamp_micros(0)"),
    ROW_KEY,
    CONTENT_HASH,
    DELETED,
    INGESTED_AT,
    BATCH,
    FILE,
];

/// The envelope of keyed reference rows.
pub const REFERENCE: &[Column] = &[SOURCE_SYSTEM, VERSION, ROW_KEY, CONTENT_HASH, DELETED, INGESTED_AT, BATCH, FILE];

pub const FLOWS: &[&str] = &["own", "sell_in", "sell_out"];
pub const ORDER_TYPES: &[&str] =
    &["sale", "exchange", "draft", "quote", "subscription", "b2b", "wholesale", "internal"];

pub const AS_GIVEN: Column = Column::new(
    "as_given",
    Text,
    "is_primary, and the order over all sources, as the source gave them, where order_alias decided otherwise",
)
.nullable()
.engine();

pub const CUSTOMER_GIVEN: Column = Column::new(
    "customer_given",
    Text,
    "customer_key as the source gave it, where customer_identity says that another key stands for the customer",
)
.nullable()
.engine();

/// The order columns: of order_header, repeated on order_line and order_charge (domain 3.3).
pub const ORDER: &[Column] = &[
    Column::new("order_id", Text, "the order's id at the source"),
    Column::new("canonical_order_id", Text, "the order over all sources").or("source_system || ':' || order_id"),
    Column::new("order_type", Code, "what kind of order").or("'sale'").one_of(ORDER_TYPES),
    Column::new("flow", Code, "own sale, sale to a distributor, or sale that a distributor reports")
        .or("'own'")
        .one_of(FLOWS),
    Column::new("created_at", Instant, "when the order was made"),
    Column::new("confirmed_at", Instant, "when it became a sale; NULL with order_status created = not a sale")
        .nullable()
        .or("CASE WHEN order_status = 'created' THEN NULL ELSE created_at END"),
    Column::new("paid_at", Instant, "when it was fully paid").nullable(),
    Column::new("cancelled_at", Instant, "when it was cancelled").nullable(),
    Column::new("channel_id", Code, "where it was sold: the channel"),
    Column::new("location_id", Code, "where it was sold: the place; NULL = does not apply").nullable(),
    Column::new("ship_region_id", Code, "region that it ships to").nullable(),
    Column::new("bill_region_id", Code, "region of the invoice").nullable(),
    Column::new("sales_rep_id", Code, "who sold it").nullable(),
    Column::new("customer_key", Text, "pseudonymous customer; NULL = anonymous").nullable(),
    CUSTOMER_GIVEN,
    Column::new("is_test", Bool, "test or training; never counted").or("false"),
    Column::new("is_staff_order", Bool, "bought by staff; counted, and a slicer").or("false"),
    Column::new("is_primary", Bool, "the one source that counts, of several that report the order").or("true"),
    AS_GIVEN,
    Column::new("order_business_date", Date, "local date of confirmed_at, else created_at").engine(),
    Column::new("paid_business_date", Date, "local date of paid_at").nullable().engine(),
    Column::new("cancelled_business_date", Date, "local date of cancelled_at").nullable().engine(),
];

/// The statuses of an order, from its creation to its end.
pub const STATUSES: &[&str] =
    &["created", "confirmed", "paid", "partially_fulfilled", "fulfilled", "completed", "cancelled", "closed"];

/// `order_status` comes before [`ORDER`]: the default of confirmed_at reads it.
pub const ORDER_STATUS: &[Column] =
    &[Column::new("order_status", Code, "the order's current status").or("'confirmed'").one_of(STATUSES)];

pub const CURRENCY: Column = Column::new("currency", UpperCode, "ISO 4217 currency of the amounts");
pub const FX_RATE: Column = Column::new("fx_rate", Rate, "reporting currency per unit of currency, frozen").engine();
pub const FX_DATE: Column = Column::new("fx_date", Date, "the date of that rate").engine();
