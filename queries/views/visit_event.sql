-- ---
-- title = { en = "Events of visitors", zh = "访客事件" }
-- about = """What people did on their visits; bots and tombstones are left out. Slicers do not enter: whoever asks for the visits of a channel
-- means whole visits, not the events among them that name the channel (session_funnel)."""
-- sliced = false
-- needs = ["customer_event"]
-- [columns]
-- session_id = "the visit, unique with source_system"
-- anonymous_id = "the visitor's device or browser"
-- cart_id = "the cart; NULL = the source does not tell carts"
-- quantity = "units put into the cart or taken out"
-- item_price = "price per unit, in currency"
-- event_name = "GA4 name"
-- event_time = "when it happened"
-- business_date = "its local day"
-- ---
SELECT
    e.source_system,
    e.client_event_id,
    e.session_id,
    e.event_name,
    e.event_time,
    e.business_date,
    e.channel_id,
    e.location_id,
    e.region_id,
    e.customer_key,
    e.product_id,
    e.device_type,
    e.utm_source,
    e.utm_campaign,
    e.anonymous_id,
    e.cart_id,
    e.quantity,
    e.item_price,
    e.currency
FROM base.customer_event e
WHERE NOT e.is_deleted
  AND NOT e.is_bot
