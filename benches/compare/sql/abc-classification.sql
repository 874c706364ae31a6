-- ---
-- key = ["product_id"]
-- window = [1, 24]
-- slice = true
-- set = { include_zero = "false" }
-- ---
WITH summed AS (
    SELECT product_id, sum(net) AS net_sales, sum(units - units_back) AS net_units, sum(cost) AS cogs
    FROM event
    WHERE business_date >= $from AND business_date < $to AND $slice
    GROUP BY product_id
), ranked AS (
    SELECT s.product_id AS product_id, s.net_sales AS net_sales, s.net_units AS net_units, s.cogs AS cogs,
           row_number() OVER (ORDER BY s.net_sales DESC, s.product_id) AS place,
           sum(CASE WHEN s.net_sales > 0 THEN s.net_sales END)
               OVER (ORDER BY s.net_sales DESC, s.product_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before,
           sum(CASE WHEN s.net_sales > 0 THEN s.net_sales END) OVER () AS metric_all
    FROM summed s JOIN product p ON p.product_id = s.product_id
)
SELECT product_id, place, net_sales, net_units, cogs, coalesce(before, 0) AS metric_before, metric_all,
       CASE WHEN net_sales < 0 THEN 'R' WHEN net_sales = 0 THEN 'N' WHEN 10 * coalesce(before, 0) < 8 * metric_all THEN 'A'
            WHEN 100 * coalesce(before, 0) < 95 * metric_all THEN 'B' ELSE 'C' END AS class
FROM ranked
