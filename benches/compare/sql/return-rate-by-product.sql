-- ---
-- key = ["product_id"]
-- window = [1, 24]
-- slice = true
-- set = { min_units = "10" }
-- ---
WITH summed AS (
    SELECT product_id, sum(units) AS units_sold, sum(units_back) AS units_returned, sum(CASE WHEN units_back > 0 THEN 1 ELSE 0 END) AS return_lines,
           sum(gross - discount) AS sales_before_returns, sum(returned) AS returns
    FROM event
    WHERE business_date >= $from AND business_date < $to AND $slice
    GROUP BY product_id
    HAVING sum(units) >= 10
)
SELECT s.product_id AS product_id, p.product_name AS product_name, s.units_sold AS units_sold, s.units_returned AS units_returned,
       s.return_lines AS return_lines, s.sales_before_returns AS sales_before_returns, s.returns AS returns,
       CAST(s.units_returned AS DOUBLE) / CAST(s.units_sold AS DOUBLE) AS return_rate_units
FROM summed s JOIN product p ON p.product_id = s.product_id
