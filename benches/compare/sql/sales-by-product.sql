-- ---
-- key = ["product_id"]
-- window = [1, 24]
-- slice = true
-- ---
WITH summed AS (
    SELECT product_id, sum(gross) AS gross_sales, sum(discount) AS discounts, sum(returned) AS returns, sum(net) AS net_sales,
           sum(units) AS units_sold, sum(units_back) AS units_returned, sum(CASE WHEN cost IS NOT NULL THEN net END) AS net_sales_with_cost,
           sum(cost) AS cogs
    FROM event
    WHERE business_date >= $from AND business_date < $to AND $slice
    GROUP BY product_id
)
SELECT s.product_id AS product_id, p.product_name AS product_name, s.gross_sales AS gross_sales, s.discounts AS discounts, s.returns AS returns,
       s.net_sales AS net_sales, s.units_sold AS units_sold, s.units_returned AS units_returned,
       coalesce(s.net_sales_with_cost, 0) AS net_sales_with_cost, coalesce(s.cogs, 0) AS cogs,
       CAST(s.net_sales AS DOUBLE) / nullif(CAST(s.units_sold - s.units_returned AS DOUBLE), 0) AS asp,
       CAST(s.net_sales AS DOUBLE) / CAST(sum(s.net_sales) OVER () AS DOUBLE) AS share
FROM summed s LEFT JOIN product p ON p.product_id = s.product_id
