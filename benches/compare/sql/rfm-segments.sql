-- ---
-- key = ["segment"]
-- as_of = 13
-- slice = true
-- set = { window = "365" }
-- derive = { compare_as_of = "$as_of-30d" }
-- ---
WITH at_day AS (
    SELECT 1 AS is_now, $as_of AS as_of, $as_of-365d AS from_day
    UNION ALL
    SELECT 0 AS is_now, $as_of-30d AS as_of, $as_of-395d AS from_day
), worth AS (
    SELECT t.is_now AS is_now, e.customer_key AS customer_key,
           max(CASE WHEN e.order_id IS NOT NULL AND e.business_date >= t.from_day THEN e.business_date END) AS last_day,
           count(DISTINCT CASE WHEN e.order_id IS NOT NULL AND e.business_date >= t.from_day THEN e.business_date END) AS purchase_days,
           sum(CASE WHEN e.business_date >= t.from_day THEN e.net ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales
    FROM event e CROSS JOIN at_day t
    WHERE e.business_date < t.as_of AND e.customer_key IS NOT NULL AND $slice
    GROUP BY t.is_now, e.customer_key
    HAVING count(e.order_id) > 0
), ranked AS (
    SELECT is_now, customer_key, last_day, purchase_days, net_sales, count(*) OVER (PARTITION BY is_now, last_day IS NULL) AS n,
           rank() OVER (PARTITION BY is_now, last_day IS NULL ORDER BY last_day) - 1 AS r_below,
           rank() OVER (PARTITION BY is_now, last_day IS NULL ORDER BY purchase_days) - 1 AS f_below,
           rank() OVER (PARTITION BY is_now, last_day IS NULL ORDER BY net_sales) - 1 AS m_below
    FROM worth
), scored AS (
    SELECT is_now, customer_key, last_day, purchase_days, net_sales, CAST(1 + floor(5.0 * r_below / n) AS BIGINT) AS r,
           CAST(floor((2 + floor(5.0 * f_below / n) + floor(5.0 * m_below / n) + 1) / 2.0) AS BIGINT) AS fm
    FROM ranked
), placed AS (
    SELECT is_now, customer_key, r, last_day, purchase_days, net_sales,
           CASE WHEN last_day IS NULL THEN 'dormant' WHEN r = 5 AND fm >= 4 THEN 'champions' WHEN r = 5 AND fm >= 2 THEN 'active' WHEN r = 5 THEN 'new'
                WHEN r = 4 AND fm >= 4 THEN 'loyal' WHEN r = 4 AND fm >= 2 THEN 'active' WHEN r = 4 THEN 'promising'
                WHEN r = 3 AND fm >= 4 THEN 'loyal' WHEN r = 3 AND fm >= 2 THEN 'needs_attention' WHEN r = 3 THEN 'promising'
                WHEN r = 2 AND fm >= 4 THEN 'at_risk' WHEN r = 2 AND fm >= 2 THEN 'almost_lost' WHEN r = 2 THEN 'dormant'
                WHEN fm >= 4 THEN 'previously_loyal' ELSE 'dormant' END AS segment
    FROM scored
), customer_at AS (
    SELECT customer_key, max(CASE WHEN is_now = 1 THEN segment END) AS segment, max(CASE WHEN is_now = 0 THEN segment END) AS segment_before,
           max(CASE WHEN is_now = 1 THEN purchase_days END) AS purchase_days, max(CASE WHEN is_now = 1 THEN net_sales END) AS net_sales
    FROM placed GROUP BY customer_key
), two AS (
    SELECT segment, 1 AS is_now, CASE WHEN segment = segment_before THEN 1 ELSE 0 END AS stays, purchase_days, net_sales
    FROM customer_at WHERE segment IS NOT NULL
    UNION ALL
    SELECT segment_before AS segment, 0 AS is_now, 0 AS stays, 0 AS purchase_days, 0 AS net_sales
    FROM customer_at WHERE segment_before IS NOT NULL
)
SELECT segment, sum(is_now) AS customer_count, sum(1 - is_now) AS customer_count_before, sum(stays) AS stayed, sum(purchase_days) AS purchase_days,
       sum(net_sales) AS net_sales
FROM two GROUP BY segment
