//! customer_event: what visitors do, GA4 names (domain 3.7).

use super::contract::{Column, EventTime, Kind::*, Table, TableKind};
use super::envelope::{CUSTOMER_GIVEN, FACT};

pub const TABLE: Table = Table {
    name: "customer_event",
    about: "Visits, views, carts, checkouts and purchases as the shop's tracking reports them.",
    kind: TableKind::Fact,
    key: &["source_system", "client_event_id"],
    parts: &[FACT, EVENT],
    event: EventTime::At(HAPPENED),
    month_of: Some("business_date"),
    sort: &["customer_key", "session_id"],
    stats: &[
        "business_date",
        "channel_id",
        "event_name",
        "session_id",
        "product_id",
        "customer_key",
        "location_id",
        "customer_given",
    ],
    checks: &[],
};

/// A client clock that is off by more than 5 minutes is corrected by the server's (domain 3.7).
const HAPPENED: &str = "coalesce(CASE \
    WHEN client_time IS NULL THEN NULL \
    WHEN sent_at IS NULL OR abs(CAST(received_at AS BIGINT) - CAST(sent_at AS BIGINT)) <= 300000000 THEN client_time \
    ELSE CAST(to_timestamp_micros(CAST(received_at AS BIGINT) - (CAST(sent_at AS BIGINT) - CAST(client_time AS BIGINT))) \
         AS TIMESTAMP WITH TIME ZONE) END, received_at)";

const EVENT: &[Column] = &[
    Column::new("client_event_id", Text, "the event's id"),
    Column::new("event_name", Code, "GA4 name").one_of(&[
        "session_start",
        "page_view",
        "view_item_list",
        "select_item",
        "view_item",
        "search",
        "add_to_wishlist",
        "add_to_cart",
        "remove_from_cart",
        "view_cart",
        "begin_checkout",
        "add_shipping_info",
        "add_payment_info",
        "purchase",
        "refund",
        "sign_up",
        "login",
        "social_interaction",
        "live_view",
        "store_visit",
    ]),
    Column::new("session_id", Text, "the visit"),
    Column::new("anonymous_id", Text, "the device or browser").or("session_id"),
    Column::new("customer_key", Text, "pseudonymous customer").nullable(),
    CUSTOMER_GIVEN,
    Column::new("channel_id", Code, "the channel"),
    Column::new("location_id", Code, "the place").nullable(),
    Column::new("product_id", UpperCode, "the product").nullable(),
    Column::new("quantity", Quantity, "units").nullable(),
    Column::new("item_price", Money, "price per unit, in currency").nullable(),
    Column::new("currency", UpperCode, "ISO 4217 currency").nullable(),
    Column::new("cart_id", Text, "the cart").nullable(),
    Column::new("order_id", Text, "the order").nullable(),
    Column::new("search_term", Text, "what was searched").nullable(),
    Column::new("search_results", Int, "how many results").nullable(),
    Column::new("list_name", Text, "the list").nullable(),
    Column::new("position", Int, "position in the list").nullable(),
    Column::new("inventory_status", Code, "as shown to the visitor").nullable(),
    Column::new("page_type", Code, "kind of page").nullable(),
    Column::new("device_type", Code, "kind of device").nullable(),
    Column::new("country", UpperCode, "ISO 3166-1 alpha-2").nullable(),
    Column::new("region_id", Code, "the visitor's region").nullable(),
    Column::new("utm_source", Text, "campaign source").nullable(),
    Column::new("utm_medium", Text, "campaign medium").nullable(),
    Column::new("utm_campaign", Text, "campaign").nullable(),
    Column::new("utm_content", Text, "campaign content").nullable(),
    Column::new("utm_term", Text, "campaign term").nullable(),
    Column::new("referrer_domain", Text, "where the visitor came from").nullable(),
    Column::new("click_id", Text, "ad click").nullable(),
    Column::new("is_bot", Bool, "not a person; never counted").or("false"),
    Column::new("consent_analytics", Bool, "the visitor agreed to be counted").or("true"),
    Column::new("client_time", Instant, "the client's clock when it happened").input().nullable(),
    Column::new("sent_at", Instant, "the client's clock when it sent").nullable(),
    Column::new("received_at", Instant, "the server's clock when it arrived"),
];
