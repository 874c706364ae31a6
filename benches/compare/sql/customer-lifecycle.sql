-- ---
-- key = ["stage_before", "stage"]
-- as_of = 15
-- slice = true
-- derive = { compare_as_of = "$as_of-90d" }
-- ---
WITH at_day AS (
    SELECT 1 AS is_now, $as_of AS as_of
    UNION ALL
    SELECT 0 AS is_now, $as_of-90d AS as_of
), spaced AS (
    SELECT customer_key, business_date, order_id IS NOT NULL AS is_purchase, net,
           lag(business_date) OVER (PARTITION BY customer_key, order_id IS NOT NULL ORDER BY business_date) AS day_before
    FROM event
    WHERE customer_key IS NOT NULL AND $slice
), seen AS (
    SELECT t.is_now AS is_now, t.as_of AS as_of, s.customer_key AS customer_key,
           min(CASE WHEN s.is_purchase THEN s.business_date END) AS first_day, max(CASE WHEN s.is_purchase THEN s.business_date END) AS last_day,
           max(CASE WHEN s.is_purchase AND $days(s.business_date, s.day_before) > 365 THEN s.business_date END) AS back_day, sum(s.net) AS net_sales
    FROM spaced s CROSS JOIN at_day t
    WHERE s.business_date < t.as_of
    GROUP BY t.is_now, t.as_of, s.customer_key
), placed AS (
    SELECT is_now, customer_key, net_sales,
           CASE WHEN $days(as_of, last_day) > 365 THEN 'lost' WHEN $days(as_of, last_day) > 180 THEN 'dormant'
                WHEN $days(as_of, last_day) > 90 THEN 'at_risk' WHEN $days(as_of, first_day) <= 90 THEN 'new'
                WHEN $days(as_of, back_day) <= 90 THEN 'reactivated' ELSE 'active' END AS stage
    FROM seen WHERE last_day IS NOT NULL
), customer_at AS (
    SELECT customer_key, coalesce(max(CASE WHEN is_now = 0 THEN stage END), 'unknown') AS stage_before,
           coalesce(max(CASE WHEN is_now = 1 THEN stage END), 'unknown') AS stage, max(CASE WHEN is_now = 1 THEN net_sales END) AS net_sales
    FROM placed GROUP BY customer_key
)
SELECT stage_before, stage, count(*) AS customer_count, sum(net_sales) AS net_sales FROM customer_at GROUP BY stage_before, stage
