-- ---
-- key = ["region_id"]
-- window = [1, 6]
-- history = 12
-- slice = true
-- ---
WITH placed AS (
    SELECT coalesce(p.region_id, e.ship_region_id, CASE WHEN e.location_id IS NOT NULL THEN 'UNK' END) AS region_id,
           CASE WHEN e.business_date >= $from THEN e.net ELSE CAST(0 AS DECIMAL(18,4)) END AS net_now,
           CASE WHEN e.business_date < $from THEN e.net ELSE CAST(0 AS DECIMAL(18,4)) END AS net_prev
    FROM event e LEFT JOIN location p ON p.location_id = e.location_id
    WHERE (e.business_date >= $from AND e.business_date < $to OR e.business_date >= $from-1y AND e.business_date < $to-1y) AND $slice
), summed AS (
    SELECT region_id, sum(net_now) AS net_sales, sum(net_prev) AS net_sales_prev FROM placed GROUP BY region_id
)
SELECT CASE WHEN s.region_id IS NULL THEN 'N/A' ELSE coalesce(r.region_id, 'UNK') END AS region_id, s.net_sales AS net_sales,
       s.net_sales_prev AS net_sales_prev, s.net_sales - s.net_sales_prev AS change,
       CAST(s.net_sales - s.net_sales_prev AS DOUBLE) / CAST(abs(sum(s.net_sales_prev) OVER ()) AS DOUBLE) AS contribution
FROM summed s LEFT JOIN region r ON r.region_id = s.region_id
