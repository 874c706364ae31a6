-- ---
-- key = ["item_id"]
-- window = [1, 6]
-- history = 12
-- slice = true
-- ---
WITH summed AS (
    SELECT product_id, sum(CASE WHEN business_date >= $from THEN net ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales,
           sum(CASE WHEN business_date < $from THEN net ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_prev
    FROM event
    WHERE (business_date >= $from AND business_date < $to OR business_date >= $from-1y AND business_date < $to-1y) AND $slice
    GROUP BY product_id
)
SELECT s.product_id AS item_id, p.product_name AS item_name, s.net_sales AS net_sales, s.net_sales_prev AS net_sales_prev,
       s.net_sales - s.net_sales_prev AS change,
       CAST(s.net_sales - s.net_sales_prev AS DOUBLE) / CAST(abs(sum(s.net_sales_prev) OVER ()) AS DOUBLE) AS contribution
FROM summed s JOIN product p ON p.product_id = s.product_id
