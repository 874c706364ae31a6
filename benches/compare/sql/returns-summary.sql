-- ---
-- key = ["period_start"]
-- window = [3, 24]
-- slice = true
-- choices = { grain = ["month", "quarter"] }
-- ---
WITH two AS (
    SELECT $bucket(business_date) AS period_start, 1 AS by_refund, sum(returned) AS returns, sum(units_back) AS units_returned,
           sum(CASE WHEN units_back > 0 THEN 1 ELSE 0 END) AS return_lines, sum(gross - discount) AS sold, sum(units) AS units_sold
    FROM event WHERE business_date >= $from AND business_date < $to AND $slice GROUP BY 1
    UNION ALL
    SELECT $bucket(order_business_date) AS period_start, 0 AS by_refund, sum(returned) AS returns, sum(units_back) AS units_returned,
           sum(CASE WHEN units_back > 0 THEN 1 ELSE 0 END) AS return_lines, sum(gross - discount) AS sold, sum(units) AS units_sold
    FROM event WHERE order_business_date >= $from AND order_business_date < $to AND $slice GROUP BY 1
)
SELECT period_start, sum(CASE WHEN by_refund = 1 THEN returns END) AS returns, sum(CASE WHEN by_refund = 1 THEN units_returned END) AS units_returned,
       sum(CASE WHEN by_refund = 1 THEN return_lines END) AS return_lines, sum(CASE WHEN by_refund = 1 THEN sold END) AS sales_before_returns,
       sum(CASE WHEN by_refund = 1 THEN units_sold END) AS units_sold,
       sum(CASE WHEN by_refund = 0 THEN returns END) AS returns_by_sale_date,
       sum(CASE WHEN by_refund = 0 THEN units_returned END) AS units_returned_by_sale_date,
       sum(CASE WHEN by_refund = 0 THEN return_lines END) AS return_lines_by_sale_date,
       sum(CASE WHEN by_refund = 0 THEN sold END) AS sales_before_returns_by_sale_date,
       sum(CASE WHEN by_refund = 0 THEN units_sold END) AS units_sold_by_sale_date
FROM two GROUP BY period_start
