-- ---
-- key = ["slot_no"]
-- as_of = 3
-- slice = true
-- set = { weeks = "8" }
-- derive = { day = "$as_of-1d" }
-- nonzero = "net_sales"
-- ---
WITH slot AS (
    SELECT CAST(floor(CAST(local_minute AS DOUBLE) / 15) AS INT) AS slot_no, sum(CASE WHEN business_date = $as_of-1d THEN net END) AS net_now,
           sum(CASE WHEN business_date < $as_of-1d THEN net END) AS net_then
    FROM event
    WHERE business_date < $as_of AND business_date >= $as_of-57d AND $days($as_of-1d, business_date) % 7 = 0 AND $slice
    GROUP BY 1
), running AS (
    SELECT slot_no, coalesce(net_now, 0) AS net_sales,
           sum(coalesce(net_now, 0)) OVER (ORDER BY slot_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS net_sales_so_far,
           sum(coalesce(net_then, 0)) OVER (ORDER BY slot_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS typical_so_far_all
    FROM slot
)
SELECT slot_no, net_sales, net_sales_so_far, typical_so_far_all, CAST(typical_so_far_all AS DOUBLE) / 8 AS typical_so_far
FROM running
