-- ---
-- key = ["period_start"]
-- window = [1, 12]
-- history = 2
-- slice = true
-- set = { n = "28" }
-- ---
WITH daily AS (
    SELECT business_date, sum(net) AS net_sales
    FROM event
    WHERE business_date >= $from-28d AND business_date < $to AND $slice
    GROUP BY business_date
), summed AS (
    SELECT business_date, net_sales, sum(net_sales) OVER (ORDER BY business_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far
    FROM daily
), running AS (
    SELECT business_date AS period_start, net_sales, so_far - lag(so_far, 28) OVER (ORDER BY business_date) AS net_sales_window
    FROM summed
)
SELECT period_start, net_sales, net_sales_window, CAST(net_sales_window AS DOUBLE) / 28 AS moving_average FROM running WHERE period_start >= $from
