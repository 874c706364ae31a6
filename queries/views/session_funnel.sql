-- ---
-- title = { en = "Visits and how far they came", zh = "访问漏斗" }
-- about = """One row per visit (session) of a person: the day it began, where from, and which stages of the shop's funnel it touched. Events
-- marked as bots are left out. A visit belongs to the day, channel and place of its first event, however long it lasts. It can be sliced by
-- what it shows of itself, not by product: a visit is not of one product."""
-- [columns]
-- session_id = "the visit, unique with source_system"
-- started_at = "its first event"
-- business_date = "the local day of its first event"
-- channel_id = "the channel of its first event"
-- location_id = "the place of its first event; NULL = does not apply"
-- region_id = "the visitor's region at the first event that tells one"
-- customer_key = "the customer, where the visitor was recognised"
-- device_type = "kind of device at the first event that tells one"
-- source = "campaign source (utm_source) at the first event that tells one; NULL = none given"
-- campaign_id = "campaign (utm_campaign) at the first event that tells one; NULL = none given"
-- has_view = "looked at a product (view_item)"
-- has_cart = "put something into the cart (add_to_cart)"
-- has_checkout = "began to check out (begin_checkout)"
-- has_purchase = "bought (purchase)"
-- ---
SELECT
    e.source_system,
    e.session_id,
    min(e.event_time) AS started_at,
    min(e.business_date) AS business_date,
    first_value(e.channel_id ORDER BY e.event_time, e.client_event_id) AS channel_id,
    first_value(e.location_id ORDER BY e.event_time, e.client_event_id) AS location_id,
    first_value(e.region_id ORDER BY e.event_time, e.client_event_id) FILTER (WHERE e.region_id IS NOT NULL) AS region_id,
    first_value(e.customer_key ORDER BY e.event_time, e.client_event_id) FILTER (WHERE e.customer_key IS NOT NULL) AS customer_key,
    first_value(e.device_type ORDER BY e.event_time, e.client_event_id) FILTER (WHERE e.device_type IS NOT NULL) AS device_type,
    first_value(e.utm_source ORDER BY e.event_time, e.client_event_id) FILTER (WHERE e.utm_source IS NOT NULL) AS source,
    first_value(e.utm_campaign ORDER BY e.event_time, e.client_event_id) FILTER (WHERE e.utm_campaign IS NOT NULL) AS campaign_id,
    bool_or(e.event_name = 'view_item') AS has_view,
    bool_or(e.event_name = 'add_to_cart') AS has_cart,
    bool_or(e.event_name = 'begin_checkout') AS has_checkout,
    bool_or(e.event_name = 'purchase') AS has_purchase
FROM visit_event e
GROUP BY e.source_system, e.session_id
