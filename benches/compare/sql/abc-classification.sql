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
               OVER (ORDER BY s.net_sales DESC, s.product_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far,
           sum(CASE WHEN s.net_sales > 0 THEN s.net_sales END) OVER () AS metric_all
    FROM summed s JOIN product p ON p.product_id = s.product_id
), shared AS (
    SELECT product_id, net_sales, net_units, cogs, place, metric_all, so_far - CASE WHEN net_sales > 0 THEN net_sales ELSE 0 END AS metric_before
    FROM ranked
)
SELECT product_id, place, net_sales, net_units, cogs, metric_before, metric_all,
       CASE WHEN net_sales < 0 THEN 'R' WHEN net_sales = 0 THEN 'N' WHEN 10 * metric_before < 8 * metric_all THEN 'A'
            WHEN 100 * metric_before < 95 * metric_all THEN 'B' ELSE 'C' END AS class
FROM shared
