-- ---
-- key = ["day_no"]
-- as_of = 14
-- slice = true
-- choices = { to_date_of = ["month", "quarter", "year"] }
-- ---
WITH daily AS (
    SELECT $days(business_date, $first) + 1 AS day_no, net AS net_now, CAST(0 AS DECIMAL(18,4)) AS net_prev
    FROM event WHERE business_date >= $first AND business_date < $as_of AND $slice
    UNION ALL
    SELECT $days(business_date, $first-1y) + 1 AS day_no, CAST(0 AS DECIMAL(18,4)) AS net_now, net AS net_prev
    FROM event WHERE business_date >= $first-1y AND business_date < $end-1y AND $slice
), summed AS (
    SELECT day_no, sum(net_now) AS net_sales, sum(net_prev) AS net_sales_prev FROM daily GROUP BY day_no
), running AS (
    SELECT day_no, net_sales, sum(net_sales) OVER (ORDER BY day_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS net_sales_to_date,
           sum(net_sales_prev) OVER (ORDER BY day_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS net_sales_to_date_prev
    FROM summed
)
SELECT day_no, net_sales, net_sales_to_date, net_sales_to_date_prev,
       CAST(net_sales_to_date - net_sales_to_date_prev AS DOUBLE) / CAST(abs(net_sales_to_date_prev) AS DOUBLE) AS net_sales_to_date_growth
FROM running WHERE day_no <= $days($as_of, $first)
