-- ---
-- title = { en = "Visitor events", zh = "访客行为" }
-- about = "What visitors of web shop, app and live stream did, one JSON object per event, since 2026."
-- source_system = "shop_tracking"
-- order = 40
-- [read]
-- path = "events/*.ndjson"
-- format = "ndjson"
-- shape = '{"id":"","name":"","at":"","sent":"","received":"","sku":"","price":"","currency":"","qty":"","order":"","term":"","session":"","visitor":"","customer":"","channel":"","device":"","country":"","region":"","source":"","medium":"","campaign":"","bot":"","consent":""}'
-- [defaults]
-- tz = "Europe/London"
-- ---
--
--   * The app tells the device's times (`at`, `sent`); a clock that is off by more than five minutes is corrected by the server's.
--     The other channels tell only when an event arrived.
--   * Robots land, marked; they are never counted. `order` on a purchase is the shop's order number.

-- into = "customer_event"
SELECT id AS client_event_id,
       id AS source_record_id,
       name AS event_name,
       session AS session_id,
       visitor AS anonymous_id,
       customer AS customer_key,
       channel AS channel_id,
       sku AS product_id,
       CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(price AS DECIMAL(18,4)) AS item_price,
       currency,
       "order" AS order_id,
       term AS search_term,
       device AS device_type,
       country,
       region AS region_id,
       source AS utm_source,
       medium AS utm_medium,
       campaign AS utm_campaign,
       CAST(bot AS BOOLEAN) AS is_bot,
       CAST(consent AS BOOLEAN) AS consent_analytics,
       instant("at") AS client_time,
       instant(sent) AS sent_at,
       instant(received) AS received_at
FROM   raw;
