-- ---
-- title = { en = "Orders and the contacts that led to them", zh = "订单归因" }
-- about = """Every order with the contacts of its customer that led to it: clicks of up to 30 days before it, banners shown up to one day before
-- it (domain 4.4-A). By model the last one (default) or the first one gets the whole credit, or each an equal part; contacts of one moment go
-- by their id. An order without any, or without a customer, is one row without a channel: so the credit of all rows is what was sold, before
-- returns, for a return does not name its order's contacts (D57). Parts are cut to four decimals (orders: six) as a running total, so
-- that they add up."""
--
-- [params.attribution]
-- values = ["last", "first", "linear"]
-- default = "last"
-- about = "Which contact gets the credit of an order: the last one, the first one, or all of them alike."
--
-- [columns]
-- order_id = "the order over all sources"
-- business_date = "the day of the order"
-- customer_key = "pseudonymous customer; NULL = anonymous"
-- marketing_channel = "of the contact; NULL = no contact led to it"
-- campaign_id = "of the contact"
-- touches = "contacts that led to the order"
-- credit_rc = "the contact's part of gross_sales − discounts (reporting currency)"
-- credit_orders = "its part of the order"
-- credit_new = "the same where the order is the customer's first one ever, else 0"
-- ---
WITH sold AS (
    SELECT
        e.sale_order_id AS order_id,
        e.business_date,
        min(e.customer_key) AS customer_key,
        CAST(sum(e.gross_sales - e.discounts) AS DECIMAL(18,4)) AS sold_rc
    FROM sales_event e
    WHERE e.event_kind IN ('sale', 'exchange_out') AND e.flow <> 'sell_out' AND e.sale_order_id IS NOT NULL
    GROUP BY 1, 2
),
placed AS (
    -- of several orders of a first day the first one is the customer's first
    SELECT
        s.order_id,
        s.business_date,
        s.customer_key,
        s.sold_rc,
        m.ordered_at,
        coalesce(f.first_date = s.business_date, false)
            AND row_number() OVER (PARTITION BY s.customer_key, s.business_date ORDER BY m.ordered_at, s.order_id) = 1 AS is_first
    FROM sold s
    JOIN order_moment m ON m.order_id = s.order_id
    LEFT JOIN first_purchase f ON f.customer_key = s.customer_key
),
led AS (
    SELECT
        p.order_id,
        p.business_date,
        t.marketing_channel,
        t.campaign_id,
        CAST(row_number() OVER (PARTITION BY p.order_id, p.business_date ORDER BY t.touched_at, t.touch_id) AS BIGINT) AS place,
        CAST(count(*) OVER (PARTITION BY p.order_id, p.business_date) AS BIGINT) AS touches
    FROM placed p
    JOIN contact t ON t.customer_key = p.customer_key
    WHERE t.touched_at < p.ordered_at
      AND ((t.touch_type IN ('click', 'email_click') AND t.touched_at >= p.ordered_at - INTERVAL '30 days')
           OR (t.touch_type = 'impression' AND t.touched_at >= p.ordered_at - INTERVAL '1 day'))
)
SELECT
    c.order_id,
    c.business_date,
    c.customer_key,
    c.marketing_channel,
    c.campaign_id,
    c.touches,
    -- whole numbers of ten-thousandths, divided without a rest
    CAST(((c.amount * c.upto) / c.parts - (c.amount * (c.upto - 1)) / c.parts) * CAST('0.0001' AS DECIMAL(5,4)) AS DECIMAL(18,4)) AS credit_rc,
    CAST(((1000000 * c.upto) / c.parts - (1000000 * (c.upto - 1)) / c.parts) * CAST('0.000001' AS DECIMAL(7,6)) AS DECIMAL(18,6)) AS credit_orders,
    CAST(CASE WHEN c.is_first THEN (1000000 * c.upto) / c.parts - (1000000 * (c.upto - 1)) / c.parts ELSE 0 END
         * CAST('0.000001' AS DECIMAL(7,6)) AS DECIMAL(18,6)) AS credit_new
FROM (
    SELECT
        p.order_id,
        p.business_date,
        p.customer_key,
        p.is_first,
        l.marketing_channel,
        l.campaign_id,
        coalesce(l.touches, CAST(0 AS BIGINT)) AS touches,
        CAST(p.sold_rc * CAST(10000 AS DECIMAL(5,0)) AS BIGINT) AS amount,
        -- the part from upto − 1 to upto of so many
        CASE WHEN $attribution = 'linear' THEN coalesce(l.place, CAST(1 AS BIGINT)) ELSE CAST(1 AS BIGINT) END AS upto,
        CASE WHEN $attribution = 'linear' THEN coalesce(l.touches, CAST(1 AS BIGINT)) ELSE CAST(1 AS BIGINT) END AS parts
    FROM placed p
    LEFT JOIN led l
      ON l.order_id = p.order_id AND l.business_date = p.business_date
     AND ($attribution = 'linear' OR ($attribution = 'last' AND l.place = l.touches) OR ($attribution = 'first' AND l.place = 1))
) c
