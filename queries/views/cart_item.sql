-- ---
-- title = { en = "Carts and what is in them", zh = "购物车商品" }
-- about = """One row per cart, product and currency: how many units and of which value visitors put into it, less what they took out, and when
-- the visitor bought for the first time after making the cart, if ever. A cart is what its source calls one; where it tells no carts, what was
-- put into the cart in one visit. It belongs to the day, channel and place of the first thing that was put into it. Bots are left out. Values
-- are in the currency that was shown to the visitor, as prices are told with events and no rate is: a cart with prices in several currencies
-- has rows in each, so count carts with COUNT(DISTINCT cart_key)."""
-- [columns]
-- cart_key = "the cart"
-- created_at = "when the first thing was put into it"
-- business_date = "the local day of created_at"
-- channel_id = "the channel where it was made"
-- location_id = "the place; NULL = does not apply"
-- region_id = "the visitor's region, where one is told"
-- customer_key = "the customer, where the visitor was recognised"
-- device_type = "kind of device"
-- product_id = "the product"
-- cart_currency = "the currency of the prices: the event's, else that of the cart's first price; NULL = not told"
-- quantity = "units put in, less units taken out"
-- cart_value = "price × units put in, less those taken out (in cart_currency)"
-- bought_at = "the visitor's first purchase from created_at on; NULL = none"
-- ---
WITH cart AS (
    SELECT
        e.source_system,
        coalesce(e.cart_id, e.session_id) AS cart,
        min(e.event_time) AS created_at,
        min(e.business_date) AS business_date,
        first_value(e.channel_id ORDER BY e.event_time, e.client_event_id) AS channel_id,
        first_value(e.location_id ORDER BY e.event_time, e.client_event_id) AS location_id,
        first_value(e.region_id ORDER BY e.event_time, e.client_event_id) FILTER (WHERE e.region_id IS NOT NULL) AS region_id,
        first_value(e.customer_key ORDER BY e.event_time, e.client_event_id) FILTER (WHERE e.customer_key IS NOT NULL) AS customer_key,
        first_value(e.device_type ORDER BY e.event_time, e.client_event_id) FILTER (WHERE e.device_type IS NOT NULL) AS device_type,
        first_value(e.currency ORDER BY e.event_time, e.client_event_id) FILTER (WHERE e.currency IS NOT NULL) AS first_currency,
        first_value(e.anonymous_id ORDER BY e.event_time, e.client_event_id) AS anonymous_id
    FROM visit_event e
    WHERE e.event_name = 'add_to_cart'
    GROUP BY e.source_system, coalesce(e.cart_id, e.session_id)
),
bought AS (
    SELECT c.source_system, c.cart, min(p.event_time) AS bought_at
    FROM cart c
    JOIN visit_event p ON p.source_system = c.source_system AND p.anonymous_id = c.anonymous_id
    WHERE p.event_name = 'purchase' AND p.event_time >= c.created_at
    GROUP BY c.source_system, c.cart
),
moved AS (
    -- what was put in, and what was taken out
    SELECT
        v.source_system,
        coalesce(v.cart_id, v.session_id) AS cart,
        v.product_id,
        v.currency,
        v.item_price,
        CASE WHEN v.event_name = 'add_to_cart' THEN coalesce(v.quantity, CAST(1 AS DECIMAL(18,3)))
             ELSE - coalesce(v.quantity, CAST(1 AS DECIMAL(18,3))) END AS quantity
    FROM visit_event v
    WHERE v.event_name IN ('add_to_cart', 'remove_from_cart')
)
SELECT
    concat(c.source_system, ':', c.cart) AS cart_key,
    c.created_at,
    c.business_date,
    c.channel_id,
    c.location_id,
    c.region_id,
    c.customer_key,
    c.device_type,
    m.product_id,
    coalesce(m.currency, c.first_currency) AS cart_currency,
    sum(m.quantity) AS quantity,
    sum(CAST(m.quantity * m.item_price AS DECIMAL(18,4))) AS cart_value,
    b.bought_at
FROM cart c
JOIN moved m ON m.source_system = c.source_system AND m.cart = c.cart
LEFT JOIN bought b ON b.source_system = c.source_system AND b.cart = c.cart
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13
